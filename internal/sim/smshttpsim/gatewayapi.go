package smshttpsim

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// classic is GatewayAPI's REST API. It takes one SMS to one recipient.
type classic struct{}

func (classic) read(o Options, r *http.Request) (Message, *Refusal) {
	var sms struct {
		Message     string `json:"message"`
		Sender      string `json:"sender"`
		Encoding    string `json:"encoding"`
		UserRef     string `json:"userref"`
		Validity    *int   `json:"validity_period"`
		CallbackURL string `json:"callback_url"`
		Recipients  []struct {
			MSISDN json.Number `json:"msisdn"`
		} `json:"recipients"`
	}
	err := readJSON(r, &sms)
	m := Message{From: sms.Sender, Text: sms.Message, Encoding: sms.Encoding, Reference: sms.UserRef, CallbackURL: sms.CallbackURL}
	if sms.Validity != nil {
		m.Validity = strconv.Itoa(*sms.Validity)
	}
	if len(sms.Recipients) == 1 {
		m.To = "+" + sms.Recipients[0].MSISDN.String()
	}
	token, _, ok := r.BasicAuth()
	if !ok {
		token = r.URL.Query().Get("token")
	}
	switch {
	case differs(o.Token, token):
		return m, &Refusal{http.StatusUnauthorized, "0x0210"}
	case err != nil:
		return m, &Refusal{http.StatusUnprocessableEntity, ""}
	case m.Text == "" || m.To == "":
		return m, &Refusal{http.StatusBadRequest, "0x0222"}
	case !number.MatchString(m.To), len(m.From) > 15, m.Encoding != "" && m.Encoding != "UTF8" && m.Encoding != "UCS2",
		sms.Validity != nil && *sms.Validity < 60:
		return m, &Refusal{http.StatusBadRequest, "0x0308"}
	}
	return m, nil
}

func (classic) id(n uint64) string { return strconv.FormatUint(n, 10) }

func (classic) accept(w http.ResponseWriter, m Message) {
	writeJSON(w, http.StatusOK, map[string]any{
		"ids":   []json.Number{json.Number(m.ID)},
		"usage": map[string]any{"countries": map[string]int{"NO": 1}, "currency": "EUR", "total_cost": 0.06},
	})
}

func (classic) refuse(w http.ResponseWriter, m Message, why Refusal) { refuseGatewayAPI(w, m, why) }

// refuseGatewayAPI repeats the number and the text among the variables.
func refuseGatewayAPI(w http.ResponseWriter, m Message, why Refusal) {
	fault := map[string]any{"incident_uuid": "d8127429-fa0c-4316-b1f2-e610c3958f43", "message": "Not sent to %1: %2", "variables": []string{m.To, m.Text}}
	if why.Code != "" {
		fault["code"] = why.Code
	}
	writeJSON(w, why.Status, fault)
}

func (classic) steps() ([]string, string) { return []string{"BUFFERED", "ENROUTE"}, "DELIVERED" }

func (c classic) callback(s *Server, m Message, o Outcome, wrong bool) (*http.Request, error) {
	if m.CallbackURL == "" {
		return nil, nil
	}
	return c.signed(s, m.CallbackURL, map[string]any{"id": json.Number(m.ID), "msisdn": json.Number(digits(m.To)), "time": time.Now().Unix(),
		"status": o.Status, "error": orNull(o.Code), "code": orNull(o.Code), "userref": orNull(m.Reference)}, wrong)
}

func (c classic) inbound(s *Server, webhook string, m Message, wrong bool) (*http.Request, error) {
	return c.signed(s, webhook, map[string]any{"id": json.Number(m.ID), "msisdn": json.Number(digits(m.From)), "receiver": json.Number(digits(m.To)),
		"message": m.Text, "senttime": time.Now().Unix(), "webhook_label": "test"}, wrong)
}

