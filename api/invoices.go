package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/shopspring/decimal"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	bills "github.com/varsel/varsel/billing/invoice"
	"github.com/varsel/varsel/internal/secrets"
)

const (
	invoicesPath             = "/v1/invoices"
	installationInvoicesPath = installationPath + "/invoices"
	sellerPath               = installationPath + "/seller"
	billingProfilePath       = installationAccountsPath + "/{account}/billing"
)

// invoiceRoutes: an account reads what was finalised for it; drafts are the operators'.
func (s Services) invoiceRoutes(a huma.API) {
	const read, may = accounts.ScopeBillingRead, accounts.ScopeInstallation
	const ofAccount, one = installationAccountsPath + "/{account}", installationInvoicesPath + "/{id}"
	add(a, route{"GET", invoicesPath, "listInvoices", read, "List the invoices and credit notes, the newest first", http.StatusOK, false}, s.listInvoices)
	add(a, route{"GET", invoicesPath + "/{id}", "readInvoice", read, "Read an invoice with its lines", http.StatusOK, false}, s.readInvoice)
	addFile(a, billTypes, route{"GET", invoicesPath + "/{id}/files/{kind}", "readInvoiceFile", read, "Download an invoice: as it was sent (UBL), for people (PDF), or its lines (CSV)", http.StatusOK, false}, s.readInvoiceFile)

	add(a, route{"GET", sellerPath, "readSeller", may, "Read whom the invoices are from", http.StatusOK, false}, s.readSeller)
	add(a, route{"POST", sellerPath, "setSeller", may, "Say whom the invoices are from; what is final stays as it is", http.StatusOK, false}, s.setSeller)
	add(a, route{"GET", billingProfilePath, "readBillingProfile", may, "Read whom an account's invoices are for", http.StatusOK, false}, s.readBillingProfile)
	add(a, route{"POST", billingProfilePath, "setBillingProfile", may, "Say whom an account's invoices are for; what is final stays as it is", http.StatusOK, false}, s.setBillingProfile)
	add(a, route{"POST", ofAccount + "/billing/vat-check", "recordVATCheck", may, "Keep what the register of VAT numbers answered; without it nothing is sold under reverse charge", http.StatusOK, false}, s.recordVATCheck)
	add(a, route{"POST", ofAccount + "/billing/vat-lookup", "lookUpVAT", may, "Ask the register of the European Union about the VAT number, and keep its answer", http.StatusOK, false}, s.lookUpVAT)
	add(a, route{"POST", ofAccount + "/invoices", "draftInvoice", may, "Begin an invoice; it has no number yet", http.StatusCreated, true}, s.draftInvoice)
	add(a, route{"GET", installationInvoicesPath, "listAllInvoices", may, "List the invoices, credit notes and drafts of all accounts, the newest first", http.StatusOK, false}, s.listAllInvoices)
	add(a, route{"GET", one, "readAnyInvoice", may, "Read an invoice or a draft with its lines", http.StatusOK, false}, s.readAnyInvoice)
	addFile(a, billTypes, route{"GET", one + "/files/{kind}", "readAnyInvoiceFile", may, "Download an invoice", http.StatusOK, false}, s.readAnyInvoiceFile)
	add(a, route{"POST", one + "/finalise", "finaliseInvoice", may, "Give a draft its number; from then on it does not change. What is final already is answered as it is", http.StatusOK, false}, s.finaliseInvoice)
	add(a, route{"POST", one + "/cancel", "cancelInvoice", may, "End a draft; it takes no number", http.StatusOK, false}, s.cancelInvoice)
	add(a, route{"POST", one + "/credit", "creditInvoice", may, "Draft a credit note for an invoice or for lines of it", http.StatusCreated, true}, s.creditInvoice)
}

