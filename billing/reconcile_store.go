package billing

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// This room's statements about reconciliation. It writes reconciliations and
// reconciliation_differences, and reads the messages and ranges of smsqueue.

// selectCompared are the campaigns of an account that cost something or had messages;
// 0 is its single messages.
func selectCompared(ctx context.Context, q db.Querier, account int64) ([]int64, error) {
	return db.Column[int64](ctx, q, `
		SELECT 0 UNION SELECT id FROM campaigns WHERE account_id = $1 AND started_at > 0
		UNION SELECT campaign_id FROM ledger_entries WHERE account_id = $1
		UNION SELECT campaign_id FROM messages_carried WHERE account_id = $1 ORDER BY 1`, account)
}

// ofCampaign are the messages m of the campaign $2 of the account $1, found by their
// ranges r; of campaign 0 the single ones.
func ofCampaign(campaign int64) string {
	const messages = ` JOIN messages m ON m.id BETWEEN r.first_id AND r.last_id AND m.account_id = $1 `
	if campaign == 0 {
		return `(SELECT first_id, last_id FROM ranges WHERE account_id = $1 ORDER BY first_id LIMIT 1000000000) AS r` + messages + `AND m.campaign_id = $2`
	}
	return `(SELECT first_id, last_id FROM ranges WHERE campaign_id = $2 ORDER BY first_id LIMIT 1000000000) AS r` + messages
}

// messageSums are by what became of the money.
func messageSums(ctx context.Context, tx *db.Tx, account, campaign int64) (map[string]sum, error) {
	return sums[string](ctx, tx, `
		SELECT money, CAST(SUM(micro) AS BIGINT), CAST(SUM(n) AS BIGINT), CAST(SUM(parts) AS BIGINT) FROM (
			SELECT m.money, SUM(m.price_micro) AS micro, COUNT(*) AS n, SUM(m.parts) AS parts FROM `+ofCampaign(campaign)+` GROUP BY m.money
			UNION ALL
			SELECT money, micro, messages, parts FROM messages_carried WHERE account_id = $1 AND campaign_id = $2
		) AS s GROUP BY money`, account, campaign)
}

func entrySums(ctx context.Context, tx *db.Tx, account, campaign int64) (map[Kind]sum, error) {
	return sums[Kind](ctx, tx, `
		SELECT kind, CAST(SUM(micro) AS BIGINT), CAST(SUM(messages) AS BIGINT), CAST(SUM(parts) AS BIGINT) FROM (
			SELECT kind, amount_micro AS micro, messages, parts FROM ledger_entries WHERE account_id = $1 AND campaign_id = $2
			UNION ALL
			SELECT kind, micro, messages, parts FROM ledger_carried WHERE account_id = $1 AND campaign_id = $2
		) AS s WHERE kind IN ('reserve', 'charge', 'release') GROUP BY kind`, account, campaign)
}

func sums[K comparable](ctx context.Context, q db.Querier, query string, args ...any) (map[K]sum, error) {
	all := map[K]sum{}
	_, err := db.Collect(ctx, q, func(row *sql.Rows) (none struct{}, err error) {
		var k K
		var s sum
		err = row.Scan(&k, &s.micro, &s.messages, &s.parts)
		all[k] = s
		return none, err
	}, query, args...)
	return all, err
}

// mostNamed is how many rows a difference names at the most.
const mostNamed = 100

// oddMessages are those whose price is not so many parts at a price of the campaign's
// reservations, or whose money is not what their status says. A message that was
// released and then delivered all the same is odd only when nothing else is.
func oddMessages(ctx context.Context, tx *db.Tx, account, campaign int64) ([]int64, error) {
	const query = `SELECT m.id FROM %s WHERE %s ORDER BY m.id LIMIT %d`
	odd, err := db.Column[int64](ctx, tx, fmt.Sprintf(query, ofCampaign(campaign), `
		(NOT EXISTS (SELECT 1 FROM ledger_entries e WHERE e.account_id = $1 AND e.campaign_id = $2 AND e.kind = 'reserve'
			AND (e.unit_micro = 0 OR e.unit_micro * m.parts = m.price_micro))
		OR m.money = 'charged' AND m.status NOT IN ('sent', 'unconfirmed', 'delivered', 'undelivered', 'expired')
		OR m.money = 'released' AND m.status IN ('queued', 'sending', 'unconfirmed')
		OR m.money = 'reserved' AND m.status NOT IN ('queued', 'sending', 'unconfirmed'))`, mostNamed), account, campaign)
	if err != nil || len(odd) > 0 {
		return odd, err
	}
	return db.Column[int64](ctx, tx, fmt.Sprintf(query, ofCampaign(campaign), `m.money = 'released' AND m.status IN ('sent', 'delivered', 'undelivered')`, mostNamed), account, campaign)
}

