package api

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/secrets"
)

func (h *house) addContact(t *testing.T, name, phone string) contact {
	t.Helper()
	return read[contact](t, h.ask(t, "POST", contactsPath, fmt.Sprintf(`{"name": %q, "phone": %q}`, name, phone)), http.StatusCreated)
}

func TestContactIsAddedByHand(t *testing.T) {
	h := openHouse(t)
	added := h.ask(t, "POST", contactsPath, `{"name": "Kari Nordmann", "phone": "912 34 567"}`)
	got := read[contact](t, added, http.StatusCreated)
	want := contact{Source: "manual", Name: "Kari Nordmann", Phone: "+4791234567", PhoneRule: "manual"}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(contact{}, "ID", "CreatedAt", "UpdatedAt")); diff != "" {
		t.Errorf("want(-) got(+):\n%s", diff)
	}
	if at := added.header.Get("Location"); at != "/v1/contacts/"+got.ID {
		t.Errorf("Location %q", at)
	}
	same(t, read[contact](t, h.ask(t, "GET", added.header.Get("Location"), ""), 200), got)
}

func TestContactsThatCannotBeTextedAreRefused(t *testing.T) {
	h := openHouse(t)
	refusedAt(t, h.ask(t, "POST", contactsPath, `{"name": "Kari", "phone": "2455"}`), "invalid_phone", "/phone")
	refusedAt(t, h.ask(t, "POST", contactsPath, `{"name": " ", "phone": "+4791234567"}`), "invalid_name", "/name")
	refusedAt(t, h.ask(t, "POST", contactsPath, `{"phone": "+4791234567"}`), "invalid_name", "/name")
}

func TestGroupIsMadeOfContacts(t *testing.T) {
	h := openHouse(t)
	kari, ola := h.addContact(t, "Kari", "+4791234567"), h.addContact(t, "Ola", "+4791234568")
	h.addContact(t, "Per", "+4791234569")
	made := h.ask(t, "POST", groupsPath, fmt.Sprintf(`{"name": "Night shift", "contacts": [%q, %q]}`, kari.ID, ola.ID))
	got := read[group](t, made, http.StatusCreated)
	want := group{Source: "manual", Name: "Night shift", Members: 2, Textable: 2}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(group{}, "ID", "CreatedAt", "UpdatedAt")); diff != "" {
		t.Errorf("want(-) got(+):\n%s", diff)
	}
	same(t, read[group](t, h.ask(t, "GET", made.header.Get("Location"), ""), 200), got)
	same(t, pages[contact](t, h, contactsPath+"?group="+got.ID+"&", "1"), [][]contact{{kari}, {ola}})
}

func TestGroupOfStrangersIsRefused(t *testing.T) {
	h := openHouse(t)
	kari := h.addContact(t, "Kari", "+4791234567")
	gone := h.Names.Of(secrets.Contact, 5)
	cases := []struct{ body, code, pointer string }{
		{`{"name": "Night shift", "contacts": ["` + kari.ID + `", "con_nonsense"]}`, "invalid_contacts", "/contacts/1"},
		{`{"name": "Night shift", "contacts": ["` + kari.ID + `", "` + gone + `"]}`, "invalid_contacts", "/contacts"},
		{`{"name": "Night shift", "contacts": [5]}`, "invalid_contacts", "/contacts/0"},
		{`{"name": "Night shift", "contacts": null}`, "invalid_contacts", "/contacts"},
		{`{"name": "", "contacts": []}`, "invalid_name", "/name"},
	}
	for _, c := range cases {
		refusedAt(t, h.ask(t, "POST", groupsPath, c.body), c.code, c.pointer)
	}
}

func TestPagesOfContactsAndGroupsHoldEachOnce(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		h := openOn(t, url)
		var people [][]contact
		var units [][]group
		for i := range 3 {
			c := h.addContact(t, fmt.Sprint("Person ", i), fmt.Sprint("+479123456", i))
			g := h.ask(t, "POST", groupsPath, fmt.Sprintf(`{"name": "Group %d", "contacts": [%q]}`, i, c.ID))
			people, units = append(people, []contact{c}), append(units, []group{read[group](t, g, http.StatusCreated)})
		}
		same(t, pages[contact](t, h, contactsPath+"?", "1"), people)
		same(t, pages[group](t, h, groupsPath+"?", "1"), units)
	})
}
