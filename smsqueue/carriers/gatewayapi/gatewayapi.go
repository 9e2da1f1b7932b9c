// Package gatewayapi sends through GatewayAPI, by its Mobile Messaging API
// (https://gatewayapi.com/docs/message/overview/) or the classic REST API
// (https://gatewayapi.com/docs/apis/rest/).
package gatewayapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/carriers/httpcarrier"
	"github.com/varsel/varsel/smsqueue/smstext"
)

const name = "GatewayAPI"

// Type is GatewayAPI as the queue knows it.
var Type = carriers.Type{Features: features, Open: Open, Hear: Hear}

// The two APIs.
const (
	messaging = "messaging"
	classic   = "classic"
)

type config struct {
	httpcarrier.Link
	API   string `json:"api"`
	Token string `json:"token"`
	// WebhookSecret signs the callbacks; empty leaves them with what their address
	// is worth as a secret.
	WebhookSecret string `json:"webhook_secret"`
}

var hosts = map[string]string{messaging: "https://messaging.gatewayapi.com", classic: "https://gatewayapi.com"}

func parseConfig(raw json.RawMessage) (config, error) {
	// GatewayAPI takes up to 40 connections from one address.
	c := config{Link: httpcarrier.Link{Window: 20, Timeout: httpcarrier.DefaultTimeout}, API: messaging}
	err := httpcarrier.Read("gatewayapi", raw, &c)
	return c, err
}

// Check says which field is wrong, and finds the host of the API.
func (c *config) Check() error {
	if c.URL == "" {
		c.URL = hosts[c.API]
	}
	var api error
	if hosts[c.API] == "" {
		api = fmt.Errorf("api: %q or %q is expected", messaging, classic)
	}
	return cmp.Or(api, httpcarrier.Credential("token", c.Token), c.Link.Check())
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
	p.Request, p.Answer = config.messagingRequest, func(_ carriers.Submission, r httpcarrier.Response) carriers.Answer { return messagingAnswer(p, r) }
	if config.API == classic {
		p.Request = func(s carriers.Submission) (*http.Request, error) {
			return config.classicRequest(s, setting.CallbackURL)
		}
		p.Answer = func(_ carriers.Submission, r httpcarrier.Response) carriers.Answer { return classicAnswer(p, r) }
	}
	return httpcarrier.Open(p, setting), nil
}

// messagingMessage posts its events to the webhook of the dashboard alone.
type messagingMessage struct {
	Sender     string `json:"sender"`
	Message    string `json:"message"`
	Recipient  int64  `json:"recipient"`
	Reference  string `json:"reference"`
	Expiration string `json:"expiration,omitempty"` // an ISO 8601 duration
}

func (c config) messagingRequest(s carriers.Submission) (*http.Request, error) {
	to, err := msisdn(s.To)
	if err != nil {
		return nil, err
	}
	m := messagingMessage{Sender: sender(s), Message: s.Text, Recipient: to, Reference: reference(s)}
	if s.Validity > 0 {
		m.Expiration = fmt.Sprintf("PT%dS", seconds(s.Validity))
	}
	r, err := c.post("/mobile/single", m)
	if err == nil {
		r.Header.Set("Authorization", "Token "+c.Token)
	}
	return r, err
}

func messagingAnswer(p httpcarrier.Provider, r httpcarrier.Response) carriers.Answer {
	var said struct {
		ID string `json:"msg_id"`
	}
	if r.Status >= 200 && r.Status < 300 && json.Unmarshal(r.Body, &said) == nil && said.ID != "" {
		return carriers.Answer{ID: said.ID}
	}
	return p.Verdict(r, code(r), meanings)
}

type classicMessage struct {
	Sender      string             `json:"sender"`
	Message     string             `json:"message"`
	Encoding    string             `json:"encoding,omitempty"` // by itself GSM-7, with what it lacks replaced
	UserRef     string             `json:"userref"`
	Validity    int                `json:"validity_period,omitempty"` // seconds
	CallbackURL string             `json:"callback_url,omitempty"`
	Recipients  []classicRecipient `json:"recipients"`
}

