package billing_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/billing/invoice"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/problem"
)

// post writes to the ledger as of a time.
func post(t testing.TB, d *db.DB, at time.Time, entries ...billing.Entry) {
	t.Helper()
	first, err := d.NewIDs(t.Context(), len(entries))
	if err != nil {
		t.Fatal(err)
	}
	for i := range entries {
		entries[i].ID = first + int64(i)
	}
	if err := d.InTx(t.Context(), func(tx *db.Tx) error { return billing.Post(t.Context(), tx, at, entries...) }); err != nil {
		t.Fatal(err)
	}
}

// used is the ledger of parts that a carrier took.
func used(account int64, parts int, country string, unit int64, lane string) []billing.Entry {
	e := billing.Entry{Account: account, Micro: int64(parts) * unit, Messages: parts, Parts: parts, Country: country, Unit: unit, Lane: lane}
	reserve, charge := e, e
	reserve.Kind, charge.Kind = billing.KindReserve, billing.KindCharge
	return []billing.Entry{reserve, charge}
}

func fee(account int64, micro, unit int64, reference string) billing.Entry {
	return billing.Entry{Account: account, Kind: billing.KindFee, Micro: micro, Unit: unit, Reference: reference}
}

func at(text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return at
}

// november is when October is over everywhere.
var november = at("2026-11-02T03:00:00Z")

func run(t testing.TB, b *billing.Invoices, now time.Time) []billing.Run {
	t.Helper()
	runs, _, err := b.RunMonth(t.Context(), billing.RunOrder{}, now)
	if err != nil {
		t.Fatal(err)
	}
	return runs
}

// whole holds the ledger against the invoices: charged and fees are billed or
// unbilled, and what is billed, rounded, less what is credited is the invoices' net.
func whole(t testing.TB, d *db.DB) {
	t.Helper()
	var earned, billed, unbilled, rounded, credited, net int64
	if err := d.QueryRowContext(t.Context(), `
		SELECT CAST(COALESCE(SUM(CASE WHEN kind IN ('charge', 'fee') THEN amount_micro END), 0) AS BIGINT),
			CAST(COALESCE(SUM(CASE WHEN kind = 'bill' THEN amount_micro END), 0) AS BIGINT),
			CAST(COALESCE(SUM(CASE WHEN credit = 'unbilled' THEN amount_micro WHEN debit = 'unbilled' THEN -amount_micro END), 0) AS BIGINT),
			CAST(COALESCE(SUM(CASE WHEN credit = 'rounding' THEN amount_micro WHEN debit = 'rounding' THEN -amount_micro END), 0) AS BIGINT),
			CAST(COALESCE(SUM(CASE WHEN kind = 'credit' THEN amount_micro END), 0) AS BIGINT)
		FROM ledger_entries`).Scan(&earned, &billed, &unbilled, &rounded, &credited); err != nil {
		t.Fatal(err)
	}
	if err := d.QueryRowContext(t.Context(), `
		SELECT CAST(COALESCE(SUM(CASE kind WHEN '380' THEN net ELSE -net END), 0) AS BIGINT) FROM invoices WHERE state = 'final'`).Scan(&net); err != nil {
		t.Fatal(err)
	}
	if earned != billed+unbilled || unbilled < 0 {
		t.Errorf("%d was earned, %d billed, %d is unbilled", earned, billed, unbilled)
	}
	if billed+rounded-credited != net*10_000 {
		t.Errorf("%d billed + %d rounding - %d credit is not %d of invoices", billed, rounded, credited, net*10_000)
	}
}

// shown is a line in a word.
func shown(lines []invoice.Line) (all []string) {
	for _, l := range lines {
		all = append(all, fmt.Sprintf("%s %s %s %s", l.Quantity, l.Unit, l.Price, l.Name))
	}
	return all
}

