package graphsim

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

type keyPair struct {
	key  *rsa.PrivateKey
	cert *x509.Certificate
}

// Two key pairs for all tests, as RSA keys take long to make.
var keyPairs = sync.OnceValue(func() [2]keyPair {
	var pairs [2]keyPair
	for i := range pairs {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		c := certificate(int64(10+i), "app")
		der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
		if err != nil {
			panic(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			panic(err)
		}
		pairs[i] = keyPair{key, cert}
	}
	return pairs
})

func (k keyPair) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: k.cert.Raw})
}

// jwt is a client assertion as a client writes it.
type jwt struct {
	header, claims map[string]any
}

func (k keyPair) jwt(s *Server, algorithm string) jwt {
	sum1, sum256 := sha1.Sum(k.cert.Raw), sha256.Sum256(k.cert.Raw)
	now := time.Now().Unix()
	return jwt{
		map[string]any{
			"alg": algorithm, "typ": "JWT",
			"x5t": base64.RawURLEncoding.EncodeToString(sum1[:]), "x5t#S256": base64.RawURLEncoding.EncodeToString(sum256[:]),
		},
		map[string]any{
			"aud": s.URL() + "/" + DefaultTenantID + "/oauth2/v2.0/token", "iss": DefaultClientID, "sub": DefaultClientID,
			"jti": rand.Text(), "nbf": now, "exp": now + 600,
		},
	}
}

func (k keyPair) sign(t *testing.T, j jwt) string {
	t.Helper()
	text := segment(j.header) + "." + segment(j.claims)
	sum := sha256.Sum256([]byte(text))
	var signature []byte
	var err error
	if j.header["alg"] == "PS256" {
		signature, err = rsa.SignPSS(rand.Reader, k.key, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	} else {
		signature, err = rsa.SignPKCS1v15(nil, k.key, crypto.SHA256, sum[:])
	}
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func assertionGrant(assertion string) url.Values {
	form := grant(DefaultClientID, "")
	form.Del("client_secret")
	form.Set("client_assertion_type", jwtBearer)
	form.Set("client_assertion", assertion)
	return form
}

func TestAzureIdentitySignsInWithACertificate(t *testing.T) {
	k := keyPairs()[0]
	s, c := start(t, Options{Org: staff(), Certificates: [][]byte{k.pem()}})
	fetch := func() (azcore.AccessToken, error) {
		cred, err := azidentity.NewClientCertificateCredential(DefaultTenantID, DefaultClientID, []*x509.Certificate{k.cert}, k.key, &azidentity.ClientCertificateCredentialOptions{
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
	token, err := fetch()
	if err != nil {
		t.Fatal(err)
	}
	c.bearer = token.Token
	equal(t, "people", len(c.get("/users").items()), 5)
	s.RemoveCertificates()
	if _, err := fetch(); err == nil || !strings.Contains(err.Error(), "AADSTS700027") {
		t.Errorf("no longer registered: %v", err)
	}
}

func TestAssertionsOfEitherKind(t *testing.T) {
	k := keyPairs()[0]
	s, c := start(t, Options{})
	if err := s.AddCertificate(k.cert.Raw); err != nil { // DER
		t.Fatal(err)
	}
	for _, algorithm := range []string{"RS256", "PS256"} {
		for _, thumbprint := range []string{"x5t", "x5t#S256"} {
			j := k.jwt(s, algorithm)
			delete(j.header, map[string]string{"x5t": "x5t#S256", "x5t#S256": "x5t"}[thumbprint])
			if a := c.token(DefaultTenantID, assertionGrant(k.sign(t, j))); a.status != http.StatusOK {
				t.Errorf("%s, %s: %d %s", algorithm, thumbprint, a.status, a.raw)
			}
		}
	}
	if s.AddCertificate([]byte("not a certificate")) == nil {
		t.Error("registers anything")
	}
}

func TestAssertionRefusals(t *testing.T) {
	k, other := keyPairs()[0], keyPairs()[1]
	s, c := start(t, Options{Certificates: [][]byte{k.pem()}})
	for name, c2 := range map[string]struct {
		code   int
		signer keyPair
		alter  func(jwt)
	}{
		"not registered":   {700027, other, func(j jwt) { j.header = other.jwt(s, "RS256").header }},
		"another's key":    {700027, other, func(jwt) {}},
		"no thumbprint":    {700027, k, func(j jwt) { delete(j.header, "x5t"); delete(j.header, "x5t#S256") }},
		"no algorithm":     {700027, k, func(j jwt) { j.header["alg"] = "none" }},
		"expired":          {700024, k, func(j jwt) { j.claims["exp"] = time.Now().Add(-6 * time.Minute).Unix() }},
		"not yet":          {700024, k, func(j jwt) { j.claims["nbf"] = time.Now().Add(6 * time.Minute).Unix() }},
		"no end":           {700024, k, func(j jwt) { delete(j.claims, "exp") }},
		"another audience": {700023, k, func(j jwt) { j.claims["aud"] = s.URL() }},
		"another app":      {700021, k, func(j jwt) { j.claims["sub"] = "x" }},
		"another issuer":   {700021, k, func(j jwt) { j.claims["iss"] = "x" }},
		"no id":            {50027, k, func(j jwt) { delete(j.claims, "jti") }},
	} {
		j := k.jwt(s, "RS256")
		c2.alter(j)
		a := c.token(DefaultTenantID, assertionGrant(c2.signer.sign(t, j)))
		equal(t, name, []any{a.status, a.body["error"], a.body["error_codes"]}, []any{401, "invalid_client", []any{c2.code}})
	}
	for name, c2 := range map[string]struct {
		form url.Values
		code int
	}{
		"no JWT":  {assertionGrant("a.b"), 50027},
		"no type": {func() url.Values { f := assertionGrant("a.b.c"); f.Del("client_assertion_type"); return f }(), 900144},
	} {
		equal(t, name, c.token(DefaultTenantID, c2.form).body["error_codes"], any([]any{c2.code}))
	}
}

func TestRefusesACertificateThatIsNone(t *testing.T) {
	if s, err := Start(Options{Certificates: [][]byte{[]byte("x")}}); err == nil {
		s.Close()
		t.Error("accepted")
	}
}
