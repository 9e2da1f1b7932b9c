package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

const (
	balancePath = "/v1/balance"
	ledgerPath  = "/v1/ledger"
)

// ledgerRoutes: an account reads its balance and its ledger; terms and payments are the
// operators'.
func (s Services) ledgerRoutes(a huma.API) {
	const read, may = accounts.ScopeBillingRead, accounts.ScopeInstallation
	const ofAccount = installationAccountsPath + "/{account}"
	add(a, route{"GET", balancePath, "readBalance", read, "Read what is owed, set aside and available", http.StatusOK, false}, s.readBalance)
	add(a, route{"GET", ledgerPath, "listLedger", read, "List the entries of the ledger, the newest first", http.StatusOK, false}, s.listLedger)

	add(a, route{"GET", ofAccount + "/balance", "readBalanceOf", may, "Read what an account owes, has set aside and may spend", http.StatusOK, false}, s.readBalanceOf)
	add(a, route{"GET", ofAccount + "/ledger", "listLedgerOf", may, "List the entries of an account's ledger, the newest first", http.StatusOK, false}, s.listLedgerOf)
	add(a, route{"POST", ofAccount + "/terms", "setTerms", may, "Say how an account pays: in advance, or later with or without a limit", http.StatusOK, false}, s.setTerms)
	add(a, route{"POST", ofAccount + "/payments", "recordPayment", may, "Record what an account has paid, without VAT; the same reference is recorded once", http.StatusOK, false}, s.recordPayment)
	add(a, route{"POST", ofAccount + "/payments/return", "returnPayment", may, "Record that a payment went back or was none: the whole of it, once", http.StatusOK, false}, s.returnPayment)
}

// balance is in decimals of the currency, without VAT.
type balance struct {
	Currency    string     `json:"currency" example:"EUR" doc:"ISO 4217."`
	Terms       string     `json:"terms" enum:"prepaid,limit,unlimited" doc:"prepaid: what was paid in advance may be spent. limit: what is owed stays within the limit. unlimited: nothing is held for want of money."`
	Limit       string     `json:"limit,omitempty" doc:"Of the terms limit." example:"500.00"`
	Available   string     `json:"available,omitempty" doc:"What may be spent now; negative after a limit was lowered. Missing where there is no limit." example:"431.275"`
	Owed        string     `json:"owed" doc:"What the account owes, with what is set aside; negative: it has paid in advance." example:"68.725"`
	Reserved    string     `json:"reserved" doc:"Of it: set aside for messages under way." example:"4.50"`
	Unbilled    string     `json:"unbilled" doc:"Of it: earned, and on no invoice yet." example:"64.225"`
	Billed      string     `json:"billed" doc:"On invoices, less credit notes, as long as the ledger goes back." example:"568.11"`
	Rounding    string     `json:"rounding" doc:"What lines of invoices gained by being whole cents." example:"0.005"`
	Paid        string     `json:"paid" doc:"What was paid, less what went back." example:"568.11"`
	SuspendDays int        `json:"suspend_days,omitempty" doc:"Directories are not followed while an invoice is unpaid so many days after it was due. Missing: they always are." example:"30"`
	SuspendedAt *time.Time `json:"suspended_at,omitempty" doc:"Since when they are not. They are again within the hour, or at once when a payment is recorded."`
}

func shownBalance(b billing.Balance) balance {
	out := balance{Currency: b.Currency, Terms: termsWord(b.Terms), Owed: billing.Money(b.Receivable), Reserved: billing.Money(-b.Reserved),
		Unbilled: billing.Money(-b.Unbilled), Billed: billing.Money(-b.Billed), Rounding: billing.Money(-b.Rounding), Paid: billing.Money(b.Paid)}
	if !b.Unlimited {
		out.Available = billing.Money(b.Available())
	}
	if out.Terms == "limit" {
		out.Limit = billing.Money(b.Limit)
	}
	out.SuspendDays, out.SuspendedAt = b.Suspend, whenever(b.Suspended)
	return out
}

func termsWord(t billing.Terms) string {
	switch {
	case t.Prepaid:
		return "prepaid"
	case t.Unlimited:
		return "unlimited"
	}
	return "limit"
}

func (s Services) readBalance(ctx context.Context, _ *struct{}) (*answer[balance], error) {
	return s.balanceOf(ctx, accountOf(ctx))
}

