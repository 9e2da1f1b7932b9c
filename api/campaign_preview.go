package api

import (
	"context"
	"maps"
	"slices"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

type campaignPreview struct {
	Personal   bool              `json:"personal" doc:"What it says differs from recipient to recipient."`
	Sender     string            `json:"sender"`
	Lane       lane              `json:"lane"`
	Recipients int               `json:"recipients" doc:"Who would get a message."`
	LeftOut    leftOut           `json:"left_out" doc:"Members of the group who would get no message."`
	Unresolved []unresolvedField `json:"unresolved" doc:"The fields that leave members out, with most of them first."`
	Lengths    []lengthShare     `json:"lengths" doc:"How many messages have how many parts."`
	PartsInAll int               `json:"parts_in_all"`
	Encodings  map[string]int    `json:"encodings" doc:"How many messages travel in each: gsm7, ucs2."`
	Languages  map[string]int    `json:"languages" doc:"Of a template: how many messages are in each."`
	Forcing    []forcing         `json:"forcing" doc:"The characters that make messages ucs2, those in most messages first, at most 50."`
	Longest    *sampleText       `json:"longest,omitempty"`
	Samples    []sampleText      `json:"samples" doc:"The first ones, in the order of the numbers."`
	Cost       money             `json:"cost" doc:"At the prices of now. As max_cost it holds the campaign should it come to cost more."`
	Countries  []countryCost     `json:"countries" doc:"The dearest first."`
	Available  *string           `json:"available,omitempty" doc:"What the account may spend now, in the currency of the cost. Missing where it has no limit." example:"431.275"`
	Affordable bool              `json:"affordable" doc:"What is available suffices for all of it. Where it does not, the campaign is held with the reason no_funds once it is spent, and nothing more of it is sent until it is resumed."`
	Budgets    []budget          `json:"budgets_too_small" doc:"The budgets that have too little left for it when it starts."`
}

type unresolvedField struct {
	Field string   `json:"field" example:"office"`
	Count int      `json:"count" doc:"How many members it leaves out."`
	Names []string `json:"names" doc:"Some of them."`
}

type lengthShare struct {
	Parts    int `json:"parts"`
	Messages int `json:"messages"`
}

type forcing struct {
	Character  string `json:"character" doc:"What a reader takes for one." example:"ż"`
	CodePoints string `json:"code_points" example:"U+017C"`
	Messages   int    `json:"messages" doc:"In how many it is."`
}

type sampleText struct {
	Contact  string `json:"contact" doc:"con_..."`
	Name     string `json:"name"`
	To       string `json:"to" doc:"E.164."`
	Text     string `json:"text"`
	Encoding string `json:"encoding" enum:"gsm7,ucs2"`
	Parts    int    `json:"parts"`
	Units    int    `json:"units" doc:"Septets, of which a character takes one or two, or for ucs2 UTF-16 units."`
}

type countryCost struct {
	Country    string `json:"country" doc:"ISO 3166 alpha-2." example:"NO"`
	Messages   int    `json:"messages"`
	PartsInAll int    `json:"parts_in_all"`
	Cost       money  `json:"cost"`
}

func (s Services) sample(t smsqueue.Sample) sampleText {
	return sampleText{Contact: s.Names.Of(secrets.Contact, t.Contact), Name: t.Name, To: t.Phone, Text: t.Text,
		Encoding: string(t.Encoding), Parts: t.Parts, Units: t.Units}
}

func (s Services) campaignPreview(p smsqueue.Preview) campaignPreview {
	out := campaignPreview{Personal: p.Merged, Sender: p.Sender, Lane: lane(p.Lane), Recipients: p.Recipients, LeftOut: leftOut(p.LeftOut),
		Unresolved: []unresolvedField{}, Lengths: []lengthShare{}, PartsInAll: p.AllParts, Encodings: map[string]int{}, Languages: p.Languages,
		Forcing: []forcing{}, Samples: []sampleText{}, Cost: moneyOf(p.CostMicro, p.Currency), Countries: []countryCost{},
		Affordable: p.Affordable(), Budgets: s.budgets(p.Budgets)}
	if !p.Funds.Unlimited {
		out.Available = new(billing.Money(p.Funds.Available()))
	}
	for _, f := range p.Unresolved {
		out.Unresolved = append(out.Unresolved, unresolvedField{f.Name, f.Count, f.Whose})
	}
	for _, parts := range slices.Sorted(maps.Keys(p.Parts)) {
		out.Lengths = append(out.Lengths, lengthShare{parts, p.Parts[parts]})
	}
	for encoding, n := range p.Encodings {
		out.Encodings[string(encoding)] = n
	}
	for _, c := range p.Forcing {
		out.Forcing = append(out.Forcing, forcing{c.Text, codePoints(c.Text), c.Messages})
	}
	for _, one := range p.Samples {
		out.Samples = append(out.Samples, s.sample(one))
	}
	for _, c := range p.Countries {
		out.Countries = append(out.Countries, countryCost{c.Country, c.Messages, c.Parts, moneyOf(c.Micro, p.Currency)})
	}
	if p.Recipients > 0 {
		longest := s.sample(p.Longest)
		out.Longest = &longest
	}
	return out
}

type previewCampaign struct {
	Body newCampaign
}

func (s Services) previewCampaign(ctx context.Context, in *previewCampaign) (*answer[campaignPreview], error) {
	n, _, err := s.composed(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	p, err := s.Queue.Preview(ctx, accountOf(ctx), n)
	if err != nil {
		return nil, err
	}
	return &answer[campaignPreview]{Body: s.campaignPreview(p)}, nil
}
