package smsqueue

import (
	"context"
	"slices"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/smsqueue/carriers"
)

// Wait is one thing that keeps messages from going. Its Code is one of Waits.
type Wait struct {
	Code     string
	Detail   string // the reason of a campaign that is held, a carrier's name
	Messages int    // whom it keeps
	Until    time.Time
}

// Why a campaign's messages, or an account's single ones, wait; besides Whys.
const (
	WaitHeld       = "held"        // a rule stopped the campaign, for the reason in Detail
	WaitScheduled  = "scheduled"   // it starts later
	WaitStarting   = "starting"    // its recipients are being found
	WaitQuietHours = "quiet_hours" // outside the windows where the recipients are
	WaitCap        = "cap"         // the account's cap is reached
	WaitRoute      = "route_down"  // no carrier for these numbers is up
	WaitRetry      = "retry"       // the carrier said later
	WaitTurn       = "turn"        // nothing: they are next
)

// Waits are all codes of a Wait.
var Waits = append([]string{WaitHeld, WaitScheduled, WaitStarting, WaitQuietHours, WaitCap, WaitRoute, WaitRetry, WaitTurn}, Whys...)

// Why tells what keeps a campaign's messages, or with no campaign the account's
// single ones, from going, and when something happens next where that is known. It
// is empty when nothing waits.
func (q *Queue) Why(ctx context.Context, account, campaign int64) ([]Wait, error) {
	var stopped []Wait
	if campaign != 0 {
		c, err := q.Campaign(ctx, account, campaign)
		if err != nil {
			return nil, err
		}
		if c.State == CampaignCancel || c.State == CampaignFinished {
			return nil, nil
		}
		if stopped, err = q.unchosen(ctx, c, c.stopped()); err != nil {
			return nil, err
		}
	}
	waiting, err := selectWaits(ctx, q.db, account, campaign, time.Now())
	if err != nil {
		return nil, err
	}
	total := 0
	for _, w := range waiting {
		total += w.messages
	}
	if total == 0 && len(stopped) == 0 {
		return nil, nil
	}
	refusal := accounts.Gate(ctx, q.db, account)
	if p := problem.As(refusal); p != nil {
		stopped = append(stopped, Wait{Code: WhyAccount, Detail: p.Code, Messages: total})
	} else if refusal != nil {
		return nil, refusal
	}
	engine, err := q.engineWaits(ctx, waiting, total)
	if err != nil {
		return nil, err
	}
	all := slices.Concat(stopped, engine, ruleWaits(waiting))
	if len(all) == 0 {
		all = []Wait{{Code: WaitTurn, Messages: total}}
	}
	return all, nil
}

// stopped is what is in the campaign itself.
func (c Campaign) stopped() []Wait {
	queued := c.Counts[Queued]
	switch {
	case c.State == CampaignPaused:
		return []Wait{{Code: WhyPaused, Messages: queued}}
	case c.State == CampaignHeld:
		return []Wait{{Code: WaitHeld, Detail: c.Reason, Messages: queued}}
	case c.Scheduled() && c.Start.After(time.Now()):
		return []Wait{{Code: WaitScheduled, Until: c.Start}}
	case c.State == CampaignAccepted:
		return []Wait{{Code: WaitStarting}}
	}
	return nil
}

// unchosen says of a campaign that is to find its recipients that no carrier can be
// chosen for them.
func (q *Queue) unchosen(ctx context.Context, c Campaign, stopped []Wait) ([]Wait, error) {
	if c.Expanded || c.Counts.Total() > 0 || c.State != CampaignRunning && c.State != CampaignAccepted || c.Start.After(time.Now()) {
		return stopped, nil
	}
	p, err := readPlan(ctx, q.db)
	if err != nil || len(p.routes) > 0 {
		return stopped, err
	}
	return []Wait{{Code: WhyDisabled}}, nil
}

// waitingPart is what waits at one carrier for one reason.
type waitingPart struct {
	route    int64
	reason   string
	messages int
	due      time.Time // zero: now
}

// engineWaits is what is wrong with the processes and the carriers.
func (q *Queue) engineWaits(ctx context.Context, waiting []waitingPart, total int) (all []Wait, err error) {
	if total == 0 {
		return nil, nil
	}
	working, err := q.Working(ctx)
	if err != nil {
		return nil, err
	}
	if !working {
		all = append(all, Wait{Code: WhyNoWorker, Messages: total})
	}
	routes, err := q.Routes(ctx)
	if err != nil {
		return nil, err
	}
	paces, err := pacesOf(ctx, q.db)
	if err != nil {
		return nil, err
	}
	for _, r := range routes {
		n := 0
		for _, w := range waiting {
			if w.route == r.ID {
				n += w.messages
			}
		}
		code := ""
		switch {
		case n == 0:
		case !r.Enabled:
			code = WhyDisabled
		case working && r.Status != carriers.Bound:
			code = linkWhys[r.Status]
		case working && paces[r.ID].Learned > 0:
			code = WhyThrottled
		}
		if code != "" {
			all = append(all, Wait{Code: code, Detail: r.Name, Messages: n})
		}
	}
	return all, nil
}

// ruleWaits is what ranges say of themselves.
func ruleWaits(waiting []waitingPart) (all []Wait) {
	for _, w := range waiting {
		code := w.reason
		if code == "" && !w.due.IsZero() {
			code = WaitRetry
		}
		if w.messages == 0 || !slices.Contains(Waits, code) {
			continue
		}
		at := slices.IndexFunc(all, func(a Wait) bool { return a.Code == code })
		if at < 0 {
			at, all = len(all), append(all, Wait{Code: code, Until: w.due})
		}
		all[at].Messages += w.messages
		if all[at].Until.IsZero() || !w.due.IsZero() && w.due.Before(all[at].Until) {
			all[at].Until = w.due
		}
	}
	return all
}
