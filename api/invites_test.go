package api

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/internal/secrets"
)

func (h *house) invited(t *testing.T, body string, headers ...string) invite {
	t.Helper()
	r := h.ask(t, "POST", invitesPath, body, headers...)
	i := read[invite](t, r, 201)
	same(t, r.header.Get("Location"), invitesPath+"/"+i.ID)
	return i
}

func TestAnInviteIsMadeReadDrawnAndEnded(t *testing.T) {
	h := openHouse(t)
	h.PublicURL = "https://varsel.example"
	h.url = listen(t, h.Services)
	design, err := h.Cards.SaveTemplate(t.Context(), h.account.ID, 0, "Blue", cards.Usual())
	must(t, err)
	template := h.Names.Of(secrets.CardTemplate, design.ID)
	ends := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	i := h.invited(t, `{"name":"Summer party","target":"https://example.no/party","template":"`+template+`","ends_at":"`+ends.Format(time.RFC3339)+`"}`)
	slug, ours := strings.CutPrefix(i.Link, "https://varsel.example/i/")
	want := invite{ID: i.ID, Name: "Summer party", Target: "https://example.no/party", Link: i.Link, Template: template, Version: 1, EndsAt: ends, CreatedAt: i.CreatedAt}
	if i != want || !ours || len(slug) != 16 {
		t.Errorf("%+v, want %+v", i, want)
	}
	path := invitesPath + "/" + i.ID
	same(t, read[invite](t, h.ask(t, "GET", path, ""), 200), want)
	for form, kind := range map[string]string{"png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf"} {
		got := h.ask(t, "GET", path+"/code/"+form, "")
		if got.status != 200 || got.header.Get("Content-Type") != kind || len(got.body) < 500 {
			t.Errorf("%s: %d %s, %d bytes", form, got.status, got.header.Get("Content-Type"), len(got.body))
		}
	}
	h.invited(t, `{"name":"Second","target":"https://example.no/2"}`)
	first := read[list[invite]](t, h.ask(t, "GET", invitesPath+"?limit=1", ""), 200)
	if len(first.Items) != 1 || first.Items[0].Name != "Second" || first.NextCursor == "" {
		t.Fatalf("%+v", first)
	}
	rest := read[list[invite]](t, h.ask(t, "GET", invitesPath+"?limit=1&cursor="+first.NextCursor, ""), 200)
	if len(rest.Items) != 1 || rest.Items[0] != want {
		t.Errorf("%+v", rest)
	}
	ended := read[invite](t, h.ask(t, "POST", path+"/end", ""), 200)
	if !ended.Over || ended.EndedAt.IsZero() {
		t.Errorf("%+v", ended)
	}
	refused(t, h.ask(t, "GET", path+"/code/png", ""), 410, "invite_gone")
}

func TestAnInviteIsMadeOnceForAKey(t *testing.T) {
	h := openHouse(t)
	const party = `{"name":"Party","target":"https://example.no/party"}`
	first := h.invited(t, party, "Idempotency-Key", "a")
	if again := h.invited(t, party, "Idempotency-Key", "a"); again != first {
		t.Errorf("%+v and %+v", first, again)
	}
	refused(t, h.ask(t, "POST", invitesPath, `{"name":"Other","target":"https://example.no/party"}`, "Idempotency-Key", "a"), 409, "idempotency_key_reused")
	if all := read[list[invite]](t, h.ask(t, "GET", invitesPath, ""), 200); len(all.Items) != 1 {
		t.Errorf("%+v", all)
	}
}

func TestAnInviteIsRefusedWithAReason(t *testing.T) {
	h := openHouse(t)
	for body, code := range map[string]string{
		`{"name":" ","target":"https://example.no/"}`:                                  "invalid_name",
		`{"name":"x","target":"http://example.no/"}`:                                   "invalid_target",
		`{"name":"x","target":"javascript:alert(1)"}`:                                  "invalid_target",
		`{"name":"x","target":"https://example.no/","ends_at":"2020-01-01T00:00:00Z"}`: "invalid_ends_at",
	} {
		refused(t, h.ask(t, "POST", invitesPath, body), 422, code)
	}
	refused(t, h.ask(t, "POST", invitesPath, `{"name":"x","target":"https://example.no/","template":"ctp_x"}`), 404, "card_template_not_found")
	for _, ask := range [][2]string{{"GET", ""}, {"POST", "/end"}, {"GET", "/code/png"}} {
		refused(t, h.ask(t, ask[0], invitesPath+"/ivt_x"+ask[1], ""), 404, "invite_not_found")
	}
	_, reads, err := h.Accounts.CreateKey(t.Context(), h.account.ID, []string{accounts.ScopeCardsRead}, "")
	must(t, err)
	refused(t, h.ask(t, "POST", invitesPath, `{"name":"x","target":"https://example.no/"}`, bearer(reads)...), 403, "missing_scope")
	var l list[invite]
	must(t, json.Unmarshal(h.ask(t, "GET", invitesPath, "", bearer(reads)...).body, &l))
	same(t, len(l.Items), 0)
}
