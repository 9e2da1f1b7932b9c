package graphsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	maxSubscriptionLife = 41_760 * time.Minute // of users and groups
	maxSubscriptions    = 100                  // of one app in one tenant
	maxClientState      = 128
)

// subscription wants to hear of changes to users or groups.
type subscription struct {
	id, appID         string
	changes           []string // "created" never happens to users and groups: that is an update
	collection        *collection
	object            string // "" for the whole collection
	members           bool   // of the group that object is
	resource          string // as it was asked for
	url, lifecycleURL string
	clientState       string
	expires           time.Time
}

// subscriptions of one tenant, in the order they were made.
type subscriptions struct {
	mu  sync.Mutex
	all []*subscription
}

// ofApp are those of an app that have not expired.
func (l *subscriptions) ofApp(appID string, now time.Time) []subscription {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []subscription
	for _, sub := range l.all {
		if sub.appID == appID && now.Before(sub.expires) {
			found = append(found, *sub)
		}
	}
	return found
}

// alter runs f on the one with that id, and drops it when f says so.
func (l *subscriptions) alter(c *call, f func(*subscription) (drop bool)) *graphError {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, sub := range l.all {
		if sub.id == c.id && sub.appID == c.appID && c.srv.now().Before(sub.expires) {
			if f(sub) {
				l.all = slices.Delete(l.all, i, i+1)
			}
			return nil
		}
	}
	return &graphError{status: http.StatusNotFound, code: "ResourceNotFound", message: "The object was not found."}
}

func (s *Server) subscriptionRoutes(m *http.ServeMux) {
	root := graphPrefix + "/subscriptions"
	for pattern, f := range map[string]answerer{
		"GET " + root:                        listSubscriptions,
		"POST " + root:                       subscribe,
		"GET " + root + "/{id}":              oneSubscription,
		"PATCH " + root + "/{id}":            renew,
		"DELETE " + root + "/{id}":           unsubscribe,
		"POST " + root + "/{id}/reauthorize": reauthorize,
	} {
		m.HandleFunc(pattern, s.answer("subscriptions", 1, f))
	}
}

// subscriptionBody is what a client sends.
type subscriptionBody struct {
	Type         string `json:"@odata.type"`
	ChangeType   string `json:"changeType"`
	Resource     string `json:"resource"`
	URL          string `json:"notificationUrl"`
	LifecycleURL string `json:"lifecycleNotificationUrl"`
	ClientState  string `json:"clientState"`
	Expires      string `json:"expirationDateTime"`
	TLS          string `json:"latestSupportedTlsVersion"`
}

func (c *call) body(into any) *graphError {
	d := json.NewDecoder(http.MaxBytesReader(nil, c.request.Body, maxSignInBody))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return invalidRequest("The body is not what is expected here: %v", err)
	}
	return nil
}

func invalidRequest(format string, args ...any) *graphError {
	return &graphError{status: http.StatusBadRequest, code: "InvalidRequest", message: fmt.Sprintf(format, args...)}
}

func subscribe(c *call) (any, *graphError) {
	var body subscriptionBody
	if refused := c.body(&body); refused != nil {
		return nil, refused
	}
	sub, refused := c.subscription(body)
	if refused != nil {
		return nil, refused
	}
	if c.faults.SubscriptionQuota || len(c.subs.ofApp(c.appID, c.srv.now())) >= maxSubscriptions {
		return nil, &graphError{status: http.StatusForbidden, code: "ExtensionError", message: "The number of subscriptions of this app in this tenant has reached its limit."}
	}
	for _, address := range []string{sub.url, sub.lifecycleURL} {
		if refused := c.srv.shakeHands(c.request.Context(), address); refused != nil {
			return nil, refused
		}
	}
	c.subs.mu.Lock()
	c.subs.all = append(c.subs.all, &sub)
	c.subs.mu.Unlock()
	c.status = http.StatusCreated
	it := c.told(sub)
	it["clientState"] = sub.clientState // this once
	return it, nil
}

