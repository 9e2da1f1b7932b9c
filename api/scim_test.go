package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/internal/db/dbtest"
)

// provisioner is a directory's provisioning service with its token.
type provisioner struct {
	*testing.T
	house      *house
	connection int64
	token      string
}

// eachProvisioner runs test on every database with a connection of its own.
func eachProvisioner(t *testing.T, test func(p *provisioner)) {
	t.Helper()
	dbtest.EachURL(t, func(t *testing.T, url string) { test(openOn(t, url).provisioner(t)) })
}

func (h *house) provisioner(t *testing.T) *provisioner {
	t.Helper()
	c, token, err := h.Directory.ConnectSCIM(t.Context(), h.account.ID, "Entra")
	must(t, err)
	return &provisioner{t, h, c.ID, token}
}

func (p *provisioner) ask(method, path, body string, headers ...string) reply {
	p.Helper()
	all := append([]string{"Authorization", "Bearer " + p.token, "Content-Type", "application/scim+json; charset=utf-8"}, headers...)
	return p.house.ask(p.T, method, scimPath+path, body, all...)
}

// document is an answer of that status, as a map.
func (p *provisioner) document(r reply, status int) map[string]any {
	p.Helper()
	if got := r.header.Get("Content-Type"); got != scimType {
		p.Errorf("Content-Type %q", got)
	}
	return read[map[string]any](p.T, r, status)
}

func (p *provisioner) refused(r reply, status int, kind string) {
	p.Helper()
	e := read[scimError](p.T, r, status)
	if r.header.Get("Content-Type") != scimType || e.Status != fmt.Sprint(status) || e.ScimType != kind || e.Detail == "" ||
		len(e.Schemas) != 1 || e.Schemas[0] != "urn:ietf:params:scim:api:messages:2.0:Error" {
		p.Fatalf("%s %+v, want %d %q", r.header.Get("Content-Type"), e, status, kind)
	}
}

// made posts a resource and answers its id.
func (p *provisioner) made(path, body string) string {
	p.Helper()
	r := p.ask("POST", path, body)
	doc := p.document(r, http.StatusCreated)
	id := doc["id"].(string)
	if at := p.house.url + scimPath + path + "/" + id; r.header.Get("Location") != at || doc["meta"].(map[string]any)["location"] != at {
		p.Errorf("Location %q, meta %v", r.header.Get("Location"), doc["meta"])
	}
	return id
}

func (p *provisioner) user(name string) string {
	p.Helper()
	return p.made("/Users", fmt.Sprintf(`{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": %q, "active": true}`, name))
}

func (p *provisioner) group(name string) string {
	p.Helper()
	return p.made("/Groups", fmt.Sprintf(`{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group",
		"http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"], "externalId": "o-%[1]s", "displayName": %[1]q, "members": [], "meta": {"resourceType": "Group"}}`, name))
}

func (p *provisioner) patch(path, operations string) reply {
	p.Helper()
	return p.ask("PATCH", path, `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [`+operations+`]}`)
}

// found are the ids that a list has, and its total.
func (p *provisioner) found(path, filter, more string) (ids []string, total int) {
	p.Helper()
	list := read[scimList](p.T, p.ask("GET", path+"?filter="+url.QueryEscape(filter)+more, ""), http.StatusOK)
	if list.ItemsPerPage != len(list.Resources) || list.Resources == nil {
		p.Errorf("%+v", list)
	}
	for _, r := range list.Resources {
		ids = append(ids, r["id"].(string))
	}
	return ids, list.TotalResults
}

// finds checks who a filter means, without regard to order.
func (p *provisioner) finds(path, filter string, want ...string) {
	p.Helper()
	got, total := p.found(path, filter, "")
	have := map[string]bool{}
	for _, id := range got {
		have[id] = true
	}
	for _, id := range want {
		if !have[id] {
			p.Errorf("%s does not find %s", filter, id)
		}
	}
	if len(got) != len(want) || total != len(want) {
		p.Errorf("%s finds %d of %d, want %d", filter, len(got), total, len(want))
	}
}

func (p *provisioner) members(group string) []any {
	p.Helper()
	var ids []any
	members, _ := p.document(p.ask("GET", "/Groups/"+group, ""), 200)["members"].([]any)
	for _, m := range members {
		ids = append(ids, m.(map[string]any)["value"])
	}
	return ids
}

