package main

import (
	"context"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

type cardShare struct {
	Account  string        `required:"" help:"The account."`
	Group    []string      `help:"Only the holders of these groups of cards, by id."`
	Card     []string      `help:"Only the holders of these cards, by id."`
	Text     string        `help:"The text, with {{card_link}} where the link stands; what is usual if empty."`
	Language string        `help:"Of the usual text: en, nb or pl; that of the account's country if empty."`
	Sender   string        `help:"The sender; the account's if empty."`
	Lane     string        `help:"urgent, normal or bulk; bulk if empty."`
	MaxCost  string        `help:"The campaign holds before it would cost more, as in 12.50."`
	Wait     bool          `help:"Wait for the delivery receipts."`
	Timeout  time.Duration `default:"15m" help:"How long to wait at the most."`
	Preview  bool          `help:"Say what it would be and who is left out, and send nothing."`
}

// Run sends each holder the link to their own card.
func (s cardShare) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, s.Account, func(app *App, acc accounts.Account) error {
		n, err := s.campaign(ctx, app, acc)
		if err != nil {
			return err
		}
		if s.Preview {
			return sendCommand{}.preview(ctx, c, t, app, acc.ID, n)
		}
		if err := app.haveWorker(ctx); err != nil {
			return err
		}
		cam, err := app.Queue.StartCampaign(ctx, acc.ID, n)
		if err != nil {
			return err
		}
		return sendCommand{Wait: s.Wait, Timeout: s.Timeout}.follow(ctx, c, t, app, cam)
	})
}

func (s cardShare) campaign(ctx context.Context, app *App, acc accounts.Account) (n smsqueue.NewCampaign, err error) {
	share := smsqueue.NewShare{Text: s.Text, Language: s.Language, Sender: s.Sender, Lane: smsqueue.Lane(s.Lane)}
	if share.CeilingMicro, err = ceiling(s.MaxCost); err != nil {
		return n, err
	}
	if share.To.Groups, err = app.idsOf(secrets.CardGroup, s.Group); err != nil {
		return n, err
	}
	if share.To.Cards, err = app.idsOf(secrets.Card, s.Card); err != nil {
		return n, err
	}
	return app.Queue.Share(ctx, acc.ID, share)
}

// idsOf reads names that all are of one kind.
func (a *App) idsOf(prefix string, names []string) (ids []int64, err error) {
	for _, name := range names {
		id, err := a.Names.ID(prefix, name)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}
