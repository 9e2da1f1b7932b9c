package web_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/internal/secrets"
)

const party = "https://events.example.no/party?from=sms"

func (w *world) inviteTo(target string, ends time.Time) (cards.Invite, string) {
	w.Helper()
	i := must(w.cards.AddInvite(w.Context(), w.account.ID, cards.NewInvite{Name: "Summer party", Target: target, Ends: ends}, time.Now()))
	return i, "/cards/invites/" + w.names.Of(secrets.Invite, i.ID)
}

func TestAnInviteIsMadeSeenSentAndEnded(t *testing.T) {
	w, _ := cardWorld(t, nil)
	w.signIn()
	design := must(w.cards.Templates(t.Context(), w.account.ID))[0]
	form := url.Values{"once": {"a"}, "name": {"Summer party"}, "target": {party}, "ends_at": {"2100-06-20T18:00"}, "template": {w.names.Of(secrets.CardTemplate, design.ID)}}
	var to string
	for range 2 { // a double click makes one
		got := w.post("/cards/invites/new", form)
		if to = got.header.Get("Location"); got.status != http.StatusSeeOther || !strings.HasPrefix(to, "/cards/invites/ivt_") {
			t.Fatalf("%d to %q %s", got.status, to, got.body)
		}
	}
	all := must(w.cards.Invites(t.Context(), w.account.ID, 0, 10))
	if len(all) != 1 || all[0].Template != design.ID || all[0].Ends.Format(time.RFC3339) != "2100-06-20T16:00:00Z" {
		t.Fatalf("%+v", all)
	}
	link := "http://cards.acme.test/i/" + all[0].Slug
	page := w.get(to)
	w.has(page, http.StatusOK, link, "from=sms", to+"/code/pdf", "Write to a group")
	w.golden("invite-en", strings.NewReplacer(all[0].Slug, "slug", to, "/cards/invites/id", strings.TrimPrefix(to, "/cards/invites/"), "id").Replace(page.body))
	w.has(w.get("/cards/invites"), http.StatusOK, link, to)
	w.has(w.get("/cards"), http.StatusOK, `href="/cards/invites"`)
	w.has(w.get("/campaigns/new?invite="+strings.TrimPrefix(to, "/cards/invites/")), http.StatusOK, "Summer party: "+link+"</textarea>")
	for form, begins := range map[string]string{"png": "\x89PNG", "svg": "<svg", "pdf": "%PDF-"} {
		got := w.get(to + "/code/" + form)
		if got.status != http.StatusOK || !strings.Contains(got.body[:100], begins) || got.header.Get("Content-Disposition") != `attachment; filename="Summer party.`+form+`"; filename*=UTF-8''Summer%20party.`+form {
			t.Errorf("%s: %d %q %.100q", form, got.status, got.header.Get("Content-Disposition"), got.body)
		}
	}
	w.has(w.get(to+"/code/gif"), http.StatusNotFound)
	w.has(w.get(to+"/end"), http.StatusOK, "End the invite Summer party?")
	w.sent(w.post(to+"/end", url.Values{}), to)
	if ended := w.get(to); strings.Contains(ended.body, "Write to a group") || strings.Contains(ended.body, "/code/") {
		t.Error("the page of an invite that is over offers to send it")
	}
	w.has(w.get("/i/"+all[0].Slug), http.StatusGone)
}

func TestTheCodesOfAnInviteAreReadAndLeadToIt(t *testing.T) {
	w, _ := cardWorld(t, nil)
	design := must(w.cards.Templates(t.Context(), w.account.ID))[0]
	i := must(w.cards.AddInvite(t.Context(), w.account.ID, cards.NewInvite{Name: "Party", Target: party, Template: design.ID}, time.Now()))
	w.signIn()
	file := filepath.Join(t.TempDir(), "code.png")
	code := w.get("/cards/invites/" + w.names.Of(secrets.Invite, i.ID) + "/code/png")
	if err := os.WriteFile(file, []byte(code.body), 0o600); err != nil {
		t.Fatal(err)
	}
	path, ours := strings.CutPrefix(scanned(t, file), "HTTP://CARDS.ACME.TEST")
	if !ours || path != "/I/"+strings.ToUpper(i.Slug) {
		t.Errorf("it says %q", path)
	}
	w.sent(w.get(path), party)
}

