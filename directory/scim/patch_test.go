package scim

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func objectOf(t tester, text string) map[string]any {
	t.Helper()
	var v map[string]any
	must(t, json.Unmarshal([]byte(text), &v))
	return v
}

func patch(operations string) []byte {
	return []byte(`{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [` + operations + `]}`)
}

type patching struct{ name, before, operations, after string }

// run applies each row's operations to before, with a userName, and compares.
func run(t *testing.T, rows []patching) {
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			doc := Document(objectOf(t, row.before))
			doc["userName"] = "kari"
			want := Document(objectOf(t, row.after))
			if want["userName"] == nil {
				want["userName"] = "kari"
			}
			before := cloned(doc)
			got, _, err := User.Patch(doc, patch(row.operations))
			must(t, err)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("want(-) got(+):\n%s", diff)
			}
			if diff := cmp.Diff(before, doc); diff != "" {
				t.Errorf("what was patched changed:\n%s", diff)
			}
		})
	}
}

func TestPatchInTheRFCsWords(t *testing.T) { // RFC 7644 3.5.2
	run(t, []patching{
		{"add a new attribute", `{}`, `{"op": "add", "path": "title", "value": "Boss"}`, `{"title": "Boss"}`},
		{"add over an attribute", `{"title": "Boss"}`, `{"op": "add", "path": "title", "value": "Chief"}`, `{"title": "Chief"}`},
		{"add without a path", `{"title": "Boss"}`, `{"op": "add", "value": {"nickName": "K", "emails": [{"value": "k@e", "type": "home"}]}}`,
			`{"title": "Boss", "nickName": "K", "emails": [{"value": "k@e", "type": "home"}]}`},
		{"add to several", `{"emails": [{"value": "a"}]}`, `{"op": "add", "path": "emails", "value": [{"value": "b"}]}`, `{"emails": [{"value": "a"}, {"value": "b"}]}`},
		{"add what is there", `{"emails": [{"value": "a"}]}`, `{"op": "add", "path": "emails", "value": [{"value": "a"}]}`, `{"emails": [{"value": "a"}]}`},
		{"add a part", `{"name": {"givenName": "K"}}`, `{"op": "add", "path": "name.familyName", "value": "N"}`, `{"name": {"givenName": "K", "familyName": "N"}}`},
		{"add parts", `{"name": {"givenName": "K"}}`, `{"op": "add", "path": "name", "value": {"familyName": "N"}}`, `{"name": {"givenName": "K", "familyName": "N"}}`},
		{"a new primary", `{"emails": [{"value": "a", "primary": true}]}`, `{"op": "add", "path": "emails", "value": [{"value": "b", "primary": true}]}`,
			`{"emails": [{"value": "a", "primary": false}, {"value": "b", "primary": true}]}`},
		{"replace one", `{"title": "Boss"}`, `{"op": "replace", "path": "title", "value": "Chief"}`, `{"title": "Chief"}`},
		{"replace what is not there", `{}`, `{"op": "replace", "path": "title", "value": "Chief"}`, `{"title": "Chief"}`},
		{"replace with null", `{"title": "Boss"}`, `{"op": "replace", "path": "title", "value": null}`, `{}`},
		{"replace several", `{"emails": [{"value": "a"}]}`, `{"op": "replace", "path": "emails", "value": [{"value": "b"}]}`, `{"emails": [{"value": "b"}]}`},
		{"replace with none", `{"emails": [{"value": "a"}]}`, `{"op": "replace", "path": "emails", "value": []}`, `{}`},
		{"replace parts", `{"name": {"givenName": "K", "familyName": "N"}}`, `{"op": "replace", "path": "name", "value": {"familyName": "O"}}`, `{"name": {"givenName": "K", "familyName": "O"}}`},
		{"replace a value", `{"emails": [{"value": "a", "type": "work", "primary": true}]}`, `{"op": "replace", "path": "emails[type eq \"work\"]", "value": {"value": "b"}}`,
			`{"emails": [{"value": "b", "type": "work"}]}`},
		{"replace a value's part", `{"emails": [{"value": "a", "type": "work"}, {"value": "h", "type": "home"}]}`, `{"op": "replace", "path": "emails[type eq \"work\" and value eq \"a\"].value", "value": "b"}`,
			`{"emails": [{"value": "b", "type": "work"}, {"value": "h", "type": "home"}]}`},
		{"replace all values' part", `{"emails": [{"value": "a"}, {"value": "b"}]}`, `{"op": "replace", "path": "emails.type", "value": "work"}`, `{"emails": [{"value": "a", "type": "work"}, {"value": "b", "type": "work"}]}`},
		{"remove one", `{"title": "Boss", "nickName": "K"}`, `{"op": "remove", "path": "title"}`, `{"nickName": "K"}`},
		{"remove what is not there", `{}`, `{"op": "remove", "path": "title"}`, `{}`},
		{"remove all", `{"emails": [{"value": "a"}, {"value": "b"}]}`, `{"op": "remove", "path": "emails"}`, `{}`},
		{"remove some", `{"emails": [{"value": "a"}, {"value": "b"}]}`, `{"op": "remove", "path": "emails[value sw \"A\"]"}`, `{"emails": [{"value": "b"}]}`},
		{"remove a part", `{"name": {"givenName": "K", "familyName": "N"}}`, `{"op": "remove", "path": "name.givenName"}`, `{"name": {"familyName": "N"}}`},
		{"remove the last part", `{"name": {"givenName": "K"}}`, `{"op": "remove", "path": "name.givenName"}`, `{}`},
		{"one after the other", `{}`, `{"op": "add", "path": "title", "value": "a"}, {"op": "remove", "path": "title"}, {"op": "add", "path": "nickName", "value": "b"}`, `{"nickName": "b"}`},
		{"by the core schema's URN", `{}`, `{"op": "add", "path": "urn:ietf:params:scim:schemas:core:2.0:User:title", "value": "Boss"}`, `{"title": "Boss"}`},
		{"an extension as a whole", `{}`, `{"op": "add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", "value": {"department": "D"}}`,
			`{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "D"}}`},
		{"remove an extension", `{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "D"}}`,
			`{"op": "remove", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"}`, `{}`},
	})
}

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

