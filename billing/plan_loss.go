package billing

import (
	"context"
	"slices"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// Loss is what accounts lose when their plan is changed.
type Loss struct {
	Capabilities []string
	Accounts     int // that are on the plan now
}

// LossOf is what would be lost if the plan with that name, if there is one, included just
// those capabilities.
func (p *Plans) LossOf(ctx context.Context, name string, capabilities []string) (l Loss, err error) {
	before, err := p.ByName(ctx, name)
	if problem.Has(err, "plan_not_found") {
		return l, nil
	}
	if err != nil {
		return l, err
	}
	l.Capabilities = slices.DeleteFunc(before.Capabilities, func(c string) bool { return slices.Contains(capabilities, c) })
	if len(l.Capabilities) == 0 {
		return l, nil
	}
	err = p.db.QueryRowContext(ctx, `
		SELECT COUNT(*) FROM accounts a`+planOfAccount+`
		WHERE p.id = $1 AND a.state = 'active'`, before.ID, db.Millis(p.now())).Scan(&l.Accounts)
	return l, err
}
