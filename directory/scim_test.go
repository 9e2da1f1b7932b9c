package directory_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/directory/scim"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
)

// written is an office whose directory writes to it.
type written struct {
	*office
	connection int64
	source     directory.Source
}

func eachWritten(t *testing.T, test func(w *written)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		c, _, err := o.ConnectSCIM(t.Context(), acme, "Entra")
		o.equal(nil, err)
		test(&written{o, c.ID, o.SCIMSource(acme, c.ID)})
	})
}

func (w *written) create(kind *scim.Kind, body string) string {
	w.Helper()
	r, err := w.SCIMCreate(w.Context(), acme, w.connection, kind, []byte(body))
	if err != nil {
		w.Fatal(err)
	}
	return r.ID
}

func (w *written) user(name string) string {
	w.Helper()
	return w.create(scim.User, fmt.Sprintf(`{"userName": "%[1]s@acme.example", "displayName": %[1]q, "active": true, "phoneNumbers": [{"type": "mobile", "value": "900 00 001"}]}`, name))
}

func (w *written) group(name string, members ...string) string {
	w.Helper()
	list, err := json.Marshal(members)
	w.equal(nil, err)
	return w.create(scim.Group, fmt.Sprintf(`{"displayName": %q, "members": %s}`, name, list))
}

func (w *written) patch(kind *scim.Kind, id, operation string) scim.Resource {
	w.Helper()
	r, err := w.SCIMPatch(w.Context(), acme, w.connection, kind, id, "", []byte(`{"Operations": [`+operation+`]}`))
	if err != nil {
		w.Fatal(err)
	}
	return r
}

func (w *written) delete(kind *scim.Kind, id string) {
	w.Helper()
	w.equal(nil, w.SCIMDelete(w.Context(), acme, w.connection, kind, id, ""))
}

// pages reads a round to its end.
func (w *written) pages(read func(string) (directory.Page, error), link string) (items [][]directory.Item, delta string) {
	w.Helper()
	for {
		page, err := read(link)
		if err != nil {
			w.Fatal(err)
		}
		items = append(items, page.Items)
		if link = page.Next; page.Delta != "" {
			if page.Next != "" {
				w.Error("a page has both links")
			}
			return items, page.Delta
		}
	}
}

// people are what a round tells: names by id, empty for who is removed.
func (w *written) people(link string) (told map[string]string, delta string) {
	w.Helper()
	items, delta := w.pages(func(link string) (directory.Page, error) { return w.source.People(w.Context(), link) }, link)
	told = map[string]string{}
	for _, it := range slices.Concat(items...) {
		told[it.ID] = string(it.Fields["displayName"])
	}
	return told, delta
}

// memberships are what a round tells of groups: group, name, and changes in order.
func (w *written) memberships(link string) (told []string, delta string) {
	w.Helper()
	items, delta := w.pages(func(link string) (directory.Page, error) { return w.source.Groups(w.Context(), link) }, link)
	for _, it := range slices.Concat(items...) {
		line := it.ID + " " + string(it.Fields["displayName"])
		if it.Removed {
			line += "removed"
		}
		var changes []string
		for _, m := range it.Members {
			changes = append(changes, map[bool]string{false: " +", true: " -"}[m.Removed]+m.ID)
		}
		slices.Sort(changes)
		told = append(told, line+strings.Join(changes, ""))
	}
	return told, delta
}

func TestASourceTellsAllThenWhatChanged(t *testing.T) { // Q44, Q53
	eachWritten(t, func(w *written) {
		a, b, c := w.user("a"), w.user("b"), w.user("c")
		w.delete(scim.User, c)
		told, link := w.people("")
		w.equal(map[string]string{a: `"a"`, b: `"b"`}, told) // nobody was told of c
		told, link = w.people(link)
		w.equal(map[string]string{}, told)

		w.delete(scim.User, a)
		w.patch(scim.User, b, `{"op": "replace", "path": "displayName", "value": "B"}`)
		d := w.user("d")
		told, link = w.people(link)
		w.equal(map[string]string{a: "", b: `"B"`, d: `"d"`}, told)

		w.patch(scim.User, b, `{"op": "replace", "path": "displayName", "value": "B"}`) // nothing new
		w.group("Oslo", b)
		told, _ = w.people(link)
		w.equal(map[string]string{}, told)

		it, err := w.source.Person(w.Context(), b)
		w.equal([]any{nil, b, false, `"900 00 001"`, "true", "null"}, []any{err, it.ID, it.Removed, string(it.Fields["mobilePhone"]), string(it.Fields["accountEnabled"]), string(it.Fields["department"])})
		it, err = w.source.Person(w.Context(), a)
		w.equal([]any{nil, directory.Item{ID: a, Removed: true}}, []any{err, it})
	})
}