// subscription checks what can be checked without asking the client back.
func (c *call) subscription(body subscriptionBody) (subscription, *graphError) {
	sub := subscription{
		id: randomGUID(), appID: c.appID, changes: strings.Split(body.ChangeType, ","), resource: body.Resource,
		url: body.URL, lifecycleURL: body.LifecycleURL, clientState: body.ClientState,
	}
	for _, change := range sub.changes {
		if !slices.Contains([]string{"created", "updated", "deleted"}, change) {
			return sub, invalidRequest("The changeType '%s' is not supported.", change)
		}
	}
	if !reachable(sub.url) || sub.lifecycleURL != "" && !reachable(sub.lifecycleURL) {
		return sub, invalidRequest("notificationUrl and lifecycleNotificationUrl must be https.")
	}
	if len(sub.clientState) > maxClientState {
		return sub, invalidRequest("clientState is longer than %d characters.", maxClientState)
	}
	if refused := c.expiry(body.Expires, &sub); refused != nil {
		return sub, refused
	}
	return sub, c.watched(&sub)
}

// reachable also lets plain http through to this machine, where a test waits.
func reachable(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return false
	}
	_, here := loopback(address)
	return u.Scheme == "https" || here
}

func (c *call) expiry(text string, sub *subscription) *graphError {
	at, err := time.Parse(time.RFC3339, text)
	left := at.Sub(c.srv.now())
	if err != nil || left <= 0 || left > maxSubscriptionLife {
		return invalidRequest("Subscription expiration '%s' must be between now and %d minutes from now.", text, maxSubscriptionLife/time.Minute)
	}
	sub.expires = at
	return nil
}

// watched finds out what the resource of a subscription names.
func (c *call) watched(sub *subscription) *graphError {
	words := strings.Split(strings.TrimPrefix(sub.resource, "/"), "/")
	for _, col := range []*collection{userCollection, groupCollection} {
		if words[0] == col.name {
			sub.collection = col
		}
	}
	sub.members = len(words) == 3 && words[2] == "members" && sub.collection == groupCollection
	if sub.collection == nil || len(words) > 2 && !sub.members {
		return invalidRequest("The resource '%s' cannot be subscribed to here.", sub.resource)
	}
	if c.faults.refuses(sub.collection.name) {
		return denied()
	}
	if len(words) == 1 {
		return nil
	}
	sub.object = words[1]
	c.dir.mu.RLock()
	defer c.dir.mu.RUnlock()
	if o := c.dir.byID[sub.object]; o == nil || o.schema() != sub.collection.schema || o.state != live {
		return notFound(sub.object)
	}
	return nil
}

// told is a subscription as a client sees it.
func (c *call) told(sub subscription) item {
	return item{
		"@odata.context": c.context("subscriptions/$entity"), "id": sub.id, "resource": sub.resource, "applicationId": sub.appID,
		"changeType": strings.Join(sub.changes, ","), "clientState": nil, "creatorId": sub.appID,
		"notificationUrl": sub.url, "lifecycleNotificationUrl": orNull(sub.lifecycleURL),
		"expirationDateTime": sub.expires.UTC().Format(time.RFC3339Nano), "latestSupportedTlsVersion": "v1_2",
	}
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func listSubscriptions(c *call) (any, *graphError) {
	p := page{Context: c.context("subscriptions"), Value: []item{}}
	for _, sub := range c.subs.ofApp(c.appID, c.srv.now()) {
		it := c.told(sub)
		delete(it, "@odata.context")
		p.Value = append(p.Value, it)
	}
	return p, nil
}

func oneSubscription(c *call) (any, *graphError) {
	var it item
	refused := c.subs.alter(c, func(sub *subscription) bool {
		it = c.told(*sub)
		return false
	})
	return it, refused
}

// renew takes a new end and nothing else: the addresses of a subscription stay.
func renew(c *call) (any, *graphError) {
	var body struct {
		Type    string `json:"@odata.type"`
		Expires string `json:"expirationDateTime"`
	}
	if refused := c.body(&body); refused != nil {
		return nil, refused
	}
	var it item
	var late *graphError
	refused := c.subs.alter(c, func(sub *subscription) bool {
		late = c.expiry(body.Expires, sub)
		it = c.told(*sub)
		return false
	})
	return it, firstError(refused, late)
}

func firstError(a, b *graphError) *graphError {
	if a != nil {
		return a
	}
	return b
}

func unsubscribe(c *call) (any, *graphError) {
	c.status = http.StatusNoContent
	return nil, c.subs.alter(c, func(*subscription) bool { return true })
}

func reauthorize(c *call) (any, *graphError) {
	c.status = http.StatusNoContent
	return nil, c.subs.alter(c, func(*subscription) bool { return false })
}