func (p *provisioner) equal(want, got any) {
	p.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		p.Errorf("want(-) got(+):\n%s", diff)
	}
}

func TestTheConnectionTestOfEntraPasses(t *testing.T) { // Q2
	eachProvisioner(t, func(p *provisioner) {
		for _, path := range []string{"/Users?filter=userName+eq+%22non-existent%22", "/Groups?excludedAttributes=members&filter=displayName+eq+%22non-existent%22", "/Users", "/Groups?count=1&startIndex=1"} {
			r := p.ask("GET", path, "")
			list := p.document(r, 200)
			p.equal(map[string]any{"schemas": []any{"urn:ietf:params:scim:api:messages:2.0:ListResponse"}, "totalResults": 0.0, "startIndex": 1.0, "itemsPerPage": 0.0, "Resources": []any{}}, list)
		}
	})
}

func TestAUserIsCreatedReadChangedBlockedRestoredAndDeleted(t *testing.T) { // Q44, Q53
	eachProvisioner(t, func(p *provisioner) {
		const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
		sent := `{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "` + enterprise + `"],
			"externalId": "0a21f0f2", "userName": "Kari@Acme.example", "active": true, "displayName": "Kari Nordmann", "roles": [], "meta": {"resourceType": "User"},
			"name": {"formatted": "Kari Nordmann", "familyName": "Nordmann", "givenName": "Kari"}, "emails": [{"primary": true, "type": "work", "value": "kari@acme.example"}],
			"phoneNumbers": [{"type": "mobile", "value": "(+47) 900 00 000"}], "` + enterprise + `": {"department": "Sales"}}`
		id := p.made("/Users", sent)
		got := p.document(p.ask("GET", "/Users/"+id, ""), 200)
		var want map[string]any
		must(p, json.Unmarshal([]byte(sent), &want))
		delete(want, "roles")
		want["id"], want["meta"] = id, got["meta"]
		p.equal(want, got)

		for _, filter := range []string{
			`userName eq "KARI@acme.example"`, `userName eq kari@acme.example`, `externalId eq "0a21f0f2"`, `emails[type eq "work"].value eq "kari@acme.example"`,
			`id eq "` + id + `"`, `displayName eq "kari nordmann"`, `active eq true and userName sw "kari"`,
		} {
			p.finds("/Users", filter, id)
		}
		p.refused(p.ask("POST", "/Users", `{"userName": "kari@ACME.example"}`), 409, "uniqueness")

		user := "/Users/" + id
		p.document(p.patch(user, `{"op": "Replace", "path": "active", "value": "False"}`), 200)
		p.finds("/Users", `userName eq "kari@acme.example"`, id) // Entra looks for who is blocked
		p.equal(false, p.document(p.ask("GET", user, ""), 200)["active"])
		restored := p.document(p.patch(user, `{"op": "replace", "value": {"active": true, "emails[type eq \"work\"].value": "new@acme.example", "`+enterprise+`:employeeNumber": "7", "name.givenName": "K"}}`), 200)
		p.equal([]any{true, map[string]any{"department": "Sales", "employeeNumber": "7"}}, []any{restored["active"], restored[enterprise]})
		p.finds("/Users", `emails eq "kari@acme.example"`)
		p.finds("/Users", `emails eq "new@acme.example"`, id)

		p.equal(204, p.ask("DELETE", user, "").status)
		for _, r := range []reply{p.ask("GET", user, ""), p.ask("DELETE", user, ""), p.patch(user, `{"op": "add", "path": "title", "value": "x"}`), p.ask("PUT", user, sent)} {
			p.refused(r, 404, "")
		}
		p.finds("/Users", `userName eq "kari@acme.example"`)
		p.finds("/Users", `emails eq "new@acme.example"`)
		if again := p.made("/Users", sent); again == id {
			p.Error("an id was given twice")
		}
	})
}

func TestAReplacedUserIsWhatWasSentAndALeaverStaysOut(t *testing.T) { // Q44
	eachProvisioner(t, func(p *provisioner) {
		id := p.made("/Users", `{"userName": "kari", "title": "Boss", "active": false}`)
		got := p.document(p.ask("PUT", "/Users/"+id, `{"userName": "kari2", "nickName": "K"}`), 200)
		delete(got, "meta")
		p.equal(map[string]any{"schemas": []any{"urn:ietf:params:scim:schemas:core:2.0:User"}, "id": id, "userName": "kari2", "nickName": "K", "active": false}, got)
		p.user("kari")
		p.refused(p.ask("PUT", "/Users/"+id, `{"userName": "KARI"}`), 409, "uniqueness")
	})
}

