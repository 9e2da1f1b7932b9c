package smsqueue

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/problem"
)

// AudienceFilter chooses among the recipients of an earlier campaign, where zero values
// choose all, or says that a campaign goes to holders of cards in place of a group.
type AudienceFilter struct {
	Statuses   []Status  `json:"statuses,omitempty"`   // their message is in one of them
	Reasons    []string  `json:"reasons,omitempty"`    // for one of these reasons
	From       time.Time `json:"from,omitzero"`        // their message ended, or if it is open was accepted, not before
	To         time.Time `json:"to,omitzero"`          // and before
	Unanswered bool      `json:"unanswered,omitempty"` // they have not answered its roll call

	Cards *CardHolders `json:"cards,omitempty"` // not of an earlier campaign
}

func (f AudienceFilter) validate() error {
	for _, s := range f.Statuses {
		if !slices.Contains(Statuses, s) {
			return problem.Invalid("statuses", "%q is no status of a message; there are %v", s, Statuses)
		}
	}
	if !f.From.IsZero() && !f.To.IsZero() && !f.To.After(f.From) {
		return problem.Invalid("to", "the time ends after it begins")
	}
	return nil
}

// stored is the filter as the campaign keeps it.
func (f AudienceFilter) stored() (string, error) {
	text, err := json.Marshal(f)
	return string(text), err
}

func storedFilter(text string) (f AudienceFilter, err error) {
	if text == "" {
		return f, nil
	}
	return f, json.Unmarshal([]byte(text), &f)
}

// keys is words as the keys of a JSON object.
func keys[S ~string](words []S) (string, error) {
	object := map[S]int{}
	for _, w := range words {
		object[w] = 1
	}
	text, err := json.Marshal(object)
	return string(text), err
}

// countryOf is where a number in E.164 belongs.
func countryOf(phone string) string {
	_, country, _ := contacts.Normalise(phone, "")
	return country
}
