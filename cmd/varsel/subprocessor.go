package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

type subprocessorAnnounce struct {
	Kind         string `enum:"add,change,remove" default:"add" help:"add, change or remove."`
	SubProcessor string `name:"subprocessor" help:"Whom it is about, to change or remove."`
	Name         string `help:"Legal name."`
	Address      string `help:"Postal address."`
	Contact      string `help:"Contact person, and how they are reached."`
	Service      string `help:"What it does for us."`
	Data         string `help:"Which personal data it has."`
	Country      string `help:"Where it processes: NO."`
	Transfer     string `help:"What allows a transfer outside the EEA."`
	Parent       string `help:"The sub-processor that engages it; left out, we do."`
	Effective    string `help:"The day of the change, 2026-12-31; today is at once. Left out, 30 days from now."`
	Reason       string `help:"Why it is not announced 30 days before."`
}

func (s subprocessorAnnounce) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withApp(ctx, func(app *App) error {
		n := accounts.NewNotice{Kind: s.Kind, Reason: s.Reason}
		var err error
		if n.SubProcessor, err = s.wording(ctx, app); err != nil {
			return err
		}
		if n.Effective, err = dayFrom(s.Effective); err != nil {
			return err
		}
		made, err := app.Accounts.Announce(ctx, n)
		if err != nil {
			return err
		}
		return c.say(t.out, noticeAnswer(app, made), "%s\nSub-processor %s. All accounts can read it.", noticeText(made), app.Names.Of(secrets.SubProcessor, made.SubProcessor.ID))
	})
}

// wording is what is said, over what was said last.
func (s subprocessorAnnounce) wording(ctx context.Context, app *App) (p accounts.SubProcessor, err error) {
	if s.SubProcessor != "" {
		if p, err = app.lastWording(ctx, s.SubProcessor); err != nil {
			return p, err
		}
	}
	for _, f := range []struct {
		into *string
		said string
	}{{&p.Name, s.Name}, {&p.Address, s.Address}, {&p.Contact, s.Contact}, {&p.Service, s.Service}, {&p.Data, s.Data}, {&p.Country, s.Country}, {&p.Transfer, s.Transfer}} {
		if f.said != "" {
			*f.into = f.said
		}
	}
	if s.Parent != "" {
		p.Parent, err = app.Names.ID(secrets.SubProcessor, s.Parent)
	}
	return p, err
}

func (a *App) lastWording(ctx context.Context, name string) (accounts.SubProcessor, error) {
	id, err := a.Names.ID(secrets.SubProcessor, name)
	if err != nil {
		return accounts.SubProcessor{}, err
	}
	all, err := a.Accounts.SubProcessorNotices(ctx)
	if err != nil {
		return accounts.SubProcessor{}, err
	}
	i := slices.IndexFunc(all, func(n accounts.SubProcessorNotice) bool {
		return n.SubProcessor.ID == id && n.Kind != accounts.NoticeWithdraw && n.WithdrawnBy == 0
	})
	if i < 0 {
		return accounts.SubProcessor{}, problem.NotFound("subprocessor", name)
	}
	return all[i].SubProcessor, nil
}

// dayFrom reads a day; none is the zero time.
func dayFrom(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		err = fmt.Errorf("%q is no day such as 2026-12-31", text)
	}
	return at, err
}

func noticeAnswer(app *App, n accounts.SubProcessorNotice) map[string]any {
	answer := map[string]any{"notice": n.Version, "kind": n.Kind, "subprocessor": subprocessorAnswer(app, n.SubProcessor),
		"reason": n.Reason, "announced_at": utc(n.Announced), "effective_at": utc(n.Effective)}
	if n.Withdraws != 0 {
		answer["withdraws"] = n.Withdraws
	}
	if n.WithdrawnBy != 0 {
		answer["withdrawn_by"] = n.WithdrawnBy
	}
	return answer
}

func noticeText(n accounts.SubProcessorNotice) string {
	text := fmt.Sprintf("%d\t%s\t%s\t%s\tannounced %s", n.Version, n.Effective.UTC().Format(time.DateOnly), n.Kind, n.SubProcessor.Name, utc(n.Announced))
	if n.Withdraws != 0 {
		text += fmt.Sprintf("\tnotice %d", n.Withdraws)
	}
	if n.WithdrawnBy != 0 {
		text += fmt.Sprintf("\twithdrawn by notice %d", n.WithdrawnBy)
	}
	if n.Reason != "" {
		text += "\t" + n.Reason
	}
	return text
}

