package invoice_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/varsel/varsel/billing/invoice"
	"github.com/varsel/varsel/billing/vat"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func day(text string) time.Time {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return at
}

func dec(text string) decimal.Decimal { return decimal.RequireFromString(text) }

var standard25 = invoice.VAT{Category: invoice.Standard, Rate: dec("25")}

// parties by country, with numbers whose check digits are right.
var parties = map[string]invoice.Party{
	"NO": {Name: "Nordlys & Sønner AS", Registration: "923609016", VATID: "NO923609016MVA", Street: "Storgata 1", City: "Oslo", PostCode: "0155", Country: "NO", Endpoint: invoice.Endpoint{Scheme: "0192", ID: "923609016"}},
	"DK": {Name: "Bøge ApS", Registration: "13585628", VATID: "DK13585628", Street: "Algade 2", City: "Roskilde", PostCode: "4000", Country: "DK", Endpoint: invoice.Endpoint{Scheme: "0184", ID: "DK13585628"}},
	"SE": {Name: "Åström AB", Registration: "5560125790", VATID: "SE556012579001", Street: "Drottninggatan 3", City: "Stockholm", PostCode: "111 51", Country: "SE", Endpoint: invoice.Endpoint{Scheme: "0007", ID: "5560125790"}},
	"PL": {Name: "Żuraw Sp. z o.o.", Registration: "0000123456", VATID: "PL5260250274", Street: "ul. Długa 4", City: "Kraków", PostCode: "31-146", Country: "PL", Endpoint: invoice.Endpoint{Scheme: "9945", ID: "PL5260250274"}},
	"DE": {Name: "Müller <GmbH>", Registration: "HRB 1234", VATID: "DE136695976", Street: "Hauptstraße 5", City: "Köln", PostCode: "50667", Country: "DE", Endpoint: invoice.Endpoint{Scheme: "9930", ID: "DE136695976"}},
	"US": {Name: "Overseas Inc.", Registration: "77-1", Street: "1 Main Street", City: "Springfield", Country: "US", Endpoint: invoice.Endpoint{Scheme: "EM", ID: "bills@overseas.example"}},
}

func init() {
	for country, p := range parties {
		p.Contact = invoice.Contact{Name: "Accounts", Phone: "+47 22 00 00 00", Email: "accounts@example.com"}
		parties[country] = p
	}
}

func example() invoice.Document {
	return invoice.Document{
		Kind: invoice.Invoice, Number: "2026-00001", Issued: day("2026-11-01"), Due: day("2026-11-15"),
		Period: invoice.Period{From: day("2026-10-01"), To: day("2026-10-31")}, Currency: "EUR", Language: "en", Reference: "acme",
		Seller: parties["NO"], Buyer: parties["NO"], Payment: invoice.Payment{IBAN: "NO9386011117947", BIC: "DNBANOKK"},
		Books: invoice.Books{Currency: "NOK", Rate: dec("11.4520"), Source: "Norges Bank", At: day("2026-10-30")},
		Lines: []invoice.Line{
			{Name: "Directory integration", Quantity: dec("1"), Unit: "MON", Price: dec("99"), VAT: standard25, Period: invoice.Period{From: day("2026-10-01"), To: day("2026-10-31")}},
			{Name: "SMS, parts to NO", Quantity: dec("12345"), Unit: "C62", Price: dec("0.045"), VAT: standard25},
		},
	}
}

func mustUBL(t *testing.T, d invoice.Document) []byte {
	t.Helper()
	xml, err := invoice.UBL(d)
	if err != nil {
		t.Fatal(err)
	}
	return xml
}

