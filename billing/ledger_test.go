package billing_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/problem"
)

// books is the ledger of a test.
type books struct {
	t *testing.T
	*billing.Ledger
	db *db.DB
}

func eachBooks(t *testing.T, test func(t *testing.T, b books)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(t, books{t, billing.NewLedger(d), d}) })
}

// open makes an account with terms.
func (b books) open(id int64, currency string, terms billing.Terms) int64 {
	b.t.Helper()
	_, err := b.db.ExecContext(b.t.Context(), `
		INSERT INTO accounts (id, handle, name, region, sender, currency, state, created_at)
		VALUES ($1, $2, 'Acme', 'NO', '', $3, 'active', 0)`, id, fmt.Sprintf("acme%d", id), currency)
	must(b.t, err)
	must(b.t, b.SetTerms(b.t.Context(), id, terms))
	return id
}

var unlimited = billing.Terms{Unlimited: true}

// ids gives each entry an id of its own.
func (b books) ids(entries []billing.Entry) []billing.Entry {
	b.t.Helper()
	first, err := b.db.NewIDs(b.t.Context(), len(entries))
	must(b.t, err)
	for i := range entries {
		entries[i].ID = first + int64(i)
	}
	return entries
}

func (b books) post(entries ...billing.Entry) error {
	b.t.Helper()
	entries = b.ids(entries)
	return b.db.InTx(b.t.Context(), func(tx *db.Tx) error { return billing.Post(b.t.Context(), tx, time.Now(), entries...) })
}

func (b books) reserve(entries ...billing.Entry) (refused error) {
	b.t.Helper()
	entries = b.ids(entries)
	must(b.t, b.db.InTx(b.t.Context(), func(tx *db.Tx) (err error) {
		_, refused, err = billing.Reserve(b.t.Context(), tx, time.Now(), billing.Spender{}, entries...)
		return err
	}))
	return refused
}

func (b books) balance(account int64) billing.Balance {
	b.t.Helper()
	balance, err := b.Balance(b.t.Context(), account)
	must(b.t, err)
	if balance.Total() != 0 {
		b.t.Errorf("the ledger accounts of %d add up to %d: %+v", account, balance.Total(), balance.Sums)
	}
	return balance
}

