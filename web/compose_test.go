package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/window"
)

func (w *world) campaigns() []smsqueue.Campaign {
	w.Helper()
	return must(w.queue.Campaigns(w.Context(), w.account.ID, 0, 100))
}

func TestCampaignIsStartedFromTheForm(t *testing.T) {
	w := newWorld(t)
	w.carrier("main", `{}`)
	g := w.group("Everybody", 3)
	w.signIn()
	form := url.Values{"once": {"a"}, "group": {w.names.Of(secrets.Group, g.ID)}, "text": {"Hi,\r\nit is on."}, "lane": {"normal"}, "name": {" A name "}, "do": {"start"}}
	got := w.post("/campaigns/new", form)
	all := w.campaigns()
	if got.status != http.StatusSeeOther || len(all) != 1 {
		t.Fatalf("%d, %d campaigns, %s", got.status, len(all), got.body)
	}
	c := all[0]
	if want := "/campaigns/" + w.names.Of(secrets.Campaign, c.ID); got.header.Get("Location") != want {
		t.Errorf("sent to %s, not to %s", got.header.Get("Location"), want)
	}
	if c.Text != "Hi,\nit is on." || c.Lane != smsqueue.Normal || c.Name != "A name" || c.Sender != "ACME" || c.Group != g.ID {
		t.Errorf("%+v", c)
	}
	again := w.post("/campaigns/new", form)
	if again.header.Get("Location") != got.header.Get("Location") || len(w.campaigns()) != 1 {
		t.Error("a double click starts two campaigns")
	}
	form.Set("text", "Something else")
	if w.post("/campaigns/new", form); len(w.campaigns()) != 2 {
		t.Error("going back and writing something else starts nothing")
	}
}

func TestACampaignHasHoursOfItsOwn(t *testing.T) { // U19
	w := newWorld(t)
	w.carrier("main", `{}`)
	g := w.names.Of(secrets.Group, w.group("Everybody", 3).ID)
	must(0, w.queue.SetRules(t.Context(), w.account.ID, smsqueue.Rules{Windows: must(window.Parse("Mon-Fri 08:00-20:00")), Zone: "Europe/Oslo"}))
	w.signIn()
	w.has(w.get("/campaigns/new"), 200, "The account sends Mon-Fri 08:00-20:00.")
	form := url.Values{"once": {"a"}, "group": {g}, "text": {"Hi"}, "lane": {"bulk"}, "do": {"start"}}
	for wrong, says := range map[string]string{"always": "Write the hours as in", "Sat 10:00-12:00": "within the account&#39;s own"} {
		form.Set("windows", wrong)
		w.has(w.post("/campaigns/new", form), 422, says, `href="#windows"`, `value="`+wrong+`"`)
	}
	form.Set("windows", "mon-fri 09:00-16:00")
	form.Set("lane", "urgent")
	w.has(w.post("/campaigns/new", form), 422, "An urgent campaign goes at once", `href="#windows"`)
	form.Set("lane", "bulk")
	started := w.post("/campaigns/new", form)
	all := w.campaigns()
	if len(all) != 1 || all[0].Windows.String() != "Mon-Fri 09:00-16:00" {
		t.Fatalf("%d %+v", started.status, all)
	}
	w.has(w.get(started.header.Get("Location")), 200, "<dd>Mon-Fri 09:00-16:00</dd>")
}

func TestPreviewStartsNothing(t *testing.T) {
	w := newWorld(t)
	w.connect() // a group of five of whom three have a number
	w.carrier("main", `{}`)
	groups := must(w.book.Groups(t.Context(), w.account.ID, 0, 10))
	w.signIn()
	got := w.post("/campaigns/new", url.Values{"once": {"a"}, "group": {w.names.Of(secrets.Group, groups[0].ID)},
		"text": {"Gęślą jaźń <b>&amp; co</b>"}, "lane": {"bulk"}, "do": {"preview"}})
	w.golden("compose-preview-en", got.body)
	if got.status != http.StatusOK || len(w.campaigns()) != 0 {
		t.Errorf("%d, %d campaigns", got.status, len(w.campaigns()))
	}
}

