package main

import (
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

func TestWhoIsGoneFromTheDirectoryIsInNoTeam(t *testing.T) {
	eachWay(t, func(t *testing.T, i *installation) {
		i.furnish()
		app, err := Open(t.Context(), Config{DatabaseURL: i.env[1], SecretKey: i.env[3]})
		must(t, err)
		defer app.Close()
		ctx := t.Context()
		acc, err := app.Accounts.ByHandle(ctx, "acme")
		must(t, err)
		user, err := app.Accounts.CreateUser(ctx, acc.ID, "gone@acme.example", "sender", "a long enough password")
		must(t, err)
		team, err := app.Teams.Add(ctx, acc.ID, "Sales")
		must(t, err)
		must(t, app.Teams.Join(ctx, acc.ID, team.ID, user))
		must(t, app.leave(ctx, acc.ID, []string{"Gone@acme.example"}))
		if team, err = app.Teams.ByID(ctx, acc.ID, team.ID); err != nil || len(team.Members) != 0 {
			t.Errorf("in the team are %v (%v)", team.Members, err)
		}
		if _, err := app.Teams.MemberNamed(ctx, acc.ID, "gone@acme.example"); problem.As(err) == nil {
			t.Errorf("they may sign in (%v)", err)
		}
	})
}

// S16
func TestAMonthIsRunAndReconciledByCommand(t *testing.T) {
	eachWay(t, func(t *testing.T, i *installation) {
		i.furnish()
		i.env = append(i.env, "--metrics-listen", "127.0.0.1:0")
		app, err := Open(t.Context(), Config{DatabaseURL: i.env[1], SecretKey: i.env[3]})
		must(t, err)
		acc, err := app.Accounts.ByHandle(t.Context(), "acme")
		must(t, err)
		first, err := app.DB.NewIDs(t.Context(), 2)
		must(t, err)
		october := time.Date(2026, 10, 5, 12, 0, 0, 0, time.UTC)
		e := billing.Entry{ID: first, Account: acc.ID, Kind: billing.KindReserve, Micro: 45_000_000, Messages: 1000, Parts: 1000, Country: "NO", Unit: 45_000, Lane: "bulk"}
		charge := e
		charge.ID, charge.Kind = first+1, billing.KindCharge
		must(t, app.DB.InTx(t.Context(), func(tx *db.Tx) error { return billing.Post(t.Context(), tx, october, e, charge) }))
		must(t, app.Close())

		run := i.do("", "billing", "run", "--account", "acme", "--month", "2026-10")
		if run["state"] != "skipped" || run["reason"] != "no_seller" {
			t.Errorf("got %v", run)
		}
		i.do("", "invoice", "seller", "--name", "Varsel AS", "--registration", "923609016", "--vat-id", "923609016MVA", "--street", "Storgata 1", "--city", "Oslo",
			"--country", "NO", "--iban", "NO9386011117947", "--zone", "Europe/Oslo", "--days", "14")
		i.do("", "invoice", "customer", "--account", "acme", "--name", "Acme AS", "--registration", "974760673", "--street", "Torget 2", "--city", "Bergen", "--country", "NO", "--currency", "EUR")
		rate := []string{"billing", "run", "--account", "acme", "--month", "2026-10", "--rate", "11.452", "--rate-from", "EUR", "--rate-source", "Norges Bank", "--rate-date", "2026-10-30"}
		if run = i.do("", rate...); run["state"] != "invoiced" {
			t.Errorf("got %v", run)
		}
		if final := i.do("", "invoice", "list", "--account", "acme"); final["net"] != "45.00" || final["id"] != run["invoice"] {
			t.Errorf("got %v", final)
		}
		usage := i.do("", "billing", "usage", "--account", "acme", "--from", "2026-10-01", "--to", "2026-10-31", "--by", "month")
		if usage["amount"] != "45.00" || usage["country"] != "NO" {
			t.Errorf("got %v", usage)
		}
		if cost := i.do("", "billing", "cost", "--carrier", "main", "--country", "NO", "--price", "0.031", "--currency", "EUR"); cost["price"] != "0.031" {
			t.Errorf("got %v", cost)
		}
		found, err := i.try("", "billing", "reconcile", "--json")
		if err == nil || strings.Count(found, `"kind"`) != 2 || !strings.Contains(found, `"differences":2`) {
			t.Errorf("charges of no message are no difference (%v): %s", err, found)
		}
		i.serve(roleAPI)
		got, _ := i.scraped()
		told(t, map[string]float64{"varsel_billing_differences": 2, `varsel_scrape_error{part="billing"}`: 0}, got)
	})
}
