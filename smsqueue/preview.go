package smsqueue

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/smsqueue/smstext"
)

// Preview is what a campaign would be if it started now: its recipients are
// resolved and its texts merged by what does it then.
type Preview struct {
	Merged     bool
	Sender     string
	Lane       Lane
	Recipients int // who get a message
	LeftOut    LeftOut
	Unresolved []UnresolvedField // those that leave most people out first
	TooLong    []string          // names of some of those whose text is
	Parts      map[int]int       // how many messages have how many parts
	AllParts   int
	Encodings  map[smstext.Encoding]int // how many messages travel in each
	Languages  map[string]int           // of a template: how many messages are in each
	Forcing    []ForcingCharacter       // those in most messages first, at most 50
	Longest    Sample                   // the most parts, and of these the most units
	Samples    []Sample                 // the first ones
	CostMicro  int64
	Currency   string
	Countries  []CountrySpent   // the dearest first
	Funds      billing.Funds    // what the account may spend now
	Budgets    []billing.Budget // that have too little left for it when it starts
}

// Affordable says whether the funds suffice for all of it. Where they do not, the
// campaign is held once they are spent, and nothing more of it is sent until it is resumed.
func (p Preview) Affordable() bool { return p.Funds.Suffice(p.CostMicro) }

// UnresolvedField is a field that keeps members from getting a message.
type UnresolvedField struct {
	Name  string
	Count int
	Whose []string // names of some of them
}

// ForcingCharacter makes messages UCS-2.
type ForcingCharacter struct {
	Text     string // a grapheme cluster
	Messages int    // in how many it is
}

// Sample is what one recipient would get.
type Sample struct {
	Contact           int64
	Name, Phone, Text string
	Encoding          smstext.Encoding
	Parts, Units      int
}

// Spent is what messages cost, in micro-units.
type Spent struct {
	Messages, Parts int
	Micro           int64
}

func (s Spent) plus(m Message) Spent {
	return Spent{s.Messages + 1, s.Parts + m.Parts, s.Micro + m.PriceMicro}
}

// CountrySpent is what the messages to one country cost (ISO 3166 alpha-2).
type CountrySpent struct {
	Country string
	Spent
}

// Of many that a preview could show, some are enough to go on.
const (
	mostSamples = 5
	mostNames   = 5
	mostForcing = 50
)

// Preview tells what a campaign would be, and refuses what StartCampaign would
// for what it is made from. It accepts nothing and costs nothing.
func (q *Queue) Preview(ctx context.Context, account int64, n NewCampaign) (p Preview, err error) {
	ready, err := q.prepareCampaign(ctx, account, n)
	if err != nil {
		return p, err
	}
	err = q.db.Snapshot(ctx, func(tx *db.Tx) (err error) {
		if err := ready.words.know(ctx, tx, account); err != nil {
			return err
		}
		if p, err = ready.preview(ctx, tx, q, time.Now()); err != nil {
			return err
		}
		if p.Budgets, err = billing.TooSmall(ctx, tx, account, ready.by, true, p.CostMicro, ready.campaign.Start); err != nil {
			return err
		}
		p.Funds, err = billing.FundsOf(ctx, tx, account)
		return err
	})
	return p, err
}

func (ready preparedCampaign) preview(ctx context.Context, tx *db.Tx, q *Queue, now time.Time) (Preview, error) {
	c := ready.campaign
	s := starting{account: c.Account, group: c.Group, source: c.Source, filter: c.Filter, sender: c.Sender, listed: ready.listed, previewed: true, house: q, book: ready.book.ID, lane: c.Lane, encoding: c.Encoding, parts: c.Parts,
		merged: c.Merged, currency: c.Currency, expansion: expansion{asked: largestLot, words: ready.words}}
	prices, err := billing.PricesOf(ctx, tx, s.book)
	if err != nil {
		return Preview{}, err
	}
	left, err := countLeftOut(ctx, tx, s)
	if err != nil {
		return Preview{}, err
	}
	if err := s.survey(ctx, tx); err != nil {
		return Preview{}, err
	}
	t := newPreviewing(ready, *left)
	for {
		l, err := s.nextLot(ctx, tx, prices, lotIDs{}, now)
		if err != nil {
			return Preview{}, err
		}
		if l.found == 0 {
			return t.preview(), nil
		}
		t.add(l)
		s.after = l.lastPlace
	}
}

