package web

import (
	"context"
	"crypto/rand"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/window"
)

// control is what can be done about a campaign, and why it waits.
type control struct {
	MaySend   bool
	Turns     []link // what may be done now, each with a page that asks once more
	Starts    string // when, where, and in how long; empty when it has begun
	Note      string // what the clocks did to the start
	Plan      bool   // its plan may be changed
	Waits     []waitRow
	Unsent    int // whom it was not sent to
	Outcomes  []outcomeRow
	ResendAll string // where all that did not arrive is sent again
}

type waitRow struct {
	Why      string
	Messages int
	Until    time.Time
}

type outcomeRow struct {
	Status, Word, Reason string
	Messages             int
	Resend               string // where these are sent again
}

// turns are the words of what a campaign may be told, by its state.
var turns = map[smsqueue.CampaignState][]string{
	smsqueue.CampaignAccepted: {"pause", "cancel"},
	smsqueue.CampaignRunning:  {"pause", "cancel"},
	smsqueue.CampaignPaused:   {"resume", "cancel"},
	smsqueue.CampaignHeld:     {"resume", "cancel"},
}

func (w *site) control(v visit, c smsqueue.Campaign, note string) (k control, err error) {
	path := "/campaigns/" + w.Names.Of(secrets.Campaign, c.ID)
	k = control{MaySend: maySend(v.Role), Plan: c.Scheduled(), Unsent: c.Counts[smsqueue.Queued] + c.Counts[smsqueue.Cancelled]}
	for _, verb := range turns[c.State] {
		if verb == "resume" && !c.MayResume() {
			continue
		}
		k.Turns = append(k.Turns, link{Path: path + "/" + verb, Text: v.say.word("turn", verb)})
	}
	if c.Scheduled() {
		k.Starts = v.say.starts(c, time.Now())
	}
	if note == string(window.Skipped) || note == string(window.Twice) {
		k.Note = v.say.word("clocks", note)
	}
	why, err := w.Queue.Why(v.ctx, v.Account.ID, c.ID)
	if err != nil {
		return k, err
	}
	for _, one := range why {
		k.Waits = append(k.Waits, waitRow{v.say.wait(one), one.Messages, one.Until})
	}
	outcomes, err := w.Queue.Outcomes(v.ctx, v.Account.ID, c)
	if err != nil || len(outcomes) == 0 {
		return k, err
	}
	for _, o := range outcomes {
		k.Outcomes = append(k.Outcomes, outcomeRow{Status: string(o.Status), Word: v.say.word("status", string(o.Status)), Reason: v.say.reason(o.Reason),
			Messages: o.Messages, Resend: path + "/resend?" + url.Values{"status": {string(o.Status)}, "reason": {o.Reason}}.Encode()})
	}
	k.ResendAll = path + "/resend"
	return k, nil
}

// wait is why messages wait, with the carrier's name or the rule that it is.
func (say *tongue) wait(w smsqueue.Wait) string {
	text := say.word("wait", w.Code)
	switch w.Code {
	case smsqueue.WaitHeld:
		return text + ": " + say.word("held", w.Detail)
	case smsqueue.WhyAccount:
		return text
	}
	if w.Detail != "" {
		return text + " (" + w.Detail + ")"
	}
	return text
}

// starts is when a campaign starts, by the clocks of its zone.
func (say *tongue) starts(c smsqueue.Campaign, now time.Time) string {
	zone, err := window.Zone(c.Zone)
	if err != nil {
		zone = time.UTC
	}
	if !c.Start.After(now) {
		return say.text("starts_at_once", "Time", say.local(c.Start, zone), "Zone", zone.String())
	}
	return say.text("starts_at", "Time", say.local(c.Start, zone), "Zone", zone.String(), "Left", say.about(c.Start.Sub(now)))
}

// local is a time by the clocks of a zone.
func (say *tongue) local(t time.Time, zone *time.Location) string {
	t = t.In(zone)
	return say.text("date_time_local", "Day", t.Day(), "Month", say.months[t.Month()-1], "Year", t.Year(), "Time", t.Format("15:04"))
}

func (w *site) campaignNamed(c *fiber.Ctx, v visit) (smsqueue.Campaign, error) {
	id, err := w.Names.ID(secrets.Campaign, c.Params("id"))
	if err != nil {
		return smsqueue.Campaign{}, err
	}
	return w.Queue.Campaign(v.ctx, v.Account.ID, id)
}

