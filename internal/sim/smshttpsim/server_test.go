package smshttpsim

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const to = "+4790000001"

func TestEachProviderAcceptsInItsWay(t *testing.T) {
	s := serve(t, Faults{NoCallbacks: true})
	for name, r := range send(s, to, "Hei & hå", "") {
		s.Reset()
		got := must(t, r)
		kept := s.Messages(to)
		if len(kept) != 1 || kept[0].Text != "Hei & hå" || kept[0].From != "ACME" {
			t.Fatalf("%s: %+v", name, kept)
		}
		id := kept[0].ID
		switch name {
		case "twilio":
			f := got.fields(t)
			if got.status != 201 || f["sid"] != id || f["status"] != "queued" || !strings.HasPrefix(id, "SM") || len(id) != 34 {
				t.Errorf("%+v", got)
			}
		case "classic":
			ids := got.fields(t)["ids"].([]any)
			if len(ids) != 1 || got.status != 200 || fmt.Sprintf("%.0f", ids[0]) != id {
				t.Errorf("%+v", got)
			}
		case "messaging":
			if f := got.fields(t); got.status != 202 || f["msg_id"] != id || f["reference"] != "7" || len(id) != 26 {
				t.Errorf("%+v", got)
			}
		case "suresms":
			if got.status != 200 || got.body != "Message sent." {
				t.Errorf("%+v", got)
			}
		}
	}
}

