package directory_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/events"
	"github.com/varsel/varsel/internal/problem"
)

var broken = directory.Finding{Step: directory.StepPeople, Outcome: directory.Broken, Code: "directory_consent", Text: "grant it User.Read.All"}

func TestACheckThatFailsActivatesNothing(t *testing.T) { // S21, S23, Q5
	eachOffice(t, func(o *office) {
		o.findings = []directory.Finding{{Step: directory.StepSignIn, Outcome: directory.Passed}, broken}
		c, report, err := o.Connect(o.Context(), acme, directory.Setup{Credentials: credentials})
		o.equal([]any{nil, false, broken.Text}, []any{err, report.OK(), report.Failed()})
		o.equal([]any{directory.Disconnected, broken.Text, o.findings}, []any{c.State, c.Reason, c.Findings})
		o.equal(0, len(o.due(time.Now().Add(time.Hour))))
		_, err = o.Sync(o.Context(), acme, c.ID)
		o.refused("disconnected", err)
		_, err = o.Request(o.Context(), acme, c.ID)
		o.refused("disconnected", err)
		o.equal(0, len(o.opened))

		// The secret can be read in Azure only once: it need not be given again.
		o.findings = nil
		c, report, err = o.Check(o.Context(), acme, c.ID)
		o.equal([]any{nil, true, directory.Connected, ""}, []any{err, report.OK(), c.State, c.Reason})
		o.equal(credentials, o.checked[1].Credentials)
		o.entra.person("a", "900 00 001")
		o.equal(1, o.synced().Added)
	})
}

func TestAConnectionThatWorksGoesOnWhenNewValuesFail(t *testing.T) { // S23
	eachOffice(t, func(o *office) {
		o.synced()
		o.findings = []directory.Finding{broken}
		wrong := credentials
		wrong.Secret = "another-one~that.fails"
		c, report, err := o.Connect(o.Context(), acme, directory.Setup{Credentials: wrong})
		o.equal([]any{nil, false, directory.Connected, "1234"}, []any{err, report.OK(), c.State, c.SecretLast4})
		o.synced()
		o.equal(credentials, o.opened[1].Credentials)
	})
}

func TestDisconnectedNothingChangesUntilItIsCaughtUp(t *testing.T) { // Q54, Q55, Q56
	eachOffice(t, func(o *office) {
		o.entra.person("a", "900 00 001")
		o.entra.person("b", "900 00 002")
		o.synced()
		c := o.only()
		o.equal(nil, o.Disconnect(o.Context(), acme, c.ID))
		o.entra.remove("a")
		o.entra.person("c", "900 00 003")
		o.equal(0, len(o.due(time.Now().Add(24*time.Hour))))
		_, err := o.Sync(o.Context(), acme, c.ID)
		o.refused("disconnected", err)
		o.equal(map[string]string{"a": "+4790000001", "b": "+4790000002"}, o.numbers())
		o.refused("connection_not_found", o.Disconnect(o.Context(), other, c.ID))

		_, _, err = o.Check(o.Context(), acme, c.ID)
		o.equal(nil, err)
		o.synced()
		o.equal(map[string]string{"b": "+4790000002", "c": "+4790000003"}, o.numbers())
	})
}

func TestDisconnectingStopsARunUnderWay(t *testing.T) { // Q54
	eachOffice(t, func(o *office) {
		for i := range 6 {
			o.entra.person(fmt.Sprint(i), "900 00 001")
		}
		c := o.only()
		o.entra.before = func(n int) {
			if n == 3 {
				o.equal(nil, o.Disconnect(o.Context(), acme, c.ID))
			}
		}
		_, err := o.Sync(o.Context(), acme, c.ID)
		if err == nil {
			o.Error("the run went on")
		}
		o.entra.before = nil
		o.equal([]any{directory.Disconnected, 0}, []any{o.only().State, len(o.numbers())})
	})
}

