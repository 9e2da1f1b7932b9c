package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
)

// U2, U10, U20, U23
func TestCampaignsAreTurnedByCommands(t *testing.T) {
	url := dbtest.SQLiteURL(t)
	i := newInstallation(t, url)
	i.furnish()
	i.do("", "directory", "sync", "--account", "acme")
	later := time.Now().Add(48 * time.Hour).UTC().Truncate(time.Second)
	i.refused("is past", "", "send", "--account", "acme", "--group", "All staff", "--text", "Hello", "--at", "2020-01-01T08:00")
	planned := i.do("", "send", "--account", "acme", "--group", "All staff", "--text", "Hello", "--at", later.Format(time.RFC3339), "--zone", "Europe/Oslo")
	id := planned["id"].(string)
	if planned["start_at"] != later.Format(time.RFC3339) || planned["zone"] != "Europe/Oslo" {
		t.Errorf("planned %v", planned)
	}
	of := []string{id, "--account", "acme"}
	turn := func(verb string) map[string]any { return i.do("", append([]string{"campaign", verb}, of...)...) }
	shown := turn("show")
	if waits := shown["waits"].([]any); len(waits) != 1 || waits[0].(map[string]any)["code"] != "scheduled" {
		t.Errorf("it waits for %v", shown["waits"])
	}
	if listed := i.do("", "campaign", "list", "--account", "acme"); listed["id"] != id {
		t.Errorf("listed %v", listed)
	}
	d, err := db.Open(t.Context(), url)
	must(t, err)
	t.Cleanup(func() { d.Close() })
	_, err = d.ExecContext(t.Context(), `UPDATE campaigns SET state = 'held', reason = 'cost_above_ceiling', ceiling_micro = 1`)
	must(t, err)
	i.refused("say up to what it may go on", "", append([]string{"campaign", "resume"}, of...)...)
	if got := i.do("", append([]string{"campaign", "resume", "--max-cost", "20"}, of...)...); got["state"] != "accepted" {
		t.Errorf("up to another ceiling: %v", got["state"])
	}
	for _, step := range []struct{ verb, state string }{{"pause", "paused"}, {"resume", "accepted"}, {"cancel", "cancelled"}} {
		if got := turn(step.verb); got["state"] != step.state {
			t.Errorf("%s: %v", step.verb, got["state"])
		}
	}
	i.refused("there is nothing to resume", "", append([]string{"campaign", "resume"}, of...)...)
	i.refused("are sent again", "", append([]string{"campaign", "resend", "--status", "delivered"}, of...)...)
	again := i.do("", append([]string{"campaign", "resend", "--status", "cancelled", "--key", "once"}, of...)...)
	if twice := i.do("", append([]string{"campaign", "resend", "--status", "cancelled", "--key", "once"}, of...)...); twice["id"] != again["id"] || again["id"] == id {
		t.Errorf("again %v, %v", again["id"], twice["id"])
	}
	if out, err := i.try("", append([]string{"campaign", "remaining"}, of...)...); err != nil || strings.TrimSpace(out) != "" {
		t.Errorf("remaining: %q, %v", out, err)
	}
}

// U19, U22
func TestSendingRulesAreSetByCommands(t *testing.T) {
	i := newInstallation(t, dbtest.SQLiteURL(t))
	i.do("", "account", "create", "--id", "acme", "--name", "Acme AS", "--region", "NO", "--sender", "ACME")
	want := map[string]any{"windows": "Mon-Fri 08:00-20:00", "windows_normal": true, "zone": "Europe/Oslo", "per_hour": 0.0, "per_day": 500.0, "per_month": 0.0}
	got := i.do("", "account", "sending", "--account", "acme", "--windows", "mon-fri 08:00-20:00", "--windows-normal", "--per-day", "500")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, i.do("", "account", "sending", "--account", "acme")); diff != "" {
		t.Errorf("later: %s", diff)
	}
	want["windows"], want["windows_normal"] = "", false
	if diff := cmp.Diff(want, i.do("", "account", "sending", "--account", "acme", "--windows", "", "--no-windows-normal")); diff != "" {
		t.Errorf("taken away: %s", diff)
	}
	i.refused("no time zone", "", "account", "sending", "--account", "acme", "--zone", "Oslo")
}
