package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/secrets"
)

var (
	threeValues = url.Values{"tenant": {"acme.onmicrosoft.com"}, "client_id": {"6f1d2c7e-0000-4000-8000-000000000001"},
		"secret": {"a-secret~value.1234"}, "cloud": {"global"}, "preview": {"1"}}
	noConsent = []directory.Finding{{Step: directory.StepSignIn, Outcome: directory.Passed},
		{Step: directory.StepPeople, Outcome: directory.Broken, Code: "directory_consent", Text: "grant it User.Read.All (Authorization_RequestDenied)"},
		{Step: directory.StepGroups, Outcome: directory.NotTried}}
	allWell = []directory.Finding{{Step: directory.StepSignIn, Outcome: directory.Passed}, {Step: directory.StepPeople, Outcome: directory.Passed}}
)

func (w *world) connection() directory.Connection {
	w.Helper()
	all := must(w.directory.Connections(w.Context(), w.account.ID))
	if len(all) != 1 {
		w.Fatalf("%d connections", len(all))
	}
	return all[0]
}

func (w *world) pathOf(c directory.Connection) string {
	return "/directory/" + w.names.Of(secrets.Connection, c.ID)
}

func (w *world) sync(c directory.Connection) {
	w.Helper()
	if _, err := w.directory.Sync(w.Context(), w.account.ID, c.ID); err != nil {
		w.Fatal(err)
	}
}

// says fails unless a page has all of these.
func (w *world) says(page string, want ...string) {
	w.Helper()
	for _, text := range want {
		if !strings.Contains(page, text) {
			w.Errorf("the page does not say %q", text)
		}
	}
}

func TestNothingIsConnectedBeforeSomebodyConnects(t *testing.T) { // Q4 Q5 S22
	w := newWorld(t)
	w.signIn()
	if got := w.get("/integrations"); got.header.Get("Location") != "/directory" {
		t.Errorf("%d %s", got.status, got.header.Get("Location"))
	}
	w.golden("directory-none-en", w.get("/directory").body)
}

func TestAgreementComesFirst(t *testing.T) { // S6 S7
	w := newWorld(t)
	other := must(w.accounts.Create(t.Context(), otherAccount))
	must(w.accounts.CreateUser(t.Context(), other.ID, "new@other.test", "owner", password))
	w.post("/sign-in", url.Values{"email": {"new@other.test"}, "password": {password}})
	for _, path := range []string{"/directory", "/directory/connect", "/directory/scim"} {
		page := w.get(path).body
		w.says(page, "Data processing agreement", "Not concluded")
		if strings.Contains(page, `href="/directory/connect"`) || strings.Contains(page, `name="secret"`) || strings.Contains(page, `action="/directory/scim"`) {
			t.Errorf("%s offers to connect", path)
		}
	}
	if got := w.post("/directory/connect", threeValues); got.status != http.StatusForbidden {
		t.Errorf("connecting: %d", got.status)
	}
	if got := w.post("/directory/scim", url.Values{"name": {"Entra"}}); got.status != http.StatusForbidden {
		t.Errorf("letting it write: %d", got.status)
	}
}

func TestConnectingTellsWhatIsMissing(t *testing.T) { // S18 S19 S21 S23 Q42
	w := newWorld(t)
	w.signIn()
	w.golden("connect-en", w.get("/directory/connect").body)
	w.findings = noConsent
	got := w.post("/directory/connect", threeValues)
	if got.status != http.StatusUnprocessableEntity {
		t.Fatalf("%d", got.status)
	}
	w.golden("connect-failed-en", got.body)
	c := w.connection()
	w.says(w.get("/directory").body, "Disconnected", "A permission or admin consent is missing.", "Connect again")
	w.findings = allWell
	if got := w.post(w.pathOf(c)+"/check", url.Values{}); got.status != http.StatusSeeOther {
		t.Fatalf("%d", got.status)
	}
	w.golden("check-nb", w.get(w.pathOf(c)+"/check", "Accept-Language", "nb").body)
	if c = w.connection(); c.State != directory.Connected || !c.Preview {
		t.Errorf("%s, preview %v", c.State, c.Preview)
	}
}

