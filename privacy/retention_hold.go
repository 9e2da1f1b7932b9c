package privacy

import (
	"context"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

// Hold keeps an account's data, as when a court may ask for it: nothing is removed
// after its time, nor at the account's end, until it is lifted.
type Hold struct {
	ID      int64
	Account int64  // 0: all accounts
	Class   string // empty: all classes
	Reason  string
	Since   time.Time
}

// Hold begins one.
func (d *Desk) Hold(ctx context.Context, account int64, class, reason string) (Hold, error) {
	h := Hold{Account: account, Class: class, Reason: strings.TrimSpace(reason), Since: time.Now()}
	if class != "" {
		c, err := classNamed(class)
		if err != nil {
			return h, err
		}
		if c.Fixed() {
			return h, problem.Conflict("retention_fixed", "%s are kept for %d hours, whatever anybody says", class, c.Hours)
		}
	}
	if h.Reason == "" || len(h.Reason) > 500 {
		return h, problem.Invalid("reason", "a hold needs a reason, of 500 bytes at the most")
	}
	var err error
	if h.ID, err = d.parts.DB.NewIDs(ctx, 1); err != nil {
		return h, err
	}
	return h, d.inTx(ctx, audit.Entry{Account: account, Action: "retention.held", Subject: secrets.Hold, SubjectID: h.ID,
		Facts: map[string]any{"class": class}, Detail: map[string]any{"reason": h.Reason}},
		func(tx tx) error { return insertHold(ctx, tx, h) })
}

// Holds are those that keep an account's data, of all accounts too.
func (d *Desk) Holds(ctx context.Context, account int64) ([]Hold, error) {
	return selectHolds(ctx, d.parts.DB, account)
}

// LiftHold ends a hold of the account; what is too old by then goes with the next run.
func (d *Desk) LiftHold(ctx context.Context, account, id int64) error {
	return d.inTx(ctx, audit.Entry{Account: account, Action: "retention.hold_lifted", Subject: secrets.Hold, SubjectID: id},
		func(tx tx) error {
			lifted, err := liftHold(ctx, tx, account, id, time.Now())
			if err == nil && !lifted {
				err = problem.New(problem.KindNotFound, "hold_not_found", "the account has no such hold")
			}
			return err
		})
}
