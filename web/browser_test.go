package web_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/rollcall"
)

// browser is a tab of a browser that has nothing but the console to talk to.
type browser struct {
	*testing.T
	ctx  context.Context
	home string
	// forgiven is what its console may say.
	forgiven string

	mu    sync.Mutex
	asked []string // the addresses it asked for
	said  []string // errors and warnings of its console
	wait  sync.WaitGroup
}

func newBrowser(t *testing.T, home string) *browser {
	t.Helper()
	path := browserProgram()
	if path == "" {
		t.Skip("no browser is installed")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	ctx, endBrowser := chromedp.NewExecAllocator(ctx, options...)
	ctx, endTab := chromedp.NewContext(ctx)
	b := &browser{T: t, ctx: ctx, home: home}
	t.Cleanup(func() { endTab(); endBrowser(); cancel(); b.wait.Wait(); b.checkManners() })
	b.do(chromedp.EmulateViewport(1280, 900))
	b.listen()
	return b
}

func browserProgram() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func (b *browser) listen() {
	requests, messages := chromedp.Events(b.ctx, network.RequestWillBeSent), chromedp.Console(b.ctx)
	b.wait.Add(2)
	go func() {
		defer b.wait.Done()
		for request, err := range requests {
			if err != nil {
				return
			}
			b.note(&b.asked, request.Request.URL)
		}
	}()
	go func() {
		defer b.wait.Done()
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.Type != chromedp.ConsoleLog && m.Type != chromedp.ConsoleInfo && m.Type != chromedp.ConsoleDebug {
				b.note(&b.said, m.String())
			}
		}
	}()
}

func (b *browser) note(where *[]string, what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	*where = append(*where, what)
}

// checkManners fails for an error in the console, of which a violation of the
// policy is one, and for a request to anybody else.
func (b *browser) checkManners() {
	b.Helper()
	if len(b.asked) == 0 {
		b.Error("no request was seen")
	}
	for _, address := range b.asked {
		// A date field has an icon of the browser's own, for which nobody is asked.
		if !strings.HasPrefix(address, b.home+"/") && !strings.HasPrefix(address, "data:") {
			b.Errorf("a request to %s", address)
		}
	}
	for _, text := range b.said {
		if b.forgiven != "" && strings.Contains(text, b.forgiven) {
			continue
		}
		b.Errorf("the browser's console says %s", text)
	}
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.Fatal(err)
	}
}

func ask[T any](b *browser, expression string) T {
	b.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.Fatalf("%s: %v", expression, err)
	}
	return v
}

// until asks for an expression until it is true. A page that loads itself again
// cannot be asked at that moment.
func (b *browser) until(expression string) {
	b.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		is, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](expression))
		if err == nil && is {
			return
		}
		if time.Now().After(end) {
			b.Fatalf("it never came to be that %s: %v\n%s", expression, err, ask[string](b, `document.body.innerText`))
		}
	}
}

// tabTo presses Tab until what has the focus is found, and checks that it is
// seen to have the focus.
func (b *browser) tabTo(found string) {
	b.Helper()
	for range 80 {
		b.do(chromedp.KeyEvent(kb.Tab))
		if !ask[bool](b, `(e => !!(`+found+`))(document.activeElement)`) {
			continue
		}
		if outline := ask[string](b, `getComputedStyle(document.activeElement).outlineStyle`); outline == "none" {
			b.Errorf("%s has the focus, and one cannot see it", found)
		}
		return
	}
	b.Fatalf("the Tab key never comes to %s", found)
}

// press presses a key and waits for the page that it leads to.
func (b *browser) press(key string) {
	b.Helper()
	if _, err := chromedp.RunResponse(b.ctx, chromedp.KeyEvent(key)); err != nil {
		b.Fatal(err)
	}
}

func (b *browser) path() string {
	b.Helper()
	return ask[string](b, `location.pathname`)
}

