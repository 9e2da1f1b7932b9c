package billing

import (
	"context"
	"database/sql"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// PriceLists keeps price lists and their versions.
type PriceLists struct {
	db    *db.DB
	clock func() time.Time
}

// NewPriceLists keeps them in d.
func NewPriceLists(d *db.DB) *PriceLists { return &PriceLists{d, time.Now} }

// WithClock is the same lists by another clock.
func (p *PriceLists) WithClock(clock func() time.Time) *PriceLists { return &PriceLists{p.db, clock} }

func (p *PriceLists) now() time.Time { return db.Time(db.Millis(p.clock())) }

// PriceList is a list of prices in one currency.
type PriceList struct {
	ID       int64
	Name     string
	Currency string // ISO 4217
	Created  time.Time
}

// Version is one of a list's price books, valid from a time until the next is.
type Version struct {
	ID        int64
	List      int64
	From      time.Time
	Prices    int       // how many it has
	Withdrawn time.Time // zero for not
	Created   time.Time
}

var (
	namePattern     = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,39}$`)
	currencyPattern = regexp.MustCompile(`^[A-Z]{3}$`)
)

// Create begins a list. It has no prices until a version is added. also is
// done in the same transaction.
func (p *PriceLists) Create(ctx context.Context, name, currency string, also ...Also) (PriceList, error) {
	currency = strings.ToUpper(currency)
	switch {
	case !namePattern.MatchString(name):
		return PriceList{}, problem.Invalid("name", "the name of a price list is 2 to 40 small letters, digits and hyphens, not %q", name)
	case !currencyPattern.MatchString(currency):
		return PriceList{}, problem.Invalid("currency", "%q is no currency code such as NOK", currency)
	}
	id, err := p.db.NewIDs(ctx, 1)
	if err != nil {
		return PriceList{}, err
	}
	l := PriceList{id, name, currency, p.now()}
	err = p.db.InTx(ctx, func(tx *db.Tx) error {
		if err := doAll(ctx, tx, id, also); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO price_lists (id, name, currency, created_at) VALUES ($1, $2, $3, $4)`,
			l.ID, l.Name, l.Currency, db.Millis(l.Created)); err != nil {
			return err
		}
		_, err := audit.Record(ctx, tx, audit.Entry{Action: "price_list.created",
			Facts: map[string]string{"price_list": name, "currency": currency}})
		return err
	})
	if db.IsDuplicate(err) {
		return PriceList{}, problem.Conflict("price_list_exists", "there is a price list %q already", name)
	}
	return l, err
}

const listColumns = `id, name, currency, created_at`

func scanList(row scanner) (l PriceList, err error) {
	var created int64
	err = row.Scan(&l.ID, &l.Name, &l.Currency, &created)
	l.Created = db.Time(created)
	return l, err
}

// All lists them by name.
func (p *PriceLists) All(ctx context.Context) ([]PriceList, error) {
	return db.Collect(ctx, p.db, func(row *sql.Rows) (PriceList, error) { return scanList(row) }, `SELECT `+listColumns+` FROM price_lists ORDER BY name`)
}

// ByName finds one.
func (p *PriceLists) ByName(ctx context.Context, name string) (PriceList, error) {
	return listNamed(ctx, p.db, name)
}

func listNamed(ctx context.Context, q db.Querier, name string) (PriceList, error) {
	l, err := scanList(q.QueryRowContext(ctx, `SELECT `+listColumns+` FROM price_lists WHERE name = $1`, name))
	if db.IsNone(err) {
		return l, problem.NotFound("price_list", name)
	}
	return l, err
}

