package smsqueue_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/rollcall"
)

// safety is the question of the tests: 1 is safe, 2 needs help.
func safety() *rollcall.Question {
	return &rollcall.Question{Choices: rollcall.Suggest("en").Choices, Close: time.Hour}
}

// says lets people text, and waits until all of it is stored.
func (h *house) says(account int64, to string, texts map[int]string) {
	h.t.Helper()
	before := h.inboundCount(account)
	for i, text := range texts {
		must(h.t, h.smsc.Say(on(i), strings.TrimPrefix(to, "+"), text))
	}
	h.eventually(func() bool { return h.inboundCount(account) == before+len(texts) })
}

func (h *house) inboundCount(account int64) (n int) {
	h.t.Helper()
	must(h.t, h.db.QueryRowContext(h.t.Context(), `SELECT COUNT(*) FROM inbound WHERE account_id = $1`, account).Scan(&n))
	return n
}

func (h *house) tally(c smsqueue.Campaign) smsqueue.RollCount {
	h.t.Helper()
	count, err := h.queue.CountRollCall(h.t.Context(), c.Account, c.ID)
	must(h.t, err)
	return count
}

func (h *house) people(c smsqueue.Campaign, f smsqueue.RollFilter) (all []smsqueue.RollPerson) {
	h.t.Helper()
	f.Limit = 7
	for {
		some, err := h.queue.RollPeople(h.t.Context(), c.Account, c.ID, f)
		must(h.t, err)
		all = append(all, some...)
		if len(some) < f.Limit {
			return all
		}
		f.After = some[len(some)-1].Message
	}
}

func phones(people []smsqueue.RollPerson) (all []string) {
	for _, p := range people {
		all = append(all, p.Phone)
	}
	return all
}

func numbers(from, to int) (all []string) {
	for i := from; i < to; i++ {
		all = append(all, number(i))
	}
	return all
}

func same[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: want(-) got(+):\n%s", what, diff)
	}
}

// rollHouse is a house whose 200 people are in a group of all, and in two that
// overlap: the first 120, and the last 100.
func rollHouse(h *house) (everybody contacts.Group) {
	h.t.Helper()
	h.route(100, 0)
	h.work()
	h.number(h.account.ID, office, "")
	var list []contacts.NewContact
	for i := range 200 {
		list = append(list, contacts.NewContact{Name: fmt.Sprintf("Person %d", i), Phone: number(i), Region: "NO"})
	}
	ids, err := h.book.AddContacts(h.t.Context(), h.account.ID, list)
	must(h.t, err)
	for _, g := range []struct {
		name string
		ids  []int64
	}{{"Plant", ids[:120]}, {"Yard", ids[100:]}, {"Everybody", ids}} {
		everybody, err = h.book.AddGroup(h.t.Context(), h.account.ID, g.name, g.ids)
		must(h.t, err)
	}
	return everybody
}

