package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/varsel/varsel/contacts"
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