func TestPreviewIsAsChosenLastAndNewValuesKeepIt(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	w.findings = noConsent
	w.post("/directory/connect", threeValues)
	w.findings = allWell
	form := url.Values{}
	for name, values := range threeValues {
		form[name] = values
	}
	form.Del("preview")
	w.post("/directory/connect", form)
	c := w.connection()
	if c.State != directory.Connected || c.Preview {
		t.Errorf("%s, preview %v", c.State, c.Preview)
	}
	name := w.names.Of(secrets.Connection, c.ID)
	page := w.get("/directory/connect?connection=" + name).body
	w.says(page, `name="connection" value="`+name+`"`, `value="acme.onmicrosoft.com"`)
	if strings.Contains(page, `name="preview"`) {
		t.Error("new values of a connection come with a choice that would not be kept")
	}
}

func TestWrongValuesAreToldBesideTheirFields(t *testing.T) { // S19
	w := newWorld(t)
	w.signIn()
	for field, wrong := range map[string]string{"tenant": "no tenant!", "client_id": "", "secret": "6f1d2c7e-0000-4000-8000-000000000001",
		"cloud": "elsewhere", "secret_expires": "tomorrow", "certificate": "no certificate"} {
		form := url.Values{}
		for name, values := range threeValues {
			form[name] = values
		}
		form.Set(field, wrong)
		if field == "certificate" {
			form.Del("secret")
		}
		got := w.post("/directory/connect", form)
		if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `href="#`+field+`"`) || !strings.Contains(got.body, `id="`+field+`-wrong"`) {
			t.Errorf("%s: %d", field, got.status)
		}
		if strings.Contains(got.body, "a-secret") {
			t.Errorf("%s: the secret is shown again", field)
		}
	}
}

func TestPreviewIsSeenBeforeTheAddressBookFollows(t *testing.T) { // S8
	w := newWorld(t)
	w.findings = allWell
	w.signIn()
	w.post("/directory/connect", threeValues)
	c := w.connection()
	path := w.pathOf(c)
	locked := w.get("/directory").body
	w.says(locked, "Connected – analysing data", "Locked until the first analysis is done")
	if strings.Contains(locked, `href="`+path+`/preview"`) {
		t.Error("the preview is not locked") // Q11
	}
	w.sync(c)
	w.golden("preview-pl", w.get(path+"/preview", "Accept-Language", "pl").body)
	w.says(w.get(path+"/preview?list=without_number").body, "David Foss")
	w.says(w.get(path+"/preview?list=invalid").body, "Eva Gran")
	if got := w.get(path + "/preview?list=nothing"); got.status != http.StatusNotFound {
		t.Errorf("%d", got.status)
	}
	if n := len(must(w.book.Contacts(t.Context(), w.account.ID, 0, 10))); n != 0 {
		t.Errorf("the address book has %d contacts already", n)
	}
	w.post(path+"/follow", url.Values{})
	w.sync(c)
	if n := len(must(w.book.Contacts(t.Context(), w.account.ID, 0, 10))); n != 5 {
		t.Errorf("the address book has %d contacts", n)
	}
	w.golden("directory-en", w.get("/directory").body) // Q47
}

// crowded makes an office whose other people are many.
func (w *world) crowded(n int) directory.Connection {
	w.Helper()
	w.entra.more = n
	return w.connect()
}

func TestHeldPeopleGoOnlyWhenTheirNumberIsTyped(t *testing.T) {
	w := newWorld(t)
	c := w.crowded(30)
	for i := range 30 {
		w.entra.left = append(w.entra.left, fmt.Sprintf("more-%d", i))
	}
	w.entra.more = 0
	w.sync(c)
	w.signIn()
	path := w.pathOf(c) + "/held"
	w.says(w.get("/directory").body, "30 people would lose their place or their number")
	w.golden("held-en", w.get(path).body)
	for typed, says := range map[string]string{"29": "That is not how many are held back now", "all": "Type the number of people"} {
		got := w.post(path, url.Values{"people": {typed}})
		if got.status < 400 {
			t.Errorf("%s: %d", typed, got.status)
		}
		w.says(got.body, says, `aria-invalid="true"`, `href="#number"`)
	}
	if got := w.post(path, url.Values{"people": {" 30 "}}); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.body)
	}
	w.says(w.get(path).body, "Nobody is held back.", "Approved, goes with the next sync", email)
	w.sync(c)
	if n := len(must(w.book.Contacts(t.Context(), w.account.ID, 0, 50))); n != 5 {
		t.Errorf("%d contacts are left", n)
	}
}

