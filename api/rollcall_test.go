package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

// work sends what was accepted, until the test ends.
func (h *house) work(t *testing.T) {
	t.Helper()
	redis := smsqueue.EmbeddedRedis()
	w, err := smsqueue.StartWorker(t.Context(), h.Queue, redis.Client, "all", func(int64) []smsqueue.Job { return nil })
	must(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		must(t, w.Stop(ctx))
		redis.Close()
	})
}

// sentOut waits until a campaign has been sent.
func (h *house) sentOut(t *testing.T, c campaign) campaign {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
		now := read[campaign](t, h.ask(t, "GET", campaignsPath+"/"+c.ID, ""), 200)
		if now.State == "sent" || now.State == "finished" {
			return now
		}
		if time.Now().After(deadline) {
			t.Fatalf("%+v", now)
		}
	}
}

const (
	asksSafety = `{"close_minutes": 90, "choices": [{"key": "1", "label": "Safe", "words": ["safe"]}, {"key": "2", "label": "Needs help", "words": ["help"], "alarm": true}]}`
	areYouSafe = `{"group": "Night shift", "text": "Are you safe? 1 yes, 2 help", "asks": ` + asksSafety + `}`
)

// asked opens a roll call of four people, from the number 2440.
func (h *house) asked(t *testing.T) campaign {
	t.Helper()
	_, err := h.Queue.AddNumber(t.Context(), h.account.ID, "2440", "")
	must(t, err)
	h.work(t)
	h.group(t, "Night shift", "+4791234561", "+4791234562", "+4791234563", "+4791234564")
	return h.sentOut(t, h.startCampaign(t, areYouSafe))
}