func TestARollCallCountsWhatPeopleAnswer(t *testing.T) {
	eachHouse(t, smscsim.Faults{ReceiptDelay: 10 * time.Millisecond}, func(t *testing.T, h *house) {
		g := rollHouse(h)
		c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Are you safe?", Asks: safety()})
		if c.Sender != office || c.Lane != smsqueue.Urgent {
			t.Errorf("it is sent from %q in the lane %s", c.Sender, c.Lane)
		}
		c = h.until(c, finished)
		same(t, "before anybody answers", h.tally(c).RollTally, smsqueue.RollTally{Asked: 200, Unanswered: 200})

		first := map[int]string{}
		for i := range 110 { // 0 to 99 of Plant alone, 100 to 109 of both
			first[i] = []string{"1", " 1 safe", "SAFE", "I'm safe", "one."}[i%5]
		}
		for i := 110; i < 115; i++ { // of both
			first[i] = "2 help"
		}
		for i := 150; i < 157; i++ { // of Yard
			first[i] = []string{"where?", "1 or 2"}[i%2]
		}
		h.says(h.account.ID, office, first)
		h.says(h.account.ID, office, map[int]string{0: "2", 1: "thank you", 114: "hurry, please", 110: "1", 150: "1"}) // changes of mind

		// 0 needs help now, 1 said something else since, 114 still needs help, 110 and 150 are safe.
		want := smsqueue.RollCount{
			RollTally: smsqueue.RollTally{Asked: 200, By: map[string]int{"1": 110, "2": 5}, Unclear: 7, Unanswered: 78},
			Groups: []smsqueue.RollGroup{
				{Name: "Everybody", RollTally: smsqueue.RollTally{Asked: 200, By: map[string]int{"1": 110, "2": 5}, Unclear: 7, Unanswered: 78}},
				{Name: "Plant", RollTally: smsqueue.RollTally{Asked: 120, By: map[string]int{"1": 109, "2": 5}, Unclear: 1, Unanswered: 5}},
				{Name: "Yard", RollTally: smsqueue.RollTally{Asked: 100, By: map[string]int{"1": 12, "2": 4}, Unclear: 6, Unanswered: 78}},
			},
		}
		got := h.tally(c)
		for i := range got.Groups {
			got.Groups[i].ID = 0
		}
		same(t, "counts", got, want)

		unanswered := append(numbers(115, 150), numbers(157, 200)...)
		same(t, "who has not answered", phones(h.people(c, smsqueue.RollFilter{State: smsqueue.RollUnanswered})), unanswered)
		same(t, "who needs help", phones(h.people(c, smsqueue.RollFilter{Choice: "2"})), append(numbers(0, 1), numbers(111, 115)...))
		same(t, "unclear", phones(h.people(c, smsqueue.RollFilter{State: smsqueue.RollUnclear})), append(numbers(1, 2), numbers(151, 157)...))
		if n := len(h.people(c, smsqueue.RollFilter{State: smsqueue.RollAnswered})); n != 115 {
			t.Errorf("%d have answered", n)
		}
		alarms, err := h.queue.RollAlarms(t.Context(), h.account.ID, c, 10)
		must(t, err)
		if len(alarms) != 5 || alarms[4].Phone != number(0) || alarms[4].Name != "Person 0" || alarms[4].Text != "2" || alarms[4].Inbound == 0 {
			t.Errorf("the last to need help is not the last: %+v", alarms)
		}

		open, err := h.queue.Inbound(t.Context(), h.account.ID, smsqueue.InboundFilter{Open: true, Campaign: c.ID, Limit: 100})
		must(t, err)
		if len(open) != 7+2 { // 150 to 156 at first, and two remarks: 'thank you' and 'hurry, please'
			t.Errorf("%d are to be read", len(open))
		}

		must(t, second(h.queue.SetRollAnswer(t.Context(), h.account.ID, c.ID, number(151), "1"))) // read
		called, err := h.queue.SetRollAnswer(t.Context(), h.account.ID, c.ID, number(199), "2")
		must(t, err)
		if called.Phone != number(199) || called.Choice != "2" || called.State() != smsqueue.RollAnswered || called.Text != "" {
			t.Errorf("%+v", called)
		}
		got = h.tally(c)
		same(t, "after setting two by hand", got.RollTally, smsqueue.RollTally{Asked: 200, By: map[string]int{"1": 111, "2": 6}, Unclear: 6, Unanswered: 77})
		after, err := h.queue.Inbound(t.Context(), h.account.ID, smsqueue.InboundFilter{Open: true, Campaign: c.ID, Limit: 100})
		must(t, err)
		if len(after) != len(open)-1 {
			t.Errorf("%d are to be read after one was", len(after))
		}
	})
}

