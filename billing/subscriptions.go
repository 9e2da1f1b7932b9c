package billing

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/secrets"
)

// Subscriptions charges accounts for what they have each month: connected directories.
// A period is charged when it is over, by the days on which the directory was
// connected, so that nothing has to be given back.
//
// Besides its own tables it reads connections, accounts and agreements.
type Subscriptions struct {
	db    *db.DB
	names *secrets.Names
	clock func() time.Time
}

// NewSubscriptions keeps them in d.
func NewSubscriptions(d *db.DB, names *secrets.Names) *Subscriptions {
	return &Subscriptions{d, names, time.Now}
}

// WithClock is the same subscriptions by another clock.
func (s *Subscriptions) WithClock(clock func() time.Time) *Subscriptions {
	return &Subscriptions{s.db, s.names, clock}
}

// directoryName is what lines of invoices call it.
const directoryName = "Directory integration"

// Run notes which directories are connected, and charges the periods that are over. It
// may run as often as it likes, at several places at once, and by a clock that was set
// back: each period is charged once.
func (s *Subscriptions) Run(ctx context.Context) error {
	now := s.clock().UTC()
	items, err := s.items(ctx, now)
	if err != nil {
		return fmt.Errorf("look which directories are connected: %w", err)
	}
	errs := s.closeForgotten(ctx, now)
	for _, one := range items {
		if one.open && !one.ended.IsZero() {
			// What ends with a day's beginning was there to the end of the day before.
			errs = errors.Join(errs, s.end(ctx, one.id, one.ended.Add(-time.Millisecond)))
		}
	}
	if errs = errors.Join(errs, s.chargeAll(ctx, now)); errs != nil {
		return errs
	}
	for _, one := range items {
		if !one.open && one.ended.IsZero() {
			errs = errors.Join(errs, s.begin(ctx, one, now))
		}
	}
	return errs
}

// item is a directory that may have to be paid for.
type item struct {
	id, account int64
	anchor      int
	micro       int64
	open        bool // it counts as connected until now
	ended       time.Time
}

// farOff is later than every time.
const farOff = 1 << 53

// items are the connections with what decides whether they are paid for: that they are
// connected and no preview, the account active and not in arrears, its agreement in
// force and its plan one with directories.
func (s *Subscriptions) items(ctx context.Context, now time.Time) ([]item, error) {
	return db.Collect(ctx, s.db, func(row *sql.Rows) (i item, err error) {
		var connection, account, capabilities string
		var gone, preview, agreed, planFrom, unpaid int64
		if err := row.Scan(&i.id, &i.account, &connection, &gone, &preview, &account, &agreed, &capabilities, &i.anchor, &i.micro, &planFrom, &unpaid, &i.open); err != nil {
			return i, err
		}
		at := db.Millis(now)
		ends := []int64{cmp.Or(agreed, at)}
		if connection == "disconnected" {
			ends = append(ends, cmp.Or(gone, at))
		}
		if preview != 0 || account != "active" {
			ends = append(ends, at)
		}
		if !slices.Contains(strings.Fields(capabilities), Directory) {
			ends = append(ends, cmp.Or(planFrom, at))
		}
		if unpaid > 0 {
			ends = append(ends, unpaid)
		}
		if end := slices.Min(ends); end <= at {
			i.ended = db.Time(end)
		}
		return i, nil
	}, `
		SELECT c.id, c.account_id, c.state, c.disconnected_at, c.preview, a.state, COALESCE((
				SELECT MAX(CASE WHEN g.state = 'terminated' THEN g.terminated_at WHEN g.closes_at = 0 THEN CAST($1 AS BIGINT) ELSE g.closes_at END)
				FROM agreements g WHERE g.account_id = a.id AND g.state IN ('concluded', 'terminated')), 0),
			p.capabilities, p.anchor, p.directory_micro, CASE WHEN p.changed_at > COALESCE(ap.valid_from, 0) THEN p.changed_at ELSE COALESCE(ap.valid_from, 0) END,
			COALESCE(t.suspended_at, 0), CASE WHEN o.subscription_id IS NULL THEN FALSE ELSE TRUE END
		FROM connections c JOIN accounts a ON a.id = c.account_id`+planOfAccount+`
		LEFT JOIN billing_terms t ON t.account_id = a.id
		LEFT JOIN subscriptions s ON s.item_id = c.id
		LEFT JOIN subscription_spans o ON o.subscription_id = s.id AND o.last_day = -1
		ORDER BY c.id`, int64(farOff), db.Millis(now))
}

