package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/internal/db/dbtest"
)

func TestListsAreImportedAndNumbersReportedByCommands(t *testing.T) {
	i := newInstallation(t, dbtest.SQLiteURL(t))
	i.do("", "account", "create", "--id", "acme", "--name", "Acme AS", "--region", "NO")
	file := filepath.Join(i.dir, "people.csv")
	must(t, os.WriteFile(file, []byte("Who;Mobile;Groups\nKari;900 00 001;Night\nOla;1234;\n"), 0o600))
	list := func(more ...string) (string, error) {
		return i.try("", append([]string{"contacts", "import", "--account", "acme", "--file", file, "--map", "Who=name"}, more...)...)
	}
	out, err := list("--dry-run")
	must(t, err)
	const report = "row,result,reason,name,phone_raw,phone,groups,groups_not_filled,same_as_row\n" +
		"2,add,,Kari,900 00 001,+4790000001,Night,,\n3,refused,too_short,Ola,1234,,,,\n"
	if diff := cmp.Diff(report, out); diff != "" {
		t.Error(diff)
	}
	i.exported(0)
	out, err = list("--json", "--sha256", strings.Repeat("0", 64))
	if err == nil || !strings.Contains(err.Error(), "not the file that was looked at") {
		t.Errorf("another file is imported: %v %s", err, out)
	}
	out, err = list("--json")
	must(t, err)
	if first, _, _ := strings.Cut(out, "\n"); !strings.Contains(first, `"counts":{"add":1,"duplicate":0,"refused":1,"synced":0,"unchanged":0,"update":0}`) {
		t.Errorf("the sum is %s", first)
	}
	i.exported(1)

	must(t, os.WriteFile(file, []byte("Who;Mobile\nPia;22 33 44 55\nPer;22 33 44 55\n"), 0o600))
	_, err = list()
	must(t, err)
	out, err = i.try("", "contacts", "quality", "--account", "acme", "--json")
	must(t, err)
	if !strings.Contains(out, `"contacts":2,"integration_advised":true`) || !strings.Contains(out, `"shared_number":0`) {
		t.Errorf("the sum is %s", out)
	}
	out, err = i.try("", "contacts", "quality", "--account", "acme")
	must(t, err)
	if out != "name,directory_id,source,phone_raw,phone_rule,phone,reason,shared_with,desk_line\n" {
		t.Errorf("the report is %s", out)
	}
	i.refused("there is no contact", "", "contacts", "fields", "--account", "acme", "Nobody")
	i.refused("several contacts", "", "contacts", "fields", "--account", "acme", "i")
	i.refused("small letters", "", "contacts", "fields", "--account", "acme", "Kari", "--set", "Desk No=7")
	set := i.do("", "contacts", "fields", "--account", "acme", "Kari", "--set", "badge=A-117", "--set", "desk=7")
	if fields := set["fields"].(map[string]any); fields["badge"] != "A-117" || fields["desk"] != "7" {
		t.Errorf("%v", set)
	}
	i.do("", "contacts", "fields", "--account", "acme", set["id"].(string), "--remove", "desk")
	if out, err := i.try("", "contacts", "fields", "--account", "acme", "Kari"); err != nil || out != "badge\tA-117\n" {
		t.Errorf("%v %q", err, out)
	}
	i.refused("there is no reason", "", "contacts", "quality", "--account", "acme", "--reason", "ugly")
}
