package smsqueue

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/smsqueue/merge"
	"github.com/varsel/varsel/smsqueue/smstext"
)

// Template is a text that is kept to be sent again. It says what its latest
// version says; a campaign keeps the version that it was made from.
type Template struct {
	ID       int64
	Account  int64
	Name     string
	Version  TemplateVersion
	Created  time.Time
	Archived time.Time // zero while it can be used
}

// TemplateVersion is what a template said from one change to the next. It never
// changes.
type TemplateVersion struct {
	ID       int64
	Number   int    // from 1 on
	Language string // of the text for those whose own language is missing
	Texts    []TemplateText
	Created  time.Time
}

// TemplateText is a template's text in one language (BCP 47). It may have fields.
type TemplateText struct{ Language, Text string }

// NewTemplate is what a template, or the next version of one, is made from.
type NewTemplate struct {
	Name     string // of a new version: empty leaves it as it is
	Language string // empty: that of the first text
	Texts    []TemplateText

	Key         string
	RequestHash string
}

// mostTexts bounds how many languages a template has.
const mostTexts = 30

// Templates lists those that can be used, the newest first; before is the id
// that the list goes on below, 0 at its beginning.
func (q *Queue) Templates(ctx context.Context, account, before int64, limit int) ([]Template, error) {
	return selectTemplates(ctx, q.db, `WHERE t.account_id = $1 AND t.archived_at = 0 AND t.id < $2 ORDER BY t.id DESC LIMIT $3`,
		account, older(before), limit)
}

// Template finds one of the account's templates, also one that is archived.
func (q *Queue) Template(ctx context.Context, account, id int64) (Template, error) {
	return oneTemplate(ctx, q.db, `WHERE t.account_id = $1 AND t.id = $2`, account, id)
}

// FindTemplate finds one that can be used by its name.
func (q *Queue) FindTemplate(ctx context.Context, account int64, name string) (Template, error) {
	return oneTemplate(ctx, q.db, `WHERE t.account_id = $1 AND t.name = $2 AND t.archived_at = 0`, account, strings.Join(strings.Fields(name), " "))
}

// TemplateVersions lists what a template said, the latest first.
func (q *Queue) TemplateVersions(ctx context.Context, account, id int64) ([]TemplateVersion, error) {
	return selectVersions(ctx, q.db, `
		WHERE v.template_id = (SELECT id FROM templates WHERE account_id = $1 AND id = $2) ORDER BY v.number DESC, x.language`, account, id)
}

// AddTemplate keeps a template.
func (q *Queue) AddTemplate(ctx context.Context, account int64, n NewTemplate) (Template, error) {
	return q.storeTemplate(ctx, account, 0, n)
}

// ChangeTemplate makes the next version of a template.
func (q *Queue) ChangeTemplate(ctx context.Context, account, id int64, n NewTemplate) (Template, error) {
	t, err := q.Template(ctx, account, id)
	if err != nil {
		return t, err
	}
	if n.Name == "" {
		n.Name = t.Name
	}
	return q.storeTemplate(ctx, account, id, n)
}

func (q *Queue) storeTemplate(ctx context.Context, account, id int64, n NewTemplate) (Template, error) {
	if t, found, err := q.replayedTemplate(ctx, account, n); found || err != nil {
		return t, err
	}
	options, err := q.TextOptions(ctx)
	if err != nil {
		return Template{}, err
	}
	t := Template{Account: account, ID: id, Created: time.Now()}
	if t.Name, t.Version, err = n.checked(options); err != nil {
		return t, err
	}
	first, err := q.db.NewIDs(ctx, 2)
	if err != nil {
		return t, err
	}
	if t.Version.ID = first; id == 0 {
		t.ID = first + 1
	}
	once := accounts.Once{Account: account, Key: n.Key, Hash: n.RequestHash, Resource: t.ID}
	free, err := q.writeTemplate(ctx, t, id == 0, once)
	if err != nil {
		return t, err
	}
	if !free {
		t, _, err := q.replayedTemplate(ctx, account, n)
		return t, err
	}
	return q.Template(ctx, account, t.ID)
}

func (q *Queue) replayedTemplate(ctx context.Context, account int64, n NewTemplate) (Template, bool, error) {
	if n.Key == "" {
		return Template{}, false, nil
	}
	id, found, err := q.accounts.Replay(ctx, account, n.Key, n.RequestHash)
	if err != nil || !found {
		return Template{}, false, err
	}
	t, err := q.Template(ctx, account, id)
	return t, true, err
}

