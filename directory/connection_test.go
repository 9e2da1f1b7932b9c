package directory_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/varsel/varsel/directory"
)

func TestConnectingBeforeAnAgreementIsRefusedAndNothingIsAsked(t *testing.T) { // S6
	eachOffice(t, func(o *office) {
		o.agreed = false
		_, _, err := o.Connect(o.Context(), acme, directory.Setup{Credentials: credentials})
		o.refused("no_agreement", err)
		list, err := o.Connections(o.Context(), acme)
		o.equal([]any{0, nil}, []any{len(list), err})
		o.equal(0, len(o.opened))
	})
}

func TestAfterTheAgreementEndsNothingIsAsked(t *testing.T) { // S6
	eachOffice(t, func(o *office) {
		o.entra.person("a", "900 00 001")
		o.synced()
		o.agreed, o.opened, o.entra.asked = false, nil, nil
		_, err := o.Request(o.Context(), acme, o.only().ID)
		o.refused("no_agreement", err)
		run, err := o.Sync(o.Context(), acme, o.only().ID)
		o.refused("no_agreement", err)
		o.equal([]string{directory.Failed, "there is no agreement"}, []string{run.State, run.Reason})
		o.equal([]int{0, 0, 1}, []int{len(o.opened), len(o.entra.asked), len(o.numbers())})
		o.equal(0, len(o.due(time.Now())))
	})
}

func TestTheSecretIsSealedAndNeverShown(t *testing.T) { // S19
	eachOffice(t, func(o *office) {
		asTyped := directory.Credentials{Tenant: " Contoso ", Client: "APP", Secret: credentials.Secret + "\n"}
		c, _, err := o.Connect(o.Context(), acme, directory.Setup{Credentials: asTyped})
		o.equal(nil, err)
		o.equal(directory.Connection{
			ID: c.ID, Account: acme, Kind: directory.FromGraph, Tenant: "contoso", Client: "app", Cloud: directory.GlobalCloud,
			Credential: directory.BySecret, SecretLast4: "1234", State: directory.Connected, Every: 15 * time.Minute,
		}, c, cmpopts.IgnoreFields(directory.Connection{}, "SecretAt", "DueAt", "Created", "ActivatedAt", "Checked"))
		if age := time.Since(c.SecretAt); age < 0 || age > time.Minute {
			o.Errorf("the secret is %v old", age)
		}
		var sealed string
		o.equal(nil, o.db.QueryRowContext(o.Context(), `SELECT secret_sealed FROM connections`).Scan(&sealed))
		if strings.Contains(sealed, credentials.Secret) {
			o.Error("the secret is stored as it is")
		}
		o.synced()
		o.equal(credentials, o.opened[0].Credentials)
	})
}

func TestAPastedSecretIDIsExplained(t *testing.T) { // S19
	eachOffice(t, func(o *office) {
		for _, id := range []string{"0f8fad5b-d9cb-469f-a165-70867728950e", " {0F8FAD5B-D9CB-469F-A165-70867728950E}"} {
			c := credentials
			c.Secret = id
			_, _, err := o.Connect(o.Context(), acme, directory.Setup{Credentials: c})
			o.refused("invalid_secret", err)
			if !strings.Contains(err.Error(), "Value") {
				o.Errorf("no advice in %q", err)
			}
		}
	})
}

func TestCredentialsThatCannotBeAreRefused(t *testing.T) {
	eachOffice(t, func(o *office) {
		for code, c := range map[string]directory.Credentials{
			"invalid_tenant":    {Tenant: "https://contoso.com/", Client: "app", Secret: "secret"},
			"invalid_client_id": {Tenant: "contoso", Client: "", Secret: "secret"},
			"invalid_secret":    {Tenant: "contoso", Client: "app", Secret: "  "},
		} {
			_, _, err := o.Connect(o.Context(), acme, directory.Setup{Credentials: c})
			o.refused(code, err)
		}
	})
}

func TestANewSecretKeepsTheConnection(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.entra.person("a", "900 00 001")
		o.synced()
		before, people := o.only(), o.contacts()
		c := credentials
		c.Secret = "another~secret.5678"
		after, _, err := o.Connect(o.Context(), acme, directory.Setup{Credentials: c})
		o.equal(nil, err)
		o.equal([]any{before.ID, "5678"}, []any{after.ID, after.SecretLast4})
		o.synced()
		o.equal(c, o.opened[1].Credentials)
		o.equal(people, o.contacts())
	})
}
