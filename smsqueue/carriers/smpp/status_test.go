package smpp

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/smsqueue/carriers"
)

func TestVerdictOfEveryStatus(t *testing.T) {
	byKind := map[carriers.Kind][]status{
		carriers.Throttled:     {0x58, 0x14, 0x64},
		carriers.Retry:         {0x00, 0x04, 0x05, 0x08, 0x0D, 0x45},
		carriers.Misconfigured: {0x0E, 0x0F, 0x53, 0x59},
		carriers.Rejected: {
			0x01, 0x02, 0x03, 0x0A, 0x0B, 0x15, 0x33, 0x34, 0x40, 0x42, 0x43, 0x44,
			0x48, 0x49, 0x50, 0x51, 0x54, 0x61, 0x62, 0x65, 0x66,
			0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0xFE,
			0x06, 0x55, 0xFF, 0x400, 0x4FF, 0x7FFFFFFF, -1, // not listed: seen, and not sent again
		},
	}
	got := map[carriers.Kind][]status{}
	for _, statuses := range byKind {
		for _, s := range statuses {
			v := verdictOf(s)
			got[v.Kind] = append(got[v.Kind], s)
			if v.Text == "" {
				t.Errorf("%s has no text", v.Code)
			}
		}
	}
	if diff := cmp.Diff(byKind, got); diff != "" {
		t.Error(diff)
	}
}

func TestCodesAreWrittenAsCarriersWriteThem(t *testing.T) {
	for s, want := range map[status]string{0x08: "0x08", 0x58: "0x58", 0x40F: "0x40F", -1: "0xFFFFFFFF"} {
		if got := verdictOf(s).Code; got != want {
			t.Errorf("%d is %s, want %s", s, got, want)
		}
	}
}

func TestAVendorsStatusMeansWhatTheConfigurationSays(t *testing.T) {
	c := newCarrier(*settings(t, `,"statuses":{"0x455":"throttled","1110":"retry","0x0B":"misconfigured","0xFFFFFFFF":"throttled"}`), carriers.Events{})
	for s, want := range map[status]carriers.Kind{
		0x455: carriers.Throttled, 0x456: carriers.Retry, 0x0B: carriers.Misconfigured, -1: carriers.Throttled,
		0x457: carriers.Rejected, 0x58: carriers.Throttled,
	} {
		got := c.verdictOf(s)
		if got.Kind != want || got.Code != code(s) || got.Text == "" {
			t.Errorf("%s is %+v, want %s", code(s), got, want)
		}
	}
}

func TestRefusedBindSaysWhatToCheck(t *testing.T) {
	tests := []struct {
		status  status
		want    carriers.Status
		mention string
	}{
		{0x03, carriers.Refusing, "check bind"},
		{0x0D, carriers.Refusing, "how many binds"},
		{0x0E, carriers.Refusing, "check password"},
		{0x0F, carriers.Refusing, "check system_id"},
		{0x53, carriers.Refusing, "check system_type"},
		{0x59, carriers.Refusing, "ask the carrier"},
		{0x401, carriers.Refusing, "ask the carrier"},
		{0x05, carriers.Down, "earlier bind"},
		{0x08, carriers.Down, "fault"},
		{0x14, carriers.Down, "queue"},
		{0x58, carriers.Down, "attempts"},
		{0x64, carriers.Down, "for now"},
	}
	for _, tt := range tests {
		got := bindRefused("smsc.example:2775", tt.status)
		if got.Status != tt.want {
			t.Errorf("%s: got %s, want %s", code(tt.status), got.Status, tt.want)
		}
		for _, mention := range []string{tt.mention, code(tt.status), "smsc.example:2775"} {
			if !strings.Contains(got.Reason, mention) {
				t.Errorf("%s: %q does not mention %q", code(tt.status), got.Reason, mention)
			}
		}
	}
}
