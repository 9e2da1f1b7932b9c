package directory_test

import (
	"context"
	"testing"
	"time"

	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/events"
	"github.com/varsel/varsel/internal/problem"
)

// planned is what the office's plan says.
func (o *office) planned(context.Context, int64) error {
	if o.lower {
		return problem.New(problem.KindForbidden, "plan_lacks_directory", "the plan basic does not include the directory integration: it is part of ultima")
	}
	return nil
}

func TestNothingIsConnectedOnAPlanWithoutDirectories(t *testing.T) { // Q3
	eachOffice(t, func(o *office) {
		o.lower, o.checked = true, nil
		ctx := o.Context()
		_, _, err := o.Connect(ctx, acme, directory.Setup{Credentials: credentials})
		o.refused("plan_lacks_directory", err)
		_, _, err = o.ConnectSCIM(ctx, acme, "Entra")
		o.refused("plan_lacks_directory", err)
		_, err = o.BeginConsent(ctx, acme, 1, "https://varsel.example/back")
		o.refused("plan_lacks_directory", err)
		o.equal([]int{0, 0, 0}, []int{len(o.opened), len(o.checked), len(o.entra.asked)})
	})
}

func TestADowngradeSuspendsAndAnUpgradeGoesOn(t *testing.T) { // Q3
	eachOffice(t, func(o *office) {
		ctx := o.Context()
		o.equal(nil, events.Subscribe(ctx, o.db, acme, "directory.stalled", "test"))
		o.entra.person("a", "900 00 001")
		o.synced()
		_, token, err := o.ConnectSCIM(ctx, acme, "Okta")
		o.equal(nil, err)
		id, book := o.only().ID, o.contacts()

		o.lower = true
		o.opened, o.entra.asked = nil, nil
		o.entra.person("b", "900 00 002")
		later := time.Now().Add(time.Hour)
		due, err := o.Due(ctx, later)
		o.equal([]any{0, nil}, []any{len(due), err})
		_, err = o.Request(ctx, acme, id)
		o.refused("plan_lacks_directory", err)
		_, _, err = o.Check(ctx, acme, id)
		o.refused("plan_lacks_directory", err)
		_, _, err = o.SCIMConnectionOf(ctx, token)
		o.refused("plan_lacks_directory", err)
		o.equal(nil, o.Watch(ctx, later.Add(24*time.Hour)))
		o.equal(true, o.only().StalledAt.IsZero()) // it is no fault
		why, err := o.Suspended(ctx, acme)
		o.equal([]any{"plan_lacks_directory", nil}, []any{why.Code, err})
		o.equal([]any{directory.Connected, book}, []any{o.only().State, o.contacts()}) // nothing is deleted
		o.equal([]int{0, 0}, []int{len(o.opened), len(o.entra.asked)})

		o.lower = false
		due, err = o.Due(ctx, later)
		o.equal([]any{true, nil}, []any{len(due) > 0, err})
		o.synced()
		why, err = o.Suspended(ctx, acme)
		o.equal([]any{true, nil, 2}, []any{why == nil, err, len(o.contacts())})
	})
}
