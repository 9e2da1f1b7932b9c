package web

import (
	"fmt"
	"testing"

	"github.com/varsel/varsel/cards"
)

// held is what the shelf holds in fact, in bytes.
func (l *cardShelf) held() (n int) {
	for _, s := range l.all {
		for _, m := range s.made {
			n += len(m.body)
		}
	}
	for _, logo := range l.logos {
		n += len(logo.body)
	}
	return n
}

func TestTheCardsThatAreKeptAreBoundedInBytes(t *testing.T) {
	var l cardShelf
	for i := range 400 {
		s := &shelved{made: map[string]made{}, shelf: &l}
		s.Slug = fmt.Sprint(i % 150) // some are shown anew
		l.keep(s.Slug, s)
		for _, what := range []string{"photo", "code", "photo"} {
			if m, err := s.once(what, func() ([]byte, error) { return make([]byte, 300_000), nil }); err != nil || len(m.body) != 300_000 {
				t.Fatal(len(m.body), err)
			}
		}
		if i%7 == 0 {
			l.drop(s.Slug)
			if _, err := s.once("late", func() ([]byte, error) { return make([]byte, 300_000), nil }); err != nil { // by whoever had it still
				t.Fatal(err)
			}
		}
		if l.bytes != l.held() || l.bytes > mostShelvedBytes {
			t.Fatalf("after %d cards %d bytes are kept, and %d counted", i+1, l.held(), l.bytes)
		}
	}
}

func TestALogoIsReadOnceForAllCards(t *testing.T) {
	var l cardShelf
	l.keep("a", &shelved{shelf: &l})
	reads := 0
	for i := range 600 {
		for range 2 {
			got, err := l.logo(int64(i), func() (cards.Image, error) {
				reads++
				return cards.Image{MediaType: "image/png", Content: make([]byte, 200_000)}, nil
			})
			if err != nil || got.mediaType != "image/png" || len(got.body) != 200_000 || got.etag == "" {
				t.Fatal(got.mediaType, len(got.body), err)
			}
		}
		if l.bytes != l.held() || l.bytes > mostShelvedBytes {
			t.Fatalf("after %d logos %d bytes are kept, and %d counted", i+1, l.held(), l.bytes)
		}
	}
	if reads > 601 { // the one that filled it was not kept
		t.Errorf("600 logos were read %d times", reads)
	}
}
