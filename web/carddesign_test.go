package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/secrets"
)

// designForm is the form of the usual template, as a browser sends it.
func designForm(name string) url.Values {
	b := cards.Usual()
	form := url.Values{"name": {name}, "do": {"save"}, "version": {"0"}, "looks-layout": {string(b.Looks.Layout)}, "looks-font": {string(b.Looks.Font)},
		"looks-primary": {b.Looks.Primary}, "looks-background": {b.Looks.Background}, "looks-ink": {b.Looks.Ink}, "looks-photo": {"1"},
		"code-foreground": {b.Code.Foreground}, "code-background": {b.Code.Background}, "code-modules": {string(b.Code.Modules)},
		"code-finders": {string(b.Code.Finders)}, "code-level": {string(b.Code.Level)}, "code-frame": {string(b.Code.Frame)}, "settings-text_me": {"1"}, "settings-text_abroad": {"1"}}
	for _, button := range b.Settings.Buttons {
		form.Set("button-"+string(button), "1")
	}
	for i, s := range b.Sections {
		form.Set(fmt.Sprintf("section-%d", i), "1")
		for j, f := range s.Fields {
			at := fmt.Sprintf("-%d-%d", i, j)
			form.Set("field"+at, f.ID)
			form.Set("kind"+at, string(f.Kind))
			form.Set("from"+at, f.From)
			form.Set("sync"+at, string(f.Sync))
			if f.Editable {
				form.Set("editable"+at, "1")
			}
		}
	}
	return form
}

const designPath = "/cards/templates/design"

// designs is what was saved, by name.
func (w *world) designs() map[string]cards.Template {
	w.Helper()
	all := map[string]cards.Template{}
	for _, t := range must(w.cards.Templates(w.Context(), w.account.ID)) {
		all[t.Name] = t
	}
	return all
}

func TestATemplateIsDesignedWithoutScript(t *testing.T) { // Q29 Q30 Q32 Q34 Q35 Q36 Q37 Q38 Q42 Q51
	w := newWorld(t)
	w.signIn()
	page := w.get("/cards/templates/new")
	w.has(page, http.StatusOK, "{jobTitle}", `class="mapped"`, "Ingrid Solberg", "data:image/svg", `href="#looks"`)
	first := w.post(designPath, designForm("House"))
	saved := w.designs()["House"]
	w.sent(first, "/cards/templates/"+w.names.Of(secrets.CardTemplate, saved.ID)+"/saved")
	want := cards.Usual()
	want.Settings.TextMe, want.Settings.TextAbroad = true, true // which are not usual: they cost
	want.Settings.Buttons = []cards.Button{cards.Save, cards.Call, cards.SMS, cards.Mail, cards.Share}
	if diff := cmp.Diff(want, saved.Body); diff != "" {
		t.Errorf("what was saved is not what was filled in (-want +got):\n%s", diff)
	}

	form := designForm("House")
	form.Set("do", "add-1")
	form.Set("new-1", "note")
	w.has(w.post(designPath, form), http.StatusOK, `name="field-1-4" value="note"`)
	form.Set("do", "up-0-1")
	w.has(w.post(designPath, form), http.StatusOK, `name="field-0-0" value="given_name"`, `name="field-0-1" value="full_name"`)
	form.Set("do", "remove-0-3")
	w.has(w.post(designPath, form), http.StatusOK, `name="field-0-3" value="department"`)

	form = designForm("House")
	form.Set("id", w.names.Of(secrets.CardTemplate, saved.ID))
	form.Set("version", "1")
	form.Set("default-0-3", "Employee")
	form.Set("hidden-0-4", "1")
	form.Set("from-1-3", "mail") // mapped without a word about how often: always
	w.sent(w.post(designPath, form), first.header.Get("Location"))
	changed := w.designs()["House"]
	title, _ := changed.Field("job_title")
	department, _ := changed.Field("department")
	site, _ := changed.Field("website")
	if changed.Version != 2 || title.Default != "Employee" || !department.Hidden || site.From != "mail" || site.Sync != cards.Always {
		t.Errorf("version %d: %+v, %+v, %+v", changed.Version, title, department, site)
	}
	form.Set("default-0-3", "Somebody")
	w.has(w.post(designPath, form), http.StatusConflict, "Somebody else saved this template", `value="Somebody"`)
}

