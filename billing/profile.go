package billing

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/billing/invoice"
	"github.com/varsel/varsel/billing/vat"
	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// Seller is who runs the installation and writes its invoices.
type Seller struct {
	invoice.Party
	Payment      invoice.Payment // its Reference is not used
	Currency     string          // of its books, in which it owes VAT
	Zone         string          // IANA name: what day it is when an invoice is finalised
	OSS          bool            // it is in the one-stop shop for VAT
	Prefix       string          // of the numbers of invoices
	CreditPrefix string          // of those of credit notes; another one
	Days         int             // until an invoice is due
}

// Customer is whom an account's invoices are for.
type Customer struct {
	invoice.Party
	Business  bool
	Currency  string // of the invoices
	Language  string // of what people read: en, nb, pl
	Reference string // the customer's own, when an invoice has none
	Email     string
	Check     VATCheck // what the register said; kept by RecordVATCheck
}

// VATCheck is what a register of VAT numbers (VIES) answered.
type VATCheck struct {
	VATID        string // that was asked about
	Valid        bool
	Consultation string // the register's number of the enquiry, as evidence
	Name         string // of who has it, where the register tells
	At           time.Time
}

// valid says whether the number that the customer has now was found valid.
func (c Customer) valid() bool { return c.Check.Valid && c.VATID != "" && c.Check.VATID == c.VATID }

// DeliveredTo is where the customer's invoices are delivered to: the electronic address
// that was given, else what follows from its numbers, else its e-mail address.
func (c Customer) DeliveredTo() invoice.Endpoint {
	if c.Endpoint != (invoice.Endpoint{}) {
		return c.Endpoint
	}
	return endpoint(c.Party, c.Business, c.Email)
}

// deliveredTo is the same of the seller.
func (s Seller) deliveredTo() invoice.Endpoint {
	if s.Endpoint != (invoice.Endpoint{}) {
		return s.Endpoint
	}
	return endpoint(s.Party, true, s.Contact.Email)
}

// bookCurrency is what companies of a country keep their books in.
var bookCurrency = map[string]string{"NO": "NOK", "PL": "PLN", "DK": "DKK", "SE": "SEK", "DE": "EUR"}

// Seller is the installation's; the code no_seller says that there is none yet.
func (b *Invoices) Seller(ctx context.Context) (Seller, error) {
	return seller(ctx, b.db, selectSeller)
}

