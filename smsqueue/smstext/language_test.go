package smstext

import (
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// scripts are what the letters of a language's tables are written in.
var scripts = map[Language]*unicode.RangeTable{
	Bengali: unicode.Bengali, Gujarati: unicode.Gujarati, Hindi: unicode.Devanagari, Kannada: unicode.Kannada,
	Malayalam: unicode.Malayalam, Oriya: unicode.Oriya, Punjabi: unicode.Gurmukhi, Tamil: unicode.Tamil,
	Telugu: unicode.Telugu, Urdu: unicode.Arabic,
}

func TestTablesAreWhole(t *testing.T) { // 3GPP TS 23.038 6.2.1 and annex A
	all := map[string]*table{"basic": basic, "extension": extension}
	for _, l := range Languages() {
		if all[l.Code()+" single"] = singleTables[l]; singleTables[l] == nil {
			t.Fatalf("%s has no single shift table", l)
		}
		if lockingTables[l] != nil {
			all[l.Code()+" locking"] = lockingTables[l]
		} else if l != Spanish {
			t.Errorf("%s has no locking shift table", l)
		}
	}
	if len(all) != 2+13+12 {
		t.Errorf("%d tables", len(all))
	}
	for name, tab := range all {
		n := 0
		for code, r := range tab.characters {
			if r == 0 {
				continue
			}
			n++
			back, found := tab.codes[r]
			// The standard has both of these twice in the tables of the Indian languages and Urdu.
			if twice := r == '¡' && code == 0x15 || r == '*' && code == 0x18; !found || int(back) != code && !twice {
				t.Errorf("%s: %q at %#x is sent as %#x", name, r, code, back)
			}
		}
		if r := tab.characters[escape]; r != 0 {
			t.Errorf("%s: %q takes the place of the escape", name, r)
		}
		if locking := name == "basic" || strings.HasSuffix(name, "locking"); locking {
			checkLocking(t, name, tab, n)
		} else if tab.characters[0x0A] != '\f' || tab.characters[0x0D] != 0 || tab.characters[0x65] != euro {
			t.Errorf("%s: form feed, carriage return and the euro sign are not where every single shift table has them", name)
		}
	}
}

// checkLocking: a table that replaces the GSM alphabet keeps the line ends, the
// space, the digits and the Latin letters of which it has any in their places.
func checkLocking(t *testing.T, name string, tab *table, n int) {
	t.Helper()
	for i, r := range "\n\r !.0123456789?az" {
		at := "\x0a\x0d\x20\x21\x2e0123456789?az"[i]
		if tab.characters[at] != r {
			t.Errorf("%s: %q stands at %#x", name, tab.characters[at], at)
		}
	}
	switch name {
	case "basic", "tr locking", "pt locking", "hi locking", "ur locking":
		if n != 127 {
			t.Errorf("%s: %d characters", name, n)
		}
	}
}

func TestTablesHoldTheirOwnScript(t *testing.T) {
	for l, script := range scripts {
		letters := 0
		for _, tab := range []*table{lockingTables[l], singleTables[l]} {
			for code, r := range tab.characters {
				danda := r == 0x0964 || r == 0x0965 // Devanagari, but used by all
				switch common := unicode.Is(unicode.Common, r) || unicode.Is(unicode.Inherited, r); {
				case unicode.Is(script, r):
					letters++
				case r > 0x5FF && r != euro && !danda && !common:
					t.Errorf("%s: %U at %#x is of another script", l, r, code)
				}
			}
		}
		if letters < 60 {
			t.Errorf("%s has %d letters", l, letters)
		}
	}
	for l, letters := range map[Language]string{
		Turkish:    "çÇğĞıİşŞöÖüÜ€",
		Spanish:    "áÁíÍóÓúÚçñÑüÜ¿¡€",
		Portuguese: "ãÃõÕáÁàÀâÂçÇéÉêÊíÍóÓôÔúÚüÜ€",
	} {
		for _, s := range []Shift{{Locking: l, Single: l}, {Single: l}} {
			if _, err := s.Encode(letters); err != nil && !(l == Portuguese && s.Locking == 0) {
				t.Errorf("%v: %v", s, err)
			}
		}
	}
}

// The annex lists the letters of an Indian script in the order of Unicode, its
// ten digits in a row, and no letter in both tables.
func TestIndianTablesAreInTheOrderOfUnicode(t *testing.T) {
	for l, script := range scripts {
		var letters, digits []rune
		for _, r := range lockingTables[l].characters[:0x60] {
			if unicode.Is(script, r) {
				letters = append(letters, r)
			}
		}
		for _, r := range singleTables[l].characters {
			if unicode.Is(unicode.Nd, r) {
				digits = append(digits, r)
			}
			if _, both := lockingTables[l].codes[r]; both && r > 0x7F {
				t.Errorf("%s: %U stands in both tables", l, r)
			}
		}
		if l != Urdu && !slices.IsSorted(letters) {
			t.Errorf("%s: %U", l, letters)
		}
		if len(digits) != 10 || digits[9]-digits[0] != 9 || !slices.IsSorted(digits) {
			t.Errorf("%s: digits %U", l, digits)
		}
	}
}

func TestShiftedOctets(t *testing.T) {
	for _, c := range []struct {
		shift                Shift
		header, text, octets string
	}{
		{Shift{}, "", "a€", "611b65"},
		{Shift{Single: Turkish}, "240101", "aşĞ€", "611b731b471b65"},
		{Shift{Locking: Turkish}, "250101", "aşĞ€^", "611d0b041b14"},
		{Shift{Locking: Turkish, Single: Spanish}, "250101240102", "şá", "1d1b61"},
		{Shift{Single: Spanish}, "240102", "Úé", "1b5505"},
		{Shift{Locking: Portuguese}, "250103", "`ãª∞", "7d7b1215"},
		{Shift{Locking: Hindi, Single: Hindi}, "250106240106", "\u0928\u092e\u0938\u094d\u0924\u0947 A\u0967", "2f424c5f275920 1b41 1b1d"},
		{Shift{Locking: Urdu}, "25010d", "\u0627\u0628 1", "00022031"},
		{Shift{Locking: Spanish}, "250102", "è", "04"}, // there is no such table
	} {
		if got := hex.EncodeToString(c.shift.Header()); got != c.header {
			t.Errorf("%v is told as %s", c.shift, got)
		}
		got, err := c.shift.Encode(c.text)
		if want := strings.ReplaceAll(c.octets, " ", ""); err != nil || hex.EncodeToString(got) != want {
			t.Errorf("%v: %q is %x, %v", c.shift, c.text, got, err)
		}
		if back, err := c.shift.Decode(got); err != nil || back != c.text {
			t.Errorf("%v: %x is %q, %v", c.shift, got, back, err)
		}
	}
}

func TestDecodingWhatATableLeavesOpen(t *testing.T) {
	for _, c := range []struct {
		name         string
		shift        Shift
		octets, text string
	}{
		{"an unknown pair shows the locking table", Shift{Locking: Turkish, Single: Spanish}, "1b1d", "ş"},
		{"a code without a character is a space", Shift{Locking: Tamil}, "00", " "},
		{"an unknown language is none", Shift{Locking: 99, Single: 200}, "041b65", "è€"},
		{"a second code for a character", Shift{Single: Hindi}, "1b151b18", "¡*"},
	} {
		octets, err := hex.DecodeString(c.octets)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.shift.Decode(octets); err != nil || got != c.text {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
}

func TestEveryPairOfTablesReadsWhatItWrites(t *testing.T) {
	for locking := range Urdu + 1 {
		for single := range Urdu + 1 {
			s := Shift{locking, single}
			var all []rune
			for _, tab := range []*table{s.locking(), s.single()} {
				all = append(all, slices.DeleteFunc(slices.Clone(tab.characters[:]), func(r rune) bool { return r == 0 })...)
			}
			septets, err := s.Encode(string(all))
			if err != nil {
				t.Fatalf("%v: %v", s, err)
			}
			if text, err := s.Decode(septets); err != nil || text != string(all) {
				t.Errorf("%v: %q, %v", s, text, err)
			}
		}
	}
}

func TestLanguagesHaveCodes(t *testing.T) {
	names := map[string]string{"tr": "Turkish", "es": "Spanish", "pt": "Portuguese", "bn": "Bengali", "gu": "Gujarati", "hi": "Hindi", "kn": "Kannada",
		"ml": "Malayalam", "or": "Oriya", "pa": "Punjabi", "ta": "Tamil", "te": "Telugu", "ur": "Urdu"}
	got := map[string]string{}
	for _, l := range Languages() {
		got[l.Code()] = l.String()
		if again, err := ParseLanguage(strings.ToUpper(l.Code())); err != nil || again != l {
			t.Errorf("%s is read as %v, %v", l.Code(), again, err)
		}
	}
	if diff := cmp.Diff(names, got); diff != "" {
		t.Error(diff)
	}
	var read []Language
	if err := json.Unmarshal([]byte(`["tr","ur"]`), &read); err != nil || !slices.Equal(read, []Language{1, 13}) {
		t.Errorf("%v, %v", read, err)
	}
	if written, err := json.Marshal(read); err != nil || string(written) != `["tr","ur"]` {
		t.Errorf("%s, %v", written, err)
	}
	for _, code := range []string{"", "no", "turkish"} {
		if l, err := ParseLanguage(code); err == nil {
			t.Errorf("%q is %v", code, l)
		}
	}
}

func FuzzShiftCodec(f *testing.F) {
	f.Add("Toplantı saat 12'de başlıyor.", byte(1), byte(1))
	f.Add("\u0928\u092e\u0938\u094d\u0924\u0947", byte(6), byte(0))
	f.Add("\x1b\x1b\x7f€", byte(99), byte(13))
	f.Fuzz(func(t *testing.T, text string, locking, single byte) {
		checkShift(t, Shift{Language(locking), Language(single)}, text)
	})
}

func TestShiftCodecOnAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkShift(t, Shift{Language(rapid.Byte().Draw(t, "locking")), Language(rapid.Byte().Draw(t, "single"))}, rapid.String().Draw(t, "text"))
	})
}

// checkShift writes a text and reads it, and reads it as if it had come so.
func checkShift(t failer, s Shift, text string) {
	t.Helper()
	if septets, err := s.Encode(text); err == nil {
		if back, err := s.Decode(septets); err != nil || back != text {
			t.Errorf("%v: %q became %q, %v", s, text, back, err)
		}
	}
	read, err := s.Decode([]byte(text))
	if err != nil {
		return
	}
	septets, err := s.Encode(read)
	if err != nil {
		t.Fatalf("%v: what was read as %q cannot be written: %v", s, read, err)
	}
	if again, err := s.Decode(septets); err != nil || again != read {
		t.Errorf("%v: %q was read again as %q, %v", s, read, again, err)
	}
}
