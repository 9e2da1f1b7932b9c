package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

const texter = "+4741234567"

func (w *world) optedOut(phone string) bool {
	w.Helper()
	_, stands, err := w.queue.SuppressionOf(w.Context(), w.account.ID, phone)
	if err != nil {
		w.Fatal(err)
	}
	return stands
}

func TestSuppressedNumbersAreListedAddedAndLifted(t *testing.T) { // U21
	w := newWorld(t)
	w.signIn()
	w.golden("suppressions-none-pl", w.get("/suppressions", "Accept-Language", "pl").body)
	r := w.inbox()
	w.texted(r, texter, "2440", "Stopp takk")
	added := w.post("/suppressions", url.Values{"phone": {"412 34 568"}, "note": {"wrote <b>to</b> us"}})
	if added.status != http.StatusSeeOther || !w.optedOut("+4741234568") {
		t.Errorf("%d", added.status)
	}
	w.golden("suppressions-en", w.get("/suppressions").body)
	wrong := w.post("/suppressions", url.Values{"phone": {"12"}, "note": {"no number"}}, "Accept-Language", "nb")
	if wrong.status != http.StatusUnprocessableEntity {
		t.Errorf("%d", wrong.status)
	}
	w.golden("suppressions-wrong-nb", wrong.body)

	lift := regexp.MustCompile(`/suppressions/sup_\w+/lift`).FindAllString(w.get("/suppressions").body, -1)[1]
	if got := w.get(lift).body; !strings.Contains(got, texter[1:]) || !w.optedOut(texter) {
		t.Error(got)
	}
	if got := w.post(lift, url.Values{}); got.status != http.StatusSeeOther || w.optedOut(texter) {
		t.Errorf("%d", got.status)
	}
	if got := w.post(lift, url.Values{}); got.status != http.StatusNotFound {
		t.Errorf("%d", got.status)
	}
	found := w.get("/suppressions?phone=" + url.QueryEscape("412 34 567")).body
	if !strings.Contains(found, "Lifted: by hand") || strings.Contains(found, "4741234568") {
		t.Error(found)
	}
	if got := w.get("/suppressions?phone=x"); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `aria-invalid="true"`) {
		t.Errorf("%d", got.status)
	}
	if got := w.get("/received").body; !strings.Contains(got, `<span class="badge finished">Stop</span>`) {
		t.Error(got)
	}
}

func TestAListOfOptOutsIsLookedAtThenImported(t *testing.T) { // U21
	w := newWorld(t)
	w.signIn()
	must(0, second(w.queue.Suppress(t.Context(), w.account.ID, smsqueue.NewSuppression{Phone: texter})))
	list := func(name, text string, headers ...string) answer {
		return w.uploadTo("/suppressions/import", name, text, headers...)
	}
	looked := list("stop.csv", "Name;Mobil\n\"Berg; Anna\";412 34 568\nBo;412 34 567\n<b>Cleo</b>;1234\nDag;+47 412 34 568\n")
	path := looked.header.Get("Location")
	w.sent(looked, path)
	w.golden("opt-out-list-en", w.get(path).body)
	if w.optedOut("+4741234568") {
		t.Error("looking suppressed a number")
	}
	for range 2 { // a double click
		w.sent(w.post(path, url.Values{}), path)
	}
	w.golden("opt-out-list-done-nb", w.get(path, "Accept-Language", "nb").body)
	if !w.optedOut("+4741234568") {
		t.Error("the number is not suppressed")
	}
	report := w.get(path + "/report.csv")
	want := "\ufeffRow,Result,Reason,As written,Number\r\n2,New opt-outs,,412 34 568,+4741234568\r\n3,Opted out already,,412 34 567,+4741234567\r\n" +
		"4,Refused,Too short,1234,\r\n5,Same number as an earlier row,See row 2,+47 412 34 568,+4741234568\r\n"
	if diff := cmp.Diff(want, report.body); diff != "" {
		t.Error(diff)
	}
	w.has(list("", ""), 422, "Choose a file.", `aria-invalid="true"`)
	w.has(list("a.csv", ""), 422, "The file is empty.")
	w.has(list("a.xlsx", "PK\x03\x04"), 422, "Save the list as CSV")
	w.has(list("large.csv", strings.Repeat("x", contacts.MaxImportBytes+1)), 422, "larger than 32 MiB")
	w.has(w.get("/suppressions/import/upl_x"), 404)
	w.as("viewer")
	w.has(w.get(path), 403)
	w.has(list("a.csv", "41234569"), 403)
}

