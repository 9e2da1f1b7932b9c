package directory_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

func TestMain(m *testing.M) { dbtest.Run(m) }

const (
	acme, other = 1, 2
	ours        = 100 // our incarnation
	theirs      = 200
)

var credentials = directory.Credentials{Tenant: "contoso", Client: "app", Secret: "a-secret~value.1234"}

var errNoAgreement = problem.New(problem.KindForbidden, "no_agreement", "there is no agreement")

// office is an installation with two accounts and one directory to connect to.
type office struct {
	testing.TB
	*directory.Directory
	entra    *entra
	book     *contacts.Book
	db       *db.DB
	ring     *secrets.Keyring
	hosts    string
	bell     *bell
	porch    *porch
	app      directory.Credentials
	patience time.Duration
	notify   string

	agreed   bool
	lower    bool                            // its plan has no directories
	findings []directory.Finding             // what a check finds
	finding  func(n int) []directory.Finding // the n-th, when set
	opened   []directory.Access
	checked  []directory.Access
	left     []string // whose access was ended
	tell     directory.Exchange
}

func eachOffice(t *testing.T, test func(o *office)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(newOffice(t, d)) })
}

func newOffice(t testing.TB, d *db.DB) *office {
	t.Helper()
	ring, err := secrets.Parse("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	if err != nil {
		t.Fatal(err)
	}
	o := &office{TB: t, entra: newEntra(), book: contacts.New(d), db: d, ring: ring, hosts: "global", bell: newBell(), porch: &porch{}, notify: notifyAt, agreed: true}
	o.restart(ours)
	for id, handle := range map[int64]string{acme: "acme", other: "other"} {
		o.exec(`INSERT INTO accounts (id, handle, name, region, sender, currency, state, created_at)
			VALUES ($1, $2, $2, 'NO', '', 'EUR', 'active', 0)`, id, handle)
	}
	for _, id := range []int64{ours, theirs} {
		o.exec(`INSERT INTO incarnations (id, host, pid, role, counter, started_at) VALUES ($1, 'host', 1, 'all', 0, 0)`, id)
	}
	return o
}

// restart makes a Directory as another process would.
func (o *office) restart(incarnation int64) {
	gate := func(context.Context, int64) error {
		if !o.agreed {
			return errNoAgreement
		}
		return nil
	}
	global := directory.Cloud{
		Hosts: o.hosts,
		Open: func(a directory.Access) (directory.Source, error) {
			o.opened = append(o.opened, a)
			if o.tell != (directory.Exchange{}) {
				a.Told(o.tell)
			}
			return o.entra, nil
		},
		SignInAt: o.porch.at("sign-in"), ConsentAt: o.porch.at("consent"), WhoIs: o.porch.whoIs,
		Subscribe: func(directory.Access) (directory.Subscriber, error) { return o.bell, nil },
		Check: func(_ context.Context, a directory.Access) []directory.Finding {
			o.checked = append(o.checked, a)
			if o.tell != (directory.Exchange{}) {
				a.Told(o.tell)
			}
			if o.finding != nil {
				return o.finding(len(o.checked))
			}
			return o.findings
		},
	}
	leave := func(_ context.Context, _ int64, emails []string) error {
		o.left = append(o.left, emails...)
		return nil
	}
	o.Directory = directory.New(directory.House{DB: o.db, Ring: o.ring, Book: o.book, Gate: gate, Plan: o.planned, Leave: leave,
		Clouds: directory.Clouds{directory.GlobalCloud: global}, Notify: o.notify,
		App: o.app, Patience: o.patience}, incarnation)
}

func (o *office) exec(query string, args ...any) {
	o.Helper()
	if _, err := o.db.ExecContext(o.Context(), query, args...); err != nil {
		o.Fatal(err)
	}
}

func (o *office) connect() directory.Connection {
	o.Helper()
	c, _, err := o.Connect(o.Context(), acme, directory.Setup{Credentials: credentials})
	if err != nil {
		o.Fatal(err)
	}
	return c
}

// synced connects if need be and runs one sync.
func (o *office) synced() directory.Run {
	o.Helper()
	run, err := o.Sync(o.Context(), acme, o.only().ID)
	if err != nil {
		o.Fatal(err)
	}
	return run
}