// agrees says that no balance differs from its ledger.
func (b books) agrees() {
	b.t.Helper()
	_, found, err := billing.NewInvoices(b.db).Reconcile(b.t.Context(), nil, time.Now())
	must(b.t, err)
	for _, d := range found {
		if d.Kind == billing.DiffBalance || d.Kind == billing.DiffUnbalanced {
			b.t.Errorf("a balance differs from its ledger: %+v", d)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestEveryKindMovesBetweenItsTwoAccounts(t *testing.T) {
	eachBooks(t, func(t *testing.T, b books) {
		acme := b.open(1, "NOK", unlimited)
		var entries []billing.Entry
		for i, kind := range billing.Kinds {
			entries = append(entries, billing.Entry{Account: acme, Kind: kind, Micro: 1 << i})
		}
		must(t, b.post(entries...))
		const reserve, release, charge, fee, bill, up, down, credit, payment, returned = 1, 2, 4, 8, 16, 32, 64, 128, 256, 512
		want := billing.Sums{
			Receivable: reserve - release + fee + up - down - credit - payment + returned,
			Reserved:   -reserve + release + charge,
			Unbilled:   -charge - fee + bill,
			Billed:     -bill + credit,
			Rounding:   -up + down,
			Paid:       payment - returned,
		}
		if diff := cmp.Diff(want, b.balance(acme).Sums); diff != "" {
			t.Error(diff)
		}
		all, err := b.Entries(t.Context(), acme, billing.EntryFilter{Limit: 100})
		must(t, err)
		for _, e := range all {
			if e.Currency != "NOK" {
				t.Errorf("%s is in %s: the account's currency is NOK", e.Kind, e.Currency)
			}
		}
		if err := b.post(billing.Entry{Account: 99, Kind: billing.KindFee}); err == nil {
			t.Error("an entry of no account was written")
		}
		if err := b.post(billing.Entry{Account: acme, Kind: "gift"}); err == nil {
			t.Error("an entry of no kind was written")
		}
	})
}

func TestTheDatabaseItselfKeepsTheLedger(t *testing.T) {
	eachBooks(t, func(t *testing.T, b books) {
		acme := b.open(1, "EUR", unlimited)
		must(t, b.post(billing.Entry{Account: acme, Kind: billing.KindFee, Micro: 99_000_000}))
		for _, change := range []string{`UPDATE ledger_entries SET amount_micro = 1`, `UPDATE ledger_entries SET at = 0`, `DELETE FROM ledger_entries`} {
			if _, err := b.db.ExecContext(t.Context(), change); err == nil {
				t.Errorf("%s was done", change)
			}
		}
		if got := b.balance(acme).Unbilled; got != -99_000_000 {
			t.Errorf("unbilled is %d", got)
		}
	})
}

// What is forgotten for its age leaves the balances as they were.
func TestBalancesOutliveTheEntriesThatMadeThem(t *testing.T) {
	eachBooks(t, func(t *testing.T, b books) {
		acme, beta := b.open(1, "EUR", billing.Terms{Limit: 1000}), b.open(2, "EUR", unlimited)
		for _, account := range []int64{acme, beta} {
			must(t, b.post(billing.Entry{Account: account, Kind: billing.KindReserve, Micro: 500}, billing.Entry{Account: account, Kind: billing.KindCharge, Micro: 300},
				billing.Entry{Account: account, Kind: billing.KindPayment, Micro: 70}))
		}
		before := []billing.Balance{b.balance(acme), b.balance(beta)}
		for _, account := range []int64{acme, beta} {
			gone, err := billing.ForgetLedger(t.Context(), b.db, account, time.Now().Add(time.Hour))
			must(t, err)
			if gone.Rows != 3 {
				t.Errorf("%d entries went", gone.Rows)
			}
		}
		must(t, b.post(billing.Entry{Account: acme, Kind: billing.KindPayment, Micro: 30}))
		before[0].Owed, before[0].Receivable, before[0].Paid = before[0].Owed-30, before[0].Receivable-30, before[0].Paid+30
		if diff := cmp.Diff(before, []billing.Balance{b.balance(acme), b.balance(beta)}); diff != "" {
			t.Error(diff)
		}
		b.agrees()
	})
}

func TestWhatIsPostedOnceIsThereOnce(t *testing.T) {
	eachBooks(t, func(t *testing.T, b books) {
		acme, beta := b.open(1, "EUR", billing.Terms{Prepaid: true}), b.open(2, "EUR", unlimited)
		var posted sync.Map
		var all sync.WaitGroup
		for i := range 16 {
			e := b.ids([]billing.Entry{{Account: []int64{acme, beta}[i%2], Kind: billing.KindFee, Micro: 99_000_000, Reference: "dir_1/2026-11-01"}})[0]
			all.Go(func() {
				err := b.db.InTx(t.Context(), func(tx *db.Tx) error {
					done, err := billing.PostOnce(t.Context(), tx, time.Now(), e)
					if done {
						posted.Store(e.ID, true)
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		n := 0
		posted.Range(func(any, any) bool { n++; return true })
		if got := []int64{b.balance(acme).Receivable, b.balance(beta).Receivable}; n != 2 || !slices.Equal(got, []int64{99_000_000, 99_000_000}) {
			t.Errorf("posted %d times; they owe %v", n, got)
		}
		b.agrees()
	})
}

// Q3: prepaid, and post-paid with a limit.
func TestReservationsAtOnceNeverExceedWhatIsAvailable(t *testing.T) {
	for name, terms := range map[string]billing.Terms{"limit": {Limit: 1_000_000}, "prepaid": {Prepaid: true}} {
		t.Run(name, func(t *testing.T) {
			eachBooks(t, func(t *testing.T, b books) {
				const each, fit = 30_000, 33
				acme := b.open(1, "EUR", terms)
				if terms.Prepaid {
					_, err := b.Pay(t.Context(), acme, billing.Payment{Micro: 1_000_000, Reference: "bank 1"})
					must(t, err)
				}
				var mu sync.Mutex
				var all sync.WaitGroup
				went, refusals := 0, 0
				for range 32 {
					entries := b.ids(slices.Repeat([]billing.Entry{{Account: acme, Kind: billing.KindReserve, Micro: each / 2}}, 6))
					all.Go(func() {
						for pair := range slices.Chunk(entries, 2) {
							var refused error
							err := b.db.InTx(t.Context(), func(tx *db.Tx) (err error) {
								_, refused, err = billing.Reserve(t.Context(), tx, time.Now(), billing.Spender{}, pair...)
								return err
							})
							mu.Lock()
							switch {
							case err != nil:
								t.Error(err)
							case refused == nil:
								went++
							case problem.Has(refused, "no_funds"):
								refusals++
							default:
								t.Error(refused)
							}
							mu.Unlock()
						}
					})
				}
				all.Wait()
				if funds := b.balance(acme); went != fit || refusals != 32*3-fit || funds.Available() != 1_000_000-fit*each {
					t.Errorf("%d went, %d were refused, %d is left", went, refusals, funds.Available())
				}
				b.agrees()
			})
		})
	}
}

func TestWhatIsReleasedOrPaidCanBeSpentAgain(t *testing.T) {
	eachBooks(t, func(t *testing.T, b books) {
		acme := b.open(1, "EUR", billing.Terms{Limit: 100})
		reserve := func(micro int64) billing.Entry {
			return billing.Entry{Account: acme, Kind: billing.KindReserve, Micro: micro}
		}
		if refused := b.reserve(reserve(60), reserve(41)); !problem.Has(refused, "no_funds") {
			t.Errorf("both together are too much: %v", refused)
		}
		if b.balance(acme).Receivable != 0 {
			t.Error("something was written of what was refused")
		}
		must(t, b.reserve(reserve(60), reserve(40)))
		if refused := b.reserve(reserve(1)); !problem.Has(refused, "no_funds") {
			t.Errorf("nothing is left: %v", refused)
		}
		must(t, b.post(billing.Entry{Account: acme, Kind: billing.KindRelease, Micro: 10}, billing.Entry{Account: acme, Kind: billing.KindCharge, Micro: 90}))
		_, err := b.Pay(t.Context(), acme, billing.Payment{Micro: 20, Reference: "bank 1"})
		must(t, err)
		must(t, b.reserve(reserve(30)))
		if refused := b.reserve(reserve(1)); !problem.Has(refused, "no_funds") {
			t.Errorf("nothing is left again: %v", refused)
		}
	})
}

// Terms may change while everybody posts: from then on the balance is the sum.
func TestABalanceBegunAmidPostingsIsTheSum(t *testing.T) {
	eachBooks(t, func(t *testing.T, b books) {
		acme := b.open(1, "EUR", unlimited)
		var all sync.WaitGroup
		for range 8 {
			entries := b.ids(slices.Repeat([]billing.Entry{{Account: acme, Kind: billing.KindReserve, Micro: 7}}, 40))
			all.Go(func() {
				for _, e := range entries {
					err := b.db.InTx(t.Context(), func(tx *db.Tx) error { return billing.Post(t.Context(), tx, time.Now(), e) })
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		for i := range 10 {
			must(t, b.SetTerms(t.Context(), acme, []billing.Terms{{Limit: 5}, unlimited}[i%2]))
		}
		must(t, b.SetTerms(t.Context(), acme, billing.Terms{Prepaid: true}))
		all.Wait()
		if got := b.balance(acme).Owed; got != 8*40*7 {
			t.Errorf("the balance is %d", got)
		}
		b.agrees()
	})
}

func TestAPaymentIsRecordedOnceAndReturnedOnce(t *testing.T) {
	eachBooks(t, func(t *testing.T, b books) {
		ctx := t.Context()
		acme, beta := b.open(1, "EUR", billing.Terms{Prepaid: true}), b.open(2, "EUR", unlimited)
		pay := billing.Payment{Micro: 50_000_000, Reference: "bank 1"}
		for range 2 {
			_, err := b.Pay(ctx, acme, pay)
			must(t, err)
		}
		_, err := b.Pay(ctx, beta, pay) // a reference is an account's own
		must(t, err)
		pay.Micro++
		if _, err := b.Pay(ctx, acme, pay); !problem.Has(err, "payment_differs") {
			t.Errorf("another amount: %v", err)
		}
		if got := b.balance(acme).Available(); got != 50_000_000 {
			t.Errorf("available is %d", got)
		}
		for range 2 {
			back, err := b.ReturnPayment(ctx, acme, "bank 1")
			must(t, err)
			if back.Micro != 50_000_000 || back.Owes() != 50_000_000 {
				t.Errorf("went back: %+v", back)
			}
		}
		pay.Micro--
		if _, err := b.Pay(ctx, acme, pay); !problem.Has(err, "payment_returned") {
			t.Errorf("paid again by the reference of what went back: %v", err)
		}
		if _, err := b.ReturnPayment(ctx, acme, "bank 2"); !problem.Has(err, "payment_not_found") {
			t.Errorf("none such: %v", err)
		}
		if got := []int64{b.balance(acme).Available(), b.balance(beta).Receivable}; !slices.Equal(got, []int64{0, -50_000_000}) {
			t.Errorf("left: %v", got)
		}
		for _, wrong := range []billing.Payment{{Micro: 0, Reference: "x"}, {Micro: -1, Reference: "x"}, {Micro: 1}, {Micro: 1, Reference: "x", Invoice: 9}} {
			if _, err := b.Pay(ctx, acme, wrong); problem.As(err) == nil {
				t.Errorf("%+v was recorded: %v", wrong, err)
			}
		}
		b.agrees()
	})
}

func TestTermsThatContradictThemselvesAreRefused(t *testing.T) {
	eachBooks(t, func(t *testing.T, b books) {
		acme := b.open(1, "EUR", unlimited)
		for _, wrong := range []billing.Terms{{Prepaid: true, Unlimited: true}, {Prepaid: true, Limit: 1}, {Unlimited: true, Limit: 1}, {Limit: -1}} {
			if err := b.SetTerms(t.Context(), acme, wrong); problem.As(err) == nil {
				t.Errorf("%+v: %v", wrong, err)
			}
		}
		if err := b.SetTerms(t.Context(), 99, unlimited); !problem.Has(err, "account_not_found") {
			t.Errorf("no such account: %v", err)
		}
	})
}

func TestTheLedgerIsListedByWhatIsAskedOfIt(t *testing.T) {
	eachBooks(t, func(t *testing.T, b books) {
		acme := b.open(1, "EUR", unlimited)
		must(t, b.post(
			billing.Entry{Account: acme, Kind: billing.KindReserve, Micro: 90, Messages: 1, Parts: 2, Country: "NO", Unit: 45, Lane: "bulk", Campaign: 5},
			billing.Entry{Account: acme, Kind: billing.KindCharge, Micro: 90, Messages: 1, Parts: 2, Country: "NO", Unit: 45, Lane: "bulk", Campaign: 5},
			billing.Entry{Account: acme, Kind: billing.KindReserve, Micro: 28, Messages: 1, Parts: 1, Country: "PL", Unit: 28, Lane: "normal"},
			billing.Entry{Account: acme, Kind: billing.KindBill, Micro: 90, Invoice: 8, Reference: "line 1"},
		))
		all, err := b.Entries(t.Context(), acme, billing.EntryFilter{Limit: 10})
		must(t, err)
		for _, test := range []struct {
			filter billing.EntryFilter
			want   []int
		}{
			{billing.EntryFilter{Kind: billing.KindReserve}, []int{1, 3}},
			{billing.EntryFilter{Campaign: 5}, []int{2, 3}},
			{billing.EntryFilter{Country: "PL"}, []int{1}},
			{billing.EntryFilter{Invoice: 8}, []int{0}},
			{billing.EntryFilter{Reference: "line 1"}, []int{0}},
			{billing.EntryFilter{Before: all[1].ID}, []int{2, 3}},
			{billing.EntryFilter{From: time.Now().Add(time.Hour)}, nil},
			{billing.EntryFilter{Until: time.Now().Add(-time.Hour)}, nil},
		} {
			test.filter.Limit = 10
			var want []billing.Posted
			for _, i := range test.want {
				want = append(want, all[i])
			}
			got, err := b.Entries(t.Context(), acme, test.filter)
			must(t, err)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%+v: %s", test.filter, diff)
			}
		}
		if _, err := b.Entries(t.Context(), acme, billing.EntryFilter{Kind: "gift"}); !problem.Has(err, "invalid_kind") {
			t.Errorf("no kind: %v", err)
		}
	})
}