// What Entra sends without a flag in its tenant URL, and with ?aadOptscim062020.
func TestPatchInEntrasWords(t *testing.T) { // Q44, Q53
	run(t, []patching{
		{"capitals and a string for a flag", `{"active": true}`, `{"op": "Replace", "path": "active", "value": "False"}`, `{"active": false}`},
		{"a flag for a flag", `{"active": false}`, `{"op": "replace", "path": "active", "value": true}`, `{"active": true}`},
		{"a single value in a list", `{}`, `{"op": "Replace", "path": "displayName", "value": [{"$ref": null, "value": "Kari"}]}`, `{"displayName": "Kari"}`},
		{"names in another case", `{}`, `{"op": "Add", "path": "DisplayName", "value": "Kari"}, {"op": "Add", "path": "NAME.GIVENNAME", "value": "K"}`, `{"displayName": "Kari", "name": {"givenName": "K"}}`},
		{"the external id", `{"externalId": "a"}`, `{"op": "Replace", "path": "externalId", "value": "b"}`, `{"externalId": "b"}`},
		{"an address that is not there yet", `{}`, `{"op": "Add", "path": "emails[type eq \"work\"].value", "value": "k@e"}`, `{"emails": [{"type": "work", "value": "k@e"}]}`},
		{"an address beside another", `{"emails": [{"type": "home", "value": "h@e"}]}`, `{"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "k@e"}`,
			`{"emails": [{"type": "home", "value": "h@e"}, {"type": "work", "value": "k@e"}]}`},
		{"a number on somebody without", `{}`, `{"op": "Replace", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+47 900 00 000 "}`,
			`{"phoneNumbers": [{"type": "mobile", "value": "+47 900 00 000 "}]}`},
		{"an address as a whole", `{}`, `{"op": "Add", "path": "addresses[type eq \"work\"]", "value": {"country": "NO"}}`, `{"addresses": [{"type": "work", "country": "NO"}]}`},
		{"two parts of an address", `{}`, `{"op": "Add", "path": "addresses[type eq \"work\"].country", "value": "NO"}, {"op": "Add", "path": "addresses[type eq \"work\"].locality", "value": "Oslo"}`,
			`{"addresses": [{"type": "work", "country": "NO", "locality": "Oslo"}]}`},
		{"a number goes", `{"phoneNumbers": [{"type": "mobile", "value": "1"}, {"type": "work", "value": "2"}]}`, `{"op": "Remove", "path": "phoneNumbers[type eq \"mobile\"].value"}`,
			`{"phoneNumbers": [{"type": "work", "value": "2"}]}`},
		{"a number goes that is not there", `{}`, `{"op": "Remove", "path": "phoneNumbers[type eq \"mobile\"].value"}`, `{}`},
		{"the enterprise extension", `{}`, `{"op": "Add", "path": "` + enterprise + `:department", "value": "Sales"}`, `{"` + enterprise + `": {"department": "Sales"}}`},
		{"a manager by id alone", `{}`, `{"op": "Add", "path": "` + enterprise + `:manager", "value": "boss"}`, `{"` + enterprise + `": {"manager": {"value": "boss"}}}`},
		{"another manager in a list", `{"` + enterprise + `": {"manager": {"value": "boss", "$ref": "x"}}}`,
			`{"op": "Replace", "path": "` + enterprise + `:manager", "value": [{"value": "chief"}]}`, `{"` + enterprise + `": {"manager": {"value": "chief"}}}`},
		{"no manager any more", `{"` + enterprise + `": {"manager": {"value": "boss"}, "department": "D"}}`, `{"op": "Remove", "path": "` + enterprise + `:manager"}`, `{"` + enterprise + `": {"department": "D"}}`},
		{"roles by a flag in quotes", `{}`, `{"op": "Add", "path": "roles[primary eq \"True\"].value", "value": "Admin"}`, `{"roles": [{"primary": true, "value": "Admin"}]}`},
		{"an empty list of roles", `{}`, `{"op": "Replace", "path": "roles", "value": []}`, `{}`},
		{"dotted names and URNs without a path", `{"name": {"familyName": "N"}, "active": true}`,
			`{"op": "replace", "value": {"displayName": "Kari", "active": false, "name.givenName": "K", "` + enterprise + `:employeeNumber": "7", "emails[type eq \"work\"].value": "k@e"}}`,
			`{"displayName": "Kari", "active": false, "name": {"givenName": "K", "familyName": "N"}, "emails": [{"type": "work", "value": "k@e"}], "` + enterprise + `": {"employeeNumber": "7"}}`},
		{"without a path and capitalised", `{}`, `{"op": "Add", "value": {"active": "True", "` + enterprise + `": {"department": "D"}}}`, `{"active": true, "` + enterprise + `": {"department": "D"}}`},
		{"what is nobody's to write, or not ours", `{}`,
			`{"op": "replace", "value": {"id": "x", "meta": {"resourceType": "User"}, "schemas": [], "urn:ietf:params:scim:schemas:extension:Microsoft:2.0:User": {"a": 1}, "shoeSize": 43, "title": "T"}},
			 {"op": "Add", "path": "urn:example:custom:2.0:User:tag", "value": "x"}, {"op": "Add", "path": "password", "value": "x"}`, `{"title": "T"}`},
		{"a value removed by its value", `{"emails": [{"type": "work", "value": "a"}, {"type": "home", "value": "b"}]}`, `{"op": "Remove", "path": "emails", "value": [{"value": "A"}]}`, `{"emails": [{"type": "home", "value": "b"}]}`},
	})
}

