package migrations_test

import (
	"testing"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/migrations"
)

func TestMain(m *testing.M) { dbtest.Run(m) }

// Every step can be taken back, down to an empty database, and taken again.
func TestEveryStepGoesDownAndUpAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p, err := migrations.Provider(d)
		if err != nil {
			t.Fatal(err)
		}
		down, err := p.DownTo(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		up, err := migrations.Up(t.Context(), d)
		if err != nil || up != len(down) || up < 20 {
			t.Errorf("%d steps down, %d up: %v", len(down), up, err)
		}
	})
}
