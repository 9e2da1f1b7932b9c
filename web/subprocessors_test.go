package web_test

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/secrets"
)

var nordtele = accounts.SubProcessor{Name: "Nordtele AS", Address: "Storgata 1, 0155 Oslo", Contact: "Per Vik, privacy@nordtele.example",
	Service: "Carries SMS to handsets", Data: "Phone numbers and texts", Country: "NO"}

var acmeCloud = accounts.SubProcessor{Name: "Acme <Cloud> Inc.", Address: "1 Main Street, Springfield", Contact: "privacy@cloud.example",
	Service: "Hosting of the database & backups", Data: "All of it, encrypted", Country: "US", Transfer: "Standard contractual clauses 2021/914"}

// onTheList announces one at once.
func (w *world) onTheList(p accounts.SubProcessor) accounts.SubProcessor {
	w.Helper()
	return must(w.accounts.Announce(w.Context(), accounts.NewNotice{Kind: accounts.NoticeAdd, SubProcessor: p, Effective: time.Now(), Reason: "The list at the start"})).SubProcessor
}

// coming announces one with the notice time.
func (w *world) coming(p accounts.SubProcessor) accounts.SubProcessorNotice {
	w.Helper()
	return must(w.accounts.Announce(w.Context(), accounts.NewNotice{Kind: accounts.NoticeAdd, SubProcessor: p}))
}

// ourDays are the days of what was announced a moment ago.
var ourDays = regexp.MustCompile(`<time datetime="\d{4}-\d\d-\d\d">[^<]*</time>`)

func (w *world) undated(page string) string {
	return ourDays.ReplaceAllString(strings.ReplaceAll(page, w.home, "https://varsel.example"), "<time>a day</time>")
}

func TestEverybodyReadsWhoElseProcessesTheData(t *testing.T) {
	w := newWorld(t)
	w.onTheList(nordtele)
	w.coming(acmeCloud)
	page := w.get("/sub-processors", "Accept-Language", "pl")
	if page.status != http.StatusOK {
		t.Fatal(page.status)
	}
	w.golden("sub-processors-pl", w.undated(page.body))
	for language, says := range map[string]string{"en": "Acme &lt;Cloud&gt; Inc. comes on the list", "nb": "Kommende endringer"} {
		if got := w.get("/sub-processors", "Accept-Language", language).body; !strings.Contains(got, says) || strings.Contains(got, "<textarea") {
			t.Errorf("%s: without %q, or with a form", language, says)
		}
	}
	later := w.get("/sub-processors?on=" + time.Now().AddDate(0, 0, 40).Format(time.DateOnly)).body
	if _, list, _ := strings.Cut(later, "<tbody>"); !strings.Contains(list, "Standard contractual clauses") {
		t.Error("the list of a day to come is without who will be on it")
	}
	if wrong := w.get("/sub-processors?on=soon").body; !strings.Contains(wrong, "Choose a day.") {
		t.Error("no day is taken for one")
	}
}

