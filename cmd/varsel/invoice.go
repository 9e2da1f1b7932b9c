package main

import (
	"context"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/billing/invoice"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

// billedFlags are a seller or a customer as invoices name it.
type billedFlags struct {
	Name         string `required:"" help:"Legal name."`
	Registration string `help:"Number in the register of companies."`
	VATID        string `name:"vat-id" help:"VAT number."`
	Street       string `required:"" help:"Street and number."`
	City         string `required:"" help:"City."`
	PostCode     string `help:"Post code."`
	Country      string `required:"" help:"Country code, such as NO."`
	Endpoint     string `help:"Electronic address with its scheme, such as 0192:923609016."`
	ContactName  string `help:"Whom to ask."`
	ContactPhone string `help:"Their telephone number."`
	ContactEmail string `help:"Their e-mail address."`
}

func (p billedFlags) party() invoice.Party {
	scheme, id, _ := strings.Cut(p.Endpoint, ":")
	return invoice.Party{Name: p.Name, Registration: p.Registration, VATID: p.VATID, Street: p.Street, City: p.City, PostCode: p.PostCode, Country: p.Country,
		Endpoint: invoice.Endpoint{Scheme: scheme, ID: id}, Contact: invoice.Contact{Name: p.ContactName, Phone: p.ContactPhone, Email: p.ContactEmail}}
}

type invoiceSeller struct {
	billedFlags  `embed:""`
	IBAN         string `name:"iban" required:"" help:"Account to be paid to."`
	BIC          string `name:"bic" help:"Its bank."`
	Currency     string `help:"Of the books; the country's when it is left out."`
	Zone         string `help:"Time zone, such as Europe/Oslo: what day it is when an invoice is finalised. When it is left out, the present one, and UTC for the first seller."`
	OSS          bool   `name:"oss" help:"In the one-stop shop: consumers in the European Union pay their country's VAT."`
	Prefix       string `help:"Of the numbers of invoices."`
	CreditPrefix string `default:"K" help:"Of the numbers of credit notes; another one."`
	Days         int    `default:"14" help:"Until an invoice is due."`
}

func (s invoiceSeller) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withApp(ctx, func(app *App) error {
		one, err := app.Invoices.SetSeller(ctx, billing.Seller{Party: s.party(), Payment: invoice.Payment{IBAN: s.IBAN, BIC: s.BIC}, Currency: s.Currency,
			Zone: s.Zone, OSS: s.OSS, Prefix: s.Prefix, CreditPrefix: s.CreditPrefix, Days: s.Days})
		if err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"name": one.Name, "vat_id": one.VATID, "currency": one.Currency}, "Invoices are from %s, %s.", one.Name, one.VATID)
	})
}

type invoiceCustomer struct {
	Account      string `required:"" help:"The account."`
	billedFlags  `embed:""`
	Consumer     bool   `help:"A person, not a business."`
	Currency     string `default:"EUR" help:"Of the invoices."`
	Language     string `default:"en" help:"Of what people read: en, nb or pl."`
	Reference    string `help:"The customer's own, such as a cost centre."`
	Email        string `help:"Where invoices are sent to that no network delivers."`
	Consultation string `help:"The number of the enquiry by which VIES found the VAT number valid today."`
}

func (i invoiceCustomer) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, i.Account, func(app *App, acc accounts.Account) error {
		one, err := app.Invoices.SetCustomer(ctx, acc.ID, billing.Customer{Party: i.party(), Business: !i.Consumer, Currency: i.Currency, Language: i.Language,
			Reference: i.Reference, Email: i.Email})
		if err != nil {
			return err
		}
		if i.Consultation != "" {
			check := billing.VATCheck{VATID: one.VATID, Valid: true, Consultation: i.Consultation, At: time.Now().UTC()}
			if err := app.Invoices.RecordVATCheck(ctx, acc.ID, check); err != nil {
				return err
			}
		}
		to := one.DeliveredTo()
		answer := map[string]any{"name": one.Name, "vat_id": one.VATID, "endpoint": to.Scheme + ":" + to.ID, "currency": one.Currency}
		return c.say(t.out, answer, "Invoices of %s are for %s, delivered to %s.", i.Account, one.Name, answer["endpoint"])
	})
}

type invoiceVATCheck struct {
	Account string `required:"" help:"The account."`
}

