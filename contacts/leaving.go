package contacts

import (
	"context"

	"github.com/varsel/varsel/internal/lots"
)

// Holdings counts what an account has here, by kind.
func (b *Book) Holdings(ctx context.Context, account int64) (map[string]int, error) {
	return lots.Count(ctx, b.db, account, map[string]string{
		"contacts":       `SELECT COUNT(*) FROM contacts WHERE account_id = $1`,
		"contact_fields": `SELECT COUNT(*) FROM contact_fields WHERE contact_id IN (SELECT id FROM contacts WHERE account_id = $1)`,
		"groups":         `SELECT COUNT(*) FROM contact_groups WHERE account_id = $1`,
		"memberships":    `SELECT COUNT(*) FROM group_members WHERE contact_id IN (SELECT id FROM contacts WHERE account_id = $1)`,
	})
}

// ForgetAccount removes one lot of everything that an account has here.
func (b *Book) ForgetAccount(ctx context.Context, account int64) (lots.Done, error) {
	return lots.Delete(ctx, b.db, account,
		lots.Table{Name: "contact_uploads", Key: "id"},
		lots.Table{Name: "contact_imports", Key: "account_id"},
		lots.Table{Name: "contact_fields", Key: "contact_id, name", Where: `contact_id IN (SELECT id FROM contacts WHERE account_id = $1)`},
		lots.Table{Name: "group_members", Key: "group_id, contact_id", Where: `contact_id IN (SELECT id FROM contacts WHERE account_id = $1)`},
		lots.Table{Name: "contacts", Key: "id"},
		lots.Table{Name: "contact_groups", Key: "id"})
}
