package smsqueue

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/nyaruka/phonenumbers"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// Rule says which carriers take the messages that it matches. Of several that match
// the most specific one decides: an account's own before everybody's, then the
// longest prefix, a country, a sender, a lane. An empty field is any.
type Rule struct {
	ID      int64
	Account string // its handle
	Country string // ISO 3166-1 alpha-2, of the number that is texted
	Prefix  string // the beginning of that number in E.164, with the leading +
	Lane    Lane
	Sender  string
	// Shares are the carriers in their order. Those with a weight divide the messages
	// between them; those without take what none of these can, the first first.
	Shares  []RuleShare
	Created time.Time
}

// RuleShare is a carrier and its part of a rule's messages.
type RuleShare struct {
	Carrier string
	Weight  int // 0 for a fallback
}

const (
	maxRuleShares = 10
	maxWeight     = 100
)

var rulePrefix = regexp.MustCompile(`^\+[1-9][0-9]{0,14}$`)

// AddRule makes a rule, which holds for what is accepted and expanded from now on.
func (q *Queue) AddRule(ctx context.Context, r Rule) (Rule, error) {
	r.Country, r.Prefix, r.Sender = strings.ToUpper(strings.TrimSpace(r.Country)), plainNumber(r.Prefix), strings.TrimSpace(r.Sender)
	if err := r.validate(); err != nil {
		return Rule{}, err
	}
	var account int64
	if r.Account != "" {
		a, err := q.accounts.ByHandle(ctx, r.Account)
		if err != nil {
			return Rule{}, err
		}
		account = a.ID
	}
	ids := make([]int64, len(r.Shares))
	for i, s := range r.Shares {
		one, err := q.Route(ctx, s.Carrier)
		if err != nil {
			return Rule{}, err
		}
		ids[i] = one.ID
	}
	var err error
	if r.ID, err = q.db.NewIDs(ctx, 1); err != nil {
		return Rule{}, err
	}
	r.Created = time.Now()
	err = q.db.InTx(ctx, func(tx *db.Tx) error { return insertRule(ctx, tx, r, account, ids) })
	if db.IsDuplicate(err) {
		return Rule{}, problem.Conflict("rule_exists", "there is a rule for exactly that already: remove it first (varsel route list)")
	}
	return r, err
}

func (r Rule) validate() error {
	if r.Country != "" && (len(r.Country) != 2 || phonenumbers.GetCountryCodeForRegion(r.Country) == 0) {
		return problem.Invalid("country", "%q is no country code such as NO", r.Country)
	}
	if r.Prefix != "" && !rulePrefix.MatchString(r.Prefix) {
		return problem.Invalid("prefix", "a prefix is + and the first digits of a number with its country code, not %q", r.Prefix)
	}
	if r.Lane != "" && !slices.Contains(Lanes, r.Lane) {
		return problem.Invalid("lane", "a lane is urgent, normal or bulk, not %q", r.Lane)
	}
	if err := accounts.ValidSender(r.Sender); err != nil {
		return err
	}
	if len(r.Shares) == 0 || len(r.Shares) > maxRuleShares {
		return problem.Invalid("carriers", "a rule names 1 to %d carriers", maxRuleShares)
	}
	weighted := false
	for i, s := range r.Shares {
		if s.Weight < 0 || s.Weight > maxWeight {
			return problem.Invalid("carriers", "the weight of %s is 1 to %d, or 0 for a fallback", s.Carrier, maxWeight)
		}
		if slices.ContainsFunc(r.Shares[:i], func(o RuleShare) bool { return o.Carrier == s.Carrier }) {
			return problem.Invalid("carriers", "the rule names %s twice", s.Carrier)
		}
		weighted = weighted || s.Weight > 0
	}
	if !weighted {
		return problem.Invalid("carriers", "one carrier at least is no fallback")
	}
	return nil
}

// RouteRules lists the rules of the installation in the order they were added.
func (q *Queue) RouteRules(ctx context.Context) ([]Rule, error) { return selectShownRules(ctx, q.db) }

// RemoveRule forgets a rule. What it has placed stays where it is.
func (q *Queue) RemoveRule(ctx context.Context, id int64) error {
	return q.db.InTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM route_targets WHERE rule_id = $1`, id); err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, `DELETE FROM route_rules WHERE id = $1`, id)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return problem.New(problem.KindNotFound, "rule_not_found", "there is no such rule")
	})
}
