package api

import (
	"testing"

	"github.com/varsel/varsel/billing"
)

// S16
func TestAnOperatorSetsTermsAndPaymentsAndTheAccountReadsItsBalance(t *testing.T) {
	h := openHouse(t)
	key := bearer(h.operatorKey(t))
	operate := func(method, path, body string) reply {
		t.Helper()
		return h.ask(t, method, installationPath+"/accounts/acme"+path, body, key...)
	}
	mine := func() balance { t.Helper(); return read[balance](t, h.ask(t, "GET", balancePath, ""), 200) }
	same(t, mine().Terms, "unlimited")
	same(t, mine().Available, "")

	refused(t, operate("POST", "/terms", `{"terms":"limit"}`), 422, "invalid_limit")
	refused(t, operate("POST", "/terms", `{"terms":"prepaid","limit":{"amount":"5","currency":"EUR"}}`), 422, "invalid_limit")
	refused(t, operate("POST", "/terms", `{"terms":"limit","limit":{"amount":"5","currency":"NOK"}}`), 422, "invalid_limit")
	same(t, read[balance](t, operate("POST", "/terms", `{"terms":"limit","limit":{"amount":"500","currency":"EUR"}}`), 200).Available, "500.00")
	refused(t, operate("POST", "/terms", `{"terms":"unlimited","suspend_days":366}`), 422, "invalid_suspend_days")
	same(t, read[balance](t, operate("POST", "/terms", `{"terms":"unlimited","suspend_days":30}`), 200).SuspendDays, 30)
	same(t, read[balance](t, operate("POST", "/terms", `{"terms":"prepaid"}`), 200).Available, "0.00")
	refused(t, h.ask(t, "POST", messagesPath, `{"to":"+4790000001","text":"Hi"}`), 409, "no_funds")

	const paid = `{"amount":{"amount":"20.25","currency":"EUR"},"reference":"bank 1"}`
	first := read[ledgerEntry](t, operate("POST", "/payments", paid), 200)
	same(t, read[ledgerEntry](t, operate("POST", "/payments", paid), 200).ID, first.ID)
	refused(t, operate("POST", "/payments", `{"amount":{"amount":"20.26","currency":"EUR"},"reference":"bank 1"}`), 409, "payment_differs")
	refused(t, operate("POST", "/payments/return", `{"reference":"bank 2"}`), 404, "payment_not_found")
	same(t, mine(), balance{Currency: "EUR", Terms: "prepaid", Available: "20.25", Owed: "-20.25", Reserved: "0.00", Unbilled: "0.00", Billed: "0.00", Rounding: "0.00", Paid: "20.25"})

	read[any](t, h.ask(t, "POST", messagesPath, `{"to":"+4790000001","text":"Hi"}`), 202)
	same(t, mine().Reserved, "0.045")
	same(t, read[balance](t, operate("GET", "/balance", ""), 200), mine())
	page := read[list[ledgerEntry]](t, h.ask(t, "GET", ledgerPath+"?limit=1", ""), 200)
	newest := page.Items[0]
	same(t, newest, ledgerEntry{ID: newest.ID, At: newest.At, Kind: "reserve", Debit: billing.Receivable, Credit: billing.Reserved, Amount: money{"0.045", "EUR"},
		Messages: 1, Parts: 1, Country: "NO", PartPrice: "0.045", Lane: "normal"})
	same(t, read[list[ledgerEntry]](t, h.ask(t, "GET", ledgerPath+"?limit=1&cursor="+page.NextCursor, ""), 200).Items[0].ID, first.ID)
	same(t, len(read[list[ledgerEntry]](t, operate("GET", "/ledger?kind=payment&reference=bank%201", ""), 200).Items), 1)
	same(t, len(read[list[ledgerEntry]](t, h.ask(t, "GET", ledgerPath+"?country=PL", ""), 200).Items), 0)
	same(t, len(read[list[ledgerEntry]](t, h.ask(t, "GET", ledgerPath+"?country=no", ""), 200).Items), 1)

	same(t, read[ledgerEntry](t, operate("POST", "/payments/return", `{"reference":"bank 1"}`), 200).Amount, money{"20.25", "EUR"})
	same(t, mine().Available, "-0.045")
	refused(t, operate("POST", "/payments", paid), 409, "payment_returned")

	_, other := h.other(t)
	same(t, len(read[list[ledgerEntry]](t, h.ask(t, "GET", ledgerPath, "", bearer(other)...), 200).Items), 0)
	refused(t, h.ask(t, "GET", ledgerPath+"?cursor="+page.NextCursor[:10], ""), 422, "invalid_cursor")
}
