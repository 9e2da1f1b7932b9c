package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/cards/vcard"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/secrets"
)

// TestTheFieldPolicyHoldsOverTheAPI goes through every combination of how often a field is
// taken, whether its holder may write it, whether it has a default, and whether the
// directory says something: what the card answers, what its public page and its vCards are
// made of, and whether an edit is taken.
func TestTheFieldPolicyHoldsOverTheAPI(t *testing.T) { // Q30 Q31 Q33 Q34 Q36 Q64
	h := openHouse(t)
	design := cards.Body{Sections: []cards.Section{{Fields: []cards.Field{{ID: "name", Kind: cards.FullName, From: "displayName", Sync: cards.Always}}}}}
	type combined struct{ told, afterEdit string }
	want := map[string]combined{}
	for _, sync := range []cards.Sync{cards.Never, cards.Once, cards.Always} {
		for n := range 8 {
			editable, standard, says := n&1 != 0, n&2 != 0, n&4 != 0
			id := fmt.Sprintf("%s_%d", sync, n)
			f := cards.Field{ID: id, Kind: cards.Text, Label: id, Sync: sync, Editable: editable}
			var c combined
			if standard {
				f.Default, c.told = "default", "default"
			}
			if sync != cards.Never {
				if f.From = "jobTitle"; says {
					f.From, c.told = "department", "directory"
				}
			}
			c.afterEdit = c.told
			if editable && !(sync == cards.Always && says) {
				c.afterEdit = "holder"
			}
			design.Sections[0].Fields = append(design.Sections[0].Fields, f)
			want[id] = c
		}
	}
	design.Sections[0].Fields = append(design.Sections[0].Fields, cards.Field{ID: "secret", Kind: cards.Text, Label: "secret", Sync: cards.Never, Editable: true, Default: "x", Hidden: true})
	saved, err := h.Cards.SaveTemplate(t.Context(), h.account.ID, 0, "Matrix", design)
	must(t, err)
	const tenant = "acme.example"
	_, err = h.Cards.SaveGrouping(t.Context(), h.account.ID, cards.Grouping{Tenant: tenant, Method: cards.InOne}, "")
	must(t, err)
	must(t, h.Cards.Apply(t.Context(), h.account.ID, saved.ID, nil))
	who := contactOf(t, h)
	_, err = h.Cards.Follow(t.Context(), h.account.ID, tenant, func(yield func(cards.Person, error) bool) {
		yield(cards.Person{DirectoryID: "p1", Contact: who, Values: map[string]string{"displayName": "Kari", "department": "directory"}}, nil)
	})
	must(t, err)
	all := read[list[card]](t, h.ask(t, "GET", cardsPath, ""), 200)
	if len(all.Items) != 1 {
		t.Fatalf("%+v", all)
	}
	same(t, read[list[card]](t, h.ask(t, "GET", cardsPath+"?contact="+all.Items[0].Contact, ""), 200), all)
	nobody := h.addContact(t, "Ola", "41234568").ID
	same(t, len(read[list[card]](t, h.ask(t, "GET", cardsPath+"?contact="+nobody, ""), 200).Items), 0)
	path := cardsPath + "/" + all.Items[0].ID
	before := read[card](t, h.ask(t, "GET", path, ""), 200)
	if len(before.Fields) != len(want)+1 {
		t.Fatalf("%d fields are answered, the hidden one too: %+v", len(before.Fields), before.Fields)
	}
	for _, f := range before.Fields[1:] {
		w := want[f.ID]
		if f.Value != w.told || f.Editable != (w.afterEdit == "holder") {
			t.Errorf("%s tells %q, may be edited %t; want %+v", f.ID, f.Value, f.Editable, w)
		}
		got := h.ask(t, "PATCH", path, `{"fields":{"`+f.ID+`":"holder"}}`)
		if w.afterEdit != "holder" {
			if p := refused(t, got, http.StatusForbidden, "card_field_locked"); !strings.Contains(p.Detail, f.ID) {
				t.Errorf("%q does not name %s", p.Detail, f.ID)
			}
		} else if got.status != 200 {
			t.Errorf("%s: %d %s", f.ID, got.status, got.body)
		}
	}
	for _, f := range read[card](t, h.ask(t, "GET", path, ""), 200).Fields[1:] {
		if f.Value != want[f.ID].afterEdit {
			t.Errorf("%s tells %q after the edit, want %q", f.ID, f.Value, want[f.ID].afterEdit)
		}
	}
	id, err := h.Names.ID(secrets.Card, all.Items[0].ID)
	must(t, err)
	kept, err := h.Cards.Card(t.Context(), h.account.ID, id)
	must(t, err)
	_, shown, err := h.Cards.Public(t.Context(), kept.Slug)
	must(t, err)
	told := map[string]string{}
	for _, f := range shown.Tell(kept.Values)[0].Fields {
		told[f.ID] = f.Value
	}
	for id, w := range want {
		if told[id] != w.afterEdit {
			t.Errorf("the page tells %q in %s, want %q", told[id], id, w.afterEdit)
		}
	}
	for _, version := range []vcard.Version{vcard.V3, vcard.V4} {
		file, err := shown.VCard(kept, nil, "https://varsel.example/c/x", contacts.Everywhere, version)
		must(t, err)
		told := noted(string(file))
		for id, w := range want {
			if told[id] != w.afterEdit {
				t.Errorf("vCard %s tells %q in %s, want %q", version, told[id], id, w.afterEdit)
			}
		}
		if secret, ok := told["secret"]; ok || !strings.Contains(string(file), "\r\nVERSION:"+string(version)+"\r\n") {
			t.Errorf("vCard %s tells what is hidden, %q, or is of another version: %s", version, secret, file)
		}
	}
	refused(t, h.ask(t, "PATCH", path, `{"fields":{"secret":"y"}}`), http.StatusNotFound, "card_field_not_found")
	_, key := h.other(t)
	refused(t, h.ask(t, "GET", path, "", bearer(key)...), http.StatusNotFound, "card_not_found")
}

