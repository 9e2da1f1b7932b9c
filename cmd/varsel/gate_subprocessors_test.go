package main

import (
	"strconv"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/secrets"
)

// subProcessors are the values about who else processes the data: a notice and an
// objection that are open, whenever one is asked for.
func (f *fixtures) subProcessors() {
	ctx, app := f.t.Context(), f.app
	is := func(v string) func() string { return func() string { return v } }
	announced := func() accounts.SubProcessorNotice {
		n, err := app.Accounts.Announce(ctx, accounts.NewNotice{Kind: accounts.NoticeAdd, SubProcessor: accounts.SubProcessor{Name: f.fresh("Carrier %d AS"),
			Address: "Storgata 1", Contact: "Per Vik", Service: "SMS", Data: "Numbers", Country: "NO"}})
		must(f.t, err)
		return n
	}
	notice := func() string { return strconv.FormatInt(announced().Version, 10) }
	one := func() string { return app.Names.Of(secrets.SubProcessor, announced().SubProcessor.ID) }
	objection := func() string {
		o, err := app.Accounts.Object(ctx, f.account.ID, announced().Version, "Not there")
		must(f.t, err)
		return app.Names.Of(secrets.Objection, o.ID)
	}
	name := func() string { return f.fresh("Carrier %d AS") }
	for key, value := range map[string]func() string{
		"notices/notice": notice, "sub-processors/notice": notice, "objections/id": objection, "feed/token": is(app.Names.Of(secrets.Feed, f.account.ID)),
		"subprocessor withdraw notice": notice, "subprocessor withdraw reason": is("Not now"), "subprocessor object notice": notice, "subprocessor object reason": is("Not there"),
		"subprocessor retract objection": objection, "subprocessor resolve objection": objection, "subprocessor resolve outcome": is("not_engaged"),
		"subprocessor resolve answer": is("As you wish"), "subprocessor carrier carrier": is("main"), "subprocessor carrier subprocessor": one,
		"coverCarrier sub_processor": one, "object reason": is("Not there"), "withdrawNotice reason": is("Not now"), "resolveObjection answer": is("As you wish"),
		"/privacy/sub-processors/:notice/object reason": is("Not there"), "/installation/sub-processors/notices/:notice reason": is("Not now"),
		"/installation/sub-processors/objections/:id outcome": is("not_engaged"), "/installation/sub-processors/objections/:id answer": is("As you wish"),
		"/installation/sub-processors/carriers carrier": is("main"), "/installation/sub-processors/carriers subprocessor": one,
		"/installation/sub-processors/new kind": is("add"),
	} {
		f.values[key] = value
	}
	for field, value := range map[string]func() string{"name": name, "address": is("Storgata 1"), "contact": is("Per Vik"), "service": is("SMS"), "data": is("Numbers"), "country": is("NO")} {
		for _, place := range []string{"subprocessor announce ", "announceNotice ", "/installation/sub-processors/new "} {
			f.values[place+field] = value
		}
	}
	f.refusals["subprocessor check"] = "failed" // no carrier of the walk's is on the list
}
