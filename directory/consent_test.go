package directory_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/problem"
)

const (
	kari, ola = 11, 12 // users
	back      = "https://varsel.example/directory/consent/callback"
	tenant    = "7c1e9a52-3d40-4f6b-9b1e-52f0a6c3d801"
)

// porch is where administrators sign in and consent, in memory.
type porch struct {
	visits  []directory.Visit
	visitor directory.Visitor
	failure error
	asked   int
	asking  directory.Visit
	code    string
}

func (p *porch) at(page string) func(directory.Visit) string {
	return func(v directory.Visit) string {
		p.visits = append(p.visits, v)
		return page + " " + v.App.Tenant
	}
}

func (p *porch) whoIs(_ context.Context, v directory.Visit, code string) (directory.Visitor, error) {
	p.asked++
	p.asking, p.code = v, code
	return p.visitor, p.failure
}

// state is the one that the last page was given.
func (p *porch) state() string { return p.visits[len(p.visits)-1].State }

func (o *office) withApp() {
	o.app = directory.Credentials{Tenant: "organizations", Client: "installation-app", Secret: "installation~secret.9876"}
	o.porch.visitor = directory.Visitor{Tenant: tenant, Administrator: true}
	o.restart(ours)
	for id, email := range map[int64]string{kari: "kari", ola: "ola"} {
		o.exec(`INSERT INTO users (id, email, password_hash, created_at) VALUES ($1, $2, '', 0)`, id, email)
	}
}

func eachOfficeWithApp(t *testing.T, test func(o *office)) {
	t.Helper()
	eachOffice(t, func(o *office) {
		o.withApp()
		test(o)
	})
}

func (o *office) begins() string {
	o.Helper()
	page, err := o.BeginConsent(o.Context(), acme, kari, back)
	if err != nil {
		o.Fatal(err)
	}
	return page
}

func (o *office) follows(r directory.Return) (directory.Step, error) {
	return o.FollowConsent(o.Context(), acme, kari, back, r)
}

// signs in, and answers the state of the consent's page.
func (o *office) signs() string {
	o.Helper()
	o.begins()
	step, err := o.follows(directory.Return{State: o.porch.state(), Code: "code"})
	o.equal([]any{"consent " + tenant, nil}, []any{step.Next, err})
	return o.porch.state()
}

func (o *office) unconnected() {
	o.Helper()
	list, err := o.Connections(o.Context(), acme)
	o.equal([]any{0, nil}, []any{len(list), err})
}

func TestAnAdministratorConnectsByConsent(t *testing.T) { // Q1, Q6, Q7
	eachOfficeWithApp(t, func(o *office) {
		o.entra.person("a", "900 00 001")
		o.equal("sign-in ", o.begins())
		first := o.porch.visits[0]
		o.equal([]string{"installation-app", back}, []string{first.App.Client, first.Back})
		for _, secret := range []string{first.State, first.Nonce, first.Verifier} {
			if len(secret) != 43 { // 256 bits
				t.Errorf("%q", secret)
			}
		}
		step, err := o.follows(directory.Return{State: first.State, Code: "the code"})
		o.equal([]any{"consent " + tenant, nil}, []any{step.Next, err})
		o.equal([]string{"the code", first.Nonce, first.Verifier, back}, []string{o.porch.code, o.porch.asking.Nonce, o.porch.asking.Verifier, o.porch.asking.Back})
		if o.porch.state() == first.State {
			t.Error("both ways have one state")
		}

		step, err = o.follows(directory.Return{State: o.porch.state(), Tenant: strings.ToUpper(tenant), Consented: true})
		o.equal(nil, err)
		c := step.Connection
		o.equal([]any{"", true, directory.Connected, tenant, "installation-app", directory.ByInstallation, ""},
			[]any{step.Next, step.Report.OK(), c.State, c.Tenant, c.Client, c.Credential, c.SecretLast4})
		o.synced()
		o.equal(map[string]string{"a": "+4790000001"}, o.numbers())
		want := directory.Credentials{Tenant: tenant, Client: "installation-app", Secret: "installation~secret.9876"}
		o.equal([]directory.Credentials{want, want}, []directory.Credentials{o.checked[0].Credentials, o.opened[0].Credentials})
	})
}

