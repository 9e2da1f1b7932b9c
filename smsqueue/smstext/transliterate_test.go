package smstext

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestTransliteration(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"Plain {text} €5", "Plain {text} €5"},
		{"æøåÆØÅ äöüÄÖÜß ñÑ éèùìòà Ç ΔΦ", "æøåÆØÅ äöüÄÖÜß ñÑ éèùìòà Ç ΔΦ"},
		{"“Don’t” – wait…", `"Don't" - wait...`},
		{"„Zażółć gęślą jaźń”", `"Zazolc gesla jazn"`},
		{"ZAŻÓŁĆ GĘŚLĄ JAŹŃ", "ZAZOLC GESLA JAZN"},
		{"Příliš žluťoučký kůň", "Prilis zlutoucky kun"},
		{"İstanbul'da ışık, çağ, Şu", "Istanbul'da isik, cag, Su"},
		{"ç á í ó ú â ê Á Í", "c a i o u a e A I"},
		{"œuvre Đorđe þorn Þór Íslands ẞ", "oeuvre Dorde thorn Thor Islands SS"},
		{"Þór", "Thor"},
		{"e\u0301a\u030a e\u0328", "éå e"},
		{"ǻ Ǻ ế", "å Å e"},
		{"Tiếng Việt", "Tieng Viet"},
		{"100\u00a0000\u202fkr\tnå", "100 000 kr nå"},
		{"in\u00advis\u200bible\ufeff", "invisible"},
		{"a\u2028b", "a\nb"},
		{"x\u200d\u0301y", "xy"},
		{"Привет, “мир”", `Привет, "мир"`},
		{"Żółw 👩‍👧 ❤️ 🇳🇴", "Zolw 👩‍👧 ❤️ 🇳🇴"},
		{"й ά \u0915\u094d\u0937\u093f 한", "й ά \u0915\u094d\u0937\u093f 한"},
		{"°µ ✓", "°µ ✓"},
		{"ą\xffb", "a\xffb"},
	} {
		if got, _ := Transliterate(c.text); got != c.want {
			t.Errorf("%q became %q, not %q", c.text, got, c.want)
		}
	}
}

func TestTransliterationTellsWhatItDid(t *testing.T) {
	text, got := Transliterate("“Żółty” żółw… i ż\u200b")
	want := []Replacement{{"“", `"`, 1}, {"Ż", "Z", 1}, {"ó", "o", 2}, {"ł", "l", 2}, {"”", `"`, 1}, {"ż", "z", 2}, {"…", "...", 1}, {"\u200b", "", 1}}
	if diff := cmp.Diff(want, got); diff != "" || text != `"Zolty" zolw... i z` {
		t.Errorf("%q\n%s", text, diff)
	}
	if text, got := Transliterate("Blåbær €"); text != "Blåbær €" || got != nil {
		t.Errorf("%q, %v", text, got)
	}
}

func TestTransliterationLosesNothingElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		piece := rapid.OneOf(rapid.SampledFrom(slices.Concat(alphabets...)), rapid.String())
		text := strings.Join(rapid.SliceOfN(piece, 0, 30).Draw(t, "pieces"), "")
		checkTransliteration(t, text)
	})
}

func FuzzTransliterate(f *testing.F) {
	f.Add("“Żółty” żółw… i ż\u200b👩‍👧")
	f.Fuzz(func(t *testing.T, text string) { checkTransliteration(t, text) })
}

func checkTransliteration(t failer, text string) {
	t.Helper()
	once, replaced := Transliterate(text)
	if !utf8.ValidString(text) {
		return // octets that are no text may join to one
	}
	if again, more := Transliterate(once); again != once || more != nil {
		t.Errorf("%q became %q and then %q (%v)", text, once, again, more)
	}
	if len(replaced) == 0 && once != text {
		t.Errorf("%q became %q, and nothing was said", text, once)
	}
	for _, r := range replaced {
		if naiveUnits(GSM7, Shift{}, r.To) < 0 || naiveUnits(GSM7, Shift{}, r.From) >= 0 || r.Count < 1 {
			t.Errorf("%q: %+v", text, r)
		}
	}
	if len(replaced) == 0 && len(text) > 0 {
		for _, c := range Analyse(text).Forcing {
			if to, sensible := plain(c.Text); sensible {
				t.Errorf("%q was left, not written %q", c.Text, to)
			}
		}
	}
}
