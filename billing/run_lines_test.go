package billing_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/billing/invoice"
)

// taxed are the cases of VAT that the monthly run meets.
var taxed = []struct {
	seller, buyer string
	vat           invoice.VAT
}{
	{"DK", "DK", invoice.VAT{Category: invoice.Standard, Rate: decimal.NewFromInt(25)}},
	{"DE", "DE", invoice.VAT{Category: invoice.Standard, Rate: decimal.NewFromInt(19)}},
	{"DK", "DE", invoice.VAT{Category: invoice.ReverseCharge, Code: "VATEX-EU-AE", Reason: "Reverse charge"}},
	{"DE", "US", invoice.VAT{Category: invoice.NotSubject, Code: "VATEX-EU-O", Reason: "Not subject to VAT"}},
	{"DK", "NO", invoice.VAT{Category: invoice.NotSubject, Code: "VATEX-EU-O", Reason: "Not subject to VAT"}},
}

var parties = map[string]invoice.Party{
	"DK": {Name: "Bøge ApS", Registration: "13585628", VATID: "DK13585628", Street: "Algade 2", City: "Roskilde", PostCode: "4000", Country: "DK", Endpoint: invoice.Endpoint{Scheme: "0184", ID: "DK13585628"}},
	"DE": {Name: "Müller GmbH", Registration: "HRB 1234", VATID: "DE136695976", Street: "Hauptstraße 5", City: "Köln", PostCode: "50667", Country: "DE", Endpoint: invoice.Endpoint{Scheme: "9930", ID: "DE136695976"}},
	"NO": {Name: "Nordlys AS", Registration: "923609016", VATID: "NO923609016MVA", Street: "Storgata 1", City: "Oslo", PostCode: "0155", Country: "NO", Endpoint: invoice.Endpoint{Scheme: "0192", ID: "923609016"}},
	"US": {Name: "Overseas Inc.", Registration: "77-1", Street: "1 Main Street", City: "Springfield", Country: "US", Endpoint: invoice.Endpoint{Scheme: "EM", ID: "bills@overseas.example"}},
}

// S16: EN 16931 BR-CO-10, -13, -15, -16, -17, BR-DEC
func TestAThousandMonthsPassInspection(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 16931))
	for n := range 1000 {
		tax := taxed[n%len(taxed)]
		doc := invoice.Document{Kind: invoice.Invoice, Number: fmt.Sprintf("2026-%05d", n+1), Issued: day("2026-11-01"), Due: day("2026-11-15"),
			Period: invoice.Period{From: day("2026-10-01"), To: day("2026-10-31")}, Currency: "EUR", Language: "en", Reference: "acme",
			Seller: parties[tax.seller], Buyer: parties[tax.buyer], Payment: invoice.Payment{IBAN: "NO9386011117947"}}
		doc.Seller.Contact = invoice.Contact{Name: "Accounts", Phone: "+45 22 00 00 00", Email: "accounts@example.com"}
		if n%2 == 1 {
			doc.Kind, doc.Corrects, doc.Due = invoice.CreditNote, invoice.Reference{Number: "2026-00001", Issued: day("2026-11-01")}, time.Time{}
		}
		doc, micro, err := billing.DocumentOf(doc, tax.vat, chargedAtRandom(r))
		if err != nil {
			t.Fatal(err)
		}
		xml, err := invoice.UBL(doc)
		if err != nil {
			t.Fatal(err)
		}
		if wrong := invoice.Check(xml); len(wrong) > 0 {
			t.Fatalf("%s, %s to %s: %v", doc.Number, tax.seller, tax.buyer, wrong)
		}
		total, err := invoice.Total(doc)
		if err != nil {
			t.Fatal(err)
		}
		if off := total.Net*10_000 - micro; off > 5_000*int64(len(doc.Lines)) || off < -5_000*int64(len(doc.Lines)) {
			t.Errorf("%s is %d micro-units off in %d lines", doc.Number, off, len(doc.Lines))
		}
	}
}

func chargedAtRandom(r *rand.Rand) (all []billing.Charged) {
	for i := range 1 + r.IntN(12) {
		if r.IntN(4) == 0 {
			all = append(all, billing.Charged{Fee: fmt.Sprintf("dir_%d/2026-10-01", i), Unit: 99_000_000, Micro: 1 + r.Int64N(99_000_000)})
			continue
		}
		all = append(all, billing.Charged{Country: []string{"NO", "DK", "SE", "PL", ""}[r.IntN(5)], Lane: []string{"bulk", "normal", ""}[r.IntN(3)],
			Unit: 1 + r.Int64N(120_000), Parts: 1 + r.IntN(1_000_000)})
	}
	return all
}
