package api

import (
	"strings"
	"testing"
	"time"
)

func TestRetentionIsReadSetHeldAndReported(t *testing.T) {
	h := openHouse(t)
	if got := h.ask(t, "PATCH", retentionPath+"/message_texts", `{"days":20}`); got.status != 200 || !strings.Contains(string(got.body), `"days":20`) {
		t.Errorf("set: %d %s", got.status, got.body)
	}
	for body, code := range map[string]string{`{"days":1}`: "invalid_days", `{"days":-3}`: "invalid_days"} {
		if got := h.ask(t, "PATCH", retentionPath+"/message_texts", body); got.status != 422 || !strings.Contains(string(got.body), code) {
			t.Errorf("%s: %d %s", body, got.status, got.body)
		}
	}
	if got := h.ask(t, "PATCH", retentionPath+"/ledger", `{"days":3653}`); got.status != 403 || !strings.Contains(string(got.body), "retention_installation") {
		t.Errorf("the ledger's years: %d %s", got.status, got.body)
	}
	held := h.ask(t, "POST", retentionPath+"/holds", `{"reason":"Case 12-345"}`)
	_, rest, _ := strings.Cut(string(held.body), `"id":"`)
	id, _, _ := strings.Cut(rest, `"`)
	if held.status != 201 || !strings.HasPrefix(id, "hld_") {
		t.Fatalf("held: %d %s", held.status, held.body)
	}
	if err := h.Privacy.RunRetention(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if got := h.ask(t, "GET", retentionPath+"/runs?limit=3", ""); got.status != 200 || !strings.Contains(string(got.body), `"outcome":"held"`) || !strings.Contains(string(got.body), `"next_cursor":"rtr_`) {
		t.Errorf("runs: %d %s", got.status, got.body)
	}
	for _, want := range []int{204, 404} {
		if got := h.ask(t, "DELETE", retentionPath+"/holds/"+id, ""); got.status != want {
			t.Errorf("lifted: %d, want %d", got.status, want)
		}
	}
}

func TestTheWholeAccountIsExportedAndFetchedByItsScopeAlone(t *testing.T) {
	h := openHouse(t)
	asked := h.ask(t, "POST", exportsPath, "")
	_, rest, _ := strings.Cut(string(asked.body), `"id":"`)
	id, _, _ := strings.Cut(rest, `"`)
	if asked.status != 202 {
		t.Fatalf("asked: %d %s", asked.status, asked.body)
	}
	file := exportsPath + "/" + id + "/file"
	if got := h.ask(t, "GET", file, ""); got.status != 409 || !strings.Contains(string(got.body), "export_not_ready") {
		t.Errorf("before it is ready: %d %s", got.status, got.body)
	}
	if err := h.Privacy.RunExports(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	got := h.ask(t, "GET", file, "")
	if got.status != 200 || !strings.HasPrefix(string(got.body), "PK") || got.header.Get("Content-Type") != zipType {
		t.Errorf("fetched: %d %q", got.status, got.header.Get("Content-Type"))
	}
	if got := h.ask(t, "GET", exitPath, ""); got.status != 200 || !strings.Contains(string(got.body), `"running":false`) {
		t.Errorf("exit: %d %s", got.status, got.body)
	}
	if got := h.ask(t, "GET", exitPath+"/certificate", ""); got.status != 404 {
		t.Errorf("certificate: %d %s", got.status, got.body)
	}
	h.key = h.newKey(t, h.account, "contacts:read")
	if got := h.ask(t, "GET", file, ""); got.status != 403 {
		t.Errorf("without the scope: %d", got.status)
	}
}
