package accounts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/varsel/varsel/internal/mail"
)

const (
	// mailLease is longer than sending one mail can take.
	mailLease = 10 * time.Minute
	// mailTime is how long a mail is tried after its announcement.
	mailTime = 7 * day
)

// How a mail stands.
const (
	mailWaiting     = "waiting"
	mailSent        = "sent"
	mailUnconfirmed = "unconfirmed" // the relay may have taken it
	mailFailed      = "failed"      // it was not taken, and is not tried again
)

// owed is a mail that this process has claimed.
type owed struct {
	account, notice, user int64
	tries                 int
	email, region         string
	version               int64
}

// MailNotices sends the owners of accounts the mails about notices that are due, each
// once. A mail is claimed before it is sent, so whoever dies in between leaves one of
// which nobody knows whether it was sent: that one is not sent again. page is the
// address of the page that lists notices.
func (a *Accounts) MailNotices(ctx context.Context, send func(context.Context, mail.Message) error, page string) error {
	if err := a.giveUpMails(ctx, a.now()); err != nil {
		return err
	}
	for ctx.Err() == nil {
		m, err := a.claimMail(ctx, a.now())
		if err != nil || m.account == 0 {
			return err
		}
		n, err := a.SubProcessorNotice(ctx, m.version)
		if err != nil {
			return err
		}
		sent := send(ctx, n.mail(m, page))
		// What became of it is kept also when the process is being ended.
		if err := a.keepMail(context.WithoutCancel(ctx), n, m, sent); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (a *Accounts) keepMail(ctx context.Context, n SubProcessorNotice, m owed, sent error) error {
	now := a.now()
	switch {
	case sent == nil:
		return a.settleMail(ctx, m, mailSent, now)
	case errors.Is(sent, mail.ErrLater):
		if now.Sub(n.Announced) < mailTime {
			return a.settleMail(ctx, m, mailWaiting, now.Add(mailPause(m.tries)))
		}
	case errors.Is(sent, mail.ErrUnsure):
		return a.settleMail(ctx, m, mailUnconfirmed, now)
	}
	slog.Warn("a notice could not be mailed", "notice", n.Version, "error", sent)
	return a.settleMail(ctx, m, mailFailed, now)
}

// mailPause doubles from a minute to four hours.
func mailPause(tries int) time.Duration { return min(time.Minute<<min(tries-1, 10), 4*time.Hour) }

// mail is the notice as text, in the language of the account's country.
func (n SubProcessorNotice) mail(m owed, page string) mail.Message {
	say, ok := noticeTexts[m.region]
	if !ok {
		say = noticeTexts[""]
	}
	on := n.Effective.UTC().Format(time.DateOnly)
	p := n.SubProcessor
	text := fmt.Sprintf(say.kinds[n.Kind], p.Name, on) + "\n\n"
	for i, value := range []string{p.Name, p.Address, p.Contact, p.Service, p.Data, p.Country, p.Transfer} {
		if value != "" {
			text += say.fields[i] + ": " + value + "\n"
		}
	}
	if n.Reason != "" {
		text += say.reason + ": " + n.Reason + "\n"
	}
	if n.Open(n.Announced) {
		text += "\n" + fmt.Sprintf(say.object, on) + "\n"
	}
	return mail.Message{To: m.email, Subject: fmt.Sprintf(say.subject, p.Name), Text: text + "\n" + page + "\n",
		ID: fmt.Sprintf("notice-%d-%d-%d", n.ID, m.account, m.user)}
}

// noticeText is a notice in one language.
type noticeText struct {
	subject string // name
	kinds   map[string]string
	fields  []string // name, address, contact, service, data, country, transfer
	reason  string
	object  string // day
}

// noticeTexts are by the country of the account; "" is for all others.
var noticeTexts = map[string]noticeText{
	"": {
		subject: "Change of sub-processors: %s",
		kinds: map[string]string{
			NoticeAdd:      "%s will process personal data for you as a sub-processor from %s.",
			NoticeChange:   "What is said about the sub-processor %s changes on %s.",
			NoticeRemove:   "%s is no sub-processor from %s.",
			NoticeWithdraw: "The announced change about %s is withdrawn as of %s.",
		},
		fields: []string{"Name", "Address", "Contact", "Service", "Data", "Country", "Transfer tool"},
		reason: "Reason",
		object: "You may object before %s:",
	},
	"NO": {
		subject: "Endring av underdatabehandlere: %s",
		kinds: map[string]string{
			NoticeAdd:      "%s skal behandle personopplysninger for dere som underdatabehandler fra %s.",
			NoticeChange:   "Opplysningene om underdatabehandleren %s endres %s.",
			NoticeRemove:   "%s er ikke lenger underdatabehandler fra %s.",
			NoticeWithdraw: "Den varslede endringen om %s er trukket tilbake fra %s.",
		},
		fields: []string{"Navn", "Adresse", "Kontakt", "Tjeneste", "Opplysninger", "Land", "Overføringsgrunnlag"},
		reason: "Begrunnelse",
		object: "Dere kan protestere før %s:",
	},
	"PL": {
		subject: "Zmiana podmiotów podprzetwarzających: %s",
		kinds: map[string]string{
			NoticeAdd:      "%s będzie przetwarzać dane osobowe w Państwa imieniu jako podmiot podprzetwarzający od %s.",
			NoticeChange:   "Informacje o podmiocie podprzetwarzającym %s zmienią się %s.",
			NoticeRemove:   "%s nie jest podmiotem podprzetwarzającym od %s.",
			NoticeWithdraw: "Zapowiedziana zmiana dotycząca %s została wycofana %s.",
		},
		fields: []string{"Nazwa", "Adres", "Kontakt", "Usługa", "Dane", "Kraj", "Podstawa przekazania"},
		reason: "Powód",
		object: "Mogą Państwo wnieść sprzeciw przed %s:",
	},
}
