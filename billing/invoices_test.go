package billing_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/billing/invoice"
	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/problem"
)

const acme, other = 7, 8

func day(text string) time.Time {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return at
}

func dec(text string) decimal.Decimal { return decimal.RequireFromString(text) }

func norwegian() billing.Seller {
	return billing.Seller{
		Party: invoice.Party{Name: "Varsel AS", Registration: "923 609 016", VATID: "923609016 MVA", Street: "Storgata 1", City: "Oslo", PostCode: "0155", Country: "no",
			Endpoint: invoice.Endpoint{Scheme: "0192", ID: "923609016"}, Contact: invoice.Contact{Name: "Accounts", Phone: "+47 22 00 00 00", Email: "accounts@example.com"}},
		Payment: invoice.Payment{IBAN: "NO93 8601 1117 947", BIC: "DNBANOKK"}, Zone: "Europe/Oslo", CreditPrefix: "K", Days: 14,
	}
}

func danish() billing.Customer {
	return billing.Customer{Party: invoice.Party{Name: "Bøge ApS", Registration: "13585628", VATID: "13 58 56 28", Street: "Algade 2", City: "Roskilde", PostCode: "4000", Country: "DK"},
		Business: true, Currency: "EUR", Language: "nb"}
}

// desk is invoices with a seller and a customer, acme.
func desk(t *testing.T, d *db.DB) *billing.Invoices {
	t.Helper()
	for id, handle := range map[int]string{acme: "acme", other: "other"} {
		if _, err := d.ExecContext(t.Context(), `
			INSERT INTO accounts (id, handle, name, region, sender, currency, state, created_at) VALUES ($1, $2, $2, 'NO', '', 'EUR', 'active', 0)`, id, handle); err != nil {
			t.Fatal(err)
		}
	}
	b := billing.NewInvoices(d)
	if _, err := b.SetSeller(t.Context(), norwegian()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.SetCustomer(t.Context(), acme, danish()); err != nil {
		t.Fatal(err)
	}
	return b
}

func october() billing.NewInvoice {
	return billing.NewInvoice{Period: invoice.Period{From: day("2026-10-01"), To: day("2026-10-31")}, Lines: []billing.NewLine{
		{Name: "Directory integration", Quantity: dec("1"), Unit: "MON", Price: dec("99")},
		{Name: "SMS, parts to DK", Quantity: dec("12345"), Unit: "C62", Price: dec("0.038")},
	}}
}

func draft(t *testing.T, b *billing.Invoices, n billing.NewInvoice) billing.Invoice {
	t.Helper()
	inv, err := b.Draft(t.Context(), acme, n)
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

func final(t *testing.T, b *billing.Invoices, id int64) billing.Invoice {
	t.Helper()
	inv, err := b.Finalise(t.Context(), acme, id)
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

// S16
func TestAFinalInvoiceKeepsItsFilesAndBothProfiles(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		inv := final(t, b, draft(t, b, october()).ID)
		if want := fmt.Sprintf("%d-00001", inv.Issued.Year()); inv.Number != want || inv.State != billing.Final || inv.Net != 56811 || inv.VAT != 0 || inv.Gross != 56811 {
			t.Fatalf("got %+v", inv)
		}
		if got := inv.Due.Sub(inv.Issued); got != 14*24*time.Hour {
			t.Errorf("due after %v", got)
		}
		s, c := norwegian(), danish()
		s.Name, c.Name = "Another AS", "Another ApS"
		if _, err := b.SetSeller(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		if _, err := b.SetCustomer(t.Context(), acme, c); err != nil {
			t.Fatal(err)
		}
		doc, err := b.Document(t.Context(), acme, inv.ID)
		if err != nil || doc.Seller.Name != "Varsel AS" || doc.Buyer.Name != "Bøge ApS" || doc.Lines[0].VAT.Category != invoice.Export {
			t.Errorf("got %+v (%v)", doc, err)
		}
		for kind, begins := range map[string]string{billing.XML: "<?xml", billing.PDF: "%PDF-"} {
			content, sum, err := b.File(t.Context(), acme, inv.ID, kind)
			want := sha256.Sum256(content)
			if err != nil || !bytes.HasPrefix(content, []byte(begins)) || sum != hex.EncodeToString(want[:]) {
				t.Errorf("%s: %d bytes, %s (%v)", kind, len(content), sum, err)
			}
			if _, _, err := b.File(t.Context(), other, inv.ID, kind); !problem.Has(err, "invoice_not_found") {
				t.Errorf("another account read the %s: %v", kind, err)
			}
		}
		if head, err := audit.Verify(t.Context(), d, acme); err != nil || head.Entries != 3 {
			t.Errorf("the chain has %d entries (%v)", head.Entries, err)
		}
	})
}

func TestNothingChangesWhatIsFinal(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		inv := final(t, b, draft(t, b, october()).ID)
		cancelled, open := draft(t, b, october()), draft(t, b, october())
		if err := b.Cancel(t.Context(), acme, cancelled.ID); err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{
			`UPDATE invoices SET gross = 1 WHERE id = $1`,
			`UPDATE invoices SET state = 'draft', number = '' WHERE id = $1`,
			`DELETE FROM invoices WHERE id = $1`,
			`UPDATE invoice_lines SET price = '1' WHERE invoice_id = $1`,
			`DELETE FROM invoice_lines WHERE invoice_id = $1`,
			fmt.Sprintf(`UPDATE invoice_lines SET invoice_id = $1, position = 9 WHERE invoice_id = %d AND position = 1`, open.ID),
			`INSERT INTO invoice_lines (account_id, invoice_id, position, name, quantity, unit, price, period_from, period_to) VALUES (7, $1, 3, 'x', '1', 'C62', '1', '', '')`,
			`UPDATE invoice_files SET sha256 = '' WHERE invoice_id = $1`,
			`DELETE FROM invoice_files WHERE invoice_id = $1`,
		} {
			if _, err := d.ExecContext(t.Context(), statement, inv.ID); err == nil || !strings.Contains(err.Error(), "does not change") {
				t.Errorf("%s: %v", statement, err)
			}
		}
		if _, err := d.ExecContext(t.Context(), `UPDATE invoices SET state = 'draft' WHERE id = $1`, cancelled.ID); err == nil {
			t.Error("a cancelled draft came back")
		}
		if err := b.Cancel(t.Context(), acme, inv.ID); !problem.Has(err, "invoice_final") {
			t.Errorf("it was cancelled: %v", err)
		}
		if _, err := b.Finalise(t.Context(), acme, cancelled.ID); !problem.Has(err, "invoice_cancelled") {
			t.Errorf("a cancelled draft was finalised: %v", err)
		}
	})
}

