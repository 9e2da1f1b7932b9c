package web

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"golang.org/x/text/number"

	"github.com/varsel/varsel/billing"
)

// number writes 12000 as the language does: 12,000 or 12 000.
func (say *tongue) number(n int) string { return say.numbers.Sprint(number.Decimal(n)) }

// percent is the share of part in whole, in whole percents that are 0 or 100
// only when nothing or all of it is meant.
func (say *tongue) percent(part, whole int) string {
	return say.text("percent", "N", say.number(share(part, whole)))
}

func share(part, whole int) int {
	switch {
	case whole <= 0 || part <= 0:
		return 0
	case part >= whole:
		return 100
	}
	return min(max(1, part*100/whole), 99)
}

// money writes micro-units: EUR 12.50 or 12,50 EUR.
func (say *tongue) money(micro int64, currency string) string {
	units, decimals, _ := strings.Cut(billing.Money(micro%1_000_000), ".")
	if whole := micro / 1_000_000; whole != 0 {
		units = say.numbers.Sprint(number.Decimal(whole))
	}
	return say.text("money", "Amount", units+say.comma+decimals, "Currency", currency)
}

// plain is an amount for a spreadsheet.
func (say *tongue) plain(micro int64) string {
	return strings.Replace(billing.Money(micro), ".", say.comma, 1)
}

// typed is an amount as it stands in a field, where it is read again: three decimals
// could be thousands there.
func (say *tongue) typed(micro int64) string {
	text := say.plain(micro)
	if _, decimals, _ := strings.Cut(text, say.comma); len(decimals) == 3 {
		text += "0"
	}
	return text
}

// wrongNumber says what is wrong with a field that may have a sum in it.
func (say *tongue) wrongNumber(family, code string) string {
	if code == "ambiguous_number" {
		return say.text("problem_ambiguous_number")
	}
	return say.word(family, code)
}

// when is a time for people and for machines. The server writes UTC, and the
// module turns it into the visitor's own time.
func (say *tongue) when(t time.Time) template.HTML {
	if t.IsZero() {
		return template.HTML(template.HTMLEscapeString(say.text("unknown")))
	}
	t = t.UTC()
	text := say.text("date_time", "Day", t.Day(), "Month", say.months[t.Month()-1], "Year", t.Year(), "Time", t.Format("15:04"))
	return timeElement(t, "minute", text)
}

// clock is the time of the day, for what is only seconds old.
func (say *tongue) clock(t time.Time) template.HTML {
	t = t.UTC()
	return timeElement(t, "second", t.Format("15:04:05")+" UTC")
}

func timeElement(t time.Time, exact, text string) template.HTML {
	return template.HTML(fmt.Sprintf(`<time datetime="%s" data-exact="%s">%s</time>`,
		t.Format(time.RFC3339), exact, template.HTMLEscapeString(text)))
}

// about is a length of time in the largest unit that fits.
func (say *tongue) about(d time.Duration) string {
	switch {
	case d < time.Minute:
		return say.text("about_less_than_a_minute")
	case d < time.Hour:
		return say.count("about_minutes", int((d + time.Minute/2).Minutes()))
	case d < 48*time.Hour:
		return say.count("about_hours", int((d + time.Hour/2).Hours()))
	}
	return say.count("about_days", int(d.Hours()+12)/24)
}
