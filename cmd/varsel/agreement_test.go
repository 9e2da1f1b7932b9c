package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// S6, S7: what the commands do about an agreement, and what it lets through.
func TestAnAgreementIsConcludedReplacedAndEndedByCommands(t *testing.T) {
	eachWay(t, func(t *testing.T, i *installation) {
		i.do("", "processor", "set", "--name", "Varsel Drift AS", "--address", "Storgata 1, Oslo", "--signatory", "Ola Drift", "--signatory-title", "CEO")
		i.do("", "processor", "set", "--contact", "privacy@varsel.example")
		if p := i.do("", "processor", "show"); p["legal_name"] != "Varsel Drift AS" || p["contact"] != "privacy@varsel.example" || p["signatory"] != "Ola Drift" {
			t.Errorf("%v", p)
		}
		i.furnish()
		i.serve(roleAll)
		i.do("", "controller", "set", "--account", "acme", "--address", "Havnegata 2, Bergen")
		if p := i.do("", "controller", "show", "--account", "acme"); p["legal_name"] != "Acme AS" || p["address"] != "Havnegata 2, Bergen" {
			t.Errorf("%v", p)
		}
		synced := func() map[string]any {
			i.t.Helper()
			return i.do("", "directory", "sync", "--account", "acme")
		}
		if run := synced(); run["state"] != "done" {
			t.Fatal(run)
		}
		people, err := i.try("", "contacts", "export", "--account", "acme")
		must(t, err)
		if s := i.do("", "agreement", "show", "--account", "acme"); s["state"] != "concluded" || s["open"] != true || s["outdated"] != false {
			t.Errorf("%v", s)
		}
		whole := i.do("", "agreement", "show", "--account", "acme", "--text", "--language", "pl")
		for _, part := range []string{"Umowa powierzenia", "Havnegata 2, Bergen", "Varsel Drift AS", "mobilePhone", "0 z 1"} {
			if !strings.Contains(whole["text"].(string), part) {
				t.Errorf("the text has no %q", part)
			}
		}

		text := filepath.Join(i.dir, "own.txt")
		must(t, os.WriteFile(text, []byte("# Our agreement\n\nOur terms.\n"), 0o600))
		i.refused("earlier agreements are enough", "", "agreement", "publish", "--version", "own-1", "--text", "en="+text)
		i.do("", "agreement", "publish", "--version", "own-1", "--text", "en="+text, "--offered-from", "2026-01-01",
			"--grace-until", time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly))
		const outdated = "newer version of the data processing agreement"
		i.refused(outdated, "", "directory", "sync", "--account", "acme")
		i.refused(outdated, "", "send", "--account", "acme", "--to", "+4790000001", "--text", "Hello")
		if still, err := i.try("", "contacts", "export", "--account", "acme"); err != nil || still != people {
			t.Errorf("the address book has changed: %v", err)
		}
		if o := i.do("", "agreement", "offer", "--account", "acme", "--language", "nb"); o["version"] != "own-1" || o["language"] != "en" {
			t.Errorf("%v", o)
		}
		i.do("", "agreement", "conclude", "--account", "acme", "--signatory", "Kari Nordmann", "--title", "CEO", "--email", "kari@acme.example")
		if run := synced(); run["state"] != "done" {
			t.Error(run)
		}

		file := filepath.Join(i.dir, "signed.pdf")
		upload := []string{"agreement", "upload", "--account", "acme", "--file", file, "--signatory", "Kari Nordmann", "--title", "CEO", "--email", "kari@acme.example", "--signed", "2026-01-02"}
		must(t, os.WriteFile(file, []byte("not a PDF"), 0o600))
		i.refused("PDF", "", upload...)
		signed := []byte("%PDF-1.7\nsigned by hand\n%%EOF\n")
		must(t, os.WriteFile(file, signed, 0o600))
		i.do("", upload...)
		out := filepath.Join(i.dir, "out.pdf")
		i.do("", "agreement", "pdf", "--account", "acme", "--out", out)
		if got, err := os.ReadFile(out); err != nil || !bytes.Equal(got, signed) {
			t.Errorf("%q %v", got, err)
		}

		i.refused("--confirm", "", "agreement", "terminate", "--account", "acme", "--at-end", "delete", "--confirm", "other")
		if s := i.do("", "agreement", "terminate", "--account", "acme", "--at-end", "delete", "--confirm", "acme"); s["state"] != "withdrawn" {
			t.Errorf("%v", s)
		}
		i.refused("no data processing agreement", "", "directory", "sync", "--account", "acme")
		if v := i.do("", "agreement", "verify", "--account", "acme"); v["agreements"] != 3.0 {
			t.Errorf("%v", v)
		}
		if s := i.do("", "agreement", "list"); s["account"] != "acme" || s["state"] != "withdrawn" {
			t.Errorf("%v", s)
		}
		all, err := i.try("", "agreement", "list", "--account", "acme")
		if err != nil || strings.Count(all, "\n") != 3 || strings.Count(all, "superseded") != 2 {
			t.Errorf("%s %v", all, err)
		}
	})
}
