package smsqueue

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/smsqueue/merge"
	"github.com/varsel/varsel/smsqueue/smstext"
)

// person is what a text can say of its recipient.
type person struct {
	contact                                                    int64
	name, department, jobTitle, office, email, phone, language string
	custom                                                     map[string]string
	optOut                                                     string // the address at which they stop the account's messages
	card                                                       string // the address of their own
	stopAt                                                     string // the number to which they text to stop them
}

// personFields are the fields of a text, by name, and where each finds its value.
var personFields = map[string]func(*person) string{
	"first_name": func(p *person) string { return firstName(p.name) },
	"name":       func(p *person) string { return p.name },
	"department": func(p *person) string { return p.department },
	"job_title":  func(p *person) string { return p.jobTitle },
	"office":     func(p *person) string { return p.office },
	"email":      func(p *person) string { return p.email },
	"phone":      func(p *person) string { return p.phone },
	optOutField:  func(p *person) string { return p.optOut },
	cardField:    func(p *person) string { return p.card },
	stopAtField:  func(p *person) string { return p.stopAt },
}

// optOutField is the link by which the recipient stops messages; empty where the
// installation has no public address.
const optOutField = "opt_out_link"

// stopAtField is the account's number for those who cannot answer the sender; empty
// where the account has decided on none.
const stopAtField = "opt_out_number"

// customField begins the names of the fields that a contact has of its own.
const customField = "custom."

// TextFields are the fields that every text can have, in the order of use. There
// are those of contacts as well: custom. and the name of one (contacts.SetFields).
var TextFields = []string{"first_name", "name", "department", "job_title", "office", "email", "phone", cardField, optOutField, stopAtField}

func knownField(name string) bool {
	own, custom := strings.CutPrefix(name, customField)
	return personFields[name] != nil || custom && contacts.IsFieldName(own)
}

func (p *person) value(field string) string {
	if own, custom := strings.CutPrefix(field, customField); custom {
		return p.custom[own]
	}
	return personFields[field](p)
}

// firstName is the first word of a name, or where the family name comes first,
// of what follows the comma.
func firstName(name string) string {
	if _, given, found := strings.Cut(name, ","); found {
		name = given
	}
	if words := strings.Fields(name); len(words) > 0 {
		return words[0]
	}
	return ""
}

// ParseText reads a text with fields; the error is a *merge.Error.
func ParseText(text string) (merge.Text, error) { return merge.Parse(text, knownField) }

// readTextOf reads a text of a campaign or a template, and refuses one that nobody
// could get, whatever is filled in.
func readTextOf(field, text string, transliterate bool, options smstext.Options) (merge.Text, error) {
	if err := checkCharacters(field, text); err != nil {
		return merge.Text{}, err
	}
	t, err := ParseText(text)
	if err != nil {
		return t, faultyField(field, err)
	}
	bare, _ := t.Append(nil, func(string) string { return "" })
	if t.Plain() && strings.TrimSpace(text) == "" {
		return t, problem.Invalid(field, "the text is empty")
	}
	said := string(bare)
	if transliterate {
		said, _ = smstext.Transliterate(said)
	}
	return t, checkParts(field, said, options)
}

// checkCharacters refuses what no handset shows; PostgreSQL cannot store NUL.
func checkCharacters(field, text string) error {
	if strings.ContainsRune(text, 0) || !utf8.ValidString(text) {
		return problem.Invalid(field, "the text holds characters that are none")
	}
	return nil
}

func checkParts(field, text string, options smstext.Options) error {
	if _, n := options.Count(text); n > maxParts {
		return problem.Invalid(field, "the text needs %d parts and the limit is %d", n, maxParts)
	}
	return nil
}

func faultyField(field string, err error) error {
	var fault *merge.Error
	if !errors.As(err, &fault) {
		return err
	}
	p := &problem.Problem{Kind: problem.KindInvalid, Code: string(fault.Fault) + "_field", Field: field, Text: fault.Error()}
	if fault.Fault == merge.Unknown {
		p.Text += "; there are " + strings.Join(TextFields, ", ") + ", and " + customField + "NAME for a field of the contacts' own"
	}
	return p
}

// wording is what a campaign says: the same to all, or to each their own. It is
// used by one goroutine at a time.
type wording struct {
	usual         string // the text that the campaign keeps
	languages     []string
	texts         []merge.Text // in these languages; the first is for those whose own is missing
	transliterate bool
	options       smstext.Options
	stopAt        string // the account's number to stop its messages, where the texts name it
	room          []byte // that a text is written in
}

// merged says that not everybody gets the same.
func (w *wording) merged() bool { return len(w.texts) > 1 || !w.texts[0].Plain() }

// custom says that fields of the contacts' own are needed.
func (w *wording) custom() bool {
	return w.uses(func(name string) bool { return strings.HasPrefix(name, customField) })
}

// usesField says whether a text has the field.
func (w *wording) usesField(name string) bool {
	return w.uses(func(field string) bool { return field == name })
}

func (w *wording) uses(field func(name string) bool) bool {
	return slices.ContainsFunc(w.texts, func(t merge.Text) bool { return slices.ContainsFunc(t.Names(), field) })
}

// know finds out what the texts say of the account.
func (w *wording) know(ctx context.Context, q db.Querier, account int64) error {
	if !w.usesField(stopAtField) {
		return nil
	}
	settings, err := selectOptOutSettings(ctx, q, account)
	w.stopAt = settings.Number
	return err
}

// saying is what one recipient gets.
type saying struct {
	text     string
	language string // that the text is in; empty where it has only one
	encoding smstext.Encoding
	parts    int
	holes    []string // fields without a value; such a text is not sent
}

// to is what the text says to a person. One that would be blank is one hole.
func (w *wording) to(p *person) (s saying) {
	i := max(merge.Language(w.languages, p.language), 0)
	t, whole := w.texts[i], false
	s.language = w.languages[i]
	w.room, whole = t.Append(w.room[:0], p.value)
	if s.text = string(w.room); w.transliterate {
		s.text = inAlphabet(s.text, p.card, p.optOut)
	}
	s.encoding, s.parts = w.options.Count(s.text)
	switch {
	case !whole:
		s.holes = t.Holes(p.value)
	case strings.TrimSpace(s.text) == "":
		s.holes = t.Names()
	}
	return s
}

// body is what is stored with a message: nothing when it says what the campaign does.
func (w *wording) body(s saying) string {
	if s.text == w.usual {
		return ""
	}
	return s.text
}
