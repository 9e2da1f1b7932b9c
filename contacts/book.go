// Package contacts is the address book: contacts and groups, kept by hand or
// following a directory, and the rule that decides which number a person is
// texted on.
package contacts

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// Book is the address book of every account.
type Book struct {
	db    *db.DB
	marks Marks
}

// New keeps the address book in d.
func New(d *db.DB) *Book { return &Book{db: d} }

// Where a contact or a group comes from.
const (
	FromDirectory = "directory"
	ByHand        = "manual"
)

// Person is somebody as a directory describes them.
type Person struct {
	DirectoryID string // object id, empty for a contact kept by hand
	Name        string
	Department  string
	JobTitle    string
	Office      string
	Email       string
	Language    string // BCP 47, as far as the directory keeps to it
	Phone       Choice
}

// Contact is a person in an account's address book.
type Contact struct {
	ID     int64
	Source string // FromDirectory or ByHand
	Tenant string // the directory's, empty for a contact kept by hand
	Person
	Created, Updated time.Time
}

// Group is a list of recipients.
type Group struct {
	ID          int64
	Source      string
	Tenant      string
	DirectoryID string
	Name        string
	Rule        Rule // finds its members; empty when they are named
	Members     int  // contacts in it, nested groups resolved
	Textable    int  // of them, those with a number
	Created     time.Time
	Updated     time.Time
}

// NewContact is a contact to be kept by hand. Region is where a number without
// a country code belongs.
type NewContact struct {
	Name, Phone, Region                           string
	Department, JobTitle, Office, Email, Language string // may be empty
}

// lot is how many rows are written in one transaction: SQLite has one writer,
// and nobody keeps it longer than this takes.
const lot = 5000

// AddContact keeps a contact by hand. The number must be one we can text.
func (b *Book) AddContact(ctx context.Context, account int64, name, rawPhone, region string) (Contact, error) {
	return b.Add(ctx, account, NewContact{Name: name, Phone: rawPhone, Region: region})
}

// Add keeps a contact by hand, with all that is known of it.
func (b *Book) Add(ctx context.Context, account int64, n NewContact) (Contact, error) {
	p, err := byHand(n)
	if err != nil {
		return Contact{}, err
	}
	id, err := b.db.NewIDs(ctx, 1)
	if err != nil {
		return Contact{}, err
	}
	if err := b.insertContacts(ctx, account, ByHand, "", id, []Person{p}); err != nil {
		return Contact{}, err
	}
	return b.sorted(ctx, account, id)
}

// AddContacts keeps many by hand and answers their ids, in the order given. All
// rows are looked at before the first is stored, so a list with a wrong row in
// it stores nothing.
func (b *Book) AddContacts(ctx context.Context, account int64, list []NewContact) ([]int64, error) {
	people := make([]Person, len(list))
	for i, one := range list {
		p, err := byHand(one)
		if err != nil {
			return nil, inRow(err, i)
		}
		people[i] = p
	}
	first, err := b.db.NewIDs(ctx, len(people))
	if err != nil {
		return nil, err
	}
	ids := make([]int64, 0, len(people))
	for some := range slices.Chunk(people, lot) {
		next := first + int64(len(ids))
		if err := b.insertContacts(ctx, account, ByHand, "", next, some); err != nil {
			return nil, fmt.Errorf("contacts from row %d on: %w", len(ids)+1, err)
		}
		for i := range some {
			ids = append(ids, next+int64(i))
		}
	}
	_, err = b.ApplyRules(ctx, account)
	return ids, err
}

func inRow(err error, i int) error {
	p := *problem.As(err)
	p.Text = fmt.Sprintf("row %d: %s", i+1, p.Text)
	return &p
}

// Explain says in words why there is no number to text.
func Explain(reason string) string {
	switch reason {
	case NoNumber:
		return "it has no number"
	case Extension:
		return "it is an extension of a desk phone"
	case Letters:
		return "there are letters among the digits"
	case TooShort:
		return "it is too short for its country"
	case TooLong:
		return "it is too long for its country"
	case UnknownCountry:
		return "its country code does not exist"
	case Gone:
		return "the person is gone"
	case ErasedNumber:
		return "it belongs to somebody who was erased"
	}
	return "no such number is in use"
}

// AddGroup makes a group of contacts of the account. It appears when all of them
// are in it.
func (b *Book) AddGroup(ctx context.Context, account int64, name string, contacts []int64) (Group, error) {
	name, err := groupName(name)
	if err != nil {
		return Group{}, err
	}
	id, err := b.db.NewIDs(ctx, 1)
	if err != nil {
		return Group{}, err
	}
	if err := b.draftGroup(ctx, account, id, name); err != nil {
		return Group{}, err
	}
	if err := b.fill(ctx, account, id, contacts); err != nil {
		return Group{}, errors.Join(err, b.dissolve(ctx, account, id))
	}
	return b.Group(ctx, account, id)
}

