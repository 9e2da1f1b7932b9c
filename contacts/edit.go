package contacts

import (
	"context"
	"fmt"
	"net/mail"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/varsel/varsel/internal/problem"
)

// Changes are what is edited in a contact kept by hand; nil leaves a field as it
// is. Region is where a number without a country code belongs.
type Changes struct {
	Name, Phone, Department, JobTitle, Office, Email, Language *string
	Region                                                     string
}

// longestField, in characters, bounds every field that people fill in.
const longestField = 200

// EditContact changes a contact kept by hand. The fields of one that follows a
// directory are the directory's: they are changed there, and come here.
func (b *Book) EditContact(ctx context.Context, account, id int64, ch Changes) (Contact, error) {
	c, err := b.Contact(ctx, account, id)
	if err != nil {
		return c, err
	}
	fields := ch.fields()
	if c.Source == FromDirectory && len(fields) > 0 {
		return c, synced(fields[0].name)
	}
	p, err := ch.applied(c.Person)
	if err != nil || len(fields) == 0 {
		return c, err
	}
	found, err := b.rewrite(ctx, account, map[int64]Person{id: p})
	if err != nil {
		return c, err
	}
	if found == 0 {
		return c, errNoContact // removed meanwhile
	}
	return b.sorted(ctx, account, id)
}

func synced(field string) error {
	return &problem.Problem{Kind: problem.KindConflict, Code: "synced_field", Field: field, Text: fmt.Sprintf(
		"%s comes from the directory, and the directory decides: change it there, and the next sync brings it here", field)}
}

type edited struct {
	name  string
	value *string
	in    func(*Person) *string
}

// fields are those that are edited, by the names they have outside.
func (ch Changes) fields() (all []edited) {
	for _, f := range []edited{
		{"name", ch.Name, func(p *Person) *string { return &p.Name }},
		{"phone", ch.Phone, func(p *Person) *string { return &p.Phone.Raw }},
		{"department", ch.Department, func(p *Person) *string { return &p.Department }},
		{"job_title", ch.JobTitle, func(p *Person) *string { return &p.JobTitle }},
		{"office", ch.Office, func(p *Person) *string { return &p.Office }},
		{"email", ch.Email, func(p *Person) *string { return &p.Email }},
		{"language", ch.Language, func(p *Person) *string { return &p.Language }},
	} {
		if f.value != nil {
			all = append(all, f)
		}
	}
	return all
}

func (ch Changes) applied(p Person) (Person, error) {
	number := p.Phone
	for _, f := range ch.fields() {
		*f.in(&p) = *f.value
	}
	if ch.Phone == nil {
		return p.tidied(number)
	}
	return p.tidied(choice(RuleManual, withoutNUL(*ch.Phone), ch.Region))
}

func byHand(n NewContact) (Person, error) {
	p := Person{Name: n.Name, Department: n.Department, JobTitle: n.JobTitle, Office: n.Office, Email: n.Email, Language: n.Language}
	return p.tidied(choice(RuleManual, withoutNUL(n.Phone), n.Region))
}

// tidied is the person with a number and fields that can be kept, or the reason
// why they cannot.
func (p Person) tidied(number Choice) (Person, error) {
	for _, f := range []struct {
		name string
		text *string
	}{{"name", &p.Name}, {"department", &p.Department}, {"job_title", &p.JobTitle}, {"office", &p.Office},
		{"email", &p.Email}, {"language", &p.Language}} {
		*f.text = oneLine(*f.text)
		if utf8.RuneCountInString(*f.text) > longestField {
			return p, problem.Invalid(f.name, "it is longer than %d characters", longestField)
		}
	}
	if p.Name == "" {
		return p, problem.Invalid("name", "a contact needs a name")
	}
	if number.Reason != "" {
		return p, problem.Invalid("phone", "%q is not a number we can text: %s", number.Raw, Explain(number.Reason))
	}
	p.Phone = number
	if p.Email != "" && !isEmail(p.Email) {
		return p, problem.Invalid("email", "%q is not an e-mail address", p.Email)
	}
	if p.Language != "" {
		tag, err := language.Parse(p.Language)
		if err != nil {
			return p, problem.Invalid("language", "%q is not a language as BCP 47 writes them: en, nb, pl", p.Language)
		}
		p.Language = tag.String()
	}
	return p, nil
}

func isEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s
}

// sorted is a contact that has been written, after it was put into the groups
// whose rules it meets now and out of the others.
func (b *Book) sorted(ctx context.Context, account, id int64) (Contact, error) {
	c, err := b.Contact(ctx, account, id)
	if err != nil {
		return c, err
	}
	return c, b.applyRulesTo(ctx, account, c)
}

// RenameGroup gives a group kept by hand another name.
func (b *Book) RenameGroup(ctx context.Context, account, id int64, name string) (Group, error) {
	if _, err := b.ownGroup(ctx, account, id); err != nil {
		return Group{}, err
	}
	name, err := groupName(name)
	if err != nil {
		return Group{}, err
	}
	if err := b.setGroupName(ctx, account, id, name); err != nil {
		return Group{}, err
	}
	return b.Group(ctx, account, id)
}

func groupName(name string) (string, error) {
	switch name = oneLine(name); {
	case name == "":
		return "", problem.Invalid("name", "a group needs a name")
	case utf8.RuneCountInString(name) > longestField:
		return "", problem.Invalid("name", "it is longer than %d characters", longestField)
	}
	return name, nil
}

// ownGroup is a group that is ours to change.
func (b *Book) ownGroup(ctx context.Context, account, id int64) (Group, error) {
	g, err := b.Group(ctx, account, id)
	if err == nil && g.Source == FromDirectory {
		err = problem.Conflict("synced_group", "the group %q follows the directory, and the directory decides: change it there, "+
			"and the next sync brings it here", g.Name)
	}
	return g, err
}

// listedGroup is a group whose members are named one by one.
func (b *Book) listedGroup(ctx context.Context, account, id int64) (Group, error) {
	g, err := b.ownGroup(ctx, account, id)
	if err == nil && len(g.Rule) > 0 {
		err = problem.Conflict("rule_group", "the members of %q are found by its rule: change the rule, or the contacts", g.Name)
	}
	return g, err
}

// AddMembers puts contacts of the account, also synced ones, into a group kept
// by hand. Who is in it already stays. If one of them is not in the address book
// nobody is added.
func (b *Book) AddMembers(ctx context.Context, account, id int64, contacts []int64) (Group, error) {
	if _, err := b.listedGroup(ctx, account, id); err != nil {
		return Group{}, err
	}
	contacts = inOrder(contacts)
	if err := b.allThere(ctx, account, contacts); err != nil {
		return Group{}, err
	}
	if err := b.join(ctx, account, membersOf(id, contacts)); err != nil {
		return Group{}, err
	}
	return b.Group(ctx, account, id)
}

// RemoveMembers takes contacts out of a group kept by hand; who is not in it is
// passed over.
func (b *Book) RemoveMembers(ctx context.Context, account, id int64, contacts []int64) (Group, error) {
	if _, err := b.listedGroup(ctx, account, id); err != nil {
		return Group{}, err
	}
	if err := b.leave(ctx, membersOf(id, inOrder(contacts))); err != nil {
		return Group{}, err
	}
	return b.Group(ctx, account, id)
}

// DeleteGroup takes a group kept by hand away; its members stay contacts.
func (b *Book) DeleteGroup(ctx context.Context, account, id int64) error {
	if _, err := b.ownGroup(ctx, account, id); err != nil {
		return err
	}
	return b.dissolve(ctx, account, id)
}
