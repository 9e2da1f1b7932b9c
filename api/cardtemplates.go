package api

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/cards/qr"
	"github.com/varsel/varsel/internal/secrets"
)

// cardDesign is what a version of a template says.
type cardDesign struct {
	Sections []designSection `json:"sections" minItems:"1" maxItems:"10" doc:"Fields that stand together; one field is the full name."`
	Looks    designLooks     `json:"looks"`
	Code     designCode      `json:"code"`
	Settings designSettings  `json:"settings"`
}

type designSection struct {
	Title  string        `json:"title,omitempty" maxLength:"80"`
	Fields []designField `json:"fields" maxItems:"40"`
}

type designField struct {
	ID       string `json:"id" doc:"Stays the same over all versions: a-z, digits and _." maxLength:"40" example:"job_title"`
	Kind     string `json:"kind" enum:"full_name,given_name,family_name,job_title,department,company,mobile,work_phone,fax,email,website,street,city,region,postal_code,country,office,note,text"`
	Label    string `json:"label,omitempty" maxLength:"80" doc:"Empty: the kind's, in the visitor's language."`
	From     string `json:"from,omitempty" doc:"The property of a person in the directory that it is taken from." example:"jobTitle"`
	Sync     string `json:"sync" enum:"never,once,always" doc:"How often it is taken; never is a field that no property is mapped to."`
	Editable bool   `json:"editable,omitempty" doc:"By the holder; what is always in sync only while the directory says nothing."`
	Default  string `json:"default,omitempty" maxLength:"1000" doc:"Told when nobody says anything else."`
	Hidden   bool   `json:"hidden,omitempty" doc:"It is on no page, in no vCard and in no code."`
}

type designLooks struct {
	Layout     string `json:"layout,omitempty" enum:"plain,banner,side" default:"banner"`
	Primary    string `json:"primary,omitempty" doc:"Of buttons and headings. Under a contrast of 4.5:1 on the background it is refused." example:"#1f4e79"`
	Background string `json:"background,omitempty" example:"#ffffff"`
	Ink        string `json:"ink,omitempty" doc:"Of the text." example:"#1a1a1a"`
	Font       string `json:"font,omitempty" enum:"sans,serif,round" default:"sans"`
	Logo       string `json:"logo,omitempty" doc:"cim_..."`
	Photo      bool   `json:"photo,omitempty"`
}

type designCode struct {
	Foreground   string `json:"foreground,omitempty" example:"#000000"`
	Background   string `json:"background,omitempty" example:"#ffffff"`
	FinderColour string `json:"finder_colour,omitempty" doc:"Of the corners; empty: as the rest."`
	Modules      string `json:"modules,omitempty" enum:"square,rounded,dot,diamond,bar,column" default:"square"`
	Finders      string `json:"finders,omitempty" enum:"square,rounded,round" default:"square"`
	Level        string `json:"level,omitempty" enum:"L,M,Q,H" default:"M" doc:"Of error correction."`
	Frame        string `json:"frame,omitempty" enum:"none,square,rounded" default:"none"`
	Caption      string `json:"caption,omitempty" maxLength:"40"`
	Logo         bool   `json:"logo,omitempty" doc:"The logo of the card is in the middle."`
	LogoPercent  int    `json:"logo_percent,omitempty" doc:"Of the code's width; 20 if it is not said."`
}

type designSettings struct {
	Language   string   `json:"language,omitempty" doc:"en, nb or pl; empty: the visitor's."`
	Buttons    []string `json:"buttons,omitempty" doc:"save, call, sms, mail, web, map and share, in their order."`
	Indexed    bool     `json:"indexed,omitempty" doc:"Search engines may list the cards."`
	TextMe     bool     `json:"text_me,omitempty" doc:"Visitors may have the card texted to them."`
	TextAbroad bool     `json:"text_abroad,omitempty" doc:"Also to numbers of other countries than the account's."`
	Offline    bool     `json:"offline,omitempty" doc:"Offer a code that holds the contact itself, and cannot be revoked."`
}

