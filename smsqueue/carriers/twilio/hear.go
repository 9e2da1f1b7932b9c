package twilio

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/smsqueue/carriers"
)

// overrides ask Twilio to post a callback again that could not be stored: by
// itself it does so for failed connections only
// (https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides).
const overrides = "#rc=5&rp=5xx,ct,rt"

const signatureHeader = "X-Twilio-Signature"

// Hear reads status callbacks and inbound messages; see carriers.Type.
func Hear(raw json.RawMessage, c carriers.Callback) (carriers.Heard, error) {
	var none carriers.Heard
	config, err := parseConfig(raw)
	if err != nil {
		return none, err
	}
	if c.Method != http.MethodPost {
		return none, rejected("Twilio's callbacks come by POST")
	}
	form, ok := signedForm(config.AuthToken, c)
	if !ok {
		return none, rejected("its " + signatureHeader + " is not Twilio's")
	}
	if form.Get("MessageSid") == "" {
		return none, nil // Twilio's, and about something else
	}
	if status := form.Get("MessageStatus"); status != "" {
		return carriers.Heard{Receipts: []carriers.Receipt{receipt(form, status)}}, nil
	}
	// An empty TwiML document: Twilio answers the handset nothing.
	return carriers.Heard{Inbound: []carriers.Inbound{inbound(form)}, ContentType: "text/xml", Reply: []byte("<Response/>")}, nil
}

func rejected(text string) error { return &carriers.Error{Kind: carriers.Rejected, Text: text} }

// signedForm returns the fields of a callback whose signature is right
// (https://www.twilio.com/docs/usage/webhooks/webhooks-security). What Twilio
// posts as JSON has no fields and is signed through its digest in the query.
func signedForm(token string, c carriers.Callback) (url.Values, bool) {
	signature, err := base64.StdEncoding.DecodeString(c.Header.Get(signatureHeader))
	if err != nil || len(signature) == 0 {
		return nil, false
	}
	form := url.Values{}
	if u, err := url.Parse(c.URL); err == nil && u.Query().Has("bodySHA256") {
		digest := sha256.Sum256(c.Body)
		if !hmac.Equal([]byte(strings.ToLower(u.Query().Get("bodySHA256"))), []byte(hex.EncodeToString(digest[:]))) {
			return nil, false
		}
	} else if form, err = url.ParseQuery(string(c.Body)); err != nil {
		return nil, false
	}
	fields := sorted(form)
	for _, address := range addresses(c.URL) {
		mac := hmac.New(sha1.New, []byte(token))
		mac.Write([]byte(address + fields))
		if hmac.Equal(mac.Sum(nil), signature) {
			return form, true
		}
	}
	return nil, false
}

// sorted is each field's name and values, one after the other.
func sorted(form url.Values) string {
	var all strings.Builder
	for _, key := range slices.Sorted(maps.Keys(form)) {
		for _, value := range slices.Compact(slices.Sorted(slices.Values(form[key]))) {
			all.WriteString(key + value)
		}
	}
	return all.String()
}

// addresses are the forms in which Twilio may have signed an address: with and
// without its port, with and without the overrides.
func addresses(address string) []string {
	all := []string{address}
	u, err := url.Parse(address)
	if err != nil {
		return all
	}
	before, after, found := strings.Cut(address, u.Host)
	port, standard := "", map[string]string{"https": ":443", "http": ":80"}[u.Scheme]
	if u.Port() == "" {
		port = standard
	}
	if other := before + u.Hostname() + port + after; found && other != address {
		all = append(all, other)
	}
	for _, a := range all {
		all = append(all, a+overrides)
	}
	return all
}

// states are what a message's statuses say of it; those on the way are Enroute.
var states = map[string]carriers.ReceiptState{
	"delivered":           carriers.Delivered,
	"read":                carriers.Delivered,
	"undelivered":         carriers.Undelivered,
	"partially_delivered": carriers.Undelivered,
	"canceled":            carriers.Undelivered,
	"failed":              carriers.Refused,
}

// validityExpired is the error of a message that waited for too long.
const validityExpired = "30036"

func receipt(form url.Values, status string) carriers.Receipt {
	r := carriers.Receipt{ID: form.Get("MessageSid"), Phone: form.Get("To"), State: states[status], Code: form.Get("ErrorCode"), At: time.Now()}
	if r.State == "" {
		r.State = carriers.Enroute
	}
	if r.Code == validityExpired {
		r.State = carriers.Expired
	}
	return r
}

func inbound(form url.Values) carriers.Inbound {
	return carriers.Inbound{ID: form.Get("MessageSid"), From: form.Get("From"), To: form.Get("To"), Text: form.Get("Body"), Part: 1, Parts: 1, At: time.Now()}
}