func TestASourceReadsPageByPage(t *testing.T) {
	eachWritten(t, func(w *written) {
		members := make([]string, 1200)
		for i := range members {
			members[i] = fmt.Sprintf("m%04d", i)
		}
		id := w.group("All", members...)
		items, link := w.pages(func(link string) (directory.Page, error) { return w.source.Groups(w.Context(), link) }, "")
		sizes, met := []int{}, map[string]bool{}
		for _, page := range items[1:] {
			w.equal([]any{1, id, `"All"`}, []any{len(page), page[0].ID, string(page[0].Fields["displayName"])})
			sizes = append(sizes, len(page[0].Members))
			for _, m := range page[0].Members {
				met[m.ID] = true
			}
		}
		w.equal([]any{[]int{500, 500, 200}, 1200, 1}, []any{sizes, len(met), len(items[0])})

		w.patch(scim.Group, id, `{"op": "Remove", "path": "members", "value": [{"value": "m0007"}]}, {"op": "Add", "path": "members", "value": [{"value": "m0001"}, {"value": "new"}]}`)
		told, _ := w.memberships(link)
		w.equal([]string{id + ` "All"`, id + ` "All" +new -m0007`}, told)
		w.equal(2, w.count(`SELECT COUNT(*) FROM scim_members WHERE changed = (SELECT MAX(changed) FROM scim_members)`)) // not 1,200
	})
}

func TestAPageOfLargeGroupsIsShorter(t *testing.T) {
	eachWritten(t, func(w *written) {
		members := make([]string, 26_000)
		for i := range members {
			members[i] = fmt.Sprint("m", i)
		}
		w.group("A", members...)
		w.group("B", members...)
		met := map[string]bool{}
		for start := 1; start <= 2; start++ {
			found, err := w.SCIMFind(w.Context(), acme, w.connection, scim.Group, directory.SCIMQuery{Start: start, Count: 10, Members: true})
			w.equal([]any{nil, 2, 1, 26_000}, []any{err, found.Total, len(found.Resources), len(found.Resources[0].Members)})
			met[found.Resources[0].ID] = true
		}
		w.equal(2, len(met))
	})
}

func (w *written) count(query string, args ...any) (n int) {
	w.Helper()
	w.equal(nil, w.db.QueryRowContext(w.Context(), query, args...).Scan(&n))
	return n
}

func TestASourceTellsOfGroupsThatChangedAndWent(t *testing.T) {
	eachWritten(t, func(w *written) {
		a := w.user("a")
		oslo, bergen := w.group("Oslo", a), w.group("Bergen", a)
		told, link := w.memberships("")
		w.equal([]string{oslo + ` "Oslo"`, bergen + ` "Bergen"`, oslo + ` "Oslo" +` + a, bergen + ` "Bergen" +` + a}, told)

		w.delete(scim.Group, bergen)
		w.patch(scim.Group, oslo, `{"op": "replace", "path": "members", "value": [{"value": "`+a+`"}]}`) // the same
		told, link = w.memberships(link)
		w.equal([]string{bergen + " removed"}, told)

		w.delete(scim.User, a)
		told, link = w.memberships(link)
		w.equal([]string{oslo + ` "Oslo"`, oslo + ` "Oslo" -` + a}, told)
		told, _ = w.memberships(link)
		w.equal(0, len(told))

		// A removal after a full round began is told in it: the group may have been met.
		first, err := w.source.Groups(w.Context(), "")
		w.equal(nil, err)
		w.patch(scim.Group, oslo, `{"op": "add", "path": "members", "value": [{"value": "x"}]}`)
		w.patch(scim.Group, oslo, `{"op": "remove", "path": "members[value eq \"x\"]"}`)
		told, _ = w.memberships(first.Next)
		w.equal([]string{oslo + ` "Oslo" -x`}, told)
	})
}

func TestALinkThatWouldTellOfForgottenRemovalsHasExpired(t *testing.T) {
	eachWritten(t, func(w *written) {
		a, b := w.user("a"), w.user("b")
		oslo, bergen := w.group("Oslo", a, b), w.group("Bergen", a)
		_, people := w.people("")
		_, groups := w.memberships("")
		w.delete(scim.User, a)
		w.delete(scim.Group, bergen)
		_, peopleAfter := w.people(people)
		_, groupsAfter := w.memberships(groups)

		w.equal(nil, w.PurgeSCIM(w.Context(), time.Now()))
		w.equal([]int{1, 1, 2}, []int{
			w.count(`SELECT COUNT(*) FROM scim_resources WHERE id = $1 AND document = '{}' AND name_key = ''`, a),
			w.count(`SELECT COUNT(*) FROM scim_resources WHERE id = $1`, bergen), w.count(`SELECT COUNT(*) FROM scim_members`),
		})
		told, _ := w.people(people) // it can be told still
		w.equal(map[string]string{a: ""}, told)

		w.equal(nil, w.PurgeSCIM(w.Context(), time.Now().Add(31*24*time.Hour)))
		w.equal([]int{2, 1, 1}, []int{w.count(`SELECT COUNT(*) FROM scim_resources`), w.count(`SELECT COUNT(*) FROM scim_members`), w.count(`SELECT COUNT(*) FROM scim_keys WHERE attribute = 'displayName'`)})
		for _, link := range []string{people, "not a link"} {
			_, err := w.source.People(w.Context(), link)
			w.equal(true, errors.Is(err, directory.ErrExpired))
		}
		_, err := w.source.Groups(w.Context(), groups)
		w.equal(true, errors.Is(err, directory.ErrExpired))
		told, _ = w.people(peopleAfter)
		w.equal(map[string]string{}, told)
		changes, _ := w.memberships(groupsAfter)
		w.equal(0, len(changes))
		told, _ = w.people("")
		w.equal(map[string]string{b: `"b"`}, told)
		changes, _ = w.memberships("")
		w.equal([]string{oslo + ` "Oslo"`, oslo + ` "Oslo" +` + b}, changes)
	})
}