func TestALeaverCanNoLongerSignIn(t *testing.T) { // Q44
	eachOffice(t, func(o *office) {
		for _, id := range []string{"gone", "blocked", "moved", "stays"} {
			o.entra.set(id, map[string]any{"displayName": id, "mail": id + "@example.com", "department": "Sales"})
		}
		o.scope(directory.Scope{Filter: []directory.Condition{{Field: "department", Is: directory.IsOneOf, Values: []string{"sales"}}}})
		o.synced()
		o.entra.remove("gone")
		o.entra.set("blocked", map[string]any{"accountEnabled": false})
		o.entra.set("moved", map[string]any{"department": "Service"}) // works there still
		o.equal(3, o.synced().Removed)
		o.equal([]string{"blocked@example.com", "gone@example.com"}, o.left)
	})
}

func TestARunWaitsAsLongAsTheDirectoryAsks(t *testing.T) {
	eachOffice(t, func(o *office) {
		for i := range 6 {
			o.entra.person(fmt.Sprint(i), "900 00 001")
		}
		busy := problem.New(problem.KindUnavailable, "directory_busy", "busy")
		o.entra.fail[3] = &directory.Later{After: time.Minute, Err: busy}
		before := time.Now()
		run, err := o.Sync(o.Context(), acme, o.only().ID)
		o.refused("directory_busy", err)
		o.equal([]any{directory.Waiting, "directory_busy", "busy", 2}, []any{run.State, run.Code, run.Reason, run.Records})
		o.equal(directory.Connected, o.only().State) // it is not failing
		o.equal([]int{0, 1}, []int{len(o.due(before.Add(59 * time.Second))), len(o.due(run.ResumeAt))})
		o.restart(theirs) // it outlives its process
		done := o.synced()
		o.equal([]any{run.ID, directory.Done, 6, 6}, []any{done.ID, done.State, done.Records, done.Added})
		o.equal(true, done.AsOf.Before(run.ResumeAt))
	})
}

func TestARunThatWaitsInVainFails(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.entra.person("a", "")
		c := o.only()
		var run directory.Run
		runs := 0
		for ; run.State == "" || run.State == directory.Waiting; runs++ {
			o.entra.asked, o.entra.fail[1] = nil, &directory.Later{Err: problem.New(problem.KindUnavailable, "directory_unavailable", "out of order")}
			var err error
			run, err = o.Sync(o.Context(), acme, c.ID)
			o.refused("directory_unavailable", err)
		}
		o.equal([]any{directory.Failed, 4, directory.Failing}, []any{run.State, runs, o.only().State})
	})
}

func TestARefusedSignInIsRenewedOnce(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.entra.person("a", "")
		o.entra.fail[1], o.entra.fail[3] = directory.ErrNotSignedIn, fmt.Errorf("%w (why)", directory.ErrNotSignedIn)
		o.equal(1, o.synced().Added)
		o.equal(3, len(o.opened))
		o.entra.asked = nil
		o.entra.fail[1], o.entra.fail[2] = directory.ErrNotSignedIn, directory.ErrNotSignedIn
		_, err := o.Sync(o.Context(), acme, o.only().ID)
		o.refused("directory_token", err)
	})
}

func TestADirectoryThatNamesNobodyChangesNothing(t *testing.T) { // S21
	eachOffice(t, func(o *office) {
		o.entra.person("a", "900 00 001")
		o.synced()
		for _, id := range []string{"a", "b"} {
			o.entra.object(&o.entra.people, id).fields = map[string]value{"displayName": {nil, 1}, "mobilePhone": {nil, 1}}
		}
		o.entra.oldest = o.entra.now + 1 // a full round
		_, err := o.Sync(o.Context(), acme, o.only().ID)
		o.refused("directory_names", err)
		o.equal(map[string]string{"a": "+4790000001"}, o.numbers())
	})
}

