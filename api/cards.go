package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/internal/secrets"
)

const (
	cardsPath         = "/v1/cards"
	oneCardPath       = cardsPath + "/{id}"
	cardGroupsPath    = "/v1/card-groups"
	cardGroupingPath  = "/v1/card-grouping"
	cardTemplatesPath = "/v1/card-templates"
	cardImagesPath    = "/v1/card-images"

	// cardImageLimit is the largest logo in base 64, with room for the rest.
	cardImageLimit = (cards.MaxImageBytes+2)/3*4 + 1<<10
)

func (s Services) cardRoutes(a huma.API) {
	const read, write = accounts.ScopeCardsRead, accounts.ScopeCardsWrite
	const template = cardTemplatesPath + "/{id}"
	add(a, route{"GET", cardsPath, "listCards", read, "List the cards, the oldest first", http.StatusOK, false}, s.listCards)
	add(a, route{"GET", oneCardPath, "readCard", read, "Read a card: what it tells, and which fields may be edited", http.StatusOK, false}, s.readCard)
	add(a, route{"PATCH", oneCardPath, "editCard", write, "Edit fields of a card, as its holder may: what comes from the directory is locked", http.StatusOK, false}, s.editCard)
	add(a, route{"GET", cardGroupsPath, "listCardGroups", read, "List the groups of a directory's cards, by name", http.StatusOK, false}, s.listCardGroups)
	add(a, route{"GET", cardGroupingPath, "readCardGrouping", read, "Read how a directory's people are grouped", http.StatusOK, false}, s.readCardGrouping)
	add(a, route{"POST", cardGroupingPath, "setCardGrouping", write, "Decide how a directory's people are grouped; another method deletes all of its cards", http.StatusOK, false}, s.setCardGrouping)

	add(a, route{"POST", cardTemplatesPath, "addCardTemplate", write, "Keep a design of cards as a template", http.StatusCreated, true}, s.addCardTemplate)
	add(a, route{"GET", cardTemplatesPath, "listCardTemplates", read, "List the templates of cards, by name", http.StatusOK, false}, s.listCardTemplates)
	addUnrecorded(a, changesNothing, route{"POST", cardTemplatesPath + "/preview", "previewCardTemplate", read, "Check a design of cards, and draw its code; nothing is kept", http.StatusOK, false}, s.previewCardTemplate)
	add(a, route{"GET", template, "readCardTemplate", read, "Read a template of cards", http.StatusOK, false}, s.readCardTemplate)
	add(a, route{"DELETE", template, "removeCardTemplate", write, "Take a template of cards out of use", http.StatusNoContent, false}, s.removeCardTemplate)
	add(a, route{"POST", template + "/versions", "changeCardTemplate", write, "Save the next version of a template; no card shows it before it is applied", http.StatusCreated, true}, s.changeCardTemplate)
	add(a, route{"GET", template + "/versions", "listCardTemplateVersions", read, "List the versions of a template, the last first", http.StatusOK, false}, s.listCardTemplateVersions)
	add(a, route{"POST", template + "/apply", "applyCardTemplate", write, "Let groups of cards show a template as it was saved last", http.StatusOK, false}, s.applyCardTemplate)
	add(a, route{"POST", template + "/notify", "notifyCardHolders", accounts.ScopeMessagesWrite, "Tell the holders of cards that their card was changed, with the link to it: by SMS, and by e-mail where there is a relay", http.StatusAccepted, true}, s.notifyCardHolders)
	add(a, route{"POST", cardImagesPath, "addCardImage", write, "Keep a logo, as PNG or JPEG", http.StatusCreated, false}, s.addCardImage)
}

// card is what is known of a card.
type card struct {
	ID        string      `json:"id" example:"crd_0t3kzjv5m6n8q9x2w4y7b1c0df"`
	State     string      `json:"state" enum:"active,withdrawn"`
	Tenant    string      `json:"tenant" doc:"Of the directory that the holder is in."`
	Contact   string      `json:"contact" doc:"The holder in the address book: con_..."`
	Group     string      `json:"group" doc:"cgr_..."`
	Address   string      `json:"address,omitempty" doc:"Where it is found. Missing when it was withdrawn, or this installation has no public address."`
	Revision  int64       `json:"revision"`
	CreatedAt time.Time   `json:"created_at"`
	ChangedAt time.Time   `json:"changed_at"`
	Fields    []cardField `json:"fields,omitempty" doc:"When one card is read: what it tells, and what may be edited."`
}

type cardField struct {
	ID       string `json:"id" example:"job_title"`
	Kind     string `json:"kind" example:"job_title"`
	Label    string `json:"label,omitempty"`
	Value    string `json:"value" doc:"What the card tells: empty for nothing."`
	Editable bool   `json:"editable" doc:"It may be edited now: what the directory always says may not."`
}

