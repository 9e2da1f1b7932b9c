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
	return []smsqueue.Job{{Name: "mail-notices", Every: time.Minute, Run: func(ctx context.Context) error {
		relay, err := mail.Open(a.Config.SMTPURL)
		if err != nil {
			return err
		}
		return a.Accounts.MailNotices(ctx, relay.Send, a.Config.publicURL()+web.AccountSubProcessorsPath)
	}}}
}