func TestFinalisingTwiceIsOneNumber(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		id := draft(t, b, october()).ID
		var all sync.WaitGroup
		numbers := make([]string, 8)
		for i := range numbers {
			all.Go(func() {
				if inv, err := b.Finalise(t.Context(), acme, id); err == nil {
					numbers[i] = inv.Number
				} else {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if first := numbers[0]; slices.ContainsFunc(numbers, func(n string) bool { return n != first || n == "" }) {
			t.Errorf("the numbers are %v", numbers)
		}
		if next := final(t, b, draft(t, b, october()).ID); !strings.HasSuffix(next.Number, "-00002") {
			t.Errorf("the next is %s", next.Number)
		}
	})
}

// S16
func TestNumbersHaveNoGapsWhenManyFinaliseAndSomeFail(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		var ids []int64
		for range 32 {
			ids = append(ids, draft(t, b, october()).ID)
		}
		cancelled := draft(t, b, october())
		if err := b.Cancel(t.Context(), acme, cancelled.ID); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for i, id := range ids {
			all.Go(func() {
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				if i%3 == 0 { // it dies somewhere on its way
					ctx, stop = context.WithTimeout(ctx, time.Duration(i)*time.Millisecond)
					defer stop()
				}
				if _, err := b.Finalise(ctx, acme, id); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, id := range ids { // what died is done again
			final(t, b, id)
		}
		list, err := b.List(t.Context(), acme, billing.InvoiceFilter{State: billing.Final, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		var numbers []string
		for _, inv := range list {
			numbers = append(numbers, inv.Number[5:])
		}
		slices.Sort(numbers)
		for i := range 32 {
			if want := fmt.Sprintf("%05d", i+1); i >= len(numbers) || numbers[i] != want {
				t.Fatalf("the numbers are %v", numbers)
			}
		}
	})
}

// S16
func TestASeriesGoesOnWhateverBecomesOfTheSeller(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		next := func(change func(s *billing.Seller)) (invoiced, credited string) {
			t.Helper()
			s := norwegian()
			change(&s)
			if _, err := b.SetSeller(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			inv := final(t, b, draft(t, b, october()).ID)
			credit, err := b.Credit(t.Context(), acme, inv.ID, billing.NewCredit{})
			if err != nil {
				t.Fatal(err)
			}
			return inv.Number[len(inv.Number)-6:], final(t, b, credit.ID).Number[:1]
		}
		for i, change := range []func(s *billing.Seller){
			func(*billing.Seller) {},
			func(s *billing.Seller) {
				s.Registration, s.Endpoint.ID, s.VATID = "974760673", "974760673", "974760673MVA"
			},
			func(s *billing.Seller) { s.Prefix, s.CreditPrefix = "K", "" },
		} {
			invoiced, credited := next(change)
			want, kind := fmt.Sprintf("-%05d", i+1), "K"
			if i == 2 { // the series of the credit notes goes on with invoices
				kind = "2"
			}
			if invoiced != want || credited != kind {
				t.Errorf("%d: %s and %s", i, invoiced, credited)
			}
		}
	})
}

func TestAnAddressFollowsTheNumbersUnlessItIsGiven(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		s := norwegian()
		s.Endpoint = invoice.Endpoint{}
		before := s
		before.Registration, before.Endpoint.Scheme, before.Endpoint.ID = "974760673", "0192", "974760673" // as an address was kept that nobody gave
		for _, seller := range []billing.Seller{before, s} {
			if _, err := b.SetSeller(t.Context(), seller); err != nil {
				t.Fatal(err)
			}
			kept, err := b.Seller(t.Context())
			if err != nil || kept.Endpoint != (invoice.Endpoint{}) {
				t.Errorf("an address is kept that nobody gave: %+v (%v)", kept.Endpoint, err)
			}
		}
		sent := func() invoice.Endpoint {
			t.Helper()
			doc, err := b.Document(t.Context(), acme, final(t, b, draft(t, b, october()).ID).ID)
			if err != nil || doc.Seller.Endpoint != (invoice.Endpoint{Scheme: "0192", ID: "923609016"}) {
				t.Errorf("the seller is at %+v (%v)", doc.Seller.Endpoint, err)
			}
			return doc.Buyer.Endpoint
		}
		c := danish()
		for _, one := range []struct {
			registration string
			given, want  invoice.Endpoint
		}{
			{"13585628", invoice.Endpoint{}, invoice.Endpoint{Scheme: "0184", ID: "DK13585628"}},
			{"25063864", invoice.Endpoint{}, invoice.Endpoint{Scheme: "0184", ID: "DK25063864"}},
			{"25063864", invoice.Endpoint{Scheme: "EM", ID: "bills@example.com"}, invoice.Endpoint{Scheme: "EM", ID: "bills@example.com"}},
			{"13585628", invoice.Endpoint{Scheme: "EM", ID: "bills@example.com"}, invoice.Endpoint{Scheme: "EM", ID: "bills@example.com"}},
		} {
			c.Registration, c.Endpoint = one.registration, one.given
			kept, err := b.SetCustomer(t.Context(), acme, c)
			if err != nil || kept.Endpoint != one.given || kept.DeliveredTo() != one.want {
				t.Errorf("%+v is kept (%v)", kept.Endpoint, err)
			}
			if got := sent(); got != one.want {
				t.Errorf("sent to %+v, not %+v", got, one.want)
			}
		}
	})
}

func TestWhatDoesNotPassInspectionTakesNoNumber(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		c := danish()
		c.Endpoint = invoice.Endpoint{Scheme: "0192", ID: "123456789"} // its check digit is wrong
		if _, err := b.SetCustomer(t.Context(), acme, c); err != nil {
			t.Fatal(err)
		}
		id := draft(t, b, october()).ID
		if _, err := b.Finalise(t.Context(), acme, id); !problem.Has(err, "invoice_refused") || !strings.Contains(err.Error(), "PEPPOL-COMMON-R041") {
			t.Fatalf("got %v", err)
		}
		if _, err := b.SetCustomer(t.Context(), acme, danish()); err != nil {
			t.Fatal(err)
		}
		if inv := final(t, b, id); !strings.HasSuffix(inv.Number, "-00001") {
			t.Errorf("the number is %s", inv.Number)
		}
	})
}

