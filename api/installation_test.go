package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/accounts"
)

// No operation of an account runs for an operators' key, which has the account 0, and
// none of the installation for an account's key, whatever its scopes.
func TestOperatorsAndAccountsDoNotReachEachOther(t *testing.T) {
	h := openHouse(t)
	operator := h.operatorKey(t)
	ours, theirs := 0, 0
	for path, operations := range h.spec(t).Paths {
		for method, op := range operations {
			if len(op.Security) == 0 {
				continue
			}
			key := operator
			if op.Security[0][keyScheme][0] == accounts.ScopeInstallation {
				key = h.key
				ours++
			} else {
				theirs++
			}
			if strings.HasPrefix(path, installationPath) != (key == h.key) {
				t.Errorf("%s %s stands in the other's place", method, path)
			}
			refused(t, h.ask(t, strings.ToUpper(method), wildcard.ReplaceAllString(path, "x"), `{}`, bearer(key)...), 403, "missing_scope")
		}
	}
	if ours < 15 || theirs < 50 {
		t.Errorf("%d operations of operators, %d of accounts", ours, theirs)
	}
}

// U12
func TestAnOperatorsKeyRunsTheInstallation(t *testing.T) {
	h := openHouse(t)
	key := bearer(h.operatorKey(t))
	ask := func(method, path, body string, status int) reply {
		t.Helper()
		r := h.ask(t, method, installationPath+path, body, key...)
		if r.status != status {
			t.Errorf("%s %s: %d %s", method, path, r.status, r.body)
		}
		return r
	}
	refused(t, ask("POST", "/accounts", `{"id": "a b", "name": "Beta AS", "region": "NO"}`, 422), 422, "invalid_id")
	ask("POST", "/accounts", `{"id": "beta", "name": "Beta AS", "region": "NO", "sender": "BETA"}`, 201)
	refused(t, ask("POST", "/accounts", `{"id": "beta", "name": "Beta AS", "region": "NO"}`, 409), 409, "account_exists")
	page := read[list[account]](t, ask("GET", "/accounts?limit=1", "", 200), 200)
	same(t, page.Items[0].ID, "acme")
	page = read[list[account]](t, ask("GET", "/accounts?limit=1&cursor="+page.NextCursor, "", 200), 200)
	if len(page.Items) != 1 || page.Items[0].ID != "beta" || page.NextCursor != "" {
		t.Errorf("%+v", page)
	}

	ask("POST", "/accounts/beta/senders", `{"sender": "BETA & CO"}`, 200)
	refused(t, ask("POST", "/accounts/nobody/senders", `{"sender": "BETA"}`, 404), 404, "account_not_found")
	senders := read[whole[sender]](t, ask("GET", "/accounts/beta/senders", "", 200), 200)
	same(t, senders.Items[0].Sender, "BETA & CO")
	ask("DELETE", "/accounts/beta/senders/BETA%20&%20CO", "", 204)
	refused(t, ask("DELETE", "/accounts/beta/senders/BETA", "", 404), 404, "sender_not_found")

	rule := read[routeRule](t, ask("POST", "/routes", `{"account": "beta", "lane": "bulk", "carriers": [{"carrier": "main", "weight": 70}]}`, 201), 201)
	rules := read[whole[routeRule]](t, ask("GET", "/routes", "", 200), 200)
	if diff := cmp.Diff([]routeRule{rule}, rules.Items); diff != "" || rule.Carriers[0] != (carrierShare{"main", 70}) {
		t.Error(diff, rule)
	}
	ask("DELETE", "/routes/"+rule.ID, "", 204)
	refused(t, ask("DELETE", "/routes/"+rule.ID, "", 404), 404, "rule_not_found")

	ask("POST", "/numbers", `{"number": "+4759440000", "account": "beta", "carrier": "main"}`, 201)
	numbers := read[whole[number]](t, ask("GET", "/numbers", "", 200), 200)
	if len(numbers.Items) != 1 || numbers.Items[0].Account != "beta" || numbers.Items[0].Carrier != "main" {
		t.Errorf("%+v", numbers)
	}
	ask("DELETE", "/numbers/+4759440000?carrier=main", "", 204)

	actions, all := h.trailOf(t, installationAuditPath, strings.TrimPrefix(key[1], "Bearer "))
	if diff := cmp.Diff([]string{"api.removeNumber", "api.addNumber", "api.removeRoute", "api.addRoute", "api.removeSender", "api.allowSender", "api.createAccount"}, actions); diff != "" {
		t.Error(diff)
	}
	if fmt.Sprint(all.Items[4].Facts) != "map[given:map[account:beta sender:BETA & CO] status:204]" {
		t.Errorf("%+v", all.Items[4])
	}
}

func TestACarriersSecretsAreNotShown(t *testing.T) {
	h := openHouse(t)
	key := bearer(h.operatorKey(t))
	const one = installationCarriersPath + "/spare"
	add := h.ask(t, "POST", installationCarriersPath, `{"name": "spare", "type": "smpp", "config": {"addr": "127.0.0.1:1", "system_id": "v", "password": "hunter2", "window": 7}}`, key...)
	made := read[carrier](t, add, 201)
	if made.Type != "smpp" || !made.Enabled || strings.Contains(string(add.body), "hunter2") {
		t.Errorf("%+v", made)
	}
	changed := read[carrier](t, h.ask(t, "PATCH", one, `{"config": {"throughput": 20}}`, key...), 200)
	same(t, fmt.Sprint(changed.Config), "map[addr:127.0.0.1:1 system_id:v throughput:20 window:7]")
	refused(t, h.ask(t, "PATCH", one, `{"config": {"nonsense": 1}}`, key...), 422, "invalid_config")
	same(t, read[carrier](t, h.ask(t, "POST", one+"/disable", "", key...), 200).Enabled, false)
	same(t, read[carrier](t, h.ask(t, "POST", one+"/enable", "", key...), 200).Enabled, true)
	h.ask(t, "POST", one+"/disable", "", key...)
	all := h.ask(t, "GET", installationCarriersPath, "", key...)
	var listed whole[carrier]
	must(t, json.Unmarshal(all.body, &listed))
	if len(listed.Items) != 2 || listed.Items[1].Config != nil || listed.Items[1].CallbackURL != "" {
		t.Errorf("%s", all.body)
	}
	same(t, h.ask(t, "DELETE", one, "", key...).status, 204)
	refused(t, h.ask(t, "GET", one, "", key...), 404, "carrier_not_found")
}