func (s Services) bodyOf(d cardDesign) (b cards.Body, err error) {
	for _, section := range d.Sections {
		to := cards.Section{Title: section.Title}
		for _, f := range section.Fields {
			to.Fields = append(to.Fields, cards.Field{ID: f.ID, Kind: cards.Kind(f.Kind), Label: f.Label, From: f.From, Sync: cards.Sync(f.Sync),
				Editable: f.Editable, Default: f.Default, Hidden: f.Hidden})
		}
		b.Sections = append(b.Sections, to)
	}
	l, c, set := d.Looks, d.Code, d.Settings
	b.Looks = cards.Looks{Layout: cards.Layout(l.Layout), Primary: l.Primary, Background: l.Background, Ink: l.Ink, Font: cards.Font(l.Font), Photo: l.Photo}
	if l.Logo != "" {
		if b.Looks.Logo, err = s.Names.ID(secrets.CardImage, l.Logo); err != nil {
			return b, err
		}
	}
	b.Code = cards.Code{Foreground: c.Foreground, Background: c.Background, FinderColour: c.FinderColour, Modules: qr.ModuleShape(c.Modules), Finders: qr.FinderShape(c.Finders),
		Level: qr.Level(c.Level), Frame: qr.Frame(c.Frame), Caption: c.Caption, Logo: c.Logo, LogoPercent: c.LogoPercent}
	b.Settings = cards.Settings{Language: set.Language, Indexed: set.Indexed, TextMe: set.TextMe, TextAbroad: set.TextAbroad, Offline: set.Offline, Buttons: []cards.Button{}}
	for _, button := range set.Buttons {
		b.Settings.Buttons = append(b.Settings.Buttons, cards.Button(button))
	}
	return b, nil
}

func (s Services) designOf(b cards.Body) (d cardDesign) {
	for _, section := range b.Sections {
		to := designSection{Title: section.Title, Fields: []designField{}}
		for _, f := range section.Fields {
			to.Fields = append(to.Fields, designField{ID: f.ID, Kind: string(f.Kind), Label: f.Label, From: f.From, Sync: string(f.Sync),
				Editable: f.Editable, Default: f.Default, Hidden: f.Hidden})
		}
		d.Sections = append(d.Sections, to)
	}
	l, c, set := b.Looks, b.Code, b.Settings
	d.Looks = designLooks{Layout: string(l.Layout), Primary: l.Primary, Background: l.Background, Ink: l.Ink, Font: string(l.Font), Photo: l.Photo}
	if l.Logo != 0 {
		d.Looks.Logo = s.Names.Of(secrets.CardImage, l.Logo)
	}
	d.Code = designCode{Foreground: c.Foreground, Background: c.Background, FinderColour: c.FinderColour, Modules: string(c.Modules), Finders: string(c.Finders),
		Level: string(c.Level), Frame: string(c.Frame), Caption: c.Caption, Logo: c.Logo, LogoPercent: c.LogoPercent}
	d.Settings = designSettings{Language: set.Language, Indexed: set.Indexed, TextMe: set.TextMe, TextAbroad: set.TextAbroad, Offline: set.Offline}
	for _, button := range set.Buttons {
		d.Settings.Buttons = append(d.Settings.Buttons, string(button))
	}
	return d
}

type cardTemplate struct {
	ID      string     `json:"id" example:"ctp_0t3kzjv5m6n8q9x2w4y7b1c0df"`
	Name    string     `json:"name" example:"House style"`
	Version int64      `json:"version" doc:"Rises with every change of the design."`
	SavedAt time.Time  `json:"saved_at"`
	Design  cardDesign `json:"design"`
}

func (s Services) cardTemplate(t cards.Template) cardTemplate {
	return cardTemplate{ID: s.cardTemplateName(t), Name: t.Name, Version: t.Version, SavedAt: at(t.Updated), Design: s.designOf(t.Body)}
}

func (s Services) cardTemplateName(t cards.Template) string {
	return s.Names.Of(secrets.CardTemplate, t.ID)
}

type newCardTemplate struct {
	Name   string     `json:"name" maxLength:"80" example:"House style"`
	Design cardDesign `json:"design"`
}

type addCardTemplate struct {
	Once
	Body newCardTemplate
}

