package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/secrets"
)

func TestAnAccountSeesItsPlanAndItsPrices(t *testing.T) { // S16
	w := newWorld(t)
	w.connect()
	if err := billing.NewSubscriptions(w.db, w.names).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.signIn()
	w.has(w.get("/account"), http.StatusOK, `href="/prices"`)
	w.has(w.get("/prices"), http.StatusOK, "everything", "standard", "99.00", "dir_", "0.045")
	for _, code := range []string{"en", "nb", "pl"} {
		page := w.get("/prices", "Accept-Language", code).body
		_, table, _ := strings.Cut(page, `aria-labelledby="parts"`)
		w.golden("prices-"+code, table)
	}
	if got := w.get("/prices.csv"); !strings.HasPrefix(got.body, "country,lane,price\n*,*,0.09\n") {
		t.Errorf("the file is %q", got.body)
	}
	w.as("sender")
	w.has(w.get("/prices"), http.StatusForbidden)
}

// versionless takes out the names of versions, which are others in each world.
func versionless(page string) string {
	return regexp.MustCompile(`prv_[0-9a-z]+`).ReplaceAllString(page, "prv_x")
}

func TestAnOperatorKeepsPricesAndPlans(t *testing.T) { // Q3, S16
	w := newWorld(t)
	w.connect()
	w.operate()
	for _, code := range []string{"en", "nb", "pl"} {
		for page, path := range map[string]string{"plans": "/installation/plans", "pricelists": "/installation/price-lists", "pricelist": "/installation/price-lists/standard"} {
			w.golden(page+"-"+code, versionless(timeless(w.get(path, "Accept-Language", code).body)))
		}
	}
	w.has(w.post("/installation/price-lists", url.Values{"name": {"Our list"}, "currency": {"EUR"}}), http.StatusUnprocessableEntity, `id="name-wrong"`, "Our list")
	w.sent(w.post("/installation/price-lists", url.Values{"name": {"ours"}, "currency": {"eur"}}), "/installation/price-lists/ours")
	w.has(w.post("/installation/price-lists/ours", url.Values{"prices": {"country,lane,price\nXX,*,1\nNO,slow,1\n*,*,1"}}), http.StatusUnprocessableEntity, "<li>row 2:", "<li>row 3:", "NO,slow,1")
	w.has(w.post("/installation/price-lists/ours", url.Values{"prices": {"country,lane,price\n*,*,1"}, "valid_from": {"2020-01-01"}}), http.StatusUnprocessableEntity, `id="valid_from-wrong"`)
	w.sent(w.post("/installation/price-lists/ours", url.Values{"prices": {"country,lane,price\n*,*,0.5"}}), "/installation/price-lists/ours")
	w.sent(w.post("/installation/price-lists/ours", url.Values{"prices": {"country,lane,price\n*,*,0.6"}, "valid_from": {"2099-01-01"}}), "/installation/price-lists/ours")
	list := must(w.lists.ByName(t.Context(), "ours"))
	versions := must(w.lists.Versions(t.Context(), list.ID))
	later, valid := w.names.Of(secrets.PriceVersion, versions[0].ID), w.names.Of(secrets.PriceVersion, versions[1].ID)
	w.has(w.get("/installation/price-lists/ours"), http.StatusOK, "/installation/price-lists/ours/"+later+"/withdraw", "0.50")
	w.has(w.get("/installation/price-lists/ours/"+valid+".csv"), http.StatusOK, "*,*,0.50")
	w.has(w.post("/installation/price-lists/ours/"+valid+"/withdraw", url.Values{}), http.StatusConflict, "valid already")
	w.sent(w.post("/installation/price-lists/ours/"+later+"/withdraw", url.Values{}), "/installation/price-lists/ours")

	w.has(w.post("/installation/plans", url.Values{"name": {"basic"}, "price_list": {"ours"}, "directory_price": {"x"}, "anchor": {"1"}}), http.StatusUnprocessableEntity, `id="directory_price-wrong"`, `value="x"`)
	w.sent(w.post("/installation/plans", url.Values{"name": {"basic"}, "price_list": {"ours"}, "directory_price": {"0"}, "anchor": {"1"}}), "/installation/plans")
	w.sent(w.post("/installation/plans", url.Values{"name": {"basic"}, "price_list": {"ours"}, "directory_price": {"7"}, "anchor": {"9"}}), "/installation/plans")
	w.sent(w.post("/installation/plans", url.Values{"name": {"basic"}, "price_list": {"ours"}, "directory_price": {""}, "anchor": {""}}), "/installation/plans")
	if kept := must(w.plans.ByName(t.Context(), "basic")); kept.DirectoryMicro != 7_000_000 || kept.Anchor != 9 {
		t.Errorf("it is %+v", kept)
	}
	w.has(w.post("/installation/plans/assign", url.Values{"account": {"nobody"}, "plan": {"basic"}}), http.StatusNotFound, `id="account-wrong"`)
	w.has(w.post("/installation/plans/assign", url.Values{"account": {"acme"}, "plan": {"basic"}, "from": {"soon"}}), http.StatusUnprocessableEntity, `id="from-wrong">A plan is changed from now on`)
	w.sent(w.post("/installation/plans/assign", url.Values{"account": {"acme"}, "plan": {"basic"}}), "/installation/plans")
	if now := must(w.plans.Of(t.Context(), w.account.ID, time.Now())); now.Plan.Name != "basic" || now.List().Name != "ours" {
		t.Errorf("it has %+v", now)
	}

	everything := must(w.plans.ByName(t.Context(), "everything"))
	w.has(w.get("/installation/plans"), http.StatusOK, `href="/installation/plans?plan=everything#set"`)
	w.has(w.get("/installation/plans?plan=everything", "Accept-Language", "nb"), http.StatusOK, `value="everything"`, `id="directory" name="directory" value="1" checked`, `id="cards" name="cards" value="1" checked`,
		`name="directory_price" maxlength="20" inputmode="decimal" value="99,00"`, `<option value="standard" selected>`)
	w.has(w.get("/installation/plans?plan=none"), http.StatusNotFound)
	w.sent(w.post("/installation/plans/assign", url.Values{"account": {"acme"}, "plan": {"everything"}}), "/installation/plans")
	less := url.Values{"name": {"everything"}, "price_list": {"standard"}, "directory_price": {"120"}, "anchor": {"1"}, "directory": {"1"}}
	w.has(w.post("/installation/plans", less), http.StatusConflict, `id="confirm-wrong"`, "1 account loses: business cards", `value="120"`)
	w.has(w.post("/installation/plans", with(less, "directory_price", "1,200")), http.StatusUnprocessableEntity, `id="directory_price-wrong"`)
	if now := must(w.plans.ByName(t.Context(), "everything")); !now.Includes(billing.Cards) || now.DirectoryMicro != everything.DirectoryMicro {
		t.Errorf("what nobody confirmed is done: %+v", now)
	}
	w.sent(w.post("/installation/plans", with(less, "confirm", "1")), "/installation/plans")
	if now := must(w.plans.ByName(t.Context(), "everything")); now.Includes(billing.Cards) || now.DirectoryMicro != 120_000_000 {
		t.Errorf("what was confirmed is not done: %+v", now)
	}
	w.sent(w.post("/installation/plans", with(with(less, "cards", "1"), "directory_price", "99")), "/installation/plans")
	w.sent(w.post("/installation/plans/assign", url.Values{"account": {"acme"}, "plan": {"basic"}}), "/installation/plans")

	// What is connected is suspended, and the pages name a plan that has it.
	w.client = newClient()
	w.signIn()
	for _, path := range []string{"/directory", "/directory/connect", "/directory/scim"} {
		w.has(w.get(path), http.StatusOK, "the sync is suspended", "everything")
	}
}
