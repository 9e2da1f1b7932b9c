package directory_test

import (
	"strings"
	"testing"

	"github.com/varsel/varsel/directory"
)

func TestAPreviewIsListedByWhatItFound(t *testing.T) { // S8
	eachOffice(t, func(o *office) {
		c, _, err := o.Connect(o.Context(), acme, directory.Setup{Credentials: credentials, Preview: true})
		if err != nil {
			o.Fatal(err)
		}
		o.entra.person("anna", "+4740100001")
		o.entra.person("bo", "+4740100001")
		o.entra.person("cy", "")
		o.entra.person("di", "+47 123")
		if _, found, err := o.LatestDone(o.Context(), acme, c.ID, directory.Preview); found || err != nil {
			o.Errorf("a preview before there is one: %v %v", found, err)
		}
		run := o.synced()
		latest, found, err := o.LatestDone(o.Context(), acme, c.ID, directory.Preview)
		if err != nil || !found || latest.ID != run.ID {
			o.Errorf("%v %v %v", latest.ID, found, err)
		}
		for what, want := range map[string]string{"all": "anna bo cy di", directory.PreviewAdded: "anna bo cy di", directory.PreviewChanged: "",
			directory.PreviewWithoutNumber: "cy", directory.PreviewInvalid: "di", directory.PreviewShared: "anna bo"} {
			o.equal(want, o.previewed(acme, c.ID, what))
		}
		o.equal("", o.previewed(other, c.ID, "all"))
	})
}

func (o *office) previewed(account, connection int64, what string) string {
	o.Helper()
	var ids []string
	for after := ""; ; {
		page, err := o.PreviewOf(o.Context(), account, connection, what, after, 1)
		if err != nil {
			o.Fatal(err)
		}
		if len(page) == 0 {
			return strings.Join(ids, " ")
		}
		if !strings.HasPrefix(page[0].Name, "Person ") {
			o.Errorf("%s has the name %q", page[0].DirectoryID, page[0].Name)
		}
		after = page[0].DirectoryID
		ids = append(ids, after)
	}
}

func TestWhoApprovedIsOnRecord(t *testing.T) {
	eachOffice(t, func(o *office) {
		for i := range 11 {
			o.entra.person(string(rune('a'+i)), "")
		}
		o.synced()
		for i := range 11 {
			o.entra.remove(string(rune('a' + i)))
		}
		o.synced()
		id := o.only().ID
		if err := o.Approve(o.Context(), acme, id, 11, "kari@acme.test"); err != nil {
			o.Fatal(err)
		}
		all, err := o.Approvals(o.Context(), acme, id, 10)
		if err != nil || len(all) != 1 || all[0].People != 11 || all[0].By != "kari@acme.test" || all[0].At.IsZero() {
			o.Errorf("%+v %v", all, err)
		}
		if foreign, err := o.Approvals(o.Context(), other, id, 10); err != nil || len(foreign) != 0 {
			o.Errorf("another account sees %+v %v", foreign, err)
		}
	})
}
