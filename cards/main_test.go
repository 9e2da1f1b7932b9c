package cards_test

import (
	"testing"

	"github.com/varsel/varsel/internal/db/dbtest"
)

func TestMain(m *testing.M) { dbtest.Run(m) }
