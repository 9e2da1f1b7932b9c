package directory

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/problem"
)

// An installation may have an app of its own that administrators let into their
// tenants, so that they register none. The way there goes by two pages of
// Microsoft's: an administrator signs in, and consents. The consent's answer
// comes through the browser, and anybody can write it; who an administrator of
// which tenant is, only the sign-in proves (docs/decisions/0009-consent.md).

// Visit is a person's way to a page of Microsoft's and back.
type Visit struct {
	App   Credentials // the installation's; Tenant is the one to consent for
	Back  string      // URL that the browser is sent back to
	State string      // comes back with it
	// Of a sign-in: Nonce is in what it proves, Verifier redeems it (RFC 7636).
	Nonce, Verifier string
}

// Visitor is a person who has signed in.
type Visitor struct {
	Tenant        string
	Administrator bool // who may consent for the tenant
}

// Return is what a browser says that it came back with.
type Return struct {
	State, Code, Tenant string
	Consented           bool
	Error               string // OAuth's code of it; "" for none
}

// Step is where an administrator is on the way.
type Step struct {
	Next string // the page to go to; "" at the end
	// At the end: the connection, and what its check found out.
	Connection Connection
	Report     Report
}

const (
	signingIn  = "sign_in"
	consenting = "consent"

	consentLife = 10 * time.Minute
	// consentPatience is for Microsoft, where a consent takes a while to show.
	consentPatience = 30 * time.Second
	consentPause    = 2 * time.Second
)

var (
	errNoApp    = problem.Conflict("consent_app", "this installation has no app of its own in Entra (VARSEL_ENTRA_CLIENT_ID)")
	errConsent  = problem.New(problem.KindForbidden, "consent_state", "this sign-in was begun by somebody else, took longer than ten minutes, or has been used")
	errDeclined = problem.New(problem.KindForbidden, "consent_declined", "the sign-in or the consent was declined at Microsoft")
	errFailed   = problem.New(problem.KindConflict, "consent_failed", "Microsoft ended the sign-in with an error")
	errNoAdmin  = problem.New(problem.KindForbidden, "consent_not_admin",
		"only a Global Administrator or a Privileged Role Administrator of the directory can connect it")
	errOtherTenant = problem.New(problem.KindForbidden, "consent_tenant", "the consent was given for another tenant than the one that was signed in to")
)

// OffersConsent says whether the installation has an app to consent to.
func (d *Directory) OffersConsent() bool { return d.app.Client != "" }

// installed are the installation's credentials in a tenant.
func (d *Directory) installed(tenant string) (Credentials, error) {
	if !d.OffersConsent() {
		return Credentials{}, errNoApp
	}
	c := d.app
	c.Tenant = tenant
	return c, nil
}

// BeginConsent answers the page at which an administrator of a directory signs
// in, to come back to the URL back. The way is the user's alone, for ten minutes,
// and is gone once. Before the account has its agreement there is none.
func (d *Directory) BeginConsent(ctx context.Context, account, user int64, back string) (string, error) {
	if err := d.allowed(ctx, account); err != nil {
		return "", err
	}
	return d.send(ctx, way{account: account, user: user, step: signingIn}, back)
}

// way is a row of directory_consents.
type way struct {
	account, user int64
	step, tenant  string
	nonce         string
	verifier      string
}

// send remembers a way and answers the page that it leads to.
func (d *Directory) send(ctx context.Context, w way, back string) (string, error) {
	app, err := d.installed(w.tenant)
	if err != nil {
		return "", err
	}
	cloud, err := d.cloud(GlobalCloud)
	if err != nil {
		return "", err
	}
	w.nonce, w.verifier = newSecret(), newSecret()
	v := Visit{App: app, Back: back, State: newSecret(), Nonce: w.nonce, Verifier: w.verifier}
	state := hashed(v.State)
	if err := d.saveWay(ctx, w, state, d.ring.Seal(w.sealed(), aboutWay(state)), time.Now()); err != nil {
		return "", fmt.Errorf("begin a consent: %w", err)
	}
	if w.step == signingIn {
		return cloud.SignInAt(v), nil
	}
	return cloud.ConsentAt(v), nil
}

func aboutWay(stateHash string) string { return "consent " + stateHash }

func (w way) sealed() []byte {
	text, err := json.Marshal([]string{w.nonce, w.verifier})
	if err != nil {
		panic(err) // it is two strings
	}
	return text
}

func (w *way) unseal(text []byte) error {
	return json.Unmarshal(text, &[]*string{&w.nonce, &w.verifier})
}

// FollowConsent takes what the user's browser came back with to the URL back.
func (d *Directory) FollowConsent(ctx context.Context, account, user int64, back string, r Return) (Step, error) {
	if err := d.allowed(ctx, account); err != nil {
		return Step{}, err
	}
	w, err := d.returned(ctx, account, user, hashed(r.State))
	switch {
	case err != nil:
		return Step{}, err
	case r.Error == "access_denied":
		return Step{}, errDeclined
	case r.Error != "":
		return Step{}, errFailed
	case w.step == signingIn:
		return d.signedIn(ctx, w, back, r.Code)
	}
	return d.consented(ctx, w, r)
}

func (d *Directory) returned(ctx context.Context, account, user int64, stateHash string) (w way, err error) {
	w, sealed, found, err := d.takeWay(ctx, account, user, stateHash, time.Now())
	if err != nil {
		return w, fmt.Errorf("end a consent: %w", err)
	}
	if !found {
		return w, errConsent
	}
	text, err := d.ring.Open(sealed, aboutWay(stateHash))
	if err != nil {
		return w, err
	}
	return w, w.unseal(text)
}

// signedIn sends an administrator on to consent for the tenant of their sign-in.
func (d *Directory) signedIn(ctx context.Context, w way, back, code string) (Step, error) {
	app, err := d.installed("")
	if err != nil {
		return Step{}, err
	}
	cloud, err := d.cloud(GlobalCloud)
	if err != nil {
		return Step{}, err
	}
	who, err := cloud.WhoIs(ctx, Visit{App: app, Back: back, Nonce: w.nonce, Verifier: w.verifier}, code)
	if err != nil {
		return Step{}, err
	}
	if !who.Administrator {
		return Step{}, errNoAdmin
	}
	w.step, w.tenant = consenting, who.Tenant
	next, err := d.send(ctx, w, back)
	return Step{Next: next}, err
}

func (d *Directory) consented(ctx context.Context, w way, r Return) (Step, error) {
	switch {
	case !r.Consented:
		return Step{}, errDeclined
	case !strings.EqualFold(r.Tenant, w.tenant):
		return Step{}, errOtherTenant
	}
	app, err := d.installed(w.tenant)
	if err != nil {
		return Step{}, err
	}
	c, report, err := d.Connect(ctx, w.account, Setup{Credentials: app, installed: true})
	return Step{Connection: c, Report: report}, err
}

// examineSetup gives a fresh consent the time that it takes to show.
func (d *Directory) examineSetup(ctx context.Context, c Connection, s Setup) (Report, error) {
	for end := time.Now().Add(d.patience); ; {
		report, err := d.examine(ctx, c, s.Credentials)
		if err != nil || !s.installed || !report.unconsented() || time.Now().Add(consentPause).After(end) {
			return report, err
		}
		select {
		case <-ctx.Done():
			return report, nil
		case <-time.After(consentPause):
		}
	}
}

// unconsented says that the check failed as one does without consent.
func (r Report) unconsented() bool {
	f, broken := r.failed()
	return broken && (f.Code == "directory_client" || f.Code == "directory_consent")
}
