package contacts

import (
	"context"
	"database/sql"

	"github.com/varsel/varsel/internal/db"
)

const (
	checkedColumns = contactColumns + `,
		CASE WHEN c.phone = '' THEN 0 ELSE (SELECT COUNT(*) FROM contacts o
			WHERE o.account_id = c.account_id AND o.phone = c.phone AND o.state = 'active') - 1 END`

	isShared = `(c.phone <> '' AND EXISTS (SELECT 1 FROM contacts o
		WHERE o.account_id = c.account_id AND o.phone = c.phone AND o.state = 'active' AND o.id <> c.id))`
	isDeskLine = `(c.phone <> '' AND c.phone_rule = 'business')`

	// checkedFilter takes account, last id, limit, tenant and reason.
	checkedFilter = `c.account_id = $1 AND c.state = 'active' AND ($4 = '' OR c.tenant_id = $4)
		AND ($5 = '' OR c.phone_reason = $5
			OR ($5 IN ('any', 'shared_number') AND ` + isShared + `)
			OR ($5 IN ('any', 'desk_line') AND ` + isDeskLine + `)
			OR ($5 = 'any' AND c.phone_reason <> ''))`
)

func scanChecked(row *sql.Rows) (c Checked, err error) {
	var created, updated int64
	err = row.Scan(append(append([]any{&c.ID, &c.Source, &c.Tenant}, c.Person.columns()...), &created, &updated, &c.SharedWith)...)
	c.Created, c.Updated = db.Time(created), db.Time(updated)
	return c, err
}

func (b *Book) checked(ctx context.Context, account int64, f QualityFilter, after int64, limit int) ([]Checked, error) {
	return db.Collect(ctx, b.db, scanChecked, `
		SELECT `+checkedColumns+` FROM contacts c
		WHERE c.id > $2 AND `+checkedFilter+` ORDER BY c.id LIMIT $3`, account, after, limit, f.Tenant, f.Reason)
}

func (b *Book) checkedMembers(ctx context.Context, account int64, f QualityFilter, after int64, limit int) ([]Checked, error) {
	return db.Collect(ctx, b.db, scanChecked, `
		SELECT `+checkedColumns+` FROM group_members m JOIN contacts c ON c.id = m.contact_id
		WHERE m.group_id = $6 AND m.contact_id > $2 AND `+checkedFilter+` ORDER BY m.contact_id LIMIT $3`,
		account, after, limit, f.Tenant, f.Reason, f.Group)
}

// QualitySummary counts the contacts of an account, or of one of its tenants. A
// number is shared whoever else has it. There are two queries and no join: of a
// list that PostgreSQL has no statistics of yet it would choose a nested loop.
func (b *Book) QualitySummary(ctx context.Context, account int64, tenant string) (QualitySummary, error) {
	q := QualitySummary{Coverage: Coverage{Reasons: map[string]int{}}}
	rows, err := b.db.QueryContext(ctx, `
		SELECT c.phone_reason, COUNT(*), SUM(CASE WHEN `+isDeskLine+` THEN 1 ELSE 0 END) FROM contacts c
		WHERE c.account_id = $1 AND c.state = 'active' AND ($2 = '' OR c.tenant_id = $2) GROUP BY c.phone_reason`, account, tenant)
	if err != nil {
		return q, err
	}
	defer rows.Close()
	for rows.Next() {
		var reason string
		var n, desks int
		if err := rows.Scan(&reason, &n, &desks); err != nil {
			return q, err
		}
		q.count(reason, n)
		q.DeskLines += desks
	}
	if err := rows.Err(); err != nil {
		return q, err
	}
	return q, b.db.QueryRowContext(ctx, `
		SELECT CAST(COALESCE(SUM(theirs), 0) AS BIGINT) FROM (
			SELECT SUM(CASE WHEN $2 = '' OR tenant_id = $2 THEN 1 ELSE 0 END) AS theirs FROM contacts
			WHERE account_id = $1 AND state = 'active' AND phone <> '' GROUP BY phone HAVING COUNT(*) > 1) AS shared`,
		account, tenant).Scan(&q.Shared)
}