func (s Services) card(c cards.Card) card {
	out := card{ID: s.cardName(c), State: string(c.State), Tenant: c.Tenant, Contact: s.Names.Of(secrets.Contact, c.Contact), Group: s.Names.Of(secrets.CardGroup, c.Group),
		Revision: c.Revision, CreatedAt: at(c.Created), ChangedAt: at(c.Updated)}
	if c.State == cards.Active && s.PublicURL != "" {
		out.Address = cards.Address(s.PublicURL, c.Slug)
	}
	return out
}

func (s Services) cardName(c cards.Card) string { return s.Names.Of(secrets.Card, c.ID) }

type listCards struct {
	Page
	Group   string `query:"group" doc:"cgr_...: those of a group."`
	Contact string `query:"contact" doc:"con_...: whose it is."`
	Text    string `query:"text" maxLength:"200" doc:"In what the directory or the holder says."`
	State   string `query:"state" enum:"active,withdrawn"`
}

func (s Services) listCards(ctx context.Context, in *listCards) (*answer[list[card]], error) {
	after, err := in.from(s.Names, secrets.Card)
	if err != nil {
		return nil, err
	}
	f := cards.ListFilter{Text: in.Text, State: cards.State(in.State)}
	if in.Group != "" {
		if f.Group, err = s.Names.ID(secrets.CardGroup, in.Group); err != nil {
			return nil, err
		}
	}
	if in.Contact != "" {
		if f.Contact, err = s.Names.ID(secrets.Contact, in.Contact); err != nil {
			return nil, err
		}
	}
	rows, err := s.Cards.List(ctx, accountOf(ctx), f, after, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return pageOf(rows, in.Limit, s.card, s.cardName), nil
}

type oneCard struct {
	ID string `path:"id" doc:"crd_..."`
}

func (s Services) readCard(ctx context.Context, in *oneCard) (*answer[card], error) {
	id, err := s.Names.ID(secrets.Card, in.ID)
	if err != nil {
		return nil, err
	}
	c, err := s.Cards.Card(ctx, accountOf(ctx), id)
	if err != nil {
		return nil, err
	}
	return s.cardWithFields(ctx, c)
}

// cardWithFields is a card with what its group's template lets it tell.
func (s Services) cardWithFields(ctx context.Context, c cards.Card) (*answer[card], error) {
	out := s.card(c)
	if c.State != cards.Active {
		return &answer[card]{Body: out}, nil
	}
	_, t, err := s.Cards.Public(ctx, c.Slug)
	if err != nil {
		return nil, err
	}
	for _, section := range t.Sections {
		for _, f := range section.Fields {
			if f.Hidden {
				continue
			}
			out.Fields = append(out.Fields, cardField{ID: f.ID, Kind: string(f.Kind), Label: f.Label, Value: f.Value(c.Values), Editable: f.MayEdit(c.Values)})
		}
	}
	return &answer[card]{Body: out}, nil
}

type newCardFields struct {
	Fields map[string]string `json:"fields" doc:"By their ids; an empty text takes back what was written." example:"{\"website\":\"https://www.example.no\"}"`
}

type editCard struct {
	ID   string `path:"id" doc:"crd_..."`
	Body newCardFields
}

func (s Services) editCard(ctx context.Context, in *editCard) (*answer[card], error) {
	id, err := s.Names.ID(secrets.Card, in.ID)
	if err != nil {
		return nil, err
	}
	c, err := s.Cards.Edit(ctx, accountOf(ctx), id, in.Body.Fields)
	if err != nil {
		return nil, placed(err, func(field string) string { return "fields/" + escape(field) })
	}
	return s.cardWithFields(ctx, c)
}

type cardGroup struct {
	ID        string    `json:"id" example:"cgr_0t3kzjv5m6n8q9x2w4y7b1c0df"`
	Name      string    `json:"name" doc:"What the fields say, joined by ' | ', or the filter's; empty for everybody's." example:"Marketing | Writer"`
	Template  string    `json:"template,omitempty" doc:"ctp_...; without one a group has no cards."`
	Version   int64     `json:"version,omitempty" doc:"Of the template, as it was applied."`
	Cards     int       `json:"cards" doc:"That are active."`
	Withdrawn int       `json:"withdrawn"`
	CreatedAt time.Time `json:"created_at"`
}

func (s Services) cardGroup(g cards.CardGroup) cardGroup {
	out := cardGroup{ID: s.Names.Of(secrets.CardGroup, g.ID), Name: g.Name, Version: g.Version, Cards: g.Cards, Withdrawn: g.Withdrawn, CreatedAt: at(g.Created)}
	if g.Template != 0 {
		out.Template = s.Names.Of(secrets.CardTemplate, g.Template)
	}
	return out
}

type ofTenant struct {
	Tenant string `query:"tenant" required:"true" minLength:"1" maxLength:"200" doc:"Of the directory." example:"contoso.onmicrosoft.com"`
}

func (s Services) listCardGroups(ctx context.Context, in *ofTenant) (*answer[list[cardGroup]], error) {
	all, err := s.Cards.Groups(ctx, accountOf(ctx), in.Tenant)
	if err != nil {
		return nil, err
	}
	return pageOf(all, len(all), s.cardGroup, nil), nil
}
