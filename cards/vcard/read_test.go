package vcard

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// read is what vobject, a reader that has nothing in common with the writer, finds
// in a card.
type read struct {
	Version                                        string
	FN, N, TITLE, NOTE, URL, UID, REV, LANG, PHOTO []string
	ORG                                            [][]string
	TEL, EMAIL                                     []typedText
	ADR                                            []typedAddress
}

type typedText struct {
	Value string
	Types []string
}

type typedAddress struct {
	Parts []string
	Types []string
}

// expected is what a reader should find in a person's card.
func expected(p Person, v Version) read {
	one := func(text string) []string {
		if text == "" {
			return []string{}
		}
		return []string{text}
	}
	types := func(first []string, uses []Use) []string {
		for _, u := range uses {
			first = append(first, string(u))
		}
		return first
	}
	r := read{
		Version: string(v), FN: one(p.FullName), TITLE: one(p.Title), NOTE: one(p.Note), UID: one(p.UID),
		N:   []string{p.Name.Family, p.Name.Given, p.Name.Additional, p.Name.Prefix, p.Name.Suffix},
		URL: []string{}, REV: []string{}, LANG: []string{}, PHOTO: []string{},
		ORG: [][]string{}, TEL: []typedText{}, EMAIL: []typedText{}, ADR: []typedAddress{},
	}
	if p.Organisation != "" {
		r.ORG = append(r.ORG, append(one(p.Organisation), one(p.Department)...))
	}
	for _, a := range p.URLs {
		r.URL = append(r.URL, strings.NewReplacer(",", "%2C", ";", "%3B").Replace(a))
	}
	for _, t := range p.Phones {
		r.TEL = append(r.TEL, typedText{t.Number, types([]string{}, t.Uses)})
	}
	for _, e := range p.Emails {
		first := []string{}
		if v == V3 {
			first = append(first, "internet")
		}
		r.EMAIL = append(r.EMAIL, typedText{e.Address, types(first, e.Uses)})
	}
	for _, a := range p.Addresses {
		r.ADR = append(r.ADR, typedAddress{[]string{"", "", a.Street, a.City, a.Region, a.Code, a.Country}, types([]string{}, a.Uses)})
	}
	if v == V4 {
		r.LANG = append(r.LANG, p.Languages...)
	}
	if data := base64.StdEncoding.EncodeToString(p.Photo.Data); data != "" && v == V3 {
		r.PHOTO = one(data)
	} else if data != "" {
		r.PHOTO = one("data:" + p.Photo.MediaType + ";base64," + data)
	}
	if v == V3 {
		r.REV = one(p.Revised.UTC().Format("2006-01-02T15:04:05Z"))
	} else {
		r.REV = one(p.Revised.UTC().Format("20060102T150405Z"))
	}
	return r
}

func TestAnotherReaderFindsWhatWasWritten(t *testing.T) { // Q30 Q36
	// The path names Debian's python, because python3-vobject is a package of that one.
	if err := exec.Command("/usr/bin/python3", "-c", "import vobject").Run(); err != nil {
		t.Skip("python3-vobject is not installed")
	}
	random := rand.New(rand.NewPCG(2426, 6350))
	const people = 10_000
	for _, v := range []Version{V3, V4} {
		all := make([]Person, people)
		var cards bytes.Buffer
		for i := range all {
			all[i] = anybody(random)
			card, err := Encode(all[i], v)
			if err != nil {
				t.Fatalf("%+v: %v", all[i], err)
			}
			checkLines(t, card)
			if err := json.NewEncoder(&cards).Encode(string(card)); err != nil {
				t.Fatal(err)
			}
		}
		found := readWithVobject(t, &cards)
		if len(found) != people {
			t.Fatalf("%d cards were read", len(found))
		}
		for i, p := range all {
			if diff := cmp.Diff(expected(p, v), found[i]); diff != "" {
				t.Fatalf("card %d of version %s (-written +read):\n%s", i, v, diff)
			}
		}
	}
}

// readWithVobject reads all cards in one process.
func readWithVobject(t *testing.T, cards io.Reader) (found []read) {
	t.Helper()
	var complaints bytes.Buffer
	cmd := exec.Command("/usr/bin/python3", "testdata/read.py")
	cmd.Stdin, cmd.Stderr = cards, &complaints
	out, err := cmd.Output()
	if err != nil || complaints.Len() > 0 {
		t.Fatalf("%v\n%s", err, complaints.String())
	}
	for lines := json.NewDecoder(bytes.NewReader(out)); ; {
		var r read
		if err := lines.Decode(&r); err == io.EOF {
			return found
		} else if err != nil {
			t.Fatal(err)
		}
		found = append(found, r)
	}
}

// morsels are what texts are made of: what a format may trip over.
var morsels = []string{
	";", ",", `\`, "\n", `\n`, `\;`, `\,`, ":", `"`, "=", " ", "^n", "'", "\t", "begin:vcard",
	"a", "b", "Åse", "Ødegård", "Grüße", "Łukasz", "محمد", "שלום", "李小龙", "ไทย", "é",
	"😀", "👩🏽‍💻", "🇳🇴", "\u200f", "END:VCARD", "TEL:", "Smith", "of", "-", "/", "+47 900 12 345",
}

// text is up to about so many morsels, and trimmed as a form's field is.
func text(random *rand.Rand, most int) string {
	var all strings.Builder
	for range random.IntN(most + 1) {
		all.WriteString(morsels[random.IntN(len(morsels))])
	}
	return strings.TrimSpace(all.String())
}

func anybody(random *rand.Rand) Person {
	some := func(most int) string { return text(random, most) }
	uses := func() (u []Use) {
		for _, use := range []Use{Mobile, Work, Home, Fax} {
			if random.IntN(3) == 0 {
				u = append(u, use)
			}
		}
		return u
	}
	p := Person{
		UID:          "urn:uuid:" + strings.Repeat("0123456789abcdef", 2),
		FullName:     "X" + some(8),
		Name:         Name{some(5), some(5), some(2), some(1), some(1)},
		Organisation: some(6), Department: some(6), Title: some(6), Note: some(20),
		Revised: time.Unix(random.Int64N(4e9), 0),
	}
	if random.IntN(20) == 0 {
		p.FullName, p.Note = "X"+strings.Repeat("Å😀;", 100), some(300)
	}
	for range random.IntN(4) {
		p.Phones = append(p.Phones, Phone{"+" + some(2), uses()})
		p.Emails = append(p.Emails, Email{"x@" + some(2), uses()})
	}
	for range random.IntN(3) {
		p.Addresses = append(p.Addresses, Address{"Gate 1" + some(5), some(2), some(1), some(1), some(1), uses()})
		p.URLs = append(p.URLs, "https://example.no/"+url.PathEscape(some(10))+"?a=1,2;3")
		p.Languages = append(p.Languages, []string{"nb", "en-GB", "ar"}[random.IntN(3)])
	}
	if random.IntN(10) == 0 {
		p.Photo = Photo{"image/jpeg", make([]byte, 1+random.IntN(2000))}
		for i := range p.Photo.Data {
			p.Photo.Data[i] = byte(random.Uint32())
		}
	}
	return p
}
