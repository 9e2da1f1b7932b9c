package api

import (
	"context"
	"fmt"
	"strings"

	"github.com/varsel/varsel/smsqueue/smstext"
)

const textsPath = "/v1/texts"

type newText struct {
	Text          string `json:"text" maxLength:"20000" pattern:"^[^\\x00]*$" patternDescription:"text without the character NUL" example:"The water is back."`
	Transliterate bool   `json:"transliterate,omitempty" doc:"Show as well what would become of the text if it were sent with transliterate."`
}

type textAnalysis struct {
	Encoding        string           `json:"encoding" enum:"gsm7,ucs2"`
	Parts           int              `json:"parts" doc:"How many parts it is sent and priced as."`
	Texts           []string         `json:"texts" doc:"What each part holds."`
	Units           int              `json:"units" doc:"Septets, of which a character takes one or two, or for ucs2 UTF-16 units."`
	UnitsLeft       int              `json:"units_left" doc:"For how many more the last part has room."`
	Forcing         []character      `json:"forcing" doc:"The characters that make it ucs2, in order of first appearance."`
	Transliteration *transliteration `json:"transliteration,omitempty" doc:"If it was asked for."`
}

type character struct {
	Character  string `json:"character" doc:"What a reader takes for one." example:"ż"`
	CodePoints string `json:"code_points" example:"U+017C"`
	Count      int    `json:"count"`
	Positions  []int  `json:"positions" doc:"How many code points of the text stand before it, each time."`
}

type transliteration struct {
	Text         string        `json:"text" doc:"What would be sent."`
	Encoding     string        `json:"encoding" enum:"gsm7,ucs2"`
	Parts        int           `json:"parts"`
	Replacements []replacement `json:"replacements" doc:"In order of first appearance."`
}

type replacement struct {
	From  string `json:"from" example:"ż"`
	To    string `json:"to" doc:"Empty for what cannot be seen and is left out." example:"z"`
	Count int    `json:"count"`
}

type analyseText struct {
	Body newText
}

func (s Services) analyseText(ctx context.Context, in *analyseText) (*answer[textAnalysis], error) {
	options, err := s.Queue.TextOptions(ctx)
	if err != nil {
		return nil, err
	}
	a := options.Analyse(in.Body.Text)
	out := textAnalysis{Encoding: string(a.Encoding), Parts: len(a.Parts), Texts: a.Parts, Units: a.Units, UnitsLeft: a.Left,
		Forcing: []character{}}
	for _, c := range a.Forcing {
		out.Forcing = append(out.Forcing, character{c.Text, codePoints(c.Text), len(c.Positions), c.Positions})
	}
	if in.Body.Transliterate {
		out.Transliteration = transliterated(options, in.Body.Text)
	}
	return &answer[textAnalysis]{Body: out}, nil
}

func transliterated(options smstext.Options, text string) *transliteration {
	plain, replaced := smstext.Transliterate(text)
	encoding, parts := options.Count(plain)
	out := &transliteration{Text: plain, Encoding: string(encoding), Parts: parts, Replacements: []replacement{}}
	for _, r := range replaced {
		out.Replacements = append(out.Replacements, replacement(r))
	}
	return out
}

func codePoints(text string) string {
	var all []string
	for _, r := range text {
		all = append(all, fmt.Sprintf("%U", r))
	}
	return strings.Join(all, " ")
}