func (o *office) only() directory.Connection {
	o.Helper()
	list, err := o.Connections(o.Context(), acme)
	if err != nil {
		o.Fatal(err)
	}
	if len(list) == 0 {
		return o.connect()
	}
	return list[0]
}

func (o *office) contacts() []contacts.Contact {
	o.Helper()
	list, err := o.book.Contacts(o.Context(), acme, 0, 100_000)
	if err != nil {
		o.Fatal(err)
	}
	return list
}

// numbers are the address book's, by directory id; an empty one has a reason.
func (o *office) numbers() map[string]string {
	o.Helper()
	all := map[string]string{}
	for _, c := range o.contacts() {
		all[c.DirectoryID] = c.Phone.E164
	}
	return all
}

// groups are the directory ids of the members of each group, by name.
func (o *office) groups() map[string]string {
	o.Helper()
	list, err := o.book.Groups(o.Context(), acme, 0, 100)
	if err != nil {
		o.Fatal(err)
	}
	all := map[string]string{}
	for _, g := range list {
		members, err := o.book.ContactsInGroup(o.Context(), acme, g.ID, 0, 100)
		if err != nil {
			o.Fatal(err)
		}
		var ids []string
		for _, m := range members {
			ids = append(ids, m.DirectoryID)
		}
		all[g.Name] = strings.Join(ids, " ")
	}
	return all
}

func (o *office) equal(want, got any, opts ...cmp.Option) {
	o.Helper()
	if diff := cmp.Diff(want, got, opts...); diff != "" {
		o.Error(diff)
	}
}

func (o *office) refused(code string, err error) {
	o.Helper()
	if !problem.Has(err, code) {
		o.Errorf("want %s, got %v", code, err)
	}
}

// counts are the figures of a run that most tests are about.
type counts struct{ People, Contacts, WithoutNumber, Invalid, Added, Changed, Removed int }

func (o *office) counted(want counts, r directory.Run) {
	o.Helper()
	o.equal(want, counts{r.People, r.Contacts, r.WithoutNumber, r.Invalid, r.Added, r.Changed, r.Removed})
}

func TestTheAddressBookIsKeptInStepWithTheDirectory(t *testing.T) { // S1, S2, S3
	eachOffice(t, func(o *office) {
		o.entra.person("a", "900 00 001")
		o.entra.person("b", "900 00 002")
		o.entra.person("c", "900 00 003")
		first := o.synced()
		o.equal(map[string]string{"a": "+4790000001", "b": "+4790000002", "c": "+4790000003"}, o.numbers())
		o.counted(counts{People: 3, Contacts: 3, Added: 3}, first)
		o.equal([]any{directory.Done, "", 3}, []any{first.State, first.Reason, first.Records})

		o.entra.person("d", "900 00 004")
		o.entra.set("b", map[string]any{"mobilePhone": "900 00 009"})
		o.entra.remove("a")
		second := o.synced()
		o.equal(map[string]string{"b": "+4790000009", "c": "+4790000003", "d": "+4790000004"}, o.numbers())
		o.counted(counts{People: 3, Contacts: 3, Added: 1, Changed: 1, Removed: 1}, second)

		third := o.synced()
		o.counted(counts{People: 3, Contacts: 3}, third)
		o.equal(0, third.Records)
	})
}

func TestContactDeletedHereComesBackThoughNothingChangedThere(t *testing.T) { // S14
	eachOffice(t, func(o *office) {
		o.entra.person("a", "900 00 001")
		o.entra.person("b", "900 00 002")
		o.synced()
		before := o.contacts()
		for _, c := range before {
			o.equal(nil, o.book.Remove(o.Context(), acme, c.ID))
		}
		o.entra.remove("b")
		o.synced()
		o.equal(before[:1], o.contacts(), cmpopts.IgnoreFields(contacts.Contact{}, "Updated"))
	})
}

