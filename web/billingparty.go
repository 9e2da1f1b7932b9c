package web

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	bills "github.com/varsel/varsel/billing/invoice"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

const (
	sellerPath    = allInvoicesPath + "/seller"
	customersPath = allInvoicesPath + "/customers"
)

// billField is an input of a form about who an invoice is from or for.
type billField struct {
	Name, Value, Error string
	Required           bool
	Choices            []choice // of a select
}

// partyPage is the form of a seller or a customer, as it was filled in.
type partyPage struct {
	Customer string // the account's name; empty for the seller
	Path     string
	Fields   []billField
	OSS      bool
	Business bool
	Check    *billing.VATCheck // what the register said of the number that is kept
	MayAsk   bool
	Errors   []fieldError
}

func (partyPage) template() string { return "billingparty" }

// Error is what is wrong with a field, or empty.
func (p partyPage) Error(field string) string { return errorOf(p.Errors, field) }

var partyFields = []string{"name", "registration", "vat_id", "street", "post_code", "city", "country", "endpoint", "contact_name", "contact_phone", "contact_email"}

var (
	sellerFields   = append(slices.Clone(partyFields), "iban", "bic", "currency", "zone", "prefix", "credit_prefix", "days")
	customerFields = append(slices.Clone(partyFields), "currency", "language", "reference", "email")
	neededFields   = []string{"name", "street", "city", "country", "iban", "currency", "language", "days"}
)

// fill makes the inputs of the form from their values.
func (p *partyPage) fill(say *tongue, names []string, values map[string]string) {
	for _, name := range names {
		f := billField{Name: name, Value: values[name], Error: p.Error(name), Required: slices.Contains(neededFields, name)}
		switch name {
		case "currency":
			f.Choices = choices(bills.Currencies, f.Value, func(c string) string { return c })
		case "language":
			for _, t := range tongues {
				f.Choices = append(f.Choices, choice{Value: t.Code, Text: t.text("language_name"), Chosen: t.Code == f.Value})
			}
		}
		p.Fields = append(p.Fields, f)
	}
}

func choices(all []string, chosen string, word func(string) string) (list []choice) {
	for _, one := range all {
		list = append(list, choice{Value: one, Text: word(one), Chosen: one == chosen})
	}
	return list
}

// partyErrors says of a refusal which field it is about.
func (say *tongue) partyErrors(refused *problem.Problem) []fieldError {
	field := refused.Field
	if field == "address" {
		field = "street"
	}
	return []fieldError{{field, say.word("bill_wrong", refused.Field)}}
}

func partyValues(p bills.Party) map[string]string {
	v := map[string]string{"name": p.Name, "registration": p.Registration, "vat_id": p.VATID, "street": p.Street, "post_code": p.PostCode, "city": p.City,
		"country": p.Country, "contact_name": p.Contact.Name, "contact_phone": p.Contact.Phone, "contact_email": p.Contact.Email}
	if p.Endpoint != (bills.Endpoint{}) {
		v["endpoint"] = p.Endpoint.Scheme + ":" + p.Endpoint.ID
	}
	return v
}

func billPartyOf(v map[string]string) bills.Party {
	scheme, id, _ := strings.Cut(v["endpoint"], ":")
	return bills.Party{Name: v["name"], Registration: v["registration"], VATID: v["vat_id"], Street: v["street"], City: v["city"], PostCode: v["post_code"], Country: v["country"],
		Endpoint: bills.Endpoint{Scheme: scheme, ID: id}, Contact: bills.Contact{Name: v["contact_name"], Phone: v["contact_phone"], Email: v["contact_email"]}}
}

func posted(c *fiber.Ctx, names []string) map[string]string {
	v := map[string]string{}
	for _, name := range names {
		v[name] = strings.TrimSpace(c.FormValue(name))
	}
	return v
}

func (w *site) seller(c *fiber.Ctx, v visit) error {
	s, err := w.Invoices.Seller(v.ctx)
	if problem.Has(err, "no_seller") {
		s, err = billing.Seller{CreditPrefix: "K", Days: 14, Zone: "UTC", Currency: "EUR"}, nil
	}
	if err != nil {
		return err
	}
	values := partyValues(s.Party)
	for name, value := range map[string]string{"iban": s.Payment.IBAN, "bic": s.Payment.BIC, "currency": s.Currency, "zone": s.Zone, "prefix": s.Prefix,
		"credit_prefix": s.CreditPrefix, "days": strconv.Itoa(s.Days)} {
		values[name] = value
	}
	return w.showSeller(c, v, partyPage{OSS: s.OSS}, values)
}

func (w *site) showSeller(c *fiber.Ctx, v visit, p partyPage, values map[string]string) error {
	p.Path = sellerPath
	p.fill(v.say, sellerFields, values)
	return render(c, p)
}

