package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/internal/db/dbtest"
)

// U8: the preview is what is sent, in parts and in money.
func TestTemplateIsPreviewedAndSentByCommands(t *testing.T) {
	i := newInstallation(t, dbtest.SQLiteURL(t))
	i.furnish()
	i.do("", "directory", "sync", "--account", "acme")
	i.refused("name the language", "", "template", "add", "--account", "acme", "--name", "Welcome", "--text", "en=Hi", "--text", "nb=Hei")
	kept := i.do("", "template", "add", "--account", "acme", "--name", "Welcome", "--language", "en",
		"--text", "en=Hi {{first_name|there}}; see you at {{office}}", "--text", "nb=Hei {{first_name|du}}; {{office|}}")
	shown := i.do("", "template", "show", "--account", "acme", "Welcome")
	if shown["id"] != kept["id"] || shown["texts"].(map[string]any)["en"] != "Hi {{first_name|there}}; see you at {{office}}" {
		t.Errorf("%v", shown)
	}
	if out, err := i.try("", "template", "list", "--account", "acme"); err != nil || !strings.Contains(out, "Welcome\tversion 1\ten, nb") {
		t.Errorf("%v %s", err, out)
	}

	send := []string{"send", "--account", "acme", "--group", "All staff", "--template", "Welcome"}
	if out, err := i.try("", append(send, "--preview")...); err != nil || !strings.Contains(out, " parts, ") {
		t.Errorf("%v %s", err, out)
	}
	foreseen := i.do("", append(send, "--preview")...)
	if n := i.smsc.Counts().Submits; n != 0 {
		t.Errorf("the preview sent %d messages", n)
	}
	sent := i.do("", append(send, "--max-cost", foreseen["cost"].(string), "--wait")...)
	for _, figure := range []string{"recipients", "parts", "cost", "currency"} {
		if foreseen[figure] != sent[figure] || sent["recipients"] == 0.0 {
			t.Errorf("%s: foreseen are %v, sent %v", figure, foreseen[figure], sent[figure])
		}
	}
	if left := foreseen["left_out"].(map[string]any); left["unresolved"] != sent["unresolved"] || left["without_number"] != sent["without_number"] {
		t.Errorf("foreseen %v, left out %v", left, sent)
	}
	if got := i.smsc.Counts().Accepted; float64(got) != foreseen["parts"] {
		t.Errorf("%d parts were accepted", got)
	}
	i.refused("is no amount", "", append(send, "--max-cost", "much")...)
	i.refused("for a group", "", "send", "--account", "acme", "--to", "900 00 001", "--template", "Welcome")
	i.refused("there is no such template", "", "send", "--account", "acme", "--group", "All staff", "--template", "Farewell")
}

func TestATemplateIsChangedAndArchivedByCommands(t *testing.T) {
	i := newInstallation(t, dbtest.SQLiteURL(t))
	i.furnish()
	about := func(command string, more ...string) []string {
		return append([]string{"template", command, "--account", "acme", "Welcome"}, more...)
	}
	i.do("", "template", "add", "--account", "acme", "--name", "Welcome", "--language", "en", "--text", "en=Hi", "--text", "nb=Hei")
	i.refused("say what changes", "", about("change")...)
	i.refused("no text in \"pl\"", "", about("change", "--without", "pl")...)
	i.refused("there is no text in en", "", about("change", "--without", "en")...)
	changed := i.do("", about("change", "--text", "nb=Hei, du", "--text", "pl=Cześć")...)
	texts := map[string]any{"en": "Hi", "nb": "Hei, du", "pl": "Cześć"}
	if diff := cmp.Diff(texts, changed["texts"]); diff != "" || changed["version"] != 2.0 || changed["language"] != "en" {
		t.Errorf("%v %s", changed, diff)
	}
	changed = i.do("", about("change", "--without", "en", "--language", "nb", "--name", "Velkommen")...)
	delete(texts, "en")
	if diff := cmp.Diff(texts, changed["texts"]); diff != "" || changed["version"] != 3.0 || changed["language"] != "nb" || changed["name"] != "Velkommen" {
		t.Errorf("%v %s", changed, diff)
	}
	id := changed["id"].(string)
	if got := i.do("", "template", "archive", "--account", "acme", "Velkommen"); got["archived"] != true || got["id"] != id {
		t.Errorf("%v", got)
	}
	if out, err := i.try("", "template", "list", "--account", "acme"); err != nil || out != "" {
		t.Errorf("%v %q", err, out)
	}
	i.refused("archived", "", "template", "change", "--account", "acme", id, "--name", "Back")
}
