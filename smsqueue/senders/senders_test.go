package senders

import (
	"slices"
	"testing"
	"time"
)

func TestWhatCountriesAskOfASender(t *testing.T) {
	before, after := day(2026, time.September, 14), day(2026, time.September, 15)
	for _, c := range []struct {
		country, sender string
		now             time.Time
		want            Demand
	}{
		{"NO", "ACME", after, None},
		{"US", "ACME", before, Number},
		{"CA", "A1 Shop", after, Number},
		{"US", "+14155550100", after, None},
		{"US", "22395", after, None},
		{"ES", "ACME", before, None},
		{"ES", "ACME", after, Registered},
		{"ES", "34600000000", after, None},
		{"AU", "ACME", before, Registered},
		{"FR", "ACME", after, None},
		{"GB", "ACME", after, None},
		{"", "ACME", after, None},
	} {
		if got := Of(c.country, c.sender, c.now); got != c.want {
			t.Errorf("%s to %s on %s: %q, want %q", c.sender, c.country, c.now.Format(time.DateOnly), got, c.want)
		}
	}
}

func TestEveryRuleSaysWhereItIsFrom(t *testing.T) {
	if !slices.IsSortedFunc(rules, func(a, b Rule) int { return slices.Compare([]byte(a.Country), []byte(b.Country)) }) {
		t.Error("they are looked up in their order")
	}
	for _, r := range Rules() {
		if len(r.Country) != 2 || r.Demand == None || r.Source == "" || r.Checked.IsZero() {
			t.Errorf("%+v", r)
		}
	}
}