func TestSettingsAreChosenWithoutJavaScript(t *testing.T) {
	w := newWorld(t)
	c := w.connect()
	w.signIn()
	path := w.pathOf(c) + "/settings"
	w.golden("settings-nb", w.get(path, "Accept-Language", "nb").body)
	form := url.Values{"guests": {"1"}, "group": {"group-0"}, "every": {"1h0m0s"}, "field-0": {"city"}, "is-0": {"one_of"},
		"values-0": {"Oslo\r\nBergen\r\n"}, "secret_expires": {"2030-01-31"}, "search": {"nothing like it"}}
	for _, do := range []string{"search", "more"} {
		form.Set("do", do)
		page := w.post(path, form).body
		w.says(page, `id="guests" name="guests" value="1" checked`, `value="group-0" checked`, "Oslo\nBergen", `value="2030-01-31"`)
	}
	form.Set("do", "save")
	if got := w.post(path, form); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.body)
	}
	c = w.connection()
	if s := c.Settings.Scope; !s.Guests || len(s.Groups) != 1 || len(s.Filter) != 1 || c.Every != time.Hour || c.SecretExpires.Year() != 2030 || c.Preview {
		t.Errorf("%+v", c)
	}
	form.Set("values-0", "")
	got := w.post(path, form)
	w.says(got.body, `href="#filter"`, `id="filter-wrong"`)
	form.Set("values-0", "Oslo")
	form.Set("do", "preview")
	if got := w.post(path, form); got.header.Get("Location") != w.pathOf(c)+"/preview" {
		t.Errorf("%d %s", got.status, got.header.Get("Location"))
	}
	if !w.connection().Preview {
		t.Error("the address book follows before anybody has looked")
	}
	w.sync(c)
	w.says(w.get(w.pathOf(c)+"/skipped").body, "Outside the conditions", "person-0")
}

func TestDisconnectingKeepsContactsAndConnectingAgainCatchesUp(t *testing.T) { // Q54 Q55 Q56
	w := newWorld(t)
	c := w.connect()
	w.findings = allWell
	w.signIn()
	path := w.pathOf(c)
	w.golden("disconnect-pl", w.get(path+"/disconnect", "Accept-Language", "pl").body)
	w.post(path+"/disconnect", url.Values{})
	if got := w.post(path+"/sync", url.Values{}); got.status != http.StatusConflict {
		t.Errorf("a sync of what is disconnected: %d", got.status)
	}
	w.says(w.get("/directory").body, "Disconnected", "Connect again")
	w.says(w.get("/contacts").body, "Anna Berg")
	w.post(path+"/check", url.Values{})
	w.says(w.get("/directory").body, "Asked for, about to begin", "Connected")
	w.sync(c)
}

func TestRunsTellAllTheirCountsAndTheReportIsAFile(t *testing.T) {
	w := newWorld(t)
	c := w.connect()
	w.signIn()
	w.golden("runs-en", w.get(w.pathOf(c)+"/runs").body)
	got := w.get(w.pathOf(c) + "/access.csv")
	if got.status != http.StatusOK || got.header.Get("Content-Type") != "text/csv; charset=utf-8" || !strings.HasPrefix(got.body, "time,run,request,count,permission,fields\n") {
		t.Errorf("%d %s %q", got.status, got.header.Get("Content-Type"), got.body)
	}
}

func TestSecretThatEndsSoonIsTold(t *testing.T) {
	w := newWorld(t)
	c := w.connect()
	w.signIn()
	for days, says := range map[int]string{31: "", 30: "expires in 30 days", 7: "expires in 7 days", 1: "expires in 1 day.", -1: "The secret has expired."} {
		ends := time.Now().Add(time.Duration(days) * 24 * time.Hour)
		if err := w.directory.SecretExpires(t.Context(), w.account.ID, c.ID, ends); err != nil {
			t.Fatal(err)
		}
		page := w.get("/directory").body
		if says == "" && strings.Contains(page, "The secret expires in") || !strings.Contains(page, says) {
			t.Errorf("%d days before: not %q", days, says)
		}
	}
}

func TestGroupIsSyncedFromItsRow(t *testing.T) { // Q49 Q50
	w := newWorld(t)
	w.connect()
	w.signIn()
	group := must(w.book.Groups(t.Context(), w.account.ID, 0, 10))[0]
	path := "/groups/" + w.names.Of(secrets.Group, group.ID) + "/sync"
	w.says(w.get("/groups").body, `action="`+path+`"`, `action="/groups/sync"`)
	for _, each := range []string{path, "/groups/sync"} {
		before := w.connection().RequestedAt
		if got := w.post(each, url.Values{}); got.status != http.StatusSeeOther {
			t.Fatalf("%s: %d", each, got.status)
		}
		if !w.connection().RequestedAt.After(before) {
			t.Errorf("%s: nothing was asked for", each)
		}
	}
	byHand := "/groups/" + w.names.Of(secrets.Group, w.group("By hand", 1).ID) + "/sync"
	if got := w.post(byHand, url.Values{}); got.status != http.StatusConflict {
		t.Errorf("a group kept by hand: %d", got.status)
	}
}

