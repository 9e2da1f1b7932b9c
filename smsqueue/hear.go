package smsqueue

import (
	"context"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/smsqueue/carriers"
)

// Hear takes what a provider posts to the CallbackURL that ends in token. When
// it answers, what the provider told is stored. A problem of kind not found is
// an address of no carrier, one of kind forbidden a callback of somebody else.
func (q *Queue) Hear(ctx context.Context, token string, c carriers.Callback) (carriers.Heard, error) {
	var none carriers.Heard
	r, err := routeByToken(ctx, q.db, token)
	if err != nil {
		return none, err
	}
	t, config, err := q.configOf(ctx, r)
	if err != nil {
		return none, err
	}
	if t.Hear == nil {
		return none, errNoCallback
	}
	heard, err := t.Hear(config, c)
	if err != nil {
		return none, problem.New(problem.KindForbidden, "callback_refused", "the carrier %s does not take this callback: %v", r.Name, err)
	}
	batch := make([]*receipt, len(heard.Receipts))
	for i, one := range heard.Receipts {
		batch[i] = &receipt{Receipt: one, key: idKey(one.ID)}
	}
	if err := q.keepReceipts(ctx, r.ID, batch, nil); err != nil {
		return none, err
	}
	arrived := make([]*arrival, len(heard.Inbound))
	for i, one := range heard.Inbound {
		arrived[i] = arrivalFrom(r.ID, one, nil)
	}
	return heard, q.keepArrivals(ctx, arrived)
}

var errNoCallback = problem.New(problem.KindNotFound, "callback_not_found", "no carrier has this address")