func TestALineIsCreditedOnceAndACreditNever(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		ctx := t.Context()
		open := draft(t, b, october())
		if _, err := b.Credit(ctx, acme, open.ID, billing.NewCredit{}); !problem.Has(err, "not_final") {
			t.Errorf("a draft was credited: %v", err)
		}
		inv := final(t, b, open.ID)
		first, err := b.Credit(ctx, acme, inv.ID, billing.NewCredit{Lines: []int{2}, Note: "Too many parts"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Credit(ctx, acme, inv.ID, billing.NewCredit{Lines: []int{2}}); !problem.Has(err, "already_credited") {
			t.Errorf("a line was credited twice: %v", err)
		}
		if _, err := b.Credit(ctx, acme, inv.ID, billing.NewCredit{Lines: []int{3}}); !problem.Has(err, "invalid_lines") {
			t.Errorf("a line was credited that is not there: %v", err)
		}
		if _, err := b.Credit(ctx, other, inv.ID, billing.NewCredit{}); !problem.Has(err, "invoice_not_found") {
			t.Errorf("another account's invoice was credited: %v", err)
		}
		if err := b.Cancel(ctx, acme, first.ID); err != nil {
			t.Fatal(err)
		}
		again, err := b.Credit(ctx, acme, inv.ID, billing.NewCredit{Lines: []int{2}, Note: "Too many parts"})
		if err != nil {
			t.Fatal(err)
		}
		again = final(t, b, again.ID)
		if want := fmt.Sprintf("K%d-00001", again.Issued.Year()); again.Number != want || again.Net != 46911 || again.Kind != invoice.CreditNote {
			t.Errorf("got %+v", again)
		}
		rest, err := b.Credit(ctx, acme, inv.ID, billing.NewCredit{})
		if err != nil || rest.Net+again.Net != inv.Net {
			t.Errorf("the rest is %d (%v)", rest.Net, err)
		}
		if _, err := b.Credit(ctx, acme, inv.ID, billing.NewCredit{}); !problem.Has(err, "already_credited") {
			t.Errorf("more was credited than there is: %v", err)
		}
		if _, err := b.Credit(ctx, acme, again.ID, billing.NewCredit{}); !problem.Has(err, "credit_of_credit") {
			t.Errorf("a credit note was credited: %v", err)
		}
		doc, err := b.Document(ctx, acme, again.ID)
		if err != nil || doc.Corrects.Number != inv.Number || doc.Note != "Too many parts" || len(doc.Lines) != 1 {
			t.Errorf("got %+v (%v)", doc, err)
		}
	})
}

