package graph_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/directory/graph"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/sim/graphsim"
)

const (
	installation = "3f1c2b7e-6a54-4c0d-9d7b-0c5c1e6a9f10"
	appSecret    = "the~installation's.own-secret"
	backURL      = "https://127.0.0.1:5000/directory/consent/callback"
)

func visit() directory.Visit {
	return directory.Visit{App: directory.Credentials{Client: installation, Secret: appSecret}, Back: backURL, State: "s&1", Nonce: "n1", Verifier: "v1"}
}

// browse opens a page of the simulated Microsoft's and answers where it leads.
func browse(t *testing.T, transport http.RoundTripper, page string) *url.URL {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, page, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	to, err := res.Location()
	if err != nil {
		t.Fatalf("%s answers %d", page, res.StatusCode)
	}
	return to
}

// key is of a certificate, with both in one PEM.
func key(t *testing.T) (certificate []byte, both string) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "varsel"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	certificate = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return certificate, string(certificate) + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
}

func TestWhoSignsInIsToldByMicrosoft(t *testing.T) { // Q1, Q7
	sim := startSim(t, graphsim.Options{Org: graphsim.Example(5)})
	certificate, both := key(t)
	equal(t, nil, sim.AddMultiTenantApp(installation, appSecret, certificate))
	transport := trusting(t, sim.CAPEM())
	cloud := graph.Clouds(sim.URL(), sim.GraphURL(), transport)[directory.GlobalCloud]
	byCertificate := visit()
	byCertificate.App = directory.Credentials{Client: installation, Certificate: both}
	for _, v := range []directory.Visit{visit(), byCertificate} {
		for _, admin := range []bool{true, false} {
			sim.SignInAs(graphsim.SignIn{Admin: admin})
			page := cloud.SignInAt(v)
			asked, _ := url.Parse(page)
			equal(t, []string{"/organizations/oauth2/v2.0/authorize", "select_account", "openid profile", "S256"},
				[]string{asked.Path, asked.Query().Get("prompt"), asked.Query().Get("scope"), asked.Query().Get("code_challenge_method")})
			to := browse(t, transport, page)
			equal(t, "s&1", to.Query().Get("state"))
			who, err := cloud.WhoIs(t.Context(), v, to.Query().Get("code"))
			equal(t, nil, err)
			equal(t, directory.Visitor{Tenant: sim.TenantID(), Administrator: admin}, who)

			_, err = cloud.WhoIs(t.Context(), v, to.Query().Get("code"))
			explained(t, graph.Config{Access: directory.Access{Credentials: visit().App}}, "directory_sign_in", "already redeemed", err)
		}
	}
	wrong := visit()
	wrong.Verifier = "another"
	to := browse(t, transport, cloud.SignInAt(visit()))
	_, err := cloud.WhoIs(t.Context(), wrong, to.Query().Get("code"))
	explained(t, graph.Config{Access: directory.Access{Credentials: wrong.App}}, "directory_sign_in", "code_verifier", err)
	equal(t, 0, len(sim.GraphMethods()))
}

func TestTheConsentsPage(t *testing.T) { // Q6, S20
	cloud := graph.Clouds("", "", nil)[directory.GlobalCloud]
	v := visit()
	v.App.Tenant = "7c1e9a52-3d40-4f6b-9b1e-52f0a6c3d801"
	page, err := url.Parse(cloud.ConsentAt(v))
	equal(t, nil, err)
	equal(t, "https://login.microsoftonline.com/7c1e9a52-3d40-4f6b-9b1e-52f0a6c3d801/v2.0/adminconsent", page.Scheme+"://"+page.Host+page.Path)
	equal(t, url.Values{"client_id": {installation}, "redirect_uri": {backURL}, "state": {"s&1"}, "scope": {"https://graph.microsoft.com/.default"}}, page.Query())
}

// impostorAuthority gives whatever tokens it likes, signed with the key that it shows.
type impostorAuthority struct {
	*httptest.Server
	key    *rsa.PrivateKey
	token  string
	status int
}