// SetSeller keeps the seller, in its present zone where none is said. What was finalised stays as it was.
func (b *Invoices) SetSeller(ctx context.Context, s Seller) (Seller, error) {
	s.Party = tidy(s.Party)
	if s.Currency == "" {
		s.Currency = bookCurrency[s.Country]
	}
	if s.Zone == "" {
		present, err := b.Zone(ctx)
		if err != nil {
			return Seller{}, err
		}
		s.Zone = present.String()
	}
	s.Payment.IBAN = strings.ToUpper(strings.ReplaceAll(s.Payment.IBAN, " ", ""))
	if err := s.validate(); err != nil {
		return Seller{}, err
	}
	profile, err := json.Marshal(s)
	if err != nil {
		return Seller{}, err
	}
	return s, b.db.InTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO seller_profile (one, profile, updated_at) VALUES (1, $1, $2)
			ON CONFLICT (one) DO UPDATE SET profile = EXCLUDED.profile, updated_at = EXCLUDED.updated_at`, string(profile), db.Millis(time.Now())); err != nil {
			return err
		}
		_, err := audit.Record(ctx, tx, audit.Entry{Action: "seller.changed", Subject: "seller", Detail: s})
		return err
	})
}

var (
	ibanPattern   = regexp.MustCompile(`^[A-Z]{2}[0-9]{2}[A-Z0-9]{10,30}$`)
	prefixPattern = regexp.MustCompile(`^[A-Z0-9-]{0,8}$`)
)

func (s Seller) validate() error {
	if err := valid(s.Party); err != nil {
		return err
	}
	_, zone := time.LoadLocation(s.Zone)
	switch {
	case !slices.Contains(vat.Sellers, s.Country):
		return problem.Invalid("country", "we know the VAT rules of sellers in %s, not in %q", strings.Join(vat.Sellers, ", "), s.Country)
	case s.Registration == "":
		return problem.Invalid("registration", "a seller has a registration number")
	case s.VATID == "":
		return problem.Invalid("vat_id", "a seller has a VAT number")
	case !slices.Contains(invoice.Currencies, s.Currency):
		return problem.Invalid("currency", "%q is none of %s", s.Currency, strings.Join(invoice.Currencies, ", "))
	case zone != nil:
		return problem.Invalid("zone", "%q is no time zone such as Europe/Oslo", s.Zone)
	case s.Payment.IBAN == "" || !validIBAN(s.Payment.IBAN):
		return problem.Invalid("iban", "%q is no IBAN", s.Payment.IBAN)
	case !prefixPattern.MatchString(s.Prefix) || !prefixPattern.MatchString(s.CreditPrefix) || s.Prefix == s.CreditPrefix:
		return problem.Invalid("prefix", "invoices and credit notes have prefixes of their own, of up to eight capitals, digits and hyphens")
	case s.Days < 0 || s.Days > 365:
		return problem.Invalid("days", "an invoice is due within 0 to 365 days")
	}
	return nil
}

// validIBAN counts the check digits (ISO 13616: modulus 97).
func validIBAN(iban string) bool {
	if !ibanPattern.MatchString(iban) {
		return false
	}
	rest := 0
	for _, r := range iban[4:] + iban[:4] {
		if r >= 'A' {
			rest = (rest*100 + int(r-'A') + 10) % 97
		} else {
			rest = (rest*10 + int(r-'0')) % 97
		}
	}
	return rest == 1
}

// Customer is an account's; the code no_billing_profile says that there is none yet.
func (b *Invoices) Customer(ctx context.Context, account int64) (Customer, error) {
	return customer(ctx, b.db, account)
}

// SetCustomer keeps whom the account's invoices are for. What was finalised stays as it
// was; a check of the VAT number counts as long as the number is the same.
func (b *Invoices) SetCustomer(ctx context.Context, account int64, c Customer) (Customer, error) {
	c.Party, c.Check = tidy(c.Party), VATCheck{}
	if c.Language == "" {
		c.Language = "en"
	}
	if err := c.validate(); err != nil {
		return Customer{}, err
	}
	profile, err := json.Marshal(c)
	if err != nil {
		return Customer{}, err
	}
	if err := b.db.InTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO customer_profiles (account_id, profile, updated_at) VALUES ($1, $2, $3)
			ON CONFLICT (account_id) DO UPDATE SET profile = EXCLUDED.profile, updated_at = EXCLUDED.updated_at`, account, string(profile), db.Millis(time.Now())); err != nil {
			return err
		}
		_, err := audit.Record(ctx, tx, audit.Entry{Account: account, Action: "billing_profile.changed", Subject: "account", SubjectID: account, Detail: c})
		return err
	}); err != nil {
		return Customer{}, err
	}
	return b.Customer(ctx, account)
}

func (c Customer) validate() error {
	if err := valid(c.Party); err != nil {
		return err
	}
	switch {
	case !slices.Contains(invoice.Currencies, c.Currency):
		return problem.Invalid("currency", "%q is none of %s", c.Currency, strings.Join(invoice.Currencies, ", "))
	case !slices.Contains([]string{"en", "nb", "pl"}, c.Language):
		return problem.Invalid("language", "%q is none of en, nb, pl", c.Language)
	case c.Email != "" && !strings.Contains(c.Email, "@"):
		return problem.Invalid("email", "%q is no e-mail address", c.Email)
	case c.DeliveredTo().ID == "":
		return problem.Invalid("endpoint", "say where invoices are delivered to: an electronic address, or an e-mail address")
	}
	return nil
}

// RecordVATCheck keeps what the register answered about the account's VAT number.
func (b *Invoices) RecordVATCheck(ctx context.Context, account int64, check VATCheck) error {
	if strings.TrimSpace(check.Consultation) == "" && check.Valid {
		return problem.Invalid("consultation", "give the register's number of the enquiry: it is the evidence")
	}
	return b.keepCheck(ctx, account, check)
}

