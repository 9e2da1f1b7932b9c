package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/secrets"
)

func (h *house) connect(t *testing.T) directory.Connection {
	t.Helper()
	c, _, err := h.Directory.Connect(t.Context(), h.account.ID, directory.Setup{Credentials: directory.Credentials{
		Tenant: "acme.example", Client: "11111111-2222-3333-4444-555555555555", Secret: "Zk8Q~not-a-real-secret"}})
	must(t, err)
	return c
}

func TestConnectionIsShownWithoutItsSecret(t *testing.T) { // S19
	h := openHouse(t)
	id := h.Names.Of(secrets.Connection, h.connect(t).ID)
	got := read[list[connection]](t, h.ask(t, "GET", connectionsPath, ""), 200)
	want := list[connection]{Items: []connection{{ID: id, Kind: "graph", Tenant: "acme.example", ClientID: "11111111-2222-3333-4444-555555555555",
		Cloud: "global", Credential: "secret", SecretLast4: "cret", State: "connected", Every: "15m0s", Findings: []finding{}}}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(connection{}, "CreatedAt", "NextSyncAt", "SecretAt", "CheckedAt", "ActivatedAt")); diff != "" {
		t.Errorf("want(-) got(+):\n%s", diff)
	}
}

func TestSyncIsAskedFor(t *testing.T) { // S24
	h := openHouse(t)
	c := h.connect(t)
	path := connectionsPath + "/" + h.Names.Of(secrets.Connection, c.ID)
	asked := h.ask(t, "POST", path+"/sync", "")
	got := read[syncRequest](t, asked, http.StatusAccepted)
	same(t, asked.header.Get("Location"), path+"/runs")

	kept, err := h.Directory.Connection(t.Context(), h.account.ID, c.ID)
	must(t, err)
	if got.RequestedAt.IsZero() || !got.RequestedAt.Equal(kept.RequestedAt) {
		t.Errorf("requested at %v, kept %v", got.RequestedAt, kept.RequestedAt)
	}
	same(t, read[list[run]](t, h.ask(t, "GET", path+"/runs", ""), 200), list[run]{Items: []run{}})
}

func TestConnectionOfAnotherAccountIsNotThere(t *testing.T) {
	h := openHouse(t)
	path := connectionsPath + "/" + h.Names.Of(secrets.Connection, h.connect(t).ID)
	acc, key := h.other(t)
	_, err := h.Accounts.Conclude(t.Context(), acc.ID, "Ola", "CEO", "ola@other.example")
	must(t, err)
	same(t, read[list[connection]](t, h.ask(t, "GET", connectionsPath, "", bearer(key)...), 200), list[connection]{Items: []connection{}})
	refused(t, h.ask(t, "GET", path+"/runs", "", bearer(key)...), 404, "connection_not_found")
	refused(t, h.ask(t, "POST", path+"/sync", "", bearer(key)...), 404, "connection_not_found")
	refused(t, h.ask(t, "POST", connectionsPath+"/dir_nonsense/sync", ""), 404, "connection_not_found")
}

func TestWithoutAnAgreementNoDirectoryIsRead(t *testing.T) { // S6
	h := openHouse(t)
	_, key := h.other(t)
	path := connectionsPath + "/" + h.Names.Of(secrets.Connection, h.connect(t).ID)
	refused(t, h.ask(t, "POST", path+"/sync", "", bearer(key)...), 403, "no_agreement")
}

