package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
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

func TestPreviewStartsNothing(t *testing.T) {
	w := newWorld(t)
	w.connect() // a group of five of whom three have a number
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

func TestTextIsCountedWhileItIsWritten(t *testing.T) { // user request 8
	w := newWorld(t)
	g := w.names.Of(secrets.Group, w.group("Everybody", 3).ID)
	w.signIn()
	for _, c := range []struct{ text, group, want string }{
		{"Hello", "", `{"characters":"5 characters","encoding":"GSM alphabet","parts":"1 part","because":"","reach":""}`},
		{strings.Repeat("a", 161), g, `{"characters":"161 characters","encoding":"GSM alphabet","parts":"2 parts","because":"",` +
			`"reach":"3 members have a number: 6 parts in all at the most."}`},
		{"Zażółć", "", `{"characters":"6 characters","encoding":"Unicode","parts":"1 part","because":"“ż” is not in the GSM alphabet, ` +
			`so the text travels as Unicode and fewer characters fit in a part.","reach":""}`},
	} {
		got := w.post("/campaigns/count", url.Values{"text": {c.text}, "group": {c.group}})
		if got.status != http.StatusOK || got.body != c.want {
			t.Errorf("%q: %d %s", c.text, got.status, got.body)
		}
	}
	if got := w.post("/campaigns/count", url.Values{"text": {strings.Repeat("a", 70_000)}}); got.status != http.StatusUnprocessableEntity {
		t.Errorf("a huge text: %d", got.status)
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