// invoice is an invoice or a credit note.
type invoice struct {
	ID          string     `json:"id" example:"inv_0t3kzjv5m6n8q9x2w4y7b1c0df"`
	Account     string     `json:"account,omitempty" doc:"Whose it is, where an operators' key asks." example:"acme"`
	Kind        string     `json:"kind" enum:"invoice,credit_note"`
	State       string     `json:"state" enum:"draft,final,cancelled"`
	Credits     string     `json:"credits,omitempty" doc:"Of a credit note: the invoice."`
	Number      string     `json:"number,omitempty" example:"2026-00017"`
	Issued      string     `json:"issued,omitempty" format:"date"`
	Due         string     `json:"due,omitempty" format:"date"`
	Currency    string     `json:"currency" example:"EUR"`
	Net         string     `json:"net" doc:"Without VAT. A decimal." example:"568.11"`
	VAT         string     `json:"vat,omitempty" doc:"Missing until it is final." example:"142.03"`
	Gross       string     `json:"gross,omitempty" doc:"With VAT. Missing until it is final." example:"710.14"`
	Prepaid     string     `json:"prepaid,omitempty" doc:"Of gross: what was paid in advance, and is not to be paid again. Missing where nothing was." example:"500.00"`
	CreatedAt   time.Time  `json:"created_at"`
	FinalisedAt *time.Time `json:"finalised_at,omitempty"`
	From        string     `json:"from,omitempty" format:"date" doc:"The first day of supply. As all that follows: when one invoice is read."`
	To          string     `json:"to,omitempty" format:"date" doc:"The last day of supply."`
	Reference   string     `json:"reference,omitempty" doc:"The customer's. Missing in a draft that takes that of the profile."`
	Note        string     `json:"note,omitempty"`
	Lines       []billLine `json:"lines,omitempty"`
}

type billLine struct {
	Line        int    `json:"line" doc:"Its number, from 1."`
	Description string `json:"description" example:"Directory integration"`
	Quantity    string `json:"quantity" example:"1"`
	Unit        string `json:"unit" doc:"UN/ECE Recommendation 20." enum:"C62,MON,DAY"`
	UnitPrice   string `json:"unit_price" doc:"Without VAT." example:"99"`
	From        string `json:"from,omitempty" format:"date"`
	To          string `json:"to,omitempty" format:"date"`
	VATCategory string `json:"vat_category,omitempty" doc:"UNTDID 5305. Missing in a draft: it is decided when it is finalised." example:"S"`
	VATRate     string `json:"vat_rate,omitempty" doc:"Percent." example:"25"`
	VATReason   string `json:"vat_reason,omitempty" doc:"Why there is none." example:"Reverse charge"`
}

func (s Services) bill(inv billing.Invoice) invoice {
	out := invoice{ID: s.billName(inv), Kind: inv.Kind.Word(), State: inv.State, Number: inv.Number, Issued: dateText(inv.Issued), Due: dateText(inv.Due),
		Currency: inv.Currency, Net: bills.Amount(inv.Net), CreatedAt: at(inv.Created)}
	if inv.Credits != 0 {
		out.Credits = s.Names.Of(secrets.Invoice, inv.Credits)
	}
	if inv.State == billing.Final {
		out.VAT, out.Gross, out.FinalisedAt = bills.Amount(inv.VAT), bills.Amount(inv.Gross), new(at(inv.Finalised))
	}
	if inv.Prepaid != 0 {
		out.Prepaid = bills.Amount(inv.Prepaid)
	}
	return out
}

func (s Services) billName(inv billing.Invoice) string { return s.Names.Of(secrets.Invoice, inv.ID) }

func dateText(day time.Time) string {
	if day.IsZero() {
		return ""
	}
	return day.Format(time.DateOnly)
}

// dateOf reads what the pattern of a date let through; the zero time for an empty one.
func dateOf(text string) time.Time {
	day, _ := time.Parse(time.DateOnly, text)
	return day
}

// wholeBill is an invoice with its lines.
func (s Services) wholeBill(ctx context.Context, inv billing.Invoice) (invoice, error) {
	out := s.bill(inv)
	if chainOf(ctx) == 0 {
		acc, err := s.Accounts.ByID(ctx, inv.Account)
		if err != nil {
			return out, err
		}
		out.Account = acc.Handle
	}
	doc, err := s.Invoices.Content(ctx, inv)
	out.From, out.To, out.Reference, out.Note = dateText(doc.Period.From), dateText(doc.Period.To), doc.Reference, doc.Note
	for i, l := range doc.Lines {
		row := billLine{Line: i + 1, Description: l.Name, Quantity: l.Quantity.String(), Unit: l.Unit, UnitPrice: l.Price.String(),
			From: dateText(l.Period.From), To: dateText(l.Period.To), VATCategory: string(l.VAT.Category), VATReason: l.VAT.Reason}
		if l.VAT.Category != "" {
			row.VATRate = l.VAT.Rate.String()
		}
		out.Lines = append(out.Lines, row)
	}
	return out, err
}