// newestNamed is how many entries of a sum are named.
const newestNamed = 20

// newestEntries are those of a kind that a campaign's sum, or that of single messages,
// was made of last.
func newestEntries(ctx context.Context, tx *db.Tx, account, campaign int64, kind Kind) ([]int64, error) {
	return db.Column[int64](ctx, tx, fmt.Sprintf(`
		SELECT id FROM ledger_entries WHERE account_id = $1 AND campaign_id = $2 AND kind = $3 ORDER BY id DESC LIMIT %d`, newestNamed), account, campaign, string(kind))
}

// directions are the ledger accounts of each kind, as SQL.
var directions = func() string {
	var text strings.Builder
	for _, k := range slices.Sorted(maps.Keys(movements)) {
		fmt.Fprintf(&text, " WHEN '%s' THEN '%s>%s'", k, movements[k].debit, movements[k].credit)
	}
	return "CASE e.kind" + text.String() + " END"
}()

// oddEntries are those that move between other ledger accounts than their kind does, are
// not so many parts at their price, are in another currency than the account, or bill
// another sum than the fee that they name.
func oddEntries(ctx context.Context, tx *db.Tx, account int64) ([]Difference, error) {
	return db.Collect(ctx, tx, func(row *sql.Rows) (d Difference, err error) {
		d.Kind, d.Account = DiffEntry, account
		return d, row.Scan(&d.Entry, &d.Campaign, &d.Detail, &d.Expected, &d.Found)
	}, fmt.Sprintf(`
		SELECT e.id, e.campaign_id, e.kind, CASE WHEN e.parts > 0 AND e.unit_micro > 0 THEN e.parts * e.unit_micro ELSE COALESCE(b.amount_micro, e.amount_micro) END, e.amount_micro
		FROM ledger_entries e LEFT JOIN ledger_entries b ON b.account_id = e.account_id AND b.kind = 'bill' AND b.reference = e.reference AND b.reference <> '' AND e.kind = 'fee'
		WHERE e.account_id = $1 AND (e.debit || '>' || e.credit <> %s
			OR e.parts > 0 AND e.unit_micro > 0 AND e.parts * e.unit_micro <> e.amount_micro
			OR e.currency <> (SELECT currency FROM accounts WHERE id = $1)
			OR b.amount_micro <> e.amount_micro)
		ORDER BY e.id LIMIT %d`, directions, mostNamed), account)
}

func selectFeeSums(ctx context.Context, q db.Querier, account int64) (fees, bills int64, err error) {
	err = q.QueryRowContext(ctx, `
		SELECT CAST(COALESCE(SUM(CASE kind WHEN 'fee' THEN micro END), 0) AS BIGINT), CAST(COALESCE(SUM(CASE kind WHEN 'bill' THEN micro END), 0) AS BIGINT) FROM (
			SELECT kind, amount_micro AS micro FROM ledger_entries WHERE account_id = $1 AND kind IN ('fee', 'bill') AND reference <> '' AND parts = 0
			UNION ALL
			SELECT kind, micro FROM ledger_carried WHERE account_id = $1 AND kind IN ('fee', 'bill') AND parts = 0
		) AS s`, account).Scan(&fees, &bills)
	return fees, bills, err
}

// finalInvoice is an invoice or a credit note as it is compared.
type finalInvoice struct {
	id, net  int64 // minor units
	number   string
	inLedger bool
}

