package smsqueue_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
)

const benchPeople = 20_000

// BenchmarkCampaign sends a campaign end to end, from accepting it to its last
// receipt, over real SMPP, and holds it against what the database alone can do
// in the same run: the two updates per message that a pipeline lives on.
func BenchmarkCampaign(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteURL, "postgres": dbtest.PostgresURL} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				limit := updatesPerSecond(b, dbtest.Open(b, url(b))) / 2
				h := newHouse(b, url(b), smscsim.Faults{ReceiptDelay: 50 * time.Millisecond})
				h.route(2000, 0)
				h.work()
				g := h.group(h.account.ID, "All staff", benchPeople, 0)
				b.ResetTimer()
				c := h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"}), finished)
				took := c.Finished.Sub(c.Created)
				if c.Counts[smsqueue.Delivered] != benchPeople {
					b.Fatalf("%v", c.Counts)
				}
				rate := benchPeople / took.Seconds()
				b.ReportMetric(rate, "msg/s")
				b.ReportMetric(limit, "limit_msg/s")
				b.ReportMetric(rate/limit, "of_limit")
			}
		})
	}
}

// updatesPerSecond is what the database does alone: batches of 500 rows with
// different values, each committed.
func updatesPerSecond(b *testing.B, d *db.DB) float64 {
	b.Helper()
	const rows, batch = benchPeople, 500
	var all [][]any
	for i := range rows {
		all = append(all, []any{int64(i + 1), int64(1), int64(1), int64(1), int64(0), number(i), "gsm7", int64(1), int64(45000), "queued", int64(0)})
	}
	must(b, d.InTx(b.Context(), func(tx *db.Tx) error {
		return tx.Bulk(b.Context(), "messages", []string{"id", "account_id", "campaign_id", "range_id", "contact_id", "phone", "encoding",
			"parts", "price_micro", "status", "queued_at"}, all)
	}))
	began := time.Now()
	for first := 1; first <= rows; first += batch {
		changes := map[string][2]any{}
		for id := first; id < first+batch; id++ {
			changes[fmt.Sprint(id)] = [2]any{"sent", began.UnixMilli()}
		}
		text, err := json.Marshal(changes)
		must(b, err)
		must(b, d.InTx(b.Context(), func(tx *db.Tx) error {
			if err := tx.PreferIndexes(b.Context()); err != nil {
				return err
			}
			_, err := tx.ExecContext(b.Context(), `
				UPDATE messages SET status = r.value->>0, sent_at = CAST(r.value->>1 AS BIGINT)
				FROM json_each($1) AS r WHERE messages.id = CAST(r.key AS BIGINT)`, string(text))
			return err
		}))
	}
	return rows / time.Since(began).Seconds()
}

// BenchmarkFewBehindMany is how long a campaign to 200 takes that is started
// behind another account's 100,000, on a carrier of 100 messages a second.
func BenchmarkFewBehindMany(b *testing.B) {
	for range b.N {
		h := newHouse(b, dbtest.SQLiteURL(b), smscsim.Faults{})
		h.route(100, 100)
		h.work()
		other := h.open("other")
		many := h.group(h.account.ID, "All staff", 100_000, 0)
		few := h.group(other.ID, "Board", 200, 500_000)
		h.campaign(h.account.ID, smsqueue.NewCampaign{Group: many.ID, Text: "Hello"})
		h.untilAccepted(100)
		c := h.until(h.campaign(other.ID, smsqueue.NewCampaign{Group: few.ID, Text: "Hello"}), finished)
		b.ReportMetric(c.Finished.Sub(c.Created).Seconds(), "s")
	}
}