func TestFormSaysWhatIsWrongAndKeepsWhatWasEntered(t *testing.T) {
	w := newWorld(t)
	g := w.names.Of(secrets.Group, w.group("Everybody", 3).ID)
	w.signIn()
	full := func(change ...string) url.Values {
		form := url.Values{"once": {"a"}, "group": {g}, "text": {"The text <that> was entered"}, "lane": {"bulk"}, "do": {"start"}}
		for i := 0; i < len(change); i += 2 {
			form.Set(change[i], change[i+1])
		}
		return form
	}
	long := strings.Repeat("0123456789", 160)
	noCarrier := w.post("/campaigns/new", full())
	if noCarrier.status != http.StatusConflict || !strings.Contains(noCarrier.body, "No carrier is set up") ||
		!strings.Contains(noCarrier.body, "The text &lt;that&gt; was entered</textarea>") {
		t.Errorf("without a carrier: %d", noCarrier.status)
	}
	w.carrier("main", `{}`)
	for _, c := range []struct {
		what   string
		form   url.Values
		field  string
		status int
	}{
		{"no group", full("group", ""), "group", 422},
		{"a group of nobody", full("group", "grp_x"), "group", 404},
		{"no text", full("text", " \r\n"), "text", 422},
		{"a text that is too long", full("text", long), "text", 422},
		{"a bad sender", full("sender", "!"), "sender", 422},
		{"no such lane", full("lane", "slow"), "lane", 422},
	} {
		got := w.post("/campaigns/new", c.form)
		if got.status != c.status {
			t.Errorf("%s: %d", c.what, got.status)
		}
		for _, want := range []string{`href="#` + c.field + `"`, `id="` + c.field + `-wrong"`, `role="alert"`} {
			if !strings.Contains(got.body, want) {
				t.Errorf("%s: the page lacks %s", c.what, want)
			}
		}
		if c.field != "text" && !strings.Contains(got.body, "The text &lt;that&gt; was entered</textarea>") {
			t.Errorf("%s: the text is lost", c.what)
		}
	}
	w.golden("compose-wrong-nb", w.post("/campaigns/new", full("text", "", "sender", "!"), "Accept-Language", "nb").body)
	if len(w.campaigns()) != 0 {
		t.Error("a campaign was started")
	}
}

// counted is what the form is told while a text is written.
type counted struct {
	Characters, Encoding, Parts, Left, Because, Saves, Plain, Reach, Sent string
}

func (w *world) count(form url.Values, headers ...string) (n counted) {
	w.Helper()
	got := w.post("/campaigns/count", form, headers...)
	if err := json.Unmarshal([]byte(got.body), &n); got.status != http.StatusOK || err != nil {
		w.Fatalf("%v: %d %s", form, got.status, got.body)
	}
	return n
}

func TestTextIsCountedWhileItIsWritten(t *testing.T) { // U8
	w := newWorld(t)
	g := w.names.Of(secrets.Group, w.group("Everybody", 3).ID)
	w.signIn()
	long := strings.Repeat("a", 161)
	for _, c := range []struct {
		text, group string
		want        counted
	}{
		{"", "", counted{Characters: "0 characters", Encoding: "GSM alphabet", Parts: "1 part", Left: "160 left in this part"}},
		{"Hello", "", counted{Characters: "5 characters", Encoding: "GSM alphabet", Parts: "1 part", Left: "155 left in this part", Sent: "Hello"}},
		{long, g, counted{Characters: "161 characters", Encoding: "GSM alphabet", Parts: "2 parts", Left: "143 left in this part", Sent: long,
			Reach: "3 members have a number: 6 parts in all at the most."}},
		{"Zażółć", "", counted{Characters: "6 characters", Encoding: "Unicode", Parts: "1 part", Left: "64 left in this part", Sent: "Zażółć",
			Because: "Not in the GSM alphabet, with the place in the text: ż\u00a0(3), ó\u00a0(4), ł\u00a0(5), ć\u00a0(6). The text travels as Unicode, and fewer characters fit in a part."}},
		{"яąяяяя\t\u00a0\u200b👩‍👧é", "", counted{Characters: "13 characters", Encoding: "Unicode", Parts: "1 part", Left: "55 left in this part", Sent: "яąяяяя\t\u00a0\u200b👩‍👧é",
			Because: "Not in the GSM alphabet, with the place in the text: я\u00a0(1, 3, 4, …), ą\u00a0(2), tab\u00a0(7), special space U+00A0\u00a0(8), " +
				"invisible character U+200B\u00a0(9) and 1 other. The text travels as Unicode, and fewer characters fit in a part."}},
	} {
		if diff := cmp.Diff(c.want, w.count(url.Values{"text": {c.text}, "group": {c.group}})); diff != "" {
			t.Errorf("%q:\n%s", c.text, diff)
		}
	}
	if got := w.post("/campaigns/count", url.Values{"text": {strings.Repeat("a", 70_000)}}); got.status != http.StatusUnprocessableEntity {
		t.Errorf("a huge text: %d", got.status)
	}
}