func TestWrongCredentialsAreRefused(t *testing.T) {
	s := serve(t, Faults{})
	all := send(s, to, "Hei", "")
	all["twilio"].SetBasicAuth(testAccount, "x")
	all["classic"].SetBasicAuth("x", "")
	all["messaging"].Header.Set("Authorization", "Bearer "+testToken)
	all["suresms"].URL.RawQuery = strings.Replace(all["suresms"].URL.RawQuery, "password=pass", "password=x", 1)
	for name, want := range map[string]reply{"twilio": {status: 401, body: `"code":20003`}, "classic": {status: 401, body: `"code":"0x0210"`},
		"messaging": {status: 401, body: "incident_uuid"}, "suresms": {status: 200, body: sureCredentials}} {
		if got := must(t, all[name]); got.status != want.status || !strings.Contains(got.body, want.body) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if c := s.Counts(); c.Refused != 4 || c.Accepted != 0 {
		t.Errorf("%+v", c)
	}
}

func TestWhatCannotBeSentIsRefused(t *testing.T) {
	s := serve(t, Faults{})
	for name, code := range map[string]string{"twilio": "21211", "classic": "0x0308", "messaging": "422", "suresms": sureNumber} {
		got := must(t, send(s, "+12", "Hei", "")[name])
		if !strings.Contains(fmt.Sprint(got.status, got.body), code) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for name, code := range map[string]string{"twilio": "21602", "classic": "0x0222", "messaging": "422", "suresms": sureParameters} {
		got := must(t, send(s, to, "", "")[name])
		if !strings.Contains(fmt.Sprint(got.status, got.body), code) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestRefusalsOnDemand(t *testing.T) {
	s := serve(t, Faults{RetryAfter: "3", RefuseTo: map[string]Refusal{to: {Status: 429}}})
	for name, r := range send(s, to, "Hei", "") {
		if got := must(t, r); got.status != 429 || got.header.Get("Retry-After") != "3" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	s.SetFaults(Faults{Refuse: &Refusal{Status: 502}})
	for name, r := range send(s, to, "Hei", "") {
		if got := must(t, r); got.status != 502 || !strings.Contains(got.body, "<html>") {
			t.Errorf("%s: %+v", name, got)
		}
	}
	s.SetFaults(Faults{FailAfter: 500, NoCallbacks: true})
	for name, r := range send(s, to, "Hei", "") {
		if got := must(t, r); got.status != 500 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if n := s.Numbers()[to]; n != 4 {
		t.Errorf("%d were accepted before they failed", n)
	}
}

func TestThroughputIsLimited(t *testing.T) {
	s := serve(t, Faults{Throughput: 1, NoCallbacks: true})
	first, second := must(t, send(s, to, "Hei", "")["twilio"]), must(t, send(s, to, "Hei", "")["twilio"])
	if first.status != 201 || second.status != 429 || second.fields(t)["code"] != 20429.0 {
		t.Errorf("%+v %+v", first, second)
	}
}

func TestConnectionsAreDroppedBeforeAndAfterAccepting(t *testing.T) {
	for _, tt := range []struct {
		faults   Faults
		accepted int
	}{{Faults{DropBefore: 1, NoCallbacks: true}, 0}, {Faults{DropAfter: 1, NoCallbacks: true}, 1}} {
		s := serve(t, tt.faults)
		_, err := ask(send(s, to, "Hei", "")["twilio"])
		if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
			t.Errorf("%+v: %v", tt.faults, err)
		}
		if c := s.Counts(); c.Accepted != tt.accepted || c.Drops != 1 {
			t.Errorf("%+v", c)
		}
	}
}

func TestNoAnswerUntilTheConnectionsAreDropped(t *testing.T) {
	s := serve(t, Faults{NeverAnswer: true, NoCallbacks: true})
	ended := make(chan error, 1)
	go func() {
		_, err := ask(send(s, to, "Hei", "")["classic"])
		ended <- err
	}()
	until(t, func() bool { return s.Counts().Accepted == 1 })
	s.DropAll()
	if err := <-ended; err == nil {
		t.Error("it was answered")
	}
}

func TestCloseEndsWhatIsUnderWay(t *testing.T) {
	h := hear(t)
	s := serve(t, Faults{NeverAnswer: true, CallbackDelay: Duration(time.Hour)})
	ended := make(chan error, 1)
	go func() {
		_, err := ask(send(s, to, "Hei", h.URL)["twilio"])
		ended <- err
	}()
	until(t, func() bool { return s.Counts().Accepted == 1 })
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	<-ended
	if err := s.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
	if s.Numbers()[to] != 1 || len(h.heard()) != 0 {
		t.Errorf("%v, %d callbacks", s.Numbers(), len(h.heard()))
	}
}

func TestControl(t *testing.T) {
	h := hear(t)
	s := serve(t, Faults{NoCallbacks: true})
	must(t, send(s, to, "Hei", "")["twilio"])
	control := s.Control()
	do := func(method, path, body string) reply {
		w := &recorder{header: http.Header{}}
		r, err := http.NewRequest(method, path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		control.ServeHTTP(w, r)
		return reply{w.status, w.header, w.body.String()}
	}
	if got := do("GET", "/counts", ""); got.fields(t)["accepted"] != 1.0 {
		t.Error(got)
	}
	if got := do("GET", "/numbers", ""); got.fields(t)[to] != 1.0 {
		t.Error(got)
	}
	if got := do("GET", "/messages?number="+url.QueryEscape(to), ""); !strings.Contains(got.body, `"text":"Hei"`) {
		t.Error(got)
	}
	if got := do("GET", "/messages?number=1", ""); strings.TrimSpace(got.body) != "[]" {
		t.Error(got)
	}
	if got := do("PUT", "/faults", `{"answer_delay":"250ms","refuse":{"status":401}}`); got.status != 200 {
		t.Error(got)
	}
	if diff := cmp.Diff(Faults{AnswerDelay: Duration(250 * time.Millisecond), Refuse: &Refusal{Status: 401}}, s.CurrentFaults()); diff != "" {
		t.Error(diff)
	}
	for _, body := range []string{`{"answer_delay":"x"}`, `{"throughput":-1}`, `{"mistyped":1}`, `x`} {
		if got := do("PUT", "/faults", body); got.status != 400 {
			t.Errorf("%s: %+v", body, got)
		}
	}
	if got := do("POST", "/receive", `{"api":"twilio","url":"`+h.URL+`","from":"+4790000001","to":"+4799999999","text":"STOPP"}`); got.status != 200 || len(h.heard()) != 1 {
		t.Error(got)
	}
	if got := do("POST", "/receive", `{"api":"suresms","url":"`+h.URL+`"}`); got.status != 502 {
		t.Error(got)
	}
	do("PUT", "/webhook", `{"url":"`+h.URL+`"}`)
	do("PUT", "/faults", `{}`)
	must(t, send(s, to, "Hei", "")["messaging"])
	h.wait(t, 3)
	if do("POST", "/reset", ""); s.Counts().Accepted != 0 {
		t.Error(s.Counts())
	}
	do("POST", "/drop", "")
}

func TestWrongOptions(t *testing.T) {
	for _, o := range []Options{{Addr: "nowhere"}, {Faults: Faults{DropAfter: -1}}} {
		if s, err := Start(o); err == nil {
			s.Close()
			t.Errorf("%+v was started", o)
		}
	}
}

type recorder struct {
	status int
	header http.Header
	body   strings.Builder
}

func (r *recorder) Header() http.Header { return r.header }
func (r *recorder) WriteHeader(s int)   { r.status = s }
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = 200
	}
	return r.body.Write(b)
}
