package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/db/dbtest"
)

// S6. Everything that the program offers is walked: the operations of the API's
// document, the routes of the console and of SCIM, the commands, and what works by
// itself. Nothing is read from a directory and nothing is sent for an account whose
// agreement was never concluded or is terminated. With one the same walk reads and
// sends, so it can fail.
func TestTheGateHoldsWhereverOneTriesIt(t *testing.T) {
	t.Run("concluded", func(t *testing.T) {
		w := newWalk(t, "")
		w.everything()
		for _, one := range w.unfilled {
			t.Error(one)
		}
	})
	for name, end := range map[string]string{
		"never concluded": `UPDATE agreements SET account_id = $2 WHERE account_id = $1`, // as if it had been somebody else
		"terminated":      `UPDATE agreements SET state = 'terminated', terminated_at = concluded_at WHERE account_id = $1 AND id <> $2 AND state = 'concluded'`,
	} {
		t.Run(name, func(t *testing.T) { newWalk(t, end).everything() })
	}
}

// walk tries everything on an account with a connected directory, and with messages
// and campaigns that were accepted while its agreement stood.
type walk struct {
	*installation
	*fixtures
	t      *testing.T
	end    string // the statement that takes the agreement away from $1, and may give it to $2; empty leaves it
	before sights
	// unfilled says what was refused as wrong, and not for the agreement.
	unfilled []string
}

// sights is what peers and the mirror of SCIM have seen.
type sights struct {
	signIns, reads    int // of the directory
	submits, requests int // at the carriers
	written           int // resources that a directory wrote to us
}

func newWalk(t *testing.T, end string) *walk {
	t.Helper()
	i := newInstallation(t, dbtest.SQLiteURL(t), "--public-url", gateURL)
	w := &walk{installation: i, fixtures: newFixtures(t, i), t: t, end: end}
	w.withhold()
	w.before = w.seen()
	return w
}

// withhold takes the agreement away, also one that a step of the walk concluded.
func (w *walk) withhold() {
	w.t.Helper()
	if w.end == "" || w.app.Accounts.Gate(w.t.Context(), w.account.ID) != nil {
		return
	}
	stranger, err := w.app.Accounts.Create(w.t.Context(), accounts.Account{Handle: w.fresh("stranger-%d"), Name: "Stranger AS", Region: "NO"})
	must(w.t, err)
	_, err = w.app.DB.ExecContext(w.t.Context(), w.end, w.account.ID, stranger.ID)
	must(w.t, err)
	if w.app.Accounts.Gate(w.t.Context(), w.account.ID) == nil {
		w.t.Fatal("the gate is still open")
	}
}

// uphold is the mirror of withhold: where there is an agreement, one that a step ended
// is concluded again, for the steps after it. Only what says so may end one.
func (w *walk) uphold(step string) {
	w.t.Helper()
	if w.end != "" || w.app.Accounts.Gate(w.t.Context(), w.account.ID) == nil {
		return
	}
	if !strings.Contains(step, "terminate") {
		w.t.Errorf("%s: there is no agreement any more", step)
	}
	_, err := w.app.Accounts.Conclude(w.t.Context(), w.account.ID, "Kari Nordmann", "CEO", "kari@acme.example")
	must(w.t, err)
}

func (w *walk) seen() (s sights) {
	w.t.Helper()
	s.signIns, s.submits, s.requests = entra.SignIns(), w.smsc.Counts().Submits, w.provider.Counts().Requests
	for _, n := range entra.GraphMethods() {
		s.reads += n
	}
	must(w.t, w.app.DB.QueryRowContext(w.t.Context(), `SELECT COUNT(*) FROM scim_resources WHERE account_id = $1`, w.account.ID).Scan(&s.written))
	return s
}

func (w *walk) saw() sights {
	now, was := w.seen(), w.before
	return sights{now.signIns - was.signIns, now.reads - was.reads, now.submits - was.submits, now.requests - was.requests, now.written - was.written}
}

// everything tries requests while nothing works, commands, which work themselves where
// nobody does, and at last what works by itself, on all that is left.
func (w *walk) everything() {
	w.t.Helper()
	w.requests()
	w.sawAll("by requests", func(s sights) bool { return s.signIns > 0 && s.reads > 0 && s.written > 0 })
	w.commands()
	w.sawAll("by commands", func(s sights) bool { return s.reads > 0 && s.submits > 0 && s.requests > 0 })
	w.byItself()
	w.sawAll("by itself", func(s sights) bool { return s.reads > 0 && s.submits > 0 && s.requests > 0 })
}

// sawAll fails a walk with an agreement that did not read and send, so that the others
// tell something.
func (w *walk) sawAll(how string, all func(sights) bool) {
	w.t.Helper()
	if saw := w.saw(); w.end == "" && !all(saw) {
		w.t.Errorf("%s the walk has not been everywhere: %+v", how, saw)
	}
	w.before = w.seen()
}

// after a step nothing was read or sent, where there is no agreement; one that was
// concluded by the step is taken away again, and one that was ended put back.
func (w *walk) after(step string) {
	w.t.Helper()
	w.withhold()
	w.uphold(step)
	if w.end == "" {
		return
	}
	if saw := w.saw(); saw != (sights{}) {
		w.t.Errorf("%s: without an agreement there were %+v", step, saw)
		w.before = w.seen()
	}
}

// byItself starts a worker on what waits, with the directory connected whatever was
// tried before, and has every job run that there is.
func (w *walk) byItself() {
	w.t.Helper()
	w.accept()
	_, err := w.app.DB.ExecContext(w.t.Context(), `UPDATE jobs SET due_at = 0`)
	must(w.t, err)
	_, err = w.app.DB.ExecContext(w.t.Context(), `UPDATE connections SET due_at = 1, state = $1 WHERE id = $2`, directory.Connected, w.entra.ID)
	must(w.t, err)
	app, err := Open(w.t.Context(), w.config())
	must(w.t, err)
	must(w.t, app.Work(w.t.Context(), roleAll))
	w.awaitJobs(3)
	if w.end == "" {
		w.awaitSights()
	}
	must(w.t, app.Close())
	w.after("what works by itself")
}

// awaitJobs waits until every job has run, and the most frequent one some times more:
// what it finds to do is begun by then.
func (w *walk) awaitJobs(times int) {
	w.t.Helper()
	last, rounds := int64(0), 0
	w.await("the jobs run", func() bool {
		var none int
		var newest int64
		must(w.t, w.app.DB.QueryRowContext(w.t.Context(), `SELECT COUNT(*) FROM jobs WHERE due_at = 0`).Scan(&none))
		must(w.t, w.app.DB.QueryRowContext(w.t.Context(), `SELECT due_at FROM jobs WHERE name = 'sync-directories'`).Scan(&newest))
		if newest != last {
			last, rounds = newest, rounds+1
		}
		return none == 0 && rounds > times
	})
}

func (w *walk) awaitSights() {
	w.t.Helper()
	w.await("what waited is sent", func() bool { s := w.saw(); return s.submits > 0 && s.requests > 0 && s.reads > 0 })
}

func (w *walk) await(what string, done func() bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 5*time.Minute)
	defer cancel()
	for !done() {
		select {
		case <-ctx.Done():
			w.t.Fatalf("%s: not in five minutes", what)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