func TestAnEditMadeHereIsUndoneThoughNothingChangedThere(t *testing.T) { // S15
	eachOffice(t, func(o *office) {
		o.entra.person("a", "900 00 001")
		o.synced()
		before := o.contacts()
		o.exec(`UPDATE contacts SET name = 'Edited', phone = '+4791111111'`)
		o.equal(1, o.synced().Changed)
		o.equal(before, o.contacts(), cmpopts.IgnoreFields(contacts.Contact{}, "Updated"))
	})
}

func TestGroupsAreReadAndNestedOnesResolved(t *testing.T) { // S5, S25
	eachOffice(t, func(o *office) {
		o.entra.group("all", "All", "north", "south", "c", "printer") // told before its members
		o.entra.group("north", "North", "a", "all")                   // a cycle
		o.entra.group("south", "South", "b")
		for _, id := range []string{"a", "b", "c", "d"} {
			o.entra.person(id, "")
		}
		o.synced()
		o.equal(map[string]string{"All": "a b c", "North": "a b c", "South": "b"}, o.groups())

		o.entra.leaves("north", "all")
		o.entra.group("south", "South side", "d")
		o.synced()
		o.equal(map[string]string{"All": "a b c d", "North": "a", "South side": "b d"}, o.groups())

		o.entra.remove("south")
		o.synced()
		o.equal(map[string]string{"All": "a c", "North": "a"}, o.groups())
	})
}

func TestWhoIsRestoredHasTheirIDAndGroupsAgain(t *testing.T) {
	for _, partial := range []bool{false, true} {
		eachOffice(t, func(o *office) {
			o.entra.partial = partial
			o.entra.person("a", "900 00 001")
			o.entra.group("g", "Group", "a")
			o.synced()
			before := o.contacts()

			o.entra.remove("a")
			o.synced()
			o.equal(map[string]string{"Group": ""}, o.groups())
			o.entra.oldest = o.entra.now + 1 // a full round meets the membership no more
			o.entra.vanish("g")
			o.entra.group("g", "Group")
			o.synced()
			o.entra.oldest = 0
			o.entra.restore("a") // which no round of changes of groups tells
			o.entra.object(&o.entra.groups, "g").members["a"] = value{true, 1}
			o.synced()
			o.equal(before, o.contacts(), cmpopts.IgnoreFields(contacts.Contact{}, "Updated"))
			o.equal(map[string]string{"Group": "a"}, o.groups())
		})
	}
}

func TestWhoReturnsAndLeftAGroupMeanwhileIsNotInIt(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.entra.person("a", "900 00 001")
		o.entra.group("g", "Group", "a")
		o.synced()
		o.entra.remove("a")
		o.synced()
		o.entra.restore("a")
		o.entra.vanish("g") // and is told without a in a full round of groups
		o.entra.group("g", "Group")
		o.exec(`UPDATE delta_links SET hash = '' WHERE round = 'groups'`)
		o.synced()
		o.equal(map[string]string{"Group": ""}, o.groups())
	})
}

func TestThePhoneRuleOnDirectoryFields(t *testing.T) { // S8, S9, S10, S11
	eachOffice(t, func(o *office) {
		o.entra.set("mobile", map[string]any{"displayName": "Mobile", "mobilePhone": "900 00 001", "businessPhones": []string{"22 33 44 55"}})
		o.entra.set("desk", map[string]any{"displayName": "Desk", "mobilePhone": "n/a", "businessPhones": []any{nil, "22 33 44 55", "22 33 44 66"}})
		o.entra.set("none", map[string]any{"displayName": "None", "mobilePhone": nil, "businessPhones": []string{}})
		o.entra.set("wrong", map[string]any{"displayName": "Wrong", "mobilePhone": "1234", "businessPhones": []string{"22 33 44 55"}})
		o.entra.set("abroad", map[string]any{"displayName": "Abroad", "mobilePhone": "070-123 45 67", "usageLocation": "SE", "country": "Norge"})
		o.entra.set("named", map[string]any{"displayName": "Named", "mobilePhone": "070-123 45 67", "country": "Sverige"})
		o.entra.set("odd", map[string]any{"displayName": "Odd", "mobilePhone": 90000001, "businessPhones": "22 33 44 55", "department": []int{1}})
		run := o.synced()
		o.equal(map[string]string{
			"mobile": "+4790000001", "desk": "+4722334455", "none": "", "wrong": "", "abroad": "+46701234567", "named": "+46701234567", "odd": "",
		}, o.numbers())
		o.counted(counts{People: 7, Contacts: 7, WithoutNumber: 2, Invalid: 1, Added: 7}, run)
	})
}

