package smsqueue

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/smsqueue/carriers"
)

// U5
func TestAnIDIsLookedForInEveryFormThatCarriersUse(t *testing.T) {
	for raw, want := range map[string][]string{
		"1a2B":                                 {"1a2b", "6699"},
		"6699":                                 {"6699", "26265", "1a2b"},
		"0000001234":                           {"1234", "4660", "4d2"},
		"0":                                    {"0"},
		"  77 ":                                {"77", "119", "4d"},
		"5f0c1b9a-8f6e-4f0e-9c1d-2b7a4f5e6d7c": {"5f0c1b9a-8f6e-4f0e-9c1d-2b7a4f5e6d7c"},
		"ABCDEF0123456789ABCDEF0123456789":     {"abcdef0123456789abcdef0123456789"},
	} {
		if diff := cmp.Diff(want, idForms(idKey(raw))); diff != "" {
			t.Errorf("%q: %s", raw, diff)
		}
	}
}

func TestAReceiptIsForThePartWithItsIDAndItsHandset(t *testing.T) {
	parts := func(all ...knownPart) map[string][]knownPart {
		known := map[string][]knownPart{}
		for _, p := range all {
			p.key = idKey(p.raw)
			known[p.key] = append(known[p.key], p)
		}
		return known
	}
	const ola, kari = "+4790000001", "+4790000002"
	for name, c := range map[string]struct {
		id, phone string
		known     map[string][]knownPart
		want      int64 // message, 0 for none
	}{
		"same id":                           {"77", ola, parts(knownPart{message: 1, raw: "77", phone: ola}), 1},
		"hex answer, decimal receipt":       {"119", ola, parts(knownPart{message: 1, raw: "77", phone: ola}), 1},
		"decimal answer, hex receipt":       {"4D", ola, parts(knownPart{message: 1, raw: "77", phone: ola}), 1},
		"leading zeros":                     {"0000000077", ola, parts(knownPart{message: 1, raw: "77", phone: ola}), 1},
		"another form, another handset":     {"119", kari, parts(knownPart{message: 1, raw: "77", phone: ola}), 0},
		"same to the letter, other handset": {"77", kari, parts(knownPart{message: 1, raw: "77", phone: ola}), 1},
		"no handset said":                   {"119", "", parts(knownPart{message: 1, raw: "77", phone: ola}), 1},
		"the id as it came goes first":      {"10", ola, parts(knownPart{message: 2, raw: "10", phone: ola}, knownPart{message: 3, raw: "16", phone: ola}), 2},
		"an id used again means the newest": {"10", ola, parts(knownPart{message: 2, raw: "10", phone: ola}, knownPart{message: 9, raw: "10", phone: ola}), 9},
		"unknown":                           {"5", ola, parts(knownPart{message: 1, raw: "77", phone: ola}), 0},
	} {
		r := &receipt{Receipt: carriers.Receipt{ID: c.id, Phone: c.phone}, key: idKey(c.id)}
		p, found := choose(r, c.known)
		if found != (c.want != 0) || p.message != c.want {
			t.Errorf("%s: message %d, found %v", name, p.message, found)
		}
	}
}