func TestRunTellsItsCounts(t *testing.T) {
	s := openHouse(t).Services
	got := s.run(directory.Run{ID: 7, Kind: directory.Sync, State: directory.Done, Records: 12,
		Counts: directory.Counts{People: 10, Skipped: map[string]int{directory.SkippedGuest: 1}, Contacts: 9, WithoutNumber: 2, Invalid: 1, Shared: 2,
			Added: 3, Changed: 4, Removed: 5, NumberLost: 1, Held: 6, Groups: 7, GroupsAdded: 1, MembersGone: 8,
			Cards: cards.Followed{Cards: 9, Added: 1, Changed: 2, Withdrawn: 3, Undesigned: 4, Unmatched: 5, Minors: 6, Refused: 7}}})
	same(t, got, run{ID: s.Names.Of(secrets.Run, 7), Kind: "sync", State: "done", Records: 12, People: 10, Skipped: map[string]int{"guest": 1},
		Contacts: contained{Total: 9, WithoutNumber: 2, InvalidNumber: 1, SharedNumber: 2}, Added: 3, Changed: 4, Removed: 5, NumberLost: 1, Held: 6,
		Groups: groupsRead{Total: 7, Added: 1, MembersGone: 8},
		Cards:  cardsFollowed{Cards: 9, Added: 1, Changed: 2, Withdrawn: 3, Undesigned: 4, Unmatched: 5, Minors: 6, Refused: 7}, Requests: map[string]int{}})
}

const (
	setupText = `{"tenant":"acme.example","client_id":"11111111-2222-3333-4444-555555555555","secret":"Zk8Q~not-a-real-secret"}`
	anyGUID   = "11111111-2222-3333-4444-555555555555"
)

var noConsent = directory.Finding{Step: directory.StepPeople, Outcome: directory.Broken, Code: "directory_consent", Text: "grant User.Read.All"}

func TestFailedCheckDoesNotActivateUntilItPasses(t *testing.T) { // S18 S21 S23
	h := openHouse(t)
	h.found = []directory.Finding{noConsent}
	answered := h.ask(t, "POST", connectionsPath, setupText)
	got := read[connection](t, answered, http.StatusCreated)
	if got.State != "disconnected" || got.Reason != noConsent.Text || len(got.Findings) != 1 || got.Findings[0].Code != "directory_consent" {
		t.Fatalf("%+v", got)
	}
	path := answered.header.Get("Location")
	refused(t, h.ask(t, "POST", path+"/sync", ""), 409, "disconnected")
	h.found = []directory.Finding{{Step: directory.StepPeople, Outcome: directory.Passed, Text: "people are read"}}
	same(t, read[connection](t, h.ask(t, "POST", path+"/check", ""), 200).State, "connected")
	same(t, read[connection](t, h.ask(t, "GET", path, ""), 200).Findings[0].Outcome, "passed")
}

func TestSecretIsNeverAnswered(t *testing.T) { // S19
	h := openHouse(t)
	answered := h.ask(t, "POST", connectionsPath, setupText)
	got := read[connection](t, answered, http.StatusCreated)
	if got.SecretLast4 != "cret" || got.SecretAt.IsZero() || strings.Contains(string(answered.body), "not-a-real") {
		t.Errorf("%s", answered.body)
	}
	refusedAt(t, h.ask(t, "POST", connectionsPath, strings.Replace(setupText, "Zk8Q~not-a-real-secret", anyGUID, 1)), "invalid_secret", "/secret")
}

func TestDecisionsAboutAConnectionAreChanged(t *testing.T) {
	h := openHouse(t)
	path := connectionsPath + "/" + h.Names.Of(secrets.Connection, h.connect(t).ID)
	got := read[connection](t, h.ask(t, "PATCH", path, `{"every":"2h","preview":true,"secret_expires_at":"2027-01-31T00:00:00Z",
		"settings":{"scope":{"guests":true,"groups":["a-group"],"filter":[{"field":"city","is":"one_of","values":["Oslo"]}]}}}`), 200)
	same(t, got.Settings, settings{Scope: scope{Guests: true, Groups: []string{"a-group"}, Filter: []scopeCondition{{"city", "one_of", []string{"Oslo"}}}}})
	if got.Every != "2h0m0s" || !got.Preview || got.SecretExpiresAt.Year() != 2027 {
		t.Errorf("%+v", got)
	}
	got = read[connection](t, h.ask(t, "PATCH", path, `{"preview":false}`), 200)
	if got.Preview || !got.Settings.Scope.Guests || got.Every != "2h0m0s" {
		t.Errorf("what was not named has changed: %+v", got)
	}
	refusedAt(t, h.ask(t, "PATCH", path, `{"every":"1s"}`), "invalid_every", "/every")
	refusedAt(t, h.ask(t, "PATCH", path, `{"settings":{"scope":{"filter":[{"field":"city","is":"one_of"}]}}}`), "invalid_filter", "/settings/scope/filter")
}

