package billing_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
)

const campaign = 1000

// sent are messages of a campaign, or single ones, with their range and what the ledger
// has of them: delivered ones, and one that was rejected.
func sent(t testing.TB, d *db.DB, account, campaign, first int64, n int, unit int64) {
	t.Helper()
	do(t, d, `INSERT INTO ranges (id, account_id, campaign_id, carrier_id, lane, first_id, last_id, max_parts, state, due_at, deadline, closed)
		VALUES ($1, $2, $3, 5, 'bulk', $4, $5, 2, 'done', 0, 0, TRUE)`, first, account, campaign, first, first+int64(n)-1)
	var rows [][]any
	for i := range n {
		money, status := "charged", "delivered"
		if i == n-1 {
			money, status = "released", "rejected"
		}
		rows = append(rows, []any{first + int64(i), account, campaign, first, int64(0), "+4520000001", "gsm7", int64(2), 2 * unit, money, status, int64(0)})
	}
	if err := d.InTx(t.Context(), func(tx *db.Tx) error {
		return tx.Bulk(t.Context(), "messages", []string{"id", "account_id", "campaign_id", "range_id", "contact_id", "phone", "encoding", "parts", "price_micro", "money", "status", "queued_at"}, rows)
	}); err != nil {
		t.Fatal(err)
	}
	e := func(kind billing.Kind, n int) billing.Entry {
		return billing.Entry{Account: account, Campaign: campaign, Kind: kind, Micro: int64(2*n) * unit, Messages: n, Parts: 2 * n, Country: "DK", Unit: unit, Lane: "bulk"}
	}
	post(t, d, at("2026-10-05T10:00:00Z"), e(billing.KindReserve, n), e(billing.KindCharge, n-1), e(billing.KindRelease, 1))
}