func (i invoiceVATCheck) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, i.Account, func(app *App, acc accounts.Account) error {
		check, err := app.Invoices.LookUpVAT(ctx, acc.ID)
		if err != nil {
			return err
		}
		words := map[bool]string{true: "valid", false: "not valid"}
		return c.say(t.out, map[string]any{"vat_id": check.VATID, "valid": check.Valid, "consultation": check.Consultation, "name": check.Name},
			"%s is %s. %s %s", check.VATID, words[check.Valid], check.Name, check.Consultation)
	})
}

type invoiceDraft struct {
	Account    string   `required:"" help:"The account."`
	From       string   `required:"" help:"The first day of supply: 2026-10-01."`
	To         string   `required:"" help:"The last day of supply."`
	Line       []string `required:"" sep:"none" help:"Quantity, unit (C62, MON, DAY), price without VAT and description: '3 DAY 800 Training'. Messages and directories are invoiced every month by themselves."`
	Reference  string   `help:"The customer's; that of the account when it is left out."`
	Note       string   `help:"On the invoice."`
	Rate       string   `help:"Of exchange, where VAT is due in another currency."`
	RateSource string   `help:"Whose rate it is: ECB, Norges Bank."`
	RateDate   string   `help:"The day of the rate."`
}

func (i invoiceDraft) Run(ctx context.Context, c *commands, t terminal) error {
	n, err := i.invoice()
	if err != nil {
		return err
	}
	return c.withAccount(ctx, i.Account, func(app *App, acc accounts.Account) error {
		return c.sayInvoice(app, t)(app.Invoices.Draft(ctx, acc.ID, n))
	})
}

func (i invoiceDraft) invoice() (n billing.NewInvoice, err error) {
	n.Reference, n.Note, n.Books.Source = i.Reference, i.Note, i.RateSource
	for _, d := range []struct {
		field, text string
		into        *time.Time
	}{{"from", i.From, &n.Period.From}, {"to", i.To, &n.Period.To}, {"rate_date", i.RateDate, &n.Books.At}} {
		if d.text == "" {
			continue
		}
		if *d.into, err = time.Parse(time.DateOnly, d.text); err != nil {
			return n, problem.Invalid(d.field, "%q is no day such as 2026-10-01", d.text)
		}
	}
	if i.Rate != "" {
		if n.Books.Rate, err = plainDecimal(i.Rate); err != nil {
			return n, problem.Invalid("rate", "%q is no rate such as 11.452", i.Rate)
		}
	}
	for _, text := range i.Line {
		l, err := invoiceLine(text)
		if err != nil {
			return n, err
		}
		n.Lines = append(n.Lines, l)
	}
	return n, nil
}

func invoiceLine(text string) (l billing.NewLine, err error) {
	words := strings.SplitN(strings.TrimSpace(text), " ", 4)
	if len(words) < 4 {
		return l, problem.Invalid("lines", "a line is written '3 DAY 800 Training', not %q", text)
	}
	if l.Quantity, err = plainDecimal(words[0]); err != nil {
		return l, problem.Invalid("lines", "%q is no quantity", words[0])
	}
	if l.Price, err = plainDecimal(words[2]); err != nil {
		return l, problem.Invalid("lines", "%q is no price", words[2])
	}
	l.Unit, l.Name = words[1], words[3]
	return l, nil
}

// sayInvoice says what became of an invoice.
func (c *commands) sayInvoice(app *App, t terminal) func(billing.Invoice, error) error {
	return func(inv billing.Invoice, err error) error {
		if err != nil {
			return err
		}
		answer := invoiceAnswer(app, inv)
		return c.say(t.out, answer, "%s\t%s\t%s\t%s %s", answer["id"], inv.State, inv.Number, invoice.Amount(max(inv.Net, inv.Gross)), inv.Currency)
	}
}

func invoiceAnswer(app *App, inv billing.Invoice) map[string]any {
	answer := map[string]any{"id": app.Names.Of(secrets.Invoice, inv.ID), "kind": inv.Kind.Word(), "state": inv.State, "currency": inv.Currency, "net": invoice.Amount(inv.Net)}
	if inv.Credits != 0 {
		answer["credits"] = app.Names.Of(secrets.Invoice, inv.Credits)
	}
	if inv.State == billing.Final {
		answer["number"], answer["issued"], answer["vat"], answer["gross"] = inv.Number, inv.Issued.Format(time.DateOnly), invoice.Amount(inv.VAT), invoice.Amount(inv.Gross)
	}
	if inv.Prepaid != 0 {
		answer["prepaid"] = invoice.Amount(inv.Prepaid)
	}
	return answer
}

