package web_test

import (
	"encoding/csv"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/rollcall"
)

// rollCall asks n people, from the number 2440.
func (w *world) rollCall(n int) (r smsqueue.Route, c smsqueue.Campaign, path string) {
	w.Helper()
	r = w.inbox()
	w.work()
	usual := rollcall.Suggest("en")
	c, name := w.start(smsqueue.NewCampaign{Group: w.group("Everybody", n).ID, Text: usual.Text, Name: "Fire <drill>",
		Asks: &rollcall.Question{Choices: usual.Choices, Close: rollcall.UsualClose}})
	w.finished(c)
	return r, c, "/roll-calls/" + name
}

// who is the number of somebody in the group of the tests.
func who(i int) string { return fmt.Sprintf("+47400%05d", i) }

// onceOf is the form's name of itself.
func onceOf(page string) string {
	return regexp.MustCompile(`name="once" value="([^"]*)"`).FindStringSubmatch(page)[1]
}

func TestRollCallPageShowsWhoIsToBeSeenTo(t *testing.T) {
	w := newWorld(t)
	r, c, path := w.rollCall(6)
	w.texted(r, who(0), "2440", "1")
	w.texted(r, who(1), "2440", "HELP")
	w.texted(r, who(2), "2440", "where <b>are</b> you?")
	must(w.queue.RemindRollCall(t.Context(), w.account.ID, c.ID, smsqueue.Reminder{Text: "Please answer"}))
	w.until("the reminder is counted", func() bool {
		all := must(w.queue.Reminders(t.Context(), w.account.ID, c.ID))
		return len(all) == 1 && all[0].State == smsqueue.CampaignFinished
	})
	w.signIn()
	for _, code := range []string{"en", "nb", "pl"} {
		w.golden("roll-call-"+code, w.get(path, "Accept-Language", code).body)
	}
	w.golden("roll-call-close-nb", w.get(path+"/close", "Accept-Language", "nb").body)
	if page := w.get("/campaigns/" + strings.TrimPrefix(path, "/roll-calls/")).body; !strings.Contains(page, `href="`+path+`"`) || !strings.Contains(page, "where &lt;b&gt;are&lt;/b&gt; you?") {
		t.Error("the campaign's page does not lead to the roll call, or does not show the replies")
	}
	w.as("viewer")
	page := w.get(path).body
	if strings.Contains(page, "<form method=\"post\" action=\"/roll-calls") || strings.Contains(page, "/close\"") {
		t.Error("a viewer is offered what only senders may do")
	}
	if got := w.post(path+"/close", url.Values{}); got.status != http.StatusForbidden {
		t.Errorf("a viewer closes it: %d", got.status)
	}
}

