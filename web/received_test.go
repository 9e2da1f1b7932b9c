package web_test

import (
	"fmt"
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

// inbox gives the account the number 2440 at a carrier.
func (w *world) inbox() smsqueue.Route {
	w.Helper()
	r := w.carrier("main", `{}`)
	must(w.queue.AddNumber(w.Context(), w.account.ID, "2440", ""))
	return r
}

func TestReceivedMessagesAreShown(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	w.golden("received-none-pl", w.get("/received", "Accept-Language", "pl").body)
	r := w.inbox()
	must(w.book.AddContacts(w.Context(), w.account.ID, []contacts.NewContact{{Name: "Anna Berg", Phone: "+4741234567", Region: "NO"}}))
	w.texted(r, "+4741234567", "2440", "Yes,\nI <b>can</b> come")
	w.texted(r, "+4741234568", "2440", "Who are you?")
	must(w.db.ExecContext(t.Context(), `UPDATE inbound SET parts = 3, missing = 2, body = 'Who are[…]' WHERE phone = '+4741234568'`))
	for _, code := range []string{"en", "nb"} {
		w.golden("received-"+code, w.get("/received", "Accept-Language", code).body)
	}
}

func TestPagesOfReceivedMessagesHoldEachOnce(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	r := w.inbox()
	for i := range 60 {
		w.texted(r, "+4741234567", "2440", fmt.Sprintf("text %d.", i))
	}
	first := w.get("/received").body
	second := w.get(nextPage(first)).body
	for i := range 60 {
		if n := strings.Count(first+second, fmt.Sprintf("text %d.", i)); n != 1 {
			t.Errorf("%d is there %d times", i, n)
		}
	}
	if nextPage(second) != "" {
		t.Error("there is a third page")
	}
	if got := w.get("/received?from=con_x"); got.status != http.StatusNotFound {
		t.Errorf("%d", got.status)
	}
}

func TestReceivedMessagesAreFilteredAndMarked(t *testing.T) {
	w := newWorld(t)
	r, c, _ := w.rollCall(2)
	w.texted(r, who(0), "2440", "1")
	w.texted(r, who(0), "2440", "We are cold")
	w.texted(r, "+4741234567", "2440", "Hello there")
	w.signIn()
	campaign := "/received?campaign=" + w.names.Of(secrets.Campaign, c.ID)
	person := "/received?contact=" + w.names.Of(secrets.Contact, must(w.book.Find(t.Context(), w.account.ID, "Person 1", 1))[0].ID)
	shows := func(path string, want ...string) {
		t.Helper()
		page := w.get(path).body
		got := regexp.MustCompile(`<span class="said">([^<]*)</span>`).FindAllStringSubmatch(page, -1)
		var texts []string
		for _, m := range got {
			texts = append(texts, m[1])
		}
		if diff := cmp.Diff(want, texts); diff != "" {
			t.Errorf("%s:\n%s", path, diff)
		}
	}
	shows("/received", "Hello there", "We are cold", "1")
	shows("/received?show=open", "Hello there", "We are cold")
	shows(campaign, "We are cold", "1")
	shows(campaign+"&show=open", "We are cold")
	shows(person, "We are cold", "1")
	for _, wrong := range []string{"/received?show=lost", "/received?campaign=con_x", "/received?contact=cmp_x"} {
		if got := w.get(wrong); got.status != http.StatusNotFound {
			t.Errorf("%s: %d", wrong, got.status)
		}
	}
	all := must(w.queue.Inbound(t.Context(), w.account.ID, smsqueue.InboundFilter{Limit: 10}))
	mark := func(handled string) {
		t.Helper()
		got := w.post("/received/"+w.names.Of(secrets.Inbound, all[0].ID)+"/handled", url.Values{"handled": {handled}, "back": {"/received?show=open"}})
		if got.status != http.StatusSeeOther || got.header.Get("Location") != "/received?show=open" {
			t.Errorf("%d to %s", got.status, got.header.Get("Location"))
		}
	}
	mark("yes")
	shows("/received?show=open", "We are cold")
	mark("no")
	shows("/received?show=open", "Hello there", "We are cold")
	w.as("viewer")
	if got := w.post("/received/"+w.names.Of(secrets.Inbound, all[0].ID)+"/handled", url.Values{"handled": {"yes"}}); got.status != http.StatusForbidden {
		t.Errorf("a viewer marks it: %d", got.status)
	}
	if page := w.get("/received").body; strings.Contains(page, "/handled") {
		t.Error("a viewer is offered to mark messages")
	}
}

func TestAConversationIsShownAndAnswered(t *testing.T) {
	w := newWorld(t)
	r, _, _ := w.rollCall(2)
	w.texted(r, who(0), "2440", "1")
	w.texted(r, who(0), "2440", "We <b>are</b> cold")
	w.signIn()
	path := "/received/conversation?number=" + url.QueryEscape(who(0))
	for _, code := range []string{"en", "nb", "pl"} {
		w.golden("conversation-"+code, w.get(path, "Accept-Language", code).body)
	}
	form := url.Values{"once": {onceOf(w.get(path).body)}, "text": {"Help is\r\non its way"}}
	for range 2 { // a double click
		if got := w.post(path, form); got.status != http.StatusSeeOther || got.header.Get("Location") != path+"#latest" {
			t.Fatalf("%d to %s", got.status, got.header.Get("Location"))
		}
	}
	c := must(w.queue.Conversation(t.Context(), w.account.ID, who(0), 0, 10))
	last := c.Lines[len(c.Lines)-1]
	if len(c.Lines) != 4 || last.Sent == nil || last.Sent.Text != "Help is\non its way" || last.Sent.Sender != "2440" {
		t.Errorf("%d lines, the last %+v", len(c.Lines), last.Sent)
	}
	for _, page := range []string{path, path + "&from=" + w.names.Of(secrets.Message, c.Lines[1].ID)} {
		if got := w.get(page); got.status != http.StatusOK {
			t.Errorf("%s: %d", page, got.status)
		}
	}
	if got := w.post(path, url.Values{"once": {"x"}, "text": {" "}}); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `id="text-wrong"`) {
		t.Errorf("an empty answer: %d", got.status)
	}
	if got := w.get("/received/conversation"); got.status != http.StatusNotFound {
		t.Errorf("with nobody: %d", got.status)
	}
	w.as("viewer")
	if got := w.post(path, form); got.status != http.StatusForbidden {
		t.Errorf("a viewer answers: %d", got.status)
	}
}
