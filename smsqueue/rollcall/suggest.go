package rollcall

// Suggestion is a question to begin with, and the text that asks it.
type Suggestion struct {
	Text    string
	Choices []Choice
}

// Suggest is in a language of the console (en, nb, pl), in English for others.
// 'OK' means nothing in it: it may be that the text was read, and no more.
func Suggest(language string) Suggestion {
	switch language {
	case "nb":
		return suggestion("Er du trygg? Svar 1 hvis du er trygg, 2 hvis du trenger hjelp.",
			"Trygg", []string{"trygg", "i sikkerhet"}, "Trenger hjelp", []string{"hjelp", "trenger hjelp", "sos", "ikke trygg", "utrygg"})
	case "pl":
		return suggestion("Czy jesteś bezpieczny? Odpowiedz 1, jeśli tak, 2, jeśli potrzebujesz pomocy.",
			"Bezpieczny", []string{"bezpieczny", "bezpieczna", "bezpieczni"},
			"Potrzebuje pomocy", []string{"pomoc", "pomocy", "potrzebuję pomocy", "sos", "ratunku", "pomóżcie"})
	}
	return suggestion("Are you safe? Reply 1 if you are safe, 2 if you need help.",
		"Safe", []string{"safe"}, "Needs help", []string{"help", "need help", "sos", "not safe", "unsafe"})
}

func suggestion(text, safe string, safeWords []string, help string, helpWords []string) Suggestion {
	return Suggestion{text, []Choice{{Key: "1", Label: safe, Words: safeWords}, {Key: "2", Label: help, Words: helpWords, Alarm: true}}}
}

// LanguageOf is the language that is suggested in a country (ISO 3166 alpha-2).
func LanguageOf(region string) string {
	switch region {
	case "NO":
		return "nb"
	case "PL":
		return "pl"
	}
	return "en"
}
