package directory_test

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/problem"
)

const notifyAt = "https://varsel.example/v1/directory/notifications"

// bell is the directory's side of subscriptions, in memory.
type bell struct {
	made    int
	ends    map[string]time.Time // by id
	wishes  map[string]directory.Subscription
	calls   []string
	refusal error
	ring    func(s directory.Subscription) // what the directory does while it is asked
}

func newBell() *bell {
	return &bell{ends: map[string]time.Time{}, wishes: map[string]directory.Subscription{}}
}

func (b *bell) Subscribe(_ context.Context, s directory.Subscription) (string, time.Time, error) {
	b.calls = append(b.calls, "subscribe "+s.Resource)
	if b.refusal != nil {
		return "", time.Time{}, b.refusal
	}
	if b.ring != nil {
		b.ring(s)
	}
	b.made++
	id := fmt.Sprintf("s%d", b.made)
	b.wishes[id], b.ends[id] = s, s.Until
	return id, s.Until, nil
}

func (b *bell) Renew(_ context.Context, id string, until time.Time) (time.Time, error) {
	b.calls = append(b.calls, "renew "+id)
	if b.refusal != nil {
		return time.Time{}, b.refusal
	}
	if _, there := b.ends[id]; !there {
		return time.Time{}, directory.ErrNoSubscription
	}
	b.ends[id] = until
	return until, nil
}

func (b *bell) Unsubscribe(_ context.Context, id string) error {
	b.calls = append(b.calls, "unsubscribe "+id)
	delete(b.ends, id)
	return b.refusal
}

// took answers the calls since it was last asked.
func (b *bell) took() []string {
	calls := b.calls
	b.calls = nil
	return calls
}

func (o *office) keeps(want ...string) {
	o.Helper()
	if err := o.KeepSubscriptions(o.Context()); err != nil {
		o.Fatal(err)
	}
	o.equal(want, o.bell.took())
}

func (o *office) notifications() directory.Notifications {
	o.Helper()
	n, err := o.Notifications(o.Context(), acme, o.only().ID)
	if err != nil {
		o.Fatal(err)
	}
	return n
}

// tells delivers changes, as the subscription with that id wants them.
func (o *office) tells(id string, changes int) {
	o.Helper()
	s := o.bell.wishes[id]
	notices := make([]directory.Notice, changes)
	for i := range notices {
		notices[i].Secret = s.Secret
	}
	o.equal(nil, o.Notified(o.Context(), path.Base(s.Address), notices))
}

// dueIn says whether the connection is to be synced when some time has passed.
func (o *office) dueIn(wait time.Duration) bool {
	o.Helper()
	due, err := o.Due(o.Context(), time.Now().Add(wait))
	if err != nil {
		o.Fatal(err)
	}
	return len(due) == 1
}

const soon = 3 * time.Second

