package api

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

const hello = `{"to": "912 34 567", "text": "The water is back."}`

func (h *house) send(t *testing.T, body string, headers ...string) message {
	t.Helper()
	return read[message](t, h.ask(t, "POST", messagesPath, body, headers...), http.StatusAccepted)
}

func TestMessageIsAcceptedAndCanBeRead(t *testing.T) {
	h := openHouse(t)
	sent := h.ask(t, "POST", messagesPath, hello)
	got := read[message](t, sent, http.StatusAccepted)
	want := message{Status: "queued", To: "+4791234567", Sender: "ACME", Text: "The water is back.", Lane: "normal",
		Encoding: "gsm7", Parts: 1, Price: money{"0.045", "EUR"}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(message{}, "ID", "QueuedAt")); diff != "" {
		t.Errorf("want(-) got(+):\n%s", diff)
	}
	if !strings.HasPrefix(got.ID, "msg_") || got.QueuedAt.IsZero() || got.QueuedAt.Location().String() != "UTC" {
		t.Errorf("id %q, queued at %v", got.ID, got.QueuedAt)
	}
	if at := sent.header.Get("Location"); at != "/v1/messages/"+got.ID {
		t.Errorf("Location %q", at)
	}
	same(t, read[message](t, h.ask(t, "GET", sent.header.Get("Location"), ""), 200), got)
}

func TestMessageTakesSenderAndLane(t *testing.T) {
	h := openHouse(t)
	got := h.send(t, `{"to": "+4791234567", "text": "Здравствуйте", "sender": "WATER", "lane": "urgent"}`)
	if got.Sender != "WATER" || got.Lane != "urgent" || got.Encoding != "ucs2" {
		t.Errorf("message %+v", got)
	}
}

func TestMessagesThatCannotBeSentAreRefused(t *testing.T) {
	h := openHouse(t)
	cases := []struct{ name, body, code, pointer string }{
		{"empty text", `{"to": "+4791234567", "text": ""}`, "invalid_text", "/text"},
		{"blank text", `{"to": "+4791234567", "text": " \n"}`, "invalid_text", "/text"},
		{"text over the limit", fmt.Sprintf(`{"to": "+4791234567", "text": %q}`, strings.Repeat("a", 1521)), "invalid_text", "/text"},
		{"text with NUL", `{"to": "+4791234567", "text": "a\u0000b"}`, "invalid_text", "/text"},
		{"no text", `{"to": "+4791234567"}`, "invalid_text", "/text"},
		{"text that is a number", `{"to": "+4791234567", "text": 5}`, "invalid_text", "/text"},
		{"no number", `{"to": "ask reception", "text": "Hello"}`, "invalid_to", "/to"},
		{"too short a number", `{"to": "+47912", "text": "Hello"}`, "invalid_to", "/to"},
		{"empty number", `{"to": "", "text": "Hello"}`, "invalid_to", "/to"},
		{"sender", `{"to": "+4791234567", "text": "Hello", "sender": "far too long a sender"}`, "invalid_sender", "/sender"},
		{"lane", `{"to": "+4791234567", "text": "Hello", "lane": "fast"}`, "invalid_lane", "/lane"},
		{"unknown field", `{"to": "+4791234567", "text": "Hello", "when": "now"}`, "invalid_request", "/when"},
		{"field in capitals", `{"to": "+4791234567", "text": "Hello", "Lane": "bulk"}`, "invalid_request", "/Lane"},
		{"unknown field with a slash", `{"to": "+4791234567", "text": "Hello", "a/b~c": 1}`, "invalid_request", "/a~1b~0c"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			refusedAt(t, h.ask(t, "POST", messagesPath, c.body), c.code, c.pointer)
		})
	}
}

func TestSeveralFaultsAreAllNamed(t *testing.T) {
	h := openHouse(t)
	p := refused(t, h.ask(t, "POST", messagesPath, `{"lane": "fast", "when": 1}`), 422, "invalid_request")
	want := []Fault{
		{Pointer: "/lane", Detail: `expected value to be one of "urgent, normal, bulk"`},
		{Pointer: "/text", Detail: "is required"},
		{Pointer: "/to", Detail: "is required"},
		{Pointer: "/when", Detail: "there is no such field"},
	}
	same(t, p.Errors, want)
}