func (s Services) addCardTemplate(ctx context.Context, in *addCardTemplate) (*made[cardTemplate], error) {
	return s.saveCardTemplate(ctx, in.Once, cardTemplatesPath, 0, 0, in.Body)
}

func (s Services) saveCardTemplate(ctx context.Context, o Once, path string, id, over int64, n newCardTemplate) (*made[cardTemplate], error) {
	b, err := s.bodyOf(n.Design)
	if err != nil {
		return nil, err
	}
	id, err = o.do(ctx, s, path, n, func(take accounts.Take) (int64, error) {
		t, err := s.Cards.SaveTemplateOver(ctx, accountOf(ctx), id, over, n.Name, b, take)
		return t.ID, err
	})
	if err != nil {
		return nil, placed(err, inDesign)
	}
	t, err := s.Cards.Template(ctx, accountOf(ctx), id)
	if err != nil {
		return nil, err
	}
	shown := s.cardTemplate(t)
	return &made[cardTemplate]{Location: cardTemplatesPath + "/" + shown.ID, Body: shown}, nil
}

var brackets = strings.NewReplacer("[", "/", "].", "/", ".", "/")

// inDesign says where in the body a part of the design is: sections[0].fields[2].default
// is design/sections/0/fields/2/default.
func inDesign(field string) string {
	if field == "name" {
		return field
	}
	return "design/" + brackets.Replace(field)
}

type oneCardTemplate struct {
	ID string `path:"id" doc:"ctp_..."`
}

type changeCardTemplate struct {
	Once
	ID   string `path:"id" doc:"ctp_..."`
	Over int64  `query:"over" minimum:"0" doc:"The version that was changed: when somebody saved another since, it is refused with card_template_changed. Without it, the last one is."`
	Body newCardTemplate
}

func (s Services) changeCardTemplate(ctx context.Context, in *changeCardTemplate) (*made[cardTemplate], error) {
	id, err := s.Names.ID(secrets.CardTemplate, in.ID)
	if err != nil {
		return nil, err
	}
	return s.saveCardTemplate(ctx, in.Once, fmt.Sprintf("%s/%s/versions?over=%d", cardTemplatesPath, in.ID, in.Over), id, in.Over, in.Body)
}

func (s Services) listCardTemplates(ctx context.Context, _ *struct{}) (*answer[list[cardTemplate]], error) {
	all, err := s.Cards.Templates(ctx, accountOf(ctx))
	if err != nil {
		return nil, err
	}
	return pageOf(all, len(all), s.cardTemplate, nil), nil
}

func (s Services) readCardTemplate(ctx context.Context, in *oneCardTemplate) (*answer[cardTemplate], error) {
	id, err := s.Names.ID(secrets.CardTemplate, in.ID)
	if err != nil {
		return nil, err
	}
	t, err := s.Cards.Template(ctx, accountOf(ctx), id)
	if err != nil {
		return nil, err
	}
	return &answer[cardTemplate]{Body: s.cardTemplate(t)}, nil
}

func (s Services) listCardTemplateVersions(ctx context.Context, in *oneCardTemplate) (*answer[list[cardTemplate]], error) {
	one, err := s.readCardTemplate(ctx, in)
	if err != nil {
		return nil, err
	}
	id, err := s.Names.ID(secrets.CardTemplate, one.Body.ID)
	if err != nil {
		return nil, err
	}
	all, err := s.Cards.TemplateVersions(ctx, accountOf(ctx), id)
	if err != nil {
		return nil, err
	}
	return pageOf(all, len(all), s.cardTemplate, nil), nil
}

func (s Services) removeCardTemplate(ctx context.Context, in *oneCardTemplate) (*struct{}, error) {
	id, err := s.Names.ID(secrets.CardTemplate, in.ID)
	if err != nil {
		return nil, err
	}
	return nil, s.Cards.RemoveTemplate(ctx, accountOf(ctx), id)
}

type newCardLook struct {
	Groups []string `json:"groups,omitempty" minItems:"1" doc:"cgr_...; without it all groups, also those that are yet to come."`
}

type applyCardTemplate struct {
	ID   string `path:"id" doc:"ctp_..."`
	Body newCardLook
}

