package smsqueue

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/smsqueue/carriers"
)

// SetRoute replaces a carrier's configuration. A worker that has a link with the
// one before ends it in order and opens it anew within seconds.
func (q *Queue) SetRoute(ctx context.Context, name string, config json.RawMessage) (Route, error) {
	r, err := q.Route(ctx, name)
	if err != nil {
		return Route{}, err
	}
	t, ok := q.types[r.Type]
	if !ok {
		return Route{}, problem.Conflict("carrier_type", "this program has no carrier type %q", r.Type)
	}
	if r.Features, err = t.Features(config); err != nil {
		return Route{}, invalidConfig(err)
	}
	features, err := json.Marshal(r.Features)
	if err != nil {
		return Route{}, err
	}
	r.Version++
	return r, q.changeRoute(ctx, r.Name, `config_sealed = $2, features = $3, version = version + 1`,
		q.ring.Seal(config, sealedFor(name)), string(features))
}

// MendRoute changes what patch names in a carrier's configuration and keeps the
// rest; a field that is null there is taken away (RFC 7396, for the outermost
// object).
func (q *Queue) MendRoute(ctx context.Context, name string, patch json.RawMessage) (Route, error) {
	config, err := q.routeFields(ctx, name)
	if err != nil {
		return Route{}, err
	}
	var change map[string]json.RawMessage
	if err := carriers.ReadConfig(patch, &change); err != nil {
		return Route{}, invalidConfig(err)
	}
	for field, value := range change {
		if string(value) == "null" {
			delete(config, field)
		} else {
			config[field] = value
		}
	}
	whole, err := json.Marshal(config)
	if err != nil {
		return Route{}, err
	}
	return q.SetRoute(ctx, name, whole)
}

func invalidConfig(err error) error {
	return problem.Invalid("config", "the carrier's configuration: %v", err)
}

// ShownConfig is what may be seen of a carrier's configuration: numbers, yes and
// no, times, and the few texts that are known to be no secret. A field that is
// not known is taken for one.
func (q *Queue) ShownConfig(ctx context.Context, name string) (json.RawMessage, error) {
	config, err := q.routeFields(ctx, name)
	if err != nil {
		return nil, err
	}
	for field, value := range config {
		if !maySee(field, value) {
			delete(config, field)
		}
	}
	return json.MarshalIndent(config, "", "  ")
}

// noSecrets are the texts of a configuration that may be seen.
var noSecrets = map[string]bool{"addr": true, "system_id": true, "system_type": true, "bind": true, "url": true, "base_url": true, "outcome": true}

func maySee(field string, value json.RawMessage) bool {
	var text string
	if err := json.Unmarshal(value, &text); err == nil {
		_, err := time.ParseDuration(text)
		return noSecrets[field] || err == nil && text != "0"
	}
	var number float64
	var truth bool
	return json.Unmarshal(value, &number) == nil || json.Unmarshal(value, &truth) == nil
}

func (q *Queue) routeFields(ctx context.Context, name string) (map[string]json.RawMessage, error) {
	r, err := q.Route(ctx, name)
	if err != nil {
		return nil, err
	}
	_, config, err := q.configOf(ctx, r)
	if err != nil {
		return nil, err
	}
	fields := map[string]json.RawMessage{}
	return fields, json.Unmarshal(config, &fields)
}

// EnableRoute lets a carrier take messages.
func (q *Queue) EnableRoute(ctx context.Context, name string) error {
	return q.changeRoute(ctx, name, `enabled = TRUE`)
}

// DisableRoute ends a carrier's link in order. What waits for it goes on waiting,
// until its deadline or until the carrier is enabled; new messages take another.
func (q *Queue) DisableRoute(ctx context.Context, name string) error {
	return q.changeRoute(ctx, name, `enabled = FALSE`)
}

// changeRoute sets columns of a carrier. $1 is its name.
func (q *Queue) changeRoute(ctx context.Context, name, set string, args ...any) error {
	done, err := q.db.ExecContext(ctx, `UPDATE carriers SET `+set+` WHERE name = $1 AND removed_at = 0`, append([]any{name}, args...)...)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, problem.NotFound("carrier", name))
	}
	q.nudge()
	return nil
}

// RemoveRoute forgets a carrier that is disabled and has nothing left to send or
// to hear. Its row stays for the messages that went over it, its configuration
// and its address for callbacks do not; the name is free again.
func (q *Queue) RemoveRoute(ctx context.Context, name string) error {
	r, err := q.Route(ctx, name)
	if err != nil {
		return err
	}
	if r.Enabled {
		return problem.Conflict("carrier_enabled", "the carrier %s is in use: disable it first", name)
	}
	return q.db.InTx(ctx, func(tx *db.Tx) error {
		if err := stillNeeded(ctx, tx, r); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			UPDATE carriers SET removed_at = $1, config_sealed = '', callback_token = '', name = name || '#' || CAST(id AS TEXT)
			WHERE id = $2 AND enabled = FALSE`, db.Millis(time.Now()), r.ID)
		return err
	})
}

// stillNeeded refuses to remove a carrier that something hangs on.
func stillNeeded(ctx context.Context, tx *db.Tx, r Route) error {
	var until, campaigns, numbers, rules int64
	err := tx.QueryRowContext(ctx, `
		SELECT (SELECT COALESCE(MAX(deadline), 0) FROM ranges WHERE carrier_id = $1 AND closed = FALSE),
			(SELECT COUNT(*) FROM campaigns WHERE carrier_id = $1 AND state IN ('accepted', 'running', 'held', 'paused')),
			(SELECT COUNT(*) FROM numbers WHERE carrier_id = $1),
			(SELECT COUNT(*) FROM route_targets WHERE carrier_id = $1)`, r.ID).Scan(&until, &campaigns, &numbers, &rules)
	switch {
	case err != nil:
		return err
	case until > 0:
		return problem.Conflict("carrier_open", "messages wait to be sent by the carrier %s or for its receipts, until %s at the latest: remove it then",
			r.Name, db.Time(until).Format(time.RFC3339))
	case campaigns > 0:
		return problem.Conflict("carrier_campaigns", "%d campaigns are to go over the carrier %s: cancel them first", campaigns, r.Name)
	case numbers > 0:
		return problem.Conflict("carrier_numbers", "%d numbers are at the carrier %s: remove them first (varsel number list)", numbers, r.Name)
	case rules > 0:
		return problem.Conflict("carrier_rules", "%d rules name the carrier %s: remove them first (varsel route list)", rules, r.Name)
	}
	return nil
}
