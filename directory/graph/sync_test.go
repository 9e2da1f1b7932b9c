package graph_test

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/directory/graph"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/internal/sim/graphsim"
)

func TestMain(m *testing.M) { dbtest.Run(m) }

const account = 1

// house is an account whose directory is the simulated one.
type house struct {
	*testing.T
	*directory.Directory
	sim    *graphsim.Server
	db     *db.DB
	book   *contacts.Book
	agreed bool
}

func newHouse(t *testing.T, o graphsim.Options) *house {
	t.Helper()
	d := dbtest.Open(t, dbtest.SQLiteURL(t))
	_, err := d.ExecContext(t.Context(), `
		INSERT INTO accounts (id, handle, name, region, sender, currency, state, created_at)
		VALUES ($1, 'acme', 'Acme', 'NO', '', 'EUR', 'active', 0)`, account)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := secrets.Parse("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	if err != nil {
		t.Fatal(err)
	}
	h := &house{T: t, sim: startSim(t, o), db: d, book: contacts.New(d), agreed: true}
	gate := func(context.Context, int64) error {
		if h.agreed {
			return nil
		}
		return problem.New(problem.KindForbidden, "no_agreement", "there is no agreement")
	}
	cloud := graph.Cloud(h.sim.URL(), h.sim.GraphURL(), trusting(t, h.sim.CAPEM()))
	h.Directory = directory.New(d, ring, h.book, gate, cloud, 1)
	return h
}

func (h *house) connect() (directory.Connection, error) {
	return h.Connect(h.Context(), account, directory.Credentials{Tenant: h.sim.TenantID(), Client: h.sim.ClientID(), Secret: h.sim.Secret()})
}

func (h *house) synced() directory.Run {
	h.Helper()
	c, err := h.connect()
	if err != nil {
		h.Fatal(err)
	}
	run, err := h.Sync(h.Context(), account, c.ID)
	if err != nil {
		h.Fatal(err)
	}
	return run
}

// inStep wants the address book to hold whom the directory holds, by its own
// reckoning.
func (h *house) inStep() {
	h.Helper()
	want := map[string]bool{}
	for _, u := range h.sim.Users() {
		if u.Properties["userType"] != "Guest" && u.Properties["accountEnabled"] != false {
			want[u.ID] = true
		}
	}
	got := map[string]bool{}
	list, err := h.book.Contacts(h.Context(), account, 0, 100_000)
	if err != nil {
		h.Fatal(err)
	}
	for _, c := range list {
		got[c.DirectoryID] = true
	}
	equal(h.T, want, got)
}

func TestACompanyIsSyncedOverTheWire(t *testing.T) { // S1, S2, S3, S8, S12, S13, S14, S24
	h := newHouse(t, graphsim.Options{Org: graphsim.Example(1000), PageSize: 90, MembersPerPage: 200})
	run := h.synced()
	h.inStep()
	// What Example promises of a hundred people.
	equal(t, directory.Counts{People: 1000, Contacts: 980, WithoutNumber: 30, Invalid: 10, Added: 980}, run.Counts)
	coverage, err := h.book.Coverage(t.Context(), account)
	equal(t, nil, err)
	equal(t, []int{980, 940, 30, 10}, []int{coverage.Contacts, coverage.WithNumber, coverage.WithoutNumber, coverage.Invalid})

	users := h.sim.Users()
	h.sim.SoftDelete(users[0].ID)
	h.sim.HardDelete(users[1].ID)
	h.sim.AddUser(graphsim.User{ID: "00000000-1111-2222-3333-444444444444", Properties: map[string]any{"displayName": "New", "mobilePhone": "90000000", "usageLocation": "NO"}})
	list, _ := h.book.Contacts(t.Context(), account, 0, 3)
	equal(t, nil, h.book.Remove(t.Context(), account, list[2].ID))
	run = h.synced()
	equal(t, []int{1, 1, 2}, []int{run.Added, run.Changed, run.Removed})
	h.inStep()

	h.sim.Restore(users[0].ID)
	h.synced()
	h.inStep()
	equal(t, []string{"GET"}, slices.Collect(maps.Keys(h.sim.GraphMethods())))
}

func TestGroupsOfACompanyAreRecipientLists(t *testing.T) { // S5, S25
	h := newHouse(t, graphsim.Options{Org: graphsim.Example(300), PageSize: 20, MembersPerPage: 50})
	h.synced()
	byName := map[string]contacts.Group{}
	groups, err := h.book.Groups(t.Context(), account, 0, 1000)
	equal(t, nil, err)
	for _, g := range groups {
		byName[g.DirectoryID] = g
	}
	equal(t, len(h.sim.Groups()), len(byName))
	for _, g := range h.sim.Groups() {
		if g.DisplayName == "All staff" {
			coverage, _ := h.book.Coverage(t.Context(), account)
			equal(t, []int{coverage.Contacts, coverage.WithNumber}, []int{byName[g.ID].Members, byName[g.ID].Textable})
			return
		}
	}
	t.Error("there is no group All staff")
}

func TestTheFaultsOfDeltaRoundsDoNoHarm(t *testing.T) { // S1
	for name, fault := range map[string]graphsim.Faults{
		"empty pages": {EmptyPages: true}, "replays": {ReplayItems: true}, "memberships end silently": {SilentHardDelete: true},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, graphsim.Options{Org: graphsim.Example(120), PageSize: 30, MembersPerPage: 40})
			h.sim.SetFaults(fault)
			h.synced()
			users := h.sim.Users()
			h.sim.HardDelete(users[3].ID)
			h.sim.UpdateUser(users[4].ID, map[string]any{"accountEnabled": false})
			h.synced()
			h.inStep()
			h.sim.UpdateUser(users[4].ID, map[string]any{"accountEnabled": true})
			h.sim.Gone(2)
			h.synced()
			h.inStep()
		})
	}
}

func TestASyncThatFailsHalfWayGoesOn(t *testing.T) {
	h := newHouse(t, graphsim.Options{Org: graphsim.Example(200), PageSize: 20})
	c, err := h.connect()
	equal(t, nil, err)
	h.sim.Pass(5)
	h.sim.Fail(1, 500)
	run, err := h.Sync(t.Context(), account, c.ID)
	if !problem.Has(err, "directory_unavailable") {
		t.Errorf("got %v", err)
	}
	equal(t, []any{directory.Failed, 100, err.Error()}, []any{run.State, run.Records, run.Reason})
	c, _ = h.Connection(t.Context(), account, c.ID)
	equal(t, []string{directory.Failing, err.Error()}, []string{c.State, c.Reason})
	equal(t, 200, h.synced().People)
	h.inStep()
}

func TestNoTokenIsAskedForBeforeAnAgreement(t *testing.T) { // S6
	h := newHouse(t, graphsim.Options{Org: graphsim.Example(5)})
	h.agreed = false
	if _, err := h.connect(); !problem.Has(err, "no_agreement") {
		t.Errorf("connecting: %v", err)
	}
	h.agreed = true
	c, err := h.connect()
	equal(t, nil, err)
	h.agreed = false
	if _, err := h.Sync(t.Context(), account, c.ID); !problem.Has(err, "no_agreement") {
		t.Errorf("syncing: %v", err)
	}
	equal(t, 0, len(h.sim.Requests()))
}