func TestARollCallIsStartedCountedRemindedAndClosed(t *testing.T) {
	h := openHouse(t)
	c := h.asked(t)
	if c.Sender != "2440" || c.Lane != "urgent" || c.Asks == nil || !c.Asks.TakesAnswers || c.Asks.Until.Sub(c.StartedAt) != 90*time.Minute {
		t.Fatalf("%+v", c)
	}
	h.texted(t, "+4791234561", "2440", " 1. ")
	h.texted(t, "+4791234562", "2440", "HELP")
	h.texted(t, "+4791234563", "2440", "Who is this?")

	path := campaignsPath + "/" + c.ID + "/roll-call"
	tally := rollTally{Asked: 4, By: []rollKeys{{"1", "Safe", 1}, {"2", "Needs help", 1}}, Unclear: 1, Unanswered: 1}
	got := read[rollCall](t, h.ask(t, "GET", path, ""), 200)
	want := rollCall{Campaign: c.ID, question: *c.Asks, rollTally: tally, Groups: []rollGroup{{c.Group.ID, "Night shift", tally}},
		Alarms:    []rollPerson{{Status: "delivered", Name: "Somebody", Phone: "+4791234562", State: "answered", Choice: "2", Text: "HELP"}},
		Reminders: []string{}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(rollCall{}, rollGroup{}), cmpopts.IgnoreFields(rollPerson{}, "Message", "Contact", "Inbound", "AnsweredAt")); diff != "" {
		t.Error(diff)
	}

	answers := path + "/answers?"
	if all := pages[rollPerson](t, h, answers, "3"); len(all) != 2 || len(all[0]) != 3 || all[1][0].State != "unanswered" {
		t.Errorf("%+v", all)
	}
	for filter, phone := range map[string]string{"state=unanswered": "+4791234564", "state=unclear": "+4791234563", "choice=1": "+4791234561", "choice=2": "+4791234562"} {
		one := pages[rollPerson](t, h, answers+filter+"&", "50")[0]
		if len(one) != 1 || one[0].Phone != phone {
			t.Errorf("%s: %+v", filter, one)
		}
	}
	refused(t, h.ask(t, "GET", answers+"choice=7", ""), 422, "invalid_choice")
	refused(t, h.ask(t, "GET", answers+"state=lost", ""), 422, "invalid_state")

	read[rollPerson](t, h.ask(t, "POST", path+"/answers", `{"phone": "912 34 563", "choice": "1"}`), 200)
	byHand := read[rollPerson](t, h.ask(t, "POST", path+"/answers", `{"phone": "+4791234563", "choice": "2"}`), 200)
	if byHand.Phone != "+4791234563" || byHand.State != "answered" || byHand.Choice != "2" || byHand.Text != "Who is this?" {
		t.Errorf("%+v", byHand)
	}
	if n := read[rollCall](t, h.ask(t, "GET", path, ""), 200); n.Unclear != 0 || n.By[1].Count != 2 {
		t.Errorf("%+v", n)
	}
	refusedAt(t, h.ask(t, "POST", path+"/answers", `{"phone": "+4791234563", "choice": "7"}`), "invalid_choice", "/choice")
	refusedAt(t, h.ask(t, "POST", path+"/answers", `{"phone": "12", "choice": "1"}`), "invalid_phone", "/phone")
	refused(t, h.ask(t, "POST", path+"/answers", `{"phone": "+4791234569", "choice": "1"}`), 404, "recipient_not_found")

	key := []string{"Idempotency-Key", "k"}
	reminder := read[campaign](t, h.ask(t, "POST", path+"/remind", `{"text": "Please answer"}`, key...), http.StatusAccepted)
	same(t, read[campaign](t, h.ask(t, "POST", path+"/remind", `{"text": "Please answer"}`, key...), http.StatusAccepted).ID, reminder.ID)
	refused(t, h.ask(t, "POST", path+"/remind", `{}`, key...), 409, "idempotency_key_reused")
	if reminder = h.sentOut(t, reminder); reminder.Recipients != 1 || reminder.Text != "Please answer" {
		t.Errorf("%+v", reminder)
	}
	same(t, read[rollCall](t, h.ask(t, "GET", path, ""), 200).Reminders, []string{reminder.ID})

	closed := read[rollCall](t, h.ask(t, "POST", path+"/close", ""), 200)
	if closed.TakesAnswers || closed.Until.IsZero() {
		t.Errorf("%+v", closed)
	}
	h.texted(t, "+4791234564", "2440", "1")
	same(t, read[rollCall](t, h.ask(t, "GET", path, ""), 200).Unanswered, 1)
	refused(t, h.ask(t, "POST", path+"/remind", `{}`), 409, "roll_call_closed")

	replies := pages[inbound](t, h, campaignsPath+"/"+c.ID+"/replies?", "50")[0]
	if len(replies) != 4 || replies[0].Action != "" || !replies[0].NeedsAttention || replies[0].Campaign != c.ID || replies[3].Action != "answer" || replies[3].NeedsAttention {
		t.Errorf("%+v", replies)
	}
}

func TestRollCallsThatCannotBeAnsweredAreRefused(t *testing.T) {
	h := openHouse(t)
	h.group(t, "Night shift", "+4791234561")
	refusedAt(t, h.ask(t, "POST", campaignsPath, areYouSafe), "sender_not_answerable", "/sender")
	_, err := h.Queue.AddNumber(t.Context(), h.account.ID, "2440", "")
	must(t, err)
	p := refusedAt(t, h.ask(t, "POST", campaignsPath, strings.Replace(areYouSafe, `"text"`, `"sender": "ACME", "text"`, 1)), "sender_not_answerable", "/sender")
	if !strings.Contains(p.Detail, "2440") {
		t.Errorf("%q does not name the number", p.Detail)
	}
	refusedAt(t, h.ask(t, "POST", campaignsPath, strings.Replace(areYouSafe, `"help"`, `"safe"`, 1)), "invalid_asks", "/asks")
	plain := h.startCampaign(t, `{"group": "Night shift", "text": "Hello"}`)
	refused(t, h.ask(t, "GET", campaignsPath+"/"+plain.ID+"/roll-call", ""), 404, "roll_call_not_found")
}