type newCardNotice struct {
	Groups []string `json:"groups,omitempty" minItems:"1" maxItems:"500" doc:"cgr_...; without it the holders of all cards. An empty list is refused."`
}

type notifyCardHolders struct {
	ID string `path:"id" doc:"ctp_..."`
	Once
	Body newCardNotice
}

// notifyCardHolders starts the campaign that tells them.
func (s Services) notifyCardHolders(ctx context.Context, in *notifyCardHolders) (*made[campaign], error) {
	if _, err := s.readCardTemplate(ctx, &oneCardTemplate{in.ID}); err != nil {
		return nil, err
	}
	groups, err := s.idsOf(secrets.CardGroup, in.Body.Groups)
	if err != nil {
		return nil, err
	}
	c, err := s.Queue.NotifyHolders(ctx, accountOf(ctx), groups, in.Key, requestHash("POST", cardTemplatesPath+"/"+in.ID+"/notify", in.Body))
	if err != nil {
		return nil, err
	}
	shown := s.campaign(c)
	return &made[campaign]{Location: campaignsPath + "/" + shown.ID, Body: shown}, nil
}

func (s Services) applyCardTemplate(ctx context.Context, in *applyCardTemplate) (*answer[cardTemplate], error) {
	id, err := s.Names.ID(secrets.CardTemplate, in.ID)
	if err != nil {
		return nil, err
	}
	var groups []int64
	for _, name := range in.Body.Groups {
		group, err := s.Names.ID(secrets.CardGroup, name)
		if err != nil {
			return nil, err
		}
		groups = append(groups, group)
	}
	if err := s.Cards.Apply(ctx, accountOf(ctx), id, groups); err != nil {
		return nil, err
	}
	return s.readCardTemplate(ctx, &oneCardTemplate{in.ID})
}

type previewCardTemplate struct{ Body cardDesign }

type cardPreview struct {
	Design   cardDesign `json:"design" doc:"As it would be kept."`
	Code     string     `json:"code" doc:"A code in this style, as SVG."`
	Warnings []string   `json:"warnings" doc:"dense: it has to be printed large."`
}

// exampleSlug is nobody's: it has the length of all.
const exampleSlug = "7h2kx09qmz4bd8ra"

func (s Services) previewCardTemplate(ctx context.Context, in *previewCardTemplate) (*answer[cardPreview], error) {
	b, code, err := s.sampled(ctx, in.Body)
	if err != nil {
		return nil, placed(err, brackets.Replace)
	}
	out := cardPreview{Design: s.designOf(b), Code: string(code.SVG()), Warnings: []string{}}
	for _, warning := range code.Warnings() {
		out.Warnings = append(out.Warnings, string(warning))
	}
	return &answer[cardPreview]{Body: out}, nil
}

// sampled is a design as it would be kept, and a code in it that was read back.
func (s Services) sampled(ctx context.Context, d cardDesign) (cards.Body, *qr.Code, error) {
	b, err := s.bodyOf(d)
	if err == nil {
		b, err = b.Checked()
	}
	if err != nil {
		return b, nil, err
	}
	look, err := s.Cards.Look(ctx, accountOf(ctx), b)
	if err != nil {
		return b, nil, err
	}
	code, err := look.Code(cards.CodeAddress(s.PublicURL, exampleSlug))
	if err == nil {
		err = code.Verify()
	}
	return b, code, err
}

type newCardImage struct {
	Content []byte `json:"content" doc:"PNG or JPEG, in base 64: 2048 pixels a side at most."`
}

type addCardImage struct{ Body newCardImage }

type cardImage struct {
	ID        string `json:"id" example:"cim_0t3kzjv5m6n8q9x2w4y7b1c0df"`
	MediaType string `json:"media_type" enum:"image/png,image/jpeg"`
}

func (s Services) addCardImage(ctx context.Context, in *addCardImage) (*answer[cardImage], error) {
	i, err := s.Cards.AddImage(ctx, accountOf(ctx), in.Body.Content)
	if err != nil {
		return nil, placed(err, always("content"))
	}
	return &answer[cardImage]{Body: cardImage{ID: s.Names.Of(secrets.CardImage, i.ID), MediaType: i.MediaType}}, nil
}