func TestOnlyManagersDecide(t *testing.T) {
	w := newWorld(t)
	c := w.connect()
	path := w.pathOf(c)
	for _, role := range []string{"viewer", "sender", "admin"} {
		w.as(role)
		for _, each := range []string{"/directory", path + "/check", path + "/preview", path + "/runs", path + "/held", path + "/skipped", path + "/settings", path + "/access.csv"} {
			if got := w.get(each); got.status != http.StatusOK {
				t.Errorf("%s may not see %s: %d", role, each, got.status)
			}
		}
		for _, each := range []string{path + "/check", path + "/preview", path + "/follow", path + "/held", path + "/settings", "/directory/connect"} {
			if got := w.post(each, url.Values{}); (got.status == http.StatusForbidden) != (role != "admin") {
				t.Errorf("%s posts to %s: %d", role, each, got.status)
			}
		}
	}
}

func TestAnotherAccountsConnectionIsNotFound(t *testing.T) {
	w := newWorld(t)
	path := w.pathOf(w.connect())
	other := must(w.accounts.Create(t.Context(), otherAccount))
	must(w.accounts.CreateUser(t.Context(), other.ID, "spy@other.test", "owner", password))
	w.post("/sign-in", url.Values{"email": {"spy@other.test"}, "password": {password}})
	for _, page := range []string{"/check", "/preview", "/runs", "/held", "/skipped", "/settings", "/access.csv", "/live", "/disconnect"} {
		if got := w.get(path + page); got.status != http.StatusNotFound {
			t.Errorf("%s: %d", page, got.status)
		}
	}
	for _, page := range []string{"/check", "/preview", "/follow", "/held", "/settings", "/disconnect", "/sync"} {
		if got := w.post(path+page, url.Values{"people": {"1"}, "every": {"15m"}}); got.status != http.StatusNotFound {
			t.Errorf("POST %s: %d", page, got.status)
		}
	}
}

func TestAnalysisIsStreamedUntilItIsDone(t *testing.T) { // Q8 Q9 Q12
	w := newWorld(t)
	w.findings = allWell
	w.signIn()
	w.post("/directory/connect", threeValues)
	c := w.connection()
	w.entra.pages = make(chan bool)
	s := w.open(w.pathOf(c) + "/live")
	if _, first := s.event(); first["state"] != "asked" || first["state_word"] != "Connected – analysing data …" {
		t.Fatalf("%v", first)
	}
	synced := make(chan error, 1)
	go func() { _, err := w.directory.Sync(t.Context(), w.account.ID, c.ID); synced <- err }()
	for {
		_, now := s.event()
		if now["records"] == "1 record analysed" {
			break
		}
	}
	w.says(w.get("/directory").body, "1 record analysed", ">Refresh</a>")
	w.entra.pages <- true
	if err := <-synced; err != nil {
		t.Fatal(err)
	}
	var last map[string]any
	for {
		name, now := s.event()
		if name != "progress" {
			break
		}
		last = now
	}
	if text := must(json.Marshal(last["state_word"])); string(text) != `"Connected"` || last["working"] != "" || last["over"] != true {
		t.Errorf("the last said %v", last)
	}
}

