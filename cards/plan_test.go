package cards_test

import (
	"database/sql"
	"slices"
	"strings"
	"testing"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/internal/db"
)

// What goes through all cards, or through all mails, goes by an index in the right order:
// sorting what is left at each step would make the whole quadratic.
func TestCardsAndMailsAreGoneThroughByAnIndex(t *testing.T) {
	eachDrawer(t, func(d drawer) {
		if d.db.Dialect() != db.SQLite {
			return // PostgreSQL plans by how many rows there are
		}
		for query, index := range cards.Walks {
			plan, err := db.Collect(d.Context(), d.db, func(row *sql.Rows) (step string, err error) {
				var id, parent, unused int
				err = row.Scan(&id, &parent, &unused, &step)
				return step, err
			}, `EXPLAIN QUERY PLAN `+query, slices.Repeat([]any{1}, 6)...)
			d.equal(nil, err)
			if all := strings.Join(plan, "\n"); !strings.Contains(all, "INDEX "+index+" ") || strings.Contains(all, "SCAN c") || strings.Contains(all, "TEMP B-TREE") {
				d.Errorf("%s\n%s", query, all)
			}
		}
	})
}
