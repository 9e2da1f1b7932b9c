package accounts

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"
)

// SubProcessor is somebody else who processes the customers' data, in the wording
// that is in force. Controllers have the name, address and contact person of every
// one in the whole chain at all times (EDPB Opinion 22/2024, paras 28-32).
type SubProcessor struct {
	ID       int64
	Name     string
	Address  string
	Contact  string    // a person or office, and how they are reached
	Service  string    // what it does for us
	Data     string    // which personal data it has
	Country  string    // where it processes: ISO 3166 alpha-2
	Transfer string    // what allows it in a third country: "Standard contractual clauses 2021/914"; empty within the EEA
	Parent   int64     // the sub-processor that engages it; 0: we do
	Since    time.Time // when it came on the list
	Excluded bool      // it is not engaged for the account that is asked about
}

// SubProcessors lists those in force now, by name.
func (a *Accounts) SubProcessors(ctx context.Context) ([]SubProcessor, error) {
	return a.SubProcessorsAt(ctx, a.clock())
}

// SubProcessorsAt lists those that were in force at a time, or will be as far as is
// announced.
func (a *Accounts) SubProcessorsAt(ctx context.Context, at time.Time) ([]SubProcessor, error) {
	all, err := a.notices(ctx, a.db)
	return listAt(all, at), err
}

// SubProcessorsFor is the list at a time as it stands for an account, which may have
// objected to some.
func (a *Accounts) SubProcessorsFor(ctx context.Context, account int64, at time.Time) ([]SubProcessor, error) {
	list, err := a.SubProcessorsAt(ctx, at)
	if err != nil {
		return nil, err
	}
	without, err := a.notEngaged(ctx, account)
	for i := range list {
		list[i].Excluded = slices.Contains(without, list[i].ID)
	}
	return list, err
}

// listAt is what notices, in the order of their versions, make the list at a time.
func listAt(all []SubProcessorNotice, at time.Time) []SubProcessor {
	inOrder := slices.Clone(all)
	slices.SortStableFunc(inOrder, func(x, y SubProcessorNotice) int { return x.Effective.Compare(y.Effective) })
	list := map[int64]SubProcessor{}
	for _, n := range inOrder {
		if n.Effective.After(at) || n.WithdrawnBy != 0 {
			continue
		}
		p := n.SubProcessor
		before, there := list[p.ID]
		switch {
		case n.Kind == NoticeAdd:
			p.Since = n.Effective
			list[p.ID] = p
		case n.Kind == NoticeChange && there:
			p.Since = before.Since
			list[p.ID] = p
		case n.Kind == NoticeRemove:
			delete(list, p.ID)
		}
	}
	return slices.SortedFunc(maps.Values(list), func(x, y SubProcessor) int {
		return cmp.Or(cmp.Compare(strings.ToLower(x.Name), strings.ToLower(y.Name)), cmp.Compare(x.ID, y.ID))
	})
}