func linesOf(t testing.TB, b *billing.Invoices, id int64) []string {
	t.Helper()
	inv, err := b.Anywhere(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := b.Lines(t.Context(), inv)
	if err != nil {
		t.Fatal(err)
	}
	return shown(lines)
}

// S16
func TestAMonthIsInvoicedFromTheLedger(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		post(t, d, at("2026-10-05T10:00:00Z"), slices.Concat(used(acme, 1001, "DK", 38_000, "bulk"), used(acme, 3, "NO", 45_000, "urgent"),
			[]billing.Entry{fee(acme, 99_000_000, 99_000_000, "dir_1/2026-10-01"), fee(acme, 41_516_129, 99_000_000, "dir_2/2026-10-01")})...)
		post(t, d, at("2026-10-31T22:59:59Z"), used(acme, 10, "DK", 38_000, "bulk")...) // 23:59:59 in Oslo
		post(t, d, at("2026-10-31T23:00:00Z"), used(acme, 7, "DK", 38_000, "bulk")...)  // November
		runs := run(t, b, november)
		if len(runs) != 2 || runs[0].State != billing.RunInvoiced || runs[1].State != billing.RunNothing {
			t.Fatalf("got %+v", runs)
		}
		want := []string{
			"1 C62 41.516129 Directory integration dir_2, period from 2026-10-01",
			"1 MON 99 Directory integration dir_1, period from 2026-10-01",
			"1011 C62 0.038 SMS, parts to DK, bulk",
			"3 C62 0.045 SMS, parts to NO, urgent",
		}
		if diff := cmp.Diff(want, linesOf(t, b, runs[0].Invoice)); diff != "" {
			t.Error(diff)
		}
		inv, err := b.ByID(t.Context(), acme, runs[0].Invoice)
		if err != nil || inv.State != billing.Final || inv.Number == "" || inv.Net != 9900+4152+3842+14 {
			t.Errorf("got %+v (%v)", inv, err)
		}
		doc, err := b.Document(t.Context(), acme, inv.ID)
		if err != nil || doc.Period != (invoice.Period{From: day("2026-10-01"), To: day("2026-10-31")}) {
			t.Errorf("the period is %v (%v)", doc.Period, err)
		}
		whole(t, d)
		if again := run(t, b, november); len(again) != 0 {
			t.Errorf("it ran again: %+v", again)
		}
	})
}

func TestWhatIsCommittedLateIsOnTheNextInvoice(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		post(t, d, at("2026-10-05T10:00:00Z"), used(acme, 100, "DK", 38_000, "bulk")...)
		run(t, b, november)
		post(t, d, at("2026-10-31T10:00:00Z"), used(acme, 50, "DK", 38_000, "bulk")...)
		post(t, d, at("2026-11-05T10:00:00Z"), used(acme, 25, "DK", 38_000, "bulk")...)
		runs := run(t, b, november.AddDate(0, 1, 0))
		if diff := cmp.Diff([]string{"75 C62 0.038 SMS, parts to DK, bulk"}, linesOf(t, b, runs[0].Invoice)); diff != "" {
			t.Error(diff)
		}
		doc, err := b.Document(t.Context(), acme, runs[0].Invoice)
		if err != nil || doc.Period != (invoice.Period{From: day("2026-11-01"), To: day("2026-11-30")}) {
			t.Errorf("the period is %v (%v)", doc.Period, err)
		}
		whole(t, d)
	})
}