// S16
func TestSumsByHand(t *testing.T) {
	got, err := invoice.Total(example())
	if err != nil {
		t.Fatal(err)
	}
	// 12345 * 0.045 = 555.525, half up 555.53; 25 % of 654.53 = 163.6325; in NOK 163.63 * 11.452 = 1873.89.
	want := invoice.Totals{Lines: []int64{9900, 55553}, Net: 65453, VAT: 16363, Gross: 81816, Due: 81816, BooksVAT: 187389,
		Breakdown: []invoice.Share{{VAT: standard25, Base: 65453, Tax: 16363}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestALineIsRoundedOnceHalfUp(t *testing.T) {
	for _, c := range []struct {
		quantity, price string
		want            int64
	}{
		{"1", "0.005", 1}, {"1", "0.0049999999", 0}, {"3", "0.335", 101}, {"100", "0.00005", 1}, {"99", "0.00005", 0},
		{"1", "2.675", 268}, {"1", "1.005", 101}, {"13", "3.1935483871", 4152}, {"0.5", "0.01", 1}, {"1000000", "0.0285", 2850000},
	} {
		if got, err := invoice.Net(dec(c.quantity), dec(c.price)); err != nil || got != c.want {
			t.Errorf("%s at %s is %d (%v), not %d", c.quantity, c.price, got, err, c.want)
		}
	}
}

func TestVATIsCountedOnTheSumOfARate(t *testing.T) {
	d := example()
	d.Books = invoice.Books{}
	d.Lines = []invoice.Line{
		{Name: "a", Quantity: dec("1"), Unit: "C62", Price: dec("10.02"), VAT: standard25},
		{Name: "b", Quantity: dec("1"), Unit: "C62", Price: dec("10.02"), VAT: standard25},
	}
	got, err := invoice.Total(d)
	if err != nil || got.VAT != 501 { // 20.04 * 0.25 = 5.01; line by line it would be 2.51 twice
		t.Errorf("VAT is %d (%v)", got.VAT, err)
	}
}

func TestWhatCannotBeCountedIsRefused(t *testing.T) {
	d := example()
	d.Lines[0].Quantity = dec("99999999999999999999")
	if _, err := invoice.Total(d); err == nil {
		t.Error("it was counted")
	}
}

func TestTheDocumentIsWrittenAsItWas(t *testing.T) {
	for name, d := range map[string]invoice.Document{"invoice": example(), "credit-note": exampleCredit()} {
		xml := mustUBL(t, d)
		golden(t, name+".xml", xml)
		for _, v := range invoice.Check(xml) {
			t.Errorf("%s: %s", name, v)
		}
	}
}

func exampleCredit() invoice.Document {
	d := example()
	d.Kind, d.Number, d.Due = invoice.CreditNote, "K2026-00001", time.Time{}
	d.Corrects = invoice.Reference{Number: "2026-00001", Issued: day("2026-11-01")}
	return d
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
}

// S16
func TestAThousandDocumentsOfEverySortPassInspection(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	seen := map[string]int{}
	for n := range 1000 {
		d := random(r, n)
		xml := mustUBL(t, d)
		for _, v := range invoice.Check(xml) {
			t.Fatalf("document %d: %s\n%s", n, v, xml)
		}
		inOrder(t, xml)
		seen[string(d.Kind)+" "+string(d.Lines[0].VAT.Category)]++
	}
	for _, kind := range []string{"380", "381"} {
		for _, category := range []string{"S", "AE", "O", "G", "E", "Z"} {
			if seen[kind+" "+category] < 10 {
				t.Errorf("only %d documents of %s %s were seen", seen[kind+" "+category], kind, category)
			}
		}
	}
}

// random is a document between two of the parties, taxed as the rules decide; every
// tenth as they never do: exempt, zero-rated, or two rates in one.
func random(r *rand.Rand, n int) invoice.Document {
	seller := parties[vat.Sellers[r.IntN(len(vat.Sellers))]]
	buyers := append([]string{"US", seller.Country}, vat.Sellers...)
	buyer := parties[buyers[r.IntN(len(buyers))]]
	tax, err := vat.Decide(vat.Sale{From: day("2026-11-01"), To: day("2026-11-01"), Seller: seller.Country, SellerVATID: seller.VATID, OSS: r.IntN(4) == 0,
		Customer: buyer.Country, Business: r.IntN(5) > 0, CustomerVAT: buyer.VATID, CustomerGood: r.IntN(5) > 0})
	if err != nil { // no rule: at home
		buyer, tax = seller, invoice.VAT{Category: invoice.Standard, Rate: dec("25")}
	}
	taxes := []invoice.VAT{tax}
	switch n % 20 {
	case 0, 1:
		taxes = []invoice.VAT{{Category: invoice.Exempt, Code: "VATEX-EU-132", Reason: "Exempt"}}
	case 10, 11:
		taxes = []invoice.VAT{{Category: invoice.ZeroRated}}
	case 15, 16:
		taxes = []invoice.VAT{standard25, {Category: invoice.Standard, Rate: dec("25.5")}, {Category: invoice.Standard, Rate: dec("12")}}
	}
	d := example()
	d.Seller, d.Buyer, d.Number = seller, buyer, fmt.Sprintf("2026-%05d", n+1)
	d.Currency = invoice.Currencies[r.IntN(len(invoice.Currencies))]
	d.Language = []string{"en", "nb", "pl"}[r.IntN(3)]
	if d.Books.Currency == d.Currency || r.IntN(2) == 0 {
		d.Books = invoice.Books{}
	}
	if r.IntN(3) == 0 {
		d.Payment.IBAN = "DK5000400440116243"
	}
	if n%2 == 0 && r.IntN(3) == 0 {
		d.Paid = 1
	}
	if n%2 == 1 {
		d.Kind, d.Due, d.Corrects = invoice.CreditNote, time.Time{}, invoice.Reference{Number: "2026-00001", Issued: day("2026-10-31")}
	}
	d.Lines = nil
	for range 1 + r.IntN(30) {
		d.Lines = append(d.Lines, invoice.Line{Name: "SMS <&> ½ \"x\"", Unit: invoice.Units[r.IntN(len(invoice.Units))], VAT: taxes[r.IntN(len(taxes))],
			Quantity: decimal.New(1+r.Int64N(1_000_000), -int32(r.IntN(4))), Price: decimal.New(r.Int64N(1_000_000), -int32(r.IntN(9)))})
	}
	return d
}

// Between Danes a plain transfer is not allowed, whatever the account's country.
func TestDanesPayOneAnotherByMeansThatAreAllowed(t *testing.T) {
	for _, kind := range []invoice.Kind{invoice.Invoice, invoice.CreditNote} {
		d := example()
		d.Kind, d.Seller, d.Buyer, d.Currency = kind, parties["DK"], parties["DK"], "DKK"
		if kind == invoice.CreditNote {
			d.Due, d.Corrects = time.Time{}, invoice.Reference{Number: "2026-00001", Issued: day("2026-11-01")}
		}
		xml := mustUBL(t, d)
		if wrong := invoice.Check(xml); len(wrong) > 0 || !bytes.Contains(xml, []byte("PaymentMeansCode>58<")) {
			t.Errorf("%s: %v\n%s", kind, wrong, xml)
		}
		plain := bytes.Replace(xml, []byte("PaymentMeansCode>58<"), []byte("PaymentMeansCode>30<"), 1)
		if found := invoice.Check(plain); !hasRule(found, "DK-R-005") {
			t.Errorf("%s by a plain transfer: %v", kind, found)
		}
	}
}

func TestAGermanCreditNoteSaysHowToPay(t *testing.T) {
	d := exampleCredit()
	d.Seller, d.Buyer = parties["DE"], parties["DE"]
	if wrong := invoice.Check(mustUBL(t, d)); len(wrong) > 0 {
		t.Error(wrong)
	}
	d.Payment = invoice.Payment{}
	if found := invoice.Check(mustUBL(t, d)); !hasRule(found, "DE-R-001") {
		t.Errorf("without: %v", found)
	}
}

func TestWhatIsPaidInAdvanceIsNotAskedForAgain(t *testing.T) {
	for paid, want := range map[int64]string{
		81816: "Paid in advance: nothing is to be paid.",
		80000: "To be paid by 2026-11-15.",
	} {
		d := example()
		d.Paid = paid
		xml := mustUBL(t, d)
		if wrong := invoice.Check(xml); len(wrong) > 0 {
			t.Error(wrong)
		}
		for _, part := range []string{
			`<cbc:PrepaidAmount currencyID="EUR">` + invoice.Amount(paid), `<cbc:PayableAmount currencyID="EUR">` + invoice.Amount(81816-paid), want} {
			if !bytes.Contains(xml, []byte(part)) {
				t.Errorf("it does not say %q:\n%s", part, xml)
			}
		}
		more := bytes.Replace(xml, []byte(`<cbc:PrepaidAmount currencyID="EUR">8`), []byte(`<cbc:PrepaidAmount currencyID="EUR">7`), 1)
		if found := invoice.Check(more); !hasRule(found, "BR-CO-16") {
			t.Errorf("another sum: %v", found)
		}
	}
}

func TestTheInspectionFindsWhatIsWrong(t *testing.T) {
	xml := string(mustUBL(t, example()))
	credit := string(mustUBL(t, exampleCredit()))
	for rule, c := range map[string]struct{ document, was, is string }{
		"XML":                  {xml, "</Invoice>", ""},
		"PEPPOL-EN16931-R004":  {xml, "billing:3.0", "billing:2.0"},
		"PEPPOL-EN16931-R007":  {xml, "billing:01:1.0", "ordering:01:1.0"},
		"PEPPOL-EN16931-R003":  {xml, "<cbc:BuyerReference>acme</cbc:BuyerReference>", ""},
		"PEPPOL-EN16931-R008":  {xml, "<cbc:StreetName>Storgata 1</cbc:StreetName>", "<cbc:StreetName></cbc:StreetName>"},
		"PEPPOL-EN16931-R051":  {xml, `currencyID="NOK"`, `currencyID="SEK"`},
		"PEPPOL-EN16931-R120":  {xml, `<cbc:LineExtensionAmount currencyID="EUR">555.53<`, `<cbc:LineExtensionAmount currencyID="EUR">555.52<`},
		"PEPPOL-EN16931-R110":  {xml, "<cbc:StartDate>2026-10-01</cbc:StartDate>", "<cbc:StartDate>2026-10-02</cbc:StartDate>"},
		"PEPPOL-EN16931-R111":  {xml, "<cbc:EndDate>2026-10-31</cbc:EndDate>", "<cbc:EndDate>2026-10-30</cbc:EndDate>"},
		"PEPPOL-EN16931-R005":  {xml, "<cbc:TaxCurrencyCode>NOK", "<cbc:TaxCurrencyCode>EUR"},
		"PEPPOL-EN16931-R053":  {xml, "<cbc:TaxCurrencyCode>NOK</cbc:TaxCurrencyCode>", ""},
		"PEPPOL-EN16931-R020":  {xml, `<cbc:EndpointID schemeID="0192">923609016</cbc:EndpointID>`, ""},
		"PEPPOL-COMMON-R041":   {xml, ">923609016<", ">923609017<"},
		"BR-02":                {xml, "<cbc:ID>2026-00001</cbc:ID>", ""},
		"BR-03":                {xml, "<cbc:IssueDate>2026-11-01</cbc:IssueDate>", "<cbc:IssueDate>1 November</cbc:IssueDate>"},
		"BR-04":                {xml, "TypeCode>380<", "TypeCode>381<"},
		"BR-05":                {xml, "CurrencyCode>EUR<", "CurrencyCode>XXX<"},
		"BR-06":                {xml, "<cbc:RegistrationName>Nordlys &amp; Sønner AS</cbc:RegistrationName>", ""},
		"BR-09":                {xml, "<cbc:IdentificationCode>NO</cbc:IdentificationCode>", "<cbc:IdentificationCode>Norway</cbc:IdentificationCode>"},
		"BR-12":                {xml, `<cbc:LineExtensionAmount currencyID="EUR">654.53</cbc:LineExtensionAmount>`, ""},
		"BR-CO-10":             {xml, `<cbc:LineExtensionAmount currencyID="EUR">654.53`, `<cbc:LineExtensionAmount currencyID="EUR">654.54`},
		"BR-CO-13":             {xml, `<cbc:TaxExclusiveAmount currencyID="EUR">654.53`, `<cbc:TaxExclusiveAmount currencyID="EUR">654.52`},
		"BR-CO-14":             {xml, `<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">163.63`, `<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">163.64`},
		"BR-CO-15":             {xml, `<cbc:TaxInclusiveAmount currencyID="EUR">818.16`, `<cbc:TaxInclusiveAmount currencyID="EUR">818.17`},
		"BR-CO-16":             {xml, `<cbc:PayableAmount currencyID="EUR">818.16`, `<cbc:PayableAmount currencyID="EUR">818.15`},
		"BR-CO-17":             {xml, "<cbc:Percent>25</cbc:Percent>", "<cbc:Percent>24</cbc:Percent>"},
		"BR-CO-09":             {xml, ">NO923609016MVA<", ">923609016MVA<"},
		"BR-DEC-18":            {xml, `<cbc:PayableAmount currencyID="EUR">818.16`, `<cbc:PayableAmount currencyID="EUR">818.160`},
		"BR-27":                {xml, `<cbc:PriceAmount currencyID="EUR">99<`, `<cbc:PriceAmount currencyID="EUR">-99<`},
		"BR-CL-23":             {xml, `unitCode="MON"`, `unitCode="MONTH"`},
		"BR-S-08":              {xml, `<cbc:TaxableAmount currencyID="EUR">654.53`, `<cbc:TaxableAmount currencyID="EUR">654.54`},
		"BR-S-01":              {xml, "<cac:TaxCategory><cbc:ID>S</cbc:ID>", "<cac:TaxCategory><cbc:ID>E</cbc:ID>"},
		"BR-S-02":              {xml, "<cbc:CompanyID>NO923609016MVA</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT<", "<cbc:CompanyID>NO923609016MVA</cbc:CompanyID><cac:TaxScheme><cbc:ID>TAX<"},
		"BR-61":                {xml, "<cbc:ID>NO9386011117947</cbc:ID>", ""},
		"NO-R-001":             {xml, ">NO923609016MVA<", ">NO923609017MVA<"},
		"NO-R-002":             {xml, "Foretaksregisteret", "Somewhere"},
		"BR-55":                {credit, "<cbc:ID>2026-00001</cbc:ID>", ""},
		"PEPPOL-EN16931-P0107": {reversed(t), "VATEX-EU-AE", "VATEX-EU-G"},
		"BR-AE-10":             {reversed(t), "<cbc:TaxExemptionReasonCode>VATEX-EU-AE</cbc:TaxExemptionReasonCode><cbc:TaxExemptionReason>Reverse charge</cbc:TaxExemptionReason>", ""},
		"BR-AE-02":             {reversed(t), "<cac:PartyTaxScheme><cbc:CompanyID>PL5260250274</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>", ""},
		"BR-O-02":              {unsubject(t), "<cac:PartyLegalEntity>", "<cac:PartyTaxScheme><cbc:CompanyID>DE136695976</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme><cac:PartyLegalEntity>"},
		"BR-O-05":              {unsubject(t), "<cac:ClassifiedTaxCategory><cbc:ID>O</cbc:ID>", "<cac:ClassifiedTaxCategory><cbc:ID>O</cbc:ID><cbc:Percent>0</cbc:Percent>"},
		"PEPPOL-COMMON-R042":   {xml, `schemeID="0192">923609016<`, `schemeID="0184">923609016<`},
		"PEPPOL-COMMON-R049":   {xml, `schemeID="0192">923609016<`, `schemeID="0007">923609016<`},
		"PEPPOL-COMMON-R040":   {xml, `schemeID="0192">923609016<`, `schemeID="0088">923609016<`},
		"BR-CL-25":             {xml, `schemeID="0192">923609016<`, `schemeID="1234">923609016<`},
		"BR-29":                {xml, "<cbc:EndDate>2026-10-31</cbc:EndDate>", "<cbc:EndDate>2026-09-30</cbc:EndDate>"},
	} {
		times := -1
		if rule == "PEPPOL-EN16931-R110" || rule == "PEPPOL-EN16931-R111" { // the document's period, not the line's
			times = 1
		}
		whole := strings.ReplaceAll(c.document, ">\n", ">")
		broken := strings.Replace(whole, c.was, c.is, times)
		if broken == whole {
			t.Errorf("%s: the document does not have %s", rule, c.was)
		}
		found := invoice.Check([]byte(broken))
		if !hasRule(found, rule) {
			t.Errorf("%s was not found: %v", rule, found)
		}
	}
}

func hasRule(found []invoice.Violation, rule string) bool {
	for _, v := range found {
		if v.Rule == rule {
			return true
		}
	}
	return false
}

func reversed(t *testing.T) string {
	d := example()
	d.Seller, d.Buyer = parties["DE"], parties["PL"]
	for i := range d.Lines {
		d.Lines[i].VAT = invoice.VAT{Category: invoice.ReverseCharge, Code: "VATEX-EU-AE", Reason: "Reverse charge"}
	}
	return string(mustUBL(t, d))
}

func unsubject(t *testing.T) string {
	d := example()
	d.Seller, d.Buyer = parties["DE"], parties["US"]
	for i := range d.Lines {
		d.Lines[i].VAT = invoice.VAT{Category: invoice.NotSubject, Code: "VATEX-EU-O", Reason: "Not subject to VAT"}
	}
	return string(mustUBL(t, d))
}
