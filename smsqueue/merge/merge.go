// Package merge knows texts that differ from recipient to recipient: fields
// written {{first_name}} or, with what stands in place of an empty value,
// {{first_name|there}}.
package merge

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

const opening, closing, otherwise = "{{", "}}", "|"

// Field is one place in a text that is filled in for each recipient.
type Field struct {
	Name    string
	Default string // stands in place of an empty value
	// Optional says that there is a default, which may be empty itself. Where
	// there is none, an empty value leaves a hole in the text.
	Optional bool
}

// Text is a text that was read. The zero value is the empty one.
type Text struct {
	literals []string // what stands before each field, and after the last
	fields   []Field
}

// Fault is what is wrong with a field.
type Fault string

// The faults that Parse finds.
const (
	Unclosed Fault = "unclosed" // its closing braces are missing
	Unknown  Fault = "unknown"  // nothing has that name, or there is none
)

// Error says what is wrong with a field, and where it stands.
type Error struct {
	Fault Fault
	Name  string // as it was written
	At    int    // how many code points stand before its opening braces
}

func (e *Error) Error() string {
	if e.Fault == Unclosed {
		return fmt.Sprintf("the field that begins at character %d is not closed by }}", e.At+1)
	}
	return fmt.Sprintf("there is no field %q, which stands at character %d", e.Name, e.At+1)
}

// Parse reads a text whose fields have names that are known. Spaces around a
// name make no difference; a default is taken as it is written. The error is an
// *Error.
func Parse(text string, known func(name string) bool) (Text, error) {
	var t Text
	rest := text
	for {
		literal, after, found := strings.Cut(rest, opening)
		t.literals = append(t.literals, literal)
		if !found {
			return t, nil
		}
		at := utf8.RuneCountInString(text[:len(text)-len(after)-len(opening)])
		inner, behind, closed := strings.Cut(after, closing)
		if !closed || strings.Contains(inner, opening) {
			return Text{}, &Error{Fault: Unclosed, Name: inner, At: at}
		}
		f := fieldOf(inner)
		if !known(f.Name) {
			return Text{}, &Error{Fault: Unknown, Name: f.Name, At: at}
		}
		t.fields = append(t.fields, f)
		rest = behind
	}
}

func fieldOf(inner string) (f Field) {
	f.Name, f.Default, f.Optional = strings.Cut(inner, otherwise)
	f.Name = strings.TrimSpace(f.Name)
	return f
}

// Plain says that the text has no fields: it is the same for everybody.
func (t Text) Plain() bool { return len(t.fields) == 0 }

// Names are those of its fields, each once, in order of first appearance.
func (t Text) Names() (all []string) {
	for _, f := range t.fields {
		if !slices.Contains(all, f.Name) {
			all = append(all, f.Name)
		}
	}
	return all
}

// Append writes the text with the values that one recipient has for its fields.
// whole is false when a value is empty and has no default: then there is a hole
// in the text.
func (t Text) Append(to []byte, value func(name string) string) (text []byte, whole bool) {
	whole = true
	for i, f := range t.fields {
		to = append(to, t.literals[i]...)
		v := value(f.Name)
		if v == "" {
			v = f.Default
			whole = whole && f.Optional
		}
		to = append(to, v...)
	}
	if len(t.literals) > 0 {
		to = append(to, t.literals[len(t.literals)-1]...)
	}
	return to, whole
}

// Holes are the names of the fields that leave one, each once.
func (t Text) Holes(value func(name string) string) (names []string) {
	for _, f := range t.fields {
		if !f.Optional && value(f.Name) == "" && !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
	}
	return names
}
