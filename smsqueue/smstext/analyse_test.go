package smstext

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestAnalysis(t *testing.T) { // U8
	turkish := Options{Languages: []Language{Turkish}}
	for _, c := range []struct {
		name    string
		options Options
		text    string
		want    Analysis
	}{
		{"nothing", Options{}, "", Analysis{Message: Message{Encoding: GSM7, Parts: []string{""}}, Left: 160}},
		{"one part", Options{}, "Hi €", Analysis{Message: Message{Encoding: GSM7, Parts: []string{"Hi €"}, Units: 5}, Left: 155}},
		{"the last part counts", Options{}, times("a", 161),
			Analysis{Message: Message{Encoding: GSM7, Parts: []string{times("a", 152), times("a", 9)}, Units: 161}, Left: 143}},
		{"what forced UCS-2, once each", Options{}, "Zażółć, że 👩‍👧 é", Analysis{
			Message: Message{Encoding: UCS2, Parts: []string{"Zażółć, że 👩‍👧 é"}, Units: 18}, Left: 52,
			Forcing: []Character{{"ż", []int{2, 8}}, {"ó", []int{3}}, {"ł", []int{4}}, {"ć", []int{5}}, {"👩‍👧", []int{11}}}}},
		{"a letter with its mark beside it", Options{}, "cafe\u0301", Analysis{
			Message: Message{Encoding: UCS2, Parts: []string{"cafe\u0301"}, Units: 5}, Left: 65, Forcing: []Character{{"e\u0301", []int{3}}}}},
		{"a shift table", turkish, times("ş", 71), Analysis{
			Message: Message{Encoding: GSM7, Shift: Shift{Single: Turkish}, Parts: []string{times("ş", 71)}, Units: 142}, Left: 13}},
		{"what no table of the route has", turkish, times("ş", 9) + "я", Analysis{
			Message: Message{Encoding: UCS2, Parts: []string{times("ş", 9) + "я"}, Units: 10}, Left: 60, Forcing: []Character{{"я", []int{9}}}}},
		{"a route of Latin-1", Options{Highest: 0xFF}, "é €", Analysis{
			Message: Message{Encoding: UCS2, Parts: []string{"é €"}, Units: 3}, Left: 67, Forcing: []Character{{"€", []int{2}}}}},
		{"what it has", Options{Highest: 0xFF}, "é", Analysis{Message: Message{Encoding: GSM7, Parts: []string{"é"}, Units: 1}, Left: 159}},
		{"a route of ASCII", Options{Highest: 0x7F}, "é", Analysis{
			Message: Message{Encoding: UCS2, Parts: []string{"é"}, Units: 1}, Left: 69, Forcing: []Character{{"é", []int{0}}}}},
		{"a table would save nothing", turkish, "aş", Analysis{
			Message: Message{Encoding: UCS2, Parts: []string{"aş"}, Units: 2}, Left: 68, Forcing: []Character{{"ş", []int{1}}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, c.options.Analyse(c.text)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if diff := cmp.Diff(Options{}.Analyse("żą"), Analyse("żą")); diff != "" {
		t.Error(diff)
	}
}

func TestAnalysisAgreesWithSplit(t *testing.T) { // U8
	rapid.Check(t, func(t *rapid.T) {
		text := mixed.Draw(t, "text")
		for _, o := range routes {
			checkAnalysis(t, o, text)
		}
	})
}

func checkAnalysis(t failer, o Options, text string) {
	t.Helper()
	a := o.Analyse(text)
	if diff := cmp.Diff(o.Split(text), a.Message); diff != "" {
		t.Errorf("%q is analysed as another message:\n%s", text, diff)
	}
	last := length(t, a.Message, a.Parts[len(a.Parts)-1])
	if room := naiveRoom(o, a.Encoding, a.Shift, len(a.Parts) > 1); last+a.Left != room {
		t.Errorf("%q: %d and %d are not %d", text, last, a.Left, room)
	}
	if (a.Encoding == UCS2) != (a.Forcing != nil) {
		t.Errorf("%q is %s for the sake of %v", text, a.Encoding, a.Forcing)
	}
	checkForcing(t, o, text, a.Forcing)
}

// checkForcing sees that the characters stand where they are said to, and that
// without them, where no route has tables, the text would be GSM-7.
func checkForcing(t failer, o Options, text string, all []Character) {
	t.Helper()
	characters := []rune(text) // an octet that is no text counts as one
	forcing := make([]bool, len(characters))
	for _, c := range all {
		n := utf8.RuneCountInString(c.Text)
		for _, at := range c.Positions {
			if got := string(characters[at : at+n]); got != strings.ToValidUTF8(c.Text, "\ufffd") && utf8.ValidString(c.Text) {
				t.Errorf("%q stands at %d of %q, not %q", got, at, text, c.Text)
			}
			for i := range n {
				forcing[at+i] = true
			}
		}
		if naiveUnits(GSM7, Shift{}, c.Text) >= 0 && !strings.ContainsFunc(c.Text, o.exceeds) {
			t.Errorf("%q of %q is in the route's alphabet", c.Text, text)
		}
	}
	if len(o.Languages) > 0 {
		return
	}
	var rest []rune
	for i, r := range characters {
		if !forcing[i] {
			rest = append(rest, r)
		}
	}
	if e, _ := o.Count(string(rest)); e != GSM7 {
		t.Errorf("%q: without %v it is %q and still %s", text, all, string(rest), e)
	}
}
