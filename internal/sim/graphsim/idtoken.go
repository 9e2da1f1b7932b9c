package graphsim

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"net/http"
	"strings"
	"time"
)

// Ids of directory roles, the same in every tenant.
const (
	globalAdministrator = "62e90394-69f5-4237-9190-012177145e10"
	defaultUser         = "b79fbf4d-3ef9-4689-8143-76b194e85509"
)

const idTokenLife = time.Hour

// idClaims tell a client who is at the browser.
type idClaims struct {
	Audience string   `json:"aud"`
	Issuer   string   `json:"iss"`
	IssuedAt int64    `json:"iat"`
	NotYet   int64    `json:"nbf"`
	Expires  int64    `json:"exp"`
	Name     string   `json:"name"`
	Nonce    string   `json:"nonce,omitempty"`
	ObjectID string   `json:"oid"`
	Username string   `json:"preferred_username"`
	Subject  string   `json:"sub"`
	TenantID string   `json:"tid"`
	Version  string   `json:"ver"`
	Roles    []string `json:"wids"`
}

func (s *Server) idToken(v visit) string {
	now := s.now()
	roles := []string{defaultUser}
	if v.Admin {
		roles = append(roles, globalAdministrator)
	}
	subject := sha256.Sum256([]byte(v.app.clientID + "/" + v.UserID)) // another one for each client
	return s.signID(idClaims{
		Audience: v.app.clientID,
		Issuer:   s.url + "/" + v.Tenant + "/v2.0",
		IssuedAt: now.Unix(),
		NotYet:   now.Unix(),
		Expires:  now.Add(idTokenLife).Unix(),
		Name:     v.Name,
		Nonce:    v.query.Get("nonce"),
		ObjectID: v.UserID,
		Username: v.username(),
		Subject:  base64.RawURLEncoding.EncodeToString(subject[:]),
		TenantID: v.Tenant,
		Version:  "2.0",
		Roles:    roles,
	})
}

func (v visit) username() string {
	if u, ok := v.tenant.User(v.UserID); ok {
		if name, ok := u.Properties["userPrincipalName"].(string); ok {
			return name
		}
	}
	return strings.ToLower(strings.Join(strings.Fields(v.Name), ".")) + "@" + v.tenant.org.domain
}

// newIDKey is asked for only when somebody signs in, as RSA keys take long to make.
func newIDKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // there is always randomness
	}
	return key
}

func keyID(k *rsa.PublicKey) string {
	sum := sha256.Sum256(k.N.Bytes())
	return base64.RawURLEncoding.EncodeToString(sum[:20])
}

func (s *Server) signID(c idClaims) string {
	key := s.idKey()
	text := segment(map[string]string{"typ": "JWT", "alg": "RS256", "kid": keyID(&key.PublicKey)}) + "." + segment(c)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err) // the key is long enough
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// keys verify id tokens. Access tokens are for Graph alone: nobody else may look
// into them, so their key is not told.
func (s *Server) keys(w http.ResponseWriter, r *http.Request) {
	public := &s.idKey().PublicKey
	writeJSON(w, http.StatusOK, map[string]any{"keys": []map[string]string{{
		"kty": "RSA", "use": "sig", "kid": keyID(public), "alg": "RS256",
		"n": base64.RawURLEncoding.EncodeToString(public.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(public.E)).Bytes()),
	}}})
}
