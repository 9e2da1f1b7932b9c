package smsqueue_test

import (
	"testing"
	"time"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

// erased takes numbers out, as the privacy desk does, and answers how many messages
// were found.
func (h *house) erased(phones ...string) (found int) {
	h.t.Helper()
	ring, err := secrets.FromFile(h.key)
	must(h.t, err)
	names, err := secrets.OpenNames(h.t.Context(), h.db, ring)
	must(h.t, err)
	marks := contacts.MarksOf(names)
	for _, phone := range phones {
		id, err := h.db.NewIDs(h.t.Context(), 1)
		must(h.t, err)
		e := marks.Of(h.account.ID, id, nil, []contacts.Mark{{Kind: contacts.MarkNumber, Mark: marks.Number(h.account.ID, phone)}})
		t, err := h.queue.Recognise(h.t.Context(), e)
		must(h.t, err)
		must(h.t, h.db.InTx(h.t.Context(), func(tx *db.Tx) error { return h.queue.Erase(h.t.Context(), tx, e, t, time.Now()) }))
		found += t.Found()
	}
	return found
}

// Ranges are looked into by the numbers at their ends. Both are erased here.
func TestAReplyFindsItsCampaignWhenTheNeighboursAreErased(t *testing.T) {
	eachMast(t, func(t *testing.T, h *house, m *mast) {
		h.number(h.account.ID, office, "")
		g := h.person()
		sent := h.sentAll(smsqueue.NewCampaign{Group: g.ID, Text: "Come home", Sender: office})
		if n := h.erased("+4740000001", "+4799999999"); n != 2 {
			t.Errorf("%d messages were found", n)
		}
		m.bring(h, said("1", "Yes"))
		if got := h.inbox(h.account.ID)[0]; got.Campaign != sent.ID {
			t.Errorf("it answers campaign %d, not %d", got.Campaign, sent.ID)
		}
		c, err := h.queue.Conversation(t.Context(), h.account.ID, handset, 0, 10)
		must(t, err)
		if len(c.Lines) != 2 || c.Lines[0].Sent == nil || c.Lines[0].Sent.Campaign != sent.ID {
			t.Errorf("%+v", c.Lines)
		}
		// The campaign's sums are as they were, and who was erased gets it no second time.
		now, err := h.queue.Campaign(t.Context(), h.account.ID, sent.ID)
		must(t, err)
		if now.Counts.Total() != sent.Counts.Total() || now.Counts[smsqueue.Sent] != sent.Counts[smsqueue.Sent] {
			t.Errorf("%v, it was %v", now.Counts, sent.Counts)
		}
		p, err := h.queue.Preview(t.Context(), h.account.ID, smsqueue.NewCampaign{Source: sent.ID, Text: "Again", Sender: office})
		must(t, err)
		if want := sent.Counts.Total() - 2; p.Recipients != want {
			t.Errorf("%d would get it again, not %d", p.Recipients, want)
		}
	})
}
