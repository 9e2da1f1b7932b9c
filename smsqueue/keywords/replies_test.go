package keywords_test

import (
	"strings"
	"testing"

	"github.com/varsel/varsel/smsqueue/keywords"
	"github.com/varsel/varsel/smsqueue/smstext"
)

var everyLanguage = []string{"en", "nb", "sv", "da", "fi", "de", "pl", "nl", "fr", "es", "it"}

// An answer that was taken for a wish would be answered again, for ever.
func TestNoReplyIsAWishAndEachIsShort(t *testing.T) { // U21
	for _, language := range everyLanguage {
		seen := map[string]bool{}
		for _, kind := range []keywords.Kind{keywords.Stop, keywords.Start, keywords.Help} {
			text := keywords.Reply(kind, language, "", "Acme AS")
			if got := keywords.Classify(text); got != keywords.None {
				t.Errorf("%q is %q", text, got)
			}
			if n := len(smstext.Options{}.Split(text).Parts); n > 2 || n == 2 && language != "pl" && language != "es" {
				t.Errorf("%q has %d parts", text, n)
			}
			if !strings.Contains(text, "Acme AS") || strings.ContainsAny(text, "{}") || seen[text] {
				t.Errorf("%q", text)
			}
			seen[text] = true
		}
	}
}

func TestTheReplyIsInThePersonsLanguage(t *testing.T) { // U21
	for _, c := range []struct{ speaks, country, want string }{
		{"pl-PL", "NO", "pl"}, {"no", "PL", "nb"}, {"nn-NO", "", "nb"}, {"", "DE", "de"}, {"", "SE", "sv"}, {"uk", "PL", "pl"},
		{"", "GB", "en"}, {"", "", "en"}, {"ja", "JP", "en"}, {"not a tag", "FI", "fi"}, {"da", "DE", "da"},
	} {
		if got, want := keywords.Reply(keywords.Stop, c.speaks, c.country, "Acme"), keywords.Reply(keywords.Stop, c.want, "", "Acme"); got != want {
			t.Errorf("%q in %q: %q", c.speaks, c.country, got)
		}
	}
	if text := keywords.Reply(keywords.Help, "en", "", strings.Repeat("Å", 300)); len([]rune(text)) > 140 {
		t.Errorf("%d characters: %q", len([]rune(text)), text)
	}
}
