package directory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/varsel/varsel/internal/problem"
)

// Sync reads what changed in the connection's directory into the mirror and
// derives the address book from it. It answers the run and, when that failed,
// the reason as an error; the next run goes on where this one stopped. A
// connection has one run at a time: another is refused as "sync_running".
func (d *Directory) Sync(ctx context.Context, account, connection int64) (Run, error) {
	if !d.takeOff(connection) {
		return Run{}, errSyncRunning
	}
	defer d.land(connection)
	s, err := d.begin(ctx, account, connection)
	if err != nil {
		return Run{}, err
	}
	return s.end(ctx, s.follow(ctx))
}

var errSyncRunning = problem.Conflict("sync_running", "the directory is being synced already")

// errTakenOver stops a run that another process holds for dead.
var errTakenOver = errors.New("another process has taken this run over")

func (d *Directory) takeOff(connection int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.inFlight[connection] {
		return false
	}
	d.inFlight[connection] = true
	return true
}

func (d *Directory) land(connection int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.inFlight, connection)
}

// runningRun is a run that is recorded as running; id is 0 for none.
type runningRun struct {
	id, incarnation int64
	ended           bool // its process
}

// alive says whether somebody is busy with the run. One of our own that no Sync
// is busy with was left by a failure to record its end.
func (d *Directory) alive(connection int64, r runningRun) bool {
	if r.id == 0 || r.ended {
		return false
	}
	if r.incarnation != d.incarnation {
		return true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.inFlight[connection]
}

// syncing is a run under way.
type syncing struct {
	*Directory
	run        Run
	connection Connection
	sealed     string
	source     Source
}

func (d *Directory) begin(ctx context.Context, account, connection int64) (*syncing, error) {
	id, err := d.db.NewIDs(ctx, 1)
	if err != nil {
		return nil, err
	}
	return d.startRun(ctx, id, account, connection, time.Now())
}

// follow is the run's work. The gate comes first: without an agreement nobody is
// asked for anything.
func (s *syncing) follow(ctx context.Context) error {
	if err := s.gate(ctx, s.run.Account); err != nil {
		return err
	}
	if err := s.open(); err != nil {
		return err
	}
	for _, r := range []round{s.peopleRound(), s.groupsRound()} {
		if err := s.read(ctx, r); err != nil {
			return err
		}
	}
	return s.derive(ctx)
}

func (s *syncing) open() (err error) {
	secret, err := s.ring.Open(s.sealed, about(s.run.Account, s.connection.Tenant))
	if err != nil {
		return err
	}
	s.source, err = s.cloud.Open(Credentials{Tenant: s.connection.Tenant, Client: s.connection.Client, Secret: string(secret)})
	return err
}

// recordTimeout is for writing down how a run ended, even when it was stopped.
const recordTimeout = 15 * time.Second

// end records how the run ended. A run that was stopped does not make the
// connection failing: it stays due, and the next one goes on.
func (s *syncing) end(ctx context.Context, failure error) (Run, error) {
	if errors.Is(failure, errTakenOver) {
		return s.run, failure
	}
	s.run.State, s.run.Reason = Done, ""
	if failure != nil {
		s.run.State, s.run.Reason = Failed, inWords(failure)
	}
	stopped := errors.Is(ctx.Err(), context.Canceled)
	if stopped && failure != nil {
		s.run.Reason = "it was stopped before its end; the next run goes on from there"
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	if err := s.recordEnd(ctx, stopped && failure != nil, time.Now()); err != nil {
		return s.run, errors.Join(failure, fmt.Errorf("record the end of run %d: %w", s.run.ID, err))
	}
	return s.run, failure
}

func inWords(failure error) string {
	if p := problem.As(failure); p != nil {
		return p.Text
	}
	return fmt.Sprintf("a fault on our side, not in the directory: %v", failure)
}