func (b *browser) signIn() {
	b.Helper()
	b.do(chromedp.Navigate(b.home + "/"))
	b.tabTo(`e.id === "email"`)
	b.do(chromedp.KeyEvent(email))
	b.tabTo(`e.id === "password"`)
	b.do(chromedp.KeyEvent(password))
	b.press(kb.Enter)
	if b.path() != "/" {
		b.Fatalf("after signing in it is at %s", b.path())
	}
}

func TestBrowserSeesACampaignMoveByItself(t *testing.T) {
	w := newWorld(t)
	w.carrier("main", `{"throughput":40,"receipt_delay":"200ms"}`)
	_, name := w.start(smsqueue.NewCampaign{Group: w.group("Everybody", 300).ID, Text: "Hello"})
	b := newBrowser(t, w.home)
	b.signIn()
	b.do(chromedp.Navigate(w.home + "/campaigns/" + name))
	loaded := ask[float64](b, `performance.timeOrigin`)
	b.until(`!document.querySelector("[data-pulse]").hidden`)
	if text := ask[string](b, `document.querySelector("[data-if=carrier]").innerText`); !strings.Contains(text, "No running process") {
		t.Errorf("it does not say that nobody sends: %q", text)
	}
	w.work()
	delivered := `Number(document.querySelector("[data-count=delivered] b").textContent)`
	before := 0
	for range 3 {
		b.until(fmt.Sprintf(`%s > %d`, delivered, before))
		before = ask[int](b, delivered)
	}
	b.until(`document.querySelector("[data-if=carrier]").hidden`)
	if width := ask[string](b, `document.querySelector("[data-segment=delivered] rect").getAttribute("width")`); width == "0.00%" {
		t.Error("the bar has not moved")
	}
	b.until(`document.querySelector("[data-badge]").textContent === "Finished"`)
	b.until(`document.querySelector("[data-pulse]").hidden`)
	b.until(`document.querySelectorAll("[data-list] .status-delivered").length === 50`)
	if now := ask[float64](b, `performance.timeOrigin`); now != loaded {
		t.Error("the page was loaded again")
	}
	if text := ask[string](b, `document.querySelector("[role=status]").textContent`); text != "Finished" {
		t.Errorf("who listens hears %q", text)
	}
}

func TestBrowserSeesARollCallMoveByItself(t *testing.T) {
	w := newWorld(t)
	r, c, path := w.rollCall(8)
	group := w.names.Of(secrets.Group, c.Group)
	b := newBrowser(t, w.home)
	b.signIn()
	b.do(chromedp.Navigate(w.home + path))
	loaded := ask[float64](b, `performance.timeOrigin`)
	b.until(`!document.querySelector("[data-pulse]").hidden`)
	w.texted(r, who(3), "2440", "safe")
	w.texted(r, who(4), "2440", "help <b>now</b>")
	for _, cell := range []string{"all-0", "all-1", group + "-0", group + "-1"} {
		b.until(`document.querySelector("[data-count='` + cell + `'] b").textContent === "1"`)
	}
	b.until(`document.querySelector("[data-list=alarms] .said")?.textContent === "help <b>now</b>"`)
	w.texted(r, who(5), "2440", "where?")
	b.until(`document.querySelector("[data-list=unclear] .said")?.textContent === "where?"`)
	if now := ask[float64](b, `performance.timeOrigin`); now != loaded {
		t.Error("the page was loaded again")
	}
	b.do(chromedp.Click(`[data-list=unclear] button`))
	b.until(`performance.timeOrigin > ` + fmt.Sprint(loaded) + ` && document.querySelector("[data-count=all-0] b")?.textContent === "2"`)
	must(w.queue.CloseRollCall(t.Context(), w.account.ID, c.ID))
	b.until(`document.querySelector("[data-badge]").textContent === "Closed"`)
	b.until(`document.querySelector("[data-pulse]").hidden`)
}

