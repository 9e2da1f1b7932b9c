package directory

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/varsel/varsel/contacts"
)

// fields is what the mirror keeps of a person: selected properties that are not
// null, by name.
type fields map[string]json.RawMessage

func readFields(text string) (f fields, err error) {
	return f, json.Unmarshal([]byte(text), &f)
}

func (f fields) text() string {
	text, err := json.Marshal(f)
	if err != nil {
		panic(err) // raw messages came out of a JSON decoder
	}
	return string(text)
}

// with takes over what a change says: absent is as it was, null is cleared.
func (f fields) with(said map[string]json.RawMessage) fields {
	next := fields{}
	for _, name := range PersonFields {
		value, ok := said[name]
		if !ok {
			value, ok = f[name]
		}
		if ok && string(value) != "null" {
			next[name] = value
		}
	}
	return next
}

// scopeFields are what inScope reads.
var scopeFields = []string{"accountEnabled", "userType"}

// inScope leaves out people who may not sign in and guests. Old objects have no
// userType; they are members.
func (f fields) inScope() bool {
	return string(f["accountEnabled"]) != "false" && !strings.EqualFold(f.string("userType"), "Guest")
}

// minimal keeps of people out of scope only what says that they are.
func (f fields) minimal() fields {
	if f.inScope() {
		return f
	}
	next := fields{}
	for _, name := range scopeFields {
		if value, ok := f[name]; ok {
			next[name] = value
		}
	}
	return next
}

// string is empty for what is not a string, so that one odd value does not stop
// a sync.
func (f fields) string(name string) (s string) {
	if json.Unmarshal(f[name], &s) != nil {
		return ""
	}
	return s
}

func (f fields) strings(name string) []string {
	var all []json.RawMessage
	if json.Unmarshal(f[name], &all) != nil {
		return nil
	}
	list := make([]string, len(all))
	for i, raw := range all {
		list[i] = fields{name: raw}.string(name)
	}
	return list
}

// person is how the address book knows them.
func (f fields) person(id, accountRegion string) contacts.Person {
	region := contacts.Region(f.string("usageLocation"), f.string("country"), accountRegion)
	names := []string{f.string("displayName"), f.string("mail"), id}
	return contacts.Person{
		DirectoryID: id,
		Name:        names[slices.IndexFunc(names, func(s string) bool { return strings.TrimSpace(s) != "" })],
		Department:  f.string("department"),
		JobTitle:    f.string("jobTitle"),
		Office:      f.string("officeLocation"),
		Email:       f.string("mail"),
		Language:    f.string("preferredLanguage"),
		Phone:       contacts.Choose(f.string("mobilePhone"), f.strings("businessPhones"), region),
	}
}