func TestWhatIsKnownOfAPersonReachesTheAddressBook(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.entra.set("a", map[string]any{
			"displayName": "Kari Nordmann", "department": "Sales", "jobTitle": "Adviser", "officeLocation": "Oslo",
			"mail": "kari@example.com", "preferredLanguage": "nb-NO", "mobilePhone": "900 00 001", "unasked": "secret",
		})
		o.entra.set("b", map[string]any{"mail": "ola@example.com"})
		o.synced()
		o.equal([]contacts.Person{
			{DirectoryID: "a", Name: "Kari Nordmann", Department: "Sales", JobTitle: "Adviser", Office: "Oslo", Email: "kari@example.com", Language: "nb-NO",
				Phone: contacts.Choice{Raw: "900 00 001", Rule: contacts.RuleMobile, E164: "+4790000001", Country: "NO"}},
			{DirectoryID: "b", Name: "ola@example.com", Email: "ola@example.com", Phone: contacts.Choice{Rule: contacts.RuleNone, Reason: contacts.NoNumber}},
		}, []contacts.Person{o.contacts()[0].Person, o.contacts()[1].Person})
		o.equal(0, o.mirrorHas("unasked"))
	})
}

// mirrorHas counts the mirror's people whose fields hold the text.
func (o *office) mirrorHas(text string) (n int) {
	o.Helper()
	err := o.db.QueryRowContext(o.Context(), `SELECT COUNT(*) FROM mirror_people WHERE fields LIKE $1`, "%"+text+"%").Scan(&n)
	o.equal(nil, err)
	return n
}

func TestAbsentIsUnchangedAndNullIsCleared(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.entra.partial = true
		o.entra.person("a", "900 00 001")
		o.entra.person("b", "900 00 002")
		o.synced()
		o.entra.set("a", map[string]any{"jobTitle": "Adviser"})
		o.entra.set("b", map[string]any{"mobilePhone": nil})
		o.synced()
		o.equal(map[string]string{"a": "+4790000001", "b": ""}, o.numbers())
	})
}

// Reading 6.
func TestGuestsAndBlockedPeopleAreOutOfScope(t *testing.T) {
	for _, partial := range []bool{false, true} {
		eachOffice(t, func(o *office) {
			o.entra.partial = partial
			for _, id := range []string{"a", "b", "c"} {
				o.entra.person(id, "900 00 001")
			}
			o.entra.set("a", map[string]any{"accountEnabled": false})
			o.entra.set("b", map[string]any{"userType": "Guest"})
			o.entra.set("c", map[string]any{"userType": nil})
			run := o.synced()
			o.equal(map[string]string{"c": "+4790000001"}, o.numbers())
			o.counted(counts{People: 3, Contacts: 1, Added: 1}, run)
			o.equal(1, o.mirrorHas("900 00 001")) // what is not needed is not kept

			o.entra.set("a", map[string]any{"accountEnabled": true})
			o.entra.set("c", map[string]any{"accountEnabled": false})
			o.synced()
			o.equal(map[string]string{"a": "+4790000001"}, o.numbers())
			o.equal(1, o.mirrorHas("900 00 001"))
		})
	}
}

func TestRemovedPeopleLeaveOnlyTheirIDInTheMirror(t *testing.T) { // S2
	eachOffice(t, func(o *office) {
		o.entra.person("a", "900 00 001")
		o.synced()
		o.entra.remove("a")
		o.synced()
		o.equal(0, o.mirrorHas("a"))
		o.equal(1, o.mirrorHas("{}"))
	})
}

