package main

import (
	"context"

	"github.com/varsel/varsel/accounts"
)

// partyFlags are the fields of a party; what is not given stays as it is.
type partyFlags struct {
	Name           *string `help:"Legal name."`
	Registration   *string `help:"Number in the companies' register."`
	Address        *string `help:"Postal address."`
	Contact        *string `help:"Contact person, with e-mail address or phone number."`
	DPO            *string `name:"dpo" help:"Data protection officer, and how to reach them."`
	Representative *string `help:"Representative in the Union (Art. 27 GDPR)."`
}

func (f partyFlags) into(p *accounts.Party) {
	for _, one := range []struct{ from, to *string }{{f.Name, &p.LegalName}, {f.Registration, &p.Registration}, {f.Address, &p.Address},
		{f.Contact, &p.Contact}, {f.DPO, &p.DPO}, {f.Representative, &p.Representative}} {
		if one.from != nil {
			*one.to = *one.from
		}
	}
}

func partyAnswer(p accounts.Party) map[string]any {
	return map[string]any{"legal_name": p.LegalName, "registration": p.Registration, "address": p.Address, "contact": p.Contact, "dpo": p.DPO,
		"representative": p.Representative}
}

const partyText = "Legal name      %s\nRegistration    %s\nAddress         %s\nContact         %s\nDPO             %s\nRepresentative  %s"

func partyWords(p accounts.Party) []any {
	return []any{p.LegalName, p.Registration, p.Address, p.Contact, p.DPO, p.Representative}
}

type processorSet struct {
	partyFlags
	Signatory      *string `help:"Who signs agreements."`
	SignatoryTitle *string `help:"In which office."`
}

func (s processorSet) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withApp(ctx, func(app *App) error {
		p, err := app.Accounts.Processor(ctx)
		if err != nil {
			return err
		}
		s.into(&p.Party)
		if s.Signatory != nil {
			p.Signatory = *s.Signatory
		}
		if s.SignatoryTitle != nil {
			p.SignatoryTitle = *s.SignatoryTitle
		}
		if err := app.Accounts.SetProcessor(ctx, p); err != nil {
			return err
		}
		return c.sayProcessor(ctx, app, t)
	})
}

type processorShow struct{}

func (processorShow) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withApp(ctx, func(app *App) error { return c.sayProcessor(ctx, app, t) })
}

func (c *commands) sayProcessor(ctx context.Context, app *App, t terminal) error {
	p, err := app.Accounts.Processor(ctx)
	if err != nil {
		return err
	}
	answer := partyAnswer(p.Party)
	answer["signatory"], answer["signatory_title"] = p.Signatory, p.SignatoryTitle
	return c.say(t.out, answer, partyText+"\nSigns           %s, %s", append(partyWords(p.Party), p.Signatory, p.SignatoryTitle)...)
}

type controllerSet struct {
	Account string `required:"" help:"The account."`
	partyFlags
}

func (s controllerSet) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, s.Account, func(app *App, acc accounts.Account) error {
		p, err := app.Accounts.Controller(ctx, acc.ID)
		if err != nil {
			return err
		}
		s.into(&p)
		if err := app.Accounts.SetController(ctx, acc.ID, p); err != nil {
			return err
		}
		return c.sayController(ctx, app, acc, t)
	})
}

type controllerShow struct {
	Account string `required:"" help:"The account."`
}

func (s controllerShow) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, s.Account, func(app *App, acc accounts.Account) error { return c.sayController(ctx, app, acc, t) })
}

func (c *commands) sayController(ctx context.Context, app *App, acc accounts.Account, t terminal) error {
	p, err := app.Accounts.Controller(ctx, acc.ID)
	if err != nil {
		return err
	}
	answer := partyAnswer(p)
	answer["account"] = acc.Handle
	return c.say(t.out, answer, partyText, partyWords(p)...)
}