// begin opens a span today. Days that were charged are not charged again. The price is
// today's, unless the period under way has one already.
func (s *Subscriptions) begin(ctx context.Context, i item, now time.Time) error {
	id, err := s.db.NewIDs(ctx, 1)
	if err != nil {
		return err
	}
	today := dayAt(dayNumber(now))
	start := Subscription{Anchor: i.anchor}.PeriodAt(today).From
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO subscriptions (id, account_id, item_id, name, anchor, micro, charged_to, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (item_id) DO NOTHING`,
			id, i.account, i.id, s.names.Of(secrets.Connection, i.id), i.anchor, i.micro, dayNumber(start), db.Millis(now)); err != nil {
			return err
		}
		var charged int64
		if err := tx.QueryRowContext(ctx, tx.ForUpdate(`SELECT id, charged_to FROM subscriptions WHERE item_id = $1`), i.id).Scan(&id, &charged); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `
			UPDATE subscriptions SET micro = $2 WHERE id = $1 AND NOT EXISTS (
				SELECT 1 FROM subscription_spans o WHERE o.subscription_id = $1 AND (o.last_day = -1 OR o.last_day >= subscriptions.charged_to))`, id, i.micro); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO subscription_spans (subscription_id, first_day)
			SELECT s.id, CAST($2 AS BIGINT) FROM subscriptions s
			WHERE s.id = $1 AND NOT EXISTS (SELECT 1 FROM subscription_spans o WHERE o.subscription_id = s.id AND o.last_day = -1)
			ON CONFLICT (subscription_id, first_day) DO UPDATE SET last_day = -1`, id, max(dayNumber(now), charged))
		return err
	})
}

// end closes an item's span on the day of its end, and on its first day at the least.
func (s *Subscriptions) end(ctx context.Context, item int64, at time.Time) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `
			UPDATE subscription_spans SET last_day = CASE WHEN first_day > $2 THEN first_day ELSE $2 END
			WHERE last_day = -1 AND subscription_id IN (SELECT id FROM subscriptions WHERE item_id = $1)`, item, dayNumber(at))
		return err
	})
}

// closeForgotten ends what was deleted with its account's data.
func (s *Subscriptions) closeForgotten(ctx context.Context, now time.Time) error {
	gone, err := db.Column[int64](ctx, s.db, `
		SELECT s.item_id FROM subscription_spans o JOIN subscriptions s ON s.id = o.subscription_id
		WHERE o.last_day = -1 AND NOT EXISTS (SELECT 1 FROM connections c WHERE c.id = s.item_id)`)
	for _, id := range gone {
		err = errors.Join(err, s.end(ctx, id, now))
	}
	return err
}

// running is a subscription as it is stored.
type running struct {
	Subscription
	id, account int64
	charged     int64 // up to this day, it not included
}

func (r *running) scan(row scanner) error {
	r.Name = directoryName
	return row.Scan(&r.id, &r.account, &r.Key, &r.Anchor, &r.Micro, &r.charged)
}

const runningColumns = `id, account_id, name, anchor, micro, charged_to`

func (r *running) readSpans(ctx context.Context, q db.Querier) (err error) {
	r.Spans, err = db.Collect(ctx, q, func(row *sql.Rows) (one Span, err error) {
		var first, last int64
		err = row.Scan(&first, &last)
		if one.First = dayAt(first); last >= 0 {
			one.Last = dayAt(last)
		}
		return one, err
	}, `SELECT first_day, last_day FROM subscription_spans WHERE subscription_id = $1 ORDER BY first_day`, r.id)
	return err
}

// over are the starts of the periods that are over and were not charged.
func (r *running) over(today time.Time) (starts []time.Time) {
	for p := r.PeriodAt(dayAt(r.charged)); p.To.Before(today); p = r.PeriodAt(p.To.AddDate(0, 0, 1)) {
		starts = append(starts, p.From)
	}
	return starts
}

