package graphsim

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

func azure(t *testing.T, s *Server, tenant, secret string) (azcore.AccessToken, error) {
	t.Helper()
	cred, err := azidentity.NewClientSecretCredential(tenant, DefaultClientID, secret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: azcore.ClientOptions{
			Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: s.URL()},
			Transport: trusting(t, s),
			Retry:     policy.RetryOptions{MaxRetries: -1},
		},
		DisableInstanceDiscovery: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return cred.GetToken(context.Background(), policy.TokenRequestOptions{Scopes: []string{"https://graph.microsoft.com/.default"}})
}

func TestAzureIdentitySignsIn(t *testing.T) {
	s, c := start(t, Options{Org: staff()})
	token, err := azure(t, s, DefaultTenantID, DefaultSecret)
	if err != nil {
		t.Fatal(err)
	}
	c.bearer = token.Token
	if a := c.get("/users"); len(a.items()) != 5 {
		t.Errorf("with azidentity's token: %d %s", a.status, a.raw)
	}
	if left := time.Until(token.ExpiresOn); left < 59*time.Minute || left > time.Hour {
		t.Errorf("expires in %v", left)
	}
}

func TestAzureIdentityIsToldWhatIsWrong(t *testing.T) {
	s, _ := start(t, Options{})
	if _, err := azure(t, s, DefaultTenantID, "wrong"); err == nil || !strings.Contains(err.Error(), "AADSTS7000215") {
		t.Errorf("wrong secret: %v", err)
	}
	if _, err := azure(t, s, "0d9f3e57-0000-4000-8000-00000000000f", DefaultSecret); err == nil || !strings.Contains(err.Error(), "AADSTS90002") {
		t.Errorf("wrong tenant: %v", err)
	}
}

func TestSignInRefusals(t *testing.T) {
	s, c := start(t, Options{})
	with := func(name, value string) url.Values {
		form := grant(DefaultClientID, DefaultSecret)
		form.Set(name, value)
		return form
	}
	for _, c2 := range []struct {
		name, tenant string
		form         url.Values
		expired      bool
		status       int
		err          string
		code         float64
	}{
		{"tenant", "contoso", with("", ""), false, 400, "invalid_request", 90002},
		{"client", DefaultTenantID, with("client_id", "x"), false, 400, "unauthorized_client", 700016},
		{"no client", DefaultTenantID, with("client_id", ""), false, 400, "invalid_request", 900144},
		{"secret", DefaultTenantID, with("client_secret", "x"), false, 401, "invalid_client", 7000215},
		{"no secret", DefaultTenantID, with("client_secret", ""), false, 401, "invalid_client", 7000218},
		{"expired secret", DefaultTenantID, with("", ""), true, 401, "invalid_client", 7000222},
		{"grant", DefaultTenantID, with("grant_type", "password"), false, 400, "unsupported_grant_type", 70003},
		{"no scope", DefaultTenantID, with("scope", ""), false, 400, "invalid_request", 900144},
		{"scope", DefaultTenantID, with("scope", "User.Read"), false, 400, "invalid_scope", 1002012},
		{"resource", DefaultTenantID, with("scope", "https://127.0.0.1/.default"), false, 400, "invalid_resource", 500011},
	} {
		t.Run(c2.name, func(t *testing.T) {
			s.SetFaults(Faults{SecretExpired: c2.expired})
			a := c.token(c2.tenant, c2.form)
			codes, _ := a.body["error_codes"].([]any)
			if a.status != c2.status || a.body["error"] != c2.err || len(codes) != 1 || codes[0] != c2.code {
				t.Errorf("got %d %s", a.status, a.raw)
			}
			for _, key := range []string{"error_description", "trace_id", "correlation_id", "timestamp"} {
				if text, _ := a.body[key].(string); text == "" {
					t.Errorf("no %s in %s", key, a.raw)
				}
			}
		})
	}
}

