package api

import (
	"bufio"
	"context"
	"log/slog"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"

	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/privacy"
)

const (
	privacyPeoplePath = "/v1/privacy/people"
	personExportPath  = privacyPeoplePath + "/export"
	erasuresPath      = "/v1/privacy/erasures"
)

type person struct {
	Ref     string         `json:"ref" doc:"What to ask for them by: a contact's id, a number, or a directory's tenant and object id." example:"con_0t3kzjv5m6n8q9x2w4y7b1c0df"`
	Names   []string       `json:"names"`
	Numbers []string       `json:"numbers" doc:"E.164; those that are theirs alone." example:"+4791234567"`
	Emails  []string       `json:"emails"`
	Held    map[string]int `json:"held" doc:"How many records are held, by section."`
}

type findPeople struct {
	Query string `query:"q" required:"true" doc:"A number as people type it, an e-mail address, a contact's id or a part of a name."`
	Limit int    `query:"limit" default:"20" minimum:"1" maximum:"100"`
}

type people struct {
	Items []person `json:"items"`
}

func (s Services) findPeople(ctx context.Context, in *findPeople) (*answer[people], error) {
	found, err := s.Privacy.Find(ctx, accountOf(ctx), in.Query, in.Limit)
	if err != nil {
		return nil, err
	}
	out := people{Items: []person{}}
	for _, m := range found {
		counts, err := s.Privacy.Counts(ctx, m.Person)
		if err != nil {
			return nil, err
		}
		one := person{Ref: m.Ref, Names: words(m.Names), Numbers: words(m.Numbers), Emails: words(m.Emails), Held: map[string]int{}}
		for _, c := range counts {
			one.Held[c.Section] = c.N
		}
		out.Items = append(out.Items, one)
	}
	return &answer[people]{Body: out}, nil
}

// words is a list that is never null.
func words(all []string) []string { return append([]string{}, all...) }

type exportPerson struct {
	Person   string `query:"person" required:"true" doc:"A contact's id, a number, or what a search answers as ref."`
	Format   string `query:"format" enum:"json,html" default:"json" doc:"json, or html to be read and printed."`
	Language string `query:"language" enum:"en,nb,pl" default:"en" doc:"Of the page."`
}

// exportPatience bounds how long an export is written.
const exportPatience = 10 * time.Minute

func (s Services) exportPerson(ctx context.Context, in *exportPerson) (*huma.StreamResponse, error) {
	account := accountOf(ctx)
	m, err := s.Privacy.Person(ctx, account, in.Person)
	if err != nil {
		return nil, err
	}
	types := map[string]string{privacy.JSON: "application/json", privacy.HTML: "text/html; charset=utf-8"}
	return &huma.StreamResponse{Body: func(h huma.Context) {
		h.SetHeader("Content-Type", types[in.Format])
		h.SetHeader("Content-Disposition", `attachment; filename="person.`+in.Format+`"`)
		h.SetHeader("Cache-Control", "no-store")
		kept := context.WithoutCancel(ctx)
		humafiber.Unwrap(h).Context().SetBodyStreamWriter(func(w *bufio.Writer) {
			ctx, cancel := context.WithTimeout(kept, exportPatience)
			defer cancel()
			if err := s.Privacy.ExportPerson(ctx, account, m, in.Format, in.Language, w); err != nil {
				slog.Error("an export of a person ended before its end", "error", err)
			}
		})
	}}, nil
}

// exportedPerson is the shape of an export: it is streamed, and so not of a type.
func exportedPerson() map[string]*huma.Response {
	text := func(doc string) *huma.Schema { return &huma.Schema{Type: huma.TypeString, Description: doc} }
	return map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{
		"application/json": {Schema: &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{
			"account": text("By whom it is held."),
			"at":      text("When."),
			"person":  {Type: huma.TypeObject, Description: "Who: names, numbers, emails."},
			"sections": {Type: huma.TypeObject, Description: "What is held: of each section a list of records, whose fields follow from the section " +
				"(contacts, uploads, directory, messages, received, roll_call_answers, opt_outs, audit). There may be more later."},
		}}},
		"text/html": {Schema: text("With format=html.")},
	}}}
}

type erasure struct {
	ID       string         `json:"id" example:"era_0t3kzjv5m6n8q9x2w4y7b1c0df"`
	At       time.Time      `json:"at"`
	Reason   string         `json:"reason"`
	Found    map[string]int `json:"found" doc:"How much was found and erased, by room."`
	Replayed bool           `json:"replayed,omitempty" doc:"It was done again, after a restore."`
	LiftedAt *time.Time     `json:"lifted_at,omitempty" doc:"Missing while the person is kept out."`
	Still    []string       `json:"still_in_directory,omitempty" doc:"Object ids under which a directory still tells of the person: hide or remove them there. Said this once."`
}

func (s Services) erasure(e privacy.Erasure) erasure {
	out := erasure{ID: s.erasureName(e), At: at(e.At), Reason: e.Reason, Found: e.What, Replayed: e.Replayed}
	if !e.Lifted.IsZero() {
		out.LiftedAt = new(at(e.Lifted))
	}
	for _, o := range e.Still {
		out.Still = append(out.Still, o.ID)
	}
	return out
}

func (s Services) erasureName(e privacy.Erasure) string { return s.Names.Of(secrets.Erasure, e.ID) }

type newErasure struct {
	Person string `json:"person" doc:"A contact's id, a number, or what a search answers as ref." example:"con_0t3kzjv5m6n8q9x2w4y7b1c0df"`
	Reason string `json:"reason" doc:"Why; 200 characters at the most. It stays, so it must not name the person." example:"Asked for by letter of 3 May"`
}

type erasePerson struct {
	Body newErasure
}

func (s Services) erasePerson(ctx context.Context, in *erasePerson) (*answer[erasure], error) {
	e, err := s.Privacy.Erase(ctx, accountOf(ctx), in.Body.Person, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return &answer[erasure]{Body: s.erasure(e)}, nil
}

type listErasures struct {
	Page
}

func (s Services) listErasures(ctx context.Context, in *listErasures) (*answer[list[erasure]], error) {
	before, err := in.from(s.Names, secrets.Erasure)
	if err != nil {
		return nil, err
	}
	all, err := s.Privacy.Erasures(ctx, accountOf(ctx), before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return pageOf(all, in.Limit, s.erasure, s.erasureName), nil
}

type namedErasure struct {
	ID string `path:"id"`
}

func (s Services) liftErasure(ctx context.Context, in *namedErasure) (*answer[erasure], error) {
	id, err := s.Names.ID(secrets.Erasure, in.ID)
	if err != nil {
		return nil, err
	}
	e, err := s.Privacy.Lift(ctx, accountOf(ctx), id)
	if err != nil {
		return nil, err
	}
	return &answer[erasure]{Body: s.erasure(e)}, nil
}
