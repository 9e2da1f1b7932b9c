package graph

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/golang-jwt/jwt/v5"

	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/problem"
)

// Who may consent for a whole tenant to permissions of Microsoft Graph, by the
// ids that the roles have in every tenant (Entra's built-in roles).
var consenters = []string{
	"62e90394-69f5-4237-9190-012177145e10", // Global Administrator
	"e8611ab8-c189-46e8-94e1-60213ab1f814", // Privileged Role Administrator
}

// anyTenant stands for the one that the person who signs in belongs to.
const anyTenant = "organizations"

// signInAt asks for the account, because people have several.
func signInAt(c Config, v directory.Visit) string {
	sum := sha256.Sum256([]byte(v.Verifier))
	return c.page(anyTenant+"/oauth2/v2.0/authorize", url.Values{
		"client_id": {v.App.Client}, "redirect_uri": {v.Back}, "state": {v.State}, "nonce": {v.Nonce},
		"response_type": {"code"}, "scope": {"openid profile"}, "prompt": {"select_account"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	})
}

// consentAt asks for what is listed in the app's registration (S20).
func consentAt(c Config, v directory.Visit) string {
	return c.page(v.App.Tenant+"/v2.0/adminconsent", url.Values{
		"client_id": {v.App.Client}, "redirect_uri": {v.Back}, "state": {v.State}, "scope": {c.hosts().graph + "/.default"},
	})
}

func (c Config) page(path string, query url.Values) string {
	return strings.TrimSuffix(orElse(c.Authority, c.hosts().authority), "/") + "/" + path + "?" + query.Encode()
}

// whoIs redeems a code and verifies the id token that it gets for it (OpenID
// Connect Core 3.1.3).
func whoIs(ctx context.Context, c Config, v directory.Visit, code string) (directory.Visitor, error) {
	authority, err := absolute(orElse(c.Authority, c.hosts().authority))
	if err != nil {
		return directory.Visitor{}, err
	}
	base := strings.TrimSuffix(authority.String(), "/")
	guarded := guard{mode: verifying, authority: authority, next: c.transport()}
	d := desk{base: base, http: client(guarded)}
	token, err := d.redeem(ctx, v, code)
	if err != nil {
		return directory.Visitor{}, err
	}
	return d.verify(ctx, v, token)
}

// desk is where codes are redeemed and tokens verified.
type desk struct {
	base string // of the authority
	http *http.Client
}

var errIDToken = problem.New(problem.KindUnavailable, "directory_id_token", "what Microsoft told of who signed in could not be verified")

// maxToken is more than any token takes, in bytes.
const maxToken = 1 << 20

func (d desk) redeem(ctx context.Context, v directory.Visit, code string) (idToken string, err error) {
	endpoint := d.base + "/" + anyTenant + "/oauth2/v2.0/token"
	form, err := proof(v.App, endpoint)
	if err != nil {
		return "", err
	}
	for name, value := range map[string]string{
		"grant_type": "authorization_code", "client_id": v.App.Client, "code": code, "redirect_uri": v.Back,
		"code_verifier": v.Verifier, "scope": "openid profile",
	} {
		form.Set(name, value)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := d.http.Do(req)
	if err != nil {
		return "", explainNetwork(err)
	}
	defer res.Body.Close()
	res.Body = io.NopCloser(io.LimitReader(res.Body, maxToken))
	if res.StatusCode != http.StatusOK {
		return "", explainSignIn(res)
	}
	var answer struct {
		IDToken string `json:"id_token"`
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || answer.IDToken == "" {
		return "", errIDToken
	}
	return answer.IDToken, nil
}

// proof is what shows that we are the app: its secret, or an assertion that its
// certificate's key has signed (RFC 7523 2.2).
func proof(app directory.Credentials, endpoint string) (url.Values, error) {
	if app.Certificate == "" {
		return url.Values{"client_secret": {app.Secret}}, nil
	}
	certificates, key, err := azidentity.ParseCertificates([]byte(app.Certificate), nil)
	if err != nil {
		return nil, errCertificate
	}
	now := time.Now()
	assertion := jwt.NewWithClaims(jwt.SigningMethodPS256, jwt.MapClaims{
		"iss": app.Client, "sub": app.Client, "aud": endpoint, "jti": rand.Text(), "nbf": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(),
	})
	sum := sha256.Sum256(certificates[0].Raw)
	assertion.Header["x5t#S256"] = base64.RawURLEncoding.EncodeToString(sum[:])
	signed, err := assertion.SignedString(key)
	if err != nil {
		return nil, errCertificate
	}
	return url.Values{"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {signed}}, nil
}

// verify takes the tenant from the token, because any may sign in; the issuer
// has to be that tenant's.
func (d desk) verify(ctx context.Context, v directory.Visit, raw string) (who directory.Visitor, err error) {
	ctx = oidc.ClientContext(ctx, d.http)
	keys := oidc.NewRemoteKeySet(ctx, d.base+"/"+anyTenant+"/discovery/v2.0/keys")
	token, err := oidc.NewVerifier("", keys, &oidc.Config{ClientID: v.App.Client, SkipIssuerCheck: true}).Verify(ctx, raw)
	if err != nil {
		return who, fmt.Errorf("%w (%w)", errIDToken, err)
	}
	var claims struct {
		Tenant string   `json:"tid"`
		Roles  []string `json:"wids"`
	}
	switch err := token.Claims(&claims); {
	case err != nil:
		return who, errIDToken
	case claims.Tenant == "" || token.Issuer != d.base+"/"+claims.Tenant+"/v2.0":
		return who, fmt.Errorf("%w (its issuer)", errIDToken)
	case v.Nonce == "" || subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(v.Nonce)) != 1:
		return who, fmt.Errorf("%w (its nonce)", errIDToken)
	}
	return directory.Visitor{
		Tenant:        strings.ToLower(claims.Tenant),
		Administrator: slices.ContainsFunc(claims.Roles, func(role string) bool { return slices.Contains(consenters, role) }),
	}, nil
}
