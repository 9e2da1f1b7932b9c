package smsqueue

import (
	"context"
	"database/sql"
	"time"

	"github.com/varsel/varsel/internal/db"
)

func selectStarting(ctx context.Context, q db.Querier, now time.Time) ([]starting, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (c starting, err error) {
		var validity int64
		err = row.Scan(&c.id, &c.account, &c.group, &c.route, &c.book, &c.lane, &c.state, &c.after, &c.ceiling, &c.reserved, &validity, &c.currency)
		c.validity = time.Duration(validity) * time.Millisecond
		return c, err
	}, `
		SELECT id, account_id, group_id, carrier_id, price_book_id, lane, state, expand_after, ceiling_micro, reserved_micro, validity_ms, currency
		FROM campaigns WHERE state IN ('accepted', 'running') AND expanded = FALSE AND start_at <= $1 ORDER BY id LIMIT 100`, db.Millis(now))
}

// takeCampaign locks the campaign at the place where it was read; another
// worker that has expanded it meanwhile has moved that place.
func takeCampaign(ctx context.Context, tx *db.Tx, c starting, now time.Time) (bool, error) {
	done, err := tx.ExecContext(ctx, `
		UPDATE campaigns SET state = 'running', started_at = CASE started_at WHEN 0 THEN CAST($1 AS BIGINT) ELSE started_at END
		WHERE id = $2 AND state = $3 AND expand_after = $4 AND expanded = FALSE`, db.Millis(now), c.id, string(c.state), c.after)
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n == 1, err
}

// walkContacts makes PostgreSQL find the recipients of a large group in the order
// of the index of numbers: its every lot would else sort the whole group. A small
// group is one lot, and sorting it is less than walking the address book.
func walkContacts(ctx context.Context, tx *db.Tx, group int64) error {
	var large bool
	err := tx.QueryRowContext(ctx, `
		SELECT CASE WHEN COUNT(*) >= $2 THEN 1 ELSE 0 END FROM (SELECT 1 FROM group_members WHERE group_id = $1 LIMIT $2) AS m`,
		group, int64(expandLot)).Scan(&large)
	if err != nil || !large {
		return err
	}
	return tx.PreferOrder(ctx)
}

// insertRecipients writes the messages of a lot with ids from first on, which
// belong to ranges with ids from rangeID on.
func insertRecipients(ctx context.Context, tx *db.Tx, c starting, first, rangeID int64, now time.Time) (l recipients, err error) {
	if err := walkContacts(ctx, tx, c.group); err != nil {
		return l, err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO messages (id, account_id, campaign_id, range_id, contact_id, phone, encoding, parts, price_micro, status, queued_at)
		SELECT $1 + n.place, $2, $3, $4 + n.place / $5, n.contact_id, n.phone, c.encoding, c.parts,
			c.parts * COALESCE((SELECT micro FROM prices WHERE book_id = $6 AND country = n.country),
				(SELECT micro FROM prices WHERE book_id = $6 AND country = '*')), 'queued', $7
		FROM (
			SELECT p.phone, MIN(p.id) AS contact_id, MIN(p.phone_country) AS country, ROW_NUMBER() OVER (ORDER BY p.phone) - 1 AS place
			FROM contacts p JOIN group_members g ON g.contact_id = p.id AND g.group_id = $8
			WHERE p.account_id = $2 AND p.state = 'active' AND p.phone > $9
			GROUP BY p.phone ORDER BY p.phone LIMIT $10
		) AS n JOIN campaigns c ON c.id = $3`,
		first, c.account, c.id, rangeID, int64(rangeSize), c.book, db.Millis(now), c.group, c.after, int64(expandLot))
	if err != nil {
		return l, err
	}
	l.first = first
	err = tx.QueryRowContext(ctx, `
		SELECT COUNT(*), COALESCE(MAX(id), 0), COALESCE(MAX(phone), ''), CAST(COALESCE(SUM(parts), 0) AS BIGINT), COALESCE(MAX(parts), 0), CAST(COALESCE(SUM(price_micro), 0) AS BIGINT)
		FROM messages WHERE id >= $1 AND id < $1 + $2`, first, int64(expandLot)).
		Scan(&l.count, &l.last, &l.lastPhone, &l.parts, &l.maxParts, &l.cost)
	return l, err
}

// dropRecipients takes a lot back.
func dropRecipients(ctx context.Context, tx *db.Tx, l recipients) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM messages WHERE id >= $1 AND id <= $2`, l.first, l.last)
	return err
}

// holdCampaign waits for somebody's decision.
func holdCampaign(ctx context.Context, tx *db.Tx, c starting, reason string) error {
	_, err := tx.ExecContext(ctx, `UPDATE campaigns SET state = 'held', reason = $1 WHERE id = $2`, reason, c.id)
	return err
}

// advanceCampaign saves the place to go on from.
func advanceCampaign(ctx context.Context, tx *db.Tx, c starting, l recipients) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE campaigns SET expand_after = $1, queued = queued + $2, reserved_micro = reserved_micro + $3 WHERE id = $4`,
		l.lastPhone, l.count, l.cost, c.id)
	return err
}

// finishExpansion ends a campaign that reached nobody.
func finishExpansion(ctx context.Context, tx *db.Tx, c starting, left LeftOut, ids *idPool, now time.Time) error {
	if _, err := tx.ExecContext(ctx, `
		UPDATE campaigns SET expanded = TRUE, without_number = $1, invalid_number = $2, shared_number = $3 WHERE id = $4`,
		left.WithoutNumber, left.InvalidNumber, left.SharedNumber, c.id); err != nil {
		return err
	}
	return closeCampaign(ctx, tx, c.id, ids, now)
}

// countLeftOut reads the whole group, and so stands in no transaction that writes.
// Members with a number that got no message share theirs with one that did.
func countLeftOut(ctx context.Context, q db.Querier, c starting) (*LeftOut, error) {
	l := &LeftOut{}
	var numbers, messages int
	err := q.QueryRowContext(ctx, `
		SELECT COUNT(CASE WHEN p.phone = '' AND p.phone_rule = 'none' THEN 1 END),
			COUNT(CASE WHEN p.phone = '' AND p.phone_rule <> 'none' THEN 1 END), COUNT(NULLIF(p.phone, ''))
		FROM contacts p JOIN group_members g ON g.contact_id = p.id AND g.group_id = $1
		WHERE p.account_id = $2 AND p.state = 'active'`, c.group, c.account).
		Scan(&l.WithoutNumber, &l.InvalidNumber, &numbers)
	if err != nil {
		return nil, err
	}
	err = q.QueryRowContext(ctx, `
		SELECT CAST(COALESCE(SUM(last_id - first_id + 1), 0) AS BIGINT) FROM ranges WHERE campaign_id = $1`, c.id).Scan(&messages)
	l.SharedNumber = max(0, numbers-messages)
	return l, err
}
