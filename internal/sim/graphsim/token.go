package graphsim

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// graphAppID is Microsoft Graph's own application id, the same in every tenant.
const graphAppID = "00000003-0000-0000-c000-000000000000"

// Permissions that our app is granted, and the resource each one opens. None is
// for /organization, which answers all the same unless consent is withheld.
var permissions = []struct{ role, resource string }{
	{"User.Read.All", "users"},
	{"Group.Read.All", "groups"},
	{"GroupMember.Read.All", "groups"},
}

// claims is what a client may look at in an access token, though only Graph is
// meant to. Epoch is ours: see ExpireTokens.
type claims struct {
	Audience string   `json:"aud"`
	Issuer   string   `json:"iss"`
	IssuedAt int64    `json:"iat"`
	NotYet   int64    `json:"nbf"`
	Expires  int64    `json:"exp"`
	AppID    string   `json:"appid"`
	Type     string   `json:"idtyp"`
	Roles    []string `json:"roles"`
	TenantID string   `json:"tid"`
	Unique   string   `json:"uti"`
	Version  string   `json:"ver"`
	Epoch    int      `json:"epoch"`
}

// signer makes tokens that need no table: what it signed comes back whole.
type signer struct{ key [32]byte }

func newSigner() (s signer) {
	rand.Read(s.key[:])
	return s
}

func (s *signer) mac(text string) string {
	h := hmac.New(sha256.New, s.key[:])
	h.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

func (s *signer) sign(c claims) string {
	text := segment(map[string]string{"typ": "JWT", "alg": "HS256"}) + "." + segment(c)
	return text + "." + s.mac(text)
}

func (s *signer) open(token string) (c claims, ok bool) {
	dot := strings.LastIndexByte(token, '.')
	if dot < 0 || !hmac.Equal([]byte(s.mac(token[:dot])), []byte(token[dot+1:])) {
		return c, false
	}
	_, payload, _ := strings.Cut(token[:dot], ".")
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	return c, err == nil && json.Unmarshal(raw, &c) == nil
}

func segment(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and numbers only
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// issue also answers a claims challenge: the new token has what was asked for.
func (s *Server) issue(t *Tenant, a *app) string {
	now := s.now()
	t.ClaimsChallenge(0)
	return s.signer.sign(claims{
		Audience: "https://graph.microsoft.com",
		Issuer:   s.url + "/" + t.id + "/v2.0",
		IssuedAt: now.Unix(),
		NotYet:   now.Unix(),
		Expires:  now.Add(s.tokenLife).Unix(),
		AppID:    a.clientID,
		Type:     "app",
		Roles:    t.roles(),
		TenantID: t.id,
		Unique:   rand.Text(),
		Version:  "1.0",
		Epoch:    t.faults.currentEpoch(),
	})
}

// roles are the permissions consented to at the moment of sign-in.
func (t *Tenant) roles() []string {
	f, roles := t.Faults(), []string{}
	for _, p := range permissions {
		if !f.refuses(p.resource) {
			roles = append(roles, p.role)
		}
	}
	return roles
}

// admit finds the tenant an access token speaks for, or says why there is none.
func (s *Server) admit(authorization string) (t *Tenant, appID, why string) {
	token, ok := strings.CutPrefix(authorization, "Bearer ")
	if !ok || token == "" {
		return nil, "", "Access token is empty."
	}
	c, ok := s.signer.open(token)
	if !ok {
		return nil, "", "Access token was not issued here."
	}
	t = s.tenant(c.TenantID)
	if t == nil || c.Epoch != t.faults.currentEpoch() || !s.now().Before(time.Unix(c.Expires, 0)) {
		return nil, "", "Access token has expired."
	}
	return t, c.AppID, ""
}

func randomGUID() string {
	var b [16]byte
	rand.Read(b[:])
	return guid(b)
}

// guid writes 16 bytes as a version 4 UUID (RFC 9562 5.4).
func guid(b [16]byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