func TestAGroupIsCreatedEmptyAndThenPatched(t *testing.T) { // Q44
	eachProvisioner(t, func(p *provisioner) {
		a, b, c := p.user("a"), p.user("b"), p.user("c")
		id := p.group("Oslo")
		group := "/Groups/" + id
		for _, step := range []struct {
			operations string
			want       []string
		}{
			{`{"op": "Add", "path": "members", "value": [{"value": "` + a + `"}, {"value": "` + b + `"}]}`, []string{a, b}},
			{`{"op": "Add", "path": "members", "value": [{"value": "` + b + `"}, {"value": "` + c + `"}]}`, []string{a, b, c}},
			{`{"op": "Remove", "path": "members", "value": [{"value": "` + a + `"}]}`, []string{b, c}}, // not all
			{`{"op": "remove", "path": "members[value eq \"` + b + `\"]"}`, []string{c}},
			{`{"op": "add", "path": "members", "value": [{"value": "` + b + `"}]}`, []string{b, c}},
			{`{"op": "remove", "path": "members[type eq \"Group\"]"}`, []string{b, c}},
			{`{"op": "replace", "path": "members", "value": [{"value": "` + a + `"}, {"value": "` + b + `"}]}`, []string{a, b}},
		} {
			r := p.patch(group, step.operations)
			p.equal([]any{204, ""}, []any{r.status, string(r.body)})
			got := map[any]bool{}
			for _, m := range p.members(id) {
				got[m] = true
			}
			want := map[any]bool{}
			for _, m := range step.want {
				want[m] = true
			}
			p.equal(want, got)
		}
		p.finds("/Groups", `members[value eq "`+a+`"]`, id)
		p.finds("/Groups", `id eq "`+id+`" and members eq "`+c+`"`)
		p.finds("/Groups", `displayName eq "OSLO"`, id)
		p.finds("/Groups", `externalId eq "o-Oslo"`, id)
		for _, path := range []string{group + "?excludedAttributes=members", group + "?attributes=displayName"} {
			if doc := p.document(p.ask("GET", path, ""), 200); doc["members"] != nil || doc["displayName"] != "Oslo" {
				p.Errorf("%s: %v", path, doc)
			}
		}
		p.refused(p.ask("POST", "/Groups", `{"displayName": "oslo"}`), 409, "uniqueness")

		before := p.document(p.ask("GET", group, ""), 200)
		p.equal(204, p.ask("DELETE", "/Users/"+a, "").status)
		p.equal([]any{b}, p.members(id))
		after := p.document(p.ask("GET", group, ""), 200)
		if before["meta"].(map[string]any)["version"] == after["meta"].(map[string]any)["version"] {
			p.Error("a member is gone, and the version is as before")
		}
		p.equal([]any{map[string]any{"value": b, "type": "User", "$ref": p.house.url + scimPath + "/Users/" + b}}, after["members"])
		shown := p.document(p.ask("PATCH", group+"?attributes=displayName,members", `{"Operations": [{"op": "Replace", "path": "displayName", "value": "Bergen"}]}`), 200)
		p.equal([]any{"Bergen", after["members"]}, []any{shown["displayName"], shown["members"]})
		p.equal("Bergen", p.document(p.ask("PUT", group, `{"displayName": "Bergen"}`), 200)["displayName"])
		p.equal([]any{b}, p.members(id)) // leaving members out empties no group
		p.equal(204, p.ask("DELETE", group, "").status)
		p.refused(p.ask("GET", group, ""), 404, "")
		p.finds("/Groups", `members eq "`+b+`"`)
	})
}

