package invoice

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Violation is a business rule that a document breaks. Rule is its name in EN 16931
// (BR-...) or in Peppol BIS Billing 3 (PEPPOL-..., NO-R-...).
type Violation struct{ Rule, Text string }

func (v Violation) String() string { return v.Rule + ": " + v.Text }

// Check inspects a written document. It shares nothing with what writes documents: it
// reads the XML and counts again, in exact fractions.
func Check(document []byte) []Violation {
	root, err := parse(document)
	if err != nil {
		return []Violation{{"XML", err.Error()}}
	}
	c := &check{doc: root}
	switch root.name {
	case "Invoice":
		c.kind, c.quantity, c.typeCode = "Invoice", "cbc:InvoicedQuantity", "380"
	case "CreditNote":
		c.kind, c.quantity, c.typeCode = "CreditNote", "cbc:CreditedQuantity", "381"
	default:
		return []Violation{{"XML", "the document is neither an invoice nor a credit note"}}
	}
	for _, rules := range []func(){c.head, c.parties, c.ids, c.payment, c.decimals, c.lines, c.sums, c.breakdown, c.categories, c.books, c.national} {
		rules()
	}
	return c.found
}

type check struct {
	doc                      *element
	kind, quantity, typeCode string
	found                    []Violation
}

func (c *check) that(holds bool, rule, format string, args ...any) {
	if !holds {
		c.found = append(c.found, Violation{rule, fmt.Sprintf(format, args...)})
	}
}

const (
	sellerPath = "cac:AccountingSupplierParty/cac:Party"
	buyerPath  = "cac:AccountingCustomerParty/cac:Party"
)

func (c *check) head() {
	d := c.doc
	c.that(strings.HasPrefix(d.value("cbc:CustomizationID"), "urn:cen.eu:en16931:2017"), "BR-01", "there is no specification identifier")
	c.that(d.value("cbc:CustomizationID") == "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0", "PEPPOL-EN16931-R004", "it is another specification than BIS Billing 3")
	c.that(d.value("cbc:ProfileID") == "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0", "PEPPOL-EN16931-R007", "the business process is not billing")
	c.that(d.value("cbc:ID") != "", "BR-02", "there is no number")
	c.that(isDay(d.value("cbc:IssueDate")), "BR-03", "there is no issue date")
	c.that(d.value("cbc:"+c.kind+"TypeCode") == c.typeCode, "BR-04", "the type code is not %s", c.typeCode)
	c.that(slices.Contains([]string{"EUR", "NOK", "SEK", "DKK", "PLN", "GBP"}, d.value("cbc:DocumentCurrencyCode")), "BR-05", "there is no currency that we use")
	c.that(d.value("cbc:BuyerReference") != "", "PEPPOL-EN16931-R003", "there is no reference of the buyer's")
	c.that(len(d.all("cbc:Note")) <= 1, "PEPPOL-EN16931-R002", "there is more than one note")
	c.that(len(d.all("cac:"+c.kind+"Line")) > 0, "BR-16", "there is no line")
	from, to := d.value("cac:InvoicePeriod/cbc:StartDate"), d.value("cac:InvoicePeriod/cbc:EndDate")
	c.that(isDay(from) && isDay(to) && from <= to, "BR-29", "the period ends before it begins, or is not said")
	if c.kind == "CreditNote" {
		c.that(d.value("cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID") != "", "BR-55", "the credit note refers to no invoice")
	}
	d.walk(func(e *element) {
		c.that(len(e.kids) > 0 || e.text != "", "PEPPOL-EN16931-R008", "%s is empty", e.name)
		if name := e.attrs["currencyID"]; name != "" {
			c.that(name == d.value("cbc:DocumentCurrencyCode") || name == d.value("cbc:TaxCurrencyCode"), "PEPPOL-EN16931-R051", "%s is in %s", e.name, name)
		}
	})
}

