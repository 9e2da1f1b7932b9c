package smsqueue

import (
	"context"
	"errors"
	"time"

	"github.com/varsel/varsel/internal/db"
)

// Remembered are messages as a worker remembers them that has given them to a carrier.
type Remembered []row

// Remember reads messages that stand as queued.
func Remember(ctx context.Context, d *db.DB, ids []int64) (rows Remembered, err error) {
	err = d.InTx(ctx, func(tx *db.Tx) error {
		rows, err = lockRows(ctx, tx, ids)
		return err
	})
	for i := range rows {
		rows[i].locked, rows[i].status = false, Sending
	}
	return rows, err
}

// Answer moves messages by what is remembered of them, as a carrier's answer does.
func Answer(ctx context.Context, d *db.DB, rows Remembered, to func(id int64) Status, crash bool) error {
	return moveAll(ctx, d, crash, len(rows), to, func(*db.Tx) ([]row, error) { return rows, nil })
}

// Receipt moves messages as they stand in the database, as a carrier's receipt does.
func Receipt(ctx context.Context, d *db.DB, ids []int64, to func(id int64) Status, crash bool) error {
	return moveAll(ctx, d, crash, len(ids), to, func(tx *db.Tx) ([]row, error) { return lockRows(ctx, tx, ids) })
}

var errCrash = errors.New("it crashed before it could commit")

func moveAll(ctx context.Context, d *db.DB, crash bool, most int, to func(id int64) Status, read func(tx *db.Tx) ([]row, error)) error {
	pool, err := poolFor(ctx, d, 1, most)
	if err != nil {
		return err
	}
	err = d.InTx(ctx, func(tx *db.Tx) error {
		rows, err := read(tx)
		if err != nil {
			return err
		}
		var moves []move
		for _, r := range rows {
			moves = append(moves, move{row: r, to: to(r.id)})
		}
		ids := pool
		if _, err := apply(ctx, tx, moves, &ids, time.Now()); err != nil {
			return err
		}
		if crash {
			return errCrash
		}
		return nil
	})
	if errors.Is(err, errCrash) {
		return nil
	}
	return err
}
