package accounts_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
)

var (
	varselAS = accounts.Processor{Party: accounts.Party{LegalName: "Varsel Drift AS", Registration: "NO 999 888 777", Address: "Storgata 1, 0155 Oslo",
		Contact: "Ola Drift, privacy@varsel.example", DPO: "Pia Vern, dpo@varsel.example"}, Signatory: "Ola Drift", SignatoryTitle: "CEO"}
	acmeAS = accounts.Party{LegalName: "Acme Holding AS", Registration: "NO 111 222 333", Address: "Havnegata 2, 5003 Bergen",
		Contact: "Kari Nordmann, kari@acme.example", Representative: "Acme Europe SA, Warszawa"}
)

func TestThePartiesAreWhoTheySaidTheyAre(t *testing.T) {
	each(t, func(t *testing.T, a *accounts.Accounts, d *db.DB, acme accounts.Account) {
		none, err := a.Processor(t.Context())
		must(t, err)
		if none.Known() {
			t.Errorf("%+v", none)
		}
		must(t, a.SetProcessor(t.Context(), varselAS))
		moved := varselAS
		moved.Address = "Storgata 3\r\n 0155 Oslo \n\n"
		must(t, a.SetProcessor(t.Context(), moved))
		got, err := a.Processor(t.Context())
		must(t, err)
		want := varselAS
		want.Address, want.Changed = "Storgata 3, 0155 Oslo", got.Changed
		if diff := cmp.Diff(want, got); diff != "" || got.Changed.IsZero() {
			t.Error(diff)
		}

		before, err := a.Controller(t.Context(), acme.ID)
		must(t, err)
		if diff := cmp.Diff(accounts.Party{LegalName: "Acme AS"}, before); diff != "" {
			t.Error(diff)
		}
		must(t, a.SetController(t.Context(), acme.ID, acmeAS))
		now, err := a.Controller(t.Context(), acme.ID)
		must(t, err)
		now.Changed = acmeAS.Changed
		if diff := cmp.Diff(acmeAS, now); diff != "" {
			t.Error(diff)
		}
		for _, account := range []int64{0, acme.ID} {
			all, err := audit.List(t.Context(), d, account, 0, 10)
			must(t, err)
			if len(all) == 0 || all[0].Facts != nil || all[0].Detail == nil {
				t.Errorf("%+v", all)
			}
		}
	})
}

func TestAPartyWithoutANameOrAnAddressIsRefused(t *testing.T) {
	each(t, func(t *testing.T, a *accounts.Accounts, _ *db.DB, acme accounts.Account) {
		refused(t, a.SetController(t.Context(), acme.ID, accounts.Party{LegalName: "Acme AS", Address: " \n"}), "invalid_address")
		refused(t, a.SetController(t.Context(), acme.ID, accounts.Party{Address: "Havnegata 2"}), "invalid_legal_name")
		refused(t, a.SetController(t.Context(), acme.ID, accounts.Party{LegalName: strings.Repeat("a", 501), Address: "x"}), "invalid_legal_name")
		refused(t, a.SetProcessor(t.Context(), accounts.Processor{Party: acmeAS, Signatory: "Ola Drift"}), "invalid_signatory_title")
		_, err := a.Controller(t.Context(), acme.ID+1)
		refused(t, err, "account_not_found")
	})
}
