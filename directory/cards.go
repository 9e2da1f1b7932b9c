package directory

import (
	"context"
	"database/sql"
	"iter"
	"slices"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/internal/db"
)

// selects says what is selected of a person: for the address book, the scope and the
// cards. A design that shows another property begins a full round by that.
func (s *syncing) selects(ctx context.Context) (err error) {
	s.onCards, err = s.cards.Properties(ctx, s.db, s.run.Account, s.connection.Tenant)
	s.selected = s.settings.personFields()
	for _, name := range s.onCards {
		if !slices.Contains(s.selected, name) {
			s.selected = append(s.selected, name)
		}
	}
	return err
}

func (s *syncing) followCards(ctx context.Context) (err error) {
	s.run.Cards, err = s.cards.Follow(ctx, s.run.Account, s.connection.Tenant, s.holders(ctx))
	return err
}

// holders are those of the address book who came from the directory. Of whom the brake
// keeps in it the mirror says nothing any more.
func (s *syncing) holders(ctx context.Context) iter.Seq2[cards.Person, error] {
	return func(yield func(cards.Person, error) bool) {
		contacts, err := s.book.InDirectory(ctx, s.run.Account, s.connection.Tenant)
		if err != nil {
			yield(cards.Person{}, err)
			return
		}
		for p, err := range s.withFields(ctx) {
			contact, is := contacts[p.id]
			if err == nil && !is {
				continue
			}
			delete(contacts, p.id)
			h := p.fields.holder(s.onCards)
			h.DirectoryID, h.Contact = p.id, contact
			if !yield(h, err) || err != nil {
				return
			}
		}
		for id, contact := range contacts {
			if !yield(cards.Person{DirectoryID: id, Contact: contact, Stays: true}, nil) {
				return
			}
		}
	}
}

// described is a person in scope with what the mirror keeps of them.
type described struct {
	id     string
	fields fields
}

// describedPage is how many of them are read at a time.
const describedPage = 1000

func (s *syncing) withFields(ctx context.Context) iter.Seq2[described, error] {
	return func(yield func(described, error) bool) {
		for after, more := "", true; more; {
			page, err := db.Collect(ctx, s.db, func(row *sql.Rows) (d described, err error) {
				var text string
				if err := row.Scan(&d.id, &text); err != nil {
					return d, err
				}
				d.fields, err = readFields(text)
				return d, err
			}, `
				SELECT object_id, fields FROM mirror_people
				WHERE connection_id = $1 AND removed_at = 0 AND skipped = '' AND object_id > $2 ORDER BY object_id LIMIT $3`,
				s.run.Connection, after, describedPage)
			if err != nil {
				yield(described{}, err)
				return
			}
			for _, d := range page {
				if after = d.id; !yield(d, nil) {
					return
				}
			}
			more = len(page) == describedPage
		}
	}
}

// holder is what a card may be made of: texts, and the first of a list of them.
func (f fields) holder(properties []string) cards.Person {
	h := cards.Person{Language: f.string("preferredLanguage"), Values: make(map[string]string, len(properties))}
	for _, name := range properties {
		value := f.string(name)
		if raw := f[name]; len(raw) > 0 && raw[0] == '[' {
			if list := f.strings(name); len(list) > 0 {
				value = list[0]
			}
		}
		if value != "" {
			h.Values[name] = value
		}
	}
	return h
}
