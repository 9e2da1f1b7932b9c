package smsqueue_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/window"
)

// newYorker is a number in New York, which takes messages from numbers only.
func newYorker(i int) string { return fmt.Sprintf("+1212456%04d", i) }

// hoursAround is every day from an hour before now in Oslo until two hours after:
// night or morning in New York, six hours behind.
func hoursAround(t *testing.T, now time.Time) window.Week {
	t.Helper()
	zone, err := window.Zone("Europe/Oslo")
	must(t, err)
	h := now.In(zone).Hour()
	var spans []string
	for _, h := range []int{h + 23, h, h + 1, h + 2} {
		spans = append(spans, fmt.Sprintf("Mon-Sun %02d:00-%02d:00", h%24, h%24+1))
	}
	w, err := window.Parse(strings.Join(spans, ","))
	must(t, err)
	return w
}

func (h *house) mixed(account int64, name string, phones ...string) contacts.Group {
	h.t.Helper()
	var list []contacts.NewContact
	for _, phone := range phones {
		list = append(list, contacts.NewContact{Name: phone, Phone: phone, Region: "NO"})
	}
	ids, err := h.book.AddContacts(h.t.Context(), account, list)
	must(h.t, err)
	g, err := h.book.AddGroup(h.t.Context(), account, name, ids)
	must(h.t, err)
	return g
}

// What a campaign may not send in the recipient's zone now waits for the opening
// there, and nobody else does; urgent never waits. // U19
func TestMessagesWaitForTheirWindowWhereTheRecipientIs(t *testing.T) {
	eachHouse(t, smscsim.Faults{ReceiptDelay: time.Millisecond}, func(t *testing.T, h *house) {
		h.route(50, 0)
		h.work()
		now := time.Now()
		hours := hoursAround(t, now)
		must(t, h.queue.SetRules(t.Context(), h.account.ID, smsqueue.Rules{Windows: hours, Normal: true, Zone: "Europe/Oslo"}))
		mixed := h.mixed(h.account.ID, "mixed", number(1), newYorker(1), number(2), newYorker(2))
		abroad := h.mixed(h.account.ID, "abroad", newYorker(3), newYorker(4))

		both := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: mixed.ID, Text: "both", Sender: office})
		away := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: abroad.ID, Text: "away", Sender: office})
		single, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: newYorker(5), Text: "single", Sender: office})
		must(t, err)
		both = h.until(both, func(c smsqueue.Campaign) bool { return c.Counts[smsqueue.Delivered] == 2 })
		h.eventually(func() bool { return len(h.waits(away.ID)) == 1 && len(h.waits(0)) == 1 && len(h.waits(both.ID)) == 1 })
		urgent := h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: abroad.ID, Text: "urgent", Sender: office, Lane: smsqueue.Urgent}), finished)
		if urgent.Counts[smsqueue.Delivered] != 2 {
			t.Errorf("urgent: %v", urgent.Counts)
		}
		zone, err := window.Zone("America/New_York")
		must(t, err)
		opening, found := hours.Next(now, []*time.Location{zone})
		if !found {
			t.Fatal("it never opens")
		}
		want := []waiting{{"quiet_hours", opening.UnixMilli(), true}}
		for _, id := range []int64{both.ID, away.ID, 0} {
			if diff := cmp.Diff(want, h.waits(id)); diff != "" {
				t.Errorf("campaign %d: %s", id, diff)
			}
		}
		if diff := cmp.Diff([]string{on(1), on(2)}, h.saw("both")); diff != "" || len(h.saw("away"))+len(h.saw("single")) > 0 {
			t.Errorf("outside the window: %s", diff)
		}
		// When the rules change, what waits goes by the new ones.
		must(t, h.queue.SetRules(t.Context(), h.account.ID, smsqueue.Rules{Zone: "Europe/Oslo"}))
		h.until(both, finished)
		h.until(away, finished)
		h.untilMessage(single, smsqueue.Delivered)
		for phone, times := range h.smsc.Numbers() {
			if want := 1 + strings.Count("12124560003 12124560004", phone); times != want {
				t.Errorf("%s was reached %d times", phone, times)
			}
		}
	})
}