func TestWhatWasAnalysedNeverFallsAndEndsAtTheNumberOfRecords(t *testing.T) { // Q8, Q9, Q10
	eachOffice(t, func(o *office) {
		for i := range 9 {
			o.entra.person(fmt.Sprint(i), "900 00 001")
		}
		o.entra.group("g", "Group", "1")
		o.entra.repeat = map[string]int{"3": 2, "g": 1} // told twice, and counted once
		id := o.only().ID
		o.entra.fail[3], o.entra.fail[4], o.entra.fail[6] = stop, directory.ErrExpired, stop
		last := 0
		for tries := 0; ; tries++ {
			_, err := o.Sync(o.Context(), acme, id)
			runs, _ := o.Runs(o.Context(), acme, id, 0, 10)
			o.equal(1, len(runs))
			if runs[0].Records < last {
				o.Errorf("it fell from %d to %d", last, runs[0].Records)
			}
			if last = runs[0].Records; err == nil || tries > 5 {
				break
			}
		}
		o.equal(10, last)
	})
}

// stop is a failure that passes by itself.
var stop = &directory.Later{Err: errors.New("out of order")}

func TestASecretThatEndsIsWarnedOf(t *testing.T) {
	eachOffice(t, func(o *office) {
		for _, kind := range []string{"directory.secret_expires", "directory.stalled"} {
			o.equal(nil, events.Subscribe(o.Context(), o.db, acme, kind, "test"))
		}
		c := o.only()
		now := time.Now()
		o.equal(nil, o.SecretExpires(o.Context(), acme, c.ID, now.Add(40*24*time.Hour)))
		o.exec(`UPDATE connections SET every_ms = 100000000000`) // not stalled in this test
		var warned []string
		for day := range 45 {
			for range 2 {
				o.equal(nil, o.Watch(o.Context(), now.Add(time.Duration(day)*24*time.Hour)))
			}
			told, err := db.Column[string](o.Context(), o.db, `SELECT data FROM events ORDER BY id`)
			o.equal(nil, err)
			if len(told) > len(warned) {
				warned = append(warned, told[len(told)-1])
			}
		}
		o.equal([]string{left(c, 30), left(c, 14), left(c, 7), left(c, 1), left(c, -1)}, warned)
	})
}

func left(c directory.Connection, days int) string {
	return fmt.Sprintf(`{"connection":%d,"days_left":%d}`, c.ID, days)
}

func TestAStalledSyncRaisesAnAlarmOnce(t *testing.T) { // S4
	eachOffice(t, func(o *office) {
		o.equal(nil, events.Subscribe(o.Context(), o.db, acme, "directory.stalled", "test"))
		alarms := func() int {
			told, err := db.Column[string](o.Context(), o.db, `SELECT data FROM events`)
			o.equal(nil, err)
			return len(told)
		}
		o.synced()
		o.equal(nil, o.Watch(o.Context(), time.Now().Add(59*time.Minute)))
		o.equal([]any{0, true}, []any{alarms(), o.only().StalledAt.IsZero()})
		for range 2 {
			o.equal(nil, o.Watch(o.Context(), time.Now().Add(61*time.Minute)))
		}
		o.equal([]any{1, false}, []any{alarms(), o.only().StalledAt.IsZero()})
		o.synced()
		o.equal(true, o.only().StalledAt.IsZero())
	})
}

func TestWhoWasRemovedForLongIsForgotten(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.entra.person("a", "900 00 001")
		o.entra.person("b", "900 00 002")
		o.entra.group("g", "Group", "a", "b")
		o.synced()
		o.entra.remove("a")
		o.synced()
		rows := func() (n int) {
			o.equal(nil, o.db.QueryRowContext(o.Context(), `SELECT (SELECT COUNT(*) FROM mirror_people) + (SELECT COUNT(*) FROM mirror_edges)`).Scan(&n))
			return n
		}
		o.equal(nil, o.Purge(o.Context(), time.Now().Add(29*24*time.Hour)))
		o.equal(4, rows())
		o.equal(nil, o.Purge(o.Context(), time.Now().Add(31*24*time.Hour)))
		o.equal(2, rows())
		o.synced()
		o.equal(map[string]string{"Group": "b"}, o.groups())
	})
}

