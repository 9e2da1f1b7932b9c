package graphsim

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	hostApp    = "3f1c2b7e-6a54-4c0d-9d7b-0c5c1e6a9f10"
	hostSecret = "the app's own secret"
	callback   = "http://127.0.0.1:5000/signed-in?from=entra"
)

// browse asks for a sign-in page and tells where the browser is sent on to.
func (c *client) browse(path string, q url.Values) (a answer, to *url.URL) {
	c.t.Helper()
	browser := *c.http
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	follower := *c
	follower.http = &browser
	req, err := http.NewRequest("GET", c.server.URL()+path+"?"+q.Encode(), nil)
	if err != nil {
		c.t.Fatal(err)
	}
	a = follower.do(req)
	if a.status != http.StatusFound {
		return a, &url.URL{}
	}
	if to, err = url.Parse(a.header.Get("Location")); err != nil {
		c.t.Fatal(err)
	}
	return a, to
}

func question(more ...string) url.Values {
	q := url.Values{
		"client_id": {hostApp}, "response_type": {"code"}, "redirect_uri": {callback},
		"scope": {"openid profile"}, "state": {"s&1"}, "nonce": {"n1"},
	}
	for i := 0; i < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return q
}

func redemption(code string, more ...string) url.Values {
	form := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {hostApp}, "client_secret": {hostSecret},
		"code": {code}, "redirect_uri": {callback},
	}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return form
}

// hosted is a server with an app of nobody's tenant.
func hosted(t *testing.T, o Options) (*Server, *client) {
	t.Helper()
	s, c := start(t, o)
	if err := s.AddMultiTenantApp(hostApp, hostSecret); err != nil {
		t.Fatal(err)
	}
	return s, c
}

// verified checks an id token by the keys that the metadata lead to.
func (c *client) verified(token string) map[string]any {
	c.t.Helper()
	fetch := func(target string) map[string]any {
		req, _ := http.NewRequest("GET", target, nil)
		return c.do(req).body
	}
	metadata := fetch(c.server.URL() + "/organizations/v2.0/.well-known/openid-configuration")
	key := fetch(metadata["jwks_uri"].(string))["keys"].([]any)[0].(map[string]any)
	number := func(name string) *big.Int {
		raw, err := base64.RawURLEncoding.DecodeString(key[name].(string))
		if err != nil {
			c.t.Fatal(err)
		}
		return new(big.Int).SetBytes(raw)
	}
	parts := strings.Split(token, ".")
	var header, claims map[string]any
	if err := decodeSegment(parts[0], &header); err != nil {
		c.t.Fatal(err)
	}
	if err := decodeSegment(parts[1], &claims); err != nil {
		c.t.Fatal(err)
	}
	equal(c.t, "algorithm and key", []any{header["alg"], header["kid"]}, []any{"RS256", key["kid"]})
	signature, _ := base64.RawURLEncoding.DecodeString(parts[2])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	public := &rsa.PublicKey{N: number("n"), E: int(number("e").Int64())}
	if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], signature); err != nil {
		c.t.Errorf("the id token does not verify: %v", err)
	}
	equal(c.t, "issuer", claims["iss"], any(strings.Replace(metadata["issuer"].(string), "{tenantid}", claims["tid"].(string), 1)))
	return claims
}

