package cards

import (
	"context"
	"database/sql"

	"github.com/varsel/varsel/internal/db"
)

// OfContacts are the slugs of the active cards that contacts have, by contact. Who has
// none, or one whose group has no design yet, is not in it.
func (c *Cards) OfContacts(ctx context.Context, q db.Querier, account int64, contacts []int64) (map[int64]string, error) {
	if len(contacts) == 0 {
		return nil, nil
	}
	slugs := make(map[int64]string, len(contacts))
	_, err := db.Collect(ctx, q, func(row *sql.Rows) (_ struct{}, err error) {
		var contact int64
		var slug string
		err = row.Scan(&contact, &slug)
		slugs[contact] = slug
		return struct{}{}, err
	}, `
		SELECT c.contact_id, c.slug FROM cards c
		JOIN (SELECT CAST(key AS BIGINT) AS contact, CAST($1 AS BIGINT) AS account FROM json_each($2) LIMIT 100000) AS r
			ON c.contact_id = r.contact AND c.account_id = r.account
		JOIN card_groups g ON g.id = c.group_id AND g.template_id <> 0
		WHERE c.state = 'active' ORDER BY c.id`, account, keys(contacts))
	return slugs, err
}
