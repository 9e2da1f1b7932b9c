package api

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/carriers/simulator"
	"github.com/varsel/varsel/smsqueue/carriers/suresms"
	"github.com/varsel/varsel/smsqueue/carriers/twilio"
)

const (
	twilioToken  = "s3cr3t"
	twilioConfig = `{"account_sid":"AC0123456789abcdef0123456789abcdef","auth_token":"` + twilioToken + `"}`
	publicURL    = "https://sms.varsel.example/base"
)

// calledBack is a house with carriers whose providers post to its public address,
// which is not the one it listens on. The addresses are by the carrier's type.
func calledBack(t *testing.T) (*house, map[string]string) {
	t.Helper()
	h := openHouse(t)
	ring, err := secrets.FromFile(filepath.Join(t.TempDir(), "varsel.key"))
	must(t, err)
	h.Queue = smsqueue.New(smsqueue.House{DB: h.db, Ring: ring, Accounts: h.Accounts, Callbacks: publicURL + CallbacksPath,
		Carriers: map[string]carriers.Type{"twilio": twilio.Type, "suresms": suresms.Type, "simulator": simulator.Type}})
	t.Cleanup(h.Queue.Close)
	h.PublicURL = publicURL
	h.url = listen(t, h.Services)
	addresses := map[string]string{}
	for kind, config := range map[string]string{"twilio": twilioConfig, "suresms": `{"login":"a","password":"b"}`} {
		r, err := h.Queue.AddRoute(t.Context(), kind, kind, json.RawMessage(config))
		must(t, err)
		address, ok := strings.CutPrefix(r.CallbackURL, publicURL)
		if !ok {
			t.Fatalf("the provider is told %q", r.CallbackURL)
		}
		addresses[kind] = address
	}
	return h, addresses
}

// twilioPost is a callback from Twilio, signed for its public address.
func (h *house) twilioPost(t *testing.T, address, body, fields string) reply {
	t.Helper()
	mac := hmac.New(sha1.New, []byte(twilioToken))
	mac.Write([]byte(publicURL + address + fields))
	return h.ask(t, "POST", address, body, "Authorization", "", "Content-Type", "application/x-www-form-urlencoded",
		"X-Twilio-Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// kept is how many receipts are stored, of messages that nobody sent.
func (h *house) kept(t *testing.T) (n int) {
	t.Helper()
	must(t, h.db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM waiting_receipts`).Scan(&n))
	return n
}

const (
	deliveredBody   = "MessageSid=SM1&MessageStatus=delivered&To=%2B4790000001"
	deliveredFields = "MessageSidSM1MessageStatusdeliveredTo+4790000001"
)

func TestACallbackIsAnsweredWhenItIsStored(t *testing.T) {
	h, addresses := calledBack(t)
	got := h.twilioPost(t, addresses["twilio"], deliveredBody, deliveredFields)
	same(t, []any{got.status, string(got.body), got.header.Get("Cache-Control"), h.kept(t)}, []any{200, "", "no-store", 1})
	got = h.twilioPost(t, addresses["twilio"]+"?a=%20b", deliveredBody, deliveredFields)
	same(t, []any{got.status, h.kept(t)}, []any{200, 2})
	got = h.ask(t, "GET", addresses["suresms"]+"?id=7&&Status=1&StatusUTCDateTime=2026-11-22T06:00:00Z&Receiver=+4790000001", "", "Authorization", "")
	same(t, []any{got.status, h.kept(t)}, []any{200, 3})
}

func TestAMessageFromAHandsetIsAnsweredAsTheProviderWants(t *testing.T) {
	h, addresses := calledBack(t)
	got := h.twilioPost(t, addresses["twilio"], "MessageSid=SM2&From=%2B4790000001&To=%2B4799999999&Body=Hei", "BodyHeiFrom+4790000001MessageSidSM2To+4799999999")
	same(t, []any{got.status, string(got.body), got.header.Get("Content-Type")}, []any{200, "<Response/>", "text/xml"})
}

func TestAForgedCallbackIsRefused(t *testing.T) {
	h, addresses := calledBack(t)
	refused(t, h.twilioPost(t, addresses["twilio"], deliveredBody, "x"), 403, "callback_refused")
	refused(t, h.ask(t, "POST", addresses["twilio"], deliveredBody, "Authorization", ""), 403, "callback_refused")
	refused(t, h.ask(t, "GET", addresses["twilio"], "", "Authorization", ""), 403, "callback_refused")
	same(t, h.kept(t), 0)
}

func TestAnAddressOfNoCarrierIsNotFound(t *testing.T) {
	h, _ := calledBack(t)
	for _, address := range []string{"/unknown", "/%20", "/x?a=b"} {
		refused(t, h.twilioPost(t, CallbacksPath+address, deliveredBody, deliveredFields), 404, "callback_not_found")
	}
	refused(t, h.ask(t, "POST", CallbacksPath+"/", "", "Authorization", ""), 404, "not_found")
}

func TestWhatIsNoCallback(t *testing.T) {
	h, addresses := calledBack(t)
	refused(t, h.ask(t, "POST", addresses["twilio"], strings.Repeat("x", bodyLimit+1)), 413, "body_too_large")
	refused(t, h.ask(t, "PUT", addresses["twilio"], ""), http.StatusMethodNotAllowed, "method_not_allowed")
}

func TestACallbackThatCannotBeStoredComesAgain(t *testing.T) {
	h, addresses := calledBack(t)
	must(t, h.db.Close())
	if got := h.twilioPost(t, addresses["twilio"], deliveredBody, deliveredFields); got.status < 500 {
		t.Errorf("status %d: the provider would not send it again", got.status)
	}
}
