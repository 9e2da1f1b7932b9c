package smsqueue

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/subject"
)

// isErased is a condition on a message: its number was erased.
func isErased(message string) string { return `substr(` + message + `.phone, 1, 1) = '!'` }

// fewRanges bounds how many messages are read at once when all are gone through.
const fewRanges = 20

// personMessage is what says whose a message is.
type personMessage struct {
	id, campaign, contact int64
	phone                 string
}

// eachMessage goes through all messages of an account, the oldest first: they have no
// index of numbers.
func (q *Queue) eachMessage(ctx context.Context, account int64, do func(personMessage)) error {
	for after := int64(0); ; {
		var first, last int64
		err := q.db.QueryRowContext(ctx, `
			SELECT COALESCE(MIN(first_id), 0), COALESCE(MAX(last_id), 0) FROM (
				SELECT first_id, last_id FROM ranges WHERE account_id = $1 AND first_id > $2 ORDER BY first_id LIMIT $3
			) AS r`, account, after, fewRanges).Scan(&first, &last)
		if err != nil || last == 0 {
			return err
		}
		page, err := db.Collect(ctx, q.db, func(row *sql.Rows) (m personMessage, err error) {
			return m, row.Scan(&m.id, &m.campaign, &m.contact, &m.phone)
		}, `SELECT id, campaign_id, contact_id, phone FROM messages WHERE id BETWEEN $1 AND $2 AND account_id = $3`, first, last, account)
		if err != nil {
			return err
		}
		for _, m := range page {
			do(m)
		}
		after = last
	}
}

// eachInbound goes through what an account received.
func (q *Queue) eachInbound(ctx context.Context, account int64, do func(id, contact int64, phone string)) error {
	for after := int64(0); ; {
		page, err := db.Collect(ctx, q.db, func(row *sql.Rows) (m personMessage, err error) {
			return m, row.Scan(&m.id, &m.contact, &m.phone)
		}, `SELECT id, contact_id, phone FROM inbound WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT $3`, account, after, largestStored)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, m := range page {
			do(m.id, m.contact, m.phone)
		}
		after = page[len(page)-1].id
	}
}

// Sections are what was sent to a person, what they sent, and what follows from it.
func (q *Queue) Sections(p subject.Person) []subject.Section {
	return []subject.Section{
		{Name: "messages", Each: func(ctx context.Context, tell func(subject.Record) error) error { return q.tellMessages(ctx, p, tell) }},
		{Name: "received", Each: func(ctx context.Context, tell func(subject.Record) error) error { return q.tellReceived(ctx, p, tell) }},
		{Name: "roll_call_answers", Each: func(ctx context.Context, tell func(subject.Record) error) error { return q.tellAnswers(ctx, p, tell) }},
		{Name: "opt_outs", Each: func(ctx context.Context, tell func(subject.Record) error) error { return q.tellOptOuts(ctx, p, tell) }},
	}
}

// isOf says whether a message to, or from, a contact's number is the person's.
func isOf(p subject.Person, contact int64, phone string) bool {
	return contact != 0 && slices.Contains(p.Contacts, contact) || slices.Contains(p.Numbers, phone)
}

func (q *Queue) messagesOf(ctx context.Context, p subject.Person) (ids []int64, err error) {
	err = q.eachMessage(ctx, p.Account, func(m personMessage) {
		if isOf(p, m.contact, m.phone) {
			ids = append(ids, m.id)
		}
	})
	return ids, err
}

// NumbersOfContacts are those that they were texted on, now or before.
func (q *Queue) NumbersOfContacts(ctx context.Context, account int64, ids []int64) (all []string, err error) {
	err = q.eachMessage(ctx, account, func(m personMessage) {
		if m.contact != 0 && slices.Contains(ids, m.contact) && !contacts.IsErased(m.phone) && !slices.Contains(all, m.phone) {
			all = append(all, m.phone)
		}
	})
	return all, err
}

