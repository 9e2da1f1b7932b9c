package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

func TestRulesAreAddedAndRemoved(t *testing.T) { // U12
	w := newWorld(t)
	w.operate()
	w.smpp("main")
	w.smpp("spare")
	if got := w.get("/installation/routes").body; !strings.Contains(got, "There are no rules") {
		t.Error(got)
	}
	good := map[string]string{"carriers": "main = 7\r\n\r\nspare", "country": "no", "prefix": "+47 9", "lane": "urgent", "sender": "ACME", "account": "acme"}
	post := func(field, value string) answer {
		form := url.Values{}
		for name, is := range good {
			form.Set(name, is)
		}
		if field != "" {
			form.Set(field, value)
		}
		return w.post("/installation/routes/new", form)
	}
	for field, wrong := range map[string][]string{"carriers": {"", "main", "main=x", "main=0", "none=1", "main=1\nmain=2"}, "country": {"XX"},
		"prefix": {"47"}, "lane": {"fast"}, "sender": {"?"}, "account": {"nobody"}} {
		for _, value := range wrong {
			got := post(field, value)
			if got.status == http.StatusSeeOther || !strings.Contains(got.body, `id="`+field+`-wrong"`) || !strings.Contains(got.body, `aria-invalid="true"`) {
				t.Errorf("%s %q: %d %s", field, value, got.status, got.body)
			}
		}
	}
	w.golden("route-rule-wrong-nb", w.post("/installation/routes/new", url.Values{"carriers": {"main=x"}, "country": {"XX"}}, "Accept-Language", "nb").body)
	if got := post("", ""); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if got := post("", ""); got.status != http.StatusConflict {
		t.Errorf("%d", got.status)
	}
	all := must(w.queue.RouteRules(t.Context()))
	if len(all) != 1 || len(all[0].Shares) != 2 || all[0].Shares[0] != (smsqueue.RuleShare{Carrier: "main", Weight: 7}) || all[0].Prefix != "+479" {
		t.Fatalf("%+v", all)
	}
	rule := "/installation/routes/" + w.names.Of(secrets.RouteRule, all[0].ID) + "/remove"
	if got := w.get(rule); got.status != http.StatusOK || !strings.Contains(got.body, "Remove this rule?") {
		t.Errorf("%d", got.status)
	}
	if got := w.post(rule, url.Values{}); got.status != http.StatusSeeOther || len(must(w.queue.RouteRules(t.Context()))) != 0 {
		t.Errorf("%d", got.status)
	}
	for _, gone := range []string{rule, "/installation/routes/rul_1/remove"} {
		if got := w.post(gone, url.Values{}); got.status != http.StatusNotFound {
			t.Errorf("%s: %d", gone, got.status)
		}
	}
}

func TestRulesAndHealthAreShown(t *testing.T) { // U12, U13
	w := newWorld(t)
	w.operate()
	w.smpp("main")
	w.smpp("spare")
	must(w.queue.AddRule(t.Context(), smsqueue.Rule{Country: "NO", Lane: smsqueue.Bulk, Shares: []smsqueue.RuleShare{{Carrier: "main", Weight: 70}, {Carrier: "spare"}}}))
	must(w.db.ExecContext(t.Context(), `
		INSERT INTO route_health (carrier_id, state, reason, since) SELECT id, 'unhealthy', 'no_answer', 1790000000000 FROM carriers WHERE name = 'main'`))
	for _, code := range []string{"en", "nb", "pl"} {
		w.golden("routes-"+code, w.get("/installation/routes", "Accept-Language", code).body)
	}
}

func TestOnlyOperatorsSeeAndChangeRules(t *testing.T) {
	w := newWorld(t)
	w.smpp("main")
	w.signIn()
	for _, path := range []string{"/installation/routes", "/installation/routes/new", "/installation/routes/rul_1/remove"} {
		if got := w.get(path); got.status != http.StatusForbidden {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	for _, path := range []string{"/installation/routes/new", "/installation/routes/rul_1/remove"} {
		if got := w.post(path, url.Values{"carriers": {"main=1"}}); got.status != http.StatusForbidden {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	if _, err := w.queue.Route(t.Context(), "none"); !problem.Has(err, "carrier_not_found") || len(must(w.queue.RouteRules(t.Context()))) != 0 {
		t.Error(err)
	}
}