func do(t testing.TB, d *db.DB, statement string, args ...any) {
	t.Helper()
	if _, err := d.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

// soundBooks is a desk with messages, an invoice, a credit note, a payment and what is not
// billed yet.
func soundBooks(t testing.TB, d *db.DB, b *billing.Invoices) (inv billing.Invoice) {
	t.Helper()
	do(t, d, `INSERT INTO contact_groups (id, account_id, name, source, state, created_at, updated_at) VALUES (1, 7, 'All', 'manual', 'active', 0, 0)`)
	do(t, d, `INSERT INTO carriers (id, name, type, config_sealed, enabled, created_at) VALUES (5, 'main', 'simulator', '', TRUE, 0)`)
	do(t, d, `INSERT INTO campaigns (id, account_id, name, lane, sender, body, encoding, parts, group_id, carrier_id, price_book_id, currency, state, start_at, validity_ms, created_at, started_at)
		VALUES (1000, 7, 'c', 'bulk', 's', 'b', 'gsm7', 2, 1, 5, 1, 'EUR', 'finished', 0, 0, 0, 1)`)
	do(t, d, `INSERT INTO ledger_balances (account_id, receivable) VALUES (7, 0)`)
	sent(t, d, acme, campaign, 2000, 10, 38_000)
	sent(t, d, acme, 0, 3000, 4, 38_333)
	post(t, d, at("2026-10-05T10:00:00Z"), fee(acme, 99_000_000, 99_000_000, "dir_1/2026-10-01"))
	runs, _, err := b.RunMonth(t.Context(), billing.RunOrder{}, november)
	if err != nil {
		t.Fatal(err)
	}
	if inv, err = b.ByID(t.Context(), acme, runs[0].Invoice); err != nil {
		t.Fatal(err)
	}
	credit, err := b.Credit(t.Context(), acme, inv.ID, billing.NewCredit{Lines: []int{2}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Finalise(t.Context(), acme, credit.ID); err != nil {
		t.Fatal(err)
	}
	paid := billing.Payment{Micro: 1_000_000, Reference: "bank-1", Invoice: inv.ID}
	if _, err := billing.NewLedger(d).Pay(t.Context(), acme, paid); err != nil {
		t.Fatal(err)
	}
	sent(t, d, acme, campaign, 4000, 3, 38_000)
	return inv
}

func reconciled(t testing.TB, b *billing.Invoices) []billing.Difference {
	t.Helper()
	r, found, err := b.Reconcile(t.Context(), nil, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	kept, err := b.Differences(t.Context(), r.ID)
	if err != nil || r.Differences != len(found) || !cmp.Equal(kept, found, cmpopts.EquateEmpty()) {
		t.Errorf("%d differences were found and %v kept (%v)", len(found), kept, err)
	}
	return found
}

// untie takes off the triggers that keep what is final, as a hand at the database can.
func untie(t testing.TB, d *db.DB) {
	t.Helper()
	on := map[string]string{"invoices_stay": "invoices", "invoice_lines_stay": "invoice_lines", "ledger_stays": "ledger_entries", "ledger_is_kept": "ledger_entries",
		"invoices_are_kept": "invoices", "invoice_lines_are_kept": "invoice_lines", "ledger_balance": "ledger_entries"}
	for trigger, table := range on {
		statement := `DROP TRIGGER IF EXISTS ` + trigger
		if d.Dialect() == db.Postgres {
			statement += ` ON ` + table
		}
		do(t, d, statement)
	}
}

// S16
func TestReconciliationNamesExactlyWhatWasDamaged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		inv := soundBooks(t, d, b)
		if found := reconciled(t, b); len(found) != 0 {
			t.Fatalf("sound books differ: %+v", found)
		}
		untie(t, d)
		entry := func(where string) (id int64) {
			t.Helper()
			if err := d.QueryRowContext(t.Context(), `SELECT MIN(id) FROM ledger_entries WHERE `+where).Scan(&id); err != nil {
				t.Fatal(err)
			}
			return id
		}
		charge, fee := entry(`kind = 'charge'`), entry(`kind = 'fee'`)
		bill := entry(`kind = 'bill' AND parts > 0`)
		e := func(kind string, d billing.Difference) []billing.Difference {
			d.Kind, d.Account = kind, acme
			return []billing.Difference{d}
		}
		for _, c := range []struct {
			damage, repair string
			want           []billing.Difference
		}{
			{`UPDATE messages SET price_micro = 76001 WHERE id = 2003`, `UPDATE messages SET price_micro = 76000 WHERE id = 2003`, slices.Concat(
				e(billing.DiffReserved, billing.Difference{Campaign: campaign, Messages: []int64{2003}, Expected: 988_001, Found: 988_000}),
				e(billing.DiffCharged, billing.Difference{Campaign: campaign, Messages: []int64{2003}, Expected: 836_001, Found: 836_000}))},
			{`UPDATE messages SET money = 'released' WHERE id = 3001`, `UPDATE messages SET money = 'charged' WHERE id = 3001`, slices.Concat(
				e(billing.DiffCharged, billing.Difference{Messages: []int64{3001}, Expected: 2 * 2 * 38_333, Found: 3 * 2 * 38_333}),
				e(billing.DiffReleased, billing.Difference{Messages: []int64{3001}, Expected: 2 * 2 * 38_333, Found: 2 * 38_333}))},
			{`UPDATE messages SET money = 'charged' WHERE id = 3003`, `UPDATE messages SET money = 'released' WHERE id = 3003`, slices.Concat(
				e(billing.DiffCharged, billing.Difference{Messages: []int64{3003}, Expected: 4 * 2 * 38_333, Found: 3 * 2 * 38_333}),
				e(billing.DiffReleased, billing.Difference{Messages: []int64{3003}, Found: 2 * 38_333}))},
			{fmt.Sprintf(`UPDATE ledger_entries SET debit = 'paid' WHERE id = %d`, charge), fmt.Sprintf(`UPDATE ledger_entries SET debit = 'reserved' WHERE id = %d`, charge),
				e(billing.DiffEntry, billing.Difference{Campaign: campaign, Entry: charge, Expected: 684_000, Found: 684_000})},
			{fmt.Sprintf(`UPDATE ledger_entries SET amount_micro = amount_micro + 1 WHERE id = %d`, fee), fmt.Sprintf(`UPDATE ledger_entries SET amount_micro = amount_micro - 1 WHERE id = %d`, fee), slices.Concat(
				e(billing.DiffEntry, billing.Difference{Entry: fee, Expected: 99_000_000, Found: 99_000_001}),
				e(billing.DiffBalance, billing.Difference{}))},
			{fmt.Sprintf(`UPDATE ledger_entries SET currency = 'NOK' WHERE id = %d`, bill), fmt.Sprintf(`UPDATE ledger_entries SET currency = 'EUR' WHERE id = %d`, bill),
				e(billing.DiffEntry, billing.Difference{Entry: bill, Expected: 684_000, Found: 684_000})},
			{fmt.Sprintf(`UPDATE ledger_entries SET amount_micro = amount_micro + 38000, parts = parts + 1 WHERE id = %d`, bill), fmt.Sprintf(`UPDATE ledger_entries SET amount_micro = amount_micro - 38000, parts = parts - 1 WHERE id = %d`, bill),
				e(billing.DiffInvoice, billing.Difference{Invoice: inv.ID, Expected: inv.Net*10_000 + 38_000, Found: inv.Net * 10_000})},
			{`UPDATE ledger_balances SET receivable = receivable + 5`, `UPDATE ledger_balances SET receivable = receivable - 5`,
				e(billing.DiffBalance, billing.Difference{})},
			{fmt.Sprintf(`UPDATE invoices SET net = net + 1 WHERE id = %d`, inv.ID), fmt.Sprintf(`UPDATE invoices SET net = net - 1 WHERE id = %d`, inv.ID), slices.Concat(
				e(billing.DiffInvoice, billing.Difference{Invoice: inv.ID, Expected: inv.Net * 10_000, Found: inv.Net*10_000 + 10_000}),
				e(billing.DiffInvoiceLines, billing.Difference{Invoice: inv.ID, Expected: inv.Net * 10_000, Found: inv.Net*10_000 + 10_000}))},
			{fmt.Sprintf(`UPDATE invoice_lines SET price = '99.01' WHERE invoice_id = %d AND position = 1`, inv.ID), fmt.Sprintf(`UPDATE invoice_lines SET price = '99' WHERE invoice_id = %d AND position = 1`, inv.ID),
				e(billing.DiffInvoiceLines, billing.Difference{Invoice: inv.ID, Expected: inv.Net*10_000 + 10_000, Found: inv.Net * 10_000})},
			{`INSERT INTO ledger_entries SELECT 99, account_id, 0, kind, debit, credit, 76000000, currency, 1, 2000, country, 38000, lane, 'x', 9, at FROM ledger_entries WHERE kind = 'bill' AND country = 'DK' AND unit_micro = 38000`, `DELETE FROM ledger_entries WHERE id = 99`, slices.Concat(
				e(billing.DiffOverbilled, billing.Difference{Expected: 836_000, Found: 76_684_000}),
				e(billing.DiffInvoice, billing.Difference{Invoice: 9, Expected: 76_000_000}))},
			{`INSERT INTO ledger_entries SELECT 99, account_id, campaign_id, kind, debit, credit, amount_micro, currency, messages, parts, country, unit_micro, lane, reference, invoice_id, at FROM ledger_entries WHERE kind = 'release' AND amount_micro = 76666`, `DELETE FROM ledger_entries WHERE id = 99`, slices.Concat(
				e(billing.DiffReleased, billing.Difference{Expected: 76_666, Found: 2 * 76_666}), e(billing.DiffBalance, billing.Difference{}))},
		} {
			do(t, d, c.damage)
			found := reconciled(t, b)
			ignore := []cmp.Option{cmpopts.IgnoreFields(billing.Difference{}, "Detail", "Entries"), cmpopts.EquateEmpty(),
				cmp.FilterPath(func(p cmp.Path) bool {
					return strings.HasSuffix(p.GoString(), "Expected") || strings.HasSuffix(p.GoString(), "Found")
				},
					cmp.FilterValues(func(x, y int64) bool { return x == 0 || y == 0 }, cmp.Ignore()))}
			if diff := cmp.Diff(c.want, found, ignore...); diff != "" {
				t.Errorf("%s\n%s", c.damage, diff)
			}
			do(t, d, c.repair)
		}
		if found := reconciled(t, b); len(found) != 0 {
			t.Errorf("the repaired books differ: %+v", found)
		}
	})
}

func TestASumThatNoMessageExplainsNamesItsNewestEntries(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		soundBooks(t, d, b)
		twice := billing.Entry{Account: acme, Campaign: campaign, Kind: billing.KindCharge, Micro: 76_000, Messages: 1, Parts: 2, Country: "DK", Unit: 38_000, Lane: "bulk"}
		entries := []billing.Entry{twice}
		post(t, d, at("2026-10-05T10:00:00Z"), entries...)
		found := reconciled(t, b)
		if len(found) != 1 || found[0].Kind != billing.DiffCharged || len(found[0].Messages) != 0 || len(found[0].Entries) != 3 || found[0].Entries[0] != entries[0].ID {
			t.Errorf("posted as %d: %+v", entries[0].ID, found)
		}
	})
}

