package billing

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/varsel/varsel/billing/invoice"
	"github.com/varsel/varsel/internal/db"
)

// Kinds of differences.
const (
	DiffReserved     = "reserved"      // what a campaign's messages cost is not what was reserved
	DiffCharged      = "charged"       // what the charged ones cost is not what was charged
	DiffReleased     = "released"      // what the others gave back is not what was released
	DiffEntry        = "entry"         // an entry of the ledger is not what its kind and dimensions say
	DiffBalance      = "balance"       // the balance that reservations lock is not the ledger's sum
	DiffUnbalanced   = "unbalanced"    // the ledger does not add up to zero
	DiffOverbilled   = "overbilled"    // more was billed than was charged
	DiffInvoice      = "invoice"       // an invoice is not what the ledger billed or credited
	DiffInvoiceLines = "invoice_lines" // an invoice is not the sum of its lines
	DiffDrafted      = "drafted"       // a fee that no invoice bills, as it is on a draft
	DiffRoute        = "route"         // a carrier costs more than it earns
)

// DifferenceKinds are all of them.
var DifferenceKinds = []string{DiffReserved, DiffCharged, DiffReleased, DiffEntry, DiffBalance, DiffUnbalanced, DiffOverbilled, DiffInvoice, DiffInvoiceLines, DiffDrafted, DiffRoute}

// Difference is where two that should be the same are not, by the rows. Expected and
// Found are micro-units: of messages and of the ledger, of the ledger and of the invoice.
type Difference struct {
	Kind     string
	Account  int64
	Campaign int64   // 0: single messages, where it is about messages
	Messages []int64 // that contradict themselves; none where the sums alone differ
	Entries  []int64 // the newest of those that were added up, where no message explains the sum
	Entry    int64   // of the ledger
	Invoice  int64
	Carrier  int64
	Detail   string // what of it: a country, a kind of entry, a day
	Expected int64
	Found    int64
}

// Reconciliation is one comparison of everything.
type Reconciliation struct {
	ID          int64
	Started     time.Time
	Took        time.Duration
	State       string // running, done, failed
	Compared    int    // campaigns and invoices
	Messages    int
	Differences int
}

// States of a reconciliation.
const (
	ReconRunning = "running"
	ReconDone    = "done"
	ReconFailed  = "failed"
)

// Reconcile compares the messages with the ledger, the ledger with itself and with the
// invoices, and what carriers cost with what they earn, and keeps what differs. Each
// comparison sees one moment, so nothing differs because of what happens meanwhile, and
// nobody waits for it.
func (b *Invoices) Reconcile(ctx context.Context, traffic Traffic, now time.Time) (Reconciliation, []Difference, error) {
	r, err := b.insertReconciliation(ctx, time.Time{}, now)
	if err != nil {
		return r, nil, err
	}
	return b.reconcile(ctx, r, traffic, now)
}

// AskReconciliation asks for one, which RunAsked does: as long as nobody has begun it, it
// is the one for all who ask.
func (b *Invoices) AskReconciliation(ctx context.Context, now time.Time) (Reconciliation, error) {
	waiting, err := selectAsked(ctx, b.db, now)
	if err != nil {
		return Reconciliation{}, err
	}
	if waiting != 0 {
		return b.Reconciliation(ctx, waiting)
	}
	return b.insertReconciliation(ctx, now, now)
}

// takenFor is how long one that was begun is left to who began it, far longer than it
// takes.
const takenFor = 2 * time.Hour

// RunAsked does the reconciliation that was asked for first, and says whether there was
// one.
func (b *Invoices) RunAsked(ctx context.Context, traffic Traffic, now time.Time) (r Reconciliation, found []Difference, asked bool, err error) {
	id, err := takeAsked(ctx, b.db, now)
	if err != nil || id == 0 {
		return r, nil, false, err
	}
	if r, err = b.Reconciliation(ctx, id); err != nil {
		return r, nil, true, err
	}
	r, found, err = b.reconcile(ctx, r, traffic, now)
	return r, found, true, err
}

