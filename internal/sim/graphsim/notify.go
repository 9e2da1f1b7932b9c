package graphsim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	handshakeTime = 10 * time.Second
	// A notification that is not accepted by then is sent again.
	acceptTime = 3 * time.Second
	// Waits between two attempts double, up to four hours in all.
	retryAfter  = 100 * time.Millisecond
	maxAttempts = 18
)

// Notification is one POST to a client, answered or not.
type Notification struct {
	URL     string
	Body    string // JSON
	Attempt int    // 1 for the first
	Status  int    // 0 for no answer in time
	Took    time.Duration
}

// postOffice sends what subscriptions want to hear. What waits for an address
// goes there together, while another POST to it is under way.
type postOffice struct {
	client  *http.Client
	ctx     context.Context
	stop    context.CancelFunc
	mu      sync.Mutex
	waiting map[string][]item
	busy    map[string]bool
	held    bool
	twice   bool
	sent    []Notification
}

func newPostOffice(client *http.Client) *postOffice {
	if client == nil {
		client = &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
	}
	plain := *client
	plain.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	p := &postOffice{client: &plain, waiting: map[string][]item{}, busy: map[string]bool{}}
	p.ctx, p.stop = context.WithCancel(context.Background())
	return p
}

// shakeHands asks whether somebody is there who wants notifications.
func (s *Server) shakeHands(ctx context.Context, address string) *graphError {
	if address == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	token := "Validation: Testing client application reachability for subscription Request-Id: " + randomGUID()
	if err := s.office.validate(ctx, address, token); err != nil {
		return &graphError{status: http.StatusBadRequest, code: "ValidationError", message: fmt.Sprintf("Subscription validation request failed: %v", err)}
	}
	return nil
}

func (p *postOffice) validate(ctx context.Context, address, token string) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	q := u.Query()
	q.Set("validationToken", token)
	u.RawQuery = q.Encode()
	res, err := p.post(ctx, u.String(), "text/plain; charset=utf-8", nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxSignInBody))
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil || res.StatusCode != http.StatusOK || kind != "text/plain" || string(raw) != token {
		return fmt.Errorf("must respond with 200 OK and the token as text/plain, not %d %q", res.StatusCode, kind)
	}
	return nil
}

func (p *postOffice) post(ctx context.Context, address, kind string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", kind)
	return p.client.Do(req)
}

// announce tells the subscriptions what happened to objects. The directory is
// locked meanwhile, so that nothing is sent here, only addressed.
func (s *Server) announce(t *Tenant, objects []*object, now change) {
	t.subs.mu.Lock()
	defer t.subs.mu.Unlock()
	for _, sub := range t.subs.all {
		for _, o := range objects {
			if sub.wants(o) && s.now().Before(sub.expires) {
				s.send(sub.url, t.notice(sub, o, now))
			}
		}
	}
}

// changeOf: making and soft-deleting an object are updates too.
func changeOf(o *object) string {
	if o.state == hardDeleted {
		return "deleted"
	}
	return "updated"
}

func (sub *subscription) wants(o *object) bool {
	return o.schema() == sub.collection.schema && (sub.object == "" || sub.object == o.id) && slices.Contains(sub.changes, changeOf(o))
}

func (t *Tenant) notice(sub *subscription, o *object, now change) item {
	kind := strings.TrimPrefix(o.schema().odataType, "#microsoft.graph.")
	kind = strings.ToUpper(kind[:1]) + kind[1:]
	it := t.envelope(sub)
	it["changeType"] = changeOf(o)
	it["resource"] = kind + "s/" + o.id
	if sub.members {
		it["resource"] = kind + "s/" + o.id + "/members"
	}
	it["resourceData"] = map[string]any{
		"@odata.type": "#Microsoft.Graph." + kind, "@odata.id": kind + "s/" + o.id,
		"id": o.id, "organizationId": t.id, "sequenceNumber": now,
	}
	return it
}

