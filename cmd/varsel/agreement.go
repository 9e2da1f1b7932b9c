package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

type agreementConclude struct {
	Account   string `required:"" help:"The account."`
	Signatory string `required:"" help:"Who signs."`
	Title     string `required:"" help:"In which office."`
	Email     string `required:"" help:"Their e-mail address."`
	Language  string `default:"en" enum:"en,nb,pl" help:"Of the text that was signed: en, nb or pl."`
}

func (g agreementConclude) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, g.Account, func(app *App, acc accounts.Account) error {
		ag, err := app.Accounts.Attest(ctx, acc.ID, accounts.Signature{Language: g.Language, Signatory: g.Signatory, Title: g.Title, Email: g.Email})
		if err != nil {
			return err
		}
		return c.sayConcluded(app, acc, ag, t)
	})
}

// sayConcluded warns where the document leaves open who its parties are: it is
// evidence of what was signed, and no complete agreement (Art. 28(3) GDPR).
func (c *commands) sayConcluded(app *App, acc accounts.Account, ag accounts.Agreement, t terminal) error {
	for _, open := range []struct{ missing, mend string }{{ag.Processor.LegalName, "processor set"}, {ag.Controller.Address, "controller set --account " + acc.Handle}} {
		if open.missing == "" {
			fmt.Fprintf(t.err, "varsel: the agreement does not say in full who its parties are: varsel %s, then conclude it again\n", open.mend)
		}
	}
	answer := agreementAnswer(app, ag)
	answer["account"] = acc.Handle
	answer["concluded"] = utc(ag.Concluded)
	return c.say(t.out, answer, "The data processing agreement %s is concluded by %s, %s.\nSHA-256 of its text: %s\nSHA-256 of its PDF:  %s",
		ag.Version, ag.Signatory, ag.Title, ag.TextSHA256, ag.PDFSHA256)
}

func agreementAnswer(app *App, ag accounts.Agreement) map[string]any {
	answer := map[string]any{"id": app.Names.Of(secrets.Agreement, ag.ID), "state": ag.State, "version": ag.Version, "language": ag.Language, "text_sha256": ag.TextSHA256}
	if !ag.Concluded.IsZero() {
		for name, value := range map[string]string{"document_sha256": ag.DocumentSHA256, "pdf_sha256": ag.PDFSHA256, "signatory": ag.Signatory, "title": ag.Title,
			"email": ag.Email, "method": ag.Method, "countersigner": ag.Countersigner} {
			answer[name] = value
		}
	}
	for name, at := range map[string]time.Time{"offered_at": ag.Offered, "viewed_at": ag.Viewed, "signed_at": ag.Signed, "concluded_at": ag.Concluded, "closes_at": ag.Closes,
		"superseded_at": ag.Superseded, "terminated_at": ag.Terminated, "end_deadline": ag.EndDeadline} {
		if !at.IsZero() {
			answer[name] = utc(at)
		}
	}
	if ag.AtEnd != "" {
		answer["at_end"] = ag.AtEnd
	}
	return answer
}

type agreementShow struct {
	Account  string `required:"" help:"The account."`
	Text     bool   `help:"The whole text that is offered, with its annexes."`
	Language string `default:"en" enum:"en,nb,pl" help:"Of the text: en, nb or pl."`
}

func (s agreementShow) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, s.Account, func(app *App, acc accounts.Account) error {
		if s.Text {
			d, err := app.Accounts.Draft(ctx, acc.ID, s.Language)
			if err != nil {
				return err
			}
			return c.say(t.out, map[string]any{"version": d.Version, "language": d.Language, "languages": d.Languages, "text_sha256": d.TextSHA256,
				"document_sha256": d.SHA256, "text": d.Text}, "%s", d.Text)
		}
		standing, err := app.Accounts.AgreementStanding(ctx, acc.ID)
		if err != nil {
			return err
		}
		return c.sayStanding(app, acc.Handle, standing, t)
	})
}

