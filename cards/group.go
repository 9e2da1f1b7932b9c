package cards

import (
	"context"
	"database/sql"
	"time"

	"github.com/varsel/varsel/internal/db"
)

// CardGroup is people of a directory whose cards look alike.
type CardGroup struct {
	ID, Account int64
	Tenant      string
	// Name is what the fields say, joined by " | ", or the filter's. It is empty for
	// everybody's group, and for that of people whose fields say nothing.
	Name      string
	Method    Method // of the directory's grouping
	Template  int64  // 0: it has no design yet, and no cards
	Version   int64  // of the template, as it was applied
	Cards     int    // that are active
	Withdrawn int
	Created   time.Time
}

// Groups are those of a directory, by name.
func (c *Cards) Groups(ctx context.Context, account int64, tenant string) ([]CardGroup, error) {
	return db.Collect(ctx, c.db, func(row *sql.Rows) (g CardGroup, err error) {
		var created int64
		err = row.Scan(&g.ID, &g.Account, &g.Tenant, &g.Name, &g.Method, &g.Template, &g.Version, &created, &g.Cards, &g.Withdrawn)
		g.Created = db.Time(created)
		return g, err
	}, `
		SELECT g.id, g.account_id, g.tenant_id, g.name, b.method, g.template_id, g.template_version, g.created_at,
			COALESCE(SUM(CASE WHEN c.state = 'active' THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN c.state = 'withdrawn' THEN 1 ELSE 0 END), 0)
		FROM card_groups g JOIN card_groupings b ON b.account_id = g.account_id AND b.tenant_id = g.tenant_id
		LEFT JOIN cards c ON c.group_id = g.id
		WHERE g.account_id = $1 AND g.tenant_id = $2
		GROUP BY g.id, g.account_id, g.tenant_id, g.name, b.method, g.template_id, g.template_version, g.created_at
		ORDER BY g.name, g.id`, account, tenant)
}
