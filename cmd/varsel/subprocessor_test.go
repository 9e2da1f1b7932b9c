package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/sim/smtpsim"
)

// nordtele is what is said about a sub-processor.
var nordtele = []string{"--name", "Nordtele AS", "--address", "Storgata 1, Oslo", "--contact", "Per Vik", "--service", "Carries SMS", "--data", "Numbers", "--country", "NO"}

func TestTheListOfSubProcessorsIsKeptByCommands(t *testing.T) {
	i := newInstallation(t, dbtest.SQLiteURL(t))
	i.do("", "account", "create", "--id", "acme", "--name", "Acme AS", "--region", "NO")
	announce := append([]string{"subprocessor", "announce"}, nordtele...)
	today := time.Now().UTC().Format(time.DateOnly)
	i.refused("30 days before", "", append(announce, "--effective", today)...)
	made := i.do("", append(announce, "--effective", today, "--reason", "The list at the start")...)
	name := made["subprocessor"].(map[string]any)["id"].(string)
	i.do("", "subprocessor", "announce", "--kind", "change", "--subprocessor", name, "--country", "SE")
	i.refused("no such notice", "", "subprocessor", "object", "--account", "acme", "--notice", "7", "--reason", "No")
	objection := i.do("", "subprocessor", "object", "--account", "acme", "--notice", "2", "--reason", "Not there")
	if got := i.do("", "subprocessor", "objections", "--account", "acme"); got["state"] != "open" || got["reason"] != "Not there" {
		t.Error(got)
	}
	i.do("", "subprocessor", "resolve", "--objection", objection["id"].(string), "--outcome", "withdrawn", "--answer", "It stays in Norway")
	later := time.Now().AddDate(1, 0, 0).Format(time.DateOnly)
	if got := i.do("", "subprocessor", "list", "--at", later); got["country"] != "NO" || got["id"] != name {
		t.Error(got)
	}
	if out, err := i.try("", "subprocessor", "notices"); err != nil || strings.Count(out, "\n") != 3 || !strings.Contains(out, "withdrawn by notice 3") {
		t.Error(out, err)
	}
	if got := i.do("", "subprocessor", "notices", "--evidence", "2"); got["account"] != "acme" || got["available_at"] == nil {
		t.Error(got)
	}
}

func TestACarrierThatNobodyOnTheListRunsIsPointedOut(t *testing.T) {
	i := newInstallation(t, dbtest.SQLiteURL(t))
	config := filepath.Join(i.dir, "main.json")
	must(t, os.WriteFile(config, []byte(`{"addr":"127.0.0.1:2775","system_id":"x","password":"y"}`), 0o600))
	add := func(name string, more ...string) string {
		var out, messages bytes.Buffer
		args := append([]string{"carrier", "add", "--name", name, "--type", "smpp", "--config", config}, more...)
		must(t, run(t.Context(), append(args, i.env...), terminal{strings.NewReader(""), &out, &messages}))
		return messages.String()
	}
	if got := add("main"); !strings.Contains(got, "No sub-processor on the list runs carrier main") {
		t.Errorf("the warning is %q", got)
	}
	i.refused("main\tno sub-processor", "", "subprocessor", "check")
	made := i.do("", append(append([]string{"subprocessor", "announce"}, nordtele...), "--effective", time.Now().UTC().Format(time.DateOnly), "--reason", "Start")...)
	name := made["subprocessor"].(map[string]any)["id"].(string)
	if got := add("other", "--subprocessor", name); got != "" {
		t.Errorf("a warning about a carrier that is covered: %q", got)
	}
	i.do("", "subprocessor", "carrier", "--carrier", "main", "--subprocessor", name)
	if out, err := i.try("", "subprocessor", "check"); err != nil || out != "" {
		t.Error(out, err)
	}
}

func TestTheJobMailsOwnersOverTheRelay(t *testing.T) {
	relay, err := smtpsim.Start()
	must(t, err)
	t.Cleanup(func() { relay.Close() })
	database := dbtest.SQLiteURL(t)
	i := newInstallation(t, database, "--smtp-url", "smtp://"+relay.Addr()+"?from=varsel@varsel.example", "--public-url", "https://varsel.example")
	i.do("", "account", "create", "--id", "acme", "--name", "Acme AS", "--region", "PL")
	i.do("a long password\n", "user", "create", "--account", "acme", "--email", "kari@acme.example", "--role", "owner", "--password-stdin")
	i.do("", append([]string{"subprocessor", "announce"}, nordtele...)...)
	app, err := Open(t.Context(), Config{DatabaseURL: database, SecretKey: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		SMTPURL: "smtp://" + relay.Addr() + "?from=varsel@varsel.example", PublicURL: "https://varsel.example"})
	must(t, err)
	defer app.Close()
	for range 2 {
		must(t, app.mailJobs()[0].Run(t.Context()))
	}
	got := relay.Mails()
	if len(got) != 1 || got[0].To != "kari@acme.example" || !strings.Contains(got[0].Text, "https://varsel.example/privacy/sub-processors") {
		t.Errorf("%+v", got)
	}
	i.env[len(i.env)-3] = "smtp://relay.example"
	i.refused("VARSEL_SMTP_URL needs the sender's address", "", "carrier", "list")
}