func TestBrowserReachesEverythingByKeyboard(t *testing.T) {
	w := newWorld(t)
	w.connect()
	w.carrier("main", `{}`)
	w.work()
	c, name := w.start(smsqueue.NewCampaign{Group: w.group("Everybody", 3).ID, Text: "Hello"})
	w.finished(c)
	b := newBrowser(t, w.home)
	b.signIn()
	for _, path := range []string{"/campaigns", "/received", "/contacts", "/groups", "/directory", "/"} {
		b.tabTo(`e.closest("nav") && e.getAttribute("href") === "` + path + `"`)
		b.press(kb.Enter)
		if b.path() != path {
			t.Fatalf("it is at %s, not at %s", b.path(), path)
		}
	}
	b.tabTo(`e.getAttribute("href") === "/campaigns/` + name + `"`)
	b.press(kb.Enter)
	b.tabTo(`e.getAttribute("href") === "/campaigns/` + name + `?status=delivered#recipients"`)
	b.press(kb.Enter)
	if got := ask[string](b, `location.search`); got != "?status=delivered" {
		t.Errorf("the filter is %q", got)
	}
	b.do(chromedp.KeyEvent(kb.Tab))
	b.do(chromedp.Navigate(w.home + "/contacts"))
	b.do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter))
	if got := ask[string](b, `document.activeElement.id`); got != "main" {
		t.Errorf("the first Tab and Enter lead to %q, not past the navigation", got)
	}
	b.tabTo(`e.value === "pl"`)
	b.press(kb.Enter)
	if got := ask[string](b, `document.documentElement.lang + " " + location.pathname`); got != "pl /contacts" {
		t.Errorf("after choosing Polish: %s", got)
	}
	b.tabTo(`e.closest("form")?.getAttribute("action") === "/sign-out"`)
	b.press(kb.Enter)
	if b.path() != "/sign-in" {
		t.Errorf("after signing out it is at %s", b.path())
	}
}

func TestBrowserWritesACampaign(t *testing.T) {
	w := newWorld(t)
	w.carrier("main", `{}`)
	w.work()
	group := w.names.Of(secrets.Group, w.group("Everybody", 3).ID)
	b := newBrowser(t, w.home)
	b.signIn()
	b.do(chromedp.Navigate(w.home + "/campaigns/new"))
	b.tabTo(`e.id === "group"`)
	b.do(chromedp.KeyEvent("E")) // as it begins
	if got := ask[string](b, `document.querySelector("#group").value`); got != group {
		t.Fatalf("chosen is %q", got)
	}
	b.tabTo(`e.id === "text"`)
	b.do(chromedp.KeyEvent(strings.Repeat("Hello all. ", 15)))
	b.until(`document.querySelector("[data-count=parts]").textContent === "2 parts"`)
	b.until(`document.querySelector("[data-count=reach]").textContent.startsWith("3 members have a number: 6 parts")`)
	if got := ask[string](b, `document.querySelector("[data-echo]").textContent`); !strings.HasPrefix(got, "Hello all. ") {
		t.Errorf("the preview shows %q", got)
	}
	b.tabTo(`e.value === "start"`)
	b.press(kb.Enter)
	if !strings.HasPrefix(b.path(), "/campaigns/cmp_") {
		t.Fatalf("it is at %s", b.path())
	}
	b.until(`document.querySelector("[data-badge]").textContent === "Finished"`)
}