func TestWithoutAnAgreementNothingIsSent(t *testing.T) { // S6
	h := openHouse(t)
	_, key := h.other(t)
	refused(t, h.ask(t, "POST", messagesPath, hello, bearer(key)...), 403, "no_agreement")
}

func TestRepeatedRequestAnswersWithTheSameMessage(t *testing.T) {
	h := openHouse(t)
	key := []string{"Idempotency-Key", "order-4711"}
	first := h.send(t, hello, key...)
	same(t, h.send(t, `{ "text":"The water is back.", "to":"912 34 567" }`, key...), first)

	refused(t, h.ask(t, "POST", messagesPath, `{"to": "912 34 567", "text": "Another text."}`, key...), 409, "idempotency_key_reused")
	h.group(t, "Night shift", "+4791234567")
	refused(t, h.ask(t, "POST", campaignsPath, `{"group": "Night shift", "text": "x"}`, key...), 409, "idempotency_key_reused")

	same(t, len(pages[message](t, h, messagesPath+"?", "200")[0]), 1)
}

func TestKeyOfAnotherAccountIsAnother(t *testing.T) {
	h := openHouse(t)
	acc, key := h.other(t)
	_, err := h.Accounts.Conclude(t.Context(), acc.ID, "Ola", "CEO", "ola@other.example")
	must(t, err)
	first := h.send(t, hello, "Idempotency-Key", "1")
	second := h.send(t, hello, append(bearer(key), "Idempotency-Key", "1")...)
	if first.ID == second.ID {
		t.Error("two accounts share a message")
	}
}

func TestEqualRequestsAtOnceMakeOneMessage(t *testing.T) {
	h := openHouse(t)
	var replies [8]reply
	var errs [8]error
	var all sync.WaitGroup
	for i := range replies {
		all.Go(func() {
			replies[i], errs[i] = h.exchange(t.Context(), "POST", messagesPath, hello, "Idempotency-Key", "order-4711")
		})
	}
	all.Wait()
	for i, r := range replies {
		must(t, errs[i])
		same(t, read[message](t, r, 202), read[message](t, replies[0], 202))
	}
	same(t, len(pages[message](t, h, messagesPath+"?", "200")[0]), 1)
}

func TestUnusableIdempotencyKeysAreRefused(t *testing.T) {
	h := openHouse(t)
	for _, key := range []string{"", "two words", "blåbær", strings.Repeat("k", 256)} {
		p := refused(t, h.ask(t, "POST", messagesPath, hello, "Idempotency-Key", key), 422, "invalid_idempotency_key")
		same(t, p.Errors[0].Pointer, "/Idempotency-Key")
		same(t, p.Errors[0].In, "header")
	}
	h.send(t, hello, "Idempotency-Key", strings.Repeat("k", 255))
}

func TestPagesOfMessagesHoldEachOnce(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		h := openOn(t, url)
		var want []string
		for range 5 {
			want = append([]string{h.send(t, hello).ID}, want...)
		}
		var got []string
		walked := pages[message](t, h, messagesPath+"?", "2")
		for _, page := range walked {
			for _, m := range page {
				got = append(got, m.ID)
			}
		}
		same(t, got, want)
		same(t, len(walked), 3)
	})
}

func TestFullLastPageHasNoCursor(t *testing.T) {
	h := openHouse(t)
	for range 2 {
		h.send(t, hello)
	}
	same(t, len(pages[message](t, h, messagesPath+"?", "2")), 1)
}

func TestMessagesAreFiltered(t *testing.T) {
	h := openHouse(t)
	h.send(t, hello)
	h.group(t, "Night shift", "+4791234567")
	cam := h.startCampaign(t, `{"group": "Night shift", "text": "Hello"}`)
	same(t, len(pages[message](t, h, messagesPath+"?status=queued&", "200")[0]), 1)
	same(t, len(pages[message](t, h, messagesPath+"?status=delivered&", "200")[0]), 0)
	same(t, len(pages[message](t, h, messagesPath+"?campaign="+cam.ID+"&", "200")[0]), 0) // its recipients are not known yet
}