func TestSyncOfOneGroupIsAskedFor(t *testing.T) { // Q50
	h := openHouse(t)
	path := connectionsPath + "/" + h.Names.Of(secrets.Connection, h.connect(t).ID) + "/sync"
	for _, body := range []string{`{}`, `{"kind":"preview"}`, `{"kind":"group","group":"a-group"}`} {
		read[syncRequest](t, h.ask(t, "POST", path, body), http.StatusAccepted)
	}
	refusedAt(t, h.ask(t, "POST", path, `{"kind":"group"}`), "invalid_group", "/group")
}

func TestDisconnectedIsReadNoMoreUntilItIsChecked(t *testing.T) { // Q54 Q56
	h := openHouse(t)
	path := connectionsPath + "/" + h.Names.Of(secrets.Connection, h.connect(t).ID)
	same(t, read[connection](t, h.ask(t, "POST", path+"/disconnect", ""), 200).State, "disconnected")
	refused(t, h.ask(t, "POST", path+"/sync", ""), 409, "disconnected")
	same(t, read[connection](t, h.ask(t, "POST", path+"/check", ""), 200).State, "connected")
	read[syncRequest](t, h.ask(t, "POST", path+"/sync", ""), http.StatusAccepted)
}

// crowd is a directory of people with ids and names and one group.
type crowd struct{ people int }

func (c *crowd) People(context.Context, string) (directory.Page, error) {
	page := directory.Page{Delta: "people"}
	for i := range c.people {
		page.Items = append(page.Items, named(fmt.Sprintf("person-%02d", i)))
	}
	return page, nil
}

func (c *crowd) Groups(context.Context, string) (directory.Page, error) {
	return directory.Page{Delta: "groups", Items: []directory.Item{named("group-b"), named("group-a")}}, nil
}

func (*crowd) Person(context.Context, string) (directory.Item, error) {
	return directory.Item{Removed: true}, nil
}

func (*crowd) Group(context.Context, string) (directory.Item, []directory.Item, error) {
	return directory.Item{Removed: true}, nil, nil
}

func named(id string) directory.Item {
	return directory.Item{ID: id, Fields: map[string]json.RawMessage{"displayName": json.RawMessage(`"Name of ` + id + `"`)}}
}

// wane makes all but two of so many people leave.
func (h *house) wane(t *testing.T, people int) (path string) {
	t.Helper()
	c := h.connect(t)
	crowd := &crowd{people: people}
	h.source = crowd
	_, err := h.Directory.Sync(t.Context(), h.account.ID, c.ID)
	must(t, err)
	page := directory.Page{Delta: "later"}
	for i := 2; i < people; i++ {
		page.Items = append(page.Items, directory.Item{ID: fmt.Sprintf("person-%02d", i), Removed: true})
	}
	h.source = &waning{crowd, page}
	_, err = h.Directory.Sync(t.Context(), h.account.ID, c.ID)
	must(t, err)
	return connectionsPath + "/" + h.Names.Of(secrets.Connection, c.ID)
}

type waning struct {
	*crowd
	page directory.Page
}

func (w *waning) People(context.Context, string) (directory.Page, error) { return w.page, nil }