// The monthly run leaves such a fee alone, month after month.
func TestAFeeOnAForgottenDraftIsADifference(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		post(t, d, at("2026-10-31T10:00:00Z"), fee(acme, 99_000_000, 99_000_000, "dir_1/2026-10-01"))
		n := october()
		n.Lines[0].Once = "dir_1/2026-10-01"
		forgotten := draft(t, b, n)
		found := func(now string) []billing.Difference {
			t.Helper()
			_, all, err := b.Reconcile(t.Context(), nil, at(now))
			if err != nil {
				t.Fatal(err)
			}
			return all
		}
		if early := found("2026-11-20T10:00:00Z"); len(early) != 0 {
			t.Errorf("nobody has forgotten it yet: %+v", early)
		}
		want := []billing.Difference{{Kind: billing.DiffDrafted, Account: acme, Invoice: forgotten.ID, Detail: "dir_1/2026-10-01", Expected: 99_000_000}}
		if diff := cmp.Diff(want, found("2026-12-01T10:00:00Z"), cmpopts.IgnoreFields(billing.Difference{}, "Entry")); diff != "" {
			t.Error(diff)
		}
		final(t, b, forgotten.ID)
		if late := found("2026-12-01T10:00:00Z"); len(late) != 0 {
			t.Errorf("it is billed: %+v", late)
		}
	})
}