func (b *Invoices) keepCheck(ctx context.Context, account int64, check VATCheck) error {
	return b.db.InTx(ctx, func(tx *db.Tx) error {
		c, err := customer(ctx, tx, account)
		if err != nil {
			return err
		}
		check.VATID = vat.Tidy(c.Country, check.VATID)
		if check.VATID == "" || check.VATID != c.VATID {
			return problem.Invalid("vat_id", "the customer's VAT number is %q", c.VATID)
		}
		text, err := json.Marshal(check)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE customer_profiles SET vat_check = $1 WHERE account_id = $2`, string(text), account); err != nil {
			return err
		}
		_, err = audit.Record(ctx, tx, audit.Entry{Account: account, Action: "vat_number.checked", Subject: "account", SubjectID: account, Detail: check})
		return err
	})
}

func tidy(p invoice.Party) invoice.Party {
	p.Country = strings.ToUpper(strings.TrimSpace(p.Country))
	p.Name, p.VATID = strings.TrimSpace(p.Name), vat.Tidy(p.Country, p.VATID)
	p.Registration = strings.TrimSpace(p.Registration)
	if slices.Contains([]string{"NO", "DK", "SE"}, p.Country) {
		p.Registration = strings.NewReplacer(" ", "", "-", "").Replace(p.Registration)
	}
	return p
}

var countryPattern = regexp.MustCompile(`^[A-Z]{2}$`)

// valid refuses what no invoice could be made for.
func valid(p invoice.Party) error {
	switch {
	case p.Name == "":
		return problem.Invalid("name", "an invoice names both parties")
	case !countryPattern.MatchString(p.Country):
		return problem.Invalid("country", "%q is no country code such as NO", p.Country)
	case strings.TrimSpace(p.Street) == "" || strings.TrimSpace(p.City) == "":
		return problem.Invalid("address", "an invoice has both addresses: street and city at least")
	case p.VATID != "" && !vat.WellFormed(p.Country, p.VATID):
		return problem.Invalid("vat_id", "%q is no VAT number of %s", p.VATID, p.Country)
	}
	return nil
}

// schemes are the electronic addresses by country (EAS): by registration number where
// the network knows companies so, else by VAT number.
var schemes = map[string]struct {
	code  string
	byVAT bool
}{
	"NO": {code: "0192"}, "DK": {code: "0184"}, "SE": {code: "0007"},
	"DE": {"9930", true}, "PL": {"9945", true}, "GB": {"9932", true}, "AT": {"9914", true}, "BE": {"9925", true}, "IE": {"9935", true},
	"NL": {"9944", true}, "FI": {"0213", true}, "FR": {"9957", true}, "ES": {"9920", true}, "EE": {"9931", true}, "LV": {"9939", true}, "LT": {"9937", true},
}

// endpoint is where a party is reached by what else is known of it: as a company, else by
// e-mail.
func endpoint(p invoice.Party, company bool, email string) invoice.Endpoint {
	s, known := schemes[p.Country]
	id := p.Registration
	switch {
	case s.byVAT:
		id = p.VATID
	case p.Country == "DK" && id != "":
		id = "DK" + strings.TrimPrefix(id, "DK")
	}
	if company && known && id != "" {
		return invoice.Endpoint{Scheme: s.code, ID: id}
	}
	return invoice.Endpoint{Scheme: "EM", ID: email}
}

// asGiven leaves out an address that follows anyway, so that it goes on following the
// numbers that it is made of.
func asGiven(given, follows invoice.Endpoint) invoice.Endpoint {
	if given == follows {
		return invoice.Endpoint{}
	}
	return given
}

const selectSeller = `SELECT profile FROM seller_profile WHERE one = 1`

func seller(ctx context.Context, q db.Querier, query string) (s Seller, err error) {
	var profile string
	err = q.QueryRowContext(ctx, query).Scan(&profile)
	if db.IsNone(err) {
		return s, problem.Conflict("no_seller", "the installation has not said yet who its invoices are from")
	}
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal([]byte(profile), &s); err != nil {
		return s, err
	}
	s.Endpoint = asGiven(s.Endpoint, endpoint(s.Party, true, s.Contact.Email))
	return s, nil
}

func customer(ctx context.Context, q db.Querier, account int64) (c Customer, err error) {
	var profile, check string
	err = q.QueryRowContext(ctx, `SELECT profile, vat_check FROM customer_profiles WHERE account_id = $1`, account).Scan(&profile, &check)
	if db.IsNone(err) {
		return c, problem.Conflict("no_billing_profile", "it is not known yet whom the account's invoices are for")
	}
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal([]byte(profile), &c); err != nil {
		return c, err
	}
	c.Endpoint = asGiven(c.Endpoint, endpoint(c.Party, c.Business, c.Email))
	if check == "" {
		return c, nil
	}
	return c, json.Unmarshal([]byte(check), &c.Check)
}