func TestBrowserOffersPlainCharacters(t *testing.T) { // U8
	w := newWorld(t)
	w.carrier("main", `{}`)
	group := w.names.Of(secrets.Group, w.group("Everybody", 3).ID)
	b := newBrowser(t, w.home)
	b.signIn()
	b.do(chromedp.Navigate(w.home + "/campaigns/new?group=" + group))
	b.until(`document.querySelector("[data-count=left]").textContent === "160 left in this part"`)
	b.tabTo(`e.id === "text"`)
	b.do(chromedp.KeyEvent("“Hello” "))
	b.until(`document.querySelector("[data-count=because]").textContent.includes("“\u00a0(1), ”\u00a0(7)")`)
	if !ask[bool](b, `document.querySelector("[data-offer]").hidden`) {
		t.Error("it offers what saves nothing")
	}
	b.do(chromedp.KeyEvent(strings.Repeat("Hello all. ", 7)))
	b.until(`!document.querySelector("[data-offer]").hidden`)
	if got := ask[string](b, `document.querySelector("#plain").textContent`); !strings.HasPrefix(got, `"Hello" Hello all.`) {
		t.Errorf("it would become %q", got)
	}
	if got := ask[string](b, `document.querySelector("[data-echo]").textContent`); !strings.HasPrefix(got, "“Hello”") {
		t.Errorf("before it is chosen the preview shows %q", got)
	}
	b.tabTo(`e.id === "transliterate"`)
	b.do(chromedp.KeyEvent(" "))
	b.until(`document.querySelector("[data-echo]").textContent.startsWith("\"Hello\"")`)
	b.until(`document.querySelector("[data-count=parts]").textContent === "1 part"`)
	b.do(chromedp.KeyEvent(" "))
	b.until(`document.querySelector("[data-echo]").textContent.startsWith("“Hello”")`)
	b.do(chromedp.KeyEvent(" "))
	b.until(`document.querySelector("[data-count=parts]").textContent === "1 part"`)
	b.tabTo(`e.value === "start"`)
	b.press(kb.Enter)
	if all := w.campaigns(); len(all) != 1 || !strings.HasPrefix(all[0].Text, `"Hello" Hello all.`) {
		t.Errorf("%+v", all)
	}
}

// U8
func TestBrowserForgetsAPreviewWhenTheTextChanges(t *testing.T) {
	w := newWorld(t)
	w.carrier("main", `{}`)
	group := w.names.Of(secrets.Group, w.group("Everybody", 3).ID)
	b := newBrowser(t, w.home)
	b.signIn()
	b.do(chromedp.Navigate(w.home + "/campaigns/new?group=" + group))
	b.tabTo(`e.id === "text"`)
	b.do(chromedp.KeyEvent("Hi {{first_name"))
	b.until(`document.querySelector("[data-count=fields]").textContent === "The field that begins at character 4 is not closed."`)
	b.do(chromedp.KeyEvent("}}"))
	b.until(`document.querySelector("[data-count=fields]").textContent.startsWith("Counted as it is written.")`)
	b.tabTo(`e.value === "preview"`)
	b.press(kb.Enter)
	b.until(`document.querySelector("[data-forecast]")?.textContent.includes("Hi Person")`)
	b.tabTo(`e.id === "text"`)
	b.do(chromedp.KeyEvent("!"))
	b.until(`!document.querySelector("[data-forecast]") && !document.querySelector("#ceiling") && !document.querySelector("[data-echo]").hidden`)
}

func TestBrowserShowsEveryPageOnANarrowScreen(t *testing.T) {
	w := newWorld(t)
	directory := w.pathOf(w.connect())
	written, _ := w.connectSCIM()
	w.texted(w.inbox(), "+4741234567", "2440", strings.Repeat("Donaudampfschiff", 9))
	w.work()
	c, name := w.start(smsqueue.NewCampaign{Group: w.group(strings.Repeat("Averylongname", 8), 3).ID, Text: strings.Repeat("Donaudampfschiff", 9)})
	w.finished(c)
	asked, question := w.start(smsqueue.NewCampaign{Group: c.Group, Text: strings.Repeat("Donaudampfschiff", 9), Asks: &rollcall.Question{Close: time.Hour,
		Choices: []rollcall.Choice{{Key: "1", Label: strings.Repeat("Averylonglabel", 4)}, {Key: "2", Label: "Help", Alarm: true}, {Key: "3", Label: "Later"}}}})
	w.finished(asked)
	for i, text := range []string{"2", strings.Repeat("Donaudampfschiff", 9)} {
		w.texted(must(w.queue.Route(t.Context(), "main")), who(i), "2440", text)
	}
	w.signIn()
	long := must(w.book.AddGroup(t.Context(), w.account.ID, strings.Repeat("Averylongname", 8), []int64{w.contact("Person 1").ID})) // shares its number
	ruled := must(w.book.AddRuleGroup(t.Context(), w.account.ID, "Ruled", contacts.Rule{{Field: contacts.FieldDepartment, Op: contacts.OneOf,
		Values: []string{strings.Repeat("Verylong", 20), "Ward 3"}}}))
	_, tpl := w.tpl(strings.Repeat("Averylongname", 8), smsqueue.TemplateText{Language: "nb", Text: strings.Repeat("Donaudampfschiff", 9)})
	others := []string{"/campaigns/" + name, "/campaigns/" + question, "/roll-calls/" + question, "/roll-calls/" + question + "/close",
		"/templates/" + tpl, "/campaigns/new?template=" + tpl,
		"/received/conversation?number=" + url.QueryEscape(who(1)), w.contactPath("Anna"), w.contactPath("Person 1"), w.contactPath("Person 1") + "/delete",
		w.groupPath(long) + "?find=person", w.groupPath(ruled), w.groupPath(ruled) + "/rule",
		w.upload("a.csv", "name,phone,groups\n"+strings.Repeat("Averylongname", 9)+",1234,x\nOla,40100077,"+strings.Repeat("Averylongname", 9)+"\n").header.Get("Location")}
	must(w.book.SetFields(t.Context(), w.account.ID, w.contact("Person 1").ID, map[string]string{strings.Repeat("averylong_", 4): strings.Repeat("Donaudampfschiff", 9)}))
	others = append(others, "/suppressions/import",
		w.uploadTo("/suppressions/import", "a.csv", "name,phone\nOla,40100077\nOla,40100077\nNobody,"+strings.Repeat("1234", 40)+"\n").header.Get("Location"))
	b := newBrowser(t, w.home)
	b.signIn()
	b.showsOnEveryWidth(slices.Concat(everyPage, others, []string{directory + "/settings", directory + "/runs", directory + "/held", directory + "/check", written + "/tokens", written + "/settings"}))
}