func TestAPatchThatCannotBeDoneIsRefusedAsAWhole(t *testing.T) {
	for operations, kind := range map[string]string{
		`{"op": "move", "path": "title"}`:                                                                InvalidSyntax,
		`{"op": "remove"}`:                                                                               NoTarget,
		`{"op": "add", "value": "x"}`:                                                                    InvalidSyntax,
		`{"op": "add", "path": "shoeSize", "value": "x"}`:                                                InvalidPath,
		`{"op": "add", "path": "name.shoe", "value": "x"}`:                                               InvalidPath,
		`{"op": "add", "path": "title[value eq \"x\"]", "value": "x"}`:                                   InvalidPath,
		`{"op": "add", "path": "emails[type eq", "value": "x"}`:                                          InvalidPath,
		`{"op": "replace", "path": "id", "value": "x"}`:                                                  Mutability,
		`{"op": "remove", "path": "userName"}`:                                                           Mutability,
		`{"op": "replace", "path": "userName", "value": ""}`:                                             Mutability,
		`{"op": "replace", "path": "emails[value eq \"x\"].type", "value": "work"}`:                      NoTarget,
		`{"op": "replace", "path": "emails[type eq \"a\" or type eq \"b\"].value", "value": "x"}`:        NoTarget,
		`{"op": "add", "path": "active", "value": "perhaps"}`:                                            InvalidValue,
		`{"op": "add", "path": "title", "value": {"a": 1}}`:                                              InvalidValue,
		`{"op": "add", "path": "emails", "value": [3]}`:                                                  InvalidValue,
		`{"op": "add", "path": "emails", "value": [` + strings.Repeat(`{"value": "x"},`, 200) + `null]}`: InvalidValue,
		`{"op": "add", "path": "name", "value": "x"}`:                                                    InvalidValue,
	} {
		_, _, err := User.Patch(Document{"userName": "kari"}, patch(`{"op": "add", "path": "nickName", "value": "K"}, `+operations))
		if refusedAs(t, kind, err); t.Failed() {
			t.Fatal(operations)
		}
	}
	for _, body := range []string{``, `{`, `[]`, `null`, `{}`, `{"Operations": []}`, `{"Operations": {}}`, `{"Operations": [{"op": 1}]}`, `{"Operations": []} x`, "{\"Operations\": [\"\xff\"]}"} {
		_, _, err := User.Patch(Document{"userName": "kari"}, []byte(body))
		refusedAs(t, InvalidSyntax, err)
	}
}

