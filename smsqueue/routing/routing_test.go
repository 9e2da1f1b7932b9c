package routing

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func all(int64) bool { return true }

func except(gone ...int64) func(int64) bool {
	return func(carrier int64) bool {
		for _, g := range gone {
			if g == carrier {
				return false
			}
		}
		return true
	}
}

func to(carrier int64) []Share { return []Share{{carrier, 1}} }

func TestTheMostSpecificRuleDecides(t *testing.T) {
	oslo := Message{Account: 7, Phone: "+4722334455", Country: "NO", Lane: "bulk", Sender: "ACME"}
	for name, c := range map[string]struct {
		rules []Rule
		want  int64 // 0 for none
	}{
		"no rules":                          {nil, 0},
		"none matches":                      {[]Rule{{ID: 1, Country: "SE"}}, 0},
		"any":                               {[]Rule{{ID: 1}}, 1},
		"country before any":                {[]Rule{{ID: 1}, {ID: 2, Country: "NO"}}, 2},
		"prefix before country":             {[]Rule{{ID: 1, Country: "NO"}, {ID: 2, Prefix: "+47"}}, 2},
		"the longer prefix":                 {[]Rule{{ID: 1, Prefix: "+47"}, {ID: 2, Prefix: "+4722"}, {ID: 3, Prefix: "+472"}}, 2},
		"a prefix that is not the number's": {[]Rule{{ID: 1, Prefix: "+47"}, {ID: 2, Prefix: "+4799"}}, 1},
		"prefix before sender":              {[]Rule{{ID: 1, Sender: "ACME", Lane: "bulk"}, {ID: 2, Prefix: "+4"}}, 2},
		"sender before lane":                {[]Rule{{ID: 1, Lane: "bulk"}, {ID: 2, Sender: "ACME"}}, 2},
		"lane before any":                   {[]Rule{{ID: 1}, {ID: 2, Lane: "bulk"}}, 2},
		"another lane":                      {[]Rule{{ID: 1}, {ID: 2, Lane: "urgent"}}, 1},
		"another sender":                    {[]Rule{{ID: 1}, {ID: 2, Sender: "Acme"}}, 1},
		"more of the same place":            {[]Rule{{ID: 1, Prefix: "+47"}, {ID: 2, Prefix: "+47", Lane: "bulk"}}, 2},
		"the account's before the longest":  {[]Rule{{ID: 1, Prefix: "+472233"}, {ID: 2, Account: 7}}, 2},
		"another account's":                 {[]Rule{{ID: 1, Account: 8}}, 0},
		"both country and prefix":           {[]Rule{{ID: 1, Prefix: "+47"}, {ID: 2, Prefix: "+47", Country: "SJ"}}, 1},
		"the older of two that are equal":   {[]Rule{{ID: 5, Country: "NO"}, {ID: 4, Country: "NO"}}, 4},
		"an order that letters do not make": {[]Rule{{ID: 1, Country: "SE"}, {ID: 2, Country: "NO"}, {ID: 3, Country: "NO", Lane: "bulk"}}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range c.rules {
				c.rules[i].Shares = to(1)
			}
			if got, _ := NewTable(c.rules, all).Match(oslo); got.ID != c.want {
				t.Errorf("rule %d, want %d", got.ID, c.want)
			}
		})
	}
}

func TestARuleWithoutAnEnabledCarrierDoesNotDecide(t *testing.T) {
	rules := []Rule{{ID: 1, Shares: to(1)}, {ID: 2, Country: "NO", Shares: to(2)}}
	if got, _ := NewTable(rules, except(2)).Match(Message{Country: "NO"}); got.ID != 1 {
		t.Errorf("rule %d", got.ID)
	}
	if _, found := NewTable(rules, except(1, 2)).Match(Message{Country: "NO"}); found {
		t.Error("a rule without carriers")
	}
}

func TestFallbacksStandBehindTheShares(t *testing.T) {
	r := Rule{Shares: []Share{{1, 1}, {8, 0}, {9, 0}, {2, 1}}}
	for name, c := range map[string]struct {
		usable func(int64) bool
		want   int64
	}{
		"all":               {all, 1},
		"one share left":    {except(1), 2},
		"the first of them": {except(1, 2), 8},
		"the second":        {except(1, 2, 8), 9},
		"none":              {except(1, 2, 8, 9), 0},
	} {
		if got, found := r.Place(0, c.usable); got != c.want || found != (c.want != 0) {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// U12: after any number of turns each carrier has had its part, but for one turn.
func TestWeightsAreKeptToWithinATurn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.IntRange(1, 20), 1, 6).Draw(t, "weights")
		var r Rule
		sum := 0
		for i, w := range weights {
			r.Shares = append(r.Shares, Share{int64(i + 1), w})
			sum += w
		}
		had := make([]int, len(weights)+1)
		for n := range 3 * sum {
			c, _ := r.Place(int64(n), all)
			had[c]++
			for i, w := range weights {
				due := float64(n+1) * float64(w) / float64(sum)
				if math.Abs(due-float64(had[i+1])) >= 1 {
					t.Fatalf("after %d turns carrier %d has had %d of %.2f: weights %v", n+1, i+1, had[i+1], due, weights)
				}
			}
		}
	})
}
