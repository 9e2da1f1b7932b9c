package web

import (
	"context"
	"math"
	"time"

	"github.com/varsel/varsel/smsqueue"
)

// bound is the status of a carrier that takes messages.
const bound = "bound"

// snapshot is a campaign and its carrier at one moment.
type snapshot struct {
	campaign smsqueue.Campaign
	carrier  smsqueue.Route
	at       time.Time
	rate     float64 // messages a second
	paced    bool    // rate is known
}

// campaignEye looks at a campaign, and at its carrier now and then.
func campaignEye(q *smsqueue.Queue) func(of watchable) eye[snapshot] {
	return func(of watchable) eye[snapshot] {
		var going pace
		var carrier smsqueue.Route
		looks := 0
		return func(ctx context.Context) (s snapshot, err error) {
			if s.campaign, err = q.Campaign(ctx, of.account, of.id); err != nil {
				return s, err
			}
			if looks%readsOfCarrier == 0 {
				if carrier, err = carrierOf(ctx, q, s.campaign); err != nil {
					return s, err
				}
			}
			looks++
			s.at, s.carrier = time.Now(), carrier
			going.add(s.at, s.campaign.Counts.Total()-s.campaign.Counts.Unsent())
			s.rate, s.paced = going.rate()
			return s, nil
		}
	}
}

func carrierOf(ctx context.Context, q *smsqueue.Queue, c smsqueue.Campaign) (smsqueue.Route, error) {
	all, err := q.Routes(ctx)
	for _, r := range all {
		if r.ID == c.Route {
			return r, err
		}
	}
	return smsqueue.Route{}, err
}

// over says that nothing in it will move any more.
func (s snapshot) over() bool {
	switch s.campaign.State {
	case smsqueue.CampaignFinished:
		return true
	case smsqueue.CampaignCancel:
		return stillOpen(s.campaign.Counts) == 0
	}
	return false
}

func stillOpen(c smsqueue.Counts) (n int) {
	for status, some := range c {
		if status.Open() {
			n += some
		}
	}
	return n
}

// progress is a snapshot in the visitor's words. The page shows it first, and
// the stream brings it again whenever it has changed.
type progress struct {
	State      string    `json:"state"`
	StateWord  string    `json:"state_word"`
	Held       string    `json:"held"`    // why it was stopped
	Carrier    string    `json:"carrier"` // what is wrong with the carrier
	Percent    string    `json:"percent"`
	Handled    string    `json:"handled"`
	Total      string    `json:"total"`
	Recipients string    `json:"recipients"`
	Rate       string    `json:"rate"`
	Left       string    `json:"left"`
	Cost       string    `json:"cost"`
	Counts     []tally   `json:"counts"`
	Segments   []segment `json:"segments"`
	LeftOut    []tally   `json:"left_out"`
	Announce   string    `json:"announce"` // for those who listen: changes seldom
	At         time.Time `json:"-"`
	Over       bool      `json:"over"`
}

// tally is how many there are of something.
type tally struct {
	Name  string `json:"name"`
	Word  string `json:"-"`
	Help  string `json:"-"`
	N     int    `json:"n"`
	Count string `json:"count"`
}

// segment is a stretch of the bar.
type segment struct {
	Name  string `json:"name"`
	Word  string `json:"-"`
	X     string `json:"x"`
	Width string `json:"width"`
	Count string `json:"count"`
	Share string `json:"share"`
}

// stretches are the segments of the bar, from what is safest to what is not yet begun.
var stretches = []struct {
	name     string
	statuses []smsqueue.Status
}{
	{"delivered", []smsqueue.Status{smsqueue.Delivered}},
	{"underway", []smsqueue.Status{smsqueue.Sent}},
	{"unconfirmed", []smsqueue.Status{smsqueue.Unconfirmed}},
	{"lost", []smsqueue.Status{smsqueue.Undelivered, smsqueue.Expired, smsqueue.Rejected, smsqueue.Failed}},
	{"stopped", []smsqueue.Status{smsqueue.Cancelled, smsqueue.Skipped}},
	{"waiting", []smsqueue.Status{smsqueue.Queued, smsqueue.Sending}},
}

