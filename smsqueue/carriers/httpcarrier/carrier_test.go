package httpcarrier

import (
	"bytes"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/carriers/carriertest"
)

const password = "s3cr3t"

// provider answers what its handler does, to a GET with the password in its URL.
func provider(url string) Provider {
	p := Provider{Name: "Acme", Link: Link{URL: url, Window: 10, Timeout: carriers.Duration(10 * time.Second)}}
	p.Request = func(s carriers.Submission) (*http.Request, error) {
		return http.NewRequest(http.MethodGet, p.At("/send?password="+password+"&to="+s.To), nil)
	}
	p.Answer = func(s carriers.Submission, r Response) carriers.Answer {
		if r.Status == http.StatusOK {
			return carriers.Answer{ID: strconv.FormatInt(s.MessageID, 10)}
		}
		return p.Verdict(r, "", nil)
	}
	return p
}

var quickPace = pace{
	first:      time.Millisecond,
	most:       5 * time.Millisecond,
	refused:    5 * time.Millisecond,
	asked:      5 * time.Millisecond,
	lastAnswer: 50 * time.Millisecond,
}

// rig is a carrier before a server of its own.
type rig struct {
	*carrier
	t      *testing.T
	mu     sync.Mutex
	states []carriers.State
}

func start(t *testing.T, p Provider, pace pace) *rig {
	t.Helper()
	r := &rig{t: t}
	r.carrier = open(p, carriers.Events{State: func(s carriers.State) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.states = append(r.states, s)
	}}, pace)
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func serve(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return server.URL
}

// ask submits one message and waits for the verdict.
func (r *rig) ask() carriers.Answer {
	r.t.Helper()
	answers := make(chan carriers.Answer, 1)
	r.Submit(carriers.Submission{MessageID: 1, To: "+4790000001"}, func(a carriers.Answer) { answers <- a })
	return <-answers
}

func (r *rig) told() []carriers.State {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]carriers.State(nil), r.states...)
}

func (r *rig) status() carriers.Status {
	all := r.told()
	return all[len(all)-1].Status
}

func (r *rig) until(s carriers.Status) {
	r.t.Helper()
	carriertest.Until(r.t, string(s), func() bool { return r.status() == s })
}

// lasting is a rest that no test waits for.
func lasting() pace {
	p := quickPace
	p.first, p.most, p.refused, p.asked = time.Hour, time.Hour, time.Hour, time.Hour
	return p
}

func same(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAFaultBeforeTheRequestIsWrittenIsTriedAgain(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	tls := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(tls.Close)
	tls.Config.ErrorLog = nil
	for url, text := range map[string]string{
		"http://" + closed.Addr().String(): "Acme cannot be reached: the connection was refused",
		tls.URL:                            "Acme cannot be reached: its certificate is not trusted",
	} {
		r := start(t, provider(url), lasting())
		want := carriers.Answer{Err: &carriers.Error{Kind: carriers.Retry, Text: text}}
		same(t, r.ask(), want)
		r.until(carriers.Down)
		same(t, r.ask(), want) // at once, with the reason
		same(t, r.told(), []carriers.State{{Status: carriers.Bound}, {Status: carriers.Down, Reason: text}})
	}
}

func TestAHostThatIsNotFoundIsNotQuoted(t *testing.T) {
	same(t, plain(&net.DNSError{Err: "no such host", Name: "user.example"}), "its host name is not found")
}

func TestARequestThatWasWrittenAndGotNoAnswerIsInDoubt(t *testing.T) { // U4
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	drop := func(w http.ResponseWriter, _ *http.Request) {
		c, _, _ := http.NewResponseController(w).Hijack()
		c.Close()
	}
	for text, answer := range map[string]http.HandlerFunc{
		"Acme did not answer within 50ms":                hang,
		"the connection to Acme ended before its answer": drop,
	} {
		p := provider(serve(t, answer))
		p.Timeout = carriers.Duration(50 * time.Millisecond)
		if strings.HasPrefix(text, "the") {
			p.Timeout = DefaultTimeout
		}
		same(t, start(t, p, lasting()).ask(), carriers.Answer{Err: &carriers.Error{Kind: carriers.NoAnswer, Text: text}})
	}
}

func TestStatuses(t *testing.T) {
	var status atomic.Int32
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(status.Load())) })
	for code, kind := range map[int]carriers.Kind{
		204: carriers.NoAnswer, 302: carriers.Misconfigured, 400: carriers.Rejected, 401: carriers.Misconfigured, 402: carriers.Misconfigured,
		403: carriers.Misconfigured, 404: carriers.Misconfigured, 408: carriers.Retry, 422: carriers.Rejected, 429: carriers.Throttled,
		500: carriers.NoAnswer, 502: carriers.NoAnswer, 503: carriers.Throttled, 504: carriers.NoAnswer,
	} {
		status.Store(int32(code))
		a := start(t, provider(url), lasting()).ask()
		if a.Err == nil || a.Err.Kind != kind || a.Err.Code != strconv.Itoa(code) || a.Err.Text == "" {
			t.Errorf("%d: %+v", code, a.Err)
		}
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	var reached atomic.Bool
	elsewhere := serve(t, func(http.ResponseWriter, *http.Request) { reached.Store(true) })
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere, http.StatusTemporaryRedirect)
	})
	if a := start(t, provider(url), lasting()).ask(); a.Err == nil || a.Err.Kind != carriers.Misconfigured || reached.Load() {
		t.Errorf("%+v, reached %v", a, reached.Load())
	}
}