func TestAReminderGoesToThoseWhoHaveNotAnsweredAndTheirAnswersCount(t *testing.T) {
	eachHouse(t, smscsim.Faults{ReceiptDelay: 10 * time.Millisecond}, func(t *testing.T, h *house) {
		g := rollHouse(h)
		c := h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Are you safe?", Asks: safety()}), finished)
		answers := map[int]string{}
		for i := range 200 {
			if i%3 != 0 {
				answers[i] = []string{"1", "2", "hm"}[i%3]
			}
		}
		h.says(h.account.ID, office, answers)

		r, err := h.queue.RemindRollCall(t.Context(), h.account.ID, c.ID, smsqueue.Reminder{Text: "Please answer", Key: "again", RequestHash: "x"})
		must(t, err)
		again, err := h.queue.RemindRollCall(t.Context(), h.account.ID, c.ID, smsqueue.Reminder{Text: "Please answer", Key: "again", RequestHash: "x"})
		must(t, err)
		if r.Sender != office || r.Source != c.ID || r.Lane != smsqueue.Urgent || again.ID != r.ID {
			t.Errorf("%+v, then %+v", r, again)
		}
		h.until(r, finished)
		var silent []string
		for i := 0; i < 200; i += 3 {
			silent = append(silent, on(i))
		}
		same(t, "who was reminded", h.saw("Please answer"), silent)

		h.says(h.account.ID, office, map[int]string{0: "1", 3: "2"})
		same(t, "counts", h.tally(c).RollTally, smsqueue.RollTally{Asked: 200, By: map[string]int{"1": 1, "2": 68}, Unclear: 66, Unanswered: 65})
		if got := h.inbox(h.account.ID)[0]; got.Campaign != c.ID || got.Message == 0 || got.Action != smsqueue.ActionAnswer {
			t.Errorf("an answer to the reminder is %+v", got)
		}
		all, err := h.queue.Reminders(t.Context(), h.account.ID, c.ID)
		must(t, err)
		if len(all) != 1 || all[0].ID != r.ID {
			t.Errorf("%d reminders", len(all))
		}

		// Empty: the roll call's own text, to those who are left.
		r, err = h.queue.RemindRollCall(t.Context(), h.account.ID, c.ID, smsqueue.Reminder{})
		must(t, err)
		if r = h.until(r, finished); r.Text != c.Text || r.Counts.Total() != 65 {
			t.Errorf("the second reminder says %q to %d", r.Text, r.Counts.Total())
		}
	})
}

func TestAClosedRollCallKeepsAnswersAsReplies(t *testing.T) {
	eachHouse(t, smscsim.Faults{ReceiptDelay: 10 * time.Millisecond}, func(t *testing.T, h *house) {
		g := rollHouse(h)
		start := func() smsqueue.Campaign {
			return h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Are you safe?", Asks: safety()}), finished)
		}
		closed := func(c smsqueue.Campaign, want smsqueue.RollTally) {
			t.Helper()
			same(t, "counts", h.tally(c).RollTally, want)
			if got := h.inbox(h.account.ID)[0]; got.Campaign != c.ID || !got.Open() {
				t.Errorf("a late answer is %+v", got)
			}
			if _, err := h.queue.RemindRollCall(t.Context(), h.account.ID, c.ID, smsqueue.Reminder{}); !problem.Has(err, "roll_call_closed") {
				t.Errorf("a reminder: %v", err)
			}
		}
		c := start()
		h.says(h.account.ID, office, map[int]string{1: "1", 2: "2"})
		c, err := h.queue.CloseRollCall(t.Context(), h.account.ID, c.ID)
		must(t, err)
		if c.TakesAnswers(time.Now()) || c.AsksClosed.IsZero() || !c.AsksUntil().Equal(c.AsksClosed) {
			t.Errorf("%+v", c)
		}
		h.says(h.account.ID, office, map[int]string{2: "1", 3: "1"})
		closed(c, smsqueue.RollTally{Asked: 200, By: map[string]int{"1": 1, "2": 1}, Unanswered: 198})

		// A second one, whose time runs out.
		c = start()
		h.says(h.account.ID, office, map[int]string{5: "safe"})
		_, err = h.db.ExecContext(t.Context(), `UPDATE campaigns SET started_at = started_at - asks_ms WHERE id = $1`, c.ID)
		must(t, err)
		_, err = h.db.ExecContext(t.Context(), `UPDATE campaigns SET started_at = started_at - 2 * 3600000 WHERE id <> $1`, c.ID)
		must(t, err)
		h.says(h.account.ID, office, map[int]string{6: "safe"})
		closed(c, smsqueue.RollTally{Asked: 200, By: map[string]int{"1": 1}, Unanswered: 199})
	})
}

