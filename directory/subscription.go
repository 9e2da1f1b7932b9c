package directory

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/varsel/varsel/internal/problem"
)

// Subscriber asks a directory to notify us of changes. It is no part of Source,
// because that only reads: what may write is opened by itself, for this alone.
type Subscriber interface {
	// Subscribe answers the directory's id of the subscription and its end.
	Subscribe(ctx context.Context, s Subscription) (id string, until time.Time, err error)
	// Renew answers the new end. ErrNoSubscription says that there is none.
	Renew(ctx context.Context, id string, until time.Time) (time.Time, error)
	// Unsubscribe is content when there is none.
	Unsubscribe(ctx context.Context, id string) error
}

// Subscription says of what, where and until when to notify us.
type Subscription struct {
	Resource           string // users or groups
	Address, Lifecycle string // URLs that the directory posts to: of changes, and of the subscription itself
	Secret             string // repeated in every notification
	Until              time.Time
}

// ErrNoSubscription says that the directory does not have the subscription.
var ErrNoSubscription = problem.New(problem.KindNotFound, "directory_subscription", "the directory no longer has the subscription")

const (
	// subscriptionLife is an hour less than Graph grants, as clocks differ.
	subscriptionLife = 41_700 * time.Minute
	renewalMargin    = 24 * time.Hour
	// subscribeTimeout also covers the directory's call back to us.
	subscribeTimeout = 30 * time.Second
	// takenFor covers both resources of a connection.
	takenFor = 3 * subscribeTimeout

	// How long after a refusal it is tried again. A full quota empties slowly.
	quotaWait   = time.Hour
	refusalWait = 15 * time.Minute
	laterWait   = time.Minute
)

// wish is one thing that we want to be notified of, and how far that has come.
type wish struct {
	connection Connection
	sealed     string
	resource   string
	base       string // of the address it has
	remote     string // the directory's id of it
	expires    time.Time
}

func (w wish) wanted() bool { return w.connection.State != Disconnected }

// KeepSubscriptions has the directories notify us of changes: it subscribes,
// renews, and takes back what is no longer wanted. Notifications are a hint;
// what they miss, the schedule finds. Nobody is asked without an agreement.
func (d *Directory) KeepSubscriptions(ctx context.Context) error {
	connections, err := d.connectionsToSubscribe(ctx, time.Now())
	if err != nil {
		return fmt.Errorf("list whose notifications to look after: %w", err)
	}
	var failed error
	for _, connection := range connections {
		failed = errors.Join(failed, d.keepOf(ctx, connection))
	}
	return failed
}

// keepOf reads what is due once the connection is its own: another process may
// have seen to it meanwhile.
func (d *Directory) keepOf(ctx context.Context, connection int64) error {
	now := time.Now()
	taken, err := d.takeSubscribing(ctx, connection, now, now.Add(takenFor))
	if err != nil || !taken {
		return err
	}
	all, err := d.wishesDue(ctx, connection, now)
	if err != nil {
		return fmt.Errorf("list what connection %d is to be notified of: %w", connection, err)
	}
	var failed error
	for _, w := range all {
		if err := d.keep(ctx, w); err != nil {
			failed = errors.Join(failed, fmt.Errorf("subscribe connection %d to %s: %w", connection, w.resource, err))
		}
	}
	return errors.Join(failed, d.freeSubscribing(ctx, connection))
}

// keep records a refusal, for an administrator to see; no sync depends on it.
func (d *Directory) keep(ctx context.Context, w wish) error {
	if !w.wanted() && (w.remote == "" || w.expires.Before(time.Now())) {
		return d.forgetWish(ctx, w)
	}
	if err := d.allowed(ctx, w.connection.Account); err != nil {
		return unlessProblem(err)
	}
	asking, cancel := context.WithTimeout(ctx, subscribeTimeout)
	defer cancel()
	far, err := d.subscriber(w)
	if err == nil {
		err = d.tend(asking, far, w)
	}
	if refused := problem.As(err); refused != nil {
		return d.recordRefusal(ctx, w, refused, time.Now().Add(refusedFor(err)))
	}
	return err
}

func unlessProblem(err error) error {
	if problem.As(err) != nil {
		return nil
	}
	return err
}

func (d *Directory) subscriber(w wish) (Subscriber, error) {
	cloud, err := d.cloud(w.connection.Cloud)
	if err != nil {
		return nil, err
	}
	credentials, err := d.unsealed(w.connection, w.sealed)
	if err != nil {
		return nil, err
	}
	return cloud.Subscribe(Access{Credentials: credentials})
}

