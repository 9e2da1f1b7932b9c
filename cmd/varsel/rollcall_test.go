package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// until waits until a command's answer is as expected.
func (i *installation) until(reached func(answer map[string]any) bool, args ...string) map[string]any {
	i.t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		answer := i.do("", args...)
		if reached(answer) {
			return answer
		}
		if time.Now().After(deadline) {
			i.t.Fatalf("varsel %s still answers %v", strings.Join(args, " "), answer)
		}
	}
}

func TestARollCallIsStartedShownRemindedAndClosedByCommands(t *testing.T) {
	eachWay(t, func(t *testing.T, i *installation) {
		i.do("", "account", "create", "--id", "acme", "--name", "Acme AS", "--region", "NO", "--sender", "ACME")
		i.do("", "agreement", "conclude", "--account", "acme", "--signatory", "Kari Nordmann", "--title", "CEO", "--email", "kari@acme.example")
		i.addCarrier()
		file := filepath.Join(i.dir, "people.csv")
		must(t, os.WriteFile(file, []byte("Name;Mobile;Groups\nAnna;900 00 001;Night\nBo;900 00 002;Night\nCleo;900 00 003;Night\n"), 0o600))
		if _, err := i.try("", "contacts", "import", "--account", "acme", "--file", file); err != nil {
			t.Fatal(err)
		}
		i.serve(roleAll)
		start := []string{"rollcall", "start", "--account", "acme", "--group", "Night"}
		i.refused("varsel number add", "", start...)
		i.do("", "number", "add", "--account", "acme", "--number", "2440")
		i.refused("2440", "", append(start, "--sender", "ACME")...)
		i.refused("KEY=LABEL", "", append(start, "--text", "x", "--choice", "1")...)
		i.refused("there is no choice", "", append(start, "--text", "x", "--choice", "1=A", "--choice", "2=B", "--alarm", "3")...)

		i.refused("urgent campaign goes at once", "", append(start, "--windows", "Mon-Fri 08:00-20:00")...)

		id := i.do("", start...)["id"].(string)
		one := func(command string, more ...string) []string {
			return append([]string{"rollcall", command, "--account", "acme", id}, more...)
		}
		asked := func(n int) func(map[string]any) bool {
			return func(map[string]any) bool {
				got := 0
				for k := range 3 {
					got += len(i.smsc.Texts(fmt.Sprintf("479000000%d", k+1)))
				}
				return got == n
			}
		}
		i.until(asked(3), one("show")...)
		if got := i.smsc.Texts("4790000001"); !strings.Contains(got[0], "Er du trygg?") {
			t.Errorf("they were asked %q", got)
		}
		must(t, i.smsc.Say("4790000001", "2440", "Trygg"))
		must(t, i.smsc.Say("4790000002", "2440", "2"))
		answered := func(n float64) func(map[string]any) bool {
			return func(a map[string]any) bool { return a["unanswered"] == n }
		}
		got := i.until(answered(1), one("show")...)
		if by := got["by_choice"].(map[string]any); by["1"] != 1.0 || by["2"] != 1.0 || got["takes_answers"] != true || len(got["groups"].([]any)) != 1 {
			t.Errorf("%v", got)
		}
		out, err := i.try("", one("show", "--people", "unanswered")...)
		must(t, err)
		if out != "+4790000003\tCleo\tunanswered\t\t\"\"\n" {
			t.Errorf("without an answer: %q", out)
		}
		out, err = i.try("", one("show", "--people", "2")...)
		must(t, err)
		if out != "+4790000002\tBo\tanswered\t2\t\"2\"\n" {
			t.Errorf("need help: %q", out)
		}
		i.refused("people are", "", one("show", "--people", "lost")...)
		i.refused("recipient", "", one("answer", "--number", "900 00 009", "--choice", "1")...)
		i.refused("there is no choice", "", one("answer", "--number", "900 00 002", "--choice", "3")...)
		if got := i.do("", one("answer", "--number", "900 00 002", "--choice", "1")...); got["phone"] != "+4790000002" || got["choice"] != "1" {
			t.Errorf("%v", got)
		}
		i.do("", one("remind", "--text", "Svar, takk")...)
		i.until(asked(4), one("show")...)
		if got := i.smsc.Texts("4790000003"); len(got) != 2 || got[1] != "Svar, takk" {
			t.Errorf("Cleo got %q", got)
		}
		if got := i.do("", one("close")...); got["takes_answers"] != false {
			t.Errorf("%v", got)
		}
		i.refused("the roll call is closed", "", one("remind")...)
	})
}
