package graphsim

import (
	"fmt"
	"slices"
	"strconv"
)

// Large is the people of an Example in groups of the caller's number, the same
// each time. When memberships suffice for it, the first group has everyone; the
// others share the rest evenly, each with people in a row, so that neighbours
// overlap. It has no nested groups.
func Large(users, groups, memberships int) Org {
	if groups < 0 || memberships < 0 || memberships > users*groups {
		panic(fmt.Sprintf("graphsim: %d memberships of %d people in %d groups", memberships, users, groups))
	}
	org := Example(users)
	org.Groups = make([]Group, 0, groups)
	ids := make([]string, 0, 2*users) // twice, so that a row may pass the end
	for _, u := range org.Users {
		ids = append(ids, u.ID)
	}
	ids = append(ids, ids...)
	for left, at := memberships, 0; len(org.Groups) < groups; {
		n := share(left, groups-len(org.Groups), users, len(org.Groups) == 0)
		org.Groups = append(org.Groups, largeGroup(len(org.Groups)+1, ids[at:at+n]))
		left -= n
		if users > 0 {
			at = (at + n) % users
		}
	}
	return org
}

// share is how many members the next of `groups` groups gets.
func share(left, groups, users int, first bool) int {
	if first && left >= users+groups-1 && left-users <= (groups-1)*users {
		return users
	}
	return (left + groups - 1) / groups
}

func largeGroup(n int, members []string) Group {
	return Group{ID: exampleID("large group", strconv.Itoa(n)), DisplayName: fmt.Sprintf("Group %05d", n), Members: slices.Clone(members)}
}