func (c *commands) sayStanding(app *App, handle string, s accounts.Standing, t terminal) error {
	answer := map[string]any{"account": handle, "state": s.State, "open": s.Open, "outdated": s.Outdated, "offered_version": s.Offered}
	text := fmt.Sprintf("%s\t%s", handle, s.State)
	if s.Agreement.ID != 0 {
		answer["agreement"] = agreementAnswer(app, s.Agreement)
		text += "\t" + s.Agreement.Version
	}
	if s.Outdated {
		text += "\topens nothing from " + utc(s.Agreement.Closes) + ": conclude " + s.Offered
	}
	if !s.Agreement.EndDeadline.IsZero() {
		text += "\t" + s.Agreement.AtEnd + " by " + utc(s.Agreement.EndDeadline)
	}
	return c.say(t.out, answer, "%s", text)
}

type agreementOffer struct {
	Account  string `required:"" help:"The account."`
	Language string `default:"en" enum:"en,nb,pl" help:"en, nb or pl."`
}

func (o agreementOffer) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, o.Account, func(app *App, acc accounts.Account) error {
		d, err := app.Accounts.Offer(ctx, acc.ID, o.Language)
		if err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"account": acc.Handle, "version": d.Version, "language": d.Language, "text_sha256": d.TextSHA256, "document_sha256": d.SHA256},
			"Version %s is offered to %s: an owner signs it at %s/agreement.", d.Version, acc.Handle, app.Config.publicURL())
	})
}

type agreementUpload struct {
	Account   string `required:"" help:"The account."`
	File      string `required:"" type:"existingfile" help:"The signed PDF."`
	Signatory string `required:"" help:"Who signed."`
	Title     string `required:"" help:"In which office."`
	Email     string `required:"" help:"Their e-mail address."`
	Signed    string `help:"The day when they signed (2026-11-22); today when left out."`
	Language  string `default:"en" enum:"en,nb,pl" help:"Of the text that was signed: en, nb or pl."`
}

func (u agreementUpload) Run(ctx context.Context, c *commands, t terminal) error {
	file, err := os.ReadFile(u.File)
	if err != nil {
		return err
	}
	day, err := dayOf("signed", u.Signed)
	if err != nil {
		return err
	}
	return c.withAccount(ctx, u.Account, func(app *App, acc accounts.Account) error {
		ag, err := app.Accounts.Upload(ctx, acc.ID, accounts.External{PDF: file, Language: u.Language, Signatory: u.Signatory, Title: u.Title, Email: u.Email,
			Signed: day, Authority: true})
		if err != nil {
			return err
		}
		return c.sayConcluded(app, acc, ag, t)
	})
}

// dayOf reads a day, at its beginning in UTC; an empty one is none.
func dayOf(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return day, problem.Invalid(flag, "a day is written as 2026-11-22, not %q", text)
	}
	return day, nil
}

type agreementPDF struct {
	Account   string `required:"" help:"The account."`
	Agreement string `help:"Which one, by its id; the concluded one when left out."`
	Out       string `required:"" help:"The file to write."`
}

func (p agreementPDF) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, p.Account, func(app *App, acc accounts.Account) error {
		id, err := p.id(ctx, app, acc)
		if err != nil {
			return err
		}
		file, err := app.Accounts.AgreementPDF(ctx, acc.ID, id)
		if err != nil {
			return err
		}
		if err := os.WriteFile(p.Out, file, 0o600); err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"file": p.Out, "bytes": len(file)}, "%s has %d bytes.", p.Out, len(file))
	})
}

func (p agreementPDF) id(ctx context.Context, app *App, acc accounts.Account) (int64, error) {
	if p.Agreement != "" {
		return app.Names.ID(secrets.Agreement, p.Agreement)
	}
	ag, err := app.Accounts.CurrentAgreement(ctx, acc.ID)
	return ag.ID, err
}

type agreementVerify struct {
	Account string `required:"" help:"The account."`
}

func (v agreementVerify) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, v.Account, func(app *App, acc accounts.Account) error {
		done, err := app.Accounts.VerifyAgreements(ctx, acc.ID)
		if err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"account": acc.Handle, "agreements": done.Agreements, "entries": done.Chain.Entries, "hash": done.Chain.Hash},
			"%d agreements of %s are as they were concluded. Its chain has %d entries and ends with %s.", done.Agreements, acc.Handle, done.Chain.Entries, done.Chain.Hash)
	})
}

type agreementTerminate struct {
	Account string `required:"" help:"The account."`
	AtEnd   string `required:"" enum:"return,delete" help:"What the controller chose to become of the data: return or delete."`
	Confirm string `required:"" help:"The account once more: this ends reading and sending at once."`
}

