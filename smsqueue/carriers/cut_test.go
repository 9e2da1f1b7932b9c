package carriers

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/smsqueue/smstext"
)

func TestWhatSeveralCarriersCanCut(t *testing.T) {
	for name, c := range map[string]struct {
		all  []Features
		want smstext.Options
	}{
		"one": {[]Features{{ShortReference: true, Languages: []string{"tr", "es"}}},
			smstext.Options{ShortReference: true, Languages: []smstext.Language{smstext.Turkish, smstext.Spanish}}},
		"another language": {[]Features{{Languages: []string{"tr", "es"}}, {Languages: []string{"pt", "es"}}},
			smstext.Options{Languages: []smstext.Language{smstext.Spanish}}},
		"one can less": {[]Features{{ShortReference: true, Languages: []string{"tr"}}, {}}, smstext.Options{Languages: []smstext.Language{}}},
	} {
		if diff := cmp.Diff(c.want, CommonText(c.all)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// Whatever carriers have in common, each cuts a text into as many parts as was
// counted with that, and can send each of them.
func TestACarrierCutsATextAsItWasCounted(t *testing.T) {
	all := []Features{{}, {ShortReference: true}, {Languages: []string{"tr"}}, {Languages: []string{"es"}},
		{ShortReference: true, Languages: []string{"tr", "es"}}}
	texts := []string{strings.Repeat("ş", 160), strings.Repeat("a", 306), strings.Repeat("á", 155), strings.Repeat("ş", 66) + strings.Repeat("a", 66),
		strings.Repeat("я", 134), "Hello"}
	for _, one := range all {
		for _, other := range all {
			for _, text := range texts {
				parts := len(CommonText([]Features{one, other}).Split(text).Parts)
				got := one.Cut(text, parts)
				if len(got.Parts) != parts || strings.Join(got.Parts, "") != text {
					t.Errorf("%v with %v: %d parts of %q, want %d", one, other, len(got.Parts), text, parts)
				}
			}
		}
	}
	if got := (Features{Languages: []string{"tr"}}).Cut(texts[0], 7); len(got.Parts) != 2 {
		t.Errorf("%d parts of what cannot be cut so", len(got.Parts))
	}
}
