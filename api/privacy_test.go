package api

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/varsel/varsel/accounts"
)

// Arts 15 and 17 GDPR.
func TestAPersonIsFoundExportedAndErased(t *testing.T) {
	h := openHouse(t)
	kari := h.addContact(t, "Kari Nordmann", "912 34 567")
	found := read[people](t, h.ask(t, "GET", privacyPeoplePath+"?q="+url.QueryEscape("912 34 567"), ""), http.StatusOK)
	if len(found.Items) != 1 || found.Items[0].Ref != kari.ID || found.Items[0].Held["contacts"] != 1 {
		t.Fatalf("%+v", found)
	}
	page := h.ask(t, "GET", privacyPeoplePath+"/export?format=html&language=nb&person="+kari.ID, "")
	if !strings.Contains(string(page.body), "Kari Nordmann") || !strings.Contains(page.header.Get("Content-Disposition"), "person.html") {
		t.Errorf("%s %v", page.body, page.header)
	}
	text := h.ask(t, "GET", privacyPeoplePath+"/export?person="+kari.ID, "")
	if text.header.Get("Content-Type") != "application/json" || !strings.Contains(string(text.body), `"phone_raw":"912 34 567"`) {
		t.Errorf("%s %v", text.body, text.header)
	}
	refusedAt(t, h.ask(t, "POST", erasuresPath, `{"person": "`+kari.ID+`", "reason": "Kari Nordmann asked"}`), "invalid_reason", "/reason")
	done := read[erasure](t, h.ask(t, "POST", erasuresPath, `{"person": "`+kari.ID+`", "reason": "asked by letter"}`), http.StatusCreated)
	if done.Found["contacts"] != 1 {
		t.Errorf("%+v", done)
	}
	refused(t, h.ask(t, "POST", contactsPath, `{"name": "Kari", "phone": "912 34 567"}`), http.StatusConflict, "erased_number")
	refused(t, h.ask(t, "POST", messagesPath, `{"to": "912 34 567", "text": "Hello"}`), http.StatusConflict, "erased_number")
	if again := h.ask(t, "GET", privacyPeoplePath+"/export?person="+url.QueryEscape("912 34 567"), ""); again.status != http.StatusNotFound {
		t.Errorf("%d %s", again.status, again.body)
	}
	all := read[list[erasure]](t, h.ask(t, "GET", erasuresPath, ""), http.StatusOK)
	if len(all.Items) != 1 || all.Items[0].ID != done.ID || all.Items[0].LiftedAt != nil {
		t.Errorf("%+v", all)
	}
	lifted := read[erasure](t, h.ask(t, "POST", erasuresPath+"/"+done.ID+"/lift", ""), http.StatusOK)
	if lifted.LiftedAt == nil {
		t.Errorf("%+v", lifted)
	}
	h.addContact(t, "Kari", "912 34 567")

	other := h.newAccount(t, "other")
	key := "Bearer " + h.newKey(t, other, accounts.ScopePrivacyRead, accounts.ScopePrivacyWrite)
	if r := h.ask(t, "POST", erasuresPath+"/"+done.ID+"/lift", "", "Authorization", key); r.status != http.StatusNotFound {
		t.Errorf("another account's erasure: %d %s", r.status, r.body)
	}
	if r := read[people](t, h.ask(t, "GET", privacyPeoplePath+"?q=Kari", "", "Authorization", key), http.StatusOK); len(r.Items) != 0 {
		t.Errorf("another account's person: %+v", r)
	}
}

// A directory that writes to us is told that it may not write them again, under the
// same name or another, and no sync of what it wrote brings them back.
func TestWhoWasErasedIsNotProvisionedAgain(t *testing.T) {
	h := openHouse(t)
	p := h.provisioner(t)
	body := func(name, number string) string {
		return `{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "` + name + `", "externalId": "x-` + name + `", "displayName": "Zofia Nowak", "active": true,
			"phoneNumbers": [{"type": "mobile", "value": "` + number + `"}]}`
	}
	id := p.made("/Users", body("zofia@acme.example", "+4791234567"))
	sync := func() {
		t.Helper()
		_, err := h.Directory.Sync(t.Context(), h.account.ID, p.connection)
		must(t, err)
	}
	sync()
	done := read[erasure](t, h.ask(t, "POST", erasuresPath, `{"person": "+4791234567", "reason": "asked"}`), http.StatusCreated)
	if done.Found["directory"] != 1 || len(done.Still) != 1 || done.Still[0] != id {
		t.Errorf("%+v", done)
	}
	p.refused(p.ask("GET", "/Users/"+id, ""), http.StatusNotFound, "")
	p.refused(p.ask("POST", "/Users", body("zofia@acme.example", "+4791234567")), http.StatusForbidden, "")
	p.refused(p.ask("POST", "/Users", body("ZOFIA@acme.example", "")), http.StatusForbidden, "")
	p.refused(p.ask("POST", "/Users", body("other@acme.example", "912 34 567")), http.StatusForbidden, "")
	p.made("/Users", body("anna@acme.example", "+4791234568"))
	sync()
	all, err := h.Book.Contacts(t.Context(), h.account.ID, 0, 10)
	must(t, err)
	if len(all) != 1 || all[0].Phone.E164 != "+4791234568" {
		t.Errorf("%+v", all)
	}
}