func (b *Book) fill(ctx context.Context, account, group int64, contacts []int64) error {
	for some := range slices.Chunk(inOrder(contacts), lot) {
		if err := b.enlist(ctx, account, group, some); err != nil {
			return err
		}
	}
	return b.setGroupState(ctx, account, group, stateActive)
}

// FindGroup takes a group's id, as parse reads it, or its name. When several
// groups have that name it refuses, naming their ids by name.
func (b *Book) FindGroup(ctx context.Context, account int64, nameOrID string, parse func(string) (int64, bool), name func(int64) string) (Group, error) {
	if id, ok := parse(nameOrID); ok {
		return b.Group(ctx, account, id)
	}
	ids, err := b.groupsNamed(ctx, account, oneLine(nameOrID))
	switch {
	case err != nil:
		return Group{}, err
	case len(ids) == 0:
		return Group{}, problem.NotFound("group", nameOrID)
	case len(ids) > 1:
		names := make([]string, len(ids))
		for i, id := range ids {
			names[i] = name(id)
		}
		return Group{}, problem.Conflict("ambiguous_group", "%d groups are named %q; use one of their ids: %s",
			len(ids), nameOrID, strings.Join(names, ", "))
	}
	return b.Group(ctx, account, ids[0])
}

// Remove takes a contact out of the address book. One that a directory still has
// is only hidden: it returns with the next sync, as it is the directory that
// decides who is there.
func (b *Book) Remove(ctx context.Context, account, contact int64) error {
	found, err := b.hideOrForget(ctx, account, contact)
	if err != nil {
		return err
	}
	if !found {
		return errNoContact
	}
	return nil
}

var (
	errNoContact = problem.New(problem.KindNotFound, "contact_not_found", "there is no such contact")
	errNoGroup   = problem.New(problem.KindNotFound, "group_not_found", "there is no such group")
)

// Coverage counts how many of an account's contacts can be texted.
type Coverage struct {
	Contacts      int
	WithNumber    int
	WithoutNumber int            // no field holds a number
	Invalid       int            // a field holds one that we cannot text
	Reasons       map[string]int // why not, for all that cannot be texted
}

// Row is a contact as it is exported.
type Row struct {
	DirectoryID, Name, Source               string
	PhoneRaw, PhoneRule, Phone, PhoneReason string
	Groups                                  []string // names, sorted
}

// ExportColumns name what Fields answers.
var ExportColumns = []string{"directory_id", "name", "source", "phone_raw", "phone_rule", "phone", "reason", "groups"}

// Fields are the row's values in the order of ExportColumns, groups joined by '|'.
func (r Row) Fields() []string {
	return []string{r.DirectoryID, r.Name, r.Source, r.PhoneRaw, r.PhoneRule, r.Phone, r.PhoneReason, strings.Join(r.Groups, "|")}
}

const exportPage = 1000

// Export tells row of every contact of the account, oldest first, and stops at
// its first error. It holds a page of them in memory.
func (b *Book) Export(ctx context.Context, account int64, row func(Row) error) error {
	for after := int64(0); ; {
		page, err := b.Contacts(ctx, account, after, exportPage)
		if err != nil || len(page) == 0 {
			return err
		}
		last := page[len(page)-1].ID
		groups, err := b.groupNames(ctx, account, after, last)
		if err != nil {
			return err
		}
		for _, c := range page {
			slices.Sort(groups[c.ID])
			if err := row(exported(c, groups[c.ID])); err != nil {
				return err
			}
		}
		after = last
	}
}

func exported(c Contact, groups []string) Row {
	return Row{
		DirectoryID: c.DirectoryID, Name: c.Name, Source: c.Source,
		PhoneRaw: c.Phone.Raw, PhoneRule: c.Phone.Rule, Phone: c.Phone.E164, PhoneReason: c.Phone.Reason,
		Groups: groups,
	}
}

// oneLine is a name without line breaks, control characters and spare spaces.
func oneLine(s string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && !unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)), " ")
}

// withoutNUL drops the one character that PostgreSQL's text cannot hold.
func withoutNUL(s string) string { return strings.ReplaceAll(s, "\x00", "") }

// inLots gathers what seq yields into slices of at most a lot.
func inLots[T any](seq iter.Seq2[T, error]) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		var some []T
		for one, err := range seq {
			if err != nil {
				yield(nil, err)
				return
			}
			if some = append(some, one); len(some) == lot {
				if !yield(some, nil) {
					return
				}
				some = nil
			}
		}
		if len(some) > 0 {
			yield(some, nil)
		}
	}
}