func TestAnInviteLeadsVisitorsToItsTargetAlone(t *testing.T) {
	w, card := cardWorld(t, nil)
	i, _ := w.inviteTo(party, time.Time{})
	for _, asked := range []string{"", "?to=https://evil.example", "?target=https://evil.example&next=//evil.example"} {
		got := w.get("/i/" + i.Slug + asked)
		w.sent(got, party)
		if got.header.Get("Cache-Control") != "no-store" || got.header.Get("Referrer-Policy") != "no-referrer" || len(got.header.Values("Set-Cookie")) != 0 {
			t.Errorf("%v", got.header)
		}
	}
	ending, _ := w.inviteTo(party, time.Now().Add(time.Hour))
	if _, err := w.db.ExecContext(t.Context(), `UPDATE card_invites SET ends_at = 1 WHERE id = $1`, ending.ID); err != nil {
		t.Fatal(err)
	}
	for language, says := range map[string]string{"en": "This invite is over", "nb": "Denne invitasjonen gjelder ikke lenger", "pl": "To zaproszenie już nie obowiązuje"} {
		gone := w.get("/i/"+ending.Slug, "Accept-Language", language)
		w.has(gone, http.StatusGone, says)
		if strings.Contains(gone.body, "party") || gone.header.Get("Cache-Control") != "no-store" || gone.header.Get("X-Robots-Tag") != "noindex" {
			t.Errorf("%v %s", gone.header, gone.body)
		}
	}
	for _, never := range []string{"0000000000000000", "x", card.Slug, "..%2fc", "https:%2f%2fevil.example"} {
		got := w.get("/i/" + never)
		w.has(got, http.StatusNotFound)
		if got.header.Get("Location") != "" {
			t.Errorf("%s leads to %s", never, got.header.Get("Location"))
		}
	}
	w.has(w.get("/c/"+i.Slug), http.StatusNotFound)
}

func TestAnInviteThatCannotBeIsToldBesideItsField(t *testing.T) {
	w, _ := cardWorld(t, nil)
	w.signIn()
	fine := url.Values{"once": {"a"}, "name": {"Party"}, "target": {party}}
	for field, wrong := range map[string]string{"name": " ", "target": "http://example.no/", "ends_at": "2020-01-01T00:00"} {
		form := url.Values{field: {wrong}}
		for name, value := range fine {
			if name != field {
				form[name] = value
			}
		}
		w.has(w.post("/cards/invites/new", form), http.StatusUnprocessableEntity, `id="`+field+`-wrong"`, `href="#`+field+`"`, `value="`+wrong+`"`)
	}
	w.has(w.post("/cards/invites/new", url.Values{"once": {"a"}, "name": {"Party"}, "target": {party}, "ends_at": {"soon"}}), http.StatusUnprocessableEntity, `id="ends_at-wrong"`)
	w.has(w.post("/cards/invites/new", url.Values{"once": {"a"}, "name": {"Party"}, "target": {party}, "template": {"ctp_x"}}), http.StatusNotFound, `href="#template"`)
	if all := must(w.cards.Invites(t.Context(), w.account.ID, 0, 10)); len(all) != 0 {
		t.Errorf("%+v", all)
	}
}

func TestWhoMayNotSendMakesNoInvites(t *testing.T) {
	w, _ := cardWorld(t, nil)
	i, at := w.inviteTo(party, time.Time{})
	w.as("viewer")
	for _, status := range []int{w.get("/cards/invites/new").status, w.post("/cards/invites/new", url.Values{}).status, w.get(at + "/end").status, w.post(at+"/end", url.Values{}).status} {
		if status != http.StatusForbidden {
			t.Errorf("%d", status)
		}
	}
	if page := w.get(at); page.status != http.StatusOK || strings.Contains(page.body, "/campaigns/new?invite") || strings.Contains(page.body, "/end") {
		t.Errorf("%d %s", page.status, page.body)
	}
	w.sent(w.get("/i/"+i.Slug), party)
}

// Where nobody said how others reach the installation, nothing that is sent or printed
// leads to this machine.
func TestWithoutAPublicURLNothingLeadsHere(t *testing.T) {
	w, card := cardWorldAt(t, "", nil)
	w.signIn()
	i, to := w.inviteTo(party, time.Time{})
	at := "/c/" + card.Slug
	for path, want := range map[string]int{
		at + "/text": http.StatusNotFound, at + "/share": http.StatusConflict, at + "/qr.png": http.StatusConflict, at + "/qr.pdf": http.StatusConflict,
		to + "/code/png": http.StatusConflict, "/campaigns/new?invite=" + w.names.Of(secrets.Invite, i.ID): http.StatusConflict,
	} {
		if got := w.get(path); got.status != want {
			t.Errorf("%s: %d, want %d", path, got.status, want)
		}
	}
	if got := w.post(at+"/text", url.Values{"number": {"+4740100007"}, "agree": {"yes"}, "notice": {cards.ConsentNotice}}); got.status != http.StatusNotFound {
		t.Errorf("a card is texted: %d", got.status)
	}
	for _, path := range []string{at, at + "/card.vcf", to, "/cards"} {
		got := w.get(path)
		if got.status != http.StatusOK || strings.Contains(got.body, "/qr.") || strings.Contains(got.body, "/code/") || strings.Contains(got.body, "/share\"") ||
			strings.Contains(got.body, "://c/") || strings.Contains(got.body, "URL:/c/") || strings.Contains(got.body, at+"/text") {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
}