func (q *Queue) tellMessages(ctx context.Context, p subject.Person, tell func(subject.Record) error) error {
	ids, err := q.messagesOf(ctx, p)
	if err != nil {
		return err
	}
	for _, id := range ids {
		m, err := q.Message(ctx, p.Account, id)
		if err != nil {
			return err
		}
		parts, err := q.tellParts(ctx, id)
		if err != nil {
			return err
		}
		r := subject.Record{{Name: "queued_at", Value: m.QueuedAt.UTC()}, {Name: "phone", Value: m.Phone}, {Name: "sender", Value: m.Sender}, {Name: "text", Value: m.Text},
			{Name: "status", Value: string(m.Status)}, {Name: "reason", Value: m.Reason}}
		if !m.SentAt.IsZero() {
			r = append(r, subject.Field{Name: "sent_at", Value: m.SentAt.UTC()})
		}
		if !m.DoneAt.IsZero() {
			r = append(r, subject.Field{Name: "done_at", Value: m.DoneAt.UTC()})
		}
		if err := tell(append(r, subject.Field{Name: "parts", Value: m.Parts}, subject.Field{Name: "receipts", Value: parts})); err != nil {
			return err
		}
	}
	return nil
}

// tellParts are what the carrier said of each part.
func (q *Queue) tellParts(ctx context.Context, message int64) ([]subject.Record, error) {
	return db.Collect(ctx, q.db, func(row *sql.Rows) (subject.Record, error) {
		var part int
		var id, state string
		err := row.Scan(&part, &id, &state)
		return subject.Record{{Name: "part", Value: part}, {Name: "carrier_id", Value: id}, {Name: "state", Value: state}}, err
	}, `SELECT part, carrier_raw, state FROM message_parts WHERE message_id = $1 AND part >= 0 ORDER BY part`, message)
}

func (q *Queue) tellReceived(ctx context.Context, p subject.Person, tell func(subject.Record) error) error {
	var ids []int64
	err := q.eachInbound(ctx, p.Account, func(id, contact int64, phone string) {
		if isOf(p, contact, phone) {
			ids = append(ids, id)
		}
	})
	if err != nil {
		return err
	}
	for _, id := range ids {
		m, err := q.InboundMessage(ctx, p.Account, id)
		if err != nil {
			return err
		}
		if err := tell(subject.Record{{Name: "received_at", Value: m.Received.UTC()}, {Name: "phone", Value: m.From}, {Name: "number", Value: m.To}, {Name: "text", Value: m.Text},
			{Name: "campaign", Value: m.CampaignName}, {Name: "action", Value: m.Action}}); err != nil {
			return err
		}
	}
	return nil
}

func (q *Queue) tellAnswers(ctx context.Context, p subject.Person, tell func(subject.Record) error) error {
	type answer struct {
		campaign, phone, choice string
		contact, at             int64
	}
	all, err := db.Collect(ctx, q.db, func(row *sql.Rows) (a answer, err error) {
		return a, row.Scan(&a.campaign, &a.phone, &a.contact, &a.choice, &a.at)
	}, `
		SELECT c.name, a.phone, a.contact_id, a.choice, a.answered_at FROM campaigns c JOIN roll_answers a ON a.campaign_id = c.id
		WHERE c.account_id = $1 AND c.asks <> '' ORDER BY a.answered_at`, p.Account)
	if err != nil {
		return err
	}
	for _, a := range all {
		if !isOf(p, a.contact, a.phone) {
			continue
		}
		if err := tell(subject.Record{{Name: "answered_at", Value: db.Time(a.at).UTC()}, {Name: "campaign", Value: a.campaign}, {Name: "choice", Value: a.choice}, {Name: "phone", Value: a.phone}}); err != nil {
			return err
		}
	}
	return nil
}

