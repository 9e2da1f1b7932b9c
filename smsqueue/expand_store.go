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
		err = row.Scan(&c.id, &c.account, &c.listed, &c.group, &c.book, &c.lane, &c.sender, &c.encoding, &c.parts, &c.state, &c.after, &c.ceiling, &c.reserved, &validity, &c.currency)
		c.validity = time.Duration(validity) * time.Millisecond
		return c, err
	}, `
		SELECT id, account_id, EXISTS (SELECT 1 FROM account_senders s WHERE s.account_id = campaigns.account_id AND s.sender = campaigns.sender), group_id, price_book_id, lane, sender, encoding, parts, state, expand_after, ceiling_micro, reserved_micro, validity_ms, currency
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

// isLarge says whether a group has as many members as the largest lot.
func isLarge(ctx context.Context, q db.Querier, group int64) (large bool, err error) {
	err = q.QueryRowContext(ctx, `
		SELECT COUNT(*) >= $2 FROM (SELECT 1 FROM group_members WHERE group_id = $1 LIMIT $2) AS m`, group, int64(largestLot)).Scan(&large)
	return large, err
}

// selectRecipients reads one lot, in the order of the numbers. PostgreSQL has to
// find those of a large group in the index of numbers: it would else sort the whole
// group for every lot. A small group is sorted in less time than the address book is
// walked.
func selectRecipients(ctx context.Context, tx *db.Tx, c starting) ([]recipient, error) {
	if c.large {
		if err := tx.PreferOrder(ctx); err != nil {
			return nil, err
		}
	}
	return db.Collect(ctx, tx, func(row *sql.Rows) (r recipient, err error) {
		return r, row.Scan(&r.contact, &r.phone, &r.country, &r.members)
	}, `
		SELECT MIN(p.id), p.phone, MIN(p.phone_country), COUNT(*)
		FROM contacts p JOIN group_members g ON g.contact_id = p.id AND g.group_id = $1
		WHERE p.account_id = $2 AND p.state = 'active' AND p.phone > $3
		GROUP BY p.phone ORDER BY p.phone LIMIT $4`, c.group, c.account, c.after, int64(c.asked))
}

// holdCampaign waits for somebody's decision.
func holdCampaign(ctx context.Context, tx *db.Tx, c starting, reason string) error {
	_, err := tx.ExecContext(ctx, `UPDATE campaigns SET state = 'held', reason = $1 WHERE id = $2`, reason, c.id)
	return err
}

// advanceCampaign saves the place to go on from.
func advanceCampaign(ctx context.Context, tx *db.Tx, c starting, l campaignLot) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE campaigns SET expand_after = $1, queued = queued + $2, reserved_micro = reserved_micro + $3, shared_number = shared_number + $4,
			sender_refused = sender_refused + $6
		WHERE id = $5`, l.lastPhone, len(l.messages), l.cost, l.shared, c.id, l.refused)
	return err
}

// finishExpansion ends a campaign that reached nobody.
func finishExpansion(ctx context.Context, tx *db.Tx, c starting, left LeftOut, ids *idPool, now time.Time) error {
	if _, err := tx.ExecContext(ctx, `
		UPDATE campaigns SET expanded = TRUE, without_number = $1, invalid_number = $2 WHERE id = $3`,
		left.WithoutNumber, left.InvalidNumber, c.id); err != nil {
		return err
	}
	return closeCampaign(ctx, tx, c.id, ids, now)
}

// countLeftOut counts the members without a number, who may be many, and so
// stands in no transaction that writes.
func countLeftOut(ctx context.Context, q db.Querier, c starting) (*LeftOut, error) {
	l := &LeftOut{}
	err := q.QueryRowContext(ctx, `
		SELECT COUNT(CASE WHEN p.phone_rule = 'none' THEN 1 END), COUNT(CASE WHEN p.phone_rule <> 'none' THEN 1 END)
		FROM contacts p JOIN group_members g ON g.contact_id = p.id AND g.group_id = $1
		WHERE p.account_id = $2 AND p.phone = '' AND p.state = 'active'`, c.group, c.account).
		Scan(&l.WithoutNumber, &l.InvalidNumber)
	return l, err
}