func TestWhatIsWrongWithADesignIsSaidAndEverythingTypedStays(t *testing.T) { // Q37 Q38
	w := newWorld(t)
	w.signIn()
	for _, c := range []struct{ field, value, says, marks string }{
		{"looks-primary", "#ff0000", "3.99:1", `id="looks-primary-wrong"`},
		{"looks-ink", "#777777", "4.47:1", `id="looks-ink-wrong"`},
		{"default-1-3", "javascript:alert(1)", "https://", `aria-invalid="true" aria-describedby="field-1-3-wrong"`},
		{"default-1-3", "javascript:alert(1)", "https://", `<details open>`},
		{"code-foreground", "#dddddd", "Cameras cannot tell", "wrong"},
		{"title-0", strings.Repeat("x", 81), "80", `aria-describedby="title-0-wrong"`},
		{"code-logo_percent", "x", "5 to 100 percent", `id="code-logo_percent-wrong"`},
		{"name", "", "1 to", `id="name-wrong"`},
	} {
		form := designForm("Typed by Kari")
		form.Set("title-1", "Find me here")
		form.Set(c.field, c.value)
		got := w.post(designPath, form)
		if c.field == "name" {
			w.has(got, http.StatusUnprocessableEntity, c.marks, `value="Find me here"`)
			continue
		}
		w.has(got, http.StatusUnprocessableEntity, c.says, c.marks, `value="Find me here"`, `value="Typed by Kari"`)
	}
	if n := len(w.designs()); n != 0 {
		t.Errorf("%d templates were saved", n)
	}
}

// TestExactlyWhatIsTickedIsDone goes through all combinations of the three choices after
// a template is saved.
func TestExactlyWhatIsTickedIsDone(t *testing.T) { // Q39 Q40 Q49 Q52
	for n := range 8 {
		apply, sync, notify := n&1 != 0, n&2 != 0, n&4 != 0
		t.Run(fmt.Sprintf("apply %t, sync %t, notify %t", apply, sync, notify), func(t *testing.T) {
			w := newWorld(t)
			one := w.connect()
			must(w.cards.SaveGrouping(t.Context(), w.account.ID, cards.Grouping{Tenant: one.Tenant, Method: cards.InOne}, ""))
			blue := must(w.cards.SaveTemplate(t.Context(), w.account.ID, 0, "Blue", cards.Usual()))
			if err := w.cards.Apply(t.Context(), w.account.ID, blue.ID, nil); err != nil {
				t.Fatal(err)
			}
			w.sync(one)
			red := must(w.cards.SaveTemplate(t.Context(), w.account.ID, 0, "Red", cards.Usual()))
			before := w.connection()
			w.carrier("main", `{}`)
			w.signIn()
			path := "/cards/templates/" + w.names.Of(secrets.CardTemplate, red.ID) + "/saved"
			w.has(w.get(path), http.StatusOK, "Template saved", `name="once"`, `name="apply"`, `name="sync"`, `name="notify"`)
			form := url.Values{"which": {"all"}, "once": {"a"}}
			for name, ticked := range map[string]bool{"apply": apply, "sync": sync, "notify": notify} {
				if ticked {
					form.Set(name, "1")
				}
			}
			w.sent(w.post(path, form), "/cards")
			shown := must(w.cards.Groups(t.Context(), w.account.ID, one.Tenant))[0].Template
			campaigns := must(w.queue.Campaigns(t.Context(), w.account.ID, 0, 10))
			w.sent(w.post(path, form), "/cards") // a double click
			if again := must(w.queue.Campaigns(t.Context(), w.account.ID, 0, 10)); len(again) != len(campaigns) || len(again) > 1 {
				t.Errorf("the same form again makes %d campaigns of %d", len(again), len(campaigns))
			}
			type done struct{ Applied, Synced, Notified bool }
			got := done{shown == red.ID, w.connection().RequestedAt.After(before.RequestedAt), len(campaigns) > 0}
			if diff := cmp.Diff(done{apply, sync, notify}, got); diff != "" {
				t.Errorf("(-ticked +done):\n%s", diff)
			}
		})
	}
}