func TestHeldPeopleGoWhenTheirNumberIsApproved(t *testing.T) {
	h := openHouse(t)
	path := h.wane(t, 30)
	same(t, read[connection](t, h.ask(t, "GET", path, ""), 200).Held, 28)
	all := pages[held](t, h, path+"/held?", "20")
	if len(all) != 2 || len(all[0]) != 20 || len(all[1]) != 8 || all[1][7].DirectoryID != "person-29" || all[0][0].Name != "Name of person-02" || all[0][0].Loss != "removed" {
		t.Errorf("%+v", all)
	}
	refused(t, h.ask(t, "POST", path+"/approve", `{"people":27}`), 409, "held_changed")
	same(t, read[connection](t, h.ask(t, "POST", path+"/approve", `{"people":28}`), 200).Held, 0)
	c, err := h.Directory.Connections(t.Context(), h.account.ID)
	must(t, err)
	approvals, err := h.Directory.Approvals(t.Context(), h.account.ID, c[0].ID, 10)
	must(t, err)
	if len(approvals) != 1 || approvals[0].People != 28 || !strings.HasPrefix(approvals[0].By, "API key key_") {
		t.Errorf("%+v", approvals)
	}
}

func TestListsOfAConnectionArePaged(t *testing.T) {
	h := openHouse(t)
	path := h.wane(t, 30)
	runs := pages[run](t, h, path+"/runs?", "1")
	if len(runs) != 2 || runs[0][0].Held != 28 || runs[1][0].Added != 30 || runs[1][0].Contacts.WithoutNumber != 30 {
		t.Errorf("%+v", runs)
	}
	same(t, pages[unit](t, h, path+"/groups?", "1"), [][]unit{{{"group-a", "Name of group-a"}}, {{"group-b", "Name of group-b"}}})
	same(t, read[list[unit]](t, h.ask(t, "GET", path+"/groups?name=GROUP-B", ""), 200).Items, []unit{{"group-b", "Name of group-b"}})
	same(t, read[list[skipped]](t, h.ask(t, "GET", path+"/skipped", ""), 200), list[skipped]{Items: []skipped{}})
	same(t, read[list[reading]](t, h.ask(t, "GET", path+"/access", ""), 200), list[reading]{Items: []reading{}})
}

func TestPreviewTellsWhatWouldHappen(t *testing.T) { // S8
	h := openHouse(t)
	h.source = &crowd{people: 3}
	id := h.connect(t).ID
	path := connectionsPath + "/" + h.Names.Of(secrets.Connection, id)
	read[connection](t, h.ask(t, "PATCH", path, `{"preview":true}`), 200)
	_, err := h.Directory.Sync(t.Context(), h.account.ID, id)
	must(t, err)
	for of, want := range map[string]int{"all": 3, "added": 3, "without_number": 3, "invalid": 0, "shared": 0, "removed": 0} {
		if got := read[list[previewPerson]](t, h.ask(t, "GET", path+"/preview?of="+of, ""), 200).Items; len(got) != want {
			t.Errorf("%s: %+v", of, got)
		}
	}
	same(t, read[list[previewPerson]](t, h.ask(t, "GET", path+"/preview?limit=1", ""), 200).Items,
		[]previewPerson{{DirectoryID: "person-00", Name: "Name of person-00", Change: "added", PhoneReason: "no_number"}})
}

func TestDirectoryIsReadWithItsOwnScopeAndAsBefore(t *testing.T) {
	h := openHouse(t)
	path := connectionsPath + "/" + h.Names.Of(secrets.Connection, h.connect(t).ID)
	for _, scope := range []string{accounts.ScopeDirectoryRead, accounts.ScopeContactsRead} {
		key := h.newKey(t, h.account, scope)
		same(t, h.ask(t, "GET", connectionsPath, "", bearer(key)...).status, 200)
		same(t, h.ask(t, "GET", path+"/runs", "", bearer(key)...).status, 200)
		same(t, h.ask(t, "GET", path+"/held", "", bearer(key)...).status == 200, scope == accounts.ScopeDirectoryRead)
		refused(t, h.ask(t, "POST", path+"/disconnect", "", bearer(key)...), 403, "missing_scope")
	}
}
