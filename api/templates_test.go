package api

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/secrets"
)

const welcome = `{"name": "Welcome", "language": "en", "texts": {"nb-no": "Hei {{first_name}}", "en": "Hi {{first_name|there}}"}}`

func TestTemplateIsKeptChangedAndArchived(t *testing.T) {
	h := openHouse(t)
	made := h.ask(t, "POST", templatesPath, welcome, "Idempotency-Key", "a")
	got := read[textTemplate](t, made, 201)
	want := textTemplate{Name: "Welcome", Version: 1, Language: "en", Texts: map[string]string{"nb-NO": "Hei {{first_name}}", "en": "Hi {{first_name|there}}"}}
	untimed := cmpopts.IgnoreFields(textTemplate{}, "ID", "CreatedAt", "ChangedAt", "ArchivedAt")
	if diff := cmp.Diff(want, got, untimed); diff != "" {
		t.Error(diff)
	}
	at := made.header.Get("Location")
	same(t, read[textTemplate](t, h.ask(t, "GET", at, ""), 200), got)
	same(t, read[textTemplate](t, h.ask(t, "POST", templatesPath, welcome, "Idempotency-Key", "a"), 201), got)
	refused(t, h.ask(t, "POST", templatesPath, welcome), 409, "template_exists")

	const second = `{"language": "pl", "texts": {"pl": "Cześć"}}`
	changed := read[textTemplate](t, h.ask(t, "POST", at+"/versions", second, "Idempotency-Key", "b"), 201)
	want = textTemplate{Name: "Welcome", Version: 2, Language: "pl", Texts: map[string]string{"pl": "Cześć"}}
	if diff := cmp.Diff(want, changed, untimed); diff != "" {
		t.Error(diff)
	}
	same(t, read[textTemplate](t, h.ask(t, "POST", at+"/versions", second, "Idempotency-Key", "b"), 201), changed)
	same(t, read[list[textTemplate]](t, h.ask(t, "GET", templatesPath, ""), 200), list[textTemplate]{Items: []textTemplate{changed}})

	archived := read[textTemplate](t, h.ask(t, "POST", at+"/archive", ""), 200)
	if archived.ArchivedAt.IsZero() {
		t.Error("it is not archived")
	}
	same(t, read[textTemplate](t, h.ask(t, "POST", at+"/archive", ""), 200), archived)
	refused(t, h.ask(t, "POST", at+"/versions", second), 409, "template_archived")
	same(t, read[list[textTemplate]](t, h.ask(t, "GET", templatesPath, ""), 200), list[textTemplate]{Items: []textTemplate{}})
	read[textTemplate](t, h.ask(t, "POST", templatesPath, welcome), 201) // the name is free again
}

func TestTemplatesThatCannotBeKeptAreRefused(t *testing.T) {
	h := openHouse(t)
	for _, c := range []struct{ name, body, code, pointer string }{
		{"no name", `"name": " ", "language": "en", "texts": {"en": "Hi"}`, "invalid_name", "/name"},
		{"no texts", `"name": "A", "language": "en", "texts": {}`, "invalid_texts", "/texts"},
		{"no language", `"name": "A", "language": "en", "texts": {"English": "Hi"}`, "invalid_texts", "/texts"},
		{"twice the same", `"name": "A", "language": "en", "texts": {"en": "Hi", "EN": "Ho"}`, "invalid_texts", "/texts"},
		{"none in its own", `"name": "A", "language": "pl", "texts": {"en": "Hi"}`, "invalid_language", "/language"},
		{"blank", `"name": "A", "language": "en", "texts": {"en": " "}`, "invalid_texts", "/texts"},
		{"an unknown field", `"name": "A", "language": "en", "texts": {"en": "Hi {{frist_name}}"}`, "unknown_field", "/texts"},
	} {
		t.Run(c.name, func(t *testing.T) {
			refusedAt(t, h.ask(t, "POST", templatesPath, "{"+c.body+"}"), c.code, c.pointer)
		})
	}
}

