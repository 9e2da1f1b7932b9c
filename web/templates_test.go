package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

func (w *world) tpl(name string, texts ...smsqueue.TemplateText) (smsqueue.Template, string) {
	w.Helper()
	t := must(w.queue.AddTemplate(w.Context(), w.account.ID, smsqueue.NewTemplate{Name: name, Texts: texts}))
	return t, w.names.Of(secrets.Template, t.ID)
}

// staff is a group of three of whom one is Polish and one has no office.
func (w *world) staff() string {
	w.Helper()
	ids := must(w.book.AddContacts(w.Context(), w.account.ID, []contacts.NewContact{
		{Name: "Kari <b> Nordmann", Phone: "+4740000001", Region: "NO", Office: "Oslo", Language: "nb-NO"},
		{Name: "Łucja Żak", Phone: "+48512345678", Region: "NO", Office: "Kraków", Language: "pl"},
		{Name: "Ola Nordmann", Phone: "+4740000003", Region: "NO"}}))
	return w.names.Of(secrets.Group, must(w.book.AddGroup(w.Context(), w.account.ID, "All staff", ids)).ID)
}

// U8: what everybody would get, its parts and its price are shown before anything is sent.
func TestPreviewShowsTheMergedRecipients(t *testing.T) {
	w := newWorld(t)
	w.carrier("main", `{}`)
	group := w.staff()
	_, tpl := w.tpl("Welcome", smsqueue.TemplateText{Language: "nb", Text: "Hei {{first_name}}, velkommen til {{office}}"},
		smsqueue.TemplateText{Language: "pl", Text: "Cześć {{first_name}}, witamy w {{office}}"})
	w.signIn()
	form := url.Values{"once": {"a"}, "group": {group}, "template": {tpl}, "text": {""}, "lane": {"bulk"}, "do": {"preview"}}
	got := w.post("/campaigns/new", form)
	w.golden("compose-forecast-en", got.body)
	if got.status != http.StatusOK || len(w.campaigns()) != 0 {
		t.Errorf("%d, %d campaigns", got.status, len(w.campaigns()))
	}
	for _, want := range []string{"2 messages, 2 parts in all.", "0.073 at the prices of now", "Hei Kari, velkommen til Oslo", "Cześć Łucja, witamy w Kraków",
		"<code>{{office}}</code>", "Ola Nordmann", "Ł (1)", `name="ceiling" value="73000" checked`} {
		if !strings.Contains(got.body, want) {
			t.Errorf("the preview lacks %q", want)
		}
	}
	form.Set("do", "start")
	form.Set("ceiling", "73000")
	if got = w.post("/campaigns/new", form); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if c := w.campaigns()[0]; c.CeilingMicro != 73000 || c.TemplateName != "Welcome" || !c.Merged {
		t.Errorf("%+v", c)
	}
	page := w.get(got.header.Get("Location")).body
	if !strings.Contains(page, `<a href="/templates/`+tpl+`">Welcome</a>`) || !strings.Contains(page, "Each recipient gets it filled in.") {
		t.Error("the campaign's page does not say what it was made from")
	}
	form.Set("ceiling", "much")
	if got := w.post("/campaigns/new", form); got.status != http.StatusBadRequest {
		t.Errorf("a ceiling that is no number: %d", got.status)
	}
}

func TestFormSaysWhatIsWrongWithFieldsAndTemplates(t *testing.T) {
	w := newWorld(t)
	w.carrier("main", `{}`)
	group := w.staff()
	tpl, name := w.tpl("Welcome", smsqueue.TemplateText{Language: "nb", Text: "Hei"})
	w.signIn()
	post := func(change ...string) answer {
		form := url.Values{"once": {"a"}, "group": {group}, "lane": {"bulk"}, "do": {"preview"}}
		for i := 0; i < len(change); i += 2 {
			form.Set(change[i], change[i+1])
		}
		return w.post("/campaigns/new", form)
	}
	for _, c := range []struct {
		got         answer
		status      int
		field, want string
	}{
		{post("text", "Hi {{frist_name}}"), 422, "text", "There is no field {{frist_name}} (at character 4)."},
		{post("text", "Hi {{first_name"), 422, "text", "The field that begins at character 4 is not closed."},
		{post("text", "Hi", "template", name), 422, "template", "not both"},
		{post(), 422, "text", "Write a text."},
		{post("template", "tpl_x"), 404, "template", "There is no such template"},
	} {
		if c.got.status != c.status || !strings.Contains(c.got.body, `id="`+c.field+`-wrong">`) || !strings.Contains(c.got.body, c.want) {
			t.Errorf("%d, without %q", c.got.status, c.want)
		}
	}
	must(0, w.queue.ArchiveTemplate(t.Context(), w.account.ID, tpl.ID))
	if got := post("template", name); got.status != http.StatusConflict || !strings.Contains(got.body, "The template is archived.") {
		t.Errorf("an archived template: %d", got.status)
	}
	counted := func(text string) string {
		return w.post("/campaigns/count", url.Values{"text": {text}, "group": {group}}).body
	}
	if got := counted("Hi {{first_name}}"); !strings.Contains(got, "Counted as it is written.") || !strings.Contains(got, `"reach":""`) {
		t.Error(got)
	}
	if got := w.post("/campaigns/count", url.Values{"text": {""}, "group": {group}, "template": {name}}).body; !strings.Contains(got, `"reach":""`) {
		t.Errorf("the parts of a template are those of no text: %s", got)
	}
	if got := counted("Hi {{you}}"); !strings.Contains(got, "There is no field {{you}} (at character 4).") {
		t.Error(got)
	}
}