func TestARefusalIsTriedAgainByOneMessage(t *testing.T) {
	var mended atomic.Bool
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if !mended.Load() {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	r := start(t, provider(url), quickPace)
	same(t, r.ask().Err.Kind, carriers.Misconfigured)
	carriertest.Until(t, "it is tried again", func() bool { return len(r.told()) == 3 })
	same(t, r.told(), []carriers.State{{Status: carriers.Bound}, {Status: carriers.Refusing, Reason: "Acme does not accept the credentials"}, {Status: carriers.Bound}})
	same(t, r.vacant(), 1)
	mended.Store(true)
	same(t, r.ask(), carriers.Answer{ID: "1"})
	same(t, r.vacant(), r.Window)
}

// vacant is how many requests there is room for.
func (r *rig) vacant() int {
	r.carrier.mu.Lock()
	defer r.carrier.mu.Unlock()
	return r.places() - r.flying
}

// A provider that fails for every message must not put a campaign in doubt.
func TestSilenceStopsTheCarrierAndOneMessageFindsOut(t *testing.T) {
	var broken atomic.Bool
	var requests atomic.Int32
	broken.Store(true)
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		if broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	p := provider(url)
	p.Window = 1
	r := start(t, p, lasting())
	for range silenceLimit {
		same(t, r.ask().Err.Kind, carriers.NoAnswer)
	}
	r.until(carriers.Down)
	same(t, r.ask().Err.Kind, carriers.Retry)
	same(t, int(requests.Load()), silenceLimit)

	again := start(t, p, quickPace)
	for range silenceLimit {
		again.ask()
	}
	carriertest.Until(t, "it is tried again", func() bool { return again.status() == carriers.Bound })
	before := requests.Load()
	same(t, again.ask().Err.Kind, carriers.NoAnswer)
	same(t, requests.Load()-before, int32(1))
	again.until(carriers.Bound)
	broken.Store(false)
	carriertest.Until(t, "it is answered", func() bool { return again.ask().Err == nil })
	again.until(carriers.Bound)
}

func TestAProviderThatAsksToWaitIsLeftAlone(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	r := start(t, provider(url), lasting())
	same(t, r.ask().Err.Kind, carriers.Throttled)
	r.until(carriers.Connecting) // it is not down: others need not stand in for it
	same(t, r.told()[1].Reason, "Acme asks to wait for 7s")
	same(t, r.ask().Err.Kind, carriers.Retry)
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "1": 0, "-5": 0, "soon": 0, "2": 2 * time.Second, "120": 2 * time.Minute,
		"Sun, 22 Nov 2026 06:00:30 GMT": 30 * time.Second, "Sun, 22 Nov 2026 05:00:00 GMT": 0,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestNeitherSecretsNorNumbersAreTold(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	defer slog.SetDefault(before)
	r := start(t, provider("http://127.0.0.1:1"), quickPace)
	told := r.ask().Err.Error()
	r.until(carriers.Bound)
	_ = r.Close()
	for _, s := range r.told() {
		told += s.Reason
	}
	told += log.String()
	if strings.Contains(told, password) || strings.Contains(told, "90000001") {
		t.Error(told)
	}
	if !strings.Contains(told, "the connection was refused") {
		t.Errorf("the fault is not told: %s", told)
	}
}