func TestManyCreditsOfOneLineAreOne(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		inv := final(t, b, draft(t, b, october()).ID)
		var all sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			all.Go(func() { _, errs[i] = b.Credit(t.Context(), acme, inv.ID, billing.NewCredit{Lines: []int{1}}) })
		}
		all.Wait()
		done := 0
		for _, err := range errs {
			if err == nil {
				done++
			} else if !problem.Has(err, "already_credited") {
				t.Error(err)
			}
		}
		if done != 1 {
			t.Errorf("the line was credited %d times", done)
		}
	})
}

// S16
func TestAPeriodOfASubscriptionIsChargedOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		l, ok := billing.Subscription{Key: "dir_1", Name: "Directory integration", Micro: billing.DirectoryPrice, Anchor: 1, Spans: []billing.Span{{First: day("2026-10-19")}}}.Due(day("2026-10-31"))
		if !ok {
			t.Fatal("there is no charge")
		}
		n := october()
		n.Lines = []billing.NewLine{l.Line()}
		first := draft(t, b, n)
		if first.Net != 4152 { // 13 of 31 days of 99 are 41.516...
			t.Errorf("it costs %d", first.Net)
		}
		if _, err := b.Draft(t.Context(), acme, n); !problem.Has(err, "already_invoiced") {
			t.Errorf("it was charged twice: %v", err)
		}
		if err := b.Cancel(t.Context(), acme, first.ID); err != nil {
			t.Fatal(err)
		}
		draft(t, b, n)
	})
}