// S16
func TestThirtyTwoRunsAtOnceBillEverythingOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		accounts := []int64{acme, other}
		for i := range 6 {
			id := int64(100 + i)
			accounts = append(accounts, id)
			if _, err := d.ExecContext(t.Context(), `
				INSERT INTO accounts (id, handle, name, region, sender, currency, state, created_at) VALUES ($1, $2, $2, 'NO', '', 'EUR', 'active', 0)`, id, fmt.Sprint("a", i)); err != nil {
				t.Fatal(err)
			}
		}
		for _, id := range accounts {
			if _, err := b.SetCustomer(t.Context(), id, danish()); err != nil {
				t.Fatal(err)
			}
			post(t, d, at("2026-10-05T10:00:00Z"), used(id, 1001, "DK", 38_333, "bulk")...)
		}
		var all sync.WaitGroup
		for i := range 32 {
			all.Go(func() {
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				if i%4 == 0 { // it dies somewhere on its way
					ctx, stop = context.WithTimeout(ctx, time.Duration(10*i)*time.Millisecond)
					defer stop()
				}
				if _, _, err := b.RunMonth(ctx, billing.RunOrder{}, november); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		run(t, b, november) // what died is done again
		list, err := b.ListAll(t.Context(), billing.InvoiceFilter{Limit: 100})
		if err != nil || len(list) != len(accounts) {
			t.Fatalf("%d invoices of %d accounts (%v)", len(list), len(accounts), err)
		}
		var numbers []string
		for _, inv := range list {
			numbers = append(numbers, inv.Number[5:])
		}
		slices.Sort(numbers)
		for i, n := range numbers {
			if want := fmt.Sprintf("%05d", i+1); n != want {
				t.Fatalf("the numbers are %v", numbers)
			}
		}
		var unbilled int64
		if err := d.QueryRowContext(t.Context(), `
			SELECT CAST(SUM(CASE kind WHEN 'charge' THEN amount_micro WHEN 'bill' THEN -amount_micro ELSE 0 END) AS BIGINT) FROM ledger_entries`).Scan(&unbilled); err != nil || unbilled != 0 {
			t.Errorf("%d is unbilled (%v)", unbilled, err)
		}
		whole(t, d)
	})
}

func TestAnAccountThatCannotBeInvoicedIsSkippedWithAReason(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		post(t, d, at("2026-10-05T10:00:00Z"), used(other, 100, "DK", 38_000, "bulk")...)
		skipped := func() string {
			t.Helper()
			run(t, b, november)
			runs, err := b.Runs(t.Context(), billing.RunFilter{State: billing.RunSkipped, Limit: 10})
			if err != nil || len(runs) != 1 || runs[0].Account != other || runs[0].Detail == "" {
				t.Fatalf("got %+v (%v)", runs, err)
			}
			return runs[0].Reason
		}
		if reason := skipped(); reason != "no_billing_profile" {
			t.Errorf("the reason is %s", reason)
		}
		c := danish()
		c.Currency = "SEK"
		if _, err := b.SetCustomer(t.Context(), other, c); err != nil {
			t.Fatal(err)
		}
		if reason := skipped(); reason != "currency_differs" {
			t.Errorf("the reason is %s", reason)
		}
		c = billing.Customer{Party: norwegian().Party, Business: true, Currency: "EUR"}
		if _, err := b.SetCustomer(t.Context(), other, c); err != nil {
			t.Fatal(err)
		}
		if reason := skipped(); reason != "no_rate" {
			t.Errorf("the reason is %s", reason)
		}
		if list, err := b.ListAll(t.Context(), billing.InvoiceFilter{Limit: 9}); err != nil || len(list) != 0 {
			t.Errorf("there is %v (%v)", list, err)
		}
		runs, _, err := b.RunMonth(t.Context(), billing.RunOrder{Account: other, Month: day("2026-10-09"), From: "EUR",
			Books: invoice.Books{Rate: dec("11.452"), Source: "Norges Bank", At: day("2026-10-30")}}, november)
		if err != nil || len(runs) != 1 || runs[0].State != billing.RunInvoiced || runs[0].Reason != "" {
			t.Fatalf("got %+v (%v)", runs, err)
		}
		if inv, err := b.ByID(t.Context(), other, runs[0].Invoice); err != nil || inv.Number[5:] != "00001" {
			t.Errorf("the number is %s (%v)", inv.Number, err)
		}
		whole(t, d)
	})
}