// previewing adds up the lots of a preview.
type previewing struct {
	Preview
	words     *wording
	holes     map[string]*UnresolvedField
	forcing   map[string]int
	countries map[string]Spent
	last      smstext.Analysis // of lastText: many messages may say the same
	lastText  string
}

func newPreviewing(ready preparedCampaign, left LeftOut) *previewing {
	c := ready.campaign
	return &previewing{words: ready.words, holes: map[string]*UnresolvedField{}, forcing: map[string]int{}, countries: map[string]Spent{},
		Preview: Preview{Merged: c.Merged, Sender: c.Sender, Lane: c.Lane, LeftOut: left, Currency: c.Currency,
			Parts: map[int]int{}, Encodings: map[smstext.Encoding]int{}, Languages: map[string]int{}}}
}

func (t *previewing) add(l campaignLot) {
	t.Recipients += len(l.messages)
	t.AllParts += l.parts
	t.CostMicro += l.cost
	t.LeftOut.SharedNumber += l.shared
	t.LeftOut.Suppressed += l.suppressed
	t.LeftOut.SenderRefused += l.refused
	t.LeftOut.Unresolved += len(l.holes)
	t.LeftOut.TooLong += len(l.tooLong)
	for country, spent := range l.byCountry {
		sum := t.countries[country]
		t.countries[country] = Spent{sum.Messages + spent.Messages, sum.Parts + spent.Parts, sum.Micro + spent.Micro}
	}
	for _, h := range l.holes {
		t.addHole(h, l.people[h.contact].name)
	}
	for _, contact := range l.tooLong {
		t.TooLong = some(t.TooLong, l.people[contact].name)
	}
	for i, m := range l.messages {
		t.addMessage(m, l.people[m.Contact].name, l.languages[i])
	}
}

func some(names []string, name string) []string {
	if len(names) < mostNames {
		names = append(names, name)
	}
	return names
}

func (t *previewing) addHole(h hole, name string) {
	for _, field := range h.fields {
		if t.holes[field] == nil {
			t.holes[field] = &UnresolvedField{Name: field}
		}
		f := t.holes[field]
		f.Count, f.Whose = f.Count+1, some(f.Whose, name)
	}
}

func (t *previewing) addMessage(m Message, name, language string) {
	t.Parts[m.Parts]++
	t.Encodings[m.Encoding]++
	if language != "" {
		t.Languages[language]++
	}
	sample := Sample{Contact: m.Contact, Name: name, Phone: m.Phone, Text: m.Text, Encoding: m.Encoding, Parts: m.Parts}
	if sample.Text == "" {
		sample.Text = t.words.usual
	}
	longer := sample.Parts >= t.Longest.Parts
	if m.Encoding == smstext.UCS2 || longer || len(t.Samples) < mostSamples {
		a := t.analysis(sample.Text)
		sample.Units = a.Units
		for _, c := range a.Forcing {
			t.forcing[c.Text]++
		}
	}
	if len(t.Samples) < mostSamples {
		t.Samples = append(t.Samples, sample)
	}
	if longer && (sample.Parts > t.Longest.Parts || sample.Units > t.Longest.Units) {
		t.Longest = sample
	}
}

func (t *previewing) analysis(text string) smstext.Analysis {
	if text != t.lastText {
		t.lastText, t.last = text, t.words.options.Analyse(text)
	}
	return t.last
}

func (t *previewing) preview() Preview {
	for _, f := range t.holes {
		t.Unresolved = append(t.Unresolved, *f)
	}
	slices.SortFunc(t.Unresolved, func(a, b UnresolvedField) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Name, b.Name)) })
	for c, n := range t.forcing {
		t.Forcing = append(t.Forcing, ForcingCharacter{c, n})
	}
	slices.SortFunc(t.Forcing, func(a, b ForcingCharacter) int { return cmp.Or(b.Messages-a.Messages, cmp.Compare(a.Text, b.Text)) })
	t.Forcing = t.Forcing[:min(len(t.Forcing), mostForcing)]
	for _, country := range slices.Sorted(maps.Keys(t.countries)) {
		t.Countries = append(t.Countries, CountrySpent{country, t.countries[country]})
	}
	slices.SortStableFunc(t.Countries, func(a, b CountrySpent) int { return cmp.Compare(b.Micro, a.Micro) })
	return t.Preview
}
