package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

// U20
func TestCampaignIsScheduledInAZoneAndChanged(t *testing.T) {
	h := openHouse(t)
	h.group(t, "Night shift", "+4791234567")
	zone, day, start := nextSkip(time.Now())
	local := day.Format("2006-01-02") + "T02:30"
	c := h.startCampaign(t, `{"group": "Night shift", "text": "Hello", "start_at": "`+local+`", "zone": "`+zone+`", "validity": 90, "windows": "mon-sun 01:00-23:00"}`)
	want := campaign{StartAt: start, StartNote: "skipped", Zone: zone, Scheduled: true, Validity: 90, Windows: "Mon-Sun 01:00-23:00", State: "accepted"}
	got := campaign{StartAt: c.StartAt, StartNote: c.StartNote, Zone: c.Zone, Scheduled: c.Scheduled, Validity: c.Validity, Windows: c.Windows, State: c.State}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	at := campaignsPath + "/" + c.ID
	if c := read[campaign](t, h.ask(t, "GET", at, ""), 200); len(c.Waits) != 1 || c.Waits[0].Code != "scheduled" || !c.Waits[0].Until.Equal(want.StartAt) {
		t.Errorf("it waits for %+v", c.Waits)
	}
	later := time.Now().Add(2 * time.Hour).UTC().Truncate(time.Second)
	c = read[campaign](t, h.ask(t, "PATCH", at, `{"start_at": "`+later.Format(time.RFC3339)+`", "validity": 0, "name": "Drill"}`), 200)
	if !c.StartAt.Equal(later) || c.Zone != zone || c.Name != "Drill" || c.Validity != 0 || c.StartNote != "" {
		t.Errorf("changed: %+v", c)
	}
	refusedAt(t, h.ask(t, "PATCH", at, `{"start_at": "2020-01-01T08:00"}`), "invalid_start_at", "/start_at")
	refusedAt(t, h.ask(t, "PATCH", at, `{"zone": "Oslo"}`), "invalid_zone", "/zone")

	for _, turn := range []struct{ verb, state string }{{"pause", "paused"}, {"resume", "accepted"}, {"cancel", "cancelled"}} {
		if c := read[campaign](t, h.ask(t, "POST", at+"/"+turn.verb, ""), 200); c.State != turn.state {
			t.Errorf("%s: %s", turn.verb, c.State)
		}
	}
	refused(t, h.ask(t, "POST", at+"/resume", ""), 409, "campaign_cancelled")
	refused(t, h.ask(t, "PATCH", at, `{"name": "Too late"}`), 409, "campaign_cancelled")
	_, key := h.other(t)
	refused(t, h.ask(t, "POST", at+"/cancel", "", bearer(key)...), 404, "campaign_not_found")
}

// nextSkip is the next day on which clocks go from 02:00 to 03:00 in Oslo, or, where that
// is hardly planned yet, in Sydney; start is what 02:30 of that day is taken for.
func nextSkip(now time.Time) (zone string, day, start time.Time) {
	for year := now.Year(); ; year++ {
		march := time.Date(year, 3, 31, 0, 0, 0, 0, time.UTC)
		march = march.AddDate(0, 0, -int(march.Weekday()))
		october := time.Date(year, 10, 7, 0, 0, 0, 0, time.UTC)
		october = october.AddDate(0, 0, -int(october.Weekday()))
		switch soonest := now.AddDate(0, 0, 2); {
		case march.After(soonest):
			return "Europe/Oslo", march, march.Add(90 * time.Minute) // 03:30 at UTC+2
		case october.After(soonest):
			return "Australia/Sydney", october, october.Add(-450 * time.Minute) // 03:30 at UTC+11
		}
	}
}

