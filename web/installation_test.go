package web_test

import (
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/smsqueue"
)

const operatorEmail = "ops@varsel.test"

// operate signs in who runs the installation and has no account.
func (w *world) operate() {
	w.Helper()
	must(w.accounts.AddOperator(w.Context(), operatorEmail, password))
	w.client = newClient()
	if got := w.post("/sign-in", url.Values{"email": {operatorEmail}, "password": {password}, "next": {"/"}}); got.status != http.StatusSeeOther {
		w.Fatalf("sign in: %d %s", got.status, got.body)
	}
}

// smpp adds a carrier that nobody answers for.
func (w *world) smpp(name string) {
	w.Helper()
	must(w.queue.AddRoute(w.Context(), name, "smpp", json.RawMessage(`{"addr":"smsc.example:2775","system_id":"acme","password":"s3cr3t","window":50}`)))
}

var (
	installationPages = []string{"/installation", "/installation/carriers", "/installation/carriers/new", "/installation/carrier/main",
		"/installation/carrier/main/remove", "/installation/routes", "/installation/routes/new", "/installation/agreements",
		"/installation/sub-processors", "/installation/sub-processors/new", "/installation/audit", "/installation/senders", "/installation/senders/acme",
		"/installation/keys", "/installation/plans", "/installation/price-lists", "/installation/price-lists/standard", "/installation/invoices",
		"/installation/invoices/seller", "/installation/invoices/customers", "/installation/invoices/customers/acme", "/installation/invoices/new",
		"/installation/books", "/installation/billing", "/installation/billing/acme"}
	installationPosts = []string{"/installation/carriers/new", "/installation/carrier/main", "/installation/carrier/main/enable",
		"/installation/carrier/main/disable", "/installation/carrier/main/remove", "/installation/plans", "/installation/plans/assign",
		"/installation/price-lists", "/installation/price-lists/standard", "/installation/billing/acme/terms", "/installation/billing/acme/payments",
		"/installation/billing/acme/payments/return"}
)

