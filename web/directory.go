package web

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/secrets"
)

type directoryPage struct {
	MaySync     bool
	Connections []connectionCard
}

func (directoryPage) template() string { return "directory" }

// connectionCard is a connected tenant and its last runs.
type connectionCard struct {
	ID, Tenant, Client string
	State, Word        string
	Reason             string // in the words of the directory
	LastDone           time.Time
	Due                time.Time
	Every              string
	Secret             string // the end of it
	SecretAt           time.Time
	Asked              bool // for a sync that has not begun
	Running            bool
	Runs               []directory.Run
}

const (
	shownRuns = 10
	// After so many failed runs, a day of one every quarter of an hour, it is no
	// longer said when the last one worked.
	searchedRuns = 100
)

func (w *site) directory(c *fiber.Ctx, v visit) error {
	cards, err := w.connectionCards(v)
	if err != nil {
		return err
	}
	return render(c, directoryPage{MaySync: maySend(v.Role), Connections: cards})
}

// syncNow asks for a sync; the process that works takes it up.
func (w *site) syncNow(c *fiber.Ctx, v visit) error {
	id, err := w.Names.ID(secrets.Connection, c.Params("id"))
	if err != nil {
		return err
	}
	if _, err := w.Directory.Request(v.ctx, v.Account.ID, id); err != nil {
		return err
	}
	return c.Redirect("/directory", fiber.StatusSeeOther)
}

func (w *site) connectionCards(v visit) (cards []connectionCard, err error) {
	all, err := w.Directory.Connections(v.ctx, v.Account.ID)
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		runs, err := w.Directory.Runs(v.ctx, v.Account.ID, one.ID, 0, searchedRuns)
		if err != nil {
			return nil, err
		}
		cards = append(cards, w.connectionCard(v.say, one, runs))
	}
	return cards, nil
}

func (w *site) connectionCard(say *tongue, one directory.Connection, runs []directory.Run) connectionCard {
	card := connectionCard{
		ID: w.Names.Of(secrets.Connection, one.ID), Tenant: one.Tenant, Client: one.Client,
		State: one.State, Word: say.word("connection", one.State), Reason: one.Reason,
		LastDone: lastDone(runs), Due: one.DueAt, Every: say.about(one.Every),
		Secret: one.SecretLast4, SecretAt: one.SecretAt,
		Asked: !one.RequestedAt.IsZero(), Runs: runs[:min(len(runs), shownRuns)],
	}
	if len(runs) > 0 {
		card.Running = runs[0].Open()
		card.Asked = one.RequestedAt.After(runs[0].Started)
	}
	return card
}

// lastDone is as of when the address book tells what the directory tells: what
// changed there while the last run read may be missing.
func lastDone(runs []directory.Run) time.Time {
	for _, r := range runs {
		if r.State == directory.Done {
			return r.Started
		}
	}
	return time.Time{}
}
