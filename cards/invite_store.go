package cards

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/varsel/varsel/internal/db"
)

const inviteColumns = `i.id, i.account_id, i.name, i.slug, i.target, i.template_id, i.template_version, i.ends_at, i.ended_at, i.created_at`

func scanInvite(row *sql.Rows) (i Invite, err error) {
	var ends, ended, created int64
	err = row.Scan(&i.ID, &i.Account, &i.Name, &i.Slug, &i.Target, &i.Template, &i.Version, &ends, &ended, &created)
	i.Ends, i.Ended, i.Created = db.Time(ends), db.Time(ended), db.Time(created)
	return i, err
}

// Invites are the account's before an id, 0 for the newest, at most limit, the newest
// first.
func (c *Cards) Invites(ctx context.Context, account, before int64, limit int) ([]Invite, error) {
	return db.Collect(ctx, c.db, scanInvite, `
		SELECT `+inviteColumns+` FROM card_invites i
		WHERE i.account_id = $1 AND (i.id < $2 OR CAST($2 AS BIGINT) = 0) ORDER BY i.id DESC LIMIT $3`, account, before, limit)
}

// Invite finds one of the account's, also one that is over.
func (c *Cards) Invite(ctx context.Context, account, id int64) (Invite, error) {
	return c.invite(ctx, `i.account_id = $1 AND i.id = $2`, account, id)
}

func (c *Cards) invite(ctx context.Context, where string, args ...any) (Invite, error) {
	found, err := db.Collect(ctx, c.db, scanInvite, `SELECT `+inviteColumns+` FROM card_invites i WHERE `+where, args...)
	if err != nil {
		return Invite{}, err
	}
	if len(found) == 0 {
		return Invite{}, errNoInvite
	}
	return found[0], nil
}

func (i Invite) add(ctx context.Context, tx *db.Tx) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO card_invites (id, account_id, name, slug, target, template_id, template_version, ends_at, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		i.ID, i.Account, i.Name, i.Slug, i.Target, i.Template, i.Version, db.Millis(i.Ends), db.Millis(i.Created))
	return err
}

// takeInviteSlug is one that no invite ever had, or will have again.
func takeInviteSlug(ctx context.Context, tx *db.Tx, now time.Time) (string, error) {
	for range 10 {
		taken, err := db.Column[string](ctx, tx, `
			INSERT INTO card_invite_slugs (slug, created_at) VALUES ($1, $2) ON CONFLICT (slug) DO NOTHING RETURNING slug`, newSlug(), db.Millis(now))
		if err != nil {
			return "", err
		}
		if len(taken) > 0 {
			return taken[0], nil
		}
	}
	return "", fmt.Errorf("no free slug was found")
}

func (c *Cards) inviteGone(ctx context.Context, slug string) error {
	var was bool
	if err := c.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM card_invite_slugs WHERE slug = $1)`, slug).Scan(&was); err != nil {
		return err
	}
	if was {
		return errInviteGone
	}
	return errNoInvite
}
