package twilio

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/varsel/varsel/internal/sim/smshttpsim"
	"github.com/varsel/varsel/smsqueue/carriers"
)

const address = "https://varsel.example/v1/callbacks/abc"

var (
	hearing   = json.RawMessage(`{"account_sid":"` + account + `","auth_token":"` + token + `"}`)
	untimed   = cmpopts.IgnoreFields(carriers.Receipt{}, "At")
	unclocked = cmpopts.IgnoreFields(carriers.Inbound{}, "At")
)

// sign is what Twilio puts into the header for an address and the fields after it.
func sign(key, text string) string {
	mac := hmac.New(sha1.New, []byte(key))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func callback(address, body, signature string) carriers.Callback {
	return carriers.Callback{Method: "POST", URL: address, Header: http.Header{"X-Twilio-Signature": {signature}}, Body: []byte(body)}
}

const (
	deliveredBody   = "MessageSid=SM1&MessageStatus=delivered&To=%2B4790000001"
	deliveredFields = "MessageSidSM1MessageStatusdeliveredTo+4790000001"
)

// The example of Twilio's documentation on webhook security.
func TestTwiliosOwnExampleIsSignedRight(t *testing.T) {
	form := url.Values{"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+14158675309"}, "Digits": {"1234"}, "From": {"+14158675309"}, "To": {"+18005551212"}}
	c := callback("https://mycompany.com/myapp.php?foo=1&bar=2", form.Encode(), "RSOYDt4T1cUTdK1PDd93/VVr8B8=")
	if _, ok := signedForm("12345", c); !ok {
		t.Error("the signature is not recognised")
	}
	if _, ok := signedForm("12346", c); ok {
		t.Error("the signature is recognised with another token")
	}
}

func TestSignaturesAreRightInEveryFormOfTheAddress(t *testing.T) {
	for signed, called := range map[string]string{
		address: address,
		"https://varsel.example:443/v1/callbacks/abc":  address,
		address + overrides:                            address,
		"https://varsel.example/v1/callbacks/ab":       "https://varsel.example:443/v1/callbacks/ab",
		"https://varsel.example:8443/v1/callbacks/abc": "https://varsel.example:8443/v1/callbacks/abc",
		"https://varsel.example/v1/callbacks/abcd":     "https://varsel.example:8443/v1/callbacks/abcd",
		"http://varsel.example:80/a?b=c":               "http://varsel.example/a?b=c",
	} {
		heard, err := Hear(hearing, callback(called, deliveredBody, sign(token, signed+deliveredFields)))
		want := carriers.Heard{Receipts: []carriers.Receipt{{ID: "SM1", Phone: "+4790000001", State: carriers.Delivered}}}
		if diff := cmp.Diff(want, heard, untimed); diff != "" || err != nil {
			t.Errorf("signed %s, called %s: %v\n%s", signed, called, err, diff)
		}
	}
}

func TestForgedCallbacksAreRefused(t *testing.T) {
	right := sign(token, address+deliveredFields)
	digest := sha256.Sum256([]byte(`{"a":1}`))
	query := "?bodySHA256=" + hex.EncodeToString(digest[:])
	for what, c := range map[string]carriers.Callback{
		"no signature":          callback(address, deliveredBody, ""),
		"another token":         callback(address, deliveredBody, sign("x", address+deliveredFields)),
		"not base64":            callback(address, deliveredBody, "%%%"),
		"changed body":          callback(address, strings.Replace(deliveredBody, "SM1", "SM2", 1), right),
		"a field more":          callback(address, deliveredBody+"&ErrorCode=30003", right),
		"no body":               callback(address, "", right),
		"another address":       callback(address+"d", deliveredBody, right),
		"a query more":          callback(address+"?a=b", deliveredBody, right),
		"GET":                   {Method: "GET", URL: address + "?" + deliveredBody, Header: http.Header{"X-Twilio-Signature": {right}}},
		"changed JSON":          callback(address+query, `{"a":2}`, sign(token, address+query)),
		"JSON without a digest": callback(address, `{"a":1}`, sign(token, address)),
	} {
		heard, err := Hear(hearing, c)
		if fault, ok := err.(*carriers.Error); !ok || fault.Kind != carriers.Rejected || strings.Contains(err.Error(), token) {
			t.Errorf("%s: %v %+v", what, err, heard)
		}
	}
}