// Who ticks groups and leaves the form at all of them does not mean everybody.
func TestTickedGroupsAreNeverTakenForAll(t *testing.T) { // Q39 Q49
	w := newWorld(t)
	one := w.connect()
	must(w.cards.SaveGrouping(t.Context(), w.account.ID, cards.Grouping{Tenant: one.Tenant, Method: cards.ByFields, Fields: []string{"department"}}, ""))
	red := must(w.cards.SaveTemplate(t.Context(), w.account.ID, 0, "Red", cards.Usual()))
	w.sync(one)
	groups := must(w.cards.Groups(t.Context(), w.account.ID, one.Tenant))
	picked := w.names.Of(secrets.CardGroup, groups[0].ID)
	w.signIn()
	path := "/cards/templates/" + w.names.Of(secrets.CardTemplate, red.ID) + "/saved"
	kept := `id="` + picked + `" name="` + picked + `" value="1" checked`
	w.has(w.post(path, url.Values{"which": {"all"}, "apply": {"1"}, picked: {"1"}}), http.StatusUnprocessableEntity, "You have ticked groups, but", `href="#groups"`, kept)
	w.has(w.post(path, url.Values{"which": {"some"}, "apply": {"1"}}), http.StatusUnprocessableEntity, "Choose at least one group.")
	for _, g := range must(w.cards.Groups(t.Context(), w.account.ID, one.Tenant)) {
		if g.Template != 0 {
			t.Errorf("%q shows a template", g.Name)
		}
	}
	w.sent(w.post(path, url.Values{"which": {"some"}, "apply": {"1"}, picked: {"1"}}), "/cards")
	for _, g := range must(w.cards.Groups(t.Context(), w.account.ID, one.Tenant)) {
		if (g.Template == red.ID) != (g.ID == groups[0].ID) {
			t.Errorf("%q has the template %d", g.Name, g.Template)
		}
	}
}

func TestTheGroupWithoutANameIsCalledByTheMethod(t *testing.T) { // Q22
	for method, called := range map[cards.Method]string{cards.InOne: "Alle", cards.ByFields: "Alle andre"} {
		w := newWorld(t)
		one := w.connect()
		must(w.cards.SaveGrouping(t.Context(), w.account.ID, cards.Grouping{Tenant: one.Tenant, Method: method, Fields: []string{"country"}}, ""))
		w.sync(one)
		w.signIn()
		w.has(w.get("/cards", "Accept-Language", "nb"), http.StatusOK, ">"+called+"<")
	}
}