func TestACampaignHeldAtItsCeilingIsResumedUpToAnother(t *testing.T) {
	h := openHouse(t)
	h.group(t, "Night shift", "+4791234567")
	c := h.startCampaign(t, `{"group": "Night shift", "text": "Hello", "max_cost": {"amount": "0.04", "currency": "EUR"}}`)
	_, err := h.db.ExecContext(t.Context(), `UPDATE campaigns SET state = 'held', reason = 'cost_above_ceiling'`)
	must(t, err)
	at := campaignsPath + "/" + c.ID + "/resume"
	for _, body := range []string{``, `{}`, `{"max_cost": {"amount": "0.044", "currency": "EUR"}}`} {
		answer := h.ask(t, "POST", at, body)
		if !strings.Contains(string(answer.body), "0.045 EUR now") {
			t.Errorf("%s: it does not say what it costs: %s", body, answer.body)
		}
		refused(t, answer, 409, "cost_above_ceiling")
	}
	refusedAt(t, h.ask(t, "POST", at, `{"max_cost": {"amount": "1", "currency": "NOK"}}`), "invalid_max_cost", "/max_cost")
	if c := read[campaign](t, h.ask(t, "POST", at, `{"max_cost": {"amount": "0.045", "currency": "EUR"}}`), 200); c.State != "accepted" || c.MaxCost == nil || c.MaxCost.Amount != "0.045" {
		t.Errorf("resumed: %s up to %+v", c.State, c.MaxCost)
	}
}

func TestCampaignsThatCannotBePlannedAreRefused(t *testing.T) {
	h := openHouse(t)
	h.group(t, "Night shift", "+4791234567")
	for body, at := range map[string]string{
		`"start_at": "2020-01-01T08:00:00Z"`:              "invalid_start_at /start_at",
		`"start_at": "tomorrow"`:                          "invalid_start_at /start_at",
		`"start_at": "2999-01-01T08:00", "zone": "Local"`: "invalid_zone /zone",
		`"validity": 0`:                                   "invalid_validity /validity",
		`"validity": 20000`:                               "invalid_validity /validity",
		`"windows": "always"`:                             "invalid_windows /windows",
		`"windows": "Mon 08:00-09:00", "lane": "urgent"`:  "invalid_windows /windows",
	} {
		code, pointer, _ := strings.Cut(at, " ")
		refusedAt(t, h.ask(t, "POST", campaignsPath, `{"group": "Night shift", "text": "Hello", `+body+`}`), code, pointer)
	}
}

// U2, U23
func TestWhoRemainsIsListedAndSentToAgain(t *testing.T) {
	h := openHouse(t)
	h.unreachable(t)
	g := h.group(t, "Night shift", "+4791234567", "+4791234568", "+4791234569")
	c := h.startCampaign(t, `{"group": "Night shift", "text": "Hello"}`)
	id, err := h.Names.ID(secrets.Campaign, c.ID)
	must(t, err)
	h.expandAndCancel(t, id)
	at := campaignsPath + "/" + c.ID
	var phones []string
	for _, page := range pages[message](t, h, at+"/remaining?", "2") {
		for _, m := range page {
			phones = append(phones, m.To+" "+string(m.Status))
		}
	}
	if diff := cmp.Diff([]string{"+4791234569 cancelled", "+4791234568 cancelled", "+4791234567 cancelled"}, phones); diff != "" {
		t.Error(diff)
	}
	same(t, read[outcomeList](t, h.ask(t, "GET", at+"/outcomes", ""), 200), outcomeList{[]outcome{{"cancelled", "campaign_cancelled", 3}}})

	again := read[campaign](t, h.ask(t, "POST", at+"/resend", `{"statuses": ["cancelled"], "reasons": ["campaign_cancelled"]}`, "Idempotency-Key", "once"), http.StatusAccepted)
	twice := read[campaign](t, h.ask(t, "POST", at+"/resend", `{"statuses": ["cancelled"], "reasons": ["campaign_cancelled"]}`, "Idempotency-Key", "once"), http.StatusAccepted)
	if again.ID != twice.ID || again.Source != c.ID || again.Text != "Hello" || again.Group.ID != h.Names.Of(secrets.Group, g.ID) {
		t.Errorf("again %+v", again)
	}
	refusedAt(t, h.ask(t, "POST", at+"/resend", `{"statuses": ["delivered"]}`), "invalid_statuses", "/statuses/0")
	refused(t, h.ask(t, "POST", campaignsPath+"/cmp_nothing/resend", `{}`), 404, "campaign_not_found")
}

