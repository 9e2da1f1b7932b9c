package db

import (
	"context"
	"sync"
	"time"
)

// Ids come in blocks from one row: contiguous, ordered by time, and never
// given twice even after an old copy of the database was restored, because a
// block never begins below the present millisecond shifted by idBits.
const idBits = 20

// block is what is taken at once. An old one is not used up: ids tell in which
// order things came, also between processes.
const (
	block    = 1 << 14
	blockAge = time.Second
)

type idBlock struct {
	sync.Mutex
	next, end int64
	taken     time.Time
}

// NewIDs takes n contiguous ids and returns the first. It is a transaction of
// its own, so that the one row it takes them from is never held: call it
// before InTx, not inside. Ids that are not used leave a gap, which is harmless.
func (d *DB) NewIDs(ctx context.Context, n int) (int64, error) {
	if n >= block {
		return d.takeIDs(ctx, n)
	}
	d.ids.Lock()
	defer d.ids.Unlock()
	if d.ids.end-d.ids.next < int64(n) || time.Since(d.ids.taken) > blockAge {
		first, err := d.takeIDs(ctx, block)
		if err != nil {
			return 0, err
		}
		d.ids.next, d.ids.end, d.ids.taken = first, first+block, time.Now()
	}
	first := d.ids.next
	d.ids.next += int64(n)
	return first, nil
}

func (d *DB) takeIDs(ctx context.Context, n int) (int64, error) {
	var end int64
	floor := time.Now().UnixMilli() << idBits
	err := d.write.QueryRowContext(ctx, `
		UPDATE id_block SET next = CASE WHEN next > $1 THEN next ELSE $1 END + $2
		WHERE one = 1 RETURNING next`, floor, int64(n)).Scan(&end)
	return end - int64(n), err
}

// FirstID is the lowest id that NewIDs can give at a time: what has a lower one is
// older.
func FirstID(at time.Time) int64 { return at.UnixMilli() << idBits }

// TimeOfID is about when an id was given; zero for 0.
func TimeOfID(id int64) time.Time { return Time(id >> idBits) }

// Millis is a time as the database keeps it: unix milliseconds UTC, 0 for none.
func Millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// Time is the time that Millis wrote.
func Time(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