func TestCardsAreLockedUntilTheDirectoryIsAnalysed(t *testing.T) { // Q11 Q22 Q23 Q24 Q25 Q57 Q58
	w := newWorld(t)
	w.signIn()
	one, _, err := w.directory.Connect(t.Context(), w.account.ID, directory.Setup{Credentials: directory.Credentials{
		Tenant: "acme.onmicrosoft.com", Client: "6f1d2c7e-0000-4000-8000-000000000001", Secret: "a-secret~value.1234"}})
	must(one, err)
	id := w.names.Of(secrets.Connection, one.ID)
	grouping := "/cards/grouping/" + id
	w.has(w.get("/cards"), http.StatusOK, "Locked until")
	w.has(w.get(grouping), http.StatusOK, "Locked until")
	if got := w.post(grouping, url.Values{"method": {"all"}}); got.status != http.StatusConflict {
		t.Errorf("grouped while locked: %d", got.status)
	}
	w.sync(one)
	w.has(w.get("/cards"), http.StatusOK, "Decide how the people are grouped")
	w.sent(w.post(grouping, url.Values{"method": {"fields"}, "by-0": {"department"}, "by-1": {"jobTitle"}}), "/cards")
	saved := must(w.cards.Grouping(t.Context(), w.account.ID, one.Tenant))
	if diff := cmp.Diff([]string{"department", "jobTitle"}, saved.Fields); diff != "" {
		t.Error(diff)
	}
	blue := must(w.cards.SaveTemplate(t.Context(), w.account.ID, 0, "Blue", cards.Usual()))
	if err := w.cards.Apply(t.Context(), w.account.ID, blue.ID, nil); err != nil {
		t.Fatal(err)
	}
	w.sync(one)
	all := must(w.cards.List(t.Context(), w.account.ID, cards.ListFilter{}, 0, 100))
	if len(all) == 0 {
		t.Fatal("nobody has a card")
	}
	w.has(w.get("/cards"), http.StatusOK, "Ward 3 | Nurse", "Anna Berg", "/c/"+all[0].Slug)
	w.has(w.get("/cards?search=anna"), http.StatusOK, "Anna Berg")
	if body := w.get("/cards?search=anna").body; strings.Contains(body, "David Foss") {
		t.Error("the search finds everybody")
	}

	filters := url.Values{"method": {"filters"}, "name-0": {"Nurses"}, "field-0-0": {"jobTitle"}, "is-0-0": {"one_of"}, "values-0-0": {"Nurse"}, "name-1": {"Rest"}}
	got := w.post(grouping, filters)
	w.has(got, http.StatusConflict, fmt.Sprintf("Type %d to confirm", len(all)), `value="Nurses"`)
	filters.Set("confirm", fmt.Sprint(len(all)))
	w.sent(w.post(grouping, filters), "/cards")
	if left := must(w.cards.List(t.Context(), w.account.ID, cards.ListFilter{}, 0, 100)); len(left) != 0 {
		t.Errorf("%d cards are left", len(left))
	}
	if g := must(w.cards.Grouping(t.Context(), w.account.ID, one.Tenant)); len(g.Filters) != 2 || g.Filters[0].Conditions[0].Field != "jobTitle" {
		t.Errorf("%+v", g)
	}
}

// A form without a script is shown anew for each button: at what the button was about.
func TestTheDesignerStaysAtWhatWasChanged(t *testing.T) { // Q29
	w := newWorld(t)
	w.signIn()
	form := designForm("House")
	form.Set("do", "add-0")
	form.Set("new-0", "note")
	page := w.post(designPath, form)
	n := strings.Count(page.body, `id="field-0-`) - 1
	to := func(do, at string) string {
		return `value="` + do + `" formaction="/cards/templates/design#` + at + `"`
	}
	last := fmt.Sprintf("0-%d", n)
	w.has(page, http.StatusOK, `id="field-0-1" tabindex="-1"`, `id="section-1" tabindex="-1"`, to("up-0-1", "field-0-0"), to("down-0-1", "field-0-2"), to("remove-0-1", "field-0-1"),
		to("remove-"+last, fmt.Sprintf("field-0-%d", n-1)), to("add-0", fmt.Sprintf("field-0-%d", n+1)), to("up-1", "section-0"), to("section", fmt.Sprintf("section-%d", len(cards.Usual().Sections))))
}

func TestThePreviewIsDrawnByTheServer(t *testing.T) { // Q29
	w := newWorld(t)
	w.signIn()
	form := designForm("A")
	form.Set("default-1-3", "https://preview.example")
	form.Set("looks-primary", "#7a1f5c")
	got := w.post("/cards/templates/preview", form)
	w.has(got, http.StatusOK, "https://preview.example", "7a1f5cffffff1a1a1a.css", "data:image/svg")
	if strings.Contains(got.body, "<html") {
		t.Error("the preview is a whole page")
	}
	w.has(w.get("/cards/templates/colours/7a1f5cffffff1a1a1a.css"), http.StatusOK, "--card-primary: #7a1f5c")
	if got := w.get("/cards/templates/colours/zz1f5cffffff1a1a1a.css"); got.status != http.StatusNotFound {
		t.Errorf("no colour is answered with %d", got.status)
	}
}
