package directory

import (
	"context"
	"errors"
	"sync"

	"github.com/varsel/varsel/internal/problem"
)

// round reads the changes of people, or of groups, into the mirror.
type round struct {
	name string // in delta_links
	page func(ctx context.Context, link string) (Page, error)
	// put stores the page's items and answers how many of them the round had not
	// met; in its last transaction it also does last.
	put func(ctx context.Context, items []Item, at cursor, last func(met int) step) error
	// sweep ends what a full round with that mark did not meet.
	sweep func(ctx context.Context, mark int64) error
}

// cursor is where a round goes on.
type cursor struct {
	link  string // empty begins a full round
	mark  int64  // of the round; 0 between two
	whole bool   // it is a full round
	met   int    // objects so far
}

// restarts is how often a link may be too old before the run gives up.
const restarts = 3

// read reads the round to its end. A crash, or a failure, repeats pages but never
// skips one, because the cursor is stored with them. When the link is too old the
// round begins anew as a full one.
func (s *syncing) read(ctx context.Context, r round) error {
	at, err := s.cursor(ctx, r.name)
	if err != nil {
		return err
	}
	// One without a link stopped before its first page was stored: what it met by
	// then may be gone by now, so it does not count as met.
	if at.mark == 0 || at.link == "" {
		if at, err = s.begins(ctx, r.name, at.link); err != nil {
			return err
		}
	}
	for restarted := 0; ; restarted++ {
		at, err = s.readFrom(ctx, r, at)
		if !errors.Is(err, ErrExpired) || at.link == "" || restarted == restarts {
			return err
		}
		if at, err = s.begins(ctx, r.name, ""); err != nil {
			return err
		}
	}
}

// readFrom reads pages from a cursor on and answers where it stopped. While some
// are stored the next are on their way: what has come meanwhile is stored in one
// go.
func (s *syncing) readFrom(ctx context.Context, r round, at cursor) (cursor, error) {
	ctx, stop := context.WithCancel(ctx)
	pages := make(chan fetched, pagesAhead)
	var reading sync.WaitGroup
	reading.Go(func() { s.fetch(ctx, r, at.link, pages) })
	defer reading.Wait()
	defer stop()
	for {
		page, failure := together(pages)
		if page.Next+page.Delta != "" {
			next, err := s.take(ctx, r, page, at)
			if err != nil {
				return at, err
			}
			at = next
		}
		switch {
		case failure != nil || page.Delta != "":
			return at, failure
		case page.Next == "":
			return at, ctx.Err() // the reading was stopped
		}
	}
}

const (
	pagesAhead = 8
	// togetherAtMost is how many objects and memberships are stored in one go.
	togetherAtMost = 4000
)

// fetched is a page, or why there is none.
type fetched struct {
	Page
	err error
}

// fetch asks for page after page until the last, a failure, or nobody wants more.
func (s *syncing) fetch(ctx context.Context, r round, link string, pages chan<- fetched) {
	defer close(pages)
	for {
		page, err := s.ask(ctx, r, link)
		if err == nil && page.Delta == "" && (page.Next == "" || page.Next == link) {
			err = problem.New(problem.KindUnavailable, "directory_answer", "the directory's answer does not say where its next page is")
		}
		select {
		case pages <- fetched{page, err}:
		case <-ctx.Done():
			return
		}
		if link = page.Next; err != nil || page.Delta != "" {
			return
		}
	}
}

// together waits for a page and adds those that are there already. A failure
// comes after the pages before it.
func together(pages <-chan fetched) (all Page, failure error) {
	next, more := <-pages
	for size := 0; more; {
		if next.err != nil {
			return all, next.err
		}
		all.Items = append(all.Items, next.Items...)
		all.Next, all.Delta = next.Next, next.Delta
		if size += next.size(); size >= togetherAtMost {
			return all, nil
		}
		select {
		case next, more = <-pages:
		default:
			return all, nil
		}
	}
	return all, nil
}

func (p Page) size() int {
	n := len(p.Items)
	for _, it := range p.Items {
		n += len(it.Members)
	}
	return n
}

// begins a round of changes, or a full one for an empty link. That a full one has
// begun is written down before its first page: what it meets has its mark, and
// the end of an earlier one, gone on with after a crash, would sweep that.
func (s *syncing) begins(ctx context.Context, round, link string) (cursor, error) {
	mark, err := s.db.NewIDs(ctx, 1)
	at := cursor{link: link, mark: mark, whole: link == ""}
	if err != nil || !at.whole {
		return at, err
	}
	return at, s.inRun(ctx, s.saveCursor(round, at))
}

// ask signs in anew, once, when the directory does not accept our sign-in any
// more: a token lives for an hour, or until somebody revokes it.
func (s *syncing) ask(ctx context.Context, r round, link string) (Page, error) {
	page, err := r.page(ctx, link)
	if !errors.Is(err, ErrNotSignedIn) {
		return page, err
	}
	if err := s.open(); err != nil {
		return page, err
	}
	return r.page(ctx, link)
}

// take stores a page and answers where the round goes on. The last page of a
// full round is swept after before its cursor is stored, so that a crash in
// between sweeps again.
func (s *syncing) take(ctx context.Context, r round, page Page, at cursor) (cursor, error) {
	if at.whole && r.name == peopleName {
		if err := CheckNamed(page.Items); err != nil {
			return at, err
		}
	}
	next := at
	if next.link = page.Next; page.Delta != "" {
		next = cursor{link: page.Delta}
	}
	swept := at.whole && page.Delta != ""
	err := r.put(ctx, page.Items, at, func(met int) step {
		next.met = at.met + met
		if swept {
			return s.count(next.met)
		}
		return both(s.count(next.met), s.saveCursor(r.name, next))
	})
	if err != nil || !swept {
		return next, err
	}
	if err := r.sweep(ctx, at.mark); err != nil {
		return next, err
	}
	return next, s.inRun(ctx, s.saveCursor(r.name, next))
}

// errNothingNamed is for a directory that names nobody: to an app that may not
// read people, Microsoft Graph tells that they are there and nothing else, as if
// all were well. Everybody has a name, so a page of a full round has one.
var errNothingNamed = problem.New(problem.KindConflict, "directory_names",
	"the directory tells that there are people, but not their names: grant the app the application permission User.Read.All and admin consent in Entra")

// CheckNamed refuses people of whom the directory tells nothing but their ids.
func CheckNamed(people []Item) error {
	there := 0
	for _, it := range people {
		if it.Removed {
			continue
		}
		there++
		for _, name := range []string{"displayName", "mail", "mobilePhone", "businessPhones", "userType", "accountEnabled"} {
			if said, ok := it.Fields[name]; ok && string(said) != "null" {
				return nil
			}
		}
	}
	if there == 0 {
		return nil
	}
	return errNothingNamed
}