// InvoiceQuery says which are listed.
type InvoiceQuery struct {
	Page
	Kind string `query:"kind" enum:"invoice,credit_note" doc:"Only those of this kind."`
	From string `query:"from" pattern:"^(\\d{4}-\\d{2}-\\d{2})?$" doc:"The first day of issue." example:"2026-10-01"`
	To   string `query:"to" pattern:"^(\\d{4}-\\d{2}-\\d{2})?$" doc:"The last day of issue." example:"2026-10-31"`
}

func (q InvoiceQuery) filter(s Services) (f billing.InvoiceFilter, err error) {
	f = billing.InvoiceFilter{From: dateOf(q.From), To: dateOf(q.To), Limit: q.Limit + 1}
	for _, kind := range []bills.Kind{bills.Invoice, bills.CreditNote} {
		if kind.Word() == q.Kind {
			f.Kind = kind
		}
	}
	f.Before, err = q.from(s.Names, secrets.Invoice)
	return f, err
}

type listInvoices struct{ InvoiceQuery }

func (s Services) listInvoices(ctx context.Context, in *listInvoices) (*answer[list[invoice]], error) {
	f, err := in.filter(s)
	if err != nil {
		return nil, err
	}
	f.State = billing.Final
	rows, err := s.Invoices.List(ctx, accountOf(ctx), f)
	if err != nil {
		return nil, err
	}
	return pageOf(rows, in.Limit, s.bill, s.billName), nil
}

type oneInvoice struct {
	ID string `path:"id" doc:"inv_..."`
}

// finalOf is an invoice that the request's account may see: drafts are not there.
func (s Services) finalOf(ctx context.Context, name string) (billing.Invoice, error) {
	id, err := s.Names.ID(secrets.Invoice, name)
	if err != nil {
		return billing.Invoice{}, err
	}
	return s.Invoices.Issued(ctx, accountOf(ctx), id)
}

func (s Services) readInvoice(ctx context.Context, in *oneInvoice) (*answer[invoice], error) {
	return s.answerBill(ctx)(s.finalOf(ctx, in.ID))
}

// answerBill answers with an invoice and its lines.
func (s Services) answerBill(ctx context.Context) func(billing.Invoice, error) (*answer[invoice], error) {
	return func(inv billing.Invoice, err error) (*answer[invoice], error) {
		if err != nil {
			return nil, err
		}
		out, err := s.wholeBill(ctx, inv)
		return &answer[invoice]{Body: out}, err
	}
}

type oneFile struct {
	ID   string `path:"id" doc:"inv_..."`
	Kind string `path:"kind" enum:"xml,pdf,csv" doc:"xml: UBL 2.1, Peppol BIS Billing 3. pdf: for people. csv: the lines."`
}

// billFile is a file, and what it is.
type billFile struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	SHA256      string `header:"X-Content-SHA256" doc:"Of the stored bytes, in hex; none for CSV, which is written anew."`
	Body        []byte
}

// Media types of files.
const (
	pdfType     = "application/pdf"
	xmlType     = "application/xml; charset=utf-8"
	csvFileType = csvType + "; charset=utf-8"
)

var (
	fileTypes = map[string]string{billing.XML: xmlType, billing.PDF: pdfType, "csv": csvFileType}
	billTypes = []string{"application/xml", pdfType, csvType}
)

