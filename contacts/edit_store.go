package contacts

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// rewrite changes contacts kept by hand, at most a lot, and says how many were
// there.
func (b *Book) rewrite(ctx context.Context, account int64, people map[int64]Person) (found int64, err error) {
	err = b.db.InTx(ctx, func(tx *db.Tx) error {
		if _, err := b.unmarked(ctx, tx, account, ByHand, "", slices.Collect(maps.Values(people))); err != nil {
			return err
		}
		if err := tx.PreferIndexes(ctx); err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, `
			UPDATE contacts SET updated_at = $2,
				name = r.value->>'Name', department = r.value->>'Department', job_title = r.value->>'JobTitle',
				office = r.value->>'Office', email = r.value->>'Email', language = r.value->>'Language',
				phone_raw = r.value->'Phone'->>'Raw', phone_rule = r.value->'Phone'->>'Rule', phone = r.value->'Phone'->>'E164',
				phone_country = r.value->'Phone'->>'Country', phone_reason = r.value->'Phone'->>'Reason'
			FROM json_each($1) AS r WHERE contacts.id = CAST(r.key AS BIGINT) AND +contacts.account_id = $3
			AND contacts.source = 'manual' AND contacts.state = 'active'`, toJSON(people), db.Millis(time.Now()), account)
		if err != nil {
			return err
		}
		found, err = done.RowsAffected()
		return err
	})
	return found, err
}

func (b *Book) setGroupName(ctx context.Context, account, group int64, name string) error {
	_, err := b.db.ExecContext(ctx, `
		UPDATE contact_groups SET name = $3, updated_at = $4 WHERE account_id = $1 AND id = $2 AND source = 'manual'`,
		account, group, name, db.Millis(time.Now()))
	return err
}

// allThere refuses a list, each named once, of which some are not in the
// account's address book.
func (b *Book) allThere(ctx context.Context, account int64, contacts []int64) error {
	missing := len(contacts)
	for some := range slices.Chunk(contacts, lot) {
		err := b.db.InTx(ctx, func(tx *db.Tx) error {
			if err := tx.PreferIndexes(ctx); err != nil {
				return err
			}
			var n int
			err := tx.QueryRowContext(ctx, `
				SELECT COUNT(*) FROM json_each($2) AS r JOIN contacts c ON c.id = CAST(r.key AS BIGINT)
				WHERE +c.account_id = $1 AND c.state = 'active'`, account, keys(some)).Scan(&n)
			missing -= n
			return err
		})
		if err != nil {
			return err
		}
	}
	if missing > 0 {
		return problem.Invalid("contacts", "%d of the contacts are not in the address book", missing)
	}
	return nil
}

// join writes members that may be there already, as long as contact and group
// are; leave takes members out.
func (b *Book) join(ctx context.Context, account int64, members []member) error {
	for some := range slices.Chunk(members, lot) {
		if err := b.exec(ctx, `
			INSERT INTO group_members (group_id, contact_id)
			SELECT g.id, c.id FROM json_each($1) AS r
			CROSS JOIN contact_groups g CROSS JOIN contacts c
			WHERE g.id = CAST(r.value->>0 AS BIGINT) AND +g.account_id = $2 AND g.state = 'active'
			AND c.id = CAST(r.value->>1 AS BIGINT) AND +c.account_id = $2 AND c.state = 'active'
			ON CONFLICT DO NOTHING`, pairs(some), account); err != nil {
			return err
		}
	}
	return nil
}

func (b *Book) leave(ctx context.Context, members []member) error {
	for some := range slices.Chunk(members, lot) {
		if err := b.dropMembers(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

func pairs(members []member) string {
	rows := make(map[int][2]int64, len(members))
	for i, m := range members {
		rows[i] = [2]int64{m.group, m.contact}
	}
	return toJSON(rows)
}

func inOrder(ids []int64) []int64 { return slices.Compact(slices.Sorted(slices.Values(ids))) }