// tooSmall lists buttons and fields under 44 pixels and links outside of text
// under 24 (WCAG 2.2, 2.5.5 and 2.5.8).
const tooSmall = `[...document.querySelectorAll("button, input:not([type=hidden]):not([type=radio]):not([type=checkbox]), select, textarea, summary, a")]
	.filter(e => e.getClientRects().length && !e.classList.contains("skip"))
	.filter(e => e.getBoundingClientRect().height < (e.matches("a:not(.button)") ? 24 : 44))
	.map(e => e.outerHTML.slice(0, 80))`

func TestBrowserImportsAListAndFillsAGroup(t *testing.T) {
	w := newWorld(t)
	w.connect()
	file := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(file, []byte("Name;Mobile;Groups\nKari Moe;401 00 009;Night\nNobody;12;\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t, w.home)
	b.signIn()
	b.do(chromedp.Navigate(w.home + "/contacts"))
	b.tabTo(`e.getAttribute("href") === "/contacts/import"`)
	b.press(kb.Enter)
	b.do(chromedp.SetUploadFiles(`#file`, []string{file}))
	b.tabTo(`e.matches("form.card button")`)
	b.press(kb.Enter)
	if got := ask[string](b, `document.querySelector("[data-result=add] b").textContent + document.querySelector("[data-result=refused] b").textContent`); got != "11" {
		t.Errorf("the rows are counted as %s", got)
	}
	b.tabTo(`e.matches("form button.primary")`)
	b.press(kb.Enter)
	if got := ask[string](b, `document.querySelector("h1").textContent`); got != "The list is imported" {
		t.Fatal(got)
	}

	b.do(chromedp.Navigate(w.home + "/groups"))
	b.tabTo(`e.textContent === "Night"`)
	b.press(kb.Enter)
	b.tabTo(`e.id === "find"`)
	b.do(chromedp.KeyEvent("ANNA"))
	b.press(kb.Enter)
	b.tabTo(`e.getAttribute("aria-label") === "Add Anna Berg"`)
	b.press(kb.Enter)
	b.until(`document.querySelectorAll("#members ~ form tbody tr").length === 2`)
	b.tabTo(`e.getAttribute("aria-label") === "Take Kari Moe out"`)
	b.press(kb.Enter)
	b.until(`document.querySelectorAll("#members ~ form tbody tr").length === 1`)
	if names := ask[string](b, `document.querySelector("tbody th a").textContent`); names != "Anna Berg" {
		t.Errorf("in the group is %q", names)
	}
}
