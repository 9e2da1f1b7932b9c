package twilio

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/internal/sim/smshttpsim"
	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/carriers/carriertest"
	"github.com/varsel/varsel/smsqueue/smstext"
)

const (
	account = "AC0123456789abcdef0123456789abcdef"
	token   = "s3cr3t-auth-token"
)

func serve(t *testing.T, f smshttpsim.Faults) *smshttpsim.Server {
	t.Helper()
	server, err := smshttpsim.Start(smshttpsim.Options{AccountSID: account, AuthToken: token, Faults: f})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server
}

func configure(server *smshttpsim.Server, more string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"url":%q,"account_sid":%q,"auth_token":%q,"window":50%s}`, server.URL(), account, token, more))
}

func TestTwilioIsACarrier(t *testing.T) {
	carriertest.Run(t, func(t *testing.T) carriertest.Subject {
		server := serve(t, smshttpsim.Faults{FinalOnly: true, CallbackRetry: smshttpsim.Duration(20 * time.Millisecond)})
		open := func(t *testing.T, events carriers.Events) carriers.Carrier {
			return carriertest.Hearing(t, Type, configure(server, ""), events, nil)
		}
		return carriertest.Subject{
			Open:      open,
			Mute:      func() { server.SetFaults(smshttpsim.Faults{NeverAnswer: true, NoCallbacks: true}) },
			Received:  func() int { return server.Counts().Accepted },
			DropLinks: server.DropAll,
			OpenRefused: func(t *testing.T, events carriers.Events) carriers.Carrier {
				server.SetFaults(smshttpsim.Faults{Refuse: &smshttpsim.Refusal{Status: 401, Code: "20003"}})
				return open(t, events)
			},
			Acknowledged: func() int { return server.Counts().Acks },
			Secret:       token,
		}
	})
}

func submission() carriers.Submission {
	return carriers.Submission{MessageID: 4711, From: "ACME", To: "+4790000001", Text: "Blåbærsyltetøy +&=% koster 20 €", Encoding: smstext.GSM7,
		Part: carriers.Whole, Parts: 1, Validity: time.Hour}
}

// verdict is the answer to one submission.
func verdict(t *testing.T, config json.RawMessage, s carriers.Submission) carriers.Answer {
	t.Helper()
	c, err := Open(t.Context(), config, carriers.Setting{CallbackURL: "https://varsel.example/v1/callbacks/abc", Events: carriers.Events{State: func(carriers.State) {}}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	answers := make(chan carriers.Answer, 1)
	c.Submit(s, func(a carriers.Answer) { answers <- a })
	return <-answers
}

func TestAMessageArrivesAsItWasGiven(t *testing.T) {
	server := serve(t, smshttpsim.Faults{NoCallbacks: true})
	a := verdict(t, configure(server, ""), submission())
	want := []smshttpsim.Message{{ID: a.ID, From: "ACME", To: "+4790000001", Text: "Blåbærsyltetøy +&=% koster 20 €", Validity: "3600",
		CallbackURL: "https://varsel.example/v1/callbacks/abc#rc=5&rp=5xx,ct,rt"}}
	if diff := cmp.Diff(want, server.Messages("+4790000001")); diff != "" || a.Err != nil || !strings.HasPrefix(a.ID, "SM") {
		t.Errorf("%+v\n%s", a, diff)
	}
}

func TestAMessagingServiceTakesTheSendersPlace(t *testing.T) {
	server := serve(t, smshttpsim.Faults{NoCallbacks: true})
	s := submission()
	s.Validity = 48 * time.Hour
	const service = "MG0123456789abcdef0123456789abcdef"
	if a := verdict(t, configure(server, `,"messaging_service_sid":"`+service+`"`), s); a.Err != nil {
		t.Fatal(a.Err)
	}
	got := server.Messages(s.To)
	if len(got) != 1 || got[0].From != service || got[0].Validity != "36000" {
		t.Errorf("%+v", got)
	}
}

func TestTwiliosRefusals(t *testing.T) { // U25
	for _, tt := range []struct {
		refusal smshttpsim.Refusal
		want    carriers.Error
	}{
		{smshttpsim.Refusal{Status: 400, Code: "21211"}, carriers.Error{Kind: carriers.Rejected, Code: "21211", Text: "the recipient's number is not a valid one"}},
		{smshttpsim.Refusal{Status: 400, Code: "21610"}, carriers.Error{Kind: carriers.Rejected, Code: "21610", Text: "the recipient has opted out from this sender at Twilio"}},
		{smshttpsim.Refusal{Status: 400, Code: "29999"}, carriers.Error{Kind: carriers.Rejected, Code: "29999", Text: "Twilio does not take this message"}},
		{smshttpsim.Refusal{Status: 400, Code: "21611"}, carriers.Error{Kind: carriers.Throttled, Code: "21611", Text: "too many messages of this sender wait at Twilio"}},
		{smshttpsim.Refusal{Status: 401, Code: "20003"}, carriers.Error{Kind: carriers.Misconfigured, Code: "20003", Text: "Twilio does not accept the account SID with this auth token"}},
		{smshttpsim.Refusal{Status: 404, Code: "20404"}, carriers.Error{Kind: carriers.Misconfigured, Code: "20404", Text: "Twilio's API is not at the configured url"}},
		{smshttpsim.Refusal{Status: 429, Code: "63038"}, carriers.Error{Kind: carriers.Misconfigured, Code: "63038", Text: "the Twilio account has reached its limit of messages for a day"}},
		{smshttpsim.Refusal{Status: 429}, carriers.Error{Kind: carriers.Throttled, Code: "20429", Text: "Twilio takes no more requests for the moment"}},
		{smshttpsim.Refusal{Status: 500}, carriers.Error{Kind: carriers.NoAnswer, Code: "500", Text: "Twilio failed while it had the message (HTTP 500)"}},
		{smshttpsim.Refusal{Status: 503}, carriers.Error{Kind: carriers.Throttled, Code: "503", Text: "Twilio is not available for the moment"}},
	} {
		server := serve(t, smshttpsim.Faults{Refuse: &tt.refusal})
		if diff := cmp.Diff(carriers.Answer{Err: &tt.want}, verdict(t, configure(server, ""), submission())); diff != "" {
			t.Errorf("%+v:\n%s", tt.refusal, diff)
		}
	}
}

func TestWrongConfigurationsAreRefusedWithoutTheirValues(t *testing.T) {
	for raw, want := range map[string]string{
		`{}`:                                "twilio: configuration: account_sid: AC and 32 hex digits are expected",
		`{"account_sid":"` + account + `"}`: "twilio: configuration: auth_token: printable ASCII without spaces is expected",
		`{"account_sid":"` + account + `","auth_token":"s3cr3t x"}`:                                  "twilio: configuration: auth_token: printable ASCII without spaces is expected",
		`{"account_sid":"` + account + `","auth_token":["s3cr3t"]}`:                                  "twilio: configuration: auth_token: a string is expected",
		`{"account_sid":"` + account + `","auth_token":"s3cr3t","messaging_service_sid":"x"}`:        "twilio: configuration: messaging_service_sid: MG and 32 hex digits are expected",
		`{"account_sid":"` + account + `","auth_token":"s3cr3t","url":"https://u:p@api.twilio.com"}`: "twilio: configuration: url: an http or https URL without credentials, query and fragment is expected",
		`{"account_sid":"` + account + `","auth_token":"s3cr3t","window":0}`:                         "twilio: configuration: window: 1 to 1000 is expected",
		`{"account_sid":"` + account + `","auth_token":"s3cr3t","timeout":"0s"}`:                     "twilio: configuration: timeout: more than no time is expected",
		`{"account_sid":"` + account + `","auth_token":"s3cr3t","throughput":"s3cr3t"}`:              "twilio: configuration: throughput: a whole number is expected",
		`{"account_sid":"` + account + `","token":"s3cr3t"}`:                                         `twilio: configuration: "token" is not a field`,
	} {
		_, err := Type.Features(json.RawMessage(raw))
		if err == nil || err.Error() != want {
			t.Errorf("%s:\n%v", raw, err)
		}
	}
	got, err := Type.Features(json.RawMessage(`{"account_sid":"` + account + `","auth_token":"x"}`))
	if diff := cmp.Diff(carriers.Features{Whole: true}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}