func TestRollCallIsStartedFromTheConsole(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	w.golden("roll-call-new-none-pl", w.get("/roll-calls/new", "Accept-Language", "pl").body)
	r := w.inbox()
	w.work()
	group := w.names.Of(secrets.Group, w.group("Everybody", 2).ID)
	page := w.get("/roll-calls/new", "Accept-Language", "nb").body
	w.golden("roll-call-new-nb", page)
	form := url.Values{"once": {onceOf(page)}, "group": {group}, "sender": {"2440"}, "close": {"4h0m0s"}, "text": {"Er du trygg?\r\n1 ja, 2 nei"},
		"key-1": {"1"}, "label-1": {"Trygg"}, "words-1": {"trygg, i sikkerhet"}, "key-2": {"2"}, "label-2": {"Hjelp"}, "words-2": {" hjelp ,"}, "alarm-2": {"yes"}}
	for name, change := range map[string]url.Values{
		"no group":       {"group": {""}},
		"no text":        {"text": {" "}},
		"one choice":     {"key-2": {""}, "label-2": {""}, "words-2": {""}, "alarm-2": {""}},
		"the same word":  {"words-2": {"trygg"}},
		"no such time":   {"close": {"soon"}},
		"another sender": {"sender": {"ACME"}},
	} {
		wrong := url.Values{}
		for k, v := range form {
			wrong[k] = v
		}
		for k, v := range change {
			wrong[k] = v
		}
		if got := w.post("/roll-calls/new", wrong); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "Please correct this first") || !strings.Contains(got.body, "value=\"Trygg\"") {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	first := w.post("/roll-calls/new", form)
	again := w.post("/roll-calls/new", form)
	path := first.header.Get("Location")
	if first.status != http.StatusSeeOther || !strings.HasPrefix(path, "/roll-calls/cmp_") || again.header.Get("Location") != path {
		t.Fatalf("%d to %s, then to %s", first.status, path, again.header.Get("Location"))
	}
	id := must(w.names.ID(secrets.Campaign, strings.TrimPrefix(path, "/roll-calls/")))
	c := must(w.queue.Campaign(t.Context(), w.account.ID, id))
	if c.Text != "Er du trygg?\n1 ja, 2 nei" || c.Sender != "2440" || c.Lane != smsqueue.Urgent || c.Asks.Close != 4*time.Hour || !c.Asks.Choices[1].Alarm {
		t.Errorf("%+v %+v", c, c.Asks)
	}
	w.finished(c)
	w.texted(r, who(0), "2440", "I sikkerhet!")
	if page := w.get(path).body; !strings.Contains(page, "1 of 2 have answered") {
		t.Error("the page does not count the answer")
	}
}

func TestRollCallAnswersAreSetByHandAndListed(t *testing.T) {
	w := newWorld(t)
	r, _, path := w.rollCall(60)
	for i := range 3 {
		w.texted(r, who(i), "2440", []string{"1", "2", "=now()"}[i])
	}
	w.signIn()
	rows := func(path string) (string, int) {
		page := w.get(path).body
		_, list, _ := strings.Cut(page, `id="people"`)
		return page, strings.Count(list, `<th scope="row">`)
	}
	first, n := rows(path)
	if n != 50 || !strings.Contains(nextPage(first), "show=unanswered") {
		t.Errorf("%d on the first page, then %s", n, nextPage(first))
	}
	if _, n := rows(nextPage(first)); n != 7 {
		t.Errorf("%d on the second page", n)
	}
	for show, want := range map[string]int{"choice-1": 1, "choice-2": 1, "unclear": 1, "answered": 2, "all": 50} {
		if _, n := rows(path + "?show=" + show); n != want {
			t.Errorf("%s: %d people", show, n)
		}
	}
	for _, wrong := range []string{"choice-9", "lost"} {
		if got := w.get(path + "?show=" + wrong); got.status != http.StatusNotFound {
			t.Errorf("%s: %d", wrong, got.status)
		}
	}
	got := w.post(path+"/answers", url.Values{"phone": {who(2)}, "choice": {"2"}, "show": {"unclear"}})
	if got.status != http.StatusSeeOther || got.header.Get("Location") != path+"?show=unclear#people" {
		t.Errorf("%d to %s", got.status, got.header.Get("Location"))
	}
	if _, n := rows(path + "?show=choice-2"); n != 2 {
		t.Errorf("%d need help after one was set by hand", n)
	}
	if got := w.post(path+"/answers", url.Values{"phone": {who(99)}, "choice": {"2"}}); got.status != http.StatusNotFound {
		t.Errorf("somebody who was not asked: %d", got.status)
	}

	sheet := w.get(path + "/people.csv?show=choice-2")
	lines := must(csv.NewReader(strings.NewReader(strings.TrimPrefix(sheet.body, "\ufeff"))).ReadAll())
	if len(lines) != 3 || lines[1][1] != who(1) || lines[1][2] != "Needs help" || lines[2][3] != "'=now()" {
		t.Errorf("%q", lines)
	}
	if lines := strings.Count(w.get(path+"/people.csv").body, "\n"); lines != 1+57 {
		t.Errorf("%d lines of those without an answer", lines)
	}
}

func TestRollCallIsRemindedOfAndClosed(t *testing.T) {
	w := newWorld(t)
	r, c, path := w.rollCall(3)
	w.texted(r, who(0), "2440", "1")
	w.signIn()
	form := url.Values{"once": {onceOf(w.get(path).body)}, "text": {"Please answer"}}
	for range 2 {
		if got := w.post(path+"/remind", form); got.status != http.StatusSeeOther {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	all := must(w.queue.Reminders(t.Context(), w.account.ID, c.ID))
	if len(all) != 1 || all[0].Text != "Please answer" {
		t.Fatalf("%d reminders", len(all))
	}
	w.finished(all[0])
	if n := must(w.queue.Campaign(t.Context(), w.account.ID, all[0].ID)).Counts.Total(); n != 2 {
		t.Errorf("%d were reminded", n)
	}
	if got := w.post(path+"/remind", url.Values{"once": {"x"}, "text": {strings.Repeat("long ", 400)}}); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `id="text-wrong"`) {
		t.Errorf("a text that is too long: %d", got.status)
	}
	if got := w.post(path+"/close", url.Values{}); got.status != http.StatusSeeOther {
		t.Errorf("%d", got.status)
	}
	if page := w.get(path).body; !strings.Contains(page, "It is closed") || strings.Contains(page, path+"/remind") {
		t.Error("the page does not say that it is closed")
	}
	if got := w.post(path+"/remind", url.Values{"once": {"y"}, "text": {"Again"}}); got.status != http.StatusConflict {
		t.Errorf("a reminder after the end: %d", got.status)
	}
}

func TestRollCallIsStreamedUntilItIsClosed(t *testing.T) {
	w := newWorld(t)
	r, c, path := w.rollCall(4)
	w.signIn()
	s := w.open(path + "/live")
	event, first := s.event()
	if event != "progress" || first["handled"] != "0 of 4 have answered" || first["badge"] != "running" {
		t.Fatalf("%s %v", event, first)
	}
	w.texted(r, who(0), "2440", "safe")
	w.texted(r, who(1), "2440", "2")
	var last map[string]any
	for {
		event, data := s.event()
		if event == "end" {
			break
		}
		if event != "progress" {
			t.Fatalf("the stream ended without an end: %q", event)
		}
		if last = data; data["handled"] == "2 of 4 have answered" && data["over"] == false {
			must(w.queue.CloseRollCall(t.Context(), w.account.ID, c.ID))
		}
	}
	if last["badge"] != "finished" || last["state"] == first["state"] || last["over"] != true {
		t.Errorf("the last said %v", last)
	}
	counted := map[string]string{}
	for _, one := range last["counts"].([]any) {
		of := one.(map[string]any)
		counted[of["name"].(string)] = of["count"].(string)
	}
	if counted["all-0"] != "1" || counted["all-1"] != "1" || counted["all-unclear"] != "0" || counted["all-unanswered"] != "2" {
		t.Errorf("%v", counted)
	}
	page := w.get(path).body
	for name := range counted {
		if !strings.Contains(page, `data-count="`+html.EscapeString(name)+`"`) {
			t.Errorf("the page has no place for %s", name)
		}
	}
}

func TestRollCallsOfOthersAreNotShown(t *testing.T) {
	w := newWorld(t)
	_, c, path := w.rollCall(2)
	must(w.db.ExecContext(t.Context(), `INSERT INTO accounts (id, handle, name, region, sender, currency, state, created_at) SELECT id + 1, 'other', name, region, sender, currency, state, created_at FROM accounts WHERE id = $1`, w.account.ID))
	must(w.db.ExecContext(t.Context(), `UPDATE campaigns SET account_id = account_id + 1 WHERE id = $1`, c.ID))
	w.signIn()
	for _, what := range []string{"", "/live", "/people.csv", "/close"} {
		if got := w.get(path + what); got.status != http.StatusNotFound {
			t.Errorf("%s: %d", what, got.status)
		}
	}
	for _, what := range []string{"/remind", "/close", "/answers"} {
		if got := w.post(path+what, url.Values{"text": {"x"}, "phone": {who(0)}, "choice": {"1"}}); got.status != http.StatusNotFound {
			t.Errorf("%s: %d", what, got.status)
		}
	}
	if got := w.get("/roll-calls/cmp_x"); got.status != http.StatusNotFound {
		t.Errorf("%d", got.status)
	}
}
