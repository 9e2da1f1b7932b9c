package invoice

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
)

func TestEveryLanguageHasEveryPhrase(t *testing.T) {
	want := slices.Sorted(maps.Keys(phrases["en"]))
	for language, words := range phrases {
		if got := slices.Sorted(maps.Keys(words)); !slices.Equal(got, want) {
			t.Errorf("%s has %v, English %v", language, got, want)
		}
		for id, text := range words {
			if strings.Count(text, "%s") != strings.Count(phrases["en"][id], "%s") {
				t.Errorf("%s: %s names other things than in English", language, id)
			}
		}
	}
}

func small() Document {
	day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	return Document{Kind: Invoice, Number: "2026-00007", Issued: day, Due: day.AddDate(0, 0, 14), Period: Period{day, day}, Currency: "EUR", Language: "pl",
		Reference: "acme", Seller: Party{Name: "Żuraw Sp. z o.o.", Registration: "0000123456", VATID: "PL5260250274", Street: "ul. Długa 4", City: "Kraków", PostCode: "31-146", Country: "PL"},
		Buyer: Party{Name: "Bøge ApS", VATID: "DK13585628", Country: "DK"}, Payment: Payment{IBAN: "PL61109010140000071219812874"},
		Lines: []Line{{Name: "=SMS", Quantity: decimal.NewFromInt(3), Unit: "C62", Price: decimal.RequireFromString("0.335"),
			VAT: VAT{Category: ReverseCharge, Code: "VATEX-EU-AE", Reason: "Reverse charge / odwrotne obciążenie"}}}}
}

func TestThePDFIsWrittenInEveryLanguage(t *testing.T) {
	for language := range phrases {
		d := small()
		d.Language = language
		out, err := PDF(d)
		if err != nil || !bytes.HasPrefix(out, []byte("%PDF-")) {
			t.Errorf("%s: %v", language, err)
		}
	}
}

// What VAT Directive Art. 226 asks for is among what the PDF is put together from.
func TestPeopleAreToldWhatTheLawAsksFor(t *testing.T) {
	d := small()
	totals, err := Total(d)
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for _, pairs := range [][][2]string{d.facts(), d.partyFields(d.Seller), d.partyFields(d.Buyer), d.sumFields(totals), d.paymentFields()} {
		for _, p := range pairs {
			said.WriteString(p[0] + " " + p[1] + "\n")
		}
	}
	for _, row := range append(d.lineCells(totals), d.shareCells(totals)...) {
		said.WriteString(strings.Join(row, " ") + "\n")
	}
	for _, want := range []string{"Numer 2026-00007", "Data wystawienia 2026-11-01", "Termin płatności 2026-11-15", "Data dostawy lub wykonania usługi 2026-11-01",
		"Żuraw Sp. z o.o.", "ul. Długa 4\n31-146 Kraków", "PL5260250274", "Bøge ApS", "DK13585628", "=SMS 3 szt. 0.335 bez VAT 1.01",
		"bez VAT 1.01 0.00 Reverse charge / odwrotne obciążenie", "Razem netto 1.01 EUR", "VAT 0.00 EUR", "Do zapłaty 1.01 EUR", "Tytuł przelewu 2026-00007"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, said.String())
		}
	}
}

func TestPeopleAreToldWhatIsPaidInAdvance(t *testing.T) {
	d := small()
	d.Paid, d.Due = 101, time.Time{}
	totals, err := Total(d)
	if err != nil {
		t.Fatal(err)
	}
	want := filled{{"Razem netto", "1.01 EUR"}, {"VAT", "0.00 EUR"}, {"Razem brutto", "1.01 EUR"}, {"Zapłacono z góry", "1.01 EUR"}, {"Do zapłaty", "0.00 EUR"}}
	if got := d.sumFields(totals); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	for _, fact := range d.facts() {
		if fact[0] == "Termin płatności" {
			t.Errorf("it is due: %v", fact)
		}
	}
}

func TestTheLinesAreWrittenAsCSV(t *testing.T) {
	out, err := CSV(small())
	want := "document,line,description,from,to,quantity,unit,unit_price,vat_category,vat_rate,net,currency\r\n" +
		"2026-00007,1,'=SMS,2026-11-01,2026-11-01,3,C62,0.335,AE,0,1.01,EUR\r\n"
	if err != nil || string(out) != want {
		t.Errorf("got %q (%v)", out, err)
	}
}