func TestQuestionsThatCannotBeAnsweredAreRefused(t *testing.T) {
	h := openHouse(t)
	contact := h.Names.Of(secrets.Contact, 5)
	cases := []struct{ query, code, pointer string }{
		{"limit=0", "invalid_limit", "/limit"},
		{"limit=201", "invalid_limit", "/limit"},
		{"limit=many", "invalid_limit", "/limit"},
		{"status=lost", "invalid_status", "/status"},
		{"cursor=5", "invalid_cursor", "/cursor"},
		{"cursor=" + contact, "invalid_cursor", "/cursor"},
		{"stauts=sent", "invalid_request", "/stauts"},
	}
	for _, c := range cases {
		p := refusedAt(t, h.ask(t, "GET", messagesPath+"?"+c.query, ""), c.code, c.pointer)
		same(t, p.Errors[0].In, "query")
	}
}

func TestWhatBelongsToAnotherAccountIsNotThere(t *testing.T) {
	h := openHouse(t)
	_, key := h.other(t)
	g := h.group(t, "Night shift", "+4791234567")
	members, err := h.Book.ContactsInGroup(t.Context(), h.account.ID, g.ID, 0, 1)
	must(t, err)
	contact, groupID := h.Names.Of(secrets.Contact, members[0].ID), h.Names.Of(secrets.Group, g.ID)
	msg, cam := h.send(t, hello), h.startCampaign(t, `{"group": "Night shift", "text": "Hello"}`)

	for path, code := range map[string]string{
		messagesPath + "/" + msg.ID:          "message_not_found",
		messagesPath + "?campaign=" + cam.ID: "campaign_not_found",
		campaignsPath + "/" + cam.ID:         "campaign_not_found",
		contactsPath + "/" + contact:         "contact_not_found",
		contactsPath + "?group=" + groupID:   "group_not_found",
		groupsPath + "/" + groupID:           "group_not_found",
		messagesPath + "/msg_nonsense":       "message_not_found",
		messagesPath + "/" + contact:         "message_not_found",
		campaignsPath + "/" + groupID:        "campaign_not_found",
		contactsPath + "/" + groupID:         "contact_not_found",
		groupsPath + "/" + contact:           "group_not_found",
	} {
		refused(t, h.ask(t, "GET", path, "", bearer(key)...), 404, code)
	}
	refused(t, h.ask(t, "POST", campaignsPath, `{"group": "`+groupID+`", "text": "x"}`, bearer(key)...), 404, "group_not_found")
	refusedAt(t, h.ask(t, "POST", groupsPath, `{"name": "Mine", "contacts": ["`+contact+`"]}`, bearer(key)...), "invalid_contacts", "/contacts")
	for _, path := range []string{messagesPath, campaignsPath, contactsPath, groupsPath} {
		same(t, string(h.ask(t, "GET", path, "", bearer(key)...).body), "{\"items\":[]}\n")
	}
}

func TestMessageTellsWhatBecameOfIt(t *testing.T) {
	s := Services{Names: openHouse(t).Names}
	got := s.message(smsqueue.Message{ID: 7, Campaign: 8, Contact: 9, Phone: "+4791234567", Status: smsqueue.Rejected,
		Reason: "refused", Code: "0x0B", PriceMicro: 90000, Currency: "EUR", Money: smsqueue.Charged, PossibleDuplicate: true})
	want := message{ID: s.Names.Of("msg", 7), Campaign: s.Names.Of("cmp", 8), Contact: s.Names.Of("con", 9), To: "+4791234567",
		Status: "rejected", Reason: "refused", CarrierCode: "0x0B", Price: money{"0.09", "EUR"}, Charged: true, PossibleDuplicate: true}
	same(t, got, want)
}
