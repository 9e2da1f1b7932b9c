package contacts

import (
	"context"
	"slices"
	"strconv"
)

// What the phone quality report warns of, besides the reasons why there is no
// number.
const (
	SharedNumber = "shared_number" // several contacts have it: one text reaches them all, or one of them
	DeskLine     = "desk_line"     // taken from the business numbers, so it may be no mobile
)

// AnyWarning asks for everybody of whom the report has something to say.
const AnyWarning = "any"

// QualityReasons are what a contact can be listed for, the plainest first.
var QualityReasons = []string{NoNumber, Extension, Letters, TooShort, TooLong, UnknownCountry, Invalid, SharedNumber, DeskLine}

// QualityFilter narrows the report; what is empty narrows nothing.
type QualityFilter struct {
	Tenant string // one directory's people
	Reason string // one of QualityReasons, or AnyWarning
	Group  int64  // the members of a group
}

// Checked is a contact and what the report says of its number.
type Checked struct {
	Contact
	SharedWith int // other contacts with the same number
}

// DeskLine says that the number may be no mobile.
func (c Checked) DeskLine() bool { return c.Phone.Rule == RuleBusiness && c.Phone.E164 != "" }

// Warnings are the words of QualityReasons that are true of the contact.
func (c Checked) Warnings() (all []string) {
	if c.Phone.Reason != "" {
		all = append(all, c.Phone.Reason)
	}
	if c.SharedWith > 0 {
		all = append(all, SharedNumber)
	}
	if c.DeskLine() {
		all = append(all, DeskLine)
	}
	return all
}

// QualitySummary counts an account's contacts, or one tenant's, by what the
// report says of their numbers.
type QualitySummary struct {
	Coverage
	Shared    int // contacts whose number another contact has too
	DeskLines int
}

// leastCoverage is the share of people with a number, in percent, below which a
// directory is not worth integrating.
const leastCoverage = 80

// Advised says whether enough people can be texted for an integration to be
// advised. Of nobody nothing can be said.
func (q QualitySummary) Advised() bool {
	return q.WithNumber*100 >= q.Contacts*leastCoverage
}

// Count is how many contacts are listed for one of QualityReasons.
func (q QualitySummary) Count(reason string) int {
	switch reason {
	case SharedNumber:
		return q.Shared
	case DeskLine:
		return q.DeskLines
	}
	return q.Reasons[reason]
}

// Quality lists contacts and what is to be said of their numbers, in the order of
// their ids, those after the id given, at most limit.
func (b *Book) Quality(ctx context.Context, account int64, f QualityFilter, after int64, limit int) ([]Checked, error) {
	if f.Group == 0 {
		return b.checked(ctx, account, f, after, limit)
	}
	return b.checkedMembers(ctx, account, f, after, limit)
}

// EachWarning tells row of everybody of whom the report has something to say.
func (b *Book) EachWarning(ctx context.Context, account int64, f QualityFilter, row func(Checked) error) error {
	if f.Reason == "" {
		f.Reason = AnyWarning
	}
	for after := int64(0); ; {
		page, err := b.Quality(ctx, account, f, after, exportPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, c := range page {
			if err := row(c); err != nil {
				return err
			}
		}
		after = page[len(page)-1].ID
	}
}

// QualityColumns name what Fields answers.
var QualityColumns = []string{"name", "directory_id", "source", "phone_raw", "phone_rule", "phone", "reason", "shared_with", "desk_line"}

// IsQualityReason says whether there is such a filter.
func IsQualityReason(reason string) bool {
	return reason == "" || reason == AnyWarning || slices.Contains(QualityReasons, reason)
}

// Fields are the row's values in the order of QualityColumns. A contact without
// a number has its reason there, and one with a number nothing.
func (c Checked) Fields() []string {
	desk := ""
	if c.DeskLine() {
		desk = "yes"
	}
	return []string{c.Name, c.DirectoryID, c.Source, c.Phone.Raw, c.Phone.Rule, c.Phone.E164, c.Phone.Reason,
		strconv.Itoa(c.SharedWith), desk}
}
