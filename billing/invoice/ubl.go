package invoice

import (
	"bytes"
	"encoding/xml"
	"strconv"
	"strings"
	"time"
)

// What the document keeps to (Peppol BIS Billing 3.0, 4.2), which is EHF Billing 3 too.
const (
	customization = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
	profile       = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
)

// UBL writes the document as UBL 2.1. The order of the elements is the schema's.
func UBL(d Document) ([]byte, error) {
	t, err := Total(d)
	if err != nil {
		return nil, err
	}
	root := node{name: d.root(), attrs: []string{
		"xmlns", "urn:oasis:names:specification:ubl:schema:xsd:" + d.root() + "-2",
		"xmlns:cac", "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
		"xmlns:cbc", "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
	}}
	root.kids = append(root.kids, d.head()...)
	root.kids = append(root.kids,
		el("cac:AccountingSupplierParty", d.party(d.Seller, true)),
		el("cac:AccountingCustomerParty", d.party(d.Buyer, false)),
		d.paymentMeans(),
		el("cac:PaymentTerms", text("cbc:Note", d.terms(t))))
	root.kids = append(root.kids, d.taxTotals(t)...)
	root.kids = append(root.kids, d.monetary(t))
	for i, l := range d.Lines {
		root.kids = append(root.kids, d.line(i, l, t.Lines[i]))
	}
	var out bytes.Buffer
	out.WriteString(xml.Header)
	root.write(&out)
	return out.Bytes(), nil
}

func (d Document) root() string {
	if d.Kind == CreditNote {
		return "CreditNote"
	}
	return "Invoice"
}

// head is what stands before the parties. The two schemas order it differently, and a
// credit note has no due date.
func (d Document) head() []node {
	head := []node{text("cbc:CustomizationID", customization), text("cbc:ProfileID", profile), text("cbc:ID", d.Number), date("cbc:IssueDate", d.Issued)}
	if d.Kind == Invoice {
		head = append(head, date("cbc:DueDate", d.Due))
	}
	return append(head,
		text("cbc:"+d.root()+"TypeCode", string(d.Kind)),
		text("cbc:Note", d.Note),
		text("cbc:DocumentCurrencyCode", d.Currency),
		text("cbc:TaxCurrencyCode", d.Books.Currency),
		text("cbc:BuyerReference", d.Reference),
		d.Period.node(),
		el("cac:BillingReference", el("cac:InvoiceDocumentReference", text("cbc:ID", d.Corrects.Number), date("cbc:IssueDate", d.Corrects.Issued))))
}

func (p Period) node() node {
	return el("cac:InvoicePeriod", date("cbc:StartDate", p.From), date("cbc:EndDate", p.To))
}

func (d Document) party(p Party, seller bool) node {
	return el("cac:Party",
		text("cbc:EndpointID", p.Endpoint.ID, "schemeID", p.Endpoint.Scheme),
		el("cac:PostalAddress",
			text("cbc:StreetName", p.Street), text("cbc:CityName", p.City), text("cbc:PostalZone", p.PostCode),
			el("cac:Country", text("cbc:IdentificationCode", p.Country))),
		d.taxScheme(p),
		registered(p, seller),
		el("cac:PartyLegalEntity", text("cbc:RegistrationName", p.Name), text("cbc:CompanyID", legalID(p), "schemeID", companyScheme[p.Country])),
		el("cac:Contact", text("cbc:Name", p.Contact.Name), text("cbc:Telephone", p.Contact.Phone), text("cbc:ElectronicMail", p.Contact.Email)))
}

// taxScheme has the VAT id, which a document outside the scope of the tax must not have
// (BR-O-02): there it is in the PDF alone.
func (d Document) taxScheme(p Party) node {
	if p.VATID == "" || d.has(NotSubject) {
		return node{}
	}
	return el("cac:PartyTaxScheme", text("cbc:CompanyID", p.VATID), el("cac:TaxScheme", text("cbc:ID", "VAT")))
}

func (d Document) has(c Category) bool {
	for _, l := range d.Lines {
		if l.VAT.Category == c {
			return true
		}
	}
	return false
}

// inRegister is what a seller's country wants to be said of its registration (Peppol
// BIS Billing 3.0 NO-R-002, SE-R-005).
var inRegister = map[string]string{"NO": "Foretaksregisteret", "SE": "Godkänd för F-skatt"}

func registered(p Party, seller bool) node {
	if !seller || inRegister[p.Country] == "" {
		return node{}
	}
	return el("cac:PartyTaxScheme", text("cbc:CompanyID", inRegister[p.Country]), el("cac:TaxScheme", text("cbc:ID", "TAX")))
}

// companyScheme is the code of a country's register (ISO 6523 ICD).
var companyScheme = map[string]string{"NO": "0192", "DK": "0184", "SE": "0007"}

// legalID is the registration as its scheme writes it: Denmark's has the prefix.
func legalID(p Party) string {
	if p.Country == "DK" && p.Registration != "" {
		return "DK" + strings.TrimPrefix(p.Registration, "DK")
	}
	return p.Registration
}

// Means of payment (UNTDID 4461).
const (
	creditTransfer = "30"
	danishTransfer = "42" // to an account with its registration number (DK-R-006)
	sepaTransfer   = "58"
)

