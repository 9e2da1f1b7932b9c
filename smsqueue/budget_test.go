package smsqueue_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
)

const oneMessage = 45_000 // micro-units, to Norway

func (h *house) budget(n billing.NewBudget) billing.Budget {
	h.t.Helper()
	b, err := billing.NewBudgets(h.db).Add(h.t.Context(), h.account.ID, n)
	must(h.t, err)
	return b
}

func (h *house) limit(b billing.Budget, messages int64) {
	h.t.Helper()
	limit := messages * oneMessage
	_, err := billing.NewBudgets(h.db).Change(h.t.Context(), h.account.ID, b.ID, billing.BudgetChange{LimitMicro: &limit})
	must(h.t, err)
}

// spent is how many messages a budget has been spent on.
func (h *house) spent(b billing.Budget) int {
	h.t.Helper()
	now, err := billing.NewBudgets(h.db).ByID(h.t.Context(), h.account.ID, b.ID)
	must(h.t, err)
	return int(now.Spent / oneMessage)
}

// S16
func TestASingleBeyondABudgetIsRefusedAlone(t *testing.T) {
	eachHouse(t, smscsim.Faults{ReceiptDelay: time.Millisecond}, func(t *testing.T, h *house) {
		h.route(10, 0)
		b := h.budget(billing.NewBudget{Name: "Today", Per: billing.PerDay, LimitMicro: 3 * oneMessage})
		var mu sync.Mutex
		sent, refused := map[int]bool{}, map[int]bool{}
		var all sync.WaitGroup
		single := func(i int) (smsqueue.Message, error) {
			return h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(i), Text: "Hello", Key: fmt.Sprint("key", i), RequestHash: "x"})
		}
		for i := range 32 {
			all.Go(func() {
				_, err := single(i)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					sent[i] = true
				case problem.Has(err, "budget_spent") && strings.Contains(err.Error(), `"Today" of 0.135 EUR a day`):
					refused[i] = true
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if len(sent) != 3 || len(refused) != 29 || h.spent(b) != 3 {
			t.Fatalf("%d sent, %d refused, %d spent", len(sent), len(refused), h.spent(b))
		}
		h.limit(b, 5)
		for i := range refused { // its key is free again
			m, err := single(i)
			must(t, err)
			again, err := single(i)
			must(t, err)
			if again.ID != m.ID || h.spent(b) != 4 {
				t.Errorf("the same request was taken twice: %d spent", h.spent(b))
			}
			break
		}
		h.work()
		h.untilAccepted(4)
	})
}

// Nobody gets a message twice, and nobody is left out.
func TestACampaignHeldByABudgetGoesOnWhenThereIsMore(t *testing.T) {
	eachHouse(t, smscsim.Faults{ReceiptDelay: time.Millisecond}, func(t *testing.T, h *house) {
		h.route(50, 0)
		g := h.group(h.account.ID, "All staff", 1600, 0)
		month := h.budget(billing.NewBudget{Name: "Month", Per: billing.PerMonth, LimitMicro: 700 * oneMessage})
		each := h.budget(billing.NewBudget{Name: "Each", Per: billing.PerCampaign, LimitMicro: 1600 * oneMessage})
		n := smsqueue.NewCampaign{Group: g.ID, Text: "Hello"}
		p, err := h.queue.Preview(t.Context(), h.account.ID, n)
		must(t, err)
		if len(p.Budgets) != 1 || p.Budgets[0].ID != month.ID {
			t.Errorf("the preview says %+v", p.Budgets)
		}
		h.work()
		c := h.campaign(h.account.ID, n)
		held := func(c smsqueue.Campaign) bool { return c.State == smsqueue.CampaignHeld }
		if c = h.until(c, held); c.Reason != "budget_spent" || h.spent(month) != 500 {
			t.Errorf("%s, %d spent", c.Reason, h.spent(month))
		}
		h.turned(h.queue.Resume(t.Context(), h.account.ID, c.ID))
		if c = h.until(c, held); h.spent(month) != 500 {
			t.Errorf("nothing was raised, and %d are spent", h.spent(month))
		}
		h.limit(month, 1600)
		h.turned(h.queue.Resume(t.Context(), h.account.ID, c.ID))
		if c = h.until(c, finished); c.Counts[smsqueue.Delivered] != 1600 || h.spent(month) != 1600 || h.spent(each) != 1600 {
			t.Errorf("%v, %d and %d spent", c.Counts, h.spent(month), h.spent(each))
		}
		twice := 0
		for _, times := range h.smsc.Numbers() {
			if times != 1 {
				twice++
			}
		}
		if twice > 0 || len(h.smsc.Numbers()) != 1600 {
			t.Errorf("%d numbers were reached, %d of them twice", len(h.smsc.Numbers()), twice)
		}
	})
}

// What is rejected and what is cancelled is given back, whatever crashed on the way.
func TestABudgetIsSpentOnWhatTheLedgerHas(t *testing.T) {
	refusals := map[string]uint32{}
	for i := range 40 {
		refusals[strings.TrimPrefix(number(10*i), "+")] = 11 // ESME_RINVDSTADR
	}
	eachHouse(t, smscsim.Faults{AnswerDelay: 20 * time.Millisecond, ReceiptDelay: 20 * time.Millisecond, DuplicateReceipts: true, SubmitStatusFor: refusals}, func(t *testing.T, h *house) {
		h.route(20, 0)
		g := h.group(h.account.ID, "All staff", 1500, 0)
		b := h.budget(billing.NewBudget{Name: "Month", Per: billing.PerMonth, LimitMicro: 1600 * oneMessage})
		worker := h.spawn()
		c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello", Lane: smsqueue.Normal})
		h.untilAccepted(300)
		must(t, worker.Process.Kill())
		worker.Wait()
		h.spawn()
		h.untilAccepted(900)
		h.turned(h.queue.Cancel(t.Context(), h.account.ID, c.ID))
		h.eventually(func() bool {
			now, err := h.queue.Campaign(t.Context(), c.Account, c.ID)
			must(t, err)
			return now.Counts.Unsent()+now.Counts[smsqueue.Sent]+now.Counts[smsqueue.Unconfirmed] == 0 && now.Counts.Total() > 0
		})
		totals, err := campaignMoney(t.Context(), h.db, h.account.ID, c.ID)
		must(t, err)
		if totals.Open() != 0 || totals.Released == 0 || h.spent(b) != int(totals.Charged/oneMessage) {
			t.Errorf("%+v, %d spent", totals, h.spent(b))
		}
		off, err := db.Column[string](t.Context(), h.db, `SELECT reservation_id || ' ' || micro FROM budget_entries WHERE micro < 0`)
		must(t, err)
		if diff := cmp.Diff([]string(nil), off); diff != "" {
			t.Error("more was given back than was taken", diff)
		}
	})
}

// The team is that of who started it, and stays that when they leave it.
func TestACampaignIsPaidByTheTeamOfWhoStartedIt(t *testing.T) {
	eachHouse(t, smscsim.Faults{ReceiptDelay: time.Millisecond}, func(t *testing.T, h *house) {
		h.route(10, 0)
		g := h.group(h.account.ID, "All staff", 4, 0)
		teams := billing.NewTeams(h.db)
		team, err := teams.Add(t.Context(), h.account.ID, "Sales")
		must(t, err)
		user, err := h.acc.CreateUser(t.Context(), h.account.ID, "kari@acme.example", "sender", "a long password")
		must(t, err)
		must(t, teams.Join(t.Context(), h.account.ID, team.ID, user))
		b := h.budget(billing.NewBudget{Name: "Sales", Team: team.ID, Per: billing.PerMonth, LimitMicro: 5 * oneMessage})
		kari := audit.As(t.Context(), audit.Actor{Kind: audit.User, ID: user})
		c, err := h.queue.StartCampaign(kari, h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello", Start: time.Now().Add(time.Hour)})
		must(t, err)
		_, err = h.queue.Send(kari, h.account.ID, smsqueue.Single{To: number(0), Text: "Hello"})
		must(t, err)
		must(t, teams.Leave(t.Context(), h.account.ID, team.ID, user))
		_, err = h.queue.Send(kari, h.account.ID, smsqueue.Single{To: number(0), Text: "Hello"})
		must(t, err)
		h.comes(c)
		h.work()
		h.until(c, finished)
		if h.spent(b) != 5 {
			t.Errorf("%d are spent", h.spent(b))
		}
		if p, err := h.queue.Preview(kari, h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"}); err != nil || len(p.Budgets) != 0 {
			t.Error("they are in no team", p.Budgets, err)
		}
	})
}