// Add makes a version with these prices that is valid from a time on, from now on when
// it is zero. It cannot be changed; one that is yet to come can be withdrawn. also is
// done in the same transaction.
func (p *PriceLists) Add(ctx context.Context, list int64, from time.Time, prices []Price, also ...Also) (Version, error) {
	now := p.now()
	if from.IsZero() {
		from = now
	}
	if from = db.Time(db.Millis(from)); from.Before(now) {
		return Version{}, problem.Invalid("valid_from", "prices are not changed for what was sent already: a version is valid from now on, or from a later time")
	}
	if err := checkPrices(prices); err != nil {
		return Version{}, err
	}
	rows := map[int]Price{}
	for i, one := range prices {
		rows[i] = one
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return Version{}, err
	}
	id, err := p.db.NewIDs(ctx, 1)
	if err != nil {
		return Version{}, err
	}
	v := Version{ID: id, List: list, From: from, Prices: len(prices), Created: now}
	err = p.db.InTx(ctx, func(tx *db.Tx) error {
		if err := doAll(ctx, tx, id, also); err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, `
			INSERT INTO price_books (id, list_id, currency, valid_from, created_at)
			SELECT $1, l.id, l.currency, $3, $4 FROM price_lists l WHERE l.id = $2`, id, list, db.Millis(from), db.Millis(now))
		if err := oneRow(done, err); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO prices (book_id, country, lane, micro)
			SELECT $1, r.value->>'Country', r.value->>'Lane', CAST(r.value->>'Micro' AS BIGINT) FROM json_each($2) AS r`, id, string(text)); err != nil {
			return err
		}
		_, err = audit.Record(ctx, tx, audit.Entry{Action: "price_list.version_added", Subject: "prv", SubjectID: id,
			Facts: map[string]any{"prices": len(prices), "from": from.UTC().Format(time.RFC3339)}})
		return err
	})
	if db.IsDuplicate(err) {
		return Version{}, problem.Conflict("price_version_exists", "the list has a version from %s already: withdraw it first, or choose another time", from.UTC().Format(time.RFC3339))
	}
	return v, err
}

const versionColumns = `b.id, b.list_id, b.valid_from, b.withdrawn_at, b.created_at, (SELECT COUNT(*) FROM prices p WHERE p.book_id = b.id)`

func scanVersion(row scanner) (v Version, err error) {
	var from, withdrawn, created int64
	err = row.Scan(&v.ID, &v.List, &from, &withdrawn, &created, &v.Prices)
	v.From, v.Withdrawn, v.Created = db.Time(from), db.Time(withdrawn), db.Time(created)
	return v, err
}

// Versions lists a list's, the latest first.
func (p *PriceLists) Versions(ctx context.Context, list int64) ([]Version, error) {
	return db.Collect(ctx, p.db, func(row *sql.Rows) (Version, error) { return scanVersion(row) }, `
		SELECT `+versionColumns+` FROM price_books b WHERE b.list_id = $1 ORDER BY b.valid_from DESC, b.id DESC`, list)
}

// Version finds one of a list.
func (p *PriceLists) Version(ctx context.Context, list, id int64) (Version, error) {
	v, err := scanVersion(p.db.QueryRowContext(ctx, `SELECT `+versionColumns+` FROM price_books b WHERE b.list_id = $1 AND b.id = $2`, list, id))
	if db.IsNone(err) {
		return v, problem.NotFound("price_version", "")
	}
	return v, err
}

// Current is the version among a list's that is valid at a time, 0 for none.
func Current(versions []Version, at time.Time) (id int64) {
	var from time.Time
	for _, v := range versions {
		if v.Withdrawn.IsZero() && !v.From.After(at) && (id == 0 || v.From.After(from)) {
			id, from = v.ID, v.From
		}
	}
	return id
}

// Prices lists a version's, by country and lane.
func (p *PriceLists) Prices(ctx context.Context, version int64) ([]Price, error) {
	return listPrices(ctx, p.db, version)
}

// CurrentBook is the version that an account's messages are priced by now.
func (p *PriceLists) CurrentBook(ctx context.Context, account int64) (Book, error) {
	return CurrentBook(ctx, p.db, account, p.now())
}

// Withdraw ends a version that has not become valid. One that a campaign was accepted
// by stays, whatever the clock says.
func (p *PriceLists) Withdraw(ctx context.Context, list, version int64) error {
	now := db.Millis(p.now())
	return p.db.InTx(ctx, func(tx *db.Tx) error {
		var from, withdrawn int64
		err := tx.QueryRowContext(ctx, tx.ForUpdate(`SELECT valid_from, withdrawn_at FROM price_books WHERE list_id = $1 AND id = $2`), list, version).Scan(&from, &withdrawn)
		if db.IsNone(err) {
			return problem.NotFound("price_version", "")
		}
		if err != nil || withdrawn > 0 {
			return err
		}
		done, err := tx.ExecContext(ctx, `
			UPDATE price_books SET withdrawn_at = $2 WHERE id = $1 AND valid_from > $2
				AND NOT EXISTS (SELECT 1 FROM campaigns c WHERE c.price_book_id = $1)`, version, now)
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		if err != nil {
			return err
		}
		if n == 0 {
			return problem.Conflict("price_version_valid", "the version from %s is valid already: it stays, and another one can follow it", db.Time(from).UTC().Format(time.RFC3339))
		}
		_, err = audit.Record(ctx, tx, audit.Entry{Action: "price_list.version_withdrawn", Subject: "prv", SubjectID: version,
			Facts: map[string]any{"from": db.Time(from).UTC().Format(time.RFC3339)}})
		return err
	})
}
