package main

import (
	"strings"

	"github.com/varsel/varsel/internal/secrets"
)

// answersAndLists are the values about a roll call that has been sent, campaigns that
// are paused, people's own fields, and lists of numbers that nothing is sent to.
func (f *fixtures) answersAndLists() {
	is := func(v string) func() string { return func() string { return v } }
	list := func() string {
		id, err := f.app.Queue.KeepSuppressionList(f.t.Context(), f.account.ID, strings.NewReader(f.fresh("+47932%05d")+"\n"))
		must(f.t, err)
		return f.app.Names.Of(secrets.Upload, id)
	}
	const rollAnswers, lists = "/v1/campaigns/:id/roll-call/answers", "/suppressions/import"
	for name, value := range map[string]func() string{
		"/v1/campaigns/:id/roll-call/remind": is(f.asked), "/roll-calls/:id/remind": is(f.asked),
		"/v1/campaigns/:id/resume": f.values["campaign resume campaign"], "/campaigns/:id/resume": f.values["campaign resume campaign"],
		rollAnswers: is(f.asked), "setRollAnswer phone": is(walkPhone),
		"rollcall answer id": is(f.asked), "rollcall answer number": is(walkPhone), "rollcall answer choice": is("1"),
		"contacts fields contact": f.values["contacts/id"], "contacts fields set": is("badge=A"),
		"/contacts/:id/fields new-name": is("badge"), "/contacts/:id/fields new-value": is("A"), "template change name": f.values["name"],
		lists + "/:id": list, lists + "/:id/report.csv": list, "suppression import file": func() string { return f.file("numbers.csv", f.fresh("+47933%05d")+"\n") },
	} {
		f.values[name] = value
	}
	f.files[lists] = formFile{"file", "+4793400001\n"}
}
