package main

import (
	"strings"
	"testing"

	"github.com/varsel/varsel/billing/invoice"
	"github.com/varsel/varsel/internal/db/dbtest"
)

// S16
func TestAnAccountIsInvoicedByCommands(t *testing.T) {
	i := newInstallation(t, dbtest.SQLiteURL(t))
	i.furnish()
	draft := []string{"invoice", "draft", "--account", "acme", "--from", "2026-10-01", "--to", "2026-10-31",
		"--line", "1 MON 99 Directory integration, main", "--line", "12345 C62 0.045 SMS, parts to NO"}
	i.refused("whom the account's invoices are for", "", draft...)
	i.do("", "invoice", "seller", "--name", "Varsel AS", "--registration", "923609016", "--vat-id", "923609016MVA", "--street", "Storgata 1", "--city", "Oslo",
		"--post-code", "0155", "--country", "NO", "--endpoint", "0192:923609016", "--iban", "NO9386011117947", "--zone", "Europe/Oslo")
	i.do("", "invoice", "customer", "--account", "acme", "--name", "Acme AS", "--registration", "974760673", "--street", "Torget 2", "--city", "Bergen", "--country", "NO", "--currency", "NOK")
	i.refused("is no quantity", "", append(draft, "--line", "one C62 1 x")...)
	id := i.do("", draft...)["id"].(string)
	i.refused("there is no such invoice", "", "invoice", "xml", id)
	final := i.do("", "invoice", "finalise", id)
	if !strings.HasSuffix(final["number"].(string), "-00001") || final["gross"] != "818.16" {
		t.Errorf("%v", final)
	}
	xml, err := i.try("", "invoice", "xml", id)
	if err != nil || len(invoice.Check([]byte(xml))) != 0 {
		t.Errorf("%v %v", err, invoice.Check([]byte(xml)))
	}
	if pdf, err := i.try("", "invoice", "pdf", id); err != nil || !strings.HasPrefix(pdf, "%PDF-") {
		t.Error(err)
	}
	credit := i.do("", "invoice", "credit", id, "--line", "2", "--note", "Too many")
	if credit["kind"] != "credit_note" || final["kind"] != "invoice" || credit["credits"] != id || credit["net"] != "555.53" {
		t.Errorf("%v", credit)
	}
	i.do("", "invoice", "cancel", credit["id"].(string))
	if out, err := i.try("", "invoice", "list", "--account", "acme", "--state", "final"); err != nil || strings.Count(out, "\n") != 1 || !strings.Contains(out, "818.16 NOK") {
		t.Errorf("%v %s", err, out)
	}
	if out, err := i.try("", "invoice", "show", id); err != nil || !strings.Contains(out, "1\t1 MON\t99\tDirectory integration, main") {
		t.Errorf("%v %s", err, out)
	}
}
