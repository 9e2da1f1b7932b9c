package smsqueue

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/smsqueue/window"
)

const (
	// shortestValidity: less would end before a carrier has answered.
	shortestValidity = time.Minute
	// longestValidity is what a carrier keeps a message for (SMPP 3.4 5.2.16 knows no
	// limit; networks keep it for some days).
	longestValidity = 7 * 24 * time.Hour
	// receiptTime is how long receipts are waited for beyond a validity that somebody
	// gave: what was sent in time has not expired yet.
	receiptTime = time.Hour
	// furthestStart is how far ahead a campaign may be planned.
	furthestStart = 366 * 24 * time.Hour
)

func (n NewCampaign) validateTimes(now time.Time) error {
	zone, err := window.Zone(n.Zone)
	if err != nil {
		return err
	}
	if err := validValidity(n.Validity); err != nil || n.Start.IsZero() {
		return err
	}
	return validStart(n.Start, now, zone)
}

// validateWindows: an urgent campaign waits for no window, and one whose windows are
// none of the account's would never go.
func (q *Queue) validateWindows(ctx context.Context, account int64, n NewCampaign, lane Lane) error {
	if n.Windows.Empty() {
		return nil
	}
	if lane == Urgent {
		return problem.Invalid("windows", "an urgent campaign goes at once: leave its windows out")
	}
	s, err := q.Rules(ctx, account)
	if err == nil && !s.Windows.Empty() && n.Windows.And(s.Windows).Empty() {
		return problem.Invalid("windows", "none of it is within the account's windows, %s", s.Windows)
	}
	return err
}

func validValidity(v time.Duration) error {
	if v != 0 && (v < shortestValidity || v > longestValidity) {
		return problem.Invalid("validity", "a text is worth sending from %s to %s, not %s", shortestValidity, longestValidity, v)
	}
	return nil
}

func validStart(start, now time.Time, zone *time.Location) error {
	const layout = "2 January 2006 15:04:05"
	switch {
	case start.Before(now):
		return problem.Invalid("start_at", "%s is past: it is %s now in %s", start.In(zone).Format(layout), now.In(zone).Format(layout), zone)
	case start.Sub(now) > furthestStart:
		return problem.Invalid("start_at", "a campaign is planned a year ahead at the most, not for %s", start.In(zone).Format(layout))
	}
	return nil
}

// Scheduled says that the campaign is to start later.
func (c Campaign) Scheduled() bool {
	return c.Started.IsZero() && c.Start.After(c.Created) && (c.State == CampaignAccepted || c.State == CampaignPaused)
}

// CampaignChange is what is changed about a campaign that has not started; nil
// leaves it.
type CampaignChange struct {
	Name     *string
	Start    *time.Time
	Zone     *string // of Start
	Validity *time.Duration
}

// ChangeCampaign changes a campaign until it starts.
func (q *Queue) ChangeCampaign(ctx context.Context, account, id int64, change CampaignChange) (Campaign, error) {
	c, err := q.Campaign(ctx, account, id)
	if err != nil {
		return c, err
	}
	was := c
	if err := change.apply(&c, time.Now()); err != nil {
		return was, err
	}
	return q.turn(ctx, account, id, "change", func(tx *db.Tx) (bool, error) { return rescheduleCampaign(ctx, tx, was, c) })
}

func (change CampaignChange) apply(c *Campaign, now time.Time) error {
	if change.Name != nil {
		if c.Name = strings.TrimSpace(*change.Name); c.Name == "" {
			c.Name = beginning(c.Text)
		}
		if strings.ContainsRune(c.Name, 0) || !utf8.ValidString(c.Name) || len(c.Name) > maxName {
			return problem.Invalid("name", "a campaign's name has at most %d characters and no control characters", maxName)
		}
	}
	if change.Zone != nil {
		c.Zone = *change.Zone
	}
	zone, err := window.Zone(c.Zone)
	if err != nil {
		return err
	}
	if change.Validity != nil {
		c.Validity = *change.Validity
	}
	if err := validValidity(c.Validity); err != nil || change.Start == nil {
		return err
	}
	c.Start = *change.Start
	return validStart(c.Start, now, zone)
}

// StartTime reads when a campaign is to start: an RFC 3339 time, or a local one such
// as 2027-03-28T09:00 in a zone (IANA), which is the account's if none is given. It
// answers the zone, and what the clocks did to a local time.
func (q *Queue) StartTime(ctx context.Context, account int64, text, zone string) (start time.Time, in string, note window.Note, err error) {
	if zone == "" {
		rules, err := q.Rules(ctx, account)
		if err != nil {
			return start, "", note, err
		}
		zone = rules.Zone
	}
	place, err := window.Zone(zone)
	if err != nil {
		return start, "", note, err
	}
	if start, err = time.Parse(time.RFC3339, text); err == nil {
		return start, zone, window.Plain, nil
	}
	start, note, err = window.Local(text, place)
	return start, zone, note, err
}
