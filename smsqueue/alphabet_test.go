package smsqueue_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/smstext"
)

// What a route can carry decides how a text is cut and priced, and it arrives as
// it was written: a handset that has not the table, as the simulated one, shows the
// letter without its mark. // U7
func TestARouteDecidesHowATextIsCut(t *testing.T) {
	for name, c := range map[string]struct {
		route    map[string]any
		text     string
		encoding smstext.Encoding
		parts    int
	}{
		"with no table for it":     {nil, strings.Repeat("ş", 71), smstext.UCS2, 2},
		"with the Turkish tables":  {map[string]any{"languages": []string{"tr"}}, strings.Repeat("ş", 71), smstext.GSM7, 1},
		"in the GSM alphabet":      {nil, strings.Repeat("€", 71), smstext.GSM7, 1},
		"in Latin-1, without euro": {map[string]any{"default_alphabet": "latin1", "gsm7_coding": 3}, strings.Repeat("€", 71), smstext.UCS2, 2},
		"in Latin-1, what it has":  {map[string]any{"default_alphabet": "latin1", "gsm7_coding": 3}, strings.Repeat("é", 160), smstext.GSM7, 1},
	} {
		t.Run(name, func(t *testing.T) {
			eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
				h.routeWith(c.route)
				h.work()
				m, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(1), Text: c.text})
				must(t, err)
				h.untilMessage(m, smsqueue.Delivered)
				if m.Encoding != c.encoding || m.Parts != c.parts || h.smsc.Counts().Submits != c.parts {
					t.Errorf("%s in %d parts, %d submitted", m.Encoding, m.Parts, h.smsc.Counts().Submits)
				}
				shown := strings.ReplaceAll(c.text, "ş", "s")
				if c.encoding == smstext.UCS2 {
					shown = c.text
				}
				if diff := cmp.Diff([]string{shown}, h.smsc.Texts(number(1)[1:])); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}
