package privacy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/privacy"
)

// Art. 28(3)(g) GDPR
func TestTeamsAndBudgetsAreReturnedAndDeleted(t *testing.T) {
	eachEstate(t, func(t *testing.T, e *estate) {
		ctx, account := t.Context(), e.account.ID
		check(t, billing.NewLedger(e.db).SetTerms(ctx, account, billing.Terms{Limit: 500_000_000}))
		teams := billing.NewTeams(e.db)
		team := got(teams.Add(ctx, account, "Ragnhild's"))
		user := got(e.acc.CreateUser(ctx, account, "ragnhild@acme.example", "owner", "a long enough password"))
		check(t, teams.Join(ctx, account, team.ID, user))
		budget := got(billing.NewBudgets(e.db).Add(ctx, account, billing.NewBudget{Name: "Ragnhild's month", Team: team.ID, Per: billing.PerMonth, LimitMicro: 5_000_000}))
		e.exec(`INSERT INTO budget_periods (budget_id, period, account_id, spent_micro) VALUES ($1, '2026-11', $2, 5)`, budget.ID, account)
		e.exec(`INSERT INTO budget_entries (reservation_id, budget_id, period, account_id, micro) VALUES (1, $1, '2026-11', $2, 5)`, budget.ID, account)
		e.exec(`INSERT INTO team_keys (account_id, key_id, team_id) VALUES ($1, 9, $2)`, account, team.ID)

		files := e.unpack(e.export())
		for _, name := range []string{"terms", "teams", "team_members", "team_keys", "budgets", "budget_periods"} {
			if strings.Count(files[name+".jsonl"], "\n") != 1 {
				t.Errorf("%s has %q", name, files[name+".jsonl"])
			}
		}
		if !strings.Contains(files["budgets.csv"], "Ragnhild's month") {
			t.Errorf("the budgets are %s", files["budgets.csv"])
		}

		e.terminate(privacy.AtEndDelete)
		check(t, e.desk.RunExits(ctx, inDays(31)))
		for _, table := range []string{"teams", "team_members", "team_keys", "budgets", "budget_periods", "budget_entries"} {
			same(t, "rows of "+table, e.count(`SELECT COUNT(*) FROM `+table), 0)
		}
		counts := got(e.desk.Exit(ctx, account)).Counts
		for _, kind := range []string{"teams", "team_members", "budgets"} {
			same(t, kind+" on the certificate", counts[kind], 1)
			if !slices.Contains(privacy.Kinds, kind) {
				t.Errorf("the certificate is without %s", kind)
			}
		}
	})
}
