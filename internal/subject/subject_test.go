package subject_test

import (
	"encoding/json"
	"testing"

	"github.com/varsel/varsel/internal/subject"
)

func TestATextNamesThePersonHoweverTheNumberIsWritten(t *testing.T) {
	p := subject.Person{Numbers: []string{"+4791234567"}, Names: []string{"Kari Nordmann", ""}, Emails: []string{"kari@acme.example"}}
	for text, want := range map[string]bool{
		`{"phone":"+4791234567"}`: true,
		"call 912 34 567":         true,
		"0047 91 23 45 67":        true,
		"(+47) 912-34-567":        true,
		"KARI NORDMANN was here":  true,
		"mail Kari@Acme.example":  true,
		"call 912 34 568":         false,
		"Kari Normann":            false,
		"{}":                      false,
	} {
		if got := p.In(text); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	if bo := (subject.Person{Names: []string{"Bo"}}); bo.In("about Bob") || !bo.In("from Bo, Oslo") {
		t.Error("a short name is found within others, or not at all")
	}
	if (subject.Person{}).In("anybody") {
		t.Error("nobody is named by every text")
	}
}

func TestARecordKeepsTheOrderOfItsFields(t *testing.T) {
	text, err := json.Marshal(subject.Record{{Name: "b", Value: "x"}, {Name: "empty", Value: ""}, {Name: "a", Value: 1}})
	if err != nil || string(text) != `{"b":"x","a":1}` {
		t.Error(string(text), err)
	}
}