func TestAPatchIsDoneAsAWholeOrNotAtAll(t *testing.T) {
	eachProvisioner(t, func(p *provisioner) {
		u, g := p.user("a"), p.group("Oslo")
		p.group("Bergen")
		p.refused(p.patch("/Users/"+u, `{"op": "add", "path": "title", "value": "Boss"}, {"op": "add", "path": "shoeSize", "value": 43}`), 400, "invalidPath")
		p.equal(nil, p.document(p.ask("GET", "/Users/"+u, ""), 200)["title"])
		p.refused(p.patch("/Groups/"+g, `{"op": "add", "path": "members", "value": [{"value": "`+u+`"}]}, {"op": "replace", "path": "displayName", "value": "bergen"}`), 409, "uniqueness")
		p.equal(0, len(p.members(g)))
		p.refused(p.patch("/Users/"+u, `{"op": "add", "path": "title", "value": "`+strings.Repeat("x", 70_000)+`"}`), 400, "invalidValue")
	})
}

func TestTwoPatchesAtOnceBothTakeEffect(t *testing.T) {
	eachProvisioner(t, func(p *provisioner) {
		u, g := p.user("a"), p.group("Oslo")
		const each = 12
		var wait sync.WaitGroup
		answers := make(chan error, 2*each)
		for i := range each {
			for path, operation := range map[string]string{
				"/Users/" + u:  fmt.Sprintf(`{"op": "add", "path": "emails", "value": [{"value": "%d@acme.example"}]}`, i),
				"/Groups/" + g: fmt.Sprintf(`{"op": "add", "path": "members", "value": [{"value": "m%d"}]}`, i),
			} {
				wait.Go(func() {
					r, err := p.house.exchange(p.Context(), "PATCH", scimPath+path, `{"Operations": [`+operation+`]}`, bearer(p.token)...)
					if err == nil && r.status >= 300 {
						err = fmt.Errorf("%d: %s", r.status, r.body)
					}
					answers <- err
				})
			}
		}
		wait.Wait()
		for range 2 * each {
			must(p, <-answers)
		}
		emails := p.document(p.ask("GET", "/Users/"+u, ""), 200)["emails"].([]any)
		p.equal([]int{each, each}, []int{len(emails), len(p.members(g))})
	})
}

func TestWhoHasReadAnOldVersionDoesNotOverwriteANewOne(t *testing.T) {
	eachProvisioner(t, func(p *provisioner) {
		user := "/Users/" + p.user("a")
		first := p.ask("GET", user, "").header.Get("ETag")
		p.equal(304, p.ask("GET", user, "", "If-None-Match", first).status)
		title := `{"Operations": [{"op": "add", "path": "title", "value": "Boss"}]}`
		second := p.ask("PATCH", user, title, "If-Match", first)
		p.document(second, 200)
		p.equal(200, p.ask("GET", user, "", "If-None-Match", first).status)
		for _, r := range []reply{
			p.ask("PATCH", user, title, "If-Match", first), p.ask("PUT", user, `{"userName": "b"}`, "If-Match", first), p.ask("DELETE", user, "", "If-Match", first),
		} {
			p.refused(r, 412, "")
		}
		same := p.ask("PATCH", user, title) // changes nothing
		p.equal(second.header.Get("ETag"), same.header.Get("ETag"))
		p.equal(204, p.ask("DELETE", user, "", "If-Match", `"x", `+second.header.Get("ETag")).status)
	})
}

func TestListsGoByPages(t *testing.T) {
	eachProvisioner(t, func(p *provisioner) {
		var all []string
		for i := range 5 {
			all = append(all, p.user(fmt.Sprintf("user%d", i)))
		}
		p.made("/Users", `{"userName": "other", "title": "Boss"}`)
		for _, filter := range []string{"", `userName co "USER"`} {
			var met []string
			for start := 1; start < 8; start += 2 {
				ids, total := p.found("/Users", filter, fmt.Sprintf("&count=2&startIndex=%d", start))
				p.equal(map[string]int{"": 6, `userName co "USER"`: 5}[filter], total)
				met = append(met, ids...)
			}
			seen := map[string]bool{}
			for _, id := range met {
				seen[id] = true
			}
			for _, id := range all {
				if !seen[id] {
					p.Errorf("%q: %s is on no page", filter, id)
				}
			}
		}
		none, total := p.found("/Users", `title pr`, "&count=0")
		p.equal([]int{0, 1}, []int{len(none), total})
		none, total = p.found("/Users", "", "&count=-3&startIndex=-1")
		p.equal([]int{0, 6}, []int{len(none), total})
		for _, id := range []string{"%ff", "%00", "x%00", "%zz"} {
			if r := p.ask("GET", "/Users?filter=userName+eq+%22a%5Cu0000%22", ""); r.status != 200 {
				p.Errorf("a filter with a NUL: %d", r.status)
			}
			if r := p.house.raw(p.T, "GET /scim/v2/Users/"+id+" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+p.token+"\r\n\r\n"); r.status != 404 && r.status != 400 {
				p.Errorf("%s: %d %s", id, r.status, r.body)
			}
		}
		p.refused(p.ask("GET", "/Users?count=many", ""), 400, "invalidValue")
		p.refused(p.ask("GET", "/Users?filter=userName", ""), 400, "invalidFilter")
		p.refused(p.ask("GET", "/Users?attributes=a%20b", ""), 400, "invalidPath")

		got := p.document(p.ask("POST", "/Users/.search", `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": "title eq \"boss\"", "attributes": ["userName"], "count": 5}`), 200)
		person := got["Resources"].([]any)[0].(map[string]any)
		p.equal([]any{1.0, "other", nil, 3}, []any{got["totalResults"], person["userName"], person["title"], len(person)})
	})
}

