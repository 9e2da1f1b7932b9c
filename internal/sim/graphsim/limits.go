package graphsim

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// Resource units per 10 seconds, by the number of people in the directory
// (Microsoft Graph service-specific throttling limits, identity and access).
func unitLimit(people int) float64 {
	switch {
	case people < 50:
		return 3_500
	case people <= 500:
		return 5_000
	}
	return 8_000
}

const unitWindow = 10 // seconds

// unitCost of a request whose kind costs base.
func unitCost(base int, q url.Values) int {
	if q.Has("$select") {
		base--
	}
	if n, err := strconv.Atoi(q.Get("$top")); err == nil && n < 20 {
		base--
	}
	if q.Has("$expand") {
		base++
	}
	return max(base, 1)
}

// bucket holds the units that a tenant's app has left.
type bucket struct {
	mu    sync.Mutex
	spent int       // ever
	left  float64   // at that time
	at    time.Time // zero: full
}

// spend takes units, also for a request that is then refused: who repeats at once
// stays outside. It tells how full of the limit the app is, 1 for too full.
func (b *bucket) spend(units int, limit float64, now time.Time) (use float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spent += units
	if b.at.IsZero() {
		b.left = limit
	} else {
		b.left = min(limit, b.left+now.Sub(b.at).Seconds()*limit/unitWindow)
	}
	b.at = now
	if b.left < float64(units) {
		b.left = 0
		return 1
	}
	b.left -= float64(units)
	return min(1-b.left/limit, 0.99)
}

// UnitsUsed are the resource units of all requests to Graph so far.
func (t *Tenant) UnitsUsed() int {
	t.bucket.mu.Lock()
	defer t.bucket.mu.Unlock()
	return t.bucket.spent
}

// charge counts a request's units and, when limits are enforced, refuses it or
// warns of that in the header.
func (c *call) charge(h http.Header, base int) *graphError {
	units := unitCost(base, c.query)
	c.dir.mu.RLock()
	limit := unitLimit(len(c.dir.users))
	c.dir.mu.RUnlock()
	use := c.bucket.spend(units, limit, c.srv.now())
	h.Set("x-ms-resource-unit", strconv.Itoa(units))
	if !c.srv.enforceLimits {
		return nil
	}
	if use >= 0.8 {
		h.Set("x-ms-throttle-limit-percentage", strconv.FormatFloat(use, 'f', 2, 64))
	}
	if use < 1 {
		return nil
	}
	e := failed(http.StatusTooManyRequests)
	wait := math.Ceil(float64(units) / limit * unitWindow)
	e.header = http.Header{
		"Retry-After":               {strconv.Itoa(int(wait))},
		"X-Ms-Throttle-Scope":       {fmt.Sprintf("Tenant_Application/ReadWrite/%s/%s", c.appID, c.Tenant.id)},
		"X-Ms-Throttle-Information": {"ResourceUnitLimitExceeded"},
	}
	return e
}
