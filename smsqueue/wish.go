package smsqueue

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/smsqueue/keywords"
)

// What people text to stop messages, to get them again or to know who sends takes
// effect in the transaction that keeps the text, and is answered once.

// inboundIDs are what one inbound message may need: itself, its events, and the rest
// for what it asks, which is most when many accounts share the number that is texted.
const (
	inboundIDs    = 2048
	inboundEvents = 3 // it is received, it is a reply, it answers a roll call
	wishIDs       = inboundIDs - 1 - inboundEvents
)

// repliesADay bounds how often a number is answered in a day (UTC), however often it
// changes its mind: what answers us may be a program.
const repliesADay = 4

// wishOf is what a whole text asks for. Only one that begins like a wish and is none
// is worth finding out what the account is called.
func wishOf(ctx context.Context, tx *db.Tx, m received) (string, error) {
	kind := keywords.Classify(m.Text)
	switch {
	case m.Incomplete():
		return "", nil
	case kind != keywords.None, m.Account == Nobody, !keywords.Begins(m.Text):
		return string(kind), nil
	}
	var handle, name, sender string
	err := tx.QueryRowContext(ctx, `SELECT handle, name, sender FROM accounts WHERE id = $1`, m.Account).Scan(&handle, &name, &sender)
	return string(keywords.Classify(m.Text, handle, name, sender)), err
}

// obey does what a text asks of the account that received it.
func obey(ctx context.Context, tx *db.Tx, marks contacts.Marks, m received, now time.Time) (err error) {
	kind, ids, changed := keywords.Kind(m.Action), m.wishIDs(), true
	if !longNumber.MatchString(m.From) {
		return nil // nothing can be sent to it
	}
	switch kind {
	case keywords.Stop:
		changed, err = suppress(ctx, tx, m.suppression(ids.take(), m.Account, now), ids.take())
	case keywords.Start:
		changed, err = lift(ctx, tx, marks, m.Account, m.From, ByStart, ids.take(), now)
	case keywords.Help:
	default:
		return nil // it asks for nothing
	}
	if err != nil || !changed {
		return err
	}
	return answerWish(ctx, tx, m, kind, ids, now)
}

func (m received) suppression(id, account int64, now time.Time) Suppression {
	return Suppression{ID: id, Account: account, Phone: m.From, Reason: ByStop, Inbound: m.ID, Created: now}
}

// obeyAll suppresses a number for all accounts that have texted it from a number
// which is no account's alone: nobody can tell whom the person means.
func obeyAll(ctx context.Context, tx *db.Tx, m received, now time.Time) error {
	if keywords.Kind(m.Action) != keywords.Stop || !longNumber.MatchString(m.From) {
		return nil
	}
	owners, err := textedFrom(ctx, tx, m.route, m.From, strings.TrimPrefix(m.To, "+"), now.Add(-rememberSender))
	if err != nil {
		return err
	}
	const most = wishIDs / 2
	if len(owners) > most {
		slog.Error("a number is shared by too many accounts for a stop to reach all", "carrier", m.route, "accounts", len(owners))
		owners = owners[:most]
	}
	ids := m.wishIDs()
	for _, account := range owners {
		if _, err := suppress(ctx, tx, m.suppression(ids.take(), account, now), ids.take()); err != nil {
			return err
		}
	}
	return nil
}

// asker is who gets an answer, and what it is made of.
type asker struct {
	name, language, country string
	route                   Route
}

