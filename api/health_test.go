package api

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestHealth(t *testing.T) {
	keepJournal(t)
	h := openHouse(t)
	s := h.Services
	var state error
	var left time.Duration
	s.Ready = func(ctx context.Context) error {
		deadline, _ := ctx.Deadline()
		left = time.Until(deadline)
		return errors.Join(state, h.db.Ping(ctx))
	}
	h.url = listen(t, s)
	nobody := []string{"Authorization", ""}

	same(t, read[health](t, h.ask(t, "GET", "/readyz", "", nobody...), 200), health{"ok"})
	if left <= 0 || left > patience {
		t.Errorf("the deadline is %v away", left)
	}

	state = errors.New("the schema of db7.internal is older than this program")
	r := h.ask(t, "GET", "/readyz", "", nobody...)
	p := refused(t, r, 503, "not_ready")
	same(t, p.Detail, "requests cannot be served now")
	same(t, r.header.Get("Retry-After"), "5")

	state = nil
	h.db.Close()
	refused(t, h.ask(t, "GET", "/readyz", "", nobody...), 503, "not_ready")
	same(t, read[health](t, h.ask(t, "GET", "/healthz", "", nobody...), 200), health{"ok"})
}
