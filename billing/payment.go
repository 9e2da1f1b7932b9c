package billing

import (
	"context"
	"strings"

	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// Payment is what a customer has paid, without VAT: the ledger knows none.
type Payment struct {
	Micro     int64  // micro-units of the account's currency
	Reference string // of the bank: the same is recorded once
	Invoice   int64  // that it pays; 0 for none
}

// highestPayment is far beyond any.
const highestPayment = highestLimit

func (p *Payment) check() error {
	p.Reference = strings.TrimSpace(p.Reference)
	switch {
	case p.Micro <= 0 || p.Micro > highestPayment:
		return problem.Invalid("amount", "an amount is more than 0 and at most %s", Money(highestPayment))
	case p.Reference == "" || len(p.Reference) > 100:
		return problem.Invalid("reference", "a payment has a reference of at most 100 characters, by which it is recorded once")
	}
	return nil
}

// Pay records a payment. The same again is the payment that is there; the code
// payment_differs says that another one has its reference, payment_returned that it went
// back: what is paid again has another reference.
func (l *Ledger) Pay(ctx context.Context, account int64, p Payment) (Posted, error) {
	if err := p.check(); err != nil {
		return Posted{}, err
	}
	return l.record(ctx, account, "payment.recorded", func(tx *db.Tx) (Entry, error) {
		e := Entry{Account: account, Kind: KindPayment, Micro: p.Micro, Reference: p.Reference, Invoice: p.Invoice}
		if err := notReturned(ctx, tx, account, p.Reference); err != nil {
			return e, err
		}
		return e, payable(ctx, tx, account, p.Invoice)
	})
}

func notReturned(ctx context.Context, tx *db.Tx, account int64, reference string) error {
	back, err := byReference(ctx, tx, account, KindPaymentReturned, reference)
	if problem.Has(err, "payment_not_found") {
		return nil
	}
	if err == nil {
		err = problem.Conflict("payment_returned", "the payment with this reference went back on %s: record what is paid again with a reference of its own", dayText(back.At))
	}
	return err
}

// payable says whether there is such a final invoice.
func payable(ctx context.Context, tx *db.Tx, account, id int64) error {
	if id == 0 {
		return nil
	}
	var final bool
	err := tx.QueryRowContext(ctx, `SELECT state = 'final' AND kind = '380' FROM invoices WHERE account_id = $1 AND id = $2`, account, id).Scan(&final)
	if db.IsNone(err) {
		return problem.NotFound("invoice", "")
	}
	if err == nil && !final {
		err = problem.Conflict("not_final", "only a final invoice is paid")
	}
	return err
}

// ReturnPayment records that a payment, by its reference, went back or was none: the
// whole of it, once.
func (l *Ledger) ReturnPayment(ctx context.Context, account int64, reference string) (Posted, error) {
	return l.record(ctx, account, "payment.returned", func(tx *db.Tx) (Entry, error) {
		paid, err := byReference(ctx, tx, account, KindPayment, strings.TrimSpace(reference))
		return Entry{Account: account, Kind: KindPaymentReturned, Micro: paid.Micro, Reference: paid.Reference, Invoice: paid.Invoice}, err
	})
}

// record posts an entry once, with the account's currency held to what it is.
func (l *Ledger) record(ctx context.Context, account int64, action string, make func(tx *db.Tx) (Entry, error)) (done Posted, err error) {
	id, err := l.db.NewIDs(ctx, 1)
	if err != nil {
		return done, err
	}
	err = l.db.InTx(ctx, func(tx *db.Tx) error {
		if _, err := termsOf(ctx, tx, account); err != nil {
			return err
		}
		e, err := make(tx)
		if err != nil {
			return err
		}
		e.ID = id
		posted, err := PostOnce(ctx, tx, l.clock(), e)
		if err != nil {
			return err
		}
		if done, err = byReference(ctx, tx, account, e.Kind, e.Reference); err != nil {
			return err
		}
		if !posted {
			if done.Micro != e.Micro || done.Invoice != e.Invoice {
				return problem.Conflict("payment_differs", "another payment has this reference: %s %s", Money(done.Micro), done.Currency)
			}
			return nil
		}
		_, err = audit.Record(ctx, tx, audit.Entry{Account: account, Action: action, Subject: "acc", SubjectID: account,
			Facts: map[string]any{"amount": Money(e.Micro), "currency": done.Currency}})
		if err != nil {
			return err
		}
		return dun(ctx, tx, account, l.clock())
	})
	return done, err
}

func byReference(ctx context.Context, q db.Querier, account int64, kind Kind, reference string) (Posted, error) {
	all, err := selectEntries(ctx, q, `WHERE account_id = $1 AND kind = $2 AND reference = $3 AND reference <> ''`, account, string(kind), reference)
	if err == nil && len(all) == 0 {
		err = problem.NotFound("payment", reference)
	}
	if err != nil {
		return Posted{}, err
	}
	return all[0], nil
}