func subprocessorAnswer(app *App, p accounts.SubProcessor) map[string]any {
	answer := map[string]any{"id": app.Names.Of(secrets.SubProcessor, p.ID), "name": p.Name, "address": p.Address, "contact": p.Contact,
		"service": p.Service, "data": p.Data, "country": p.Country, "transfer": p.Transfer}
	if p.Parent != 0 {
		answer["parent"] = app.Names.Of(secrets.SubProcessor, p.Parent)
	}
	if !p.Since.IsZero() {
		answer["since"] = utc(p.Since)
	}
	return answer
}

type subprocessorWithdraw struct {
	Notice int64  `required:"" help:"The notice."`
	Reason string `required:"" help:"Why; open objections are answered with it."`
}

func (w subprocessorWithdraw) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withApp(ctx, func(app *App) error {
		n, err := app.Accounts.WithdrawNotice(ctx, w.Notice, w.Reason)
		if err != nil {
			return err
		}
		return c.say(t.out, noticeAnswer(app, n), "Notice %d is withdrawn by notice %d.", w.Notice, n.Version)
	})
}

type subprocessorList struct {
	At string `help:"On this day, 2026-12-31; left out, now."`
}

func (l subprocessorList) Run(ctx context.Context, c *commands, t terminal) error {
	at, err := dayFrom(l.At)
	if err != nil {
		return err
	}
	if at.IsZero() {
		at = time.Now()
	}
	return c.withApp(ctx, func(app *App) error {
		all, err := app.Accounts.SubProcessorsAt(ctx, at)
		if err != nil {
			return err
		}
		for _, p := range all {
			if err := c.say(t.out, subprocessorAnswer(app, p), "%s", subprocessorText(app, p)); err != nil {
				return err
			}
		}
		return nil
	})
}

func subprocessorText(app *App, p accounts.SubProcessor) string {
	text := strings.Join([]string{app.Names.Of(secrets.SubProcessor, p.ID), p.Name, p.Country, p.Service, p.Address, p.Contact, p.Data}, "\t")
	if p.Transfer != "" {
		text += "\t" + p.Transfer
	}
	return text
}

type subprocessorNotices struct {
	Evidence int64 `help:"How each account came to know of this notice."`
}

func (s subprocessorNotices) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withApp(ctx, func(app *App) error {
		if s.Evidence != 0 {
			return s.evidence(ctx, app, c, t.out)
		}
		all, err := app.Accounts.SubProcessorNotices(ctx)
		if err != nil {
			return err
		}
		for _, n := range all {
			if err := c.say(t.out, noticeAnswer(app, n), "%s", noticeText(n)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s subprocessorNotices) evidence(ctx context.Context, app *App, c *commands, out io.Writer) error {
	const atOnce = 500
	for after := int64(0); ; {
		all, err := app.Accounts.Evidence(ctx, s.Evidence, after, atOnce)
		if err != nil || len(all) == 0 {
			return err
		}
		for _, e := range all {
			answer, text := evidenceAnswer(app, e)
			if err := c.say(out, answer, "%s", text); err != nil {
				return err
			}
			after = e.Account
		}
	}
}

func evidenceAnswer(app *App, e accounts.NoticeEvidence) (map[string]any, string) {
	known, mails := []map[string]any{}, []map[string]any{}
	text := e.Handle
	if !e.Available.IsZero() {
		text += "\tavailable " + utc(e.Available)
	}
	for _, k := range e.Known {
		one := map[string]any{"how": k.How, "at": utc(k.At)}
		if k.Who != 0 {
			one["who"] = app.Names.Of(whoKinds[k.How], k.Who)
		}
		known = append(known, one)
		text += "\t" + k.How + " " + utc(k.At)
	}
	for _, m := range e.Mails {
		one := map[string]any{"user": app.Names.Of(secrets.User, m.User), "state": m.State}
		if !m.At.IsZero() {
			one["at"] = utc(m.At)
		}
		mails = append(mails, one)
		text += "\tmail " + m.State
	}
	answer := map[string]any{"account": e.Handle, "known": known, "mails": mails}
	if !e.Available.IsZero() {
		answer["available_at"] = utc(e.Available)
	}
	return answer, text
}

// whoKinds says what sort of id stands behind a way to know of a notice.
var whoKinds = map[string]string{accounts.NoticeViewed: secrets.User, accounts.NoticeRead: secrets.Key}

type subprocessorObject struct {
	Account string `required:"" help:"The account."`
	Notice  int64  `required:"" help:"The notice."`
	Reason  string `required:"" help:"Why."`
}

func (o subprocessorObject) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, o.Account, func(app *App, acc accounts.Account) error {
		made, err := app.Accounts.Object(ctx, acc.ID, o.Notice, o.Reason)
		if err != nil {
			return err
		}
		return c.say(t.out, objectionAnswer(app, acc, made), "%s\nThe operators see it.", objectionText(app, acc, made))
	})
}

type subprocessorRetract struct {
	Account   string `required:"" help:"The account."`
	Objection string `required:"" help:"The objection, as subprocessor objections shows it."`
}

func (r subprocessorRetract) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, r.Account, func(app *App, acc accounts.Account) error {
		id, err := app.Names.ID(secrets.Objection, r.Objection)
		if err != nil {
			return err
		}
		o, err := app.Accounts.Retract(ctx, acc.ID, id)
		if err != nil {
			return err
		}
		return c.say(t.out, objectionAnswer(app, acc, o), "The objection is retracted.")
	})
}

