package main

import (
	"archive/zip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/varsel/varsel/internal/db/dbtest"
)

func TestRetentionExportAndRegisterByCommand(t *testing.T) {
	i := newInstallation(t, dbtest.SQLiteURL(t))
	say := func(args ...string) string {
		out, err := i.try("", args...)
		must(t, err)
		return out
	}
	say("account", "create", "--id", "acme", "--name", "Acme AS", "--region", "NO")
	say("retention", "set", "--account", "acme", "--class", "message_texts", "--days", "20")
	i.refused("7 to 3650 days", "", "retention", "set", "--account", "acme", "--class", "message_texts", "--days", "1")
	if shown := say("retention", "show", "--account", "acme"); !strings.Contains(shown, "message_texts\t20 days\taccount") {
		t.Errorf("shown:\n%s", shown)
	}
	if run := say("retention", "run", "--account", "acme"); !strings.Contains(run, "message_texts\tdone\t0") {
		t.Errorf("run:\n%s", run)
	}
	if held := say("retention", "hold", "--account", "acme", "--reason", "Case 12-345"); !strings.HasPrefix(held, "hold hld_") {
		t.Errorf("held: %s", held)
	}
	file := filepath.Join(t.TempDir(), "acme.zip")
	say("account", "export", "--account", "acme", "--out", file)
	z, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	z.Close()
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the export: %v %v", info, err)
	}
	if exit := say("account", "exit", "--account", "acme"); !strings.Contains(exit, "the data stay") {
		t.Errorf("exit: %s", exit)
	}
	i.refused("there is no certificate", "", "account", "certificate", "--account", "acme", "--out", file+".pdf")
	if register := say("register", "--account", "acme", "--language", "pl"); !strings.Contains(register, "Administrator: acme") {
		t.Errorf("register:\n%s", register)
	}
}
