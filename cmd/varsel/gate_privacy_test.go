package main

import (
	"time"

	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/privacy"
)

const walkReason = "Case 12"

// privacyDesk are the values about what is kept of people, how long, and what becomes
// of it at the end. Whoever is erased was made for that.
func (f *fixtures) privacyDesk() {
	ctx, app, id := f.t.Context(), f.app, f.account.ID
	is := func(v string) func() string { return func() string { return v } }
	person := f.values["contacts/id"]
	erasure := func() string {
		e, err := app.Privacy.Erase(ctx, id, person(), walkReason)
		must(f.t, err)
		return app.Names.Of(secrets.Erasure, e.ID)
	}
	holdOf := func(account int64) func() string {
		return func() string {
			h, err := app.Privacy.Hold(ctx, account, "", walkReason)
			must(f.t, err)
			return app.Names.Of(secrets.Hold, h.ID)
		}
	}
	export := f.export()
	for name, value := range map[string]func() string{
		"q": is("Person"), "person": person, "exports/id": is(export), "leave/id.zip": is(export + ".zip"), "erasures/id": erasure, "holds/id": holdOf(id),
		"/v1/installation/retention/holds/:id": holdOf(0), "retention/class": is("message_texts"),
		"erasePerson person": person, "?/privacy/person ref": person, "?/privacy/person/export ref": person,
		"/privacy/person/erase ref": person, "/privacy/person/erase reason": is(walkReason), "/privacy/person/erase word": is("ERASE"),
		"/account/retention/holds reason": is(walkReason), "/account/retention message_texts": is("90"),

		"privacy find text": is("Person"), "privacy erase reason": is(walkReason), "privacy lift erasure": erasure,
		"retention set class": is("message_texts"), "retention set days": is("90"), "retention hold reason": is(walkReason),
		"account export out": f.newFile("export-%d.zip"), "account certificate out": f.newFile("certificate-%d.pdf"),
	} {
		f.values[name] = value
	}
	// Nothing of the account was ever deleted at the end of an agreement.
	f.answers["/v1/account/exit/certificate"], f.answers["/account/leave/certificate.pdf"] = []int{404}, []int{404}
	f.refusals["account certificate"] = "there is no certificate"
}

// export is one of the whole account that is ready.
func (f *fixtures) export() string {
	f.t.Helper()
	x, err := f.app.Privacy.AskExport(f.t.Context(), f.account.ID)
	must(f.t, err)
	must(f.t, f.app.Privacy.RunExports(f.t.Context(), time.Now()))
	x, err = f.app.Privacy.ExportOf(f.t.Context(), f.account.ID, x.ID)
	must(f.t, err)
	if x.State != privacy.ExportReady {
		f.t.Fatalf("an export is %s", x.State)
	}
	return f.app.Names.Of(secrets.ExportOfAll, x.ID)
}
