package db_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
)

func TestMain(m *testing.M) { dbtest.Run(m) }

func TestIDsAreContiguousAndRise(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var last int64
		for _, n := range []int{1, 3, 63, 64, 5000, 1, 2} {
			first, err := d.NewIDs(t.Context(), n)
			if err != nil {
				t.Fatal(err)
			}
			if n >= 64 && first <= last {
				t.Fatalf("block of %d begins at %d, not after %d", n, first, last)
			}
			last = max(last, first+int64(n)-1)
		}
	})
}

func TestIDsAreNeverGivenTwice(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const workers, each = 8, 40
		got := make(chan int64, workers*each)
		errs := make(chan error, workers)
		for range workers {
			go func() {
				for range each {
					id, err := d.NewIDs(context.Background(), 1)
					if err != nil {
						errs <- err
						return
					}
					got <- id
				}
				errs <- nil
			}()
		}
		for range workers {
			if err := <-errs; err != nil {
				t.Fatal(err)
			}
		}
		seen := map[int64]bool{}
		for range workers * each {
			id := <-got
			if seen[id] {
				t.Fatalf("id %d twice", id)
			}
			seen[id] = true
		}
	})
}

// The batch statements of the pipeline pass their rows as one JSON object keyed
// by id; both databases must read it with the same text.
func TestBulkThenUpdateFromJSON(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		err := d.InTx(ctx, func(tx *db.Tx) error {
			var rows [][]any
			for i := range 450 {
				rows = append(rows, []any{fmt.Sprintf("job%03d", i), int64(0)})
			}
			if err := tx.Bulk(ctx, "jobs", []string{"name", "due_at"}, rows); err != nil {
				return err
			}
			if err := tx.PreferIndexes(ctx); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, `
				UPDATE jobs SET due_at = CAST(r.value->>'due' AS BIGINT)
				FROM json_each($1) AS r WHERE jobs.name = r.key`, `{"job007": {"due": 7}, "job449": {"due": 449}}`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err := db.Column[string](ctx, d, `SELECT name FROM jobs WHERE due_at > $1 ORDER BY due_at`, 0)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"job007", "job449"}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAFailedTransactionLeavesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		boom := errors.New("boom")
		err := d.InTx(ctx, func(tx *db.Tx) error {
			if _, err := tx.ExecContext(ctx, `INSERT INTO jobs (name, due_at) VALUES ('a', 1)`); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatalf("got %v", err)
		}
		var n int
		if err := d.QueryRowContext(ctx, `SELECT COUNT(*) FROM jobs`).Scan(&n); err != nil || n != 0 {
			t.Fatalf("%d rows, %v", n, err)
		}
		_, err = d.ExecContext(ctx, `INSERT INTO jobs (name, due_at) VALUES ('a', 1), ('a', 2)`)
		if !db.IsDuplicate(err) {
			t.Fatalf("a taken key is %v", err)
		}
	})
}

func TestOneProcessWorksOnASQLiteDatabase(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLiteURL(t))
	release, err := d.LockForWork()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.LockForWork(); !errors.Is(err, db.ErrWorking) {
		t.Fatalf("a second lock: %v", err)
	}
	release()
	if release, err = d.LockForWork(); err != nil {
		t.Fatal(err)
	}
	release()
}

func TestASnapshotSeesOneMomentAndKeepsNoWriterWaiting(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		write := func(name string) {
			if _, err := d.ExecContext(t.Context(), `INSERT INTO installation (name, value) VALUES ($1, '')`, name); err != nil {
				t.Fatal(err)
			}
		}
		count := func(q db.Querier) (n int) {
			if err := q.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM installation`).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		write("a")
		var before, during int
		err := d.Snapshot(t.Context(), func(tx *db.Tx) error {
			before = count(tx)
			write("b")
			during = count(tx)
			_, err := tx.ExecContext(t.Context(), `INSERT INTO installation (name, value) VALUES ('c', '')`)
			return err
		})
		if err == nil || before != during || count(d) != before+1 {
			t.Errorf("%v: %d, then %d, then %d", err, before, during, count(d))
		}
	})
}
