package api

import (
	"context"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

// cardGrouping is how the people of a directory are put into groups of cards.
type cardGrouping struct {
	Method   string       `json:"method" enum:"all,fields,filters" doc:"All in one group, a group for each combination of what the fields say, or one for each filter."`
	Fields   []string     `json:"fields,omitempty" maxItems:"3" doc:"Of the method fields: properties of people in the directory." example:"[\"department\"]"`
	Filters  []cardFilter `json:"filters,omitempty" maxItems:"50" doc:"Of the method filters: who fits several is in the first."`
	Minors   bool         `json:"minors,omitempty" doc:"Who is marked as a minor has a card too."`
	Template string       `json:"template,omitempty" readOnly:"true" doc:"What groups show that are yet to come: ctp_..."`
}

type cardFilter struct {
	ID         string           `json:"id,omitempty" doc:"As it was answered; a filter without one is new, and begins a group."`
	Name       string           `json:"name" maxLength:"100" doc:"What its group is called."`
	Conditions []scopeCondition `json:"conditions,omitempty" doc:"All of them are to be fulfilled; without any, everybody who is left is in the group."`
}

func (s Services) cardGrouping(g cards.Grouping) *answer[cardGrouping] {
	out := cardGrouping{Method: string(g.Method), Fields: g.Fields, Minors: g.Minors}
	if g.Template != 0 {
		out.Template = s.Names.Of(secrets.CardTemplate, g.Template)
	}
	for _, f := range g.Filters {
		one := cardFilter{ID: f.ID, Name: f.Name}
		for _, c := range f.Conditions {
			one.Conditions = append(one.Conditions, scopeCondition(c))
		}
		out.Filters = append(out.Filters, one)
	}
	return &answer[cardGrouping]{Body: out}
}

func (g cardGrouping) grouping(tenant string) cards.Grouping {
	out := cards.Grouping{Tenant: tenant, Method: cards.Method(g.Method), Fields: g.Fields, Minors: g.Minors}
	for _, f := range g.Filters {
		one := cards.Filter{ID: f.ID, Name: f.Name}
		for _, c := range f.Conditions {
			one.Conditions = append(one.Conditions, directory.Condition(c))
		}
		out.Filters = append(out.Filters, one)
	}
	return out
}

func (s Services) readCardGrouping(ctx context.Context, in *ofTenant) (*answer[cardGrouping], error) {
	g, err := s.Cards.Grouping(ctx, accountOf(ctx), in.Tenant)
	if err != nil {
		return nil, err
	}
	return s.cardGrouping(g), nil
}

type setCardGrouping struct {
	Tenant  string `query:"tenant" required:"true" minLength:"1" maxLength:"200" doc:"Of the directory." example:"contoso.onmicrosoft.com"`
	Confirm string `query:"confirm" maxLength:"20" doc:"For another method than before: the number of cards that it deletes, as card_regrouping states it."`
	Body    cardGrouping
}

// setCardGrouping is locked until the directory has been read from end to end, as the
// page is.
func (s Services) setCardGrouping(ctx context.Context, in *setCardGrouping) (*answer[cardGrouping], error) {
	analysed, err := s.analysed(ctx, in.Tenant)
	if err != nil {
		return nil, err
	}
	if !analysed {
		return nil, problem.Conflict("card_grouping_locked", "the directory is still being analysed")
	}
	g, err := s.Cards.SaveGrouping(ctx, accountOf(ctx), in.Body.grouping(in.Tenant), in.Confirm)
	if err != nil {
		return nil, err
	}
	return s.cardGrouping(g), nil
}

func (s Services) analysed(ctx context.Context, tenant string) (bool, error) {
	all, err := s.Directory.Connections(ctx, accountOf(ctx))
	if err != nil {
		return false, err
	}
	known := false
	for _, one := range all {
		if one.Tenant != tenant {
			continue
		}
		if known = true; !one.SucceededAt.IsZero() {
			return true, nil
		}
		_, done, err := s.Directory.LatestDone(ctx, one.Account, one.ID, directory.Preview)
		if err != nil || done {
			return done, err
		}
	}
	if !known {
		return false, problem.NotFound("connection", "")
	}
	return false, nil
}