func TestARateIsForTheInvoicesOfItsCurrency(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		if _, err := d.ExecContext(t.Context(), `UPDATE accounts SET currency = 'SEK' WHERE id = $1`, other); err != nil {
			t.Fatal(err)
		}
		for account, currency := range map[int64]string{acme: "EUR", other: "SEK"} {
			if _, err := b.SetCustomer(t.Context(), account, billing.Customer{Party: norwegian().Party, Business: true, Currency: currency}); err != nil {
				t.Fatal(err)
			}
			post(t, d, at("2026-10-05T10:00:00Z"), used(account, 100, "NO", 1_000_000, "bulk")...)
		}
		o := billing.RunOrder{Books: invoice.Books{Rate: dec("11.5"), Source: "Norges Bank", At: day("2026-10-30")}}
		if _, _, err := b.RunMonth(t.Context(), o, november); !problem.Has(err, "invalid_rate_from") {
			t.Errorf("a rate of nothing: %v", err)
		}
		o.From = "EUR"
		runs, _, err := b.RunMonth(t.Context(), o, november)
		if err != nil || len(runs) != 2 || runs[0].State != billing.RunInvoiced || runs[1].Reason != "no_rate" {
			t.Fatalf("got %+v (%v)", runs, err)
		}
		o.From, o.Books.Rate = "SEK", dec("1.05")
		if runs, _, err = b.RunMonth(t.Context(), o, november); err != nil || len(runs) != 1 || runs[0].State != billing.RunInvoiced {
			t.Fatalf("got %+v (%v)", runs, err)
		}
		doc, err := b.Document(t.Context(), other, runs[0].Invoice)
		if err != nil || doc.Books.Rate.String() != "1.05" || doc.Books.Currency != "NOK" {
			t.Errorf("the books are %+v (%v)", doc.Books, err)
		}
	})
}

func TestMonthsAcrossAChangeOfTheRateAreInvoicedOneByOne(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLiteURL(t))
	b, _ := asking(t, d)
	s, err := b.Seller(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.OSS = true
	if _, err := b.SetSeller(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	c := danish() // Estonia's rate is 22 until June 2025, 24 from July on
	c.Country, c.VATID, c.Registration, c.Business, c.Email = "EE", "", "", false, "maret@example.com"
	if _, err := b.SetCustomer(t.Context(), acme, c); err != nil {
		t.Fatal(err)
	}
	post(t, d, at("2025-06-05T10:00:00Z"), used(acme, 100, "EE", 38_000, "bulk")...)
	post(t, d, at("2025-07-05T10:00:00Z"), used(acme, 200, "EE", 38_000, "bulk")...)
	order := func(month string) billing.Run {
		t.Helper()
		runs, _, err := b.RunMonth(t.Context(), billing.RunOrder{Account: acme, Month: day(month)}, november)
		if err != nil || len(runs) != 1 {
			t.Fatalf("got %+v (%v)", runs, err)
		}
		return runs[0]
	}
	if r := order("2025-07-01"); r.Reason != "vat_rate_changed" {
		t.Errorf("got %+v", r)
	}
	for _, one := range []struct{ month, rate string }{{"2025-06-01", "22"}, {"2025-07-01", "24"}} {
		doc, err := b.Document(t.Context(), acme, order(one.month).Invoice)
		if err != nil || doc.Lines[0].VAT.Rate.String() != one.rate {
			t.Errorf("%s: %+v (%v)", one.month, doc.Lines, err)
		}
	}
	whole(t, d)
}

func TestAMonthThatIsNotOverIsNotRun(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLiteURL(t))
	b := desk(t, d)
	if _, _, err := b.RunMonth(t.Context(), billing.RunOrder{Month: day("2026-11-01")}, november); !problem.Has(err, "invalid_month") {
		t.Errorf("got %v", err)
	}
}

