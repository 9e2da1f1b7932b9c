package smsqueue

import (
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/smsqueue/carriers"
)

// patient is the vitals of a carrier at a clock that the test turns.
type patient struct {
	*vitals
	at time.Time
}

func newPatient() *patient {
	p := &patient{newVitals(), time.Unix(1_800_000_000, 0)}
	p.vitals.now = func() time.Time { return p.at }
	return p
}

func (p *patient) pass(d time.Duration) { p.at = p.at.Add(d) }

// answer lets n submissions be answered, one after the other.
func (p *patient) answer(n int, took time.Duration, err *carriers.Error) {
	for range n {
		at := p.submit()
		p.pass(took)
		p.answered(at, err)
	}
}

func (p *patient) is(t *testing.T, want string) {
	t.Helper()
	if got := p.ill(); got != want {
		t.Errorf("ill with %q, want %q", got, want)
	}
}

var (
	busy      = &carriers.Error{Kind: carriers.Retry, Code: "0x8"}
	broken    = &carriers.Error{Kind: carriers.Misconfigured, Code: "0xE"}
	silent    = &carriers.Error{Kind: carriers.NoAnswer}
	throttled = &carriers.Error{Kind: carriers.Throttled, Code: "0x58"}
	refused   = &carriers.Error{Kind: carriers.Rejected, Code: "0xB"}
	lost      = &carriers.Error{Kind: carriers.Retry}
)

func TestWhatMakesACarrierIll(t *testing.T) { // U11, U13
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		tell func(p *patient)
		want string
	}{
		"nothing was sent":          {func(p *patient) {}, ""},
		"it answers":                {func(p *patient) { p.answer(100, ms, nil) }, ""},
		"most are errors":           {func(p *patient) { p.answer(8, ms, nil); p.answer(9, ms, busy) }, IllErrors},
		"half are errors":           {func(p *patient) { p.answer(9, ms, busy); p.answer(9, ms, nil) }, ""},
		"it wants to be mended":     {func(p *patient) { p.answer(10, ms, broken) }, IllErrors},
		"most get no answer":        {func(p *patient) { p.answer(10, ms, silent) }, IllNoAnswer},
		"a few errors at once":      {func(p *patient) { p.answer(9, ms, busy) }, ""},
		"a few errors, for a while": {func(p *patient) { p.answer(5, time.Second, busy) }, IllErrors},
		"and then a good one":       {func(p *patient) { p.answer(5, time.Second, busy); p.answer(1, ms, nil) }, ""},
		"it was ill long ago":       {func(p *patient) { p.answer(20, ms, busy); p.answer(1, ms, nil); p.pass(vitalSeconds * time.Second) }, ""},
		"it throttles":              {func(p *patient) { p.answer(1000, ms, throttled) }, ""},
		"it refuses messages":       {func(p *patient) { p.answer(1000, ms, refused) }, ""},
		"connections are lost":      {func(p *patient) { p.answer(1000, ms, lost) }, ""},
		"it says nothing":           {func(p *patient) { p.submit(); p.pass(slowAfter + ms) }, IllNoAnswer},
		"it says nothing yet":       {func(p *patient) { p.submit(); p.pass(slowAfter) }, ""},
		"one has no answer, others have": {func(p *patient) {
			p.submit()
			for range 10 {
				p.answer(1, time.Second, nil)
			}
		}, ""},
		"it was idle before": {func(p *patient) { p.answer(1, ms, nil); p.pass(time.Hour); p.submit() }, ""},
		"it is slow": {func(p *patient) {
			var all []time.Time
			for range 10 {
				all = append(all, p.submit())
			}
			p.pass(slowAfter + ms)
			for _, at := range all {
				p.answered(at, nil)
			}
		}, IllSlow},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPatient()
			c.tell(p)
			p.is(t, c.want)
		})
	}
}

func TestAProbeBringsACarrierBack(t *testing.T) { // U13
	probed := func(p *patient, ill string, well bool) {
		t.Helper()
		if gotIll, gotWell := p.probed(); gotIll != ill || gotWell != well {
			t.Errorf("%q, %v; want %q, %v", gotIll, gotWell, ill, well)
		}
	}
	p := newPatient()
	before := p.submit()
	p.answer(100, time.Millisecond, busy)
	p.begin()
	p.answered(before, busy) // it says nothing of the probe
	probed(p, "", false)
	p.answer(wellAfter-1, time.Millisecond, nil)
	probed(p, "", false)
	p.answer(1, time.Millisecond, throttled)
	probed(p, "", false)
	p.answer(1, time.Millisecond, nil)
	probed(p, "", true)
	p.answer(1, time.Millisecond, busy)
	probed(p, IllErrors, false)
	p.begin()
	p.submit()
	p.pass(slowAfter + time.Millisecond)
	probed(p, IllNoAnswer, false)
}

func TestWhenACarrierIsAway(t *testing.T) { // U11, U13
	w := carrierWatch{away: map[int64]time.Time{}}
	now := time.Unix(1_800_000_000, 0)
	for i, c := range []struct {
		status       carriers.Status
		passed       time.Duration
		linked, away bool
	}{
		{carriers.Connecting, 0, false, false},
		{carriers.Connecting, time.Hour, false, false}, // it asks us to wait, which is no failure
		{carriers.Down, 0, false, false},
		{carriers.Connecting, awayFor, false, false},
		{carriers.Connecting, time.Second, false, true},
		{carriers.Refusing, time.Second, false, true},
		{carriers.Bound, 0, true, false},
		{idle, time.Second, false, false},
		{idle, awayFor + 1, false, true},
	} {
		now = now.Add(c.passed)
		if linked, away := w.linked(1, c.status, now); linked != c.linked || away != c.away {
			t.Errorf("%d: %v, %v", i, linked, away)
		}
	}
}

func TestACarrierThatFailsAgainRestsLonger(t *testing.T) {
	for failures, want := range map[int]time.Duration{0: shortestRest, 1: shortestRest, 2: 2 * shortestRest, 3: 4 * shortestRest, 20: longestRest, 100: longestRest} {
		if got := rest(failures); got != want {
			t.Errorf("after %d: %v, want %v", failures, got, want)
		}
	}
}

func TestARangeIsCutWhereItsMessagesGoAnotherWay(t *testing.T) {
	// s sent, q came back, l loose: each letter is a message.
	for name, c := range map[string]struct {
		messages string
		running  bool
		want     string // the pieces, upper case where they may go
	}{
		"nothing is loose":       {"sss", false, "sss"},
		"all is":                 {"lll", false, "LLL"},
		"all of one at work":     {"lll", true, "LLL"},
		"the end":                {"ssl", false, "ss|L"},
		"between":                {"slsls", false, "s|L|s|L|s"},
		"between, at work":       {"slsll", true, "sls|LL"},
		"nothing at the end":     {"lls", true, "lls"},
		"what is partly sent":    {"qlq", false, "q|L|q"},
		"what is partly at work": {"sqq", true, "sqq"},
	} {
		var all []looseness
		for i, m := range c.messages {
			all = append(all, looseness{id: int64(i), queued: m != 's', loose: m == 'l'})
		}
		got := ""
		for i, p := range pieces(all, c.running) {
			if i > 0 {
				got += "|"
			}
			for id := p.first; id <= p.last; id++ {
				m := c.messages[id : id+1]
				if p.loose {
					m = strings.ToUpper(m)
				}
				got += m
			}
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
