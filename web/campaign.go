package web

import (
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

// campaignPage shows one campaign: where it is, what it says, and to whom.
type campaignPage struct {
	ID         string
	Campaign   smsqueue.Campaign
	Group      string // its public id
	Route      string // the carrier's name
	Progress   progress
	Encoding   string
	LaneWord   string
	Template   string // its public id, if it was made from one
	Ceiling    string // what it may cost at the most, if that was said
	Filter     string // the status that is shown, or all
	FilterWord string
	Recipients []recipient
	Pager      pager
	Replies    []receivedRow // the newest
	RollCall   bool
	Control    control
}

func (campaignPage) template() string { return "campaign" }

// recipient is a message in a campaign's list.
type recipient struct {
	Name, Phone       string
	Status, Word      string
	Reason, Code      string
	PossibleDuplicate bool
	At                time.Time // of the last thing known
}

func (w *site) campaign(c *fiber.Ctx, v visit) error {
	id, err := w.Names.ID(secrets.Campaign, c.Params("id"))
	if err != nil {
		return err
	}
	found, err := w.Queue.Campaign(v.ctx, v.Account.ID, id)
	if err != nil {
		return err
	}
	carrier, err := carrierOf(v.ctx, w.Queue, found)
	if err != nil {
		return err
	}
	p := campaignPage{
		ID: w.Names.Of(secrets.Campaign, id), Campaign: found, Group: w.Names.Of(secrets.Group, found.Group), Route: carrier.Name,
		Progress: v.say.progress(firstLook(found, carrier, time.Now())),
		Encoding: v.say.word("encoding", string(found.Encoding)),
		LaneWord: v.say.word("lane", string(found.Lane)),
	}
	if found.Template != 0 {
		p.Template = w.Names.Of(secrets.Template, found.Template)
	}
	if found.CeilingMicro > 0 {
		p.Ceiling = v.say.money(found.CeilingMicro, found.Currency)
	}
	if p.Control, err = w.control(v, found, c.Query("note")); err != nil {
		return err
	}
	if err := w.fillRecipients(c, v, &p); err != nil {
		return err
	}
	p.RollCall = found.Asks != nil
	replies, err := w.Queue.Inbound(v.ctx, v.Account.ID, smsqueue.InboundFilter{Campaign: id, Limit: mostReplies})
	if err != nil {
		return err
	}
	p.Replies = w.receivedRows(v.say, replies)
	return render(c, p)
}

// mostReplies is how many replies a campaign's page shows; the list of what was
// received has all.
const mostReplies = 5

// firstLook takes the pace since the start, as there is nothing else yet to
// take it from.
func firstLook(c smsqueue.Campaign, carrier smsqueue.Route, now time.Time) snapshot {
	s := snapshot{campaign: c, carrier: carrier, at: now}
	if span := now.Sub(c.Started); !c.Started.IsZero() && span >= paceStart {
		s.rate, s.paced = float64(c.Counts.Total()-c.Counts.Unsent())/span.Seconds(), true
	}
	return s
}

func (w *site) fillRecipients(c *fiber.Ctx, v visit, p *campaignPage) error {
	status := smsqueue.Status(c.Query("status"))
	if status != "" && !slices.Contains(smsqueue.Statuses, status) {
		return fiber.ErrNotFound
	}
	before, err := w.cursor(secrets.Message, c.Query("from"))
	if err != nil {
		return err
	}
	all, err := w.Queue.Messages(v.ctx, v.Account.ID, smsqueue.MessageFilter{
		Campaign: p.Campaign.ID, Status: status, Before: before, Limit: pageSize + 1})
	if err != nil {
		return err
	}
	all, more := cut(all)
	next := ""
	if more {
		next = w.Names.Of(secrets.Message, all[len(all)-1].ID)
	}
	keep := url.Values{}
	if status != "" {
		keep.Set("status", string(status))
		p.Filter, p.FilterWord = string(status), v.say.word("status", string(status))
	}
	p.Recipients = v.say.recipients(all)
	p.Pager = turn("/campaigns/"+p.ID, keep, c.Query("from"), next)
	return nil
}

func (say *tongue) recipients(all []smsqueue.Message) (list []recipient) {
	for _, m := range all {
		list = append(list, recipient{
			Name: m.ContactName, Phone: m.Phone,
			Status: string(m.Status), Word: say.word("status", string(m.Status)),
			Reason: say.reason(m.Reason), Code: errorCode(m.Code),
			PossibleDuplicate: m.PossibleDuplicate, At: lastKnown(m),
		})
	}
	return list
}

// errorCode is a carrier's code, but for the one that says that there is none.
func errorCode(code string) string {
	if code == "000" {
		return ""
	}
	return code
}

func lastKnown(m smsqueue.Message) time.Time {
	for _, t := range []time.Time{m.DoneAt, m.SentAt} {
		if !t.IsZero() {
			return t
		}
	}
	return m.QueuedAt
}

var partsSent = regexp.MustCompile(`^(\d+)_of_(\d+)_parts_sent$`)

// reason is why a message is where it is.
func (say *tongue) reason(reason string) string {
	if reason == "" {
		return ""
	}
	if n := partsSent.FindStringSubmatch(reason); n != nil {
		return say.text("reason_parts_sent", "Sent", n[1], "Parts", n[2])
	}
	return say.word("reason", reason)
}
