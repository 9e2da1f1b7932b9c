package cards

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/mail"
	"github.com/varsel/varsel/internal/problem"
)

// This file reads contacts to find the addresses of holders.

const (
	// mailLease is longer than sending one mail can take.
	mailLease = 10 * time.Minute
	// mailTime is how long a mail waits that nobody tries to send, and mostTries how often
	// one is tried: over two days, with pauses that double to four hours.
	mailTime, mostTries = 2 * 24 * time.Hour, 20
	// mailKept is how long it is kept that somebody was mailed.
	mailKept = 90 * 24 * time.Hour
)

// How a mail stands.
const (
	mailWaiting     = "waiting"
	mailSent        = "sent"
	mailUnconfirmed = "unconfirmed" // the relay may have taken it
	mailFailed      = "failed"      // it was not taken, and is not tried again
)

// AreThere refuses groups and cards that are not the account's.
func (c *Cards) AreThere(ctx context.Context, account int64, groups, cards []int64) error {
	for _, of := range []struct {
		query, what string
		ids         []int64
	}{
		{`SELECT COUNT(*) FROM card_groups WHERE account_id = $1 AND id IN (SELECT CAST(key AS BIGINT) FROM json_each($2))`, "card_group", groups},
		{`SELECT COUNT(*) FROM cards WHERE account_id = $1 AND id IN (SELECT CAST(key AS BIGINT) FROM json_each($2))`, "card", cards},
	} {
		wanted := map[int64]bool{}
		for _, id := range of.ids {
			wanted[id] = true
		}
		var n int
		if err := c.db.QueryRowContext(ctx, of.query, account, keys(of.ids)).Scan(&n); err != nil {
			return err
		}
		if n != len(wanted) {
			return problem.NotFound(of.what, "")
		}
	}
	return nil
}

