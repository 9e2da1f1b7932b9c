package web

import (
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

// deskPath is where operators keep the list.
const deskPath = "/installation/sub-processors"

// subProcessorDesk is the list as its operators see it.
type subProcessorDesk struct {
	List       []subProcessorRow
	Notices    []noticeRow
	Objections []objectionRow
	Carriers   []coverageRow
	Uncovered  int
	Outcomes   []choice
	Answering  string // the objection whose form is wrong
	Outcome    string
	Answer     string
	Errors     []fieldError
}

func (subProcessorDesk) template() string { return "subprocessordesk" }

// Error is what is wrong with a field, or empty.
func (p subProcessorDesk) Error(field string) string { return errorOf(p.Errors, field) }

// coverageRow is a carrier and who may run it.
type coverageRow struct {
	accounts.Coverage
	Choices []choice
}

func (w *site) subProcessorDesk(c *fiber.Ctx, v visit) error {
	return w.showDesk(c, v, subProcessorDesk{})
}

func (w *site) showDesk(c *fiber.Ctx, v visit, p subProcessorDesk) error {
	list, err := w.Accounts.SubProcessors(v.ctx)
	if err != nil {
		return err
	}
	notices, err := w.Accounts.SubProcessorNotices(v.ctx)
	if err != nil {
		return err
	}
	p.List = w.subProcessorRows(list, notices)
	for _, n := range notices {
		p.Notices = append(p.Notices, v.say.notice(n))
	}
	for _, outcome := range accounts.Outcomes {
		p.Outcomes = append(p.Outcomes, choice{outcome, v.say.word("sub_outcome", outcome), outcome == p.Outcome})
	}
	if p.Objections, err = w.allObjections(v); err != nil {
		return err
	}
	if err := w.addCarriers(v, &p, notices); err != nil {
		return err
	}
	return render(c, p)
}

func (w *site) allObjections(v visit) (rows []objectionRow, err error) {
	all, err := w.Accounts.Objections(v.ctx, 0)
	for _, o := range all {
		acc, err := w.Accounts.ByID(v.ctx, o.Account)
		if err != nil {
			return nil, err
		}
		row := w.objectionRow(v.say, o)
		row.Account = acc.Name
		rows = append(rows, row)
	}
	return rows, err
}

// addCarriers adds the carriers, each with everybody who is or will be on the list.
func (w *site) addCarriers(v visit, p *subProcessorDesk, notices []accounts.SubProcessorNotice) error {
	carriers, err := w.Accounts.Coverage(v.ctx)
	if err != nil {
		return err
	}
	var known []subProcessorRow
	for _, n := range notices {
		if n.Kind == accounts.NoticeAdd && n.WithdrawnBy == 0 {
			known = append(known, w.subProcessorRows([]accounts.SubProcessor{n.SubProcessor}, notices)...)
		}
	}
	for _, carrier := range carriers {
		row := coverageRow{Coverage: carrier}
		for _, k := range known {
			row.Choices = append(row.Choices, choice{k.ID, k.Name, k.SubProcessor.ID == carrier.SubProcessor})
		}
		if !carrier.Covered {
			p.Uncovered++
		}
		p.Carriers = append(p.Carriers, row)
	}
	return nil
}

func (w *site) coverCarrier(c *fiber.Ctx, v visit) error {
	id, err := w.Names.ID(secrets.SubProcessor, c.FormValue("subprocessor"))
	if err != nil {
		return err
	}
	if err := w.Accounts.CoverCarrier(v.ctx, c.FormValue("carrier"), id); err != nil {
		return err
	}
	return c.Redirect(deskPath, fiber.StatusSeeOther)
}

func (w *site) resolveObjection(c *fiber.Ctx, v visit) error {
	name := c.Params("id")
	id, err := w.Names.ID(secrets.Objection, name)
	if err != nil {
		return err
	}
	p := subProcessorDesk{Answering: name, Outcome: c.FormValue("outcome"), Answer: c.FormValue("answer")}
	_, err = w.Accounts.Resolve(v.ctx, id, p.Outcome, p.Answer)
	if refused := problem.As(err); refused != nil && refused.Kind != problem.KindNotFound {
		field := refused.Field
		if field == "" {
			field = "answer"
		}
		p.Errors = []fieldError{{field + "-" + name, v.say.problem(refused)}}
		return w.showDesk(c.Status(statuses[refused.Kind]), v, p)
	}
	if err != nil {
		return err
	}
	return c.Redirect(deskPath, fiber.StatusSeeOther)
}

// announcePage is the form of a notice, as it was filled in.
type announcePage struct {
	Kind, ID                              string // ID: whom it is about, empty for somebody new
	Name, Address, Contact, Service, Data string
	Country, Transfer, Effective, Reason  string
	Parents                               []choice
	Errors                                []fieldError
}

func (announcePage) template() string { return "announce" }

// Error is what is wrong with a field, or empty.
func (p announcePage) Error(field string) string { return errorOf(p.Errors, field) }

func (w *site) newNotice(c *fiber.Ctx, v visit) error {
	p := announcePage{Kind: c.Query("kind", accounts.NoticeAdd), ID: c.Query("subprocessor")}
	var parent int64
	if p.ID != "" {
		was, err := w.listedSubProcessor(v, p.ID)
		if err != nil {
			return err
		}
		p.Name, p.Address, p.Contact, p.Service, p.Data, p.Country, p.Transfer = was.Name, was.Address, was.Contact, was.Service, was.Data, was.Country, was.Transfer
		parent = was.Parent
	}
	return w.showNotice(c, v, p, parent)
}

func (w *site) listedSubProcessor(v visit, name string) (accounts.SubProcessor, error) {
	id, err := w.Names.ID(secrets.SubProcessor, name)
	if err != nil {
		return accounts.SubProcessor{}, err
	}
	list, err := w.Accounts.SubProcessors(v.ctx)
	for _, p := range list {
		if p.ID == id {
			return p, nil
		}
	}
	if err == nil {
		err = problem.NotFound("subprocessor", "")
	}
	return accounts.SubProcessor{}, err
}

func (w *site) showNotice(c *fiber.Ctx, v visit, p announcePage, parent int64) error {
	list, err := w.Accounts.SubProcessors(v.ctx)
	if err != nil {
		return err
	}
	for _, one := range list {
		if name := w.Names.Of(secrets.SubProcessor, one.ID); name != p.ID {
			p.Parents = append(p.Parents, choice{name, one.Name, one.ID == parent})
		}
	}
	return render(c, p)
}

func (w *site) announce(c *fiber.Ctx, v visit) error {
	value := func(name string) string { return strings.TrimSpace(c.FormValue(name)) }
	p := announcePage{Kind: value("kind"), ID: value("subprocessor"), Name: value("name"), Address: value("address"), Contact: value("contact"),
		Service: value("service"), Data: value("data"), Country: value("country"), Transfer: value("transfer"), Effective: value("effective_at"), Reason: value("reason")}
	n, err := w.readNotice(p, value("parent"))
	if err == nil {
		_, err = w.Accounts.Announce(v.ctx, n)
	}
	if refused := problem.As(err); refused != nil {
		p.Errors = []fieldError{{refused.Field, v.say.noticeProblem(refused)}}
		return w.showNotice(c.Status(statuses[refused.Kind]), v, p, n.SubProcessor.Parent)
	}
	if err != nil {
		return err
	}
	return c.Redirect(deskPath, fiber.StatusSeeOther)
}

// readNotice is what was filled in.
func (w *site) readNotice(p announcePage, parent string) (n accounts.NewNotice, err error) {
	n = accounts.NewNotice{Kind: p.Kind, Reason: p.Reason, SubProcessor: accounts.SubProcessor{Name: p.Name, Address: p.Address, Contact: p.Contact,
		Service: p.Service, Data: p.Data, Country: p.Country, Transfer: p.Transfer}}
	if p.ID != "" {
		if n.SubProcessor.ID, err = w.Names.ID(secrets.SubProcessor, p.ID); err != nil {
			return n, err
		}
	}
	if parent != "" {
		if n.SubProcessor.Parent, err = w.Names.ID(secrets.SubProcessor, parent); err != nil {
			return n, err
		}
	}
	if p.Effective != "" {
		if n.Effective, err = time.Parse(time.DateOnly, p.Effective); err != nil {
			return n, problem.Invalid("effective_at", "%q is no day", p.Effective)
		}
	}
	return n, nil
}

// noticeProblem says what is wrong with a field of the form.
func (say *tongue) noticeProblem(refused *problem.Problem) string {
	switch refused.Field {
	case "name", "address", "contact", "service", "data":
		return say.text("sub_wrong_missing")
	case "country", "transfer", "effective_at":
		return say.word("sub_wrong", refused.Field)
	case "reason":
		return say.text("sub_wrong_notice_time")
	}
	return say.problem(refused)
}

// noticePage is one notice with its proof, account by account.
type noticePage struct {
	noticeRow
	MayWithdraw bool
	Evidence    []evidenceRow
	Reason      string
	Errors      []fieldError
	Pager       pager
}

func (noticePage) template() string { return "notice" }

// Error is what is wrong with a field, or empty.
func (p noticePage) Error(field string) string { return errorOf(p.Errors, field) }

// evidenceRow is the proof to one account, in words.
type evidenceRow struct {
	accounts.NoticeEvidence
	Known []knownRow
	Mails []knownRow
}

type knownRow struct {
	Word, Who string
	At        time.Time
}

func (w *site) notice(c *fiber.Ctx, v visit) error { return w.showNoticePage(c, v, noticePage{}) }

func (w *site) showNoticePage(c *fiber.Ctx, v visit, p noticePage) error {
	version, err := c.ParamsInt("notice")
	if err != nil {
		return problem.NotFound("notice", "")
	}
	n, err := w.Accounts.SubProcessorNotice(v.ctx, int64(version))
	if err != nil {
		return err
	}
	p.noticeRow, p.MayWithdraw = v.say.notice(n), n.Open(time.Now())
	var after accounts.Account
	if from := c.Query("from"); from != "" {
		if after, err = w.Accounts.ByHandle(v.ctx, from); err != nil {
			return err
		}
	}
	all, err := w.Accounts.Evidence(v.ctx, n.Version, after.ID, pageSize+1)
	if err != nil {
		return err
	}
	all, more := cut(all)
	next := ""
	if more {
		next = all[len(all)-1].Handle
	}
	for _, e := range all {
		p.Evidence = append(p.Evidence, w.evidence(v.say, e))
	}
	p.Pager = turn(deskPath+"/notices/"+c.Params("notice"), nil, c.Query("from"), next)
	return render(c, p)
}

func (w *site) evidence(say *tongue, e accounts.NoticeEvidence) evidenceRow {
	row := evidenceRow{NoticeEvidence: e}
	for _, k := range e.Known {
		one := knownRow{Word: say.word("noticed", k.How), At: k.At}
		switch k.How {
		case accounts.NoticeViewed:
			one.Who = w.Names.Of(secrets.User, k.Who)
		case accounts.NoticeRead:
			one.Who = w.Names.Of(secrets.Key, k.Who)
		}
		row.Known = append(row.Known, one)
	}
	for _, m := range e.Mails {
		row.Mails = append(row.Mails, knownRow{Word: say.word("mailed", m.State), Who: w.Names.Of(secrets.User, m.User), At: m.At})
	}
	return row
}

func (w *site) withdrawNotice(c *fiber.Ctx, v visit) error {
	version, err := c.ParamsInt("notice")
	if err != nil {
		return problem.NotFound("notice", "")
	}
	reason := c.FormValue("reason")
	_, err = w.Accounts.WithdrawNotice(v.ctx, int64(version), reason)
	if refused := problem.As(err); refused != nil && refused.Kind != problem.KindNotFound {
		return w.showNoticePage(c.Status(statuses[refused.Kind]), v, noticePage{Reason: reason, Errors: []fieldError{{"reason", v.say.problem(refused)}}})
	}
	if err != nil {
		return err
	}
	return c.Redirect(deskPath, fiber.StatusSeeOther)
}
