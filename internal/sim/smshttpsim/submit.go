package smshttpsim

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// dialect is one provider's way to speak.
type dialect interface {
	// read reads a submission, or says what the provider answers to it.
	read(o Options, r *http.Request) (Message, *Refusal)
	// id writes the nth id as the provider does.
	id(n uint64) string
	accept(w http.ResponseWriter, m Message)
	refuse(w http.ResponseWriter, m Message, why Refusal)
	// steps are the statuses before the outcome, and the usual outcome.
	steps() (before []string, outcome string)
	// callback tells where a message is.
	callback(s *Server, m Message, o Outcome, wrong bool) (*http.Request, error)
	// inbound is a message from a handset.
	inbound(s *Server, url string, m Message, wrong bool) (*http.Request, error)
}

const bodyLimit = 1 << 20

// takes answers submissions in a dialect.
func (s *Server) takes(d dialect) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.begin() {
			return
		}
		defer s.running.Done()
		f, n := s.CurrentFaults(), int(s.counts.requests.Add(1))
		if hits(f.DropBefore, n) {
			s.drop(w)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, bodyLimit)
		m, why := d.read(s.Options, r)
		if why == nil {
			why = f.refusal(m)
		}
		if why == nil && !s.throttle.allows(f.Throughput, time.Now()) {
			why = &Refusal{Status: http.StatusTooManyRequests}
		}
		if why != nil {
			s.counts.refused.Add(1)
			refuse(w, d, m, *why, f)
			return
		}
		m.ID = d.id(s.ids.Add(1))
		s.record.add(m)
		s.reports(d, m, f)
		if s.counts.accepted.Add(1); hits(f.DropAfter, n) {
			s.drop(w)
			return
		}
		s.answer(w, r, d, m, f)
	}
}

// hits is true every nth time.
func hits(every, n int) bool { return every > 0 && n%every == 0 }

func (s *Server) answer(w http.ResponseWriter, r *http.Request, d dialect, m Message, f Faults) {
	switch {
	case f.NeverAnswer:
		select {
		case <-r.Context().Done():
		case <-s.ctx.Done():
		}
	case !s.pause(time.Duration(f.AnswerDelay)):
	case f.FailAfter > 0:
		refuse(w, d, m, Refusal{Status: f.FailAfter}, f)
	default:
		d.accept(w, m)
	}
}

// refuse answers in the dialect; a server that fails does so in none.
func refuse(w http.ResponseWriter, d dialect, m Message, why Refusal, f Faults) {
	if why.Status == http.StatusTooManyRequests || why.Status == http.StatusServiceUnavailable {
		if f.RetryAfter != "" {
			w.Header().Set("Retry-After", f.RetryAfter)
		}
	}
	if why.Status >= 500 && why.Code == "" {
		http.Error(w, "<html><body><h1>"+http.StatusText(why.Status)+"</h1></body></html>", why.Status)
		return
	}
	d.refuse(w, m, why)
}

// drop resets the connection of a request.
func (s *Server) drop(w http.ResponseWriter) {
	s.counts.drops.Add(1)
	c, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		reset(c)
	}
}

// firstID sets the ids apart from those of an earlier run.
func firstID() uint64 { return uint64(rand.Uint32N(1<<20)+1) << 20 }

var number = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

func readJSON(r *http.Request, into any) error {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client left: nobody to tell
}

// differs compares with a credential that is checked when it is not empty.
func differs(want, got string) bool { return want != "" && want != got }

func digits(number string) string { return strings.TrimPrefix(number, "+") }
