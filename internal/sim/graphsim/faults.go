package graphsim

import (
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Faults are the standing ones, off when zero. SetFaults replaces them all.
type Faults struct {
	NoConsent        []string      // "users", "groups", "organization": 403 for these
	NoUserRead       bool          // /groups/{id}/members tells type and id, all else null
	EmptyPages       bool          // each delta page with content comes after an empty one
	ReplayItems      bool          // the first item of a delta page comes again on the next
	SilentHardDelete bool          // HardDelete and DeleteGroup remove memberships without telling
	SecretExpired    bool          // sign-in refuses the secret as expired
	DeltaHorizon     time.Duration // age from which a delta link is refused; 7 days when zero, negative refuses all
}

const defaultHorizon = 7 * 24 * time.Hour

func (f Faults) refuses(resource string) bool { return slices.Contains(f.NoConsent, resource) }

func (f Faults) tooOld(age time.Duration) bool { return age >= orElse(f.DeltaHorizon, defaultHorizon) }

// faults adds to the standing ones those that wait for the next requests.
type faults struct {
	mu       sync.Mutex
	standing Faults
	script   []step
	gone     int
	epoch    int // access tokens of an earlier one are expired
}

// step is what happens to the next `times` Graph requests.
type step struct {
	times int
	err   *graphError // nil: answered as usual
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

// Throttle answers the next n Graph requests with 429 and Retry-After in
// seconds. Throttle, Fail and Pass queue up: Pass(2), Fail(1, 503) spares two
// requests and fails the third. Requests without a valid token do not count.
func (t *Tenant) Throttle(n, seconds int) {
	t.plan(n, throttled(seconds))
}

// Fail answers the next n Graph requests with status: 502 and 504 with a
// gateway's HTML page, others with a Graph error.
func (t *Tenant) Fail(n, status int) {
	t.plan(n, failed(status))
}

// Pass answers the next n Graph requests as usual before what is queued after it.
func (t *Tenant) Pass(n int) {
	t.plan(n, nil)
}

// Gone answers the next n delta requests that carry a token with 410 and the
// Location of a fresh full round.
func (t *Tenant) Gone(n int) {
	t.faults.mu.Lock()
	defer t.faults.mu.Unlock()
	t.faults.gone = n
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
	t.faults.standing, t.faults.script, t.faults.gone = Faults{}, nil, 0
}

func (t *Tenant) plan(n int, err *graphError) {
	if n <= 0 {
		return
	}
	t.faults.mu.Lock()
	defer t.faults.mu.Unlock()
	t.faults.script = append(t.faults.script, step{n, err})
}

// next takes one request from the script.
func (f *faults) next() *graphError {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.script) == 0 {
		return nil
	}
	now := &f.script[0]
	err := now.err
	if now.times--; now.times == 0 {
		f.script = f.script[1:]
	}
	return err
}

func (f *faults) takeGone() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gone == 0 {
		return false
	}
	f.gone--
	return true
}

func (f *faults) currentEpoch() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.epoch
}

func throttled(seconds int) *graphError {
	return &graphError{
		status: http.StatusTooManyRequests, code: "TooManyRequests", message: "Too many requests from this app in this tenant; slow down.",
		header: http.Header{"Retry-After": {strconv.Itoa(seconds)}},
	}
}

func failed(status int) *graphError {
	e := &graphError{status: status, code: "generalException", message: "The directory cannot answer this request: " + http.StatusText(status)}
	switch status {
	case http.StatusServiceUnavailable:
		e.code = "serviceNotAvailable"
	case http.StatusInternalServerError:
		e.code = "InternalServerError"
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		e.page = "<html><head><title>" + http.StatusText(status) + "</title></head><body><h1>" + http.StatusText(status) + "</h1></body></html>\n"
	}
	return e
}
