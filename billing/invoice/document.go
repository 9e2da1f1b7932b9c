// Package invoice is the document: an invoice or credit note as EN 16931 has it, its
// arithmetic, how it is written for machines (UBL 2.1, Peppol BIS Billing 3) and for
// people (PDF, CSV), and an inspection that works on what was written. It is pure: it
// reads no clock and no database.
//
// Amounts are int64 minor units (cents) of the document's currency. Rounding is
// half-up: half a cent becomes one.
package invoice

import (
	"time"

	"github.com/shopspring/decimal"
)

// Kind is the document's type code (UNTDID 1001; EN 16931 BT-3).
type Kind string

const (
	Invoice    Kind = "380"
	CreditNote Kind = "381"
)

// Word is the kind in a word.
func (k Kind) Word() string {
	if k == CreditNote {
		return "credit_note"
	}
	return "invoice"
}

// Category is a VAT category (UNTDID 5305; EN 16931 BT-151).
type Category string

const (
	Standard      Category = "S"
	ReverseCharge Category = "AE"
	NotSubject    Category = "O" // outside the scope of the tax
	Export        Category = "G"
	Exempt        Category = "E"
	ZeroRated     Category = "Z"
)

// VAT is how a line is taxed.
type VAT struct {
	Category Category
	Rate     decimal.Decimal // percent; 0 but for Standard
	Code     string          // why there is none (VATEX list; BT-121)
	Reason   string          // the same for people (BT-120)
}

// Document is an invoice or a credit note.
type Document struct {
	Kind      Kind
	Number    string
	Issued    time.Time // a day, at 00:00 UTC, as all days here
	Due       time.Time // zero for a credit note, and where all is paid
	Period    Period    // when it was supplied
	Currency  string    // one of Currencies
	Language  string    // of what is for people: en, nb or pl
	Reference string    // the buyer's own (BT-10): a cost centre, or Germany's Leitweg-ID
	Note      string
	Corrects  Reference // of a credit note: the invoice
	Seller    Party
	Buyer     Party
	Payment   Payment
	Paid      int64 // in advance, with VAT (BT-113); of an invoice
	Lines     []Line
	Books     Books // zero where the seller's books are in Currency
}

// Period is from a day to a day, both included.
type Period struct{ From, To time.Time }

// Reference names an earlier document.
type Reference struct {
	Number string
	Issued time.Time
}

// Party is a seller or a buyer.
type Party struct {
	Name         string // legal name
	Registration string // number in the register of companies: Norway's nine digits
	VATID        string // with the country's prefix
	Street       string
	City         string
	PostCode     string
	Country      string // ISO 3166-1 alpha-2
	Endpoint     Endpoint
	Contact      Contact
}

// Endpoint is where documents are delivered to (BT-34, BT-49).
type Endpoint struct {
	Scheme string // of the list of electronic address schemes (EAS): 0192
	ID     string
}

// Contact is whom to ask. German buyers may refuse an invoice without one.
type Contact struct{ Name, Phone, Email string }

// Payment is where to pay.
type Payment struct {
	IBAN      string
	BIC       string
	Reference string // that the payer is to give: a KID; empty for the document's number
}

// Line is one thing that was supplied.
type Line struct {
	Name     string
	Quantity decimal.Decimal // above 0
	Unit     string          // UN/ECE Recommendation 20: C62 a piece, MON a month, DAY a day
	Price    decimal.Decimal // of one, without VAT, 0 or more, with as many decimals as it takes
	VAT      VAT
	Period   Period // within the document's; zero for the whole of it
}

// Books is the currency in which the seller owes the VAT (BT-6), with the rate that was
// used and whose it is: VAT Directive Art. 230.
type Books struct {
	Currency string
	Rate     decimal.Decimal // units of it for one of the document's currency
	Source   string          // "ECB", "Norges Bank"
	At       time.Time       // the day of the rate
}

// Currencies are those with two decimals that documents may be in (ISO 4217).
var Currencies = []string{"EUR", "NOK", "SEK", "DKK", "PLN", "GBP"}

// Units that lines may be counted in (UN/ECE Recommendation 20).
var Units = []string{"C62", "MON", "DAY"}