// noted are the texts in a vCard's note, by label (RFC 2426 2.6, 5.8.4; RFC 6350 3.2, 3.4).
func noted(file string) map[string]string {
	told := map[string]string{}
	for line := range strings.SplitSeq(strings.ReplaceAll(file, "\r\n ", ""), "\r\n") {
		if note, ok := strings.CutPrefix(line, "NOTE:"); ok {
			for text := range strings.SplitSeq(note, `\n`) {
				label, value, _ := strings.Cut(text, ": ")
				told[label] = value
			}
		}
	}
	return told
}

func contactOf(t *testing.T, h *house) int64 {
	t.Helper()
	id, err := h.Names.ID(secrets.Contact, h.addContact(t, "Kari", "41234567").ID)
	must(t, err)
	return id
}

func TestTemplatesOfCardsAreKeptAndApplied(t *testing.T) { // Q26 Q27 Q37 Q38 Q45 Q51 Q52
	h := openHouse(t)
	const design = `{"sections":[{"fields":[{"id":"name","kind":"full_name","from":"displayName","sync":"always"}]}],"looks":{"primary":"%s"},"code":{},"settings":{"buttons":["save"]}}`
	body := func(name, primary string) string {
		return fmt.Sprintf(`{"name":%q,"design":`+design+`}`, name, primary)
	}
	p := refused(t, h.ask(t, "POST", cardTemplatesPath, body("A", "#ff0000")), 422, "card_contrast")
	if !strings.Contains(p.Detail, "3.99:1") || len(p.Errors) != 1 || p.Errors[0].Pointer != "/design/looks/primary" {
		t.Errorf("%+v", p)
	}
	refused(t, h.ask(t, "POST", cardTemplatesPath+"/preview", fmt.Sprintf(design, "#ff0000")), 422, "card_contrast")
	preview := read[cardPreview](t, h.ask(t, "POST", cardTemplatesPath+"/preview", fmt.Sprintf(design, "#1f4e79")), 200)
	if !strings.HasPrefix(preview.Code, "<svg") || preview.Design.Looks.Ink == "" {
		t.Errorf("%+v", preview)
	}
	first := read[cardTemplate](t, h.ask(t, "POST", cardTemplatesPath, body("A", "#1f4e79")), 201)
	path := cardTemplatesPath + "/" + first.ID
	second := read[cardTemplate](t, h.ask(t, "POST", path+"/versions?over=1", body("A", "#7a1f5c")), 201)
	if first.Version != 1 || second.Version != 2 || second.ID != first.ID {
		t.Errorf("%+v, %+v", first, second)
	}
	refused(t, h.ask(t, "POST", path+"/versions?over=1", body("A", "#000000")), 409, "card_template_changed")
	versions := read[list[cardTemplate]](t, h.ask(t, "GET", path+"/versions", ""), 200)
	if len(versions.Items) != 2 || versions.Items[1].Design.Looks.Primary != "#1f4e79" {
		t.Errorf("%+v", versions)
	}
	reader := bearer(h.newKey(t, h.account, accounts.ScopeCardsRead))
	refused(t, h.ask(t, "POST", path+"/apply", `{}`, reader...), 403, "missing_scope")
	if got := h.ask(t, "POST", path+"/apply", `{}`); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := h.ask(t, "DELETE", path, ""); got.status != 204 {
		t.Errorf("%d %s", got.status, got.body)
	}
	refused(t, h.ask(t, "GET", path, ""), 404, "card_template_not_found")
	refused(t, h.ask(t, "POST", cardImagesPath, `{"content":"PHN2Zz4="}`), 422, "invalid_image")
}
