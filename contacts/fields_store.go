package contacts

import (
	"context"
	"database/sql"

	"github.com/varsel/varsel/internal/db"
)

func (b *Book) fieldsOf(ctx context.Context, contact int64) (map[string]string, error) {
	all := map[string]string{}
	_, err := db.Collect(ctx, b.db, func(row *sql.Rows) (_ struct{}, err error) {
		var name, value string
		err = row.Scan(&name, &value)
		all[name] = value
		return struct{}{}, err
	}, `SELECT name, value FROM contact_fields WHERE contact_id = $1`, contact)
	return all, err
}

// writeFields holds the contact, so that it is not removed meanwhile, and its
// fields kept.
func (b *Book) writeFields(ctx context.Context, account, contact int64, values map[string]string) error {
	return b.db.InTx(ctx, func(tx *db.Tx) error {
		var one int
		err := tx.QueryRowContext(ctx, tx.ForShare(`
			SELECT 1 FROM contacts WHERE account_id = $1 AND id = $2 AND state = 'active'`), account, contact).Scan(&one)
		if db.IsNone(err) {
			return errNoContact
		}
		if err != nil {
			return err
		}
		for name, value := range values {
			if err := writeField(ctx, tx, contact, name, value); err != nil {
				return err
			}
		}
		return nil
	})
}

func writeField(ctx context.Context, tx *db.Tx, contact int64, name, value string) error {
	if value == "" {
		_, err := tx.ExecContext(ctx, `DELETE FROM contact_fields WHERE contact_id = $1 AND name = $2`, contact, name)
		return err
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO contact_fields (contact_id, name, value) VALUES ($1, $2, $3)
		ON CONFLICT (contact_id, name) DO UPDATE SET value = EXCLUDED.value`, contact, name, value)
	return err
}