var polish = strings.Repeat("Zażółć gęślą jaźń. ", 5)

func TestPlainCharactersAreOfferedWhenTheySave(t *testing.T) { // U8
	w := newWorld(t)
	w.signIn()
	plain := strings.Repeat("Zazolc gesla jazn. ", 5)
	for _, c := range []struct {
		what       string
		form       url.Values
		language   string
		want, sent string
	}{
		{"cheaper", url.Values{"text": {polish}}, "en", "1 part instead of 2. This is how it reads:", polish},
		{"in Norwegian", url.Values{"text": {polish}}, "nb", "1 del i stedet for 2. Slik blir teksten:", polish},
		{"in Polish", url.Values{"text": {polish}}, "pl", "1 część zamiast 2. Tak będzie brzmiał tekst:", polish},
		{"chosen", url.Values{"text": {polish}, "transliterate": {"yes"}}, "en", "1 part instead of 2. This is how it reads:", plain},
		{"no cheaper", url.Values{"text": {"Zażółć"}}, "en", "", "Zażółć"},
		{"no cheaper but chosen", url.Values{"text": {"Zażółć"}, "transliterate": {"yes"}}, "en", "It saves nothing with this text. This is how it reads:", "Zazolc"},
		{"nothing to write otherwise", url.Values{"text": {strings.Repeat("я", 80)}}, "en", "", strings.Repeat("я", 80)},
	} {
		got := w.count(c.form, "Accept-Language", c.language)
		if got.Saves != c.want || got.Sent != c.sent || (got.Plain == "") != (c.want == "") {
			t.Errorf("%s: %+v", c.what, got)
		}
	}
}

// Without JavaScript the offer comes with the preview.
func TestPlainCharactersAreSentOnlyWhenChosen(t *testing.T) { // U8
	w := newWorld(t)
	w.carrier("main", `{}`)
	g := w.names.Of(secrets.Group, w.group("Everybody", 3).ID)
	w.signIn()
	form := func(do string, more ...string) url.Values {
		f := url.Values{"once": {"a"}, "group": {g}, "text": {polish}, "lane": {"bulk"}, "do": {do}}
		if len(more) > 0 {
			f.Set("transliterate", more[0])
		}
		return f
	}
	empty := w.get("/campaigns/new").body
	if !strings.Contains(empty, `data-offer hidden>`) {
		t.Error("an empty form offers something")
	}
	offered := w.post("/campaigns/new", form("preview"), "Accept-Language", "pl").body
	w.golden("compose-plain-offered-pl", offered)
	w.golden("compose-plain-chosen-nb", w.post("/campaigns/new", form("preview", "yes"), "Accept-Language", "nb").body)

	w.post("/campaigns/new", form("start"))
	w.post("/campaigns/new", form("start", "yes"))
	all := w.campaigns()
	if len(all) != 2 || all[1].Text != polish || all[1].Parts != 2 || all[0].Parts != 1 ||
		all[0].Text != strings.Repeat("Zazolc gesla jazn. ", 5) {
		t.Errorf("%+v", all)
	}
}

func TestGroupsLeadToTheForm(t *testing.T) {
	w := newWorld(t)
	name := w.names.Of(secrets.Group, w.group("Everybody", 3).ID)
	w.signIn()
	if !strings.Contains(w.get("/groups").body, `href="/campaigns/new?group=`+name+`"`) {
		t.Error("the list of groups does not lead to the form")
	}
	chosen := regexp.MustCompile(`<option value="` + name + `" selected>`)
	if !chosen.MatchString(w.get("/campaigns/new?group=" + name).body) {
		t.Error("the form does not have the group chosen")
	}
}