func (s Services) file(ctx context.Context, inv billing.Invoice, kind string) (*billFile, error) {
	out := &billFile{ContentType: fileTypes[kind], Disposition: `attachment; filename="` + inv.Number + "." + kind + `"`}
	if kind != "csv" {
		var err error
		out.Body, out.SHA256, err = s.Invoices.File(ctx, inv.Account, inv.ID, kind)
		return out, err
	}
	doc, err := s.Invoices.Document(ctx, inv.Account, inv.ID)
	if err != nil {
		return nil, err
	}
	out.Body, err = bills.CSV(doc)
	return out, err
}

func (s Services) readInvoiceFile(ctx context.Context, in *oneFile) (*billFile, error) {
	inv, err := s.finalOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return s.file(ctx, inv, in.Kind)
}

// billParty is a seller or a customer as invoices name it.
type billParty struct {
	Name           string `json:"name" doc:"Legal name." example:"Acme AS"`
	Registration   string `json:"registration,omitempty" doc:"Number in the register of companies." example:"923609016"`
	VATID          string `json:"vat_id,omitempty" doc:"With its country's prefix." example:"NO923609016MVA"`
	Street         string `json:"street" example:"Storgata 1"`
	City           string `json:"city" example:"Oslo"`
	PostCode       string `json:"post_code,omitempty" example:"0155"`
	Country        string `json:"country" doc:"ISO 3166-1 alpha-2." example:"NO"`
	EndpointScheme string `json:"endpoint_scheme,omitempty" doc:"Of the electronic address (EAS); it follows from the country when it is missing." example:"0192"`
	Endpoint       string `json:"endpoint,omitempty" doc:"The electronic address." example:"923609016"`
	ContactName    string `json:"contact_name,omitempty"`
	ContactPhone   string `json:"contact_phone,omitempty"`
	ContactEmail   string `json:"contact_email,omitempty"`
}

func (p billParty) party() bills.Party {
	return bills.Party{Name: p.Name, Registration: p.Registration, VATID: p.VATID, Street: p.Street, City: p.City, PostCode: p.PostCode, Country: p.Country,
		Endpoint: bills.Endpoint{Scheme: p.EndpointScheme, ID: p.Endpoint}, Contact: bills.Contact{Name: p.ContactName, Phone: p.ContactPhone, Email: p.ContactEmail}}
}

// place says where in a body a field is: the party's own are under party.
func (p billParty) place(field string) string {
	switch field {
	case "address":
		if strings.TrimSpace(p.Street) == "" {
			return "party/street"
		}
		return "party/city"
	case "name", "country", "registration", "vat_id", "endpoint":
		return "party/" + field
	}
	return field
}

func shownBillParty(p bills.Party) billParty {
	return billParty{p.Name, p.Registration, p.VATID, p.Street, p.City, p.PostCode, p.Country, p.Endpoint.Scheme, p.Endpoint.ID, p.Contact.Name, p.Contact.Phone, p.Contact.Email}
}

type seller struct {
	Party        billParty `json:"party"`
	IBAN         string    `json:"iban" example:"NO9386011117947"`
	BIC          string    `json:"bic,omitempty" example:"DNBANOKK"`
	Currency     string    `json:"currency,omitempty" doc:"Of its books, in which it owes VAT; its country's when it is missing." example:"NOK"`
	Zone         string    `json:"zone,omitempty" doc:"IANA name: what day it is when an invoice is finalised. When it is missing, the present one, and UTC for the first seller." example:"Europe/Oslo"`
	OSS          bool      `json:"oss,omitempty" doc:"It is in the one-stop shop: consumers in the European Union pay their country's VAT."`
	Prefix       string    `json:"prefix,omitempty" doc:"Of the numbers of invoices."`
	CreditPrefix string    `json:"credit_prefix" doc:"Of the numbers of credit notes; another one." example:"K"`
	Days         int       `json:"days" doc:"Until an invoice is due." example:"14"`
}

func shownSeller(s billing.Seller) seller {
	return seller{shownBillParty(s.Party), s.Payment.IBAN, s.Payment.BIC, s.Currency, s.Zone, s.OSS, s.Prefix, s.CreditPrefix, s.Days}
}

func (s Services) readSeller(ctx context.Context, _ *struct{}) (*answer[seller], error) {
	one, err := s.Invoices.Seller(ctx)
	return &answer[seller]{Body: shownSeller(one)}, err
}

