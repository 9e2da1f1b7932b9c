package gatewayapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/varsel/varsel/internal/sim/smshttpsim"
	"github.com/varsel/varsel/smsqueue/carriers"
)

var (
	untimed   = cmpopts.IgnoreFields(carriers.Receipt{}, "At")
	unclocked = cmpopts.IgnoreFields(carriers.Inbound{}, "At")
)

func hearing(api, secret string) json.RawMessage {
	return json.RawMessage(`{"api":"` + api + `","token":"x","webhook_secret":"` + secret + `"}`)
}

func digest(key, text string) []byte {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func post(header, value, body string) carriers.Callback {
	return carriers.Callback{Method: "POST", URL: "https://varsel.example/v1/callbacks/abc", Header: http.Header{header: {value}}, Body: []byte(body)}
}

// The example of GatewayAPI's documentation on webhooks.
const documented = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJpZCI6MjM4MTcwMywibXNpc2RuIjo0NTQyNjA5MDQ1LCJ0aW1lIjoxNTIyNzY0MDYyLCJzdGF0dXMiOiJERUxJVkVSRUQiLCJlcnJvciI6bnVsbCwiY29kZSI6bnVsbCwidXNlcnJlZiI6bnVsbCwiY2FsbGJhY2tfdXJsIjoiaHR0cDovL2JiYWY3MTQyLm5ncm9rLmlvIiwiYXBpIjo0fQ.KdfDH65bnQtgxEkFnpAQodOciAJedZFB13r9wEo8t3Y"

// What is read is what is signed, whatever the body says.
func TestGatewayAPIsOwnExampleIsHeard(t *testing.T) {
	want := carriers.Heard{Receipts: []carriers.Receipt{{ID: "2381703", Phone: "+4542609045", State: carriers.Delivered, At: time.Unix(1522764062, 0)}}}
	for _, body := range []string{"", `{"id":1,"msisdn":4790000001,"status":"UNDELIVERABLE"}`} {
		heard, err := Hear(hearing(classic, "secret"), post("X-Gwapi-Signature", documented, body))
		if diff := cmp.Diff(want, heard); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
	}
}

func segment(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func TestForgedClassicCallbacksAreRefused(t *testing.T) {
	const content = `{"id":1,"msisdn":4790000001,"time":1,"status":"DELIVERED"}`
	head := segment(`{"typ":"JWT","alg":"HS256"}`)
	signed := head + "." + segment(content)
	right := signed + "." + segment(string(digest(secret, signed)))
	if _, err := Hear(hearing(classic, secret), post("X-Gwapi-Signature", right, content)); err != nil {
		t.Fatal(err)
	}
	unsigned := segment(`{"typ":"JWT","alg":"none"}`) + "." + segment(content) + "."
	for what, c := range map[string]carriers.Callback{
		"no signature":       post("X-Other", "", content),
		"another secret":     post("X-Gwapi-Signature", signed+"."+segment(string(digest("x", signed))), content),
		"no algorithm":       post("X-Gwapi-Signature", unsigned, content),
		"changed content":    post("X-Gwapi-Signature", head+"."+segment(strings.Replace(content, "1", "2", 1))+right[strings.LastIndex(right, "."):], content),
		"no JWT":             post("X-Gwapi-Signature", "x", content),
		"the other API's":    post("Signature", "v1="+hex.EncodeToString(digest(secret, content)), content),
		"GET":                {Method: "GET", Header: http.Header{"X-Gwapi-Signature": {right}}},
		"signed and nothing": post("X-Gwapi-Signature", jwtOf(`{}`), "{}"),
		"signed, no object":  post("X-Gwapi-Signature", jwtOf(`[1]`), "[1]"),
	} {
		refused(t, what, classic, c)
	}
}

func jwtOf(content string) string {
	signed := segment(`{"alg":"HS256"}`) + "." + segment(content)
	return signed + "." + segment(string(digest(secret, signed)))
}

func TestForgedEventsAreRefused(t *testing.T) {
	const content = `{"event_id":"1","event_type":"message.status.sms","event":{"msg_id":"01J","recipient":4790000001,"status":"DELIVERED"}}`
	right := "v1=" + hex.EncodeToString(digest(secret, content))
	if _, err := Hear(hearing(messaging, secret), post("Signature", right, content)); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]carriers.Callback{
		"no signature":     post("X-Other", "", content),
		"another secret":   post("Signature", "v1="+hex.EncodeToString(digest("x", content)), content),
		"no version":       post("Signature", right[3:], content),
		"no hex":           post("Signature", "v1=zz", content),
		"an empty one":     post("Signature", "v1=", content),
		"changed body":     post("Signature", right, strings.Replace(content, "DELIVERED", "EXPIRED", 1)),
		"the other API's":  post("X-Gwapi-Signature", jwtOf(content), content),
		"GET":              {Method: "GET", Header: http.Header{"Signature": {right}}, Body: []byte(content)},
		"signed, no event": post("Signature", "v1="+hex.EncodeToString(digest(secret, `{}`)), `{}`),
		"signed, no id":    post("Signature", "v1="+hex.EncodeToString(digest(secret, `{"event_type":"message.status.sms","event":{}}`)), `{"event_type":"message.status.sms","event":{}}`),
	} {
		refused(t, what, messaging, c)
	}
}

func refused(t *testing.T, what, api string, c carriers.Callback) {
	t.Helper()
	heard, err := Hear(hearing(api, secret), c)
	if fault, ok := err.(*carriers.Error); !ok || fault.Kind != carriers.Rejected || strings.Contains(err.Error(), secret) {
		t.Errorf("%s: %v %+v", what, err, heard)
	}
}

func TestWithoutASecretTheAddressIsTheProof(t *testing.T) {
	heard, err := Hear(hearing(classic, ""), post("X-Other", "", `{"id":1,"msisdn":4790000001,"time":1,"status":"EXPIRED","code":"0x1013"}`))
	want := carriers.Heard{Receipts: []carriers.Receipt{{ID: "1", Phone: "+4790000001", State: carriers.Expired, Code: "0x1013", At: time.Unix(1, 0)}}}
	if diff := cmp.Diff(want, heard); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestEventsOfOtherKindsAreTakenAndSayNothing(t *testing.T) {
	heard, err := Hear(hearing(messaging, ""), post("X-Other", "", `{"event_type":"user-message.location.rcs","event":{"sender":"x"}}`))
	if diff := cmp.Diff(carriers.Heard{}, heard); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

// webhook keeps what a simulated GatewayAPI posts there.
func webhook(t *testing.T) (string, chan carriers.Callback) {
	t.Helper()
	calls := make(chan carriers.Callback, 100)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		calls <- carriers.Callback{Method: r.Method, URL: "http://" + r.Host + r.RequestURI, Header: r.Header, Body: body}
	}))
	t.Cleanup(server.Close)
	return server.URL + "/callback", calls
}

