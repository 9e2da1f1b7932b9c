package web

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/carriers"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func underWay() snapshot {
	return snapshot{at: noon, rate: 99.6, paced: true,
		carrier: smsqueue.Route{Name: "main", Enabled: true, Status: carriers.Bound},
		campaign: smsqueue.Campaign{State: smsqueue.CampaignRunning, Expanded: true, Currency: "EUR", ReservedMicro: 540_000_000,
			LeftOut: smsqueue.LeftOut{WithoutNumber: 12, SharedNumber: 1, Suppressed: 3},
			Counts: smsqueue.Counts{smsqueue.Queued: 6000, smsqueue.Sending: 40, smsqueue.Sent: 1000, smsqueue.Delivered: 4900,
				smsqueue.Unconfirmed: 7, smsqueue.Failed: 3, smsqueue.Undelivered: 40, smsqueue.Skipped: 10}}}
}

func TestProgressOfARunningCampaign(t *testing.T) {
	p := tongueNamed("en").progress(underWay())
	p.Counts = nil // the same numbers, each for itself
	want := progress{
		State: "running", StateWord: "Running", Percent: "49%", Handled: "5,960 of 12,000 processed", Total: "12,000", Recipients: "12,000",
		Rate: "100", Left: "About 1 minute", Cost: "EUR\u00a0540.00",
		Segments: []segment{
			{Name: "delivered", Word: "Delivered", X: "0.00%", Width: "40.19%", Count: "4,900", Share: "40%"},
			{Name: "underway", Word: "Sent", X: "40.19%", Width: "8.20%", Count: "1,000", Share: "8%"},
			{Name: "unconfirmed", Word: "Unconfirmed", X: "48.39%", Width: "0.69%", Count: "7", Share: "1%"},
			{Name: "lost", Word: "Did not arrive", X: "49.08%", Width: "0.69%", Count: "43", Share: "1%"},
			{Name: "stopped", Word: "Not sent", X: "49.77%", Width: "0.69%", Count: "10", Share: "1%"},
			{Name: "waiting", Word: "Waiting", X: "50.46%", Width: "49.54%", Count: "6,040", Share: "50%"},
		},
		LeftOut: []tally{
			{Name: "without_number", Word: "Without a number", N: 12, Count: "12"},
			{Name: "invalid_number", Word: "Unusable number", Count: "0"},
			{Name: "shared_number", Word: "Same number as another member", N: 1, Count: "1"},
			{Name: "suppressed", Word: "Opted out", N: 3, Count: "3"},
			{Name: "unresolved", Word: "Nothing to fill a field with", Count: "0"},
			{Name: "too_long", Word: "Text too long when filled in", Count: "0"},
		},
		Announce: "Running, at least 25% processed", At: noon,
	}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Error(diff)
	}
}

func TestCampaignSaysWhatStopsIt(t *testing.T) { // user request 10
	say := tongueNamed("en")
	for _, c := range []struct {
		what    string
		change  func(*snapshot)
		held    string
		trouble string
	}{
		{"nothing", func(*snapshot) {}, "", ""},
		{"the carrier refuses", func(s *snapshot) {
			s.carrier.Status, s.carrier.Reason = carriers.Refusing, "invalid password (0x0e)"
		}, "", "The carrier main refuses the bind: invalid password (0x0e)"},
		{"the carrier is away", func(s *snapshot) { s.carrier.Status = carriers.Down }, "", "The carrier main cannot be reached. We go on trying."},
		{"no worker", func(s *snapshot) { s.carrier.Status = "idle" }, "", "No running process holds the carrier main, so nothing is sent."},
		{"the carrier is switched off", func(s *snapshot) { s.carrier.Enabled, s.carrier.Status = false, "idle" }, "", "The carrier main is switched off."},
		{"the ceiling", func(s *snapshot) { s.campaign.State, s.campaign.Reason = smsqueue.CampaignHeld, "cost_above_ceiling" },
			"The campaign is held: it would cost more than its ceiling.", ""},
		{"a rule that is new here", func(s *snapshot) { s.campaign.State, s.campaign.Reason = smsqueue.CampaignHeld, "quiet_hours" },
			"The campaign is held: quiet hours.", ""},
		{"it is over", func(s *snapshot) { s.campaign.State, s.carrier.Status = smsqueue.CampaignFinished, carriers.Down }, "", ""},
	} {
		s := underWay()
		c.change(&s)
		if p := say.progress(s); p.Held != c.held || p.Carrier != c.trouble {
			t.Errorf("%s: %q and %q", c.what, p.Held, p.Carrier)
		}
	}
}

func TestNoEstimateWithoutAPace(t *testing.T) {
	say := tongueNamed("en")
	for what, change := range map[string]func(*snapshot){
		"not measured yet": func(s *snapshot) { s.paced = false },
		"standing still":   func(s *snapshot) { s.rate = 0 },
		"still counting":   func(s *snapshot) { s.campaign.Expanded = false },
		"held":             func(s *snapshot) { s.campaign.State = smsqueue.CampaignHeld },
	} {
		s := underWay()
		change(&s)
		if p := say.progress(s); p.Left != "–" {
			t.Errorf("%s: %q", what, p.Left)
		}
	}
}

func TestCancelledCampaignIsOverWhenNothingIsOpen(t *testing.T) {
	s := underWay()
	s.campaign.State = smsqueue.CampaignCancel
	if s.over() {
		t.Error("over while messages are open")
	}
	s.campaign.Counts = smsqueue.Counts{smsqueue.Delivered: 5, smsqueue.Cancelled: 7}
	if !s.over() {
		t.Error("not over")
	}
}

func TestPaceIsThatOfTheLastSeconds(t *testing.T) {
	var p pace
	if _, known := p.rate(); known {
		t.Error("known before anything was seen")
	}
	for i := range 31 { // 100 a second for 15 s, then nothing
		p.add(noon.Add(time.Duration(i)*500*time.Millisecond), i*50)
	}
	if rate, known := p.rate(); !known || rate != 100 {
		t.Errorf("%v %t", rate, known)
	}
	for i := range 30 {
		p.add(noon.Add(15*time.Second+time.Duration(i+1)*500*time.Millisecond), 1500)
	}
	if rate, _ := p.rate(); rate != 0 {
		t.Errorf("%v after it stood still", rate)
	}
}

func TestSlowdownLetsThroughOnceInAWhile(t *testing.T) {
	var s slowdown
	now := noon
	for i := range passesAtOnce {
		if wait := s.pass(now, "a", "b"); wait > 0 {
			t.Fatalf("attempt %d waits %v", i, wait)
		}
	}
	if wait := s.pass(now, "a", "c"); wait != passEvery {
		t.Errorf("a has to wait %v", wait)
	}
	if wait := s.pass(now, "c"); wait > 0 {
		t.Errorf("c, which was refused together with a, has to wait %v", wait)
	}
	if wait := s.pass(now.Add(passEvery), "a"); wait > 0 {
		t.Errorf("a still has to wait %v", wait)
	}
	s.giveBack("b")
	if wait := s.pass(now, "b"); wait > 0 {
		t.Errorf("b has to wait %v", wait)
	}
	for i := range mostKeys + 10 {
		s.pass(now, string(rune(i))+"x")
	}
	if len(s.seen) > mostKeys {
		t.Errorf("%d keys are kept", len(s.seen))
	}
}
