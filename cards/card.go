package cards

import (
	"strings"
	"time"
)

// Card is somebody's.
type Card struct {
	ID, Account int64
	Tenant      string // of the directory that the holder is in
	DirectoryID string
	Contact     int64 // the holder in the address book
	Group       int64
	Slug        string
	State       State
	Language    string // the holder's, as the directory says; may be empty
	Revision    int64  // rises with every change of what the card tells
	Created     time.Time
	Updated     time.Time
	Withdrawn   time.Time
	Values
}

// State of a card.
type State string

// A card that was withdrawn tells nothing and keeps its slug; when the holder is back
// within 30 days, it is theirs again.
const (
	Active    State = "active"
	Withdrawn State = "withdrawn"
)

// Values are where what a card tells comes from.
type Values struct {
	Taken map[string]string // what the directory says now, by property
	Once  map[string]string // what was taken from it a single time, by field
	Edits map[string]string // what the holder wrote, by field
}

// Value is what a card tells in a field. What the directory always says comes first;
// then what the holder wrote, if they may; then what was taken once; then the default. So
// a field that is always in sync and editable is the holder's as long as the directory
// says nothing.
func (f Field) Value(v Values) string {
	if f.Hidden {
		return ""
	}
	return f.Kind.clean(f.value(v))
}

func (f Field) value(v Values) string {
	if said := strings.TrimSpace(v.Taken[f.From]); f.Sync == Always && said != "" {
		return said
	}
	if written := f.writtenIn(v); f.Editable && written != "" {
		return written
	}
	if f.Sync == Once && v.Once[f.ID] != "" {
		return v.Once[f.ID]
	}
	return f.Default
}

// writtenIn is what the holder wrote, "" where the field is of another kind since, which
// does not take it.
func (f Field) writtenIn(v Values) string {
	text, err := f.Kind.Read(v.Edits[f.ID])
	if err != nil {
		return ""
	}
	return text
}

// MayEdit says whether the holder may write the field now.
func (f Field) MayEdit(v Values) bool {
	return f.Editable && !f.Hidden && (f.Sync != Always || strings.TrimSpace(v.Taken[f.From]) == "")
}

// Told is a field with what a card tells in it.
type Told struct {
	Field
	Value string
}

// ToldSection is a section of a card, without the fields that tell nothing.
type ToldSection struct {
	Title  string
	Fields []Told
}

// Tell is what a card tells, section by section; those that tell nothing are left out.
func (b Body) Tell(v Values) (all []ToldSection) {
	for _, s := range b.Sections {
		told := ToldSection{Title: s.Title}
		for _, f := range s.Fields {
			if value := f.Value(v); value != "" {
				told.Fields = append(told.Fields, Told{f, value})
			}
		}
		if len(told.Fields) > 0 {
			all = append(all, told)
		}
	}
	return all
}

// First is what a card tells in the first field of a kind, "" for nothing.
func (b Body) First(v Values, kind Kind) string {
	for _, s := range b.Sections {
		for _, f := range s.Fields {
			if value := f.Value(v); f.Kind == kind && value != "" {
				return value
			}
		}
	}
	return ""
}
