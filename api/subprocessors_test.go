package api

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const nordtele = `"name": "Nordtele AS", "address": "Storgata 1, Oslo", "contact": "Per Vik", "service": "Carries SMS", "data": "Numbers", "country": "NO"`

func TestOperatorsAnnounceAndAccountsObjectOverTheAPI(t *testing.T) {
	h := openHouse(t)
	operator := bearer(h.operatorKey(t))
	refusedAt(t, h.ask(t, "POST", subProcessorsDeskPath+"/notices", `{"kind": "add", "name": "Nordtele AS"}`, operator...), "invalid_address", "/address")
	made := read[notice](t, h.ask(t, "POST", subProcessorsDeskPath+"/notices", `{"kind": "add", `+nordtele+`}`, operator...), 201)
	if left := time.Until(made.EffectiveAt); made.Notice != 1 || left < 29*24*time.Hour || left > 31*24*time.Hour {
		t.Errorf("%+v", made)
	}
	change := fmt.Sprintf(`{"kind": "change", "sub_processor": %q, %s, "effective_at": %q}`, made.SubProcessor.ID,
		strings.Replace(nordtele, "Storgata 1", "Storgata 2", 1), time.Now().AddDate(0, 0, 60).UTC().Format(time.RFC3339))
	read[notice](t, h.ask(t, "POST", subProcessorsDeskPath+"/notices", change, operator...), 201)

	if now := read[whole[subProcessor]](t, h.ask(t, "GET", subProcessorsPath, ""), 200); len(now.Items) != 0 {
		t.Errorf("%+v", now)
	}
	later := time.Now().AddDate(0, 0, 70).UTC().Format(time.RFC3339)
	then := read[whole[subProcessor]](t, h.ask(t, "GET", subProcessorsPath+"?at="+later, ""), 200)
	if len(then.Items) != 1 || then.Items[0].Address != "Storgata 2, Oslo" || !then.Items[0].Since.Equal(made.EffectiveAt) {
		t.Errorf("%+v", then)
	}

	notices := read[whole[notice]](t, h.ask(t, "GET", subProcessorsPath+"/notices", ""), 200)
	if len(notices.Items) != 2 || notices.Items[1].Notice != 1 {
		t.Errorf("%+v", notices)
	}
	evidence := read[list[noticeEvidence]](t, h.ask(t, "GET", subProcessorsDeskPath+"/notices/1/evidence", "", operator...), 200)
	if len(evidence.Items) != 1 || evidence.Items[0].Account != "acme" || len(evidence.Items[0].Known) != 1 || evidence.Items[0].Known[0].How != "read" {
		t.Errorf("%+v", evidence)
	}

	refused(t, h.ask(t, "POST", subProcessorsPath+"/notices/9/objections", `{"reason": "No"}`), 404, "notice_not_found")
	o := read[objection](t, h.ask(t, "POST", subProcessorsPath+"/notices/1/objections", `{"reason": "No"}`), 201)
	refused(t, h.ask(t, "POST", subProcessorsPath+"/notices/1/objections", `{"reason": "No"}`), 409, "objection_exists")
	read[objection](t, h.ask(t, "POST", subProcessorsPath+"/objections/"+o.ID+"/retract", ""), 200)
	refused(t, h.ask(t, "POST", subProcessorsPath+"/objections/"+o.ID+"/retract", ""), 409, "objection_ended")
	again := read[objection](t, h.ask(t, "POST", subProcessorsPath+"/notices/1/objections", `{"reason": "After all"}`), 201)
	resolved := read[accountObjection](t, h.ask(t, "POST", subProcessorsDeskPath+"/objections/"+again.ID+"/resolve", `{"outcome": "not_engaged", "answer": "As you wish"}`, operator...), 200)
	if resolved.Account != "acme" || resolved.Answer != "As you wish" {
		t.Errorf("%+v", resolved)
	}
	then = read[whole[subProcessor]](t, h.ask(t, "GET", subProcessorsPath+"?at="+later, ""), 200)
	if !then.Items[0].Excluded {
		t.Errorf("%+v", then)
	}
	withdrawal := read[notice](t, h.ask(t, "POST", subProcessorsDeskPath+"/notices/2/withdraw", `{"reason": "They stay"}`, operator...), 201)
	if withdrawal.Notice != 3 || withdrawal.Withdraws != 2 {
		t.Errorf("%+v", withdrawal)
	}
	all := read[whole[accountObjection]](t, h.ask(t, "GET", subProcessorsDeskPath+"/objections", "", operator...), 200)
	own := read[whole[objection]](t, h.ask(t, "GET", subProcessorsPath+"/objections", ""), 200)
	if len(all.Items) != 2 || len(own.Items) != 2 || own.Items[1].State != "retracted" {
		t.Errorf("%+v %+v", all, own)
	}
}

func TestOperatorsSayOverTheAPIWhoRunsACarrier(t *testing.T) {
	h := openHouse(t)
	operator := bearer(h.operatorKey(t))
	_, err := h.Queue.AddRoute(t.Context(), "real", "smpp", []byte(`{"addr":"smsc.example:2775","system_id":"x","password":"y"}`))
	must(t, err)
	made := read[notice](t, h.ask(t, "POST", subProcessorsDeskPath+"/notices", `{"kind": "add", `+nordtele+`, "reason": "The start", "effective_at": "`+time.Now().UTC().Format(time.RFC3339)+`"}`, operator...), 201)
	before := read[whole[coverage]](t, h.ask(t, "GET", subProcessorsDeskPath+"/carriers", "", operator...), 200)
	if got := h.ask(t, "POST", subProcessorsDeskPath+"/carriers/real", fmt.Sprintf(`{"sub_processor": %q}`, made.SubProcessor.ID), operator...); got.status != 204 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	after := read[whole[coverage]](t, h.ask(t, "GET", subProcessorsDeskPath+"/carriers", "", operator...), 200)
	if len(before.Items) != 1 || before.Items[0].Covered || len(after.Items) != 1 || !after.Items[0].Covered {
		t.Errorf("%+v, then %+v", before, after)
	}
}
