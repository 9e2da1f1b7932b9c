package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/internal/audit"
)

// entries are the actions of an account's trail, the newest first.
func (w *world) entries(account int64) (actions []string) {
	w.Helper()
	for _, e := range must(w.trail.Entries(w.Context(), account, 0, 100)) {
		actions = append(actions, e.Action)
	}
	return actions
}

// What a page changed is recorded once it is done; one that was refused, or only looked
// something up, is not.
func TestWhatAVisitorChangesIsInTheTrail(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	w.post("/contacts/new", url.Values{"name": {"Kari"}, "phone": {"+4741234567"}})
	w.post("/contacts/new", url.Values{"name": {"Kari"}, "phone": {"12"}})
	w.post("/campaigns/count", url.Values{"text": {"x"}})
	w.post("/groups/new/rule", url.Values{"do": {"preview"}, "field": {"office"}, "op": {"is"}, "value": {"Oslo"}})
	w.post("/language", url.Values{"language": {"pl"}})
	w.post("/sign-out", url.Values{})
	want := []string{"console.POST /sign-out", "console.POST /contacts/new", "console.POST /sign-in"}
	if diff := cmp.Diff(want, w.entries(w.account.ID)); diff != "" {
		t.Error(diff)
	}
	for _, e := range must(w.trail.Entries(t.Context(), w.account.ID, 0, 10)) {
		if e.Actor.Kind != audit.User || e.Actor.ID == 0 || strings.Contains(string(must(json.Marshal(e))), "41234567") {
			t.Errorf("%+v", e)
		}
	}
}

func TestRefusedSignInsAreInTheTrail(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		w.post("/sign-in", url.Values{"email": {email}, "password": {"wrong password"}})
	}
	w.post("/sign-in", url.Values{"email": {"nobody@acme.test"}, "password": {"wrong password"}})
	w.trail.Close()
	all := must(w.trail.Entries(t.Context(), w.account.ID, 0, 10))
	if len(all) != 2 || all[1].Action != "console.sign_in_refused" || all[1].Actor.Kind != audit.Person || all[1].Subject != "usr" {
		t.Errorf("%+v", all)
	}
}

func TestWhatARoleMayNotIsInTheTrail(t *testing.T) {
	w := newWorld(t)
	must(w.accounts.CreateUser(t.Context(), w.account.ID, "viewer@acme.test", "viewer", password))
	w.post("/sign-in", url.Values{"email": {"viewer@acme.test"}, "password": {password}})
	if got := w.post("/contacts/new", url.Values{"name": {"x"}}); got.status != http.StatusForbidden {
		t.Error(got.status)
	}
	if got := w.get("/audit"); got.status != http.StatusForbidden {
		t.Error(got.status)
	}
	w.trail.Close()
	if got := w.entries(w.account.ID); len(got) != 2 || got[0] != "console.refused" {
		t.Error(got)
	}
}

func TestTheTrailIsShownAndVerified(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	for range 60 {
		w.post("/groups/new", url.Values{"name": {"x"}})
	}
	page := w.get("/audit")
	for _, says := range []string{"A group was made", email, "console.POST /groups/new", "127.0.0.1"} {
		if !strings.Contains(page.body, says) {
			t.Errorf("the page lacks %q", says)
		}
	}
	if older := w.get(nextPage(page.body)).body; !strings.Contains(older, "Signed in") || nextPage(older) != "" {
		t.Error("the oldest entry is not on the second page")
	}
	if got := w.post("/audit/verify", url.Values{}).body; !strings.Contains(got, "The trail is whole") || !strings.Contains(got, "<code>") {
		t.Error("it is not verified")
	}
	must(w.db.Writer().ExecContext(t.Context(), `UPDATE audit_entries SET action = 'x' WHERE seq = 2`))
	if got := w.post("/audit/verify", url.Values{}).body; !strings.Contains(got, "The trail is broken") || !strings.Contains(got, "the entry 2 was changed") {
		t.Error("a changed entry is not found")
	}
	if got := w.get("/installation/audit"); got.status != http.StatusForbidden {
		t.Error(got.status)
	}
}

