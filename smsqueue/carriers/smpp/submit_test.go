package smpp

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/smstext"
)

// settings is a configuration with these fields besides the needful.
func settings(t testing.TB, fields string) *config {
	t.Helper()
	c, err := parseConfig([]byte(`{"addr":"smsc.example:2775","system_id":"acme"` + fields + `}`))
	if err != nil {
		t.Fatal(err)
	}
	return &c
}

func submit(t testing.TB, fields string, s carriers.Submission) ([]byte, error) {
	t.Helper()
	return settings(t, fields).submitSM(nil, s)
}

// The bytes are written by hand from SMPP 3.4 4.4.1 and 3GPP TS 23.040
// 9.2.3.24.8, field by field.
func TestSubmitOnTheWire(t *testing.T) {
	const to = "01 01 31 00"
	tests := []struct {
		name   string
		part   carriers.Submission
		want   string
		fields string
	}{
		{
			name:   "in Latin-1, of a service, from and to other types of number",
			part:   carriers.Submission{From: "ACME", To: "+1", Text: "På [1]", Encoding: smstext.GSM7, Part: 1, Parts: 1},
			fields: `,"default_alphabet":"latin1","gsm7_coding":3,"service_type":"CMT","source_ton":0,"source_npi":1,"dest_ton":2,"dest_npi":8`,
			want: "0000002f 00000004 00000000 00000000" +
				"434d5400 00 01 41434d45 00 02 08 31 00 00 00 00 00 00 01 00" +
				"03 00 06 50e5205b315d",
		},
		{
			name:   "with a character that is not in Latin-1",
			part:   carriers.Submission{To: "+1", Text: "€", Encoding: smstext.GSM7, Part: 1, Parts: 1},
			fields: `,"default_alphabet":"latin1","ucs2_coding":25`,
			want:   "00000024 00000004 00000000 00000000 00 00 00 00" + to + "00 00 00 00 00 01 00 19 00 02 20ac",
		},
		{
			name: "with a national table",
			part: carriers.Submission{To: "+1", Text: "ş", Encoding: smstext.GSM7, Shift: smstext.Shift{Single: smstext.Turkish}, Part: 1, Parts: 1},
			want: "00000028 00000004 00000000 00000000 00 00 00 00" + to + "40 00 00 00 00 01 00 00 00 06 03240101 1b73",
		},
		{
			name: "of several parts, with two national tables",
			part: carriers.Submission{To: "+1", Text: "ş", Encoding: smstext.GSM7, Shift: smstext.Shift{Locking: smstext.Turkish, Single: smstext.Turkish},
				Part: 2, Parts: 3, Reference: 0x1234},
			want: "00000030 00000004 00000000 00000000 00 00 00 00" + to + "40 00 00 00 00 01 00 00 00 0e 0c 080412340302 250101 240101 1d",
		},
		{
			name:   "with a letter that is not in ASCII",
			part:   carriers.Submission{To: "+1", Text: "å", Encoding: smstext.GSM7, Part: 1, Parts: 1},
			fields: `,"default_alphabet":"ascii"`,
			want:   "00000024 00000004 00000000 00000000 00 00 00 00" + to + "00 00 00 00 00 01 00 08 00 02 00e5",
		},
		{
			name:   "second of three parts, with the short reference",
			part:   carriers.Submission{To: "+1", Text: "ab", Encoding: smstext.GSM7, Part: 2, Parts: 3, Reference: 0xBEEF},
			fields: `,"short_reference":true`,
			want:   "0000002a 00000004 00000000 00000000 00 00 00 00" + to + "40 00 00 00 00 01 00 00 00 08 05 00 03 ef 03 02 6162",
		},
		{
			name:   "second of three parts, by SAR",
			part:   carriers.Submission{To: "+1", Text: "ab", Encoding: smstext.GSM7, Part: 2, Parts: 3, Reference: 0xBEEF},
			fields: `,"long_messages":"sar"`,
			want: "00000034 00000004 00000000 00000000 00 00 00 00" + to + "00 00 00 00 00 01 00 00 00 02 6162" +
				"020c 0002 beef 020e 0001 03 020f 0001 02",
		},
		{
			name:   "whole, of two parts",
			part:   carriers.Submission{To: "+1", Text: "ab", Encoding: smstext.UCS2, Part: carriers.Whole, Parts: 2},
			fields: `,"long_messages":"payload"`,
			want:   "0000002a 00000004 00000000 00000000 00 00 00 00" + to + "00 00 00 00 00 01 00 08 00 00 0424 0004 00610062",
		},
		{
			name:   "whole, of one part: there is nothing to cut",
			part:   carriers.Submission{To: "+1", Text: "ab", Encoding: smstext.GSM7, Part: carriers.Whole, Parts: 1},
			fields: `,"long_messages":"payload"`,
			want:   "00000024 00000004 00000000 00000000 00 00 00 00" + to + "00 00 00 00 00 01 00 00 00 02 6162",
		},
		{
			name: "a word from a name",
			part: carriers.Submission{From: "ACME", To: "+4791234567", Text: "Hi €", Encoding: smstext.GSM7, Part: 1, Parts: 1},
			want: "00000034 00000004 00000000 00000000" +
				"00" + // service_type
				"05 00 41434d45 00" + // alphanumeric
				"01 01 34373931323334353637 00" + // international, ISDN
				"00 00 00" + // esm_class, protocol_id, priority_flag
				"00 00" + // schedule_delivery_time, validity_period
				"01 00" + // registered_delivery, replace_if_present_flag
				"00 00 05 4869201b65", // data_coding 0, no default message, text unpacked
		},
		{
			name: "from a number, in Cyrillic, valid two days",
			part: carriers.Submission{From: "+4799999999", To: "+4791234567", Text: "Да", Encoding: smstext.UCS2, Part: 1, Parts: 1, Validity: 48 * time.Hour},
			want: "00000049 00000004 00000000 00000000 00" +
				"01 01 34373939393939393939 00" +
				"01 01 34373931323334353637 00" +
				"00 00 00 00" +
				"30303030303230303030303030303052 00" + // 000002000000000R
				"01 00" +
				"08 00 04 04140430", // data_coding 8
		},
		{
			name: "from a short code, second of three parts",
			part: carriers.Submission{From: "26112", To: "+4791234567", Text: "@ab", Encoding: smstext.GSM7, Part: 2, Parts: 3, Reference: 0xBEEF},
			want: "0000003a 00000004 00000000 00000000 00" +
				"03 00 3236313132 00" +
				"01 01 34373931323334353637 00" +
				"40 00 00 00 00 01 00" + // esm_class: UDH
				"00 00 0a 06 08 04 beef 03 02 006162",
		},
		{
			name: "first of two parts in UCS-2, without a sender",
			part: carriers.Submission{To: "+1", Text: "я", Encoding: smstext.UCS2, Part: 1, Parts: 2, Reference: 1},
			want: "0000002b 00000004 00000000 00000000 00" +
				"00 00 00" +
				"01 01 31 00" +
				"40 00 00 00 00 01 00" +
				"08 00 09 06 08 04 0001 02 01 044f",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := submit(t, tt.fields, tt.part)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.ReplaceAll(tt.want, " ", "")
			if diff := cmp.Diff(want, hex.EncodeToString(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A route with one octet for a character has room for what the queue cut for
// GSM-7, and none for UCS-2 instead of it.
func TestOctetAlphabetsHaveTheRoomOfGSM7(t *testing.T) {
	for _, alphabet := range []string{"latin1", "ascii"} {
		fields := `,"default_alphabet":"` + alphabet + `"`
		for text, fits := range map[string]bool{
			strings.Repeat("a", 160):      true,
			strings.Repeat("a", 161):      false,
			strings.Repeat("[", 80):       true,
			strings.Repeat("€", 70):       true, // in UCS-2
			strings.Repeat("€", 71):       false,
			strings.Repeat("a", 70) + "Ω": false,
			strings.Repeat("a", 69) + "Ω": true,
		} {
			s := carriers.Submission{To: "+1", Text: text, Encoding: smstext.GSM7, Part: 1, Parts: 1}
			_, err := submit(t, fields, s)
			if (err == nil) != fits {
				t.Errorf("%s, %d characters: %v", alphabet, len([]rune(text)), err)
			}
		}
	}
	s := carriers.Submission{To: "+1", Text: strings.Repeat("a", 200) + "Ω", Encoding: smstext.GSM7, Part: carriers.Whole, Parts: 2}
	if _, err := submit(t, `,"default_alphabet":"latin1","long_messages":"payload"`, s); err != nil {
		t.Errorf("a whole message has room: %v", err)
	}
}

// Every part that smstext makes for a route goes onto its wire, full ones included.
func TestFullPartsFit(t *testing.T) {
	for _, alphabet := range []string{gsm7Alphabet, latin1Alphabet, asciiAlphabet} {
		options := carriers.Features{Highest: highest[alphabet]}.Text()
		for _, text := range []string{
			strings.Repeat("a", 160), strings.Repeat("a", 500), strings.Repeat("€", 300), strings.Repeat("é", 300) + "Ω",
			strings.Repeat("я", 70), strings.Repeat("я", 300),
		} {
			m := options.Split(text)
			for i, part := range m.Parts {
				s := carriers.Submission{From: "ACME", To: "+4791234567", Text: part, Encoding: m.Encoding, Part: i + 1, Parts: len(m.Parts)}
				if _, err := submit(t, `,"default_alphabet":"`+alphabet+`"`, s); err != nil {
					t.Errorf("%s, part %d of %d: %v", alphabet, i+1, len(m.Parts), err)
				}
			}
		}
	}
}

func TestSenderKinds(t *testing.T) {
	var plain config
	for from, want := range map[string]address{
		"ACME":        {5, 0, "ACME"},
		"Bus 42":      {5, 0, "Bus 42"},
		"+4791234567": {1, 1, "4791234567"},
		"4791234567":  {1, 1, "4791234567"},
		"123":         {3, 0, "123"},
		"26112":       {3, 0, "26112"},
		"12345678":    {3, 0, "12345678"},
		"+":           {5, 0, "+"},
		"":            {0, 0, ""},
	} {
		got, err := plain.sender(from)
		if err != nil {
			t.Errorf("%q: %v", from, err)
		}
		if got != want {
			t.Errorf("%q is %+v, want %+v", from, got, want)
		}
	}
}

func TestPartsThatCanNeverBeSent(t *testing.T) {
	good := carriers.Submission{From: "ACME", To: "+4791234567", Text: "private words", Encoding: smstext.GSM7, Part: 1, Parts: 1}
	for name, spoil := range map[string]func(*carriers.Submission){
		"sender beyond ASCII":          func(s *carriers.Submission) { s.From = "Blåbær" },
		"sender with a NUL":            func(s *carriers.Submission) { s.From = "AC\x00ME" },
		"sender too long":              func(s *carriers.Submission) { s.From = strings.Repeat("A", 21) },
		"receiver without plus":        func(s *carriers.Submission) { s.To = "4791234567" },
		"receiver with letters":        func(s *carriers.Submission) { s.To = "+47ABC" },
		"receiver too long":            func(s *carriers.Submission) { s.To = "+" + strings.Repeat("1", 21) },
		"no receiver":                  func(s *carriers.Submission) { s.To = "" },
		"text not in the GSM alphabet": func(s *carriers.Submission) { s.Text += "я" },
		"one part too long":            func(s *carriers.Submission) { s.Text = strings.Repeat("a", 161) },
		"part of several too long":     func(s *carriers.Submission) { s.Text, s.Parts = strings.Repeat("a", 153), 2 },
		"UCS-2 part too long":          func(s *carriers.Submission) { s.Text, s.Encoding = strings.Repeat("я", 71), smstext.UCS2 },
		"UCS-2 part of several too long": func(s *carriers.Submission) {
			s.Text, s.Encoding, s.Parts = strings.Repeat("я", 67), smstext.UCS2, 2
		},
		"unknown encoding": func(s *carriers.Submission) { s.Encoding = "latin1" },
		"part zero":        func(s *carriers.Submission) { s.Part, s.Parts = 0, 2 },
		"part beyond all":  func(s *carriers.Submission) { s.Part, s.Parts = 3, 2 },
		"too many parts":   func(s *carriers.Submission) { s.Part, s.Parts = 1, 256 },
	} {
		s := good
		spoil(&s)
		_, err := submit(t, "", s)
		if err == nil {
			t.Errorf("%s: it was encoded", name)
		} else if strings.Contains(err.Error(), "private") || strings.Contains(err.Error(), "91234567") {
			t.Errorf("%s: text or number is in %q", name, err)
		}
	}
}

func TestValidityIsRelative(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                    "",
		-time.Second:         "",
		time.Millisecond:     "000000000001000R",
		90 * time.Second:     "000000000130000R",
		36 * time.Hour:       "000001120000000R",
		30 * 24 * time.Hour:  "000030000000000R",
		400 * 24 * time.Hour: "000030000000000R",
	} {
		if got := string(appendRelativeTime(nil, d)); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
