package smsqueue

import (
	"context"
	"database/sql"
	"log/slog"
	"sync"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/smsqueue/carriers"
)

// Standing is how a carrier stands, and why what waits for it does.
type Standing struct {
	Route
	Pace
	Waiting int // messages that are not handed to it yet, at the most
	Why     []Reason
}

// Pace is what the carrier takes, in parts, of all workers together; all zero
// while none has a link to it.
type Pace struct {
	AtOnce     int
	Throughput int // a second; 0 is no limit
	Learned    int // a second, since it throttles us; 0 when it does not
}

// Reason is one thing that keeps messages from going. Its Code is one of Whys.
type Reason struct {
	Code     string
	Messages int // whom it keeps, where not all
}

// Why messages wait.
const (
	WhyDisabled   = "disabled"   // the carrier is switched off
	WhyNoWorker   = "no_worker"  // no process works at all
	WhyIdle       = "idle"       // none has a link to it yet
	WhyConnecting = "connecting" // the link is being opened
	WhyRefused    = "refused"    // somebody must mend the configuration
	WhyDown       = "down"       // it is not reached
	WhyThrottled  = "throttled"  // it takes less than it was configured for
	WhyPaused     = "paused"     // campaigns are paused, or held
	WhyAccount    = "account"    // an account is closed, or its agreement has ended
)

// Whys are all codes of a Reason.
var Whys = []string{WhyDisabled, WhyNoWorker, WhyIdle, WhyConnecting, WhyRefused, WhyDown, WhyThrottled, WhyPaused, WhyAccount}

// Standings tells of every carrier how it stands. working says whether a process
// works: Alive takes its time to tell, Working remembers.
func (q *Queue) Standings(ctx context.Context, working bool) ([]Standing, error) {
	routes, err := q.Routes(ctx)
	if err != nil {
		return nil, err
	}
	backlogs, err := backlogsOf(ctx, q.db)
	if err != nil {
		return nil, err
	}
	paces, err := pacesOf(ctx, q.db)
	if err != nil {
		return nil, err
	}
	all := make([]Standing, len(routes))
	for i, r := range routes {
		s := Standing{Route: r, Waiting: backlogs[r.ID].waiting}
		if working {
			s.Pace = paces[r.ID]
		}
		s.Why = s.reasons(working, backlogs[r.ID])
		all[i] = s
	}
	return all, nil
}

func (s Standing) reasons(working bool, b routeBacklog) (why []Reason) {
	add := func(is bool, code string, messages int) {
		if is {
			why = append(why, Reason{code, messages})
		}
	}
	add(!s.Enabled, WhyDisabled, 0)
	add(s.Enabled && !working, WhyNoWorker, 0)
	if s.Enabled && working && s.Status != carriers.Bound {
		add(true, linkWhys[s.Status], 0)
	}
	add(s.Learned > 0, WhyThrottled, 0)
	add(b.paused > 0, WhyPaused, b.paused)
	add(b.account > 0, WhyAccount, b.account)
	return why
}

var linkWhys = map[carriers.Status]string{idle: WhyIdle, carriers.Connecting: WhyConnecting, carriers.Refusing: WhyRefused, carriers.Down: WhyDown}

// routeBacklog counts the messages that are not sent: all, and those that
// something else than the carrier keeps.
type routeBacklog struct{ waiting, paused, account int }

func backlogsOf(ctx context.Context, q db.Querier) (map[int64]routeBacklog, error) {
	all := map[int64]routeBacklog{}
	_, err := db.Collect(ctx, q, func(row *sql.Rows) (_ struct{}, err error) {
		var route int64
		var b routeBacklog
		err = row.Scan(&route, &b.waiting, &b.paused, &b.account)
		all[route] = b
		return struct{}{}, err
	}, `
		SELECT r.carrier_id, CAST(SUM(r.messages) AS BIGINT),
			CAST(SUM(CASE WHEN c.state IN ('paused', 'held') THEN r.messages ELSE 0 END) AS BIGINT),
			CAST(SUM(CASE WHEN a.state <> 'active' OR g.id IS NULL THEN r.messages ELSE 0 END) AS BIGINT)
		FROM (
			SELECT carrier_id, account_id, campaign_id, SUM(last_id - first_id + 1) AS messages
			FROM ranges WHERE state <> 'done' GROUP BY carrier_id, account_id, campaign_id
		) AS r
		JOIN accounts a ON a.id = r.account_id
		LEFT JOIN agreements g ON g.account_id = r.account_id AND g.state = 'concluded' AND (g.closes_at = 0 OR g.closes_at > $1)
		LEFT JOIN campaigns c ON c.id = r.campaign_id
		GROUP BY r.carrier_id`, db.Millis(time.Now()))
	return all, err
}

