package main

import (
	"time"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/secrets"
)

// plans are the values about plans and price lists: accounts keep the plan with
// everything, and a version is added and withdrawn at a time of its own.
func (f *fixtures) plans() {
	is := func(v string) func() string { return func() string { return v } }
	day := func() time.Time { f.n++; return time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, f.n) }
	later := func() string { return day().Format(time.DateOnly) }
	version := func() string {
		v, err := f.app.PriceLists.Add(f.t.Context(), 1, day(), []billing.Price{{Country: billing.Any, Lane: billing.Any, Micro: 1}})
		must(f.t, err)
		return f.app.Names.Of(secrets.PriceVersion, v.ID)
	}
	const file = "country,lane,price\n*,*,0.09\n"
	prices := f.file("prices.csv", file)
	list := func() string { return f.fresh("list-%d") }
	for name, value := range map[string]func() string{
		"list/": is("standard"), "list/versions": is("standard"), "list/id": is("standard"), "id/withdraw": version, "id/csv": version, "versions/id": version, "price-lists/list": is("standard"), "id.csv/": func() string { return version() + ".csv" },
		"/v1/prices/files/:kind": is("csv"),
		"setPlan name":           is("walked"), "setPlan capabilities": is("[]"), "setPlan price_list": is("standard"), "setPlan directory_price": is("99"), "setPlan anchor": is("1"), "assignPlan plan": is("everything"),
		"createPriceList name": list, "createPriceList currency": is("EUR"), "addPriceVersion csv": is(file), "addPriceVersion valid_from": func() string { return day().Format(time.RFC3339) },

		"/installation/plans name": is("walked"), "/installation/plans price_list": is("standard"), "/installation/plans directory_price": is("99"), "/installation/plans anchor": is("1"),
		"/installation/plans/assign account": is("acme"), "/installation/plans/assign plan": is("everything"),
		"/installation/price-lists name": list, "/installation/price-lists currency": is("EUR"),
		"/installation/price-lists/:list prices": is(file), "/installation/price-lists/:list valid_from": later,

		"plan set name": is("walked"), "plan set price-list": is("standard"), "plan set directory-price": is("99"), "plan set anchor": is("1"), "plan assign plan": is("everything"),
		"price create name": list, "price create currency": is("EUR"), "price import list": is("standard"), "price import from": later, "price import file": is(prices),
		"price withdraw list": is("standard"), "price withdraw version": version, "price show list": is("standard"),
	} {
		f.values[name] = value
	}
}