func TestAnAdministratorSignsIn(t *testing.T) {
	clock := time.Unix(1_800_000_000, 0)
	s, c := hosted(t, Options{Org: staff(), Now: func() time.Time { return clock }})
	for _, admin := range []bool{true, false} {
		s.SignInAs(SignIn{UserID: "bo", Name: "Bo Vik", Admin: admin})
		_, to := c.browse("/organizations/oauth2/v2.0/authorize", question())
		q := to.Query()
		equal(t, "back at", to.Scheme+"://"+to.Host+to.Path+" "+q.Get("from")+" "+q.Get("state"), "http://127.0.0.1:5000/signed-in entra s&1")
		a := c.token("organizations", redemption(q.Get("code")))
		if a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.raw)
		}
		claims := c.verified(a.body["id_token"].(string))
		roles := claims["wids"].([]any)
		equal(t, "administrator", slices.Contains(roles, any(globalAdministrator)), admin)
		delete(claims, "wids")
		delete(claims, "sub")
		delete(claims, "iss")
		equal(t, "claims", claims, map[string]any{
			"aud": hostApp, "tid": DefaultTenantID, "oid": "bo", "name": "Bo Vik", "preferred_username": "bo@nordlys.example",
			"nonce": "n1", "ver": "2.0", "iat": float64(clock.Unix()), "nbf": float64(clock.Unix()), "exp": float64(clock.Unix() + 3600),
		})
		c.bearer = a.body["access_token"].(string)
		equal(t, "no way into Graph", c.get("/users").status, http.StatusUnauthorized)
	}
}

func TestAuthorizeAnswersWithErrors(t *testing.T) {
	s, c := hosted(t, Options{Org: staff()})
	page := func(what, path string, q url.Values, code string) {
		t.Helper()
		if a, _ := c.browse(path, q); a.status != http.StatusBadRequest || !strings.Contains(a.raw, code) {
			t.Errorf("%s: %d %s", what, a.status, a.raw)
		}
	}
	const path = "/common/oauth2/v2.0/authorize"
	page("nobody", path, question(), "AADSTS50058")
	s.SignInAs(SignIn{Name: "Ada"})
	page("no such tenant", "/contoso/oauth2/v2.0/authorize", question(), "AADSTS90002")
	page("no such app", path, question("client_id", "x"), "AADSTS700016")
	for _, address := range []string{"", "/callback", "https://varsel.example/callback", "ftp://localhost/", "http://127.0.0.1/#x", "http://localhost.example/"} {
		page(address, path, question("redirect_uri", address), "AADSTS50011")
	}
	if _, err := s.AddTenant(TenantOptions{TenantID: "0d9f3e57-0000-4000-8000-000000000002"}); err != nil {
		t.Fatal(err)
	}
	page("another tenant", "/0d9f3e57-0000-4000-8000-000000000002/oauth2/v2.0/authorize", question(), "AADSTS50020")

	sent := func(q url.Values, err string) {
		t.Helper()
		_, to := c.browse(path, q)
		equal(t, err, []string{to.Query().Get("error"), to.Query().Get("state"), to.Query().Get("code")}, []string{err, "s&1", ""})
	}
	sent(question("response_type", "token"), "unsupported_response_type")
	sent(question("response_mode", "form_post"), "invalid_request")
	sent(question("scope", "profile"), "invalid_scope")
	sent(question("code_challenge", "x"), "invalid_request")
	s.SignInAs(SignIn{Name: "Ada", Deny: true})
	sent(question(), "access_denied")
}

func TestACodeIsForOneClientAndOnce(t *testing.T) {
	clock := time.Now()
	s, c := hosted(t, Options{Org: staff(), Now: func() time.Time { return clock }})
	s.SignInAs(SignIn{})
	sum := sha256.Sum256([]byte("verifier"))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	code := func() string {
		_, to := c.browse("/"+DefaultTenantID+"/oauth2/v2.0/authorize", question("code_challenge", challenge, "code_challenge_method", "S256"))
		return to.Query().Get("code")
	}
	refused := func(what string, a answer, err string, number float64) {
		t.Helper()
		equal(t, what, []any{a.body["error"], a.body["error_codes"]}, []any{err, []any{number}})
	}
	good := code()
	form := func(more ...string) url.Values {
		return redemption(good, append([]string{"code_verifier", "verifier"}, more...)...)
	}
	refused("another client", c.token("common", form("client_id", DefaultClientID)), "invalid_grant", 70000)
	refused("another address", c.token("common", form("redirect_uri", "http://127.0.0.1/")), "invalid_grant", 500112)
	refused("no secret", c.token("common", form("client_secret", "")), "invalid_client", 7000218)
	refused("wrong secret", c.token("common", form("client_secret", "x")), "invalid_client", 7000215)
	refused("unknown", c.token("common", form("code", "x")), "invalid_grant", 9002313)
	refused("no such tenant", c.token("contoso", form()), "invalid_request", 90002)
	equal(t, "good", c.token("common", form()).status, http.StatusOK)
	refused("again", c.token("common", form()), "invalid_grant", 54005)
	good = code()
	refused("wrong verifier", c.token(DefaultTenantID, form("code_verifier", "x")), "invalid_grant", 50148)
	good = code()
	clock = clock.Add(codeLife)
	refused("late", c.token(DefaultTenantID, form()), "invalid_grant", 70008)
}