// signed posts JSON with a JWT of it in X-Gwapi-Signature (RFC 7519, HS256).
func (classic) signed(s *Server, address string, content map[string]any, wrong bool) (*http.Request, error) {
	body, r, err := postJSON(address, content)
	if err != nil || s.WebhookSecret == "" {
		return r, err
	}
	text := segment([]byte(`{"typ":"JWT","alg":"HS256"}`)) + "." + segment(body)
	mac := hmac.New(sha256.New, []byte(secret(s.WebhookSecret, wrong)))
	mac.Write([]byte(text))
	r.Header.Set("X-Gwapi-Signature", text+"."+segment(mac.Sum(nil)))
	return r, nil
}

func segment(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func postJSON(address string, content any) ([]byte, *http.Request, error) {
	body, err := json.Marshal(content)
	if err != nil {
		return nil, nil, err
	}
	r, err := http.NewRequest(http.MethodPost, address, bytes.NewReader(body))
	if err == nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return body, r, err
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// messaging is GatewayAPI's Mobile Messaging API.
type messaging struct{}

func (messaging) read(o Options, r *http.Request) (Message, *Refusal) {
	var sms struct {
		Sender     string      `json:"sender"`
		Message    string      `json:"message"`
		Recipient  json.Number `json:"recipient"`
		Reference  string      `json:"reference"`
		Expiration string      `json:"expiration"`
	}
	err := readJSON(r, &sms)
	m := Message{From: sms.Sender, To: "+" + sms.Recipient.String(), Text: sms.Message, Reference: sms.Reference, Validity: sms.Expiration}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Token ")
	switch {
	case !ok || differs(o.Token, token):
		return m, &Refusal{Status: http.StatusUnauthorized}
	case err != nil, m.From == "", m.Text == "", !number.MatchString(m.To), len(m.From) > 18:
		return m, &Refusal{Status: http.StatusUnprocessableEntity}
	}
	return m, nil
}

// id has the form of a ULID.
func (messaging) id(n uint64) string { return fmt.Sprintf("01J%023X", n) }

func (messaging) accept(w http.ResponseWriter, m Message) {
	writeJSON(w, http.StatusAccepted, map[string]any{"msg_id": m.ID, "recipient": json.Number(digits(m.To)), "reference": m.Reference})
}

func (messaging) refuse(w http.ResponseWriter, m Message, why Refusal) { refuseGatewayAPI(w, m, why) }

func (messaging) steps() ([]string, string) { return []string{"ENROUTE"}, "DELIVERED" }

func (g messaging) callback(s *Server, m Message, o Outcome, wrong bool) (*http.Request, error) {
	webhook := *s.webhook.Load()
	if webhook == "" {
		return nil, nil
	}
	event := map[string]any{"msg_id": m.ID, "recipient": json.Number(digits(m.To)), "reference": m.Reference,
		"status": o.Status, "status_at": time.Now().UTC().Format(time.RFC3339Nano), "error": nil}
	if o.Code != "" {
		event["error"] = map[string]any{"hex_code": o.Code, "details": "Not delivered"}
	}
	return g.signed(s, webhook, "message.status.sms", m.ID+o.Status, event, wrong)
}

func (g messaging) inbound(s *Server, webhook string, m Message, wrong bool) (*http.Request, error) {
	return g.signed(s, webhook, "user-message.text.sms", m.ID, map[string]any{"msg_id": m.ID, "sender": json.Number(digits(m.From)),
		"receiver": json.Number(digits(m.To)), "sent_at": time.Now().UTC().Format(time.RFC3339Nano),
		"content": map[string]any{"message": m.Text, "encoding": "UTF8", "header": nil}}, wrong)
}

// signed posts the envelope with its HMAC in Signature.
func (messaging) signed(s *Server, address, kind, id string, event map[string]any, wrong bool) (*http.Request, error) {
	body, r, err := postJSON(address, map[string]any{"event_id": id, "timestamp": time.Now().UTC().Format(time.RFC3339Nano), "event_type": kind, "event": event})
	if err != nil || s.WebhookSecret == "" {
		return r, err
	}
	mac := hmac.New(sha256.New, []byte(secret(s.WebhookSecret, wrong)))
	mac.Write(body)
	r.Header.Set("Signature", "v1="+hex.EncodeToString(mac.Sum(nil)))
	return r, nil
}