// answerWish sends a confirmation from the number that was texted, unless the
// account wants none, has no money for it, or nothing can be sent.
func answerWish(ctx context.Context, tx *db.Tx, m received, kind keywords.Kind, ids *idPool, now time.Time) error {
	a, ok, err := askerOf(ctx, tx, m)
	if err != nil || !ok {
		return err
	}
	price, ok, err := priceTo(ctx, tx, m.Account, a.country, now)
	if err != nil || !ok {
		return err
	}
	text := keywords.Reply(kind, a.language, a.country, a.name)
	split := a.route.Features.Text().Split(text)
	reply := Message{Account: m.Account, Contact: m.Contact, Phone: m.From, Sender: m.To, Text: text, Encoding: split.Encoding,
		Parts: len(split.Parts), PriceMicro: price * int64(len(split.Parts)), Status: Queued, QueuedAt: now}
	reply.ID = ids.take()
	free, err := takeReply(ctx, tx, reply, kind, now)
	if err != nil || !free {
		return err
	}
	reservation, refused, err := billing.Reserve(ctx, tx, now, billing.Spender{}, reservations([]Message{reply}, Normal, ids)...)
	if err != nil {
		return err
	}
	if refused != nil { // what was asked for is done all the same
		return giveReplyBack(ctx, tx, reply)
	}
	r := rangeRow{id: ids.take(), account: m.Account, route: a.route.ID, lane: Normal, first: reply.ID, last: reply.ID,
		maxParts: reply.Parts, deadline: now.Add(validity), reservation: reservation}
	if err := insertMessages(ctx, tx, []rangeRow{r}, []Message{reply}); err != nil {
		return err
	}
	if err := insertRanges(ctx, tx, []rangeRow{r}); err != nil {
		return err
	}
	return tx.Notify(ctx, Normal.word())
}

// priceTo says false when a part to the country has no price: that must not keep what
// a person asks for from being stored.
func priceTo(ctx context.Context, tx *db.Tx, account int64, country string, now time.Time) (price int64, ok bool, err error) {
	book, err := billing.CurrentBook(ctx, tx, account, now)
	if err == nil {
		var prices billing.Prices
		if prices, err = billing.PricesOf(ctx, tx, book.ID); err == nil {
			price, err = prices.PerPart(country, string(Normal))
		}
	}
	if problem.As(err) != nil {
		slog.Error("stop, start or help is not answered", "account", account, "error", err)
		return 0, false, nil
	}
	return price, err == nil, err
}

// askerOf says false when no answer is to be sent.
func askerOf(ctx context.Context, tx *db.Tx, m received) (a asker, ok bool, err error) {
	settings, err := selectOptOutSettings(ctx, tx, m.Account)
	if err != nil || !settings.Replies || m.To == "" || accounts.ValidSender(m.To) != nil {
		return a, false, err
	}
	_, country, reason := contacts.Normalise(m.From, "")
	if reason != "" {
		return a, false, nil
	}
	if err := accounts.Gate(ctx, tx, m.Account); err != nil {
		if problem.As(err) != nil {
			err = nil
		}
		return a, false, err
	}
	routes, err := selectRoutes(ctx, tx, `WHERE id = $1 AND enabled = TRUE AND removed_at = 0`, m.route)
	if err != nil || len(routes) == 0 {
		return a, false, err
	}
	a = asker{country: country, route: routes[0]}
	err = tx.QueryRowContext(ctx, `
		SELECT a.name, COALESCE((SELECT c.language FROM contacts c WHERE c.id = $2), '') FROM accounts a WHERE a.id = $1`,
		m.Account, m.Contact).Scan(&a.name, &a.language)
	return a, err == nil, err
}

// takeReply counts an answer, and says false when the number has had its answers of
// the day. Help is answered once a day.
func takeReply(ctx context.Context, tx *db.Tx, reply Message, kind keywords.Kind, now time.Time) (free bool, err error) {
	done, err := tx.ExecContext(ctx, `
		INSERT INTO opt_out_replies (message_id, account_id, phone, kind, day, n)
		SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS BIGINT), COUNT(*)
		FROM opt_out_replies WHERE account_id = $2 AND phone = $3 AND day = $5
		HAVING COUNT(*) < $6 AND ($4 <> 'help' OR COUNT(CASE WHEN kind = 'help' THEN 1 END) = 0) ON CONFLICT DO NOTHING`,
		reply.ID, reply.Account, reply.Phone, string(kind), now.Unix()/int64((24*time.Hour).Seconds()), repliesADay)
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n == 1, err
}

// giveReplyBack uncounts an answer that there is no money for.
func giveReplyBack(ctx context.Context, tx *db.Tx, reply Message) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM opt_out_replies WHERE account_id = $1 AND message_id = $2`, reply.Account, reply.ID)
	return err
}