func (say *tongue) progress(s snapshot) progress {
	c := s.campaign
	total, unsent := c.Counts.Total(), c.Counts.Unsent()
	p := progress{
		State: string(c.State), StateWord: say.word("state", string(c.State)),
		Carrier:    say.carrierTrouble(s),
		Percent:    say.percent(total-unsent, total),
		Handled:    say.text("progress_handled", "Done", say.number(total-unsent), "Total", say.number(total)),
		Total:      say.number(total),
		Recipients: say.recipientCount(c),
		Rate:       say.rate(s), Left: say.timeLeft(s),
		Cost:    say.money(c.ReservedMicro, c.Currency),
		Counts:  say.tallies(c.Counts),
		LeftOut: say.leftOut(c.LeftOut),
		At:      s.at, Over: s.over(),
	}
	if c.Reason != "" {
		p.Held = say.text("held_because", "Reason", say.word("held", c.Reason))
	}
	p.Segments = say.segments(c.Counts)
	p.Announce = say.announce(c, total-unsent)
	return p
}

// recipientCount says when it is not the last word.
func (say *tongue) recipientCount(c smsqueue.Campaign) string {
	total := c.Counts.Total()
	switch {
	case c.Expanded || c.State == smsqueue.CampaignHeld || c.State == smsqueue.CampaignCancel:
		return say.number(total)
	case c.Scheduled():
		return say.text("unknown")
	case total == 0:
		return say.text("being_counted")
	}
	return say.text("still_counting", "N", say.number(total))
}

// announce is worth interrupting for: the state, and each quarter of the way.
func (say *tongue) announce(c smsqueue.Campaign, done int) string {
	word, total := say.word("state", string(c.State)), c.Counts.Total()
	if c.State != smsqueue.CampaignRunning || !c.Expanded || total == 0 {
		return word
	}
	quarter := share(done, total) / 25 * 25
	return say.text("announce_progress", "State", word, "Percent", say.text("percent", "N", say.number(quarter)))
}

func (say *tongue) rate(s snapshot) string {
	if s.campaign.State != smsqueue.CampaignRunning || !s.paced {
		return say.text("unknown")
	}
	return say.number(int(math.Round(s.rate)))
}

func (say *tongue) timeLeft(s snapshot) string {
	c := s.campaign
	if c.State != smsqueue.CampaignRunning || !c.Expanded || !s.paced || s.rate < 0.01 {
		return say.text("unknown")
	}
	seconds := float64(c.Counts.Unsent()) / s.rate
	return say.about(time.Duration(seconds * float64(time.Second)))
}

// carrierTrouble is what keeps the carrier from taking anything, as long as
// there is something to take.
func (say *tongue) carrierTrouble(s snapshot) string {
	if s.over() || s.campaign.State == smsqueue.CampaignSent || s.carrier.Status == bound {
		return ""
	}
	return say.carrier(s.carrier)
}

// carrier is the state of a carrier and, where it is known, the reason, which
// is in the carrier's own words.
func (say *tongue) carrier(r smsqueue.Route) string {
	status := string(r.Status)
	if !r.Enabled {
		status = "disabled"
	}
	if r.Reason != "" && say.has["carrier_because_"+status] {
		return say.text("carrier_because_"+status, "Name", r.Name, "Reason", r.Reason)
	}
	if id := "carrier_" + status; say.has[id] {
		return say.text(id, "Name", r.Name)
	}
	return r.Name + ": " + status
}

func (say *tongue) tallies(c smsqueue.Counts) (all []tally) {
	for _, s := range smsqueue.Statuses {
		all = append(all, tally{Name: string(s), Word: say.word("status", string(s)), Help: say.word("status_help", string(s)),
			N: c[s], Count: say.number(c[s])})
	}
	return all
}

func (say *tongue) leftOut(l smsqueue.LeftOut) (all []tally) {
	for _, why := range []struct {
		name string
		n    int
	}{{"without_number", l.WithoutNumber}, {"invalid_number", l.InvalidNumber}, {"shared_number", l.SharedNumber}, {"suppressed", l.Suppressed},
		{"unresolved", l.Unresolved}, {"too_long", l.TooLong}} {
		all = append(all, tally{Name: why.name, Word: say.word("left_out", why.name), N: why.n, Count: say.number(why.n)})
	}
	if n := l.SenderRefused; n > 0 { // hardly any campaign has one
		all = append(all, tally{Name: "sender_refused", Word: say.word("left_out", "sender_refused"), N: n, Count: say.number(n)})
	}
	return all
}

func (say *tongue) segments(c smsqueue.Counts) (all []segment) {
	var counts []int
	for _, stretch := range stretches {
		n := 0
		for _, s := range stretch.statuses {
			n += c[s]
		}
		counts = append(counts, n)
		all = append(all, segment{Name: stretch.name, Word: say.word("segment", stretch.name),
			Count: say.number(n), Share: say.percent(n, c.Total())})
	}
	lay(all, counts)
	return all
}
