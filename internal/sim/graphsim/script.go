package graphsim

import (
	"net/http"
	"strconv"
)

// step is what happens to the next `times` Graph requests.
type step struct {
	times int
	fate
}

// fate is what becomes of one request. Zero: it is answered as usual.
type fate struct {
	refusal *graphError
	cut     bool // the answer ends half-way through its body
	dropped bool // there is no answer
}

// waiting counts what is still to be met by requests of one kind, whatever the
// script has for the others.
type waiting struct {
	gone, resync, foreign, challenges int
	forged                            int // notifications
	lastGood                          int // requests until tokens expire, 0 for never
}

// The methods below queue up: Pass(2), Fail(1, 503) spares two requests to Graph
// and fails the third. Requests without a valid token do not count.

// Throttle answers the next n Graph requests with 429 and Retry-After in seconds.
func (t *Tenant) Throttle(n, seconds int) {
	t.ThrottleAs(n, http.Header{"Retry-After": {strconv.Itoa(seconds)}})
}

// ThrottleAs answers the next n Graph requests with 429 and this header, where
// Retry-After is a date, missing, or nonsense as the caller likes.
func (t *Tenant) ThrottleAs(n int, header http.Header) {
	t.FailWith(n, http.StatusTooManyRequests, header)
}

// Fail answers the next n Graph requests with status: 502 and 504 with a
// gateway's HTML page, others with a Graph error.
func (t *Tenant) Fail(n, status int) { t.FailWith(n, status, nil) }

// FailWith is Fail with a header of the caller's.
func (t *Tenant) FailWith(n, status int, header http.Header) {
	e := failed(status)
	e.header = http.Header{}
	for name, values := range header {
		e.header[http.CanonicalHeaderKey(name)] = values
	}
	t.plan(n, fate{refusal: e})
}

// CutBody ends the connection half-way through the body of the next n Graph
// answers: Content-Length promised all of it.
func (t *Tenant) CutBody(n int) { t.plan(n, fate{cut: true}) }

// DropConnection ends the connection instead of answering the next n Graph
// requests. Go's own client repeats a GET by itself when that connection had
// served others before.
func (t *Tenant) DropConnection(n int) { t.plan(n, fate{dropped: true}) }

// Pass answers the next n Graph requests as usual before what is queued after it.
func (t *Tenant) Pass(n int) { t.plan(n, fate{}) }

// The methods below wait for their own kind of request, outside the queue.

// Gone answers the next n delta requests that carry a token with 410 and the
// Location of a fresh full round.
func (t *Tenant) Gone(n int) { t.await(func(w *waiting) { w.gone = n }) }

// ResyncRequired answers the next n delta requests that carry a token with 400
// and no Location, the code being that of 410.
func (t *Tenant) ResyncRequired(n int) { t.await(func(w *waiting) { w.resync = n }) }

// ForeignNextLink lets the link of the next n delta pages point at another host.
func (t *Tenant) ForeignNextLink(n int) { t.await(func(w *waiting) { w.foreign = n }) }

// ExpireTokensAfter makes all access tokens worthless when n more Graph requests
// have been admitted with one.
func (t *Tenant) ExpireTokensAfter(n int) {
	if n <= 0 {
		t.ExpireTokens()
		return
	}
	t.await(func(w *waiting) { w.lastGood = n })
}

// ClaimsChallenge answers the next n Graph requests with 401 and the claims to
// ask sign-in for. It ends when a new token is given.
func (t *Tenant) ClaimsChallenge(n int) { t.await(func(w *waiting) { w.challenges = n }) }

// WrongClientState puts another clientState into the next n changes that
// subscriptions are told of.
func (t *Tenant) WrongClientState(n int) { t.await(func(w *waiting) { w.forged = n }) }

func (t *Tenant) plan(n int, f fate) {
	if n <= 0 {
		return
	}
	t.faults.mu.Lock()
	defer t.faults.mu.Unlock()
	t.faults.script = append(t.faults.script, step{n, f})
}

func (t *Tenant) await(f func(*waiting)) {
	t.faults.mu.Lock()
	defer t.faults.mu.Unlock()
	f(&t.faults.waiting)
}

// next takes one admitted request from the script.
func (f *faults) next() fate {
	f.mu.Lock()
	defer f.mu.Unlock()
	if w := &f.waiting; w.lastGood > 0 {
		if w.lastGood--; w.lastGood == 0 {
			f.epoch++
		}
	}
	if len(f.script) == 0 {
		return fate{}
	}
	now := &f.script[0]
	meets := now.fate
	if now.times--; now.times == 0 {
		f.script = f.script[1:]
	}
	return meets
}

// take is true when one was waiting.
func (f *faults) take(of func(*waiting) *int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := of(&f.waiting)
	if *n <= 0 {
		return false
	}
	*n--
	return true
}

func failed(status int) *graphError {
	e := &graphError{status: status, code: "generalException", message: "The directory cannot answer this request: " + http.StatusText(status)}
	switch status {
	case http.StatusTooManyRequests:
		e.code, e.message = "TooManyRequests", "Too many requests from this app in this tenant; slow down."
	case http.StatusServiceUnavailable:
		e.code = "serviceNotAvailable"
	case http.StatusInternalServerError:
		e.code = "InternalServerError"
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		e.page = "<html><head><title>" + http.StatusText(status) + "</title></head><body><h1>" + http.StatusText(status) + "</h1></body></html>\n"
	}
	return e
}
