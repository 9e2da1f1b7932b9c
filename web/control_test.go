package web_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/window"
)

func (w *world) campaignNow(c smsqueue.Campaign) smsqueue.Campaign {
	w.Helper()
	return must(w.queue.Campaign(w.Context(), c.Account, c.ID))
}

// U2
func TestACampaignIsPausedResumedAndCancelledOnItsPage(t *testing.T) {
	w := newWorld(t)
	w.carrier("main", `{}`)
	oslo := must(window.Zone("Europe/Oslo"))
	later := time.Now().In(oslo).Add(12 * time.Hour)
	from := later.Hour()*60 + later.Minute()
	var hours window.Week
	for d := range hours {
		hours[d] = []window.Span{{From: from, To: from + 1}}
	}
	must(0, w.queue.SetRules(t.Context(), w.account.ID, smsqueue.Rules{Windows: hours, Zone: "Europe/Oslo"}))
	c, name := w.start(smsqueue.NewCampaign{Group: w.group("Everybody", 3).ID, Text: "Hello", Name: "Drill"})
	w.work()
	w.until("it waits for its hours", func() bool {
		all := must(w.queue.Why(t.Context(), w.account.ID, c.ID))
		return len(all) == 1 && all[0].Code == smsqueue.WaitQuietHours
	})
	w.signIn()
	at := "/campaigns/" + name
	for _, turn := range []struct {
		verb, asks, state, says string
	}{
		{"pause", "Nothing more is sent until somebody resumes it.", "paused", "The campaign is paused"},
		{"resume", "gets it, once.", "running", "Outside the sending hours"},
		{"cancel", "It cannot go on afterwards.", "cancelled", "Not sent to: 3 (CSV)"},
	} {
		if page := w.get(at).body; !strings.Contains(page, `href="`+at+"/"+turn.verb+`"`) {
			t.Errorf("the page does not offer to %s", turn.verb)
		}
		if page := w.get(at + "/" + turn.verb).body; !strings.Contains(page, turn.asks) || !strings.Contains(page, `action="`+at+"/"+turn.verb+`"`) {
			t.Errorf("it does not ask before it does %s: %s", turn.verb, page)
		}
		if got := w.post(at+"/"+turn.verb, url.Values{}); got.status != http.StatusSeeOther || got.header.Get("Location") != at {
			t.Fatalf("%s: %d", turn.verb, got.status)
		}
		if page := w.get(at).body; !strings.Contains(page, turn.says) || string(w.campaignNow(c).State) != turn.state {
			t.Errorf("%s: it is %s, without %q", turn.verb, w.campaignNow(c).State, turn.says)
		}
	}
	// It has moved on: the page shows it as it is.
	if got := w.post(at+"/pause", url.Values{}); got.status != http.StatusSeeOther || w.campaignNow(c).State != smsqueue.CampaignCancel {
		t.Errorf("%d", got.status)
	}
	w.until("it is cleared", func() bool { return w.campaignNow(c).Counts[smsqueue.Cancelled] == 3 })
	list := w.get(at + "/not-sent.csv").body
	if strings.Count(list, "Cancelled") != 3 || !strings.Contains(list, "+4740000002") {
		t.Errorf("the list: %s", list)
	}
	w.as("viewer")
	if page := w.get(at).body; strings.Contains(page, at+"/resend") {
		t.Error("who only looks is offered to send again")
	}
	if got := w.post(at+"/resend", url.Values{}); got.status != http.StatusForbidden || len(w.campaigns()) != 1 {
		t.Errorf("who only looks sends again: %d", got.status)
	}
}

var resendLink = regexp.MustCompile(`href="(/campaigns/[^"]+/resend\?[^"]+)"`)
var formAction = regexp.MustCompile(`<form class="card" method="post" action="([^"]+)"`)

// U23
func TestWhatDidNotArriveIsSentAgainFromThePage(t *testing.T) {
	w := newWorld(t)
	w.carrier("main", `{"outcome":"undelivered"}`)
	w.work()
	c, name := w.start(smsqueue.NewCampaign{Group: w.group("Everybody", 2).ID, Text: "Hello"})
	w.finished(c)
	w.signIn()
	found := resendLink.FindStringSubmatch(w.get("/campaigns/" + name).body)
	if found == nil {
		t.Fatal("nothing is offered to be sent again")
	}
	asks := w.get(html.UnescapeString(found[1])).body
	action := formAction.FindStringSubmatch(asks)
	if action == nil || !strings.Contains(asks, "2 people get the same text") {
		t.Fatalf("it does not ask: %s", asks)
	}
	path := html.UnescapeString(action[1])
	first, second := w.post(path, url.Values{}), w.post(path, url.Values{})
	if first.status != http.StatusSeeOther || first.header.Get("Location") != second.header.Get("Location") || len(w.campaigns()) != 2 {
		t.Fatalf("%d to %s and %s", first.status, first.header.Get("Location"), second.header.Get("Location"))
	}
	again := w.campaigns()[0]
	if again.Source != c.ID || again.Text != "Hello" {
		t.Errorf("%+v", again)
	}
	w.finished(again)
	if got := w.post("/campaigns/"+name+"/resend?once=x&status=delivered&reason=", url.Values{}); got.status != http.StatusUnprocessableEntity {
		t.Errorf("what was delivered is sent again: %d", got.status)
	}
}

