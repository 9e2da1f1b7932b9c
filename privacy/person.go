package privacy

import (
	"context"
	"slices"
	"strings"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/internal/subject"
)

// holder is a room that holds something about people. Sections tells what.
type holder interface {
	Sections(p subject.Person) []subject.Section
}

// holders are the rooms, in the order in which a person reads what they hold.
func (d *Desk) holders() []holder {
	return []holder{d.parts.Book, d.parts.Directory, d.cards, d.parts.Queue, auditSection{d}}
}

// Match is somebody who was looked for. Ref is what to ask for them by.
type Match struct {
	Ref string
	subject.Person
}

// Find looks for people by a contact's id ("con_..."), a number as people type it, an
// e-mail address, or a part of the name, over all of the account's contacts, also those
// that were removed, its directories, and the numbers that it has texted or heard from.
// At most limit.
func (d *Desk) Find(ctx context.Context, account int64, text string, limit int) ([]Match, error) {
	text = strings.TrimSpace(text)
	if len(text) < 2 {
		return nil, problem.Invalid("q", "look for a number, an e-mail address, a contact's id, or two letters of a name at least")
	}
	w, err := d.wanted(ctx, account, text)
	if err != nil {
		return nil, err
	}
	found, err := d.contactsOf(ctx, account, w, limit)
	if err != nil {
		return nil, err
	}
	more, err := d.without(ctx, account, w, text, found)
	if err != nil {
		return nil, err
	}
	found = append(found, more...)
	return found[:min(limit, len(found))], nil
}

func (d *Desk) wanted(ctx context.Context, account int64, text string) (w contacts.Wanted, err error) {
	if strings.HasPrefix(text, secrets.Contact+"_") {
		w.Contact, err = d.parts.Names.ID(secrets.Contact, text)
		return w, err
	}
	if strings.Contains(text, "@") {
		return contacts.Wanted{Email: text}, nil
	}
	acc, err := d.parts.Accounts.ByID(ctx, account)
	if err != nil {
		return w, err
	}
	if phone, _, reason := contacts.Normalise(text, acc.Region); reason == "" {
		return contacts.Wanted{Phone: phone}, nil
	}
	return contacts.Wanted{Name: text}, nil
}

// contactsOf are the people whose contacts are wanted, each with all of their contacts.
func (d *Desk) contactsOf(ctx context.Context, account int64, w contacts.Wanted, limit int) (found []Match, err error) {
	kept, err := d.parts.Book.FindKept(ctx, account, w, limit)
	if err != nil {
		return nil, err
	}
	for _, same := range contacts.People(kept) {
		ids := make([]int64, len(same))
		for i, k := range same {
			ids[i] = k.ID
		}
		had, err := d.parts.Queue.NumbersOfContacts(ctx, account, ids)
		if err != nil {
			return nil, err
		}
		p, err := d.parts.Book.PersonOf(ctx, account, same, had...)
		if err != nil {
			return nil, err
		}
		found = append(found, Match{d.parts.Names.Of(secrets.Contact, p.Contacts[0]), p})
	}
	return found, nil
}

// without are those who have no contact: in a directory, and behind a number.
func (d *Desk) without(ctx context.Context, account int64, w contacts.Wanted, text string, known []Match) (found []Match, err error) {
	if w.Phone != "" {
		p := subject.Person{Account: account, Numbers: []string{w.Phone}}
		held, err := d.isHeld(ctx, p)
		if err == nil && len(known) == 0 && held {
			found = append(found, Match{w.Phone, p})
		}
		return found, err
	}
	people, err := d.parts.Directory.FindPeople(ctx, account, text)
	if err != nil {
		return nil, err
	}
	for _, p := range people {
		one := p.Objects[0]
		if !slices.ContainsFunc(known, func(m Match) bool { return slices.Contains(m.Objects, one) }) {
			found = append(found, Match{one.Tenant + "/" + one.ID, p})
		}
	}
	return found, nil
}

// mostAlike bounds how many contacts a number is looked up in.
const mostAlike = 1000

func (d *Desk) isHeld(ctx context.Context, p subject.Person) (bool, error) {
	counts, err := d.Counts(ctx, p)
	for _, c := range counts {
		if c.N > 0 {
			return true, err
		}
	}
	return false, err
}

// Person is whom a Ref is of, or a number, or a contact's id. It refuses a number that
// several have: which of them is meant is said by a contact's id.
func (d *Desk) Person(ctx context.Context, account int64, ref string) (Match, error) {
	if tenant, object, ok := strings.Cut(ref, "/"); ok && !strings.HasPrefix(ref, "+") {
		found, err := d.parts.Directory.FindPeople(ctx, account, object)
		for _, p := range found {
			if p.Objects[0].Tenant == tenant {
				return Match{ref, p}, err
			}
		}
		return Match{}, orNobody(err, ref)
	}
	w, err := d.wanted(ctx, account, ref)
	if err != nil {
		return Match{}, err
	}
	if w.Name != "" || w.Email != "" {
		return Match{}, problem.Invalid("person", "say who is meant by a contact's id, a number, or what a search answers as ref, not %q", ref)
	}
	found, err := d.contactsOf(ctx, account, w, mostAlike)
	if err != nil {
		return Match{}, err
	}
	if len(found) == 0 {
		if found, err = d.without(ctx, account, w, ref, nil); err != nil || len(found) == 0 {
			return Match{}, orNobody(err, ref)
		}
	}
	for _, m := range found {
		if w.Contact == 0 || slices.Contains(m.Contacts, w.Contact) {
			if len(found) > 1 && w.Contact == 0 {
				return Match{}, problem.Conflict("ambiguous_person", "%d people have this number: name one of them by a contact's id", len(found))
			}
			return m, nil
		}
	}
	return Match{}, orNobody(nil, ref)
}

func orNobody(err error, ref string) error {
	if err != nil {
		return err
	}
	return problem.New(problem.KindNotFound, "person_not_found", "nothing is held here about %q", ref)
}

// Count is how many records a section has.
type Count struct {
	Section string
	N       int
}

// Counts says how much is held about a person, by section.
func (d *Desk) Counts(ctx context.Context, p subject.Person) (all []Count, err error) {
	for _, s := range d.sections(p) {
		c := Count{Section: s.Name}
		if err := s.Each(ctx, func(subject.Record) error { c.N++; return nil }); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

func (d *Desk) sections(p subject.Person) (all []subject.Section) {
	for _, h := range d.holders() {
		all = append(all, h.Sections(p)...)
	}
	return all
}

// auditSection is what was done that is about a person.
type auditSection struct{ desk *Desk }

// Sections tells the entries.
func (a auditSection) Sections(p subject.Person) []subject.Section {
	return []subject.Section{{Name: "audit", Each: func(ctx context.Context, tell func(subject.Record) error) error {
		return audit.About(ctx, a.desk.parts.DB, p.Account, isAbout(p), func(e audit.Entry) error {
			return tell(subject.Record{{Name: "at", Value: e.At.UTC()}, {Name: "action", Value: e.Action}, {Name: "actor", Value: e.Actor.Kind}, {Name: "facts", Value: e.Facts}, {Name: "detail", Value: e.Detail}})
		})
	}}}
}

func isAbout(p subject.Person) func(audit.Entry) bool {
	return func(e audit.Entry) bool {
		if e.Subject == secrets.Contact && slices.Contains(p.Contacts, e.SubjectID) {
			return true
		}
		detail, _ := e.Detail.(interface{ MarshalJSON() ([]byte, error) })
		if detail == nil {
			return false
		}
		text, _ := detail.MarshalJSON()
		return p.In(string(text))
	}
}
