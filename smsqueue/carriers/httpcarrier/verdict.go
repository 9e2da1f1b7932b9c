package httpcarrier

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/varsel/varsel/smsqueue/carriers"
)

// Refused is an answer other than accepted. code is the provider's, and text
// never one of its own words: those may hold a phone number.
func Refused(kind carriers.Kind, code, text string) carriers.Answer {
	return carriers.Answer{Err: &carriers.Error{Kind: kind, Code: code, Text: text}}
}

// Meaning is what one of a provider's own codes says.
type Meaning struct {
	Kind carriers.Kind // empty: as the status says
	Text string
}

// Verdict is what an answer means that accepts nothing: the provider's own code
// decides where meanings knows it, else the status.
func (p Provider) Verdict(r Response, code string, meanings map[string]Meaning) carriers.Answer {
	kind, text := p.byStatus(r.Status)
	m := meanings[code]
	if m.Kind != "" {
		kind = m.Kind
	}
	if m.Text != "" {
		text = m.Text
	}
	if code == "" {
		code = strconv.Itoa(r.Status)
	}
	return Refused(kind, code, text)
}

// byStatus reads the status alone (RFC 9110 15). A server that fails may have
// taken the message first; one that is unavailable has not.
func (p Provider) byStatus(status int) (carriers.Kind, string) {
	switch {
	case status == http.StatusTooManyRequests:
		return carriers.Throttled, p.Name + " takes no more for the moment"
	case status == http.StatusServiceUnavailable:
		return carriers.Throttled, p.Name + " is not available for the moment"
	case status == http.StatusRequestTimeout:
		return carriers.Retry, p.Name + " did not get the request in time"
	case status == http.StatusUnauthorized:
		return carriers.Misconfigured, p.Name + " does not accept the credentials"
	case status == http.StatusForbidden:
		return carriers.Misconfigured, p.Name + " does not allow this account to send"
	case status == http.StatusPaymentRequired:
		return carriers.Misconfigured, "the account at " + p.Name + " has no credit left"
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed, status >= 300 && status < 400:
		return carriers.Misconfigured, p.Name + "'s API is not at the configured url"
	case status >= 400 && status < 500:
		return carriers.Rejected, p.Name + " does not take this message"
	case status >= 200 && status < 300:
		return carriers.NoAnswer, p.Name + " answered without the message's id"
	}
	return carriers.NoAnswer, fmt.Sprintf("%s failed while it had the message (HTTP %d)", p.Name, status)
}