func TestAFullRoundRemovesOnlyAfterItsLastPage(t *testing.T) { // S2
	eachOffice(t, func(o *office) {
		for _, id := range []string{"a", "b", "c", "d", "e"} {
			o.entra.person(id, "900 00 001")
		}
		o.entra.group("g", "Group", "a", "e")
		o.synced()
		o.entra.vanish("a") // and nothing tells
		o.entra.oldest = o.entra.now + 1
		o.entra.asked = nil
		o.entra.fail[5] = problem.New(problem.KindUnavailable, "directory_network", "the line is down")
		_, err := o.Sync(o.Context(), acme, o.only().ID)
		o.refused("directory_network", err)
		o.equal(5, len(o.numbers()))

		o.entra.oldest, o.entra.asked = 0, nil
		o.equal(1, o.synced().Removed)
		o.equal("people since 0 at 2", o.entra.asked[1]) // not from the beginning
		o.equal(map[string]string{"Group": "e"}, o.groups())
	})
}

func TestAnExpiredLinkStartsAFullRoundInTheSameRun(t *testing.T) { // S1
	eachOffice(t, func(o *office) {
		for _, id := range []string{"a", "b", "c"} {
			o.entra.person(id, "900 00 001")
		}
		o.entra.group("g", "Group", "a", "b")
		o.entra.group("h", "Half", "a", "c")
		o.synced()
		o.entra.vanish("a")
		o.entra.vanish("h")
		o.entra.person("d", "")
		o.entra.oldest = o.entra.now
		o.counted(counts{People: 3, Contacts: 3, WithoutNumber: 1, Added: 1, Removed: 1}, o.synced())
		o.equal(map[string]string{"Group": "b"}, o.groups())
	})
}

func TestAFullRoundThatBeganAnewIsNotGivenUpForTheEarlierOne(t *testing.T) { // S1
	eachOffice(t, func(o *office) {
		o.entra.pageSize = 1
		o.entra.person("a", "900 00 001")
		for _, g := range []string{"g", "h", "i"} {
			o.entra.group(g, "Group "+g, "a")
		}
		o.entra.fail[2] = directory.ErrExpired
		o.entra.fail[3] = errors.New("boom") // the first page of the round that begins anew
		_, err := o.Sync(o.Context(), acme, o.only().ID)
		if err == nil {
			o.Error("a failed run is no error")
		}
		o.entra.asked, o.entra.fail = nil, nil
		o.synced()
		o.equal("groups ", o.entra.asked[0])
		o.equal(map[string]string{"Group g": "a", "Group h": "a", "Group i": "a"}, o.groups())
	})
}

func TestAGroupReadInTheMiddleOfAFullRoundIsNotSwept(t *testing.T) { // Q50
	eachOffice(t, func(o *office) {
		o.entra.pageSize = 1
		o.entra.person("a", "900 00 001")
		for _, g := range []string{"g", "h", "i"} {
			o.entra.group(g, "Group "+g, "a")
		}
		o.entra.fail[2] = errors.New("boom")
		_, err := o.Sync(o.Context(), acme, o.only().ID)
		if err == nil {
			o.Error("a failed run is no error")
		}
		o.entra.fail = nil
		_, err = o.RequestGroup(o.Context(), acme, o.only().ID, "g")
		o.equal(nil, err)
		o.synced()
		o.equal(map[string]string{"Group g": "a"}, o.groups())
		o.synced()
		o.equal(map[string]string{"Group g": "a", "Group h": "a", "Group i": "a"}, o.groups())
	})
}

func TestALinkThatExpiresAtOnceAgainFailsTheRun(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.entra.person("a", "")
		o.synced()
		o.entra.asked = nil
		o.entra.fail[1], o.entra.fail[2] = directory.ErrExpired, directory.ErrExpired
		run, err := o.Sync(o.Context(), acme, o.only().ID)
		if !errors.Is(err, directory.ErrExpired) {
			o.Errorf("got %v", err)
		}
		o.equal(directory.Failed, run.State)
		o.synced()
	})
}

func TestAnotherClientOrCloudMeansAFullRound(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.entra.person("a", "")
		o.synced()
		changed := credentials
		changed.Client = "another"
		first, _, err := o.Connect(o.Context(), acme, directory.Setup{Credentials: changed})
		o.equal(nil, err)
		o.entra.asked = nil
		o.synced()
		o.equal([]string{"groups ", "people "}, o.entra.asked)

		o.hosts = "china"
		o.restart(ours)
		o.entra.asked = nil
		o.synced()
		o.equal([]string{"groups ", "people "}, o.entra.asked)
		o.equal(first.ID, o.only().ID)
	})
}

