package audit_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/problem"
)

func TestMain(m *testing.M) { dbtest.Run(m) }

const account = 7

func record(t *testing.T, ctx context.Context, d *db.DB, e audit.Entry) (done audit.Entry) {
	t.Helper()
	err := d.InTx(ctx, func(tx *db.Tx) (err error) {
		done, err = audit.Record(ctx, tx, e)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return done
}

// five entries about a contact, 40 to 44, each.
func five(t *testing.T, d *db.DB) {
	t.Helper()
	ctx := audit.As(t.Context(), audit.Actor{Kind: audit.User, ID: 3})
	for i := range int64(5) {
		record(t, ctx, d, audit.Entry{Account: account, Action: "contact.edited", Subject: "con", SubjectID: 40 + i,
			Facts: map[string]int64{"fields": i}, Detail: map[string]string{"name": fmt.Sprintf("Kari %d", i)}})
	}
}

func TestWhoDidWhatIsReadBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		five(t, d)
		record(t, t.Context(), d, audit.Entry{Account: account + 1, Action: "campaign.held"})
		all, err := audit.List(t.Context(), d, account, 3, 1)
		if err != nil || len(all) != 1 {
			t.Fatal(all, err)
		}
		e := all[0]
		got := []any{e.Seq, e.Actor, e.Action, e.SubjectID, string(e.Facts.(json.RawMessage)), string(e.Detail.(json.RawMessage)), e.Erased}
		want := []any{int64(2), audit.Actor{Kind: audit.User, ID: 3}, "contact.edited", int64(41), `{"fields":1}`, `{"name":"Kari 1"}`, false}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		other, err := audit.List(t.Context(), d, account+1, 0, 10)
		if err != nil || len(other) != 1 || other[0].Actor.Kind != audit.System || other[0].Detail != nil {
			t.Error(other, err)
		}
	})
}

// Erasing details leaves a chain that verifies, and whose end is the same.
func TestAChainVerifiesAfterAnErasure(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		five(t, d)
		before, err := audit.Verify(t.Context(), d, account)
		if err != nil || before.Entries != 5 {
			t.Fatal(before, err)
		}
		if err := audit.Erase(t.Context(), d, account, []int64{2, 4}); err != nil {
			t.Fatal(err)
		}
		after, err := audit.Verify(t.Context(), d, account)
		if err != nil || after != before {
			t.Error(before, after, err)
		}
		all, err := audit.List(t.Context(), d, account, 0, 10)
		if err != nil || !all[1].Erased || all[1].Detail != nil || all[0].Erased {
			t.Error(all, err)
		}
	})
}

func TestWhoeverChangesAnEntryIsFound(t *testing.T) {
	for name, change := range map[string]string{
		"facts":      `UPDATE audit_entries SET facts = '{}' WHERE seq = 3`,
		"actor":      `UPDATE audit_entries SET actor_id = 4 WHERE seq = 3`,
		"detail":     `UPDATE audit_entries SET detail = '{"name":"Ola"}' WHERE seq = 3`,
		"commitment": `UPDATE audit_entries SET commitment = '' WHERE seq = 3`,
		"removed":    `DELETE FROM audit_entries WHERE seq = 3`,
		"cut off":    `DELETE FROM audit_entries WHERE seq = 5`,
		"exchanged":  `UPDATE audit_entries SET seq = CASE seq WHEN 3 THEN 14 WHEN 4 THEN 13 END WHERE seq IN (3, 4); UPDATE audit_entries SET seq = seq - 10 WHERE seq > 10`,
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				five(t, d)
				if _, err := d.Writer().ExecContext(t.Context(), change); err != nil {
					t.Fatal(err)
				}
				if _, err := audit.Verify(t.Context(), d, account); !problem.Has(err, "audit_broken") {
					t.Error(err)
				}
			})
		})
	}
}

// Whoever can write the database can write a whole chain anew; a head that was kept
// elsewhere shows it, and one that is still in the chain does not hinder.
func TestAHeadThatWasKeptShowsAChainWrittenAnew(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		five(t, d)
		kept, err := audit.Verify(t.Context(), d, account)
		if err != nil {
			t.Fatal(err)
		}
		record(t, t.Context(), d, audit.Entry{Account: account, Action: "campaign.held"})
		if h, err := audit.VerifySince(t.Context(), d, account, kept); err != nil || h.Entries != 6 {
			t.Error(h, err)
		}
		if _, err := d.Writer().ExecContext(t.Context(), `DELETE FROM audit_entries; DELETE FROM audit_heads`); err != nil {
			t.Fatal(err)
		}
		if _, err := audit.VerifySince(t.Context(), d, account, kept); !problem.Has(err, "audit_broken") {
			t.Error(err)
		}
		five(t, d)
		if _, err := audit.VerifySince(t.Context(), d, account, kept); !problem.Has(err, "audit_broken") {
			t.Error(err)
		}
		if _, err := audit.Verify(t.Context(), d, account); err != nil {
			t.Error(err)
		}
	})
}

// Those who append at once stand behind each other.
func TestEntriesOfManyAtOnceAreOneChain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() { five(t, d) })
		}
		all.Wait()
		if h, err := audit.Verify(t.Context(), d, account); err != nil || h.Entries != 40 {
			t.Error(h, err)
		}
	})
}
