// Package problem is an error that is meant for people: a stable code, a
// sentence, and the field it is about. Status numbers and pages exist only at
// the edge, which turns a Kind into them.
package problem

import (
	"errors"
	"fmt"
)

// Kind is what sort of refusal it is; the edge maps it to a status.
type Kind string

const (
	KindInvalid     Kind = "invalid"     // a value cannot be used; Field names it
	KindNotFound    Kind = "not_found"   // no such thing in this account
	KindConflict    Kind = "conflict"    // the state of things forbids it
	KindForbidden   Kind = "forbidden"   // who asks may not
	KindUnknown     Kind = "unknown_key" // who asks is not known
	KindGone        Kind = "gone"        // it was here, and is not any more
	KindUnavailable Kind = "unavailable" // not now; the same may work later
)

// Problem is an error for people.
type Problem struct {
	Kind  Kind
	Code  string // stable, snake_case: "no_agreement", "phone"
	Field string // JSON name of the field, for KindInvalid
	Text  string
}

func (p *Problem) Error() string { return p.Text }

// Invalid says that a field's value cannot be used.
func Invalid(field, format string, args ...any) error {
	return &Problem{Kind: KindInvalid, Code: "invalid_" + field, Field: field, Text: fmt.Sprintf(format, args...)}
}

// New is a problem of any other kind.
func New(kind Kind, code, format string, args ...any) error {
	return &Problem{Kind: kind, Code: code, Text: fmt.Sprintf(format, args...)}
}

// NotFound says that there is no such thing here. The name is what was asked for, and
// empty where that was no name of people's.
func NotFound(what, name string) error {
	if name == "" {
		return New(KindNotFound, what+"_not_found", "there is no such %s", what)
	}
	return New(KindNotFound, what+"_not_found", "there is no %s %q", what, name)
}

// Conflict says that the state of things forbids it.
func Conflict(code, format string, args ...any) error {
	return New(KindConflict, code, format, args...)
}

// As finds the Problem in an error, or nil.
func As(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	return nil
}

// Has says whether err is a problem with that code.
func Has(err error, code string) bool {
	p := As(err)
	return p != nil && p.Code == code
}
