package api

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/accounts"
)

func TestWithoutAKnownKeyNobodyIsServed(t *testing.T) {
	h := openHouse(t)
	for _, said := range []string{"", "Bearer", "Bearer ", "Bearer vk_nonsense", "Basic " + h.key, h.key, "Bearer " + h.key + "x"} {
		r := h.ask(t, "GET", messagesPath, "", "Authorization", said)
		refused(t, r, 401, "unknown_key")
		if got := r.header.Get("WWW-Authenticate"); got != `Bearer realm="varsel"` {
			t.Errorf("WWW-Authenticate %q", got)
		}
	}
	read[list[message]](t, h.ask(t, "GET", messagesPath, "", "Authorization", "bearer "+h.key), 200)
}

func TestKeyWithoutTheScopeIsRefused(t *testing.T) {
	h := openHouse(t)
	key := h.newKey(t, h.account, accounts.ScopeMessagesRead)
	p := refused(t, h.ask(t, "POST", messagesPath, hello, bearer(key)...), 403, "missing_scope")
	if !strings.Contains(p.Detail, "messages:write") {
		t.Errorf("%q does not name the scope", p.Detail)
	}
	read[list[message]](t, h.ask(t, "GET", messagesPath, "", bearer(key)...), 200)
}

func TestBodiesThatAreNotJSONAreRefused(t *testing.T) {
	h := openHouse(t)
	for _, body := range []string{"", "{", `{"to": }`, hello + hello, "{\"to\": \"+4791234567\", \"text\": \"\xff\"}"} {
		refused(t, h.ask(t, "POST", messagesPath, body), 400, "invalid_json")
	}
	for _, body := range []string{"null", "[]", `"text"`} {
		refused(t, h.ask(t, "POST", messagesPath, body), 422, "invalid_request")
	}
	refused(t, h.ask(t, "POST", messagesPath, "to=1&text=2", "Content-Type", "application/x-www-form-urlencoded"), 415, "unsupported_media_type")
}

func TestLargeBodiesAreRefused(t *testing.T) {
	h := openHouse(t)
	body := func(size int) string {
		const frame = `{"to": "+4791234567", "text": ""}`
		return frame[:len(frame)-2] + strings.Repeat("a", size-len(frame)) + frame[len(frame)-2:]
	}
	refused(t, h.ask(t, "POST", messagesPath, body(bodyLimit+1)), 413, "body_too_large")
	refusedAt(t, h.ask(t, "POST", messagesPath, body(bodyLimit)), "invalid_text", "/text") // read, and far too long
}

// What is larger than the server takes at all does not reach a handler.
func TestBodyThatIsNotEvenReadIsRefused(t *testing.T) {
	h := openHouse(t)
	r := h.raw(t, "POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 999999999\r\n\r\n")
	refused(t, r, 413, "body_too_large")
}

