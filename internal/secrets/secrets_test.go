package secrets_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

func TestMain(m *testing.M) { dbtest.Run(m) }

func key(fill byte) string {
	raw := make([]byte, 32)
	for i := range raw {
		raw[i] = fill
	}
	return base64.StdEncoding.EncodeToString(raw)
}

func ring(t *testing.T, text string) *secrets.Keyring {
	t.Helper()
	r, err := secrets.Parse(text)
	must(t, err)
	return r
}

func TestWhatWasSealedOpensAfterARotation(t *testing.T) {
	old := ring(t, key(1))
	sealed := old.Seal([]byte("hunter2"), "carrier main")
	rotated := ring(t, key(2)+", "+key(1))
	plain, err := rotated.Open(sealed, "carrier main")
	must(t, err)
	if string(plain) != "hunter2" || strings.Contains(sealed, "hunter2") {
		t.Errorf("%q %q", plain, sealed)
	}
	if _, err := ring(t, key(2)).Open(sealed, "carrier main"); err == nil {
		t.Error("it opens without its key")
	}
	if _, err := old.Open(sealed, "carrier other"); err == nil {
		t.Error("it opens elsewhere")
	}
	if _, err := old.Open(sealed[:len(sealed)-2]+"AA", "carrier main"); err == nil {
		t.Error("it opens after a change")
	}
}

func TestAKeyThatIsNoneIsRefused(t *testing.T) {
	for _, text := range []string{"", "x", "AAAA", key(1) + ",", "!" + key(1)} {
		if _, err := secrets.Parse(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestTheKeyFileIsMadeOnceForItsOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "varsel.key")
	var made sync.WaitGroup
	sealed := make(chan string, 8)
	for range cap(sealed) {
		made.Go(func() {
			if r, err := secrets.FromFile(path); err == nil {
				sealed <- r.Seal([]byte("x"), "x")
			}
		})
	}
	made.Wait()
	close(sealed)
	r, err := secrets.FromFile(path)
	must(t, err)
	for s := range sealed {
		if _, err := r.Open(s, "x"); err != nil {
			t.Error(err)
		}
	}
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}

// Whom an account erased is known again whatever key seals.
func TestAMarkStaysWhenTheSecretKeyChanges(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		names, err := secrets.OpenNames(t.Context(), d, ring(t, key(1)))
		must(t, err)
		again, err := secrets.OpenNames(t.Context(), d, ring(t, key(2)+","+key(1)))
		must(t, err)
		mark := names.Mark("number", "1", "+4791234567")
		if again.Mark("number", "1", "+4791234567") != mark || len(mark) != 64 {
			t.Error(mark)
		}
		for _, other := range [][]string{{"number", "2", "+4791234567"}, {"number", "1", "+4791234568"}, {"number", "1+4791234567"}} {
			if names.Mark(other...) == mark {
				t.Errorf("%v has the same mark", other)
			}
		}
	})
}

func TestANameIsAPermutationThatTellsNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		names, err := secrets.OpenNames(t.Context(), d, ring(t, key(1)))
		must(t, err)
		again, err := secrets.OpenNames(t.Context(), d, ring(t, key(2)+","+key(1)))
		must(t, err)
		rapid.Check(t, func(t *rapid.T) {
			id := rapid.Int64Min(1).Draw(t, "id")
			name := names.Of(secrets.Message, id)
			got, err := again.ID(secrets.Message, name)
			if err != nil || got != id {
				t.Fatalf("%s is %d, %v; want %d", name, got, err, id)
			}
			if _, err := names.ID(secrets.Campaign, "cmp"+strings.TrimPrefix(name, "msg")); err == nil {
				t.Fatal("a message's name is a campaign's")
			}
			if next := names.Of(secrets.Message, id+1); next[:10] == name[:10] {
				t.Fatalf("%s and %s are alike", name, next)
			}
		})
		for _, made := range []string{"", "msg_", "msg_00000000000000000000000000", "7", "msg_!"} {
			if _, err := names.ID(secrets.Message, made); err == nil {
				t.Errorf("%q is a name", made)
			}
		}
	})
}

func TestANameOfNothingIsRefusedByWhatItIsOf(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		names, err := secrets.OpenNames(t.Context(), d, ring(t, key(1)))
		must(t, err)
		for prefix, want := range map[string]string{secrets.Message: "message", secrets.Suppress: "suppression", secrets.Invoice: "invoice", secrets.Agreement: "agreement",
			secrets.Erasure: "erasure", secrets.Hold: "hold", secrets.ExportOfAll: "export", secrets.RouteRule: "rule", secrets.Objection: "objection"} {
			_, err := names.ID(prefix, prefix+"_1")
			if p := problem.As(err); p == nil || p.Code != want+"_not_found" || p.Text != "there is no "+want+` "`+prefix+`_1"` {
				t.Errorf("%s: %v", prefix, p)
			}
			if _, err := names.ID(prefix, ""); err.Error() != "there is no such "+want {
				t.Errorf("%s: %v", prefix, err)
			}
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
