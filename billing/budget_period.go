package billing

import (
	"context"
	"strconv"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/smsqueue/window"
)

// period names the one that a moment, or a campaign, is in; empty is none.
func (p Per) period(campaign int64, at time.Time, zone *time.Location) string {
	switch {
	case p == PerDay:
		return at.In(zone).Format(time.DateOnly)
	case p == PerMonth:
		return at.In(zone).Format("2006-01")
	case campaign == 0:
		return ""
	}
	return strconv.FormatInt(campaign, 10)
}

// renews is when the next day or month begins. Where the clocks leave out midnight, it
// begins after the gap.
func (p Per) renews(at time.Time, zone *time.Location) time.Time {
	if p == PerCampaign {
		return time.Time{}
	}
	y, m, d := at.In(zone).Date()
	next := time.Date(y, m, d+1, 0, 0, 0, 0, time.UTC)
	if p == PerMonth {
		next = time.Date(y, m+1, 1, 0, 0, 0, 0, time.UTC)
	}
	begins, _, _ := window.Local(next.Format("2006-01-02T15:04"), zone) // the layout is one it reads
	return begins
}

// zoneOf is the account's time zone: the one that it sends by.
func zoneOf(ctx context.Context, q db.Querier, account int64) (*time.Location, error) {
	var region, zone string
	err := q.QueryRowContext(ctx, `
		SELECT a.region, COALESCE((SELECT s.zone FROM account_sending s WHERE s.account_id = a.id), '') FROM accounts a WHERE a.id = $1`, account).
		Scan(&region, &zone)
	if err != nil {
		return nil, err
	}
	if zone == "" {
		return window.OfRegion(region), nil
	}
	return window.Zone(zone)
}