func TestAPersonWhoHasOptedOutIsMarked(t *testing.T) { // U21
	w := newWorld(t)
	w.signIn()
	anna := must(w.book.Add(t.Context(), w.account.ID, contacts.NewContact{Name: "Anna Berg", Phone: texter, Region: "NO"}))
	page := "/contacts/" + w.names.Of(secrets.Contact, anna.ID)
	if strings.Contains(w.get(page).body, "has opted out") {
		t.Error("she is marked before")
	}
	w.texted(w.inbox(), texter, "2440", "STOP")
	if !strings.Contains(w.get(page).body, "This number has opted out") {
		t.Error("she is not marked")
	}
}

func TestWhoMayChangeWhoIsSuppressed(t *testing.T) {
	w := newWorld(t)
	for role, want := range map[string][]int{"viewer": {200, 403, 403}, "sender": {200, 303, 403}, "admin": {200, 303, 303}} {
		w.as(role)
		got := []int{w.get("/suppressions").status, w.post("/suppressions", url.Values{"phone": {texter}}).status,
			w.post("/suppressions/settings", url.Values{"urgent": {"yes"}}).status}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", role, diff)
		}
	}
	if got := must(w.queue.OptOutSettings(t.Context(), w.account.ID)); got != (smsqueue.OptOutSettings{Urgent: true}) {
		t.Errorf("%+v", got)
	}
	w.as("admin")
	w.has(w.post("/suppressions/settings", url.Values{"number": {"2440"}}), 422, "You have no such number", `href="#number"`)
	must(w.queue.AddNumber(t.Context(), w.account.ID, "2440", ""))
	w.sent(w.post("/suppressions/settings", url.Values{"number": {"2440"}}), "/suppressions")
	w.has(w.get("/suppressions"), 200, `<option value="2440" selected>2440</option>`)
}

// Whoever has the link is nobody to the console: no sign-in, no script of ours.
func TestALinkStopsMessagesAndLookingAtItDoesNot(t *testing.T) { // U21
	w := newWorld(t)
	link := must(url.Parse(w.queue.OptOutLink(w.account.ID, texter))).Path
	for range 3 {
		got := w.get(link)
		w.golden("optout-ask-en", strings.ReplaceAll(got.body, link, "/o/TOKEN"))
		if w.optedOut(texter) || got.status != 200 || !strings.Contains(got.header.Get("Content-Security-Policy"), "default-src 'none'") ||
			got.header.Get("X-Robots-Tag") != "noindex" {
			t.Errorf("%d %v", got.status, got.header)
		}
		if strings.Contains(got.body, "<script") || strings.Contains(got.body, texter[1:]) || !strings.Contains(got.body, "Acme AS") {
			t.Error(got.body)
		}
	}
	if got := w.post(link, url.Values{}); got.status != http.StatusSeeOther || !w.optedOut(texter) {
		t.Errorf("%d", got.status)
	}
	w.golden("optout-stopped-nb", strings.ReplaceAll(w.get(link, "Accept-Language", "nb").body, link, "/o/TOKEN"))
	if got := w.post(link+"/resume", url.Values{}); got.status != http.StatusSeeOther || w.optedOut(texter) {
		t.Errorf("%d", got.status)
	}
	must(0, second(w.queue.Suppress(t.Context(), w.account.ID, smsqueue.NewSuppression{Phone: texter})))
	w.post(link+"/resume", url.Values{})
	w.golden("optout-other-pl", strings.ReplaceAll(w.get(link, "Accept-Language", "pl").body, link, "/o/TOKEN"))
	if !w.optedOut(texter) {
		t.Error("the link undid what was written down by hand")
	}
	w.inbox()
	if got := w.get(link).body; !strings.Contains(got, "text START to 2440") {
		t.Error(got)
	}
	for _, wrong := range []string{"/o/abcdefghijkl", "/o/x", link[:len(link)-1], link + "x"} {
		if get, post := w.get(wrong), w.post(wrong, url.Values{}); get.status != http.StatusNotFound || post.status != http.StatusNotFound {
			t.Errorf("%s: %d %d", wrong, get.status, post.status)
		}
	}
}

func second[A, B any](_ A, _ B, err error) error { return err }
