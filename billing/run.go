package billing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/billing/invoice"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// What a month's run came to for an account.
const (
	RunInvoiced = "invoiced"
	RunNothing  = "nothing" // there was nothing to invoice
	RunSkipped  = "skipped" // it could not be invoiced; it is tried again
)

// Run is what a month's run came to for one account.
type Run struct {
	Account int64
	Month   time.Time // its first day
	State   string
	Reason  string // a problem's code, of what was skipped
	Detail  string // the same in a sentence
	Invoice int64  // 0 for none
	At      time.Time
}

// RunOrder says what is to be run.
type RunOrder struct {
	Account int64         // 0: all of them
	Month   time.Time     // any day of it; zero: the month that ended last
	From    string        // the currency of the invoices that the rate is for: others have none
	Books   invoice.Books // the rate, where VAT is due in another currency; its Currency is the seller's
	Until   time.Time     // no account is begun after it; zero: however long it takes
}

// booksOf is the rate for invoices in a currency.
func (o RunOrder) booksOf(currency string) invoice.Books {
	if currency != o.From {
		return invoice.Books{}
	}
	return o.Books
}

// RunMonth invoices what was charged until the end of a month and is on no invoice
// yet, each account in a transaction of its own: the invoice, its number, and the
// ledger that says it was billed. An account that was run is not run again for the
// month, so it may be called as often as one likes, also by many at once. It returns
// the runs that it made, also beside the errors of accounts that failed, and whether
// accounts are left.
func (b *Invoices) RunMonth(ctx context.Context, o RunOrder, now time.Time) (made []Run, more bool, err error) {
	zone, err := b.Zone(ctx)
	if err != nil {
		return nil, false, err
	}
	month := firstOfMonth(o.Month)
	if o.Month.IsZero() {
		month = settledMonth(now, zone)
	}
	end := time.Date(month.Year(), month.Month()+1, 1, 0, 0, 0, 0, zone)
	if end.After(now) {
		return nil, false, problem.Invalid("month", "%s is not over yet", month.Format(monthLayout))
	}
	if o.Books != (invoice.Books{}) && !rated(o.Books) {
		return nil, false, problem.Invalid("rate", "a rate of exchange is above 0, and says whose it is and of which day")
	}
	if o.Books != (invoice.Books{}) && !slices.Contains(invoice.Currencies, o.From) {
		return nil, false, problem.Invalid("rate_from", "a rate of exchange says which of the invoices it is for: those in %s", strings.Join(invoice.Currencies, ", "))
	}
	accounts, err := selectUnrun(ctx, b.db, o.Account, month)
	if err != nil {
		return nil, false, err
	}
	var failed []error
	for _, account := range accounts {
		if ctx.Err() != nil {
			failed = append(failed, ctx.Err())
			break
		}
		if more = !o.Until.IsZero() && time.Now().After(o.Until); more {
			break
		}
		r, done, err := b.runAccount(ctx, account, month, end, o, now)
		switch {
		case err != nil: // the others are invoiced all the same
			failed = append(failed, fmt.Errorf("run %s of account %d: %w", month.Format(monthLayout), account, err))
		case done:
			made = append(made, r)
		}
	}
	return made, more, errors.Join(failed...)
}

// settling is how long a month is left alone after its end, when nobody asks for it: its
// subscriptions are charged then, and its last messages.
const settling = 2 * time.Hour

// settledMonth is the latest that is settled in the zone, in which it is invoiced, and
// in UTC, in which subscriptions are charged.
func settledMonth(now time.Time, zone *time.Location) time.Time {
	settled := now.Add(-settling)
	here, utc := firstOfMonth(settled.In(zone)), firstOfMonth(settled.UTC())
	if utc.Before(here) {
		here = utc
	}
	return here.AddDate(0, -1, 0)
}

const monthLayout = "2006-01"

// firstOfMonth is the first day of a day's month, at 00:00 UTC as all days here.
func firstOfMonth(day time.Time) time.Time {
	return time.Date(day.Year(), day.Month(), 1, 0, 0, 0, 0, time.UTC)
}

// Zone is the seller's, in which months begin and end; UTC while there is no seller.
func (b *Invoices) Zone(ctx context.Context) (*time.Location, error) {
	s, err := b.Seller(ctx)
	if problem.Has(err, "no_seller") {
		return time.UTC, nil
	}
	if err != nil {
		return nil, err
	}
	return time.LoadLocation(s.Zone)
}

// runAccount says whether the run was its own: of many at once, one makes it. What
// refuses the invoice is written down and tried again.
func (b *Invoices) runAccount(ctx context.Context, account int64, month, end time.Time, o RunOrder, now time.Time) (Run, bool, error) {
	r, done, err := b.bill(ctx, account, month, end, o, now)
	refused := problem.As(err)
	if refused == nil {
		return r, done, err
	}
	r = Run{Account: account, Month: month, State: RunSkipped, Reason: refused.Code, Detail: refused.Text, At: now}
	slog.Warn("an account was not invoiced", "account", account, "month", month.Format(monthLayout), "reason", refused.Code)
	return r, true, skipRun(ctx, b.db, r)
}