type classicRecipient struct {
	MSISDN int64 `json:"msisdn"`
}

func (c config) classicRequest(s carriers.Submission, callback string) (*http.Request, error) {
	to, err := msisdn(s.To)
	if err != nil {
		return nil, err
	}
	m := classicMessage{Sender: sender(s), Message: s.Text, UserRef: reference(s), CallbackURL: callback, Recipients: []classicRecipient{{to}}}
	if s.Encoding == smstext.UCS2 {
		m.Encoding = "UCS2"
	}
	if s.Validity > 0 {
		m.Validity = seconds(s.Validity)
	}
	r, err := c.post("/rest/mtsms", m)
	if err == nil {
		r.SetBasicAuth(c.Token, "")
	}
	return r, err
}

func classicAnswer(p httpcarrier.Provider, r httpcarrier.Response) carriers.Answer {
	var said struct {
		IDs []json.Number `json:"ids"`
	}
	if r.Status >= 200 && r.Status < 300 && json.Unmarshal(r.Body, &said) == nil && len(said.IDs) == 1 {
		return carriers.Answer{ID: said.IDs[0].String()}
	}
	return p.Verdict(r, code(r), meanings)
}

func (c config) post(path string, message any) (*http.Request, error) {
	body, err := json.Marshal(message)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequest(http.MethodPost, c.At(path), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	return r, nil
}

// msisdn is a number as GatewayAPI writes it: digits without a plus.
func msisdn(phone string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimPrefix(phone, "+"), 10, 64)
	if err != nil || n < 1 {
		return 0, errors.New("the recipient's number is not a valid one")
	}
	return n, nil
}

func sender(s carriers.Submission) string { return strings.TrimPrefix(s.From, "+") }

// reference is our own id, which GatewayAPI repeats in its callbacks.
func reference(s carriers.Submission) string { return strconv.FormatInt(s.MessageID, 10) }

// seconds is a validity that GatewayAPI takes: a minute at least.
func seconds(d time.Duration) int { return int(max(d, time.Minute) / time.Second) }

// code is GatewayAPI's own, "0x0213".
func code(r httpcarrier.Response) string {
	var fault struct {
		Code string `json:"code"`
	}
	if json.Unmarshal(r.Body, &fault) != nil {
		return ""
	}
	return fault.Code
}

// meanings are the codes that say more than their status
// (https://gatewayapi.com/docs/errors/). GatewayAPI answers 403 to much that is
// the message's fault, and not the account's.
var meanings = map[string]httpcarrier.Meaning{
	"0x0212": {Kind: carriers.Misconfigured, Text: "GatewayAPI does not take this host's address"},
	"0x0213": {Kind: carriers.Misconfigured, Text: "GatewayAPI does not take this host's address"},
	"0x0214": {Kind: carriers.Rejected, Text: "GatewayAPI has blocked the recipient's number for a while"},
	"0x0215": {Kind: carriers.Rejected, Text: "the recipient's number is on the block list at GatewayAPI"},
	"0x0216": {Kind: carriers.Misconfigured, Text: "the GatewayAPI account has no credit left"},
	"0x0217": {Kind: carriers.Rejected, Text: "the GatewayAPI account may not send to the recipient's country"},
	"0x021D": {Kind: carriers.Misconfigured, Text: "the GatewayAPI account may not send SMS"},
	"0x021F": {Kind: carriers.Rejected, Text: "the GatewayAPI account may not send to the recipient's operator"},
	"0x0220": {Kind: carriers.Rejected, Text: "GatewayAPI does not know a field of the message"},
	"0x0222": {Kind: carriers.Rejected, Text: "GatewayAPI misses a field of the message"},
	"0x0308": {Kind: carriers.Rejected, Text: "GatewayAPI does not take a value in the message"},
	"0x0309": {Kind: carriers.Retry, Text: "GatewayAPI cannot take the message just now"},
}
