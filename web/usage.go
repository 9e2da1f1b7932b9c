package web

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/problem"
)

const usagePath = "/usage"

// usagePage is what a month cost, by day and by country, and the year that ends with it.
type usagePage struct {
	Month        string // 2026-10
	Title        string // October 2026
	Before, Next string // the months beside it; Next is empty for the one under way
	Sum          string
	Days, Months plot
	Countries    []usageRow
}

func (usagePage) template() string { return "usage" }

// usageRow is one country and lane, or the fees.
type usageRow struct {
	Name, Lane      string
	Messages, Parts int
	Sum             string
	micro           int64
}

// plot is columns over time, and the same as a table.
type plot struct {
	ID, Title, Text string
	Columns         []column
	Top             string // what the highest is
}

// column stands on the ground of its plot: 100 high in all.
type column struct {
	X, Y, Width, Height string
	Name                string // the day or month
	Messages, Parts     int
	Sum                 string
	Labelled            bool // there is room for its name below it
	Minor               bool // there is none where the page is narrow
	Middle              string
	micro               int64
	currency            string
}

func (w *site) usage(c *fiber.Ctx, v visit) error {
	zone, err := w.Invoices.Zone(v.ctx)
	if err != nil {
		return err
	}
	now := time.Now().In(zone)
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	latest := month
	if text := c.Query("month"); text != "" {
		if month, err = time.Parse("2006-01", text); err != nil || month.After(latest) {
			return problem.Invalid("month", "%q is no month such as 2026-10", text)
		}
	}
	last := month.AddDate(0, 1, -1)
	of := func(from time.Time, by string) ([]billing.Usage, error) {
		return w.Invoices.Usage(v.ctx, billing.UsageFilter{Account: v.Account.ID, From: from, To: last, By: by})
	}
	days, err := of(month, billing.ByDay)
	if err != nil {
		return err
	}
	months, err := of(month.AddDate(0, -11, 0), billing.ByMonth)
	if err != nil {
		return err
	}
	p := usagePage{Month: month.Format("2006-01"), Title: v.say.monthName(month), Before: month.AddDate(0, -1, 0).Format("2006-01")}
	if month.Before(latest) {
		p.Next = month.AddDate(0, 1, 0).Format("2006-01")
	}
	p.Days = v.say.plot("days", p.Title, days, month, last, v.Account.Currency, func(d time.Time) (time.Time, string) { return d.AddDate(0, 0, 1), strconv.Itoa(d.Day()) })
	p.Months = v.say.plot("months", v.say.text("usage_year"), months, month.AddDate(0, -11, 0), month, v.Account.Currency,
		func(d time.Time) (time.Time, string) { return d.AddDate(0, 1, 0), v.say.monthName(d) })
	p.Countries, p.Sum = v.say.usageRows(days, v.Account.Currency)
	return render(c, p)
}

func (say *tongue) monthName(month time.Time) string {
	return say.months[month.Month()-1] + " " + strconv.Itoa(month.Year())
}

// plot has a column for each day or month from the first to the last, also for those
// on which nothing was charged.
func (say *tongue) plot(id, title string, all []billing.Usage, first, last time.Time, currency string, step func(time.Time) (next time.Time, name string)) plot {
	p := plot{ID: id, Title: title}
	highest := int64(0)
	for at := first; !at.After(last); {
		next, name := step(at)
		col := column{Name: name, currency: currency}
		for _, u := range all {
			if u.Day.Equal(at) {
				col.Messages, col.Parts, col.micro = col.Messages+u.Messages, col.Parts+u.Parts, col.micro+u.Micro
			}
		}
		col.Sum = say.money(col.micro, currency)
		highest = max(highest, col.micro)
		p.Columns = append(p.Columns, col)
		at = next
	}
	p.Top = say.money(highest, currency)
	p.Text = say.text("usage_plot", "Title", title, "Top", p.Top)
	p.lay(highest)
	return p
}

// plotWidth and plotHeight are those of the picture's own measure; it is shown as wide
// as the page has room.
const plotWidth, plotHeight = 620.0, 100.0

func (p *plot) lay(highest int64) {
	each := plotWidth / float64(len(p.Columns))
	for i := range p.Columns {
		c := &p.Columns[i]
		height := 0.0
		if c.micro > 0 {
			height = max(1, plotHeight*float64(c.micro)/float64(highest))
		}
		c.X, c.Width, c.Middle = places(each*float64(i)+each*0.1), places(each*0.8), places(each*(float64(i)+0.5))
		c.Y, c.Height = places(plotHeight-height), places(height)
		few := len(p.Columns) <= 12
		c.Labelled, c.Minor = few || i%5 == 0, few && i%3 != 1
	}
}

func places(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

// usageRows are the dearest first.
func (say *tongue) usageRows(all []billing.Usage, currency string) (rows []usageRow, total string) {
	sum, micro := map[[2]string]usageRow{}, int64(0)
	for _, u := range all {
		row := usageRow{Name: u.Country}
		switch {
		case u.Fees:
			row.Name = say.text("usage_fees")
		case u.Country == "":
			row.Name = say.text("unknown")
		}
		if u.Lane != "" {
			row.Lane = say.word("lane", u.Lane)
		}
		key := [2]string{row.Name, row.Lane}
		row.Messages, row.Parts, row.micro = u.Messages+sum[key].Messages, u.Parts+sum[key].Parts, u.Micro+sum[key].micro
		sum[key], micro = row, micro+u.Micro
	}
	for _, row := range sum {
		row.Sum = say.money(row.micro, currency)
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b usageRow) int {
		return cmp.Or(cmp.Compare(b.micro, a.micro), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Lane, b.Lane))
	})
	return rows, say.money(micro, currency)
}

// usageSheet is a month as a table to be opened in a spreadsheet.
func (w *site) usageSheet(c *fiber.Ctx, v visit) error {
	month, err := time.Parse("2006-01", c.Query("month"))
	if err != nil {
		return problem.Invalid("month", "%q is no month such as 2026-10", c.Query("month"))
	}
	all, err := w.Invoices.Usage(v.ctx, billing.UsageFilter{Account: v.Account.ID, From: month, To: month.AddDate(0, 1, -1), By: billing.ByDay})
	if err != nil {
		return err
	}
	s := newCSV(v.say, v.say.text("usage_day"), v.say.text("usage_country"), v.say.text("usage_lane"), v.say.text("usage_messages"), v.say.text("usage_parts"), v.say.text("usage_cost"), v.say.text("entry_currency"))
	for _, u := range all {
		rows, _ := v.say.usageRows([]billing.Usage{u}, u.Currency)
		if err := s.row(dayText(u.Day), rows[0].Name, rows[0].Lane, strconv.Itoa(u.Messages), strconv.Itoa(u.Parts), v.say.plain(u.Micro), u.Currency); err != nil {
			return err
		}
	}
	return s.send(c, "usage-"+month.Format("2006-01")+".csv")
}
