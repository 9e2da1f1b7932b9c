package smstext

import (
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestGSM7Octets(t *testing.T) {
	tests := []struct{ text, octets string }{
		{"", ""},
		{"hello", "68656c6c6f"},
		{"@£$ÆØÅæøå", "0001021c0b0e1d0c0f"},
		{"ΔΩ¡¿§à", "1015 40605f7f"},
		{"€[]{}\\^~|\f", "1b65 1b3c 1b3e 1b28 1b29 1b2f 1b14 1b3d 1b40 1b0a"},
		{"\r\n", "0d0a"},
	}
	for _, tt := range tests {
		septets, err := EncodeGSM7(tt.text)
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
		}
		want := strings.ReplaceAll(tt.octets, " ", "")
		if got := hex.EncodeToString(septets); got != want {
			t.Errorf("%q is %s, want %s", tt.text, got, want)
		}
	}
}

func TestCharactersOutsideTheGSMAlphabet(t *testing.T) {
	for _, r := range "ç`áíóúâêя" + emoji + "\x00\x1b\x7f’" {
		if _, err := EncodeGSM7("secret words " + string(r)); err == nil {
			t.Errorf("%q was encoded", r)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the text is in the error: %v", err)
		}
	}
}

func TestDecodingWhatOthersSend(t *testing.T) {
	tests := []struct{ name, octets, text string }{
		{"unknown extension shows the basic character", "1b41", "A"},
		{"two escapes are one space", "611b1b62", "a b"},
		{"an escape at the end is a space", "611b", "a "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			septets, err := hex.DecodeString(tt.octets)
			if err != nil {
				t.Fatal(err)
			}
			got, err := DecodeGSM7(septets)
			if err != nil || got != tt.text {
				t.Errorf("got %q, %v; want %q", got, err, tt.text)
			}
		})
	}
	if _, err := DecodeGSM7([]byte{'a', 0x80}); err == nil {
		t.Error("an octet above 0x7F was decoded")
	}
	if _, err := DecodeGSM7([]byte{escape, 0x80}); err == nil {
		t.Error("an octet above 0x7F after an escape was decoded")
	}
}

func TestUCS2Octets(t *testing.T) {
	if got := hex.EncodeToString(EncodeUCS2("aя" + emoji)); got != "0061044fd83dde00" {
		t.Errorf("got %s", got)
	}
	if _, err := DecodeUCS2([]byte{0, 'a', 0}); err == nil {
		t.Error("an odd number of octets was decoded")
	}
	halves := map[string]string{
		"d83d":         "�",
		"d83d0061":     "�a",
		"de00d83d":     "��",
		"d83dd83dde00": "�" + emoji,
	}
	for octets, want := range halves {
		raw, err := hex.DecodeString(octets)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := DecodeUCS2(raw); err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", octets, got, err, want)
		}
	}
}

func TestWhatIsEncodedIsDecodedTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkCodecs(t, mixed.Draw(t, "text"))
		checkCodecs(t, rapid.String().Draw(t, "any text"))
	})
}

func checkCodecs(t failer, text string) {
	t.Helper()
	valid := string([]rune(text)) // what is not UTF-8 has become U+FFFD
	if got, err := DecodeUCS2(EncodeUCS2(text)); err != nil || got != valid {
		t.Errorf("UCS-2: %q came back as %q, %v", valid, got, err)
	}
	septets, err := EncodeGSM7(text)
	if encoding, _ := Count(text); (encoding == GSM7) != (err == nil) {
		t.Fatalf("%q counts as %s but encodes with %v", text, encoding, err)
	}
	if err != nil {
		return
	}
	if got, err := DecodeGSM7(septets); err != nil || got != text {
		t.Errorf("GSM 7: %q came back as %q, %v", text, got, err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{escape, escape, 0x65, 0xD8, 0x3D})
	f.Fuzz(func(t *testing.T, octets []byte) {
		for _, decode := range []func([]byte) (string, error){DecodeGSM7, DecodeUCS2} {
			if text, err := decode(octets); err == nil && !utf8.ValidString(text) {
				t.Errorf("% x became %q", octets, text)
			}
		}
	})
}
