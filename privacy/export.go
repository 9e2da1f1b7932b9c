package privacy

import (
	"bufio"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/internal/subject"
)

// Formats of an export.
const (
	JSON = "json"
	HTML = "html"
)

// Languages are those in which an export can be read.
var Languages = []string{"en", "nb", "pl"}

// ExportPerson writes all that is held about a person (Art. 15 GDPR), one record after the
// other, in a format: JSON as docs/privacy.md describes it, or a page to be read and
// printed, in a language. It is written down that it was asked for.
func (d *Desk) ExportPerson(ctx context.Context, account int64, m Match, format, language string, w io.Writer) error {
	if format != JSON && format != HTML {
		return problem.Invalid("format", "an export is json or html, not %q", format)
	}
	if !slices.Contains(Languages, language) {
		return problem.Invalid("language", "an export is written in %s, not in %q", strings.Join(Languages, ", "), language)
	}
	if err := d.recordExport(ctx, account, m, format); err != nil {
		return err
	}
	acc, err := d.parts.Accounts.ByID(ctx, account)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	t := telling{Writer: out, account: acc.Name, at: time.Now().UTC().Truncate(time.Second)}
	if format == HTML {
		err = t.html(ctx, m.Person, d.sections(m.Person), language)
	} else {
		err = t.json(ctx, m.Person, d.sections(m.Person))
	}
	if err != nil {
		return err
	}
	return out.Flush()
}

func (d *Desk) recordExport(ctx context.Context, account int64, m Match, format string) error {
	return d.parts.DB.InTx(ctx, func(tx *db.Tx) error {
		e := audit.Entry{Account: account, Action: "person.exported", Facts: map[string]string{"format": format}, Detail: map[string]string{"person": m.Ref}}
		if len(m.Contacts) > 0 {
			e.Subject, e.SubjectID = secrets.Contact, m.Contacts[0]
		}
		_, err := audit.Record(ctx, tx, e)
		return err
	})
}

// telling is an export under way.
type telling struct {
	*bufio.Writer
	account string
	at      time.Time
}

func (t telling) json(ctx context.Context, p subject.Person, sections []subject.Section) error {
	head, err := json.Marshal(map[string]any{"numbers": list(p.Numbers), "names": list(p.Names), "emails": list(p.Emails)})
	if err != nil {
		return err
	}
	account, _ := json.Marshal(t.account)
	fmt.Fprintf(t, `{"account":%s,"at":%q,"person":%s,"sections":{`, account, t.at.Format(time.RFC3339), head)
	for i, s := range sections {
		if i > 0 {
			t.WriteByte(',')
		}
		fmt.Fprintf(t, "\n%q:[", s.Name)
		n := 0
		err := s.Each(ctx, func(r subject.Record) error {
			text, err := json.Marshal(r)
			if err != nil {
				return err
			}
			if n++; n > 1 {
				t.WriteByte(',')
			}
			_, err = t.Write(append([]byte{'\n'}, text...))
			return err
		})
		if err != nil {
			return err
		}
		t.WriteByte(']')
	}
	_, err = t.WriteString("}}\n")
	return err
}

func list(all []string) []string {
	if all == nil {
		return []string{}
	}
	return all
}

//go:embed words/*.json
var wordFiles embed.FS

// words are a language's, by what they stand for.
func wordsOf(language string) (words map[string]string, err error) {
	text, err := wordFiles.ReadFile("words/" + language + ".json")
	if err != nil {
		return nil, err
	}
	return words, json.Unmarshal(text, &words)
}

const pageStyle = `body{font:16px/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff;max-width:52rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin:0 0 .25rem}h2{font-size:1.2rem;margin:2rem 0 .5rem;border-bottom:2px solid #1a1a1a;padding-bottom:.25rem}
p{margin:.25rem 0}dl{display:grid;grid-template-columns:12rem 1fr;gap:.15rem 1rem;margin:0;padding:.75rem 0;border-bottom:1px solid #c8c8c8;break-inside:avoid}
dt{color:#555}dd{margin:0;overflow-wrap:anywhere;white-space:pre-wrap}
@media(max-width:36rem){dl{grid-template-columns:1fr}dd{margin-bottom:.4rem}}@media print{body{margin:0;max-width:none;font-size:11pt}}`

func (t telling) html(ctx context.Context, p subject.Person, sections []subject.Section, language string) error {
	words, err := wordsOf(language)
	if err != nil {
		return err
	}
	say := func(word string) string { return html.EscapeString(orWord(words, word)) }
	fmt.Fprintf(t, `<!doctype html><html lang="%s"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>%s</title><style>%s</style></head><body>`+
		"\n<h1>%s</h1><p>%s: %s</p><p>%s: %s</p>\n", language, say("title"), pageStyle, say("title"), say("holder"), html.EscapeString(t.account), say("at"), t.at.Format("2006-01-02 15:04 UTC"))
	for _, s := range sections {
		fmt.Fprintf(t, "<h2>%s</h2><p>%s</p>\n", say("section_"+s.Name), say("about_"+s.Name))
		n := 0
		err := s.Each(ctx, func(r subject.Record) error {
			n++
			t.WriteString("<dl>")
			for _, f := range r {
				if value := shown(f.Value); value != "" {
					fmt.Fprintf(t, "<dt>%s</dt><dd>%s</dd>", say(f.Name), html.EscapeString(value))
				}
			}
			_, err := t.WriteString("</dl>\n")
			return err
		})
		if err != nil {
			return err
		}
		if n == 0 {
			fmt.Fprintf(t, "<p>%s</p>\n", say("nothing"))
		}
	}
	_, err = t.WriteString("</body></html>\n")
	return err
}

// orWord is a word itself where the language has none for it: a field of a room that
// the words do not know yet.
func orWord(words map[string]string, word string) string {
	if text, ok := words[word]; ok {
		return text
	}
	return strings.ReplaceAll(word, "_", " ")
}

// shown is a value as it is read.
func shown(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case time.Time:
		return v.Format("2006-01-02 15:04:05 UTC")
	case []string:
		return strings.Join(v, "\n")
	case map[string]string:
		var all []string
		for name, value := range v {
			all = append(all, name+": "+value)
		}
		sort.Strings(all)
		return strings.Join(all, "\n")
	case []subject.Record:
		var all []string
		for _, r := range v {
			var one []string
			for _, f := range r {
				one = append(one, shown(f.Value))
			}
			all = append(all, strings.Join(one, " "))
		}
		return strings.Join(all, "\n")
	}
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return ""
	}
	return string(text)
}
