package smsqueue_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
)

const toNorway = 45_000 // micro-units of a part

func (h *house) ledger() *billing.Ledger { return billing.NewLedger(h.db) }

func (h *house) terms(t billing.Terms) {
	h.t.Helper()
	must(h.t, h.ledger().SetTerms(h.t.Context(), h.account.ID, t))
}

// booked is the balance of the account, whose ledger adds up.
func (h *house) booked() billing.Balance {
	h.t.Helper()
	b, err := h.ledger().Balance(h.t.Context(), h.account.ID)
	must(h.t, err)
	if b.Total() != 0 || !b.Unlimited && b.Owed != b.Receivable {
		h.t.Errorf("the ledger does not add up: %+v", b)
	}
	return b
}

// Singles share a commit, and one that cannot be paid for is refused alone.
func TestSinglesAreAcceptedAsFarAsTheMoneyGoes(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(50, 0)
		const all, paid = 60, 23
		h.terms(billing.Terms{Limit: paid*toNorway + 1})
		var mu sync.Mutex
		var sending sync.WaitGroup
		accepted, refused := map[string]int64{}, []string{}
		for i := range all {
			sending.Go(func() {
				key := fmt.Sprintf("key %d", i)
				m, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(i), Text: "Hi", Key: key, RequestHash: "1"})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					accepted[key] = m.ID
				case problem.Has(err, "no_funds"):
					refused = append(refused, key)
				default:
					t.Error(err)
				}
			})
		}
		sending.Wait()
		if len(accepted) != paid || len(refused) != all-paid {
			t.Errorf("%d were accepted, %d refused", len(accepted), len(refused))
		}
		if b := h.booked(); b.Available() != 1 || b.Reserved != -paid*toNorway {
			t.Errorf("left is %d of %+v", b.Available(), b)
		}
		for key, id := range accepted { // the same again is the message that is there
			m, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(1), Text: "Hi", Key: key, RequestHash: "1"})
			must(t, err)
			if m.ID != id {
				t.Errorf("%s made %d and then %d", key, id, m.ID)
			}
		}
		h.terms(billing.Terms{Unlimited: true})
		for _, key := range refused { // what was refused took no key
			_, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(1), Text: "Hi", Key: key, RequestHash: "2"})
			must(t, err)
		}
		if b := h.booked(); b.Reserved != -all*toNorway {
			t.Errorf("reserved is %d", b.Reserved)
		}
	})
}

// A campaign that the money does not suffice for is previewed as such, held when it is
// spent, and goes on when there is more; it costs what the preview said, to the
// micro-unit, and says to which country, at which price and in which lane.
func TestACampaignIsHeldForWantOfMoneyAndGoesOn(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(500, 0)
		const people = 2000
		g := h.group(h.account.ID, "All staff", people, 0)
		h.terms(billing.Terms{Prepaid: true})
		pay := func(micro int64, reference string) {
			_, err := h.ledger().Pay(t.Context(), h.account.ID, billing.Payment{Micro: micro, Reference: reference})
			must(t, err)
		}
		pay(people*toNorway-1, "bank 1")
		n := smsqueue.NewCampaign{Group: g.ID, Text: "Water is shut off at two.", Lane: smsqueue.Bulk}
		p := h.preview(n)
		if p.Affordable() || p.Funds.Available() != p.CostMicro-1 {
			t.Errorf("a preview of %d with %d is affordable", p.CostMicro, p.Funds.Available())
		}
		h.work()
		c := h.until(h.campaign(h.account.ID, n), func(c smsqueue.Campaign) bool { return c.State == smsqueue.CampaignHeld })
		if c.Reason != "no_funds" || c.Expanded {
			t.Errorf("held for %q, expanded %v", c.Reason, c.Expanded)
		}
		_, err := h.queue.Resume(t.Context(), h.account.ID, c.ID)
		must(t, err)
		c = h.until(c, func(c smsqueue.Campaign) bool { return c.State == smsqueue.CampaignHeld })
		pay(1, "bank 2")
		c, err = h.queue.Resume(t.Context(), h.account.ID, c.ID)
		must(t, err)
		if c.Reason != "" {
			t.Errorf("it goes on for %q", c.Reason)
		}
		c = h.until(c, finished)
		if b := h.booked(); b.Available() != 0 || b.Reserved != 0 || -b.Unbilled != p.CostMicro {
			t.Errorf("after it: %+v", b)
		}
		if c.Counts[smsqueue.Delivered] != people {
			t.Errorf("%v", c.Counts)
		}
		entries, err := h.ledger().Entries(t.Context(), h.account.ID, billing.EntryFilter{Campaign: c.ID, Limit: 200})
		must(t, err)
		for _, e := range entries {
			if diff := cmp.Diff([]any{"NO", int64(toNorway), "bulk", e.Micro}, []any{e.Country, e.Unit, e.Lane, int64(e.Parts) * toNorway}); diff != "" {
				t.Errorf("%s: %s", e.Kind, diff)
			}
		}
	})
}