func TestVATIsToldInTheCurrencyItIsDueIn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		c := billing.Customer{Party: norwegian().Party, Business: true, Currency: "EUR"}
		if _, err := b.SetCustomer(t.Context(), acme, c); err != nil {
			t.Fatal(err)
		}
		n := october()
		if _, err := b.Finalise(t.Context(), acme, draft(t, b, n).ID); !problem.Has(err, "no_rate") {
			t.Errorf("it was finalised without a rate: %v", err)
		}
		n.Books = invoice.Books{Rate: dec("11.452"), Source: "Norges Bank", At: day("2026-10-30")}
		inv := final(t, b, draft(t, b, n).ID)
		xml, _, err := b.File(t.Context(), acme, inv.ID, billing.XML)
		if err != nil || inv.VAT != 14203 || !bytes.Contains(xml, []byte(`<cbc:TaxAmount currencyID="NOK">1626.53</cbc:TaxAmount>`)) {
			t.Errorf("VAT is %d (%v)\n%s", inv.VAT, err, xml)
		}
	})
}

func TestReverseChargeNeedsANumberThatTheRegisterKnows(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := desk(t, d)
		s := norwegian()
		s.Party = invoice.Party{Name: "Varsel GmbH", Registration: "HRB 1", VATID: "DE136695976", Street: "Hauptstraße 5", City: "Köln", PostCode: "50667", Country: "DE",
			Contact: s.Contact}
		s.Currency = "EUR"
		if _, err := b.SetSeller(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Finalise(t.Context(), acme, draft(t, b, october()).ID); !problem.Has(err, "vat_unchecked") {
			t.Errorf("a number that nobody checked: %v", err)
		}
		if err := b.RecordVATCheck(t.Context(), acme, billing.VATCheck{VATID: "DK13585628", At: day("2026-10-30")}); err != nil {
			t.Fatal(err)
		}
		if inv := final(t, b, draft(t, b, october()).ID); inv.VAT == 0 {
			t.Error("a number that is not valid was enough")
		}
		check := billing.VATCheck{VATID: "DK 13585628", Valid: true, Consultation: "WAPIAAAAY1", At: day("2026-10-31")}
		if err := b.RecordVATCheck(t.Context(), acme, check); err != nil {
			t.Fatal(err)
		}
		inv := final(t, b, draft(t, b, october()).ID)
		doc, err := b.Document(t.Context(), acme, inv.ID)
		if err != nil || inv.VAT != 0 || !strings.HasPrefix(doc.Lines[0].VAT.Reason, "Reverse charge") {
			t.Errorf("got %+v (%v)", doc.Lines, err)
		}
		if doc.Seller.Endpoint != (invoice.Endpoint{Scheme: "9930", ID: "DE136695976"}) {
			t.Errorf("the seller is reached at %v", doc.Seller.Endpoint)
		}
		c := danish()
		c.VATID = "DK25313763"
		if c, err = b.SetCustomer(t.Context(), acme, c); err != nil || c.Check.Consultation != "WAPIAAAAY1" {
			t.Fatalf("got %+v (%v)", c, err)
		}
		if _, err := b.Finalise(t.Context(), acme, draft(t, b, october()).ID); !problem.Has(err, "vat_unchecked") {
			t.Errorf("the check of another number: %v", err)
		}
	})
}

