package secrets_test

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/internal/secrets"
)

const (
	oldKey = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	newKey = "MTEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
)

func linkRing(t *testing.T, keys string) *secrets.Keyring {
	t.Helper()
	r, err := secrets.Parse(keys)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestALinkOpensForItsAccountAlone(t *testing.T) {
	r, seen, shape := linkRing(t, oldKey), map[string]bool{}, regexp.MustCompile(`^[0-9A-Za-z]{12}$`)
	accounts := []int64{7, 8, 1 << 60}
	for i := range uint64(20000) {
		number := 4740000000 + i
		if i%2 == 1 {
			number = rand.Uint64N(1e15)
		}
		account := accounts[i%3]
		link := r.Link(account, number)
		if !shape.MatchString(link) || seen[link] {
			t.Fatalf("%s of %d", link, number)
		}
		seen[link] = true
		want := secrets.Linked{Account: account, Number: number}
		if found := r.Linked(link, accounts); !slices.Contains(found, want) {
			t.Fatalf("%s opens as %v, not as %v", link, found, want)
		}
		want.Account = 9
		if slices.Contains(r.Linked(link, []int64{9}), want) {
			t.Fatalf("%s opens for another account", link)
		}
	}
}

func TestALinkOutlivesANewKey(t *testing.T) {
	link := linkRing(t, oldKey).Link(7, 4741234567)
	want := []secrets.Linked{{Account: 7, Number: 4741234567}}
	if diff := cmp.Diff(want, linkRing(t, newKey+","+oldKey).Linked(link, []int64{7})); diff != "" {
		t.Error(diff)
	}
	if found := linkRing(t, newKey).Linked(link, []int64{7}); len(found) > 0 {
		t.Errorf("with another key it opens as %v", found)
	}
}

func TestWhatIsNoLinkOpensNothing(t *testing.T) {
	r := linkRing(t, oldKey)
	link := r.Link(7, 4741234567)
	for _, wrong := range []string{"", link[1:], link + "0", link[:11] + "-", link[:11] + "\u00e5", "zzzzzzzzzzzz", "000000000000"} {
		if len(r.Linked(wrong, []int64{7})) > 0 {
			t.Errorf("%q opens", wrong)
		}
	}
	opened := 0
	for i := range linkTries {
		wrong := []byte(link)
		wrong[i%12] = "0123456789abcdefghijk"[i%21]
		wrong[(i/12)%12] = "ABCDEFGHIJKLMNOPQRSTU"[i/7%21]
		if len(r.Linked(string(wrong), []int64{7})) > 0 && string(wrong) != link {
			opened++
		}
	}
	if opened > 0 {
		t.Errorf("%d of %d changed links open", opened, linkTries)
	}
}

const linkTries = 2000