func (w *site) setSeller(c *fiber.Ctx, v visit) error {
	values := posted(c, sellerFields)
	p := partyPage{OSS: c.FormValue("oss") != ""}
	days, err := strconv.Atoi(values["days"])
	if err != nil {
		err = problem.Invalid("days", "%q is no number of days", values["days"])
	} else {
		_, err = w.Invoices.SetSeller(v.ctx, billing.Seller{Party: billPartyOf(values), Payment: bills.Payment{IBAN: values["iban"], BIC: values["bic"]}, Currency: values["currency"],
			Zone: values["zone"], OSS: p.OSS, Prefix: values["prefix"], CreditPrefix: values["credit_prefix"], Days: days})
	}
	if refused := problem.As(err); refused != nil {
		p.Errors = v.say.partyErrors(refused)
		return w.showSeller(c.Status(statuses[refused.Kind]), v, p, values)
	}
	if err != nil {
		return err
	}
	return c.Redirect(allInvoicesPath, fiber.StatusSeeOther)
}

// customersPage lists the accounts, to say whom their invoices are for.
type customersPage struct {
	Rows  []customerRow
	Pager pager
}

func (customersPage) template() string { return "billingcustomers" }

type customerRow struct {
	Handle, Name string
	For          string // whom invoices are for; empty where nobody said
}

func (w *site) customers(c *fiber.Ctx, v visit) error {
	after, err := w.cursor(secrets.Account, c.Query("from"))
	if err != nil {
		return err
	}
	all, err := w.Accounts.List(v.ctx, after, pageSize+1)
	if err != nil {
		return err
	}
	all, more := cut(all)
	next := ""
	if more {
		next = w.Names.Of(secrets.Account, all[len(all)-1].ID)
	}
	p := customersPage{Pager: turn(customersPath, nil, c.Query("from"), next)}
	for _, acc := range all {
		row := customerRow{Handle: acc.Handle, Name: acc.Name}
		customer, err := w.Invoices.Customer(v.ctx, acc.ID)
		if err != nil && !problem.Has(err, "no_billing_profile") {
			return err
		}
		row.For = customer.Name
		p.Rows = append(p.Rows, row)
	}
	return render(c, p)
}

func (w *site) customer(c *fiber.Ctx, v visit) error {
	acc, err := w.Accounts.ByHandle(v.ctx, c.Params("account"))
	if err != nil {
		return err
	}
	return w.showCustomer(c, v, acc, partyPage{}, nil)
}

// showCustomer shows what was typed, or what is kept where nothing was.
func (w *site) showCustomer(c *fiber.Ctx, v visit, acc accounts.Account, p partyPage, values map[string]string) error {
	kept, err := w.Invoices.Customer(v.ctx, acc.ID)
	known := !problem.Has(err, "no_billing_profile")
	if err != nil && known {
		return err
	}
	if values == nil {
		values = partyValues(kept.Party)
		values["currency"], values["language"], values["reference"], values["email"] = kept.Currency, kept.Language, kept.Reference, kept.Email
		p.Business = kept.Business
		if !known {
			values["name"], values["country"], values["currency"], values["language"], p.Business = acc.Name, acc.Region, acc.Currency, "en", true
		}
	}
	p.Customer, p.Path, p.MayAsk = acc.Name, customersPath+"/"+acc.Handle, kept.VATID != ""
	if kept.Check != (billing.VATCheck{}) && kept.Check.VATID == kept.VATID {
		p.Check = &kept.Check
	}
	p.fill(v.say, customerFields, values)
	return render(c, p)
}

func (w *site) setCustomer(c *fiber.Ctx, v visit) error {
	acc, err := w.Accounts.ByHandle(v.ctx, c.Params("account"))
	if err != nil {
		return err
	}
	values := posted(c, customerFields)
	p := partyPage{Business: c.FormValue("business") != ""}
	_, err = w.Invoices.SetCustomer(v.ctx, acc.ID, billing.Customer{Party: billPartyOf(values), Business: p.Business, Currency: values["currency"], Language: values["language"],
		Reference: values["reference"], Email: values["email"]})
	if refused := problem.As(err); refused != nil {
		p.Errors = v.say.partyErrors(refused)
		return w.showCustomer(c.Status(statuses[refused.Kind]), v, acc, p, values)
	}
	if err != nil {
		return err
	}
	return c.Redirect(customersPath+"/"+acc.Handle, fiber.StatusSeeOther)
}

func (w *site) lookUpVAT(c *fiber.Ctx, v visit) error {
	acc, err := w.Accounts.ByHandle(v.ctx, c.Params("account"))
	if err != nil {
		return err
	}
	_, err = w.Invoices.LookUpVAT(v.ctx, acc.ID)
	if refused := problem.As(err); refused != nil {
		text := v.say.problem(refused)
		if refused.Field == "vat_id" {
			text = v.say.text("bill_not_union")
		}
		return w.showCustomer(c.Status(statuses[refused.Kind]), v, acc, partyPage{Errors: []fieldError{{"vat_id", text}}}, nil)
	}
	if err != nil {
		return err
	}
	return c.Redirect(customersPath+"/"+acc.Handle, fiber.StatusSeeOther)
}