// U20
func TestACampaignIsPlannedInTheComposerAndChanged(t *testing.T) {
	w := newWorld(t)
	w.carrier("main", `{}`)
	g := w.group("Everybody", 1)
	w.signIn()
	zone := must(time.LoadLocation("Europe/Oslo"))
	start := time.Now().In(zone).AddDate(0, 0, 3).Truncate(time.Minute)
	form := url.Values{"once": {"a"}, "group": {w.names.Of(secrets.Group, g.ID)}, "text": {"Hello"}, "lane": {"bulk"}, "do": {"start"},
		"start": {"2020-01-01T08:00"}, "zone": {"Europe/Oslo"}, "validity": {"90"}}
	if got := w.post("/campaigns/new", form); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `id="start-wrong"`) {
		t.Fatalf("the past: %d", got.status)
	}
	form.Set("start", start.Format("2006-01-02T15:04"))
	got := w.post("/campaigns/new", form)
	at := got.header.Get("Location")
	all := w.campaigns()
	if got.status != http.StatusSeeOther || len(all) != 1 || !all[0].Start.Equal(start) || all[0].Validity != 90*time.Minute {
		t.Fatalf("%d: %+v", got.status, all)
	}
	page := w.get(at).body
	if !strings.Contains(page, start.Format("2 Jan 2006, 15:04")+" (Europe/Oslo), time left: ") || !strings.Contains(page, at+"/plan") {
		t.Errorf("the page does not say when it starts: %s", page)
	}
	plan := w.get(at + "/plan").body
	if !strings.Contains(plan, `value="`+start.Format("2006-01-02T15:04")+`"`) || !strings.Contains(plan, `value="90"`) {
		t.Errorf("the plan: %s", plan)
	}
	for field, wrong := range map[string]string{"zone": "Oslo", "start": "2020-01-01T08:00", "validity": "soon"} {
		change := url.Values{"name": {"Later"}, "start": {start.Format("2006-01-02T15:04")}, "zone": {"Europe/Oslo"}, "validity": {""}}
		change.Set(field, wrong)
		if got := w.post(at+"/plan", change); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `id="`+field+`-wrong"`) {
			t.Errorf("%s: %d", field, got.status)
		}
	}
	later := start.AddDate(0, 0, 1)
	if got := w.post(at+"/plan", url.Values{"name": {"Later"}, "start": {later.Format("2006-01-02T15:04")}, "zone": {"Europe/Oslo"}, "validity": {""}}); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if c := w.campaigns()[0]; !c.Start.Equal(later) || c.Name != "Later" || c.Validity != 0 {
		t.Errorf("%+v", c)
	}
	if page := w.get(at + "?note=twice").body; !strings.Contains(page, "The first is meant.") {
		t.Error("it is not said what the clocks did")
	}
}

// U19, U22
func TestSendingHoursAndLimitsAreSetByManagers(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	const at = "/campaigns/sending"
	w.golden("sending-en", w.get(at).body)
	form := url.Values{"windows": {"mon-fri 08:00-20:00"}, "normal": {"yes"}, "zone": {"Europe/Warsaw"}, "per_hour": {""}, "per_day": {"500"}, "per_month": {""}}
	if got := w.post(at, form); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.body)
	}
	page := w.get(at + "?saved=yes").body
	for _, part := range []string{`value="Mon-Fri 08:00-20:00"`, `value="Europe/Warsaw"`, `value="500"`, "Saved."} {
		if !strings.Contains(page, part) {
			t.Errorf("the page has no %s", part)
		}
	}
	rules := must(w.queue.Rules(t.Context(), w.account.ID))
	if rules.PerDay != 500 || !rules.Normal || rules.Windows.String() != "Mon-Fri 08:00-20:00" {
		t.Errorf("%+v", rules)
	}
	for field, wrong := range map[string]string{"windows": "8-20", "zone": "Oslo", "per_day": "many", "per_hour": "-1"} {
		change := url.Values{"windows": {""}, "zone": {"Europe/Oslo"}}
		change.Set(field, wrong)
		if got := w.post(at, change, "Accept-Language", "nb"); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `id="`+field+`-wrong"`) {
			t.Errorf("%s: %d", field, got.status)
		}
	}
	w.as("sender")
	if got := w.post(at, form); got.status != http.StatusForbidden {
		t.Errorf("a sender changes them: %d", got.status)
	}
}
