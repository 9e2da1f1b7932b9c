package main

import (
	"context"
	"time"

	"github.com/varsel/varsel/internal/mail"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/web"
)

// mailJobs is what is mailed, where there is a relay.
func (a *App) mailJobs() []smsqueue.Job {
	if a.Config.SMTPURL == "" {
		return nil
	}
	by := func(do func(ctx context.Context, send func(context.Context, mail.Message) error) error) func(context.Context) error {
		return func(ctx context.Context) error {
			relay, err := mail.Open(a.Config.SMTPURL)
			if err != nil {
				return err
			}
			return do(ctx, relay.Send)
		}
	}
	return []smsqueue.Job{
		{Name: "mail-notices", Every: time.Minute, Run: by(func(ctx context.Context, send func(context.Context, mail.Message) error) error {
			return a.Accounts.MailNotices(ctx, send, a.Config.publicURL()+web.AccountSubProcessorsPath)
		})},
		{Name: "mail-holders", Every: 10 * time.Second, Run: by(func(ctx context.Context, send func(context.Context, mail.Message) error) error {
			return a.Cards.MailHolders(ctx, time.Now, send, a.Config.reachableURL())
		})},
	}
}