// Somebody whose contact names a zone is there, wherever their number belongs. // U19
func TestTheZoneOfAContactComesBeforeThatOfTheNumber(t *testing.T) {
	eachHouse(t, smscsim.Faults{ReceiptDelay: time.Millisecond}, func(t *testing.T, h *house) {
		h.route(50, 0)
		h.work()
		must(t, h.queue.SetRules(t.Context(), h.account.ID, smsqueue.Rules{Windows: hoursAround(t, time.Now()), Zone: "Europe/Oslo"}))
		zones := []string{"America/New_York", "Europe/Oslo"} // the other's
		ids, err := h.book.AddContacts(t.Context(), h.account.ID, []contacts.NewContact{
			{Name: "Kari, travels", Phone: number(1), Region: "NO"}, {Name: "Jo, visits", Phone: newYorker(1), Region: "NO"}})
		must(t, err)
		for i, id := range ids {
			_, err := h.book.SetFields(t.Context(), h.account.ID, id, map[string]string{contacts.ZoneField: zones[i]})
			must(t, err)
		}
		g, err := h.book.AddGroup(t.Context(), h.account.ID, "travellers", ids)
		must(t, err)
		c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello", Sender: office})
		h.until(c, func(c smsqueue.Campaign) bool { return c.Counts[smsqueue.Delivered] == 1 })
		h.eventually(func() bool { return len(h.waits(c.ID)) == 1 })
		if diff := cmp.Diff([]string{strings.TrimPrefix(newYorker(1), "+")}, h.saw("Hello")); diff != "" {
			t.Error(diff)
		}
	})
}

type waiting struct {
	Reason string
	Due    int64
	Later  bool // its deadline counts from then
}

// waits is what the open ranges of a campaign wait for.
func (h *house) waits(campaign int64) (all []waiting) {
	h.t.Helper()
	rows, err := h.db.QueryContext(h.t.Context(), `
		SELECT reason, due_at, deadline > due_at + 47 * 3600000 FROM ranges WHERE campaign_id = $1 AND state = 'waiting' AND reason <> ''`, campaign)
	must(h.t, err)
	defer rows.Close()
	for rows.Next() {
		var w waiting
		must(h.t, rows.Scan(&w.Reason, &w.Due, &w.Later))
		all = append(all, w)
	}
	must(h.t, rows.Err())
	return all
}

