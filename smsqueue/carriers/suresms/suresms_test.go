package suresms

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/internal/sim/smshttpsim"
	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/carriers/carriertest"
)

const password = "s3cr3t & = pass"

func serve(t *testing.T, f smshttpsim.Faults) *smshttpsim.Server {
	t.Helper()
	server, err := smshttpsim.Start(smshttpsim.Options{Login: "acme", Password: password, Faults: f})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server
}

func configure(server *smshttpsim.Server) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"url":%q,"login":"acme","password":%q,"window":50}`, server.URL(), password))
}

func TestSureSMSIsACarrier(t *testing.T) {
	carriertest.Run(t, func(t *testing.T) carriertest.Subject {
		server := serve(t, smshttpsim.Faults{FinalOnly: true, CallbackRetry: smshttpsim.Duration(20 * time.Millisecond)})
		open := func(t *testing.T, events carriers.Events) carriers.Carrier {
			return carriertest.Hearing(t, Type, configure(server), events, nil)
		}
		return carriertest.Subject{
			Open:      open,
			Mute:      func() { server.SetFaults(smshttpsim.Faults{NeverAnswer: true, NoCallbacks: true}) },
			Received:  func() int { return server.Counts().Accepted },
			DropLinks: server.DropAll,
			OpenRefused: func(t *testing.T, events carriers.Events) carriers.Carrier {
				server.SetFaults(smshttpsim.Faults{Refuse: &smshttpsim.Refusal{Status: 200, Code: "Invalid hostname, sender address or password"}})
				return open(t, events)
			},
			Acknowledged: func() int { return server.Counts().Acks },
			Secret:       "s3cr3t",
		}
	})
}

func submission() carriers.Submission {
	return carriers.Submission{MessageID: 4711, From: "ACME", To: "+4790000001", Text: "Zażółć +&=% gęślą", Part: carriers.Whole, Parts: 1}
}

// verdict is the answer to one submission.
func verdict(t *testing.T, server *smshttpsim.Server) carriers.Answer {
	t.Helper()
	c, err := Open(t.Context(), configure(server), carriers.Setting{CallbackURL: "https://varsel.example/v1/callbacks/abc", Events: carriers.Events{State: func(carriers.State) {}}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	answers := make(chan carriers.Answer, 1)
	c.Submit(submission(), func(a carriers.Answer) { answers <- a })
	return <-answers
}

func TestAMessageArrivesAsItWasGiven(t *testing.T) {
	server := serve(t, smshttpsim.Faults{NoCallbacks: true})
	if diff := cmp.Diff(carriers.Answer{ID: "4711"}, verdict(t, server)); diff != "" {
		t.Error(diff)
	}
	got := server.Messages("+4790000001")
	want := smshttpsim.Message{ID: got[0].ID, From: "ACME", To: "+4790000001", Text: "Zażółć +&=% gęślą", CallbackURL: "https://varsel.example/v1/callbacks/abc?id=4711&"}
	if diff := cmp.Diff([]smshttpsim.Message{want}, got); diff != "" {
		t.Error(diff)
	}
}

func TestSureSMSsSentences(t *testing.T) { // U25
	for _, tt := range []struct {
		status    int
		text      string
		kind      carriers.Kind
		code, say string
	}{
		{200, "Wrong phone number: +4790000001", carriers.Rejected, "Wrong phone number", "the recipient's number is not a valid one"},
		{200, "unauthorized senderid", carriers.Rejected, "Unauthorized SenderID", "the sender is not permitted for the SureSMS account"},
		{200, "The same message to the same recipient", carriers.Rejected, "The same message to the same recipient", "SureSMS has taken the same message to this recipient a short while ago"},
		{200, "Not enough kredits on your account.", carriers.Misconfigured, "Not enough kredits", "the SureSMS account has no credit left"},
		{200, "Hello +4790000001", carriers.NoAnswer, "", "SureSMS answered what is not in its documentation"},
		{200, "", carriers.NoAnswer, "", "SureSMS answered what is not in its documentation"},
		{500, "", carriers.NoAnswer, "500", "SureSMS failed while it had the message (HTTP 500)"},
		{429, "slow down", carriers.Throttled, "429", "SureSMS takes no more for the moment"},
		{302, "", carriers.Misconfigured, "302", "SureSMS's API is not at the configured url"},
	} {
		server := serve(t, smshttpsim.Faults{Refuse: &smshttpsim.Refusal{Status: tt.status, Code: tt.text}})
		want := carriers.Answer{Err: &carriers.Error{Kind: tt.kind, Code: tt.code, Text: tt.say}}
		if diff := cmp.Diff(want, verdict(t, server)); diff != "" {
			t.Errorf("%d %q:\n%s", tt.status, tt.text, diff)
		}
	}
}

// A GET is safe to repeat for net/http, and not for us: it sends a message.
func TestABrokenConnectionSendsNothingTwice(t *testing.T) { // U4
	server := serve(t, smshttpsim.Faults{NoCallbacks: true, DropAfter: 2})
	c, err := Open(t.Context(), configure(server), carriers.Setting{Events: carriers.Events{State: func(carriers.State) {}}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	verdicts := map[carriers.Kind]int{}
	for range 40 { // every second one on the connection that the one before it left
		answers := make(chan carriers.Answer, 1)
		c.Submit(submission(), func(a carriers.Answer) { answers <- a })
		if a := <-answers; a.Err != nil {
			verdicts[a.Err.Kind]++
		} else {
			verdicts[""]++
		}
	}
	if diff := cmp.Diff(map[carriers.Kind]int{"": 20, carriers.NoAnswer: 20}, verdicts); diff != "" {
		t.Error(diff)
	}
	if n := server.Numbers()["+4790000001"]; n != 40 {
		t.Errorf("the provider took %d messages of 40", n)
	}
}

func TestCallbacks(t *testing.T) {
	config := json.RawMessage(`{"login":"acme","password":"x"}`)
	const address = "https://varsel.example/v1/callbacks/abc"
	at := time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	for query, want := range map[string]carriers.Receipt{
		"?id=4711&Status=1&StatusUTCDateTime=2026-11-22T06:00:00Z&Receiver=+4790000001":    {ID: "4711", Phone: "+4790000001", State: carriers.Delivered, At: at},
		"?id=4711&&Status=2&StatusUTCDateTime=2026-11-22T06:00:00Z&Receiver=%2B4790000001": {ID: "4711", Phone: "+4790000001", State: carriers.Undelivered, Code: "2", At: at},
		"?id=4711&Status=4&StatusUTCDateTime=2026-11-22T06:00:00Z&Receiver=4790000001":     {ID: "4711", Phone: "+4790000001", State: carriers.Enroute, Code: "4", At: at},
		"?id=4711&Status=8&StatusUTCDateTime=2026-11-22T06:00:00Z":                         {ID: "4711", State: carriers.Expired, Code: "8", At: at},
	} {
		heard, err := Hear(config, carriers.Callback{Method: "GET", URL: address + query})
		if diff := cmp.Diff(carriers.Heard{Receipts: []carriers.Receipt{want}}, heard); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", query, err, diff)
		}
	}
	for _, c := range []carriers.Callback{
		{Method: "POST", URL: address + "?id=4711&Status=1"},
		{Method: "GET", URL: address},
		{Method: "GET", URL: address + "?Status=1"},
		{Method: "GET", URL: address + "?id=0&Status=1"},
		{Method: "GET", URL: address + "?id=x&Status=1"},
		{Method: "GET", URL: address + "?id=4711&Status=3"},
		{Method: "GET", URL: "https://varsel.example/%zz"},
	} {
		heard, err := Hear(config, c)
		if fault, ok := err.(*carriers.Error); !ok || fault.Kind != carriers.Rejected || len(heard.Receipts) > 0 {
			t.Errorf("%+v: %v %+v", c, err, heard)
		}
	}
}
