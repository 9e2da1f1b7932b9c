package invoice

import (
	"fmt"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/pdf"
)

// PDF writes the document for people, in its language, with all that an invoice has to
// say (VAT Directive 2006/112/EC Art. 226).
func PDF(d Document) ([]byte, error) {
	t, err := Total(d)
	if err != nil {
		return nil, err
	}
	say := func(id string, args ...any) string { return phrase(d.Language, id, args...) }
	title := say(string(d.Kind)) + " " + d.Number
	p := pdf.New(title, d.Language, d.Issued)
	p.Heading(1, title)
	p.Fields(d.facts()...)
	p.Heading(3, say("seller"))
	p.Fields(d.partyFields(d.Seller)...)
	p.Heading(3, say("buyer"))
	p.Fields(d.partyFields(d.Buyer)...)
	p.Table([]string{say("description"), say("quantity"), say("unit"), say("price"), say("rate"), say("net") + ", " + d.Currency},
		[]float64{5, 2, 1.5, 2.5, 1.5, 2.5}, d.lineCells(t))
	p.Heading(3, say("breakdown"))
	p.Table([]string{say("rate"), say("base"), say("tax"), ""}, []float64{1.5, 2, 2, 6}, d.shareCells(t))
	p.Heading(3, say("sums"))
	p.Fields(d.sumFields(t)...)
	if d.Books.Currency != "" {
		p.Paragraph(say("books", d.Books.Currency, Amount(t.BooksVAT), d.Books.Rate, d.Books.Source, d.Books.At.Format(time.DateOnly)))
	}
	p.Paragraph(strings.TrimSpace(d.terms(t) + "\n" + d.Note))
	if d.Kind == Invoice && t.Due != 0 && d.Payment.IBAN != "" {
		p.Heading(3, say("payment"))
		p.Fields(d.paymentFields()...)
	}
	return p.Bytes()
}

// facts are what is above the parties.
func (d Document) facts() [][2]string {
	say := func(id string, args ...any) string { return phrase(d.Language, id, args...) }
	var third [2]string
	switch {
	case !d.Due.IsZero():
		third = [2]string{say("due"), d.Due.Format(time.DateOnly)}
	case d.Kind == CreditNote:
		third = [2]string{say("corrects"), say("corrects_of", d.Corrects.Number, d.Corrects.Issued.Format(time.DateOnly))}
	}
	return filled{{say("number"), d.Number}, {say("issued"), d.Issued.Format(time.DateOnly)}, third, {say("period"), d.Period.text()}, {say("reference"), d.Reference}}.without()
}

// filled are fields of which those without a value are left out.
type filled [][2]string

func (f filled) without() (kept [][2]string) {
	for _, pair := range f {
		if pair[1] != "" {
			kept = append(kept, pair)
		}
	}
	return kept
}

func (p Period) text() string {
	if p.From.Equal(p.To) {
		return p.From.Format(time.DateOnly)
	}
	return p.From.Format(time.DateOnly) + " – " + p.To.Format(time.DateOnly)
}

func (d Document) partyFields(p Party) [][2]string {
	say := func(id string) string { return phrase(d.Language, id) }
	registration := p.Registration
	if extra := inRegister[p.Country]; extra != "" && p == d.Seller {
		registration += ", " + extra
	}
	return filled{{say("name"), p.Name}, {say("address"), joined("\n", p.Street, joined(" ", p.PostCode, p.City))}, {say("country"), p.Country},
		{say("registration"), registration}, {say("vat_id"), p.VATID}, {say("contact"), joined(", ", p.Contact.Name, p.Contact.Phone, p.Contact.Email)}}.without()
}

// joined puts together what is not empty.
func joined(by string, parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, by)
}

func (d Document) lineCells(t Totals) (rows [][]string) {
	for i, l := range d.Lines {
		name := l.Name
		if !l.Period.From.IsZero() {
			name += "\n" + l.Period.text()
		}
		rows = append(rows, []string{name, l.Quantity.String(), phrase(d.Language, l.Unit), l.Price.String(), d.rate(l.VAT), Amount(t.Lines[i])})
	}
	return rows
}

func (d Document) rate(v VAT) string {
	if v.Category != Standard {
		return phrase(d.Language, "none")
	}
	return v.Rate.String() + " %"
}

func (d Document) shareCells(t Totals) (rows [][]string) {
	for _, b := range t.Breakdown {
		rows = append(rows, []string{d.rate(b.VAT), Amount(b.Base), Amount(b.Tax), b.Reason})
	}
	return rows
}

func (d Document) sumFields(t Totals) [][2]string {
	money := func(cents int64) string { return fmt.Sprintf("%s %s", Amount(cents), d.Currency) }
	last, paid := "payable", ""
	if d.Kind == CreditNote {
		last = "credited"
	}
	if d.Paid != 0 {
		paid = money(d.Paid)
	}
	return filled{{phrase(d.Language, "sum_net"), money(t.Net)}, {phrase(d.Language, "sum_vat"), money(t.VAT)},
		{phrase(d.Language, "sum_gross"), money(t.Gross)}, {phrase(d.Language, "prepaid"), paid}, {phrase(d.Language, last), money(t.Due)}}.without()
}

func (d Document) paymentFields() [][2]string {
	reference := d.Payment.Reference
	if reference == "" {
		reference = d.Number
	}
	say := func(id string) string { return phrase(d.Language, id) }
	return filled{{say("iban"), d.Payment.IBAN}, {say("bic"), d.Payment.BIC}, {say("pay_reference"), reference}}.without()
}
