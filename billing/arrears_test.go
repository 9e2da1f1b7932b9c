package billing_test

import (
	"testing"
	"time"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/problem"
)

// debt is an account whose directories are suspended ten days after an invoice is due.
type debt struct {
	*testing.T
	db       *db.DB
	clock    clock
	invoices *billing.Invoices
	ledger   *billing.Ledger
}

func eachDebt(t *testing.T, test func(s *debt)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := &debt{T: t, db: d, clock: clock{time.Now()}, invoices: desk(t, d)}
		s.ledger = billing.NewLedger(d).WithClock(s.clock.now)
		s.must(s.ledger.SetTerms(t.Context(), acme, billing.Terms{Unlimited: true, Suspend: 10}))
		test(s)
	})
}

func (s *debt) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// owes invoices an amount, in whole units.
func (s *debt) owes(amount string) billing.Invoice {
	s.Helper()
	return final(s.T, s.invoices, draft(s.T, s.invoices, billing.NewInvoice{Period: october().Period,
		Lines: []billing.NewLine{{Name: "Directory integration", Quantity: dec("1"), Unit: "MON", Price: dec(amount)}}}).ID)
}

func (s *debt) pays(micro int64, reference string) {
	s.Helper()
	_, err := s.ledger.Pay(s.Context(), acme, billing.Payment{Micro: micro, Reference: reference})
	s.must(err)
}

// suspended holds what the job and the gate say, so many days after a day.
func (s *debt) suspended(want bool, day time.Time, days int) {
	s.Helper()
	s.clock.at = day.AddDate(0, 0, days)
	s.must(s.ledger.Dun(s.Context()))
	s.stands(want)
}

func (s *debt) stands(want bool) {
	s.Helper()
	err := s.ledger.Followable(s.Context(), acme)
	if err != nil && !problem.Has(err, "invoices_unpaid") {
		s.Fatal(err)
	}
	if (err != nil) != want {
		s.Errorf("%s: suspended: %t", s.clock.at.Format(time.DateOnly), err != nil)
	}
}

func TestDirectoriesAreSuspendedWhileAnInvoiceIsUnpaid(t *testing.T) {
	eachDebt(t, func(s *debt) {
		inv := s.owes("99")
		s.suspended(false, inv.Due, 10)
		s.suspended(true, inv.Due, 11)
		b, err := s.ledger.Balance(s.Context(), acme)
		if err != nil || b.Suspend != 10 || b.Suspended.UnixMilli() != s.clock.at.UnixMilli() {
			t.Errorf("it is suspended since %v after %d days (%v)", b.Suspended, b.Suspend, err)
		}
		s.pays(98_990_000, "most of it")
		s.stands(true)
		s.pays(10_000, "the rest")
		s.stands(false)
		_, err = s.ledger.ReturnPayment(s.Context(), acme, "the rest")
		s.must(err)
		s.stands(true)
		s.must(s.ledger.SetTerms(s.Context(), acme, billing.Terms{Unlimited: true, Suspend: 20}))
		s.stands(false)
		s.suspended(true, inv.Due, 21)
		s.must(s.ledger.SetTerms(s.Context(), acme, billing.Terms{Unlimited: true}))
		s.stands(false)
		s.suspended(false, inv.Due, 400)
	})
}

// A payment counts for the oldest invoice; what is not due yet is not owed, nor is what
// was credited.
func TestOnlyWhatIsOverdueSuspends(t *testing.T) {
	eachDebt(t, func(s *debt) {
		old := s.owes("50")
		patient := norwegian()
		patient.Days = 44
		_, err := s.invoices.SetSeller(s.Context(), patient)
		s.must(err)
		young, wrong := s.owes("70"), s.owes("1000")
		if !young.Due.After(old.Due.AddDate(0, 0, 20)) {
			t.Fatalf("due %s and %s", old.Due, young.Due)
		}
		credit, err := s.invoices.Credit(s.Context(), acme, wrong.ID, billing.NewCredit{})
		s.must(err)
		final(s.T, s.invoices, credit.ID)
		s.suspended(true, old.Due, 11)
		s.pays(50_000_000, "for whichever")
		s.stands(false)
		s.suspended(false, young.Due, 10)
		s.suspended(true, young.Due, 11)
		credit, err = s.invoices.Credit(s.Context(), acme, young.ID, billing.NewCredit{})
		s.must(err)
		final(s.T, s.invoices, credit.ID)
		s.suspended(false, young.Due, 12)
	})
}

func TestSuspendDaysOutOfRangeAreRefused(t *testing.T) {
	eachDebt(t, func(s *debt) {
		for _, days := range []int{-1, 366} {
			if err := s.ledger.SetTerms(s.Context(), acme, billing.Terms{Unlimited: true, Suspend: days}); !problem.Has(err, "invalid_suspend_days") {
				t.Errorf("%d days: %v", days, err)
			}
		}
	})
}
