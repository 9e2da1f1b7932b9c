package directory_test

import (
	"fmt"
	"testing"

	"github.com/varsel/varsel/internal/db/dbtest"
)

// BenchmarkTwentyThousandPeople is of syncs in which the directory has nothing
// new to tell: the address book of 20,000 people, each in 5 of 200 groups and in
// one group around them all, is derived from the mirror, from nothing and then
// when all is right already.
func BenchmarkTwentyThousandPeople(b *testing.B) {
	o := newOffice(b, dbtest.Open(b, dbtest.SQLiteURL(b)))
	o.entra.pageSize = 200
	fill(o.entra, 20_000, 200)
	o.synced()
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			o.exec(`DELETE FROM group_members`)
			o.exec(`DELETE FROM contact_groups`)
			o.exec(`DELETE FROM contacts`)
			b.StartTimer()
			o.synced()
		}
	})
	b.Run("unchanged", func(b *testing.B) {
		for b.Loop() {
			o.synced()
		}
	})
}

func fill(e *entra, people, groups int) {
	id := func(kind string, i int) string { return fmt.Sprintf("%s-0000-4000-8000-%012d", kind, i) }
	members := make([][]string, groups)
	var all []string
	for i := range people {
		p := id("person", i)
		o := &object{id: p, fields: map[string]value{}}
		e.people = append(e.people, o)
		o.set(e, map[string]any{
			"displayName": fmt.Sprintf("Person %d", i), "mobilePhone": fmt.Sprintf("+47 900 %05d", i), "businessPhones": []string{"22 33 44 55"},
			"jobTitle": "Adviser", "department": "Sales", "officeLocation": "Oslo, floor 3", "mail": fmt.Sprintf("person%d@example.com", i),
			"preferredLanguage": "nb-NO", "usageLocation": "NO", "country": "Norway", "accountEnabled": true, "userType": "Member",
		})
		for j := range 5 {
			members[(i+j*37)%groups] = append(members[(i+j*37)%groups], p)
		}
	}
	for i, list := range members {
		g := &object{id: id("group", i), fields: map[string]value{}, members: map[string]value{}}
		e.groups = append(e.groups, g)
		g.set(e, map[string]any{"displayName": fmt.Sprintf("Group %d", i)})
		for _, m := range list {
			g.members[m] = value{true, e.now}
		}
		all = append(all, g.id)
	}
	e.group(id("group", groups), "Everybody", all...)
}
