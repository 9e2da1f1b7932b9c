package web

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/directory"
)

// syncState is where the reading of a directory is at one moment.
type syncState struct {
	connection directory.Connection
	run        directory.Run // the latest; its ID is 0 when there is none
	analysed   bool          // it has been read from end to end once
	at         time.Time
}

func syncEye(d *directory.Directory) func(of watchable) eye[syncState] {
	return func(of watchable) eye[syncState] {
		return func(ctx context.Context) (s syncState, err error) {
			one, err := d.Connection(ctx, of.account, of.id)
			if err != nil {
				return s, err
			}
			return lookAtSync(ctx, d, one)
		}
	}
}

func lookAtSync(ctx context.Context, d *directory.Directory, one directory.Connection) (syncState, error) {
	s := syncState{connection: one, analysed: !one.SucceededAt.IsZero(), at: time.Now()}
	runs, err := d.Runs(ctx, one.Account, one.ID, 0, 1)
	if err != nil {
		return s, err
	}
	if len(runs) > 0 {
		s.run = runs[0]
	}
	if !s.analysed {
		_, s.analysed, err = d.LatestDone(ctx, one.Account, one.ID, directory.Preview)
	}
	return s, err
}

// asked says that a run is to begin at once.
func (s syncState) asked() bool {
	c := s.connection
	if c.State == directory.Disconnected || s.run.Open() {
		return false
	}
	return s.run.ID == 0 || c.RequestedAt.After(s.run.Started) || c.ActivatedAt.After(s.run.Started) || !c.DueAt.After(s.at)
}

func (s syncState) over() bool { return !s.run.Open() && !s.asked() }

// analysis is a reading in the visitor's words. The page shows it first, and the
// stream brings it again.
type analysis struct {
	State     string `json:"state"`
	Badge     string `json:"badge"`
	StateWord string `json:"state_word"`
	Working   string `json:"working"` // what is done now; empty for nothing
	Records   string `json:"records"`
	Announce  string `json:"announce"` // for those who listen: changes seldom
	Over      bool   `json:"over"`
}

func (say *tongue) analysis(s syncState) analysis {
	c := s.connection
	a := analysis{State: s.run.State, Badge: c.State, StateWord: say.word("connection", c.State), Over: s.over()}
	if s.asked() {
		a.State = "asked"
	}
	if a.Over {
		a.Announce = a.StateWord
		return a
	}
	if !s.analysed && c.State == directory.Connected {
		a.Badge, a.StateWord = directory.Running, say.text("connected_analysing")
	}
	a.Working, a.Announce = say.working(s), a.StateWord
	if s.run.Open() {
		a.Records = say.count("records_analysed", s.run.Records)
		a.Announce = say.text("announce_analysis", "State", a.Working, "N", say.number(milestoneOf(s.run.Records)))
	}
	return a
}

func (say *tongue) working(s syncState) string {
	switch {
	case s.asked():
		return say.text("sync_asked")
	case s.run.State == directory.Waiting:
		return say.text("analysis_waits")
	}
	return say.word("phase", s.run.Phase)
}

// milestoneOf is the last of 1, 2, 5, 10, 20, 50 and so on that was passed.
func milestoneOf(n int) int {
	last := 0
	for tens := 1; ; tens *= 10 {
		for _, times := range []int{1, 2, 5} {
			if times*tens > n {
				return last
			}
			last = times * tens
		}
	}
}

// syncLive streams how far a reading is, until nothing is under way.
func (w *site) syncLive(c *fiber.Ctx, v visit) error {
	one, err := w.connectionOf(c, v)
	if err != nil {
		return err
	}
	return serveLive(c, w.syncs, watchable{v.Account.ID, one.ID}, w.Stop, func(s syncState) telling {
		return telling{v.say.analysis(s), s.at, s.over()}
	})
}