func TestSignInSaysWhatIsTheMatterWithTheApp(t *testing.T) {
	s, c := start(t, Options{})
	for _, c2 := range []struct {
		faults Faults
		err    string
		code   float64
	}{
		{Faults{AppDisabled: true}, "unauthorized_client", 7000112},
		{Faults{ConditionalAccess: true}, "invalid_grant", 53003},
		{Faults{OtherCloud: true}, "invalid_request", 900382},
	} {
		s.SetFaults(c2.faults)
		a := c.token(DefaultTenantID, grant(DefaultClientID, DefaultSecret))
		equal(t, "refusal", []any{a.status, a.body["error"], a.body["error_codes"]}, []any{400, c2.err, []any{c2.code}})
	}
	s.SetFaults(Faults{ConditionalAccess: true})
	equal(t, "a policy judges who proved to be someone", c.token(DefaultTenantID, grant(DefaultClientID, "wrong")).body["error"], any("invalid_client"))
	s.ClearFaults()
	c.signIn(s.Tenant)
}

func TestSecretInTheHeader(t *testing.T) {
	s, c := start(t, Options{Secret: "a+b%/ c~"})
	sign := func(secret string) int {
		form := grant("", "")
		req, _ := http.NewRequest("POST", s.URL()+"/"+DefaultTenantID+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.SetBasicAuth(DefaultClientID, secret)
		return c.do(req).status
	}
	if got := sign(url.QueryEscape("a+b%/ c~")); got != http.StatusOK {
		t.Errorf("encoded as RFC 6749 wants: %d", got)
	}
	if got := sign("wrong"); got != http.StatusUnauthorized {
		t.Errorf("wrong: %d", got)
	}
}

func TestTokenNamesItsRoles(t *testing.T) {
	s, c := start(t, Options{})
	s.SetFaults(Faults{NoConsent: []string{"groups"}})
	c.signIn(s.Tenant)
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(c.bearer, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var got claims
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if strings.Join(got.Roles, " ") != "User.Read.All" || got.TenantID != DefaultTenantID {
		t.Errorf("claims %+v", got)
	}
}

func TestTokensWearOut(t *testing.T) {
	clock := time.Now()
	s, c := start(t, Options{TokenLife: time.Minute, Now: func() time.Time { return clock }})
	if a := c.get("/users"); a.status != http.StatusOK {
		t.Fatalf("fresh: %d", a.status)
	}
	clock = clock.Add(time.Minute)
	refused := func(why string) {
		t.Helper()
		if a := c.get("/users"); a.status != http.StatusUnauthorized || a.code() != "InvalidAuthenticationToken" || a.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %s", why, a.status, a.raw)
		}
	}
	refused("after its life")
	c.signIn(s.Tenant)
	s.ExpireTokens()
	refused("after ExpireTokens")
	c.signIn(s.Tenant)
	c.bearer += "x"
	refused("altered")
	c.bearer = ""
	refused("absent")
}

func TestDiscovery(t *testing.T) {
	s, c := start(t, Options{})
	fetch := func(path string) map[string]any {
		req, _ := http.NewRequest("GET", s.URL()+path, nil)
		return c.do(req).body
	}
	instance := fetch("/common/discovery/instance?api-version=1.1&authorization_endpoint=" + url.QueryEscape(s.URL()+"/"+DefaultTenantID+"/oauth2/v2.0/authorize"))
	want := s.URL() + "/" + DefaultTenantID + "/v2.0/.well-known/openid-configuration"
	if instance["tenant_discovery_endpoint"] != want {
		t.Errorf("instance discovery: %v", instance)
	}
	if got := fetch("/" + DefaultTenantID + "/v2.0/.well-known/openid-configuration")["token_endpoint"]; got != s.URL()+"/"+DefaultTenantID+"/oauth2/v2.0/token" {
		t.Errorf("token endpoint %v", got)
	}
	if got := fetch("/contoso/v2.0/.well-known/openid-configuration")["error"]; got != "invalid_tenant" {
		t.Errorf("unknown tenant: %v", got)
	}
}
