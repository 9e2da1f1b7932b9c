package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/window"
)

// Timing is when a campaign goes.
type Timing struct {
	StartAt  string `json:"start_at,omitempty" maxLength:"40" doc:"When it starts: with an offset, or as the clocks of the zone show it. A local time that the clocks skip is moved forward as far as they are; of one that comes twice, the first is meant. start_note says so." example:"2027-03-28T09:00"`
	Zone     string `json:"zone,omitempty" maxLength:"64" doc:"IANA. The account's, if it is not given." example:"Europe/Oslo"`
	Validity int    `json:"validity,omitempty" minimum:"1" maximum:"10080" doc:"Minutes from the start during which the text is worth sending. If it is not given, each message has 48 hours from when it may go." example:"120"`
	Windows  string `json:"windows,omitempty" maxLength:"500" doc:"When it may go where the recipients are, within the account's windows." example:"Mon-Fri 09:00-16:00"`
}

// fill puts the timing into a campaign to be started.
func (t Timing) fill(ctx context.Context, s Services, n *smsqueue.NewCampaign) (note window.Note, err error) {
	n.Validity = time.Duration(t.Validity) * time.Minute
	if n.Windows, err = window.Parse(t.Windows); err != nil || t.StartAt == "" {
		n.Zone = t.Zone
		return note, err
	}
	n.Start, n.Zone, note, err = s.Queue.StartTime(ctx, accountOf(ctx), t.StartAt, t.Zone)
	return note, err
}

// wait is why messages do not go.
type wait struct {
	Code     string    `json:"code"`
	Detail   string    `json:"detail,omitempty" doc:"The carrier's name, or the reason why a campaign is held."`
	Messages int       `json:"messages" doc:"How many it keeps."`
	Until    time.Time `json:"until,omitzero" doc:"When something happens next, where that is known."`
}

// TransformSchema lists the codes.
func (wait) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Properties["code"] = oneOf(smsqueue.Waits)
	return s
}

func waits(all []smsqueue.Wait) []wait {
	out := []wait{}
	for _, w := range all {
		out = append(out, wait{w.Code, w.Detail, w.Messages, at(w.Until)})
	}
	return out
}

type waitList struct {
	Items []wait `json:"items" doc:"Empty when nothing waits."`
}

func (s Services) listWaits(ctx context.Context, _ *struct{}) (*answer[waitList], error) {
	all, err := s.Queue.Why(ctx, accountOf(ctx), 0)
	if err != nil {
		return nil, err
	}
	return &answer[waitList]{Body: waitList{waits(all)}}, nil
}

// newCeiling is what may change when a campaign goes on.
type newCeiling struct {
	MaxCost *money `json:"max_cost,omitempty" doc:"Its new ceiling. As it was, if it is not given: a campaign that would cost more is refused with cost_above_ceiling, which tells what it costs now."`
}

type resumeCampaign struct {
	ID   string `path:"id" doc:"cmp_..."`
	Body *newCeiling
}

// resumeCampaign lets it go on, up to another ceiling if one is given.
func (s Services) resumeCampaign(ctx context.Context, in *resumeCampaign) (*answer[campaign], error) {
	id, err := s.Names.ID(secrets.Campaign, in.ID)
	if err != nil {
		return nil, err
	}
	var most int64
	if in.Body != nil {
		if most, err = s.ceiling(ctx, in.Body.MaxCost); err != nil {
			return nil, err
		}
	}
	c, err := s.Queue.ResumeUpTo(ctx, accountOf(ctx), id, most)
	if err != nil {
		return nil, err
	}
	return &answer[campaign]{Body: s.campaign(c)}, nil
}

// turnCampaign is pause and cancel.
func (s Services) turnCampaign(turn func(ctx context.Context, account, id int64) (smsqueue.Campaign, error)) func(context.Context, *oneCampaign) (*answer[campaign], error) {
	return func(ctx context.Context, in *oneCampaign) (*answer[campaign], error) {
		id, err := s.Names.ID(secrets.Campaign, in.ID)
		if err != nil {
			return nil, err
		}
		c, err := turn(ctx, accountOf(ctx), id)
		if err != nil {
			return nil, err
		}
		return &answer[campaign]{Body: s.campaign(c)}, nil
	}
}

