package smshttpsim

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// suresms is SureSMS's HTTP interface: it answers a sentence.
type suresms struct{}

// The sentences of its documentation.
const (
	sureSent        = "Message sent."
	sureCredentials = "Invalid hostname, sender address or password"
	sureNumber      = "Wrong phone number"
	sureParameters  = "You have entered wrong parameters"
)

// read knows parameters in any case, as SureSMS does.
func (suresms) read(o Options, r *http.Request) (Message, *Refusal) {
	given := map[string]string{}
	for name, values := range r.URL.Query() {
		given[strings.ToLower(name)] = values[0]
	}
	m := Message{From: given["from"], To: given["to"], Text: given["text"], CallbackURL: given["url"]}
	switch {
	case differs(o.Login, given["login"]), differs(o.Password, given["password"]):
		return m, &Refusal{http.StatusOK, sureCredentials}
	case m.Text == "" || m.To == "":
		return m, &Refusal{http.StatusOK, sureParameters}
	case !number.MatchString(m.To):
		return m, &Refusal{http.StatusOK, sureNumber}
	}
	return m, nil
}

// id is for the record alone: SureSMS tells none.
func (suresms) id(n uint64) string { return fmt.Sprint(n) }

func (suresms) accept(w http.ResponseWriter, _ Message) { say(w, http.StatusOK, sureSent) }

func (suresms) refuse(w http.ResponseWriter, _ Message, why Refusal) { say(w, why.Status, why.Code) }

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprint(w, text)
}

// steps: 4 sent to the operator, 1 delivered.
func (suresms) steps() ([]string, string) { return []string{"4"}, "1" }

// callback adds its parameters to the end of the URL as they are, the plus of
// the number included.
func (suresms) callback(_ *Server, m Message, o Outcome, _ bool) (*http.Request, error) {
	if m.CallbackURL == "" {
		return nil, nil
	}
	return http.NewRequest(http.MethodGet, fmt.Sprintf("%sStatus=%s&StatusUTCDateTime=%s&Receiver=%s",
		m.CallbackURL, o.Status, time.Now().UTC().Format("2006-01-02T15:04:05Z"), m.To), nil)
}

func (suresms) inbound(*Server, string, Message, bool) (*http.Request, error) {
	return nil, errors.New("SureSMS hands no messages on")
}
