package directory

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/problem"
)

// Sync reads what changed in the connection's directory into the mirror and
// derives the address book from it. It answers the run and, when that did not
// come to its end, the reason as an error. A run that waits is gone on with by a
// later Sync; after one that failed the next goes on where it stopped. A
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

// errTakenOver stops a run that somebody else goes on with, or has ended.
var errTakenOver = errors.New("this run is no longer ours")

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

// openRun is a connection's run that has not ended; id is 0 for none.
type openRun struct {
	id, incarnation int64
	state           string
	resumeAt        int64
	ended           bool // its process
}

// alive says whether somebody is busy with the run. One of our own that no Sync
// is busy with was left by a failure to record its end.
func (d *Directory) alive(connection int64, r openRun) bool {
	if r.id == 0 || r.state == Waiting || r.ended {
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
	settings   Settings
	selected   []string // of a person's properties
	onCards    []string // of them, those that cards need
	sealed     string
	tries      int
	before     int             // records of the rounds before this one
	chosen     map[string]bool // people in the scope's groups; nil when it has none
	asked      tally
	region     string // of the account: where numbers without a country code belong
	erased     contacts.Erased

	mu     sync.Mutex
	source Source
}

func (d *Directory) begin(ctx context.Context, account, connection int64) (*syncing, error) {
	id, err := d.db.NewIDs(ctx, 1)
	if err != nil {
		return nil, err
	}
	s, err := d.startRun(ctx, id, account, connection, time.Now())
	if err != nil {
		return nil, err
	}
	s.settings = s.connection.Settings
	if err := s.selects(ctx); err != nil {
		return nil, err
	}
	if s.erased, err = d.marks.Marked(ctx, d.db, account); err != nil {
		return nil, err
	}
	s.region, err = s.accountRegion(ctx)
	return s, err
}

// follow is the run's work. The gate comes first: without an agreement nobody is
// asked for anything.
func (s *syncing) follow(ctx context.Context) error {
	if err := s.allowed(ctx, s.run.Account); err != nil {
		return err
	}
	if err := s.open(); err != nil {
		return err
	}
	if s.run.Kind == Group {
		if err := s.readGroup(ctx); err != nil {
			return err
		}
		return s.apply(ctx)
	}
	if err := s.readAll(ctx); err != nil {
		return err
	}
	return s.apply(ctx)
}

// readAll reads the groups before the people, because who is in a chosen group
// may decide who is in scope. A run that is gone on with does not begin anew.
func (s *syncing) readAll(ctx context.Context) error {
	if s.run.Phase == ReadingGroups {
		if err := s.inRun(ctx, s.began(time.Now())); err != nil {
			return err
		}
		if err := s.read(ctx, s.groupsRound()); err != nil {
			return err
		}
		if err := s.enter(ctx, ReadingPeople); err != nil {
			return err
		}
	}
	if s.run.Phase != ReadingPeople {
		return nil
	}
	at, err := s.cursor(ctx, groupsName)
	if err != nil {
		return err
	}
	s.before = at.met
	if err := s.rescope(ctx); err != nil {
		return err
	}
	if err := s.read(ctx, s.peopleRound()); err != nil {
		return err
	}
	again, err := s.keptOfReturned(ctx)
	if err != nil || !again {
		return err
	}
	// Only a full round with them in it tells what they are in.
	if err := s.inRun(ctx, s.saveCursor(groupsName, cursor{})); err != nil {
		return err
	}
	s.before = 0
	return s.read(ctx, s.groupsRound())
}

func (s *syncing) apply(ctx context.Context) error {
	if err := s.enter(ctx, Applying); err != nil {
		return err
	}
	return s.derive(ctx)
}

func (s *syncing) enter(ctx context.Context, phase string) error {
	s.run.Phase = phase
	return s.inRun(ctx, s.recordPhase(phase))
}

func (s *syncing) open() error {
	if s.connection.Kind == FromSCIM {
		s.use(s.SCIMSource(s.run.Account, s.connection.ID))
		return nil
	}
	credentials, err := s.unsealed(s.connection, s.sealed)
	if err != nil {
		return err
	}
	cloud, err := s.cloud(s.connection.Cloud)
	if err != nil {
		return err
	}
	a := Access{
		Credentials:  credentials,
		PersonFields: s.selected,
		Urgent:       s.connection.RequestedAt.After(s.connection.SucceededAt),
		Told:         s.asked.add,
	}
	source, err := cloud.Open(a)
	if err != nil {
		return err
	}
	s.use(source)
	return nil
}

func (s *syncing) use(source Source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.source = source
}

// reader is the source as it was last opened.
func (s *syncing) reader() Source {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.source
}

const (
	// recordTimeout is for writing down how a run ended, even when it was stopped.
	recordTimeout = 15 * time.Second

	// A run that waits in vain so often has failed; the schedule tries again.
	maxTries = 3
	// maxAskedTries is for a directory that asks us to wait.
	maxAskedTries = 20
	longestWait   = time.Hour
)

// waits answers for how long a run waits after a failure that passes by itself.
func (s *syncing) waits(failure error) (time.Duration, bool) {
	var later *Later
	switch {
	case !errors.As(failure, &later):
		return 0, false
	case later.After > 0:
		return min(later.After, longestWait), s.tries < maxAskedTries
	}
	return time.Second << (2 * s.tries), s.tries < maxTries
}

// end records how the run ended, or that it waits. Being stopped is no failure:
// whoever comes next goes on with it.
func (s *syncing) end(ctx context.Context, failure error) (Run, error) {
	if errors.Is(failure, errTakenOver) {
		return s.run, failure
	}
	s.run.Code, s.run.Reason = "", ""
	if p := problem.As(failure); p != nil {
		s.run.Code = p.Code
	}
	wait, passes := s.waits(failure)
	switch {
	case failure == nil:
		s.run.State = Done
	case errors.Is(ctx.Err(), context.Canceled):
		s.run.State, s.run.Code, s.run.Reason = Waiting, "stopped", "it was stopped before its end, and will be gone on with"
	case passes:
		s.tries++
		s.run.State, s.run.Reason, s.run.ResumeAt = Waiting, inWords(failure), time.Now().Add(wait)
	default:
		s.run.State, s.run.Reason = Failed, inWords(failure)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	if err := s.record(ctx, time.Now()); err != nil {
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
