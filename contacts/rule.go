package contacts

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/varsel/varsel/internal/problem"
)

// Rule finds the members of a group: all of its conditions hold for them.
type Rule []Condition

// Condition is one that a contact meets or not. Capital and small letters are
// the same to it.
type Condition struct {
	Field, Op string
	Values    []string // several for OneOf, none for IsEmpty, else one
}

// What a condition can be about.
const (
	FieldDepartment   = "department"
	FieldJobTitle     = "job_title"
	FieldOffice       = "office"
	FieldEmailDomain  = "email_domain"
	FieldLanguage     = "language"
	FieldSource       = "source" // FromDirectory or ByHand
	FieldPhoneCountry = "phone_country"
)

// What a condition can ask.
const (
	Is         = "is"
	IsNot      = "is_not"
	StartsWith = "starts_with"
	Contains   = "contains"
	OneOf      = "one_of"
	IsEmpty    = "empty"
)

// RuleFields and RuleOps are all there are, in the order they are offered.
var (
	RuleFields = []string{FieldDepartment, FieldJobTitle, FieldOffice, FieldEmailDomain, FieldLanguage, FieldSource, FieldPhoneCountry}
	RuleOps    = []string{Is, IsNot, StartsWith, Contains, OneOf, IsEmpty}
)

const (
	mostConditions = 10
	mostValues     = 200
)

// tidied is the rule without spare spaces, or what is wrong with it.
func (r Rule) tidied() (Rule, error) {
	if len(r) == 0 {
		return nil, problem.Invalid("rule", "a rule needs a condition")
	}
	if len(r) > mostConditions {
		return nil, problem.Invalid("rule", "a rule has at most %d conditions", mostConditions)
	}
	clean := make(Rule, len(r))
	for i, c := range r {
		one, err := c.tidied()
		if err != nil {
			return nil, problem.Invalid("rule", "condition %d: %v", i+1, err)
		}
		clean[i] = one
	}
	return clean, nil
}

func (c Condition) tidied() (Condition, error) {
	if !slices.Contains(RuleFields, c.Field) {
		return c, fmt.Errorf("there is no field %q; there are %s", c.Field, strings.Join(RuleFields, ", "))
	}
	if !slices.Contains(RuleOps, c.Op) {
		return c, fmt.Errorf("there is no operator %q; there are %s", c.Op, strings.Join(RuleOps, ", "))
	}
	var values []string
	for _, v := range c.Values {
		if v = oneLine(v); v != "" {
			values = append(values, v)
		}
	}
	c.Values = values
	switch n := len(values); {
	case c.Op == IsEmpty && n > 0:
		return c, fmt.Errorf("%q takes no value", c.Op)
	case c.Op != IsEmpty && n == 0:
		return c, fmt.Errorf("%q needs a value", c.Op)
	case c.Op != OneOf && n > 1:
		return c, fmt.Errorf("%q takes one value", c.Op)
	case n > mostValues:
		return c, fmt.Errorf("at most %d values", mostValues)
	}
	return c, nil
}

// folded is the rule as it is compared: the databases disagree about what a
// small letter is beyond ASCII, so contacts are compared here.
func (r Rule) folded() Rule {
	all := make(Rule, len(r))
	for i, c := range r {
		all[i] = Condition{Field: c.Field, Op: c.Op}
		for _, v := range c.Values {
			all[i].Values = append(all[i].Values, fold(v))
		}
	}
	return all
}

func fold(s string) string { return strings.ToLower(s) }

// holds is asked of a folded rule.
func (r Rule) holds(c Contact) bool {
	for _, one := range r {
		if !one.holds(fold(one.of(c))) {
			return false
		}
	}
	return len(r) > 0
}

func (c Condition) of(who Contact) string {
	switch c.Field {
	case FieldDepartment:
		return who.Department
	case FieldJobTitle:
		return who.JobTitle
	case FieldOffice:
		return who.Office
	case FieldEmailDomain:
		return who.Email[strings.LastIndexByte(who.Email, '@')+1:]
	case FieldLanguage:
		return who.Language
	case FieldSource:
		return who.Source
	}
	return who.Phone.Country
}

func (c Condition) holds(value string) bool {
	switch c.Op {
	case IsEmpty:
		return value == ""
	case IsNot:
		return value != c.Values[0]
	case StartsWith:
		return strings.HasPrefix(value, c.Values[0])
	case Contains:
		return strings.Contains(value, c.Values[0])
	}
	return slices.Contains(c.Values, value) // Is, OneOf
}

