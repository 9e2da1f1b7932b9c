package db

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
)

// channel is where Notify speaks on PostgreSQL.
const channel = "varsel"

// Notify says a word to every process that listens, when the transaction has
// committed. On SQLite nobody else works on the database, and nothing is said.
func (tx *Tx) Notify(ctx context.Context, word string) error {
	if tx.dialect == SQLite {
		return nil
	}
	_, err := tx.ExecContext(ctx, `SELECT pg_notify('`+channel+`', $1)`, word)
	return err
}

// Listen hears words until the context ends. It is a quicker way to know, not a
// sure one: words that are said while the connection is away are lost, and a
// pooler between us and PostgreSQL may let none through.
func (d *DB) Listen(ctx context.Context, heard func(word string)) {
	if d.dialect == SQLite {
		return
	}
	for ctx.Err() == nil {
		if err := d.listenOnce(ctx, heard); err != nil && ctx.Err() == nil {
			slog.Debug("listening to the database ended", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

func (d *DB) listenOnce(ctx context.Context, heard func(word string)) error {
	conn, err := d.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(driver any) error {
		c := driver.(*stdlib.Conn).Conn()
		defer c.Close(context.Background()) // it must not go back to the pool: it listens
		if _, err := c.Exec(ctx, "LISTEN "+channel); err != nil {
			return err
		}
		for {
			n, err := c.WaitForNotification(ctx)
			if err != nil {
				return err
			}
			heard(n.Payload)
		}
	})
}
