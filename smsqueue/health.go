package smsqueue

import (
	"sync"
	"time"

	"github.com/varsel/varsel/smsqueue/carriers"
)

// HealthState says whether a carrier gets new messages.
type HealthState string

const (
	Healthy   HealthState = "healthy"
	Unhealthy HealthState = "unhealthy" // what waits for it goes another way, where there is one
	Probing   HealthState = "probing"   // a few messages try whether it is well again
)

// HealthStates are all of them.
var HealthStates = []HealthState{Healthy, Unhealthy, Probing}

// Why a carrier is unhealthy.
const (
	IllDown     = "down"      // there is no link to it
	IllRefused  = "refused"   // it refuses the link
	IllErrors   = "errors"    // it answers with errors of its own
	IllNoAnswer = "no_answer" // it does not answer
	IllSlow     = "slow"      // it answers late
)

// Ills are all reasons.
var Ills = []string{IllDown, IllRefused, IllErrors, IllNoAnswer, IllSlow}

// Health is what workers have found of a carrier.
type Health struct {
	State    HealthState
	Reason   string // one of Ills; empty when it is healthy
	Since    time.Time
	probeAt  time.Time
	failures int
}

const (
	// vitalSeconds is how far back a carrier's answers are counted.
	vitalSeconds = 5
	// enoughAnswers are needed before their shares say anything; fewer do when
	// they all failed, over failingFor.
	enoughAnswers = 10
	failedInARow  = 5
	failingFor    = 3 * time.Second
	// slowAfter is how long a carrier may take for an answer, or give none at all.
	slowAfter = 4 * time.Second
	// awayFor is how long a link may be away: some are opened anew now and then.
	awayFor = 3 * time.Second
	// wellAfter so many good answers in a row a carrier that is probed is healthy.
	wellAfter = 5
	// probeSize is how many messages try a carrier. What is in bulk and gets no answer
	// is unconfirmed, so that they are few.
	probeSize = 5
	// A carrier rests before it is tried, twice as long each time that fails.
	shortestRest, longestRest = 3 * time.Second, time.Minute
)

// rest is how long a carrier that has failed so often is not tried.
func rest(failures int) time.Duration {
	return min(shortestRest<<min(max(failures-1, 0), 10), longestRest)
}

// vitals are what a link sees of its carrier's answers. That a carrier throttles
// says that it is well.
type vitals struct {
	mu       sync.Mutex
	now      func() time.Time
	since    time.Time // what was submitted before is not looked at
	out      int       // submissions without an answer
	heard    time.Time // the last answer, or the submission that ended a silence with nothing out
	second   int64
	buckets  [vitalSeconds]bucket // the newest first
	goodRow  int
	badRow   int
	badSince time.Time
	lastIll  string
}

// bucket counts the answers of a second.
type bucket struct{ good, bad int }

func newVitals() *vitals { return &vitals{now: time.Now} }

// begin forgets what was seen.
func (v *vitals) begin() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.since, v.out, v.goodRow, v.badRow, v.buckets = v.now(), 0, 0, 0, [vitalSeconds]bucket{}
}

// submit says that a part is handed to the carrier, and returns when.
func (v *vitals) submit() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.now()
	if v.out == 0 {
		v.heard = now
	}
	v.out++
	return now
}

// answered takes the answer to what was submitted at a time.
func (v *vitals) answered(submitted time.Time, refusal *carriers.Error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if submitted.Before(v.since) {
		return
	}
	now := v.now()
	v.out, v.heard = v.out-1, now
	v.turnTo(now)
	switch {
	case refusal != nil && (refusal.Kind == carriers.Throttled || refusal.Kind == carriers.Retry && refusal.Code == ""):
		// It is well; or the connection was lost, which the link says.
	case refusal != nil && refusal.Kind == carriers.NoAnswer:
		v.bad(now, IllNoAnswer)
	case refusal != nil && refusal.Kind != carriers.Rejected:
		v.bad(now, IllErrors)
	case now.Sub(submitted) > slowAfter:
		v.bad(now, IllSlow)
	default:
		v.buckets[0].good++
		v.goodRow, v.badRow = v.goodRow+1, 0
	}
}

func (v *vitals) bad(now time.Time, ill string) {
	v.buckets[0].bad++
	if v.badRow == 0 {
		v.badSince = now
	}
	v.goodRow, v.badRow, v.lastIll = 0, v.badRow+1, ill
}

func (v *vitals) turnTo(now time.Time) {
	passed := now.Unix() - v.second
	v.second = now.Unix()
	for range min(max(passed, 0), vitalSeconds) {
		copy(v.buckets[1:], v.buckets[:])
		v.buckets[0] = bucket{}
	}
}

// ill is why the carrier is unhealthy by its answers; empty when it is not.
func (v *vitals) ill() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.now()
	if v.out > 0 && now.Sub(v.heard) > slowAfter {
		return IllNoAnswer
	}
	v.turnTo(now)
	var sum bucket
	for _, b := range v.buckets {
		sum.good, sum.bad = sum.good+b.good, sum.bad+b.bad
	}
	if all := sum.good + sum.bad; all >= enoughAnswers && 2*sum.bad > all || v.badRow >= failedInARow && now.Sub(v.badSince) > failingFor {
		return v.lastIll
	}
	return ""
}

// probed says how a carrier that is tried has answered: why it is still ill, or
// that it is well.
func (v *vitals) probed() (ill string, well bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.out > 0 && v.now().Sub(v.heard) > slowAfter:
		return IllNoAnswer, false
	case v.badRow > 0:
		return v.lastIll, false
	}
	return "", v.goodRow >= wellAfter
}
