package directory

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// Connection is one tenant that an account reads. The secret is not in it.
type Connection struct {
	ID          int64
	Account     int64
	Tenant      string
	Client      string
	SecretLast4 string
	SecretAt    time.Time // when it was given to us
	State       string    // Connected, Failing or Disconnected
	Reason      string    // why it is failing, for an administrator
	RequestedAt time.Time // the last Request
	DueAt       time.Time
	Every       time.Duration
	Created     time.Time
}

// States of a connection.
const (
	Connected    = "connected"
	Failing      = "failing"
	Disconnected = "disconnected"
)

// Connect reads a tenant from now on, and is due at once. Nothing is asked of
// anybody before the account has concluded its data processing agreement. For a
// tenant that is connected already it replaces client and secret.
func (d *Directory) Connect(ctx context.Context, account int64, c Credentials) (Connection, error) {
	if err := d.gate(ctx, account); err != nil {
		return Connection{}, err
	}
	c, err := c.checked()
	if err != nil {
		return Connection{}, err
	}
	id, err := d.db.NewIDs(ctx, 1)
	if err != nil {
		return Connection{}, err
	}
	id, err = d.saveConnection(ctx, id, account, c, time.Now())
	if err != nil {
		return Connection{}, fmt.Errorf("save the connection: %w", err)
	}
	return d.Connection(ctx, account, id)
}

var (
	tenantPattern = regexp.MustCompile(`^[A-Za-z0-9.-]+$`)
	clientPattern = regexp.MustCompile(`^[A-Za-z0-9-]+$`)
	guidPattern   = regexp.MustCompile(`^\{?[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}?$`)
)

func (c Credentials) checked() (Credentials, error) {
	c = Credentials{
		Tenant: strings.ToLower(strings.TrimSpace(c.Tenant)),
		Client: strings.ToLower(strings.TrimSpace(c.Client)),
		Secret: strings.TrimSpace(c.Secret),
	}
	switch {
	case !tenantPattern.MatchString(c.Tenant):
		return c, problem.Invalid("tenant", "the tenant id is the Directory (tenant) ID on the app's Overview page in Entra")
	case !clientPattern.MatchString(c.Client):
		return c, problem.Invalid("client_id", "the client id is the Application (client) ID on the app's Overview page in Entra")
	case c.Secret == "":
		return c, problem.Invalid("secret", "the secret is missing")
	case guidPattern.MatchString(c.Secret):
		return c, problem.Invalid("secret", "this looks like the Secret ID of the client secret. Give its Value instead: "+
			"Entra shows it only once, when the secret is made, so you may have to make a new one")
	}
	return c, nil
}

// about is what the secret is sealed for.
func about(account int64, tenant string) string {
	return fmt.Sprintf("directory %d %s", account, tenant)
}

// last4 lets an administrator tell one secret from another. Of a short one it
// would give too much away.
func last4(secret string) string {
	const enough = 12
	if len(secret) < enough {
		return ""
	}
	return secret[len(secret)-4:]
}

// Request asks for a sync as soon as possible. RunAfter finds the run that
// answers the request by the time it returns.
func (d *Directory) Request(ctx context.Context, account, connection int64) (time.Time, error) {
	if err := d.gate(ctx, account); err != nil {
		return time.Time{}, err
	}
	at, err := d.markRequested(ctx, account, connection, time.Now())
	if db.IsNone(err) {
		return time.Time{}, errNoConnection
	}
	return db.Time(at), err
}

var errNoConnection = problem.New(problem.KindNotFound, "connection_not_found", "there is no such connection to a directory")

// Due lists the connections to sync now: requested, scheduled, or left by a
// process that ended. Those that a living process syncs are not among them.
func (d *Directory) Due(ctx context.Context, now time.Time) ([]Connection, error) {
	due, err := d.dueConnections(ctx, now)
	if err != nil {
		return nil, fmt.Errorf("list the connections that are due: %w", err)
	}
	var free []Connection
	for _, one := range due {
		if !d.alive(one.connection.ID, one.running) {
			free = append(free, one.connection)
		}
	}
	return free, nil
}
