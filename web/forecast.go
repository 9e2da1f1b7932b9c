package web

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/smsqueue"
)

// forecast is what a campaign would be, in the visitor's words.
type forecast struct {
	Reach, Price string
	Funds        string // what is available, of an account with a limit
	Short        string // why that does not suffice
	Cost         string
	CostMicro    int64
	Budgets      []shortBudget // that have too little left for it
	LeftOut      []tally       // those reasons that leave anybody out
	Unresolved   []holeRow
	Lengths      []tally
	Encodings    string
	Forcing      string
	Languages    []tally
	Samples      []sampleRow
	Longest      *sampleRow // nil when all say the same
	Countries    []tally    // none when there is only one
}

// shortBudget is a budget with too little left.
type shortBudget struct {
	Name, Left string
	Renews     time.Time
}

// holeRow is a field that leaves people out.
type holeRow struct {
	Field, Count string
	Whose        string // some of them
}

type sampleRow struct{ Name, Phone, Text, Length string }

func (say *tongue) forecast(p smsqueue.Preview) *forecast {
	f := &forecast{Cost: say.money(p.CostMicro, p.Currency), CostMicro: p.CostMicro,
		Reach: say.count("forecast_reach", p.Recipients, "Parts", say.count("parts_in_all", p.AllParts))}
	f.Price = say.text("forecast_price", "Amount", f.Cost)
	for _, b := range p.Budgets {
		f.Budgets = append(f.Budgets, shortBudget{b.Name, say.text("forecast_budget_left", "Left", say.money(b.Left(), b.Currency), "Limit", say.money(b.LimitMicro, b.Currency)), b.Renews})
	}
	if !p.Funds.Unlimited {
		f.Funds = say.text("forecast_funds", "Amount", say.money(p.Funds.Available(), p.Funds.Currency))
	}
	if !p.Affordable() {
		f.Short = say.text("forecast_short")
	}
	for _, t := range say.leftOut(p.LeftOut) {
		if t.N > 0 {
			f.LeftOut = append(f.LeftOut, t)
		}
	}
	for _, u := range p.Unresolved {
		row := holeRow{Field: "{{" + u.Name + "}}", Count: say.number(u.Count), Whose: strings.Join(u.Whose, ", ")}
		if others := u.Count - len(u.Whose); others > 0 {
			row.Whose = say.count("and_others", others, "List", row.Whose)
		}
		f.Unresolved = append(f.Unresolved, row)
	}
	for _, parts := range slices.Sorted(maps.Keys(p.Parts)) {
		f.Lengths = append(f.Lengths, say.tallyOf(say.count("parts", parts), p.Parts[parts]))
	}
	f.Encodings, f.Forcing = say.encodings(p), say.forcingIn(p.Forcing)
	for _, language := range slices.Sorted(maps.Keys(p.Languages)) {
		f.Languages = append(f.Languages, say.tallyOf(language, p.Languages[language]))
	}
	for _, s := range p.Samples {
		f.Samples = append(f.Samples, say.sample(s))
	}
	if p.Merged && p.Recipients > 0 {
		longest := say.sample(p.Longest)
		f.Longest = &longest
	} else if len(f.Samples) > 0 {
		f.Samples = f.Samples[:1]
	}
	if len(p.Countries) > 1 {
		for _, c := range p.Countries {
			f.Countries = append(f.Countries, tally{Word: c.Country + ": " + say.count("parts", c.Parts), Count: say.money(c.Micro, p.Currency)})
		}
	}
	return f
}

func (say *tongue) tallyOf(word string, n int) tally {
	return tally{Word: word, N: n, Count: say.number(n)}
}

func (say *tongue) encodings(p smsqueue.Preview) string {
	var all []string
	for _, encoding := range slices.Sorted(maps.Keys(p.Encodings)) {
		all = append(all, say.word("encoding", string(encoding))+": "+say.number(p.Encodings[encoding]))
	}
	return strings.Join(all, " · ")
}

func (say *tongue) forcingIn(all []smsqueue.ForcingCharacter) string {
	if len(all) == 0 {
		return ""
	}
	var named []string
	for _, c := range all[:min(len(all), mostForcing)] {
		named = append(named, say.character(c.Text)+" ("+say.number(c.Messages)+")")
	}
	list := strings.Join(named, ", ")
	if others := len(all) - len(named); others > 0 {
		list = say.count("and_others", others, "List", list)
	}
	return say.text("forecast_unicode", "Characters", list)
}

func (say *tongue) sample(s smsqueue.Sample) sampleRow {
	return sampleRow{Name: s.Name, Phone: s.Phone, Text: s.Text,
		Length: say.word("encoding", string(s.Encoding)) + ", " + say.count("parts", s.Parts)}
}
