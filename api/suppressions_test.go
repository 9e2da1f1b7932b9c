package api

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/varsel/varsel/accounts"
)

func TestSuppressionsAreAddedFoundAndLifted(t *testing.T) { // U21
	h := openHouse(t)
	_, err := h.Queue.AddNumber(t.Context(), h.account.ID, "2440", "")
	must(t, err)
	h.texted(t, "+4741234567", "2440", "Stop takk")
	added := read[suppression](t, h.ask(t, "POST", suppressionsPath, `{"phone":"412 34 568","note":"wrote to us"}`), 200)
	again := read[suppression](t, h.ask(t, "POST", suppressionsPath, `{"phone":"+4741234568"}`), 200)
	same(t, again, added)

	walked := pages[suppression](t, h, suppressionsPath+"?", "1")
	if len(walked) != 2 {
		t.Fatalf("%d pages", len(walked))
	}
	asked := pages[inbound](t, h, inboundPath+"?", "1")[0][0]
	want := []suppression{{Phone: "+4741234568", Reason: "manual", Note: "wrote to us"}, {Phone: "+4741234567", Reason: "stop", Inbound: asked.ID}}
	if diff := cmp.Diff(want, append(walked[0], walked[1]...), cmpopts.IgnoreFields(suppression{}, "ID", "CreatedAt")); diff != "" || asked.Action != "stop" {
		t.Error(diff)
	}
	if !strings.HasPrefix(added.ID, "sup_") {
		t.Error(added.ID)
	}
	found := read[list[suppression]](t, h.ask(t, "GET", suppressionsPath+"?phone=41234568", ""), 200)
	same(t, found.Items, []suppression{added})

	refused := h.ask(t, "POST", messagesPath, `{"to":"+4741234568","text":"Hello"}`)
	if refused.status != 409 || !strings.Contains(string(refused.body), `"opted_out"`) {
		t.Errorf("%d %s", refused.status, refused.body)
	}
	for i, status := range []int{204, 404} {
		if got := h.ask(t, "DELETE", suppressionsPath+"/%2B4741234568", ""); got.status != status {
			t.Errorf("%d: %d %s", i, got.status, got.body)
		}
	}
	if got := h.ask(t, "POST", messagesPath, `{"to":"+4741234568","text":"Hello"}`); got.status != 202 {
		t.Errorf("%d %s", got.status, got.body)
	}
	lifted := read[list[suppression]](t, h.ask(t, "GET", suppressionsPath+"?phone=41234568&lifted=true", ""), 200)
	if len(lifted.Items) != 1 || lifted.Items[0].LiftedBy != "manual" || lifted.Items[0].LiftedAt == nil {
		t.Errorf("%+v", lifted)
	}
	if got := h.ask(t, "POST", suppressionsPath, `{"phone":"12"}`); got.status != 422 || !strings.Contains(string(got.body), `"/phone"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestAListIsSuppressed(t *testing.T) {
	h := openHouse(t)
	got := read[suppressionImport](t, h.ask(t, "POST", suppressionImportsPath, "phone\n+4741234567\n+4741234567\nnobody\n", "Content-Type", csvType), 200)
	want := suppressionImport{Added: 1, Known: 1, Refused: []refusedRow{{Row: 4, Reason: "no_number"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSuppressionsAreTheAccountsOwn(t *testing.T) {
	h := openHouse(t)
	_, key := h.other(t)
	read[suppression](t, h.ask(t, "POST", suppressionsPath, `{"phone":"+4741234567"}`), 200)
	theirs := read[list[suppression]](t, h.ask(t, "GET", suppressionsPath, "", "Authorization", "Bearer "+key), 200)
	if len(theirs.Items) > 0 {
		t.Errorf("%+v", theirs)
	}
	if got := h.ask(t, "DELETE", suppressionsPath+"/+4741234567", "", "Authorization", "Bearer "+key); got.status != 404 {
		t.Errorf("%d", got.status)
	}
	if got := h.ask(t, "GET", suppressionsPath, "", "Authorization", "Bearer "+h.newKey(t, h.account, accounts.ScopeMessagesRead)); got.status != 403 {
		t.Errorf("%d", got.status)
	}
}

func TestWhatIsDecidedAboutOptOutsIsReadAndChanged(t *testing.T) {
	h := openHouse(t)
	same(t, read[optOutSettings](t, h.ask(t, "GET", suppressionSettingsPath, ""), 200), optOutSettings{Replies: true})
	same(t, read[optOutSettings](t, h.ask(t, "PATCH", suppressionSettingsPath, `{"urgent": true}`), 200), optOutSettings{Replies: true, Urgent: true})
	same(t, read[optOutSettings](t, h.ask(t, "PATCH", suppressionSettingsPath, `{"replies": false}`), 200), optOutSettings{Urgent: true})
	same(t, read[optOutSettings](t, h.ask(t, "GET", suppressionSettingsPath, ""), 200), optOutSettings{Urgent: true})
	refusedAt(t, h.ask(t, "PATCH", suppressionSettingsPath, `{"opt_out_number": "2440"}`), "invalid_opt_out_number", "/opt_out_number")
	_, err := h.Queue.AddNumber(t.Context(), h.account.ID, "2440", "")
	must(t, err)
	same(t, read[optOutSettings](t, h.ask(t, "PATCH", suppressionSettingsPath, `{"opt_out_number": "24 40"}`), 200), optOutSettings{Urgent: true, Number: "2440"})
	same(t, read[optOutSettings](t, h.ask(t, "PATCH", suppressionSettingsPath, `{"opt_out_number": ""}`), 200), optOutSettings{Urgent: true})
	refused(t, h.ask(t, "PATCH", suppressionSettingsPath, `{"urgent": false}`, bearer(h.newKey(t, h.account, "contacts:write"))...), 403, "missing_scope")
	_, key := h.other(t)
	same(t, read[optOutSettings](t, h.ask(t, "GET", suppressionSettingsPath, "", bearer(key)...), 200), optOutSettings{Replies: true})
}
