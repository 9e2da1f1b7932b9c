package contacts

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/varsel/varsel/internal/problem"
)

var ownField = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// ZoneField is the field of a contact that says in which time zone (IANA) they are:
// sending windows are then meant there, wherever their number belongs.
const ZoneField = "time_zone"

// IsFieldName says whether a field of one's own can be called so: up to 40 small
// letters, digits and underscores, a letter first.
func IsFieldName(name string) bool { return ownField.MatchString(name) }

// mostFields bounds how many fields of its own a contact has.
const mostFields = 50

// Fields are what is known of a contact beyond what every contact has, by name.
func (b *Book) Fields(ctx context.Context, account, contact int64) (map[string]string, error) {
	if _, err := b.Contact(ctx, account, contact); err != nil {
		return nil, err
	}
	return b.fieldsOf(ctx, contact)
}

// SetFields changes the fields that are named, also of a contact that follows a
// directory; an empty value forgets a field. It answers all there are then.
func (b *Book) SetFields(ctx context.Context, account, contact int64, values map[string]string) (map[string]string, error) {
	all, err := b.Fields(ctx, account, contact)
	if err != nil {
		return nil, err
	}
	tidy := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if tidy[name], err = tidyField(name, values[name]); err != nil {
			return nil, err
		}
		if all[name] = tidy[name]; tidy[name] == "" {
			delete(all, name)
		}
	}
	if len(all) > mostFields {
		return nil, problem.Invalid("fields", "a contact has at most %d fields of its own, not %d", mostFields, len(all))
	}
	if err := b.writeFields(ctx, account, contact, tidy); err != nil {
		return nil, err
	}
	return b.fieldsOf(ctx, contact)
}

func tidyField(name, value string) (string, error) {
	if !IsFieldName(name) {
		return "", problem.Invalid("fields", "a field is named with up to 40 small letters, digits and underscores, a letter first, not %q", name)
	}
	value = oneLine(value)
	if utf8.RuneCountInString(value) > longestField || !utf8.ValidString(value) {
		return "", problem.Invalid("fields", "%s is longer than %d characters", name, longestField)
	}
	if name == ZoneField && !isZone(value) {
		return "", problem.Invalid("fields", "%q is no time zone such as Europe/Oslo", value)
	}
	return value, nil
}

// isZone is true of an IANA zone, and of an empty value. Local would be that of the
// machine.
func isZone(name string) bool {
	_, err := time.LoadLocation(name)
	return err == nil && name != "Local"
}