// envelope is what all notices of a subscription say.
func (t *Tenant) envelope(sub *subscription) item {
	it := item{
		"subscriptionId": sub.id, "subscriptionExpirationDateTime": sub.expires.UTC().Format(time.RFC3339Nano),
		"clientState": orNull(sub.clientState), "tenantId": t.id,
	}
	if t.faults.take(func(w *waiting) *int { return &w.forged }) {
		it["clientState"] = "not " + sub.clientState
	}
	return it
}

// SendLifecycle tells a subscription's lifecycle address of an event. For users
// and groups Graph knows "reauthorizationRequired" alone.
func (t *Tenant) SendLifecycle(subscriptionID, event string) {
	t.subs.mu.Lock()
	defer t.subs.mu.Unlock()
	for _, sub := range t.subs.all {
		if sub.id == subscriptionID && sub.lifecycleURL != "" {
			it := t.envelope(sub)
			it["lifecycleEvent"] = event
			t.srv.send(sub.lifecycleURL, it)
			return
		}
	}
	panic(fmt.Sprintf("graphsim: no subscription %q with an address for its lifecycle", subscriptionID))
}

// HoldNotifications keeps all notifications back, or lets go of those that wait.
func (s *Server) HoldNotifications(hold bool) {
	p := s.office
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = hold
	for address := range p.waiting {
		s.dispatch(address)
	}
}

// DuplicateNotifications posts each notification twice while it is on.
func (s *Server) DuplicateNotifications(on bool) {
	s.office.mu.Lock()
	defer s.office.mu.Unlock()
	s.office.twice = on
}

// Notifications are all attempts to notify somebody, in the order they ended.
func (s *Server) Notifications() []Notification {
	s.office.mu.Lock()
	defer s.office.mu.Unlock()
	return slices.Clone(s.office.sent)
}

func (s *Server) send(address string, it item) {
	s.office.mu.Lock()
	defer s.office.mu.Unlock()
	s.office.waiting[address] = append(s.office.waiting[address], it)
	s.dispatch(address)
}

// dispatch starts a postman for the address unless there is one. The office is
// locked.
func (s *Server) dispatch(address string) {
	p := s.office
	if p.held || p.busy[address] || len(p.waiting[address]) == 0 || !s.enter() {
		return
	}
	p.busy[address] = true
	go func() {
		defer s.inFlight.Done()
		for items := p.collect(address); items != nil; items = p.collect(address) {
			s.deliver(address, items)
		}
	}()
}

// collect takes what waits, and lets the postman go when nothing does.
func (p *postOffice) collect(address string) []item {
	p.mu.Lock()
	defer p.mu.Unlock()
	items := p.waiting[address]
	delete(p.waiting, address)
	if p.held {
		p.waiting[address], items = items, nil
	}
	p.busy[address] = items != nil
	return items
}

// deliver posts once, or twice when told to, and leaves a failure to another
// goroutine, so that later news does not wait for it.
func (s *Server) deliver(address string, items []item) {
	body, err := json.Marshal(map[string]any{"value": items})
	if err != nil {
		panic(err) // strings and numbers only
	}
	for range s.office.times() {
		if !s.office.attempt(address, body, 1) && s.enter() {
			go func() {
				defer s.inFlight.Done()
				s.office.insist(address, body)
			}()
		}
	}
}

func (p *postOffice) times() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.twice {
		return 2
	}
	return 1
}

// insist repeats until the notification is accepted, four hours have gone or the
// server ends.
func (p *postOffice) insist(address string, body []byte) {
	wait := retryAfter
	for n := 2; n <= maxAttempts; n++ {
		select {
		case <-p.ctx.Done():
			return
		case <-time.After(wait):
		}
		if p.attempt(address, body, n) {
			return
		}
		wait *= 2
	}
}

func (p *postOffice) attempt(address string, body []byte, n int) (accepted bool) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(p.ctx, acceptTime)
	defer cancel()
	res, err := p.post(ctx, address, "application/json; charset=utf-8", body)
	status := 0
	if err == nil {
		status = res.StatusCode
		res.Body.Close()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, Notification{address, string(body), n, status, time.Since(began)})
	return status/100 == 2
}
