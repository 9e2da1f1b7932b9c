package events_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/events"
)

func TestMain(m *testing.M) { dbtest.Run(m) }

func TestAnEventIsWrittenOnlyWhenItsTypeIsWanted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		if err := events.Subscribe(ctx, d, 7, "campaign.finished", "test"); err != nil {
			t.Fatal(err)
		}
		all := []events.Event{
			{Account: 7, Type: "campaign.finished", Data: map[string]int{"campaign": 3}},
			{Account: 7, Type: "campaign.started"},
			{Account: 8, Type: "campaign.finished"},
		}
		err := d.InTx(ctx, func(tx *db.Tx) error {
			for i := range all {
				all[i].ID, all[i].At = int64(i+1), time.UnixMilli(5)
				if err := events.Record(ctx, tx, all[i]); err != nil {
					return err
				}
				all[i].ID += 10
			}
			return events.RecordAll(ctx, tx, all)
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err := db.Column[string](ctx, d, `SELECT id || ' ' || account_id || ' ' || type || ' ' || data || ' ' || at FROM events ORDER BY id`)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{`1 7 campaign.finished {"campaign":3} 5`, `11 7 campaign.finished {"campaign":3} 5`}, got); diff != "" {
			t.Error(diff)
		}
	})
}
