package contacts

import (
	"context"
	"database/sql"
	"strconv"
	"strings"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

// Whom an account erased stays erased: what comes in is held against marks, keyed
// hashes of object ids and numbers, which outlive every sync.

// Marks makes the marks. The zero Marks knows nobody again.
type Marks struct{ names *secrets.Names }

// MarksOf makes marks with the installation's key.
func MarksOf(names *secrets.Names) Marks { return Marks{names} }

// Number is the mark of a number in E.164.
func (m Marks) Number(account int64, phone string) string {
	return m.of("number", account, phone)
}

// Object is the mark of somebody in a directory. A directory that writes to us also
// knows them by names, of which each is such an object too.
func (m Marks) Object(account int64, tenant, object string) string {
	return m.of("object", account, strings.ToLower(tenant), strings.ToLower(object))
}

func (m Marks) of(kind string, account int64, words ...string) string {
	if m.names == nil {
		return ""
	}
	return m.names.Mark(append([]string{kind, strconv.FormatInt(account, 10)}, words...)...)
}

// What a mark is of.
const (
	MarkObject = "object"
	MarkNumber = "number"
	MarkStop   = "stop" // a number that had opted out; it stays when the erasure is lifted
)

// Mark is one by which somebody is known again.
type Mark struct{ Kind, Mark string }

// Erased knows again whom an account erased, or whom one erasure is of.
type Erased struct {
	Account  int64
	Erasure  int64          // 0: of all there were
	Contacts map[int64]bool // of one erasure
	marks    Marks
	set      map[Mark]bool
}

// Of is one erasure.
func (m Marks) Of(account, erasure int64, contacts []int64, marks []Mark) Erased {
	e := Erased{Account: account, Erasure: erasure, Contacts: map[int64]bool{}, marks: m, set: map[Mark]bool{}}
	for _, id := range contacts {
		e.Contacts[id] = true
	}
	for _, one := range marks {
		e.set[one] = true
	}
	return e
}

// Any says whether anybody is known again.
func (e Erased) Any() bool { return len(e.set) > 0 }

// Number says whether a number in E.164 was erased.
func (e Erased) Number(phone string) bool {
	return len(e.set) > 0 && phone != "" && e.set[Mark{MarkNumber, e.marks.Number(e.Account, phone)}]
}

// Stopped says whether it had opted out when it was erased.
func (e Erased) Stopped(phone string) bool {
	return len(e.set) > 0 && e.set[Mark{MarkStop, e.marks.Number(e.Account, phone)}]
}

// Object says whether somebody in a directory was erased.
func (e Erased) Object(tenant, object string) bool {
	return len(e.set) > 0 && object != "" && e.set[Mark{MarkObject, e.marks.Object(e.Account, tenant, object)}]
}

// Is says whether it is the erasure of a contact, by its id.
func (e Erased) Is(contact int64) bool { return contact != 0 && e.Contacts[contact] }

// erasedPhone begins what stands in the place of a number that was erased.
const erasedPhone = "!erased:"

// IsErased says whether it stands in the place of a number that was erased.
func IsErased(phone string) bool { return strings.HasPrefix(phone, erasedPhone) }

// Token is what stands in the place of a number: the same for the same number of the
// same erasure, and nothing that leads back to it.
func (e Erased) Token(phone string) string {
	if IsErased(phone) {
		return phone
	}
	return erasedPhone + e.marks.of("token", e.Erasure, phone)[:16]
}

// Marked are all marks of an account.
func (m Marks) Marked(ctx context.Context, q db.Querier, account int64) (Erased, error) {
	e := Erased{Account: account, marks: m, set: map[Mark]bool{}}
	if m.names == nil {
		return e, nil
	}
	all, err := db.Collect(ctx, q, func(row *sql.Rows) (one Mark, err error) {
		return one, row.Scan(&one.Kind, &one.Mark)
	}, `SELECT kind, mark FROM erasure_marks WHERE account_id = $1`, account)
	for _, one := range all {
		e.set[one] = true
	}
	return e, err
}

// Keep keeps the marks of an erasure.
func (m Marks) Keep(ctx context.Context, tx *db.Tx, account, erasure int64, marks []Mark) error {
	for _, one := range marks {
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO erasure_marks (account_id, mark, kind, erasure_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
			account, one.Mark, one.Kind, erasure); err != nil {
			return err
		}
	}
	return nil
}

// Lift forgets the marks of an erasure, but for those of numbers that opted out.
func (m Marks) Lift(ctx context.Context, tx *db.Tx, account, erasure int64) error {
	_, err := tx.ExecContext(ctx, `
		DELETE FROM erasure_marks WHERE account_id = $1 AND erasure_id = $2 AND kind <> 'stop'`, account, erasure)
	return err
}

// LiftStop forgets that a number had opted out before it was erased.
func (m Marks) LiftStop(ctx context.Context, q db.Querier, account int64, phone string) (lifted bool, err error) {
	if m.names == nil {
		return false, nil
	}
	done, err := q.ExecContext(ctx, `
		DELETE FROM erasure_marks WHERE account_id = $1 AND mark = $2 AND kind = 'stop'`, account, m.Number(account, phone))
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n > 0, err
}

// ErrErasedNumber refuses what would bring somebody back who was erased.
func ErrErasedNumber(field string) error {
	return &problem.Problem{Kind: problem.KindConflict, Code: ErasedNumber, Field: field,
		Text: "this number belongs to somebody who was erased from this account: an administrator can lift that on the page Privacy"}
}

// ErasedNumber is why a number is not taken.
const ErasedNumber = "erased_number"

// Marking is the book that leaves out whom these marks know again.
func (b *Book) Marking(m Marks) *Book {
	b.marks = m
	return b
}

// unmarked are the people who may be kept. Of those kept by hand one who may not is
// refused; of a directory's they are left out.
func (b *Book) unmarked(ctx context.Context, tx *db.Tx, account int64, source, tenant string, people []Person) ([]Person, error) {
	erased, err := b.marks.Marked(ctx, tx, account)
	if err != nil || len(erased.set) == 0 {
		return people, err
	}
	var free []Person
	for _, p := range people {
		marked := erased.Number(p.Phone.E164) || erased.Object(tenant, p.DirectoryID)
		if marked && source == ByHand {
			return nil, ErrErasedNumber("phone")
		}
		if !marked {
			free = append(free, p)
		}
	}
	return free, nil
}
