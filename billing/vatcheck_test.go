package billing_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/billing/invoice"
	"github.com/varsel/varsel/billing/vies"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/sim/viessim"
)

// asking is invoices of a German seller that ask a register of their own.
func asking(t *testing.T, d *db.DB) (*billing.Invoices, *viessim.Server) {
	t.Helper()
	register, err := viessim.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { register.Close() })
	b := desk(t, d).Asking(vies.At(register.URL() + "/"))
	s := norwegian()
	s.Party = invoice.Party{Name: "Varsel GmbH", Registration: "HRB 1", VATID: "DE136695976", Street: "Hauptstraße 5", City: "Köln", PostCode: "50667", Country: "DE",
		Contact: s.Contact}
	s.Currency = "EUR"
	if _, err := b.SetSeller(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	return b, register
}

func TestTheRegistersAnswerDecidesAboutReverseCharge(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, register := asking(t, d)
		register.Know("DK13585628", "Bøge ApS")
		check, err := b.LookUpVAT(t.Context(), acme)
		if err != nil || !check.Valid || check.Consultation == "" || check.Name != "Bøge ApS" {
			t.Fatalf("got %+v (%v)", check, err)
		}
		want := viessim.Enquiry{Country: "DK", Number: "13585628", RequesterCountry: "DE", RequesterNumber: "136695976"}
		if asked := register.Asked(); len(asked) != 1 || asked[0] != want {
			t.Errorf("it was asked %+v", asked)
		}
		if inv := final(t, b, draft(t, b, october()).ID); inv.VAT != 0 {
			t.Errorf("VAT is %d", inv.VAT)
		}

		register.Forget("DK13585628")
		if check, err = b.LookUpVAT(t.Context(), acme); err != nil || check.Valid {
			t.Fatalf("got %+v (%v)", check, err)
		}
		if inv := final(t, b, draft(t, b, october()).ID); inv.VAT == 0 {
			t.Error("a number that is not valid any more was enough")
		}
	})
}

func TestWhatTheRegisterDoesNotAnswerChangesNothing(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLiteURL(t))
	b, register := asking(t, d)
	register.Know("DK13585628", "Bøge ApS")
	if _, err := b.LookUpVAT(t.Context(), acme); err != nil {
		t.Fatal(err)
	}
	for fault, code := range map[string]string{"MS_UNAVAILABLE": "vies_unavailable", "GLOBAL_MAX_CONCURRENT_REQ": "vies_unavailable", "INVALID_REQUESTER_INFO": "vies_requester"} {
		register.Fail(http.StatusInternalServerError, fault)
		_, err := b.LookUpVAT(t.Context(), acme)
		if p := problem.As(err); p == nil || p.Code != code {
			t.Errorf("%s: %v", fault, err)
		}
	}
	register.Close()
	_, err := b.LookUpVAT(t.Context(), acme)
	if p := problem.As(err); p == nil || p.Code != "vies_unavailable" {
		t.Errorf("a register that is not there: %v", err)
	}
	if c, err := b.Customer(t.Context(), acme); err != nil || !c.Check.Valid {
		t.Errorf("what was known is lost: %+v (%v)", c.Check, err)
	}
}

func TestOldAnswersAreAskedForAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, register := asking(t, d)
		check := billing.VATCheck{VATID: "DK13585628", Valid: true, Consultation: "WAPIAAAAY1", At: time.Now().Add(-29 * 24 * time.Hour)}
		lookUp := func() bool {
			t.Helper()
			if err := b.RecordVATCheck(t.Context(), acme, check); err != nil {
				t.Fatal(err)
			}
			if err := b.LookUpOld(t.Context()); err != nil {
				t.Fatal(err)
			}
			c, err := b.Customer(t.Context(), acme)
			if err != nil {
				t.Fatal(err)
			}
			return c.Check.Valid
		}
		if !lookUp() || len(register.Asked()) != 0 {
			t.Errorf("a fresh answer was asked for again: %v", register.Asked())
		}
		check.At = time.Now().Add(-31 * 24 * time.Hour)
		if lookUp() {
			t.Error("a number that has ended is still valid")
		}
	})
}

func TestNothingIsInvoicedWhileTheRegisterWasNotAsked(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, register := asking(t, d)
		register.Know("DK13585628", "Bøge ApS")
		id := draft(t, b, october()).ID
		if _, err := b.Finalise(t.Context(), acme, id); !problem.Has(err, "vat_unchecked") {
			t.Errorf("by hand: %v", err)
		}
		post(t, d, at("2026-10-05T10:00:00Z"), used(acme, 100, "DK", 38_000, "bulk")...)
		if runs := run(t, b, november); runs[0].State != billing.RunSkipped || runs[0].Reason != "vat_unchecked" {
			t.Errorf("got %+v", runs)
		}
		if err := b.LookUpOld(t.Context()); err != nil {
			t.Fatal(err)
		}
		runs := run(t, b, november)
		inv, err := b.ByID(t.Context(), acme, runs[0].Invoice)
		if err != nil || inv.VAT != 0 || inv.Gross != 380 {
			t.Errorf("got %+v (%v)", inv, err)
		}

		c := danish()
		c.VATID, c.Registration = "25063864", "25063864" // nobody has it
		if _, err := b.SetCustomer(t.Context(), acme, c); err != nil {
			t.Fatal(err)
		}
		if err := b.LookUpOld(t.Context()); err != nil {
			t.Fatal(err)
		}
		if inv := final(t, b, id); inv.VAT == 0 {
			t.Error("a number that is not valid was enough")
		}
	})
}

func TestOnlyNumbersOfTheUnionAreLookedUp(t *testing.T) {
	b := desk(t, dbtest.Open(t, dbtest.SQLiteURL(t)))
	c := danish()
	c.Party = invoice.Party{Name: "Acme AS", Registration: "974760673", VATID: "NO974760673MVA", Street: "Torget 2", City: "Bergen", PostCode: "5014", Country: "NO"}
	if _, err := b.SetCustomer(t.Context(), acme, c); err != nil {
		t.Fatal(err)
	}
	_, err := b.LookUpVAT(t.Context(), acme)
	if p := problem.As(err); p == nil || p.Code != "invalid_vat_id" {
		t.Errorf("got %v", err)
	}
}
