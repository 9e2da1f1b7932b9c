package directory

import (
	"context"
	"slices"

	"github.com/varsel/varsel/contacts"
)

// endAccess ends the sign-in of those among the leavers who are gone from the
// directory or blocked in it. Who is only out of scope still works there.
func (s *syncing) endAccess(ctx context.Context, some []contacts.Leaver) error {
	if s.leave == nil {
		return nil
	}
	gone, err := s.goneOrBlocked(ctx, some)
	if err != nil {
		return err
	}
	var emails []string
	for _, l := range some {
		if l.Email != "" && gone[l.DirectoryID] {
			emails = append(emails, l.Email)
		}
	}
	if len(emails) == 0 {
		return nil
	}
	slices.Sort(emails)
	return s.leave(ctx, s.run.Account, slices.Compact(emails))
}

func (s *syncing) goneOrBlocked(ctx context.Context, some []contacts.Leaver) (map[string]bool, error) {
	ids := make([]string, len(some))
	for i, l := range some {
		ids[i] = l.DirectoryID
	}
	rows, err := s.mirroredPeople(ctx, ids)
	if err != nil {
		return nil, err
	}
	gone := map[string]bool{}
	for _, id := range ids {
		row, known := rows[id]
		gone[id] = !known || row.Removed != 0 || row.Skipped == SkippedBlocked
	}
	return gone, nil
}