// paymentMeans are in a credit note too: German receivers refuse one without (DE-R-001).
// Between Danes only some codes are allowed, and a plain transfer is none of them
// (DK-R-005).
func (d Document) paymentMeans() node {
	if d.Payment.IBAN == "" {
		return node{}
	}
	reference := d.Payment.Reference
	if reference == "" {
		reference = d.Number
	}
	code, account, branch := creditTransfer, d.Payment.IBAN, d.Payment.BIC
	switch {
	case d.Currency == "EUR":
		code = sepaTransfer
	case strings.HasPrefix(account, "DK") && len(account) == 18: // DK, two check digits, four of the bank, ten of the account
		code, account, branch = danishTransfer, account[8:], account[4:8]
	case d.Seller.Country == "DK" && d.Buyer.Country == "DK":
		code = sepaTransfer
	}
	return el("cac:PaymentMeans", text("cbc:PaymentMeansCode", code), text("cbc:PaymentID", reference),
		el("cac:PayeeFinancialAccount", text("cbc:ID", account), el("cac:FinancialInstitutionBranch", text("cbc:ID", branch))))
}

func (d Document) terms(t Totals) string {
	if d.Kind == CreditNote {
		return phrase(d.Language, "credit_terms", d.Corrects.Number)
	}
	if t.Due == 0 && d.Paid > 0 {
		return phrase(d.Language, "settled")
	}
	return phrase(d.Language, "terms", d.Due.Format(time.DateOnly))
}

// taxTotals are the breakdown, and the sum in the currency of the seller's books.
func (d Document) taxTotals(t Totals) []node {
	total := el("cac:TaxTotal", d.amount("cbc:TaxAmount", t.VAT))
	for _, b := range t.Breakdown {
		category := el("cac:TaxCategory", text("cbc:ID", string(b.Category)), b.percent(),
			text("cbc:TaxExemptionReasonCode", b.Code), text("cbc:TaxExemptionReason", b.Reason), vatScheme())
		total.kids = append(total.kids, el("cac:TaxSubtotal", d.amount("cbc:TaxableAmount", b.Base), d.amount("cbc:TaxAmount", b.Tax), category))
	}
	if d.Books.Currency == "" {
		return []node{total}
	}
	return []node{total, el("cac:TaxTotal", text("cbc:TaxAmount", Amount(t.BooksVAT), "currencyID", d.Books.Currency))}
}

// percent is the rate, which what is outside the scope of the tax does not have
// (BR-O-05).
func (v VAT) percent() node {
	if v.Category == NotSubject {
		return node{}
	}
	return text("cbc:Percent", v.Rate.String())
}

func vatScheme() node { return el("cac:TaxScheme", text("cbc:ID", "VAT")) }

func (d Document) monetary(t Totals) node {
	return el("cac:LegalMonetaryTotal",
		d.amount("cbc:LineExtensionAmount", t.Net),
		d.amount("cbc:TaxExclusiveAmount", t.Net),
		d.amount("cbc:TaxInclusiveAmount", t.Gross),
		d.prepaid(),
		d.amount("cbc:PayableAmount", t.Due))
}

// prepaid is not said where nothing was.
func (d Document) prepaid() node {
	if d.Paid == 0 {
		return node{}
	}
	return d.amount("cbc:PrepaidAmount", d.Paid)
}

func (d Document) line(i int, l Line, net int64) node {
	quantity := "cbc:InvoicedQuantity"
	if d.Kind == CreditNote {
		quantity = "cbc:CreditedQuantity"
	}
	return el("cac:"+d.root()+"Line",
		text("cbc:ID", strconv.Itoa(i+1)),
		text(quantity, l.Quantity.String(), "unitCode", l.Unit),
		d.amount("cbc:LineExtensionAmount", net),
		l.Period.node(),
		el("cac:Item", text("cbc:Name", l.Name),
			el("cac:ClassifiedTaxCategory", text("cbc:ID", string(l.VAT.Category)), l.VAT.percent(), vatScheme())),
		el("cac:Price", text("cbc:PriceAmount", l.Price.String(), "currencyID", d.Currency)))
}

func (d Document) amount(name string, cents int64) node {
	return text(name, Amount(cents), "currencyID", d.Currency)
}

// node is an element. One without text and without kids is not written: an empty
// element is not allowed (PEPPOL-EN16931-R008).
type node struct {
	name, text string
	attrs      []string // name, value, name, value
	kids       []node
}

func el(name string, kids ...node) node { return node{name: name, kids: kids} }

func text(name, value string, attrs ...string) node {
	return node{name: name, text: value, attrs: attrs}
}

func date(name string, day time.Time) node {
	if day.IsZero() {
		return node{}
	}
	return text(name, day.Format(time.DateOnly))
}

func (n node) empty() bool {
	for _, k := range n.kids {
		if !k.empty() {
			return false
		}
	}
	return n.text == ""
}

func (n node) write(out *bytes.Buffer) {
	if n.empty() {
		return
	}
	out.WriteString("<" + n.name)
	for i := 0; i < len(n.attrs); i += 2 {
		if n.attrs[i+1] != "" {
			out.WriteString(" " + n.attrs[i] + `="`)
			xml.EscapeText(out, []byte(n.attrs[i+1]))
			out.WriteString(`"`)
		}
	}
	out.WriteString(">")
	xml.EscapeText(out, []byte(n.text))
	for _, k := range n.kids {
		k.write(out)
	}
	out.WriteString("</" + n.name + ">\n")
}
