// Package routing says which carrier takes a message: by the operator's rules, of
// which the most specific one that matches decides, and by the weights of its
// carriers. It knows nothing of databases and links.
package routing

import (
	"cmp"
	"slices"
	"strings"
)

// Message is what a rule looks at.
type Message struct {
	Account int64
	Phone   string // E.164, with the leading +
	Country string // ISO 3166-1 alpha-2, of the phone number
	Lane    string
	Sender  string
}

// Rule names the carriers of the messages that it matches. A zero value matches any.
type Rule struct {
	ID      int64
	Account int64
	Country string // ISO 3166-1 alpha-2
	Prefix  string // the beginning of an E.164 number, with the leading +
	Lane    string
	Sender  string
	// Shares are the carriers that divide the messages between them. Those of
	// weight 0 take none while any other can: they are fallbacks, in their order.
	Shares []Share
}

// Share is a carrier and its part of a rule's messages.
type Share struct {
	Carrier int64
	Weight  int
}

// Matches says whether everything that the rule names is so of the message.
func (r Rule) Matches(m Message) bool {
	return (r.Account == 0 || r.Account == m.Account) &&
		strings.HasPrefix(m.Phone, r.Prefix) &&
		(r.Country == "" || r.Country == m.Country) &&
		(r.Lane == "" || r.Lane == m.Lane) &&
		(r.Sender == "" || r.Sender == m.Sender)
}

// Weighted says whether carriers divide the rule's messages.
func (r Rule) Weighted() bool {
	n := 0
	for _, s := range r.Shares {
		if s.Weight > 0 {
			n++
		}
	}
	return n > 1
}

// Table is rules, the most specific first, of which the first that matches decides.
type Table []Rule

// NewTable orders rules: an account's own before everybody's; then the longer
// prefix, a country before none, a sender before none, a lane before none, and the
// older rule. What a rule says of carriers that are not enabled is left out, and
// with the last of them the rule: then a less specific one decides.
func NewTable(rules []Rule, enabled func(carrier int64) bool) Table {
	var t Table
	for _, r := range rules {
		r.Shares = slices.DeleteFunc(slices.Clone(r.Shares), func(s Share) bool { return !enabled(s.Carrier) })
		if len(r.Shares) > 0 {
			t = append(t, r)
		}
	}
	slices.SortFunc(t, func(a, b Rule) int {
		return cmp.Or(
			named(b.Account != 0)-named(a.Account != 0),
			len(b.Prefix)-len(a.Prefix),
			named(b.Country != "")-named(a.Country != ""),
			named(b.Sender != "")-named(a.Sender != ""),
			named(b.Lane != "")-named(a.Lane != ""),
			cmp.Compare(a.ID, b.ID),
		)
	})
	return t
}

func named(is bool) int {
	if is {
		return 1
	}
	return 0
}

// Match finds the rule that decides about a message.
func (t Table) Match(m Message) (Rule, bool) {
	for _, r := range t {
		if r.Matches(m) {
			return r, true
		}
	}
	return Rule{}, false
}

// Rule finds a rule by its id.
func (t Table) Rule(id int64) (Rule, bool) {
	i := slices.IndexFunc(t, func(r Rule) bool { return r.ID == id })
	if i < 0 {
		return Rule{}, false
	}
	return t[i], true
}

// Place is the carrier of the rule's nth turn, of those that are usable: in the
// proportion of their weights, or where none of those is usable the first fallback
// that is.
func (r Rule) Place(n int64, usable func(carrier int64) bool) (carrier int64, found bool) {
	var shares []Share
	var fallback int64
	for _, s := range r.Shares {
		switch {
		case !usable(s.Carrier):
		case s.Weight > 0:
			shares = append(shares, s)
		case !found:
			fallback, found = s.Carrier, true
		}
	}
	if len(shares) == 0 {
		return fallback, found
	}
	return spread(shares, n), true
}

// spread deals turns out by weight. The jth turn of a carrier of weight w, of W in
// all, lies between floor(jW/w) and ceil((j+1)W/w), and of those that may have
// theirs the one that has to have it soonest does: so after any number of turns
// each has had its proportion, but for less than one.
func spread(shares []Share, n int64) int64 {
	var all int64
	for _, s := range shares {
		all += int64(s.Weight)
	}
	had := make([]int64, len(shares))
	for turn := int64(0); ; turn++ {
		next, soonest := 0, int64(-1)
		for i, s := range shares {
			w := int64(s.Weight)
			from, to := had[i]*all/w, ((had[i]+1)*all+w-1)/w
			if from <= turn && (soonest < 0 || to < soonest) {
				next, soonest = i, to
			}
		}
		if turn == n%all {
			return shares[next].Carrier
		}
		had[next]++
	}
}
