package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

func TestHoldersAreSentTheirCardFromThePage(t *testing.T) { // Q61
	w, card := cardWorld(t, nil)
	w.carrier("main", `{}`)
	w.signIn()
	if got := w.get("/cards/share"); got.status != http.StatusOK || !strings.Contains(got.body, "{{card_link}}") {
		t.Errorf("%d %s", got.status, got.body)
	}
	group := w.names.Of(secrets.CardGroup, card.Group)
	form := url.Values{"once": {"a"}, "group": {group}, "text": {"Your card: {{card_link}}"}, "do": {"preview"}}
	got := w.post("/cards/share", form)
	if got.status != http.StatusOK || !strings.Contains(got.body, "https://varsel.example/c/"+card.Slug) || len(w.campaigns()) != 0 {
		t.Errorf("%d %s", got.status, got.body)
	}
	w.golden("card-send-preview-en", strings.ReplaceAll(got.body, card.Slug, "slug"))
	form.Set("do", "start")
	for range 2 { // a double click starts one
		got = w.post("/cards/share", form)
	}
	all := w.campaigns()
	if len(all) != 1 || got.header.Get("Location") != "/campaigns/"+w.names.Of(secrets.Campaign, all[0].ID) {
		t.Fatalf("%d campaigns, then %s", len(all), got.header.Get("Location"))
	}
	if to := all[0].Filter.Cards; to == nil || len(to.Groups) != 1 || to.Groups[0] != card.Group || all[0].Lane != smsqueue.Bulk {
		t.Errorf("%+v", all[0])
	}
	form.Set("text", "Hello")
	if got := w.post("/cards/share", form); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `id="text-wrong"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	form.Set("group", "cgr_x")
	if got := w.post("/cards/share", form); got.status != http.StatusNotFound {
		t.Errorf("%d", got.status)
	}
}

func TestWhoMayNotSendSendsNoCards(t *testing.T) {
	w, _ := cardWorld(t, nil)
	w.as("viewer")
	for _, status := range []int{w.get("/cards/share").status, w.post("/cards/share", url.Values{}).status} {
		if status != http.StatusForbidden {
			t.Errorf("%d", status)
		}
	}
}