func TestSCIMIsForWhoHasTheConnectionsToken(t *testing.T) { // Q46
	eachProvisioner(t, func(p *provisioner) {
		id := p.user("a")
		next, token, err := p.house.Directory.NewSCIMToken(p.Context(), p.house.account.ID, p.connection, "Next")
		must(p, err)
		tokens, err := p.house.Directory.SCIMTokens(p.Context(), p.house.account.ID, p.connection)
		must(p, err)
		p.equal([]string{"Entra", "Next"}, []string{tokens[0].Name, tokens[1].Name})
		p.equal([]bool{false, true}, []bool{tokens[0].Used.IsZero(), tokens[1].Used.IsZero()})

		second := &provisioner{p.T, p.house, p.connection, token}
		second.document(second.ask("GET", "/Users/"+id, ""), 200) // both are good during the change
		p.document(p.ask("GET", "/Users/"+id, ""), 200)
		must(p, p.house.Directory.RevokeSCIMToken(p.Context(), p.house.account.ID, p.connection, tokens[0].ID))
		second.document(second.ask("GET", "/Users/"+id, ""), 200)

		account, _ := p.house.other(p.T)
		for _, said := range []string{"Bearer " + p.token, "", "Bearer", "Basic " + token, "Bearer " + p.house.key, "Bearer x"} {
			r := p.ask("GET", "/Users/"+id, "", "Authorization", said)
			p.refused(r, 401, "")
			if r.header.Get("WWW-Authenticate") == "" {
				p.Error("no WWW-Authenticate")
			}
		}
		refused(p.T, p.house.ask(p.T, "GET", contactsPath, "", bearer(token)...), 401, "unknown_key")
		if err := p.house.Directory.RevokeSCIMToken(p.Context(), account.ID, p.connection, next.ID); err == nil {
			p.Error("another account revoked a token")
		}
		if _, _, err := p.house.Directory.NewSCIMToken(p.Context(), account.ID, p.connection, "Theirs"); err == nil {
			p.Error("another account made a token")
		}
		must(p, p.house.Directory.RevokeSCIMToken(p.Context(), p.house.account.ID, p.connection, next.ID))
		second.refused(second.ask("GET", "/Users/"+id, ""), 401, "")
	})
}

func TestAnotherConnectionsResourcesAreNotThere(t *testing.T) { // Q46
	eachProvisioner(t, func(p *provisioner) {
		u, g := p.user("a"), p.group("Oslo")
		other := p.house.provisioner(p.T)
		for _, path := range []string{"/Users/" + u, "/Groups/" + g} {
			other.refused(other.ask("GET", path, ""), 404, "")
			other.refused(other.ask("PUT", path, `{"userName": "x", "displayName": "x"}`), 404, "")
			other.refused(other.patch(path, `{"op": "add", "path": "externalId", "value": "x"}`), 404, "")
			other.refused(other.ask("DELETE", path, ""), 404, "")
		}
		p.refused(p.ask("GET", "/Groups/"+u, ""), 404, "")
		other.finds("/Users", `userName eq "a"`)
		other.finds("/Users", "")
		other.user("a") // the name is free there
		p.finds("/Users", "", u)
	})
}