func (n NewTemplate) checked(options smstext.Options) (name string, v TemplateVersion, err error) {
	name = strings.Join(strings.Fields(n.Name), " ")
	if err := checkCharacters("name", name); err != nil {
		return name, v, err
	}
	if count := utf8.RuneCountInString(name); count == 0 || count > maxName {
		return name, v, problem.Invalid("name", "a template's name has 1 to %d characters", maxName)
	}
	if len(n.Texts) == 0 || len(n.Texts) > mostTexts {
		return name, v, problem.Invalid("texts", "a template has 1 to %d texts, each in another language", mostTexts)
	}
	for _, t := range n.Texts {
		if t.Language, err = languageTag("texts", t.Language); err != nil {
			return name, v, err
		}
		if v.in(t.Language) >= 0 {
			return name, v, problem.Invalid("texts", "there are two texts in %s", t.Language)
		}
		if _, err := readTextOf("texts", t.Text, false, options); err != nil {
			return name, v, inLanguage(err, t.Language)
		}
		v.Texts = append(v.Texts, t)
	}
	if v.Language = v.Texts[0].Language; n.Language != "" {
		if v.Language, err = languageTag("language", n.Language); err != nil {
			return name, v, err
		}
	}
	if v.in(v.Language) < 0 {
		return name, v, problem.Invalid("language", "there is no text in %s", v.Language)
	}
	return name, v, nil
}

// inLanguage says which of the texts is refused.
func inLanguage(err error, tag string) error {
	p := problem.As(err)
	if p == nil {
		return err
	}
	named := *p
	named.Text = tag + ": " + p.Text
	return &named
}

// languageTag is a language in the form that BCP 47 recommends.
func languageTag(field, text string) (string, error) {
	tag, err := language.Parse(strings.TrimSpace(text))
	if err != nil || tag == language.Und {
		return "", problem.Invalid(field, "%q is not a language as BCP 47 writes them: en, nb, pl", text)
	}
	return tag.String(), nil
}

// in is the place of the text in a language, or -1.
func (v TemplateVersion) in(tag string) int {
	return slices.IndexFunc(v.Texts, func(t TemplateText) bool { return t.Language == tag })
}

// Usual is the text for those whose own language is missing.
func (v TemplateVersion) Usual() string { return v.Texts[v.in(v.Language)].Text }

func (v TemplateVersion) wording(transliterate bool, options smstext.Options) (*wording, error) {
	usual := v.in(v.Language)
	texts := slices.Concat(v.Texts[usual:usual+1], v.Texts[:usual], v.Texts[usual+1:])
	w := &wording{usual: texts[0].Text, transliterate: transliterate, options: options}
	for _, t := range texts {
		text, err := merge.Parse(t.Text, knownField)
		if err != nil {
			return nil, faultyField("template", err)
		}
		w.languages, w.texts = append(w.languages, t.Language), append(w.texts, text)
	}
	return w, nil
}

// templateOf is what a campaign is made from: the version that it names, or the latest
// of a template that can be used.
func (q *Queue) templateOf(ctx context.Context, account int64, n NewCampaign) (Template, error) {
	if n.version == 0 {
		return q.usableTemplate(ctx, account, n.Template)
	}
	t, err := q.Template(ctx, account, n.Template)
	if err == nil {
		t.Version, err = numberedVersion(ctx, q.db, account, n.Template, n.version)
	}
	return t, err
}

// usableTemplate finds a template that a campaign can be made from.
func (q *Queue) usableTemplate(ctx context.Context, account, id int64) (Template, error) {
	t, err := q.Template(ctx, account, id)
	if err == nil && !t.Archived.IsZero() {
		err = errArchived
	}
	return t, err
}

var (
	errNoTemplate = problem.New(problem.KindNotFound, "template_not_found", "there is no such template")
	errArchived   = problem.Conflict("template_archived", "the template is archived")
	errSameName   = problem.Conflict("template_exists", "there is a template with this name already")
)

// ArchiveTemplate takes a template out of use. Campaigns that were made from it
// go on; its name is free again.
func (q *Queue) ArchiveTemplate(ctx context.Context, account, id int64) error {
	if _, err := q.Template(ctx, account, id); err != nil {
		return err
	}
	return archiveTemplate(ctx, q.db, account, id, time.Now())
}
