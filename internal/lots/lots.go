// Package lots bounds what one transaction removes, so that nobody else waits for
// long: SQLite has one writer.
package lots

import "time"

// Size is how many rows one transaction changes at the most.
const Size = 5000

// Done is what one lot did.
type Done struct {
	Rows   int       // emptied or removed
	More   bool      // there may be another lot
	Oldest time.Time // age of the oldest row that is left as it was; zero when none is
}

// Of is a lot that is one statement of at most Size rows.
func Of(rows int64) Done { return Done{Rows: int(rows), More: rows >= Size} }