type subprocessorObjections struct {
	Account string `help:"Of this account; left out, of all."`
}

func (l subprocessorObjections) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withApp(ctx, func(app *App) error {
		var only accounts.Account
		var err error
		if l.Account != "" {
			if only, err = app.Accounts.ByHandle(ctx, l.Account); err != nil {
				return err
			}
		}
		all, err := app.Accounts.Objections(ctx, only.ID)
		if err != nil {
			return err
		}
		for _, o := range all {
			acc, err := app.Accounts.ByID(ctx, o.Account)
			if err != nil {
				return err
			}
			if err := c.say(t.out, objectionAnswer(app, acc, o), "%s", objectionText(app, acc, o)); err != nil {
				return err
			}
		}
		return nil
	})
}

func objectionAnswer(app *App, acc accounts.Account, o accounts.Objection) map[string]any {
	answer := map[string]any{"id": app.Names.Of(secrets.Objection, o.ID), "account": acc.Handle, "notice": o.Notice, "reason": o.Reason,
		"state": o.State, "answer": o.Answer, "made_at": utc(o.Made)}
	if !o.Ended.IsZero() {
		answer["ended_at"] = utc(o.Ended)
	}
	return answer
}

func objectionText(app *App, acc accounts.Account, o accounts.Objection) string {
	text := fmt.Sprintf("%s\t%s\tnotice %d\t%s\t%s\t%q", app.Names.Of(secrets.Objection, o.ID), acc.Handle, o.Notice, utc(o.Made), o.State, o.Reason)
	if o.Answer != "" {
		text += fmt.Sprintf("\t%q", o.Answer)
	}
	return text
}

type subprocessorResolve struct {
	Objection string `required:"" help:"The objection."`
	Outcome   string `required:"" enum:"not_engaged,terminated,withdrawn" help:"not_engaged: not for this account. terminated: the agreement ends. withdrawn: the notice is withdrawn, for everybody."`
	Answer    string `required:"" help:"What the account is told."`
}

func (r subprocessorResolve) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withApp(ctx, func(app *App) error {
		id, err := app.Names.ID(secrets.Objection, r.Objection)
		if err != nil {
			return err
		}
		o, err := app.Accounts.Resolve(ctx, id, r.Outcome, r.Answer)
		if err != nil {
			return err
		}
		acc, err := app.Accounts.ByID(ctx, o.Account)
		if err != nil {
			return err
		}
		return c.say(t.out, objectionAnswer(app, acc, o), "%s", objectionText(app, acc, o))
	})
}

type subprocessorCarrier struct {
	Carrier      string `required:"" help:"The carrier's name."`
	SubProcessor string `required:"" name:"subprocessor" help:"The sub-processor that runs it."`
}

func (s subprocessorCarrier) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withApp(ctx, func(app *App) error {
		if err := app.runBy(ctx, t.err, s.Carrier, s.SubProcessor); err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"carrier": s.Carrier, "subprocessor": s.SubProcessor}, "Carrier %s is run by %s.", s.Carrier, s.SubProcessor)
	})
}

// runBy says which sub-processor runs a carrier, and warns when nobody on the list does.
func (a *App) runBy(ctx context.Context, warnings io.Writer, carrier, subProcessor string) error {
	if subProcessor != "" {
		id, err := a.Names.ID(secrets.SubProcessor, subProcessor)
		if err != nil {
			return err
		}
		if err := a.Accounts.CoverCarrier(ctx, carrier, id); err != nil {
			return err
		}
	}
	without, err := a.Accounts.Uncovered(ctx)
	if err == nil && slices.Contains(without, carrier) {
		fmt.Fprintf(warnings, "No sub-processor on the list runs carrier %s: announce the one that does, and name it with varsel subprocessor carrier.\n", carrier)
	}
	return err
}

type subprocessorCheck struct{}

func (subprocessorCheck) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withApp(ctx, func(app *App) error {
		without, err := app.Accounts.Uncovered(ctx)
		if err != nil {
			return err
		}
		for _, name := range without {
			err := c.say(t.out, map[string]any{"carrier": name}, "%s\tno sub-processor on the list runs it", name)
			if err != nil {
				return err
			}
		}
		if len(without) > 0 {
			return errSaid
		}
		return nil
	})
}