func parseRule(text string) (Rule, error) {
	if text == "" {
		return nil, nil
	}
	var r Rule
	err := json.Unmarshal([]byte(text), &r)
	return r, err
}

// AddRuleGroup makes a group whose members are found by a rule, now and whenever
// contacts change.
func (b *Book) AddRuleGroup(ctx context.Context, account int64, name string, r Rule) (Group, error) {
	r, err := r.tidied()
	if err != nil {
		return Group{}, err
	}
	if name, err = groupName(name); err != nil {
		return Group{}, err
	}
	id, err := b.db.NewIDs(ctx, 1)
	if err != nil {
		return Group{}, err
	}
	if err := b.draftGroup(ctx, account, id, name); err != nil {
		return Group{}, err
	}
	if err := b.storeRule(ctx, account, id, r); err != nil {
		return Group{}, err
	}
	return b.published(ctx, account, id)
}

// published shows a group that has a rule, with its members.
func (b *Book) published(ctx context.Context, account, id int64) (Group, error) {
	if err := b.setGroupState(ctx, account, id, stateActive); err != nil {
		return Group{}, err
	}
	if _, err := b.ApplyRules(ctx, account); err != nil {
		return Group{}, err
	}
	return b.Group(ctx, account, id)
}

// SetRule gives a group with a rule another one. A group whose members are named
// stays one.
func (b *Book) SetRule(ctx context.Context, account, id int64, r Rule) (Group, error) {
	g, err := b.ownGroup(ctx, account, id)
	if err != nil {
		return g, err
	}
	if len(g.Rule) == 0 {
		return g, problem.Conflict("listed_group", "the members of %q are named one by one: a rule would take them out", g.Name)
	}
	if r, err = r.tidied(); err != nil {
		return g, err
	}
	if err := b.storeRule(ctx, account, id, r); err != nil {
		return g, err
	}
	return b.published(ctx, account, id)
}

// PreviewRule counts who would be in a group with that rule.
func (b *Book) PreviewRule(ctx context.Context, account int64, r Rule) (members, textable int, err error) {
	if r, err = r.tidied(); err != nil {
		return 0, 0, err
	}
	r = r.folded()
	err = b.eachPage(ctx, account, func(page []Contact, _, _ int64) error {
		for _, c := range page {
			if !r.holds(c) {
				continue
			}
			members++
			if c.Phone.E164 != "" {
				textable++
			}
		}
		return nil
	})
	return members, textable, err
}

// ApplyRules makes the members of every group with a rule those that meet it,
// writing only what differs. It is due after every sync; what the address book
// changes itself it follows up by itself.
func (b *Book) ApplyRules(ctx context.Context, account int64) (Applied, error) {
	var done Applied
	rules, err := b.rules(ctx, account)
	if err != nil || len(rules) == 0 {
		return done, err
	}
	err = b.eachPage(ctx, account, func(page []Contact, after, last int64) error {
		return b.applyTo(ctx, account, rules, page, after, last, &done)
	})
	if err != nil {
		return done, fmt.Errorf("apply the rules of groups: %w", err)
	}
	return done, nil
}

func (b *Book) applyRulesTo(ctx context.Context, account int64, c Contact) error {
	rules, err := b.rules(ctx, account)
	if err != nil || len(rules) == 0 {
		return err
	}
	var done Applied
	return b.applyTo(ctx, account, rules, []Contact{c}, c.ID-1, c.ID, &done)
}

// groupRule is a group's rule, folded.
type groupRule struct {
	group int64
	rule  Rule
}

// applyTo puts the contacts after one id up to another where they belong; page
// is all of these.
func (b *Book) applyTo(ctx context.Context, account int64, rules []groupRule, page []Contact, after, last int64, done *Applied) error {
	for _, g := range rules {
		var want []int64
		for _, c := range page {
			if g.rule.holds(c) {
				want = append(want, c.ID)
			}
		}
		have, err := b.membersBetween(ctx, g.group, after, last)
		if err != nil {
			return err
		}
		joined, ended := difference(want, have)
		if err := b.join(ctx, account, membersOf(g.group, joined)); err != nil {
			return err
		}
		if err := b.leave(ctx, membersOf(g.group, ended)); err != nil {
			return err
		}
		done.Added += len(joined)
		done.Removed += len(ended)
	}
	return nil
}