func (e agreementTerminate) Run(ctx context.Context, c *commands, t terminal) error {
	if e.Confirm != e.Account {
		return problem.Invalid("confirm", "--confirm is the account, %q", e.Account)
	}
	return c.withAccount(ctx, e.Account, func(app *App, acc accounts.Account) error {
		if err := app.Accounts.Terminate(ctx, acc.ID, accounts.Termination{AtEnd: e.AtEnd}); err != nil {
			return err
		}
		standing, err := app.Accounts.AgreementStanding(ctx, acc.ID)
		if err != nil {
			return err
		}
		return c.sayStanding(app, acc.Handle, standing, t)
	})
}

type agreementList struct {
	Account string `help:"Only this account, with all that was offered to it."`
}

func (l agreementList) Run(ctx context.Context, c *commands, t terminal) error {
	if l.Account == "" {
		return c.withApp(ctx, func(app *App) error { return c.listStandings(ctx, app, t) })
	}
	return c.withAccount(ctx, l.Account, func(app *App, acc accounts.Account) error {
		all, err := app.Accounts.Agreements(ctx, acc.ID)
		if err != nil {
			return err
		}
		for _, ag := range all {
			answer := agreementAnswer(app, ag)
			if err := c.say(t.out, answer, "%s\t%s\t%s\t%s\t%s", answer["id"], ag.State, ag.Version, ag.Language, ag.Signatory); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *commands) listStandings(ctx context.Context, app *App, t terminal) error {
	all, err := app.Accounts.AgreementStandings(ctx)
	if err != nil {
		return err
	}
	for _, one := range all {
		if err := c.sayStanding(app, one.Account.Handle, one.Standing, t); err != nil {
			return err
		}
	}
	return nil
}

type agreementPublish struct {
	Version       string            `help:"Its name, such as 2027-01; without it the versions are listed."`
	Text          map[string]string `help:"Its text by language: en=FILE;nb=FILE;pl=FILE."`
	OfferedFrom   string            `help:"From which day it is offered (2027-01-01, UTC); at once when left out."`
	GraceUntil    string            `help:"Until which day agreements of earlier versions are enough."`
	ObjectionDays int               `default:"30" help:"Days between the announcement of a sub-processor and the change, as the text says."`
	BreachHours   int               `default:"48" help:"Hours until a breach is notified at the latest, as the text says."`
	EndDays       int               `default:"30" help:"Days until data are returned or deleted after the end, as the text says."`
}

func (p agreementPublish) Run(ctx context.Context, c *commands, t terminal) error {
	if p.Version == "" {
		return c.withApp(ctx, func(app *App) error { return c.listVersions(ctx, app, t) })
	}
	v := accounts.AgreementVersion{Name: p.Version, Texts: map[string]string{},
		Terms: accounts.Terms{ObjectionDays: p.ObjectionDays, BreachHours: p.BreachHours, EndDays: p.EndDays}}
	for language, file := range p.Text {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		v.Texts[language] = string(text)
	}
	var err error
	if v.Offered, err = dayOf("offered_from", p.OfferedFrom); err != nil {
		return err
	}
	if v.Grace, err = dayOf("grace_until", p.GraceUntil); err != nil {
		return err
	}
	return c.withApp(ctx, func(app *App) error {
		if v, err = app.Accounts.PublishAgreement(ctx, v); err != nil {
			return err
		}
		return c.sayVersion(v, t)
	})
}

func (c *commands) listVersions(ctx context.Context, app *App, t terminal) error {
	all, err := app.Accounts.AgreementVersions(ctx)
	if err != nil {
		return err
	}
	for _, v := range all {
		if err := c.sayVersion(v, t); err != nil {
			return err
		}
	}
	return nil
}

func (c *commands) sayVersion(v accounts.AgreementVersion, t terminal) error {
	return c.say(t.out, map[string]any{"version": v.Name, "origin": v.Origin, "languages": v.Languages(), "offered_from": utc(v.Offered), "grace_until": utc(v.Grace),
		"objection_days": v.ObjectionDays, "breach_hours": v.BreachHours, "end_days": v.EndDays},
		"%s\t%s\toffered from %s, earlier ones are enough until %s\t%s", v.Name, v.Origin, utc(v.Offered), utc(v.Grace), strings.Join(v.Languages(), " "))
}
