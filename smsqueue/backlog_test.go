package smsqueue_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
)

func TestABacklogIsToldUntilItIsDone(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(100, 0)
		h.backlogs()
		urgent, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(1), Text: "Hello", Lane: smsqueue.Urgent})
		must(t, err)
		normal, err := h.queue.Send(t.Context(), h.open("other").ID, smsqueue.Single{To: number(2), Text: "Hello"})
		must(t, err)
		h.backlogs(
			smsqueue.Backlog{Carrier: "main", Lane: smsqueue.Normal, State: "waiting", Ranges: 1, Messages: 1},
			smsqueue.Backlog{Carrier: "main", Lane: smsqueue.Urgent, State: "waiting", Ranges: 1, Messages: 1})
		h.work()
		h.untilMessage(urgent, smsqueue.Delivered)
		h.untilMessage(normal, smsqueue.Delivered)
		h.eventually(func() bool {
			left, err := h.queue.Backlogs(t.Context())
			must(t, err)
			return len(left) == 0
		})
	})
}

func (h *house) backlogs(want ...smsqueue.Backlog) {
	h.t.Helper()
	got, err := h.queue.Backlogs(h.t.Context())
	must(h.t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		h.t.Error(diff)
	}
}