func TestOperatorsDecideWhatAnAccountSendsAs(t *testing.T) { // U12
	w := newWorld(t)
	w.operate()
	if got := w.get("/installation/senders").body; !strings.Contains(got, "/installation/senders/acme") {
		t.Error("the account is not listed")
	}
	const page = "/installation/senders/acme"
	if got := w.get(page).body; !strings.Contains(got, "any valid sender") {
		t.Error("the empty list does not say what it means")
	}
	if got := w.post(page, url.Values{"sender": {"?"}}); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `id="sender-wrong"`) {
		t.Error(got.status)
	}
	if got := w.post(page, url.Values{"sender": {"ACME"}}); got.status != http.StatusSeeOther || len(must(w.queue.AllowedSenders(t.Context(), w.account.ID))) != 1 {
		t.Error(got.status)
	}
	if got := w.post(page+"/remove", url.Values{"sender": {"ACME"}}); got.status != http.StatusSeeOther || len(must(w.queue.AllowedSenders(t.Context(), w.account.ID))) != 0 {
		t.Error(got.status)
	}
	if got := w.get("/installation/senders/nobody"); got.status != http.StatusNotFound {
		t.Error(got.status)
	}
	want := []string{"console.POST /installation/senders/:account/remove", "console.POST /installation/senders/:account"}
	if diff := cmp.Diff(want, w.entries(0)[:2]); diff != "" {
		t.Error(diff)
	}
	if got := w.get("/installation/audit").body; !strings.Contains(got, "senders were changed") && !strings.Contains(got, "s senders") {
		t.Error("the operator does not see it")
	}
}

func TestKeysAreMadeShownOnceAndRevoked(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	if got := w.post("/keys", url.Values{}); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "Choose at least one right") {
		t.Error(got.status)
	}
	if got := w.post("/keys", url.Values{"scope": {"installation"}}); got.status != http.StatusUnprocessableEntity {
		t.Error(got.status)
	}
	w.keyIsShownOnce("/keys", url.Values{"scope": {"contacts:read", "audit:read"}}, "vk_")
	all := must(w.accounts.Keys(t.Context(), w.account.ID))
	if len(all) != 1 || strings.Join(all[0].Scopes, " ") != "contacts:read audit:read" || all[0].Owner != email {
		t.Fatalf("%+v", all)
	}
	revoke := "/keys/" + w.names.Of("key", all[0].ID) + "/revoke"
	if got := w.get(revoke); got.status != http.StatusOK {
		t.Error(got.status)
	}
	other := must(w.accounts.Create(t.Context(), otherAccount))
	theirs, _, err := w.accounts.CreateKey(t.Context(), other.ID, []string{"*"}, "")
	must(theirs, err)
	if got := w.post("/keys/"+w.names.Of("key", theirs.ID)+"/revoke", url.Values{}); got.status != http.StatusNotFound {
		t.Error(got.status)
	}
	if got := w.post(revoke, url.Values{}); got.status != http.StatusSeeOther || len(must(w.accounts.Keys(t.Context(), w.account.ID))) != 0 {
		t.Error(got.status)
	}
}

func TestOperatorsKeysAreMadeShownOnceAndRevoked(t *testing.T) {
	w := newWorld(t)
	w.operate()
	if got := w.post("/installation/keys", url.Values{"name": {" "}}); got.status != http.StatusUnprocessableEntity {
		t.Error(got.status)
	}
	w.keyIsShownOnce("/installation/keys", url.Values{"name": {"billing system"}}, "vo_")
	all := must(w.accounts.OperatorKeys(t.Context()))
	if got := w.post("/installation/keys/"+w.names.Of("key", all[0].ID)+"/revoke", url.Values{}); got.status != http.StatusSeeOther || len(must(w.accounts.OperatorKeys(t.Context()))) != 0 {
		t.Error(got.status)
	}
}

func (w *world) keyIsShownOnce(path string, form url.Values, prefix string) {
	w.Helper()
	if got := w.post(path, form); got.status != http.StatusSeeOther || got.header.Get("Location") != path {
		w.Fatalf("%d %s", got.status, got.body)
	}
	if page := w.get(path).body; !strings.Contains(page, `value="`+prefix) {
		w.Error("the key is not shown")
	}
	if page := w.get(path).body; strings.Contains(page, `value="`+prefix) {
		w.Error("the key is shown again")
	}
}