func TestMembersAreAddedAndRemovedByName(t *testing.T) { // Q44
	for operations, want := range map[string][]MemberChange{
		`{"op": "Add", "path": "members", "value": [{"value": "a"}, {"value": "b"}]}`:                 {{Add: []string{"a", "b"}}},
		`{"op": "add", "path": "members", "value": {"value": "a"}}`:                                   {{Add: []string{"a"}}},
		`{"op": "add", "value": {"members": [{"value": "a"}]}}`:                                       {{Add: []string{"a"}}},
		`{"op": "Remove", "path": "members", "value": [{"value": "a"}]}`:                              {{Remove: []string{"a"}}}, // not all
		`{"op": "Remove", "path": "members", "value": []}`:                                            {{}},
		`{"op": "remove", "path": "members[value eq \"a\"]"}`:                                         {{Remove: []string{"a"}}},
		`{"op": "remove", "path": "members[value eq \"a\" or value eq \"b\"]"}`:                       {{Remove: []string{"a", "b"}}},
		`{"op": "remove", "path": "members"}`:                                                         {{RemoveAll: true}},
		`{"op": "replace", "path": "members", "value": [{"value": "a", "display": "Kari"}]}`:          {{RemoveAll: true, Add: []string{"a"}}},
		`{"op": "replace", "path": "members", "value": []}`:                                           {{RemoveAll: true}},
		`{"op": "add", "path": "members", "value": ["a"]}, {"op": "remove", "path": "members"}`:       {{Add: []string{"a"}}, {RemoveAll: true}},
		`{"op": "replace", "value": {"displayName": "Oslo", "id": "x", "urn:example:x:y": {"a": 1}}}`: nil,
	} {
		doc, got, err := Group.Patch(Document{"displayName": "Oslo"}, patch(operations))
		must(t, err)
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Filter{})); diff != "" || len(doc) != 1 {
			t.Errorf("%s: %v\n%s", operations, doc, diff)
		}
	}
	_, got, err := Group.Patch(Document{"displayName": "Oslo"}, patch(`{"op": "remove", "path": "members[type eq \"Group\"]"}`))
	must(t, err)
	if len(got) != 1 || got[0].Means(Member{"a", "User"}) || !got[0].Means(Member{"b", "Group"}) {
		t.Errorf("%+v", got)
	}
	for operations, kind := range map[string]string{
		`{"op": "add", "path": "members", "value": [{"display": "Kari"}]}`:                           InvalidValue,
		`{"op": "add", "path": "members"}`:                                                           InvalidValue,
		`{"op": "add", "path": "members", "value": [{"value": "` + strings.Repeat("x", 101) + `"}]}`: InvalidValue,
		`{"op": "replace", "path": "members[value eq \"a\"].type", "value": "Group"}`:                Mutability,
		`{"op": "remove", "path": "displayName"}`:                                                    Mutability,
	} {
		_, _, err := Group.Patch(Document{"displayName": "Oslo"}, patch(operations))
		refusedAs(t, kind, err)
	}
}

