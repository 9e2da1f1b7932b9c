package rollcall

import (
	"strings"
	"testing"
	"time"
)

func TestAnswersAreReadTolerantlyAndNeverGuessed(t *testing.T) {
	for language, texts := range map[string]map[string]string{
		"en": {
			"1": "1", " 1 ": "1", "1.": "1", "(1)": "1", "1!": "1", "１": "1", "one": "1", "One.": "1", " 1 safe": "1", "1safe": "1", "SAFE": "1", "I'm safe": "1", "I’m safe": "1",
			"my answer is 1": "1", "Answer: 2": "2", "2": "2", "two": "2", "help": "2", "I need HELP now": "2", "sos": "2", "1 1": "1",
			"1 at home with 2 kids": "1", "1, I do not need help": "1", "2 not safe": "2", "I am not safe": "2", "unsafe": "2",
			"1. When can we go back?": "1",
			"":                        "", " ": "", "?": "", "3": "", "11": "", "12": "", "0": "", "ok": "", "thanks": "", "yes": "",
			"1 2": "", "1 and 2": "", "1/2": "", "1 or 2": "", "1 need help": "", "safe but need help": "", "1, not a safe place": "",
			"I do not need help": "", "nobody is safe here": "", "Is everybody safe?": "", "help?": "",
			"I'll be there at 1": "", "back in 2 hours": "", "want to come": "", "safely": "", "helpdesk": "",
		},
		"nb": {
			"1": "1", "en": "1", "ETT": "1", "to": "2", "Jeg er trygg": "1", "TRYGG!": "1", "svar 2": "2", "Mitt svar er 1": "1", "1 trygg": "1", "er i sikkerhet": "1",
			"Trenger hjelp": "2", "hjelp!!!": "2", "ikke trygg": "2", "Utrygg": "2", "1, trenger ikke hjelp": "1",
			"trenger ikke hjelp": "", "trygg, men trenger hjelp": "", "1 og 2": "", "1 eller 2": "", "Er alle trygge?": "", "er Ola trygg?": "", "jeg har en time til": "", "nei": "",
		},
		"pl": {
			"1": "1", "jeden": "1", "Dwa": "2", "Jestem bezpieczna": "1", "BEZPIECZNY": "1", "Odpowiedź: 1": "1", "moja odpowiedz to 2": "2",
			"Potrzebuję pomocy": "2", "potrzebuje pomocy": "2", "POMOCY!": "2", "pomóżcie": "2", "pomozcie": "2", "1, nie potrzebuję pomocy": "1",
			"nie potrzebuję pomocy": "", "nie jestem bezpieczny": "", "niebezpiecznie": "", "1 i 2": "", "1 lub 2": "", "bezpieczny?": "", "nic mi nie jest": "",
		},
	} {
		q := Question{Choices: Suggest(language).Choices, Close: UsualClose}
		for text, want := range texts {
			if got := q.Read(text); got != want {
				t.Errorf("%s: %q is read as %q, not %q", language, text, got, want)
			}
		}
	}
}

func TestOwnChoicesMayBeWords(t *testing.T) {
	q := Question{Close: time.Hour, Choices: []Choice{
		{Key: "yes", Label: "Comes", Words: []string{"ja", "tak", "I can come"}},
		{Key: "NO", Label: "Does not", Words: []string{"nei", "nie", "cannot come"}},
		{Key: "5", Label: "Later", Words: []string{"łódź"}},
	}}
	if err := q.Check(); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{"YES": "yes", "Tak.": "yes", "no": "NO", "nei takk": "NO", "I cannot come": "NO", "five": "5", "lodz": "5",
		"yes or no": "", "I can come, nei": "", "perhaps": ""} {
		if got := q.Read(text); got != want {
			t.Errorf("%q is read as %q, not %q", text, got, want)
		}
	}
}

func TestSuggestionsAreQuestionsThatTheirOwnLabelsAnswer(t *testing.T) {
	for _, language := range []string{"en", "nb", "pl"} {
		s := Suggest(language)
		q := Question{Choices: s.Choices, Close: UsualClose}
		if err := q.Check(); err != nil {
			t.Error(err)
		}
		if len(q.Alarms()) != 1 || q.Alarms()[0] != "2" || !strings.Contains(s.Text, "1") || !strings.Contains(s.Text, "2") {
			t.Errorf("%+v", s)
		}
	}
}

func TestQuestionsThatCannotBeReadAreRefused(t *testing.T) {
	two := func(a, b Choice) Question { return Question{Choices: []Choice{a, b}, Close: time.Hour} }
	safe, help := Choice{Key: "1", Label: "Safe", Words: []string{"safe"}}, Choice{Key: "2", Label: "Help"}
	for name, q := range map[string]Question{
		"one choice":       {Choices: []Choice{safe}, Close: time.Hour},
		"ten choices":      {Choices: make([]Choice, 10), Close: time.Hour},
		"no time":          {Choices: []Choice{safe, help}},
		"too long":         {Choices: []Choice{safe, help}, Close: LongestClose + 1},
		"no key":           two(Choice{Label: "Safe"}, help),
		"a key of two":     two(Choice{Key: "1 a", Label: "Safe"}, help),
		"a long key":       two(Choice{Key: strings.Repeat("a", 13), Label: "Safe"}, help),
		"no label":         two(Choice{Key: "1"}, help),
		"the same key":     two(safe, Choice{Key: "1", Label: "Help", Words: []string{"safe"}}),
		"the same word":    two(safe, Choice{Key: "2", Label: "Help", Words: []string{"SAFE!"}}),
		"a word is a key":  two(safe, Choice{Key: "safe", Label: "Help"}),
		"a word of points": two(safe, Choice{Key: "2", Label: "Help", Words: []string{"..."}}),
	} {
		if q.Check() == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
}