func TestBrowserConnectsAndSeesThePreviewUnlock(t *testing.T) { // Q5 Q8 Q11 S23
	w := newWorld(t)
	w.findings = noConsent
	w.entra.pages = make(chan bool)
	b := newBrowser(t, w.home)
	b.forgiven = "status of 422" // the first check fails
	b.signIn()
	b.do(chromedp.Navigate(w.home + "/directory"))
	b.tabTo(`e.getAttribute("href") === "/directory/connect"`)
	b.press(kb.Enter)
	enter := func() {
		b.tabTo(`e.id === "secret"`)
		b.do(chromedp.KeyEvent("a-secret~value.1234"))
		b.press(kb.Enter)
	}
	b.tabTo(`e.id === "tenant"`)
	b.do(chromedp.KeyEvent("acme.onmicrosoft.com"))
	b.tabTo(`e.id === "client_id"`)
	b.do(chromedp.KeyEvent("6f1d2c7e-0000-4000-8000-000000000001"))
	enter()
	if text := ask[string](b, `document.querySelector("[role=alert]").innerText`); !strings.Contains(text, "admin consent is missing") {
		t.Fatalf("it says %q", text)
	}
	w.findings = allWell
	enter()
	if b.path() != "/directory" {
		t.Fatalf("it is at %s", b.path())
	}
	loaded := ask[float64](b, `performance.timeOrigin`)
	b.until(`!document.querySelector("[data-pulse]").hidden`)
	synced := make(chan error, 1)
	go func() { _, err := w.directory.Sync(t.Context(), w.account.ID, w.connection().ID); synced <- err }()
	b.until(`document.querySelector("[data-text=records]").textContent === "1 record analysed"`)
	if !ask[bool](b, `!document.querySelector("#tab-preview")`) {
		t.Error("the preview is not locked")
	}
	w.entra.pages <- true
	if err := <-synced; err != nil {
		t.Fatal(err)
	}
	b.until(`!!document.querySelector("#tab-preview")`)
	b.until(`document.querySelector("[data-if=working]").hidden`)
	if now := ask[float64](b, `performance.timeOrigin`); now != loaded {
		t.Error("the page was loaded again")
	}
	b.tabTo(`e.id === "tab-preview"`)
	b.press(kb.Enter)
	b.tabTo(`e.id === "follow"`)
	b.press(kb.Enter)
	if w.connection().Preview {
		t.Error("the address book does not follow")
	}
	w.entra.pages = nil
}

func TestBrowserSeesSettingsUnlockByThemselves(t *testing.T) { // Q11
	w := newWorld(t)
	w.findings = allWell
	w.signIn()
	w.post("/directory/connect", threeValues)
	c := w.connection()
	b := newBrowser(t, w.home)
	b.signIn()
	b.do(chromedp.Navigate(w.home + w.pathOf(c) + "/settings"))
	b.until(`!document.querySelector("[data-pulse]").hidden`)
	if !ask[bool](b, `!document.querySelector("#search") && !document.querySelector("#tab-preview")`) {
		t.Error("it is not locked")
	}
	w.sync(c)
	b.until(`!!document.querySelector("#search") && !!document.querySelector("#tab-preview")`)
}

func TestBrowserApprovesAndDisconnects(t *testing.T) { // Q54 Q56
	w := newWorld(t)
	w.findings = allWell
	c := w.crowded(30)
	for i := range 30 {
		w.entra.left = append(w.entra.left, fmt.Sprintf("more-%d", i))
	}
	w.entra.more = 0
	w.sync(c)
	b := newBrowser(t, w.home)
	b.forgiven = "status of 409" // the wrong number
	b.signIn()
	b.do(chromedp.Navigate(w.home + w.pathOf(c) + "/held"))
	for _, typed := range []string{"3", "0"} { // 30, after what is left of the first attempt
		b.tabTo(`e.id === "number"`)
		b.do(chromedp.KeyEvent(kb.End), chromedp.KeyEvent(typed))
		b.press(kb.Enter)
		if n := must(w.directory.HeldCount(t.Context(), w.account.ID, c.ID)); (n == 0) != (typed == "0") {
			t.Fatalf("%d are held", n)
		}
	}
	b.do(chromedp.Navigate(w.home + "/directory"))
	b.tabTo(`e.getAttribute("href")?.endsWith("/disconnect")`)
	b.press(kb.Enter)
	b.tabTo(`e.className === "danger"`)
	b.press(kb.Enter)
	if state := w.connection().State; state != directory.Disconnected {
		t.Fatalf("it is %s", state)
	}
	b.tabTo(`e.closest("form")?.getAttribute("action").endsWith("/check")`)
	b.press(kb.Enter)
	if text := ask[string](b, `document.querySelector("main [role=status]").innerText`); w.connection().State != directory.Connected || !strings.Contains(text, "Everything that is needed can be read") {
		t.Errorf("it is %s and says %q", w.connection().State, text)
	}
}

func TestStalledSyncIsTold(t *testing.T) { // S4
	w := newWorld(t)
	w.connect()
	w.signIn()
	const says = "The directory has not been read as it should since"
	if strings.Contains(w.get("/directory").body, says) {
		t.Error("it is said of a sync that works")
	}
	must(w.db.ExecContext(t.Context(), `UPDATE connections SET stalled_at = 1767225600000`))
	w.says(w.get("/directory").body, says, `datetime="2026-01-01T00:00:00Z"`)
}
