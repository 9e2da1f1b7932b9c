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
		got, err := billing.CampaignTotals(ctx, d, 7, 9)
		if err != nil {
			t.Fatal(err)
		}
		if want := (billing.Totals{Reserved: 100, Charged: 60, Released: 30}); got != want || got.Open() != 10 {
			t.Errorf("got %+v, open %d", got, got.Open())
		}
	})
}

func TestAnAmountIsReadAsPeopleWriteIt(t *testing.T) {
	for text, want := range map[string]int64{"500": 500_000_000, "12.50": 12_500_000, " 12,5 ": 12_500_000, "0.000001": 1, "-3": -3_000_000} {
		if got, err := billing.ParseMoney(text); err != nil || got != want {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "much", "0.0000001", "1e3", "1e999999999", "99999999999999999999", "1,2,3"} {
		if got, err := billing.ParseMoney(text); err == nil {
			t.Errorf("%q was read as %d", text, got)
		}
	}
}