// Fees are charged after midnight in UTC, messages are invoiced by the seller's days.
func TestAMonthSettlesWhereTheSellerIsAndInUTC(t *testing.T) {
	for _, c := range []struct{ zone, early, late string }{
		{"Europe/Oslo", "2026-11-01T01:59:00Z", "2026-11-01T02:01:00Z"},
		{"Europe/Helsinki", "2026-11-01T01:59:00Z", "2026-11-01T02:01:00Z"},
		{"Atlantic/Azores", "2026-11-01T02:59:00Z", "2026-11-01T03:01:00Z"},
	} {
		d := dbtest.Open(t, dbtest.SQLiteURL(t))
		b := desk(t, d)
		seller := norwegian()
		seller.Zone = c.zone
		if _, err := b.SetSeller(t.Context(), seller); err != nil {
			t.Fatal(err)
		}
		if runs := run(t, b, at(c.early)); len(runs) != 2 || runs[0].Month != day("2026-09-01") {
			t.Errorf("%s: got %+v", c.zone, runs)
		}
		if runs := run(t, b, at(c.late)); len(runs) != 2 || runs[0].Month != day("2026-10-01") {
			t.Errorf("%s: got %+v", c.zone, runs)
		}
	}
}

func TestOneBrokenAccountKeepsNoOtherFromItsInvoice(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		if _, err := b.SetCustomer(t.Context(), other, danish()); err != nil {
			t.Fatal(err)
		}
		for _, account := range []int64{acme, other} {
			post(t, d, at("2026-10-05T10:00:00Z"), used(account, 100, "DK", 38_000, "bulk")...)
		}
		do(t, d, `UPDATE customer_profiles SET profile = 'torn' WHERE account_id = $1`, acme)
		runs, _, err := b.RunMonth(t.Context(), billing.RunOrder{}, november)
		if err == nil || problem.As(err) != nil {
			t.Errorf("the broken account is no error: %v", err)
		}
		if len(runs) != 1 || runs[0].Account != other || runs[0].State != billing.RunInvoiced {
			t.Errorf("got %+v", runs)
		}
	})
}

func TestARunThatHasNoTimeLeavesTheRestToTheNext(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLiteURL(t))
	b := desk(t, d)
	made, more, err := b.RunMonth(t.Context(), billing.RunOrder{Until: time.Now().Add(-time.Second)}, november)
	if err != nil || !more || len(made) != 0 {
		t.Errorf("got %+v, more: %t (%v)", made, more, err)
	}
	if made, more, err = b.RunMonth(t.Context(), billing.RunOrder{Until: time.Now().Add(time.Hour)}, november); err != nil || more || len(made) != 2 {
		t.Errorf("got %+v, more: %t (%v)", made, more, err)
	}
}

func TestASkippedMonthIsClosedByTheInvoiceThatHasIt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		post(t, d, at("2026-10-05T10:00:00Z"), used(other, 100, "DK", 38_000, "bulk")...)
		run(t, b, november)
		if _, err := b.SetCustomer(t.Context(), other, danish()); err != nil {
			t.Fatal(err)
		}
		later := run(t, b, november.AddDate(0, 1, 0))
		all, err := b.Runs(t.Context(), billing.RunFilter{Account: other, Limit: 9})
		if err != nil || len(all) != 2 {
			t.Fatalf("got %+v (%v)", all, err)
		}
		if r := all[1]; r.State != billing.RunInvoiced || r.Reason != "" || r.Invoice != later[len(later)-1].Invoice || r.Month != day("2026-10-01") {
			t.Errorf("got %+v", r)
		}
		whole(t, d)
	})
}

func TestLessThanACentIsNoInvoice(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLiteURL(t))
	b := desk(t, d)
	post(t, d, at("2026-10-05T10:00:00Z"), used(acme, 1, "DK", 4_000, "bulk")...)
	if runs := run(t, b, november); runs[0].State != billing.RunNothing {
		t.Errorf("got %+v", runs)
	}
	post(t, d, at("2026-11-05T10:00:00Z"), used(acme, 2, "DK", 4_000, "bulk")...)
	runs := run(t, b, november.AddDate(0, 1, 0))
	if diff := cmp.Diff([]string{"3 C62 0.004 SMS, parts to DK, bulk"}, linesOf(t, b, runs[0].Invoice)); diff != "" {
		t.Error(diff)
	}
	whole(t, d)
}

