package smsqueue_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/carriers"
)

// person keeps the handset of the tests in a group, with neighbours before and after.
func (h *house) person() contacts.Group {
	h.t.Helper()
	g := h.group(h.account.ID, "All staff", 5, 0)
	ids, err := h.book.AddContacts(h.t.Context(), h.account.ID, []contacts.NewContact{{Name: "Anna Berg", Phone: handset, Region: "NO"},
		{Name: "Before", Phone: "+4740000001", Region: "NO"}, {Name: "After", Phone: "+4799999999", Region: "NO"}})
	must(h.t, err)
	_, err = h.book.AddMembers(h.t.Context(), h.account.ID, g.ID, ids)
	must(h.t, err)
	return g
}

func (h *house) sent(text, sender string) smsqueue.Message {
	h.t.Helper()
	one, err := h.queue.Send(h.t.Context(), h.account.ID, smsqueue.Single{To: handset, Text: text, Sender: sender})
	must(h.t, err)
	h.untilMessage(one, smsqueue.Sent)
	return one
}

func (h *house) sentAll(n smsqueue.NewCampaign) smsqueue.Campaign {
	h.t.Helper()
	return h.until(h.campaign(h.account.ID, n), func(c smsqueue.Campaign) bool { return c.Counts[smsqueue.Sent] == c.Counts.Total() && c.Expanded })
}

// earlier puts everything that was sent back in time.
func (h *house) earlier(hours int) {
	h.t.Helper()
	for _, statement := range []string{`UPDATE messages SET queued_at = queued_at - $1`, `UPDATE campaigns SET started_at = started_at - $1 WHERE started_at > 0`} {
		_, err := h.db.ExecContext(h.t.Context(), statement, int64(hours)*3600000)
		must(h.t, err)
	}
}

func TestAReplyIsMatchedToWhatItAnswers(t *testing.T) {
	const desk = "+4759440001"
	eachMast(t, func(t *testing.T, h *house, m *mast) {
		h.number(h.account.ID, office, "")
		h.number(h.account.ID, desk, "")
		g := h.person()
		n := 0
		answers := func(to string, campaign smsqueue.Campaign, message int64) {
			t.Helper()
			n++
			one := said(fmt.Sprint(n), "Yes")
			one.To = to
			m.bring(h, one)
			got := h.inbox(h.account.ID)[0]
			if got.Campaign != campaign.ID || got.CampaignName != campaign.Name || message != 0 && got.Message != message || (campaign.ID != 0) != (got.Message != 0) && message == 0 {
				t.Errorf("reply %d answers campaign %q and message %d, not %q and %d", n, got.CampaignName, got.Message, campaign.Name, message)
			}
		}
		none := smsqueue.Campaign{}
		answers(office, none, 0)

		one := h.sent("one", office)
		answers(office, none, one.ID)
		answers(desk, none, one.ID) // from another number: still the only thing that was said
		two := h.sent("two", desk)
		answers(office, none, one.ID) // the number that was texted goes before the newest
		answers(desk, none, two.ID)

		three := h.sentAll(smsqueue.NewCampaign{Group: g.ID, Text: "three", Sender: office})
		answers(office, three, 0)
		answers(desk, none, two.ID)
		h.sentAll(smsqueue.NewCampaign{Group: g.ID, Text: "four", Sender: "ACME"})
		answers(office, three, 0)
		five := h.sent("five", "ACME")
		h.number(h.account.ID, "2440", "")
		answers("2440", none, five.ID) // nothing was sent from it: the newest
		six := h.sentAll(smsqueue.NewCampaign{Group: g.ID, Text: "six", Sender: "ACME"})
		answers("2440", six, 0)

		roll := h.sentAll(smsqueue.NewCampaign{Group: g.ID, Text: "Are you safe?", Sender: desk, Asks: safety()})
		seven := h.sent("seven", office)
		answers(office, roll, 0) // one that is open goes before all
		_, err := h.queue.CloseRollCall(t.Context(), h.account.ID, roll.ID)
		must(t, err)
		answers(office, none, seven.ID)
		answers(desk, roll, 0)

		h.earlier(71)
		answers(office, none, seven.ID)
		answers(desk, roll, 0)
		h.earlier(2)
		answers(office, none, 0)
		answers(desk, none, 0)

		got, err := h.queue.Inbound(t.Context(), h.account.ID, smsqueue.InboundFilter{Campaign: three.ID, Limit: 10})
		must(t, err)
		if len(got) != 2 {
			t.Errorf("%d replies to a campaign with two", len(got))
		}
	})
}

