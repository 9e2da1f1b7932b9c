package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/secrets"
)

// connectSCIM answers the path of a connection that a directory writes to, and
// its token.
func (w *world) connectSCIM() (path, token string) {
	w.Helper()
	c, token, err := w.directory.ConnectSCIM(w.Context(), w.account.ID, "Entra & friends")
	if err != nil {
		w.Fatal(err)
	}
	return w.pathOf(c), token
}

var tokenPattern = regexp.MustCompile(`vscim_[A-Za-z0-9_-]{43}`)

// follow posts and goes where that leads.
func (w *world) follow(path string, form url.Values, headers ...string) answer {
	w.Helper()
	got := w.post(path, form)
	if got.status != http.StatusSeeOther {
		w.Fatalf("%s: %d %s", path, got.status, got.body)
	}
	return w.get(got.header.Get("Location"), headers...)
}

// asDirectory asks what a directory asks before it writes.
func (w *world) asDirectory(token string) int {
	w.Helper()
	return w.get("/scim/v2/Users?filter=userName+eq+%22nobody%22", "Authorization", "Bearer "+token).status
}

// write asks for a change the way Entra does, and answers the person's id.
func (w *world) write(token, method, path, body string) string {
	w.Helper()
	req := must(http.NewRequestWithContext(w.Context(), method, w.home+"/scim/v2/Users"+path, strings.NewReader(body)))
	req.Header.Set("Content-Type", "application/scim+json")
	req.Header.Set("Authorization", "Bearer "+token)
	got := w.send(req)
	var person struct{ ID string }
	if err := json.Unmarshal([]byte(got.body), &person); err != nil || got.status >= 300 {
		w.Fatalf("%s: %d %s", method, got.status, got.body)
	}
	return person.ID
}

const (
	annaComes = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"anna@acme.test","displayName":"Anna Berg","active":true,
		"phoneNumbers":[{"type":"mobile","value":"+47 401 00 001"}]}`
	annaLeaves = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"Replace","path":"active","value":"False"}]}`
)

func TestDirectoryWritesWithATokenThatIsShownOnce(t *testing.T) { // Q2 Q44 Q46
	w := newWorld(t)
	w.signIn()
	w.says(w.get("/directory").body, `href="/directory/scim"`)
	w.golden("scim-en", w.get("/directory/scim").body)
	page := w.follow("/directory/scim", url.Values{"name": {"Entra"}}, "Accept-Language", "nb").body
	w.golden("tokens-made-nb", page)
	w.says(page, w.home+"/scim/v2")
	token, path := tokenPattern.FindString(page), w.pathOf(w.connection())
	if again := w.get(path + "/tokens").body; token == "" || strings.Contains(again, token) || len(w.directoryTokens()) != 1 {
		t.Errorf("the token %q is shown again, or made again", token)
	}
	if status := w.asDirectory(token); status != http.StatusOK {
		t.Errorf("with the token: %d", status)
	}
	anna := w.write(token, http.MethodPost, "", annaComes)
	w.sync(w.connection())
	w.says(w.get("/contacts").body, "Anna Berg", "4740100001")
	w.golden("directory-scim-pl", w.get("/directory", "Accept-Language", "pl").body)
	w.golden("tokens-en", w.get(path+"/tokens").body)
	w.write(token, http.MethodPatch, "/"+anna, annaLeaves)
	w.sync(w.connection())
	if strings.Contains(w.get("/contacts").body, "Anna Berg") {
		t.Error("who was blocked in Entra is still in the address book")
	}
}

func (w *world) directoryTokens() []directory.SCIMToken {
	w.Helper()
	return must(w.directory.SCIMTokens(w.Context(), w.account.ID, w.connection().ID))
}

func TestTokenIsReplacedWithoutAPauseAndRevoked(t *testing.T) { // Q46
	w := newWorld(t)
	w.signIn()
	path, old := w.connectSCIM()
	next := tokenPattern.FindString(w.follow(path+"/tokens", url.Values{"name": {"Next year"}}).body)
	if w.asDirectory(old) != http.StatusOK || w.asDirectory(next) != http.StatusOK {
		t.Error("not both tokens are accepted")
	}
	revoke := path + "/tokens/" + w.names.Of(secrets.Token, w.directoryTokens()[0].ID) + "/revoke"
	w.golden("revoke-en", w.get(revoke).body)
	if w.asDirectory(old) != http.StatusOK {
		t.Error("it is revoked before that is confirmed")
	}
	page := w.follow(revoke, url.Values{}).body
	w.says(page, "Revoked", "Next year")
	if strings.Contains(page, `href="`+revoke+`"`) {
		t.Error("a token that is revoked can be revoked")
	}
	if w.asDirectory(old) != http.StatusUnauthorized || w.asDirectory(next) != http.StatusOK {
		t.Error("the wrong token is refused")
	}
	got := w.post(path+"/tokens", url.Values{"name": {" "}})
	w.says(got.body, `href="#name"`, `id="name-wrong"`)
	if got.status != http.StatusUnprocessableEntity {
		t.Errorf("no name: %d", got.status)
	}
}

