package contacts

import (
	"context"
	"errors"
	"slices"
	"strings"
)

var errEnough = errors.New("enough was found")

// Find lists contacts whose name has the text in it, or whose number has its
// digits, at most limit, in the order of their ids. The databases disagree about
// what a small letter is beyond ASCII, so it goes through the list here.
func (b *Book) Find(ctx context.Context, account int64, text string, limit int) (found []Contact, err error) {
	name, digits := fold(oneLine(text)), onlyDigits(plain(text))
	if name == "" {
		return nil, nil
	}
	err = b.eachPage(ctx, account, func(page []Contact, _, _ int64) error {
		for _, c := range page {
			if len(found) == limit {
				return errEnough
			}
			if strings.Contains(fold(c.Name), name) || len(digits) > 2 && strings.Contains(c.Phone.E164, digits) {
				found = append(found, c)
			}
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return found, err
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// GroupNames are the groups that a contact is in.
func (b *Book) GroupNames(ctx context.Context, account, contact int64) ([]string, error) {
	names, err := b.groupNames(ctx, account, contact-1, contact)
	return slices.Sorted(slices.Values(names[contact])), err
}
