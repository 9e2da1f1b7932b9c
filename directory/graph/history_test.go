package graph_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/directory/graph"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/internal/sim/graphsim"
)

// histories is how many are played on each database; VARSEL_HISTORIES sets it.
func histories(t *testing.T) int {
	n := 120
	if said := os.Getenv("VARSEL_HISTORIES"); said != "" {
		var err error
		if n, err = strconv.Atoi(said); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// historiesPerWorld share a database and a simulator.
const historiesPerWorld = 250

// Whatever happens in a directory, and whatever fails on the way, in the end the
// address book tells what the directory tells, and nothing was ever written
// there.
func TestAnyHistoryUnderAnyFaultsEndsInStep(t *testing.T) { // S1, S2, S3, S13, S14, S25, Q48, Q59
	seed := time.Now().UnixNano()
	if said := os.Getenv("VARSEL_SEED"); said != "" {
		seed, _ = strconv.ParseInt(said, 10, 64)
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for played := 0; played < histories(t); {
			n := min(historiesPerWorld, histories(t)-played)
			playHistories(t, d, uint64(seed), played, n)
			if played += n; t.Failed() {
				t.Fatalf("VARSEL_SEED=%d plays it again", seed)
			}
		}
	})
}

func playHistories(t *testing.T, d *db.DB, seed uint64, from, n int) {
	sim := startSim(t, graphsim.Options{PageSize: 3, MembersPerPage: 4})
	ring, err := secrets.Parse("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	equal(t, nil, err)
	w := &world{incarnation: int64(from) * 100, T: t, sim: sim, db: d, ring: ring, book: contacts.New(d), clouds: graph.Clouds(sim.URL(), sim.GraphURL(), trusting(t, sim.CAPEM()))}
	for i := from; i < from+n; i++ {
		newHistory(w, i, rand.New(rand.NewPCG(seed, uint64(i)))).play()
		if t.Failed() {
			break
		}
	}
	equal(t, 0, len(sim.GraphWrites()))
	equal(t, []string{"GET"}, slices.Collect(maps.Keys(sim.GraphMethods())))
	sim.Close()
}

type world struct {
	*testing.T
	sim         *graphsim.Server
	db          *db.DB
	ring        *secrets.Keyring
	book        *contacts.Book
	clouds      directory.Clouds
	incarnation int64
}

// history is what happens to one organisation.
type history struct {
	*world
	*rand.Rand
	*directory.Directory
	tenant     *graphsim.Tenant
	account    int64
	connection int64
	people     []string // ids that were ever in use
	groups     []string
	gone       map[string]bool // groups
	soft       map[string]bool // people who can be restored
	hard       map[string]bool
	said       []string
}

func newHistory(w *world, i int, r *rand.Rand) *history {
	w.Helper()
	tenant, err := w.sim.AddTenant(graphsim.TenantOptions{TenantID: fmt.Sprintf("00000000-0000-4000-8000-%012d", i+1)})
	equal(w.T, nil, err)
	h := &history{world: w, Rand: r, tenant: tenant, account: int64(i + 1), gone: map[string]bool{}, soft: map[string]bool{}, hard: map[string]bool{}}
	h.exec(`INSERT INTO accounts (id, handle, name, region, sender, currency, state, created_at)
		VALUES ($1, $2, 'Acme', 'NO', '', 'EUR', 'active', 0)`, h.account, fmt.Sprint(h.account))
	h.restart()
	c, report, err := h.Connect(h.Context(), h.account, directory.Setup{Credentials: directory.Credentials{
		Tenant: tenant.TenantID(), Client: tenant.ClientID(), Secret: tenant.Secret()}})
	if err != nil || !report.OK() {
		h.Fatal(err, report)
	}
	h.connection = c.ID
	return h
}

func (h *history) exec(query string, args ...any) {
	h.Helper()
	if _, err := h.db.ExecContext(h.Context(), query, args...); err != nil {
		h.Fatal(err)
	}
}

// restart begins another process; the one before is dead.
func (h *history) restart() {
	h.exec(`UPDATE incarnations SET ended_at = 1 WHERE id = $1`, h.incarnation)
	h.world.incarnation++
	h.exec(`INSERT INTO incarnations (id, host, pid, role, counter, started_at) VALUES ($1, 'host', 1, 'all', 0, 0)`, h.incarnation)
	h.Directory = directory.New(directory.House{DB: h.db, Ring: h.ring, Book: h.book, Clouds: h.clouds,
		Gate: func(context.Context, int64) error { return nil }}, h.incarnation)
}

func (h *history) say(format string, args ...any) {
	h.said = append(h.said, fmt.Sprintf(format, args...))
}

// play alternates what happens in the directory with syncs under faults.
func (h *history) play() {
	for range 3 + h.IntN(10) {
		h.happens()
	}
	for range 2 + h.IntN(4) {
		for range h.IntN(5) {
			h.fails()
		}
		h.syncSomehow()
		for range h.IntN(6) {
			h.happens()
		}
		if h.IntN(4) == 0 {
			h.deletesHere()
		}
	}
	h.tenant.ClearFaults()
	h.settles()
	if diff := cmp.Diff(h.oracle(), h.addressBook()); diff != "" {
		h.Errorf("the address book differs:\n%s\nwhat happened:\n%s", diff, strings.Join(h.said, "\n"))
	}
}

// syncSomehow may crash, and leaves a run that may have to be gone on with.
func (h *history) syncSomehow() {
	ctx, stop := context.WithCancel(h.Context())
	crash := h.IntN(3) == 0
	if crash {
		timer := time.AfterFunc(time.Duration(h.IntN(30_000))*time.Microsecond, stop)
		defer timer.Stop()
	}
	run, err := h.Sync(ctx, h.account, h.connection)
	stop()
	h.say("sync: %s %s %v", run.State, run.Phase, err)
	if crash && run.State == directory.Waiting {
		// A killed process does not write down that it stops.
		h.exec(`UPDATE sync_runs SET state = 'running', code = '', reason = '' WHERE id = $1`, run.ID)
		h.restart()
		h.say("its process is killed")
	}
}

// settles syncs until there is nothing left to do, and approves what is held. A
// run from before may have read past what happened since, and what happens in the
// middle of a round is told by the next one: so two have to come to their end.
func (h *history) settles() {
	h.Helper()
	now, done := time.Now(), 0
	for range 20 {
		run, err := h.Sync(h.Context(), h.account, h.connection)
		h.say("at last: %s %v, %d held", run.State, err, run.Held)
		if run.State != directory.Done || run.Started.Before(now) {
			continue
		}
		if done++; done < 2 {
			continue
		}
		if run.Held == 0 {
			return
		}
		equal(h.T, nil, h.Approve(h.Context(), h.account, h.connection, run.Held, "the test"))
	}
	h.Errorf("it does not settle:\n%s", strings.Join(h.said, "\n"))
}

// deletesHere takes somebody out of the address book whom the directory has.
func (h *history) deletesHere() {
	list, err := h.book.Contacts(h.Context(), h.account, 0, 1000)
	equal(h.T, nil, err)
	if len(list) > 0 {
		one := list[h.IntN(len(list))]
		equal(h.T, nil, h.book.Remove(h.Context(), h.account, one.ID))
		h.say("%s is deleted here", one.DirectoryID)
	}
}

func (h *history) id(kind string, n int) string {
	return fmt.Sprintf("%s000000-0000-4000-8000-%06d%06d", kind, h.account, n)
}

func pick(h *history, list []string, keep func(string) bool) (string, bool) {
	var some []string
	for _, id := range list {
		if keep(id) {
			some = append(some, id)
		}
	}
	if len(some) == 0 {
		return "", false
	}
	return some[h.IntN(len(some))], true
}

func (h *history) isHere(id string) bool      { return !h.soft[id] && !h.hard[id] }
func (h *history) isGroupHere(id string) bool { return !h.gone[id] }

// happens changes the directory in one of the ways that people change one.
func (h *history) happens() {
	switch h.IntN(12) {
	case 0, 1, 2, 3:
		id := h.id("a0", len(h.people))
		h.people = append(h.people, id)
		h.tenant.AddUser(graphsim.User{ID: id, Properties: h.properties(id)})
		h.say("%s comes", id)
	case 4, 5:
		if id, ok := pick(h, h.people, h.isHere); ok {
			h.tenant.UpdateUser(id, h.properties(id))
			h.say("%s changes", id)
		}
	case 6:
		if id, ok := pick(h, h.people, h.isHere); ok {
			h.tenant.SoftDelete(id)
			h.soft[id] = true
			h.say("%s leaves", id)
		}
	case 7:
		if id, ok := pick(h, h.people, func(id string) bool { return h.soft[id] }); ok {
			h.tenant.Restore(id)
			delete(h.soft, id)
			h.say("%s returns", id)
		}
	case 8:
		if id, ok := pick(h, h.people, h.isHere); ok {
			h.tenant.HardDelete(id)
			h.hard[id] = true
			h.say("%s is deleted for good", id)
		}
	case 9:
		id := h.id("b0", len(h.groups))
		h.groups = append(h.groups, id)
		h.tenant.AddGroup(graphsim.Group{ID: id, DisplayName: "Group " + id[len(id)-2:], Members: h.some()})
		h.say("group %s comes", id)
	default:
		h.happensToAGroup()
	}
}

func (h *history) happensToAGroup() {
	group, ok := pick(h, h.groups, h.isGroupHere)
	if !ok {
		return
	}
	members := h.members(group)
	switch h.IntN(6) {
	case 0:
		h.tenant.RenameGroup(group, fmt.Sprintf("Renamed %d", h.IntN(100)))
		h.say("group %s is renamed", group)
	case 1:
		h.tenant.DeleteGroup(group)
		h.gone[group] = true
		h.say("group %s goes", group)
	case 2, 3:
		if id, ok := pick(h, slices.Concat(h.people, h.groups), func(id string) bool {
			return h.isHere(id) && h.isGroupHere(id) && !slices.Contains(members, id) && id != group
		}); ok {
			h.tenant.AddMember(group, id)
			h.say("%s joins %s", id, group)
		}
	default:
		if id, ok := pick(h, members, h.isHere); ok {
			h.tenant.RemoveMember(group, id)
			h.say("%s is taken out of %s", id, group)
		}
	}
}

func (h *history) members(group string) []string {
	for _, g := range h.tenant.Groups() {
		if g.ID == group {
			return g.Members
		}
	}
	return nil
}

func (h *history) some() (ids []string) {
	for _, id := range slices.Concat(h.people, h.groups) {
		if h.isHere(id) && h.isGroupHere(id) && h.IntN(3) == 0 && !slices.Contains(h.groups, id) || h.IntN(9) == 0 && slices.Contains(h.groups, id) && h.isGroupHere(id) && id != h.groups[len(h.groups)-1] {
			ids = append(ids, id)
		}
	}
	return ids
}

func (h *history) properties(id string) map[string]any {
	p := map[string]any{"displayName": fmt.Sprintf("Person %d", h.IntN(1000)), "accountEnabled": h.IntN(8) > 0, "userType": "Member",
		"mobilePhone": nil, "businessPhones": []string{}, "department": nil, "usageLocation": "NO"}
	if h.IntN(10) == 0 {
		p["userType"] = "Guest"
	}
	if h.IntN(3) > 0 {
		p["mobilePhone"] = fmt.Sprintf("+47 900 %05d", h.IntN(100_000))
	}
	if h.IntN(2) > 0 {
		p["businessPhones"] = []string{fmt.Sprintf("+47 22 %06d", 100_000+h.IntN(800_000))}
	}
	if h.IntN(2) > 0 {
		p["department"] = fmt.Sprintf("Ward %d", h.IntN(5))
	}
	return p
}

// fails sets one of the simulator's faults, for a request some way ahead.
func (h *history) fails() {
	h.tenant.Pass(h.IntN(12))
	switch n := h.IntN(18); n {
	case 0:
		h.tenant.Throttle(1, 1+h.IntN(200))
	case 1:
		said := []string{"0", "1.5", "soon", "-3", "", time.Now().Add(time.Minute).UTC().Format(http.TimeFormat),
			time.Now().Add(time.Minute).UTC().Format(time.RFC850), time.Now().UTC().Format(time.ANSIC), "99999999999999999999"}
		h.tenant.ThrottleAs(1, http.Header{"Retry-After": {said[h.IntN(len(said))]}})
	case 2:
		h.tenant.FailWith(1, []int{500, 502, 503, 504, 400, 404}[h.IntN(6)], http.Header{"Retry-After": {"1"}})
	case 3:
		h.tenant.Fail(1+h.IntN(3), []int{500, 502, 503, 504}[h.IntN(4)])
	case 4:
		h.tenant.CutBody(1)
	case 5:
		h.tenant.DropConnection(1)
	case 6:
		h.tenant.ForeignNextLink(1)
	case 7:
		h.tenant.Gone(1 + h.IntN(2))
	case 8:
		h.tenant.ResyncRequired(1 + h.IntN(2))
	case 9:
		h.tenant.ExpireTokens()
	case 10:
		h.tenant.ExpireTokensAfter(h.IntN(8))
	case 11:
		h.tenant.ClaimsChallenge(1)
	default:
		h.tenant.SetFaults(h.standing(n))
		h.say("standing faults %+v", h.tenant.Faults())
		return
	}
}

func (h *history) standing(n int) graphsim.Faults {
	f := graphsim.Faults{EmptyPages: h.IntN(2) == 0, ReplayItems: h.IntN(2) == 0, NullItems: h.IntN(2) == 0,
		Minimal: h.IntN(2) == 0, SilentHardDelete: h.IntN(2) == 0}
	if h.IntN(2) == 0 {
		f.Shuffle = int64(1 + h.IntN(1000))
	}
	switch n {
	case 12:
		f.DeltaHorizon = -1
	case 13:
		f.NoConsent = []string{[]string{"users", "groups"}[h.IntN(2)]}
	case 14:
		f.NoUserRead = true
	case 15:
		f.SecretExpired = true
	case 16:
		f.AppDisabled = true
	case 17:
		f.ConditionalAccess = h.IntN(2) == 0
		f.OtherCloud = !f.ConditionalAccess
	}
	return f
}

// book is what an address book tells: numbers of people and members of groups,
// by directory id.
type book struct {
	People map[string]string
	Groups map[string][]string
}

// oracle reckons by itself what the address book has to tell.
func (h *history) oracle() book {
	b := book{map[string]string{}, map[string][]string{}}
	for _, u := range h.tenant.Users() {
		if u.Properties["accountEnabled"] == false || u.Properties["userType"] == "Guest" {
			continue
		}
		number, _ := u.Properties["mobilePhone"].(string)
		if desk, _ := u.Properties["businessPhones"].([]string); number == "" && len(desk) > 0 {
			number = desk[0]
		}
		b.People[u.ID] = fmt.Sprint(u.Properties["displayName"], " ", strings.ReplaceAll(number, " ", ""))
	}
	direct := map[string][]string{}
	for _, g := range h.tenant.Groups() {
		direct[g.ID] = g.Members
	}
	for _, g := range h.tenant.Groups() {
		in := map[string]bool{}
		collect(direct, g.ID, map[string]bool{}, in)
		members := []string{}
		for id := range in {
			if _, ok := b.People[id]; ok {
				members = append(members, id)
			}
		}
		slices.Sort(members)
		b.Groups[g.ID+" "+g.DisplayName] = members
	}
	return b
}

func collect(direct map[string][]string, group string, met, in map[string]bool) {
	if met[group] {
		return
	}
	met[group] = true
	for _, id := range direct[group] {
		if _, nested := direct[id]; nested {
			collect(direct, id, met, in)
		} else {
			in[id] = true
		}
	}
}

func (h *history) addressBook() book {
	h.Helper()
	b := book{map[string]string{}, map[string][]string{}}
	list, err := h.book.Contacts(h.Context(), h.account, 0, 1000)
	equal(h.T, nil, err)
	for _, c := range list {
		b.People[c.DirectoryID] = c.Name + " " + c.Phone.E164
	}
	groups, err := h.book.Groups(h.Context(), h.account, 0, 1000)
	equal(h.T, nil, err)
	for _, g := range groups {
		in, err := h.book.ContactsInGroup(h.Context(), h.account, g.ID, 0, 1000)
		equal(h.T, nil, err)
		members := []string{}
		for _, c := range in {
			members = append(members, c.DirectoryID)
		}
		slices.Sort(members)
		b.Groups[g.DirectoryID+" "+g.Name] = members
	}
	return b
}
