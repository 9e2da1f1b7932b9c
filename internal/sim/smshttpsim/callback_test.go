package smshttpsim

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// says is the status that a callback tells, by the provider.
func says(t *testing.T, name string, c call) string {
	t.Helper()
	switch name {
	case "twilio":
		form, err := url.ParseQuery(c.body)
		if err != nil {
			t.Fatal(err)
		}
		return form.Get("MessageStatus")
	case "suresms":
		_, query, _ := strings.Cut(c.uri, "?")
		form, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		return form.Get("Status")
	}
	f := reply{body: c.body}.fields(t)
	if event, ok := f["event"].(map[string]any); ok {
		f = event
	}
	return f["status"].(string)
}

// sendOne sends by one provider and returns what its callbacks say, n of them.
func sendOne(t *testing.T, f Faults, name string, n int) (*Server, []string, []call) {
	t.Helper()
	h := hear(t)
	s := serve(t, f)
	s.SetWebhook(h.URL + "/hook")
	must(t, send(s, to, "Hei", h.URL+"/hook")[name])
	calls := h.wait(t, n)
	var all []string
	for _, c := range calls {
		all = append(all, says(t, name, c))
	}
	return s, all, calls
}

var usual = map[string][]string{
	"twilio":    {"queued", "sent", "delivered"},
	"classic":   {"BUFFERED", "ENROUTE", "DELIVERED"},
	"messaging": {"ENROUTE", "DELIVERED"},
	"suresms":   {"4", "1"},
}

func TestEachStepIsReportedInItsOrder(t *testing.T) {
	for name, want := range usual {
		s, got, _ := sendOne(t, Faults{}, name, len(want))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
		until(t, func() bool { return s.Counts().Acks == len(want) })
	}
}

func TestReportsOnDemand(t *testing.T) {
	for _, tt := range []struct {
		faults Faults
		want   []string
	}{
		{Faults{FinalOnly: true}, []string{"delivered"}},
		{Faults{Backwards: true}, []string{"delivered", "sent", "queued"}},
		{Faults{FinalOnly: true, DuplicateCallbacks: true}, []string{"delivered", "delivered"}},
		{Faults{FinalOnly: true, Outcome: map[string]Outcome{to: {"undelivered", "30003"}}}, []string{"undelivered"}},
	} {
		_, got, _ := sendOne(t, tt.faults, "twilio", len(tt.want))
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestReportsCanComeBeforeTheAnswer(t *testing.T) {
	h := hear(t)
	s := serve(t, Faults{CallbacksFirst: true})
	must(t, send(s, to, "Hei", h.URL)["classic"])
	if got := h.heard(); len(got) != 3 {
		t.Errorf("%d callbacks had come when it was answered", len(got))
	}
}

func TestACallbackThatIsNotTakenComesAgain(t *testing.T) {
	for name, callback := range map[string]string{"twilio": "#rc=2&rp=5xx,ct", "classic": "", "suresms": ""} {
		h := hear(t, 500, 503)
		s := serve(t, Faults{FinalOnly: true, CallbackRetry: Duration(time.Millisecond)})
		must(t, send(s, to, "Hei", h.URL+callback)[name])
		until(t, func() bool { return s.Counts().Acks == 1 })
		if c := s.Counts(); len(h.heard()) != 3 || c.Refusals != 2 || c.Callbacks != 3 {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// Without being asked to, Twilio does not repeat what a server refused.
func TestTwilioRepeatsOnlyWhenAskedTo(t *testing.T) {
	h := hear(t, 500)
	s := serve(t, Faults{CallbackRetry: Duration(time.Millisecond)})
	must(t, send(s, to, "Hei", h.URL)["twilio"])
	h.wait(t, 3)
	until(t, func() bool { return s.Counts().Acks == 2 })
	if c := s.Counts(); c.Refusals != 1 || c.Callbacks != 3 {
		t.Errorf("%+v", c)
	}
}

func TestSignatures(t *testing.T) {
	for _, wrong := range []bool{false, true} {
		f := Faults{FinalOnly: true, WrongSignatures: wrong}
		_, _, calls := sendOne(t, f, "twilio", 1)
		form, _ := url.ParseQuery(calls[0].body)
		sorted := "AccountSid" + testAccount + "ApiVersion2010-04-01FromACMEMessageSid" + form.Get("MessageSid") + "MessageStatusdeliveredSmsSid" + form.Get("SmsSid") + "SmsStatusdeliveredTo" + to
		mac := hmac.New(sha1.New, []byte(testToken))
		mac.Write([]byte("http://" + calls[0].host + calls[0].uri + sorted))
		if right := base64.StdEncoding.EncodeToString(mac.Sum(nil)) == calls[0].header.Get("X-Twilio-Signature"); right == wrong {
			t.Errorf("twilio: wrong %v, right %v", wrong, right)
		}

		_, _, calls = sendOne(t, f, "classic", 1)
		parts := strings.Split(calls[0].header.Get("X-Gwapi-Signature"), ".")
		if len(parts) != 3 {
			t.Fatalf("no JWT: %q", parts)
		}
		mac = hmac.New(sha256.New, []byte("secret"))
		mac.Write([]byte(parts[0] + "." + parts[1]))
		content, _ := base64.RawURLEncoding.DecodeString(parts[1])
		if right := base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) == parts[2]; right == wrong || string(content) != calls[0].body {
			t.Errorf("classic: wrong %v, right %v, %s", wrong, right, content)
		}

		_, _, calls = sendOne(t, f, "messaging", 1)
		mac = hmac.New(sha256.New, []byte("secret"))
		mac.Write([]byte(calls[0].body))
		if right := "v1="+hex.EncodeToString(mac.Sum(nil)) == calls[0].header.Get("Signature"); right == wrong {
			t.Errorf("messaging: wrong %v, right %v", wrong, right)
		}
	}
}

func TestSureSMSAddsItsParametersAsTheyAre(t *testing.T) {
	_, _, calls := sendOne(t, Faults{FinalOnly: true}, "suresms", 1)
	if c := calls[0]; c.method != "GET" || !strings.HasPrefix(c.uri, "/hook?id=7&Status=1&StatusUTCDateTime=") || !strings.HasSuffix(c.uri, "Z&Receiver="+to) {
		t.Errorf("%+v", c)
	}
}
