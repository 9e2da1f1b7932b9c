package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/varsel/varsel/accounts"
)

func TestDirectoryIsLetInWithATokenThatIsShownOnce(t *testing.T) { // Q46
	h := openHouse(t)
	answered := h.ask(t, "POST", scimConnectionsPath, `{"name":"Entra"}`)
	got := read[scimConnection](t, answered, http.StatusCreated)
	path := connectionsPath + "/" + got.Connection.ID
	same(t, answered.header.Get("Location"), path)
	same(t, got.TenantURL, h.url+"/scim/v2")
	same(t, got.Connection.Kind, "scim")
	same(t, got.Connection.Credential, "token")
	same(t, got.Token.Name, "Entra")
	h.mayWrite(t, got.Token.Secret, http.StatusOK)

	for _, each := range []string{path, path + "/tokens", connectionsPath} {
		if r := h.ask(t, "GET", each, ""); r.status != http.StatusOK || strings.Contains(string(r.body), got.Token.Secret) {
			t.Errorf("%s: %d %s", each, r.status, r.body)
		}
	}
}

// mayWrite asks as a directory does before it writes.
func (h *house) mayWrite(t *testing.T, token string, status int) {
	t.Helper()
	if r := h.ask(t, "GET", scimPath+`/Users?filter=userName+eq+"nobody"`, "", bearer(token)...); r.status != status {
		t.Errorf("with the token: %d %s", r.status, r.body)
	}
}

func TestTokensAreChangedWithoutAPause(t *testing.T) { // Q46
	h := openHouse(t)
	old := read[scimConnection](t, h.ask(t, "POST", scimConnectionsPath, `{"name":"Entra"}`), http.StatusCreated)
	path := connectionsPath + "/" + old.Connection.ID + "/tokens"
	next := read[token](t, h.ask(t, "POST", path, `{"name":"Entra, next year"}`), http.StatusCreated)
	h.mayWrite(t, old.Token.Secret, http.StatusOK)
	h.mayWrite(t, next.Secret, http.StatusOK)

	for range 2 {
		if r := h.ask(t, "DELETE", path+"/"+old.Token.ID, ""); r.status != http.StatusNoContent {
			t.Fatalf("%d %s", r.status, r.body)
		}
	}
	h.mayWrite(t, old.Token.Secret, http.StatusUnauthorized)
	h.mayWrite(t, next.Secret, http.StatusOK)
	all := read[list[token]](t, h.ask(t, "GET", path, ""), 200).Items
	if len(all) != 2 || all[0].ID != old.Token.ID || all[0].RevokedAt.IsZero() || all[0].UsedAt.IsZero() || !all[1].RevokedAt.IsZero() {
		t.Errorf("%+v", all)
	}
}

func TestTokensAreRefusedWhereTheyCannotBe(t *testing.T) { // S6
	h := openHouse(t)
	graph := connectionsPath + "/" + h.connectionName(h.connect(t).ID) + "/tokens"
	refused(t, h.ask(t, "POST", graph, `{"name":"Entra"}`), 409, "not_scim")
	same(t, read[list[token]](t, h.ask(t, "GET", graph, ""), 200), list[token]{Items: []token{}})
	refusedAt(t, h.ask(t, "POST", scimConnectionsPath, `{"name":" "}`), "invalid_name", "/name")

	made := read[scimConnection](t, h.ask(t, "POST", scimConnectionsPath, `{"name":"Entra"}`), http.StatusCreated)
	path := connectionsPath + "/" + made.Connection.ID + "/tokens"
	refused(t, h.ask(t, "DELETE", graph+"/"+made.Token.ID, ""), 404, "token_not_found")
	refused(t, h.ask(t, "DELETE", path+"/tok_nonsense", ""), 404, "token_not_found")

	_, key := h.other(t) // has no agreement
	refused(t, h.ask(t, "POST", scimConnectionsPath, `{"name":"Entra"}`, bearer(key)...), 403, "no_agreement")
	refused(t, h.ask(t, "GET", path, "", bearer(key)...), 404, "connection_not_found")
	refused(t, h.ask(t, "DELETE", path+"/"+made.Token.ID, "", bearer(key)...), 404, "connection_not_found")

	reads := bearer(h.newKey(t, h.account, accounts.ScopeDirectoryRead))
	refused(t, h.ask(t, "POST", scimConnectionsPath, `{"name":"Entra"}`, reads...), 403, "missing_scope")
	refused(t, h.ask(t, "POST", path, `{"name":"Entra"}`, reads...), 403, "missing_scope")
	refused(t, h.ask(t, "DELETE", path+"/"+made.Token.ID, "", reads...), 403, "missing_scope")
	h.mayWrite(t, made.Token.Secret, http.StatusOK)
}