func (d *Directory) tend(ctx context.Context, far Subscriber, w wish) error {
	stays := w.wanted() && w.base == d.notify
	if w.remote != "" && !stays {
		var later *Later
		if err := far.Unsubscribe(ctx, w.remote); errors.As(err, &later) {
			return err
		}
		// What the directory does not take back ends by itself.
		if err := d.forgetWish(ctx, w); err != nil || !w.wanted() {
			return err
		}
	}
	if w.remote != "" && stays {
		until, err := far.Renew(ctx, w.remote, time.Now().Add(subscriptionLife))
		if err == nil {
			return d.recordWish(ctx, w, w.remote, until, time.Now())
		}
		if !errors.Is(err, ErrNoSubscription) {
			return err
		}
	}
	return d.subscribe(ctx, far, w)
}

// subscribe keeps the address before it is told to the directory, which tries it
// at once. Both secrets are kept as hashes: nobody needs to read them again.
func (d *Directory) subscribe(ctx context.Context, far Subscriber, w wish) error {
	address, secret := newSecret(), newSecret()
	if err := d.openWish(ctx, w, d.notify, hashed(address), hashed(secret)); err != nil {
		return err
	}
	id, until, err := far.Subscribe(ctx, Subscription{Resource: w.resource, Secret: secret, Until: time.Now().Add(subscriptionLife),
		Address: d.notify + "/" + address, Lifecycle: d.notify + "/" + address + "/lifecycle"})
	if err != nil {
		return err
	}
	return d.recordWish(ctx, w, id, until, time.Now())
}

// refusedFor is how long to wait before it is tried again.
func refusedFor(err error) time.Duration {
	var later *Later
	switch {
	case errors.As(err, &later) && later.After > 0:
		return min(later.After, longestWait)
	case errors.As(err, &later):
		return laterWait
	case problem.Has(err, "directory_quota"):
		return quotaWait
	}
	return refusalWait
}

// renewal is when to renew what ends at until.
func renewal(now, until time.Time) time.Time {
	return until.Add(-min(renewalMargin, until.Sub(now)/2))
}

// newSecret is 256 random bits that can stand in an address.
func newSecret() string {
	raw := make([]byte, 32)
	rand.Read(raw)
	return base64.RawURLEncoding.EncodeToString(raw)
}

func hashed(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// Notice is one thing that a directory tells us unasked.
type Notice struct {
	Secret    string
	Lifecycle string // what is to be done about the subscription itself; "" for a change
}

// Awaits says whether a subscription has this address.
func (d *Directory) Awaits(ctx context.Context, address string) (bool, error) {
	_, found, err := d.listenerAt(ctx, address)
	return found, err
}

// Notified has the connection of the subscription with this address synced soon,
// once for all that is told until that sync begins. What does not repeat the
// subscription's secret is forged, and left out. When Notified answers nil, what
// follows from the notices is stored.
func (d *Directory) Notified(ctx context.Context, address string, notices []Notice) error {
	l, found, err := d.listenerAt(ctx, address)
	if err != nil {
		return err
	}
	if !found {
		slog.Error("notifications came to an address that no subscription has", "notices", len(notices))
		return nil
	}
	var heard hearing
	for _, n := range notices {
		heard.hear(n, l.stateHash)
	}
	if heard.refused > 0 {
		slog.Error("notifications came without the subscription's secret", "connection", l.connection, "resource", l.resource, "notices", heard.refused)
	}
	if l.hinted {
		heard.changed = false // a sync is on its way that has not begun
	}
	if heard == (hearing{}) {
		return nil
	}
	return d.recordHearing(ctx, l, heard, time.Now())
}

// hearing is what to do about a delivery.
type hearing struct {
	changed bool // in the directory
	look    bool // after the subscription, at once
	refused int
}

func (h *hearing) hear(n Notice, stateHash string) {
	switch {
	case subtle.ConstantTimeCompare([]byte(hashed(n.Secret)), []byte(stateHash)) != 1:
		h.refused++
	case n.Lifecycle != "":
		h.look = true
	default:
		h.changed = true
	}
}

// Notifications tells whether a directory notifies us of changes.
type Notifications struct {
	Active  bool
	Until   time.Time // when the first subscription ends, unless it is renewed
	Code    string    // why there are none, as a problem's code
	Reason  string    // and in words, for an administrator
	Last    time.Time // when a change was last told; zero for never
	Refused int       // notifications that were forged
}

// Notifications of a connection. Without them changes are found by the schedule.
func (d *Directory) Notifications(ctx context.Context, account, connection int64) (Notifications, error) {
	c, err := d.Connection(ctx, account, connection)
	if err != nil {
		return Notifications{}, err
	}
	n, err := d.notifications(ctx, account, connection, time.Now())
	switch {
	case err != nil || n.Active || n.Code != "":
	case c.State == Disconnected:
		n.Code, n.Reason = problem.As(errDisconnected).Code, problem.As(errDisconnected).Text
	case d.notify == "":
		n.Code, n.Reason = "no_public_url", "the directory cannot reach this installation: it has no public https address (VARSEL_PUBLIC_URL)"
	default:
		n.Code, n.Reason = "not_subscribed", "the directory has not been asked yet; that takes a minute"
	}
	return n, err
}
