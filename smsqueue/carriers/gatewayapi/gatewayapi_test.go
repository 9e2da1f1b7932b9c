package gatewayapi

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/internal/sim/smshttpsim"
	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/carriers/carriertest"
	"github.com/varsel/varsel/smsqueue/smstext"
)

const (
	token  = "s3cr3t-token"
	secret = "s3cr3t-webhook"
)

func serve(t *testing.T, f smshttpsim.Faults) *smshttpsim.Server {
	t.Helper()
	server, err := smshttpsim.Start(smshttpsim.Options{Token: token, WebhookSecret: secret, Faults: f})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server
}

func configure(server *smshttpsim.Server, api string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"url":%q,"api":%q,"token":%q,"webhook_secret":%q,"window":40}`, server.URL(), api, token, secret))
}

func TestTheClassicAPIIsACarrier(t *testing.T)   { isCarrier(t, classic) }
func TestTheMessagingAPIIsACarrier(t *testing.T) { isCarrier(t, messaging) }

func isCarrier(t *testing.T, api string) {
	carriertest.Run(t, func(t *testing.T) carriertest.Subject {
		server := serve(t, smshttpsim.Faults{FinalOnly: true, CallbackRetry: smshttpsim.Duration(20 * time.Millisecond)})
		open := func(t *testing.T, events carriers.Events) carriers.Carrier {
			return carriertest.Hearing(t, Type, configure(server, api), events, server.SetWebhook)
		}
		return carriertest.Subject{
			Open:      open,
			Mute:      func() { server.SetFaults(smshttpsim.Faults{NeverAnswer: true, NoCallbacks: true}) },
			Received:  func() int { return server.Counts().Accepted },
			DropLinks: server.DropAll,
			OpenRefused: func(t *testing.T, events carriers.Events) carriers.Carrier {
				server.SetFaults(smshttpsim.Faults{Refuse: &smshttpsim.Refusal{Status: 403, Code: "0x0216"}})
				return open(t, events)
			},
			Acknowledged: func() int { return server.Counts().Acks },
			Secret:       "s3cr3t",
		}
	})
}

func submission() carriers.Submission {
	return carriers.Submission{MessageID: 4711, From: "+4799999999", To: "+4790000001", Text: "Zażółć +&=% gęślą", Encoding: smstext.UCS2,
		Part: carriers.Whole, Parts: 1, Validity: 48 * time.Hour}
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
	for api, want := range map[string]smshttpsim.Message{
		classic: {Encoding: "UCS2", Reference: "4711", Validity: "172800", CallbackURL: "https://varsel.example/v1/callbacks/abc"},
		// It has no address for callbacks, and finds the encoding by itself.
		messaging: {Reference: "4711", Validity: "PT172800S"},
	} {
		server.Reset()
		a := verdict(t, configure(server, api), submission())
		want.ID, want.From, want.To, want.Text = a.ID, "4799999999", "+4790000001", "Zażółć +&=% gęślą"
		if diff := cmp.Diff([]smshttpsim.Message{want}, server.Messages("+4790000001")); diff != "" || a.Err != nil || a.ID == "" {
			t.Errorf("%s: %+v\n%s", api, a, diff)
		}
	}
}

func TestATextInGSM7IsLeftToTheClassicAPI(t *testing.T) {
	server := serve(t, smshttpsim.Faults{NoCallbacks: true})
	s := submission()
	s.Text, s.Encoding, s.Validity = "Hello", smstext.GSM7, time.Second
	if a := verdict(t, configure(server, classic), s); a.Err != nil {
		t.Fatal(a.Err)
	}
	if got := server.Messages(s.To)[0]; got.Encoding != "" || got.Validity != "60" {
		t.Errorf("%+v", got)
	}
}

func TestGatewayAPIsRefusals(t *testing.T) { // U25
	for _, tt := range []struct {
		refusal smshttpsim.Refusal
		want    carriers.Error
	}{
		{smshttpsim.Refusal{Status: 403, Code: "0x0213"}, carriers.Error{Kind: carriers.Misconfigured, Code: "0x0213", Text: "GatewayAPI does not take this host's address"}},
		{smshttpsim.Refusal{Status: 403, Code: "0x0215"}, carriers.Error{Kind: carriers.Rejected, Code: "0x0215", Text: "the recipient's number is on the block list at GatewayAPI"}},
		{smshttpsim.Refusal{Status: 403, Code: "0x0216"}, carriers.Error{Kind: carriers.Misconfigured, Code: "0x0216", Text: "the GatewayAPI account has no credit left"}},
		{smshttpsim.Refusal{Status: 400, Code: "0x0311"}, carriers.Error{Kind: carriers.Rejected, Code: "0x0311", Text: "GatewayAPI does not take this message"}},
		{smshttpsim.Refusal{Status: 422}, carriers.Error{Kind: carriers.Rejected, Code: "422", Text: "GatewayAPI does not take this message"}},
		{smshttpsim.Refusal{Status: 401}, carriers.Error{Kind: carriers.Misconfigured, Code: "401", Text: "GatewayAPI does not accept the credentials"}},
		{smshttpsim.Refusal{Status: 429}, carriers.Error{Kind: carriers.Throttled, Code: "429", Text: "GatewayAPI takes no more for the moment"}},
		{smshttpsim.Refusal{Status: 500, Code: "0x0301"}, carriers.Error{Kind: carriers.NoAnswer, Code: "0x0301", Text: "GatewayAPI failed while it had the message (HTTP 500)"}},
	} {
		server := serve(t, smshttpsim.Faults{Refuse: &tt.refusal})
		for _, api := range []string{classic, messaging} {
			if diff := cmp.Diff(carriers.Answer{Err: &tt.want}, verdict(t, configure(server, api), submission())); diff != "" {
				t.Errorf("%s %+v:\n%s", api, tt.refusal, diff)
			}
		}
	}
}

func TestConfiguration(t *testing.T) {
	for raw, want := range map[string]string{
		`{}`:                                "gatewayapi: configuration: token: printable ASCII without spaces is expected",
		`{"token":"s3cr3t","api":"s3cr3t"}`: `gatewayapi: configuration: api: "messaging" or "classic" is expected`,
		`{"token":"s3cr3t","url":"s3cr3t"}`: "gatewayapi: configuration: url: an http or https URL without credentials, query and fragment is expected",
	} {
		if _, err := Type.Features(json.RawMessage(raw)); err == nil || err.Error() != want {
			t.Errorf("%s:\n%v", raw, err)
		}
	}
	for raw, want := range map[string]string{
		`{"token":"x"}`:                 "https://messaging.gatewayapi.com",
		`{"token":"x","api":"classic"}`: "https://gatewayapi.com",
		`{"token":"x","api":"classic","url":"https://eu.example/x/"}`: "https://eu.example/x/",
	} {
		if c, err := parseConfig(json.RawMessage(raw)); err != nil || c.URL != want {
			t.Errorf("%s: %s %v", raw, c.URL, err)
		}
	}
}
