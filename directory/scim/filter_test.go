package scim

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// tester is a test, or one run of a property.
type tester interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
	Errorf(string, ...any)
}

func must(t tester, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// read makes a document of what a client might POST.
func read(t tester, k *Kind, body string) Document {
	t.Helper()
	doc, _, err := k.Read([]byte(body))
	must(t, err)
	return doc
}

// refusedAs checks the type of a refusal, which says something to people.
func refusedAs(t tester, kind string, err error) {
	t.Helper()
	var refusal *Error
	if !errors.As(err, &refusal) || refusal.Type != kind || refusal.Detail == "" {
		t.Errorf("want %s, got %v", kind, err)
	}
}

const kari = `{
	"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
	"userName": "Kari@Example.com", "externalId": "Kari-1", "displayName": "Kari Nordmann", "active": true, "title": "Line\nbreak \"quoted\"",
	"name": {"givenName": "Kari", "familyName": "Nordmann"},
	"emails": [{"type": "work", "value": "kari@example.com", "primary": true}, {"type": "home", "value": "kari@home.example"}],
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Sales", "manager": {"value": "boss"}}
}`

func TestFiltersMeanWhatTheRFCSays(t *testing.T) { // RFC 7644 3.4.2.2
	r := Resource{Kind: User, ID: "Id-1", Document: read(t, User, kari), Version: 7,
		Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Modified: time.Date(2026, 2, 2, 3, 4, 5, 0, time.UTC)}
	const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:"
	for filter, want := range map[string]bool{
		`userName eq "kari@example.com"`:                                   true,
		`USERNAME EQ "KARI@EXAMPLE.COM"`:                                   true,
		`urn:ietf:params:scim:schemas:core:2.0:User:userName sw "kari"`:    true,
		`userName eq "ola@example.com"`:                                    false,
		`userName eq kari@example.com`:                                     true, // Microsoft's example
		`externalId eq "Kari-1"`:                                           true,
		`externalId eq "kari-1"`:                                           false, // case-exact
		`id eq "Id-1" and active eq true`:                                  true,
		`active eq "True"`:                                                 true,
		`active ne true`:                                                   false,
		`active eq false`:                                                  false,
		`not (active eq true)`:                                             false,
		`not(active eq false) and (title pr or nickName pr)`:               true,
		`nickName pr`:                                                      false,
		`nickName eq null`:                                                 true,
		`nickName ne "x"`:                                                  true,
		`displayName eq null`:                                              false,
		`title eq "line\nbreak \"QUOTED\""`:                                true,
		`name.familyName co "ORD"`:                                         true,
		`name.familyName ew "mann"`:                                        true,
		`name pr`:                                                          true,
		`name.middleName pr`:                                               false,
		`emails pr`:                                                        true,
		`emails eq "kari@home.example"`:                                    true,
		`emails.value eq "kari@home.example"`:                              true,
		`emails.type eq "other"`:                                           false,
		`emails[type eq "work"]`:                                           true,
		`emails[type eq "work" and value co "@home"]`:                      false,
		`emails[type eq "work"].value eq "Kari@Example.com"`:               true, // Entra
		`emails[type eq "home"].value eq "kari@example.com"`:               false,
		`emails[primary eq "True"].value eq "kari@example.com"`:            true,
		enterprise + `department eq "sales"`:                               true,
		enterprise + `manager.value eq "boss"`:                             true,
		`id eq "Id-1" and manager eq "boss"`:                               true, // Entra
		`manager eq "Boss"`:                                                false,
		`meta.created gt "2026-01-01T00:00:00Z"`:                           true,
		`meta.created ge "2026-01-02T04:04:05+01:00"`:                      true,
		`meta.lastModified lt "2026-02-02T03:04:05Z"`:                      false,
		`meta.resourceType eq "User"`:                                      true,
		`schemas eq "urn:ietf:params:scim:schemas:core:2.0:User"`:          true,
		`displayName gt "a" and displayName lt "z"`:                        true,
		`nothing eq "x"`:                                                   false,
		`urn:example:nothing:thing eq "x"`:                                 false,
		`active eq false and active eq false or userName pr`:               true, // and binds closer
		`userName pr or active eq false and active eq false`:               true,
		`(userName pr or active eq false) and active eq false`:             false,
		`title pr and not (emails[type eq "other"]) and userName sw "KAR"`: true,
	} {
		f, err := User.ParseFilter(filter)
		if err != nil {
			t.Errorf("%s: %v", filter, err)
		} else if got := f.Match(r); got != want {
			t.Errorf("%s: %v", filter, got)
		}
	}
}

func TestGroupsAreFoundByTheirMembers(t *testing.T) {
	r := Resource{Kind: Group, ID: "g", Document: Document{"displayName": "Oslo"}, Members: []Member{{"a", "User"}, {"b", "Group"}}}
	for filter, want := range map[string]bool{
		`members[value eq "a"]`: true, `members eq "b"`: true, `members.value eq "c"`: false,
		`members[type eq "group" and value eq "a"]`: false, `members pr`: true,
	} {
		f, err := Group.ParseFilter(filter)
		must(t, err)
		if got := f.Match(r); got != want {
			t.Errorf("%s: %v", filter, got)
		}
	}
}

var nonsense = []string{
	``, ` `, `userName`, `userName eq`, `eq "x"`, `userName is "x"`, `userName eq "x`, `userName eq "\x"`, `userName eq "x" and`, `and userName pr`,
	`(userName pr`, `userName pr)`, `not userName pr`, `emails[type eq "work"`, `emails[] eq "x"`, `emails[type eq "work"].`, `name.givenName[x eq "y"]`,
	`userName[type eq "x"]`, `active gt true`, `emails[primary co "x"]`, `userName eq "a" "b"`, `user name pr`, `userName gt null`, `.x pr`, `userName. pr`,
	`urn:ietf:params:scim:schemas:core:2.0:User pr`, "userName eq \"\xff\"", strings.Repeat("(", 60) + "userName pr" + strings.Repeat(")", 60),
	strings.Repeat(`userName pr and `, 1000) + `userName pr`,
}

func TestWhatIsNoFilterIsRefused(t *testing.T) {
	for _, text := range nonsense {
		if _, err := User.ParseFilter(text); err == nil {
			t.Errorf("%q was taken for a filter", text)
		} else {
			refusedAs(t, InvalidFilter, err)
		}
	}
}

func TestFiltersThatNameAKeyAreLookedUp(t *testing.T) {
	for filter, want := range map[string]Key{
		`userName eq "Kari"`: {ByName, "Kari"}, `externalId eq "1"`: {ByExternalID, "1"}, `id eq "x"`: {ByID, "x"}, `displayName eq "K"`: {ByDisplay, "K"},
		`emails[type eq "work"].value eq "k@e"`: {ByEmail, "k@e"}, `emails eq "k@e"`: {ByEmail, "k@e"}, `emails.value eq "k@e"`: {ByEmail, "k@e"},
		`active eq true and userName eq "Kari"`: {ByName, "Kari"}, `title eq "x"`: {}, `userName sw "K"`: {}, `userName eq "a" or userName eq "b"`: {},
		`emails.type eq "work"`: {}, `not (userName eq "a")`: {}, `userName ne "a"`: {}, `userName eq true`: {}, `manager eq "x"`: {},
	} {
		f, err := User.ParseFilter(filter)
		must(t, err)
		if got, _ := f.Key(User); got != want {
			t.Errorf("%s: %v", filter, got)
		}
	}
	f, err := Group.ParseFilter(`id eq "g" and members eq "u"`)
	must(t, err)
	if got, _ := f.Key(Group); got != (Key{ByID, "g"}) || !f.Reads("members") || f.Reads("displayName") {
		t.Error(got)
	}
}

func FuzzFilter(f *testing.F) {
	for _, text := range nonsense {
		f.Add(text)
	}
	for _, text := range []string{`emails[type eq "work"].value eq "a"`, `not (a.b pr) or urn:x:y:z co q`, `userName eq "\u00e5"`} {
		f.Add(text)
	}
	doc, _, err := User.Read([]byte(kari))
	must(f, err)
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := User.ParseFilter(text)
		if err != nil {
			refusedAs(t, InvalidFilter, err)
			return
		}
		filter.Match(Resource{Kind: User, Document: doc})
		if key, ok := filter.Key(User); ok != (key.By != "") {
			t.Errorf("%q has key %v", text, key)
		}
	})
}