func TestACertificateRedeemsACodeToo(t *testing.T) {
	k := keyPairs()[0]
	s, c := start(t, Options{Certificates: [][]byte{k.pem()}})
	s.SignInAs(SignIn{})
	_, to := c.browse("/organizations/oauth2/v2.0/authorize", question("client_id", DefaultClientID))
	j := k.jwt(s, "RS256")
	j.claims["aud"] = s.URL() + "/organizations/oauth2/v2.0/token"
	form := redemption(to.Query().Get("code"), "client_id", DefaultClientID, "client_secret", "")
	maps.Copy(form, url.Values{"client_assertion_type": {jwtBearer}, "client_assertion": {k.sign(t, j)}})
	if a := c.token("organizations", form); a.status != http.StatusOK {
		t.Errorf("%d %s", a.status, a.raw)
	}
}

func TestAdministratorsLetAnAppIn(t *testing.T) {
	s, c := hosted(t, Options{Org: staff()})
	refused := func(what string) {
		t.Helper()
		equal(t, what, c.token(DefaultTenantID, grant(hostApp, hostSecret)).body["error_codes"], any([]any{700016}))
	}
	refused("before")
	ask := func(p SignIn) url.Values {
		s.SignInAs(p)
		_, to := c.browse("/organizations/v2.0/adminconsent", url.Values{
			"client_id": {hostApp}, "scope": {"https://graph.microsoft.com/.default"}, "redirect_uri": {callback}, "state": {"s1"},
		})
		return to.Query()
	}
	for _, p := range []SignIn{{}, {Admin: true, Deny: true}} {
		q := ask(p)
		if q.Get("error") != "access_denied" || !strings.HasPrefix(q.Get("error_description"), "AADSTS65004: ") || q.Get("state") != "s1" {
			t.Errorf("%+v: %v", p, q)
		}
		refused("declined")
	}
	equal(t, "answer", ask(SignIn{Admin: true}), url.Values{
		"admin_consent": {"True"}, "tenant": {DefaultTenantID}, "state": {"s1"}, "scope": {"https://graph.microsoft.com/.default"}, "from": {"entra"},
	})
	a := c.token(DefaultTenantID, grant(hostApp, hostSecret))
	if a.status != http.StatusOK {
		t.Fatalf("after: %d %s", a.status, a.raw)
	}
	c.bearer = a.body["access_token"].(string)
	equal(t, "people", len(c.get("/users").items()), 5)
	equal(t, "its own secret", c.token(DefaultTenantID, grant(hostApp, DefaultSecret)).body["error"], any("invalid_client"))
	s.RevokeConsent(hostApp)
	refused("revoked")
}

func TestMetadataOfAnyTenant(t *testing.T) {
	s, c := start(t, Options{})
	for name, issuer := range map[string]string{"organizations": "{tenantid}", "common": "{tenantid}", DefaultTenantID: DefaultTenantID} {
		req, _ := http.NewRequest("GET", s.URL()+"/"+name+"/v2.0/.well-known/openid-configuration", nil)
		body := c.do(req).body
		equal(t, name, []any{body["issuer"], body["token_endpoint"]}, []any{s.URL() + "/" + issuer + "/v2.0", s.URL() + "/" + name + "/oauth2/v2.0/token"})
	}
}