func TestADocumentIsReadAsItWasSent(t *testing.T) {
	doc, members, err := Group.Read([]byte(`{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group", "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
		"externalId": "8aa1a0c0", "displayName": "Oslo", "members": [], "meta": {"resourceType": "Group"}}`))
	must(t, err)
	if diff := cmp.Diff(Document{"externalId": "8aa1a0c0", "displayName": "Oslo"}, doc); diff != "" || len(members) != 1 || !members[0].RemoveAll {
		t.Errorf("%v\n%s", members, diff)
	}
	got := read(t, User, `{"USERNAME": "kari", "Active": "True", "password": "secret", "roles": [], "id": "mine", "groups": [{"value": "g"}], "title": "A\u0000B", "emails": {"value": "a"},
		"name": null, "photos": [{"value": "x"}], "`+strings.ToUpper(enterprise)+`": {"Department": "D"}, "shoeSize": 43, "PhoneNumbers": [{"TYPE": "Mobile", "value": "tel:+47 900-00-000", "shoe": 1}]}`)
	want := Document{"userName": "kari", "active": true, "title": "AB", "emails": []any{map[string]any{"value": "a"}},
		"phoneNumbers": []any{map[string]any{"type": "Mobile", "value": "tel:+47 900-00-000"}}, enterprise: map[string]any{"department": "D"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for body, kind := range map[string]string{
		`{}`: InvalidValue, `{"userName": ""}`: InvalidValue, `{"userName": 3}`: InvalidValue, `null`: InvalidSyntax, `[]`: InvalidSyntax, `{"userName": "a"`: InvalidSyntax,
	} {
		_, _, err := User.Read([]byte(body))
		refusedAs(t, kind, err)
	}
}

func TestWhatIsPatchedInIsReadBackAsItWasSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringN(0, 40, -1).Filter(func(s string) bool { return !strings.Contains(s, "\x00") }).Draw(t, "value")
		path := rapid.SampledFrom([]string{
			"title", "name.givenName", "displayName", `emails[type eq "work"].value`, `phoneNumbers[type eq "mobile"].value`,
			`addresses[type eq "work"].country`, enterprise + ":department", "externalId",
		}).Draw(t, "path")
		op := rapid.SampledFrom([]string{"add", "Add", "replace", "Replace"}).Draw(t, "op")
		pathless := rapid.Bool().Draw(t, "without a path")
		var operation any = map[string]any{"op": op, "path": path, "value": value}
		if pathless {
			operation = map[string]any{"op": op, "value": map[string]any{path: value}}
		}
		text, err := json.Marshal(operation)
		must(t, err)
		before := read(t, User, kari)
		doc, _, err := User.Patch(before, patch(string(text)))
		must(t, err)
		if got := at(t, doc, path); got != value {
			t.Fatalf("%s: sent %q, kept %q", path, value, got)
		}
	})
}

// at is what stands at a path, as a string.
func at(t tester, doc Document, path string) string {
	t.Helper()
	p, err := ParsePath(path)
	must(t, err)
	urn, a, _ := User.find(p)
	in := map[string]any(doc)
	if urn != "" {
		in = in[urn].(map[string]any)
	}
	found := chosen(a, in[a.Name], p.where)
	if len(found) != 1 {
		t.Fatalf("%s: %d values in %v", path, len(found), doc)
	}
	if parts, ok := found[0].(map[string]any); ok {
		return fmt.Sprint(parts[p.Sub])
	}
	return fmt.Sprint(found[0])
}

func FuzzPatch(f *testing.F) {
	for _, operations := range []string{
		`{"op": "add", "path": "emails[type eq \"work\"].value", "value": "x"}`, `{"op": "replace", "value": {"name.givenName": [], "emails": {"primary": "True"}}}`,
		`{"op": "remove", "path": "emails[value pr].primary"}`, `{"op": "replace", "path": "emails[type eq \"work\"]", "value": []}`, `{"op": "add", "path": "emails", "value": {"primary": true}}`,
		`{"op": "add", "path": "emails[primary eq true].value", "value": []}`, `{"op": "remove", "path": "emails", "value": {"type": "work"}}`, `{"op": "add", "path": "members", "value": ""}`,
		`{"op": "remove", "path": "members[not (value pr)]"}`, `{"op": "add", "value": {"urn:ietf:params:scim:schemas:core:2.0:User": {"urn:ietf:params:scim:schemas:core:2.0:User": {"title": "x"}}}}`,
	} {
		f.Add(patch(operations))
	}
	before, _, err := User.Read([]byte(kari))
	must(f, err)
	f.Fuzz(func(t *testing.T, body []byte) {
		for k, doc := range map[*Kind]Document{User: before, Group: {"displayName": "Oslo"}} {
			was := cloned(doc)
			next, _, err := k.Patch(doc, body)
			if diff := cmp.Diff(was, doc); diff != "" {
				t.Fatalf("what was patched changed:\n%s", diff)
			}
			if err != nil {
				continue
			}
			if err := (&draft{kind: k, doc: next}).complete(InvalidValue); err != nil {
				t.Error(err)
			}
			Fields(next)
			text, err := json.Marshal(Resource{Kind: k, ID: "x", Document: next}.Show("", Projection{}))
			if err != nil {
				t.Fatal(err)
			}
			again, _, err := k.Read(text)
			if diff := cmp.Diff(next, again); diff != "" || err != nil {
				t.Errorf("what is answered is not what is kept: %v\n%s", err, diff)
			}
		}
	})
}