func TestTemplateIsWrittenChangedAndArchived(t *testing.T) {
	w := newWorld(t)
	w.carrier("main", `{}`)
	w.signIn()
	w.golden("templates-none-nb", w.get("/templates", "Accept-Language", "nb").body)
	form := url.Values{"once": {"a"}, "name": {" Welcome "}, "language": {"en", "nb", ""}, "usual": {"2"},
		"text": {"Hi {{first_name|there}},\r\nwelcome", "Hei, gęś", " "}}
	made := w.post("/templates/new", form)
	at := made.header.Get("Location")
	if made.status != http.StatusSeeOther || w.post("/templates/new", form).header.Get("Location") != at {
		t.Fatalf("%d %s", made.status, made.body)
	}
	all := must(w.queue.Templates(t.Context(), w.account.ID, 0, 10))
	want := []smsqueue.TemplateText{{Language: "en", Text: "Hi {{first_name|there}},\nwelcome"}, {Language: "nb", Text: "Hei, gęś"}}
	if diff := cmp.Diff(want, all[0].Version.Texts); diff != "" || len(all) != 1 || all[0].Name != "Welcome" || all[0].Version.Language != "nb" {
		t.Errorf("%s %+v", diff, all)
	}
	form = url.Values{"once": {"b"}, "name": {"Welcome"}, "language": {"pl"}, "text": {"Cześć"}, "usual": {"1"}}
	if got := w.post(at, form); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.body)
	}
	page := w.get(at).body
	w.golden("template-en", page)
	if !strings.Contains(page, "Version 1,") || !strings.Contains(page, "Hei, gęś") {
		t.Error("the page does not tell what it said before")
	}
	w.golden("templates-pl", w.get("/templates", "Accept-Language", "pl").body)

	if got := w.get(at + "/archive"); !strings.Contains(got.body, "Archive Welcome?") {
		t.Error(got.body)
	}
	if got := w.post(at+"/archive", url.Values{}); got.header.Get("Location") != "/templates" {
		t.Errorf("%d", got.status)
	}
	if page := w.get(at).body; !strings.Contains(page, "The template is archived.") || strings.Contains(page, "<textarea") {
		t.Error("an archived template can be changed")
	}
	if got := w.post(at, url.Values{"once": {"c"}, "name": {"Welcome"}, "language": {"pl"}, "text": {"Cześć!"}}); got.status != http.StatusConflict {
		t.Errorf("an archived template is changed: %d", got.status)
	}
}

func TestTemplateFormSaysWhatIsWrong(t *testing.T) {
	w := newWorld(t)
	w.tpl("Welcome", smsqueue.TemplateText{Language: "nb", Text: "Hei"})
	w.signIn()
	for _, c := range []struct {
		name, language, text string
		status               int
		want                 string
	}{
		{"", "en", "Hi", 422, `href="#name"`},
		{"A", "en", "", 422, `href="#text-1"`},
		{"A", "", "Hi", 422, "Enter a language code"},
		{"A", "en", "Hi {{you}}", 422, "There is no field {{you}} (at character 4)."},
		{"A", "English, please", "Hi", 422, "Look at the texts"},
		{"A", "en", strings.Repeat("0123456789", 160), 422, "Look at the texts"},
		{"Welcome", "en", "Hi <there>", 409, "There is a template with this name already."},
	} {
		got := w.post("/templates/new", url.Values{"once": {"a"}, "name": {c.name}, "language": {c.language}, "text": {c.text}, "usual": {"1"}})
		if got.status != c.status || !strings.Contains(got.body, c.want) || !strings.Contains(got.body, `role="alert"`) {
			t.Errorf("%q %q: %d, without %q", c.name, c.language, got.status, c.want)
		}
		if c.status == 409 && !strings.Contains(got.body, "Hi &lt;there&gt;</textarea>") {
			t.Error("the text is lost")
		}
	}
}

func TestTemplatesAreReadByViewersAndWrittenBySenders(t *testing.T) {
	w := newWorld(t)
	_, name := w.tpl("Welcome", smsqueue.TemplateText{Language: "nb", Text: "Hei"})
	w.as("viewer")
	if page := w.get("/templates/" + name).body; !strings.Contains(page, "Hei") || strings.Contains(page, "<textarea") {
		t.Error("a viewer does not read, or may write")
	}
	for _, path := range []string{"/templates/new", "/templates/" + name, "/templates/" + name + "/archive"} {
		if got := w.post(path, url.Values{"name": {"x"}}); got.status != http.StatusForbidden {
			t.Errorf("%s: %d", path, got.status)
		}
	}
}
