package directory

import (
	"context"
	"errors"

	"github.com/varsel/varsel/internal/problem"
)

// round reads the changes of people, or of groups, into the mirror.
type round struct {
	name string // in delta_links
	page func(ctx context.Context, link string) (Page, error)
	// put stores the page's items, and in its last transaction also does last.
	put func(ctx context.Context, items []Item, mark int64, last step) error
	// sweep ends what a full round with that mark did not meet.
	sweep func(ctx context.Context, mark int64) error
}

// cursor is where a round goes on. mark is not 0 in a full round, which an empty
// link begins.
type cursor struct {
	link string
	mark int64
}

// restarts is how often a link may be too old before the run gives up.
const restarts = 3

// read reads the round to its end. A crash, or a failure, repeats a page but
// never skips one, because the cursor is stored with the page. When the link is
// too old the round begins anew as a full one.
func (s *syncing) read(ctx context.Context, r round) error {
	at, err := s.cursor(ctx, r.name)
	if err != nil {
		return err
	}
	if at.link == "" {
		if at, err = s.beginning(ctx); err != nil {
			return err
		}
	}
	for restarted := 0; ; {
		page, err := r.page(ctx, at.link)
		if errors.Is(err, ErrExpired) && at.link != "" && restarted < restarts {
			restarted++
			if at, err = s.beginning(ctx); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		if at, err = s.take(ctx, r, page, at); err != nil || page.Delta != "" {
			return err
		}
	}
}

func (s *syncing) beginning(ctx context.Context) (cursor, error) {
	mark, err := s.db.NewIDs(ctx, 1)
	return cursor{mark: mark}, err
}

// take stores a page and answers where the round goes on. The last page of a
// full round is swept after before its cursor is stored, so that a crash in
// between sweeps again.
func (s *syncing) take(ctx context.Context, r round, page Page, at cursor) (cursor, error) {
	next := cursor{link: page.Next, mark: at.mark}
	switch {
	case page.Delta != "":
		next = cursor{link: page.Delta}
	case page.Next == "" || page.Next == at.link:
		return at, problem.New(problem.KindUnavailable, "directory_answer", "the directory's answer does not say where its next page is")
	}
	save := s.saveCursor(r.name, next)
	if next.mark == 0 && at.mark != 0 {
		if err := r.put(ctx, page.Items, at.mark, s.count(len(page.Items))); err != nil {
			return at, err
		}
		if err := r.sweep(ctx, at.mark); err != nil {
			return at, err
		}
		return next, s.inRun(ctx, save)
	}
	return next, r.put(ctx, page.Items, at.mark, both(s.count(len(page.Items)), save))
}
