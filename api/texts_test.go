package api

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/accounts"
)

func TestTextIsAnalysed(t *testing.T) { // U8
	h := openHouse(t)
	for _, c := range []struct {
		name, body string
		want       textAnalysis
	}{
		{"a plain text", `{"text": "Hi €"}`, textAnalysis{Encoding: "gsm7", Parts: 1, Texts: []string{"Hi €"}, Units: 5, UnitsLeft: 155, Forcing: []character{}}},
		{"no text", `{"text": ""}`, textAnalysis{Encoding: "gsm7", Parts: 1, Texts: []string{""}, UnitsLeft: 160, Forcing: []character{}}},
		{"parts", `{"text": "` + strings.Repeat("a", 161) + `"}`, textAnalysis{Encoding: "gsm7", Parts: 2,
			Texts: []string{strings.Repeat("a", 152), strings.Repeat("a", 9)}, Units: 161, UnitsLeft: 143, Forcing: []character{}}},
		{"what forces UCS-2", `{"text": "że 👩‍👧 i ż"}`, textAnalysis{Encoding: "ucs2", Parts: 1, Texts: []string{"że 👩‍👧 i ż"}, Units: 12, UnitsLeft: 58,
			Forcing: []character{{"ż", "U+017C", 2, []int{0, 9}}, {"👩‍👧", "U+1F469 U+200D U+1F467", 1, []int{3}}}}},
		{"what would become of it", `{"text": "Żółw “🐢” żyje", "transliterate": true}`, textAnalysis{Encoding: "ucs2", Parts: 1, Texts: []string{"Żółw “🐢” żyje"}, Units: 14, UnitsLeft: 56,
			Forcing: []character{{"Ż", "U+017B", 1, []int{0}}, {"ó", "U+00F3", 1, []int{1}}, {"ł", "U+0142", 1, []int{2}}, {"“", "U+201C", 1, []int{5}},
				{"🐢", "U+1F422", 1, []int{6}}, {"”", "U+201D", 1, []int{7}}, {"ż", "U+017C", 1, []int{9}}},
			Transliteration: &transliteration{Text: `Zolw "🐢" zyje`, Encoding: "ucs2", Parts: 1, Replacements: []replacement{
				{"Ż", "Z", 1}, {"ó", "o", 1}, {"ł", "l", 1}, {"“", `"`, 1}, {"”", `"`, 1}, {"ż", "z", 1}}}}},
		{"nothing would become of it", `{"text": "Hi", "transliterate": true}`, textAnalysis{Encoding: "gsm7", Parts: 1, Texts: []string{"Hi"}, Units: 2, UnitsLeft: 158,
			Forcing: []character{}, Transliteration: &transliteration{Text: "Hi", Encoding: "gsm7", Parts: 1, Replacements: []replacement{}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, read[textAnalysis](t, h.ask(t, "POST", textsPath+"/analyse", c.body), 200)); diff != "" {
				t.Error(diff)
			}
		})
	}
	same(t, len(pages[message](t, h, messagesPath+"?", "200")[0]), 0)
}

func TestTextsThatCannotBeAnalysedAreRefused(t *testing.T) {
	h := openHouse(t)
	for _, body := range []string{`{}`, `{"text": 5}`, `{"text": "a\u0000b"}`, `{"text": "` + strings.Repeat("a", 20_001) + `"}`} {
		refusedAt(t, h.ask(t, "POST", textsPath+"/analyse", body), "invalid_text", "/text")
	}
	reader := h.newKey(t, h.account, accounts.ScopeMessagesRead)
	refused(t, h.ask(t, "POST", textsPath+"/analyse", `{"text": "Hi"}`, bearer(reader)...), 403, "missing_scope")
}

func TestTextIsSentTransliteratedWhenAskedFor(t *testing.T) { // U8
	h := openHouse(t)
	const polish, plain = "“Zażółć gęślą jaźń”", `"Zazolc gesla jazn"`
	body := func(to, more string) string { return `{` + to + `, "text": "` + polish + `"` + more + `}` }
	const toNumber, toGroup, asked = `"to": "+4791234567"`, `"group": "Night shift"`, `, "transliterate": true`
	h.group(t, "Night shift", "+4791234567")

	if m := h.send(t, body(toNumber, asked)); m.Text != plain || m.Encoding != "gsm7" {
		t.Errorf("%+v", m)
	}
	if m := h.send(t, body(toNumber, "")); m.Text != polish || m.Encoding != "ucs2" {
		t.Errorf("%+v", m)
	}
	if c := h.startCampaign(t, body(toGroup, asked)); c.Text != plain || c.Encoding != "gsm7" || c.Name != plain {
		t.Errorf("%+v", c)
	}
	if c := h.startCampaign(t, body(toGroup, "")); c.Text != polish || c.Encoding != "ucs2" {
		t.Errorf("%+v", c)
	}
	refusedAt(t, h.ask(t, "POST", messagesPath, `{"to": "+4791234567", "text": "\u200b", "transliterate": true}`), "invalid_text", "/text")

	key := []string{"Idempotency-Key", "order-4711"}
	h.send(t, body(toNumber, asked), key...)
	refused(t, h.ask(t, "POST", messagesPath, body(toNumber, ""), key...), 409, "idempotency_key_reused")
}
