package graph_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/directory/graph"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/internal/sim/graphsim"
)

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
	h.Directory = directory.New(directory.House{DB: d, Ring: ring, Book: h.book, Gate: gate,
		Clouds: graph.Clouds(h.sim.URL(), h.sim.GraphURL(), trusting(t, h.sim.CAPEM())), Notify: "https://127.0.0.1:1"}, 1)
	return h
}

func (h *house) connect() (directory.Connection, error) {
	c, report, err := h.Connect(h.Context(), account, directory.Setup{Credentials: directory.Credentials{
		Tenant: h.sim.TenantID(), Client: h.sim.ClientID(), Secret: h.sim.Secret()}})
	if err == nil && !report.OK() {
		err = errors.New(report.Failed())
	}
	return c, err
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
	equal(t, []int{1000, 980, 30, 10, 980}, []int{run.People, run.Contacts, run.WithoutNumber, run.Invalid, run.Added})
	equal(t, 20, run.Skipped[directory.SkippedGuest]+run.Skipped[directory.SkippedBlocked])
	equal(t, 1000+len(h.sim.Groups()), run.Records)
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

func TestARunWaitsForABusyDirectoryAndGoesOn(t *testing.T) {
	h := newHouse(t, graphsim.Options{Org: graphsim.Example(200), PageSize: 20})
	c, err := h.connect()
	equal(t, nil, err)
	h.sim.Pass(8)
	h.sim.Throttle(1, 120)
	before := time.Now()
	run, err := h.Sync(t.Context(), account, c.ID)
	if !problem.Has(err, "directory_busy") {
		t.Errorf("got %v", err)
	}
	equal(t, []string{directory.Waiting, "directory_busy"}, []string{run.State, run.Code})
	if wait := run.ResumeAt.Sub(before); wait < 119*time.Second || wait > 150*time.Second {
		t.Errorf("it waits %v", wait)
	}
	due := func(at time.Time) int {
		list, err := h.Due(t.Context(), at)
		equal(t, nil, err)
		return len(list)
	}
	// Not even somebody who asks for a sync makes it go on too early.
	_, err = h.Request(t.Context(), account, c.ID)
	equal(t, nil, err)
	equal(t, []int{0, 1}, []int{due(before.Add(110 * time.Second)), due(run.ResumeAt)})
	done, err := h.Sync(t.Context(), account, c.ID)
	equal(t, nil, err)
	equal(t, []any{run.ID, directory.Done, 200 + len(h.sim.Groups())}, []any{done.ID, done.State, done.Records})
	h.inStep()
}

func TestADirectoryThatStaysOutOfOrderFailsTheRun(t *testing.T) {
	h := newHouse(t, graphsim.Options{Org: graphsim.Example(200), PageSize: 20})
	c, err := h.connect()
	equal(t, nil, err)
	h.sim.Pass(8)
	h.sim.Fail(100, 500)
	var run directory.Run
	for range 10 {
		if run, err = h.Sync(t.Context(), account, c.ID); run.State != directory.Waiting {
			break
		}
	}
	equal(t, []string{directory.Failed, "directory_unavailable", err.Error()}, []string{run.State, run.Code, run.Reason})
	c, _ = h.Connection(t.Context(), account, c.ID)
	equal(t, []string{directory.Failing, err.Error()}, []string{c.State, c.Reason})
	h.sim.ClearFaults()
	equal(t, 200, h.synced().People)
	h.inStep()
}

func TestASignInThatIsRevokedIsRenewedInTheRun(t *testing.T) {
	h := newHouse(t, graphsim.Options{Org: graphsim.Example(50)})
	c, err := h.connect()
	equal(t, nil, err)
	_, err = h.Sync(t.Context(), account, c.ID)
	equal(t, nil, err)
	h.sim.ExpireTokens()
	_, err = h.Sync(t.Context(), account, c.ID)
	equal(t, nil, err)
	h.inStep()
}

func TestOneGroupIsReadAgain(t *testing.T) { // Q50
	h := newHouse(t, graphsim.Options{Org: graphsim.Example(120), PageSize: 30, MembersPerPage: 40})
	c, err := h.connect()
	equal(t, nil, err)
	_, err = h.Sync(t.Context(), account, c.ID)
	equal(t, nil, err)
	group := h.sim.Groups()[1]
	people := h.sim.Users()
	h.sim.UpdateUser(people[0].ID, map[string]any{"displayName": "Renamed"})
	h.sim.AddMember(group.ID, people[0].ID)
	_, err = h.RequestGroup(t.Context(), account, c.ID, group.ID)
	equal(t, nil, err)
	before := len(h.sim.Requests())
	run, err := h.Sync(t.Context(), account, c.ID)
	equal(t, nil, err)
	equal(t, []string{directory.Group, directory.Done}, []string{run.Kind, run.State})
	for _, r := range h.sim.Requests()[before:] {
		if strings.Contains(r.Path, "delta") {
			t.Errorf("the whole directory was asked for: %s", r.Path)
		}
	}
	h.inStep()
	list, err := h.book.Contacts(t.Context(), account, 0, 1000)
	equal(t, nil, err)
	equal(t, true, slices.ContainsFunc(list, func(c contacts.Contact) bool { return c.Name == "Renamed" }))
}

func TestNoTokenIsAskedForBeforeAnAgreement(t *testing.T) { // S6
	h := newHouse(t, graphsim.Options{Org: graphsim.Example(5)})
	h.agreed = false
	if _, err := h.connect(); !problem.Has(err, "no_agreement") {
		t.Errorf("connecting: %v", err)
	}
	equal(t, 0, len(h.sim.Requests()))
	h.agreed = true
	c, err := h.connect()
	equal(t, nil, err)
	h.agreed = false
	checked := len(h.sim.Requests())
	if _, err := h.Sync(t.Context(), account, c.ID); !problem.Has(err, "no_agreement") {
		t.Errorf("syncing: %v", err)
	}
	if _, _, err := h.Check(t.Context(), account, c.ID); !problem.Has(err, "no_agreement") {
		t.Errorf("checking: %v", err)
	}
	equal(t, checked, len(h.sim.Requests()))
}