// OweMails writes down that the holders of groups of cards (none: of all) are mailed in
// a notice: in their own language where there is a text in it, else in another.
func (c *Cards) OweMails(ctx context.Context, tx *db.Tx, account, notice int64, groups []int64, language string, now time.Time) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO card_mails (notice, card_id, account_id, language, due_at)
		SELECT CAST($2 AS BIGINT), k.id, k.account_id, CASE WHEN k.language = '' THEN CAST($5 AS TEXT) ELSE k.language END, CAST($6 AS BIGINT)
		FROM cards k JOIN card_groups g ON g.id = k.group_id AND g.template_id <> 0
		JOIN contacts p ON p.id = k.contact_id AND p.state = 'active' AND p.email <> ''
		WHERE k.account_id = $1 AND k.state = 'active' AND (CAST($3 AS BIGINT) = 0 OR k.group_id IN (SELECT CAST(key AS BIGINT) FROM json_each($4)))
		ON CONFLICT DO NOTHING`, account, notice, len(groups), keys(groups), language, db.Millis(now))
	return err
}

// owed is a mail that this process has claimed.
type owed struct {
	notice, card, account int64
	tries                 int
	email, language, slug string
}

// MailHolders sends the mails that are due, each once. A mail is claimed before it is
// sent, so whoever dies in between leaves one of which nobody knows whether it was sent:
// that one is not sent again. public is the installation's own address.
func (c *Cards) MailHolders(ctx context.Context, now func() time.Time, send func(context.Context, mail.Message) error, public string) error {
	if err := c.giveUpMails(ctx, now()); err != nil {
		return err
	}
	for ctx.Err() == nil {
		m, err := c.claimMail(ctx, now())
		if err != nil || m.card == 0 {
			return err
		}
		if m.slug == "" { // the holder has left, or has no address any more
			err = c.settleMail(ctx, m, mailFailed, now())
		} else {
			// What became of it is kept also when the process is being ended.
			err = c.keepMail(context.WithoutCancel(ctx), m, send(ctx, m.mail(public)), now())
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (c *Cards) keepMail(ctx context.Context, m owed, sent error, now time.Time) error {
	switch {
	case sent == nil:
		return c.settleMail(ctx, m, mailSent, now)
	case errors.Is(sent, mail.ErrLater) && m.tries < mostTries:
		return c.settleMail(ctx, m, mailWaiting, now.Add(min(time.Minute<<min(m.tries-1, 10), 4*time.Hour)))
	case errors.Is(sent, mail.ErrUnsure):
		return c.settleMail(ctx, m, mailUnconfirmed, now)
	}
	slog.Warn("a holder could not be mailed", "card", m.card, "error", sent)
	return c.settleMail(ctx, m, mailFailed, now)
}

// giveUpMails settles those whose sender died, and those that have waited too long for a
// relay.
func (c *Cards) giveUpMails(ctx context.Context, now time.Time) error {
	if _, err := c.db.ExecContext(ctx, diedMails, db.Millis(now)); err != nil {
		return err
	}
	_, err := c.db.ExecContext(ctx, overdueMails, db.Millis(now), db.Millis(now.Add(-mailTime)))
	return err
}

// Each statement repeats the condition of the index that it goes by: SQLite takes no other.
const (
	diedMails    = `UPDATE card_mails SET state = 'unconfirmed', at = $1 WHERE state = 'sending' AND due_at < $1`
	overdueMails = `UPDATE card_mails SET state = 'failed', at = $1 WHERE state = 'waiting' AND due_at < $2`
	claimedMail  = `
		UPDATE card_mails SET state = 'sending', tries = tries + 1, due_at = $2
		WHERE state = 'waiting' AND (notice, card_id) = (
			SELECT notice, card_id FROM card_mails WHERE state = 'waiting' AND due_at <= $1 ORDER BY due_at, notice, card_id LIMIT 1)
		RETURNING notice, card_id, account_id, tries, language`
)

// claimMail takes the mail that is due first; one of card 0 is none. It takes one and not
// many, as whoever dies leaves all that they took unsent and not to be sent again.
func (c *Cards) claimMail(ctx context.Context, now time.Time) (m owed, err error) {
	err = c.db.InTx(ctx, func(tx *db.Tx) error {
		m = owed{}
		err := tx.QueryRowContext(ctx, claimedMail, db.Millis(now), db.Millis(now.Add(mailLease))).
			Scan(&m.notice, &m.card, &m.account, &m.tries, &m.language)
		if err != nil {
			return orNone(err)
		}
		return orNone(tx.QueryRowContext(ctx, `
			SELECT k.slug, p.email FROM cards k JOIN contacts p ON p.id = k.contact_id
			WHERE k.id = $1 AND k.account_id = $2 AND k.state = 'active' AND p.state = 'active' AND p.email <> ''`, m.card, m.account).Scan(&m.slug, &m.email))
	})
	return m, err
}

func orNone(err error) error {
	if db.IsNone(err) {
		return nil
	}
	return err
}

// settleMail says how a claimed mail stands; one that waits is tried again at that time.
func (c *Cards) settleMail(ctx context.Context, m owed, state string, at time.Time) error {
	_, err := c.db.ExecContext(ctx, `
		UPDATE card_mails SET state = $3, at = CASE WHEN $3 = 'waiting' THEN 0 ELSE CAST($4 AS BIGINT) END, due_at = $4
		WHERE notice = $1 AND card_id = $2 AND state = 'sending'`, m.notice, m.card, state, db.Millis(at))
	return err
}

// mail is the notice as text.
func (m owed) mail(public string) mail.Message {
	say := mailIn(m.language)
	return mail.Message{To: m.email, Subject: say.subject, Text: fmt.Sprintf(say.text, Address(public, m.slug)), ID: fmt.Sprintf("card-%d-%d", m.notice, m.card)}
}

type mailText struct{ subject, text string }

// mailIn is the text in a language (BCP 47), English where there is none.
func mailIn(language string) mailText {
	if len(language) > 2 {
		language = language[:2]
	}
	switch language {
	case "nb", "nn", "no":
		return mailText{"Visittkortet ditt er oppdatert", "Hei!\n\nDet digitale visittkortet ditt er oppdatert. Se det her:\n\n%s\n\nLagre lenken, og del den med dem du møter.\n"}
	case "pl":
		return mailText{"Twoja wizytówka została zaktualizowana", "Dzień dobry!\n\nTwoja cyfrowa wizytówka została zaktualizowana. Możesz ją zobaczyć tutaj:\n\n%s\n\nZapisz ten link i udostępniaj go osobom, z którymi się spotykasz.\n"}
	}
	return mailText{"Your business card was updated", "Hello!\n\nYour digital business card was updated. See it here:\n\n%s\n\nSave the link, and share it with the people you meet.\n"}
}
