package contacts

import (
	"context"
	"time"

	"github.com/varsel/varsel/internal/db"
)

// holdersGroup is the directory id of the group that stands for an account's card
// holders. It has no tenant, so no directory's group can be it.
const holdersGroup = "card-holders"

// HoldersGroup is the group that campaigns to the holders of cards are filed under. It
// has no members, as cards say who they are, and nobody sees it among the groups.
func HoldersGroup(ctx context.Context, d *db.DB, account int64) (id int64, err error) {
	if id, err = d.NewIDs(ctx, 1); err != nil {
		return 0, err
	}
	if _, err := d.ExecContext(ctx, `
		INSERT INTO contact_groups (id, account_id, source, directory_id, name, state, created_at, updated_at)
		VALUES ($1, $2, 'manual', $3, 'Card holders', 'removed', $4, $4)
		ON CONFLICT (account_id, tenant_id, directory_id) WHERE directory_id <> '' DO NOTHING`, id, account, holdersGroup, db.Millis(time.Now())); err != nil {
		return 0, err
	}
	err = d.QueryRowContext(ctx, `SELECT id FROM contact_groups WHERE account_id = $1 AND tenant_id = '' AND directory_id = $2`, account, holdersGroup).Scan(&id)
	return id, err
}