func TestAnOpenRollCallIsAnsweredHoweverLongAgoItBegan(t *testing.T) {
	eachMast(t, func(t *testing.T, h *house, m *mast) {
		h.number(h.account.ID, office, "")
		g := h.person()
		asks := safety()
		asks.Close *= 24 * 5
		roll := h.sentAll(smsqueue.NewCampaign{Group: g.ID, Text: "Are you safe?", Asks: asks})
		h.earlier(100)
		one := cut(3, "safe!") // in parts
		m.bring(h, one...)
		stranger := said("2", "1")
		stranger.From = "+4741234568" // was not asked
		m.bring(h, stranger)
		same(t, "counts", h.tally(roll).RollTally, smsqueue.RollTally{Asked: 8, By: map[string]int{"1": 1}, Unanswered: 7})
		if got := h.inbox(h.account.ID)[0]; got.From != stranger.From || got.Campaign != 0 {
			t.Errorf("who was not asked answers %+v", got)
		}
		h.earlier(21)
		m.bring(h, said("3", "2"))
		same(t, "counts after its time", h.tally(roll).RollTally, smsqueue.RollTally{Asked: 8, By: map[string]int{"1": 1}, Unanswered: 7})
	})
}

func TestTheInboxShowsWhatNobodyHasDealtWith(t *testing.T) {
	eachMast(t, func(t *testing.T, h *house, m *mast) {
		h.number(h.account.ID, office, "")
		g := h.person()
		h.sentAll(smsqueue.NewCampaign{Group: g.ID, Text: "Are you safe?", Asks: safety()})
		m.bring(h, said("1", "safe"))
		m.bring(h, said("2", "Where do we meet?"))
		other := said("3", "Hello")
		other.From = number(3)
		m.bring(h, other)
		open := func() (texts []string) {
			all, err := h.queue.Inbound(t.Context(), h.account.ID, smsqueue.InboundFilter{Open: true, Limit: 10})
			must(t, err)
			for _, one := range all {
				texts = append(texts, one.Text)
			}
			return texts
		}
		same(t, "what is open", open(), []string{"Hello", "Where do we meet?"})
		all := h.inbox(h.account.ID)
		for range 2 {
			got, err := h.queue.HandleInbound(t.Context(), h.account.ID, all[1].ID, true)
			must(t, err)
			if got.Handled.IsZero() || got.Open() {
				t.Errorf("%+v", got)
			}
		}
		same(t, "after it was dealt with", open(), []string{"Hello"})
		_, err := h.queue.HandleInbound(t.Context(), h.account.ID, all[1].ID, false)
		must(t, err)
		same(t, "after it was not", open(), []string{"Hello", "Where do we meet?"})
		if _, err := h.queue.HandleInbound(t.Context(), h.open("other").ID, all[1].ID, true); !problem.Has(err, "inbound_not_found") {
			t.Error(err)
		}
		same(t, "after another account's try", open(), []string{"Hello", "Where do we meet?"})
		byPerson, err := h.queue.Inbound(t.Context(), h.account.ID, smsqueue.InboundFilter{Contact: all[0].Contact, Limit: 10})
		must(t, err)
		if len(byPerson) != 1 || all[0].Contact == 0 || byPerson[0].Text != "Hello" {
			t.Errorf("%+v", byPerson)
		}
	})
}

