package api

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/secrets"
)

// synced is a contact and a group of a directory.
func (h *house) synced(t *testing.T) (contactID, groupID string) {
	t.Helper()
	one := contacts.Person{DirectoryID: "a", Name: "Anna", Phone: contacts.Choose("+4740100001", nil, "NO")}
	f := contacts.Following{Account: h.account.ID, Tenant: "tenant"}
	_, err := h.Book.FollowPeople(t.Context(), f, only(contacts.Described{DirectoryID: "a", Says: one.Says()}),
		func(context.Context, []string) ([]contacts.Person, error) { return []contacts.Person{one}, nil })
	must(t, err)
	_, err = h.Book.FollowGroups(t.Context(), f, []contacts.Unit{{DirectoryID: "g", Name: "Ward"}})
	must(t, err)
	people, err := h.Book.Contacts(t.Context(), h.account.ID, 0, 1)
	must(t, err)
	groups, err := h.Book.Groups(t.Context(), h.account.ID, 0, 1)
	must(t, err)
	return h.Names.Of(secrets.Contact, people[0].ID), h.Names.Of(secrets.Group, groups[0].ID)
}

func only[T any](one T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) { yield(one, nil) }
}

func TestContactIsEditedAndDeleted(t *testing.T) {
	h := openHouse(t)
	kari := h.addContact(t, "Kari", "+4791234567")
	path := contactsPath + "/" + kari.ID
	got := read[contact](t, h.ask(t, "PATCH", path, `{"phone": "912 34 568", "department": "Ward 3", "email": "kari@acme.example"}`), 200)
	kari.Phone, kari.Department, kari.Email, kari.UpdatedAt = "+4791234568", "Ward 3", "kari@acme.example", got.UpdatedAt
	same(t, got, kari)
	refusedAt(t, h.ask(t, "PATCH", path, `{"phone": "12"}`), "invalid_phone", "/phone")
	refusedAt(t, h.ask(t, "PATCH", path, `{"shoe_size": "44"}`), "invalid_request", "/shoe_size")
	_, key := h.other(t)
	refused(t, h.ask(t, "PATCH", path, `{}`, bearer(key)...), 404, "contact_not_found")
	refused(t, h.ask(t, "DELETE", path, "", bearer(key)...), 404, "contact_not_found")
	same(t, read[removal](t, h.ask(t, "DELETE", path, ""), 200), removal{ID: kari.ID, Result: "deleted"})
	refused(t, h.ask(t, "DELETE", path, ""), 404, "contact_not_found")
}

func TestWhatComesFromTheDirectoryIsNotEdited(t *testing.T) { // S12, S14, S15
	h := openHouse(t)
	anna, ward := h.synced(t)
	p := refused(t, h.ask(t, "PATCH", contactsPath+"/"+anna, `{"name": "Else"}`), 409, "synced_field")
	if len(p.Errors) != 1 || p.Errors[0].Pointer != "/name" || !strings.Contains(p.Detail, "the directory decides") {
		t.Errorf("%+v", p)
	}
	refused(t, h.ask(t, "PATCH", groupsPath+"/"+ward, `{"name": "Else"}`), 409, "synced_group")
	refused(t, h.ask(t, "POST", groupsPath+"/"+ward+"/members", `{"contacts": ["`+anna+`"]}`), 409, "synced_group")
	refused(t, h.ask(t, "DELETE", groupsPath+"/"+ward, ""), 409, "synced_group")
	same(t, read[removal](t, h.ask(t, "DELETE", contactsPath+"/"+anna, ""), 200), removal{ID: anna, Result: "hidden"})
}

func TestGroupIsEditedAndDeleted(t *testing.T) {
	h := openHouse(t)
	anna, _ := h.synced(t)
	kari, ola := h.addContact(t, "Kari", "+4791234567"), h.addContact(t, "Ola", "+4791234568")
	made := read[group](t, h.ask(t, "POST", groupsPath, `{"name": "Night", "contacts": []}`), 201)
	path := groupsPath + "/" + made.ID
	same(t, read[group](t, h.ask(t, "PATCH", path, `{"name": "Day"}`), 200).Name, "Day")
	got := read[group](t, h.ask(t, "POST", path+"/members", fmt.Sprintf(`{"contacts": [%q, %q, %q]}`, kari.ID, anna, ola.ID)), 200)
	same(t, got.Members, 3)
	same(t, len(pages[contact](t, h, path+"/members?", "2")), 2)
	got = read[group](t, h.ask(t, "DELETE", path+"/members?contacts="+kari.ID+","+anna, ""), 200)
	same(t, got.Members, 1)
	refusedAt(t, h.ask(t, "POST", path+"/members", `{"contacts": ["con_x"]}`), "invalid_contacts", "/contacts/0")
	refused(t, h.ask(t, "DELETE", path+"/members", ""), 422, "invalid_contacts")
	same(t, h.ask(t, "DELETE", path, "").status, http.StatusNoContent)
	refused(t, h.ask(t, "GET", path, ""), 404, "group_not_found")
}

