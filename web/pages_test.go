package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

var everyPage = []string{"/", "/account", "/account/retention", "/account/leave", "/account/register",
	"/campaigns", "/campaigns/new", "/campaigns/sending", "/templates", "/templates/new", "/roll-calls/new", "/received", "/received/conversation?number=%2B4740000001", "/suppressions", "/privacy", "/invoices", "/balance", "/usage", "/prices", "/budgets", "/teams",
	"/contacts", "/contacts/new", "/contacts/quality", "/contacts/import",
	"/groups", "/groups/new", "/groups/new/rule", "/directory", "/directory/connect", "/directory/scim",
	"/cards", "/cards/share", "/cards/templates", "/cards/templates/new", "/cards/invites", "/cards/invites/new",
	"/agreement", "/agreement/terminate", "/privacy/sub-processors", "/audit", "/keys"}

func TestNobodySeesAPageBeforeSigningIn(t *testing.T) {
	w := newWorld(t)
	for _, path := range append(everyPage, "/campaigns/cmp_x", "/campaigns/cmp_x?status=failed") {
		got := w.get(path, "Accept", "text/html")
		if want := "/sign-in?next=" + url.QueryEscape(path); got.status != http.StatusSeeOther || got.header.Get("Location") != want {
			t.Errorf("%s: %d to %q, want %q", path, got.status, got.header.Get("Location"), want)
		}
	}
	if got := w.post("/campaigns/new", url.Values{"text": {"x"}}); got.status != http.StatusUnauthorized {
		t.Errorf("POST: %d", got.status)
	}
}

func TestPagesAfterSigningIn(t *testing.T) {
	w := newWorld(t)
	w.connect()
	w.carrier("main", `{}`)
	w.signIn()
	for _, path := range everyPage {
		got := w.get(path)
		if got.status != http.StatusOK || !strings.Contains(got.body, "</html>") {
			t.Errorf("%s: %d", path, got.status)
		}
	}
}

func TestEveryPageHasStrictHeaders(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	want := map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
			"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options": "nosniff",
		"Referrer-Policy":        "same-origin",
		"Cache-Control":          "no-store",
	}
	for _, path := range append(everyPage, "/sign-in", "/nothing", "/broken", "/campaigns/cmp_x/live") {
		got := w.get(path)
		for name, value := range want {
			if got.header.Get(name) != value {
				t.Errorf("%s: %s is %q", path, name, got.header.Get(name))
			}
		}
		for _, inline := range []string{"<style", " style=", " onclick=", "javascript:"} {
			if strings.Contains(got.body, inline) {
				t.Errorf("%s has %s", path, inline)
			}
		}
	}
}

func TestStaticFilesAreKeptAndNamedByTheirContent(t *testing.T) {
	w := newWorld(t)
	page := w.get("/sign-in").body
	_, rest, _ := strings.Cut(page, `href="/static/`)
	path, _, _ := strings.Cut(rest, `"`)
	got := w.get("/static/" + path)
	if got.status != http.StatusOK || got.header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
		t.Errorf("%s: %d %q", path, got.status, got.header.Get("Cache-Control"))
	}
	for _, wrong := range []string{"/static/0000000000000000/style.css", "/static/" + path + "x", "/static/" + strings.Replace(path, "icon.svg", "..%2fweb.go", 1)} {
		if got := w.get(wrong); got.status != http.StatusNotFound {
			t.Errorf("%s: %d", wrong, got.status)
		}
	}
}

func TestErrorsArePagesInTheVisitorsLanguage(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	for _, c := range []struct {
		path, language string
		status         int
		says           string
	}{
		{"/nothing", "en", 404, "There is nothing here"},
		{"/nothing", "nb-NO, en;q=0.5", 404, "Her er det ingenting"},
		{"/campaigns/cmp_x", "pl", 404, "Na tym koncie nie ma takiej wysyłki."},
		{"/groups/grp_x", "nn", 404, "Denne kontoen har ingen slik gruppe."},
		{"/campaigns?from=cmp_x", "en", 404, "There is no such campaign"},
		{"/broken", "pl", 500, "To nie Twoja wina."},
	} {
		got := w.get(c.path, "Accept-Language", c.language)
		if got.status != c.status || !strings.Contains(got.body, c.says) {
			t.Errorf("%s in %s: %d, without %q", c.path, c.language, got.status, c.says)
		}
	}
	broken := w.get("/broken")
	if id := broken.header.Get("X-Request-Id"); id == "" || !strings.Contains(broken.body, id) {
		t.Errorf("the page does not show its request's id %q", id)
	}
	if strings.Contains(broken.body, "the disk is full") {
		t.Error("the page shows what went wrong inside")
	}
}

