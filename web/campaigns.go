package web

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

type campaignsPage struct {
	MaySend   bool
	Campaigns []campaignRow
	Pager     pager
}

func (campaignsPage) template() string { return "campaigns" }

// campaignRow is a campaign in a list.
type campaignRow struct {
	ID, Name, Group string
	State, Word     string
	Recipients      int
	Delivered       string // of those, in percent
	Segments        []segment
	Created         time.Time
}

func (w *site) campaigns(c *fiber.Ctx, v visit) error {
	before, err := w.cursor(secrets.Campaign, c.Query("from"))
	if err != nil {
		return err
	}
	all, err := w.Queue.Campaigns(v.ctx, v.Account.ID, before, pageSize+1)
	if err != nil {
		return err
	}
	all, more := cut(all)
	next := ""
	if more {
		next = w.Names.Of(secrets.Campaign, all[len(all)-1].ID)
	}
	return render(c, campaignsPage{
		MaySend:   maySend(v.Role),
		Campaigns: w.campaignRows(v.say, all),
		Pager:     turn("/campaigns", nil, c.Query("from"), next),
	})
}

func (w *site) campaignRows(say *tongue, all []smsqueue.Campaign) (rows []campaignRow) {
	for _, c := range all {
		total := c.Counts.Total()
		rows = append(rows, campaignRow{
			ID: w.Names.Of(secrets.Campaign, c.ID), Name: c.Name, Group: c.GroupName,
			State: string(c.State), Word: say.word("state", string(c.State)),
			Recipients: total, Delivered: say.percent(c.Counts[smsqueue.Delivered], total),
			Segments: say.segments(c.Counts), Created: c.Created,
		})
	}
	return rows
}