// confirmResume asks up to what a campaign may go on that is held at its ceiling, and
// once more before any other does.
func (w *site) confirmResume(c *fiber.Ctx, v visit) error {
	found, err := w.campaignNamed(c, v)
	if err != nil {
		return err
	}
	if !found.AtCeiling() {
		return w.confirmTurn("resume")(c, v)
	}
	cost, err := w.Queue.CostNow(v.ctx, v.Account.ID, found.ID)
	if err != nil {
		return err
	}
	path := "/campaigns/" + c.Params("id")
	price := v.say.money(cost, found.Currency)
	return render(c, confirmPage{Title: v.say.word("turn", "resume") + ": " + found.Name, Button: v.say.text("resume_up_to", "Cost", price),
		Text: v.say.text("resume_ceiling", "Cost", price, "Ceiling", v.say.money(found.CeilingMicro, found.Currency)),
		Path: path + "/resume?up_to=" + strconv.FormatInt(cost, 10), Back: path, Crumb: link{Path: path, Text: found.Name}})
}

// resume lets a campaign go on, up to the cost that its page told.
func (w *site) resume(c *fiber.Ctx, v visit) error {
	var most int64
	if upTo := c.Query("up_to"); upTo != "" {
		var err error
		if most, err = strconv.ParseInt(upTo, 10, 64); err != nil {
			return fiber.ErrBadRequest
		}
	}
	return w.turn(func(ctx context.Context, account, id int64) (smsqueue.Campaign, error) {
		return w.Queue.ResumeUpTo(ctx, account, id, most)
	})(c, v)
}

// confirmTurn asks once more before a campaign is paused, resumed or cancelled.
func (w *site) confirmTurn(verb string) func(*fiber.Ctx, visit) error {
	return func(c *fiber.Ctx, v visit) error {
		found, err := w.campaignNamed(c, v)
		if err != nil {
			return err
		}
		path := "/campaigns/" + c.Params("id")
		return render(c, confirmPage{Title: v.say.word("turn", verb) + ": " + found.Name, Text: v.say.word("turn_means", verb), Button: v.say.word("turn", verb),
			Path: path + "/" + verb, Back: path, Crumb: link{Path: path, Text: found.Name}})
	}
}

// turn does it. A campaign that has moved on meanwhile is shown as it is.
func (w *site) turn(do func(ctx context.Context, account, id int64) (smsqueue.Campaign, error)) func(*fiber.Ctx, visit) error {
	return func(c *fiber.Ctx, v visit) error {
		id, err := w.Names.ID(secrets.Campaign, c.Params("id"))
		if err != nil {
			return err
		}
		_, err = do(v.ctx, v.Account.ID, id)
		if refused := problem.As(err); err != nil && (refused == nil || refused.Kind != problem.KindConflict) {
			return err
		}
		return c.Redirect("/campaigns/"+c.Params("id"), fiber.StatusSeeOther)
	}
}

// mostListed bounds a list that is downloaded; the API has all pages.
const mostListed = 100_000

// remainingList is everybody whom a campaign was not sent to.
func (w *site) remainingList(c *fiber.Ctx, v visit) error {
	found, err := w.campaignNamed(c, v)
	if err != nil {
		return err
	}
	all, err := w.Queue.Messages(v.ctx, v.Account.ID, smsqueue.MessageFilter{Campaign: found.ID, Unsent: true, Limit: mostListed})
	if err != nil {
		return err
	}
	out := newCSV(v.say, v.say.text("column_name"), v.say.text("column_number"), v.say.text("column_status"), v.say.text("column_reason"))
	for _, m := range all {
		if err := out.row(m.ContactName, m.Phone, v.say.word("status", string(m.Status)), v.say.reason(m.Reason)); err != nil {
			return err
		}
	}
	return out.send(c, "not-sent.csv")
}

// resendFilter is what a request chooses; one without a reason has its value empty.
func resendFilter(c *fiber.Ctx) (f smsqueue.AudienceFilter) {
	if status := c.Query("status"); status != "" {
		f.Statuses, f.Reasons = []smsqueue.Status{smsqueue.Status(status)}, []string{c.Query("reason")}
	}
	return f
}

func (w *site) confirmResend(c *fiber.Ctx, v visit) error {
	found, err := w.campaignNamed(c, v)
	if err != nil {
		return err
	}
	outcomes, err := w.Queue.Outcomes(v.ctx, v.Account.ID, found)
	if err != nil {
		return err
	}
	n, f := 0, resendFilter(c)
	for _, o := range outcomes {
		if len(f.Statuses) == 0 || o.Status == f.Statuses[0] && o.Reason == f.Reasons[0] {
			n += o.Messages
		}
	}
	path := "/campaigns/" + c.Params("id")
	again := url.Values{"once": {rand.Text()}}
	if len(f.Statuses) > 0 {
		again.Set("status", string(f.Statuses[0]))
		again.Set("reason", f.Reasons[0])
	}
	return render(c, confirmPage{Title: v.say.text("resend_title", "Name", found.Name), Text: v.say.count("resend_means", n), Button: v.say.text("send_again"),
		Path: path + "/resend?" + again.Encode(), Back: path, Crumb: link{Path: path, Text: found.Name}})
}

