package contacts

import (
	"context"
	"database/sql"
	"math"
	"time"

	"github.com/varsel/varsel/internal/db"
)

func (b *Book) storeRule(ctx context.Context, account, group int64, r Rule) error {
	_, err := b.db.ExecContext(ctx, `
		UPDATE contact_groups SET rule = $3, updated_at = $4 WHERE account_id = $1 AND id = $2 AND source = 'manual'`,
		account, group, toJSON(r), db.Millis(time.Now()))
	return err
}

func (b *Book) rules(ctx context.Context, account int64) ([]groupRule, error) {
	return db.Collect(ctx, b.db, func(row *sql.Rows) (g groupRule, err error) {
		var text string
		if err = row.Scan(&g.group, &text); err != nil {
			return g, err
		}
		g.rule, err = parseRule(text)
		g.rule = g.rule.folded()
		return g, err
	}, `SELECT id, rule FROM contact_groups WHERE account_id = $1 AND rule <> '' AND state = 'active' ORDER BY id`, account)
}

func (b *Book) membersBetween(ctx context.Context, group, after, last int64) ([]int64, error) {
	return db.Column[int64](ctx, b.db, `
		SELECT contact_id FROM group_members WHERE group_id = $1 AND contact_id > $2 AND contact_id <= $3 ORDER BY contact_id`,
		group, after, last)
}

// eachPage walks the account's contacts in the order of their ids. do is told a
// page, and after which id up to which other there are no more than these.
func (b *Book) eachPage(ctx context.Context, account int64, do func(page []Contact, after, last int64) error) error {
	for after := int64(0); ; {
		page, err := b.Contacts(ctx, account, after, lot)
		if err != nil {
			return err
		}
		last := int64(math.MaxInt64)
		if len(page) == lot {
			last = page[lot-1].ID
		}
		if err := do(page, after, last); err != nil || last == math.MaxInt64 {
			return err
		}
		after = last
	}
}
