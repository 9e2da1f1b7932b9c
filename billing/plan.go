package billing

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// What a plan can include besides messages.
const (
	Directory = "directory" // connect directories, and follow them
	Cards     = "cards"     // digital business cards
)

// Capabilities are all there are.
var Capabilities = []string{Cards, Directory}

// Plan is what an account may do, and what it pays.
type Plan struct {
	ID             int64
	Name           string
	Capabilities   []string
	List           PriceList // its currency is the plan's
	DirectoryMicro int64     // a month, for each connected directory
	Anchor         int       // day of the month on which a directory's periods begin, 1 to 31
	Created        time.Time
}

// DirectoryPrice is what a connected directory costs a month in EUR, in micro-units,
// unless a plan says otherwise.
const DirectoryPrice = 99_000_000

// firstPlan is that of accounts that none was assigned to.
const firstPlan = 1

// Plans keeps plans and which account has which.
type Plans struct {
	db    *db.DB
	clock func() time.Time
}

// NewPlans keeps them in d.
func NewPlans(d *db.DB) *Plans { return &Plans{d, time.Now} }

// WithClock is the same plans by another clock.
func (p *Plans) WithClock(clock func() time.Time) *Plans { return &Plans{p.db, clock} }

func (p *Plans) now() time.Time { return db.Time(db.Millis(p.clock())) }

const planColumns = `p.id, p.name, p.capabilities, p.directory_micro, p.anchor, p.created_at, l.id, l.name, l.currency, l.created_at`

func (p *Plan) scan(row scanner, more ...any) error {
	var capabilities string
	var created, listed int64
	err := row.Scan(append([]any{&p.ID, &p.Name, &capabilities, &p.DirectoryMicro, &p.Anchor, &created,
		&p.List.ID, &p.List.Name, &p.List.Currency, &listed}, more...)...)
	p.Capabilities, p.Created, p.List.Created = strings.Fields(capabilities), db.Time(created), db.Time(listed)
	return err
}

// All lists them by name.
func (p *Plans) All(ctx context.Context) ([]Plan, error) {
	return db.Collect(ctx, p.db, func(row *sql.Rows) (one Plan, err error) { return one, one.scan(row) }, `
		SELECT `+planColumns+` FROM plans p JOIN price_lists l ON l.id = p.list_id ORDER BY p.name`)
}

// ByName finds one.
func (p *Plans) ByName(ctx context.Context, name string) (Plan, error) {
	return planNamed(ctx, p.db, name)
}

func planNamed(ctx context.Context, q db.Querier, name string) (one Plan, err error) {
	err = one.scan(q.QueryRowContext(ctx, `
		SELECT `+planColumns+` FROM plans p JOIN price_lists l ON l.id = p.list_id WHERE p.name = $1`, name))
	if db.IsNone(err) {
		return one, problem.NotFound("plan", name)
	}
	return one, err
}

// NewPlan is what is decided about a plan. What is left out stays as it is; a new plan
// needs a price.
type NewPlan struct {
	Name           string
	Capabilities   []string // nil: as they are
	List           string   // name of its price list
	DirectoryMicro *int64   // nil: as it is
	Anchor         int      // 0: as it is, of a new plan the 1st
}

// over takes what is left out from the plan as it is.
func (n NewPlan) over(before Plan) NewPlan {
	if before.ID == 0 {
		n.Anchor = cmp.Or(n.Anchor, 1)
		return n
	}
	if n.Capabilities == nil {
		n.Capabilities = before.Capabilities
	}
	if n.DirectoryMicro == nil {
		n.DirectoryMicro = &before.DirectoryMicro
	}
	if n.Anchor == 0 {
		n.Anchor = before.Anchor
	}
	return n
}