func (c *check) parties() {
	for _, p := range []struct{ path, name, address, country, endpoint, who string }{
		{sellerPath, "BR-06", "BR-08", "BR-09", "PEPPOL-EN16931-R020", "seller"},
		{buyerPath, "BR-07", "BR-10", "BR-11", "PEPPOL-EN16931-R010", "buyer"},
	} {
		party := c.doc.one(p.path)
		c.that(party.value("cac:PartyLegalEntity/cbc:RegistrationName") != "", p.name, "the %s has no name", p.who)
		c.that(party.one("cac:PostalAddress") != nil, p.address, "the %s has no address", p.who)
		c.that(twoCapitals.MatchString(party.value("cac:PostalAddress/cac:Country/cbc:IdentificationCode")), p.country, "the %s has no country", p.who)
		end := party.one("cbc:EndpointID")
		c.that(end.value("") != "", p.endpoint, "the %s has no electronic address", p.who)
		c.that(end != nil && slices.Contains(easCodes, end.attrs["schemeID"]), "BR-CL-25", "the scheme of the %s's electronic address is not on the list", p.who)
		for _, id := range party.all("cac:PartyTaxScheme") {
			if id.value("cac:TaxScheme/cbc:ID") == "VAT" {
				c.that(vatPrefix.MatchString(id.value("cbc:CompanyID")), "BR-CO-09", "the %s's VAT number has no country", p.who)
			}
		}
	}
	seller := c.doc.one(sellerPath)
	c.that(seller.value("cac:PartyLegalEntity/cbc:CompanyID") != "" || vatID(seller) != "", "BR-CO-26", "the seller has neither a registration number nor a VAT number")
}

var (
	twoCapitals = regexp.MustCompile(`^[A-Z]{2}$`)
	vatPrefix   = regexp.MustCompile(`^[A-Z]{2}[0-9A-Z+*]+$`)
	easCodes    = []string{"0007", "0088", "0106", "0184", "0190", "0191", "0192", "0196", "0198", "0199", "0204", "0208", "0209", "0210", "0211",
		"0212", "0213", "0216", "0217", "0218", "0220", "0221", "0225", "9910", "9913", "9914", "9915", "9918", "9919", "9920", "9922", "9923", "9924", "9925",
		"9926", "9927", "9928", "9929", "9930", "9931", "9932", "9933", "9934", "9935", "9936", "9937", "9938", "9939", "9940", "9941", "9942", "9943",
		"9944", "9945", "9946", "9947", "9948", "9949", "9950", "9951", "9952", "9953", "9957", "0002", "EM"}
)

// vatID is a party's VAT number, empty for none.
func vatID(party *element) string {
	for _, id := range party.all("cac:PartyTaxScheme") {
		if id.value("cac:TaxScheme/cbc:ID") == "VAT" {
			return id.value("cbc:CompanyID")
		}
	}
	return ""
}

// ids looks at the numbers that have a check digit.
func (c *check) ids() {
	c.doc.walk(func(e *element) {
		switch e.attrs["schemeID"] {
		case "0192":
			c.that(norwegian(e.text), "PEPPOL-COMMON-R041", "%q is no Norwegian organisation number", e.text)
		case "0184":
			c.that(danish.MatchString(e.text), "PEPPOL-COMMON-R042", "%q is no Danish CVR number", e.text)
		case "0007":
			c.that(swedish(e.text), "PEPPOL-COMMON-R049", "%q is no Swedish organisation number", e.text)
		case "0088":
			c.that(gln(e.text), "PEPPOL-COMMON-R040", "%q is no GLN", e.text)
		}
	})
}

var (
	danish = regexp.MustCompile(`^DK[0-9]{8}$`)
	digits = regexp.MustCompile(`^[0-9]+$`)
)

func norwegian(number string) bool {
	if len(number) != 9 || !digits.MatchString(number) {
		return false
	}
	sum := 0
	for i, weight := range []int{3, 2, 7, 6, 5, 4, 3, 2, 1} {
		sum += weight * int(number[i]-'0')
	}
	return sum%11 == 0
}

func swedish(number string) bool {
	if len(number) != 10 || !digits.MatchString(number) {
		return false
	}
	sum := 0
	for i := range number {
		n := int(number[i]-'0') * (2 - i%2)
		sum += n/10 + n%10
	}
	return sum%10 == 0
}

func gln(number string) bool {
	if len(number) != 13 || !digits.MatchString(number) {
		return false
	}
	sum := 0
	for i := range number {
		sum += int(number[i]-'0') * (1 + 2*(i%2))
	}
	return sum%10 == 0
}

func (c *check) payment() {
	due := c.doc.value("cac:LegalMonetaryTotal/cbc:PayableAmount")
	if rat(due).Sign() > 0 {
		c.that(c.doc.value("cbc:DueDate") != "" || c.doc.value("cac:PaymentTerms/cbc:Note") != "", "BR-CO-25", "nobody says until when to pay")
	}
	for _, means := range c.doc.all("cac:PaymentMeans") {
		code := means.value("cbc:PaymentMeansCode")
		c.that(slices.Contains([]string{"30", "42", "58"}, code), "BR-49", "the means of payment is not one that we use")
		c.that(means.value("cac:PayeeFinancialAccount/cbc:ID") != "", "BR-61", "a transfer without an account")
		if code == "42" {
			c.that(len(means.value("cac:PayeeFinancialAccount/cac:FinancialInstitutionBranch/cbc:ID")) == 4, "DK-R-006", "a Danish account without its registration number")
		}
	}
}

