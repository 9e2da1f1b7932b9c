package billing_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
)

// eventsEnv is how many entries TestTheLedgerAddsUpUnderCrashesAndDoubleDelivery makes
// on each database; `make drill` has it make a million.
const eventsEnv = "VARSEL_LEDGER_EVENTS"

// posterEnv makes the test binary a process that delivers every lot, so that the test
// can kill it.
const posterEnv = "VARSEL_TEST_POSTER"

const (
	aLot        = 100 // entries of a reservation, and of what settles it
	aLotCharged = 60  // of them
	lotPrice    = 45_000
	posters     = 8
)

func entryCount() int {
	if n, err := strconv.Atoi(os.Getenv(eventsEnv)); err == nil {
		return n
	}
	return 20_000
}

// lots are as many as make more entries than are asked for: of one account in four
// some are refused.
func lotCount() int { return entryCount()*5/4/(2*aLot) + 8 }

// ofLot is the account of a lot: without a limit, with one, in advance, without.
func ofLot(lot int) int64 { return int64(1 + lot%4) }

var lotTerms = []billing.Terms{unlimited, {Limit: 1_000_000_000_000}, {Prepaid: true}, unlimited}

// deliverLot is one step of a lot, delivered at least once: reserve it, or settle it
// once it is reserved. The references say what was done before. It may fail
// anywhere, and then it has done nothing.
func deliverLot(ctx context.Context, d *db.DB, lot int, settle bool, crash bool) error {
	first, err := d.NewIDs(ctx, aLot)
	if err != nil {
		return err
	}
	entries := make([]billing.Entry, aLot)
	for i := range entries {
		e := &entries[i]
		*e = billing.Entry{ID: first + int64(i), Account: ofLot(lot), Campaign: int64(1000 + lot), Kind: billing.KindReserve, Micro: lotPrice, Messages: 1, Parts: 1,
			Country: "NO", Unit: lotPrice, Lane: "bulk", Reference: fmt.Sprintf("%d/%d", lot, i)}
		switch {
		case settle && i < aLotCharged:
			e.Kind = billing.KindCharge
		case settle:
			e.Kind = billing.KindRelease
		}
	}
	err = d.InTx(ctx, func(tx *db.Tx) error {
		if err := step(ctx, tx, entries, settle); err != nil {
			return err
		}
		if crash {
			return errCrash
		}
		return nil
	})
	if db.IsDuplicate(err) || errors.Is(err, errCrash) {
		return nil
	}
	return err
}

var errCrash = errors.New("it crashed before it could commit")

