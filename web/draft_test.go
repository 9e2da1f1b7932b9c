package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/billing/vies"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/internal/sim/viessim"
)

var sellerForm = url.Values{"name": {"Varsel GmbH"}, "registration": {"HRB 1"}, "vat_id": {"DE136695976"}, "street": {"Hauptstraße 5"}, "post_code": {"50667"}, "city": {"Köln"},
	"country": {"DE"}, "iban": {"NO9386011117947"}, "currency": {"EUR"}, "zone": {"Europe/Berlin"}, "credit_prefix": {"K"}, "days": {"14"}, "contact_email": {"bills@example.com"}}

var customerForm = url.Values{"name": {"Bøge ApS"}, "registration": {"13585628"}, "vat_id": {"DK13585628"}, "street": {"Algade 2"}, "city": {"Roskilde"},
	"country": {"DK"}, "currency": {"EUR"}, "language": {"nb"}, "business": {"yes"}}

func with(form url.Values, field, value string) url.Values {
	other := url.Values{}
	for k, v := range form {
		other[k] = v
	}
	other.Set(field, value)
	return other
}

// S16
func TestAnOperatorInvoicesInTheConsole(t *testing.T) {
	w := newWorld(t)
	register := must(viessim.Start())
	t.Cleanup(func() { register.Close() })
	register.Know("DK13585628", "Bøge ApS")
	*w.invoices = *w.invoices.Asking(vies.At(register.URL()))
	w.operate()
	const all = "/installation/invoices"
	w.has(w.get(all), http.StatusOK, `href="/installation/invoices/new"`)

	w.has(w.get(all+"/seller"), http.StatusOK, `value="UTC"`)
	w.has(w.post(all+"/seller", with(sellerForm, "iban", "NO9386011117948")), http.StatusUnprocessableEntity, "This is no IBAN", `value="Varsel GmbH"`)
	w.has(w.post(all+"/seller", with(sellerForm, "days", "soon")), http.StatusUnprocessableEntity, "A number from 0 to 365")
	w.sent(w.post(all+"/seller", sellerForm), all)
	w.golden("seller-pl", w.get(all+"/seller", "Accept-Language", "pl").body)

	w.has(w.get(all+"/customers"), http.StatusOK, "Nobody yet")
	customer := all + "/customers/acme"
	w.has(w.post(customer, with(customerForm, "vat_id", "DK13585629")), http.StatusUnprocessableEntity, "This is no VAT number of the country", `value="Algade 2"`)
	w.sent(w.post(customer, customerForm), customer)
	w.has(w.get(customer), http.StatusOK, "Nobody has asked the register")
	w.sent(w.post(customer+"/vat", url.Values{}), customer)
	w.has(w.get(customer), http.StatusOK, "Valid", "WAPIAAAAX0000001", "checked")
	register.Fail(http.StatusInternalServerError, "MS_UNAVAILABLE")
	w.has(w.post(customer+"/vat", url.Values{}), http.StatusServiceUnavailable, "does not answer now")

	draft := url.Values{"account": {"acme"}, "from": {"2026-10-01"}, "to": {"2026-10-31"}, "note": {"Thank you"},
		"description-1": {"SMS, parts to DK"}, "quantity-1": {"12 345"}, "unit-1": {"C62"}, "price-1": {"0,045"}, "unit-2": {"C62"},
		"description-3": {"Directory integration"}, "quantity-3": {"1"}, "unit-3": {"MON"}, "price-3": {"99"}}
	w.golden("draft-nb", timeless(w.get(all+"/new?account=acme", "Accept-Language", "nb").body))
	w.has(w.post(all+"/new", with(draft, "price-1", "cheap")), http.StatusUnprocessableEntity, "A line has a description", `value="cheap"`, `value="Thank you"`)
	w.has(w.post(all+"/new", with(draft, "quantity-1", "12,345")), http.StatusUnprocessableEntity, "thousands or as decimals", `value="12,345"`)
	w.has(w.post(all+"/new", with(draft, "account", "nobody")), http.StatusUnprocessableEntity, `value="nobody"`)
	w.has(w.post(all+"/new", with(draft, "to", "2026-09-01")), http.StatusUnprocessableEntity, "The last day is before the first")
	more := w.post(all+"/new", with(draft, "more", "yes"))
	w.has(more, http.StatusOK, "SMS, parts to DK", `name="unit-7"`)
	w.has(w.get(all), http.StatusOK, "There are no invoices yet.")
	for range 2 { // a double click
		w.post(all+"/new", with(draft, "once", "a"))
	}
	drafts := must(w.invoices.List(t.Context(), w.account.ID, billing.InvoiceFilter{Limit: 2}))
	if len(drafts) != 1 || drafts[0].Net != 65453 {
		t.Fatalf("drafted %+v", drafts)
	}

	path := all + "/" + w.names.Of(secrets.Invoice, drafts[0].ID)
	norway := with(with(with(sellerForm, "country", "NO"), "vat_id", "NO974760673MVA"), "registration", "974760673")
	w.sent(w.post(all+"/seller", norway), all)
	w.sent(w.post(customer, with(with(customerForm, "business", ""), "email", "bills@acme.test")), customer)
	w.has(w.post(path+"/finalise", url.Values{}, "Accept-Language", "nb"), http.StatusConflict, "Det finnes ingen regel for merverdiavgiften på dette salget", "a consumer in the European Union")
	w.sent(w.post(all+"/seller", sellerForm), all)
	w.sent(w.post(customer, customerForm), customer)
	w.sent(w.post(path+"/finalise", url.Values{}), path)
	if csv := w.get(path + "/csv"); csv.status != http.StatusOK || strings.Count(csv.body, "\r\n") != 3 {
		t.Errorf("%d %s", csv.status, csv.body)
	}
	w.has(w.get(path+"/credit"), http.StatusOK, "Directory integration")
	w.has(w.post(path+"/credit", url.Values{"note": {"Too much"}}), http.StatusUnprocessableEntity, "Choose at least one line", `value="Too much"`)
	w.post(path+"/credit", url.Values{"line": {"2"}, "note": {"Too much"}})
	w.has(w.post(path+"/credit", url.Values{"line": {"2"}}), http.StatusConflict, "One of these lines is credited already")
	if all := must(w.invoices.List(t.Context(), w.account.ID, billing.InvoiceFilter{Limit: 3})); len(all) != 2 || all[0].Net != 9900 {
		t.Errorf("got %+v", all)
	}
}
