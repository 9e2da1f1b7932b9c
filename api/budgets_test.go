package api

import (
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/secrets"
)

// S16
func TestABudgetIsMadeSpentChangedAndEnded(t *testing.T) {
	h := openHouse(t)
	sales := read[team](t, h.ask(t, "POST", teamsPath, `{"name": "Sales"}`), 201)
	made := h.ask(t, "POST", budgetsPath, `{"name": "Sales", "team": "`+sales.ID+`", "per": "month", "limit": {"amount": "10", "currency": "EUR"}}`)
	b := read[budget](t, made, 201)
	same(t, made.header.Get("Location"), budgetsPath+"/"+b.ID)
	if b.Warn != 80 || b.Team != sales.ID || b.Left.Amount != "10.00" || b.RenewsAt == nil || b.WarnedAt != nil {
		t.Errorf("got %+v", b)
	}
	id, err := h.Names.ID(secrets.Team, sales.ID)
	must(t, err)
	entry, err := h.db.NewIDs(t.Context(), 1)
	must(t, err)
	must(t, h.db.InTx(t.Context(), func(tx *db.Tx) error {
		_, refused, err := billing.Reserve(t.Context(), tx, time.Now(), billing.Spender{Team: id}, billing.Entry{ID: entry, Account: h.account.ID, Kind: billing.KindReserve, Micro: 9_000_000})
		if refused != nil {
			t.Error(refused)
		}
		return err
	}))
	now := read[budget](t, h.ask(t, "GET", budgetsPath+"/"+b.ID, ""), 200)
	if now.Spent.Amount != "9.00" || now.Left.Amount != "1.00" || now.WarnedAt == nil {
		t.Errorf("got %+v", now)
	}
	changed := read[budget](t, h.ask(t, "PATCH", budgetsPath+"/"+b.ID, `{"limit": {"amount": "20", "currency": "EUR"}, "warn_percent": 0}`), 200)
	if changed.Left.Amount != "11.00" || changed.Warn != 0 || changed.WarnedAt != nil || changed.Name != "Sales" {
		t.Errorf("got %+v", changed)
	}
	refused(t, h.ask(t, "PATCH", budgetsPath+"/"+b.ID, `{"limit": {"amount": "20", "currency": "NOK"}}`), 422, "invalid_limit")
	refused(t, h.ask(t, "POST", budgetsPath, `{"name": "Sales", "per": "day", "limit": {"amount": "1", "currency": "EUR"}}`), 409, "budget_exists")
	refused(t, h.ask(t, "POST", budgetsPath, `{"name": "None", "per": "day", "limit": {"amount": "0", "currency": "EUR"}}`), 422, "invalid_limit")
	refused(t, h.ask(t, "DELETE", teamsPath+"/"+sales.ID, ""), 409, "team_has_budgets")
	same(t, len(read[list[budget]](t, h.ask(t, "GET", budgetsPath, ""), 200).Items), 1)

	_, other := h.other(t)
	refused(t, h.ask(t, "GET", budgetsPath+"/"+b.ID, "", bearer(other)...), 404, "budget_not_found")
	refused(t, h.ask(t, "DELETE", budgetsPath+"/"+b.ID, "", bearer(other)...), 404, "budget_not_found")
	same(t, h.ask(t, "DELETE", budgetsPath+"/"+b.ID, "").status, 204)
	refused(t, h.ask(t, "GET", budgetsPath+"/"+b.ID, ""), 404, "budget_not_found")
}

func TestTheAPIPutsUsersAndKeysIntoTeams(t *testing.T) {
	h := openHouse(t)
	_, err := h.Accounts.CreateUser(t.Context(), h.account.ID, "kari@acme.example", "sender", "a long password")
	must(t, err)
	keys, err := h.Accounts.Keys(t.Context(), h.account.ID)
	must(t, err)
	key := h.Names.Of(secrets.Key, keys[0].ID)
	one := read[team](t, h.ask(t, "POST", teamsPath, `{"name": "Sales"}`), 201)
	path := teamsPath + "/" + one.ID
	joined := read[team](t, h.ask(t, "POST", path+"/members", `{"email": "Kari@acme.example"}`), 200)
	same(t, joined.Members[0].Email, "kari@acme.example")
	same(t, strings.Join(read[team](t, h.ask(t, "POST", path+"/keys", `{"key": "`+key+`"}`), 200).Keys, " "), key)
	same(t, read[team](t, h.ask(t, "PATCH", path, `{"name": "Support"}`), 200).Name, "Support")

	_, other := h.other(t)
	refused(t, h.ask(t, "POST", path+"/members", `{"email": "kari@acme.example"}`, bearer(other)...), 404, "user_not_found")
	refused(t, h.ask(t, "POST", path+"/keys", `{"key": "`+key+`"}`, bearer(other)...), 404, "team_not_found")

	// The key's messages count for its team.
	read[budget](t, h.ask(t, "POST", budgetsPath, `{"name": "S", "team": "`+one.ID+`", "per": "day", "limit": {"amount": "0.01", "currency": "EUR"}}`), 201)
	refused(t, h.ask(t, "POST", messagesPath, `{"to": "+4740000001", "text": "Hello"}`), 409, "budget_spent")
	same(t, h.ask(t, "DELETE", path+"/keys/"+key, "").status, 204)
	same(t, h.ask(t, "POST", messagesPath, `{"to": "+4740000001", "text": "Hello"}`).status, 202)
	same(t, h.ask(t, "DELETE", path+"/members/"+joined.Members[0].User, "").status, 204)
	refused(t, h.ask(t, "DELETE", path+"/members/"+joined.Members[0].User, ""), 404, "user_not_found")
	same(t, len(read[list[team]](t, h.ask(t, "GET", teamsPath, ""), 200).Items[0].Members), 0)
}
