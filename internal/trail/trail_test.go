package trail_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/internal/trail"
)

func TestMain(m *testing.M) { dbtest.Run(m) }

const account = 7

func each(t *testing.T, test func(t *testing.T, d *db.DB, names *secrets.Names, steps *trail.Trail)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ring, err := secrets.Parse("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
		must(t, err)
		names, err := secrets.OpenNames(t.Context(), d, ring)
		must(t, err)
		steps := trail.New(d, names)
		t.Cleanup(steps.Close)
		test(t, d, names, steps)
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func asKey(t *testing.T) context.Context {
	return audit.As(t.Context(), audit.Actor{Kind: audit.Key, ID: 3})
}

func entries(t *testing.T, d *db.DB, account int64) []audit.Entry {
	t.Helper()
	all, err := audit.List(t.Context(), d, account, 0, 1000)
	must(t, err)
	return all
}

// Of what a request named, only names that are ours are kept for good: a number that
// stands in a path is somebody's.
func TestAnEntrysFactsNameNobody(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, names *secrets.Names, steps *trail.Trail) {
		group := names.Of(secrets.Group, 40)
		steps.Done(asKey(t), trail.Step{Account: account, Action: "api.editGroup", Status: 200,
			Given: map[string]string{"id": group, "phone": "+4790000001"}, From: trail.From{IP: "192.0.2.1", UserAgent: strings.Repeat("x", 1000)}})
		steps.Done(asKey(t), trail.Step{Account: 0, Action: "api.removeCarrier", Status: 204, Given: map[string]string{"name": "main"}})
		e := entries(t, d, account)[0]
		got := []any{e.Action, e.Actor, e.Subject, e.SubjectID, string(e.Facts.(json.RawMessage))}
		want := []any{"api.editGroup", audit.Actor{Kind: audit.Key, ID: 3}, "grp", int64(40), `{"status":200,"ids":{"id":"` + group + `"}}`}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if text := string(e.Detail.(json.RawMessage)); !strings.Contains(text, "192.0.2.1") || len(text) > 400 {
			t.Error(text)
		}
		if of := entries(t, d, 0)[0]; string(of.Facts.(json.RawMessage)) != `{"status":204,"given":{"name":"main"}}` || of.Detail != nil {
			t.Errorf("%+v", of)
		}
	})
}

func TestStepsOfManyAtOnceAreAllInTheChain(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, _ *secrets.Names, steps *trail.Trail) {
		var all sync.WaitGroup
		for i := range int64(60) {
			all.Go(func() {
				steps.Done(asKey(t), trail.Step{Account: account + i%3, Action: fmt.Sprintf("api.a%d", i)})
			})
		}
		all.Wait()
		for a := range int64(3) {
			if h, err := audit.Verify(t.Context(), d, account+a); err != nil || h.Entries != 20 {
				t.Error(h, err)
			}
		}
	})
}

// A key that asks a thousand times what it may not writes two entries, the second with
// the count; another key has its own.
func TestRefusalsDoNotFloodTheChain(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, _ *secrets.Names, steps *trail.Trail) {
		for range 1000 {
			steps.Refused(asKey(t), trail.Refusal{Account: account, Action: "api.refused", Asked: "addContact", Scope: "contacts:write"})
		}
		steps.Refused(audit.As(t.Context(), audit.Actor{Kind: audit.Key, ID: 4}), trail.Refusal{Account: account, Action: "api.refused"})
		steps.Close()
		var got []string
		for _, e := range entries(t, d, account) {
			got = append(got, fmt.Sprintf("%d %s", e.Actor.ID, e.Facts))
		}
		want := []string{`3 {"more":999}`, `4 {}`, `3 {"asked":"addContact","scope":"contacts:write"}`}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// What cannot be kept is counted, and who did it is answered.
func TestALostEntryIsCounted(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, _ *secrets.Names, steps *trail.Trail) {
		if _, err := d.Writer().ExecContext(t.Context(), `DROP TABLE audit_entries`); err != nil {
			t.Fatal(err)
		}
		steps.Done(asKey(t), trail.Step{Account: account, Action: "api.addContact"})
		if steps.Lost() != 1 {
			t.Error(steps.Lost())
		}
	})
}