func (b *Invoices) reconcile(ctx context.Context, r Reconciliation, traffic Traffic, now time.Time) (Reconciliation, []Difference, error) {
	began := time.Now()
	found, err := b.compareAll(ctx, &r, traffic, now)
	r.Took, r.State, r.Differences = time.Since(began), ReconDone, len(found)
	if err != nil {
		r.State = ReconFailed
	}
	if kept := keepReconciliation(context.WithoutCancel(ctx), b.db, r, found); err == nil {
		err = kept
	}
	return r, found, err
}

func (b *Invoices) compareAll(ctx context.Context, r *Reconciliation, traffic Traffic, now time.Time) (found []Difference, err error) {
	accounts, err := db.Column[int64](ctx, b.db, `SELECT id FROM accounts ORDER BY id`)
	if err != nil {
		return nil, err
	}
	for _, account := range accounts {
		here, err := b.compareAccount(ctx, r, account, now)
		if err != nil {
			return found, fmt.Errorf("reconcile account %d: %w", account, err)
		}
		found = append(found, here...)
	}
	routes, err := b.compareRoutes(ctx, traffic, now)
	return append(found, routes...), err
}

func (b *Invoices) compareAccount(ctx context.Context, r *Reconciliation, account int64, now time.Time) (found []Difference, err error) {
	campaigns, err := selectCompared(ctx, b.db, account)
	if err != nil {
		return nil, err
	}
	for _, campaign := range campaigns {
		here, n, err := b.compareMessages(ctx, account, campaign)
		if err != nil {
			return nil, err
		}
		found, r.Compared, r.Messages = append(found, here...), r.Compared+1, r.Messages+n
	}
	here, n, err := b.compareLedger(ctx, account, now)
	r.Compared += n
	return append(found, here...), err
}

// sum of messages or entries.
type sum struct {
	micro           int64
	messages, parts int
}