// raw writes bytes to a connection and reads one answer.
func (h *house) raw(t *testing.T, request string) reply {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	must(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, request)
	must(t, err)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	must(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(t, err)
	return reply{res.StatusCode, res.Header, body}
}

func TestPackedBodiesAreRefused(t *testing.T) {
	h := openHouse(t)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write([]byte(hello))
	w.Close()
	refused(t, h.ask(t, "POST", messagesPath, packed.String(), "Content-Encoding", "gzip"), 415, "unsupported_encoding")
}

func TestPathsAndMethodsThatAreNotThereAreRefused(t *testing.T) {
	h := openHouse(t)
	refused(t, h.ask(t, "GET", "/v1/nothing", ""), 404, "not_found")
	r := h.ask(t, "DELETE", messagesPath, "")
	refused(t, r, 405, "method_not_allowed")
	if allow := r.header.Get("Allow"); !strings.Contains(allow, "GET") || !strings.Contains(allow, "POST") {
		t.Errorf("Allow %q", allow)
	}
	refused(t, h.raw(t, "GET /v1/messages?status=\x7f HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), 400, "bad_request")
	refused(t, h.raw(t, "nonsense\r\n\r\n"), 400, "bad_request")
}

func TestHeadIsGetWithoutABody(t *testing.T) {
	h := openHouse(t)
	for _, path := range []string{"/healthz", messagesPath, "/docs", "/openapi.json"} {
		r := h.ask(t, "HEAD", path, "")
		if r.status != 200 || len(r.body) != 0 {
			t.Errorf("HEAD %s: %d %s", path, r.status, r.body)
		}
	}
	same(t, h.ask(t, "HEAD", messagesPath, "", "Authorization", "").status, 401)
}

func TestAnswersAreNotKept(t *testing.T) {
	h := openHouse(t)
	r := h.ask(t, "GET", messagesPath, "")
	same(t, r.header.Get("Cache-Control"), "no-store")
	same(t, r.header.Get("X-Content-Type-Options"), "nosniff")
}

// journal collects what is logged during a test.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func keepJournal(t *testing.T) *journal {
	j := &journal{}
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(j, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	return j
}

func TestFaultOfOursIsLoggedUnderTheRequestsID(t *testing.T) {
	log := keepJournal(t)
	h := openHouse(t)
	h.db.Close()
	r := h.ask(t, "POST", messagesPath, hello)
	p := refused(t, r, 500, "internal")
	if p.RequestID == "" || r.header.Get("X-Request-Id") != p.RequestID {
		t.Errorf("request id %q, header %q", p.RequestID, r.header.Get("X-Request-Id"))
	}
	if strings.Contains(string(r.body), "database") || strings.Contains(string(r.body), "sql") {
		t.Errorf("the cause is told: %s", r.body)
	}
	if !strings.Contains(log.String(), p.RequestID) || !strings.Contains(log.String(), "database is closed") {
		t.Errorf("the log lacks request or cause: %s", log)
	}
	if strings.Contains(log.String(), "water") || strings.Contains(log.String(), "34 567") {
		t.Errorf("the log holds the message: %s", log)
	}
}

func TestPanicIsAnAnswerAndTheServerGoesOn(t *testing.T) {
	log := keepJournal(t)
	h := openHouse(t)
	s := h.Services
	s.Book = nil
	h.url = listen(t, s)
	p := refused(t, h.ask(t, "GET", contactsPath, ""), 500, "internal")
	if !strings.Contains(log.String(), p.RequestID) || !strings.Contains(log.String(), "GET /v1/contacts") {
		t.Errorf("the log lacks the panic: %s", log)
	}
	read[list[message]](t, h.ask(t, "GET", messagesPath, ""), 200)
}

func TestWhatTakesTooLongIsUnavailable(t *testing.T) {
	keepJournal(t)
	ended, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for _, p := range []*Problem{
		problemOf(ended, "GET /v1/x", errors.New("interrupted")),
		problemOf(t.Context(), "GET /v1/x", fmt.Errorf("read: %w", context.DeadlineExceeded)),
	} {
		same(t, p.Status, 503)
		same(t, p.Code, "timeout")
		same(t, p.GetHeaders().Get("Retry-After"), "5")
	}
}

func TestErrorHandlerAnswersWithProblems(t *testing.T) {
	keepJournal(t)
	app := fiber.New(fiber.Config{ErrorHandler: ErrorHandler})
	said := map[string]error{
		"/full":     fiber.ErrInsufficientStorage,
		"/plain":    errors.New("disk on fire"),
		"/late":     fiber.ErrRequestTimeout,
		"/headers":  fiber.ErrRequestHeaderFieldsTooLarge,
		"/conflict": newProblem(409, "no_carrier", "no carrier"),
	}
	for path, err := range said {
		app.Get(path, func(*fiber.Ctx) error { return err })
	}
	for path, want := range map[string]struct {
		status int
		code   string
	}{
		"/full": {500, "internal"}, "/plain": {500, "internal"}, "/late": {408, "request_timeout"},
		"/headers": {431, "request_header_fields_too_large"}, "/conflict": {409, "no_carrier"}, "/none": {404, "not_found"},
	} {
		req, err := http.NewRequest("GET", path, nil)
		must(t, err)
		res, err := app.Test(req)
		must(t, err)
		body, err := io.ReadAll(res.Body)
		must(t, err)
		refused(t, reply{res.StatusCode, res.Header, body}, want.status, want.code)
		if bytes.Contains(body, []byte("fire")) {
			t.Errorf("the cause is told: %s", body)
		}
	}
}

func TestAppThatIsNotImmutableIsRefused(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("it was taken")
		}
	}()
	Mount(fiber.New(), Services{})
}