func TestTemplatesOfOthersAreNotThere(t *testing.T) {
	h := openHouse(t)
	g := h.group(t, "Night shift", "+4791234567")
	at := h.ask(t, "POST", templatesPath, welcome).header.Get("Location")
	_, key := h.other(t)
	for _, r := range []reply{h.ask(t, "GET", at, "", bearer(key)...), h.ask(t, "POST", at+"/archive", "", bearer(key)...),
		h.ask(t, "POST", at+"/versions", `{"language": "en", "texts": {"en": "Hi"}}`, bearer(key)...)} {
		refused(t, r, 404, "template_not_found")
	}
	refused(t, h.ask(t, "POST", campaignsPath, `{"group": "`+h.Names.Of(secrets.Group, g.ID)+`", "template": "Farewell"}`), 404, "template_not_found")
	refused(t, h.ask(t, "GET", at, "", bearer(h.newKey(t, h.account, "contacts:read"))...), 403, "missing_scope")
}

// U8
func TestCampaignIsPreviewedAndStartedFromATemplate(t *testing.T) {
	h := openHouse(t)
	ids, err := h.Book.AddContacts(t.Context(), h.account.ID, []contacts.NewContact{
		{Name: "Kari Nordmann", Phone: "+4791234567", Language: "nb-NO", Region: "NO"}, {Name: "Łucja Żak", Phone: "+48512345678", Region: "NO"},
		{Name: "Ola Nordmann", Phone: "+4791234568", Region: "NO"}})
	must(t, err)
	_, err = h.Book.AddGroup(t.Context(), h.account.ID, "All staff", ids)
	must(t, err)
	con := func(i int) string { return h.Names.Of(secrets.Contact, ids[i]) }
	fields := read[contactFields](t, h.ask(t, "PATCH", contactsPath+"/"+con(0)+"/fields", `{"fields": {"badge": "A1"}}`), 200)
	same(t, read[contactFields](t, h.ask(t, "GET", contactsPath+"/"+con(0)+"/fields", ""), 200), fields)
	read[contactFields](t, h.ask(t, "PATCH", contactsPath+"/"+con(1)+"/fields", `{"fields": {"badge": "B2"}}`), 200)
	refusedAt(t, h.ask(t, "PATCH", contactsPath+"/"+con(0)+"/fields", `{"fields": {"Badge!": "A1"}}`), "invalid_fields", "/fields")

	read[textTemplate](t, h.ask(t, "POST", templatesPath, `{"name": "Welcome", "language": "en",
		"texts": {"nb": "Hei {{first_name}} ({{custom.badge}})", "en": "Hi {{first_name}} ({{custom.badge}})"}}`), 201)
	const body = `{"group": "All staff", "template": "Welcome"}`
	got := read[campaignPreview](t, h.ask(t, "POST", campaignsPath+"/preview", body), 200)
	lucja := sampleText{con(1), "Łucja Żak", "+48512345678", "Hi Łucja (B2)", "ucs2", 1, 13}
	kari := sampleText{con(0), "Kari Nordmann", "+4791234567", "Hei Kari (A1)", "gsm7", 1, 13}
	want := campaignPreview{Personal: true, Sender: "ACME", Lane: "bulk", Recipients: 2, LeftOut: leftOut{Unresolved: 1},
		Unresolved: []unresolvedField{{"custom.badge", 1, []string{"Ola Nordmann"}}}, Lengths: []lengthShare{{1, 2}}, PartsInAll: 2,
		Encodings: map[string]int{"gsm7": 1, "ucs2": 1}, Languages: map[string]int{"nb": 1, "en": 1}, Forcing: []forcing{{"Ł", "U+0141", 1}},
		Longest: &kari, Samples: []sampleText{kari, lucja}, Cost: money{"0.073", "EUR"},
		Countries: []countryCost{{"NO", 1, 1, money{"0.045", "EUR"}}, {"PL", 1, 1, money{"0.028", "EUR"}}}, Affordable: true, Budgets: []budget{}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if all := read[list[campaign]](t, h.ask(t, "GET", campaignsPath, ""), 200); len(all.Items) != 0 {
		t.Error("the preview started a campaign")
	}
	c := h.startCampaign(t, body)
	if !c.Personal || c.Template == nil || c.Template.Name != "Welcome" || c.Template.Version != 1 || c.Text != "Hi {{first_name}} ({{custom.badge}})" {
		t.Errorf("%+v", c)
	}
	refusedAt(t, h.ask(t, "POST", campaignsPath, `{"group": "All staff", "template": "Welcome", "text": "Hi"}`), "invalid_template", "/template")
	p := refusedAt(t, h.ask(t, "POST", campaignsPath+"/preview", `{"group": "All staff", "text": "Hi {{you}}"}`), "unknown_field", "/text")
	if !strings.Contains(p.Detail, "character 4") {
		t.Error(p.Detail)
	}
}
