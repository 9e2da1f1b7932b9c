package vcard

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/internal/problem"
)

var update = flag.Bool("update", false, "write the golden files anew")

func someone() Person {
	return Person{
		UID:          "urn:uuid:5a7f4f9e-2f0e-4c43-9f0b-0d4c4f6f3a11",
		FullName:     "Dr. Åse Marie Øvrebø-Łukasiewicz; rådgiver 😀",
		Name:         Name{Family: "Øvrebø-Łukasiewicz; Smith", Given: "Åse", Additional: "Marie", Prefix: "Dr."},
		Organisation: `Fjord & Fjell, avd. "Nord" \ AS`, Department: "Kommunikasjon; presse", Title: "Rådgiver,\nberedskap",
		Phones:    []Phone{{"+47 900 12 345", []Use{Mobile, Work}}, {"+47 22 00 00 00", []Use{Work, Fax}}},
		Emails:    []Email{{"ase@example.no", []Use{Work}}},
		Addresses: []Address{{"Storgata 1\n3. etasje", "Tromsø", "Troms", "9008", "Norge", []Use{Work}}},
		URLs:      []string{"https://kort.example.no/c/7h2kx09qmz4bd8ra?x=1,2"},
		Languages: []string{"nb", "ar"},
		Note:      "مرحبا بالعالم, hei; og\r\nen linje til",
		Photo:     Photo{"image/jpeg", bytes.Repeat([]byte{0xff, 0xd8, 0x00, 0x7f}, 40)},
		Revised:   time.Date(2026, 11, 22, 13, 0, 0, 0, time.FixedZone("", 3600)),
	}
}

func TestACardIsWrittenAsEver(t *testing.T) {
	for _, v := range []Version{V3, V4} {
		card, err := Encode(someone(), v)
		if err != nil {
			t.Fatal(err)
		}
		checkLines(t, card)
		golden := "testdata/" + string(v) + ".vcf"
		if *update {
			if err := os.WriteFile(golden, card, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(card)); diff != "" {
			t.Errorf("%s (-golden +now):\n%s", v, diff)
		}
	}
}

func TestTheLeastCardHasItsName(t *testing.T) {
	card, err := Encode(Person{FullName: "Åse"}, V3)
	if want := "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Åse\r\nN:;;;;\r\nEND:VCARD\r\n"; err != nil || string(card) != want {
		t.Errorf("%q, %v", card, err)
	}
}

func TestWhatHasNoPlaceOnACardIsRefused(t *testing.T) {
	for _, c := range []struct {
		code  string
		spoil func(*Person)
	}{
		{"invalid_full_name", func(p *Person) { p.FullName = " \x00\n" }},
		{"invalid_uid", func(p *Person) { p.UID = "17" }},
		{"invalid_uid", func(p *Person) { p.UID = "urn:uuid:1\r\nTEL:1" }},
		{"invalid_uid", func(p *Person) { p.UID = "urn:x:\xff\xbf\xbf" }},
		{"invalid_url", func(p *Person) { p.URLs = []string{"javascript:alert(1)"} }},
		{"invalid_url", func(p *Person) { p.URLs = []string{"example.no"} }},
		{"invalid_url", func(p *Person) { p.URLs = []string{"https://example.no/\r\nTEL:1"} }},
		{"invalid_use", func(p *Person) { p.Phones = []Phone{{"+47", []Use{"cell:1\r\nTEL"}}} }},
		{"invalid_photo", func(p *Person) { p.Photo.MediaType = "image/svg+xml" }},
		{"invalid_photo", func(p *Person) { p.Photo.Data = make([]byte, MaxPhoto+1) }},
	} {
		p := someone()
		c.spoil(&p)
		if card, err := Encode(p, V3); !problem.Has(err, c.code) || card != nil {
			t.Errorf("%v in place of %s", err, c.code)
		}
	}
	if card, err := Encode(someone(), "2.1\r\nX:"); !problem.Has(err, "invalid_version") || card != nil {
		t.Errorf("%q, %v", card, err)
	}
}

// checkLines says what RFC 2426 2.6 and RFC 6350 3.2 ask of any card.
func checkLines(t *testing.T, card []byte) {
	t.Helper()
	text, whole := strings.CutSuffix(string(card), "\r\n")
	if !whole {
		t.Fatalf("the last line has no end: %q", card)
	}
	for line := range strings.SplitSeq(text, "\r\n") {
		if len(line) > 75 || !utf8.ValidString(line) || strings.ContainsAny(line, "\r\n") || strings.Trim(line, " ") == "" {
			t.Fatalf("%d octets: %q", len(line), line)
		}
	}
}

func FuzzEncode(f *testing.F) {
	f.Add("Åse; Ø", "a,b\\n\r\n", "urn:uuid:1", "https://example.no/,", "cell")
	f.Add("\xff\xbf\xbf", "\u2028x\u0085", "urn:\xbf\xbf", "http://\xbf/\xbf", "fax\r\n")
	f.Fuzz(func(t *testing.T, name, text, uid, address, use string) {
		p := Person{UID: uid, FullName: name, Name: Name{text, name, text, "", ""}, Organisation: text, Department: name, Note: text,
			Phones: []Phone{{text, []Use{Use(use)}}}, Addresses: []Address{{Street: text}}, URLs: []string{address}}
		for _, v := range []Version{V3, V4} {
			card, err := Encode(p, v)
			if err != nil {
				continue
			}
			if !utf8.Valid(card) {
				t.Fatalf("%q is no UTF-8", card)
			}
			names := 0
			for line := range strings.SplitSeq(strings.TrimSuffix(string(card), "\r\n"), "\r\n") {
				if len(line) > 75 || strings.ContainsAny(line, "\r\n") {
					t.Fatalf("%q", line)
				}
				if strings.HasPrefix(line, "FN:") {
					names++
				}
			}
			if names != 1 {
				t.Fatalf("%d names in %q", names, card)
			}
		}
	})
}