// decimals: amounts have two at most, but for the price of one (BR-DEC-*).
func (c *check) decimals() {
	c.doc.walk(func(e *element) {
		if !strings.HasSuffix(e.name, "Amount") {
			return
		}
		c.that(number.MatchString(e.text), "BR-DEC", "%s is no amount: %q", e.name, e.text)
		if _, after, _ := strings.Cut(e.text, "."); e.name != "cbc:PriceAmount" {
			c.that(len(after) <= 2, decimalRule[e.name], "%s has more than two decimals: %s", e.name, e.text)
		}
	})
}

var (
	number      = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)
	decimalRule = map[string]string{"cbc:TaxExclusiveAmount": "BR-DEC-12", "cbc:TaxInclusiveAmount": "BR-DEC-14", "cbc:PrepaidAmount": "BR-DEC-16", "cbc:PayableAmount": "BR-DEC-18",
		"cbc:TaxableAmount": "BR-DEC-19", "cbc:TaxAmount": "BR-DEC-20", "cbc:LineExtensionAmount": "BR-DEC-23"}
)

func (c *check) lines() {
	seen := map[string]bool{}
	for _, l := range c.doc.all("cac:" + c.kind + "Line") {
		id := l.value("cbc:ID")
		c.that(id != "" && !seen[id], "BR-21", "a line without a number of its own")
		seen[id] = true
		quantity := l.one(c.quantity)
		c.that(number.MatchString(quantity.value("")), "BR-22", "line %s has no quantity", id)
		c.that(quantity != nil && slices.Contains([]string{"C62", "MON", "DAY"}, quantity.attrs["unitCode"]), "BR-CL-23", "line %s is counted in a unit that we do not use", id)
		c.that(l.value("cbc:LineExtensionAmount") != "", "BR-24", "line %s has no amount", id)
		c.that(l.value("cac:Item/cbc:Name") != "", "BR-25", "line %s has no name", id)
		price := l.value("cac:Price/cbc:PriceAmount")
		c.that(price != "", "BR-26", "line %s has no price", id)
		c.that(rat(price).Sign() >= 0, "BR-27", "line %s has a price below zero", id)
		c.that(l.value("cac:Item/cac:ClassifiedTaxCategory/cbc:ID") != "", "BR-CO-04", "line %s has no VAT category", id)
		want := cents(new(big.Rat).Mul(rat(quantity.value("")), rat(price)))
		c.that(want.Cmp(rat(l.value("cbc:LineExtensionAmount"))) == 0, "PEPPOL-EN16931-R120", "line %s is %s and not %s", id, l.value("cbc:LineExtensionAmount"), want.FloatString(2))
		c.linePeriod(l, id)
	}
}

func (c *check) linePeriod(l *element, id string) {
	from, to := l.value("cac:InvoicePeriod/cbc:StartDate"), l.value("cac:InvoicePeriod/cbc:EndDate")
	if from == "" && to == "" {
		return
	}
	c.that(from <= to, "BR-30", "the period of line %s ends before it begins", id)
	c.that(from >= c.doc.value("cac:InvoicePeriod/cbc:StartDate"), "PEPPOL-EN16931-R110", "line %s begins before the document's period", id)
	c.that(to <= c.doc.value("cac:InvoicePeriod/cbc:EndDate"), "PEPPOL-EN16931-R111", "line %s ends after the document's period", id)
}

