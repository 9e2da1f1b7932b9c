package directory_test

import (
	"testing"

	"github.com/varsel/varsel/directory"
)

func TestOperatorsSeeHowEveryConnectionStands(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.staff(11)
		latest := o.latest()
		second, _, err := o.Connect(o.Context(), other, directory.Setup{Credentials: directory.Credentials{Tenant: "fabrikam", Client: "app", Secret: credentials.Secret}})
		o.equal(nil, err)
		o.equal(nil, o.Disconnect(o.Context(), other, second.ID))
		all := o.every()
		o.equal([]any{o.only(), 0, latest.ID, latest.Records}, []any{all[0].Connection, all[0].Held, all[0].Last.ID, all[0].Last.Records})
		o.equal([]any{latest.Started, latest.Ended}, []any{all[0].Last.Started, all[0].Last.Ended})
		o.equal([]any{int64(other), directory.Disconnected, 0, int64(0)}, []any{all[1].Account, all[1].State, all[1].Held, all[1].Last.ID})

		o.remove(0, 11)
		run := o.synced()
		o.equal(11, o.every()[0].Held)
		o.equal(nil, o.Approve(o.Context(), acme, o.only().ID, 11, "kari@acme.test"))
		o.equal(0, o.every()[0].Held)

		o.entra.group("g", "Group")
		_, err = o.RequestGroup(o.Context(), acme, o.only().ID, "g")
		o.equal(nil, err)
		o.equal(directory.Group, o.synced().Kind)
		last := o.every()[0].Last
		o.equal([]any{run.ID, directory.Sync, directory.Done}, []any{last.ID, last.Kind, last.State})

		o.agreed = false
		failed, _ := o.Sync(o.Context(), acme, o.only().ID)
		last = o.every()[0].Last
		o.equal([]any{failed.ID, directory.Failed}, []any{last.ID, last.State})
	})
}

func (o *office) every() []directory.Standing {
	o.Helper()
	all, err := o.EveryConnection(o.Context())
	if err != nil {
		o.Fatal(err)
	}
	return all
}

// latest is the latest run as it is stored.
func (o *office) latest() directory.Run {
	o.Helper()
	runs, err := o.Runs(o.Context(), acme, o.only().ID, 0, 1)
	if err != nil || len(runs) != 1 {
		o.Fatal(runs, err)
	}
	return runs[0]
}
