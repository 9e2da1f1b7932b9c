package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/secrets"
)

// reserve spends of the account's budgets.
func (w *world) reserve(campaign, micro int64) {
	w.Helper()
	id := must(w.db.NewIDs(w.Context(), 1))
	if err := w.db.InTx(w.Context(), func(tx *db.Tx) error {
		_, refused, err := billing.Reserve(w.Context(), tx, time.Now(), billing.Spender{},
			billing.Entry{ID: id, Account: w.account.ID, Campaign: campaign, Kind: billing.KindReserve, Micro: micro, Messages: 1, Parts: 1})
		if refused != nil {
			w.Error(refused)
		}
		return err
	}); err != nil {
		w.Fatal(err)
	}
}

// S16
func TestBudgetsAreMadeChangedAndRemoved(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	w.golden("budgets-none-pl", w.get("/budgets", "Accept-Language", "pl").body)
	team := must(w.teams.Add(t.Context(), w.account.ID, "Sales <b>Oslo</b>"))
	typed := func(name, limit, warn, per, team string) url.Values {
		return url.Values{"name": {name}, "limit": {limit}, "warn": {warn}, "per": {per}, "team": {team}}
	}
	w.sent(w.post("/budgets", typed("All", "1 000,50", "80", "month", "")), "/budgets")
	w.sent(w.post("/budgets", typed("Sales", "10", "", "campaign", w.names.Of(secrets.Team, team.ID))), "/budgets")
	w.sent(w.post("/budgets", typed("Today", "850", "50", "day", "")), "/budgets")
	w.reserve(0, 850_000_000)
	all := must(w.budgets.List(t.Context(), w.account.ID))
	if len(all) != 3 || all[0].LimitMicro != 1_000_500_000 || all[1].Team != team.ID || all[1].Warn != 0 || all[2].Left() != 0 {
		t.Fatalf("%+v", all)
	}
	for _, code := range []string{"en", "nb", "pl"} {
		w.golden("budgets-"+code, timeless(w.get("/budgets", "Accept-Language", code).body))
	}
	for field, form := range map[string]url.Values{
		"name": typed("All", "1", "", "day", ""), "limit": typed("B", "-1", "", "day", ""), "warn": typed("B", "1", "many", "day", ""),
	} {
		got := w.post("/budgets", form)
		if got.status < 400 || !strings.Contains(got.body, `id="`+field+`-wrong"`) || !strings.Contains(got.body, `href="#`+field+`"`) {
			t.Errorf("%s: %d", field, got.status)
		}
	}
	w.has(w.post("/budgets", typed("B", "1,000", "", "day", "")), http.StatusUnprocessableEntity, `id="limit-wrong"`, "thousands or as decimals", `value="1,000"`)
	path := "/budgets/" + w.names.Of(secrets.Budget, all[0].ID)
	w.golden("budget-nb", timeless(w.get(path, "Accept-Language", "nb").body))
	w.has(w.post(path, typed("All", "0", "", "", "")), http.StatusUnprocessableEntity, `id="limit-wrong"`)
	w.sent(w.post(path, typed("Everything", "2000", "90", "", "")), "/budgets")
	if now := must(w.budgets.ByID(t.Context(), w.account.ID, all[0].ID)); now.Name != "Everything" || now.LimitMicro != 2_000_000_000 || now.Warn != 90 || !now.Warned.IsZero() {
		t.Errorf("%+v", now)
	}
	w.has(w.get(path+"/remove"), http.StatusOK, "Remove the budget Everything?")
	w.sent(w.post(path+"/remove", url.Values{}), "/budgets")
	w.has(w.get(path), http.StatusNotFound, "There is no such budget.")
}

func TestATeamHasUsersAndKeys(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	w.golden("teams-none-nb", w.get("/teams", "Accept-Language", "nb").body)
	made := w.post("/teams", url.Values{"name": {"Support"}})
	team := must(w.teams.List(t.Context(), w.account.ID))[0]
	path := "/teams/" + w.names.Of(secrets.Team, team.ID)
	w.sent(made, path)
	w.has(w.post("/teams", url.Values{"name": {"Support"}}), http.StatusConflict, `id="name-wrong"`)
	if _, _, err := w.accounts.CreateKey(t.Context(), w.account.ID, []string{"*"}, ""); err != nil {
		t.Fatal(err)
	}
	others := regexp.MustCompile(`<option value="((?:usr|key)_\w+)"`).FindAllStringSubmatch(w.get(path).body, -1)
	if len(others) < 2 {
		t.Fatal(others)
	}
	for _, other := range others {
		w.sent(w.post(path+"/join", url.Values{"who": {other[1]}}), path)
	}
	team = must(w.teams.ByID(t.Context(), w.account.ID, team.ID))
	if len(team.Members)+len(team.Keys) != len(others) || len(team.Keys) == 0 {
		t.Errorf("%+v", team)
	}
	w.golden("team-en", w.get(path).body)
	w.golden("teams-pl", w.get("/teams", "Accept-Language", "pl").body)
	w.has(w.post(path+"/join", url.Values{"who": {"cmp_x"}}), http.StatusNotFound)
	w.sent(w.post(path+"/leave", url.Values{"who": {others[0][1]}}), path)
	w.has(w.post(path+"/leave", url.Values{"who": {others[0][1]}}), http.StatusNotFound)
	w.has(w.post(path, url.Values{"name": {" "}}), http.StatusUnprocessableEntity, `id="name-wrong"`)
	w.sent(w.post(path, url.Values{"name": {"Service"}}), path)
	must(w.budgets.Add(t.Context(), w.account.ID, billing.NewBudget{Name: "B", Team: team.ID, Per: billing.PerDay, LimitMicro: 1}))
	w.has(w.get(path+"/remove"), http.StatusOK, "Remove the team Service?")
	w.has(w.post(path+"/remove", url.Values{}), http.StatusConflict, "The team has budgets.")
	budget := must(w.budgets.List(t.Context(), w.account.ID))[0]
	if err := w.budgets.Remove(t.Context(), w.account.ID, budget.ID); err != nil {
		t.Fatal(err)
	}
	w.sent(w.post(path+"/remove", url.Values{}), "/teams")
	w.has(w.get(path), http.StatusNotFound, "There is no such team.")
}