func step(ctx context.Context, tx *db.Tx, entries []billing.Entry, settle bool) error {
	if !settle {
		_, _, err := billing.Reserve(ctx, tx, time.Now(), billing.Spender{}, entries...) // what is refused is not sent
		return err
	}
	var reserved bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM ledger_entries WHERE account_id = $1 AND kind = 'reserve' AND reference = $2 AND reference <> '')`, // the index is of those
		entries[0].Account, entries[0].Reference).Scan(&reserved)
	if err != nil || !reserved {
		return err
	}
	return billing.Post(ctx, tx, time.Now(), entries...)
}

// deliverAll delivers every step of every lot twice, by many at once; every ninth
// delivery crashes.
func deliverAll(ctx context.Context, d *db.DB, random *rand.Rand) error {
	type delivery struct {
		lot           int
		settle, crash bool
	}
	work := make(chan delivery)
	failed := make(chan error, posters)
	var all sync.WaitGroup
	for range posters {
		all.Go(func() {
			for w := range work {
				if err := deliverLot(ctx, d, w.lot, w.settle, w.crash); err != nil {
					select {
					case failed <- err:
					default:
					}
				}
			}
		})
	}
	for _, lot := range random.Perm(lotCount()) {
		for _, settle := range []bool{false, false, true, true} {
			work <- delivery{lot, settle, random.IntN(9) == 0}
		}
	}
	close(work)
	all.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

func postAlone(url string) error {
	ctx := context.Background()
	d, err := db.Open(ctx, url)
	if err != nil {
		return err
	}
	return deliverAll(ctx, d, rand.New(rand.NewPCG(1, 1)))
}

// Issue 7: whatever dies and whatever comes twice, the sum is zero, nothing is settled
// twice, and the balance is the sum. Here each entry has a reference, of which the ledger
// refuses a second. Those of messages have none: what settles them once is the update of
// the message, which smsqueue's TestMoneyMovesOnceUnderCrashesAndDoubleDelivery drills.
func TestTheLedgerAddsUpUnderCrashesAndDoubleDelivery(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		d := dbtest.Open(t, url)
		b := books{t, billing.NewLedger(d), d}
		for i, terms := range lotTerms {
			b.open(int64(i+1), "EUR", terms)
		}
		_, err := b.Pay(t.Context(), 3, billing.Payment{Micro: int64(entryCount()) / 16 * lotPrice, Reference: "bank 1"})
		must(t, err)

		for i := range 3 {
			b.killPoster(url, (i+1)*lotCount()/8)
		}
		for i := range 2 { // again, by which all is delivered that a crash kept from it
			must(t, deliverAll(t.Context(), d, rand.New(rand.NewPCG(2, uint64(i)))))
		}
		b.everyLotIsWhole()
		b.agrees()
		for i := range lotTerms {
			funds := b.balance(int64(i + 1))
			if !funds.Suffice(0) {
				t.Errorf("account %d went beyond what it may: %d is available", i+1, funds.Available())
			}
			if funds.Reserved > 0 || funds.Reserved%(aLot*lotPrice) != 0 {
				t.Errorf("account %d has %d reserved: parts of lots", i+1, funds.Reserved)
			}
		}
		if lots := b.count(`SELECT COUNT(DISTINCT campaign_id) FROM ledger_entries WHERE campaign_id <> 0`); lots == lotCount() {
			t.Error("no lot was refused: the test does not reach a limit")
		}
		n := b.count(`SELECT COUNT(*) FROM ledger_entries`)
		t.Logf("%d entries", n)
		if n < entryCount() {
			t.Errorf("only %d entries", n)
		}
	})
}

func (b books) count(query string) (n int) {
	b.t.Helper()
	must(b.t, b.db.QueryRowContext(b.t.Context(), query).Scan(&n))
	return n
}

// killPoster lets a process post until there are as many lots, and kills it.
func (b books) killPoster(url string, lots int) {
	b.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), posterEnv+"="+url)
	cmd.Stderr = os.Stderr
	must(b.t, cmd.Start())
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	for b.count(`SELECT COUNT(*) FROM ledger_entries`) < lots*aLot {
		select {
		case <-ended:
			b.t.Fatal("the process ended before it could be killed")
		case <-time.After(50 * time.Millisecond):
		}
	}
	must(b.t, cmd.Process.Kill())
	<-ended
}

// everyLotIsWhole says that a lot is reserved as a whole or not at all, and what was
// reserved is settled as a whole, once, or still open.
func (b books) everyLotIsWhole() {
	b.t.Helper()
	broken := b.count(fmt.Sprintf(`
		SELECT COUNT(*) FROM (
			SELECT campaign_id FROM ledger_entries WHERE campaign_id <> 0 GROUP BY campaign_id
			HAVING SUM(CASE kind WHEN 'reserve' THEN 1 ELSE 0 END) <> %d
				OR SUM(CASE kind WHEN 'charge' THEN 1 ELSE 0 END) NOT IN (0, %d)
				OR SUM(CASE kind WHEN 'release' THEN 1 ELSE 0 END) <> SUM(CASE kind WHEN 'charge' THEN 1 ELSE 0 END) * %d / %d) AS l`,
		aLot, aLotCharged, aLot-aLotCharged, aLotCharged))
	if broken > 0 {
		b.t.Errorf("%d lots are in pieces", broken)
	}
}
