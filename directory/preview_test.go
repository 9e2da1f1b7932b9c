package directory_test

import (
	"testing"
	"time"

	"github.com/varsel/varsel/directory"
)

func (o *office) preview() map[string]directory.PreviewPerson {
	o.Helper()
	list, err := o.PreviewOf(o.Context(), acme, o.only().ID, "all", "", 1000)
	o.equal(nil, err)
	all := map[string]directory.PreviewPerson{}
	for _, p := range list {
		id := p.DirectoryID
		p.DirectoryID = ""
		all[id] = p
	}
	return all
}

func TestAPreviewSaysWhatASyncWouldDoAndDoesNothing(t *testing.T) { // S8
	eachOffice(t, func(o *office) {
		o.entra.person("same", "900 00 001")
		o.entra.person("renamed", "900 00 002")
		o.entra.person("gone", "900 00 003")
		o.entra.person("loses", "900 00 004")
		o.synced()
		before, groups := o.contacts(), o.groups()
		o.entra.set("renamed", map[string]any{"displayName": "Renamed"})
		o.entra.remove("gone")
		o.entra.set("loses", map[string]any{"mobilePhone": "n/a"})
		o.entra.person("new", "900 00 001")
		o.entra.person("wrong", "1234")
		o.entra.group("g", "Group", "new")
		_, err := o.RequestPreview(o.Context(), acme, o.only().ID)
		o.equal(nil, err)
		run := o.synced()
		o.equal([]any{directory.Preview, directory.Done}, []any{run.Kind, run.State})
		o.equal(directory.Counts{People: 5, Contacts: 5, WithoutNumber: 1, Invalid: 1, Shared: 2, Added: 2, Changed: 2, Removed: 1,
			NumberLost: 1, Groups: 1, GroupsAdded: 1, Skipped: map[string]int{}}, run.Counts)
		o.equal(map[string]directory.PreviewPerson{
			"same":    {Name: "Person same", Shared: 2},
			"renamed": {Name: "Person renamed", Change: "changed"},
			"gone":    {Name: "Person gone", Change: "removed"},
			"loses":   {Name: "Person loses", Change: "number", Reason: "no_number"},
			"new":     {Name: "Person new", Change: "added", Shared: 2},
			"wrong":   {Name: "Person wrong", Change: "added", Reason: "too_short"},
		}, o.preview())
		o.equal(before, o.contacts())
		o.equal(groups, o.groups())

		run = o.synced()
		o.equal(directory.Sync, run.Kind)
		o.equal([]int{2, 2, 1}, []int{run.Added, run.Changed, run.Removed})
	})
}

func TestAConnectionInPreviewIsReadButNotFollowed(t *testing.T) { // S8, Q25
	eachOffice(t, func(o *office) {
		o.entra.person("a", "900 00 001")
		c, _, err := o.Connect(o.Context(), acme, directory.Setup{Credentials: credentials, Preview: true})
		o.equal(nil, err)
		for range 2 {
			run := o.synced()
			o.equal([]any{directory.Preview, 1, 0}, []any{run.Kind, run.Added, len(o.numbers())})
		}
		o.equal(true, o.only().SucceededAt.IsZero())
		o.equal(nil, o.Change(o.Context(), acme, c.ID, c.Settings, c.Every, false))
		o.equal(1, len(o.due(time.Now())))
		o.equal(1, o.synced().Added)
	})
}

func TestAPreviewSaysWhatTheBrakeWouldHold(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.staff(30)
		o.remove(0, 12)
		_, err := o.RequestPreview(o.Context(), acme, o.only().ID)
		o.equal(nil, err)
		o.equal([]int{0, 12}, figures(o.synced()))
		o.equal(0, len(o.held()))
	})
}
