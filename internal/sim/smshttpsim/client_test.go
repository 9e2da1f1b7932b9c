package smshttpsim

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	testAccount = "AC0123456789abcdef0123456789abcdef"
	testToken   = "token"
)

func serve(t *testing.T, f Faults) *Server {
	t.Helper()
	s, err := Start(Options{AccountSID: testAccount, AuthToken: testToken, Token: testToken, WebhookSecret: "secret", Login: "acme", Password: "pass", Faults: f})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// reply is an answer as it came.
type reply struct {
	status int
	header http.Header
	body   string
}

func (r reply) fields(t *testing.T) map[string]any {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal([]byte(r.body), &all); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
	return all
}

// ask makes one request on a connection of its own.
func ask(r *http.Request) (reply, error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	answer, err := client.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return reply{answer.StatusCode, answer.Header, string(body)}, err
}

func must(t *testing.T, r *http.Request) reply {
	t.Helper()
	got, err := ask(r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// send is a request in each dialect, by the name of the provider.
func send(s *Server, to, text, callback string) map[string]*http.Request {
	form := url.Values{"To": {to}, "From": {"ACME"}, "Body": {text}, "StatusCallback": {callback}}
	twilio := httptest.NewRequest("POST", s.URL()+"/2010-04-01/Accounts/"+testAccount+"/Messages.json", strings.NewReader(form.Encode()))
	twilio.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	twilio.SetBasicAuth(testAccount, testToken)

	classic := withJSON(s.URL()+"/rest/mtsms", map[string]any{"sender": "ACME", "message": text, "userref": "7", "callback_url": callback,
		"recipients": []map[string]any{{"msisdn": json.Number(digits(to))}}})
	classic.SetBasicAuth(testToken, "")

	messaging := withJSON(s.URL()+"/mobile/single", map[string]any{"sender": "ACME", "message": text, "reference": "7", "recipient": json.Number(digits(to))})
	messaging.Header.Set("Authorization", "Token "+testToken)

	query := url.Values{"login": {"acme"}, "password": {"pass"}, "to": {to}, "from": {"ACME"}, "TEXT": {text}}
	if callback != "" {
		query.Set("url", callback+"?id=7&")
	}
	suresms := httptest.NewRequest("GET", s.URL()+"/Script/SendSMS.aspx?"+query.Encode(), nil)
	all := map[string]*http.Request{"twilio": twilio, "classic": classic, "messaging": messaging, "suresms": suresms}
	for _, r := range all {
		r.RequestURI = "" // they go out
	}
	return all
}

func withJSON(address string, body any) *http.Request {
	raw, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	r := httptest.NewRequest("POST", address, bytes.NewReader(raw))
	r.RequestURI = ""
	return r
}

// call is a callback as it came.
type call struct {
	method, host, uri string
	header            http.Header
	body              string
}

// webhook takes callbacks and answers them with the statuses in turn, then 200.
type webhook struct {
	*httptest.Server
	mu       sync.Mutex
	statuses []int
	calls    []call
}

func hear(t *testing.T, statuses ...int) *webhook {
	t.Helper()
	h := &webhook{statuses: statuses}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.calls = append(h.calls, call{r.Method, r.Host, r.RequestURI, r.Header, string(body)})
		if len(h.statuses) > 0 {
			w.WriteHeader(h.statuses[0])
			h.statuses = h.statuses[1:]
		}
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *webhook) heard() []call {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]call(nil), h.calls...)
}

// wait returns the calls when there are n of them.
func (h *webhook) wait(t *testing.T, n int) []call {
	t.Helper()
	until(t, func() bool { return len(h.heard()) >= n })
	return h.heard()
}

func until(t *testing.T, is func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not come")
		}
	}
}
