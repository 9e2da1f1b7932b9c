package smsqueue

import (
	"context"
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
)

// Route is a configured carrier of the installation and the state of its link.
type Route struct {
	ID      int64
	Name    string
	Type    string
	Enabled bool
	Status  carriers.Status // idle when no worker holds it
	Reason  string
	Since   time.Time
	holder  int64
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
		return Route{}, problem.Invalid("type", "there is no carrier type %q; there are %s", kind, strings.Join(slices.Sorted(maps.Keys(q.types)), ", "))
	}
	if err := t.Validate(config); err != nil {
		return Route{}, problem.Invalid("config", "the carrier's configuration: %v", err)
	}
	id, err := q.db.NewIDs(ctx, 1)
	if err != nil {
		return Route{}, err
	}
	now := time.Now()
	_, err = q.db.ExecContext(ctx, `
		INSERT INTO carriers (id, name, type, config_sealed, enabled, status, status_at, created_at)
		VALUES ($1, $2, $3, $4, TRUE, 'idle', $5, $5)`, id, name, kind, q.ring.Seal(config, sealedFor(name)), db.Millis(now))
	if db.IsDuplicate(err) {
		return Route{}, problem.Conflict("carrier_exists", "there is a carrier %q already", name)
	}
	q.nudge()
	return Route{ID: id, Name: name, Type: kind, Enabled: true, Status: idle, Since: now}, err
}

func sealedFor(name string) string { return "carrier " + name }

// Routes lists the carriers in the order they were added.
func (q *Queue) Routes(ctx context.Context) ([]Route, error) {
	return selectRoutes(ctx, q.db, `ORDER BY id`)
}

// defaultRoute is the carrier that takes what is sent now: the first that is enabled.
func (q *Queue) defaultRoute(ctx context.Context) (Route, error) {
	all, err := selectRoutes(ctx, q.db, `WHERE enabled = TRUE ORDER BY id LIMIT 1`)
	if err != nil {
		return Route{}, err
	}
	if len(all) == 0 {
		return Route{}, problem.Conflict("no_carrier", "no carrier is configured: add one first (varsel carrier add)")
	}
	return all[0], nil
}

func (q *Queue) openCarrier(ctx context.Context, r Route, events carriers.Events) (carriers.Carrier, error) {
	sealed, err := routeConfig(ctx, q.db, r.ID)
	if err != nil {
		return nil, err
	}
	config, err := q.ring.Open(sealed, sealedFor(r.Name))
	if err != nil {
		return nil, err
	}
	t, ok := q.types[r.Type]
	if !ok {
		return nil, fmt.Errorf("this program has no carrier type %q", r.Type)
	}
	return t.Open(ctx, config, events)
}
