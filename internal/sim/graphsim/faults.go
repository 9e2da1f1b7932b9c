package graphsim

import (
	"slices"
	"sync"
	"time"
)

// Faults are the standing ones, off when zero. SetFaults replaces them all.
type Faults struct {
	NoConsent         []string      // "users", "groups", "organization": 403 for these
	NoUserRead        bool          // 403 for users; /groups/{id}/members tells their type and id, all else null
	EmptyPages        bool          // each delta page with content comes after an empty one
	ReplayItems       bool          // the first item of a delta page comes again on the next
	NullItems         bool          // a delta page with content has a null among its items
	Shuffle           int64         // not 0: the items of a delta page are in the order of this seed, one of them twice
	Minimal           bool          // delta tells changed properties only, as if Prefer: return=minimal was there
	SubscriptionQuota bool          // 403 for a new subscription
	SilentHardDelete  bool          // HardDelete and DeleteGroup remove memberships without telling
	SecretExpired     bool          // sign-in refuses the secret as expired
	AppDisabled       bool          // sign-in refuses the app as disabled
	ConditionalAccess bool          // sign-in is blocked by a policy
	OtherCloud        bool          // sign-in says that the tenant is in another cloud
	DeltaHorizon      time.Duration // age from which a delta link is refused; 7 days when zero, negative refuses all
}

const defaultHorizon = 7 * 24 * time.Hour

func (f Faults) refuses(resource string) bool {
	return slices.Contains(f.NoConsent, resource) || f.NoUserRead && resource == "users"
}

func (f Faults) tooOld(age time.Duration) bool { return age >= orElse(f.DeltaHorizon, defaultHorizon) }

// faults adds to the standing ones those that wait for the next requests.
type faults struct {
	mu       sync.Mutex
	standing Faults
	script   []step
	waiting  waiting
	epoch    int // access tokens of an earlier one are expired
}

// SetFaults replaces the standing faults; SetFaults(Faults{}) ends them.
func (t *Tenant) SetFaults(f Faults) {
	t.faults.mu.Lock()
	defer t.faults.mu.Unlock()
	f.NoConsent = slices.Clone(f.NoConsent)
	t.faults.standing = f
}

// Faults are the standing faults now.
func (t *Tenant) Faults() Faults {
	t.faults.mu.Lock()
	defer t.faults.mu.Unlock()
	f := t.faults.standing
	f.NoConsent = slices.Clone(f.NoConsent)
	return f
}

// ExpireTokens makes all access tokens given so far worthless.
func (t *Tenant) ExpireTokens() {
	t.faults.mu.Lock()
	defer t.faults.mu.Unlock()
	t.faults.epoch++
}

// ClearFaults ends all faults, standing and queued. Expired tokens stay expired.
func (t *Tenant) ClearFaults() {
	t.faults.mu.Lock()
	defer t.faults.mu.Unlock()
	t.faults.standing, t.faults.script, t.faults.waiting = Faults{}, nil, waiting{}
}

func (f *faults) currentEpoch() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.epoch
}