func selectFinal(ctx context.Context, q db.Querier, account int64) ([]finalInvoice, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (i finalInvoice, err error) {
		return i, row.Scan(&i.id, &i.net, &i.number, &i.inLedger)
	}, `SELECT id, net, number, in_ledger FROM invoices WHERE account_id = $1 AND state = 'final' ORDER BY id`, account)
}

// selectDrafted are the fees before a time that the monthly run leaves to a draft.
func selectDrafted(ctx context.Context, tx *db.Tx, account int64, before time.Time) ([]Difference, error) {
	return db.Collect(ctx, tx, func(row *sql.Rows) (d Difference, err error) {
		d.Kind, d.Account = DiffDrafted, account
		return d, row.Scan(&d.Entry, &d.Invoice, &d.Detail, &d.Expected)
	}, fmt.Sprintf(`
		SELECT f.id, l.invoice_id, f.reference, f.amount_micro
		FROM invoices i JOIN invoice_lines l ON l.account_id = $1 AND l.invoice_id = i.id AND l.once <> ''
		JOIN ledger_entries f ON f.account_id = $1 AND f.kind = 'fee' AND f.reference = l.once AND f.reference <> ''
		WHERE i.account_id = $1 AND i.state = 'draft' AND f.at < $2
			AND NOT EXISTS (SELECT 1 FROM ledger_entries b WHERE b.account_id = $1 AND b.kind = 'bill' AND b.reference = f.reference AND b.reference <> '')
		ORDER BY f.id LIMIT %d`, mostNamed), account, db.Millis(before))
}

// ofInvoice is true of what makes an invoice's sum, as SQL; what pays it does not.
const ofInvoice = `account_id = $1 AND invoice_id <> 0 AND kind IN ('bill', 'rounding_up', 'rounding_down', 'credit')`

// invoiceSums are what the ledger says of each invoice: billed and rounded, or credited.
func invoiceSums(ctx context.Context, q db.Querier, account int64) (map[int64]int64, error) {
	all := map[int64]int64{}
	_, err := db.Collect(ctx, q, func(row *sql.Rows) (none struct{}, err error) {
		var id, micro int64
		err = row.Scan(&id, &micro)
		all[id] = micro
		return none, err
	}, `
		SELECT invoice_id, CAST(SUM(CASE kind WHEN 'rounding_down' THEN -micro ELSE micro END) AS BIGINT) FROM (
			SELECT invoice_id, kind, amount_micro AS micro FROM ledger_entries WHERE `+ofInvoice+`
			UNION ALL
			SELECT invoice_id, kind, micro FROM ledger_carried WHERE `+ofInvoice+`
		) AS s GROUP BY invoice_id`, account)
	return all, err
}

// insertReconciliation writes one down that is due for a process to take up, or with the
// zero time for nobody.
func (b *Invoices) insertReconciliation(ctx context.Context, due, now time.Time) (r Reconciliation, err error) {
	r = Reconciliation{Started: now, State: ReconRunning}
	if r.ID, err = b.db.NewIDs(ctx, 1); err != nil {
		return r, err
	}
	_, err = b.db.ExecContext(ctx, `INSERT INTO reconciliations (id, started_at, state, due_at) VALUES ($1, $2, $3, $4)`, r.ID, db.Millis(r.Started), r.State, db.Millis(due))
	return r, err
}

// selectAsked is the first that nobody has taken up, or who did has died; 0 for none.
func selectAsked(ctx context.Context, q db.Querier, now time.Time) (int64, error) {
	ids, err := db.Column[int64](ctx, q, `SELECT id FROM reconciliations WHERE state = 'running' AND due_at > 0 AND due_at <= $1 ORDER BY due_at, id LIMIT 1`, db.Millis(now))
	return append(ids, 0)[0], err
}

// takeAsked takes one up that was asked for; 0 for none, and where another was quicker.
func takeAsked(ctx context.Context, d *db.DB, now time.Time) (int64, error) {
	id, err := selectAsked(ctx, d, now)
	if err != nil || id == 0 {
		return 0, err
	}
	done, err := d.ExecContext(ctx, `UPDATE reconciliations SET due_at = $1 WHERE id = $2 AND state = 'running' AND due_at <= $3`, db.Millis(now.Add(takenFor)), id, db.Millis(now))
	if err != nil {
		return 0, err
	}
	n, err := done.RowsAffected()
	return id * n, err
}