func pacesOf(ctx context.Context, q db.Querier) (map[int64]Pace, error) {
	all := map[int64]Pace{}
	_, err := db.Collect(ctx, q, func(row *sql.Rows) (_ struct{}, err error) {
		var route int64
		var p Pace
		err = row.Scan(&route, &p.AtOnce, &p.Throughput, &p.Learned)
		all[route] = p
		return struct{}{}, err
	}, `
		SELECT p.carrier_id, CAST(SUM(p.at_once) AS BIGINT), CAST(SUM(p.throughput) AS BIGINT),
			CAST(CASE WHEN MAX(p.learned) = 0 THEN 0 ELSE SUM(CASE WHEN p.learned > 0 THEN p.learned ELSE p.throughput END) END AS BIGINT)
		FROM carrier_paces p JOIN incarnations i ON i.id = p.incarnation WHERE i.ended_at = 0 GROUP BY p.carrier_id`)
	return all, err
}

// tellPaces keeps what this worker's links may give, for those who look.
func (w *Worker) tellPaces(ctx context.Context) {
	told := map[int64]Pace{}
	if _, err := w.db.ExecContext(ctx, `
		DELETE FROM carrier_paces WHERE incarnation IN (SELECT id FROM incarnations WHERE ended_at <> 0)`); err != nil && ctx.Err() == nil {
		slog.Error("what ended processes told could not be forgotten", "error", err)
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		now := map[int64]Pace{}
		for _, l := range w.allLinks() {
			if l.carrier != nil {
				now[l.route.ID] = l.gate.told()
			}
		}
		if err := w.tellChanged(ctx, told, now); err != nil && ctx.Err() == nil {
			slog.Error("the pace of carriers could not be kept", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (w *Worker) tellChanged(ctx context.Context, told, now map[int64]Pace) error {
	for route := range told {
		if _, still := now[route]; still {
			continue
		}
		if _, err := w.db.ExecContext(ctx, `DELETE FROM carrier_paces WHERE carrier_id = $1 AND incarnation = $2`, route, w.lease.id); err != nil {
			return err
		}
		delete(told, route)
	}
	for route, p := range now {
		if told[route] == p {
			continue
		}
		if _, err := w.db.ExecContext(ctx, `
			INSERT INTO carrier_paces (carrier_id, incarnation, at_once, throughput, learned) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (carrier_id, incarnation) DO UPDATE SET at_once = EXCLUDED.at_once, throughput = EXCLUDED.throughput, learned = EXCLUDED.learned`,
			route, w.lease.id, p.AtOnce, p.Throughput, p.Learned); err != nil {
			return err
		}
		told[route] = p
	}
	return nil
}

// told is the gate's pace in whole parts.
func (g *gate) told() Pace {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := Pace{AtOnce: g.window, Throughput: int(g.pace.configured)}
	if rate := g.pace.rate(); rate != g.pace.configured && g.now().Sub(g.pace.throttled) < unlearnAfter {
		p.Learned = max(1, int(rate))
	}
	return p
}

// sightings remember the counters of processes from one look to the next.
type sightings struct {
	mu sync.Mutex
	watch
}

// Working says whether a process with a worker raises its counter. It tells at
// once: one that died is known some seconds after a second look.
func (q *Queue) Working(ctx context.Context) (bool, error) {
	q.others.mu.Lock()
	defer q.others.mu.Unlock()
	dead, err := q.others.dead(ctx, q.db, 0)
	if err != nil {
		return false, err
	}
	workers, err := workerCounters(ctx, q.db)
	for _, id := range dead {
		delete(workers, id)
	}
	return len(workers) > 0, err
}