func TestGatewayAPIsStatuses(t *testing.T) {
	at, calls := webhook(t)
	for status, want := range map[string]carriers.ReceiptState{
		"DELIVERED": carriers.Delivered, "ENROUTE": carriers.Enroute, "BUFFERED": carriers.Enroute, "ACCEPTED": carriers.Enroute,
		"EXPIRED": carriers.Expired, "UNDELIVERABLE": carriers.Undelivered, "DELETED": carriers.Undelivered, "SKIPPED": carriers.Undelivered,
		"REJECTED": carriers.Refused, "NEW": carriers.Enroute,
	} {
		for _, api := range []string{classic, messaging} {
			server := serve(t, smshttpsim.Faults{FinalOnly: true, Outcome: map[string]smshttpsim.Outcome{"+4790000001": {Status: status, Code: "0x1010"}}})
			server.SetWebhook(at)
			c, err := Open(t.Context(), configure(server, api), carriers.Setting{CallbackURL: at, Events: carriers.Events{State: func(carriers.State) {}}})
			if err != nil {
				t.Fatal(err)
			}
			answers := make(chan carriers.Answer, 1)
			c.Submit(submission(), func(a carriers.Answer) { answers <- a })
			a := <-answers
			heard, err := Hear(hearing(api, secret), <-calls)
			wanted := carriers.Heard{Receipts: []carriers.Receipt{{ID: a.ID, Phone: "+4790000001", State: want, Code: "0x1010"}}}
			if diff := cmp.Diff(wanted, heard, untimed); diff != "" || err != nil || a.ID == "" {
				t.Errorf("%s %s: %v\n%s", api, status, err, diff)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestAMessageFromAHandset(t *testing.T) {
	at, calls := webhook(t)
	server := serve(t, smshttpsim.Faults{})
	for api, id := range map[smshttpsim.API]string{smshttpsim.Classic: "1000001", smshttpsim.Messaging: "01JNN696A9E0WS89FPYGT15NBX"} {
		if _, err := server.Receive(api, at, smshttpsim.Message{ID: id, From: "+4790000001", To: "+451204", Text: "foo æøå"}); err != nil {
			t.Fatal(err)
		}
		heard, err := Hear(hearing(string(api), secret), <-calls)
		want := carriers.Heard{Inbound: []carriers.Inbound{{ID: id, From: "+4790000001", To: "+451204", Text: "foo æøå", Part: 1, Parts: 1}}}
		if diff := cmp.Diff(want, heard, unclocked); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", api, err, diff)
		}
	}
}

func TestTheContentOfAMessageMayBePlain(t *testing.T) {
	body := `{"event_type":"user-message.text.sms","event":{"msg_id":"1","sender":4790000001,"receiver":451204,"content":"hello"}}`
	heard, err := Hear(hearing(messaging, ""), post("X-Other", "", body))
	if err != nil || len(heard.Inbound) != 1 || heard.Inbound[0].Text != "hello" {
		t.Errorf("%v %+v", err, heard)
	}
}
