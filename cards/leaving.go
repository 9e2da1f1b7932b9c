package cards

import (
	"context"

	"github.com/varsel/varsel/internal/lots"
)

// Holdings counts what an account has here, by kind.
func (c *Cards) Holdings(ctx context.Context, account int64) (map[string]int, error) {
	return lots.Count(ctx, c.db, account, map[string]string{
		"cards":          `SELECT COUNT(*) FROM cards WHERE account_id = $1`,
		"card_photos":    `SELECT COUNT(*) FROM card_photos WHERE account_id = $1`,
		"card_consents":  `SELECT COUNT(*) FROM card_consents WHERE account_id = $1`,
		"card_templates": `SELECT COUNT(*) FROM card_templates WHERE account_id = $1`,
		"card_invites":   `SELECT COUNT(*) FROM card_invites WHERE account_id = $1`,
	})
}

// ForgetAccount removes one lot of everything that an account has here. The addresses of
// its cards and invites are in card_slugs and card_invite_slugs without it, and stay.
func (c *Cards) ForgetAccount(ctx context.Context, account int64) (lots.Done, error) {
	return lots.Delete(ctx, c.db, account,
		lots.Table{Name: "card_mails", Key: "notice, card_id"},
		lots.Table{Name: "card_codes", Key: "card_id"},
		lots.Table{Name: "card_holders", Key: "hash"},
		lots.Table{Name: "card_photos", Key: "card_id"},
		lots.Table{Name: "card_consents", Key: "id"},
		lots.Table{Name: "cards", Key: "id"},
		lots.Table{Name: "card_invites", Key: "id"},
		lots.Table{Name: "card_groups", Key: "id"},
		lots.Table{Name: "card_groupings", Key: "account_id, tenant_id"},
		lots.Table{Name: "card_template_versions", Key: "template_id, version"},
		lots.Table{Name: "card_templates", Key: "id"},
		lots.Table{Name: "card_images", Key: "id"})
}
