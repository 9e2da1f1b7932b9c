package smsqueue

import (
	"context"
	"database/sql"
	"log/slog"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/events"
)

// This file writes inbound and inbound_parts, and number.go numbers. They read
// accounts, contacts, and messages with what they belong to. What a message answers
// is found in reply.go.

func selectInbound(ctx context.Context, q db.Querier, where string, args ...any) ([]Inbound, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (m Inbound, err error) {
		var received, handled int64
		err = row.Scan(&m.ID, &m.Account, &m.Carrier, &m.Contact, &m.ContactName, &m.From, &m.To, &m.Text, &m.Parts, &m.Missing, &received,
			&m.Campaign, &m.CampaignName, &m.Message, &m.Action, &handled)
		m.Received, m.Handled = db.Time(received), db.Time(handled)
		return m, err
	}, `
		SELECT i.id, i.account_id, COALESCE(r.name, ''), i.contact_id, COALESCE(n.name, ''), i.phone, i.number, i.body, i.parts, i.missing, i.received_at,
			i.campaign_id, COALESCE(c.name, ''), i.message_id, i.action, i.handled_at
		FROM inbound i LEFT JOIN carriers r ON r.id = i.carrier_id LEFT JOIN contacts n ON n.id = i.contact_id
		LEFT JOIN campaigns c ON c.id = i.campaign_id `+where, args...)
}

// setHandled keeps the time when it was first dealt with.
func setHandled(ctx context.Context, d *db.DB, account, id int64, handled bool, now time.Time) error {
	at := int64(0)
	if handled {
		at = db.Millis(now)
	}
	_, err := d.ExecContext(ctx, `
		UPDATE inbound SET handled_at = $1 WHERE account_id = $2 AND id = $3 AND (CAST($1 AS BIGINT) = 0 OR handled_at = 0)`, at, account, id)
	return err
}

// received is a message that is there to be read. The ids after its own are for what
// is told of it, and then for what it asks.
type received struct {
	Inbound
	route int64
	key   string
}

func (m received) wishIDs() *idPool { return &idPool{m.ID + 1 + inboundEvents} }

// tell records what is to be told of it; what it says to a roll call is told where it
// was counted.
func (m received) tell(ctx context.Context, tx *db.Tx, a *rollAnswer, counted bool, now time.Time) error {
	all := []events.Event{{Type: "message.received", Data: map[string]int64{"inbound": m.ID}}}
	if m.Message != 0 {
		all = append(all, events.Event{Type: "reply.received", Data: map[string]int64{"inbound": m.ID, "message": m.Message, "campaign": m.Campaign}})
	}
	if counted {
		all = append(all, a.told())
	}
	for i := range all {
		all[i].ID, all[i].Account, all[i].At = m.ID+1+int64(i), m.Account, now
	}
	return events.RecordAll(ctx, tx, all)
}

// insertReceived finds whose the message is and keeps it. One that the carrier
// has sent before, by its id, is kept once.
func (q *Queue) insertReceived(ctx context.Context, tx *db.Tx, m received, now time.Time) (err error) {
	if m.Account, err = ownerOf(ctx, tx, m.route, m.From, m.To, now); err != nil {
		return err
	}
	if m.Account != Nobody {
		if m.Contact, err = contactOf(ctx, tx, m.Account, m.From); err != nil {
			return err
		}
	}
	if m.Action, err = wishOf(ctx, tx, m); err != nil {
		return err
	}
	answer, err := m.answers(ctx, tx, now)
	if err != nil {
		return err
	}
	done, err := tx.ExecContext(ctx, `
		INSERT INTO inbound (id, account_id, carrier_id, carrier_key, phone, number, contact_id, body, parts, missing, received_at, campaign_id, message_id, action)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING`,
		m.ID, m.Account, m.route, m.key, m.From, m.To, m.Contact, m.Text, m.Parts, m.Missing, db.Millis(m.Received), m.Campaign, m.Message, m.Action)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return err
	}
	if m.Account == Nobody {
		slog.Warn("a message came to a number that no account has (varsel number add)", "carrier", m.route, "number", m.To)
		return obeyAll(ctx, tx, m, now)
	}
	if err := obey(ctx, tx, q.marks, m, now); err != nil {
		return err
	}
	counted, err := answer.count(ctx, tx)
	if err != nil {
		return err
	}
	return m.tell(ctx, tx, answer, counted, now)
}

func (q *Queue) keepWhole(ctx context.Context, batch []*arrival) error {
	if len(batch) == 0 {
		return nil
	}
	first, err := q.db.NewIDs(ctx, inboundIDs*len(batch))
	if err != nil {
		return err
	}
	now := time.Now()
	return q.db.InTx(ctx, func(tx *db.Tx) error {
		for i, a := range batch {
			id := first + int64(inboundIDs*i)
			m := received{Inbound: Inbound{ID: id, From: a.From, To: a.To, Text: a.Text, Parts: 1, Received: a.At},
				route: a.route, key: a.ID}
			if err := q.insertReceived(ctx, tx, m, now); err != nil {
				return err
			}
		}
		return nil
	})
}