func (s Services) balanceOf(ctx context.Context, account int64) (*answer[balance], error) {
	b, err := s.Ledger.Balance(ctx, account)
	return &answer[balance]{Body: shownBalance(b)}, err
}

func (s Services) readBalanceOf(ctx context.Context, in *ofAccount) (*answer[balance], error) {
	acc, err := s.Accounts.ByHandle(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	return s.balanceOf(ctx, acc.ID)
}

// ledgerEntry moves an amount from one ledger account to another.
type ledgerEntry struct {
	ID        string    `json:"id" example:"ent_0t3kzjv5m6n8q9x2w4y7b1c0df"`
	At        time.Time `json:"at"`
	Kind      string    `json:"kind" enum:"reserve,release,charge,fee,bill,rounding_up,rounding_down,credit,payment,payment_returned"`
	Debit     string    `json:"debit" enum:"receivable,reserved,unbilled,billed,rounding,paid" doc:"The ledger account that it is debited to."`
	Credit    string    `json:"credit" enum:"receivable,reserved,unbilled,billed,rounding,paid" doc:"The ledger account that it is credited to."`
	Amount    money     `json:"amount" doc:"Without VAT."`
	Messages  int       `json:"messages,omitempty"`
	Parts     int       `json:"parts,omitempty"`
	Country   string    `json:"country,omitempty" doc:"ISO 3166 alpha-2, of the numbers." example:"NO"`
	PartPrice string    `json:"part_price,omitempty" doc:"What a part costs; of a fee, its price." example:"0.045"`
	Lane      string    `json:"lane,omitempty"`
	Campaign  string    `json:"campaign,omitempty" doc:"cmp_..."`
	Invoice   string    `json:"invoice,omitempty" doc:"inv_..."`
	Reference string    `json:"reference,omitempty" doc:"What it was posted for, once for each kind."`
}

func (s Services) ledgerEntry(p billing.Posted) ledgerEntry {
	out := ledgerEntry{ID: s.entryName(p), At: at(p.At), Kind: string(p.Kind), Debit: p.Debit, Credit: p.Credit, Amount: moneyOf(p.Micro, p.Currency),
		Messages: p.Messages, Parts: p.Parts, Country: p.Country, Lane: p.Lane, Reference: p.Reference}
	if p.Unit != 0 {
		out.PartPrice = billing.Money(p.Unit)
	}
	if p.Campaign != 0 {
		out.Campaign = s.Names.Of(secrets.Campaign, p.Campaign)
	}
	if p.Invoice != 0 {
		out.Invoice = s.Names.Of(secrets.Invoice, p.Invoice)
	}
	return out
}

func (s Services) entryName(p billing.Posted) string { return s.Names.Of(secrets.Entry, p.ID) }

// LedgerFilter chooses entries; what is empty chooses all.
type LedgerFilter struct {
	Page
	Kind     string    `query:"kind" enum:"reserve,release,charge,fee,bill,rounding_up,rounding_down,credit,payment,payment_returned"`
	Campaign string    `query:"campaign" doc:"cmp_..."`
	Invoice  string    `query:"invoice" doc:"inv_..."`
	Country  string    `query:"country" doc:"ISO 3166 alpha-2."`
	Ref      string    `query:"reference" doc:"The whole of it."`
	From     time.Time `query:"from" doc:"At this time or later."`
	Until    time.Time `query:"until" doc:"Before this time."`
}

func (s Services) ledgerPage(ctx context.Context, account int64, in LedgerFilter) (*answer[list[ledgerEntry]], error) {
	before, err := in.from(s.Names, secrets.Entry)
	if err != nil {
		return nil, err
	}
	f := billing.EntryFilter{Kind: billing.Kind(in.Kind), Country: in.Country, Reference: in.Ref, From: in.From, Until: in.Until, Before: before, Limit: in.Limit + 1}
	for _, named := range []struct {
		prefix, name string
		into         *int64
	}{{secrets.Campaign, in.Campaign, &f.Campaign}, {secrets.Invoice, in.Invoice, &f.Invoice}} {
		if named.name == "" {
			continue
		}
		if *named.into, err = s.Names.ID(named.prefix, named.name); err != nil {
			return nil, err
		}
	}
	rows, err := s.Ledger.Entries(ctx, account, f)
	if err != nil {
		return nil, err
	}
	return pageOf(rows, in.Limit, s.ledgerEntry, s.entryName), nil
}

func (s Services) listLedger(ctx context.Context, in *LedgerFilter) (*answer[list[ledgerEntry]], error) {
	return s.ledgerPage(ctx, accountOf(ctx), *in)
}

type listLedgerOf struct {
	Account string `path:"account" example:"acme"`
	LedgerFilter
}

func (s Services) listLedgerOf(ctx context.Context, in *listLedgerOf) (*answer[list[ledgerEntry]], error) {
	acc, err := s.Accounts.ByHandle(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	return s.ledgerPage(ctx, acc.ID, in.LedgerFilter)
}

type newTerms struct {
	Terms       string `json:"terms" enum:"prepaid,limit,unlimited" example:"limit"`
	Limit       *money `json:"limit,omitempty" doc:"Of the terms limit: what may be owed at the most."`
	SuspendDays int    `json:"suspend_days,omitempty" minimum:"0" maximum:"365" doc:"Directories are not followed while an invoice is unpaid so many days after it was due. Left out, or 0: they always are." example:"30"`
}

type setTerms struct {
	Account string `path:"account" example:"acme"`
	Body    newTerms
}

func (s Services) setTerms(ctx context.Context, in *setTerms) (*answer[balance], error) {
	acc, err := s.Accounts.ByHandle(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	t := billing.Terms{Prepaid: in.Body.Terms == "prepaid", Unlimited: in.Body.Terms == "unlimited", Suspend: in.Body.SuspendDays}
	if in.Body.Limit == nil && in.Body.Terms == "limit" {
		return nil, problem.Invalid("limit", "the terms limit have one")
	}
	if in.Body.Limit != nil {
		if t.Limit, err = microOf("limit", *in.Body.Limit, acc); err != nil {
			return nil, err
		}
	}
	if err := s.Ledger.SetTerms(ctx, acc.ID, t); err != nil {
		return nil, err
	}
	return s.balanceOf(ctx, acc.ID)
}

// microOf is an amount in micro-units of the account's currency.
func microOf(field string, m money, acc accounts.Account) (int64, error) {
	if m.Currency != acc.Currency {
		return 0, problem.Invalid(field, "the account pays in %s, not in %s", acc.Currency, m.Currency)
	}
	return m.micro(), nil
}

type newPayment struct {
	Amount    money  `json:"amount" doc:"Without VAT: of an invoice, its net."`
	Reference string `json:"reference" maxLength:"100" doc:"The bank's. The same again is the payment that is there." example:"20261101-0042"`
	Invoice   string `json:"invoice,omitempty" doc:"inv_... that it pays."`
}

type recordPayment struct {
	Account string `path:"account" example:"acme"`
	Body    newPayment
}

func (s Services) recordPayment(ctx context.Context, in *recordPayment) (*answer[ledgerEntry], error) {
	acc, err := s.Accounts.ByHandle(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	p := billing.Payment{Reference: in.Body.Reference}
	if p.Micro, err = microOf("amount", in.Body.Amount, acc); err != nil {
		return nil, err
	}
	if in.Body.Invoice != "" {
		if p.Invoice, err = s.Names.ID(secrets.Invoice, in.Body.Invoice); err != nil {
			return nil, err
		}
	}
	paid, err := s.Ledger.Pay(ctx, acc.ID, p)
	if err != nil {
		return nil, err
	}
	return &answer[ledgerEntry]{Body: s.ledgerEntry(paid)}, nil
}

type newReturn struct {
	Reference string `json:"reference" maxLength:"100" doc:"Of the payment." example:"20261101-0042"`
}

type returnPayment struct {
	Account string `path:"account" example:"acme"`
	Body    newReturn
}

func (s Services) returnPayment(ctx context.Context, in *returnPayment) (*answer[ledgerEntry], error) {
	acc, err := s.Accounts.ByHandle(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	back, err := s.Ledger.ReturnPayment(ctx, acc.ID, in.Body.Reference)
	if err != nil {
		return nil, err
	}
	return &answer[ledgerEntry]{Body: s.ledgerEntry(back)}, nil
}