func (c *check) sums() {
	sum := new(big.Rat)
	for _, l := range c.doc.all("cac:" + c.kind + "Line") {
		sum.Add(sum, rat(l.value("cbc:LineExtensionAmount")))
	}
	total := c.doc.one("cac:LegalMonetaryTotal")
	for _, part := range []struct{ name, rule string }{
		{"cbc:LineExtensionAmount", "BR-12"}, {"cbc:TaxExclusiveAmount", "BR-13"}, {"cbc:TaxInclusiveAmount", "BR-14"}, {"cbc:PayableAmount", "BR-15"},
	} {
		c.that(total.value(part.name) != "", part.rule, "%s is missing", part.name)
	}
	net, gross := rat(total.value("cbc:TaxExclusiveAmount")), rat(total.value("cbc:TaxInclusiveAmount"))
	c.that(rat(total.value("cbc:LineExtensionAmount")).Cmp(sum) == 0, "BR-CO-10", "the lines add up to %s", sum.FloatString(2))
	c.that(net.Cmp(sum) == 0, "BR-CO-13", "the sum without VAT is not that of the lines")
	withVAT := new(big.Rat).Add(net, rat(c.taxTotal().value("cbc:TaxAmount")))
	c.that(gross.Cmp(withVAT) == 0, "BR-CO-15", "the sum with VAT should be %s", withVAT.FloatString(2))
	due := new(big.Rat).Sub(gross, rat(total.value("cbc:PrepaidAmount")))
	c.that(rat(total.value("cbc:PayableAmount")).Cmp(due) == 0, "BR-CO-16", "what is to be paid should be %s", due.FloatString(2))
}

// taxTotal is the one in the document's currency.
func (c *check) taxTotal() *element {
	for _, t := range c.doc.all("cac:TaxTotal") {
		if a := t.one("cbc:TaxAmount"); a != nil && a.attrs["currencyID"] == c.doc.value("cbc:DocumentCurrencyCode") {
			return t
		}
	}
	return nil
}

func (c *check) breakdown() {
	shares := c.taxTotal().all("cac:TaxSubtotal")
	c.that(len(shares) > 0, "BR-CO-18", "there is no VAT breakdown")
	sum := new(big.Rat)
	for _, s := range shares {
		tax, base, rate := rat(s.value("cbc:TaxAmount")), rat(s.value("cbc:TaxableAmount")), rat(s.value("cac:TaxCategory/cbc:Percent"))
		sum.Add(sum, tax)
		want := cents(new(big.Rat).Mul(base, new(big.Rat).Quo(rate, big.NewRat(100, 1))))
		c.that(tax.Cmp(want) == 0, "BR-CO-17", "VAT of %s at %s %% is %s", base.FloatString(2), rate.RatString(), want.FloatString(2))
	}
	c.that(sum.Cmp(rat(c.taxTotal().value("cbc:TaxAmount"))) == 0, "BR-CO-14", "the VAT of the breakdown adds up to %s", sum.FloatString(2))
}

// rules of a VAT category: whether the rate is above zero, how often it may be in the
// breakdown, whose VAT numbers it takes, and whether it says why there is no VAT.
type categoryRules struct {
	rated, once, reasoned   bool
	sellerVAT, buyerVAT     bool
	noVATNumbers, alone     bool
	exemptionCode, codeRule string
}

var rulesOf = map[string]categoryRules{
	"S":  {rated: true, sellerVAT: true},
	"Z":  {once: true, sellerVAT: true},
	"E":  {once: true, sellerVAT: true, reasoned: true},
	"AE": {once: true, sellerVAT: true, buyerVAT: true, reasoned: true, exemptionCode: "VATEX-EU-AE", codeRule: "PEPPOL-EN16931-P0107"},
	"G":  {once: true, sellerVAT: true, reasoned: true, exemptionCode: "VATEX-EU-G", codeRule: "PEPPOL-EN16931-P0104"},
	"O":  {once: true, noVATNumbers: true, reasoned: true, alone: true, exemptionCode: "VATEX-EU-O", codeRule: "PEPPOL-EN16931-P0105"},
}

func (c *check) categories() {
	onLines := map[[2]string]*big.Rat{} // category and rate: the sum of the lines
	for _, l := range c.doc.all("cac:" + c.kind + "Line") {
		tax := l.one("cac:Item/cac:ClassifiedTaxCategory")
		id := tax.value("cbc:ID")
		r, known := rulesOf[id]
		c.that(known, "BR-CL-18", "%q is no VAT category that we use", id)
		c.that((id == "O") == (tax.one("cbc:Percent") == nil), "BR-"+id+"-05", "a line has a VAT rate where there is none, or none")
		c.that(r.rated == (rat(tax.value("cbc:Percent")).Sign() > 0), "BR-"+id+"-05", "a line has the rate %q", tax.value("cbc:Percent"))
		key := [2]string{id, rat(tax.value("cbc:Percent")).RatString()}
		if onLines[key] == nil {
			onLines[key] = new(big.Rat)
		}
		onLines[key].Add(onLines[key], rat(l.value("cbc:LineExtensionAmount")))
	}
	c.shares(onLines)
	for key := range onLines {
		c.partiesOf(key[0], len(onLines))
	}
}

