package web

import (
	"html/template"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

const (
	subProcessorsPath = "/sub-processors"
	// AccountSubProcessorsPath is where an account reads notices and objects.
	AccountSubProcessorsPath = "/privacy/sub-processors"
)

// subProcessorsPage is the list for everybody, and for an account with what it can do
// about it.
type subProcessorsPage struct {
	Path              string
	Member, MayManage bool
	On                string // the day of the list, when one was asked for
	List              []subProcessorRow
	Coming, History   []noticeRow
	Feed              string // its address
	Objecting         int64  // the notice whose form is wrong
	Reason            string // as it was typed
	Errors            []fieldError
}

func (subProcessorsPage) template() string { return "subprocessors" }

// Error is what is wrong with a field, or empty.
func (p subProcessorsPage) Error(field string) string { return errorOf(p.Errors, field) }

// subProcessorRow is a sub-processor as people read it.
type subProcessorRow struct {
	accounts.SubProcessor
	ID       string
	ParentIs string // who engages it, when not we
}

// noticeRow is a notice as people read it.
type noticeRow struct {
	accounts.SubProcessorNotice
	Text      string // what changes
	MayObject bool
	Objection *objectionRow
}

type objectionRow struct {
	accounts.Objection
	ID, Account, Word string
	Open              bool
}

// publicSubProcessors needs no sign-in: customers, and those who want to be, look at
// who has the data.
func (w *site) publicSubProcessors(c *fiber.Ctx, v visit) error {
	p := subProcessorsPage{Path: subProcessorsPath, Feed: subProcessorsPath + "/feed.atom?language=" + v.say.Code}
	list, err := w.Accounts.SubProcessorsAt(v.ctx, p.day(c.Query("on"), v.say))
	if err != nil {
		return err
	}
	return w.showSubProcessors(c, v, p, list, nil)
}

// day reads the day that is asked for: its end, as it will be known by then.
func (p *subProcessorsPage) day(on string, say *tongue) time.Time {
	now := time.Now()
	if on == "" {
		return now
	}
	at, err := time.Parse(time.DateOnly, on)
	if err != nil {
		p.Errors = append(p.Errors, fieldError{"on", say.text("sub_wrong_day")})
		return now
	}
	p.On = on
	return at.AddDate(0, 0, 1).Add(-time.Millisecond)
}

// subProcessors is the same for an account, and the proof that its user has seen it.
func (w *site) subProcessors(c *fiber.Ctx, v visit) error {
	if err := w.Accounts.Noticed(v.ctx, v.Account.ID, accounts.NoticeViewed, v.User); err != nil {
		return err
	}
	return w.showAccountsSubProcessors(c, v, subProcessorsPage{})
}

func (w *site) showAccountsSubProcessors(c *fiber.Ctx, v visit, p subProcessorsPage) error {
	p.Path, p.Member, p.MayManage = AccountSubProcessorsPath, true, mayManage(v.Role)
	p.Feed = subProcessorsPath + "/feed/" + w.Names.Of(secrets.Feed, v.Account.ID) + "?language=" + v.say.Code
	list, err := w.Accounts.SubProcessorsFor(v.ctx, v.Account.ID, p.day(c.Query("on"), v.say))
	if err != nil {
		return err
	}
	objections, err := w.Accounts.Objections(v.ctx, v.Account.ID)
	if err != nil {
		return err
	}
	return w.showSubProcessors(c, v, p, list, objections)
}

func (w *site) showSubProcessors(c *fiber.Ctx, v visit, p subProcessorsPage, list []accounts.SubProcessor, objections []accounts.Objection) error {
	notices, err := w.Accounts.SubProcessorNotices(v.ctx)
	if err != nil {
		return err
	}
	p.List, p.Feed = w.subProcessorRows(list, notices), w.absolute(c, p.Feed)
	for _, n := range notices {
		row := v.say.notice(n)
		row.Objection = w.objectionTo(v.say, n.Version, objections)
		coming := n.Open(time.Now())
		row.MayObject = coming && p.MayManage && (row.Objection == nil || row.Objection.State == accounts.ObjectionRetracted)
		if coming {
			p.Coming = append(p.Coming, row)
		} else {
			p.History = append(p.History, row)
		}
	}
	return render(c, p)
}

// absolute is a path as others reach it.
func (w *site) absolute(c *fiber.Ctx, path string) string {
	if w.PublicURL != "" {
		return w.PublicURL + path
	}
	return c.BaseURL() + path
}

func (w *site) subProcessorRows(list []accounts.SubProcessor, notices []accounts.SubProcessorNotice) (rows []subProcessorRow) {
	names := map[int64]string{}
	for i := range notices { // the newest first
		if n := notices[len(notices)-1-i]; n.Kind != accounts.NoticeWithdraw {
			names[n.SubProcessor.ID] = n.SubProcessor.Name
		}
	}
	for _, p := range list {
		rows = append(rows, subProcessorRow{SubProcessor: p, ID: w.Names.Of(secrets.SubProcessor, p.ID), ParentIs: names[p.Parent]})
	}
	return rows
}

// notice says what a notice changes.
func (say *tongue) notice(n accounts.SubProcessorNotice) noticeRow {
	row := noticeRow{SubProcessorNotice: n}
	switch name := n.SubProcessor.Name; n.Kind {
	case accounts.NoticeAdd:
		row.Text = say.text("sub_notice_add", "Name", name)
	case accounts.NoticeChange:
		row.Text = say.text("sub_notice_change", "Name", name)
	case accounts.NoticeRemove:
		row.Text = say.text("sub_notice_remove", "Name", name)
	default:
		row.Text = say.text("sub_notice_withdraw", "Name", name, "Notice", n.Withdraws)
	}
	return row
}

// objectionTo is an account's latest objection to a notice, if any.
func (w *site) objectionTo(say *tongue, version int64, all []accounts.Objection) *objectionRow {
	for _, o := range all { // the newest first
		if o.Notice == version {
			row := w.objectionRow(say, o)
			return &row
		}
	}
	return nil
}

func (w *site) objectionRow(say *tongue, o accounts.Objection) objectionRow {
	return objectionRow{Objection: o, ID: w.Names.Of(secrets.Objection, o.ID), Word: say.word("objection", o.State), Open: o.State == accounts.ObjectionOpen}
}

func (w *site) object(c *fiber.Ctx, v visit) error {
	version, err := c.ParamsInt("notice")
	if err != nil {
		return problem.NotFound("notice", "")
	}
	reason := c.FormValue("reason")
	_, err = w.Accounts.Object(v.ctx, v.Account.ID, int64(version), reason)
	if refused := problem.As(err); refused != nil && refused.Field == "reason" {
		field := "reason-" + strconv.Itoa(version)
		return w.showAccountsSubProcessors(c.Status(statuses[refused.Kind]), v,
			subProcessorsPage{Objecting: int64(version), Reason: reason, Errors: []fieldError{{field, v.say.text("sub_wrong_reason")}}})
	}
	if err != nil {
		return err
	}
	return c.Redirect(AccountSubProcessorsPath, fiber.StatusSeeOther)
}

func (w *site) retractObjection(c *fiber.Ctx, v visit) error {
	id, err := w.Names.ID(secrets.Objection, c.Params("id"))
	if err != nil {
		return err
	}
	if _, err := w.Accounts.Retract(v.ctx, v.Account.ID, id); err != nil {
		return err
	}
	return c.Redirect(AccountSubProcessorsPath, fiber.StatusSeeOther)
}

// day is a day for people and for machines; it is the same for all, in UTC.
func (say *tongue) day(t time.Time) template.HTML {
	t = t.UTC()
	text := say.text("date", "Day", t.Day(), "Month", say.months[t.Month()-1], "Year", t.Year())
	return template.HTML(`<time datetime="` + t.Format(time.DateOnly) + `">` + template.HTMLEscapeString(text) + `</time>`)
}

// plainDay is day without its markup.
func (say *tongue) plainDay(t time.Time) string {
	text := string(say.day(t))
	return strings.TrimSuffix(text[strings.Index(text, ">")+1:], "</time>")
}
