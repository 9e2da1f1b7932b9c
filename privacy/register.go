package privacy

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/pdf"
)

// Register is the record of processing that a processor keeps (Art. 30(2) GDPR), made
// from the configuration and what is in use.
type Register struct {
	Made          time.Time
	Processor     accounts.Processor
	Controllers   []Processed
	SubProcessors []accounts.SubProcessor
	Security      Security
}

// Processed is what is done on behalf of one controller.
type Processed struct {
	Account    int64
	Handle     string
	Controller accounts.Party
	Categories []string // codes, of Categories
	Fields     []string // that are read of people in directories
	Kept       map[string]int
}

// Categories are the kinds of processing that may be in use.
var Categories = []string{"directory", "contacts", "fields", "cards", "card_visitors", "messages", "personal", "roll_calls", "received", "suppressions"}

// Security is what the general description of the measures is made from (Art. 32(1)).
type Security struct {
	Database              string // postgres or sqlite
	PublicTLS             bool
	Carriers, CarriersTLS int
	Roles                 []string // in use
}

// Register makes the register: of one account, or with account 0 of all.
func (d *Desk) Register(ctx context.Context, account int64) (Register, error) {
	r := Register{Made: time.Now()}
	var err error
	if r.Processor, err = d.parts.Accounts.Processor(ctx); err != nil {
		return r, err
	}
	if r.SubProcessors, err = d.parts.Accounts.SubProcessors(ctx); err != nil {
		return r, err
	}
	if r.Security, err = d.security(ctx); err != nil {
		return r, err
	}
	all, err := selectControllers(ctx, d.parts.DB, account)
	if err != nil {
		return r, err
	}
	for _, p := range all {
		if err := d.describe(ctx, &p); err != nil {
			return r, err
		}
		r.Controllers = append(r.Controllers, p)
	}
	return r, nil
}

func (d *Desk) security(ctx context.Context) (Security, error) {
	s := Security{Database: "sqlite"}
	if d.parts.DB.Dialect() == db.Postgres {
		s.Database = "postgres"
	}
	if d.parts.Processing != nil {
		p, err := d.parts.Processing(ctx, 0, "en")
		if err != nil {
			return s, err
		}
		s.PublicTLS, s.Carriers, s.CarriersTLS = p.PublicTLS, p.Carriers, p.CarriersTLS
	}
	var err error
	s.Roles, err = db.Column[string](ctx, d.parts.DB, `SELECT DISTINCT role FROM memberships ORDER BY role`)
	return s, err
}

// describe fills in what is done for a controller.
func (d *Desk) describe(ctx context.Context, p *Processed) (err error) {
	if p.Controller, err = d.parts.Accounts.Controller(ctx, p.Account); err != nil {
		return err
	}
	if p.Categories, err = selectCategories(ctx, d.parts.DB, p.Account); err != nil {
		return err
	}
	fields, connected, err := d.parts.Directory.Reads(ctx, p.Account)
	if err != nil {
		return err
	}
	if connected {
		p.Fields = fields
	}
	kept, err := d.Retention(ctx, p.Account)
	p.Kept = map[string]int{}
	for _, k := range kept {
		if !k.Fixed() {
			p.Kept[k.Name] = k.Days
		}
	}
	return err
}

// KeptDays says in a language how many days each class of the account's data is kept.
func (d *Desk) KeptDays(ctx context.Context, account int64, language string) (all []string, err error) {
	kept, err := d.Retention(ctx, account)
	say := phrasesOf(language)
	for _, k := range kept {
		if !k.Fixed() {
			all = append(all, fmt.Sprintf("%s: %d", say("class_"+k.Name), k.Days))
		}
	}
	return all, err
}

// Section is a part of the register for people: names and values.
type Section struct {
	Title string
	Rows  [][2]string
}

// Sections write the register in a language: en, nb or pl.
func (r Register) Sections(language string) []Section {
	say := phrasesOf(language)
	all := []Section{{say("processor"), append(party(say, r.Processor.Party), [2]string{say("made"), r.Made.UTC().Format(time.RFC3339)})}}
	for _, p := range r.Controllers {
		all = append(all, p.section(say))
	}
	others := Section{Title: say("sub_processors")}
	for _, s := range r.SubProcessors {
		transfer := s.Transfer
		if transfer == "" {
			transfer = say("no_transfer")
		}
		others.Rows = append(others.Rows, [2]string{s.Name, named(s.Address, s.Contact, s.Service, s.Data, s.Country, transfer)})
	}
	if len(others.Rows) == 0 {
		others.Rows = [][2]string{{say("sub_processors"), say("none")}}
	}
	return append(all, others, r.Security.section(say))
}

func party(say func(string) string, p accounts.Party) (rows [][2]string) {
	for _, f := range [][2]string{{"legal_name", p.LegalName}, {"registration", p.Registration}, {"address", p.Address}, {"contact", p.Contact},
		{"dpo", p.DPO}, {"representative", p.Representative}} {
		value := f[1]
		if value == "" {
			value = say("not_said")
		}
		rows = append(rows, [2]string{say(f[0]), value})
	}
	return rows
}

func (p Processed) section(say func(string) string) Section {
	s := Section{say("controller") + ": " + p.Handle, party(say, p.Controller)}
	var done []string
	for _, c := range p.Categories {
		done = append(done, say("category_"+c))
	}
	if len(done) == 0 {
		done = []string{say("none")}
	}
	s.Rows = append(s.Rows, [2]string{say("categories"), strings.Join(done, "; ")})
	if len(p.Fields) > 0 {
		s.Rows = append(s.Rows, [2]string{say("fields_read"), strings.Join(p.Fields, ", ")})
	}
	for _, c := range Classes {
		if days, ok := p.Kept[c.Name]; ok && !c.Installation {
			s.Rows = append(s.Rows, [2]string{say("kept_days") + ": " + say("class_"+c.Name), strconv.Itoa(days)})
		}
	}
	return s
}

func (s Security) section(say func(string) string) Section {
	public := say("tls_no")
	if s.PublicTLS {
		public = say("tls_yes")
	}
	return Section{say("security"), [][2]string{
		{say("security_database"), say("database_" + s.Database)},
		{say("security_public"), public},
		{say("security_carriers"), strconv.Itoa(s.CarriersTLS) + " / " + strconv.Itoa(s.Carriers)},
		{say("security_secrets"), say("security_secrets_how")},
		{say("security_roles"), strings.Join(s.Roles, ", ")},
		{say("security_audit"), say("security_audit_how")},
		{say("security_pseudonyms"), say("security_pseudonyms_how")},
	}}
}

// CSV writes the register with a row for each of its values.
func (r Register) CSV(w io.Writer, language string) error {
	say := phrasesOf(language)
	out := csv.NewWriter(w)
	out.Write([]string{say("section"), say("what"), say("value")})
	for _, s := range r.Sections(language) {
		for _, row := range s.Rows {
			out.Write([]string{s.Title, row[0], row[1]})
		}
	}
	out.Flush()
	return out.Error()
}

// PDF writes the register as a document.
func (r Register) PDF(language string) ([]byte, error) {
	say := phrasesOf(language)
	doc := pdf.New(say("register"), language, r.Made)
	doc.Heading(1, say("register"))
	doc.Paragraph(say("register_says"))
	for _, s := range r.Sections(language) {
		doc.Heading(2, s.Title)
		doc.Fields(s.Rows...)
	}
	return doc.Bytes()
}
