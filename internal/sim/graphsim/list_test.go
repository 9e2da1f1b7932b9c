package graphsim

import (
	"fmt"
	"net/http"
	"testing"
)

// all follows a plain list to its end.
func (c *client) all(target string) (items []map[string]any, pages int) {
	c.t.Helper()
	for target != "" {
		a := c.get(target)
		if a.status != http.StatusOK {
			c.t.Fatalf("GET %s: %d %s", target, a.status, a.raw)
		}
		items, pages, target = append(items, a.items()...), pages+1, a.link("nextLink")
	}
	return items, pages
}

func TestListsInPages(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	s.SoftDelete("cato")
	items, pages := c.all("/users?$select=displayName,city,businessPhones&$top=2")
	equal(t, "pages", pages, 2)
	equal(t, "what was never set is null", items[0], map[string]any{"id": "anna", "displayName": "anna", "city": nil, "businessPhones": []any{}})
	equal(t, "the options last", len(items[3]), 4)
	groups, _ := c.all("/groups?$select=displayName")
	equal(t, "groups", groups, []map[string]any{{"id": "all", "displayName": "All"}, {"id": "some", "displayName": "Some"}})
}

func TestPageSizesHaveLimits(t *testing.T) {
	_, c := start(t, Options{Org: Example(250)})
	equal(t, "default", len(c.get("/users").items()), 100)
	equal(t, "most", len(c.get("/users?$top=999").items()), 250)
	for _, query := range []string{"$top=1000", "$top=0", "$orderby=mail", "$search=x", "$select=shoeSize", "$filter=mail%20eq%20'x'"} {
		if a := c.get("/users?" + query); a.status != http.StatusBadRequest {
			t.Errorf("%s: %d", query, a.status)
		}
	}
}

func TestOneObject(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	equal(t, "by id", c.get("/users/bo?$select=mobilePhone").body["mobilePhone"], "+47 412 34 567")
	equal(t, "by name", c.get("/users/Bo@nordlys.example").body["id"], "bo")
	equal(t, "group", c.get("/groups/some").body["displayName"], "Some")
	s.SoftDelete("bo")
	for _, path := range []string{"/users/bo", "/users/some", "/groups/bo", "/groups/nobody", "/groups/nobody/members"} {
		if a := c.get(path); a.status != http.StatusNotFound || a.code() != "Request_ResourceNotFound" {
			t.Errorf("%s: %d %s", path, a.status, a.raw)
		}
	}
}

func TestMembersAreDirect(t *testing.T) {
	_, c := start(t, Options{Org: staff()})
	items, _ := c.all("/groups/all/members?$select=displayName,mobilePhone")
	equal(t, "members", items, []map[string]any{
		{"@odata.type": "#microsoft.graph.group", "id": "some", "displayName": "Some"},
		{"@odata.type": "#microsoft.graph.user", "id": "eli", "displayName": "eli", "mobilePhone": "+47 412 34 567"},
	})
	_, pages := c.all("/groups/some/members?$top=1")
	equal(t, "pages", pages, 3)
}

func TestOrganization(t *testing.T) {
	_, c := start(t, Options{Org: staff()})
	equal(t, "organization", c.get("/organization?$select=displayName").items(),
		[]map[string]any{{"id": DefaultTenantID, "displayName": "Nordlys"}})
}

func TestPropertiesThatAreNotText(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	sku := map[string]any{"skuId": "05e9a617-0261-4cee-bb44-138d3ef5d965", "disabledPlans": []string{}}
	const what = "$select=assignedLicenses,legalAgeGroupClassification,onPremisesExtensionAttributes,createdDateTime,employeeId"
	r := c.round("/users/delta?" + what)
	equal(t, "never set", r.items()[1], map[string]any{"id": "bo"})
	s.UpdateUser("bo", map[string]any{
		"assignedLicenses": []map[string]any{sku}, "legalAgeGroupClassification": "Adult",
		"onPremisesExtensionAttributes": map[string]any{"extensionAttribute1": "Pb 12"},
	})
	want := map[string]any{
		"id": "bo", "legalAgeGroupClassification": "Adult", "onPremisesExtensionAttributes": map[string]any{"extensionAttribute1": "Pb 12"},
		"assignedLicenses": []any{map[string]any{"skuId": sku["skuId"], "disabledPlans": []any{}}},
	}
	r = c.round(r.delta)
	equal(t, "set", r.items(), []map[string]any{want})
	s.UpdateUser("bo", map[string]any{"assignedLicenses": nil, "legalAgeGroupClassification": nil})
	want["assignedLicenses"], want["legalAgeGroupClassification"] = []any{}, nil
	equal(t, "cleared", c.round(r.delta).items(), []map[string]any{want})
	extensions := c.get("/users/anna?" + what).body["onPremisesExtensionAttributes"].(map[string]any)
	none, there := extensions["extensionAttribute15"]
	equal(t, "none of fifteen", fmt.Sprint(len(extensions), none, there), "15 <nil> true")
}

func TestUsersAndGroupsAreCopies(t *testing.T) {
	s, _ := start(t, Options{Org: staff()})
	s.SoftDelete("anna")
	users := s.Users()
	equal(t, "users", fmt.Sprint(len(users), users[0].ID), "4bo")
	users[0].Properties["displayName"] = "x"
	u, ok := s.User("bo")
	equal(t, "bo", fmt.Sprint(ok, u.Properties["displayName"]), "truebo")
	if _, ok := s.User("anna"); ok {
		t.Error("a deleted user is there")
	}
	equal(t, "groups", s.Groups(), staff().Groups)
}

func TestWrongIDsPanic(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	s.HardDelete("dag")
	for name, f := range map[string]func(){
		"unknown":   func() { s.SoftDelete("nobody") },
		"taken":     func() { s.AddUser(User{ID: "anna"}) },
		"property":  func() { s.UpdateUser("anna", map[string]any{"mobile": "1"}) },
		"no member": func() { s.AddGroup(Group{ID: "g", Members: []string{"nobody"}}) },
		"no group":  func() { s.AddMember("anna", "bo") },
		"gone":      func() { s.Restore("dag") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
	equal(t, "the server goes on", c.get("/users").status, http.StatusOK)
}
