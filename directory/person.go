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

// with takes over what a change says of the selected properties: absent is as it
// was, null is cleared.
func (f fields) with(said map[string]json.RawMessage, selected []string) fields {
	next := fields{}
	for _, name := range selected {
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

// holdsAny says whether a property is a list with something in it.
func (f fields) holdsAny(name string) bool {
	var all []json.RawMessage
	return json.Unmarshal(f[name], &all) == nil && len(all) > 0
}

// person is how the address book knows them.
func (f fields) person(id, accountRegion string, s Settings) contacts.Person {
	names := []string{f.string("displayName"), f.string("mail"), id}
	return contacts.Person{
		DirectoryID: id,
		Name:        names[slices.IndexFunc(names, func(s string) bool { return strings.TrimSpace(s) != "" })],
		Department:  f.string("department"),
		JobTitle:    f.string("jobTitle"),
		Office:      f.string("officeLocation"),
		Email:       f.string("mail"),
		Language:    f.string("preferredLanguage"),
		Phone:       f.phone(f.region(accountRegion), s),
	}
}

// region is where their numbers without a country code belong.
func (f fields) region(accountRegion string) string {
	return contacts.Region(f.string("usageLocation"), f.string("country"), accountRegion)
}

func (f fields) phone(region string, s Settings) contacts.Choice {
	mobile, business := f.string("mobilePhone"), f.strings("businessPhones")
	if s.PhoneFallbackOnInvalid {
		return contacts.ChooseValid(mobile, business, region)
	}
	return contacts.Choose(mobile, business, region)
}
