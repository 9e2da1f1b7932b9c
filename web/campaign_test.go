package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/varsel/varsel/smsqueue"
)

func TestCampaignPageOfAFinishedCampaign(t *testing.T) {
	w := newWorld(t)
	w.connect() // three of five have a number
	w.carrier("main", `{"outcome":"undelivered"}`)
	w.work()
	groups := must(w.book.Groups(t.Context(), w.account.ID, 0, 10))
	c, name := w.start(smsqueue.NewCampaign{Group: groups[0].ID, Text: "Fire drill at 12 <o'clock>\nMeet outside.", CeilingMicro: 5_000_000})
	w.finished(c)
	w.signIn()
	for _, language := range []string{"en", "nb", "pl"} {
		w.golden("campaign-"+language, w.get("/campaigns/"+name, "Accept-Language", language).body)
	}
	w.golden("campaigns-nb", w.get("/campaigns", "Accept-Language", "nb").body)
}

func TestRecipientsAreFilteredAndPaged(t *testing.T) {
	w := newWorld(t)
	w.carrier("main", `{}`)
	w.work()
	c, name := w.start(smsqueue.NewCampaign{Group: w.group("Everybody", 70).ID, Text: "Hello"})
	w.finished(c)
	w.signIn()
	rows := func(path string) (page string, n int) {
		page = w.get(path).body
		return page, strings.Count(page, `<tr><th scope="row">Person `)
	}
	first, n := rows("/campaigns/" + name + "?status=delivered")
	if n != 50 {
		t.Errorf("%d on the first page", n)
	}
	next := nextPage(first)
	if !strings.Contains(next, "status=delivered") {
		t.Errorf("%s forgets the filter", next)
	}
	if _, n := rows(next); n != 20 {
		t.Errorf("%d on the second page", n)
	}
	if page, n := rows("/campaigns/" + name + "?status=failed"); n != 0 || !strings.Contains(page, "No recipient has this status.") {
		t.Errorf("%d have failed", n)
	}
	if got := w.get("/campaigns/" + name + "?status=nonsense"); got.status != http.StatusNotFound {
		t.Errorf("a status that does not exist: %d", got.status)
	}
}

func TestCampaignWithoutAWorkerSaysSo(t *testing.T) { // user request 10
	w := newWorld(t)
	w.carrier("main", `{}`)
	_, name := w.start(smsqueue.NewCampaign{Group: w.group("Everybody", 2).ID, Text: "Hello"})
	w.signIn()
	page := w.get("/campaigns/" + name).body
	if !strings.Contains(page, "No running process holds the carrier main, so nothing is sent.") {
		t.Error("the page does not say why nothing is sent")
	}
	if !strings.Contains(page, "<noscript>") {
		t.Error("without JavaScript there is no way to refresh")
	}
}