func TestAnAccountObjectsInTheConsole(t *testing.T) {
	w := newWorld(t)
	w.onTheList(nordtele)
	n := w.coming(acmeCloud)
	w.signIn()
	w.golden("sub-processors-account-nb", w.feedless(w.get("/privacy/sub-processors", "Accept-Language", "nb").body))
	if got := w.post("/privacy/sub-processors/2/object", url.Values{"reason": {" "}}); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `id="reason-2-wrong"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := w.post("/privacy/sub-processors/2/object", url.Values{"reason": {"Not the <US>"}}); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.body)
	}
	w.golden("sub-processors-objected-en", w.feedless(w.get("/privacy/sub-processors").body))
	objections := must(w.accounts.Objections(t.Context(), w.account.ID))
	path := "/privacy/sub-processors/objections/" + w.names.Of(secrets.Objection, objections[0].ID) + "/retract"
	if got := w.post(path, url.Values{}); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if got := w.post(path, url.Values{}); got.status != http.StatusConflict || !strings.Contains(got.body, "taken back or answered") {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := w.post("/privacy/sub-processors/1/object", url.Values{"reason": {"Late"}}); got.status != http.StatusConflict {
		t.Errorf("%d", got.status)
	}
	evidence := must(w.accounts.Evidence(t.Context(), n.Version, 0, 10))
	if len(evidence) != 1 || len(evidence[0].Known) != 1 || evidence[0].Known[0].How != accounts.NoticeViewed || evidence[0].Known[0].Who != objections[0].MadeBy {
		t.Errorf("%+v", evidence)
	}
	w.as("sender")
	if got := w.post("/privacy/sub-processors/2/object", url.Values{"reason": {"Me too"}}); got.status != http.StatusForbidden {
		t.Errorf("%d", got.status)
	}
	if page := w.get("/privacy/sub-processors").body; strings.Contains(page, "<textarea") {
		t.Error("who may not object is offered to")
	}
}

// feedless is a page without the names that differ from run to run.
func (w *world) feedless(page string) string {
	return regexp.MustCompile(`(fed|obj)_[0-9a-z]+`).ReplaceAllString(w.undated(page), "${1}_x")
}

func TestOperatorsKeepTheList(t *testing.T) {
	w := newWorld(t)
	w.smpp("main")
	w.operate()
	form := url.Values{"kind": {"add"}, "name": {"Nordtele AS"}, "address": {"Storgata 1"}, "contact": {"Per Vik"}, "service": {"Carries SMS"}, "data": {"Numbers"}, "country": {"US"}}
	wrong := w.post("/installation/sub-processors/new", form, "Accept-Language", "nb")
	if wrong.status != http.StatusUnprocessableEntity {
		t.Fatal(wrong.status)
	}
	w.golden("announce-wrong-nb", wrong.body)
	form.Set("country", "no")
	form.Set("effective_at", time.Now().UTC().Format(time.DateOnly))
	if got := w.post("/installation/sub-processors/new", form); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "less than 30 days before.</p>") {
		t.Errorf("%d without a reason", got.status)
	}
	form.Set("reason", "The list at the start")
	if got := w.post("/installation/sub-processors/new", form); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.body)
	}
	list := must(w.accounts.SubProcessors(t.Context()))
	name := w.names.Of(secrets.SubProcessor, list[0].ID)
	if page := w.get("/installation/sub-processors").body; !strings.Contains(page, "1 carrier in use is run by nobody on the list.") {
		t.Error("a carrier that nobody is named for is not pointed out")
	}
	if got := w.post("/installation/sub-processors/carriers", url.Values{"carrier": {"main"}, "subprocessor": {name}}); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.body)
	}
	w.coming(acmeCloud)
	o := must(w.accounts.Object(t.Context(), w.account.ID, 2, "Not the US"))
	if page := w.get("/installation/sub-processors/new?kind=change&subprocessor=" + name).body; !strings.Contains(page, `value="Storgata 1"`) {
		t.Error("a change does not begin with what is said now")
	}
	objection := "/installation/sub-processors/objections/" + w.names.Of(secrets.Objection, o.ID)
	if got := w.post(objection, url.Values{"outcome": {"not_engaged"}}); got.status != http.StatusUnprocessableEntity {
		t.Errorf("%d", got.status)
	}
	desk := w.get("/installation/sub-processors", "Accept-Language", "pl").body
	w.golden("sub-processors-desk-pl", regexp.MustCompile(`(spr|obj)_[0-9a-z]+`).ReplaceAllString(w.undated(desk), "${1}_x"))
	if got := w.post(objection, url.Values{"outcome": {"not_engaged"}, "answer": {"Yours stay in Oslo"}}); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.body)
	}
	w.golden("notice-en", regexp.MustCompile(`usr_[0-9a-z]+`).ReplaceAllString(w.undated(w.get("/installation/sub-processors/notices/2").body), "usr_x"))
	if got := w.post("/installation/sub-processors/notices/2", url.Values{"reason": {"Not needed"}}); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if got := w.post("/installation/sub-processors/notices/2", url.Values{"reason": {"Again"}}); got.status != http.StatusConflict {
		t.Errorf("%d", got.status)
	}
	w.signIn()
	for _, path := range []string{"", "/new", "/notices/1"} {
		if got := w.get("/installation/sub-processors" + path); got.status != http.StatusForbidden {
			t.Errorf("%s: %d for the owner of an account", path, got.status)
		}
	}
	if page := w.get("/privacy/sub-processors").body; !strings.Contains(page, "Yours stay in Oslo") {
		t.Error("the account does not read the answer")
	}
}

// element is a piece of XML as any reader sees it.
type element struct {
	Name     string // with its namespace
	Attr     map[string]string
	Text     string
	Children []element
}

func parseXML(t *testing.T, text string) element {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	stack := []element{{}}
	for {
		token, err := d.Token()
		if err == io.EOF {
			return stack[0].Children[0]
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := element{Name: token.Name.Space + " " + token.Name.Local, Attr: map[string]string{}}
			for _, a := range token.Attr {
				e.Attr[a.Name.Local] = a.Value
			}
			stack = append(stack, e)
		case xml.CharData:
			stack[len(stack)-1].Text += string(token)
		case xml.EndElement:
			done := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			stack[len(stack)-1].Children = append(stack[len(stack)-1].Children, done)
		}
	}
}

// all are an element's children of a name in Atom's namespace.
func (e element) all(name string) (found []element) {
	for _, child := range e.Children {
		if child.Name == "http://www.w3.org/2005/Atom "+name {
			found = append(found, child)
		}
	}
	return found
}

// one is the only child of a name.
func (e element) one(t *testing.T, name string) element {
	t.Helper()
	found := e.all(name)
	if len(found) != 1 {
		t.Fatalf("%s has %d %s", e.Name, len(found), name)
	}
	return found[0]
}

// checkAtom refuses what RFC 4287 does not allow in a feed: 4.1.1 and 4.1.2.
func checkAtom(t *testing.T, feed element) {
	t.Helper()
	if feed.Name != "http://www.w3.org/2005/Atom feed" {
		t.Fatal(feed.Name)
	}
	ids := map[string]bool{}
	for _, e := range append([]element{feed}, feed.all("entry")...) {
		id := e.one(t, "id").Text
		if u, err := url.Parse(id); err != nil || !u.IsAbs() || ids[id] {
			t.Errorf("id %q", id)
		}
		ids[id] = true
		if e.one(t, "title").Text == "" {
			t.Error("no title")
		}
		if _, err := time.Parse(time.RFC3339, e.one(t, "updated").Text); err != nil {
			t.Error(err)
		}
		for _, l := range e.all("link") {
			if u, err := url.Parse(l.Attr["href"]); err != nil || !u.IsAbs() {
				t.Errorf("link %q", l.Attr["href"])
			}
		}
	}
	if feed.one(t, "author").one(t, "name").Text == "" {
		t.Error("no author")
	}
	if !slices.ContainsFunc(feed.all("link"), func(l element) bool { return l.Attr["rel"] == "self" }) {
		t.Error("no link to itself")
	}
}

func TestTheFeedIsAtom(t *testing.T) {
	w := newWorld(t)
	empty := w.get("/sub-processors/feed.atom")
	checkAtom(t, parseXML(t, empty.body))
	w.onTheList(nordtele)
	w.coming(acmeCloud)
	got := w.get("/sub-processors/feed.atom?language=nb")
	if got.header.Get("Content-Type") != "application/atom+xml; charset=utf-8" {
		t.Error(got.header.Get("Content-Type"))
	}
	feed := parseXML(t, got.body)
	checkAtom(t, feed)
	var titles []string
	for _, e := range feed.all("entry") {
		titles = append(titles, e.one(t, "title").Text)
	}
	if diff := cmp.Diff([]string{"Acme <Cloud> Inc. kommer på listen", "Nordtele AS kommer på listen"}, titles); diff != "" {
		t.Error(diff)
	}
	first := feed.all("entry")[0]
	if content := first.one(t, "content").Text; !strings.Contains(content, "Overføringsgrunnlag: Standard contractual clauses 2021/914\n") || !strings.Contains(content, "Trer i kraft: ") {
		t.Error(content)
	}
	if feed.one(t, "updated").Text != first.one(t, "updated").Text || feed.Attr["lang"] != "nb" {
		t.Error("the feed is not as new as its newest, or in no language")
	}
	again := parseXML(t, w.get("/sub-processors/feed.atom?language=en").body)
	if again.one(t, "id").Text != feed.one(t, "id").Text || again.all("entry")[1].one(t, "id").Text != feed.all("entry")[1].one(t, "id").Text {
		t.Error("ids change with the language")
	}
}

func TestAnAccountsFeedIsTheProofThatItWasFetched(t *testing.T) {
	w := newWorld(t)
	w.onTheList(nordtele)
	w.signIn()
	_, rest, _ := strings.Cut(w.get("/privacy/sub-processors").body, w.home+"/sub-processors/feed/")
	token, _, _ := strings.Cut(rest, "?")
	w.client = newClient() // a reader is not signed in
	checkAtom(t, parseXML(t, w.get("/sub-processors/feed/"+token).body))
	evidence := must(w.accounts.Evidence(t.Context(), 1, 0, 10))
	if known := evidence[0].Known; !slices.ContainsFunc(known, func(k accounts.NoticeKnown) bool { return k.How == accounts.NoticeFetched }) {
		t.Errorf("%+v", known)
	}
	for _, unknown := range []string{"fed_x", w.names.Of(secrets.Feed, 1), w.names.Of(secrets.Feed, 0)} {
		if got := w.get("/sub-processors/feed/" + unknown); got.status != http.StatusNotFound {
			t.Errorf("%s: %d", unknown, got.status)
		}
	}
}