func newImpostorAuthority(t *testing.T) *impostorAuthority {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	a := &impostorAuthority{key: private, status: 200}
	a.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "/keys") {
			encode := base64.RawURLEncoding.EncodeToString
			fmt.Fprintf(w, `{"keys": [{"kty": "RSA", "use": "sig", "kid": "k1", "n": %q, "e": %q}]}`, encode(private.N.Bytes()), encode(big.NewInt(int64(private.E)).Bytes()))
			return
		}
		w.WriteHeader(a.status)
		fmt.Fprintf(w, `{"id_token": %q}`, a.token)
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *impostorAuthority) sign(t *testing.T, by any, method jwt.SigningMethod, claims jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	token.Header["kid"] = "k1"
	text, err := token.SignedString(by)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestAForgedIDTokenIsRefused(t *testing.T) { // Q7
	a := newImpostorAuthority(t)
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Certificate().Raw})
	cloud := graph.Clouds(a.URL, a.URL, trusting(t, own))[directory.GlobalCloud]
	const tenant = "7c1e9a52-3d40-4f6b-9b1e-52f0a6c3d801"
	claims := func(more ...any) jwt.MapClaims {
		c := jwt.MapClaims{"iss": a.URL + "/" + tenant + "/v2.0", "aud": installation, "tid": tenant, "nonce": "n1", "sub": "x",
			"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(), "wids": []string{"e8611ab8-c189-46e8-94e1-60213ab1f814"}}
		for i := 0; i < len(more); i += 2 {
			c[more[i].(string)] = more[i+1]
		}
		return c
	}
	signed := func(more ...any) string { return a.sign(t, a.key, jwt.SigningMethodRS256, claims(more...)) }
	who := func(token string) (directory.Visitor, error) {
		a.token = token
		return cloud.WhoIs(t.Context(), visit(), "code")
	}
	got, err := who(signed())
	equal(t, nil, err)
	equal(t, directory.Visitor{Tenant: tenant, Administrator: true}, got)
	for _, roles := range []any{nil, []string{}, []string{"b79fbf4d-3ef9-4689-8143-76b194e85509"}} {
		got, err := who(signed("wids", roles))
		equal(t, nil, err)
		equal(t, false, got.Administrator)
	}

	another, err := rsa.GenerateKey(rand.Reader, 2048)
	equal(t, nil, err)
	parts := strings.Split(signed(), ".")
	changed := base64.RawURLEncoding.EncodeToString([]byte(`{"tid": "other"}`))
	for name, token := range map[string]string{
		"no token":              "",
		"no JWT":                "x.y.z",
		"another app's":         signed("aud", "another"),
		"expired":               signed("exp", time.Now().Add(-time.Hour).Unix()),
		"another sign-in's":     signed("nonce", "n2"),
		"no nonce":              signed("nonce", ""),
		"another tenant's":      signed("tid", "0d9f3e57-0000-4000-8000-000000000002"),
		"no tenant":             signed("tid", "", "iss", a.URL+"//v2.0"),
		"another issuer":        signed("iss", "https://login.example/"+tenant+"/v2.0"),
		"roles that are none":   signed("wids", "e8611ab8-c189-46e8-94e1-60213ab1f814"),
		"another key":           a.sign(t, another, jwt.SigningMethodRS256, claims()),
		"not signed":            a.sign(t, jwt.UnsafeAllowNoneSignatureType, jwt.SigningMethodNone, claims()),
		"signed with a secret":  a.sign(t, []byte(appSecret), jwt.SigningMethodHS256, claims()),
		"changed after signing": strings.Join(slices.Concat(parts[:1], []string{changed}, parts[2:]), "."),
	} {
		if got, err := who(token); !problem.Has(err, "directory_id_token") || got != (directory.Visitor{}) {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	a.status = http.StatusBadGateway
	if _, err := who(signed()); !problem.Has(err, "directory_unavailable") {
		t.Errorf("got %v", err)
	}
}
