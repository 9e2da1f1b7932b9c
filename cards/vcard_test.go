package cards_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/cards/vcard"
)

func everything() (cards.Template, cards.Card) {
	var s cards.Section
	said := map[string]string{}
	for _, k := range cards.Kinds {
		from := "p_" + string(k)
		s.Fields = append(s.Fields, cards.Field{ID: string(k), Kind: k, From: from, Sync: cards.Always})
		said[from] = "The " + string(k)
	}
	said["p_website"], said["p_email"], said["p_full_name"] = "acme.test/kari", "kari@acme.test", "Kari Nørdmann; PhD"
	s.Fields = append(s.Fields, cards.Field{ID: "badge", Kind: cards.Text, Label: "Badge", From: "p_badge", Sync: cards.Always},
		cards.Field{ID: "salary", Kind: cards.Text, Label: "Salary", From: "p_salary", Sync: cards.Always, Hidden: true})
	said["p_badge"], said["p_salary"] = "7", "one million"
	t := cards.Template{Body: cards.Body{Sections: []cards.Section{s}}, Updated: time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)}
	return t, cards.Card{Slug: "0123456789abcdef", Language: "nb", Updated: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Values: cards.Values{Taken: said}}
}

func asWritten(number string) string { return number }

func TestANumberIsToldWithoutItsSchemeAndMarks(t *testing.T) {
	design, c := everything()
	c.Values.Taken["p_mobile"], c.Values.Taken["p_fax"] = "\u200etel:+358404393990\u200e", "TEL: +47 22 33 44 55"
	if got := design.First(c.Values, cards.Mobile); got != "+358404393990" {
		t.Errorf("it tells %q", got)
	}
	got, err := design.VCard(c, nil, "", func(number string) string { return "<" + number + ">" }, vcard.V3)
	if err != nil || !strings.Contains(string(got), "TEL;TYPE=cell:<+358404393990>\r\n") || !strings.Contains(string(got), "TEL;TYPE=fax:<+47 22 33 44 55>\r\n") {
		t.Errorf("%s %v", got, err)
	}
}

func TestAVCardSaysWhatTheCardTells(t *testing.T) { // Q30, Q36
	design, c := everything()
	got, err := design.VCard(c, []byte("\xff\xd8jpeg"), "https://a.test/c/0123456789abcdef", asWritten, vcard.V3)
	if err != nil {
		t.Fatal(err)
	}
	want := `BEGIN:VCARD
VERSION:3.0
FN:Kari Nørdmann\; PhD
N:The family_name;The given_name;;;
ORG:The company;The department
TITLE:The job_title
TEL;TYPE=cell:The mobile
TEL;TYPE=work:The work_phone
TEL;TYPE=fax:The fax
EMAIL;TYPE=internet;TYPE=work:kari@acme.test
ADR;TYPE=work:;;The street;The city;The region;The postal_code;The country
NOTE:The office\nThe note\nThe text\nBadge: 7
URL:https://acme.test/kari
URL:https://a.test/c/0123456789abcdef
UID:urn:uuid:1a7b2e55-3a2e-8b0e-8d0e-000000000000
PHOTO;ENCODING=b;TYPE=JPEG:/9hqcGVn
REV:2026-11-02T00:00:00Z
END:VCARD
`
	text := strings.ReplaceAll(string(got), "\r\n", "\n")
	_, rest, _ := strings.Cut(text, "UID:")
	uid, _, _ := strings.Cut(rest, "\n")
	want = strings.Replace(want, "urn:uuid:1a7b2e55-3a2e-8b0e-8d0e-000000000000", uid, 1)
	if diff := cmp.Diff(want, text); diff != "" {
		t.Error(diff)
	}
	c.Values.Taken["p_full_name"] = "Kari Moe"
	later, err := design.VCard(c, nil, "https://a.test/c/0123456789abcdef", asWritten, vcard.V4)
	if err != nil || !strings.Contains(string(later), "UID:"+uid+"\r\n") || !strings.HasPrefix(uid, "urn:uuid:") || !strings.Contains(string(later), "LANG:nb") {
		t.Errorf("its UID is another one, or it has no language: %s %v", later, err)
	}
	c.Slug = "0123456789abcdeg"
	if other, err := design.VCard(c, nil, "", asWritten, vcard.V4); err != nil || strings.Contains(string(other), uid) {
		t.Errorf("another card has the same UID: %v", err)
	}
}

func TestACardWithoutANameCanBeSaved(t *testing.T) {
	design, c := everything()
	for name, hide := range map[string][]cards.Kind{"The given_name The family_name": {cards.FullName}, "The company": {cards.FullName, cards.GivenName, cards.FamilyName},
		"https://a.test/c/x": cards.Kinds} {
		hidden := map[cards.Kind]bool{}
		for _, k := range hide {
			hidden[k] = true
		}
		fields := append([]cards.Field(nil), design.Sections[0].Fields...)
		for i := range fields {
			fields[i].Hidden = hidden[fields[i].Kind]
		}
		got, err := cards.Template{Body: cards.Body{Sections: []cards.Section{{Fields: fields}}}}.VCard(c, nil, "https://a.test/c/x", asWritten, vcard.V3)
		if err != nil || !strings.Contains(string(got), "\r\nFN:"+name+"\r\n") {
			t.Errorf("%s: %s %v", name, got, err)
		}
	}
}

func TestACodeForUseWithoutANetworkIsCutToFit(t *testing.T) {
	design, c := everything()
	c.Values.Taken["p_note"] = strings.Repeat("long ", 200)
	tries, err := design.Offline(c, asWritten)
	if err != nil || len(tries) != 3 || len(tries[0]) < len(tries[1]) || len(tries[1]) < len(tries[2]) {
		t.Fatalf("%d %v", len(tries), err)
	}
	for i, one := range tries {
		if !strings.Contains(string(one), "FN:Kari") || !strings.Contains(string(one), "The mobile") || strings.Contains(string(one), "one million") || strings.Contains(string(one), "PHOTO") {
			t.Errorf("%d: %s", i, one)
		}
	}
}

func TestAWebAddressIsOneThatABrowserOpensAsAPage(t *testing.T) {
	for text, want := range map[string]string{"acme.test": "https://acme.test", "http://acme.test/a?b": "http://acme.test/a?b", "javascript:alert(1)": "", "ftp://acme.test": "",
		"https://user:pass@acme.test": "", "": "", "javascript://x/%0aalert(1)": "", "data:text/html,x": ""} {
		if got := cards.WebAddress(text); got != want {
			t.Errorf("%q is %q", text, got)
		}
	}
}