// bill is the run of one account. What was charged is summed before the transaction,
// as that may take a while: what is charged meanwhile is on the next invoice. The
// seller's row is locked before it is read what was billed, so no two runs bill the
// same.
func (b *Invoices) bill(ctx context.Context, account int64, month, end time.Time, o RunOrder, now time.Time) (r Run, mine bool, err error) {
	charged, err := selectCharged(ctx, b.db, account, end)
	if err != nil {
		return r, false, err
	}
	fees, err := selectFees(ctx, b.db, account, end)
	if err != nil {
		return r, false, err
	}
	first, err := b.db.NewIDs(ctx, 2+len(charged)+len(fees)) // the invoice, the rounding, and what is billed
	if err != nil {
		return r, false, err
	}
	err = b.db.InTx(ctx, func(tx *db.Tx) error {
		r = Run{Account: account, Month: month, State: RunNothing, At: now}
		if mine, err = takeRun(ctx, tx, r); err != nil || !mine {
			return err
		}
		if len(charged) == 0 && len(fees) == 0 {
			return endRun(ctx, tx, r)
		}
		m := monthly{Run: r, end: end, order: o, id: first}
		r, err = m.invoice(ctx, tx, charged, fees)
		return err
	})
	return r, mine, err
}

// monthly is one account's invoice for a month, on its way.
type monthly struct {
	Run
	end   time.Time
	order RunOrder
	id    int64 // of the invoice; those after it are the ledger's
}

// invoice bills what is owed. Nothing is refused while nothing is.
func (m monthly) invoice(ctx context.Context, tx *db.Tx, charged, fees []owed) (Run, error) {
	s, noSeller := seller(ctx, tx, tx.ForUpdate(selectSeller))
	if noSeller != nil && problem.As(noSeller) == nil {
		return m.Run, noSeller
	}
	all, err := unbilled(ctx, tx, m.Account, charged, fees, m.end)
	if err != nil {
		return m.Run, err
	}
	if err := byTheDay(ctx, tx, m.Account, all); err != nil {
		return m.Run, err
	}
	lines, net, err := monthLines(all)
	if err != nil {
		return m.Run, err
	}
	if net == 0 { // less than a cent waits for more
		return m.Run, endRun(ctx, tx, m.Run)
	}
	if noSeller != nil {
		return m.Run, noSeller
	}
	c, err := customer(ctx, tx, m.Account)
	if err != nil {
		return m.Run, err
	}
	inv := Invoice{ID: m.id, Account: m.Account, Kind: invoice.Invoice, Currency: c.Currency, Net: net}
	from, err := m.from(ctx, tx, all)
	if err != nil {
		return m.Run, err
	}
	t := terms{Period: invoice.Period{From: from, To: m.Month.AddDate(0, 1, -1)}, Books: m.order.booksOf(c.Currency)}
	for i := range lines {
		lines[i] = lines[i].within(t.Period)
	}
	return m.finalise(ctx, tx, s, inv, t, lines, all)
}

// from is the first day of what the invoice is for: that after the invoice before, or
// of the month in which the first of it was charged.
func (m monthly) from(ctx context.Context, tx *db.Tx, all []owed) (time.Time, error) {
	last, err := selectLastInvoiced(ctx, tx, m.Account, m.Month)
	if err != nil || !last.IsZero() {
		return last.AddDate(0, 1, 0), err
	}
	from := m.Month
	for _, o := range all {
		if since := firstOfMonth(o.since.In(m.end.Location())); since.Before(from) {
			from = since
		}
	}
	return from, nil
}

// finalise drafts the invoice and makes it final. The trail of audit is written last.
func (m monthly) finalise(ctx context.Context, tx *db.Tx, s Seller, inv Invoice, t terms, lines []NewLine, all []owed) (Run, error) {
	if err := insertDraft(ctx, tx, inv, t); err != nil {
		return m.Run, err
	}
	own, err := takeInLedger(ctx, tx, inv)
	if err != nil {
		return m.Run, err
	}
	if !own {
		return m.Run, problem.Conflict("currency_differs", "the account is charged in another currency than %s, in which its invoices are to be", inv.Currency)
	}
	for i, l := range lines {
		if err := insertLine(ctx, tx, inv.Account, inv.ID, int64(i+1), l, 0, 0); err != nil {
			return m.Run, err
		}
	}
	doc, err := compose(ctx, tx, inv, t, s)
	if err != nil {
		return m.Run, err
	}
	if err := number(ctx, tx, &doc, s); err != nil {
		return m.Run, err
	}
	if err := Post(ctx, tx, m.At, m.entries(all, inv)...); err != nil {
		return m.Run, err
	}
	m.State, m.Invoice = RunInvoiced, inv.ID
	if err := endRun(ctx, tx, m.Run); err != nil {
		return m.Run, err
	}
	return m.Run, settle(ctx, tx, inv, doc)
}

// entries bill what is owed, and round its sum to the invoice's.
func (m monthly) entries(all []owed, inv Invoice) (entries []Entry) {
	id, micro := m.id, int64(0)
	for _, o := range all {
		id, micro = id+1, micro+o.micro
		entries = append(entries, Entry{ID: id, Account: m.Account, Kind: KindBill, Micro: o.micro, Messages: o.messages, Parts: o.parts,
			Country: o.country, Unit: o.unit, Lane: o.lane, Reference: m.reference(o), Invoice: inv.ID})
	}
	return append(entries, rounding(id+1, inv, micro)...)
}

// reference is what is billed once: of a fee its own.
func (m monthly) reference(o owed) string {
	if o.fee {
		return o.reference
	}
	return fmt.Sprintf("usage/%s/%s/%d/%s", m.Month.Format(monthLayout), o.country, o.unit, o.lane)
}

// rounding is what an invoice in whole cents is above or below what is billed.
func rounding(id int64, inv Invoice, micro int64) []Entry {
	e := Entry{ID: id, Account: inv.Account, Kind: KindRoundingUp, Micro: inv.Net*microPerCent - micro, Invoice: inv.ID}
	if e.Micro < 0 {
		e.Kind, e.Micro = KindRoundingDown, -e.Micro
	}
	if e.Micro == 0 {
		return nil
	}
	return []Entry{e}
}

// microPerCent is how many micro-units a minor unit has.
const microPerCent = 10_000