// A campaign's own windows are within the account's.
func TestACampaignHasWindowsOfItsOwn(t *testing.T) {
	eachHouse(t, smscsim.Faults{ReceiptDelay: time.Millisecond}, func(t *testing.T, h *house) {
		h.route(50, 0)
		h.work()
		hours := hoursAround(t, time.Now())
		g := h.mixed(h.account.ID, "mixed", number(1), newYorker(1))
		c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "own", Sender: office, Windows: hours})
		h.until(c, func(c smsqueue.Campaign) bool { return c.Counts[smsqueue.Delivered] == 1 })
		h.eventually(func() bool { return len(h.waits(c.ID)) == 1 })

		var others window.Week
		for d := range others {
			for _, s := range hours[d] {
				others[d] = append(others[d], window.Span{From: (s.From + 6*60) % (24 * 60), To: (s.From+6*60)%(24*60) + 1})
			}
		}
		must(t, h.queue.SetRules(t.Context(), h.account.ID, smsqueue.Rules{Windows: others, Zone: "Europe/Oslo"}))
		for name, n := range map[string]smsqueue.NewCampaign{"none in common": {Windows: hours}, "urgent": {Windows: others, Lane: smsqueue.Urgent}} {
			n.Group, n.Text = g.ID, "refused"
			if _, err := h.queue.StartCampaign(t.Context(), h.account.ID, n); !problem.Has(err, "invalid_windows") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// A cap counts parts, of campaigns and single messages alike, and what is over it
// waits for the next period. Urgent messages are counted and go. // U22
func TestWhatIsOverACapWaits(t *testing.T) {
	eachHouse(t, smscsim.Faults{ReceiptDelay: time.Millisecond}, func(t *testing.T, h *house) {
		h.route(20, 0)
		h.work()
		const people, limit = 60, 51
		rules := smsqueue.Rules{Zone: "Europe/Oslo", PerMonth: limit}
		must(t, h.queue.SetRules(t.Context(), h.account.ID, rules))
		long := strings.Repeat("long ", 40) // two parts
		c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: h.group(h.account.ID, "All", people, 0).ID, Text: long})
		c = h.until(c, func(c smsqueue.Campaign) bool { return c.Counts[smsqueue.Delivered] == limit/2 })
		single, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(5000), Text: long})
		must(t, err)
		urgent, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(5001), Text: long, Lane: smsqueue.Urgent})
		must(t, err)
		h.untilMessage(urgent, smsqueue.Delivered)
		h.eventually(func() bool { return len(h.waits(c.ID)) == 1 && len(h.waits(0)) == 1 })

		zone, err := window.Zone(rules.Zone)
		must(t, err)
		y, m, _ := time.Now().In(zone).Date()
		next := []waiting{{"cap", time.Date(y, m+1, 1, 0, 0, 0, 0, zone).UnixMilli(), true}}
		for _, id := range []int64{c.ID, 0} {
			if diff := cmp.Diff(next, h.waits(id)); diff != "" {
				t.Errorf("campaign %d: %s", id, diff)
			}
		}
		if n := h.smsc.Counts().Accepted; n != limit/2*2+2 {
			t.Errorf("%d parts went", n)
		}
		sent, err := db.Column[int](t.Context(), h.db, `SELECT parts FROM sent_parts WHERE account_id = $1`, h.account.ID)
		must(t, err)
		if diff := cmp.Diff([]int{52, 52, 52}, sent); diff != "" {
			t.Errorf("counted: %s", diff)
		}
		rules.PerMonth = 1000
		must(t, h.queue.SetRules(t.Context(), h.account.ID, rules))
		h.until(c, finished)
		h.untilMessage(single, smsqueue.Delivered)
		for phone, times := range h.smsc.Numbers() {
			if times != 1 {
				t.Errorf("%s was reached %d times", phone, times)
			}
		}
	})
}

// What a carrier throttles is counted once: a cap is not used up by trying. // U22
func TestAThrottledMessageIsCountedOnce(t *testing.T) {
	eachHouse(t, smscsim.Faults{Throughput: 60, ReceiptDelay: time.Millisecond}, func(t *testing.T, h *house) {
		h.route(40, 0)
		h.work()
		const people = 60
		must(t, h.queue.SetRules(t.Context(), h.account.ID, smsqueue.Rules{Zone: "Europe/Oslo", PerDay: people}))
		c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: h.group(h.account.ID, "All", people, 0).ID, Text: "Hello"})
		c = h.until(c, finished)
		if c.Counts[smsqueue.Delivered] != people || h.smsc.Counts().Throttled == 0 {
			t.Errorf("%v, %+v", c.Counts, h.smsc.Counts())
		}
	})
}

func TestRulesThatCannotBeAreRefused(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		for code, r := range map[string]smsqueue.Rules{
			"invalid_zone":      {Zone: "Oslo"},
			"invalid_per_hour":  {PerHour: -1},
			"invalid_per_month": {PerMonth: -5},
		} {
			if err := h.queue.SetRules(t.Context(), h.account.ID, r); !problem.Has(err, code) {
				t.Errorf("%s: %v", code, err)
			}
		}
		got, err := h.queue.Rules(t.Context(), h.account.ID)
		must(t, err)
		if diff := cmp.Diff(smsqueue.Rules{Zone: "Europe/Oslo"}, got); diff != "" {
			t.Error(diff)
		}
	})
}