// compareMessages holds a campaign's messages, or the single ones of an account,
// against the ledger. It returns how many messages there are.
func (b *Invoices) compareMessages(ctx context.Context, account, campaign int64) (found []Difference, n int, err error) {
	err = b.db.Snapshot(ctx, func(tx *db.Tx) error {
		if err := tx.PreferIndexes(ctx); err != nil {
			return err
		}
		messages, err := messageSums(ctx, tx, account, campaign)
		if err != nil {
			return err
		}
		ledger, err := entrySums(ctx, tx, account, campaign)
		if err != nil {
			return err
		}
		all := sum{}
		for _, s := range messages {
			all.micro, all.messages, all.parts = all.micro+s.micro, all.messages+s.messages, all.parts+s.parts
		}
		found, n = nil, all.messages
		var kinds []Kind
		for _, c := range []struct {
			kind          string
			entries       Kind
			wanted, there sum
		}{
			{DiffReserved, KindReserve, all, ledger[KindReserve]},
			{DiffCharged, KindCharge, messages["charged"], ledger[KindCharge]},
			{DiffReleased, KindRelease, messages["released"], ledger[KindRelease]},
		} {
			if c.wanted != c.there {
				kinds = append(kinds, c.entries)
				found = append(found, Difference{Kind: c.kind, Account: account, Campaign: campaign, Expected: c.wanted.micro, Found: c.there.micro,
					Detail: fmt.Sprintf("%d messages in %d parts; %d messages in %d parts in the ledger", c.wanted.messages, c.wanted.parts, c.there.messages, c.there.parts)})
			}
		}
		if len(found) == 0 {
			return nil
		}
		odd, err := oddMessages(ctx, tx, account, campaign)
		if err != nil {
			return err
		}
		for i := range found {
			if found[i].Messages = odd; len(odd) > 0 {
				continue
			}
			if found[i].Entries, err = newestEntries(ctx, tx, account, campaign, kinds[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return found, n, err
}

// compareLedger holds an account's ledger against itself and its invoices, and says how
// many of these there are.
func (b *Invoices) compareLedger(ctx context.Context, account int64, now time.Time) (found []Difference, invoices int, err error) {
	err = b.db.Snapshot(ctx, func(tx *db.Tx) error {
		found = nil
		for _, compare := range []func(context.Context, *db.Tx, int64) ([]Difference, error){oddEntries, compareBalance, compareBilled} {
			here, err := compare(ctx, tx, account)
			if err != nil {
				return err
			}
			found = append(found, here...)
		}
		drafted, err := selectDrafted(ctx, tx, account, now.Add(-forgottenDraft))
		if err != nil {
			return err
		}
		here, n, err := compareInvoices(ctx, tx, account)
		found, invoices = slices.Concat(found, drafted, here), n
		return err
	})
	return found, invoices, err
}

// forgottenDraft is how long after it was charged a fee may wait on a draft.
const forgottenDraft = 30 * 24 * time.Hour

func compareBalance(ctx context.Context, tx *db.Tx, account int64) (found []Difference, err error) {
	sums, err := SumsOf(ctx, tx, account)
	if err != nil {
		return nil, err
	}
	if sums.Total() != 0 {
		found = append(found, Difference{Kind: DiffUnbalanced, Account: account, Found: sums.Total()})
	}
	var kept int64
	err = tx.QueryRowContext(ctx, `SELECT receivable FROM ledger_balances WHERE account_id = $1`, account).Scan(&kept)
	if db.IsNone(err) {
		return found, nil
	}
	if err == nil && kept != sums.Receivable {
		found = append(found, Difference{Kind: DiffBalance, Account: account, Expected: sums.Receivable, Found: kept})
	}
	return found, err
}

// compareBilled finds what was billed of a country, price and lane, or of fees, without
// having been charged.
func compareBilled(ctx context.Context, tx *db.Tx, account int64) (found []Difference, err error) {
	charged, err := selectCharged(ctx, tx, account, time.UnixMilli(1<<62))
	if err != nil {
		return nil, err
	}
	billed, err := selectBilled(ctx, tx, account)
	if err != nil {
		return nil, err
	}
	left := map[dimensions]owed{}
	for _, o := range charged {
		left[o.dimensions()] = o
	}
	for _, o := range billed {
		if c := left[o.dimensions()]; c.micro < o.micro || c.parts < o.parts {
			found = append(found, Difference{Kind: DiffOverbilled, Account: account, Detail: o.name() + " @ " + Money(o.unit), Expected: c.micro, Found: o.micro})
		}
	}
	fees, bills, err := selectFeeSums(ctx, tx, account)
	if err == nil && bills > fees {
		found = append(found, Difference{Kind: DiffOverbilled, Account: account, Detail: "fees", Expected: fees, Found: bills})
	}
	return found, err
}

// compareInvoices holds final invoices against what the ledger billed and credited for
// them, and against their lines.
func compareInvoices(ctx context.Context, tx *db.Tx, account int64) (found []Difference, n int, err error) {
	invoices, err := selectFinal(ctx, tx, account)
	if err != nil {
		return nil, 0, err
	}
	ledger, err := invoiceSums(ctx, tx, account)
	if err != nil {
		return nil, 0, err
	}
	lines, err := lineSums(ctx, tx, account)
	if err != nil {
		return nil, 0, err
	}
	for _, inv := range invoices {
		net := inv.net * microPerCent
		if inv.inLedger && ledger[inv.id] != net {
			found = append(found, Difference{Kind: DiffInvoice, Account: account, Invoice: inv.id, Detail: inv.number, Expected: ledger[inv.id], Found: net})
		}
		if lines[inv.id] != inv.net {
			found = append(found, Difference{Kind: DiffInvoiceLines, Account: account, Invoice: inv.id, Detail: inv.number, Expected: lines[inv.id] * microPerCent, Found: net})
		}
		delete(ledger, inv.id)
	}
	for id, micro := range ledger { // billed on what is no final invoice
		found = append(found, Difference{Kind: DiffInvoice, Account: account, Invoice: id, Expected: micro})
	}
	return found, len(invoices), nil
}

// lineSums adds up the lines of final invoices, each rounded as it was.
func lineSums(ctx context.Context, tx *db.Tx, account int64) (map[int64]int64, error) {
	sums := map[int64]int64{}
	rows, err := tx.QueryContext(ctx, `
		SELECT l.invoice_id, l.quantity, l.price FROM invoice_lines l JOIN invoices i ON i.id = l.invoice_id
		WHERE i.account_id = $1 AND i.state = 'final'`, account)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var quantity, price decimal.Decimal
		if err := rows.Scan(&id, &quantity, &price); err != nil {
			return nil, err
		}
		net, err := invoice.Net(quantity, price)
		if err != nil {
			return nil, err
		}
		sums[id] += net
	}
	return sums, rows.Err()
}
