package api

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/accounts"
)

// trailOf is what an account's or the installation's trail says, the newest first.
func (h *house) trailOf(t *testing.T, path, key string) (actions []string, all list[auditEntry]) {
	t.Helper()
	all = read[list[auditEntry]](t, h.ask(t, "GET", path, "", bearer(key)...), 200)
	for _, e := range all.Items {
		actions = append(actions, e.Action)
	}
	return actions, all
}

// What changes something is recorded after it succeeded, by whom and from where, with
// what it was done to and nothing of its body; what fails or only looks is not.
func TestWhatAKeyChangesIsInTheTrail(t *testing.T) {
	h := openHouse(t)
	made := h.ask(t, "POST", groupsPath, `{"name": "Kari's friends", "contacts": []}`)
	same(t, made.status, 201)
	h.ask(t, "POST", groupsPath, `{}`)
	h.ask(t, "POST", groupsPath+"/preview", `{"rule": []}`)
	h.ask(t, "GET", groupsPath, "")
	same(t, h.ask(t, "POST", messagesPath, hello).status, 202)
	same(t, h.ask(t, "POST", importsPath+"?dry_run=true", "name,mobile\nKari,90000001\n", "Content-Type", "text/csv").status, 200)
	group := read[group](t, made, 201)
	same(t, h.ask(t, "DELETE", groupsPath+"/"+group.ID, "").status, 204)
	same(t, h.ask(t, "POST", suppressionsPath, `{"phone": "+4790000001"}`).status, 200)
	same(t, h.ask(t, "DELETE", suppressionsPath+"/+4790000001", "").status, 204)

	actions, all := h.trailOf(t, auditPath, h.key)
	if diff := cmp.Diff([]string{"api.liftSuppression", "api.addSuppression", "api.removeGroup", "api.addGroup"}, actions); diff != "" {
		t.Error(diff)
	}
	removed := all.Items[2]
	if removed.Subject != group.ID || removed.Actor.Kind != "key" || !strings.HasPrefix(removed.Actor.ID, "key_") ||
		fmt.Sprint(removed.Facts) != "map[ids:map[id:"+group.ID+"] status:204]" || !strings.Contains(fmt.Sprint(removed.Detail), "ip:") {
		t.Errorf("%+v", removed)
	}
	if text := fmt.Sprintf("%+v", all); strings.Contains(text, "90000001") || strings.Contains(text, "Kari") {
		t.Errorf("somebody is named: %s", text)
	}
}

func TestTheTrailIsPagedAndVerified(t *testing.T) {
	h := openHouse(t)
	for i := range 5 {
		same(t, h.ask(t, "POST", groupsPath, fmt.Sprintf(`{"name": "Group %d", "contacts": []}`, i)).status, 201)
	}
	key := h.newKey(t, h.account, accounts.ScopeAuditRead)
	var seen []int64
	for cursor := ""; ; {
		page := read[list[auditEntry]](t, h.ask(t, "GET", auditPath+"?limit=2"+cursor, "", bearer(key)...), 200)
		for _, e := range page.Items {
			seen = append(seen, e.Seq)
		}
		if page.NextCursor == "" {
			break
		}
		cursor = "&cursor=" + page.NextCursor
	}
	if diff := cmp.Diff([]int64{5, 4, 3, 2, 1}, seen); diff != "" {
		t.Error(diff)
	}
	head := read[auditHead](t, h.ask(t, "GET", auditPath+"/verification", "", bearer(key)...), 200)
	same(t, head.Entries, 5)
	again := auditPath + "/verification?entries=%d&head=" + head.Head
	same(t, h.ask(t, "GET", fmt.Sprintf(again, 5), "", bearer(key)...).status, 200)
	refused(t, h.ask(t, "GET", fmt.Sprintf(again, 4), "", bearer(key)...), 409, "audit_broken")
	refused(t, h.ask(t, "GET", auditPath+"/verification?entries=5", "", bearer(key)...), 422, "invalid_head")
	if _, err := h.db.Writer().ExecContext(t.Context(), `UPDATE audit_entries SET action = 'api.nothing' WHERE seq = 2`); err != nil {
		t.Fatal(err)
	}
	refused(t, h.ask(t, "GET", auditPath+"/verification", "", bearer(key)...), 409, "audit_broken")
	_, other := h.other(t)
	if actions, _ := h.trailOf(t, auditPath, other); actions != nil {
		t.Errorf("another account reads %v", actions)
	}
}

// A key that asks for what it may not is found in its account's trail, once a minute.
func TestAKeyWithoutTheScopeIsInTheTrail(t *testing.T) {
	h := openHouse(t)
	key := h.newKey(t, h.account, accounts.ScopeMessagesRead)
	for range 50 {
		refused(t, h.ask(t, "POST", groupsPath, `{"name": "x"}`, bearer(key)...), 403, "missing_scope")
	}
	h.Trail.Close()
	actions, all := h.trailOf(t, auditPath, h.key)
	if len(actions) != 2 || fmt.Sprint(all.Items[1].Facts) != "map[asked:addGroup scope:contacts:write]" || fmt.Sprint(all.Items[0].Facts) != "map[more:49]" {
		t.Errorf("%+v", all)
	}
}