// newTiming is what is changed about a campaign.
type newTiming struct {
	Name     *string `json:"name,omitempty" maxLength:"200" pattern:"^[^\\x00]*$" patternDescription:"text without the character NUL"`
	StartAt  *string `json:"start_at,omitempty" maxLength:"40" doc:"With an offset, or as the clocks of the zone show it."`
	Zone     *string `json:"zone,omitempty" maxLength:"64" doc:"IANA."`
	Validity *int    `json:"validity,omitempty" minimum:"0" maximum:"10080" doc:"Minutes; 0 for the usual time."`
}

type changeCampaign struct {
	ID   string `path:"id" doc:"cmp_..."`
	Body newTiming
}

func (s Services) changeCampaign(ctx context.Context, in *changeCampaign) (*answer[campaign], error) {
	c, err := s.findCampaign(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	b := in.Body
	change := smsqueue.CampaignChange{Name: b.Name, Zone: b.Zone}
	var note window.Note
	if b.StartAt != nil {
		zone := c.Zone
		if b.Zone != nil {
			zone = *b.Zone
		}
		start, zone, said, err := s.Queue.StartTime(ctx, c.Account, *b.StartAt, zone)
		if err != nil {
			return nil, err
		}
		change.Start, change.Zone, note = &start, &zone, said
	}
	if b.Validity != nil {
		validity := time.Duration(*b.Validity) * time.Minute
		change.Validity = &validity
	}
	if c, err = s.Queue.ChangeCampaign(ctx, c.Account, c.ID, change); err != nil {
		return nil, err
	}
	out := s.campaign(c)
	out.StartNote = string(note)
	return &answer[campaign]{Body: out}, nil
}

type listRemaining struct {
	ID string `path:"id" doc:"cmp_..."`
	Page
}

func (s Services) listRemaining(ctx context.Context, in *listRemaining) (*answer[list[message]], error) {
	c, err := s.findCampaign(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	before, err := in.from(s.Names, secrets.Message)
	if err != nil {
		return nil, err
	}
	rows, err := s.Queue.Messages(ctx, c.Account, smsqueue.MessageFilter{Campaign: c.ID, Unsent: true, Before: before, Limit: in.Limit + 1})
	if err != nil {
		return nil, err
	}
	return pageOf(rows, in.Limit, s.message, func(m smsqueue.Message) string { return s.Names.Of(secrets.Message, m.ID) }), nil
}

type outcome struct {
	Status   status `json:"status"`
	Reason   string `json:"reason,omitempty"`
	Messages int    `json:"messages"`
}

type outcomeList struct {
	Items []outcome `json:"items"`
}

func (s Services) listOutcomes(ctx context.Context, in *oneCampaign) (*answer[outcomeList], error) {
	c, err := s.findCampaign(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	all, err := s.Queue.Outcomes(ctx, c.Account, c)
	if err != nil {
		return nil, err
	}
	out := outcomeList{Items: []outcome{}}
	for _, o := range all {
		out.Items = append(out.Items, outcome{status(o.Status), o.Reason, o.Messages})
	}
	return &answer[outcomeList]{Body: out}, nil
}

// again is the schema of what may be sent again.
type again string

// Schema lists the statuses.
func (again) Schema(huma.Registry) *huma.Schema { return oneOf(smsqueue.Resendable) }

// newResend is whom a text is sent to again.
type newResend struct {
	Statuses []again   `json:"statuses,omitempty" doc:"Only messages in one of these. All of them, if none is given."`
	Reasons  []string  `json:"reasons,omitempty" maxItems:"50" doc:"Only messages that ended for one of these reasons."`
	From     time.Time `json:"from,omitzero" doc:"Only messages that ended at this time or later. One that is unconfirmed counts from when it was accepted."`
	To       time.Time `json:"to,omitzero" doc:"Only messages that ended before."`
}

type resendCampaign struct {
	ID string `path:"id" doc:"cmp_..."`
	Once
	Body newResend
}

func (s Services) resendCampaign(ctx context.Context, in *resendCampaign) (*made[campaign], error) {
	id, err := s.Names.ID(secrets.Campaign, in.ID)
	if err != nil {
		return nil, err
	}
	f := smsqueue.AudienceFilter{Reasons: in.Body.Reasons, From: in.Body.From, To: in.Body.To}
	for _, one := range in.Body.Statuses {
		f.Statuses = append(f.Statuses, smsqueue.Status(one))
	}
	c, err := s.Queue.Resend(ctx, accountOf(ctx), id, f, in.Key, requestHash("POST", campaignsPath+"/"+in.ID+"/resend", in.Body))
	if err != nil {
		return nil, err
	}
	shown := s.campaign(c)
	return &made[campaign]{Location: campaignsPath + "/" + shown.ID, Body: shown}, nil
}

const sendingPath = "/v1/settings/sending"

// sendingRules is how the account sends.
type sendingRules struct {
	Windows       string `json:"windows" doc:"When messages of the lane bulk leave, by the clocks where the recipient is; empty is any time. A number of several zones is texted when it is within the windows in all of them. The lane urgent never waits." example:"Mon-Fri 08:00-20:00, Sat 10:00-16:00"`
	WindowsNormal bool   `json:"windows_normal" doc:"The lane normal keeps to them too."`
	Zone          string `json:"zone" doc:"IANA: of recipients whose number tells none, and of the days and months below." example:"Europe/Oslo"`
	PerHour       int    `json:"per_hour" doc:"Parts that leave in an hour at the most; what is over it waits for the next. 0 is any number."`
	PerDay        int    `json:"per_day" doc:"The same of a day."`
	PerMonth      int    `json:"per_month" doc:"The same of a month."`
}

func shownRules(r smsqueue.Rules) *answer[sendingRules] {
	return &answer[sendingRules]{Body: sendingRules{r.Windows.String(), r.Normal, r.Zone, r.PerHour, r.PerDay, r.PerMonth}}
}

func (s Services) readSending(ctx context.Context, _ *struct{}) (*answer[sendingRules], error) {
	r, err := s.Queue.Rules(ctx, accountOf(ctx))
	if err != nil {
		return nil, err
	}
	return shownRules(r), nil
}

// newSendingRules is what is changed about them.
type newSendingRules struct {
	Windows       *string `json:"windows,omitempty" maxLength:"500" example:"Mon-Fri 08:00-20:00, Sat 10:00-16:00"`
	WindowsNormal *bool   `json:"windows_normal,omitempty"`
	Zone          *string `json:"zone,omitempty" maxLength:"64" example:"Europe/Oslo"`
	PerHour       *int    `json:"per_hour,omitempty" minimum:"0"`
	PerDay        *int    `json:"per_day,omitempty" minimum:"0"`
	PerMonth      *int    `json:"per_month,omitempty" minimum:"0"`
}

type changeSending struct {
	Body newSendingRules
}

func (s Services) changeSending(ctx context.Context, in *changeSending) (*answer[sendingRules], error) {
	account := accountOf(ctx)
	r, err := s.Queue.Rules(ctx, account)
	if err != nil {
		return nil, err
	}
	b := in.Body
	if b.Windows != nil {
		if r.Windows, err = window.Parse(*b.Windows); err != nil {
			return nil, err
		}
	}
	set(&r.Normal, b.WindowsNormal)
	set(&r.Zone, b.Zone)
	set(&r.PerHour, b.PerHour)
	set(&r.PerDay, b.PerDay)
	set(&r.PerMonth, b.PerMonth)
	if err := s.Queue.SetRules(ctx, account, r); err != nil {
		return nil, err
	}
	return shownRules(r), nil
}

func set[T any](what *T, to *T) {
	if to != nil {
		*what = *to
	}
}
