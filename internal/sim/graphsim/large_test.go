package graphsim

import (
	"reflect"
	"slices"
	"testing"
)

func TestLargeHasWhatWasOrdered(t *testing.T) {
	for _, want := range [][3]int{{1000, 50, 5000}, {1000, 50, 700}, {10, 3, 30}, {10, 3, 0}, {0, 2, 0}, {5, 0, 0}, {7, 2, 8}} {
		org := Large(want[0], want[1], want[2])
		got := [3]int{len(org.Users), len(org.Groups), 0}
		for _, g := range org.Groups {
			got[2] += len(g.Members)
			distinct := slices.Compact(slices.Sorted(slices.Values(g.Members)))
			equal(t, g.DisplayName, len(distinct), len(g.Members))
		}
		equal(t, "users, groups, memberships", got, want)
		if !reflect.DeepEqual(org, Large(want[0], want[1], want[2])) {
			t.Error("another one the second time")
		}
	}
	org := Large(1000, 50, 5000)
	equal(t, "first, second", []int{len(org.Groups[0].Members), len(org.Groups[1].Members)}, []int{1000, 82})
}

func BenchmarkLarge(b *testing.B) {
	b.Run("start", func(b *testing.B) {
		for b.Loop() {
			s, err := Start(Options{Org: Large(100_000, 5_000, 500_000)})
			if err != nil {
				b.Fatal(err)
			}
			s.Close()
		}
	})
	s, c := start(b, Options{Org: Large(100_000, 5_000, 500_000), PageSize: 1000})
	const people, groups = "/users/delta?$select=displayName,mobilePhone,businessPhones,mail", "/groups/delta?$select=displayName,members"
	var later [2]string
	b.Run("users", func(b *testing.B) {
		for b.Loop() {
			later[0] = c.round(people).delta
		}
	})
	b.Run("groups", func(b *testing.B) {
		for b.Loop() {
			later[1] = c.round(groups).delta
		}
	})
	s.UpdateUser(s.dir.users[50_000].id, map[string]any{"mobilePhone": "1"})
	b.Run("nothing much new", func(b *testing.B) {
		for b.Loop() {
			c.round(later[0])
			c.round(later[1])
		}
	})
	b.Run("one page", func(b *testing.B) {
		for b.Loop() {
			c.get(people)
		}
	})
	b.Run("list", func(b *testing.B) {
		next := "/users?$top=999"
		for b.Loop() {
			if next = c.get(next).link("nextLink"); next == "" {
				next = "/users?$top=999"
			}
		}
	})
}