func TestTheInstallationsSecretIsNotKeptWithTheConnection(t *testing.T) {
	eachOfficeWithApp(t, func(o *office) {
		_, err := o.follows(directory.Return{State: o.signs(), Tenant: tenant, Consented: true})
		o.equal(nil, err)
		var sealed string
		o.equal(nil, o.db.QueryRowContext(t.Context(), `SELECT secret_sealed FROM connections`).Scan(&sealed))
		kept, err := o.ring.Open(sealed, "directory 1 "+tenant)
		o.equal([]any{"", nil}, []any{string(kept), err})

		// A new one in the settings is the one that is used.
		o.app.Secret = "a-new~installation.secret"
		o.restart(ours)
		o.synced()
		o.equal("a-new~installation.secret", o.opened[len(o.opened)-1].Secret)
		_, _, err = o.Check(t.Context(), acme, o.only().ID)
		o.equal([]any{"a-new~installation.secret", nil}, []any{o.checked[len(o.checked)-1].Secret, err})

		o.app = directory.Credentials{}
		o.restart(ours)
		_, err = o.Sync(t.Context(), acme, o.only().ID)
		o.refused("consent_app", err)
	})
}

func TestNobodyElseConnects(t *testing.T) { // Q1
	eachOfficeWithApp(t, func(o *office) {
		o.porch.visitor.Administrator = false
		o.begins()
		_, err := o.follows(directory.Return{State: o.porch.state(), Code: "code"})
		o.refused("consent_not_admin", err)
		o.equal(1, len(o.porch.visits)) // nobody was sent on
		o.unconnected()
	})
}

func TestAStateIsForOneUserAndOnce(t *testing.T) { // Q7
	eachOfficeWithApp(t, func(o *office) {
		o.begins()
		state := o.porch.state()
		for _, wrong := range []string{"", "x", state + "x"} {
			_, err := o.follows(directory.Return{State: wrong, Code: "code"})
			o.refused("consent_state", err)
		}
		_, err := o.FollowConsent(t.Context(), acme, ola, back, directory.Return{State: state, Code: "code"})
		o.refused("consent_state", err)
		_, err = o.FollowConsent(t.Context(), other, kari, back, directory.Return{State: state, Code: "code"})
		o.refused("consent_state", err)
		o.equal(0, o.porch.asked)

		_, err = o.follows(directory.Return{State: state, Code: "code"})
		o.equal(nil, err)
		_, err = o.follows(directory.Return{State: state, Code: "code"})
		o.refused("consent_state", err)
		o.equal(1, o.porch.asked)

		second := o.porch.state()
		_, err = o.FollowConsent(t.Context(), acme, ola, back, directory.Return{State: second, Tenant: tenant, Consented: true})
		o.refused("consent_state", err)
		_, err = o.follows(directory.Return{State: second, Tenant: tenant, Consented: true})
		o.equal(nil, err)
		_, err = o.follows(directory.Return{State: second, Tenant: tenant, Consented: true})
		o.refused("consent_state", err)
	})
}

// The consent's answer to a sign-in's state, and the other way round.
func TestNoStepIsLeftOut(t *testing.T) { // Q7
	eachOfficeWithApp(t, func(o *office) {
		o.begins()
		o.porch.failure = problem.New(problem.KindConflict, "directory_sign_in", "there is no such code")
		_, err := o.follows(directory.Return{State: o.porch.state(), Tenant: tenant, Consented: true})
		o.refused("directory_sign_in", err)
		o.porch.failure = nil
		_, err = o.follows(directory.Return{State: o.signs(), Code: "code", Tenant: tenant})
		o.refused("consent_declined", err)
		o.unconnected()
	})
}

func TestAConsentForAnotherTenantConnectsNothing(t *testing.T) {
	eachOfficeWithApp(t, func(o *office) {
		for _, forged := range []string{"", "0d9f3e57-0000-4000-8000-000000000002", tenant + "x"} {
			_, err := o.follows(directory.Return{State: o.signs(), Tenant: forged, Consented: true})
			o.refused("consent_tenant", err)
		}
		o.unconnected()
	})
}

