package billing_test

import (
	"testing"
	"time"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
)

// A million messages in one campaign are compared, while somebody goes on writing.
func BenchmarkReconcile(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteURL, "postgres": dbtest.PostgresURL} {
		b.Run(name, func(b *testing.B) {
			d := dbtest.Open(b, url(b))
			books := benchBooks(b, d)
			for b.Loop() {
				done, longest := make(chan struct{}), make(chan time.Duration)
				go func() { longest <- writeUntil(b, d, done) }()
				r, found, err := books.Reconcile(b.Context(), nil, time.Now())
				close(done)
				if err != nil || len(found) > 0 || r.Messages != million {
					b.Fatalf("%+v %+v (%v)", r, found, err)
				}
				b.ReportMetric(r.Took.Seconds(), "s/million")
				b.ReportMetric((<-longest).Seconds(), "s/longest-write")
			}
		})
	}
}

const million = 1_000_000

func benchBooks(b *testing.B, d *db.DB) *billing.Invoices {
	b.Helper()
	do(b, d, `INSERT INTO accounts (id, handle, name, region, sender, currency, state, created_at) VALUES (7, 'acme', 'acme', 'NO', '', 'EUR', 'active', 0)`)
	for first := int64(1); first < million; first += 5000 {
		sent(b, d, acme, campaign, first, 5000, 38_000)
	}
	return billing.NewInvoices(d)
}

// writeUntil writes a row again and again, and returns how long the slowest took.
func writeUntil(b *testing.B, d *db.DB, done chan struct{}) (longest time.Duration) {
	for {
		select {
		case <-done:
			return longest
		case <-time.After(5 * time.Millisecond):
		}
		began := time.Now()
		if _, err := d.ExecContext(b.Context(), `UPDATE accounts SET name = 'acme' WHERE id = 7`); err != nil {
			b.Error(err)
		}
		longest = max(longest, time.Since(began))
	}
}