// unreachable leaves the house one carrier, at a port where nobody listens.
func (h *house) unreachable(t *testing.T) {
	t.Helper()
	must(t, h.Queue.DisableRoute(t.Context(), "main"))
	_, err := h.Queue.AddRoute(t.Context(), "nobody", "smpp", json.RawMessage(`{"addr": "127.0.0.1:1", "system_id": "varsel", "password": "secret"}`))
	must(t, err)
}

// expandAndCancel lets a worker find the recipients, whom no carrier takes, and end them.
func (h *house) expandAndCancel(t *testing.T, id int64) {
	t.Helper()
	redis := smsqueue.EmbeddedRedis()
	w, err := smsqueue.StartWorker(t.Context(), h.Queue, redis.Client, "all", func(int64) []smsqueue.Job { return nil })
	must(t, err)
	defer func() { must(t, w.Stop(context.Background())); redis.Close() }()
	until := func(reached func(smsqueue.Campaign) bool) {
		t.Helper()
		for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(5 * time.Millisecond) {
			c, err := h.Queue.Campaign(t.Context(), h.account.ID, id)
			must(t, err)
			if reached(c) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("it stands at %s %v", c.State, c.Counts)
			}
		}
	}
	until(func(c smsqueue.Campaign) bool { return c.Expanded })
	_, err = h.Queue.Cancel(t.Context(), h.account.ID, id)
	must(t, err)
	until(func(c smsqueue.Campaign) bool { return c.Counts[smsqueue.Cancelled] == c.Counts.Total() })
}

// U19, U22
func TestTheAccountsRulesAreReadAndChanged(t *testing.T) {
	h := openHouse(t)
	same(t, read[sendingRules](t, h.ask(t, "GET", sendingPath, ""), 200), sendingRules{Zone: "Europe/Oslo"})
	want := sendingRules{"Mon-Fri 08:00-20:00", true, "Europe/Warsaw", 0, 500, 10000}
	same(t, read[sendingRules](t, h.ask(t, "PATCH", sendingPath,
		`{"windows": "mon-fri 08:00-20:00", "windows_normal": true, "zone": "Europe/Warsaw", "per_day": 500, "per_month": 10000}`), 200), want)
	want.PerDay = 0
	same(t, read[sendingRules](t, h.ask(t, "PATCH", sendingPath, `{"per_day": 0}`), 200), want)
	same(t, read[sendingRules](t, h.ask(t, "GET", sendingPath, ""), 200), want)
	refusedAt(t, h.ask(t, "PATCH", sendingPath, `{"windows": "8-20"}`), "invalid_windows", "/windows")
	refusedAt(t, h.ask(t, "PATCH", sendingPath, `{"zone": "Oslo"}`), "invalid_zone", "/zone")
	refusedAt(t, h.ask(t, "PATCH", sendingPath, `{"per_day": -1}`), "invalid_per_day", "/per_day")
	same(t, read[waitList](t, h.ask(t, "GET", "/v1/waits", ""), 200), waitList{[]wait{}})
}

func TestRulesNeedAScopeOfTheirOwn(t *testing.T) {
	h := openHouse(t)
	key := h.newKey(t, h.account, "messages:write")
	refused(t, h.ask(t, "PATCH", sendingPath, `{"per_day": 1}`, bearer(key)...), 403, "missing_scope")
	rules, err := h.Queue.Rules(t.Context(), h.account.ID)
	must(t, err)
	if rules.PerDay != 0 || problem.As(err) != nil {
		t.Errorf("%+v", rules)
	}
}
