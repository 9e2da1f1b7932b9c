package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/internal/db/dbtest"
)

// recorded is what commands are in a chain, the newest first, without what the rooms
// tell of their own.
func (i *installation) recorded(of ...string) string {
	i.t.Helper()
	out, err := i.try("", append([]string{"audit", "list", "--json"}, of...)...)
	must(i.t, err)
	var commands []string
	for line := range strings.Lines(out) {
		if strings.Contains(line, `"action":"command.`) {
			commands = append(commands, strings.TrimSpace(line))
		}
	}
	return strings.Join(commands, "\n")
}

// What a command changed is in the chain of its account, by its words and flags and
// without their values; what it only showed is not.
func TestCommandsAreInTheAuditTrail(t *testing.T) {
	i := newInstallation(t, dbtest.SQLiteURL(t))
	i.do("", "account", "create", "--id", "acme", "--name", "Acme AS", "--region", "NO")
	i.do("", "suppression", "add", "--account", "acme", "--number", "+4790000001", "--note", "Kari called")
	_, err := i.try("", "suppression", "list", "--account", "acme")
	must(t, err)
	i.do("", "suppression", "settings", "--account", "acme")
	i.do("", "account", "exit", "--account", "acme")
	i.do("", "suppression", "settings", "--account", "acme", "--urgent")
	i.refused("can be texted", "", "suppression", "add", "--account", "acme", "--number", "12")
	out := i.recorded("--account", "acme")
	lines := strings.Split(out, "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], `"action":"command.suppression.settings"`) || !strings.Contains(lines[0], `"flags":["account","urgent"]`) ||
		!strings.Contains(lines[1], `"action":"command.suppression.add"`) || !strings.Contains(lines[1], `"os_user":"`) {
		t.Error(out)
	}
	if strings.Contains(out, "90000001") || strings.Contains(out, "Kari") {
		t.Errorf("somebody is named: %s", out)
	}
	key := i.do("", "operator", "key", "create", "--name", "billing")["id"].(string)
	i.do("a long password\n", "operator", "add", "--email", "ops@varsel.example", "--password-stdin")
	i.do("", "operator", "key", "revoke", "--key", key)
	out = i.recorded("--installation")
	if lines := strings.Split(out, "\n"); len(lines) != 4 || !strings.Contains(lines[0], `"subject":"`+key+`"`) ||
		!strings.Contains(lines[1], "command.operator.add") || !strings.Contains(lines[3], "command.account.create") || strings.Contains(out, "ops@") {
		t.Error(out)
	}
}

// An argument is no word of a command.
func TestACommandsArgumentIsItsSubject(t *testing.T) {
	i := newInstallation(t, dbtest.SQLiteURL(t))
	i.do("", "account", "create", "--id", "acme", "--name", "Acme AS", "--region", "NO", "--sender", "ACME")
	i.do("", "agreement", "conclude", "--account", "acme", "--signatory", "Kari Nordmann", "--title", "CEO", "--email", "kari@acme.example")
	i.addCarrier()
	file := filepath.Join(i.dir, "people.csv")
	must(t, os.WriteFile(file, []byte("Name;Mobile;Groups\nAnna;900 00 001;Night\n"), 0o600))
	_, err := i.try("", "contacts", "import", "--account", "acme", "--file", file)
	must(t, err)
	id := i.do("", "send", "--account", "acme", "--group", "Night", "--text", "Hello", "--at", time.Now().Add(time.Hour).UTC().Format(time.RFC3339))["id"].(string)
	i.do("", "campaign", "show", "--account", "acme", id)
	i.do("", "campaign", "pause", "--account", "acme", id)
	i.do("", "campaign", "show", "--account", "acme", id)
	i.do("", "contacts", "fields", "--account", "acme", "Anna")
	out := i.recorded("--account", "acme")
	lines := strings.Split(out, "\n")
	if len(lines) != 4 || !strings.Contains(lines[0], `"action":"command.campaign.pause"`) || !strings.Contains(lines[0], `"subject":"`+id+`"`) || strings.Contains(out, "Kari") {
		t.Error(out)
	}
}

func TestAChainIsVerifiedByCommands(t *testing.T) {
	i := newInstallation(t, dbtest.SQLiteURL(t))
	i.do("", "account", "create", "--id", "acme", "--name", "Acme AS", "--region", "NO")
	i.do("", "suppression", "add", "--account", "acme", "--number", "+4790000001")
	kept := i.do("", "audit", "verify", "--account", "acme")
	i.do("", "suppression", "remove", "--account", "acme", "--number", "+4790000001")
	head := kept["head"].(string)
	if kept["entries"] != 2.0 || len(head) != 64 {
		t.Fatal(kept)
	}
	if now := i.do("", "audit", "verify", "--account", "acme", "--head", head, "--entries", "2"); now["entries"] != 3.0 {
		t.Error(now)
	}
	i.refused("is another than when the head was kept", "", "audit", "verify", "--account", "acme", "--head", head, "--entries", "3")
	i.refused("was cut off since", "", "audit", "verify", "--account", "acme", "--head", head, "--entries", "9")
	i.refused("together", "", "audit", "verify", "--account", "acme", "--head", head)
	out, err := i.try("", "audit", "verify", "--all") // the installation's begins with the versions of the agreement
	if err != nil || !strings.Contains(out, "installation\t3 entries") || !strings.Contains(out, "acme\t3 entries") {
		t.Error(out, err)
	}
}