func TestJSONIsSignedThroughItsDigest(t *testing.T) {
	const body = `{"MessageSid":"SM1"}`
	digest := sha256.Sum256([]byte(body))
	called := address + "?bodySHA256=" + hex.EncodeToString(digest[:])
	heard, err := Hear(hearing, callback(called, body, sign(token, called)))
	if diff := cmp.Diff(carriers.Heard{}, heard); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestACallbackThatComesAgainSaysTheSame(t *testing.T) {
	c := callback(address, deliveredBody, sign(token, address+deliveredFields))
	first, _ := Hear(hearing, c)
	again, err := Hear(hearing, c)
	if diff := cmp.Diff(first, again, untimed); diff != "" || err != nil || len(first.Receipts) != 1 {
		t.Errorf("%v\n%s", err, diff)
	}
}

// webhook keeps what a simulated Twilio posts there.
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

func TestTwiliosStatuses(t *testing.T) {
	at, calls := webhook(t)
	for status, want := range map[smshttpsim.Outcome]carriers.Receipt{
		{Status: "delivered"}:                  {State: carriers.Delivered},
		{Status: "read"}:                       {State: carriers.Delivered},
		{Status: "sent"}:                       {State: carriers.Enroute},
		{Status: "something new"}:              {State: carriers.Enroute},
		{Status: "undelivered", Code: "30003"}: {State: carriers.Undelivered, Code: "30003"},
		{Status: "undelivered", Code: "30036"}: {State: carriers.Expired, Code: "30036"},
		{Status: "failed", Code: "30008"}:      {State: carriers.Refused, Code: "30008"},
		{Status: "canceled"}:                   {State: carriers.Undelivered},
	} {
		server := serve(t, smshttpsim.Faults{FinalOnly: true, Outcome: map[string]smshttpsim.Outcome{"+4790000001": status}})
		events := carriers.Events{State: func(carriers.State) {}}
		c, err := Open(t.Context(), configure(server, ""), carriers.Setting{CallbackURL: at, Events: events})
		if err != nil {
			t.Fatal(err)
		}
		answers := make(chan carriers.Answer, 1)
		c.Submit(submission(), func(a carriers.Answer) { answers <- a })
		want.ID, want.Phone = (<-answers).ID, "+4790000001"
		heard, err := Hear(hearing, <-calls)
		if diff := cmp.Diff(carriers.Heard{Receipts: []carriers.Receipt{want}}, heard, untimed); diff != "" || err != nil {
			t.Errorf("%+v: %v\n%s", status, err, diff)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestAMessageFromAHandset(t *testing.T) {
	at, calls := webhook(t)
	server := serve(t, smshttpsim.Faults{})
	before := time.Now()
	if _, err := server.Receive(smshttpsim.Twilio, at, smshttpsim.Message{ID: "SM7", From: "+4790000001", To: "+4799999999", Text: "STOPP & æøå"}); err != nil {
		t.Fatal(err)
	}
	heard, err := Hear(hearing, <-calls)
	want := carriers.Heard{Inbound: []carriers.Inbound{{ID: "SM7", From: "+4790000001", To: "+4799999999", Text: "STOPP & æøå", Part: 1, Parts: 1}},
		ContentType: "text/xml", Reply: []byte("<Response/>")}
	if diff := cmp.Diff(want, heard, unclocked); diff != "" || err != nil || heard.Inbound[0].At.Before(before) {
		t.Errorf("%v\n%s", err, diff)
	}
	server.SetFaults(smshttpsim.Faults{WrongSignatures: true})
	if _, err := server.Receive(smshttpsim.Twilio, at, smshttpsim.Message{From: "+4790000001", To: "+4799999999", Text: "STOPP"}); err != nil {
		t.Fatal(err)
	}
	if heard, err := Hear(hearing, <-calls); err == nil {
		t.Errorf("a forged message was heard: %+v", heard)
	}
}
