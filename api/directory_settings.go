package api

import (
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/problem"
)

// settings are what is decided about a connection.
type settings struct {
	Scope                  scope `json:"scope,omitempty" doc:"Which of the directory's people belong in the address book."`
	PhoneFallbackOnInvalid bool  `json:"phone_fallback_on_invalid,omitempty" doc:"Take a business number when the mobile one cannot be texted."`
}

type scope struct {
	Guests       bool             `json:"guests,omitempty" doc:"Take in guests."`
	Blocked      bool             `json:"blocked,omitempty" doc:"Take in people who may not sign in."`
	NoMinors     bool             `json:"no_minors,omitempty" doc:"Leave out who is marked as a minor."`
	LicensedOnly bool             `json:"licensed_only,omitempty" doc:"Leave out who has no licence."`
	Groups       []string         `json:"groups,omitempty" doc:"Only who is in one of these groups, however deep, by their ids in the directory. None is everybody."`
	Filter       []scopeCondition `json:"filter,omitempty" doc:"Only whose fields fulfil all of it."`
}

type scopeCondition struct {
	Field  string   `json:"field" enum:"department,jobTitle,officeLocation,companyName,city,state,country,usageLocation,employeeType,preferredLanguage,mail"`
	Is     string   `json:"is" enum:"one_of,none_of,starts_with,contains,empty,set" doc:"Letter case does not count."`
	Values []string `json:"values,omitempty" doc:"Not with empty and set."`
}

func settingsOf(s directory.Settings) settings {
	shown := settings{PhoneFallbackOnInvalid: s.PhoneFallbackOnInvalid, Scope: scope{
		Guests: s.Scope.Guests, Blocked: s.Scope.Blocked, NoMinors: s.Scope.NoMinors, LicensedOnly: s.Scope.LicensedOnly, Groups: s.Scope.Groups}}
	for _, c := range s.Scope.Filter {
		shown.Scope.Filter = append(shown.Scope.Filter, scopeCondition(c))
	}
	return shown
}

// chosen are the settings as the directory's room knows them.
func (s settings) chosen() directory.Settings {
	chosen := directory.Settings{PhoneFallbackOnInvalid: s.PhoneFallbackOnInvalid, Scope: directory.Scope{
		Guests: s.Scope.Guests, Blocked: s.Scope.Blocked, NoMinors: s.Scope.NoMinors, LicensedOnly: s.Scope.LicensedOnly, Groups: s.Scope.Groups}}
	for _, c := range s.Scope.Filter {
		chosen.Scope.Filter = append(chosen.Scope.Filter, directory.Condition(c))
	}
	return chosen
}

// inSettings says where in the body a part of the settings is.
func inSettings(err error) error {
	p := problem.As(err)
	if p == nil || p.Field != "groups" && p.Field != "filter" {
		return err
	}
	placed := *p
	placed.Field = "settings/scope/" + p.Field
	return &placed
}
