package smsqueue

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/smstext"
)

// Route is a configured carrier of the installation and the state of its link.
type Route struct {
	ID      int64
	Name    string
	Type    string
	Enabled bool
	// Status is idle when no worker holds a slot of it, bound when any session is,
	// and else that of the session that most needs a person, with its Reason.
	Status carriers.Status
	Reason string
	Since  time.Time
	// CallbackURL is where the provider posts receipts and inbound messages;
	// empty for a carrier with links of its own, or without a public address.
	CallbackURL string
	Features    carriers.Features
	Version     int64 // of its configuration
	Health      Health
	token       string // the secret part of CallbackURL
	ruled       bool   // there are rules which carrier takes what
}

// idle is the status of a route that no worker holds.
const idle carriers.Status = "idle"

// RouteStatuses are all that a route can have.
var RouteStatuses = []carriers.Status{idle, carriers.Connecting, carriers.Bound, carriers.Refusing, carriers.Down}

var routeName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// AddRoute keeps a carrier's configuration, sealed, and enables it.
func (q *Queue) AddRoute(ctx context.Context, name, kind string, config json.RawMessage) (Route, error) {
	if !routeName.MatchString(name) {
		return Route{}, problem.Invalid("name", "a carrier's name is up to 40 small letters, digits and hyphens, not %q", name)
	}
	t, ok := q.types[kind]
	if !ok {
		return Route{}, problem.Invalid("type", "there is no carrier type %q; there are %s", kind, strings.Join(q.RouteTypes(), ", "))
	}
	features, err := t.Features(config)
	if err != nil {
		return Route{}, invalidConfig(err)
	}
	r := Route{Name: name, Type: kind, Enabled: true, Status: idle, Since: time.Now(), Features: features, Version: 1, token: rand.Text()}
	if r.ID, err = q.db.NewIDs(ctx, 1); err != nil {
		return Route{}, err
	}
	sealed := q.ring.Seal(config, sealedFor(name))
	err = q.db.InTx(ctx, func(tx *db.Tx) error { return insertRoute(ctx, tx, r, sealed) })
	if db.IsDuplicate(err) {
		return Route{}, problem.Conflict("carrier_exists", "there is a carrier %q already", name)
	}
	q.nudge()
	return q.published(r), err
}

// RouteTypes are the names of the types of carriers that can be configured.
func (q *Queue) RouteTypes() []string { return slices.Sorted(maps.Keys(q.types)) }

// published tells the address of a carrier whose provider posts to us.
func (q *Queue) published(r Route) Route {
	if q.callbacks != "" && r.token != "" && q.types[r.Type].Hear != nil {
		r.CallbackURL = q.callbacks + "/" + r.token
	}
	return r
}

// TextOptions are how the texts that are sent now are cut: as every carrier can that
// may take some of them. Without a carrier they are those that every carrier has.
func (q *Queue) TextOptions(ctx context.Context) (smstext.Options, error) {
	p, err := readPlan(ctx, q.db)
	if err != nil || len(p.routes) == 0 {
		return smstext.Options{}, err
	}
	return p.anyText(), nil
}

func sealedFor(name string) string { return "carrier " + name }

// Routes lists the carriers in the order they were added.
func (q *Queue) Routes(ctx context.Context) ([]Route, error) {
	all, err := selectRoutes(ctx, q.db, `WHERE removed_at = 0 ORDER BY id`)
	if err != nil {
		return nil, err
	}
	states, err := linkStates(ctx, q.db)
	if err != nil {
		return nil, err
	}
	for i, r := range all {
		s := shown(states[r.ID])
		r.Status, r.Reason, r.Since = s.Status, s.Reason, s.since
		all[i] = q.published(r)
	}
	return all, nil
}

// Route finds a carrier by its name.
func (q *Queue) Route(ctx context.Context, name string) (Route, error) {
	all, err := selectRoutes(ctx, q.db, `WHERE name = $1 AND removed_at = 0`, name)
	if err != nil {
		return Route{}, err
	}
	if len(all) == 0 {
		return Route{}, problem.NotFound("carrier", name)
	}
	return q.published(all[0]), nil
}

// configOf opens what AddRoute has sealed, and finds who understands it.
func (q *Queue) configOf(ctx context.Context, r Route) (carriers.Type, json.RawMessage, error) {
	t, ok := q.types[r.Type]
	if !ok {
		return t, nil, fmt.Errorf("this program has no carrier type %q", r.Type)
	}
	sealed, err := routeConfig(ctx, q.db, r.ID)
	if err != nil {
		return t, nil, err
	}
	config, err := q.ring.Open(sealed, sealedFor(r.Name))
	return t, config, err
}

func (q *Queue) openCarrier(ctx context.Context, r Route, s carriers.Setting) (carriers.Carrier, error) {
	t, config, err := q.configOf(ctx, r)
	if err != nil {
		return nil, err
	}
	return t.Open(ctx, config, s)
}