func TestRollCallsOfOthersAreNotThere(t *testing.T) {
	h := openHouse(t)
	c := h.asked(t)
	other, key := h.other(t)
	path := campaignsPath + "/" + c.ID
	for _, what := range []string{"/roll-call", "/roll-call/answers", "/replies"} {
		refused(t, h.ask(t, "GET", path+what, "", bearer(key)...), 404, "campaign_not_found")
	}
	for what, body := range map[string]string{"/roll-call/remind": `{}`, "/roll-call/close": `{}`, "/roll-call/answers": `{"phone": "+4791234561", "choice": "1"}`} {
		refused(t, h.ask(t, "POST", path+what, body, bearer(key)...), 404, "campaign_not_found")
		refused(t, h.ask(t, "POST", path+what, body, bearer(h.newKey(t, other, accounts.ScopeMessagesRead))...), 403, "missing_scope")
	}
}

func TestTheInboxIsFilteredAndHandled(t *testing.T) {
	h := openHouse(t)
	c := h.asked(t)
	h.texted(t, "+4791234561", "2440", "1")
	h.texted(t, "+4791234562", "2440", "Where do we meet?")
	h.texted(t, "+4740000001", "2440", "Hello")
	texts := func(filter string) (all []string) {
		for _, m := range pages[inbound](t, h, inboundPath+"?"+filter+"&", "50")[0] {
			all = append(all, m.Text)
		}
		return all
	}
	all := pages[inbound](t, h, inboundPath+"?", "50")[0]
	same(t, texts("needs_attention=true"), []string{"Hello", "Where do we meet?"})
	same(t, texts("campaign="+c.ID), []string{"Where do we meet?", "1"})
	same(t, texts("campaign="+c.ID+"&needs_attention=true"), []string{"Where do we meet?"})
	same(t, texts("contact="+all[2].Contact), []string{"1"})
	refused(t, h.ask(t, "GET", inboundPath+"?contact=con_x", ""), 404, "contact_not_found")

	done := read[inbound](t, h.ask(t, "PATCH", inboundPath+"/"+all[0].ID, `{"handled": true}`), 200)
	if done.NeedsAttention || done.HandledAt.IsZero() {
		t.Errorf("%+v", done)
	}
	same(t, texts("needs_attention=true"), []string{"Where do we meet?"})
	again := read[inbound](t, h.ask(t, "PATCH", inboundPath+"/"+all[0].ID, `{"handled": false}`), 200)
	if !again.NeedsAttention || !again.HandledAt.IsZero() {
		t.Errorf("%+v", again)
	}
	_, key := h.other(t)
	refused(t, h.ask(t, "PATCH", inboundPath+"/"+all[0].ID, `{"handled": true}`, bearer(key)...), 404, "inbound_not_found")
}

func TestAConversationIsReadInPages(t *testing.T) {
	h := openHouse(t)
	h.asked(t)
	h.texted(t, "+4791234561", "2440", "1")
	h.send(t, `{"to": "+4791234561", "text": "Thank you", "sender": "2440"}`)
	h.texted(t, "+4791234561", "2440", "You too")
	_, key := h.other(t)
	path := conversationsPath + "/" + url.PathEscape("+4791234561")
	var texts []string
	cursor := ""
	for {
		got := read[conversation](t, h.ask(t, "GET", path+"?limit=3"+cursor, ""), 200)
		if got.Number != "+4791234561" || got.ReplyFrom != "2440" || !strings.HasPrefix(got.Contact, secrets.Contact) {
			t.Fatalf("%+v", got)
		}
		var some []string
		for _, one := range got.Items {
			if (one.Direction == "sent") != (one.Message != nil) || (one.Direction == "received") != (one.Inbound != nil) {
				t.Errorf("%+v", one)
			}
			if one.Message != nil {
				some = append(some, "us: "+one.Message.Text)
			} else {
				some = append(some, "them: "+one.Inbound.Text)
			}
		}
		texts = append(some, texts...)
		if got.NextCursor == "" {
			break
		}
		cursor = "&cursor=" + got.NextCursor
	}
	same(t, texts, []string{"us: Are you safe? 1 yes, 2 help", "them: 1", "us: Thank you", "them: You too"})
	same(t, len(read[conversation](t, h.ask(t, "GET", path, "", bearer(key)...), 200).Items), 0)
	same(t, fmt.Sprint(read[conversation](t, h.ask(t, "GET", conversationsPath+"/nobody", ""), 200).Items), "[]")
}