func keepReconciliation(ctx context.Context, d *db.DB, r Reconciliation, found []Difference) error {
	rows := make([][]any, 0, len(found))
	for i, f := range found {
		messages, err := json.Marshal(f.Messages)
		if err != nil {
			return err
		}
		entries, err := json.Marshal(f.Entries)
		if err != nil {
			return err
		}
		rows = append(rows, []any{r.ID, int64(i + 1), f.Kind, f.Account, f.Campaign, string(messages), string(entries), f.Entry, f.Invoice, f.Carrier, f.Detail, f.Expected, f.Found})
	}
	return d.InTx(ctx, func(tx *db.Tx) error {
		if err := tx.Bulk(ctx, "reconciliation_differences", []string{"reconciliation_id", "position", "kind", "account_id", "campaign_id", "messages", "entries", "entry_id",
			"invoice_id", "carrier_id", "detail", "expected_micro", "found_micro"}, rows); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE reconciliations SET took_ms = $1, state = $2, compared = $3, messages = $4, differences = $5 WHERE id = $6`,
			r.Took.Milliseconds(), r.State, r.Compared, r.Messages, r.Differences, r.ID)
		return err
	})
}

// Reconciliations lists them, the latest first: those before one, 0 from the latest on.
func (b *Invoices) Reconciliations(ctx context.Context, before int64, limit int) ([]Reconciliation, error) {
	return db.Collect(ctx, b.db, func(row *sql.Rows) (r Reconciliation, err error) {
		var started, took int64
		err = row.Scan(&r.ID, &started, &took, &r.State, &r.Compared, &r.Messages, &r.Differences)
		r.Started, r.Took = db.Time(started), time.Duration(took)*time.Millisecond
		return r, err
	}, `
		SELECT id, started_at, took_ms, state, compared, messages, differences FROM reconciliations
		WHERE CAST($1 AS BIGINT) = 0 OR id < $1 ORDER BY id DESC LIMIT $2`, before, limit)
}

// Differences are what a reconciliation found.
func (b *Invoices) Differences(ctx context.Context, reconciliation int64) ([]Difference, error) {
	return db.Collect(ctx, b.db, func(row *sql.Rows) (d Difference, err error) {
		var messages, entries string
		if err := row.Scan(&d.Kind, &d.Account, &d.Campaign, &messages, &entries, &d.Entry, &d.Invoice, &d.Carrier, &d.Detail, &d.Expected, &d.Found); err != nil {
			return d, err
		}
		if err := json.Unmarshal([]byte(messages), &d.Messages); err != nil {
			return d, err
		}
		return d, json.Unmarshal([]byte(entries), &d.Entries)
	}, `
		SELECT kind, account_id, campaign_id, messages, entries, entry_id, invoice_id, carrier_id, detail, expected_micro, found_micro
		FROM reconciliation_differences WHERE reconciliation_id = $1 ORDER BY position LIMIT 1000`, reconciliation)
}

// Reconciliation finds one.
func (b *Invoices) Reconciliation(ctx context.Context, id int64) (Reconciliation, error) {
	all, err := b.Reconciliations(ctx, id+1, 1)
	if err == nil && (len(all) == 0 || all[0].ID != id) {
		err = problem.NotFound("reconciliation", "")
	}
	return append(all, Reconciliation{})[0], err
}

// LastReconciliation is the latest that came to its end, if there is one.
func (b *Invoices) LastReconciliation(ctx context.Context) (r Reconciliation, ended bool, err error) {
	ids, err := db.Column[int64](ctx, b.db, `SELECT id FROM reconciliations WHERE state = 'done' ORDER BY id DESC LIMIT 1`)
	if err != nil || len(ids) == 0 {
		return r, false, err
	}
	r, err = b.Reconciliation(ctx, ids[0])
	return r, true, err
}
