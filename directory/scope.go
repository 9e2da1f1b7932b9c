package directory

import (
	"context"
	"slices"
)

// readAgainAtMost is how many people are read one by one when they come into a
// chosen group; for more, a full round costs less.
const readAgainAtMost = 200

// rescope finds who is in the scope's groups, and sees to those who came into
// them or left them: nothing about themselves changed, so no round of changes
// tells of them.
func (s *syncing) rescope(ctx context.Context) error {
	if len(s.settings.Scope.Groups) == 0 {
		return nil
	}
	if err := s.findChosen(ctx); err != nil {
		return err
	}
	at, err := s.cursor(ctx, peopleName)
	if err != nil || at.link == "" {
		return err
	}
	came, err := s.rescopeMirror(ctx)
	if err != nil {
		return err
	}
	if len(came) > readAgainAtMost {
		return s.inRun(ctx, s.saveCursor(peopleName, cursor{}))
	}
	rows := map[string]mirrorPerson{}
	for _, id := range came {
		if rows[id], err = s.readAgain(ctx, mirrorPerson{}, id, at.mark); err != nil {
			return err
		}
	}
	return putRows(ctx, s, rows, s.upsertPeople, nothing)
}

func (s *syncing) findChosen(ctx context.Context) error {
	units, err := s.units(ctx)
	if err != nil {
		return err
	}
	tree, err := s.groupTree(ctx, units)
	if err != nil {
		return err
	}
	s.chosen = map[string]bool{}
	for _, g := range s.settings.Scope.Groups {
		if _, known := tree.nested[g]; !known {
			continue
		}
		for _, id := range tree.within(g) {
			s.chosen[id] = true
		}
	}
	return nil
}

// rescopeMirror throws away what is kept of those who left the chosen groups, and
// answers who came into them.
func (s *syncing) rescopeMirror(ctx context.Context) (came []string, err error) {
	var went []string
	for one, err := range s.inDirectory(ctx) {
		switch {
		case err != nil:
			return nil, err
		case one.skipped == SkippedGroups && s.chosen[one.id]:
			came = append(came, one.id)
		case one.skipped == "" && !s.chosen[one.id]:
			went = append(went, one.id)
		}
	}
	for some := range slices.Chunk(went, lot) {
		if err := s.minimise(ctx, some); err != nil {
			return nil, err
		}
	}
	return came, nil
}

// minimise judges people anew, by what the mirror says of them; they are not met
// by that.
func (s *syncing) minimise(ctx context.Context, ids []string) error {
	rows, err := s.mirroredPeople(ctx, ids)
	if err != nil {
		return err
	}
	for id, row := range rows {
		f, err := readFields(row.Fields)
		if err != nil {
			return err
		}
		rows[id] = s.mirrored(id, f, row.Seen)
	}
	return putRows(ctx, s, rows, s.upsertPeople, nothing)
}

// readGroup reads one group and the people in it into the mirror.
func (s *syncing) readGroup(ctx context.Context) error {
	group, people, err := s.reader().Group(ctx, s.run.Group)
	if err != nil {
		return err
	}
	if err := CheckNamed(people); err != nil {
		return err
	}
	mark, err := s.db.NewIDs(ctx, 1)
	if err != nil {
		return err
	}
	at := cursor{mark: mark, whole: true}
	if err := s.abandonFullRounds(ctx); err != nil {
		return err
	}
	if err := s.inRun(ctx, s.began(s.run.Started)); err != nil {
		return err
	}
	if err := s.putGroups(ctx, []Item{group}, at, s.count); err != nil {
		return err
	}
	if !group.Removed {
		if err := s.sweepEdgesOf(ctx, group.ID, at.mark); err != nil {
			return err
		}
	}
	if len(s.settings.Scope.Groups) > 0 {
		if err := s.findChosen(ctx); err != nil {
			return err
		}
	}
	s.before = 1
	return s.putPeople(ctx, people, at, s.count)
}

// abandonFullRounds makes full rounds that are not at their end begin anew: their
// sweeps would take what is read here for what they did not meet.
func (s *syncing) abandonFullRounds(ctx context.Context) error {
	for _, round := range []string{groupsName, peopleName} {
		at, err := s.cursor(ctx, round)
		if err != nil {
			return err
		}
		if at.whole {
			if err := s.inRun(ctx, s.saveCursor(round, cursor{})); err != nil {
				return err
			}
		}
	}
	return nil
}
