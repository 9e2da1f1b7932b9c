package suresms

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/varsel/varsel/smsqueue/carriers"
)

// idField carries our id through SureSMS.
const idField = "id"

// states are SureSMS's status codes
// (http://developer.suresms.com/https/https-callbackurl/).
var states = map[string]carriers.ReceiptState{
	"1": carriers.Delivered,
	"2": carriers.Undelivered,
	"4": carriers.Enroute,
	"8": carriers.Expired, // also deleted, and kept back as spam
}

// Hear reads a callback; see carriers.Type. SureSMS does not sign: who calls the
// address knows it from us.
func Hear(raw json.RawMessage, c carriers.Callback) (carriers.Heard, error) {
	var none carriers.Heard
	if _, err := parseConfig(raw); err != nil {
		return none, err
	}
	if c.Method != http.MethodGet {
		return none, rejected("SureSMS's callbacks come by GET")
	}
	u, err := url.Parse(c.URL)
	if err != nil {
		return none, rejected("its URL is not one")
	}
	query := u.Query()
	state, known := states[query.Get("Status")]
	id, err := strconv.ParseInt(query.Get(idField), 10, 64)
	if err != nil || id < 1 || !known {
		return none, rejected("it has no status of a message of ours")
	}
	r := carriers.Receipt{ID: query.Get(idField), Phone: phone(query.Get("Receiver")), State: state, At: time.Now()}
	if state != carriers.Delivered {
		r.Code = query.Get("Status")
	}
	if at, err := time.Parse(time.RFC3339, query.Get("StatusUTCDateTime")); err == nil {
		r.At = at
	}
	return carriers.Heard{Receipts: []carriers.Receipt{r}}, nil
}

func rejected(text string) error { return &carriers.Error{Kind: carriers.Rejected, Text: text} }

// phone is the number in E.164. A plus that was not escaped arrives as a space.
func phone(text string) string {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
	if digits == "" {
		return ""
	}
	return "+" + strings.TrimPrefix(digits, "00")
}
