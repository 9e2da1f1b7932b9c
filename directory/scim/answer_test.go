package scim

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const base = "https://varsel.example/scim/v2"

// shown is the resource as a client reads it.
func shown(t *testing.T, r Resource, only, without string) map[string]any {
	t.Helper()
	want, err := ReadProjection(strings.Split(only, ","), strings.Split(without, ","))
	must(t, err)
	text, err := json.Marshal(r.Show(base, want))
	must(t, err)
	return objectOf(t, string(text))
}

func TestAResourceIsAnsweredWithWhatTheServerGives(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)
	r := Resource{Kind: Group, ID: "g", Document: Document{"displayName": "Oslo"}, Members: []Member{{"a", "User"}, {"b", "Group"}, {"c", ""}}, Version: 7, Created: at, Modified: at}
	want := objectOf(t, `{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "id": "g", "displayName": "Oslo",
		"members": [{"value": "a", "type": "User", "$ref": "https://varsel.example/scim/v2/Users/a"}, {"value": "b", "type": "Group", "$ref": "https://varsel.example/scim/v2/Groups/b"}, {"value": "c"}],
		"meta": {"resourceType": "Group", "created": "2026-01-02T03:04:05.006Z", "lastModified": "2026-01-02T03:04:05.006Z", "version": "W/\"7\"", "location": "https://varsel.example/scim/v2/Groups/g"}}`)
	if diff := cmp.Diff(want, shown(t, r, "", "")); diff != "" {
		t.Error(diff)
	}
	delete(want, "members")
	if diff := cmp.Diff(want, shown(t, r, "", "Members")); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyWhatIsAskedForIsAnswered(t *testing.T) { // RFC 7644 3.9
	r := Resource{Kind: User, ID: "u", Document: read(t, User, kari)}
	for _, row := range []struct{ only, without, want string }{
		{"userName", "", `{"userName": "Kari@Example.com"}`},
		{"USERNAME,nothing", "", `{"userName": "Kari@Example.com"}`},
		{"name.givenName,emails.value", "", `{"name": {"givenName": "Kari"}, "emails": [{"value": "kari@example.com"}, {"value": "kari@home.example"}]}`},
		{enterprise + ":department", "", `{"` + enterprise + `": {"department": "Sales"}}`},
		{enterprise, "", `{"` + enterprise + `": {"department": "Sales", "manager": {"value": "boss"}}}`},
		{"urn:ietf:params:scim:schemas:core:2.0:User:active", "", `{"active": true}`},
		{"", "id,schemas,meta,name.givenName,emails,title,active,externalId,displayName," + enterprise, `{"userName": "Kari@Example.com", "name": {"familyName": "Nordmann"}}`},
	} {
		want := objectOf(t, row.want)
		want["id"], want["schemas"] = "u", []any{userSchema, enterprise}
		if diff := cmp.Diff(want, shown(t, r, row.only, row.without)); diff != "" {
			t.Errorf("%+v\n%s", row, diff)
		}
	}
	_, err := ReadProjection([]string{"a b"}, nil)
	refusedAs(t, InvalidPath, err)
}

func TestTheSchemasAreTrue(t *testing.T) {
	doc := read(t, User, kari)
	described := map[string]bool{}
	for _, s := range Schemas(base) {
		for _, a := range s["attributes"].([]Attribute) {
			described[s["id"].(string)+" "+a.Name] = true
			if a.Description == "" || a.Type == "" || a.Mutability == "" || a.Returned == "" || a.Uniqueness == "" {
				t.Errorf("%s is not described: %+v", a.Name, a)
			}
		}
	}
	for name := range doc {
		if name != enterprise && name != "externalId" && !described[userSchema+" "+name] {
			t.Errorf("%s is kept and not in the schema", name)
		}
	}
	types := ResourceTypes(base)
	if got := []any{types[0]["id"], types[0]["endpoint"], types[1]["id"], types[1]["endpoint"]}; !slices.Equal(got, []any{"User", "/Users", "Group", "/Groups"}) {
		t.Error(got)
	}
	text, err := json.Marshal([]any{ServiceProviderConfig(base), Schemas(base), types})
	must(t, err)
	if strings.Contains(string(text), `""`) {
		t.Errorf("something is empty: %s", text)
	}
}

func TestAUserIsReadAsAPersonOfADirectory(t *testing.T) {
	fields := func(body string) map[string]string {
		all := map[string]string{}
		for name, raw := range Fields(read(t, User, body)) {
			if string(raw) != "null" {
				all[name] = string(raw)
			}
		}
		return all
	}
	for body, want := range map[string]map[string]string{
		`{"userName": "kari"}`: {"displayName": `"kari"`},
		`{"userName": "kari", "active": "False", "displayName": " ", "name": {"givenName": "Kari", "familyName": "Nordmann"}}`: {"displayName": `"Kari Nordmann"`, "givenName": `"Kari"`, "surname": `"Nordmann"`, "accountEnabled": "false"},
		`{"userName": "kari", "name": {"formatted": "Dr. K", "givenName": "Kari"}, "userType": "Guest"}`:                       {"displayName": `"Dr. K"`, "givenName": `"Kari"`, "userType": `"Guest"`},
		`{"userName": "kari", "displayName": "K", "title": "Boss", "preferredLanguage": "nb-NO", "active": true,
		  "emails": [{"value": "any"}, {"value": "home", "type": "home", "primary": true}, {"value": " ", "type": "work"}, {"value": "work", "type": "Work"}],
		  "phoneNumbers": [{"type": "fax", "value": "1"}, {"type": "work", "value": "22 33 44 55"}, {"value": "3"}, {"type": "Mobile", "value": "900 00 000"}, {"type": "work", "value": ""}, {"type": "home", "value": "5"}],
		  "addresses": [{"type": "home", "country": "SE"}, {"type": "work", "country": "no", "streetAddress": "Storgata 1", "postalCode": "0155", "locality": "Oslo", "region": "Oslo fylke"}, {"type": "other", "formatted": "Oslo 4"}],
		  "` + enterprise + `": {"department": "Sales", "employeeNumber": "7", "organization": "Acme"}}`: {
			"displayName": `"K"`, "jobTitle": `"Boss"`, "preferredLanguage": `"nb-NO"`, "accountEnabled": "true", "mail": `"work"`, "mobilePhone": `"900 00 000"`,
			"businessPhones": `["22 33 44 55","3"]`, "country": `"no"`, "usageLocation": `"NO"`, "officeLocation": `"Oslo 4"`, "department": `"Sales"`, "employeeId": `"7"`, "companyName": `"Acme"`,
			"faxNumber": `"1"`, "streetAddress": `"Storgata 1"`, "postalCode": `"0155"`, "city": `"Oslo"`, "state": `"Oslo fylke"`},
		`{"userName": "kari", "displayName": "K", "addresses": [{"type": "work", "country": "Norge"}], "emails": [{"value": "a"}, {"value": "b", "primary": true}]}`: {
			"displayName": `"K"`, "country": `"Norge"`, "mail": `"b"`},
	} {
		if diff := cmp.Diff(want, fields(body)); diff != "" {
			t.Errorf("%s\n%s", body, diff)
		}
	}
	names := slices.Sorted(maps.Keys(Fields(Document{})))
	if len(names) != 21 {
		t.Errorf("what is not there is not null: %v", names)
	}
}