func TestAReconciliationThatIsAskedForIsDoneOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		soundBooks(t, d, b)
		ask := func(now string) billing.Reconciliation {
			t.Helper()
			r, err := b.AskReconciliation(t.Context(), at(now))
			if err != nil || r.State != billing.ReconRunning {
				t.Fatalf("got %+v (%v)", r, err)
			}
			return r
		}
		first := ask("2026-11-10T12:00:00Z")
		if again := ask("2026-11-10T12:00:01Z"); again.ID != first.ID {
			t.Errorf("two wait for the same: %d and %d", first.ID, again.ID)
		}
		var all sync.WaitGroup
		var done atomic.Int32
		for range 8 {
			all.Go(func() {
				r, found, asked, err := b.RunAsked(t.Context(), nil, at("2026-11-10T12:00:02Z"))
				if err != nil || len(found) != 0 {
					t.Errorf("got %+v (%v)", found, err)
				}
				if asked && r.ID == first.ID && r.State == billing.ReconDone {
					done.Add(1)
				}
			})
		}
		all.Wait()
		if done.Load() != 1 {
			t.Errorf("it was done %d times", done.Load())
		}
		if kept, err := b.Reconciliation(t.Context(), first.ID); err != nil || kept.State != billing.ReconDone || kept.Messages == 0 {
			t.Errorf("got %+v (%v)", kept, err)
		}

		second := ask("2026-11-10T13:00:00Z")
		do(t, d, `UPDATE reconciliations SET due_at = $1 WHERE id = $2`, at("2026-11-10T15:00:00Z").UnixMilli(), second.ID) // who began it died
		if _, _, asked, err := b.RunAsked(t.Context(), nil, at("2026-11-10T14:59:00Z")); asked || err != nil {
			t.Errorf("it was begun twice (%v)", err)
		}
		if r, _, asked, err := b.RunAsked(t.Context(), nil, at("2026-11-10T15:00:00Z")); !asked || err != nil || r.ID != second.ID {
			t.Errorf("it is left lying: %+v (%v)", r, err)
		}
	})
}

