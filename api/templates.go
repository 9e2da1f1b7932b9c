package api

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

type newTemplate struct {
	Name     string            `json:"name" maxLength:"200" example:"Shift change"`
	Language string            `json:"language" doc:"BCP 47: the text for those whose own language it lacks." example:"en"`
	Texts    map[string]string `json:"texts" doc:"By language (BCP 47). They may have fields, like the text of a campaign." example:"{\"en\":\"Hi {{first_name|there}}\",\"nb\":\"Hei {{first_name|du}}\"}"`
}

type newVersion struct {
	Name     string            `json:"name,omitempty" maxLength:"200" doc:"As before, if it is not given."`
	Language string            `json:"language" doc:"BCP 47: the text for those whose own language it lacks." example:"en"`
	Texts    map[string]string `json:"texts" doc:"By language (BCP 47): all of them, also those that stay." example:"{\"en\":\"Hi {{first_name|there}}\"}"`
}

func (n newVersion) template(key, hash string) smsqueue.NewTemplate {
	out := smsqueue.NewTemplate{Name: n.Name, Language: n.Language, Key: key, RequestHash: hash}
	for _, language := range slices.Sorted(maps.Keys(n.Texts)) {
		out.Texts = append(out.Texts, smsqueue.TemplateText{Language: language, Text: n.Texts[language]})
	}
	return out
}

type textTemplate struct {
	ID         string            `json:"id" example:"tpl_0t3kzjv5m6n8q9x2w4y7b1c0df"`
	Name       string            `json:"name"`
	Version    int               `json:"version" doc:"Rises with every change."`
	Language   string            `json:"language" doc:"BCP 47."`
	Texts      map[string]string `json:"texts" doc:"By language."`
	CreatedAt  time.Time         `json:"created_at"`
	ChangedAt  time.Time         `json:"changed_at"`
	ArchivedAt time.Time         `json:"archived_at,omitzero"`
}

func (s Services) template(t smsqueue.Template) textTemplate {
	out := textTemplate{ID: s.templateName(t), Name: t.Name, Version: t.Version.Number, Language: t.Version.Language, Texts: map[string]string{},
		CreatedAt: at(t.Created), ChangedAt: at(t.Version.Created), ArchivedAt: at(t.Archived)}
	for _, text := range t.Version.Texts {
		out.Texts[text.Language] = text.Text
	}
	return out
}

func (s Services) templateName(t smsqueue.Template) string { return s.Names.Of(secrets.Template, t.ID) }

const templatesPath = "/v1/templates"

type addTemplate struct {
	Once
	Body newTemplate
}

func (s Services) addTemplate(ctx context.Context, in *addTemplate) (*made[textTemplate], error) {
	hash := requestHash("POST", templatesPath, in.Body)
	t, err := s.Queue.AddTemplate(ctx, accountOf(ctx), newVersion(in.Body).template(in.Key, hash))
	return s.madeTemplate(t, err)
}

func (s Services) madeTemplate(t smsqueue.Template, err error) (*made[textTemplate], error) {
	if err != nil {
		return nil, err
	}
	shown := s.template(t)
	return &made[textTemplate]{Location: templatesPath + "/" + shown.ID, Body: shown}, nil
}

type changeTemplate struct {
	Once
	ID   string `path:"id" doc:"tpl_..."`
	Body newVersion
}

func (s Services) changeTemplate(ctx context.Context, in *changeTemplate) (*made[textTemplate], error) {
	id, err := s.Names.ID(secrets.Template, in.ID)
	if err != nil {
		return nil, err
	}
	hash := requestHash("POST", templatesPath+"/"+in.ID+"/versions", in.Body)
	t, err := s.Queue.ChangeTemplate(ctx, accountOf(ctx), id, in.Body.template(in.Key, hash))
	return s.madeTemplate(t, err)
}

type listTemplates struct {
	Page
}

func (s Services) listTemplates(ctx context.Context, in *listTemplates) (*answer[list[textTemplate]], error) {
	before, err := in.from(s.Names, secrets.Template)
	if err != nil {
		return nil, err
	}
	rows, err := s.Queue.Templates(ctx, accountOf(ctx), before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return pageOf(rows, in.Limit, s.template, s.templateName), nil
}

type oneTemplate struct {
	ID string `path:"id" doc:"tpl_..."`
}

func (s Services) readTemplate(ctx context.Context, in *oneTemplate) (*answer[textTemplate], error) {
	id, err := s.Names.ID(secrets.Template, in.ID)
	if err != nil {
		return nil, err
	}
	t, err := s.Queue.Template(ctx, accountOf(ctx), id)
	if err != nil {
		return nil, err
	}
	return &answer[textTemplate]{Body: s.template(t)}, nil
}

func (s Services) archiveTemplate(ctx context.Context, in *oneTemplate) (*answer[textTemplate], error) {
	id, err := s.Names.ID(secrets.Template, in.ID)
	if err != nil {
		return nil, err
	}
	if err := s.Queue.ArchiveTemplate(ctx, accountOf(ctx), id); err != nil {
		return nil, err
	}
	return s.readTemplate(ctx, in)
}

// findTemplate takes a template's id, or the name of one that can be used.
func (s Services) findTemplate(ctx context.Context, nameOrID string) (smsqueue.Template, error) {
	if id, err := s.Names.ID(secrets.Template, nameOrID); err == nil {
		return s.Queue.Template(ctx, accountOf(ctx), id)
	}
	return s.Queue.FindTemplate(ctx, accountOf(ctx), nameOrID)
}