func TestProfilesAreRefusedThatNoInvoiceCouldBeMadeWith(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLiteURL(t))
	b := desk(t, d)
	for field, change := range map[string]func(s *billing.Seller){
		"name":         func(s *billing.Seller) { s.Name = " " },
		"country":      func(s *billing.Seller) { s.Country, s.VATID = "US", "" },
		"address":      func(s *billing.Seller) { s.City = "" },
		"registration": func(s *billing.Seller) { s.Registration = "" },
		"vat_id":       func(s *billing.Seller) { s.VATID = "NO923609017MVA" },
		"currency":     func(s *billing.Seller) { s.Currency = "USD" },
		"zone":         func(s *billing.Seller) { s.Zone = "Oslo" },
		"iban":         func(s *billing.Seller) { s.Payment.IBAN = "NO9386011117948" },
		"prefix":       func(s *billing.Seller) { s.CreditPrefix = "" },
		"days":         func(s *billing.Seller) { s.Days = -1 },
	} {
		s := norwegian()
		change(&s)
		if _, err := b.SetSeller(t.Context(), s); !problem.Has(err, "invalid_"+field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	for field, change := range map[string]func(c *billing.Customer){
		"vat_id":   func(c *billing.Customer) { c.VATID = "DK1" },
		"currency": func(c *billing.Customer) { c.Currency = "" },
		"language": func(c *billing.Customer) { c.Language = "de" },
		"email":    func(c *billing.Customer) { c.Email = "nobody" },
		"endpoint": func(c *billing.Customer) { c.Business = false },
	} {
		c := danish()
		change(&c)
		if _, err := b.SetCustomer(t.Context(), acme, c); !problem.Has(err, "invalid_"+field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := b.Draft(t.Context(), other, october()); !problem.Has(err, "no_billing_profile") {
		t.Errorf("an account without a profile got a draft: %v", err)
	}
}

func TestLinesAreRefusedThatNoInvoiceCanHave(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLiteURL(t))
	b := desk(t, d)
	for name, change := range map[string]func(n *billing.NewInvoice){
		"no lines":       func(n *billing.NewInvoice) { n.Lines = nil },
		"no name":        func(n *billing.NewInvoice) { n.Lines[0].Name = "" },
		"nothing of it":  func(n *billing.NewInvoice) { n.Lines[0].Quantity = dec("0") },
		"below zero":     func(n *billing.NewInvoice) { n.Lines[0].Price = dec("-1") },
		"a unit of ours": func(n *billing.NewInvoice) { n.Lines[0].Unit = "SMS" },
		"another period": func(n *billing.NewInvoice) {
			n.Lines[0].Period = invoice.Period{From: day("2026-09-30"), To: day("2026-10-31")}
		},
		"more than exist": func(n *billing.NewInvoice) { n.Lines[0].Quantity = dec("99999999999999999999") },
	} {
		n := october()
		change(&n)
		if _, err := b.Draft(t.Context(), acme, n); !problem.Has(err, "invalid_lines") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestASellerWithoutAZoneKeepsTheirs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := billing.NewInvoices(d)
		s := norwegian()
		for _, step := range []struct{ said, kept string }{{"", "UTC"}, {"Europe/Oslo", "Europe/Oslo"}, {"", "Europe/Oslo"}} {
			s.Zone = step.said
			if kept, err := b.SetSeller(t.Context(), s); err != nil || kept.Zone != step.kept {
				t.Errorf("said %q, kept %q (%v)", step.said, kept.Zone, err)
			}
		}
	})
}
