package smsqueue_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
)

// The SMSC of these tests answers when the carrier has given up waiting.
const (
	impatience = 50 * time.Millisecond
	slowness   = 400 * time.Millisecond
)

func (h *house) impatientRoute() {
	h.t.Helper()
	h.routeWith(map[string]any{"response_timeout": impatience.String()})
}

// routeWith configures the SMSC as the carrier, with these fields besides the needful.
func (h *house) routeWith(fields map[string]any) {
	h.t.Helper()
	all := map[string]any{"addr": h.smsc.Addr(), "system_id": "varsel", "password": "secret", "window": 50}
	maps.Copy(all, fields)
	config, err := json.Marshal(all)
	must(h.t, err)
	_, err = h.queue.AddRoute(h.t.Context(), "main", "smpp", config)
	must(h.t, err)
}

const twoParts = "Zażółć gęślą jaźń: a text of two parts, because Polish letters are not all in the alphabet of GSM and so each takes more room."

// U4
func TestALateAnswerConfirmsWhatWasUnconfirmed(t *testing.T) {
	eachHouse(t, smscsim.Faults{AnswerDelay: slowness, NoReceipts: true}, func(t *testing.T, h *house) {
		h.impatientRoute()
		h.work()
		const people = 20
		g := h.group(h.account.ID, "Board", people, 0)
		for _, text := range []string{"Hello", twoParts} {
			before := h.smsc.Counts().Accepted
			c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: text})
			c = h.until(c, func(c smsqueue.Campaign) bool { return c.Counts[smsqueue.Sent] == people })
			if went := h.smsc.Counts().Accepted - before; went != people*c.Parts {
				t.Errorf("the SMSC has %d parts of %d", went, people*c.Parts)
			}
			money, err := campaignMoney(t.Context(), h.db, h.account.ID, c.ID)
			must(t, err)
			if money.Open() != 0 || money.Charged != money.Reserved {
				t.Errorf("what the carrier accepted late is charged: %+v", money)
			}
		}
		left, err := db.Column[int64](t.Context(), h.db, `SELECT message_id FROM unconfirmed`)
		must(t, err)
		late, err := db.Column[int64](t.Context(), h.db, `SELECT part FROM message_parts WHERE part < 0`)
		must(t, err)
		if len(left) > 0 || len(late) > 0 {
			t.Errorf("still unconfirmed: %v, ids without a part: %v", left, late)
		}
	})
}

func TestAReceiptFindsAPartThatWasAnsweredLate(t *testing.T) {
	eachHouse(t, smscsim.Faults{AnswerDelay: slowness, ReceiptDelay: 10 * time.Millisecond}, func(t *testing.T, h *house) {
		h.impatientRoute()
		h.work()
		g := h.group(h.account.ID, "Board", 20, 0)
		h.nobodyLost(h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: twoParts}), finished), 20)
	})
}

func TestALateRefusalRejectsWhatWasUnconfirmed(t *testing.T) {
	eachHouse(t, smscsim.Faults{AnswerDelay: slowness, SubmitStatus: 0x0B}, func(t *testing.T, h *house) {
		h.impatientRoute()
		h.work()
		g := h.group(h.account.ID, "Board", 10, 0)
		c := h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"}), finished)
		all, err := h.queue.Messages(t.Context(), h.account.ID, smsqueue.MessageFilter{Campaign: c.ID, Limit: 20})
		must(t, err)
		for _, m := range all {
			got := []any{m.Status, m.Code, m.Reason, m.Money}
			if diff := cmp.Diff([]any{smsqueue.Rejected, "0x0B", "rejected", smsqueue.Released}, got); diff != "" {
				t.Error(diff)
			}
		}
	})
}

// What goes again is not called back, and the receipt of its first copy counts.
func TestALateAnswerLeavesAloneWhatGoesAgain(t *testing.T) {
	eachHouse(t, smscsim.Faults{AnswerDelay: slowness, NoReceipts: true}, func(t *testing.T, h *house) {
		h.impatientRoute()
		h.work()
		m, err := h.queue.Send(t.Context(), h.account.ID, smsqueue.Single{To: number(1), Text: "Hello", Lane: smsqueue.Normal})
		must(t, err)
		h.eventually(func() bool {
			parts, err := db.Column[int64](t.Context(), h.db, `SELECT part FROM message_parts`)
			must(t, err)
			return len(parts) > 0
		})
		now, err := h.queue.Message(t.Context(), m.Account, m.ID)
		must(t, err)
		if now.Status != smsqueue.Queued && now.Status != smsqueue.Sending || !now.PossibleDuplicate {
			t.Errorf("the message is %s, possible duplicate: %t", now.Status, now.PossibleDuplicate)
		}
		h.smsc.SetFaults(smscsim.Faults{NoReceipts: true})
		h.untilMessage(m, smsqueue.Sent)
		h.eventually(func() bool { // every id that the SMSC gave is known, however late it came
			ids, err := db.Column[string](t.Context(), h.db, `SELECT carrier_key FROM message_parts`)
			must(t, err)
			return len(ids) == h.smsc.Counts().Accepted
		})
	})
}

// An answer may come late while another part of the message is still under way:
// the ids wait under other numbers, also those of an earlier try.
func TestASweepSettlesWhatWasAnsweredLateTooEarly(t *testing.T) {
	eachHouse(t, smscsim.Faults{NeverAnswer: true}, func(t *testing.T, h *house) {
		h.impatientRoute()
		h.work()
		g := h.group(h.account.ID, "Board", 1, 0)
		c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: twoParts})
		h.until(c, func(c smsqueue.Campaign) bool { return c.Counts[smsqueue.Unconfirmed] == 1 })
		must(t, h.db.InTx(t.Context(), func(tx *db.Tx) error { // or a sweep finds some of them
			for part, id := range map[int]string{-2: "first", -3: "second", -2 - 256: "again"} {
				if _, err := tx.ExecContext(t.Context(), `
					INSERT INTO message_parts (message_id, part, carrier_id, carrier_key, carrier_raw)
					SELECT message_id, $1, carrier_id, $2, $2 FROM unconfirmed`, part, id); err != nil {
					return err
				}
			}
			return nil
		}))
		h.until(c, func(c smsqueue.Campaign) bool { return c.Counts[smsqueue.Sent] == 1 })
		ids, err := db.Column[string](t.Context(), h.db, `SELECT carrier_key FROM message_parts ORDER BY part`)
		must(t, err)
		if diff := cmp.Diff([]string{"again", "first", "second"}, ids); diff != "" {
			t.Error(diff)
		}
	})
}

// U7
func TestALongTextArrivesWholeOnEveryKindOfRoute(t *testing.T) {
	for name, fields := range map[string]map[string]any{
		"8-bit reference": {"short_reference": true},
		"SAR":             {"long_messages": "sar"},
		"payload":         {"long_messages": "payload"},
		"two binds":       {"bind": "transmitter_receiver", "binds": 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, dbtest.SQLiteURL(t), smscsim.Faults{})
			h.routeWith(fields)
			h.work()
			g := h.group(h.account.ID, "Board", 20, 0)
			h.nobodyLost(h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: twoParts}), finished), 20)
			if diff := cmp.Diff([]string{twoParts}, h.smsc.Texts(strings.TrimPrefix(number(0), "+"))); diff != "" {
				t.Error(diff)
			}
		})
	}
}