func TestWhoeverDeclinesIsNotConnected(t *testing.T) { // Q6
	eachOfficeWithApp(t, func(o *office) {
		for said, code := range map[string]string{"access_denied": "consent_declined", "server_error": "consent_failed", "<script>": "consent_failed"} {
			o.begins()
			_, err := o.follows(directory.Return{State: o.porch.state(), Error: said})
			o.refused(code, err)
			_, err = o.follows(directory.Return{State: o.signs(), Error: said, Tenant: tenant, Consented: true})
			o.refused(code, err)
			if strings.Contains(err.Error(), said) {
				t.Errorf("the browser's words are repeated: %v", err)
			}
		}
		o.unconnected()
	})
}

func TestAWayEndsAfterTenMinutes(t *testing.T) {
	eachOfficeWithApp(t, func(o *office) {
		for _, at := range []func(){func() { o.begins() }, func() { o.signs() }} {
			at()
			var ends int64
			o.equal(nil, o.db.QueryRowContext(t.Context(), `SELECT expires_at FROM directory_consents`).Scan(&ends))
			if left := time.Until(time.UnixMilli(ends)); left > 10*time.Minute || left < 9*time.Minute {
				t.Errorf("it ends in %v", left)
			}
			o.exec(`UPDATE directory_consents SET expires_at = $1`, time.Now().UnixMilli())
			_, err := o.follows(directory.Return{State: o.porch.state(), Code: "code", Tenant: tenant, Consented: true})
			o.refused("consent_state", err)
		}
		o.begins() // sweeps what has ended
		var rows int
		o.equal(nil, o.db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM directory_consents`).Scan(&rows))
		o.equal(1, rows)
	})
}

func TestNobodyIsSentToMicrosoftBeforeAnAgreement(t *testing.T) { // S6
	eachOfficeWithApp(t, func(o *office) {
		o.agreed = false
		_, err := o.BeginConsent(t.Context(), acme, kari, back)
		o.refused("no_agreement", err)
		o.equal(0, len(o.porch.visits))

		o.agreed = true
		o.begins()
		o.agreed = false
		_, err = o.follows(directory.Return{State: o.porch.state(), Code: "code"})
		o.refused("no_agreement", err)
		o.equal(0, o.porch.asked)
	})
}

func TestWithoutAnAppThereIsNothingToConsentTo(t *testing.T) {
	eachOffice(t, func(o *office) {
		_, err := o.BeginConsent(t.Context(), acme, kari, back)
		o.refused("consent_app", err)
		o.equal(false, o.OffersConsent())
	})
}

func TestAFreshConsentIsGivenTimeToShow(t *testing.T) { // S21
	eachOfficeWithApp(t, func(o *office) {
		o.finding = func(n int) []directory.Finding {
			if n == 1 {
				return []directory.Finding{{Step: directory.StepSignIn, Outcome: directory.Broken, Code: "directory_client", Text: "not consented"}}
			}
			return nil
		}
		step, err := o.follows(directory.Return{State: o.signs(), Tenant: tenant, Consented: true})
		o.equal([]any{nil, true, directory.Connected, 2}, []any{err, step.Report.OK(), step.Connection.State, len(o.checked)})
	})
}

func TestAConsentThatDoesNotShowIsKeptToBeCheckedAgain(t *testing.T) { // S21
	eachOfficeWithApp(t, func(o *office) {
		o.patience = time.Millisecond
		o.restart(ours)
		o.findings = []directory.Finding{{Step: directory.StepPeople, Outcome: directory.Broken, Code: "directory_consent", Text: "User.Read.All is missing"}}
		step, err := o.follows(directory.Return{State: o.signs(), Tenant: tenant, Consented: true})
		o.equal([]any{nil, directory.Disconnected, "User.Read.All is missing"}, []any{err, step.Connection.State, step.Connection.Reason})

		o.findings = nil
		c, _, err := o.Check(t.Context(), acme, step.Connection.ID)
		o.equal([]any{nil, directory.Connected}, []any{err, c.State})
	})
}