func TestAConversationHoldsEverythingOnceNewestLast(t *testing.T) {
	eachMast(t, func(t *testing.T, h *house, m *mast) {
		h.number(h.account.ID, office, "")
		g := h.person()
		var want []string
		for i := range 6 {
			h.sent(fmt.Sprintf("single %d", i), "")
			h.sentAll(smsqueue.NewCampaign{Group: g.ID, Text: fmt.Sprintf("to all %d", i), Name: "Round", Sender: office})
			m.bring(h, said(fmt.Sprint(i), fmt.Sprintf("reply %d", i)))
			neighbour := said(fmt.Sprint("n", i), "not hers")
			neighbour.From = number(1)
			m.bring(h, neighbour)
			want = append(want, fmt.Sprintf("single %d", i), fmt.Sprintf("to all %d", i), fmt.Sprintf("reply %d", i))
		}
		for _, limit := range []int{50, 18, 17, 5, 1} {
			var got []string
			before := int64(0)
			for {
				c, err := h.queue.Conversation(t.Context(), h.account.ID, handset, before, limit)
				must(t, err)
				if len(c.Lines) > limit || c.ContactName != "Anna Berg" || c.From != office {
					t.Fatalf("%d lines, %+v", len(c.Lines), c)
				}
				var texts []string
				for _, l := range c.Lines {
					if l.Sent != nil {
						texts = append(texts, l.Sent.Text)
					} else {
						texts = append(texts, l.Received.Text)
						if l.CampaignName != "Round" {
							t.Errorf("%q answers %q", l.Received.Text, l.CampaignName)
						}
					}
				}
				got = slices.Concat(texts, got)
				if before = c.Older; before == 0 {
					break
				}
			}
			same(t, fmt.Sprintf("pages of %d", limit), got, want)
		}
		other := h.open("other")
		c, err := h.queue.Conversation(t.Context(), other.ID, handset, 0, 50)
		must(t, err)
		if len(c.Lines) != 0 || c.ContactName != "" || c.From != "" {
			t.Errorf("another account sees %+v", c)
		}
	})
}

func TestAnAnswerGoesFromTheNumberThatWasTexted(t *testing.T) {
	eachMast(t, func(t *testing.T, h *house, m *mast) {
		h.number(h.account.ID, "2440", "")
		h.number(h.account.ID, office, "main")
		from := func(to, want string) {
			t.Helper()
			m.bring(h, carriers.Inbound{From: handset, To: to, Text: "Hello", Part: 1, Parts: 1})
			c, err := h.queue.Conversation(t.Context(), h.account.ID, handset, 0, 5)
			must(t, err)
			if c.From != want {
				t.Errorf("the answer to a text to %s goes from %q", to, c.From)
			}
		}
		from("2440", "2440")
		from(office, office)
		_, err := h.queue.AddRoute(t.Context(), "another", "mast", []byte(`{}`))
		must(t, err)
		must(t, h.queue.RemoveNumber(t.Context(), "2440", ""))
		h.number(h.account.ID, "2440", "another")
		_, err = h.db.ExecContext(t.Context(), `UPDATE inbound SET number = '2440'`)
		must(t, err)
		c, err := h.queue.Conversation(t.Context(), h.account.ID, handset, 0, 5)
		must(t, err)
		if c.From != "" {
			t.Errorf("it would go from %q, which is at another carrier", c.From)
		}
	})
}

// In a roll call 'help' is not a question about the service, and stop still is what
// it says. // U21
func TestWordsThatAskForSomethingInARollCall(t *testing.T) {
	eachMast(t, func(t *testing.T, h *house, m *mast) {
		h.number(h.account.ID, office, "")
		g := h.person()
		roll := h.sentAll(smsqueue.NewCampaign{Group: g.ID, Text: "Are you safe?", Asks: safety()})
		actions := func(id, text, action string, want smsqueue.RollTally) {
			t.Helper()
			m.bring(h, said(id, text))
			if got := h.inbox(h.account.ID)[0]; got.Action != action || got.Campaign != roll.ID {
				t.Errorf("%q is %q to campaign %d", text, got.Action, got.Campaign)
			}
			same(t, text, h.tally(roll).RollTally, want)
		}
		actions("1", "HELP", smsqueue.ActionAnswer, smsqueue.RollTally{Asked: 8, By: map[string]int{"2": 1}, Unanswered: 7})
		actions("2", "1", smsqueue.ActionAnswer, smsqueue.RollTally{Asked: 8, By: map[string]int{"1": 1}, Unanswered: 7})
		actions("3", "info", "", smsqueue.RollTally{Asked: 8, Unclear: 1, Unanswered: 7})
		actions("4", "STOP", "stop", smsqueue.RollTally{Asked: 8, Unclear: 1, Unanswered: 7})
	})
}
