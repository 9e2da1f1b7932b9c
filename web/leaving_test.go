package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/internal/secrets"
)

func TestRetentionIsSetAndHeldInTheConsole(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	if got := w.post("/account/retention", url.Values{"message_texts": {"20"}, "ledger": {"1"}}); got.status != http.StatusSeeOther {
		t.Fatalf("set: %d %s", got.status, got.body)
	}
	if page := w.get("/account/retention").body; !strings.Contains(page, `name="message_texts" class="short" inputmode="numeric" size="5" maxlength="4" value="20"`) {
		t.Error("the page does not show what was set")
	}
	got := w.post("/account/retention", url.Values{"message_texts": {"two"}, "receipts": {"1"}})
	if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `value="two"`) || !strings.Contains(got.body, "Texts of messages: write 7 to 3650 days.") ||
		!strings.Contains(got.body, "Receipts as carriers sent them: write 7 to 3650 days.") {
		t.Errorf("wrong days: %d %s", got.status, got.body)
	}
	if got := w.post("/account/retention/holds", url.Values{"reason": {" "}}); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "Write why") {
		t.Errorf("a hold without a reason: %d", got.status)
	}
	w.post("/account/retention/holds", url.Values{"class": {"message_texts"}, "reason": {"Case 12-345"}})
	page := w.get("/account/retention").body
	_, rest, _ := strings.Cut(page, "/account/retention/holds/")
	id, _, _ := strings.Cut(rest, "/")
	if !strings.Contains(page, "Case 12-345") || !strings.Contains(page, "On hold") {
		t.Error("the page does not show the hold")
	}
	if got := w.get("/account/retention/holds/" + id + "/lift"); got.status != http.StatusOK {
		t.Errorf("asked whether to lift it: %d", got.status)
	}
	if got := w.post("/account/retention/holds/"+id+"/lift", url.Values{}); got.status != http.StatusSeeOther {
		t.Fatalf("lifted: %d %s", got.status, got.body)
	}
	if strings.Contains(w.get("/account/retention").body, "Case 12-345") {
		t.Error("the hold still stands")
	}
}

func TestAnOwnerFetchesEverythingAndSeesTheClock(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	if got := w.post("/account/leave/export", url.Values{}); got.status != http.StatusSeeOther {
		t.Fatalf("asked: %d %s", got.status, got.body)
	}
	if page := w.get("/account/leave").body; !strings.Contains(page, "being made") {
		t.Error("the page does not say that an export is made")
	}
	if err := w.privacy.RunExports(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	x := must(w.privacy.Exports(t.Context(), w.account.ID))[0]
	file := "/account/leave/" + w.names.Of(secrets.ExportOfAll, x.ID) + ".zip"
	if got := w.get(file); got.status != http.StatusOK || !strings.HasPrefix(got.body, "PK") || int64(len(got.body)) != x.Bytes {
		t.Errorf("fetched: %d, %d bytes", got.status, len(got.body))
	}
	now := time.Now()
	must(w.db.ExecContext(t.Context(), `UPDATE agreements SET state = 'terminated', terminated_at = $1, at_end = 'delete', end_deadline = $2 WHERE state = 'concluded'`,
		now.UnixMilli(), now.AddDate(0, 0, 12).UnixMilli()))
	if page := w.get("/account/leave", "Accept-Language", "nb").body; !strings.Contains(page, "Dager til sletting: 12") {
		t.Error("the page does not count the days")
	}
	if err := w.privacy.RunExits(t.Context(), now.AddDate(0, 0, 13)); err != nil {
		t.Fatal(err)
	}
	if page := w.get("/account/leave").body; !strings.Contains(page, "All personal data were deleted") || !strings.Contains(page, "certificate.pdf") {
		t.Error("the page does not say that all is deleted")
	}
	if got := w.get("/account/leave/certificate.pdf"); got.status != http.StatusOK || !strings.HasPrefix(got.body, "%PDF-") {
		t.Errorf("the certificate: %d", got.status)
	}
	must(w.db.ExecContext(t.Context(), `UPDATE memberships SET role = 'admin'`))
	for _, path := range []string{file, "/account/leave/certificate.pdf"} {
		if got := w.get(path); got.status != http.StatusForbidden {
			t.Errorf("%s by an administrator: %d", path, got.status)
		}
	}
}

func TestAnOwnerReadsTheRegisterAndAnOperatorThatOfAll(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	must(w.accounts.Create(t.Context(), otherAccount))
	for path, begins := range map[string]string{"": "<!doctype html>", ".csv": "Del,Hva,Verdi", ".pdf": "%PDF-"} {
		got := w.get("/account/register"+path, "Accept-Language", "nb")
		if got.status != http.StatusOK || !strings.HasPrefix(got.body, begins) {
			t.Errorf("%s: %d %.40q", path, got.status, got.body)
		}
		if path != ".pdf" && (!strings.Contains(got.body, "Behandlingsansvarlig: acme") || strings.Contains(got.body, "Behandlingsansvarlig: other")) {
			t.Errorf("%s names others than the account", path)
		}
		if got := w.get("/installation/register" + path); got.status != http.StatusForbidden {
			t.Errorf("%s of all by an owner: %d", path, got.status)
		}
	}
	must(w.db.ExecContext(t.Context(), `UPDATE users SET operator = TRUE`))
	if got := w.get("/installation/register.csv"); !strings.Contains(got.body, "acme") || !strings.Contains(got.body, otherAccount.Handle) {
		t.Errorf("of all: %d %s", got.status, got.body)
	}
}