type setSeller struct{ Body seller }

func (s Services) setSeller(ctx context.Context, in *setSeller) (*answer[seller], error) {
	b := in.Body
	one, err := s.Invoices.SetSeller(ctx, billing.Seller{Party: b.Party.party(), Payment: bills.Payment{IBAN: b.IBAN, BIC: b.BIC}, Currency: b.Currency,
		Zone: b.Zone, OSS: b.OSS, Prefix: b.Prefix, CreditPrefix: b.CreditPrefix, Days: b.Days})
	return &answer[seller]{Body: shownSeller(one)}, placed(err, b.Party.place)
}

type newBillingProfile struct {
	Party     billParty `json:"party"`
	Business  bool      `json:"business" doc:"False for a consumer."`
	Currency  string    `json:"currency" doc:"Of the invoices." example:"EUR"`
	Language  string    `json:"language,omitempty" enum:"en,nb,pl"`
	Reference string    `json:"reference,omitempty" doc:"The customer's own, such as a cost centre or Germany's Leitweg-ID."`
	Email     string    `json:"email,omitempty"`
}

type billingProfile struct {
	Party       billParty `json:"party"`
	Business    bool      `json:"business"`
	Currency    string    `json:"currency"`
	Language    string    `json:"language"`
	Reference   string    `json:"reference,omitempty"`
	Email       string    `json:"email,omitempty"`
	DeliveredTo string    `json:"delivered_to,omitempty" doc:"Where invoices are delivered to, with its scheme: the electronic address that was given, or what follows from the numbers." example:"0192:923609016"`
	Check       *vatCheck `json:"vat_check,omitempty"`
}

type vatCheck struct {
	VATID        string    `json:"vat_id" doc:"The number that was asked about."`
	Valid        bool      `json:"valid"`
	Consultation string    `json:"consultation,omitempty" doc:"The register's number of the enquiry."`
	Name         string    `json:"name,omitempty" doc:"Whose it is, where the register tells."`
	At           time.Time `json:"at"`
}

func shownCustomer(c billing.Customer) billingProfile {
	out := billingProfile{Party: shownBillParty(c.Party), Business: c.Business, Currency: c.Currency, Language: c.Language, Reference: c.Reference, Email: c.Email}
	if to := c.DeliveredTo(); to.ID != "" {
		out.DeliveredTo = to.Scheme + ":" + to.ID
	}
	if c.Check != (billing.VATCheck{}) {
		out.Check = &vatCheck{c.Check.VATID, c.Check.Valid, c.Check.Consultation, c.Check.Name, at(c.Check.At)}
	}
	return out
}

