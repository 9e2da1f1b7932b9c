package audit

import (
	"context"

	"github.com/varsel/varsel/internal/db"
)

// aboutPage is how many entries are looked at at once.
const aboutPage = 1000

// About goes through an account's entries, the oldest first, and hands over those
// that are meant. It stops at the first error of do.
func About(ctx context.Context, q db.Querier, account int64, means func(Entry) bool, do func(Entry) error) error {
	for after := int64(0); ; {
		rows, err := selectRows(ctx, q, account, after, aboutPage)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, r := range rows {
			after = r.seq
			if e := r.entry(); means(e) {
				if err := do(e); err != nil {
					return err
				}
			}
		}
	}
}