func TestAnotherAccountsThingsAreNotFound(t *testing.T) {
	w := newWorld(t)
	w.carrier("main", `{}`)
	_, campaign := w.start(smsqueue.NewCampaign{Group: w.group("Ours", 1).ID, Text: "ours"})
	other := must(w.accounts.Create(t.Context(), otherAccount))
	must(w.accounts.CreateUser(t.Context(), other.ID, "spy@other.test", "owner", password))
	if got := w.post("/sign-in", url.Values{"email": {"spy@other.test"}, "password": {password}}); got.status != http.StatusSeeOther {
		t.Fatal(got.status)
	}
	for _, path := range []string{"/campaigns/" + campaign, "/campaigns/" + campaign + "/live"} {
		if got := w.get(path); got.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, got.status)
		}
	}
}

func TestLanguageIsChosenInTheFooterAndKept(t *testing.T) {
	w := newWorld(t)
	got := w.post("/language", url.Values{"language": {"pl"}, "back": {"/sign-in?next=%2Fgroups"}})
	if got.status != http.StatusSeeOther || got.header.Get("Location") != "/sign-in?next=%2Fgroups" {
		t.Errorf("%d to %s", got.status, got.header.Get("Location"))
	}
	page := w.get("/sign-in", "Accept-Language", "nb").body
	if !strings.Contains(page, `<html lang="pl"`) || !strings.Contains(page, "Zaloguj się") {
		t.Error("the page is not in Polish")
	}
	if got := w.post("/language", url.Values{"language": {"xx"}, "back": {"//evil.test"}}); got.header.Get("Location") != "/" {
		t.Errorf("sent away to %s", got.header.Get("Location"))
	}
}

func TestOverviewSaysHowThingsStand(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	w.golden("overview-empty-en", w.get("/").body)
	c := w.connect()
	w.carrier("main", `{}`)
	w.entra.refuses = problem.New(problem.KindUnavailable, "directory", "the directory does not answer")
	w.directory.Sync(t.Context(), w.account.ID, c.ID)
	w.golden("overview-nb", w.get("/", "Accept-Language", "nb").body)
}

func TestDirectoryShowsItsRuns(t *testing.T) {
	w := newWorld(t)
	c := w.connect()
	w.entra.refuses = problem.New(problem.KindUnavailable, "directory", "the directory does not answer")
	w.directory.Sync(t.Context(), w.account.ID, c.ID)
	w.signIn()
	w.golden("directory-pl", w.get("/directory", "Accept-Language", "pl").body)
}

func TestSyncNowAsksForASync(t *testing.T) { // S24
	w := newWorld(t)
	c := w.connect()
	w.signIn()
	path := "/directory/" + w.names.Of(secrets.Connection, c.ID) + "/sync"
	if got := w.post(path, url.Values{}); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if c = must(w.directory.Connection(t.Context(), w.account.ID, c.ID)); c.RequestedAt.IsZero() {
		t.Error("nothing was asked for")
	}
	if page := w.get("/directory").body; !strings.Contains(page, "Asked for, about to begin") {
		t.Error("the page does not say so")
	}
}

func TestContactsWithoutANumberSayWhy(t *testing.T) { // S8
	w := newWorld(t)
	w.connect()
	w.signIn()
	w.golden("contacts-en", w.get("/contacts").body)
	groups := must(w.book.Groups(t.Context(), w.account.ID, 0, 10))
	members := w.get("/groups/" + w.names.Of(secrets.Group, groups[0].ID)).body
	if !strings.Contains(members, "<h1>Ward 3 &amp; &lt;friends&gt;</h1>") || !strings.Contains(members, "Anna Berg") {
		t.Error("the group's members are not shown")
	}
	w.golden("groups-en", w.get("/groups").body)
}

func TestListsAreReadPageByPage(t *testing.T) {
	w := newWorld(t)
	w.group("Everybody", 120)
	w.signIn()
	seen, path := map[string]bool{}, "/contacts"
	for pages := 0; path != ""; pages++ {
		if pages > 3 {
			t.Fatal("the list does not end")
		}
		page := w.get(path).body
		for _, row := range strings.Split(page, `<tr><th scope="row"><a`)[1:] {
			_, name, _ := strings.Cut(row, ">")
			name, _, _ = strings.Cut(name, "<")
			seen[name] = true
		}
		path = nextPage(page)
	}
	if len(seen) != 120 {
		t.Errorf("%d of 120 contacts were shown", len(seen))
	}
}