func TestARunThatStopsGoesOnAtItsLink(t *testing.T) {
	eachOffice(t, func(o *office) {
		for i := range 9 {
			o.entra.person(fmt.Sprint(i), "900 00 001")
		}
		c := o.only()
		o.entra.fail[4] = errors.New("boom")
		run, err := o.Sync(o.Context(), acme, c.ID)
		if err == nil {
			o.Error("a failed run is no error")
		}
		o.equal([]any{directory.Failed, 4}, []any{run.State, run.Records})
		o.equal(directory.Failing, o.only().State)
		if !strings.Contains(o.only().Reason, "boom") || run.Reason != o.only().Reason {
			o.Errorf("reasons %q and %q", run.Reason, o.only().Reason)
		}
		o.equal(map[string]string{}, o.numbers())

		o.entra.asked, o.entra.fail = nil, nil
		o.equal(9, o.synced().Records) // those read before are not read again, but count
		o.equal("people since 0 at 4", o.entra.asked[1])
		o.equal(9, len(o.numbers()))
		o.equal([]string{directory.Connected, ""}, []string{o.only().State, o.only().Reason})
	})
}

func TestAnAnswerWithoutALinkFailsTheRun(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.entra.pageSize = 0 // its next link would be the same for ever
		o.entra.person("a", "")
		_, err := o.Sync(o.Context(), acme, o.only().ID)
		o.refused("directory_answer", err)
	})
}

func TestRepeatedItemsDoNoHarm(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.entra.repeat = map[string]int{"a": 2, "g": 1}
		o.entra.person("a", "900 00 001")
		o.entra.group("g", "Group", "a")
		o.equal(1, o.synced().Added)
		o.equal(map[string]string{"Group": "a"}, o.groups())
		o.entra.leaves("g", "a")
		o.synced()
		o.equal(map[string]string{"Group": ""}, o.groups())
	})
}

func TestSyncNow(t *testing.T) { // S24
	eachOffice(t, func(o *office) {
		o.entra.person("a", "900 00 001")
		id := o.only().ID
		o.synced()
		o.equal(0, len(o.due(time.Now())))
		_, ok, err := o.RunAfter(o.Context(), acme, id, time.Now().Add(time.Hour))
		o.equal([]any{false, nil}, []any{ok, err})

		first, err := o.Request(o.Context(), acme, id)
		o.equal(nil, err)
		second, err := o.Request(o.Context(), acme, id)
		o.equal(nil, err)
		if !second.After(first) {
			o.Errorf("two requests at %v and %v", first, second)
		}
		o.equal(1, len(o.due(time.Now())))
		_, ok, err = o.RunAfter(o.Context(), acme, id, first)
		o.equal([]any{false, nil}, []any{ok, err})

		o.entra.person("b", "900 00 002")
		run := o.synced()
		found, ok, err := o.RunAfter(o.Context(), acme, id, second)
		o.equal([]any{true, nil}, []any{ok, err})
		o.equal([]any{run.ID, directory.Done, 2}, []any{found.ID, found.State, found.People})
		o.equal(0, len(o.due(time.Now())))
		_, err = o.Request(o.Context(), other, id)
		o.refused("connection_not_found", err)
	})
}

func TestARequestDuringARunIsAnsweredByTheNext(t *testing.T) { // S24
	eachOffice(t, func(o *office) {
		id := o.only().ID
		var requested time.Time
		o.entra.before = func(int) { requested, _ = o.Request(o.Context(), acme, id) }
		o.synced()
		o.entra.before = nil
		_, ok, _ := o.RunAfter(o.Context(), acme, id, requested)
		o.equal(false, ok)
		o.equal(1, len(o.due(time.Now())))
		o.synced()
		_, ok, _ = o.RunAfter(o.Context(), acme, id, requested)
		o.equal(true, ok)
	})
}

func (o *office) due(at time.Time) []directory.Connection {
	o.Helper()
	due, err := o.Due(o.Context(), at)
	if err != nil {
		o.Fatal(err)
	}
	return due
}

