package smshttpsim

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// attempts is how often GatewayAPI posts a callback that is not answered with
// 2xx. SureSMS does not say; here it does the same.
const attempts = 6

// reports posts what becomes of a message, as the faults want it.
func (s *Server) reports(d dialect, m Message, f Faults) {
	if f.NoCallbacks {
		return
	}
	if f.CallbacksFirst {
		s.report(d, m, f)
		return
	}
	if s.begin() {
		go func() {
			defer s.running.Done()
			s.report(d, m, f)
		}()
	}
}

// report posts the statuses of one message one after the other.
func (s *Server) report(d dialect, m Message, f Faults) {
	for _, o := range f.journey(d, m) {
		for range times(f.DuplicateCallbacks) {
			if !s.pause(time.Duration(f.CallbackDelay)) || !s.deliver(d, m, o, f) {
				return
			}
		}
	}
}

func times(twice bool) int {
	if twice {
		return 2
	}
	return 1
}

// journey is what the callbacks say, in their order.
func (f Faults) journey(d dialect, m Message) []Outcome {
	before, usual := d.steps()
	var all []Outcome
	if !f.FinalOnly {
		for _, status := range before {
			all = append(all, Outcome{Status: status})
		}
	}
	last, ok := f.Outcome[m.To]
	if !ok {
		last.Status = usual
	}
	all = append(all, last)
	if f.Backwards {
		slices.Reverse(all)
	}
	return all
}

// deliver posts one callback until it is taken or given up; it is false when
// there is no more to be posted.
func (s *Server) deliver(d dialect, m Message, o Outcome, f Faults) bool {
	retry := time.Duration(f.CallbackRetry)
	if retry == 0 {
		retry = time.Minute
	}
	for left := tries(d, m); left > 0; left-- {
		r, err := d.callback(s, m, o, f.WrongSignatures)
		if err != nil || r == nil {
			return false
		}
		if _, err := s.post(r); err == nil {
			return true
		}
		if left > 1 && !s.pause(retry) {
			return false
		}
	}
	return true
}

// tries is how often a callback is posted. Twilio does it again for an error of
// the server only where the URL's fragment asks for it.
func tries(d dialect, m Message) int {
	if _, ok := d.(twilio); !ok {
		return attempts
	}
	_, fragment, _ := strings.Cut(m.CallbackURL, "#")
	overrides, err := url.ParseQuery(fragment)
	if err != nil || !strings.Contains(overrides.Get("rp"), "5xx") {
		return 1
	}
	again, _ := strconv.Atoi(overrides.Get("rc"))
	return 1 + min(again, 5)
}

// post sends a callback; other answers than 2xx are an error.
func (s *Server) post(r *http.Request) (body string, err error) {
	select {
	case s.posting <- struct{}{}:
		defer func() { <-s.posting }()
	case <-s.ctx.Done():
		return "", fmt.Errorf("the server is closed")
	}
	s.counts.callbacks.Add(1)
	defer func() {
		if err != nil {
			s.counts.refusals.Add(1)
		} else {
			s.counts.acks.Add(1)
		}
	}()
	answer, err := s.client.Do(r.WithContext(s.ctx))
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(answer.Body, bodyLimit))
	if err == nil && (answer.StatusCode < 200 || answer.StatusCode > 299) {
		err = fmt.Errorf("the callback was answered %s", answer.Status)
	}
	return string(raw), err
}

// API names a dialect.
type API string

// The dialects in which a handset's message can arrive.
const (
	Twilio    API = "twilio"
	Classic   API = "classic"
	Messaging API = "messaging"
)

var inboundDialects = map[API]dialect{Twilio: twilio{}, Classic: classic{}, Messaging: messaging{}}

// Receive posts a message from a handset to a webhook and returns the answer's
// body, or an error when it is no 2xx.
func (s *Server) Receive(api API, webhook string, m Message) (string, error) {
	d, ok := inboundDialects[api]
	if !ok {
		return "", fmt.Errorf("no messages come in by %q", api)
	}
	if m.ID == "" {
		m.ID = d.id(s.ids.Add(1))
	}
	r, err := d.inbound(s, webhook, m, s.CurrentFaults().WrongSignatures)
	if err != nil {
		return "", err
	}
	return s.post(r)
}
