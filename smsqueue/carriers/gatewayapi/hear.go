package gatewayapi

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/varsel/varsel/smsqueue/carriers"
)

const (
	messagingSignature = "Signature"         // v1=<HMAC-SHA256 of the body in hex>
	classicSignature   = "X-Gwapi-Signature" // a JWT that holds the callback
)

// Hear reads status callbacks and inbound messages; see carriers.Type.
func Hear(raw json.RawMessage, c carriers.Callback) (carriers.Heard, error) {
	var none carriers.Heard
	config, err := parseConfig(raw)
	if err != nil {
		return none, err
	}
	if c.Method != http.MethodPost {
		return none, rejected("GatewayAPI's callbacks come by POST")
	}
	if config.API == classic {
		body, ok := classicSigned(config.WebhookSecret, c)
		if !ok {
			return none, rejected("its " + classicSignature + " is not GatewayAPI's")
		}
		return hearClassic(body)
	}
	if !messagingSigned(config.WebhookSecret, c) {
		return none, rejected("its " + messagingSignature + " is not GatewayAPI's")
	}
	return hearMessaging(c.Body)
}

func rejected(text string) error { return &carriers.Error{Kind: carriers.Rejected, Text: text} }

func messagingSigned(secret string, c carriers.Callback) bool {
	if secret == "" {
		return true
	}
	digest, version := strings.CutPrefix(c.Header.Get(messagingSignature), "v1=")
	signature, err := hex.DecodeString(digest)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(c.Body)
	return version && err == nil && hmac.Equal(mac.Sum(nil), signature)
}

// payload keeps the signed part of a JWT as it is.
type payload struct {
	jwt.RegisteredClaims
	raw json.RawMessage
}

func (p *payload) UnmarshalJSON(raw []byte) error {
	p.raw = append(p.raw[:0], raw...)
	return json.Unmarshal(raw, &p.RegisteredClaims)
}

// classicSigned returns what is signed, and so can be believed: the signature
// carries the callback a second time, and the body itself is not covered.
func classicSigned(secret string, c carriers.Callback) ([]byte, bool) {
	if secret == "" {
		return c.Body, true
	}
	var signed payload
	_, err := jwt.ParseWithClaims(c.Header.Get(classicSignature), &signed, func(*jwt.Token) (any, error) { return []byte(secret), nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}))
	return signed.raw, err == nil
}

// states are what a message's statuses say of it (rest.rst, States and status
// codes). Those on the way are Enroute, and so is ACCEPTED: the network has the
// message, and nobody says that the handset does.
var states = map[string]carriers.ReceiptState{
	"DELIVERED":     carriers.Delivered,
	"READ":          carriers.Delivered,
	"EXPIRED":       carriers.Expired,
	"DELETED":       carriers.Undelivered,
	"UNDELIVERABLE": carriers.Undelivered,
	"UNDELIVERED":   carriers.Undelivered,
	"FAILED":        carriers.Undelivered,
	"SKIPPED":       carriers.Undelivered,
	"REJECTED":      carriers.Refused,
}

func state(status string) carriers.ReceiptState {
	return cmp.Or(states[strings.ToUpper(status)], carriers.Enroute)
}

// hearClassic reads a delivery status notification or an MO SMS, which alone has
// a receiver.
func hearClassic(body []byte) (carriers.Heard, error) {
	var said struct {
		ID       json.Number `json:"id"`
		MSISDN   json.Number `json:"msisdn"`
		Time     int64       `json:"time"`
		Status   string      `json:"status"`
		Code     string      `json:"code"`
		Receiver json.Number `json:"receiver"`
		Message  string      `json:"message"`
	}
	if err := json.Unmarshal(body, &said); err != nil || said.ID == "" || said.Status == "" && said.Receiver == "" {
		return carriers.Heard{}, rejected("it is neither a status nor a message")
	}
	if said.Receiver != "" {
		return carriers.Heard{Inbound: []carriers.Inbound{inbound(said.ID.String(), said.MSISDN, said.Receiver, said.Message)}}, nil
	}
	at := time.Now()
	if said.Time > 0 {
		at = time.Unix(said.Time, 0)
	}
	return carriers.Heard{Receipts: []carriers.Receipt{{ID: said.ID.String(), Phone: e164(said.MSISDN), State: state(said.Status), Code: said.Code, At: at}}}, nil
}

// event is what the envelope of the Mobile Messaging API holds, a status or a
// message from a handset.
type event struct {
	ID        string          `json:"msg_id"`
	Recipient json.Number     `json:"recipient"`
	Status    string          `json:"status"`
	StatusAt  string          `json:"status_at"`
	Error     json.RawMessage `json:"error"`
	Sender    json.Number     `json:"sender"`
	Receiver  json.Number     `json:"receiver"`
	Content   json.RawMessage `json:"content"`
}

func hearMessaging(body []byte) (carriers.Heard, error) {
	var envelope struct {
		Type  string          `json:"event_type"`
		Event json.RawMessage `json:"event"`
	}
	var e event
	if json.Unmarshal(body, &envelope) != nil || envelope.Type == "" {
		return carriers.Heard{}, rejected("it is no event")
	}
	isStatus, isText := strings.HasPrefix(envelope.Type, "message.status."), envelope.Type == "user-message.text.sms"
	if !isStatus && !isText {
		return carriers.Heard{}, nil // an event of another kind
	}
	if json.Unmarshal(envelope.Event, &e) != nil || e.ID == "" {
		return carriers.Heard{}, rejected("its event cannot be read")
	}
	if isText {
		return carriers.Heard{Inbound: []carriers.Inbound{inbound(e.ID, e.Sender, cmp.Or(e.Receiver, e.Recipient), text(e.Content))}}, nil
	}
	at, err := time.Parse(time.RFC3339, e.StatusAt)
	if err != nil {
		at = time.Now()
	}
	return carriers.Heard{Receipts: []carriers.Receipt{{ID: e.ID, Phone: e164(e.Recipient), State: state(e.Status), Code: errorCode(e.Error), At: at}}}, nil
}

func errorCode(raw json.RawMessage) string {
	var fault struct {
		Code string `json:"hex_code"`
	}
	_ = json.Unmarshal(raw, &fault) // there is none, or one without a code
	return fault.Code
}

// text is the content of a message from a handset: an object, or a string.
func text(content json.RawMessage) string {
	var plain string
	var object struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(content, &plain) == nil {
		return plain
	}
	_ = json.Unmarshal(content, &object) // what is no text is an empty one
	return object.Message
}

func inbound(id string, from, to json.Number, text string) carriers.Inbound {
	return carriers.Inbound{ID: id, From: e164(from), To: e164(to), Text: text, Part: 1, Parts: 1, At: time.Now()}
}

// e164 is a number with its country code, which GatewayAPI writes without a plus.
func e164(n json.Number) string {
	if n == "" {
		return ""
	}
	return "+" + strings.TrimPrefix(n.String(), "+")
}
