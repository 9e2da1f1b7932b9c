package privacy_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
)

// BenchmarkRetention redacts a million messages in 2,000 ranges, class by class, while
// somebody else commits one row after the other, and says how long such a commit had
// to wait at the most.
func BenchmarkRetention(b *testing.B) {
	const messages, each = 1_000_000, 500
	for _, url := range []string{dbtest.SQLiteURL(b), dbtest.PostgresURL(b)} {
		d := dbtest.Open(b, url)
		b.Run(string(d.Dialect()), func(b *testing.B) {
			e := bareDesk(b, d)
			fill(b, d, e.account.ID, messages, each)
			for b.Loop() {
				var longest atomic.Int64
				stop := make(chan struct{})
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					for {
						select {
						case <-stop:
							return
						default:
						}
						began := time.Now()
						d.ExecContext(b.Context(), `UPDATE installation SET value = 'x' WHERE name = 'bench'`)
						longest.Store(max(longest.Load(), int64(time.Since(began))))
					}
				}()
				for _, r := range got(e.desk.RunRetentionOf(b.Context(), e.account.ID, inDays(500))) {
					if r.Count > 0 {
						b.ReportMetric(float64(r.Count)/r.Took.Seconds(), r.Class+"/s")
					}
				}
				close(stop)
				<-ended
				b.ReportMetric(float64(longest.Load())/1e6, "longest-wait-ms")
			}
		})
	}
}

func fill(b *testing.B, d *db.DB, account int64, messages, each int) {
	b.Helper()
	first := got(d.NewIDs(b.Context(), messages+messages/each))
	for done := 0; done < messages; done += 20_000 {
		var rows, parts, ranges [][]any
		for i := done; i < done+20_000; i++ {
			id := first + int64(i)
			rows = append(rows, []any{id, account, int64(7), first + int64(messages+i/each), int64(i), fmt.Sprintf("+4740%07d", i), "ACME",
				fmt.Sprintf("Dear person %d, the water is shut off tomorrow.", i), "gsm7", int64(1), int64(45000), "charged", "delivered", int64(1)})
			parts = append(parts, []any{id, int64(0), int64(1), fmt.Sprintf("k%d", i), fmt.Sprintf("K%d", i), "delivered"})
			if i%each == 0 {
				ranges = append(ranges, []any{first + int64(messages+i/each), account, int64(7), int64(1), "bulk", id, id + int64(each) - 1, int64(1), "done", int64(0), int64(0), true})
			}
		}
		err := d.InTx(b.Context(), func(tx *db.Tx) error {
			if err := tx.Bulk(b.Context(), "messages", []string{"id", "account_id", "campaign_id", "range_id", "contact_id", "phone", "sender", "body", "encoding",
				"parts", "price_micro", "money", "status", "queued_at"}, rows); err != nil {
				return err
			}
			if err := tx.Bulk(b.Context(), "message_parts", []string{"message_id", "part", "carrier_id", "carrier_key", "carrier_raw", "state"}, parts); err != nil {
				return err
			}
			return tx.Bulk(b.Context(), "ranges", []string{"id", "account_id", "campaign_id", "carrier_id", "lane", "first_id", "last_id", "max_parts", "state",
				"due_at", "deadline", "closed"}, ranges)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// bareDesk is an estate without a test around it.
func bareDesk(b *testing.B, d *db.DB) *estate {
	b.Helper()
	e := &estate{db: d}
	e.stand(b)
	return e
}