func (s Services) readBillingProfile(ctx context.Context, in *ofAccount) (*answer[billingProfile], error) {
	acc, err := s.Accounts.ByHandle(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	c, err := s.Invoices.Customer(ctx, acc.ID)
	return &answer[billingProfile]{Body: shownCustomer(c)}, err
}

type setBillingProfile struct {
	Account string `path:"account" example:"acme"`
	Body    newBillingProfile
}

func (s Services) setBillingProfile(ctx context.Context, in *setBillingProfile) (*answer[billingProfile], error) {
	acc, err := s.Accounts.ByHandle(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	b := in.Body
	c, err := s.Invoices.SetCustomer(ctx, acc.ID, billing.Customer{Party: b.Party.party(), Business: b.Business, Currency: b.Currency, Language: b.Language, Reference: b.Reference, Email: b.Email})
	return &answer[billingProfile]{Body: shownCustomer(c)}, placed(err, b.Party.place)
}

type newVATCheck struct {
	VATID        string    `json:"vat_id" doc:"The number that was asked about." example:"NO923609016MVA"`
	Valid        bool      `json:"valid"`
	Consultation string    `json:"consultation,omitempty" doc:"The register's number of the enquiry; a valid number needs one."`
	At           time.Time `json:"at" doc:"When it answered." example:"2026-10-01T08:00:00Z"`
}

type recordVATCheck struct {
	Account string `path:"account" example:"acme"`
	Body    newVATCheck
}

func (s Services) recordVATCheck(ctx context.Context, in *recordVATCheck) (*answer[billingProfile], error) {
	acc, err := s.Accounts.ByHandle(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	if err := s.Invoices.RecordVATCheck(ctx, acc.ID, billing.VATCheck{VATID: in.Body.VATID, Valid: in.Body.Valid, Consultation: in.Body.Consultation, At: in.Body.At}); err != nil {
		return nil, err
	}
	return s.readBillingProfile(ctx, &ofAccount{in.Account})
}

func (s Services) lookUpVAT(ctx context.Context, in *ofAccount) (*answer[billingProfile], error) {
	acc, err := s.Accounts.ByHandle(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	if _, err := s.Invoices.LookUpVAT(ctx, acc.ID); err != nil {
		return nil, err
	}
	return s.readBillingProfile(ctx, in)
}

type newInvoice struct {
	From       string           `json:"from" format:"date" doc:"The first day of supply." example:"2026-10-01"`
	To         string           `json:"to" format:"date" doc:"The last day of supply." example:"2026-10-31"`
	Reference  string           `json:"reference,omitempty" doc:"The customer's; that of the profile when it is missing."`
	Note       string           `json:"note,omitempty"`
	Rate       string           `json:"rate,omitempty" pattern:"^[0-9]{1,9}([.][0-9]{1,10})?$" patternDescription:"a decimal" doc:"Of exchange, where VAT is due in another currency than the invoice's: how much of it one of the invoice's is." example:"11.452"`
	RateSource string           `json:"rate_source,omitempty" example:"Norges Bank"`
	RateDate   string           `json:"rate_date,omitempty" format:"date"`
	Lines      []newInvoiceLine `json:"lines" minItems:"1" maxItems:"1000"`
}

type newInvoiceLine struct {
	Description string `json:"description" minLength:"1" doc:"Messages and directories are invoiced every month by themselves." example:"Training"`
	Quantity    string `json:"quantity" pattern:"^[0-9]{1,12}([.][0-9]{1,6})?$" patternDescription:"a decimal with at most six decimals" example:"3"`
	Unit        string `json:"unit" doc:"UN/ECE Recommendation 20. C62: pieces. MON: months. DAY: days." enum:"C62,MON,DAY" example:"DAY"`
	UnitPrice   string `json:"unit_price" pattern:"^[0-9]{1,9}([.][0-9]{1,10})?$" patternDescription:"a decimal with at most ten decimals" doc:"Without VAT." example:"800"`
	From        string `json:"from,omitempty" format:"date"`
	To          string `json:"to,omitempty" format:"date"`
	Once        string `json:"once,omitempty" doc:"What may be charged a single time, such as a subscription and its period: another invoice with it is refused." example:"acme/2026-10"`
}

type draftInvoice struct {
	Once
	Account string `path:"account" example:"acme"`
	Body    newInvoice
}

func (s Services) draftInvoice(ctx context.Context, in *draftInvoice) (*made[invoice], error) {
	acc, err := s.Accounts.ByHandle(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	b := in.Body
	n := billing.NewInvoice{Period: bills.Period{From: dateOf(b.From), To: dateOf(b.To)}, Reference: b.Reference, Note: b.Note,
		Books: bills.Books{Rate: decimalOf(b.Rate), Source: b.RateSource, At: dateOf(b.RateDate)}}
	for _, l := range b.Lines {
		n.Lines = append(n.Lines, billing.NewLine{Name: l.Description, Quantity: decimalOf(l.Quantity), Unit: l.Unit, Price: decimalOf(l.UnitPrice),
			Period: bills.Period{From: dateOf(l.From), To: dateOf(l.To)}, Once: l.Once})
	}
	return s.madeBill(ctx, in.Once, requestHash("POST", installationAccountsPath+"/"+in.Account+"/invoices", in.Body), func(take accounts.Take) (billing.Invoice, error) {
		n.Also = billing.Also(take)
		inv, err := s.Invoices.Draft(ctx, acc.ID, n)
		return inv, placed(err, func(field string) string {
			if field == "period" {
				return "to"
			}
			return field
		})
	})
}

// decimalOf reads what the pattern of a decimal let through; 0 for an empty one.
func decimalOf(text string) decimal.Decimal {
	n, _ := decimal.NewFromString(text)
	return n
}

// madeBill answers with a draft that is made, a single time for a key.
func (s Services) madeBill(ctx context.Context, o Once, hash string, make func(accounts.Take) (billing.Invoice, error)) (*made[invoice], error) {
	once := accounts.Once{Account: chainOf(ctx), Key: o.Key, Hash: hash}
	id, err := once.Do(ctx, s.Accounts, func(take accounts.Take) (int64, error) {
		inv, err := make(take)
		return inv.ID, err
	})
	if err != nil {
		return nil, err
	}
	inv, err := s.Invoices.Anywhere(ctx, id)
	if err != nil {
		return nil, err
	}
	out, err := s.wholeBill(ctx, inv)
	return &made[invoice]{Location: installationInvoicesPath + "/" + out.ID, Body: out}, err
}

type listAllInvoices struct {
	InvoiceQuery
	Account string `query:"account" doc:"Only those of this account." example:"acme"`
	State   string `query:"state" enum:"draft,final,cancelled" doc:"Only those in this state."`
}

func (s Services) listAllInvoices(ctx context.Context, in *listAllInvoices) (*answer[list[invoice]], error) {
	f, err := in.filter(s)
	if err != nil {
		return nil, err
	}
	f.State = in.State
	if in.Account != "" {
		acc, err := s.Accounts.ByHandle(ctx, in.Account)
		if err != nil {
			return nil, err
		}
		f.Account = acc.ID
	}
	rows, err := s.Invoices.ListAll(ctx, f)
	if err != nil {
		return nil, err
	}
	handles, err := s.handles(ctx, idsOf(rows, func(inv billing.Invoice) int64 { return inv.Account }))
	return pageOf(rows, in.Limit, func(inv billing.Invoice) invoice {
		out := s.bill(inv)
		out.Account = handles[inv.Account]
		return out
	}, s.billName), err
}

func (s Services) anyInvoice(ctx context.Context, name string) (billing.Invoice, error) {
	id, err := s.Names.ID(secrets.Invoice, name)
	if err != nil {
		return billing.Invoice{}, err
	}
	return s.Invoices.Anywhere(ctx, id)
}

func (s Services) readAnyInvoice(ctx context.Context, in *oneInvoice) (*answer[invoice], error) {
	return s.answerBill(ctx)(s.anyInvoice(ctx, in.ID))
}

func (s Services) readAnyInvoiceFile(ctx context.Context, in *oneFile) (*billFile, error) {
	inv, err := s.anyInvoice(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return s.file(ctx, inv, in.Kind)
}

func (s Services) finaliseInvoice(ctx context.Context, in *oneInvoice) (*answer[invoice], error) {
	inv, err := s.anyInvoice(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return s.answerBill(ctx)(s.Invoices.Finalise(ctx, inv.Account, inv.ID))
}

func (s Services) cancelInvoice(ctx context.Context, in *oneInvoice) (*answer[invoice], error) {
	inv, err := s.anyInvoice(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := s.Invoices.Cancel(ctx, inv.Account, inv.ID); err != nil {
		return nil, err
	}
	return s.readAnyInvoice(ctx, in)
}

type newCredit struct {
	Lines []int  `json:"lines,omitempty" doc:"The numbers of the lines; all that remain when it is missing. A line is credited once."`
	Note  string `json:"note,omitempty" doc:"Why; it is on the credit note."`
}

type creditInvoice struct {
	Once
	ID   string `path:"id" doc:"inv_..."`
	Body newCredit
}

func (s Services) creditInvoice(ctx context.Context, in *creditInvoice) (*made[invoice], error) {
	inv, err := s.anyInvoice(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return s.madeBill(ctx, in.Once, requestHash("POST", installationInvoicesPath+"/"+in.ID+"/credit", in.Body), func(take accounts.Take) (billing.Invoice, error) {
		return s.Invoices.Credit(ctx, inv.Account, inv.ID, billing.NewCredit{Lines: in.Body.Lines, Note: in.Body.Note, Also: billing.Also(take)})
	})
}