func (s *Subscriptions) chargeAll(ctx context.Context, now time.Time) error {
	today := dayAt(dayNumber(now))
	all, err := db.Collect(ctx, s.db, func(row *sql.Rows) (r running, err error) { return r, r.scan(row) }, `
		SELECT `+runningColumns+` FROM subscriptions WHERE charged_to < $1 ORDER BY account_id, id`, dayNumber(today))
	if err != nil {
		return fmt.Errorf("list the subscriptions: %w", err)
	}
	var errs error
	for _, r := range all {
		if starts := r.over(today); len(starts) > 0 {
			errs = errors.Join(errs, s.charge(ctx, r, starts))
		}
	}
	return errs
}

// charge posts the periods that begin on these days. The price of each that follows is
// that of the plan at its beginning.
func (s *Subscriptions) charge(ctx context.Context, r running, starts []time.Time) error {
	first, err := s.db.NewIDs(ctx, len(starts))
	if err != nil {
		return err
	}
	next := r.PeriodAt(starts[len(starts)-1]).To.AddDate(0, 0, 1)
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		was := r.charged
		if err := r.scan(tx.QueryRowContext(ctx, tx.ForUpdate(`SELECT `+runningColumns+` FROM subscriptions WHERE id = $1`), r.id)); err != nil {
			return err
		}
		if r.charged != was {
			return nil // somebody else has done it
		}
		if err := r.readSpans(ctx, tx); err != nil {
			return err
		}
		for i, start := range starts {
			if err := s.post(ctx, tx, r, first+int64(i), start); err != nil {
				return err
			}
			plan, err := planAt(ctx, tx, r.account, r.PeriodAt(start).To.AddDate(0, 0, 1))
			if err != nil {
				return err
			}
			r.Micro = plan.DirectoryMicro
		}
		_, err := tx.ExecContext(ctx, `UPDATE subscriptions SET charged_to = $2, micro = $3 WHERE id = $1`, r.id, dayNumber(next), r.Micro)
		return err
	})
	if err != nil {
		return fmt.Errorf("charge subscription %d: %w", r.id, err)
	}
	return nil
}

// post writes the fee of a period on its last day, at noon, so that it is that day in
// every zone that months are counted in.
func (s *Subscriptions) post(ctx context.Context, tx *db.Tx, r running, id int64, start time.Time) error {
	d, ok := r.Due(start)
	if !ok {
		return nil
	}
	_, err := PostOnce(ctx, tx, d.Whole.To.Add(12*time.Hour), Entry{ID: id, Account: r.account, Kind: KindFee, Micro: d.Micro, Unit: r.Micro, Reference: d.Once()})
	return err
}

// Running are what an account's subscriptions have come to in the periods under way.
func (s *Subscriptions) Running(ctx context.Context, account int64) ([]Due, error) {
	today := dayAt(dayNumber(s.clock()))
	all, err := runningOf(ctx, s.db, account)
	var out []Due
	for _, r := range all {
		for i := range r.Spans {
			if r.Spans[i].Last.IsZero() {
				r.Spans[i].Last = today
			}
		}
		if d, ok := r.Due(today); ok {
			out = append(out, d)
		}
	}
	return out, err
}

func runningOf(ctx context.Context, q db.Querier, account int64) ([]running, error) {
	all, err := db.Collect(ctx, q, func(row *sql.Rows) (r running, err error) { return r, r.scan(row) }, `
		SELECT `+runningColumns+` FROM subscriptions WHERE account_id = $1 ORDER BY id`, account)
	for i := range all {
		err = errors.Join(err, all[i].readSpans(ctx, q))
	}
	return all, err
}

// byTheDay says of fees which days they are for, where the subscription still says the same.
func byTheDay(ctx context.Context, q db.Querier, account int64, all []owed) error {
	if !slices.ContainsFunc(all, func(o owed) bool { return o.fee }) {
		return nil
	}
	subscriptions, err := runningOf(ctx, q, account)
	for _, r := range subscriptions {
		for i, o := range all {
			item, from, _ := strings.Cut(o.reference, "/")
			if item != r.Key {
				continue
			}
			r.Micro = o.unit
			if d, ok := r.Due(dayOf(from)); ok && d.Once() == o.reference && d.Micro == o.micro {
				all[i].whole, all[i].part, all[i].days = d.Whole, d.Part, d.Days
			}
		}
	}
	return err
}
