package web

import (
	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/smsqueue"
)

type overviewPage struct {
	Account     string
	MaySend     bool
	MayManage   bool
	Campaigns   []campaignRow
	Carriers    []carrierRow
	Directories []connectionCard
	Coverage    coverage
	Agreement   agreementBadge
}

func (overviewPage) template() string { return "overview" }

const latestCampaigns = 5

func (w *site) overview(c *fiber.Ctx, v visit) error {
	latest, err := w.Queue.Campaigns(v.ctx, v.Account.ID, 0, latestCampaigns)
	if err != nil {
		return err
	}
	routes, err := w.Queue.Routes(v.ctx)
	if err != nil {
		return err
	}
	covered, err := w.Book.Coverage(v.ctx, v.Account.ID)
	if err != nil {
		return err
	}
	directories, err := w.connectionCards(v)
	if err != nil {
		return err
	}
	standing, err := w.Accounts.AgreementStanding(v.ctx, v.Account.ID)
	if err != nil {
		return err
	}
	return render(c, overviewPage{
		Agreement: v.say.agreementBadge(standing),
		Account:   v.Account.Name,
		MaySend:   maySend(v.Role), MayManage: mayManage(v.Role),
		Campaigns:   w.campaignRows(v.say, latest),
		Carriers:    v.say.carrierRows(routes),
		Directories: directories,
		Coverage:    v.say.coverage(covered),
	})
}

type carrierRow struct {
	Name, Type  string
	State, Word string
	Text        string // what is wrong, if anything is
}

func (say *tongue) carrierRows(routes []smsqueue.Route) (all []carrierRow) {
	for _, r := range routes {
		row := carrierRow{Name: r.Name, Type: r.Type, State: string(r.Status)}
		if !r.Enabled {
			row.State = "disabled"
		}
		row.Word = say.word("link", row.State)
		if r.Status != bound {
			row.Text = say.carrier(r)
		}
		all = append(all, row)
	}
	return all
}

// coverage is how many of the contacts can be texted, as a bar and in figures.
type coverage struct {
	Contacts int
	Segments []segment
	Reasons  []tally // why not
}

func (say *tongue) coverage(c contacts.Coverage) coverage {
	stretches := []struct {
		name string
		n    int
	}{{"with_number", c.WithNumber}, {"without_number", c.WithoutNumber}, {"invalid_number", c.Invalid}}
	all := coverage{Contacts: c.Contacts}
	var counts []int
	for _, s := range stretches {
		counts = append(counts, s.n)
		all.Segments = append(all.Segments, segment{Name: s.name, Word: say.word("coverage", s.name),
			Count: say.number(s.n), Share: say.percent(s.n, c.Contacts)})
	}
	lay(all.Segments, counts)
	for _, reason := range phoneReasons {
		if n := c.Reasons[reason]; n > 0 && reason != contacts.NoNumber {
			all.Reasons = append(all.Reasons, tally{Name: reason, Word: say.word("phone", reason), N: n, Count: say.number(n)})
		}
	}
	return all
}

// phoneReasons are why a contact has no number to text, the plainest first.
var phoneReasons = []string{contacts.NoNumber, contacts.Extension, contacts.Letters, contacts.TooShort, contacts.TooLong,
	contacts.UnknownCountry, contacts.Invalid, contacts.Gone}
