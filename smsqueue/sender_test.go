package smsqueue_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
)

func TestAnAccountSendsAsWhatItsListHas(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(10, 0)
		send := func(sender string) error {
			_, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(1), Text: "Hello", Sender: sender})
			return err
		}
		must(t, send("Other"))
		_, err := h.queue.AllowSender(t.Context(), h.account.ID, " ACME ")
		must(t, err)
		_, err = h.queue.AllowSender(t.Context(), h.account.ID, "ACME")
		must(t, err)
		must(t, send(""))
		if err := send("Other"); !problem.Has(err, "invalid_sender") {
			t.Error(err)
		}
		g := h.group(h.account.ID, "All staff", 1, 0)
		if _, err := h.queue.StartCampaign(t.Context(), h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello", Sender: "Other"}); !problem.Has(err, "invalid_sender") {
			t.Error(err)
		}
		if _, err := h.queue.AllowSender(t.Context(), h.account.ID, "x"); !problem.Has(err, "invalid_sender") {
			t.Error(err)
		}
		list, err := h.queue.AllowedSenders(t.Context(), h.account.ID)
		must(t, err)
		if len(list) != 1 || list[0].Sender != "ACME" || list[0].Created.IsZero() {
			t.Errorf("%+v", list)
		}
		must(t, h.queue.DisallowSender(t.Context(), h.account.ID, "ACME"))
		must(t, send("Other"))
		if err := h.queue.DisallowSender(t.Context(), h.account.ID, "ACME"); !problem.Has(err, "sender_not_found") {
			t.Error(err)
		}
	})
}

func TestACountryThatDoesNotTakeTheSenderGetsNothing(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(10, 0)
		h.work()
		abroad := map[string]string{"Ann": "+14155550123", "Ben": "+14155550123", "Carla": "+34612345678", "Dag": number(1)}
		var people []contacts.NewContact
		for name, phone := range abroad {
			people = append(people, contacts.NewContact{Name: name, Phone: phone, Region: "NO"})
		}
		ids, err := h.book.AddContacts(t.Context(), h.account.ID, people)
		must(t, err)
		g, err := h.book.AddGroup(t.Context(), h.account.ID, "Abroad", ids)
		must(t, err)
		run := func(sender string) smsqueue.Campaign {
			return h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello", Sender: sender}), finished)
		}
		for to, refused := range map[string]bool{"+14155550123": true, "+34612345678": true, number(1): false} {
			_, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: to, Text: "Hello"})
			if problem.Has(err, "invalid_sender") != refused {
				t.Errorf("%s: %v", to, err)
			}
		}
		c := run("ACME")
		if diff := cmp.Diff(smsqueue.LeftOut{SenderRefused: 3}, c.LeftOut); diff != "" || c.Counts[smsqueue.Delivered] != 1 {
			t.Errorf("%v %s", c.Counts, diff)
		}
		_, err = h.queue.AllowSender(t.Context(), h.account.ID, "ACME")
		must(t, err)
		if c = run("ACME"); c.LeftOut.SenderRefused != 2 || c.Counts[smsqueue.Delivered] != 2 {
			t.Errorf("%v %+v", c.Counts, c.LeftOut)
		}
		_, err = h.queue.AllowSender(t.Context(), h.account.ID, "+4798765432")
		must(t, err)
		if c = run("+4798765432"); c.LeftOut.SenderRefused != 0 || c.Counts[smsqueue.Delivered] != 3 {
			t.Errorf("%v %+v", c.Counts, c.LeftOut)
		}
	})
}
