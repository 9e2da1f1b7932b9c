// Package suresms sends through SureSMS's HTTP interface
// (http://developer.suresms.com/https/).
package suresms

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/carriers/httpcarrier"
)

const name = "SureSMS"

// Type is SureSMS as the queue knows it.
var Type = carriers.Type{Features: features, Open: Open, Hear: Hear}

type config struct {
	httpcarrier.Link
	Login    string `json:"login"`
	Password string `json:"password"`
}

func parseConfig(raw json.RawMessage) (config, error) {
	c := config{Link: httpcarrier.Link{URL: "https://api.suresms.com", Window: 5, Timeout: httpcarrier.DefaultTimeout}}
	err := httpcarrier.Read("suresms", raw, &c)
	return c, err
}

// Check says which field is wrong.
func (c *config) Check() error {
	var empty error
	switch {
	case c.Login == "":
		empty = errors.New("login: it is missing")
	case c.Password == "":
		empty = errors.New("password: it is missing")
	}
	return cmp.Or(empty, c.Link.Check())
}

func features(raw json.RawMessage) (carriers.Features, error) {
	_, err := parseConfig(raw)
	return carriers.Features{Whole: true}, err
}

// Open starts a carrier; it is a carriers.Opener.
func Open(_ context.Context, raw json.RawMessage, setting carriers.Setting) (carriers.Carrier, error) {
	config, err := parseConfig(raw)
	if err != nil {
		return nil, err
	}
	p := httpcarrier.Provider{Name: name, Link: config.Link}
	p.Request = func(s carriers.Submission) (*http.Request, error) { return config.request(s, setting.CallbackURL) }
	p.Answer = func(s carriers.Submission, r httpcarrier.Response) carriers.Answer { return answer(p, s, r) }
	return httpcarrier.Open(p, setting), nil
}

func (c config) request(s carriers.Submission, callback string) (*http.Request, error) {
	query := url.Values{"login": {c.Login}, "password": {c.Password}, "to": {s.To}, "from": {s.From}, "Text": {s.Text}}
	if callback != "" {
		// SureSMS adds its parameters to the end as they are.
		query.Set("url", callback+"?"+idField+"="+id(s)+"&")
	}
	return http.NewRequest(http.MethodGet, c.At("/Script/SendSMS.aspx?"+query.Encode()), nil)
}

// id is our own: SureSMS gives none, and its callback carries what we put there.
func id(s carriers.Submission) string { return strconv.FormatInt(s.MessageID, 10) }

// answer reads a sentence: SureSMS answers 200 whatever became of the message.
func answer(p httpcarrier.Provider, s carriers.Submission, r httpcarrier.Response) carriers.Answer {
	if r.Status != http.StatusOK {
		return p.Verdict(r, "", nil)
	}
	said := strings.ToLower(string(r.Body))
	if strings.Contains(said, "message sent") {
		return carriers.Answer{ID: id(s)}
	}
	for _, refusal := range refusals {
		if strings.Contains(said, strings.ToLower(refusal.Code)) {
			return carriers.Answer{Err: &refusal}
		}
	}
	return httpcarrier.Refused(carriers.NoAnswer, "", "SureSMS answered what is not in its documentation")
}

// refusals are SureSMS's sentences, which stand for a code
// (http://developer.suresms.com/https/https-response/).
var refusals = []carriers.Error{
	{Kind: carriers.Rejected, Code: "Unauthorized SenderID", Text: "the sender is not permitted for the SureSMS account"},
	{Kind: carriers.Misconfigured, Code: "Invalid hostname, sender address or password", Text: "SureSMS does not accept the login, the password or this host's address"},
	{Kind: carriers.Rejected, Code: "Wrong phone number", Text: "the recipient's number is not a valid one"},
	{Kind: carriers.Misconfigured, Code: "Not enough kredits", Text: "the SureSMS account has no credit left"},
	{Kind: carriers.Misconfigured, Code: "Not enough credits", Text: "the SureSMS account has no credit left"},
	{Kind: carriers.Rejected, Code: "The same message to the same recipient", Text: "SureSMS has taken the same message to this recipient a short while ago"},
	{Kind: carriers.Rejected, Code: "You have entered wrong parameters", Text: "SureSMS does not take this message"},
	{Kind: carriers.Rejected, Code: "Something is wrong with the message", Text: "SureSMS does not take this message"},
}