func TestTokenIsShownForItsConnectionOnly(t *testing.T) { // Q46
	w := newWorld(t)
	w.signIn()
	other, _ := w.connectSCIM()
	made := w.post("/directory/scim", url.Values{"name": {"Entra"}}).header.Get("Location")
	if token := tokenPattern.FindString(w.get(other + "/tokens").body); token != "" {
		t.Error("it is shown on another connection's page")
	}
	if token := tokenPattern.FindString(w.get(made).body); token == "" {
		t.Error("it is not shown")
	}
}

func TestPagesOfAWrittenDirectorySpeakOfNoAccess(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	path, token := w.connectSCIM()
	w.sync(w.connection())
	name := strings.TrimPrefix(path, "/directory/")
	for _, each := range []string{path + "/check", "/directory/connect?connection=" + name} {
		if got := w.get(each); got.header.Get("Location") != path+"/tokens" {
			t.Errorf("%s: %d to %q", each, got.status, got.header.Get("Location"))
		}
	}
	for page, words := range map[string][]string{
		"/directory":       {"access.csv", "connection=" + name, "Client secret", "Application id", path + "/check\""},
		path + "/settings": {"secret_expires", "licensed_only", "no_minors", "scim-"},
	} {
		body := w.get(page).body
		for _, word := range words {
			if strings.Contains(body, word) {
				t.Errorf("%s has %q", page, word)
			}
		}
	}
	form := url.Values{"guests": {"1"}, "every": {"1h0m0s"}, "do": {"save"}}
	if got := w.post(path+"/settings", form); got.status != http.StatusSeeOther || !w.connection().Settings.Scope.Guests {
		t.Errorf("%d %s", got.status, got.body)
	}
	w.says(w.get(path+"/disconnect").body, "What Entra writes is refused at once")
	w.post(path+"/disconnect", url.Values{})
	w.says(w.get("/directory").body, "What Entra writes is refused.", "Connect again")
	if status := w.asDirectory(token); status != http.StatusUnauthorized {
		t.Errorf("disconnected: %d", status)
	}
	w.post(path+"/check", url.Values{})
	if status := w.asDirectory(token); status != http.StatusOK {
		t.Errorf("connected again: %d", status)
	}
}

func TestOnlyManagersLetADirectoryWrite(t *testing.T) {
	w := newWorld(t)
	path, _ := w.connectSCIM()
	revoke := path + "/tokens/" + w.names.Of(secrets.Token, w.directoryTokens()[0].ID) + "/revoke"
	graph := w.pathOf(w.connect())
	for _, role := range []string{"viewer", "sender", "admin"} {
		w.as(role)
		if got := w.get(path + "/tokens"); got.status != http.StatusOK || strings.Contains(got.body, revoke) != (role == "admin") {
			t.Errorf("%s sees the tokens: %d", role, got.status)
		}
		for _, each := range []string{"/directory/scim", path + "/tokens", revoke} {
			if got := w.post(each, url.Values{"name": {"One more"}}); (got.status == http.StatusForbidden) != (role != "admin") {
				t.Errorf("%s posts to %s: %d", role, each, got.status)
			}
		}
	}
	if got := w.get(graph + "/tokens"); got.header.Get("Location") != graph+"/check" {
		t.Errorf("tokens of a directory that is read: %d", got.status)
	}
	if got := w.post(graph+"/tokens", url.Values{"name": {"One more"}}); got.status != http.StatusConflict {
		t.Errorf("a token for a directory that is read: %d", got.status)
	}
	other := must(w.accounts.Create(t.Context(), otherAccount))
	must(w.accounts.CreateUser(t.Context(), other.ID, "spy@other.test", "owner", password))
	w.post("/sign-in", url.Values{"email": {"spy@other.test"}, "password": {password}})
	for _, each := range []string{path + "/tokens", revoke} {
		if got := w.get(each); got.status != http.StatusNotFound {
			t.Errorf("%s of another account: %d", each, got.status)
		}
		if got := w.post(each, url.Values{"name": {"One more"}}); got.status != http.StatusNotFound {
			t.Errorf("%s of another account: %d", each, got.status)
		}
	}
}

func TestBrowserLetsEntraWriteByKeyboard(t *testing.T) { // Q2 Q46
	w := newWorld(t)
	b := newBrowser(t, w.home)
	b.signIn()
	b.do(chromedp.Navigate(w.home + "/directory"))
	b.tabTo(`e.getAttribute("href") === "/directory/scim"`)
	b.press(kb.Enter)
	b.tabTo(`e.id === "name"`)
	b.press(kb.Enter)
	b.tabTo(`e.id === "secret_token"`)
	token := ask[string](b, `getSelection().toString() || document.activeElement.value`)
	if status := w.asDirectory(token); status != http.StatusOK {
		t.Errorf("with %q: %d", token, status)
	}
	if _, err := chromedp.RunResponse(b.ctx, chromedp.Reload()); err != nil {
		t.Fatal(err)
	}
	if ask[bool](b, `!!document.querySelector("#secret_token")`) || len(w.directoryTokens()) != 1 {
		t.Error("loaded again, the page shows the token or makes another")
	}
	b.tabTo(`e.getAttribute("href")?.endsWith("/revoke")`)
	b.press(kb.Enter)
	b.tabTo(`e.className === "primary"`)
	b.press(kb.Enter)
	if status := w.asDirectory(token); status != http.StatusUnauthorized {
		t.Errorf("revoked: %d", status)
	}
}
