package billing_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/problem"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(posterEnv); url != "" {
		if err := postAlone(url); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	dbtest.Run(m)
}

func TestMoneyIsWrittenWithoutRounding(t *testing.T) {
	for micro, want := range map[int64]string{
		0: "0.00", 1: "0.000001", 45000: "0.045", 1_000_000: "1.00", 12_340_000: "12.34", -99_500_000: "-99.50",
	} {
		if got := billing.Money(micro); got != want {
			t.Errorf("Money(%d) = %q, want %q", micro, got, want)
		}
	}
}

func TestAPartIsPricedByCountryElseByTheStar(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		openAccount(t, d, 7, "EUR")
		book, err := billing.CurrentBook(t.Context(), d, 7, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		prices, err := billing.PricesOf(t.Context(), d, book.ID)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int64{}
		for _, country := range []string{"NO", "ZZ"} {
			if got[country], err = prices.PerPart(country, "bulk"); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(map[string]int64{"NO": 45000, "ZZ": 90000}, got); diff != "" {
			t.Error(diff)
		}
	})
}

// openAccount is an account with that id.
func openAccount(t *testing.T, d *db.DB, id int64, currency string) {
	t.Helper()
	if _, err := d.ExecContext(t.Context(), `
		INSERT INTO accounts (id, handle, name, region, sender, currency, state, created_at)
		VALUES ($1, $2, 'Acme', 'NO', '', $3, 'active', 0)`, id, fmt.Sprint("acme-", id), currency); err != nil {
		t.Fatal(err)
	}
}

func TestTheLedgerAddsUp(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		if _, err := d.ExecContext(ctx, `
			INSERT INTO accounts (id, handle, name, region, sender, currency, state, created_at)
			VALUES (7, 'acme', 'Acme', 'NO', '', 'EUR', 'active', 0)`); err != nil {
			t.Fatal(err)
		}
		err := d.InTx(ctx, func(tx *db.Tx) error {
			for i, e := range []billing.Entry{
				{Kind: billing.KindReserve, Micro: 100}, {Kind: billing.KindCharge, Micro: 60}, {Kind: billing.KindRelease, Micro: 30},
			} {
				e.ID, e.Account, e.Campaign = int64(i+1), 7, 9
				if err := billing.Post(ctx, tx, time.Now(), e); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err := billing.SumsOf(ctx, d, 7)
		if err != nil {
			t.Fatal(err)
		}
		if want := (billing.Sums{Receivable: 70, Reserved: -10, Unbilled: -60}); got != want || got.Total() != 0 {
			t.Errorf("got %+v, in all %d", got, got.Total())
		}
	})
}

func TestAnAmountIsReadAsPeopleWriteIt(t *testing.T) {
	for text, want := range map[string]int64{"500": 500_000_000, "12.50": 12_500_000, " 12,5 ": 12_500_000, "0.000001": 1, "-3": -3_000_000,
		"5 000,00": 5_000_000_000, "1\u00a0234,5": 1_234_500_000, "1\u202f234\u202f567": 1_234_567_000_000, "0,118": 118_000, "1000,125": 1_000_125_000, "1.1250": 1_125_000} {
		if got, err := billing.ReadAmount("amount", text); err != nil || got != want {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
	}
	for code, texts := range map[string][]string{
		"invalid_amount":   {"", "much", "0.0000001", "1e3", "1e999999999", "99999999999999999999", "1,2,3", "1,000.50", "1.000.000"},
		"ambiguous_number": {"1,000", "5.000", "-1,000", " 250,000 ", "1\u00a0,000"},
	} {
		for _, text := range texts {
			if got, err := billing.ReadAmount("amount", text); !problem.Has(err, code) {
				t.Errorf("%q was read as %d: %v", text, got, err)
			}
		}
	}
	if micro, err := billing.ReadPrice("1,125"); err != nil || micro != 1_125_000 {
		t.Errorf("the price of a part is %d, %v", micro, err)
	}
}
