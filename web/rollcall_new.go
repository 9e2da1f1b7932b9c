package web

import (
	"crypto/rand"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/rollcall"
)

// newRollCallPage is the form of a new roll call.
type newRollCallPage struct {
	Once, Name, Group, Text, Sender, Close string
	Rows                                   []rollChoiceRow
	Groups                                 []groupChoice
	Senders, Closes                        []choice
	Errors                                 []fieldError
}

func (newRollCallPage) template() string { return "newrollcall" }

// Error is what is wrong with a field, or empty.
func (p newRollCallPage) Error(field string) string {
	return composePage{Errors: p.Errors}.Error(field)
}

// rollChoiceRow is a choice as it is entered; one without a key is none.
type rollChoiceRow struct {
	N                 int
	Key, Label, Words string
	Alarm             bool
}

// rollRows is how many choices the form has room for.
const rollRows = 4

func (w *site) newRollCall(c *fiber.Ctx, v visit) error {
	usual := rollcall.Suggest(v.say.Code)
	p := newRollCallPage{Once: rand.Text(), Group: c.Query("group"), Text: usual.Text, Close: rollcall.UsualClose.String()}
	for _, one := range usual.Choices {
		p.Rows = append(p.Rows, rollChoiceRow{Key: one.Key, Label: one.Label, Words: strings.Join(one.Words, ", "), Alarm: one.Alarm})
	}
	return w.showNewRollCall(c, v, p)
}

func (w *site) showNewRollCall(c *fiber.Ctx, v visit, p newRollCallPage) error {
	groups, err := w.Book.Groups(v.ctx, v.Account.ID, 0, mostGroups)
	if err != nil {
		return err
	}
	if groups, err = w.withChosen(v, groups, p.Group); err != nil {
		return err
	}
	p.Groups = w.groupChoices(v.say, groups, p.Group)
	senders, err := w.Queue.AnswerableSenders(v.ctx, v.Account.ID)
	if err != nil && problem.As(err) == nil {
		return err
	}
	for _, number := range senders {
		p.Senders = append(p.Senders, choice{Value: number, Text: number, Chosen: number == p.Sender})
	}
	for _, d := range []time.Duration{time.Hour, 4 * time.Hour, rollcall.UsualClose, 3 * rollcall.UsualClose, rollcall.LongestClose} {
		p.Closes = append(p.Closes, choice{Value: d.String(), Text: v.say.count("hours", int(d.Hours())), Chosen: d.String() == p.Close})
	}
	for len(p.Rows) < rollRows {
		p.Rows = append(p.Rows, rollChoiceRow{})
	}
	for i := range p.Rows {
		p.Rows[i].N = i + 1
	}
	return render(c, p)
}

func (w *site) startRollCall(c *fiber.Ctx, v visit) error {
	p := readRollCall(c)
	if p.Errors = v.say.wrongRollCall(p); len(p.Errors) > 0 {
		return w.showNewRollCall(c.Status(fiber.StatusUnprocessableEntity), v, p)
	}
	started, err := w.ask(v, p)
	if refused := problem.As(err); refused != nil {
		p.Errors = []fieldError{v.say.rollError(refused)}
		return w.showNewRollCall(c.Status(statuses[refused.Kind]), v, p)
	}
	if err != nil {
		return err
	}
	return c.Redirect("/roll-calls/"+w.Names.Of(secrets.Campaign, started.ID), fiber.StatusSeeOther)
}

func readRollCall(c *fiber.Ctx) newRollCallPage {
	p := newRollCallPage{Once: c.FormValue("once"), Name: strings.TrimSpace(c.FormValue("name")), Group: c.FormValue("group"),
		Text: strings.ReplaceAll(c.FormValue("text"), "\r\n", "\n"), Sender: c.FormValue("sender"), Close: c.FormValue("close")}
	for i := 1; i <= rollRows; i++ {
		n := strconv.Itoa(i)
		p.Rows = append(p.Rows, rollChoiceRow{Key: strings.TrimSpace(c.FormValue("key-" + n)), Label: strings.TrimSpace(c.FormValue("label-" + n)),
			Words: strings.TrimSpace(c.FormValue("words-" + n)), Alarm: c.FormValue("alarm-"+n) != ""})
	}
	return p
}

func (say *tongue) wrongRollCall(p newRollCallPage) (all []fieldError) {
	if p.Group == "" {
		all = append(all, fieldError{"group", say.text("choose_a_group")})
	}
	if strings.TrimSpace(p.Text) == "" {
		all = append(all, fieldError{"text", say.text("write_a_text")})
	}
	return all
}

func (p newRollCallPage) question() *rollcall.Question {
	q := &rollcall.Question{}
	q.Close, _ = time.ParseDuration(p.Close) // what is no duration is too short, and so refused
	for _, row := range p.Rows {
		if row == (rollChoiceRow{}) {
			continue
		}
		one := rollcall.Choice{Key: row.Key, Label: row.Label, Alarm: row.Alarm}
		for _, word := range strings.Split(row.Words, ",") {
			if word = strings.TrimSpace(word); word != "" {
				one.Words = append(one.Words, word)
			}
		}
		q.Choices = append(q.Choices, one)
	}
	return q
}

func (w *site) ask(v visit, p newRollCallPage) (smsqueue.Campaign, error) {
	group, err := w.Names.ID(secrets.Group, p.Group)
	if err != nil {
		return smsqueue.Campaign{}, err
	}
	fields := []string{p.Once, p.Name, p.Group, p.Text, p.Sender, p.Close}
	for _, row := range p.Rows {
		fields = append(fields, row.Key, row.Label, row.Words, strconv.FormatBool(row.Alarm))
	}
	hash := formHash(fields...)
	return w.Queue.StartCampaign(v.ctx, v.Account.ID, smsqueue.NewCampaign{Name: p.Name, Group: group, Text: p.Text, Sender: p.Sender,
		Asks: p.question(), Key: "console " + hash, RequestHash: hash})
}

// rollError puts a refusal beside the field it is about.
func (say *tongue) rollError(p *problem.Problem) fieldError {
	field := p.Field
	if p.Code == "group_not_found" {
		field = "group"
	}
	if !slices.Contains([]string{"group", "text", "sender", "asks", "name"}, field) {
		field = ""
	}
	return fieldError{field, say.problem(p)}
}
