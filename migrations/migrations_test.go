package migrations_test

import (
	"testing"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/migrations"
)

func TestMain(m *testing.M) { dbtest.Run(m) }

// Every step can be taken back, down to an empty database, and taken again.
func TestEveryStepGoesDownAndUpAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p, err := migrations.Provider(d)
		if err != nil {
			t.Fatal(err)
		}
		down, err := p.DownTo(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		up, err := migrations.Up(t.Context(), d)
		if err != nil || up != len(down) || up < 20 {
			t.Errorf("%d steps down, %d up: %v", len(down), up, err)
		}
	})
}

// What was numbered by seller and kind goes on by what the numbers begin with, and back.
func TestSeriesGoOnFromTheNumbersThatWereGiven(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		p, err := migrations.Provider(d)
		if err != nil {
			t.Fatal(err)
		}
		exec := func(statement string) {
			t.Helper()
			if _, err := d.ExecContext(ctx, statement); err != nil {
				t.Fatal(err)
			}
		}
		last := func(want map[string]int64) {
			t.Helper()
			for name, n := range want {
				var got int64
				if err := d.QueryRowContext(ctx, `SELECT last FROM invoice_series WHERE name = $1`, name).Scan(&got); err != nil || got != n {
					t.Errorf("%s: %d, not %d (%v)", name, got, n, err)
				}
			}
		}
		if _, err := p.DownTo(ctx, 44); err != nil {
			t.Fatal(err)
		}
		exec(`INSERT INTO accounts (id, handle, name, region, sender, currency, state, created_at) VALUES (7, 'acme', 'Acme', 'NO', '', 'EUR', 'active', 0)`)
		exec(`INSERT INTO invoices (id, account_id, kind, state, credits, number, issued, currency, net, terms, created_at) VALUES
			(1, 7, '380', 'final', 0, '2025-00009', '2025-12-31', 'EUR', 0, '{}', 0), (2, 7, '380', 'final', 0, '2026-99999', '2026-11-01', 'EUR', 0, '{}', 0),
			(3, 7, '380', 'final', 0, '2026-100000', '2026-11-01', 'EUR', 0, '{}', 0), (4, 7, '381', 'final', 1, 'CN-2026-00002', '2026-11-01', 'EUR', 0, '{}', 0),
			(5, 7, '380', 'draft', 0, '', '', 'EUR', 0, '{}', 0)`)
		exec(`INSERT INTO invoice_series (name, last) VALUES ('DE/HRB 1/2/380/2025', 9), ('DE/HRB 1/2/380/2026', 100000), ('DE/HRB 1/2/381/2026', 2)`)
		if _, err := p.UpTo(ctx, 45); err != nil {
			t.Fatal(err)
		}
		last(map[string]int64{"2025-": 9, "2026-": 100000, "CN-2026-": 2})
		exec(`INSERT INTO invoices (id, account_id, kind, state, credits, number, issued, currency, net, terms, created_at) VALUES
			(6, 7, '381', 'final', 1, 'CN-2026-00003', '2026-11-02', 'EUR', 0, '{}', 0)`)
		if _, err := p.DownTo(ctx, 44); err != nil {
			t.Fatal(err)
		}
		last(map[string]int64{"DE/HRB 1/2/380/2025": 9, "DE/HRB 1/2/380/2026": 100000, "DE/HRB 1/2/381/2026": 3})
		if _, err := p.UpTo(ctx, 45); err != nil {
			t.Fatal(err)
		}
		last(map[string]int64{"CN-2026-": 3})
	})
}