// Whatever is delivered twice and whoever is killed: each message is
// settled once, and the sums of the ledger are those of the messages.
func TestMoneyIsSettledOnceUnderCrashesAndDoubleReceipts(t *testing.T) {
	eachHouse(t, smscsim.Faults{AnswerDelay: 20 * time.Millisecond, ReceiptDelay: 30 * time.Millisecond, DuplicateReceipts: true}, func(t *testing.T, h *house) {
		h.route(50, 0)
		h.terms(billing.Terms{Limit: 1_000_000_000})
		g := h.group(h.account.ID, "All staff", 1200, 0)
		worker := h.spawn()
		c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Water is shut off at two.", Lane: smsqueue.Normal})
		h.untilAccepted(300)
		must(t, worker.Process.Kill())
		worker.Wait()
		h.spawn()
		c = h.until(c, overWith)
		h.eventually(func() bool { return h.booked().Reserved == 0 })
		var price int64
		for _, m := range h.messages(c) {
			price += m.PriceMicro
		}
		if b := h.booked(); -b.Unbilled != price || b.Owed != price {
			t.Errorf("%d was charged and %d is owed for messages of %d", -b.Unbilled, b.Owed, price)
		}
	})
}

// One key is one message, whoever meets whom in a commit: what was refused is refused to
// all who asked for it, and nobody is told of a message that there is not.
func TestSendsWithOneKeyAreAcceptedTogetherOrRefusedTogether(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(50, 0)
		sendMany := func(key string) (ids map[int64]int, refused map[string]int) {
			var mu sync.Mutex
			var sending sync.WaitGroup
			ids, refused = map[int64]int{}, map[string]int{}
			for range 40 {
				sending.Go(func() {
					m, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(1), Text: "Hi", Key: key, RequestHash: "1"})
					mu.Lock()
					defer mu.Unlock()
					switch p := problem.As(err); {
					case err == nil:
						ids[m.ID]++
					case p != nil:
						refused[p.Code]++
					default:
						refused["failed"]++
					}
				})
			}
			sending.Wait()
			return ids, refused
		}
		h.terms(billing.Terms{Prepaid: true})
		ids, refused := sendMany("poor")
		if len(ids) != 0 || refused["no_funds"] != 40 {
			t.Errorf("without money: %v, %v", ids, refused)
		}
		_, err := h.db.ExecContext(t.Context(), `ALTER TABLE ranges RENAME TO ranges_away`)
		must(t, err)
		h.terms(billing.Terms{Unlimited: true})
		if ids, refused = sendMany("rich"); len(ids) != 0 || refused["failed"] != 40 {
			t.Errorf("where nothing can be stored: %v, %v", ids, refused)
		}
		_, err = h.db.ExecContext(t.Context(), `ALTER TABLE ranges_away RENAME TO ranges`)
		must(t, err)
		if ids, refused = sendMany("rich"); len(ids) != 1 || ids[0] != 0 || len(refused) != 0 {
			t.Errorf("with money: %v, %v", ids, refused)
		}
	})
}

func TestASingleMessageCostsInTheCurrencyOfItsAccount(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(50, 0)
		for _, statement := range []string{
			`INSERT INTO price_lists (id, name, currency, created_at) VALUES (2, 'kroner', 'NOK', 0)`,
			`INSERT INTO price_books (id, list_id, currency, valid_from) VALUES (2, 2, 'NOK', 0)`,
			`INSERT INTO prices (book_id, country, lane, micro) VALUES (2, 'NO', '*', 500000)`,
			`UPDATE plans SET list_id = 2`,
			`UPDATE accounts SET currency = 'NOK'`,
		} {
			_, err := h.db.ExecContext(t.Context(), statement)
			must(t, err)
		}
		one := smsqueue.Single{To: number(1), Text: "Hi", Key: "key", RequestHash: "1"}
		first, err := h.queue.Send(t.Context(), h.account.ID, one)
		must(t, err)
		replay, err := h.queue.Send(t.Context(), h.account.ID, one)
		must(t, err)
		read, err := h.queue.Message(t.Context(), h.account.ID, first.ID)
		must(t, err)
		list, err := h.queue.Messages(t.Context(), h.account.ID, smsqueue.MessageFilter{Limit: 10})
		must(t, err)
		same(t, "currencies", []string{first.Currency, replay.Currency, read.Currency, list[0].Currency}, []string{"NOK", "NOK", "NOK", "NOK"})
	})
}
