package directory

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/problem"
)

// The brake keeps people in the address book when a directory seems to lose too
// many at once: a wrong filter, a lost permission, a careless script. So many
// removals and lost numbers in so long a time are let through; what goes beyond
// is held until somebody approves it, while everything else goes on.
const (
	brakeFloor  = 10
	brakeShare  = 10 // one in
	brakeWindow = 24 * time.Hour
)

// brake decides for one run.
type brake struct {
	*syncing
	held map[string]string // loss, by object id
}

// hold answers who stays as they are. A loss that was approved neither counts
// nor is held.
func (b *brake) hold(ctx context.Context, people int, losses []contacts.Loss) (map[string]bool, error) {
	approved, err := b.approved(ctx)
	if err != nil {
		return nil, err
	}
	fresh := map[string]string{}
	for _, l := range losses {
		if approved[l.DirectoryID] != string(l.Kind) {
			fresh[l.DirectoryID] = string(l.Kind)
		}
	}
	many, err := b.tooMany(ctx, people, len(fresh))
	if err != nil || !many {
		return nil, errors.Join(err, b.inRun(ctx, b.recordLosses(len(fresh))))
	}
	b.held = fresh
	stay := make(map[string]bool, len(fresh))
	for id := range fresh {
		stay[id] = true
	}
	return stay, nil
}

// count says of a preview what the brake would hold.
func (b *brake) count(ctx context.Context, people int, losses []contacts.Loss) (map[string]bool, error) {
	many, err := b.tooMany(ctx, people, len(losses))
	if err != nil || !many {
		return nil, err
	}
	stay := map[string]bool{}
	for _, l := range losses {
		stay[l.DirectoryID] = true
	}
	return stay, nil
}

// tooMany measures the losses of the last 24 hours against the people there were.
func (b *brake) tooMany(ctx context.Context, people, losses int) (bool, error) {
	before, err := b.lossesSince(ctx, time.Now().Add(-brakeWindow))
	return before+losses > max(brakeFloor, (people+before)/brakeShare), err
}

// settle writes down whom the brake holds now, in place of whom it held before.
func (b *brake) settle(ctx context.Context) error {
	return b.replaceHeld(ctx, b.held)
}

// Held is somebody whom the brake keeps in the address book.
type Held struct {
	DirectoryID string
	Contact     int64
	Name        string
	Loss        string // "removed", or "number" for one that would be lost
	Since       time.Time
	Approved    bool // they go with the next run
}

// Approve lets all go whom the brake holds. people is their number as the one
// who approves read it; when it has changed meanwhile, nothing is approved. by
// is who approves, for the record.
func (d *Directory) Approve(ctx context.Context, account, connection int64, people int, by string) error {
	if err := d.allowed(ctx, account); err != nil {
		return err
	}
	if _, err := d.Connection(ctx, account, connection); err != nil {
		return err
	}
	id, err := d.db.NewIDs(ctx, 1)
	if err != nil {
		return err
	}
	found, err := d.approveHeld(ctx, id, account, connection, people, by, time.Now())
	switch {
	case err != nil:
		return fmt.Errorf("approve what the brake holds: %w", err)
	case found == 0:
		return problem.Conflict("nothing_held", "nobody is held back at the moment")
	case found != people:
		return problem.Conflict("held_changed", "%d people are held back now, not %d; look at them again", found, people)
	}
	_, err = d.Request(ctx, account, connection)
	return err
}

// TypedCount reads the number that somebody typed to approve.
func TypedCount(typed string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(typed))
	if err != nil || n < 1 {
		return 0, problem.Invalid("people", "type the number of people who are held back")
	}
	return n, nil
}