func (w *site) resend(c *fiber.Ctx, v visit) error {
	id, err := w.Names.ID(secrets.Campaign, c.Params("id"))
	if err != nil {
		return err
	}
	// The same page sent twice starts one campaign.
	wish := strings.Join([]string{c.Params("id"), c.Query("once"), c.Query("status"), c.Query("reason")}, " ")
	again, err := w.Queue.Resend(v.ctx, v.Account.ID, id, resendFilter(c), "console resend "+wish, wish)
	if err != nil {
		return err
	}
	return c.Redirect("/campaigns/"+w.Names.Of(secrets.Campaign, again.ID), fiber.StatusSeeOther)
}

// planPage is the form of a campaign that has not started.
type planPage struct {
	ID, Campaign string
	Form         planForm
	Errors       []fieldError
}

func (planPage) template() string { return "plan" }

// planForm is when a campaign goes, as it was typed.
type planForm struct {
	Name, Start, Zone, Validity string
	Now                         string // what the clocks show there
}

// Error is what is wrong with a field, or empty.
func (p planPage) Error(field string) string { return errorOf(p.Errors, field) }

// localInput is how a browser writes a local time (HTML 4.10.5.1.11).
const localInput = "2006-01-02T15:04"

func (w *site) plan(c *fiber.Ctx, v visit) error {
	found, err := w.campaignNamed(c, v)
	if err != nil {
		return err
	}
	zone, err := window.Zone(found.Zone)
	if err != nil {
		return err
	}
	form := planForm{Name: found.Name, Start: found.Start.In(zone).Format(localInput), Zone: zone.String()}
	if found.Validity > 0 {
		form.Validity = strconv.Itoa(int(found.Validity / time.Minute))
	}
	return w.showPlan(c, v, found, form, nil)
}

func (w *site) showPlan(c *fiber.Ctx, v visit, found smsqueue.Campaign, form planForm, wrong []fieldError) error {
	if zone, err := window.Zone(form.Zone); err == nil {
		form.Now = v.say.local(time.Now(), zone)
	}
	return render(c, planPage{ID: c.Params("id"), Campaign: found.Name, Form: form, Errors: wrong})
}

func readPlan(c *fiber.Ctx) planForm {
	field := func(name string) string { return strings.TrimSpace(c.FormValue(name)) }
	return planForm{Name: field("name"), Start: field("start"), Zone: field("zone"), Validity: field("validity")}
}

// minutes reads a length of time; the empty text is none.
func (f planForm) minutes() (time.Duration, error) {
	if f.Validity == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(f.Validity)
	if err != nil || n < 1 || n > 7*24*60 {
		return 0, problem.Invalid("validity", "write from 1 to 10080 minutes, not %q", f.Validity)
	}
	return time.Duration(n) * time.Minute, nil
}

func (w *site) planned(c *fiber.Ctx, v visit) error {
	found, err := w.campaignNamed(c, v)
	if err != nil {
		return err
	}
	form := readPlan(c)
	note, err := w.changePlan(v, found, form)
	refused := problem.As(err)
	switch {
	case refused != nil && refused.Kind == problem.KindInvalid:
		return w.showPlan(c.Status(fiber.StatusUnprocessableEntity), v, found, form, []fieldError{v.say.planError(refused)})
	case err != nil && (refused == nil || refused.Kind != problem.KindConflict):
		return err
	}
	return c.Redirect("/campaigns/"+c.Params("id")+noteQuery(note), fiber.StatusSeeOther)
}

func (w *site) changePlan(v visit, found smsqueue.Campaign, form planForm) (window.Note, error) {
	validity, err := form.minutes()
	if err != nil {
		return window.Plain, err
	}
	start, zone, note, err := w.Queue.StartTime(v.ctx, v.Account.ID, form.Start, form.Zone)
	if err != nil {
		return window.Plain, err
	}
	change := smsqueue.CampaignChange{Name: &form.Name, Start: &start, Zone: &zone, Validity: &validity}
	// The form shows minutes: a start that was not touched keeps its seconds.
	if start.Equal(found.Start.Truncate(time.Minute)) {
		change.Start = nil
	}
	_, err = w.Queue.ChangeCampaign(v.ctx, v.Account.ID, found.ID, change)
	return note, err
}

// planError puts a refusal beside the field of a plan.
func (say *tongue) planError(p *problem.Problem) fieldError {
	field := p.Field
	if field == "start_at" {
		field = "start"
	}
	return fieldError{field, say.problem(p)}
}

// noteQuery carries what the clocks did to the next page.
func noteQuery(note window.Note) string {
	if note == window.Plain {
		return ""
	}
	return "?note=" + string(note)
}
