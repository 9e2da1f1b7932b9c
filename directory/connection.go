package directory

import (
	"context"
	"fmt"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// Connection is one tenant that an account reads. The secret is not in it.
type Connection struct {
	ID            int64
	Account       int64
	Kind          string // FromGraph or FromSCIM
	Tenant        string
	Client        string
	Cloud         string
	Credential    string // BySecret, ByCertificate or ByInstallation
	SecretLast4   string
	SecretAt      time.Time // when it was given to us
	SecretExpires time.Time // as the administrator or the certificate says; zero for not known
	State         string    // Connected, Failing or Disconnected
	Reason        string    // why it is failing or was not activated, for an administrator
	Settings      Settings
	Preview       bool // it is read, but the address book does not follow
	RequestedAt   time.Time
	DueAt         time.Time
	Every         time.Duration
	ActivatedAt   time.Time // zero for never
	SucceededAt   time.Time // as of when the address book tells what the directory tells
	StalledAt     time.Time // since when that is too long ago; zero for not
	Checked       time.Time
	Findings      []Finding // of the last check
	Created       time.Time
}

// Kinds of connection.
const (
	FromGraph = "graph"
	FromSCIM  = "scim"
)

// States of a connection.
const (
	Connected    = "connected"
	Failing      = "failing"
	Disconnected = "disconnected"
)

// Setup is what an administrator enters to connect a tenant.
type Setup struct {
	Credentials
	Cloud         string // GlobalCloud when empty
	SecretExpires time.Time
	Settings      Settings
	Preview       bool

	installed bool // the credentials are the installation's, and not kept
}

// Connect checks the access to a tenant and, when all of it is there, reads the
// tenant from now on. Nothing is asked of anybody before the account has
// concluded its data processing agreement. A tenant whose check fails is kept,
// but not activated: Check tries again. One that is connected already goes on
// with what it had unless the new values pass.
func (d *Directory) Connect(ctx context.Context, account int64, setup Setup) (Connection, Report, error) {
	if err := d.allowed(ctx, account); err != nil {
		return Connection{}, nil, err
	}
	c, err := d.prepared(ctx, account, &setup)
	if err != nil {
		return Connection{}, nil, err
	}
	report, err := d.examineSetup(ctx, c, setup)
	if err != nil {
		return Connection{}, nil, err
	}
	before, known, err := d.connectionOf(ctx, account, c.Tenant)
	if err != nil || known && before.State != Disconnected && !report.OK() {
		return before, report, err
	}
	c.judge(report, time.Now())
	sealed := d.ring.Seal(setup.kept(), about(account, c.Tenant))
	id, err := d.saveConnection(ctx, c, sealed)
	if err != nil {
		return Connection{}, nil, fmt.Errorf("save the connection: %w", err)
	}
	c, err = d.Connection(ctx, account, id)
	return c, report, err
}

// prepared is the connection that a setup describes.
func (d *Directory) prepared(ctx context.Context, account int64, setup *Setup) (c Connection, err error) {
	if setup.Cloud == "" {
		setup.Cloud = GlobalCloud
	}
	if _, err := d.cloud(setup.Cloud); err != nil {
		return c, err
	}
	if setup.Credentials, err = setup.Checked(); err != nil {
		return c, err
	}
	if setup.Settings, err = setup.Settings.checked(); err != nil {
		return c, err
	}
	if setup.Certificate != "" {
		setup.SecretExpires, _ = setup.certificateEnds() // checked already
	}
	now := time.Now()
	c = Connection{
		Account: account, Kind: FromGraph, Tenant: setup.Tenant, Client: setup.Client, Cloud: setup.Cloud, Credential: setup.kind(),
		SecretLast4: last4(setup.Secret), SecretAt: now, SecretExpires: setup.SecretExpires,
		Settings: setup.Settings, Preview: setup.Preview, Every: defaultEvery, Created: now,
	}
	if setup.installed {
		c.Credential, c.SecretLast4, c.SecretExpires = ByInstallation, "", time.Time{}
	}
	c.ID, err = d.db.NewIDs(ctx, 1)
	return c, err
}

// kept is what is stored of the credentials, besides the tenant and the client.
func (s Setup) kept() []byte {
	if s.installed {
		return nil
	}
	return s.sealed()
}

// judge activates a connection whose check passed, and no other.
func (c *Connection) judge(r Report, now time.Time) {
	c.Checked, c.Findings = now, r
	if failed, ok := r.failed(); ok {
		c.State, c.Reason = Disconnected, failed.Text
		return
	}
	c.State, c.Reason, c.DueAt, c.ActivatedAt = Connected, "", now, now
}

// Check asks again for everything that a sync reads. It activates a connection
// that is not, when all is well; one that is connected stays so, whatever comes
// out: its next run tells.
func (d *Directory) Check(ctx context.Context, account, connection int64) (Connection, Report, error) {
	if err := d.allowed(ctx, account); err != nil {
		return Connection{}, nil, err
	}
	c, err := d.Connection(ctx, account, connection)
	if err != nil {
		return c, nil, err
	}
	report, err := d.checked(ctx, c)
	if err != nil {
		return c, nil, err
	}
	if c.State == Disconnected {
		c.judge(report, time.Now())
	} else {
		c.Checked, c.Findings = time.Now(), report
	}
	return c, report, d.recordCheck(ctx, c)
}

// checked examines a connection as it is stored. One that a directory writes to
// has nothing to ask for.
func (d *Directory) checked(ctx context.Context, c Connection) (Report, error) {
	if c.Kind == FromSCIM {
		return Report{}, nil
	}
	credentials, err := d.credentials(ctx, c)
	if err != nil {
		return nil, err
	}
	return d.examine(ctx, c, credentials)
}

func (d *Directory) credentials(ctx context.Context, c Connection) (Credentials, error) {
	sealed, err := d.sealedSecret(ctx, c.Account, c.ID)
	if err != nil {
		return Credentials{}, err
	}
	return d.unsealed(c, sealed)
}

// unsealed are the credentials that a connection signs in with.
func (d *Directory) unsealed(c Connection, sealed string) (Credentials, error) {
	if c.Credential == ByInstallation {
		return d.installed(c.Tenant)
	}
	secret, err := d.ring.Open(sealed, about(c.Account, c.Tenant))
	if err != nil {
		return Credentials{}, err
	}
	credentials := Credentials{Tenant: c.Tenant, Client: c.Client}
	credentials.unseal(secret)
	return credentials, nil
}

// Disconnect stops reading the tenant, at once. Contacts and cards stay as they
// are, until Check connects it again and the next run catches up.
func (d *Directory) Disconnect(ctx context.Context, account, connection int64) error {
	if _, err := d.Connection(ctx, account, connection); err != nil {
		return err
	}
	return d.disconnect(ctx, account, connection, time.Now())
}

// Change sets what an administrator decides, from the next run on. A changed
// scope means that everybody is read again.
func (d *Directory) Change(ctx context.Context, account, connection int64, s Settings, every time.Duration, preview bool) error {
	s, err := s.checked()
	if err != nil {
		return err
	}
	if err := checkEvery(every); err != nil {
		return err
	}
	c, err := d.Connection(ctx, account, connection)
	switch {
	case err != nil:
		return err
	case c.Kind == FromSCIM && (s.Scope.LicensedOnly || s.Scope.NoMinors):
		return problem.Invalid("scope", "a directory that writes by SCIM does not tell licences or who is a minor")
	}
	return d.update(ctx, account, connection, `settings = $3, every_ms = $4, preview = $5, due_at = CASE WHEN state = 'disconnected' THEN due_at ELSE $6 END`,
		s.text(), every.Milliseconds(), flag(preview), db.Millis(time.Now()))
}

// SecretExpires notes when the administrator says that the secret ends.
func (d *Directory) SecretExpires(ctx context.Context, account, connection int64, at time.Time) error {
	if _, err := d.Connection(ctx, account, connection); err != nil {
		return err
	}
	return d.update(ctx, account, connection, `secret_expires_at = $3, warned_days = 0`, db.Millis(at))
}

// Request asks for a sync as soon as possible. RunAfter finds the run that
// answers the request by the time it returns.
func (d *Directory) Request(ctx context.Context, account, connection int64) (time.Time, error) {
	return d.request(ctx, account, connection, Sync, "")
}

// RequestPreview asks for a run that only compares.
func (d *Directory) RequestPreview(ctx context.Context, account, connection int64) (time.Time, error) {
	return d.request(ctx, account, connection, Preview, "")
}

// RequestGroup asks for a run that reads one group, by its object id.
func (d *Directory) RequestGroup(ctx context.Context, account, connection int64, group string) (time.Time, error) {
	return d.request(ctx, account, connection, Group, group)
}

func (d *Directory) request(ctx context.Context, account, connection int64, kind, group string) (time.Time, error) {
	if err := d.allowed(ctx, account); err != nil {
		return time.Time{}, err
	}
	at, err := d.markRequested(ctx, account, connection, kind, group, time.Now())
	if db.IsNone(err) {
		if _, err := d.Connection(ctx, account, connection); err != nil {
			return time.Time{}, err
		}
		return time.Time{}, errDisconnected
	}
	return db.Time(at), err
}

var (
	errNoConnection = problem.New(problem.KindNotFound, "connection_not_found", "there is no such connection to a directory")
	errDisconnected = problem.Conflict("disconnected", "the directory is not connected")
)

// Due lists the connections to sync now: requested, scheduled, told of a change,
// with a run that waited long enough, or left by a process that ended. Those that a living
// process syncs are not among them, nor those that are suspended.
func (d *Directory) Due(ctx context.Context, now time.Time) ([]Connection, error) {
	due, err := d.dueConnections(ctx, now)
	if err != nil {
		return nil, fmt.Errorf("list the connections that are due: %w", err)
	}
	var free []Connection
	suspended := suspensions{d, map[int64]bool{}}
	for _, one := range due {
		if d.alive(one.connection.ID, one.open) {
			continue
		}
		not, err := suspended.of(ctx, one.connection.Account)
		if err != nil {
			return nil, err
		}
		if !not {
			free = append(free, one.connection)
		}
	}
	return free, nil
}