func TestOfWhoIsDeletedNothingPersonalIsKept(t *testing.T) { // Q53
	eachWritten(t, func(w *written) {
		id := w.create(scim.User, `{"userName": "kari@acme.example", "externalId": "kari-1", "displayName": "Kari", "emails": [{"value": "kari@acme.example"}]}`)
		w.equal(3, w.count(`SELECT COUNT(*) FROM scim_keys`))
		w.delete(scim.User, id)
		w.equal(0, w.count(`SELECT COUNT(*) FROM scim_keys`))
		w.equal(1, w.count(`SELECT COUNT(*) FROM scim_resources WHERE document = '{}' AND name_key = ''`))
	})
}

func TestAWriteAsksForASyncAndNothingNewDoesNot(t *testing.T) {
	eachWritten(t, func(w *written) {
		id := w.user("a")
		at := func() directory.Connection {
			c, err := w.Connection(w.Context(), acme, w.connection)
			w.equal(nil, err)
			return c
		}
		w.exec(`UPDATE connections SET due_at = $1`, db.Millis(time.Now().Add(time.Hour)))
		before := at()
		w.patch(scim.User, id, `{"op": "replace", "path": "displayName", "value": "a"}`)
		w.equal(before, at())
		w.patch(scim.User, id, `{"op": "replace", "path": "displayName", "value": "b"}`)
		after := at()
		if !after.RequestedAt.After(before.RequestedAt) || time.Until(after.DueAt) > time.Minute {
			w.Errorf("due %v, requested %v, before %v", after.DueAt, after.RequestedAt, before.RequestedAt)
		}
		w.patch(scim.User, id, `{"op": "replace", "path": "displayName", "value": "c"}`)
		if again := at(); !again.DueAt.Equal(after.DueAt) || !again.RequestedAt.After(after.RequestedAt) {
			w.Errorf("due %v, then %v; requested %v, then %v", after.DueAt, again.DueAt, after.RequestedAt, again.RequestedAt)
		}
	})
}

func TestAScopeThatSCIMCannotTellIsRefused(t *testing.T) {
	eachWritten(t, func(w *written) {
		for _, s := range []directory.Scope{{LicensedOnly: true}, {NoMinors: true}} {
			w.refused("invalid_scope", w.Change(w.Context(), acme, w.connection, directory.Settings{Scope: s}, time.Hour, false))
		}
	})
}

// What is written goes the same way as what is read: mirror, then address book.
func TestTheAddressBookFollowsWhatIsWritten(t *testing.T) { // Q44, Q53
	eachWritten(t, func(w *written) {
		sync := func() {
			w.equal(1, len(w.due(time.Now().Add(10*time.Second)))) // a write asks for it
			_, err := w.Sync(w.Context(), acme, w.connection)
			w.equal(nil, err)
		}
		a := w.user("a")
		b := w.create(scim.User, `{"userName": "b", "phoneNumbers": [{"type": "mobile", "value": "n/a"}, {"type": "work", "value": "22 33 44 55"}]}`)
		g := w.user("guest")
		w.patch(scim.User, g, `{"op": "add", "path": "userType", "value": "Guest"}`)
		inner := w.group("Inner", b)
		w.group("Outer", a, inner)
		sync()
		w.equal(map[string]string{a: "+4790000001", b: "+4722334455"}, w.numbers())
		both := []string{a, b}
		slices.Sort(both)
		groups := w.groups()
		w.equal(b, groups["Inner"])
		for _, id := range both {
			if !strings.Contains(groups["Outer"], id) {
				w.Errorf("%s is not in %v", id, groups)
			}
		}

		before := w.contacts()
		w.patch(scim.User, a, `{"op": "Replace", "path": "active", "value": "False"}`)
		sync()
		w.equal(map[string]string{b: "+4722334455"}, w.numbers())
		w.patch(scim.User, a, `{"op": "Replace", "path": "active", "value": "True"}`)
		sync()
		w.equal(before, w.contacts(), cmpopts.IgnoreFields(contacts.Contact{}, "Updated"))

		w.patch(scim.User, b, `{"op": "Remove", "path": "phoneNumbers[type eq \"work\"].value"}`)
		w.delete(scim.User, a)
		sync()
		w.equal(map[string]string{b: ""}, w.numbers())
		w.equal(map[string]string{"Inner": b, "Outer": b}, w.groups())
	})
}
