package smsqueue_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
)

// on is a number as the SMSC sees it.
func on(i int) string { return strings.TrimPrefix(number(i), "+") }

// saw is the numbers of those whom the SMSC saw with a text.
func (h *house) saw(text string) (people []string) {
	for phone := range h.smsc.Numbers() {
		if slices.Contains(h.smsc.Texts(phone), text) {
			people = append(people, phone)
		}
	}
	slices.Sort(people)
	return people
}

// U23
func TestACampaignGoesToThoseWhomAnEarlierOneDidNotReach(t *testing.T) {
	const people = 700 // two ranges
	undelivered, refused := []int{3, 4, 650}, []int{10, 699}
	faults := smscsim.Faults{ReceiptDelay: 10 * time.Millisecond, Fail: map[string]string{}, SubmitStatusFor: map[string]uint32{}}
	for _, i := range undelivered {
		faults.Fail[on(i)] = "UNDELIV"
	}
	for _, i := range refused {
		faults.SubmitStatusFor[on(i)] = 0x0B
	}
	eachHouse(t, faults, func(t *testing.T, h *house) {
		h.route(100, 0)
		h.work()
		g := h.group(h.account.ID, "All staff", people, 0)
		first := h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "first"}), finished)

		cases := map[string]struct {
			filter smsqueue.AudienceFilter
			want   []int
		}{
			"undelivered": {smsqueue.AudienceFilter{Statuses: []smsqueue.Status{smsqueue.Undelivered}}, undelivered},
			"both":        {smsqueue.AudienceFilter{Statuses: []smsqueue.Status{smsqueue.Undelivered, smsqueue.Rejected}}, slices.Concat(undelivered, refused)},
			"by reason":   {smsqueue.AudienceFilter{Reasons: []string{"rejected"}}, refused},
			"too early":   {smsqueue.AudienceFilter{Reasons: []string{"rejected"}, To: first.Created}, nil},
			"in time":     {smsqueue.AudienceFilter{Reasons: []string{"rejected"}, From: first.Created}, refused},
		}
		for _, text := range slices.Sorted(maps.Keys(cases)) {
			c := cases[text]
			h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Source: first.ID, Filter: c.filter, Text: text}), finished)
			var want []string
			for _, i := range c.want {
				want = append(want, on(i))
			}
			slices.Sort(want)
			if diff := cmp.Diff(want, h.sawOrRefused(text, refused)); diff != "" {
				t.Errorf("%s: %s", text, diff)
			}
		}
		other := h.open("other").ID
		_, err := h.queue.StartCampaign(t.Context(), other, smsqueue.NewCampaign{Source: first.ID, Text: "not theirs"})
		if !problem.Has(err, "campaign_not_found") {
			t.Errorf("another account's campaign: %v", err)
		}
	})
}

// sawOrRefused adds those whom the SMSC refuses: their message stands as rejected.
func (h *house) sawOrRefused(text string, refused []int) []string {
	h.t.Helper()
	saw := h.saw(text)
	for _, i := range refused {
		n, err := db.Column[int64](h.t.Context(), h.db, `
			SELECT m.id FROM messages m JOIN campaigns c ON c.id = m.campaign_id WHERE c.body = $1 AND m.phone = $2`, text, number(i))
		must(h.t, err)
		if len(n) > 0 {
			saw = append(saw, on(i))
		}
	}
	slices.Sort(saw)
	return saw
}

// A reminder goes to those who have not answered.
func TestACampaignGoesToThoseWhoHaveNotAnsweredAnEarlierOne(t *testing.T) {
	eachHouse(t, smscsim.Faults{ReceiptDelay: 10 * time.Millisecond}, func(t *testing.T, h *house) {
		h.route(100, 0)
		h.work()
		g := h.group(h.account.ID, "All staff", 5, 0)
		first := h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Are you well?"}), finished)
		for _, i := range []int{1, 3} {
			_, err := h.db.ExecContext(t.Context(), `
				INSERT INTO roll_answers (campaign_id, phone, choice, inbound_id, answered_at) VALUES ($1, $2, 'yes', $3, 1)`, first.ID, number(i), i)
			must(t, err)
		}
		h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Source: first.ID, Filter: smsqueue.AudienceFilter{Unanswered: true}, Text: "Please answer"}), finished)
		if diff := cmp.Diff([]string{on(0), on(2), on(4)}, h.saw("Please answer")); diff != "" {
			t.Error(diff)
		}
	})
}
