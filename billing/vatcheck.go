package billing

import (
	"context"
	"log/slog"
	"time"

	"github.com/varsel/varsel/billing/vat"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// LookUpVAT asks the Union's register about the account's VAT number and keeps the
// answer. Only a seller in the Union gets a number of the enquiry.
func (b *Invoices) LookUpVAT(ctx context.Context, account int64) (VATCheck, error) {
	c, err := b.Customer(ctx, account)
	if err != nil {
		return VATCheck{}, err
	}
	if c.VATID == "" || !vat.InUnion(c.Country) {
		return VATCheck{}, problem.Invalid("vat_id", "the register has the VAT numbers of the European Union, and the customer has none of them")
	}
	s, err := b.Seller(ctx)
	if err != nil {
		return VATCheck{}, err
	}
	requester := ""
	if vat.InUnion(s.Country) {
		requester = s.VATID
	}
	said, err := b.register.Ask(ctx, c.VATID, requester)
	if err != nil {
		return VATCheck{}, err
	}
	check := VATCheck{VATID: c.VATID, Valid: said.Valid, Consultation: said.Consultation, Name: said.Name, At: said.At}
	return check, b.keepCheck(ctx, account, check)
}

// unasked says whether the register's answer decides about the VAT and is not known: a
// business elsewhere in the Union than the seller, whose number nobody asked about.
func unasked(s Seller, c Customer) bool {
	return c.Business && c.VATID != "" && c.Check.VATID != c.VATID && c.Country != s.Country && vat.InUnion(s.Country) && vat.InUnion(c.Country)
}

// A number that was valid may end. It is asked about again after checkAfter, and no more
// than checksAtOnce in a run: the register throttles.
const (
	checkAfter   = 30 * 24 * time.Hour
	checksAtOnce = 100
)

// LookUpOld asks about the numbers that nobody asked about and that decide, and again
// about those whose last answer is old. What the register does not answer stays as it was.
func (b *Invoices) LookUpOld(ctx context.Context) error {
	s, err := b.Seller(ctx)
	if problem.Has(err, "no_seller") {
		return nil
	}
	if err != nil {
		return err
	}
	all, err := db.Column[int64](ctx, b.db, `SELECT account_id FROM customer_profiles ORDER BY account_id`)
	if err != nil {
		return err
	}
	asked := 0
	for _, account := range all {
		c, err := b.Customer(ctx, account)
		if err != nil {
			return err
		}
		old := vat.InUnion(c.Country) && c.valid() && time.Since(c.Check.At) >= checkAfter
		if !old && !unasked(s, c) {
			continue
		}
		if asked++; asked > checksAtOnce {
			return nil
		}
		check, err := b.LookUpVAT(ctx, account)
		if refused := problem.As(err); refused != nil {
			slog.Warn("a VAT number could not be looked up", "account", account, "error", err)
			continue
		}
		if err != nil {
			return err
		}
		if !check.Valid {
			slog.Warn("a customer's VAT number is not valid", "account", account)
		}
	}
	return nil
}