func TestReconciliationFindsNothingWhileMuchHappens(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		soundBooks(t, d, b)
		ctx, stop := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			for n := int64(0); ctx.Err() == nil && n < 200; n++ {
				charge(t, d, 10_000+n, n)
				if n%20 == 0 {
					final(t, b, draft(t, b, october()).ID)
				}
			}
			stop()
		})
		for ctx.Err() == nil {
			if found := reconciled(t, b); len(found) != 0 {
				t.Errorf("got %+v", found)
				break
			}
		}
		stop()
		all.Wait()
	})
}

// charge accepts a single message and charges it at once, in a transaction each.
func charge(t testing.TB, d *db.DB, id, n int64) {
	first, err := d.NewIDs(context.Background(), 2)
	if err != nil {
		t.Error(err)
		return
	}
	e := billing.Entry{ID: first, Account: acme, Kind: billing.KindReserve, Micro: 38_000, Messages: 1, Parts: 1, Country: "DK", Unit: 38_000, Lane: "normal"}
	for _, step := range []struct {
		kind       billing.Kind
		statements []string
	}{
		{billing.KindReserve, []string{
			`INSERT INTO ranges (id, account_id, campaign_id, carrier_id, lane, first_id, last_id, max_parts, state, due_at, deadline) VALUES ($1, 7, 0, 5, 'normal', $1, $1, 1, 'running', 0, 0)`,
			`INSERT INTO messages (id, account_id, campaign_id, range_id, contact_id, phone, encoding, parts, price_micro, status, queued_at) VALUES ($1, 7, 0, $1, 0, '+4520000001', 'gsm7', 1, 38000, 'queued', 0)`}},
		{billing.KindCharge, []string{`UPDATE messages SET status = 'sent', money = 'charged' WHERE id = $1`}},
	} {
		if err := d.InTx(context.Background(), func(tx *db.Tx) error {
			for _, s := range step.statements {
				if _, err := tx.ExecContext(context.Background(), s, id); err != nil {
					return err
				}
			}
			e.Kind = step.kind
			return billing.Post(context.Background(), tx, time.Now(), e)
		}); err != nil {
			t.Error(err)
			return
		}
		e.ID++
	}
}

// What is unbilled then is on the next invoice, and nothing twice.
func TestBooksStayWholeWhenTheOldLedgerGoes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		soundBooks(t, d, b)
		for _, before := range []string{"2026-10-06T00:00:00Z", "2026-11-03T00:00:00Z"} {
			for more := true; more; {
				done, err := billing.ForgetLedger(t.Context(), d, acme, at(before))
				if err != nil {
					t.Fatal(err)
				}
				more = done.More
			}
			if found := reconciled(t, b); len(found) != 0 {
				t.Errorf("before %s: %+v", before, found)
			}
		}
		post(t, d, at("2026-11-05T10:00:00Z"), used(acme, 1, "DK", 38_000, "bulk")...)
		runs, _, err := b.RunMonth(t.Context(), billing.RunOrder{}, november.AddDate(0, 1, 0))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"5 C62 0.038 SMS, parts to DK, bulk"}, linesOf(t, b, runs[0].Invoice)); diff != "" {
			t.Error(diff)
		}
	})
}
