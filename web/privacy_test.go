package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/secrets"
)

// Arts 15 and 17 GDPR.
func TestAnAdministratorFindsExportsAndErasesAPerson(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	one := must(w.book.Add(t.Context(), w.account.ID, contacts.NewContact{Name: "Zofia Nowak", Phone: "912 34 567", Email: "zofia@acme.example", Region: "NO"}))
	ref := w.names.Of(secrets.Contact, one.ID)
	w.golden("privacy-empty-en", w.get("/privacy?q=nobody").body)
	if got := w.get("/privacy?q=x"); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "q-wrong") {
		t.Errorf("%d %s", got.status, got.body)
	}
	found := w.get("/privacy?q=" + url.QueryEscape("912 34 567")).body
	if !strings.Contains(found, "/privacy/person?ref="+ref) || !strings.Contains(found, "Zofia Nowak") {
		t.Fatal(found)
	}
	person := "/privacy/person?ref=" + ref
	if got := w.get(person); !strings.Contains(got.body, "Zofia Nowak") || !strings.Contains(got.body, "zofia@acme.example") {
		t.Error(got.body)
	}
	read := w.get("/privacy/person/export?format=html&ref="+ref, "Accept-Language", "pl")
	if !strings.Contains(read.header.Get("Content-Disposition"), "person.html") || !strings.Contains(read.body, "Książka adresowa") || !strings.Contains(read.body, "Zofia Nowak") {
		t.Errorf("%v %s", read.header, read.body)
	}
	if text := w.get("/privacy/person/export?format=json&ref=" + ref); !strings.Contains(text.body, `"phone_raw":"912 34 567"`) {
		t.Error(text.body)
	}
	for _, wrong := range []url.Values{
		{"ref": {ref}, "reason": {"asked by letter"}, "word": {"yes"}},
		{"ref": {ref}, "reason": {"Zofia Nowak asked"}, "word": {"ERASE"}},
	} {
		got := w.post("/privacy/person/erase", wrong)
		if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `aria-invalid="true"`) {
			t.Errorf("%v: %d %s", wrong, got.status, got.body)
		}
	}
	done := w.post("/privacy/person/erase", url.Values{"ref": {ref}, "reason": {"asked by letter"}, "word": {"erase"}})
	if done.status != http.StatusOK || !strings.Contains(done.body, "The person is erased") {
		t.Errorf("%d %s", done.status, done.body)
	}
	if got := w.get(person); got.status != http.StatusNotFound {
		t.Errorf("%d", got.status)
	}
	list := w.get("/privacy").body
	if !strings.Contains(list, "asked by letter") || strings.Contains(list, "Zofia") || strings.Contains(list, "91234567") {
		t.Error(list)
	}
	all := must(w.privacy.Erasures(t.Context(), w.account.ID, 0, 10))
	lift := "/privacy/erasures/" + w.names.Of(secrets.Erasure, all[0].ID) + "/lift"
	if got := w.get(lift); !strings.Contains(got.body, "Let this person come back?") {
		t.Error(got.body)
	}
	if got := w.post(lift, url.Values{}); got.status != http.StatusSeeOther {
		t.Errorf("%d", got.status)
	}
	if got := w.post(lift, url.Values{}); got.status != http.StatusConflict {
		t.Errorf("lifted twice: %d", got.status)
	}
}

func TestOnlyThoseWhoManageSeeWhatIsHeldAboutPeople(t *testing.T) {
	w := newWorld(t)
	w.as("sender")
	for _, path := range []string{"/privacy", "/privacy/person?ref=x", "/privacy/person/export?ref=x", "/privacy/erasures/era_x/lift"} {
		if got := w.get(path); got.status != http.StatusForbidden {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	for _, path := range []string{"/privacy/person/erase", "/privacy/erasures/era_x/lift"} {
		if got := w.post(path, url.Values{"ref": {"x"}, "word": {"ERASE"}, "reason": {"x"}}); got.status != http.StatusForbidden {
			t.Errorf("%s: %d", path, got.status)
		}
	}
}
