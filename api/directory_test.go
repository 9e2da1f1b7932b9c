package api

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

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
	want := list[connection]{Items: []connection{{ID: id, Tenant: "acme.example", ClientID: "11111111-2222-3333-4444-555555555555", State: "connected"}}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(connection{}, "CreatedAt", "NextSyncAt")); diff != "" {
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
	got := s.run(directory.Run{ID: 7, State: directory.Done, Records: 12,
		Counts: directory.Counts{People: 10, Contacts: 9, WithoutNumber: 2, Invalid: 1, Added: 3, Changed: 4, Removed: 5}})
	same(t, got, run{ID: s.Names.Of(secrets.Run, 7), State: "done", Records: 12, People: 10,
		Contacts: contained{Total: 9, WithoutNumber: 2, InvalidNumber: 1}, Added: 3, Changed: 4, Removed: 5})
}
