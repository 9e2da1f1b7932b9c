package cards

import (
	"context"
	"strings"

	"github.com/varsel/varsel/cards/slug"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/lots"
)

// ListFilter says which cards are meant; a zero field means all.
type ListFilter struct {
	Group   int64
	Contact int64  // whose it is, in the address book
	Text    string // in what the directory or the holder says, or the slug
	State   State
}

const listedCards = `SELECT ` + cardColumns + ` FROM cards c
	WHERE c.account_id = $1 AND c.id > $2 AND (c.group_id = $3 OR CAST($3 AS BIGINT) = 0) AND (c.state = $4 OR CAST($4 AS TEXT) = '')
		AND (c.contact_id = $6 OR CAST($6 AS BIGINT) = 0)
	ORDER BY c.id LIMIT $5`

// List are the account's cards after an id, at most limit, the oldest first.
func (c *Cards) List(ctx context.Context, account int64, f ListFilter, after int64, limit int) (found []Card, err error) {
	page := limit
	if f.Text != "" {
		page = lots.Size
	}
	for len(found) < limit {
		some, err := db.Collect(ctx, c.db, scanCard, listedCards, account, after, f.Group, f.State, page, f.Contact)
		if err != nil {
			return nil, err
		}
		for _, card := range some {
			if after = card.ID; card.says(f.Text) && len(found) < limit {
				found = append(found, card)
			}
		}
		if len(some) < page {
			break
		}
	}
	return found, nil
}

// says looks for a text in what the card is made of. The databases disagree about what
// a small letter is beyond ASCII, so it is done here.
func (c Card) says(text string) bool {
	text = strings.ToLower(tidied(text))
	if text == "" {
		return true
	}
	if s, ok := slug.Parse(text); ok && s == c.Slug {
		return true
	}
	for _, values := range []map[string]string{c.Taken, c.Once, c.Edits} {
		for _, value := range values {
			if strings.Contains(strings.ToLower(value), text) {
				return true
			}
		}
	}
	return false
}
