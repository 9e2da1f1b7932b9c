package smsqueue_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/events"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
)

// told is what is told of a type to who subscribed to it, in the order of events.
func (h *house) told(kind string) (all []map[string]any) {
	h.t.Helper()
	data, err := db.Column[string](h.t.Context(), h.db, `SELECT data FROM events WHERE account_id = $1 AND type = $2 ORDER BY id`, h.account.ID, kind)
	must(h.t, err)
	for _, one := range data {
		var what map[string]any
		dec := json.NewDecoder(strings.NewReader(one))
		dec.UseNumber()
		must(h.t, dec.Decode(&what))
		for key, value := range what {
			if n, is := value.(json.Number); is {
				what[key], err = n.Int64()
				must(h.t, err)
			}
		}
		all = append(all, what)
	}
	return all
}

func (h *house) wants(kinds ...string) {
	h.t.Helper()
	for _, kind := range kinds {
		must(h.t, events.Subscribe(h.t.Context(), h.db, h.account.ID, kind, "test"))
	}
}

// U21
func TestWhoIsSuppressedIsToldInTheSameTransaction(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(10, 0)
		h.number(h.account.ID, office, "")
		h.work()
		h.textsUs(handset, "STOP")
		h.textsUs(handset, "START") // nobody wants to know yet
		h.wants("suppression.added", "suppression.lifted")
		ids := func(phone string) (all []int64) {
			some, err := h.queue.Suppressions(t.Context(), h.account.ID, smsqueue.SuppressionFilter{Phone: phone, Lifted: true, Limit: 10})
			must(t, err)
			for _, s := range some {
				all = append(all, s.ID)
			}
			return all
		}
		h.textsUs(handset, "STOP")
		h.textsUs(handset, "STOP")
		h.textsUs(handset, "START")
		h.suppress(number(1))
		must(t, h.queue.Unsuppress(t.Context(), h.account.ID, number(1)))
		link := h.queue.OptOutLink(h.account.ID, number(2))
		token := link[strings.LastIndex(link, "/")+1:]
		must(t, h.queue.StopByLink(t.Context(), token))
		must(t, h.queue.ResumeByLink(t.Context(), token))
		h.suppress(number(3))
		_, err := h.queue.ImportSuppressions(t.Context(), h.account.ID, 0, strings.NewReader(number(3)+"\n"+number(4)+"\n"))
		must(t, err)

		added := []map[string]any{{"suppression": ids(handset)[0], "reason": "stop"}, {"suppression": ids(number(1))[0], "reason": "manual"},
			{"suppression": ids(number(2))[0], "reason": "link"}, {"suppression": ids(number(3))[0], "reason": "manual"}, {"suppression": ids(number(4))[0], "reason": "import"}}
		if diff := cmp.Diff(added, h.told("suppression.added")); diff != "" {
			t.Error(diff)
		}
		lifted := []map[string]any{{"suppression": ids(handset)[0], "by": "start"}, {"suppression": ids(number(1))[0], "by": "manual"}, {"suppression": ids(number(2))[0], "by": "link"}}
		if diff := cmp.Diff(lifted, h.told("suppression.lifted")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRepliesAndAnswersAreTold(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(100, 0)
		h.number(h.account.ID, office, "")
		h.work()
		h.wants("message.received", "reply.received", "roll_call.answered")
		g := h.group(h.account.ID, "All staff", 1, 0)
		c := h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Are you safe?", Asks: safety()}), finished)
		sent, err := h.queue.Messages(t.Context(), h.account.ID, smsqueue.MessageFilter{Campaign: c.ID, Limit: 1})
		must(t, err)
		message := sent[0].ID

		stranger := h.textsUs(handset, "Hello")
		unclear := h.textsUs(number(0), "What?")
		clear := h.textsUs(number(0), "1")
		must(t, second(h.queue.SetRollAnswer(t.Context(), h.account.ID, c.ID, number(0), "2")))

		if diff := cmp.Diff([]map[string]any{{"inbound": stranger.ID}, {"inbound": unclear.ID}, {"inbound": clear.ID}}, h.told("message.received")); diff != "" {
			t.Error(diff)
		}
		reply := func(m smsqueue.Inbound) map[string]any {
			return map[string]any{"inbound": m.ID, "message": message, "campaign": c.ID}
		}
		if diff := cmp.Diff([]map[string]any{reply(unclear), reply(clear)}, h.told("reply.received")); diff != "" {
			t.Error(diff)
		}
		answer := func(inbound int64, choice string) map[string]any {
			return map[string]any{"campaign": c.ID, "message": message, "inbound": inbound, "choice": choice}
		}
		if diff := cmp.Diff([]map[string]any{answer(unclear.ID, ""), answer(clear.ID, "1"), answer(0, "2")}, h.told("roll_call.answered")); diff != "" {
			t.Error(diff)
		}
	})
}
