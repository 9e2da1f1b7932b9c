package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
	"github.com/gofiber/fiber/v2"

	bills "github.com/varsel/varsel/billing/invoice"
)

const (
	sellerBody = `{"party": {"name": "Varsel AS", "registration": "923609016", "vat_id": "923 609 016 MVA", "street": "Storgata 1", "city": "Oslo", "post_code": "0155",
		"country": "NO", "endpoint_scheme": "0192", "endpoint": "923609016"}, "iban": "NO93 8601 1117 947", "zone": "Europe/Oslo", "credit_prefix": "K", "days": 14}`
	profileBody = `{"party": {"name": "Acme AS", "registration": "974760673", "street": "Torget 2", "city": "Bergen", "country": "NO"}, "business": true, "currency": "NOK", "language": "nb"}`
	draftBody   = `{"from": "2026-10-01", "to": "2026-10-31", "reference": "PO 7", "note": "Thank you", "lines": [
		{"description": "Directory integration", "quantity": "1", "unit": "MON", "unit_price": "99", "once": "acme/2026-10"},
		{"description": "SMS, parts to NO", "quantity": "12345", "unit": "C62", "unit_price": "0.045"}]}`
)

// S16
func TestAnOperatorInvoicesAndTheAccountReadsWhatIsFinal(t *testing.T) {
	h := openHouse(t)
	key := bearer(h.operatorKey(t))
	operate := func(method, path, body string) reply {
		t.Helper()
		return h.ask(t, method, installationPath+path, body, key...)
	}
	refused(t, operate("GET", "/seller", ""), 409, "no_seller")
	refused(t, operate("POST", "/accounts/acme/invoices", draftBody), 409, "no_billing_profile")
	refused(t, operate("POST", "/seller", strings.Replace(sellerBody, "7 947", "7 948", 1)), 422, "invalid_iban")
	same(t, read[seller](t, operate("POST", "/seller", sellerBody), 200).Currency, "NOK")
	profile := read[billingProfile](t, operate("POST", "/accounts/acme/billing", profileBody), 200)
	same(t, profile.DeliveredTo+profile.Party.Endpoint, "0192:974760673")

	made := operate("POST", "/accounts/acme/invoices", draftBody)
	draft := read[invoice](t, made, 201)
	same(t, draft.Net, "654.53")
	same(t, []string{draft.Account, draft.From, draft.To, draft.Reference, draft.Note}, []string{"acme", "2026-10-01", "2026-10-31", "PO 7", "Thank you"})
	same(t, made.header.Get("Location"), installationInvoicesPath+"/"+draft.ID)
	refused(t, operate("POST", "/accounts/acme/invoices", draftBody), 409, "already_invoiced")
	refused(t, h.ask(t, "GET", invoicesPath+"/"+draft.ID, ""), 404, "invoice_not_found")

	final := read[invoice](t, operate("POST", "/invoices/"+draft.ID+"/finalise", ""), 200)
	if final.State != "final" || !strings.HasSuffix(final.Number, "-00001") || final.VAT != "163.63" || final.Gross != "818.16" || final.Lines[0].VATRate != "25" {
		t.Errorf("got %+v", final)
	}
	same(t, read[invoice](t, operate("POST", "/invoices/"+draft.ID+"/finalise", ""), 200).Number, final.Number)
	refused(t, operate("POST", "/invoices/"+draft.ID+"/cancel", ""), 409, "invoice_final")
	same(t, read[invoice](t, h.ask(t, "GET", invoicesPath+"/"+draft.ID, ""), 200).Number, final.Number)
	for query, n := range map[string]int{"": 1, "?kind=invoice": 1, "?kind=credit_note": 0, "?from=" + final.Issued: 1, "?to=" + final.Issued: 1, "?to=2020-01-01": 0, "?from=2199-01-01": 0} {
		if got := read[list[invoice]](t, h.ask(t, "GET", invoicesPath+query, ""), 200).Items; len(got) != n {
			t.Errorf("%q lists %d invoices, want %d", query, len(got), n)
		}
		if got := read[list[invoice]](t, operate("GET", "/invoices"+query, ""), 200).Items; len(got) != n {
			t.Errorf("%q lists %d invoices of all, want %d", query, len(got), n)
		}
	}
	own := read[invoice](t, h.ask(t, "GET", invoicesPath+"/"+draft.ID, ""), 200)
	same(t, []string{own.Account, own.From, own.Reference}, []string{"", "2026-10-01", "PO 7"})
	h.files(t, final)

	credited := read[invoice](t, operate("POST", "/invoices/"+draft.ID+"/credit", `{"lines": [2], "note": "Too many"}`), 201)
	if credited.Kind != "credit_note" || credited.Credits != draft.ID || credited.Net != "555.53" {
		t.Errorf("got %+v", credited)
	}
	refused(t, operate("POST", "/invoices/"+draft.ID+"/credit", `{"lines": [2]}`), 409, "already_credited")
	same(t, read[invoice](t, operate("POST", "/invoices/"+credited.ID+"/cancel", ""), 200).State, "cancelled")
	same(t, len(read[list[invoice]](t, operate("GET", "/invoices?state=cancelled", ""), 200).Items), 1)

	_, other := h.other(t)
	same(t, len(read[list[invoice]](t, operate("GET", "/invoices?account=other", ""), 200).Items), 0)
	for _, inv := range read[list[invoice]](t, operate("GET", "/invoices?account=acme", ""), 200).Items {
		same(t, inv.Account, "acme")
	}
	refused(t, operate("GET", "/invoices?account=nobody", ""), 404, "account_not_found")
	refused(t, h.ask(t, "GET", invoicesPath+"/"+draft.ID, "", bearer(other)...), 404, "invoice_not_found")
	same(t, len(read[list[invoice]](t, h.ask(t, "GET", invoicesPath, "", bearer(other)...), 200).Items), 0)
}

