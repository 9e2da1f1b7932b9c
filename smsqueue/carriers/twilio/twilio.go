// Package twilio sends through Twilio's Programmable Messaging API
// (https://www.twilio.com/docs/messaging/api/message-resource).
package twilio

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/carriers/httpcarrier"
)

const name = "Twilio"

// Type is Twilio as the queue knows it.
var Type = carriers.Type{Features: features, Open: Open, Hear: Hear}

type config struct {
	httpcarrier.Link
	AccountSID string `json:"account_sid"`
	AuthToken  string `json:"auth_token"` // Twilio signs its callbacks with it, too
	// MessagingService picks the sender in place of the message's own.
	MessagingService string `json:"messaging_service_sid"`
}

func parseConfig(raw json.RawMessage) (config, error) {
	c := config{Link: httpcarrier.Link{URL: "https://api.twilio.com", Window: 20, Timeout: httpcarrier.DefaultTimeout}}
	err := httpcarrier.Read("twilio", raw, &c)
	return c, err
}

var (
	accountSID = regexp.MustCompile(`^AC[0-9a-f]{32}$`)
	serviceSID = regexp.MustCompile(`^MG[0-9a-f]{32}$`)
)

// Check says which field is wrong.
func (c *config) Check() error {
	var sids error
	if !accountSID.MatchString(c.AccountSID) {
		sids = errors.New("account_sid: AC and 32 hex digits are expected")
	} else if c.MessagingService != "" && !serviceSID.MatchString(c.MessagingService) {
		sids = errors.New("messaging_service_sid: MG and 32 hex digits are expected")
	}
	return cmp.Or(sids, httpcarrier.Credential("auth_token", c.AuthToken), c.Link.Check())
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
	p.Answer = func(_ carriers.Submission, r httpcarrier.Response) carriers.Answer { return answer(p, r) }
	return httpcarrier.Open(p, setting), nil
}

// validityMost is the longest that Twilio keeps a message, in seconds.
const validityMost = 36_000

func (c config) request(s carriers.Submission, callback string) (*http.Request, error) {
	form := url.Values{"To": {s.To}, "Body": {s.Text}}
	if c.MessagingService != "" {
		form.Set("MessagingServiceSid", c.MessagingService)
	} else {
		form.Set("From", s.From)
	}
	if s.Validity > 0 {
		form.Set("ValidityPeriod", strconv.Itoa(min(max(1, int(s.Validity/time.Second)), validityMost)))
	}
	if callback != "" {
		form.Set("StatusCallback", callback+overrides)
	}
	r, err := http.NewRequest(http.MethodPost, c.At("/2010-04-01/Accounts/"+c.AccountSID+"/Messages.json"), strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.SetBasicAuth(c.AccountSID, c.AuthToken)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r, nil
}

// answer reads a Message resource, or an error.
func answer(p httpcarrier.Provider, r httpcarrier.Response) carriers.Answer {
	var said struct {
		SID       string `json:"sid"`
		Status    string `json:"status"`
		ErrorCode *int   `json:"error_code"`
	}
	var fault struct {
		Code int `json:"code"`
	}
	if r.Status >= 200 && r.Status < 300 {
		if json.Unmarshal(r.Body, &said) != nil || said.SID == "" {
			return p.Verdict(r, "", nil)
		}
		if said.Status == "failed" && said.ErrorCode != nil {
			return httpcarrier.Refused(carriers.Rejected, strconv.Itoa(*said.ErrorCode), p.Name+" does not take this message")
		}
		return carriers.Answer{ID: said.SID}
	}
	code := ""
	if json.Unmarshal(r.Body, &fault) == nil && fault.Code != 0 {
		code = strconv.Itoa(fault.Code)
	}
	return p.Verdict(r, code, meanings)
}

// meanings are the codes that say more than their status
// (https://www.twilio.com/docs/api/errors).
var meanings = map[string]httpcarrier.Meaning{
	"20003": {Text: "Twilio does not accept the account SID with this auth token"},
	"20005": {Kind: carriers.Misconfigured, Text: "the Twilio account is not active"},
	"20429": {Kind: carriers.Throttled, Text: "Twilio takes no more requests for the moment"},
	"21211": {Text: "the recipient's number is not a valid one"},
	"21212": {Text: "the sender is not a valid one"},
	"21408": {Text: "the Twilio account may not send to the recipient's country: allow it under Geo permissions"},
	"21606": {Text: "the sender is no number of the Twilio account that can send SMS"},
	"21608": {Text: "a trial account sends to verified numbers only"},
	"21610": {Text: "the recipient has opted out from this sender at Twilio"},
	"21611": {Kind: carriers.Throttled, Text: "too many messages of this sender wait at Twilio"},
	"21612": {Text: "Twilio has no way from this sender to this recipient"},
	"21614": {Text: "the recipient's number cannot receive SMS"},
	"21617": {Text: "the text is longer than Twilio takes"},
	"21659": {Text: "the sender is no number of the Twilio account"},
	"21703": {Text: "the messaging service has no sender"},
	"63038": {Kind: carriers.Misconfigured, Text: "the Twilio account has reached its limit of messages for a day"},
}
