package smshttpsim

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// twilio is the Messages resource of Twilio's REST API.
type twilio struct{}

func (twilio) read(o Options, r *http.Request) (Message, *Refusal) {
	if err := r.ParseForm(); err != nil {
		return Message{}, &Refusal{http.StatusBadRequest, "20001"}
	}
	form := r.PostForm
	from := form.Get("From")
	if from == "" {
		from = form.Get("MessagingServiceSid")
	}
	m := Message{From: from, To: form.Get("To"), Text: form.Get("Body"), Validity: form.Get("ValidityPeriod"), CallbackURL: form.Get("StatusCallback")}
	sid, token, ok := r.BasicAuth()
	if !ok || differs(o.AccountSID, sid) || differs(o.AuthToken, token) {
		return m, &Refusal{http.StatusUnauthorized, "20003"}
	}
	if sid != r.PathValue("account") {
		return m, &Refusal{http.StatusNotFound, "20404"}
	}
	seconds, err := strconv.Atoi(m.Validity)
	switch {
	case m.To == "":
		return m, &Refusal{http.StatusBadRequest, "21604"}
	case m.From == "":
		return m, &Refusal{http.StatusBadRequest, "21603"}
	case m.Text == "":
		return m, &Refusal{http.StatusBadRequest, "21602"}
	case len([]rune(m.Text)) > 1600:
		return m, &Refusal{http.StatusBadRequest, "21617"}
	case !number.MatchString(m.To):
		return m, &Refusal{http.StatusBadRequest, "21211"}
	case m.Validity != "" && (err != nil || seconds < 1 || seconds > 36_000):
		return m, &Refusal{http.StatusBadRequest, "20001"}
	}
	return m, nil
}

func (twilio) id(n uint64) string { return fmt.Sprintf("SM%032x", n) }

func (twilio) accept(w http.ResponseWriter, m Message) {
	writeJSON(w, http.StatusCreated, map[string]any{
		"sid": m.ID, "status": "queued", "to": m.To, "from": m.From, "body": m.Text, "direction": "outbound-api",
		"num_segments": "1", "price": nil, "error_code": nil, "error_message": nil, "api_version": "2010-04-01",
		"date_created": time.Now().UTC().Format(time.RFC1123Z),
	})
}

// refuse repeats the number and the text, as Twilio's messages do.
func (twilio) refuse(w http.ResponseWriter, m Message, why Refusal) {
	if why.Code == "" {
		why.Code = map[int]string{http.StatusTooManyRequests: "20429", http.StatusUnauthorized: "20003"}[why.Status]
	}
	code, _ := strconv.Atoi(why.Code)
	writeJSON(w, why.Status, map[string]any{
		"code": code, "message": fmt.Sprintf("Message to %s with body %q was not created", m.To, m.Text),
		"more_info": "https://www.twilio.com/docs/errors/" + why.Code, "status": why.Status,
	})
}

func (twilio) steps() ([]string, string) { return []string{"queued", "sent"}, "delivered" }

func (t twilio) callback(s *Server, m Message, o Outcome, wrong bool) (*http.Request, error) {
	if m.CallbackURL == "" {
		return nil, nil
	}
	form := url.Values{"MessageSid": {m.ID}, "SmsSid": {m.ID}, "MessageStatus": {o.Status}, "SmsStatus": {o.Status},
		"To": {m.To}, "From": {m.From}, "AccountSid": {s.AccountSID}, "ApiVersion": {"2010-04-01"}}
	if o.Code != "" {
		form.Set("ErrorCode", o.Code)
	}
	return t.signed(s, m.CallbackURL, form, wrong)
}

func (t twilio) inbound(s *Server, webhook string, m Message, wrong bool) (*http.Request, error) {
	return t.signed(s, webhook, url.Values{"MessageSid": {m.ID}, "SmsSid": {m.ID}, "SmsMessageSid": {m.ID}, "SmsStatus": {"received"},
		"To": {m.To}, "From": {m.From}, "Body": {m.Text}, "NumMedia": {"0"}, "NumSegments": {"1"},
		"AccountSid": {s.AccountSID}, "ApiVersion": {"2010-04-01"}}, wrong)
}

// signed posts a form with X-Twilio-Signature: the URL, then each field's name
// and value in the order of the names. The fragment stays here.
func (twilio) signed(s *Server, address string, form url.Values, wrong bool) (*http.Request, error) {
	address, _, _ = strings.Cut(address, "#")
	text := address
	for _, key := range slices.Sorted(maps.Keys(form)) {
		text += key + form.Get(key)
	}
	r, err := http.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha1.New, []byte(secret(s.AuthToken, wrong)))
	mac.Write([]byte(text))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Twilio-Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return r, nil
}

// secret is another one when the signature has to be wrong.
func secret(right string, wrong bool) string {
	if wrong {
		return right + "x"
	}
	return right
}