func TestAnAnswerNeverCrossesAccounts(t *testing.T) {
	const shop = "+4759450000"
	eachHouse(t, smscsim.Faults{ReceiptDelay: 10 * time.Millisecond}, func(t *testing.T, h *house) {
		h.route(100, 0)
		h.work()
		other := h.open("other")
		h.number(h.account.ID, office, "")
		h.number(other.ID, shop, "")
		ask := func(account int64) smsqueue.Campaign {
			g := h.group(account, "All staff", 20, 0)
			return h.until(h.campaign(account, smsqueue.NewCampaign{Group: g.ID, Text: "Are you safe?", Asks: safety()}), finished)
		}
		ours, theirs := ask(h.account.ID), ask(other.ID) // theirs is the newest
		h.says(h.account.ID, office, map[int]string{1: "1", 2: "2"})
		h.says(other.ID, shop, map[int]string{1: "2"})
		same(t, "ours", h.tally(ours).RollTally, smsqueue.RollTally{Asked: 20, By: map[string]int{"1": 1, "2": 1}, Unanswered: 18})
		same(t, "theirs", h.tally(theirs).RollTally, smsqueue.RollTally{Asked: 20, By: map[string]int{"2": 1}, Unanswered: 19})

		if got, err := h.queue.CountRollCall(t.Context(), h.account.ID, theirs.ID); err != nil || got.Asked != 0 {
			t.Errorf("theirs, counted by us: %+v %v", got, err)
		}
		if got, err := h.queue.RollPeople(t.Context(), h.account.ID, theirs.ID, smsqueue.RollFilter{Limit: 10}); err != nil || len(got) != 0 {
			t.Errorf("theirs, listed by us: %+v %v", got, err)
		}
		if got, err := h.queue.RollAlarms(t.Context(), h.account.ID, theirs, 10); err != nil || len(got) != 0 {
			t.Errorf("their alarms, listed by us: %+v %v", got, err)
		}
		for what, err := range map[string]error{
			"close":  second(h.queue.CloseRollCall(t.Context(), h.account.ID, theirs.ID)),
			"remind": second(h.queue.RemindRollCall(t.Context(), h.account.ID, theirs.ID, smsqueue.Reminder{})),
			"set":    second(h.queue.SetRollAnswer(t.Context(), h.account.ID, theirs.ID, number(1), "1")),
		} {
			if !problem.Has(err, "campaign_not_found") {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestARollCallNeedsASenderThatCanBeAnswered(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(10, 0)
		g := h.group(h.account.ID, "All staff", 1, 0)
		start := func(n smsqueue.NewCampaign) (smsqueue.Campaign, error) {
			n.Group, n.Text = g.ID, "Are you safe?"
			if n.Asks == nil {
				n.Asks = safety()
			}
			return h.queue.StartCampaign(t.Context(), h.account.ID, n)
		}
		refused := func(n smsqueue.NewCampaign, code string, says ...string) {
			t.Helper()
			_, err := start(n)
			if !problem.Has(err, code) {
				t.Errorf("%+v: %v", n, err)
				return
			}
			for _, words := range says {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("%q does not name %s", err, words)
				}
			}
		}
		refused(smsqueue.NewCampaign{}, "sender_not_answerable", "no number")
		h.number(h.open("other").ID, "2441", "")
		h.number(h.account.ID, "2440", "")
		refused(smsqueue.NewCampaign{Sender: "ACME"}, "sender_not_answerable", "ACME", "2440")
		refused(smsqueue.NewCampaign{Sender: "2441"}, "sender_not_answerable", "2440")
		if c, err := start(smsqueue.NewCampaign{}); err != nil || c.Sender != "2440" {
			t.Errorf("the only number is not taken: %+v %v", c, err)
		}
		h.number(h.account.ID, office, "main")
		refused(smsqueue.NewCampaign{}, "sender_not_answerable", "2440", office)
		c, err := start(smsqueue.NewCampaign{Sender: strings.TrimPrefix(office, "+"), Lane: smsqueue.Normal})
		must(t, err)
		if c.Lane != smsqueue.Normal || c.Asks == nil || c.Asks.Close != time.Hour {
			t.Errorf("%+v", c)
		}
		same(t, "the question", c.Asks.Choices, safety().Choices)
		refused(smsqueue.NewCampaign{Sender: office, Asks: &rollcall.Question{Close: time.Hour}}, "invalid_asks")

		plain := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"})
		if _, err := h.queue.CloseRollCall(t.Context(), h.account.ID, plain.ID); !problem.Has(err, "roll_call_not_found") {
			t.Error(err)
		}
		if _, err := h.queue.SetRollAnswer(t.Context(), h.account.ID, c.ID, number(0), "3"); !problem.Has(err, "invalid_choice") {
			t.Error(err)
		}
		if _, err := h.queue.SetRollAnswer(t.Context(), h.account.ID, c.ID, number(7), "1"); !problem.Has(err, "recipient_not_found") {
			t.Error(err)
		}
	})
}