// shares holds the breakdown against the lines.
func (c *check) shares(onLines map[[2]string]*big.Rat) {
	count := map[string]int{}
	matched := map[[2]string]bool{}
	for _, s := range c.taxTotal().all("cac:TaxSubtotal") {
		tax := s.one("cac:TaxCategory")
		id := tax.value("cbc:ID")
		count[id]++
		key := [2]string{id, rat(tax.value("cbc:Percent")).RatString()}
		matched[key] = true
		sum := onLines[key]
		c.that(sum != nil && sum.Cmp(rat(s.value("cbc:TaxableAmount"))) == 0, "BR-"+id+"-08", "the taxable amount is not that of the lines")
		r := rulesOf[id]
		code, reason := tax.value("cbc:TaxExemptionReasonCode"), tax.value("cbc:TaxExemptionReason")
		c.that(r.reasoned == (code != "" || reason != ""), "BR-"+id+"-10", "it is not said why there is no VAT, or is where there is")
		c.that(r.exemptionCode == "" || code == r.exemptionCode, r.codeRule, "the reason for no VAT has the code %q", code)
	}
	for key := range onLines {
		c.that(matched[key], "BR-"+key[0]+"-01", "the breakdown lacks %s at %s %%", key[0], key[1])
		c.that(!rulesOf[key[0]].once || count[key[0]] == 1, "BR-"+key[0]+"-01", "the breakdown has %s %d times", key[0], count[key[0]])
	}
}

func (c *check) partiesOf(category string, categories int) {
	seller, buyer, r := c.doc.one(sellerPath), c.doc.one(buyerPath), rulesOf[category]
	if r.sellerVAT {
		c.that(vatID(seller) != "", "BR-"+category+"-02", "the seller has no VAT number")
	}
	if r.buyerVAT {
		c.that(vatID(buyer) != "", "BR-"+category+"-02", "the buyer has no VAT number")
	}
	if r.noVATNumbers {
		c.that(vatID(seller) == "" && vatID(buyer) == "", "BR-O-02", "a document outside the scope of VAT has a VAT number")
	}
	if r.alone {
		c.that(categories == 1, "BR-O-11", "a document outside the scope of VAT has another category too")
	}
}

// books: VAT in the seller's currency.
func (c *check) books() {
	currency, totals := c.doc.value("cbc:TaxCurrencyCode"), c.doc.all("cac:TaxTotal")
	if currency == "" {
		c.that(len(totals) == 1, "PEPPOL-EN16931-R053", "there are %d tax totals", len(totals))
		return
	}
	c.that(currency != c.doc.value("cbc:DocumentCurrencyCode"), "PEPPOL-EN16931-R005", "the currency of the VAT is the document's")
	c.that(len(totals) == 2 && totals[1].value("cbc:TaxAmount") != "" && totals[1].one("cac:TaxSubtotal") == nil &&
		totals[1].one("cbc:TaxAmount").attrs["currencyID"] == currency, "BR-53", "the VAT in %s is missing", currency)
}

// national: what a seller's country wants besides.
func (c *check) national() {
	seller, buyer := c.doc.one(sellerPath), c.doc.one(buyerPath)
	const country = "cac:PostalAddress/cac:Country/cbc:IdentificationCode"
	id := vatID(seller)
	switch seller.value(country) {
	case "NO":
		c.that(id == "" || len(id) == 14 && strings.HasPrefix(id, "NO") && strings.HasSuffix(id, "MVA") && norwegian(id[2:11]), "NO-R-001", "the seller's VAT number is not NO, nine digits and MVA")
		c.that(strings.Contains(taxRegistration(seller), "Foretaksregisteret"), "NO-R-002", "a Norwegian seller says that it is in the register of companies")
	case "SE":
		c.that(id == "" || len(id) == 14 && swedish(id[2:12]), "SE-R-001", "the seller's VAT number is not SE and twelve digits")
		c.that(swedish(seller.value("cac:PartyLegalEntity/cbc:CompanyID")), "SE-R-004", "the seller's registration number is not ten digits")
	case "DK":
		for _, means := range c.doc.all("cac:PaymentMeans") {
			c.that(buyer.value(country) != "DK" || slices.Contains(danishMeans, means.value("cbc:PaymentMeansCode")), "DK-R-005", "a means of payment that is not for payments in Denmark")
		}
		c.that(seller.one("cac:PartyLegalEntity/cbc:CompanyID") != nil && seller.one("cac:PartyLegalEntity/cbc:CompanyID").attrs["schemeID"] == "0184", "DK-R-014", "the seller's CVR number is missing")
	case "DE":
		if buyer.value(country) != "DE" {
			return
		}
		c.that(c.doc.one("cac:PaymentMeans") != nil, "DE-R-001", "nobody says how to pay")
		for _, part := range []struct{ path, rule string }{
			{"cac:PostalAddress/cbc:CityName", "DE-R-003"}, {"cac:PostalAddress/cbc:PostalZone", "DE-R-004"},
			{"cac:Contact/cbc:Name", "DE-R-005"}, {"cac:Contact/cbc:Telephone", "DE-R-006"}, {"cac:Contact/cbc:ElectronicMail", "DE-R-007"},
		} {
			c.that(seller.value(part.path) != "", part.rule, "the seller's %s is missing", part.path)
		}
		c.that(buyer.value("cac:PostalAddress/cbc:CityName") != "", "DE-R-008", "the buyer's city is missing")
		c.that(buyer.value("cac:PostalAddress/cbc:PostalZone") != "", "DE-R-009", "the buyer's post code is missing")
	}
}

