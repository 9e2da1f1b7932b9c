package directory

import (
	"context"

	"github.com/varsel/varsel/internal/problem"
)

// allowed refuses an account without a concluded agreement, and one whose plan has no
// directories (Q3). It comes before anything is asked of a directory, and before what
// one writes is taken.
func (d *Directory) allowed(ctx context.Context, account int64) error {
	if err := d.gate(ctx, account); err != nil {
		return err
	}
	return d.planned(ctx, account)
}

func (d *Directory) planned(ctx context.Context, account int64) error {
	if d.plan == nil {
		return nil
	}
	return d.plan(ctx, account)
}

// Suspended is why an account's directories are not followed though they are
// connected: its plan does not include them, or its invoices are unpaid. Nothing is
// deleted, and once that is mended they are followed again. It is nil when they are not
// suspended.
func (d *Directory) Suspended(ctx context.Context, account int64) (*problem.Problem, error) {
	err := d.planned(ctx, account)
	if p := problem.As(err); p != nil {
		return p, nil
	}
	return nil, err
}

// suspensions remembers who is suspended while several connections are looked at.
type suspensions struct {
	*Directory
	known map[int64]bool
}

func (s suspensions) of(ctx context.Context, account int64) (bool, error) {
	if is, ok := s.known[account]; ok {
		return is, nil
	}
	p, err := s.Suspended(ctx, account)
	s.known[account] = p != nil
	return p != nil, err
}