func TestManyLinesArePutTogether(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLiteURL(t))
	b := desk(t, d)
	var many []billing.Entry
	for i := range 400 {
		for _, lane := range []string{"bulk", "normal", "urgent"} {
			many = append(many, used(acme, 2, "DK", int64(30_001+i), lane)...)
		}
	}
	post(t, d, at("2026-10-05T10:00:00Z"), many...)
	lines := linesOf(t, b, run(t, b, november)[0].Invoice)
	if len(lines) != 400 || lines[0] != "6 C62 0.030001 SMS, parts to DK" {
		t.Errorf("%d lines, the first %s", len(lines), lines[0])
	}
	whole(t, d)
	many = nil
	for i := range 1100 {
		many = append(many, used(acme, 2, "DK", int64(30_001+i), "bulk")...)
		many = append(many, fee(acme, 1_000_001, 0, fmt.Sprintf("dir_%d/2026-11-01", i)))
	}
	post(t, d, at("2026-11-05T10:00:00Z"), many...)
	want := []string{"1 C62 1100.0011 Subscriptions", "1 C62 67.2111 SMS, parts to DK (2200)"}
	if diff := cmp.Diff(want, linesOf(t, b, run(t, b, november.AddDate(0, 1, 0))[0].Invoice)); diff != "" {
		t.Error(diff)
	}
	whole(t, d)
}

func TestAFeeThatIsOnAnInvoiceByHandIsBilledThereAlone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		post(t, d, at("2026-10-05T10:00:00Z"), fee(acme, 41_516_129, 99_000_000, "dir_1/2026-10-01"), fee(acme, 99_000_000, 99_000_000, "dir_2/2026-10-01"))
		n := october()
		n.Lines[0].Once = "dir_1/2026-10-01" // for 99 and not for a share
		byHand := draft(t, b, n)
		runs := run(t, b, november)
		if diff := cmp.Diff([]string{"1 MON 99 Directory integration dir_2, period from 2026-10-01"}, linesOf(t, b, runs[0].Invoice)); diff != "" {
			t.Error(diff)
		}
		whole(t, d)
		byHand = final(t, b, byHand.ID)
		whole(t, d)
		credit, err := b.Credit(t.Context(), acme, byHand.ID, billing.NewCredit{Lines: []int{1}})
		if err != nil {
			t.Fatal(err)
		}
		final(t, b, credit.ID)
		whole(t, d)
	})
}

// S16
func TestLedgerAndInvoicesAgreeWhateverHappens(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		r := rand.New(rand.NewPCG(7, 16))
		now := november
		for range 60 {
			switch r.IntN(6) {
			case 0:
				run(t, b, now)
				now = now.AddDate(0, 1, 0)
			case 1:
				all, err := b.List(t.Context(), acme, billing.InvoiceFilter{State: billing.Final, Limit: 100})
				if err != nil {
					t.Fatal(err)
				}
				if len(all) == 0 {
					continue
				}
				credit, err := b.Credit(t.Context(), acme, all[r.IntN(len(all))].ID, billing.NewCredit{Lines: []int{1}})
				if problem.As(err) != nil {
					continue // it was, or is a credit note itself
				}
				if err != nil {
					t.Fatal(err)
				}
				final(t, b, credit.ID)
			case 2:
				final(t, b, draft(t, b, october()).ID)
			case 3:
				post(t, d, now, fee(acme, r.Int64N(99_000_000), 99_000_000, fmt.Sprintf("dir_%d/%s", r.Int64(), now.Format(time.DateOnly))))
			default:
				country, lane := []string{"NO", "DK", "PL"}[r.IntN(3)], []string{"bulk", "normal"}[r.IntN(2)]
				post(t, d, now.Add(-time.Duration(r.IntN(800))*time.Hour), used(acme, 1+r.IntN(3000), country, 1+r.Int64N(3)*12_345, lane)...)
			}
			whole(t, d)
		}
		run(t, b, now)
		whole(t, d)
	})
}
