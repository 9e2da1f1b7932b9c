package smsqueue

import (
	"context"
	"database/sql"

	"github.com/varsel/varsel/internal/db"
)

// isHolder is a condition on a card k: it is active, and one of those that are wanted.
// Its arguments are those of wanted.
const isHolder = `k.state = 'active' AND k.account_id = p.account_id
	AND (CAST($2 AS BIGINT) = 0 OR k.group_id IN (SELECT CAST(key AS BIGINT) FROM json_each($3)))
	AND (CAST($4 AS BIGINT) = 0 OR k.id IN (SELECT CAST(key AS BIGINT) FROM json_each($5)))`

// wanted are the arguments of isHolder, after the account.
func (h CardHolders) wanted(account int64) ([]any, error) {
	groups, err := idList(h.Groups)
	if err != nil {
		return nil, err
	}
	cards, err := idList(h.Cards)
	return []any{account, len(h.Groups), groups, len(h.Cards), cards}, err
}

// selectHolders reads one lot of those with a card, in the order of the numbers as
// selectRecipients does.
func selectHolders(ctx context.Context, tx *db.Tx, c starting) ([]recipient, error) {
	if c.large {
		if err := tx.PreferOrder(ctx); err != nil {
			return nil, err
		}
	}
	args, err := c.filter.Cards.wanted(c.account)
	if err != nil {
		return nil, err
	}
	return db.Collect(ctx, tx, func(row *sql.Rows) (r recipient, err error) {
		err = row.Scan(&r.contact, &r.phone, &r.country, &r.members, &r.suppressed)
		r.place = r.phone
		return r, err
	}, `
		SELECT MIN(p.id), p.phone, MIN(p.phone_country), COUNT(*), `+isSuppressed("$1", "p.phone", "$8")+`
		FROM contacts p JOIN cards k ON k.contact_id = p.id
		WHERE p.account_id = $1 AND p.state = 'active' AND p.phone > $6 AND `+isHolder+`
		GROUP BY p.phone ORDER BY p.phone LIMIT $7`, append(args, c.after, int64(c.asked), string(c.lane))...)
}

func (c starting) areManyHolders(ctx context.Context, q db.Querier) (many bool, err error) {
	args, err := c.filter.Cards.wanted(c.account)
	if err != nil {
		return false, err
	}
	err = q.QueryRowContext(ctx, `
		SELECT COUNT(*) >= $6 FROM (
			SELECT 1 FROM contacts p JOIN cards k ON k.contact_id = p.id WHERE p.account_id = $1 AND `+isHolder+` LIMIT $6) AS m`,
		append(args, int64(largestLot))...).Scan(&many)
	return many, err
}

// holdersLeftOut counts those without a number.
func (c starting) holdersLeftOut(ctx context.Context, q db.Querier) (*LeftOut, error) {
	l := &LeftOut{}
	args, err := c.filter.Cards.wanted(c.account)
	if err != nil {
		return nil, err
	}
	err = q.QueryRowContext(ctx, `
		SELECT COUNT(CASE WHEN p.phone_rule = 'none' THEN 1 END), COUNT(CASE WHEN p.phone_rule <> 'none' THEN 1 END)
		FROM contacts p JOIN cards k ON k.contact_id = p.id
		WHERE p.account_id = $1 AND p.phone = '' AND p.state = 'active' AND `+isHolder, args...).
		Scan(&l.WithoutNumber, &l.InvalidNumber)
	return l, err
}