func TestOnlyOperatorsSeeTheInstallation(t *testing.T) {
	w := newWorld(t)
	w.smpp("main")
	w.signIn() // the owner of an account
	if strings.Contains(w.get("/").body, "/installation") {
		t.Error("it is offered")
	}
	for _, path := range installationPages {
		if got := w.get(path); got.status != http.StatusForbidden || strings.Contains(got.body, "smsc.example") {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	for _, path := range installationPosts {
		if got := w.post(path, url.Values{"name": {"x"}, "type": {"simulator"}, "config": {`{"window":7}`}}); got.status != http.StatusForbidden {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	w.client = newClient()
	for _, path := range installationPages {
		if got := w.get(path, "Accept", "text/html"); got.status != http.StatusSeeOther {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	if all := must(w.queue.Routes(t.Context())); len(all) != 1 || !all[0].Enabled || all[0].Version != 1 {
		t.Errorf("%+v", all)
	}
}

func TestAnOperatorWithoutAnAccountSeesNone(t *testing.T) {
	w := newWorld(t)
	r := w.carrier("main", `{}`)
	w.texted(r, "+4741234567", "2440", "nobody's") // kept for the operator, by the command
	w.operate()
	if got := w.get("/"); got.status != http.StatusSeeOther || got.header.Get("Location") != "/installation" {
		t.Errorf("%d %s", got.status, got.header.Get("Location"))
	}
	for _, path := range everyPage[1:] {
		if got := w.get(path); got.status != http.StatusForbidden || !strings.Contains(got.body, "belong to no account") {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	if got := w.post("/contacts/new", url.Values{"name": {"x"}}); got.status != http.StatusForbidden {
		t.Errorf("%d", got.status)
	}
	must(0, w.accounts.RemoveOperator(t.Context(), operatorEmail))
	if got := w.get("/installation/carriers"); got.status == http.StatusOK {
		t.Error("one who is an operator no more still sees it")
	}
}

func TestTheInstallationsFormsComeFromThisSite(t *testing.T) {
	w := newWorld(t)
	w.smpp("main")
	w.operate()
	for _, path := range installationPosts {
		if got := w.post(path, url.Values{"config": {`{}`}}, "Sec-Fetch-Site", "cross-site"); got.status != http.StatusForbidden {
			t.Errorf("%s: %d", path, got.status)
		}
	}
}

func TestCarriersSayHowTheyStand(t *testing.T) { // U10
	w := newWorld(t)
	w.operate()
	w.golden("carriers-none-nb", w.get("/installation/carriers", "Accept-Language", "nb").body)
	w.carrier("main", `{}`)
	w.smpp("spare")
	must(0, w.queue.DisableRoute(t.Context(), "spare"))
	g := w.group("Everybody", 3)
	w.start(smsqueue.NewCampaign{Group: g.ID, Text: "Hello"})
	must(w.queue.Send(t.Context(), w.account.ID, smsqueue.Single{To: "+4740000001", Text: "Hello"}))
	must(w.db.ExecContext(t.Context(), `UPDATE agreements SET state = 'terminated'`))
	for _, code := range []string{"en", "pl"} {
		w.golden("carriers-"+code, w.get("/installation/carriers", "Accept-Language", code).body)
	}
	must(w.db.ExecContext(t.Context(), `UPDATE incarnations SET ended_at = 1`))
	if got := w.get("/installation/carriers").body; !strings.Contains(got, "No process is working") {
		t.Error("it does not say that nobody works")
	}
}

func TestACarrierIsAddedAndChanged(t *testing.T) {
	w := newWorld(t)
	w.operate()
	good := url.Values{"name": {"main"}, "type": {"smpp"}, "config": {`{"addr":"smsc.example:2775","system_id":"acme","password":"s3cr3t"}`}}
	for field, wrong := range map[string]string{"name": "The main one", "type": "pigeon", "config": `{"addr":"smsc.example:2775","system_id":"acme","window":-1}`} {
		form := url.Values{"name": good["name"], "type": good["type"], "config": good["config"]}
		form.Set(field, wrong)
		got := w.post("/installation/carriers/new", form)
		if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `id="`+field+`-wrong"`) || !strings.Contains(got.body, `aria-invalid="true"`) {
			t.Errorf("%s: %d %s", field, got.status, got.body)
		}
		if field == "config" {
			w.golden("carrier-wrong-en", got.body)
			if !strings.Contains(html.UnescapeString(got.body), wrong) {
				t.Error("what was typed is lost")
			}
		}
	}
	if got := w.post("/installation/carriers/new", good); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if got := w.post("/installation/carriers/new", good); got.status != http.StatusConflict {
		t.Errorf("%d", got.status)
	}

	page := w.get("/installation/carrier/main", "Accept-Language", "nb").body
	w.golden("carrier-nb", page)
	if strings.Contains(page, "s3cr3t") || strings.Contains(page, "password") {
		t.Error("the form shows a secret")
	}
	if got := w.post("/installation/carrier/main", url.Values{"config": {`{"window":7`}}); got.status != http.StatusUnprocessableEntity {
		t.Errorf("%d", got.status)
	}
	if got := w.post("/installation/carrier/main", url.Values{"config": {`{"addr":"smsc.example:2776","window":7}`}}); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if page = html.UnescapeString(w.get("/installation/carrier/main").body); !strings.Contains(page, `"smsc.example:2776"`) || !strings.Contains(page, `"window": 7`) {
		t.Error(page)
	}

	w.post("/installation/carrier/main/disable", url.Values{})
	if r := must(w.queue.Route(t.Context(), "main")); r.Enabled || r.Version != 2 {
		t.Errorf("%+v", r)
	}
	w.post("/installation/carrier/main/enable", url.Values{})
	if got := w.post("/installation/carrier/main/remove", url.Values{}); got.status != http.StatusConflict {
		t.Errorf("one that is on: %d", got.status)
	}
	w.post("/installation/carrier/main/disable", url.Values{})
	if got := w.post("/installation/carrier/main/remove", url.Values{}); got.status != http.StatusSeeOther {
		t.Errorf("%d %s", got.status, got.body)
	}
	if _, err := w.queue.Route(t.Context(), "main"); !problem.Has(err, "carrier_not_found") {
		t.Error(err)
	}
	if got := w.get("/installation/carrier/main"); got.status != http.StatusNotFound {
		t.Errorf("%d", got.status)
	}
}

func TestBrowserChangesACarrierByKeyboard(t *testing.T) {
	w := newWorld(t)
	w.smpp("main")
	must(w.queue.AddRule(t.Context(), smsqueue.Rule{Account: "acme", Country: "NO", Prefix: "+4798765432", Lane: smsqueue.Bulk, Sender: "+4798765432",
		Shares: []smsqueue.RuleShare{{Carrier: "main", Weight: 70}}}))
	must(w.accounts.AddOperator(t.Context(), email, ""))
	b := newBrowser(t, w.home)
	b.signIn()
	b.tabTo(`e.closest("nav") && e.getAttribute("href") === "/installation"`)
	b.press(kb.Enter)
	b.tabTo(`e.closest(".menu") && e.getAttribute("href") === "/installation/carriers"`)
	b.press(kb.Enter)
	b.tabTo(`e.closest("form")?.getAttribute("action") === "/installation/carrier/main/disable"`)
	b.press(kb.Enter)
	if text := ask[string](b, `document.querySelector(".badge").textContent`); text != "Switched off" {
		t.Errorf("it is %q", text)
	}
	b.tabTo(`e.getAttribute("href") === "/installation/carrier/main"`)
	b.press(kb.Enter)
	b.tabTo(`e.id === "config"`)
	b.do(chromedp.KeyEvent(kb.End))
	b.do(chromedp.SetValue("#config", `{"window":9}`))
	b.tabTo(`e.classList.contains("primary")`)
	b.press(kb.Enter)
	if b.path() != "/installation/carriers" {
		t.Fatalf("it is at %s", b.path())
	}
	b.showsOnEveryWidth(slices.Concat(installationPages, []string{"/received"}))
}

// showsOnEveryWidth checks that nothing is wider than the screen, in every language.
func (b *browser) showsOnEveryWidth(paths []string) {
	b.Helper()
	for _, language := range []string{"en", "nb", "pl"} {
		if _, err := chromedp.RunResponse(b.ctx, chromedp.Click(`footer button[value=`+language+`]`)); err != nil {
			b.Fatal(err)
		}
		for _, path := range paths {
			b.do(chromedp.Navigate(b.home + path))
			for _, width := range []int64{320, 640, 800, 1024, 1100} {
				b.do(chromedp.EmulateViewport(width, 800))
				if wide := ask[int](b, `document.documentElement.scrollWidth`); wide > int(width) {
					b.Errorf("%s in %s is %d wide on %d", path, language, wide, width)
				}
				if small := ask[[]string](b, tooSmall); len(small) > 0 {
					b.Errorf("%s on %d has targets that are too small: %v", path, width, small)
				}
			}
		}
	}
}