// withInvoice runs a command about one invoice, of whatever account.
func (c *commands) withInvoice(ctx context.Context, name string, do func(app *App, inv billing.Invoice) error) error {
	return c.withApp(ctx, func(app *App) error {
		id, err := app.Names.ID(secrets.Invoice, name)
		if err != nil {
			return err
		}
		inv, err := app.Invoices.Anywhere(ctx, id)
		if err != nil {
			return err
		}
		c.about = inv.Account
		return do(app, inv)
	})
}

type invoiceFinalise struct {
	Invoice string `arg:"" help:"The draft's id."`
}

func (i invoiceFinalise) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withInvoice(ctx, i.Invoice, func(app *App, inv billing.Invoice) error {
		return c.sayInvoice(app, t)(app.Invoices.Finalise(ctx, inv.Account, inv.ID))
	})
}

type invoiceCancel struct {
	Invoice string `arg:"" help:"The draft's id."`
}

func (i invoiceCancel) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withInvoice(ctx, i.Invoice, func(app *App, inv billing.Invoice) error {
		if err := app.Invoices.Cancel(ctx, inv.Account, inv.ID); err != nil {
			return err
		}
		return c.say(t.out, map[string]any{"cancelled": i.Invoice}, "The draft is cancelled; it took no number.")
	})
}

type invoiceCredit struct {
	Invoice string `arg:"" help:"The invoice's id."`
	Line    []int  `help:"The numbers of the lines; all that remain when it is left out."`
	Note    string `help:"Why; it is on the credit note."`
}

func (i invoiceCredit) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withInvoice(ctx, i.Invoice, func(app *App, inv billing.Invoice) error {
		return c.sayInvoice(app, t)(app.Invoices.Credit(ctx, inv.Account, inv.ID, billing.NewCredit{Lines: i.Line, Note: i.Note}))
	})
}

type invoiceList struct {
	Account string `required:"" help:"The account."`
	State   string `help:"Only those in this state: draft, final or cancelled."`
	Limit   int    `default:"100" help:"How many, the newest first."`
}

func (i invoiceList) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withAccount(ctx, i.Account, func(app *App, acc accounts.Account) error {
		all, err := app.Invoices.List(ctx, acc.ID, billing.InvoiceFilter{State: i.State, Limit: i.Limit})
		if err != nil {
			return err
		}
		for _, inv := range all {
			if err := c.sayInvoice(app, t)(inv, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

type invoiceShow struct {
	Invoice string `arg:"" help:"The invoice's id."`
}

func (i invoiceShow) Run(ctx context.Context, c *commands, t terminal) error {
	return c.withInvoice(ctx, i.Invoice, func(app *App, inv billing.Invoice) error {
		if err := c.sayInvoice(app, t)(inv, nil); err != nil {
			return err
		}
		lines, err := app.Invoices.Lines(ctx, inv)
		if err != nil {
			return err
		}
		for n, l := range lines {
			answer := map[string]any{"line": n + 1, "description": l.Name, "quantity": l.Quantity.String(), "unit": l.Unit, "unit_price": l.Price.String(), "vat_category": string(l.VAT.Category)}
			if err := c.say(t.out, answer, "%d\t%s %s\t%s\t%s", n+1, l.Quantity, l.Unit, l.Price, l.Name); err != nil {
				return err
			}
		}
		return nil
	})
}

// invoiceFile writes a file of a final invoice to standard output.
type invoiceFile struct {
	Invoice string `arg:"" help:"The invoice's id."`
}

func (i invoiceFile) write(ctx context.Context, c *commands, t terminal, kind string) error {
	return c.withInvoice(ctx, i.Invoice, func(app *App, inv billing.Invoice) error {
		content, _, err := app.Invoices.File(ctx, inv.Account, inv.ID, kind)
		if err != nil {
			return err
		}
		_, err = t.out.Write(content)
		return err
	})
}

type invoiceXML struct {
	invoiceFile `embed:""`
}

func (i invoiceXML) Run(ctx context.Context, c *commands, t terminal) error {
	return i.write(ctx, c, t, billing.XML)
}

type invoicePDF struct {
	invoiceFile `embed:""`
}

func (i invoicePDF) Run(ctx context.Context, c *commands, t terminal) error {
	return i.write(ctx, c, t, billing.PDF)
}

// plainDecimal reads a decimal without an exponent, which makes numbers that take for
// ever to work with.
func plainDecimal(text string) (decimal.Decimal, error) {
	if strings.ContainsAny(text, "eE") {
		return decimal.Decimal{}, problem.Invalid("number", "%q is no decimal", text)
	}
	return decimal.NewFromString(text)
}