func TestTheDirectoryIsAskedToNotifyUs(t *testing.T) { // Q63
	eachOffice(t, func(o *office) {
		o.connect()
		o.equal("not_subscribed", o.notifications().Code)
		o.keeps("subscribe users", "subscribe groups")
		o.keeps()
		users, groups := o.bell.wishes["s1"], o.bell.wishes["s2"]
		o.equal([]string{"users", "groups"}, []string{users.Resource, groups.Resource})
		for _, s := range []directory.Subscription{users, groups} {
			o.equal([]any{true, s.Address + "/lifecycle"}, []any{strings.HasPrefix(s.Address, notifyAt+"/"), s.Lifecycle})
			if len(path.Base(s.Address)) != 43 || len(s.Secret) != 43 || s.Secret == path.Base(s.Address) { // 256 bits
				t.Errorf("address %q, secret %q", s.Address, s.Secret)
			}
			for _, column := range []string{"address_hash", "state_hash", "base"} {
				var kept int
				err := o.db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM directory_subscriptions WHERE `+column+` IN ($1, $2)`, s.Secret, path.Base(s.Address)).Scan(&kept)
				o.equal([]any{0, nil}, []any{kept, err})
			}
		}
		if users.Address == groups.Address || users.Secret == groups.Secret {
			t.Error("two subscriptions have a secret in common")
		}
		if n := o.notifications(); !n.Active || n.Code != "" || time.Until(n.Until) > 41_760*time.Minute || n.Until.Before(time.Now().AddDate(0, 0, 28)) {
			t.Errorf("%+v", n)
		}
	})
}

func TestWithoutAnAgreementNoDirectoryIsAskedToNotify(t *testing.T) { // S6
	eachOffice(t, func(o *office) {
		c := o.connect()
		o.agreed = false
		o.keeps()
		o.agreed = true
		o.keeps("subscribe users", "subscribe groups")
		o.agreed = false
		o.exec(`UPDATE directory_subscriptions SET due_at = 0`)
		o.keeps()
		o.equal(nil, o.Disconnect(t.Context(), acme, c.ID))
		o.keeps()
		o.equal(2, len(o.bell.ends))
	})
}

func TestAnInstallationThatCannotBeReachedAsksForNothing(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.connect()
		o.keeps("subscribe users", "subscribe groups")
		o.notify = ""
		o.restart(ours)
		o.exec(`UPDATE directory_subscriptions SET due_at = 0`)
		o.keeps() // nor does it take back what another process asked for
		o.exec(`DELETE FROM directory_subscriptions`)
		o.keeps()
		o.equal("no_public_url", o.notifications().Code)
	})
}

func TestABurstOfChangesIsOneSync(t *testing.T) { // Q63
	eachOffice(t, func(o *office) {
		o.entra.person("a", "900 00 001")
		o.synced()
		o.keeps("subscribe users", "subscribe groups")
		o.equal(false, o.dueIn(soon))
		o.entra.person("a", "900 00 002")
		before := time.Now()
		for range 50 {
			o.tells("s1", 10)
			o.tells("s2", 10)
		}
		o.equal([]bool{false, true}, []bool{len(o.due(before.Add(time.Second))) == 1, o.dueIn(soon)}) // the changes of a moment are read together
		if c := o.only(); !c.RequestedAt.IsZero() {
			t.Error("nobody has asked for it: it may stand back when the directory is busy")
		}
		o.synced()
		o.equal(map[string]string{"a": "+4790000002"}, o.numbers())
		o.equal(false, o.dueIn(soon))
	})
}

func TestAChangeToldDuringARunIsFollowedByOneMore(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.entra.person("a", "900 00 001")
		o.connect()
		o.keeps("subscribe users", "subscribe groups")
		o.entra.before = func(n int) {
			o.tells("s1", 3)
			o.tells("s2", 3)
		}
		o.synced()
		o.entra.before = nil
		o.equal(true, o.dueIn(soon))
		o.synced()
		o.equal(false, o.dueIn(soon))
	})
}

func TestAChangeToldDuringARunThatWaitsIsNotForgotten(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.entra.person("a", "900 00 001")
		c := o.connect()
		o.keeps("subscribe users", "subscribe groups")
		o.entra.fail[1] = &directory.Later{After: time.Hour, Err: problem.New(problem.KindUnavailable, "directory_busy", "busy")}
		_, err := o.Sync(t.Context(), acme, c.ID)
		o.refused("directory_busy", err)
		o.tells("s1", 1)
		o.equal([]bool{false, true}, []bool{o.dueIn(soon), o.dueIn(2 * time.Hour)}) // no earlier than the directory wants
		o.synced()
		o.equal(true, o.dueIn(soon))
		o.synced()
		o.equal(false, o.dueIn(soon))
	})
}

func TestAPreviewOrOneGroupDoesNotAnswerAChange(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.entra.group("g", "G")
		o.synced()
		o.keeps("subscribe users", "subscribe groups")
		for _, ask := range []func() error{
			func() error { _, err := o.RequestPreview(t.Context(), acme, o.only().ID); return err },
			func() error { _, err := o.RequestGroup(t.Context(), acme, o.only().ID, "g"); return err },
		} {
			o.equal(nil, ask())
			o.tells("s1", 1)
			if run := o.synced(); run.Kind == directory.Sync {
				t.Errorf("what was asked for became a %s", run.Kind)
			}
			o.equal(true, o.dueIn(soon))
			o.equal(directory.Sync, o.synced().Kind)
			o.equal(false, o.dueIn(soon))
		}
	})
}

func TestWhatWasToldSurvivesTheProcess(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.synced()
		o.keeps("subscribe users", "subscribe groups")
		o.tells("s2", 1)
		o.restart(theirs)
		o.equal(true, o.dueIn(soon))
	})
}

func TestForgedNotificationsAreLeftOutAndCounted(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.synced()
		o.keeps("subscribe users", "subscribe groups")
		users, groups := o.bell.wishes["s1"], o.bell.wishes["s2"]
		address := path.Base(users.Address)
		for _, secret := range []string{"", "x", groups.Secret, users.Secret + "x"} {
			o.equal(nil, o.Notified(t.Context(), address, []directory.Notice{{Secret: secret}, {Secret: secret, Lifecycle: "reauthorizationRequired"}}))
		}
		o.equal(nil, o.Notified(t.Context(), "unknown", []directory.Notice{{Secret: users.Secret}}))
		o.equal(nil, o.Notified(t.Context(), "", nil))
		o.equal(false, o.dueIn(soon))
		o.keeps()
		n := o.notifications()
		o.equal([]any{8, true}, []any{n.Refused, n.Last.IsZero()})

		// Among forged ones a real one still counts.
		o.equal(nil, o.Notified(t.Context(), address, []directory.Notice{{Secret: "x"}, {Secret: users.Secret}}))
		o.equal([]any{9, true}, []any{o.notifications().Refused, o.dueIn(soon)})
	})
}

func TestSubscriptionsAreRenewedBeforeTheyEnd(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.connect()
		o.keeps("subscribe users", "subscribe groups")
		var earliest, ends int64
		o.equal(nil, o.db.QueryRowContext(t.Context(), `SELECT MIN(due_at), MIN(expires_at) FROM directory_subscriptions`).Scan(&earliest, &ends))
		o.equal(24*time.Hour, time.Duration(ends-earliest)*time.Millisecond)

		o.exec(`UPDATE directory_subscriptions SET due_at = 0, expires_at = 1`)
		o.equal(false, o.notifications().Active)
		o.keeps("renew s1", "renew s2")
		o.keeps()
		o.equal(true, o.notifications().Active)
	})
}

func TestTheDirectoryMayWishForRenewalAtOnce(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.synced()
		o.keeps("subscribe users", "subscribe groups")
		s := o.bell.wishes["s2"]
		o.equal(nil, o.Notified(t.Context(), path.Base(s.Address), []directory.Notice{{Secret: s.Secret, Lifecycle: "reauthorizationRequired"}}))
		o.equal(false, o.dueIn(soon)) // nothing has changed
		o.keeps("renew s2")
		o.keeps()
	})
}

func TestALostSubscriptionIsMadeAnew(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.connect()
		o.keeps("subscribe users", "subscribe groups")
		lost := o.bell.wishes["s1"]
		delete(o.bell.ends, "s1")
		o.exec(`UPDATE directory_subscriptions SET due_at = 0`)
		o.keeps("renew s1", "subscribe users", "renew s2")
		o.equal(true, o.notifications().Active)
		awaited, err := o.Awaits(t.Context(), path.Base(lost.Address))
		o.equal([]any{false, nil}, []any{awaited, err})
	})
}

func TestAFullQuotaIsAReasonAndNoFault(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.entra.person("a", "900 00 001")
		o.bell.refusal = problem.New(problem.KindConflict, "directory_quota", "the tenant has too many subscriptions")
		o.synced()
		o.keeps("subscribe users", "subscribe groups")
		o.keeps() // not again at once
		n := o.notifications()
		o.equal([]any{false, "directory_quota", "the tenant has too many subscriptions"}, []any{n.Active, n.Code, n.Reason})
		o.equal(directory.Connected, o.only().State)
		o.equal(directory.Done, o.synced().State)

		o.bell.refusal = nil
		o.exec(`UPDATE directory_subscriptions SET due_at = 0`)
		o.keeps("subscribe users", "subscribe groups")
		n = o.notifications()
		o.equal([]any{true, ""}, []any{n.Active, n.Code})
	})
}

func TestABusyDirectoryIsAskedLater(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.connect()
		o.bell.refusal = &directory.Later{After: 10 * time.Minute, Err: problem.New(problem.KindUnavailable, "directory_busy", "busy")}
		o.keeps("subscribe users", "subscribe groups")
		var due int64
		o.equal(nil, o.db.QueryRowContext(t.Context(), `SELECT MIN(due_at) FROM directory_subscriptions`).Scan(&due))
		if wait := time.Until(time.UnixMilli(due)); wait > 10*time.Minute || wait < 9*time.Minute {
			t.Errorf("it waits %v", wait)
		}
	})
}

func TestDisconnectingTakesSubscriptionsBack(t *testing.T) {
	eachOffice(t, func(o *office) {
		c := o.synced().Connection
		o.keeps("subscribe users", "subscribe groups")
		o.tells("s1", 1)
		o.equal(nil, o.Disconnect(t.Context(), acme, c))
		o.equal("disconnected", o.notifications().Code)
		o.tells("s1", 1) // told meanwhile
		o.keeps("unsubscribe s1", "unsubscribe s2")
		o.keeps()
		o.tells("s1", 1)

		_, _, err := o.Check(t.Context(), acme, c)
		o.equal(nil, err)
		o.keeps("subscribe users", "subscribe groups")

		o.equal(nil, o.Disconnect(t.Context(), acme, c))
		o.bell.refusal = problem.New(problem.KindConflict, "directory_secret_expired", "expired")
		o.keeps("unsubscribe s3", "unsubscribe s4") // they end by themselves
		o.keeps()
	})
}

func TestTakingBackIsTriedUntilTheDirectoryAnswers(t *testing.T) {
	eachOffice(t, func(o *office) {
		c := o.connect()
		o.keeps("subscribe users", "subscribe groups")
		o.equal(nil, o.Disconnect(t.Context(), acme, c.ID))
		o.bell.refusal = &directory.Later{Err: errors.New("no answer")}
		o.equal(true, o.KeepSubscriptions(t.Context()) != nil)
		o.equal([]string{"unsubscribe s1", "unsubscribe s2"}, o.bell.took())
		o.bell.refusal = nil
		o.keeps("unsubscribe s1", "unsubscribe s2")
		o.keeps()
	})
}

func TestAnotherAddressMeansOtherSubscriptions(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.connect()
		o.keeps("subscribe users", "subscribe groups")
		o.notify = "https://other.example/v1/directory/notifications"
		o.restart(ours)
		o.keeps("unsubscribe s1", "subscribe users", "unsubscribe s2", "subscribe groups")
		o.keeps()
		o.equal(true, strings.HasPrefix(o.bell.wishes["s3"].Address, o.notify))
	})
}

// Graph calls back before it answers, and may notify us before that, too.
func TestAnAddressIsKnownBeforeTheDirectoryIsToldOfIt(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.synced()
		o.bell.ring = func(s directory.Subscription) {
			awaited, err := o.Awaits(t.Context(), path.Base(s.Address))
			o.equal([]any{true, nil}, []any{awaited, err})
			o.equal(nil, o.Notified(t.Context(), path.Base(s.Address), []directory.Notice{{Secret: s.Secret}}))
		}
		o.keeps("subscribe users", "subscribe groups")
		o.equal(true, o.dueIn(soon))
		for _, address := range []string{"", "x"} {
			awaited, err := o.Awaits(t.Context(), address)
			o.equal([]any{false, nil}, []any{awaited, err})
		}
	})
}

func TestNotificationsOfAnotherAccountAreNotShown(t *testing.T) {
	eachOffice(t, func(o *office) {
		_, err := o.Notifications(t.Context(), other, o.connect().ID)
		o.refused("connection_not_found", err)
	})
}

func TestTwoWhoSubscribeAtOnceLeaveNoneThatNobodyKnows(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.connect()
		o.bell.ring = func(directory.Subscription) { // the other process's job comes in the middle of ours
			o.bell.ring = nil
			o.equal(nil, o.KeepSubscriptions(t.Context()))
		}
		o.keeps("subscribe users", "subscribe groups")
		o.equal(true, o.notifications().Active)
		o.keeps()
	})
}