func TestOneGroupIsReadAgain(t *testing.T) { // Q50
	eachOffice(t, func(o *office) {
		for _, id := range []string{"a", "b", "c"} {
			o.entra.person(id, "900 00 001")
		}
		o.entra.group("g", "Group", "a", "b")
		o.entra.group("h", "Half", "a")
		o.synced()
		o.entra.leaves("g", "b")
		o.entra.group("g", "Renamed", "c")
		o.entra.group("h", "Whole", "c")
		o.entra.set("a", map[string]any{"displayName": "A"})
		o.entra.asked = nil
		_, err := o.RequestGroup(o.Context(), acme, o.only().ID, "g")
		o.equal(nil, err)
		run := o.synced()
		o.equal([]any{directory.Group, "g", []string{"group g"}}, []any{run.Kind, run.Group, o.entra.asked})
		o.equal(map[string]string{"Renamed": "a c", "Half": "a"}, o.groups()) // the other is as it was
		o.equal("A", o.contacts()[0].Name)
		o.synced()
		o.equal(map[string]string{"Renamed": "a c", "Whole": "a c"}, o.groups())
	})
}

func TestTheAccessReportSaysWhatWasRead(t *testing.T) { // S13, S20
	eachOffice(t, func(o *office) {
		o.entra.person("a", "900 00 001")
		id := o.only().ID
		o.tell = directory.Exchange{Method: "GET", Resource: "/users/delta"}
		o.synced()
		o.tell.Resource = "/groups/{id}/members"
		_, _, err := o.Check(o.Context(), acme, id)
		o.equal(nil, err)
		report := func(before int64, limit int) (lines []string) {
			list, err := o.AccessReport(o.Context(), acme, id, before, limit)
			o.equal(nil, err)
			for _, r := range list {
				lines = append(lines, strings.Join(r.Columns(func(int64) string { return "run" })[1:], ","))
			}
			return lines
		}
		const delta = "run,GET /users/delta,1,User.Read.All,id displayName jobTitle department officeLocation mail preferredLanguage mobilePhone businessPhones usageLocation country accountEnabled userType"
		const check = "check,GET /groups/{id}/members,1,GroupMember.Read.All,id displayName"
		o.equal([]string{check, delta}, report(0, 10))
		o.tell.Resource = "/users/delta"
		last := o.synced()
		o.equal([]string{delta}, report(0, 1))
		o.equal([]string{check, delta}, report(last.ID, 10))
	})
}

func TestADraftTakesWhatIsDecidedLater(t *testing.T) { // S8
	eachOffice(t, func(o *office) {
		o.findings = []directory.Finding{broken}
		o.connect()
		o.findings = nil
		scope := directory.Settings{Scope: directory.Scope{Guests: true}}
		c, _, err := o.Connect(o.Context(), acme, directory.Setup{Credentials: credentials, Preview: true, Settings: scope})
		o.equal([]any{nil, true, true}, []any{err, c.Preview, c.Settings.Scope.Guests})
		c, _, err = o.Connect(o.Context(), acme, directory.Setup{Credentials: credentials}) // a new secret decides nothing
		o.equal([]any{nil, true, true}, []any{err, c.Preview, c.Settings.Scope.Guests})
	})
}

func TestConnectionsGiveWayToTheGateOnEveryPath(t *testing.T) { // S6
	eachOffice(t, func(o *office) {
		id := o.only().ID
		o.agreed, o.checked = false, nil
		ctx := context.Background()
		_, _, err := o.Connect(ctx, acme, directory.Setup{Credentials: credentials})
		o.refused("no_agreement", err)
		_, _, err = o.Check(ctx, acme, id)
		o.refused("no_agreement", err)
		for _, request := range []func() (time.Time, error){
			func() (time.Time, error) { return o.Request(ctx, acme, id) },
			func() (time.Time, error) { return o.RequestPreview(ctx, acme, id) },
			func() (time.Time, error) { return o.RequestGroup(ctx, acme, id, "g") },
		} {
			_, err := request()
			o.refused("no_agreement", err)
		}
		o.refused("no_agreement", o.Approve(ctx, acme, id, 1, "x"))
		_, err = o.Sync(ctx, acme, id)
		o.refused("no_agreement", err)
		o.equal([]int{0, 0, 0}, []int{len(o.opened), len(o.checked), len(o.entra.asked)})
	})
}
