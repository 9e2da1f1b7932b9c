package billing_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
)

func TestMain(m *testing.M) { dbtest.Run(m) }

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
		book, err := billing.CurrentBook(t.Context(), d, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		prices, err := billing.PricesOf(t.Context(), d, book.ID)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int64{}
		for _, country := range []string{"NO", "ZZ"} {
			if got[country], err = prices.PerPart(country); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(map[string]int64{"NO": 45000, "ZZ": 90000}, got); diff != "" {
			t.Error(diff)
		}
	})
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
				{Kind: billing.Reserve, Micro: 100}, {Kind: billing.Charge, Micro: 60}, {Kind: billing.Release, Micro: 30},
			} {
				e.ID, e.Account, e.Campaign, e.Currency = int64(i+1), 7, 9, "EUR"
				if err := billing.Post(ctx, tx, e, time.Now()); err != nil {
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
