package main

import (
	"encoding/base64"
	"encoding/json"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/secrets"
)

const (
	walkAgreement = "# Agreement\n\nTerms."
	walkSigned    = "%PDF-1.7\n%%EOF\n"
	walkGrace     = "2040-01-01" // until when the walk's own agreement is enough, whatever it publishes
)

// agreements are the values about agreements and their parties. Who signs has the
// agreement before them as it is at that moment.
func (f *fixtures) agreements() {
	ctx, app, id := f.t.Context(), f.app, f.account.ID
	is := func(v string) func() string { return func() string { return v } }
	party := accounts.Party{LegalName: "Acme AS", Address: "Storgata 1, 0155 Oslo"}
	must(f.t, app.Accounts.SetController(ctx, id, party))
	must(f.t, app.Accounts.SetProcessor(ctx, accounts.Processor{Party: party, Signatory: "Ola Drift", SignatoryTitle: "CEO"}))
	concluded, err := app.Accounts.CurrentAgreement(ctx, id)
	must(f.t, err)
	one := is(app.Names.Of(secrets.Agreement, concluded.ID))
	key, err := app.Accounts.ByKey(ctx, f.key)
	must(f.t, err)
	user, err := app.Accounts.Session(ctx, f.session)
	must(f.t, err)
	viewedBy := func(who audit.Actor) func() string {
		return func() string {
			d, err := app.Accounts.View(audit.As(ctx, who), id, "en")
			must(f.t, err)
			return d.SHA256
		}
	}
	version := func() string { return f.fresh("walk-%d") }
	texts, err := json.Marshal(map[string]string{"en": walkAgreement})
	must(f.t, err)
	for name, value := range map[string]func() string{
		"agreements/id": one, "agreement/id": one, "concludeAgreement document_sha256": viewedBy(audit.Actor{Kind: audit.Key, ID: key.ID}),
		"uploadAgreement pdf": is(base64.StdEncoding.EncodeToString([]byte(walkSigned))), "publishAgreement version": version, "publishAgreement texts": is(string(texts)),
		"publishAgreement grace_until": is(walkGrace + "T00:00:00Z"), "changeController address": is(party.Address), "changeProcessor signatory": is("Ola Drift"),

		"/agreement/sign document": viewedBy(audit.Actor{Kind: audit.User, ID: user.User}), "/agreement/sign agree": is("yes"),
		"/agreement/terminate confirm": is("acme"), "/agreement/terminate at_end": is(accounts.AtEndReturn),
		"/installation/agreements version": version, "/installation/agreements grace_until": is(walkGrace),
		"/installation/processor signatory": is("Ola Drift"), "/installation/processor signatory_title": is("CEO"),

		"agreement upload file": is(f.file("signed.pdf", walkSigned)), "agreement pdf out": f.newFile("agreement-%d.pdf"),
		"agreement terminate at-end": is(accounts.AtEndReturn), "agreement terminate confirm": is("acme"),
		"agreement publish version": version, "agreement publish text": is("en=" + f.file("agreement.txt", walkAgreement)), "agreement publish grace-until": is(walkGrace),
		"processor set address": is(party.Address), "controller set address": is(party.Address),
	} {
		f.values[name] = value
	}
	for _, form := range []string{"/agreement/controller", "/installation/processor"} {
		f.values[form+" legal_name"], f.values[form+" address"] = is(party.LegalName), is(party.Address)
	}
	for _, form := range []string{"/agreement/sign", "/agreement/upload"} {
		for field, value := range map[string]string{"language": "en", "signatory": "Kari Nordmann", "title": "CEO", "email": "kari@acme.example", "authority": "yes"} {
			f.values[form+" "+field] = is(value)
		}
	}
	f.files["/agreement/upload"], f.files["/installation/agreements"] = formFile{"pdf", walkSigned}, formFile{"text_en", walkAgreement}
}
