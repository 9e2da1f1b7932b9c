package graphsim

import (
	"net/http"
	"testing"
	"time"
)

func TestRequestsCostUnits(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	for _, c2 := range []struct {
		path  string
		units int
	}{
		{"/users", 2},
		{"/users?$select=id", 1},
		{"/users?$top=5", 1},
		{"/users?$top=20", 2},
		{"/users?$select=id&$top=5", 1},
		{"/users/bo", 1},
		{"/users/delta?$select=displayName", 1},
		{"/groups/some/members", 3},
		{"/groups/some/members?$select=id&$top=5", 1},
		{"/organization", 1},
	} {
		before := s.UnitsUsed()
		equal(t, c2.path, c.get(c2.path).header.Get("x-ms-resource-unit"), string(rune('0'+c2.units)))
		equal(t, c2.path, s.UnitsUsed()-before, c2.units)
	}
}

func TestLimitsAreEnforced(t *testing.T) {
	clock := time.Now()
	s, c := start(t, Options{Org: staff(), EnforceLimits: true, Now: func() time.Time { return clock }})
	get := func() answer { return c.get("/groups/some/members") } // 3 units of 3,500
	for range 933 {
		get()
	}
	equal(t, "warned of", get().header.Get("x-ms-throttle-limit-percentage"), "0.80")
	for range 232 {
		if a := get(); a.status != http.StatusOK {
			t.Fatalf("%d after %d units", a.status, s.UnitsUsed())
		}
	}
	a := get() // 1,167 times 3 is above 3,500
	equal(t, "throttled", []any{a.status, a.header.Get("Retry-After"), a.header.Get("x-ms-throttle-information")}, []any{429, "1", "ResourceUnitLimitExceeded"})
	clock = clock.Add(time.Second) // brings 350
	for range 116 {
		equal(t, "again", get().status, http.StatusOK)
	}
	equal(t, "and throttled", get().status, http.StatusTooManyRequests)
	clock = clock.Add(10 * time.Second)
	equal(t, "full again", get().header.Get("x-ms-throttle-limit-percentage"), "")
}

func TestLimitsDependOnTheSizeOfTheDirectory(t *testing.T) {
	for people, limit := range map[int]float64{0: 3_500, 49: 3_500, 50: 5_000, 500: 5_000, 501: 8_000} {
		equal(t, "limit", unitLimit(people), limit)
	}
}