func (n *NewPlan) check() error {
	n.Capabilities = slices.Compact(slices.Sorted(slices.Values(n.Capabilities)))
	switch {
	case !namePattern.MatchString(n.Name):
		return problem.Invalid("name", "the name of a plan is 2 to 40 small letters, digits and hyphens, not %q", n.Name)
	case n.Anchor < 1 || n.Anchor > 31:
		return problem.Invalid("anchor", "periods begin on a day of the month, 1 to 31")
	case n.DirectoryMicro == nil:
		return problem.Invalid("directory_price", "a new plan says what a connected directory costs, 0 for nothing")
	case *n.DirectoryMicro < 0 || *n.DirectoryMicro > mostPrice*1_000_000:
		return problem.Invalid("directory_price", "a price is not below 0, and %d at most", mostPrice)
	}
	for _, c := range n.Capabilities {
		if !slices.Contains(Capabilities, c) {
			return problem.Invalid("capabilities", "there is no capability %q; there are %s", c, strings.Join(Capabilities, ", "))
		}
	}
	return nil
}

// Set makes a plan, or changes the one with that name: what it includes from now on,
// what a directory costs from its next period on. A plan stays in its currency, because
// the accounts on it do.
func (p *Plans) Set(ctx context.Context, n NewPlan) (Plan, error) {
	id, err := p.db.NewIDs(ctx, 1)
	if err != nil {
		return Plan{}, err
	}
	err = p.db.InTx(ctx, func(tx *db.Tx) error {
		before, err := planNamed(ctx, tx, n.Name)
		if err != nil && problem.As(err) == nil {
			return err
		}
		n := n.over(before)
		if err := n.check(); err != nil {
			return err
		}
		list, err := listNamed(ctx, tx, n.List)
		if err != nil {
			return err
		}
		if err := checkValid(ctx, tx, list, p.now()); err != nil {
			return err
		}
		if before.ID != 0 && before.List.Currency != list.Currency {
			return problem.Conflict("plan_currency", "the plan %s is in %s: make another plan for %s", n.Name, before.List.Currency, list.Currency)
		}
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO plans (id, name, capabilities, list_id, directory_micro, anchor, created_at, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
			ON CONFLICT (name) DO UPDATE SET capabilities = EXCLUDED.capabilities, list_id = EXCLUDED.list_id,
				directory_micro = EXCLUDED.directory_micro, anchor = EXCLUDED.anchor, changed_at = EXCLUDED.changed_at`,
			id, n.Name, strings.Join(n.Capabilities, " "), list.ID, *n.DirectoryMicro, n.Anchor, db.Millis(p.now())); err != nil {
			return err
		}
		_, err = audit.Record(ctx, tx, audit.Entry{Action: "plan.changed", Facts: map[string]any{"plan": n.Name, "capabilities": strings.Join(n.Capabilities, " "),
			"price_list": list.Name, "directory_price": Money(*n.DirectoryMicro), "currency": list.Currency, "anchor": n.Anchor}})
		return err
	})
	if err != nil {
		return Plan{}, err
	}
	return p.ByName(ctx, n.Name)
}

// checkValid refuses a list that says no price at a time.
func checkValid(ctx context.Context, q db.Querier, list PriceList, at time.Time) error {
	var n int
	err := q.QueryRowContext(ctx, `
		SELECT COUNT(*) FROM price_books WHERE list_id = $1 AND withdrawn_at = 0 AND valid_from <= $2`, list.ID, db.Millis(at)).Scan(&n)
	if err == nil && n == 0 {
		err = problem.Conflict("price_list_empty", "the price list %s has no prices that are valid then: add a version first", list.Name)
	}
	return err
}

// Includes says whether the plan has a capability.
func (p Plan) Includes(capability string) bool { return slices.Contains(p.Capabilities, capability) }

// Can refuses what an account's plan does not include: with plan_lacks_directory or
// plan_lacks_cards, and the names of the plans that do (Q3).
func (p *Plans) Can(ctx context.Context, q db.Querier, account int64, capability string) error {
	have, err := planAt(ctx, q, account, p.now())
	if err != nil || have.Includes(capability) {
		return err
	}
	all, err := db.Collect(ctx, q, func(row *sql.Rows) (one Plan, err error) { return one, one.scan(row) }, `
		SELECT `+planColumns+` FROM plans p JOIN price_lists l ON l.id = p.list_id ORDER BY p.name`)
	if err != nil {
		return err
	}
	return lacks(have, capability, all)
}

var capabilityWords = map[string]string{Directory: "the directory integration", Cards: "business cards"}

func lacks(have Plan, capability string, all []Plan) error {
	var names []string
	for _, other := range all {
		if other.Includes(capability) && other.List.Currency == have.List.Currency {
			names = append(names, other.Name)
		}
	}
	instead := "; no plan in " + have.List.Currency + " does"
	if len(names) > 0 {
		instead = ": it is part of " + strings.Join(names, ", ")
	}
	return problem.New(problem.KindForbidden, "plan_lacks_"+capability, "the plan %s does not include %s%s", have.Name, capabilityWords[capability], instead)
}

func planAt(ctx context.Context, q db.Querier, account int64, at time.Time) (one Plan, err error) {
	err = one.scan(q.QueryRowContext(ctx, `
		SELECT `+planColumns+` FROM accounts a`+planOfAccount+`
		JOIN price_lists l ON l.id = p.list_id WHERE a.id = $1`, account, db.Millis(at)))
	if db.IsNone(err) {
		return one, problem.NotFound("account", "")
	}
	return one, err
}

// Term is a plan as an account has it for a time.
type Term struct {
	Plan  Plan
	Own   PriceList // the account's own; zero for its plan's
	From  time.Time // zero for since the account was opened
	Until time.Time // zero for what goes on
}

// List is the price list that counts.
func (t Term) List() PriceList {
	if t.Own.ID != 0 {
		return t.Own
	}
	return t.Plan.List
}

// Terms is an account's history with what was decided for later, the latest first. It
// begins with the first plan.
func (p *Plans) Terms(ctx context.Context, account int64) ([]Term, error) {
	all, err := db.Collect(ctx, p.db, func(row *sql.Rows) (t Term, err error) {
		var from, until, created int64
		err = t.Plan.scan(row, &t.Own.ID, &t.Own.Name, &t.Own.Currency, &created, &from, &until)
		t.From, t.Until = db.Time(from), db.Time(until)
		if t.Own.ID != 0 {
			t.Own.Created = db.Time(created)
		}
		return t, err
	}, `
		SELECT `+planColumns+`, COALESCE(o.id, 0), COALESCE(o.name, ''), COALESCE(o.currency, ''), COALESCE(o.created_at, 0), ap.valid_from, ap.valid_until
		FROM account_plans ap JOIN plans p ON p.id = ap.plan_id JOIN price_lists l ON l.id = p.list_id
		LEFT JOIN price_lists o ON o.id = ap.list_id
		WHERE ap.account_id = $1 ORDER BY ap.valid_from DESC`, account)
	if err != nil || len(all) > 0 && all[len(all)-1].From.IsZero() {
		return all, err
	}
	first := Term{}
	if err := first.Plan.scan(p.db.QueryRowContext(ctx, `
		SELECT `+planColumns+` FROM plans p JOIN price_lists l ON l.id = p.list_id WHERE p.id = $1`, firstPlan)); err != nil {
		return nil, err
	}
	if len(all) > 0 {
		first.Until = all[len(all)-1].From
	}
	return append(all, first), nil
}

// Of is the term that an account is in at a time.
func (p *Plans) Of(ctx context.Context, account int64, at time.Time) (Term, error) {
	all, err := p.Terms(ctx, account)
	now, _ := Now(all, at)
	return now, err
}

// Now is the term among an account's that it is in at a time, and the next that was
// decided, nil for none.
func Now(terms []Term, at time.Time) (now Term, next *Term) {
	for i, t := range terms { // the latest first
		if !t.From.After(at) {
			return t, next
		}
		next = &terms[i]
	}
	return now, next
}

// Assignment is what an account is to have.
type Assignment struct {
	Plan string
	List string    // a price list of its own; empty for its plan's
	From time.Time // zero for now
}

// Assign gives an account a plan from a time on. What was decided for later is
// replaced; what was, stays.
func (p *Plans) Assign(ctx context.Context, account int64, a Assignment) (Term, error) {
	err := p.db.InTx(ctx, func(tx *db.Tx) error {
		var currency string
		err := tx.QueryRowContext(ctx, tx.ForUpdate(`SELECT currency FROM accounts WHERE id = $1`), account).Scan(&currency)
		if db.IsNone(err) {
			return problem.NotFound("account", "")
		}
		if err != nil {
			return err
		}
		return p.assign(ctx, tx, account, currency, a)
	})
	if err != nil {
		return Term{}, err
	}
	all, err := p.Terms(ctx, account)
	if err != nil {
		return Term{}, err
	}
	return all[0], nil
}

// Open gives an account that is being opened, in this currency, its plan: the first
// one when none is named.
func (p *Plans) Open(ctx context.Context, tx *db.Tx, account int64, currency string, a Assignment) error {
	if a.Plan == "" {
		if err := tx.QueryRowContext(ctx, `SELECT name FROM plans WHERE id = $1`, firstPlan).Scan(&a.Plan); err != nil {
			return err
		}
	}
	return p.place(ctx, tx, account, currency, a, 0)
}

func (p *Plans) assign(ctx context.Context, tx *db.Tx, account int64, currency string, a Assignment) error {
	now := p.now()
	if a.From.IsZero() {
		a.From = now
	}
	if a.From = db.Time(db.Millis(a.From)); a.From.Before(now) {
		return problem.Invalid("from", "a plan is changed from now on, or from a later time")
	}
	return p.place(ctx, tx, account, currency, a, db.Millis(a.From))
}

// place writes who has which plan from a time on; 0 stands for the account's opening.
func (p *Plans) place(ctx context.Context, tx *db.Tx, account int64, currency string, a Assignment, from int64) error {
	plan, list, own, err := a.read(ctx, tx)
	if err != nil {
		return err
	}
	if list.Currency != currency {
		return otherCurrency(list.Name, list.Currency, currency)
	}
	if plan.List.Currency != currency {
		return problem.Conflict("plan_currency", "the plan %s is in %s, and the account in %s: choose a plan in the account's currency", plan.Name, plan.List.Currency, currency)
	}
	counts := max(from, db.Millis(p.now()))
	if err := checkValid(ctx, tx, list, db.Time(counts)); err != nil {
		return err
	}
	for _, statement := range []string{
		`DELETE FROM account_plans WHERE account_id = $1 AND valid_from >= $2`,
		`UPDATE account_plans SET valid_until = $2 WHERE account_id = $1 AND (valid_until = 0 OR valid_until > $2)`,
	} {
		if _, err := tx.ExecContext(ctx, statement, account, from); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO account_plans (account_id, plan_id, list_id, valid_from) VALUES ($1, $2, $3, $4)`, account, plan.ID, own, from); err != nil {
		return err
	}
	_, err = audit.Record(ctx, tx, audit.Entry{Account: account, Action: "plan.assigned", Subject: "account", SubjectID: account,
		Facts: map[string]string{"plan": plan.Name, "price_list": list.Name, "from": db.Time(counts).UTC().Format(time.RFC3339)}})
	return err
}

// read finds the plan, the list that will count, and the id of an own list, 0 for none.
func (a Assignment) read(ctx context.Context, tx *db.Tx) (plan Plan, list PriceList, own int64, err error) {
	if plan, err = planNamed(ctx, tx, a.Plan); err != nil || a.List == "" {
		return plan, plan.List, 0, err
	}
	if list, err = listNamed(ctx, tx, a.List); err != nil {
		return plan, list, 0, err
	}
	return plan, list, list.ID, nil
}
