package web

import (
	"bytes"
	"encoding/csv"
	"maps"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

// runRow is a run in a list.
type runRow struct {
	directory.Run
	Why     said
	Skipped []tally
}

// HasCards says whether the people are grouped for cards.
func (r runRow) HasCards() bool { return r.Counts.Cards != cards.Followed{} }

func (say *tongue) runRows(all []directory.Run) (rows []runRow) {
	for _, r := range all {
		row := runRow{Run: r, Skipped: say.skippedBy(r.Skipped)}
		if r.Reason != "" {
			row.Why = say.finding(r.Code, r.Reason)
		}
		rows = append(rows, row)
	}
	return rows
}

func (say *tongue) skippedBy(counts map[string]int) (all []tally) {
	for _, why := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, tally{Name: why, Word: say.word("skipped", why), N: counts[why], Count: say.number(counts[why])})
	}
	return all
}

type runsPage struct {
	head
	Runs  []runRow
	Pager pager
}

func (runsPage) template() string { return "runs" }

func (w *site) runs(c *fiber.Ctx, v visit) error {
	before, err := w.cursor(secrets.Run, c.Query("from"))
	if err != nil {
		return err
	}
	one, err := w.connectionOf(c, v)
	if err != nil {
		return err
	}
	h, err := w.headOf(v, one, "runs")
	if err != nil {
		return err
	}
	all, err := w.Directory.Runs(v.ctx, v.Account.ID, one.ID, before, pageSize+1)
	if err != nil {
		return err
	}
	all, more := cut(all)
	next := ""
	if more {
		next = w.Names.Of(secrets.Run, all[len(all)-1].ID)
	}
	return render(c, runsPage{head: h, Runs: v.say.runRows(all), Pager: turn("/directory/"+h.ID+"/runs", nil, c.Query("from"), next)})
}

// skippedPage is who of the directory is not in the address book. Of them
// nothing is kept but the id and why.
type skippedPage struct {
	head
	Counts []tally // as the latest run has them
	People []directory.Skipped
	Pager  pager
}

func (skippedPage) template() string { return "skipped" }

func (w *site) skipped(c *fiber.Ctx, v visit) error {
	one, err := w.connectionOf(c, v)
	if err != nil {
		return err
	}
	h, err := w.headOf(v, one, "skipped")
	if err != nil {
		return err
	}
	kind := directory.Sync
	if one.Preview {
		kind = directory.Preview
	}
	latest, _, err := w.Directory.LatestDone(v.ctx, v.Account.ID, one.ID, kind)
	if err != nil {
		return err
	}
	after := objectCursor(c)
	all, err := w.Directory.SkippedPeople(v.ctx, v.Account.ID, one.ID, after, pageSize+1)
	if err != nil {
		return err
	}
	all, more := cut(all)
	next := ""
	if more {
		next = all[len(all)-1].DirectoryID
	}
	return render(c, skippedPage{head: h, Counts: v.say.skippedBy(latest.Skipped), People: all,
		Pager: turn("/directory/"+h.ID+"/skipped", nil, after, next)})
}

// heldPage is whom the brake keeps, and the form that lets them go.
type heldPage struct {
	head
	Count     int // who wait for an approval
	Typed     string
	Wrong     string
	People    []directory.Held
	Approvals []directory.Approval
	Pager     pager
}

func (heldPage) template() string { return "held" }

func (w *site) held(c *fiber.Ctx, v visit) error {
	one, err := w.connectionOf(c, v)
	if err != nil {
		return err
	}
	return w.showHeld(c, v, one, heldPage{})
}

const shownApprovals = 20

func (w *site) showHeld(c *fiber.Ctx, v visit, one directory.Connection, p heldPage) (err error) {
	if p.head, err = w.headOf(v, one, "held"); err != nil {
		return err
	}
	if p.Count, err = w.Directory.HeldCount(v.ctx, v.Account.ID, one.ID); err != nil {
		return err
	}
	if p.Approvals, err = w.Directory.Approvals(v.ctx, v.Account.ID, one.ID, shownApprovals); err != nil {
		return err
	}
	after := objectCursor(c)
	all, err := w.Directory.Held(v.ctx, v.Account.ID, one.ID, after, pageSize+1)
	if err != nil {
		return err
	}
	all, more := cut(all)
	next := ""
	if more {
		next = all[len(all)-1].DirectoryID
	}
	p.People, p.Pager = all, turn("/directory/"+p.ID+"/held", nil, after, next)
	return render(c, p)
}

// approve lets them go when the number that was typed is theirs.
func (w *site) approve(c *fiber.Ctx, v visit) error {
	one, err := w.connectionOf(c, v)
	if err != nil {
		return err
	}
	p := heldPage{Typed: c.FormValue("people")}
	people, err := directory.TypedCount(p.Typed)
	if err == nil {
		err = w.Directory.Approve(v.ctx, v.Account.ID, one.ID, people, v.Email)
	}
	if refused := problem.As(err); refused != nil {
		p.Wrong = v.say.problem(refused)
		return w.showHeld(c.Status(statuses[refused.Kind]), v, one, p)
	}
	if err != nil {
		return err
	}
	return c.Redirect("/directory/"+c.Params("id")+"/held", fiber.StatusSeeOther)
}

// reportedRuns is of how many runs the record of access tells: ten days of one
// every quarter of an hour.
const reportedRuns = 1000

// accessReport is the record, for an organisation's security staff, of what was
// read of its directory.
func (w *site) accessReport(c *fiber.Ctx, v visit) error {
	one, err := w.connectionOf(c, v)
	if err != nil {
		return err
	}
	all, err := w.Directory.AccessReport(v.ctx, v.Account.ID, one.ID, 0, reportedRuns)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	file := csv.NewWriter(&out)
	file.Write(directory.ReadingColumns)
	for _, r := range all {
		file.Write(r.Columns(func(run int64) string { return w.Names.Of(secrets.Run, run) }))
	}
	file.Flush()
	if err := file.Error(); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/csv; charset=utf-8")
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="directory-access-`+time.Now().UTC().Format(time.DateOnly)+`.csv"`)
	return c.Send(out.Bytes())
}
