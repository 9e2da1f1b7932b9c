package api

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/db"
)

// charged is the ledger of parts that a carrier took last month.
func (h *house) charged(t *testing.T, parts int, unit int64) {
	t.Helper()
	first, err := h.db.NewIDs(t.Context(), 2)
	must(t, err)
	e := billing.Entry{ID: first, Account: h.account.ID, Kind: billing.KindReserve, Micro: int64(parts) * unit, Messages: parts, Parts: parts, Country: "NO", Unit: unit, Lane: "bulk"}
	charge := e
	charge.ID, charge.Kind = first+1, billing.KindCharge
	settled := time.Now().Add(-3 * time.Hour) // on the first, the month before is not run at once
	must(t, h.db.InTx(t.Context(), func(tx *db.Tx) error {
		return billing.Post(t.Context(), tx, settled.AddDate(0, -1, -settled.Day()+5), e, charge)
	}))
}

const lastMonthSeller = `{"party": {"name": "Varsel AS", "registration": "923609016", "vat_id": "923609016MVA", "street": "Storgata 1", "city": "Oslo", "post_code": "0155", "country": "NO"}, "iban": "NO9386011117947", "credit_prefix": "K", "days": 14}`

func TestAMonthIsInvoicedOnceAndTheBooksAgree(t *testing.T) {
	h := openHouse(t)
	key := bearer(h.operatorKey(t))
	h.charged(t, 1000, 45_000)
	runs := read[ranBilling](t, h.ask(t, "POST", monthsPath, `{}`, key...), 200).Items
	same(t, [2]string{runs[0].State, runs[0].Reason}, [2]string{"skipped", "no_seller"})
	read[seller](t, h.ask(t, "POST", sellerPath, lastMonthSeller, key...), 200)
	profile := `{"party": {"name": "Overseas Inc.", "street": "1 Main Street", "city": "Springfield", "country": "US"}, "business": true, "currency": "EUR", "email": "bills@example.com"}`
	read[billingProfile](t, h.ask(t, "POST", installationAccountsPath+"/acme/billing", profile, key...), 200)
	runs = read[ranBilling](t, h.ask(t, "POST", monthsPath, `{"account": "acme"}`, key...), 200).Items
	same(t, [2]string{runs[0].State, runs[0].Account}, [2]string{"invoiced", "acme"})
	inv := read[invoice](t, h.ask(t, "GET", invoicesPath+"/"+runs[0].Invoice, ""), 200)
	same(t, [2]string{inv.Net, inv.Lines[0].Description}, [2]string{"45.00", "SMS, parts to NO, bulk"})
	same(t, len(read[ranBilling](t, h.ask(t, "POST", monthsPath, `{}`, key...), 200).Items), 0)
	same(t, len(read[whole[billingRun]](t, h.ask(t, "GET", monthsPath+"?state=invoiced", "", key...), 200).Items), 1)
	refused(t, h.ask(t, "POST", monthsPath, `{"month": "2100-01"}`, key...), 422, "invalid_month")

	asked := read[reconciliation](t, h.ask(t, "POST", reconciliationsPath, `{}`, key...), 202)
	same(t, asked.State, "running")
	same(t, read[reconciliation](t, h.ask(t, "POST", reconciliationsPath, `{}`, key...), 202).ID, asked.ID)
	_, _, done, err := h.Invoices.RunAsked(t.Context(), h.Queue.Traffic, time.Now())
	must(t, err)
	same(t, done, true)
	found := read[reconciliation](t, h.ask(t, "GET", reconciliationsPath+"/"+asked.ID, "", key...), 200)
	same(t, found.State, "done")
	same(t, found.Differences, 2) // the ledger has charges of no message
	same(t, [3]string{found.Found[0].Kind, found.Found[0].Account, found.Found[0].Found}, [3]string{"reserved", "acme", "45.00"})
	same(t, [2]int{len(found.Found[1].Entries), len(found.Found[1].Messages)}, [2]int{1, 0})
	same(t, len(read[list[reconciliation]](t, h.ask(t, "GET", reconciliationsPath, "", key...), 200).Items), 1)
	refused(t, h.ask(t, "GET", reconciliationsPath, ""), 403, "missing_scope")
}

func TestUsageIsTheAccountsOwn(t *testing.T) {
	h := openHouse(t)
	h.charged(t, 1000, 45_000)
	from := "?by=month&from=" + time.Now().AddDate(0, -2, 0).Format(time.DateOnly)
	all := read[whole[usage]](t, h.ask(t, "GET", usagePath+from, ""), 200).Items
	same(t, len(all), 1)
	same(t, [4]string{all[0].Country, all[0].Lane, all[0].Cost.Amount, all[0].Account}, [4]string{"NO", "bulk", "45.00", ""})
	same(t, len(read[whole[usage]](t, h.ask(t, "GET", usagePath, ""), 200).Items), 0)
	csv := h.ask(t, "GET", usagePath+"/csv"+from, "")
	if bytes.Count(csv.body, []byte("\r\n")) != 2 || !strings.Contains(string(csv.body), ",NO,bulk,,1000,1000,45.00,EUR") {
		t.Errorf("the CSV is %q", csv.body)
	}
	_, other := h.other(t)
	same(t, len(read[whole[usage]](t, h.ask(t, "GET", usagePath+from, "", bearer(other)...), 200).Items), 0)
	same(t, read[whole[usage]](t, h.ask(t, "GET", installationUsagePath+from, "", bearer(h.operatorKey(t))...), 200).Items[0].Account, "acme")
	for account, n := range map[string]int{"acme": len(all), "other": 0} {
		same(t, len(read[whole[usage]](t, h.ask(t, "GET", installationUsagePath+from+"&account="+account, "", bearer(h.operatorKey(t))...), 200).Items), n)
	}
	refused(t, h.ask(t, "GET", installationUsagePath+"/csv?account=nobody", "", bearer(h.operatorKey(t))...), 404, "account_not_found")
	refused(t, h.ask(t, "GET", usagePath+"?from=2026-02-02&to=2026-02-01", ""), 422, "invalid_to")
}

func TestCostsOfCarriersAreVersioned(t *testing.T) {
	h := openHouse(t)
	key := bearer(h.operatorKey(t))
	body := `{"carrier": "main", "country": "no", "price": {"amount": "0.031", "currency": "EUR"}, "from": "2026-10-01T00:00:00Z"}`
	c := read[carrierCost](t, h.ask(t, "POST", costsPath, body, key...), 201)
	same(t, [3]string{c.Carrier, c.Country, c.Price.Amount}, [3]string{"main", "NO", "0.031"})
	refused(t, h.ask(t, "POST", costsPath, body, key...), 409, "cost_exists")
	refused(t, h.ask(t, "POST", costsPath, `{"carrier": "none", "price": {"amount": "1", "currency": "EUR"}}`, key...), 404, "carrier_not_found")
	same(t, len(read[whole[carrierCost]](t, h.ask(t, "GET", costsPath, "", key...), 200).Items), 1)
	same(t, len(read[whole[margin]](t, h.ask(t, "GET", marginsPath, "", key...), 200).Items), 0)
	read[whole[margin]](t, h.ask(t, "GET", marginsPath+"?from=2026-02-01&to=2026-02-28", "", key...), 200)
	refused(t, h.ask(t, "GET", marginsPath+"?from=2026-02-31", "", key...), 422, "invalid_from")
}
