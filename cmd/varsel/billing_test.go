package main

import (
	"strings"
	"testing"

	"github.com/varsel/varsel/internal/db/dbtest"
)

// S16
func TestCommandsSetTermsRecordPaymentsAndTellTheBalance(t *testing.T) {
	i := newInstallation(t, dbtest.SQLiteURL(t))
	i.furnish()
	says := func(want string, args ...string) {
		t.Helper()
		if got, err := i.try("", append(args, "--account", "acme")...); err != nil || !strings.Contains(got, want) {
			t.Errorf("%v says %q, which lacks %q: %v", args, got, want, err)
		}
	}
	says("pays later, without a limit", "billing", "balance")
	says("pays later, up to 500.00 EUR; 500.00 EUR is available", "billing", "terms", "--limit", "500")
	i.refused("is no amount such as 500", "", "billing", "terms", "--account", "acme", "--limit", "much")
	for range 2 {
		says("payment bank 1 of acme 20.50 EUR", "billing", "payment", "--amount", "20.50", "--reference", "bank 1")
	}
	i.refused("another payment has this reference", "", "billing", "payment", "--account", "acme", "--amount", "20.51", "--reference", "bank 1")
	if got := i.do("", "billing", "terms", "--account", "acme", "--prepaid"); got["available"] != "20.50" || got["terms"] != "prepaid" {
		t.Errorf("%v", got)
	}
	says("payment_returned bank 1 of acme 20.50 EUR", "billing", "payment", "--returned", "--reference", "bank 1")
	says("receivable > paid", "billing", "ledger")
	if got, err := i.try("", "billing", "ledger", "--account", "acme", "--kind", "payment"); err != nil || strings.Count(got, "\n") != 1 || !strings.Contains(got, "paid > receivable") {
		t.Errorf("%v %q", err, got)
	}
}

func TestADirectoryIsNotFollowedWhileInvoicesAreUnpaid(t *testing.T) {
	url := dbtest.SQLiteURL(t)
	i := newInstallation(t, url)
	i.furnish()
	i.connect()
	i.do("", "directory", "sync", "--account", "acme")
	i.refused("1 to 365 days", "", "billing", "terms", "--account", "acme", "--unlimited", "--suspend-after", "366")
	if got := i.do("", "billing", "terms", "--account", "acme", "--unlimited", "--suspend-after", "30"); got["suspend_days"] != 30.0 || got["suspended_at"] != nil {
		t.Errorf("%v", got)
	}
	_, err := dbtest.Open(t, url).ExecContext(t.Context(), `UPDATE billing_terms SET suspended_at = 1`)
	must(t, err)
	if got := i.do("", "billing", "balance", "--account", "acme"); got["suspended_at"] != "1970-01-01T00:00:00Z" {
		t.Errorf("%v", got)
	}
	i.refused("invoices of the account are overdue", "", "directory", "sync", "--account", "acme")
	i.do("", "billing", "payment", "--account", "acme", "--amount", "99", "--reference", "bank 1")
	i.do("", "directory", "sync", "--account", "acme")
}
