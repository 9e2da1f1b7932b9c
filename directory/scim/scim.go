// Package scim is SCIM 2.0 (RFC 7643, RFC 7644) as documents: what a user and a
// group look like, which of them a filter means, and what a PATCH makes of them,
// in the RFC's words and in those of Microsoft Entra's provisioning service. It
// stores nothing and serves nothing.
package scim

import (
	"fmt"
	"strings"
	"time"
)

// Document is a resource's attributes under the names of the schema, without
// those that the server gives (id, meta, schemas) and without a group's members.
// An extension's attributes are an object under its URN.
type Document map[string]any

// Member is a user or group in a group. Kind is the name of its kind, or empty
// when it is neither a user nor a group that we know.
type Member struct {
	ID, Kind string
}

// Resource is a document as it is kept.
type Resource struct {
	Kind     *Kind
	ID       string
	Document Document
	Members  []Member
	Version  int64
	Created  time.Time
	Modified time.Time
}

// Error refuses a request; Type is one of RFC 7644 table 9.
type Error struct {
	Type, Detail string
}

func (e *Error) Error() string { return e.Detail }

// Types of an Error.
const (
	InvalidFilter = "invalidFilter"
	InvalidPath   = "invalidPath"
	InvalidSyntax = "invalidSyntax"
	InvalidValue  = "invalidValue"
	Mutability    = "mutability"
	NoTarget      = "noTarget"
	TooMany       = "tooMany"
	Uniqueness    = "uniqueness"
)

func refuse(kind, format string, args ...any) error {
	return &Error{Type: kind, Detail: fmt.Sprintf(format, args...)}
}

// Tag is the resource's version as an entity tag. It is weak: the same version
// is written in several ways.
func (r Resource) Tag() string { return fmt.Sprintf(`W/"%d"`, r.Version) }

// TagIn says whether an If-Match or If-None-Match header names the resource's
// version.
func (r Resource) TagIn(header string) bool {
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || strings.TrimPrefix(tag, "W/") == strings.TrimPrefix(r.Tag(), "W/") {
			return true
		}
	}
	return false
}
