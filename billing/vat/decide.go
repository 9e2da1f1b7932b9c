// Package vat says how a sale of our services is taxed, by the days of supply: where the
// seller and the customer are, whether the customer is a business, and whether its VAT
// number was found valid. It is pure; nothing here asks a register.
//
// What is sold are services of telecommunication and by electronic means (VAT Directive
// 2006/112/EC Art. 24(2), 58), remote services in Norwegian law.
package vat

import (
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/billing/invoice"
	"github.com/varsel/varsel/internal/problem"
)

// Sale is what decides about the tax.
type Sale struct {
	From, To     time.Time // days of supply, both included
	Seller       string    // ISO 3166-1 alpha-2
	SellerVATID  string
	OSS          bool // the seller is in the one-stop shop: consumers pay their country's rate
	Customer     string
	Business     bool
	CustomerVAT  string // tidy, or empty
	CustomerGood bool   // the register (VIES) said that it is valid
}

// Sellers are the countries that we know the rules of a seller of.
var Sellers = []string{"NO", "PL", "DK", "SE", "DE"}

// union are the member states of the European Union.
var union = strings.Fields("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK")

// InUnion says whether a country is a member state of the European Union.
func InUnion(country string) bool { return slices.Contains(union, country) }

// Decide says how a sale is taxed. It refuses with the code no_vat_rule what there is no
// rule for, rather than guess, and with vat_rate_changed what has more than one rate.
func Decide(s Sale) (invoice.VAT, error) {
	switch {
	case !slices.Contains(Sellers, s.Seller):
		return invoice.VAT{}, noRule("we know no VAT rules of a seller in %q", s.Seller)
	case s.SellerVATID == "":
		return invoice.VAT{}, noRule("the seller has no VAT number")
	case s.Customer == s.Seller:
		return s.rateOf(s.Seller)
	case s.Seller == "NO":
		return s.fromNorway()
	case InUnion(s.Customer):
		return s.withinUnion()
	}
	return outside(s.Seller), nil
}

// fromNorway: remote services to anyone abroad are zero-rated (merverdiavgiftsloven §
// 6-22 second paragraph, since 2023 for private persons too). Consumers in the Union pay
// their country's VAT from the first euro on, so a seller outside it needs the one-stop
// shop for them (Directive Art. 58, 358a).
func (s Sale) fromNorway() (invoice.VAT, error) {
	if InUnion(s.Customer) && !s.Business {
		if !s.OSS {
			return invoice.VAT{}, noRule("a consumer in the European Union pays the VAT of their country: a seller in Norway has to be in the one-stop shop")
		}
		return s.rateOf(s.Customer)
	}
	return invoice.VAT{Category: invoice.Export, Code: "VATEX-EU-G",
		Reason: "Export of services, zero-rated / Fritatt for merverdiavgift, merverdiavgiftsloven § 6-22"}, nil
}

// withinUnion: a business with a valid VAT number owes the tax itself (Directive Art.
// 44, 196). One without counts as a consumer (Implementing Regulation 282/2011 Art. 18),
// who pays the seller's rate, or in the one-stop shop their own country's (Art. 58, 59c).
func (s Sale) withinUnion() (invoice.VAT, error) {
	switch {
	case s.Business && s.CustomerGood && WellFormed(s.Customer, s.CustomerVAT):
		return invoice.VAT{Category: invoice.ReverseCharge, Code: "VATEX-EU-AE", Reason: "Reverse charge" + reverseWords[s.Seller]}, nil
	case s.OSS:
		return s.rateOf(s.Customer)
	}
	return s.rateOf(s.Seller)
}

// reverseWords is how a seller's country wants it said besides (Directive Art. 226(11a)
// gives the English words their translations).
var reverseWords = map[string]string{
	"DE": " / Steuerschuldnerschaft des Leistungsempfängers",
	"DK": " / Omvendt betalingspligt",
	"PL": " / odwrotne obciążenie",
	"SE": " / Omvänd betalningsskyldighet",
}

// outside: to businesses and consumers outside the Union the place of supply is theirs
// (Directive Art. 44, 58), so the sale is outside the scope of the seller's VAT.
func outside(seller string) invoice.VAT {
	return invoice.VAT{Category: invoice.NotSubject, Code: "VATEX-EU-O", Reason: "Not subject to VAT, place of supply outside the European Union" + outsideWords[seller]}
}

var outsideWords = map[string]string{
	"DE": " / Nicht im Inland steuerbare Leistung",
	"DK": " / Leveringssted uden for EU",
	"PL": " / Usługa niepodlegająca opodatkowaniu w kraju (np)",
	"SE": " / Omsättning utanför EU",
}

func (s Sale) rateOf(country string) (invoice.VAT, error) {
	r, found := RateOn(country, s.To)
	if !found {
		return invoice.VAT{}, noRule("we have no VAT rate of %s on %s", country, s.To.Format(time.DateOnly))
	}
	if r.From.After(s.From) {
		return invoice.VAT{}, problem.Conflict("vat_rate_changed", "the VAT rate of %s changed on %s: what was supplied before is invoiced by itself", country, r.From.Format(time.DateOnly))
	}
	return invoice.VAT{Category: invoice.Standard, Rate: r.Percent}, nil
}

func noRule(format string, args ...any) error {
	return problem.Conflict("no_vat_rule", format, args...)
}
