package db_test

import (
	"context"
	"testing"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
)

func TestAWordIsHeardWhenItsTransactionCommits(t *testing.T) {
	d := dbtest.Open(t, dbtest.PostgresURL(t))
	ctx, stop := context.WithCancel(t.Context())
	words := make(chan string, 100)
	ended := make(chan struct{})
	go func() { defer close(ended); d.Listen(ctx, func(word string) { words <- word }) }()
	say := func(word string, result error) {
		t.Helper()
		err := d.InTx(t.Context(), func(tx *db.Tx) error {
			if err := tx.Notify(t.Context(), word); err != nil {
				return err
			}
			return result
		})
		if err != result {
			t.Fatal(err)
		}
	}
	for heard := false; !heard; { // it may not listen yet
		say("first", nil)
		select {
		case <-words:
			heard = true
		default:
		}
	}
	say("never", context.Canceled)
	say("last", nil)
	for {
		word := <-words
		if word == "never" {
			t.Fatal("a word of a transaction that was rolled back")
		}
		if word == "last" {
			break
		}
	}
	stop()
	<-ended
}