func TestGroupWithARule(t *testing.T) { // Q24
	h := openHouse(t)
	h.synced(t)
	h.addContact(t, "Kari", "+4791234567")
	const byHand = `[{"field": "source", "op": "is", "values": ["manual"]}]`
	same(t, read[ruleCount](t, h.ask(t, "POST", groupsPath+"/preview", `{"rule": `+byHand+`}`), 200), ruleCount{1, 1})
	made := read[group](t, h.ask(t, "POST", groupsPath, `{"name": "By hand", "contacts": [], "rule": `+byHand+`}`), 201)
	same(t, made.Members, 1)
	same(t, made.Rule, []condition{{"source", "is", []string{"manual"}}})
	got := read[group](t, h.ask(t, "PATCH", groupsPath+"/"+made.ID, `{"rule": [{"field": "office", "op": "empty"}]}`), 200)
	same(t, got.Members, 2)
	refusedAt(t, h.ask(t, "POST", groupsPath, `{"name": "x", "contacts": [], "rule": [{"field": "shoe_size", "op": "is"}]}`), "invalid_rule", "/rule")
	refusedAt(t, h.ask(t, "POST", groupsPath, `{"name": "x", "contacts": ["`+h.addContact(t, "Per", "+4791234569").ID+`"], "rule": `+byHand+`}`), "invalid_rule", "/rule")
	refused(t, h.ask(t, "POST", groupsPath+"/"+made.ID+"/members", `{"contacts": []}`), 409, "rule_group")
}

func TestPhoneQualityIsToldInSumAndByPerson(t *testing.T) { // S8
	h := openHouse(t)
	anna, _ := h.synced(t)
	kari := h.addContact(t, "Kari", "+4740100001")
	sum := read[qualitySummary](t, h.ask(t, "GET", qualityPath, ""), 200)
	same(t, []int{sum.Contacts, sum.WithNumber}, []int{2, 2})
	same(t, sum.Advised, true)
	counts := map[string]int{}
	for _, r := range sum.Reasons {
		counts[r.Reason] = r.Contacts
	}
	same(t, counts["shared_number"], 2)
	same(t, len(counts), len(contacts.QualityReasons))
	same(t, read[qualitySummary](t, h.ask(t, "GET", qualityPath+"?tenant=tenant", ""), 200).Contacts, 1)

	var ids []string
	for _, page := range pages[checkedContact](t, h, qualityPath+"/people?reason=shared_number&", "1") {
		ids = append(ids, page[0].ID)
		same(t, page[0].SharedWith, 1)
		same(t, page[0].Warnings, []string{"shared_number"})
	}
	same(t, ids, []string{anna, kari.ID})
	same(t, len(read[list[checkedContact]](t, h.ask(t, "GET", qualityPath+"/people?reason=no_number", ""), 200).Items), 0)
	refused(t, h.ask(t, "GET", qualityPath+"/people?reason=ugly", ""), 422, "invalid_reason")
}

func TestListIsLookedAtAndImported(t *testing.T) {
	h := openHouse(t)
	anna, _ := h.synced(t)
	const file = "Navn;Mobil;Gruppe\nKari;912 34 567;Natt\nAnna;+4740100001;Natt\nPer;1234;Natt\n"
	send := func(query, body string) reply {
		return h.ask(t, "POST", importsPath+query, body, "Content-Type", "text/csv")
	}
	looked := read[importReport](t, send("?dry_run=true", file), 200)
	same(t, looked.Counts, importCounts{Add: 1, Synced: 1, Refused: 1})
	same(t, looked.NewGroups, []string{"Natt"})
	same(t, looked.Rows[2].Reason, "too_short")
	same(t, len(read[list[contact]](t, h.ask(t, "GET", contactsPath, ""), 200).Items), 1)

	refused(t, send("?sha256="+looked.SHA256, file+"Ola;91234568;\n"), 409, "file_changed")
	done := read[importReport](t, send("?sha256="+looked.SHA256, file), 200)
	looked.DryRun = false
	same(t, done, looked)
	again := read[importReport](t, send("", file), 200)
	same(t, again.Counts, importCounts{Unchanged: 1, Synced: 1, Refused: 1})
	groups := read[list[group]](t, h.ask(t, "GET", groupsPath, ""), 200).Items
	members := read[list[contact]](t, h.ask(t, "GET", groupsPath+"/"+groups[1].ID+"/members", ""), 200).Items
	same(t, []string{members[0].ID, members[1].Name}, []string{anna, "Kari"})

	same(t, read[importReport](t, send("?dry_run=true&columns="+url.QueryEscape("Who=name,How=phone"), "Who,How\nOla,91234568\n"), 200).Counts, importCounts{Add: 1})
	refused(t, send("?columns=Who", file), 422, "invalid_columns")
	refused(t, send("", ""), 400, "file_empty")
	refusedAt(t, send("", "Name,Shoe\n"), "file_no_number", "/file")
}

// A list may be larger than what else is sent, but not without an end.
func TestLargeListIsTaken(t *testing.T) {
	h := openHouse(t)
	var file strings.Builder
	file.WriteString("name,phone,note\n")
	for i := range 3000 {
		fmt.Fprintf(&file, "Person %d,912%05d,%s\n", i, i, strings.Repeat("x", 1000))
	}
	got := read[importReport](t, h.ask(t, "POST", importsPath+"?dry_run=true", file.String(), "Content-Type", "text/csv"), 200)
	same(t, got.Counts, importCounts{Add: 3000})
	r := h.raw(t, "POST "+importsPath+" HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: 99999999\r\n\r\n")
	refused(t, r, 413, "body_too_large")
}
