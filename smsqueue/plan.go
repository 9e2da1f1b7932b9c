package smsqueue

import (
	"context"
	"slices"
	"sync"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/routing"
	"github.com/varsel/varsel/smsqueue/smstext"
)

// plan is which carrier takes what, as rules and carriers are now.
type plan struct {
	routes []Route // those that are enabled, in the order they were added
	table  routing.Table
}

// enabledPlan refuses when no carrier can take anything.
func (q *Queue) enabledPlan(ctx context.Context) (plan, error) {
	p, err := readPlan(ctx, q.db)
	if err == nil && len(p.routes) == 0 {
		err = problem.Conflict("no_carrier", "no carrier is configured: add one first (varsel carrier add)")
	}
	return p, err
}

// readPlan reads the rules only where there are any.
func readPlan(ctx context.Context, q db.Querier) (p plan, err error) {
	if p.routes, err = selectRoutes(ctx, q, `WHERE enabled = TRUE ORDER BY id`); err != nil || len(p.routes) == 0 || !p.routes[0].ruled {
		return p, err
	}
	rules, err := selectRules(ctx, q)
	p.table = routing.NewTable(rules, func(carrier int64) bool { return p.route(carrier) != nil })
	return p, err
}

// route finds an enabled carrier, nil when it is none.
func (p plan) route(carrier int64) *Route {
	i := slices.IndexFunc(p.routes, func(r Route) bool { return r.ID == carrier })
	if i < 0 {
		return nil
	}
	return &p.routes[i]
}

// rule is the one that decides about a message. Where none does, its id is 0 and
// its carrier the first that is enabled.
func (p plan) rule(m routing.Message) routing.Rule {
	if r, found := p.table.Match(m); found {
		return r
	}
	return p.first()
}

// onlyOver says whether all that an account sends from a number goes over a carrier.
func (p plan) onlyOver(carrier, account int64, number string) bool {
	r := p.rule(routing.Message{Account: account, Sender: number})
	return !slices.ContainsFunc(r.Shares, func(s routing.Share) bool { return s.Carrier != carrier })
}

// ruleOf is the rule that chose a range's carrier, as it is now.
func (p plan) ruleOf(id int64) routing.Rule {
	if r, found := p.table.Rule(id); found {
		return r
	}
	return p.first()
}

func (p plan) first() routing.Rule {
	return routing.Rule{Shares: []routing.Share{{Carrier: p.routes[0].ID, Weight: 1}}}
}

// place is the carrier of a rule's nth turn: a healthy one, and where there is none
// the one that would have it if all were, which it then waits for.
func (p plan) place(r routing.Rule, n int64) int64 {
	carrier, found := r.Place(n, p.healthy)
	if !found {
		carrier, _ = r.Place(n, func(int64) bool { return true })
	}
	return carrier
}

func (p plan) healthy(carrier int64) bool { return p.route(carrier).Health.State == Healthy }

// text is how texts are cut that any of a rule's carriers may send.
func (p plan) text(r routing.Rule) smstext.Options {
	var all []carriers.Features
	for _, s := range r.Shares {
		all = append(all, p.route(s.Carrier).Features)
	}
	return carriers.CommonText(all)
}

// anyText is how texts are cut whose destinations are not known yet.
func (p plan) anyText() smstext.Options {
	all := []carriers.Features{p.routes[0].Features}
	for _, r := range p.table {
		for _, s := range r.Shares {
			all = append(all, p.route(s.Carrier).Features)
		}
	}
	return carriers.CommonText(all)
}

// turns deal single messages out to the carriers of a rule, in this process.
type turns struct {
	mu     sync.Mutex
	had    map[int64]int64 // by rule
	probes map[int64]*probe
}

// probe is how many single messages may try a carrier that is being probed.
type probe struct{ at, left int64 }

// place is the carrier of a single message.
func (t *turns) place(p plan, r routing.Rule, lane Lane) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.had == nil {
		t.had, t.probes = map[int64]int64{}, map[int64]*probe{}
	}
	if carrier, found := t.probing(p, r, lane); found {
		return carrier
	}
	n := int64(0)
	if r.Weighted() {
		n = t.had[r.ID]
		t.had[r.ID]++
	}
	return p.place(r, n)
}

// probing finds a carrier that is to be tried with this message. What is urgent
// tries none.
func (t *turns) probing(p plan, r routing.Rule, lane Lane) (carrier int64, found bool) {
	for _, s := range r.Shares {
		h := p.route(s.Carrier).Health
		if h.State != Probing || lane == Urgent {
			continue
		}
		try := t.probes[s.Carrier]
		if at := db.Millis(h.probeAt); try == nil || try.at != at {
			try = &probe{at, probeSize}
			t.probes[s.Carrier] = try
		}
		if try.left > 0 {
			try.left--
			return s.Carrier, true
		}
	}
	return 0, false
}