func (q *Queue) keepParts(ctx context.Context, batch []*arrival) error {
	if len(batch) == 0 {
		return nil
	}
	first, err := q.db.NewIDs(ctx, len(batch))
	if err != nil {
		return err
	}
	var rows [][]any
	for i, a := range batch {
		rows = append(rows, []any{first + int64(i), a.route, a.From, a.To, int64(a.Reference), int64(a.Parts), int64(a.Part), a.ID, a.Text, db.Millis(a.At)})
	}
	return q.db.InTx(ctx, func(tx *db.Tx) error {
		return tx.Bulk(ctx, "inbound_parts", []string{"id", "carrier_id", "phone", "number", "reference", "parts", "part", "carrier_key", "body", "received_at"}, rows)
	})
}

// assembleMessage makes messages of the parts that are all there, and of those
// that have waited too long for the rest.
func (q *Queue) assembleMessage(ctx context.Context, key longMessage, now time.Time) error {
	parts, err := selectParts(ctx, q.db, key, func(query string) string { return query })
	if err != nil {
		return err
	}
	first, err := q.db.NewIDs(ctx, inboundIDs*(len(parts)+1))
	if err != nil {
		return err
	}
	return q.db.InTx(ctx, func(tx *db.Tx) error {
		locked, err := selectParts(ctx, tx, key, tx.ForUpdate)
		if err != nil {
			return err
		}
		id, last := first, first+int64(inboundIDs*len(parts))
		sets, twice := assemble(locked)
		if err := dropParts(ctx, tx, twice); err != nil {
			return err
		}
		for _, s := range sets {
			if s.message != 0 || s.missing() > 0 && now.Sub(s.began()) < waitForParts || id > last {
				continue
			}
			if err := q.insertSet(ctx, tx, s, key, id, now); err != nil {
				return err
			}
			id += inboundIDs
		}
		return nil
	})
}

// insertSet makes a message of a set, with inboundIDs ids from id on.
func (q *Queue) insertSet(ctx context.Context, tx *db.Tx, s *partSet, key longMessage, id int64, now time.Time) error {
	m := received{Inbound: Inbound{ID: id, From: key.phone, To: key.number, Text: s.text(), Parts: key.parts, Missing: s.missing(), Received: s.began()},
		route: key.route}
	if err := q.insertReceived(ctx, tx, m, now); err != nil {
		return err
	}
	list, err := idList(s.ids())
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE inbound_parts SET inbound_id = $1 WHERE id IN (SELECT CAST(key AS BIGINT) FROM json_each($2))`, id, list)
	return err
}

func (s *partSet) ids() (all []int64) {
	for _, p := range s.parts {
		all = append(all, p.id)
	}
	return all
}

func dropParts(ctx context.Context, tx *db.Tx, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	list, err := idList(ids)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM inbound_parts WHERE id IN (SELECT CAST(key AS BIGINT) FROM json_each($1))`, list)
	return err
}

func selectParts(ctx context.Context, q db.Querier, key longMessage, locked func(string) string) ([]inboundPart, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (p inboundPart, err error) {
		var at int64
		err = row.Scan(&p.id, &p.message, &p.part, &p.parts, &p.key, &p.body, &at)
		p.at = db.Time(at)
		return p, err
	}, locked(`
		SELECT id, inbound_id, part, parts, carrier_key, body, received_at FROM inbound_parts
		WHERE carrier_id = $1 AND phone = $2 AND number = $3 AND reference = $4 AND parts = $5 ORDER BY received_at, id`),
		key.route, key.phone, key.number, int64(key.reference), key.parts)
}

// mostUnfinished bounds what one sweep takes up.
const mostUnfinished = 1000

// unfinished are long messages whose parts wait although they could all be
// there, or have waited since before.
func unfinished(ctx context.Context, q db.Querier, before time.Time) ([]longMessage, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (k longMessage, err error) {
		return k, row.Scan(&k.route, &k.phone, &k.number, &k.reference, &k.parts)
	}, `
		SELECT carrier_id, phone, number, reference, parts FROM inbound_parts WHERE inbound_id = 0
		GROUP BY carrier_id, phone, number, reference, parts
		HAVING COUNT(DISTINCT part) = parts OR MIN(received_at) < $1 ORDER BY MIN(received_at) LIMIT $2`, db.Millis(before), mostUnfinished)
}

func forgetParts(ctx context.Context, d *db.DB, before time.Time) error {
	_, err := d.ExecContext(ctx, `DELETE FROM inbound_parts WHERE inbound_id <> 0 AND received_at < $1`, db.Millis(before))
	return err
}
