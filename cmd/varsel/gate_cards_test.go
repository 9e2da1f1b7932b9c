package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/png"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/internal/secrets"
)

// cardDesk are the values about cards, their templates and groups: a template whenever
// one is asked for, a directory that has a grouping, and somebody's card.
func (f *fixtures) cardDesk() {
	f.t.Helper()
	ctx, app, account := f.t.Context(), f.app, f.account.ID
	is := func(v string) func() string { return func() string { return v } }
	_, err := app.Cards.SaveGrouping(ctx, account, cards.Grouping{Tenant: entra.TenantID(), Method: cards.InOne}, "")
	must(f.t, err)
	all, err := app.Cards.List(ctx, account, cards.ListFilter{Text: "Holder of a card"}, 0, 1)
	must(f.t, err)
	card := is(app.Names.Of(secrets.Card, all[0].ID))
	groups, err := app.Cards.Groups(ctx, account, entra.TenantID())
	must(f.t, err)
	group := is(app.Names.Of(secrets.CardGroup, groups[0].ID))
	template := func() string {
		t, err := app.Cards.SaveTemplate(ctx, account, 0, f.fresh("Design %d"), generousDesign())
		must(f.t, err)
		return app.Names.Of(secrets.CardTemplate, t.ID)
	}
	var logo bytes.Buffer
	must(f.t, png.Encode(&logo, image.NewGray(image.Rect(0, 0, 64, 64))))
	picture, err := app.Cards.AddImage(ctx, account, logo.Bytes())
	must(f.t, err)
	body, err := json.Marshal(savedTemplate{Name: "From a file", Body: cards.Usual()})
	must(f.t, err)

	design := is(`{"sections":[{"fields":[{"id":"name","kind":"full_name","from":"displayName","sync":"always"}]}],"looks":{},"code":{},"settings":{}}`)
	for name, value := range map[string]func() string{
		"cards/id": card, "card-templates/id": template, "colours/colours": is("1f4e79ffffff1a1a1a.css"), "images/id": is(app.Names.Of(secrets.CardImage, picture.ID)),
		"grouping/id": is(app.Names.Of(secrets.Connection, f.entra.ID)), "/cards/groups/:id/sync": group, "/cards/grouping/:id method": is("all"),
		"addCardTemplate design": design, "changeCardTemplate design": design, "addCardImage content": is(base64.StdEncoding.EncodeToString(logo.Bytes())),
		"previewCardTemplate sections": is(`[{"fields":[{"id":"name","kind":"full_name","sync":"never","default":"Kari"}]}]`),
		"card show card":               card, "card template show template": template, "card template apply template": template, "card template notify template": template,
		"card template save file": is(f.file("design.json", string(body))), "card grouping set method": is("all"),
	} {
		f.values[name] = value
	}
	for _, route := range []string{"/cards/templates/:id", "/cards/templates/:id/saved", "/cards/templates/:id/remove"} {
		f.values[route] = template
	}
	// A design that is not filled in is shown again with what it lacks.
	f.answers["/cards/templates/design"], f.answers["/cards/templates/preview"] = []int{422}, []int{422}
	f.answers["/cards/templates/colours/:colours"] = []int{404}
}