func TestAConnectionIsDueEveryQuarterOfAnHour(t *testing.T) { // S1
	eachOffice(t, func(o *office) {
		o.connect()
		o.equal(1, len(o.due(time.Now()))) // at once
		o.synced()
		o.restart(ours) // the schedule is a row
		o.equal(0, len(o.due(time.Now().Add(14*time.Minute))))
		o.equal([]directory.Connection{o.only()}, o.due(time.Now().Add(15*time.Minute+time.Second)))
	})
}

func TestOneRunAtATime(t *testing.T) {
	eachOffice(t, func(o *office) {
		id := o.only().ID
		o.restart(theirs)
		tried := 0
		o.entra.before = func(int) {
			o.entra.before = nil
			mine := o.Directory
			o.restart(ours)
			for _, d := range []*directory.Directory{mine, o.Directory} {
				_, err := d.Sync(o.Context(), acme, id)
				o.refused("sync_running", err)
				due, err := d.Due(o.Context(), time.Now().Add(time.Hour))
				o.equal([]any{0, nil}, []any{len(due), err})
				tried++
			}
		}
		o.synced()
		o.equal(2, tried)
	})
}

func TestTheRunOfADeadProcessIsTakenOver(t *testing.T) {
	eachOffice(t, func(o *office) {
		for _, id := range []string{"a", "b", "c"} {
			o.entra.person(id, "900 00 001")
		}
		id := o.only().ID
		o.restart(theirs)
		theirDirectory := o.Directory
		o.restart(ours)
		o.entra.before = func(n int) { // their process falls silent during its second page
			if n != 3 {
				return
			}
			o.entra.before = nil
			o.exec(`UPDATE incarnations SET ended_at = 1 WHERE id = $1`, theirs)
			o.equal(1, len(o.due(time.Now())))
			o.synced()
		}
		run, err := theirDirectory.Sync(o.Context(), acme, id) // and wakes up
		if err == nil || run.State == directory.Done {
			o.Errorf("a run that was taken over ended as %s, %v", run.State, err)
		}
		o.equal(3, len(o.numbers()))
		runs, err := o.Runs(o.Context(), acme, id, 0, 10)
		o.equal(nil, err)
		o.equal([]any{1, directory.Done, 3}, []any{len(runs), runs[0].State, runs[0].Records}) // it is the same run
		o.equal(directory.Connected, o.only().State)
	})
}

func TestARunOfOursThatNobodyIsBusyWithIsTakenOver(t *testing.T) {
	eachOffice(t, func(o *office) {
		c := o.connect()
		o.exec(`INSERT INTO sync_runs (id, account_id, connection_id, incarnation, kind, answers, state, started_at) VALUES (1, $1, $2, $3, 'sync', 0, 'running', 1)`,
			acme, c.ID, ours)
		o.equal(1, len(o.due(time.Now())))
		o.synced()
	})
}

func TestAStoppedRunIsNoFailureOfTheDirectory(t *testing.T) {
	eachOffice(t, func(o *office) {
		for _, id := range []string{"a", "b", "c"} {
			o.entra.person(id, "900 00 001")
		}
		c := o.connect()
		ctx, stop := context.WithCancel(o.Context())
		o.entra.before = func(n int) {
			if n == 2 {
				stop()
			}
		}
		run, err := o.Sync(ctx, acme, c.ID)
		if err == nil {
			o.Error("a stopped run is no error")
		}
		o.equal(directory.Waiting, run.State)
		o.equal(directory.Connected, o.only().State)
		o.equal(1, len(o.due(time.Now())))
		o.synced()
		o.equal(3, len(o.numbers()))
	})
}

func TestAccountsWithTheSameTenantStayApart(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.entra.person("a", "900 00 001")
		o.synced()
		c, _, err := o.Connect(o.Context(), other, directory.Setup{Credentials: credentials})
		o.equal(nil, err)
		o.entra.person("b", "900 00 002")
		_, err = o.Sync(o.Context(), other, c.ID)
		o.equal(nil, err)
		o.equal(1, len(o.numbers()))
		_, err = o.Sync(o.Context(), acme, c.ID)
		o.refused("connection_not_found", err)
	})
}