func TestBeforeAnAgreementNothingIsReadOrWritten(t *testing.T) { // S6
	eachProvisioner(t, func(p *provisioner) {
		id := p.user("a")
		_, err := p.house.db.ExecContext(p.Context(), `UPDATE agreements SET state = 'superseded'`)
		must(p, err)
		for _, r := range []reply{p.ask("GET", "/Users", ""), p.ask("GET", "/Users/"+id, ""), p.ask("POST", "/Users", `{"userName": "b"}`), p.ask("DELETE", "/Users/"+id, "")} {
			p.refused(r, 403, "")
			if !strings.Contains(string(r.body), "agreement") {
				p.Errorf("%s does not say why", r.body)
			}
		}
		if _, _, err := p.house.Directory.ConnectSCIM(p.Context(), p.house.account.ID, "Entra"); err == nil {
			p.Error("a connection was opened")
		}
	})
}

func TestWhatSCIMDoesNotServeIsSaidInItsOwnWay(t *testing.T) {
	h := openHouse(t)
	p := h.provisioner(t)
	p.refused(p.ask("GET", "/Nothing", ""), 404, "")
	p.refused(p.ask("POST", "/Users/x", `{}`), 405, "")
	p.refused(p.ask("DELETE", "/Users", ""), 405, "")
	p.refused(p.ask("POST", "/Bulk", `{}`), 501, "")
	p.refused(p.ask("GET", "/Me", ""), 501, "")
	for _, body := range []string{"", "{", "[]", `{"userName": "a"} x`, "{\"userName\": \"\xff\"}"} {
		p.refused(p.ask("POST", "/Users", body), 400, "invalidSyntax")
		p.refused(p.ask("PATCH", "/Users/"+p.user(fmt.Sprintf("u%x", body)), body), 400, "invalidSyntax")
	}
	p.refused(p.ask("POST", "/Users/.search", "["), 400, "invalidSyntax")
	p.refused(p.ask("POST", "/Users", `{"displayName": "no name"}`), 400, "invalidValue")
	p.refused(p.ask("POST", "/Users", `{"userName": "a"}`, "Content-Type", "text/plain"), 415, "")
	p.refused(p.ask("POST", "/Users", `{"userName": "a"}`, "Content-Encoding", "gzip"), 415, "")
	p.document(p.ask("POST", "/Users", `{"userName": "a"}`, "Content-Type", "application/json"), 201)
	p.refused(p.ask("POST", "/Users", `{"userName": "`+strings.Repeat("x", bodyLimit)+`"}`), 413, "")
	p.refused(h.raw(t, "POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 999999999\r\n\r\n"), 413, "")
}

func TestLinksSayThePublicURL(t *testing.T) {
	h := openHouse(t)
	h.PublicURL = "https://varsel.example"
	h.url = listen(t, h.Services)
	r := h.provisioner(t).ask("POST", "/Users", `{"userName": "a"}`)
	if at := r.header.Get("Location"); r.status != 201 || !strings.HasPrefix(at, "https://varsel.example/scim/v2/Users/") {
		t.Errorf("%d %s", r.status, at)
	}
}

func TestDiscoveryTellsWhatIsServed(t *testing.T) { // Q2
	p := openHouse(t).provisioner(t)
	config := p.document(p.ask("GET", "/ServiceProviderConfig", ""), 200)
	p.equal([]any{true, false, true, 200.0}, []any{
		config["patch"].(map[string]any)["supported"], config["bulk"].(map[string]any)["supported"],
		config["filter"].(map[string]any)["supported"], config["filter"].(map[string]any)["maxResults"],
	})
	for path, total := range map[string]float64{"/Schemas": 3, "/ResourceTypes": 2} {
		list := p.document(p.ask("GET", path, ""), 200)
		p.equal(total, list["totalResults"])
		for _, one := range list["Resources"].([]any) {
			doc := one.(map[string]any)
			for _, id := range []string{doc["id"].(string), url.PathEscape(doc["id"].(string)), strings.ReplaceAll(doc["id"].(string), ":", "%3A")} {
				p.equal(doc, p.document(p.ask("GET", path+"/"+id, ""), 200))
			}
		}
		p.refused(p.ask("GET", path+"/nothing", ""), 404, "")
		p.refused(p.ask("GET", path+"?filter=id+pr", ""), 403, "")
	}
	p.refused(p.ask("GET", "/Schemas", "", "Authorization", ""), 401, "")
}