// danishMeans are the means of payment from Denmark to Denmark.
var danishMeans = []string{"1", "10", "31", "42", "48", "49", "50", "58", "59", "93", "97"}

func taxRegistration(party *element) string {
	for _, id := range party.all("cac:PartyTaxScheme") {
		if id.value("cac:TaxScheme/cbc:ID") != "VAT" {
			return id.value("cbc:CompanyID")
		}
	}
	return ""
}

func isDay(text string) bool {
	_, err := time.Parse("2006-01-02", text)
	return err == nil
}

// rat reads a number; what is none is 0 and found elsewhere.
func rat(text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return new(big.Rat)
	}
	return r
}

// cents rounds to two decimals, half up.
func cents(r *big.Rat) *big.Rat {
	doubled := new(big.Rat).Mul(r, big.NewRat(200, 1)) // floor((2x + 1) / 2) is x rounded
	doubled.Add(doubled, big.NewRat(1, 1))
	n := new(big.Int).Mul(doubled.Denom(), big.NewInt(2))
	whole := new(big.Int).Div(doubled.Num(), n)
	return new(big.Rat).SetFrac(whole, big.NewInt(100))
}

// element is a piece of the XML, its name with the prefix that UBL gives its namespace.
type element struct {
	name, text string
	attrs      map[string]string
	kids       []*element
}

const ublNames = "urn:oasis:names:specification:ubl:schema:xsd:"

var prefixes = map[string]string{
	ublNames + "CommonAggregateComponents-2": "cac:",
	ublNames + "CommonBasicComponents-2":     "cbc:",
	ublNames + "Invoice-2":                   "",
	ublNames + "CreditNote-2":                "",
}

func parse(document []byte) (*element, error) {
	top := &element{}
	open := []*element{top}
	decoder := xml.NewDecoder(bytes.NewReader(document))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		here := open[len(open)-1]
		switch t := token.(type) {
		case xml.StartElement:
			prefix, known := prefixes[t.Name.Space]
			if !known {
				return nil, fmt.Errorf("%s is of a namespace that UBL does not have", t.Name.Local)
			}
			e := &element{name: prefix + t.Name.Local, attrs: map[string]string{}}
			for _, a := range t.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			here.kids = append(here.kids, e)
			open = append(open, e)
		case xml.EndElement:
			here.text = strings.TrimSpace(here.text)
			open = open[:len(open)-1]
		case xml.CharData:
			here.text += string(t)
		}
	}
	if len(top.kids) != 1 {
		return nil, errors.New("there is not one document")
	}
	return top.kids[0], nil
}

// all are the elements at a path; none for a nil element.
func (e *element) all(path string) (found []*element) {
	if e == nil {
		return nil
	}
	first, rest, deeper := strings.Cut(path, "/")
	for _, k := range e.kids {
		switch {
		case k.name != first:
		case deeper:
			found = append(found, k.all(rest)...)
		default:
			found = append(found, k)
		}
	}
	return found
}

func (e *element) one(path string) *element {
	if found := e.all(path); len(found) > 0 {
		return found[0]
	}
	return nil
}

// value is the text at a path, or of the element itself; empty where there is none.
func (e *element) value(path string) string {
	if path != "" {
		e = e.one(path)
	}
	if e == nil {
		return ""
	}
	return e.text
}

func (e *element) walk(see func(*element)) {
	see(e)
	for _, k := range e.kids {
		k.walk(see)
	}
}
