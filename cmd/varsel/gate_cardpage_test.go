package main

import (
	"iter"

	"github.com/varsel/varsel/cards"
)

// generousDesign offers all that a card can: whichever design was applied last, every page
// of the card is there.
func generousDesign() cards.Body {
	b := cards.Usual()
	b.Settings.Offline, b.Settings.TextMe = true, true
	return b
}

// cardPages are the values about the public pages of a card, whose holder has a number.
// Whoever asks has not proved to be the holder, and so is led to where it is proved.
func (f *fixtures) cardPages() {
	f.t.Helper()
	const tenant = "card-pages"
	ctx := f.t.Context()
	_, err := f.app.Cards.SaveGrouping(ctx, f.account.ID, cards.Grouping{Tenant: tenant, Method: cards.InOne}, "")
	must(f.t, err)
	design, err := f.app.Cards.SaveTemplate(ctx, f.account.ID, 0, "Public pages", generousDesign())
	must(f.t, err)
	must(f.t, f.app.Cards.Apply(ctx, f.account.ID, design.ID, nil))
	holder, err := f.app.Book.AddContact(ctx, f.account.ID, "Holder of a card", "+4790000009", "NO")
	must(f.t, err)
	_, err = f.app.Cards.Follow(ctx, f.account.ID, tenant, iter.Seq2[cards.Person, error](func(yield func(cards.Person, error) bool) {
		yield(cards.Person{DirectoryID: "holder", Contact: holder.ID, Values: map[string]string{"displayName": "Holder of a card"}}, nil)
	}))
	must(f.t, err)
	all, err := f.app.Cards.List(ctx, f.account.ID, cards.ListFilter{Text: "Holder of a card"}, 0, 1)
	must(f.t, err)
	is := func(v string) func() string { return func() string { return v } }
	for name, value := range map[string]string{"c/slug": all[0].Slug, "style/build": "x", "build/colours": "1f4e79ffffff1a1a1a.css",
		"/c/:slug/text number": "+4790000008", "/c/:slug/text agree": "yes", "/c/:slug/text notice": cards.ConsentNotice} {
		f.values[name] = is(value)
	}
	f.answers["/c/style/:build/:colours"] = []int{404}
	f.answers["/c/:slug/photo"], f.answers["/c/:slug/logo"] = []int{404}, []int{404} // it has neither
	f.answers["/c/:slug/edit/proof"] = []int{401}
}
