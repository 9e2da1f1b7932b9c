package web

import (
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/directory"
)

// previewPage is what following the directory would do to the address book.
type previewPage struct {
	head
	Follows  bool // the address book follows already
	Stopped  bool // the directory is disconnected
	Analysis analysis
	Found    bool
	Run      directory.Run
	Coverage coverage
	Advice   string // on the coverage: poor, thin or fine
	Counts   []tally
	List     string
	People   []previewRow
	Pager    pager
}

func (previewPage) template() string { return "preview" }

type previewRow struct {
	Name, DirectoryID string
	Change, Reason    string
	Shared            int
}

var previewLists = []string{directory.PreviewAdded, directory.PreviewChanged, directory.PreviewRemoved, directory.PreviewNumberLost,
	directory.PreviewWithoutNumber, directory.PreviewInvalid, directory.PreviewShared}

func (w *site) preview(c *fiber.Ctx, v visit) error {
	one, err := w.connectionOf(c, v)
	if err != nil {
		return err
	}
	state, err := lookAtSync(v.ctx, w.Directory, one)
	if err != nil {
		return err
	}
	h, err := w.head(v, one, !state.analysed, "preview")
	if err != nil {
		return err
	}
	p := previewPage{head: h, Follows: !one.Preview, Stopped: one.State == directory.Disconnected,
		Analysis: v.say.analysis(state), List: c.Query("list", directory.PreviewAdded)}
	if !slices.Contains(previewLists, p.List) {
		return fiber.ErrNotFound
	}
	p.Run, p.Found, err = w.Directory.LatestDone(v.ctx, v.Account.ID, one.ID, directory.Preview)
	if err != nil {
		return err
	}
	p.count(v.say)
	if err := w.fillPreview(c, v, one, &p); err != nil {
		return err
	}
	return render(c, p)
}

func (p *previewPage) count(say *tongue) {
	n := p.Run.Counts
	for i, many := range []int{n.Added, n.Changed, n.Removed, n.NumberLost, n.WithoutNumber, n.Invalid, n.Shared} {
		name := previewLists[i]
		p.Counts = append(p.Counts, tally{Name: name, Word: say.word("preview", name), N: many, Count: say.number(many)})
	}
	covered := contacts.Coverage{Contacts: n.Contacts, WithNumber: n.Contacts - n.WithoutNumber - n.Invalid,
		WithoutNumber: n.WithoutNumber, Invalid: n.Invalid}
	p.Coverage, p.Advice = say.coverage(covered), adviceOn(covered)
}

// How many of a hundred contacts have to have a number that can be texted.
const (
	thinBelow = 80
	poorBelow = 50 // we advise against following
)

func adviceOn(c contacts.Coverage) string {
	switch reached := share(c.WithNumber, c.Contacts); {
	case reached < poorBelow:
		return "poor"
	case reached < thinBelow:
		return "thin"
	}
	return "fine"
}

func (w *site) fillPreview(c *fiber.Ctx, v visit, one directory.Connection, p *previewPage) error {
	after := objectCursor(c)
	all, err := w.Directory.PreviewOf(v.ctx, v.Account.ID, one.ID, p.List, after, pageSize+1)
	if err != nil {
		return err
	}
	all, more := cut(all)
	next := ""
	if more {
		next = all[len(all)-1].DirectoryID
	}
	for _, one := range all {
		row := previewRow{Name: one.Name, DirectoryID: one.DirectoryID, Shared: one.Shared}
		if one.Change != "" {
			row.Change = v.say.word("change", one.Change)
		}
		if one.Reason != "" {
			row.Reason = v.say.word("phone", one.Reason)
		}
		p.People = append(p.People, row)
	}
	p.Pager = turn("/directory/"+p.ID+"/preview", url.Values{"list": {p.List}}, after, next)
	return nil
}

// objectCursor is where a list in the order of object ids begins. PostgreSQL
// bears no NUL.
func objectCursor(c *fiber.Ctx) string { return strings.ReplaceAll(c.Query("from"), "\x00", "") }

func (w *site) previewAgain(c *fiber.Ctx, v visit) error {
	one, err := w.connectionOf(c, v)
	if err != nil {
		return err
	}
	if _, err := w.Directory.RequestPreview(v.ctx, v.Account.ID, one.ID); err != nil {
		return err
	}
	return c.Redirect("/directory/"+c.Params("id")+"/preview", fiber.StatusSeeOther)
}

// letFollow ends the preview: from now on the address book follows.
func (w *site) letFollow(c *fiber.Ctx, v visit) error {
	one, err := w.connectionOf(c, v)
	if err != nil {
		return err
	}
	if err := w.Directory.Change(v.ctx, v.Account.ID, one.ID, one.Settings, one.Every, false); err != nil {
		return err
	}
	if _, err := w.Directory.Request(v.ctx, v.Account.ID, one.ID); err != nil {
		return err
	}
	return c.Redirect("/directory", fiber.StatusSeeOther)
}