func (q *Queue) tellOptOuts(ctx context.Context, p subject.Person, tell func(subject.Record) error) error {
	for _, number := range p.Numbers {
		all, err := selectSuppressions(ctx, q.db, `WHERE account_id = $1 AND phone = $2 ORDER BY id`, p.Account, number)
		if err != nil {
			return err
		}
		for _, s := range all {
			r := subject.Record{{Name: "created_at", Value: s.Created.UTC()}, {Name: "phone", Value: s.Phone}, {Name: "reason", Value: string(s.Reason)}, {Name: "note", Value: s.Note}}
			if !s.Stands() {
				r = append(r, subject.Field{Name: "lifted_at", Value: s.Lifted.UTC()}, subject.Field{Name: "lifted_by", Value: string(s.LiftedBy)})
			}
			if err := tell(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// Traces are what an erasure finds here.
type Traces struct {
	Numbers  []string // that it is of
	Stopped  []string // of them, those that want no messages
	Messages []int64

	phones  map[int64]string   // of the messages
	asked   map[int64][]string // numbers, by campaign
	inbound map[int64]string
	opted   []int64 // suppressions
	pools   idPool
}

// Found is how many rows there are.
func (t Traces) Found() int { return len(t.phones) + len(t.inbound) + len(t.opted) }

// Recognise finds what was sent to somebody, and what they sent.
func (q *Queue) Recognise(ctx context.Context, e contacts.Erased) (t Traces, err error) {
	t = Traces{phones: map[int64]string{}, asked: map[int64][]string{}, inbound: map[int64]string{}}
	numbers := map[string]bool{}
	mine := func(contact int64, phone string) bool {
		if e.Number(phone) {
			numbers[phone] = true
			return true
		}
		return e.Is(contact) && !contacts.IsErased(phone)
	}
	err = q.eachMessage(ctx, e.Account, func(m personMessage) {
		if mine(m.contact, m.phone) {
			t.phones[m.id] = m.phone
			t.asked[m.campaign] = append(t.asked[m.campaign], m.phone)
		}
	})
	if err != nil {
		return t, err
	}
	err = q.eachInbound(ctx, e.Account, func(id, contact int64, phone string) {
		if mine(contact, phone) {
			t.inbound[id] = phone
		}
	})
	if err != nil {
		return t, err
	}
	all, err := selectSuppressions(ctx, q.db, `WHERE account_id = $1`, e.Account)
	for _, s := range all {
		if !mine(0, s.Phone) {
			continue
		}
		if t.opted = append(t.opted, s.ID); s.Stands() {
			t.Stopped = append(t.Stopped, s.Phone)
		}
	}
	if err != nil {
		return t, err
	}
	t.Messages, t.Numbers = slices.Sorted(maps.Keys(t.phones)), slices.Sorted(maps.Keys(numbers))
	t.pools, err = poolFor(ctx, q.db, len(t.asked), len(t.phones))
	return t, err
}

// Erase takes a person out of what was sent and received: a token stands in the place
// of the number, and nothing in that of the text. What is queued to them is skipped.
func (q *Queue) Erase(ctx context.Context, tx *db.Tx, e contacts.Erased, t Traces, now time.Time) error {
	if err := tx.PreferIndexes(ctx); err != nil {
		return err
	}
	for some := range slices.Chunk(t.Messages, largestStored) {
		if err := skipQueued(ctx, tx, some, &t.pools, now); err != nil {
			return err
		}
	}
	for _, step := range []func() error{
		func() error { return putTokens(ctx, tx, eraseMessages, e.Account, tokens(e, t.phones)) },
		func() error { return putTokens(ctx, tx, eraseInbound, e.Account, tokens(e, t.inbound)) },
		func() error { return putTokens(ctx, tx, eraseInboundParts, e.Account, tokens(e, t.inbound)) },
		func() error { return eraseUnconfirmed(ctx, tx, e.Account) },
		func() error { return eraseAnswers(ctx, tx, e, t.asked) },
		func() error { return eraseNumbers(ctx, tx, e, t.Numbers) },
		func() error { return deleteSuppressions(ctx, tx, e.Account, t.opted) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// skipQueued locks the ranges first: nothing of them is claimed meanwhile.
func skipQueued(ctx context.Context, tx *db.Tx, ids []int64, pool *idPool, now time.Time) error {
	list, err := idList(ids)
	if err != nil {
		return err
	}
	ranges, err := db.Column[int64](ctx, tx, tx.ForUpdate(`
		SELECT id FROM ranges WHERE state <> 'done' AND id IN (
			SELECT m.range_id FROM json_each($1) AS r JOIN messages m ON m.id = CAST(r.key AS BIGINT) WHERE m.status = 'queued') ORDER BY id`), list)
	if err != nil {
		return err
	}
	rows, err := lockRows(ctx, tx, ids)
	if err != nil {
		return err
	}
	var moves []move
	for _, m := range rows {
		if m.status == Queued {
			moves = append(moves, move{row: m, to: Skipped, reason: "recipient_removed"})
		}
	}
	if _, err := apply(ctx, tx, moves, pool, now); err != nil {
		return err
	}
	for _, id := range ranges {
		if err := endIfSent(ctx, tx, id); err != nil {
			return err
		}
	}
	return nil
}
