package api

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/carriers"
)

// texted lets a handset text a number of the account's.
func (h *house) texted(t *testing.T, from, to, text string) {
	t.Helper()
	r, err := h.Queue.Route(t.Context(), "main")
	must(t, err)
	_, err = h.Queue.Hear(t.Context(), r.CallbackURL[strings.LastIndex(r.CallbackURL, "/")+1:],
		carriers.Callback{Body: fmt.Appendf(nil, `{"from":%q,"to":%q,"text":%q}`, from, to, text)})
	must(t, err)
}

func TestReceivedMessagesAreListedAndRead(t *testing.T) {
	h := openHouse(t)
	_, err := h.Queue.AddNumber(t.Context(), h.account.ID, "2440", "")
	must(t, err)
	c, err := h.Book.AddContact(t.Context(), h.account.ID, "Anna Berg", "+4741234567", "NO")
	must(t, err)
	h.texted(t, "+4741234567", "2440", "Yes")
	h.texted(t, "+4741234568", "2440", "No")
	h.texted(t, "+4741234569", "2441", "Nobody's")

	walked := pages[inbound](t, h, inboundPath+"?", "1")
	if len(walked) != 2 {
		t.Fatalf("%d pages", len(walked))
	}
	want := []inbound{{From: "+4741234568", To: "2440", Text: "No", Parts: 1, NeedsAttention: true},
		{From: "+4741234567", To: "2440", Contact: h.Names.Of(secrets.Contact, c.ID), Text: "Yes", Parts: 1, NeedsAttention: true}}
	got := append(walked[0], walked[1]...)
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(inbound{}, "ID", "ReceivedAt")); diff != "" {
		t.Error(diff)
	}
	same(t, read[inbound](t, h.ask(t, "GET", inboundPath+"/"+got[0].ID, ""), 200), got[0])
	if !strings.HasPrefix(got[0].ID, "inb_") || time.Since(got[0].ReceivedAt) > time.Hour {
		t.Errorf("%+v", got[0])
	}
}

func TestReceivedMessagesOfOthersAreNotThere(t *testing.T) {
	h := openHouse(t)
	other, key := h.other(t)
	_, err := h.Queue.AddNumber(t.Context(), h.account.ID, "2440", "")
	must(t, err)
	h.texted(t, "+4741234567", "2440", "Yes")
	id := pages[inbound](t, h, inboundPath+"?", "200")[0][0].ID
	refused(t, h.ask(t, "GET", inboundPath+"/"+id, "", bearer(key)...), 404, "inbound_not_found")
	refused(t, h.ask(t, "GET", inboundPath+"/inb_nonsense", ""), 404, "inbound_not_found")
	same(t, string(h.ask(t, "GET", inboundPath, "", bearer(key)...).body), "{\"items\":[]}\n")
	refused(t, h.ask(t, "GET", inboundPath, "", bearer(h.newKey(t, other, accounts.ScopeContactsRead))...), 403, "missing_scope")
}

func TestAnIncompleteMessageSaysSo(t *testing.T) {
	s := Services{Names: openHouse(t).Names}
	got := s.inbound(smsqueue.Inbound{ID: 7, From: "+4741234567", To: "2440", Text: "a[…]", Parts: 3, Missing: 2})
	same(t, got, inbound{ID: s.Names.Of("inb", 7), From: "+4741234567", To: "2440", Text: "a[…]", Parts: 3, Incomplete: true, NeedsAttention: true})
}
