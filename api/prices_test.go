package api

import (
	"strings"
	"testing"
)

const basicPlan = `{"name": "basic", "capabilities": [], "price_list": "standard", "directory_price": "0", "anchor": 1}`

func TestAnOperatorSellsByPlansAndPriceLists(t *testing.T) { // Q3, S16
	h := openHouse(t)
	key := bearer(h.operatorKey(t))
	operate := func(method, path, body string) reply {
		t.Helper()
		return h.ask(t, method, installationPath+path, body, key...)
	}
	mine := read[ownPlan](t, h.ask(t, "GET", planPath, ""), 200)
	same(t, mine.Plan.Name+" "+mine.PriceList+" "+mine.Plan.DirectoryPrice.Amount+strings.Join(mine.Plan.Capabilities, "+"), "everything standard 99.00cards+directory")
	same(t, read[priceTable](t, h.ask(t, "GET", pricesPath, ""), 200).Items[0], price{"*", "*", "0.09"})

	// A list gets versions; one that is to come can be withdrawn.
	same(t, read[priceList](t, operate("POST", "/price-lists", `{"name": "kunde", "currency": "EUR"}`), 201).Currency, "EUR")
	refused(t, operate("POST", "/price-lists", `{"name": "kunde", "currency": "EUR"}`), 409, "price_list_exists")
	refused(t, operate("POST", "/accounts/acme/plan", `{"plan": "everything", "price_list": "kunde"}`), 409, "price_list_empty")
	refused(t, operate("POST", "/price-lists/kunde/versions", `{"csv": "country,lane,price\nNO,bulk,x\nXX,bulk,1\n*,*,1\n"}`), 422, "invalid_prices")
	first := read[priceVersion](t, operate("POST", "/price-lists/kunde/versions", `{"csv": "country,lane,price\nNO,urgent,0.05\n*,*,0.04\n"}`), 201)
	later := read[priceVersion](t, operate("POST", "/price-lists/kunde/versions", `{"valid_from": "2099-01-01T00:00:00Z", "prices": [{"country": "*", "lane": "*", "price": "1"}]}`), 201)
	if one := read[priceVersion](t, operate("POST", "/price-lists/kunde/versions/"+later.ID+"/withdraw", ""), 200); one.WithdrawnAt.IsZero() {
		t.Error("it is not withdrawn")
	}
	refused(t, operate("POST", "/price-lists/kunde/versions/"+first.ID+"/withdraw", ""), 409, "price_version_valid")
	refused(t, operate("POST", "/price-lists/standard/versions/"+first.ID+"/withdraw", ""), 404, "price_version_not_found")
	same(t, len(read[whole[priceVersion]](t, operate("GET", "/price-lists/kunde/versions", ""), 200).Items), 2)
	same(t, len(read[whole[priceList]](t, operate("GET", "/price-lists", ""), 200).Items), 2)

	same(t, read[planTerm](t, operate("POST", "/accounts/acme/plan", `{"plan": "everything", "price_list": "kunde"}`), 200).PriceList, "kunde")
	same(t, read[priceTable](t, h.ask(t, "GET", pricesPath, ""), 200), priceTable{"EUR", []price{{"*", "*", "0.04"}, {"NO", "urgent", "0.05"}}})
	file := h.ask(t, "GET", pricesPath+"/files/csv", "")
	same(t, string(file.body), "country,lane,price\n*,*,0.04\nNO,urgent,0.05\n")
	same(t, read[priceVersion](t, operate("GET", "/price-lists/kunde/versions/"+first.ID, ""), 200).Prices, []price{{"*", "*", "0.04"}, {"NO", "urgent", "0.05"}})

	// A plan without directories is refused one, with the name of a plan that has it.
	read[plan](t, operate("POST", "/plans", basicPlan), 200)
	same(t, len(read[whole[plan]](t, operate("GET", "/plans", ""), 200).Items), 2)
	next := read[planTerm](t, operate("POST", "/accounts/acme/plan", `{"plan": "basic", "from": "2099-01-01T00:00:00Z"}`), 200)
	same(t, read[ownPlan](t, h.ask(t, "GET", planPath, ""), 200).Next.Plan.Name, next.Plan.Name)
	read[planTerm](t, operate("POST", "/accounts/acme/plan", `{"plan": "basic"}`), 200)
	same(t, len(read[whole[planTerm]](t, operate("GET", "/accounts/acme/plan", ""), 200).Items), 3)
	p := refused(t, h.ask(t, "POST", connectionsPath, `{"tenant": "acme.example", "client_id": "6f1d2c7e-0000-4000-8000-000000000001", "secret": "x"}`), 403, "plan_lacks_directory")
	if !strings.Contains(p.Detail, "everything") {
		t.Errorf("%q names no plan", p.Detail)
	}
}

func TestAnAccountIsOpenedInACurrencyThatHasPrices(t *testing.T) {
	h := openHouse(t)
	key := bearer(h.operatorKey(t))
	operate := func(path, body string) reply {
		t.Helper()
		return h.ask(t, "POST", installationPath+path, body, key...)
	}
	const norsk = `{"id": "norsk", "name": "Norsk AS", "region": "NO", "currency": "NOK", "plan": "norge"}`
	refused(t, operate("/accounts", strings.Replace(norsk, `, "plan": "norge"`, "", 1)), 409, "price_list_currency")
	refused(t, operate("/accounts", norsk), 404, "plan_not_found")
	read[priceList](t, operate("/price-lists", `{"name": "kroner", "currency": "NOK"}`), 201)
	read[priceVersion](t, operate("/price-lists/kroner/versions", `{"prices": [{"country": "*", "lane": "*", "price": "0.9"}]}`), 201)
	read[plan](t, operate("/plans", `{"name": "norge", "capabilities": ["directory"], "price_list": "kroner", "directory_price": "1090", "anchor": 15}`), 200)
	kept := read[plan](t, operate("/plans", `{"name": "norge", "capabilities": ["directory"], "price_list": "kroner"}`), 200)
	same(t, [2]any{kept.DirectoryPrice.Amount, kept.Anchor}, [2]any{"1090.00", 15})
	same(t, read[account](t, operate("/accounts", norsk), 201).Currency, "NOK")
	refused(t, operate("/accounts/norsk/plan", `{"plan": "everything"}`), 409, "price_list_currency")
}