// files: what the account downloads is what was stored.
func (h *house) files(t *testing.T, inv invoice) {
	t.Helper()
	path := invoicesPath + "/" + inv.ID + "/files/"
	xml, pdf, csv := h.ask(t, "GET", path+"xml", ""), h.ask(t, "GET", path+"pdf", ""), h.ask(t, "GET", path+"csv", "")
	for _, v := range bills.Check(xml.body) {
		t.Error(v)
	}
	sum := sha256.Sum256(pdf.body)
	same(t, pdf.header.Get("X-Content-SHA256"), hex.EncodeToString(sum[:]))
	same(t, pdf.header.Get("Content-Type"), "application/pdf")
	same(t, xml.header.Get("Content-Disposition"), `attachment; filename="`+inv.Number+`.xml"`)
	if !bytes.HasPrefix(pdf.body, []byte("%PDF-")) || bytes.Count(csv.body, []byte("\r\n")) != 3 {
		t.Errorf("the PDF begins %q, the CSV is %q", pdf.body[:5], csv.body)
	}
}

func TestReverseChargeIsRecordedWithItsEvidence(t *testing.T) {
	h := openHouse(t)
	key := bearer(h.operatorKey(t))
	path := installationAccountsPath + "/acme/billing"
	body := `{"party": {"name": "Bøge ApS", "registration": "13585628", "vat_id": "DK13585628", "street": "Algade 2", "city": "Roskilde", "country": "DK"}, "business": true, "currency": "EUR"}`
	read[billingProfile](t, h.ask(t, "POST", path, body, key...), 200)
	refused(t, h.ask(t, "POST", path+"/vat-check", `{"vat_id": "DK13585628", "valid": true, "at": "2026-10-31T12:00:00Z"}`, key...), 422, "invalid_consultation")
	refused(t, h.ask(t, "POST", path+"/vat-check", `{"vat_id": "DK25313763", "valid": true, "consultation": "X", "at": "2026-10-31T12:00:00Z"}`, key...), 422, "invalid_vat_id")
	got := read[billingProfile](t, h.ask(t, "POST", path+"/vat-check", `{"vat_id": "DK 13585628", "valid": true, "consultation": "WAPIAAAAY1", "at": "2026-10-31T12:00:00Z"}`, key...), 200)
	if got.Check == nil || got.Check.Consultation != "WAPIAAAAY1" || !got.Check.Valid {
		t.Errorf("got %+v", got.Check)
	}
}

func TestAKeyThatCannotBeKeptMakesNoDraft(t *testing.T) {
	h := openHouse(t)
	for _, key := range []string{"", strings.Repeat("k", 256)} {
		headers := append(bearer(h.operatorKey(t)), keyHeader, key)
		refused(t, h.ask(t, "POST", installationAccountsPath+"/acme/invoices", draftBody, headers...), 422, "invalid_idempotency_key")
		refused(t, h.ask(t, "POST", installationInvoicesPath+"/inv_0/credit", "{}", headers...), 422, "invalid_idempotency_key")
	}
}

// What takes a key looks at it, and what looks at it takes one.
func TestEveryOperationWithAKeyChecksIt(t *testing.T) {
	a := humafiber.New(fiber.New(), configuration())
	openHouse(t).routes(a)
	checked := 0
	for path, item := range a.OpenAPI().Paths {
		for method, op := range map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PUT": item.Put, "PATCH": item.Patch, "DELETE": item.Delete} {
			if op == nil {
				continue
			}
			takes := slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.Name == keyHeader })
			if checks := len(op.Middlewares) > 0; takes != checks {
				t.Errorf("%s %s: it takes a key: %v, it checks it: %v", method, path, takes, checks)
			}
			if takes {
				checked++
			}
		}
	}
	if checked < 10 {
		t.Errorf("only %d operations take a key", checked)
	}
}

func TestADraftIsMadeOnceForAKey(t *testing.T) {
	h := openHouse(t)
	key := append(bearer(h.operatorKey(t)), "Idempotency-Key", "october")
	read[billingProfile](t, h.ask(t, "POST", installationAccountsPath+"/acme/billing",
		`{"party": {"name": "Acme AS", "registration": "974760673", "street": "Torget 2", "city": "Bergen", "country": "NO"}, "business": true, "currency": "NOK"}`, key[:2]...), 200)
	path := installationAccountsPath + "/acme/invoices"
	body := `{"from": "2026-10-01", "to": "2026-10-31", "lines": [{"description": "SMS", "quantity": "100", "unit": "C62", "unit_price": "0.045"}]}`
	ids := make([]string, 8)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() {
			reply, err := h.exchange(t.Context(), "POST", path, body, key...)
			if err != nil || reply.status != 201 {
				t.Errorf("%v %v", reply, err)
				return
			}
			ids[i] = read[invoice](t, reply, 201).ID
		})
	}
	all.Wait()
	if slices.Sort(ids); ids[0] == "" || ids[0] != ids[7] {
		t.Errorf("eight equal requests made %v", ids)
	}
	refused(t, h.ask(t, "POST", path, strings.Replace(body, "100", "200", 1), key...), 409, "idempotency_key_reused")
	same(t, len(read[list[invoice]](t, h.ask(t, "GET", installationInvoicesPath, "", key[:2]...), 200).Items), 1)
}
