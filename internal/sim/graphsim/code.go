package graphsim

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"sync"
	"time"
)

const codeLife = 10 * time.Minute

// codes are those that a browser took along, by their text.
type codes struct {
	mu   sync.Mutex
	open map[string]*code
}

type code struct {
	visit
	expires  time.Time
	redeemed bool
}

func (c *codes) issue(v visit, now time.Time) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == nil {
		c.open = map[string]*code{}
	}
	text := "1." + rand.Text()
	c.open[text] = &code{visit: v, expires: now.Add(codeLife)}
	return text
}

func invalidGrant(code int, text string) *refusal {
	return &refusal{http.StatusBadRequest, "invalid_grant", code, text}
}

func (c *codes) find(text string) (*code, *refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if found := c.open[text]; found != nil {
		return found, nil
	}
	return nil, invalidGrant(9002313, "The authorization code is malformed or was not issued here.")
}

// spend lets a code be redeemed once.
func (c *codes) spend(it *code, now time.Time) *refusal {
	c.mu.Lock()
	defer c.mu.Unlock()
	if it.redeemed {
		return invalidGrant(54005, "The authorization code was already redeemed.")
	}
	it.redeemed = true
	if !now.Before(it.expires) {
		return invalidGrant(70008, "The authorization code has expired.")
	}
	return nil
}

// redeem grants authorization_code (RFC 6749 4.1.3): an id token. The access
// token that comes with it opens nothing here.
func (s *Server) redeem(w http.ResponseWriter, r *http.Request) *refusal {
	name := r.PathValue("tenant")
	named := s.tenant(name)
	if named == nil && !anyTenant(name) {
		return noTenant("invalid_request", name)
	}
	it, no := s.codes.find(r.PostForm.Get("code"))
	if no != nil {
		return no
	}
	if named != nil && named != it.tenant {
		return invalidGrant(70000, "The authorization code was issued in another tenant.")
	}
	no = firstRefusal(
		func() *refusal { return it.checkClient(r) },
		func() *refusal { return s.checkCredential(it.tenant, it.app, r) },
		func() *refusal { return s.codes.spend(it, s.now()) },
		func() *refusal { return it.checkVerifier(r.PostForm.Get("code_verifier")) },
	)
	if no != nil {
		return no
	}
	writeToken(w, s.tokenLife, map[string]any{
		"scope": it.query.Get("scope"), "access_token": rand.Text(), "id_token": s.idToken(it.visit),
	})
	return nil
}

func (c *code) checkClient(r *http.Request) *refusal {
	id, _ := clientCredentials(r)
	switch redirect := r.PostForm.Get("redirect_uri"); {
	case !c.app.is(id):
		return invalidGrant(70000, "The authorization code was issued to another client.")
	case redirect != c.query.Get("redirect_uri"):
		return invalidGrant(500112, fmt.Sprintf("The reply address '%s' does not match the reply address '%s' provided when requesting Authorization code.", redirect, c.query.Get("redirect_uri")))
	}
	return nil
}

func (c *code) checkVerifier(verifier string) *refusal {
	challenge := c.query.Get("code_challenge")
	sum := sha256.Sum256([]byte(verifier))
	if challenge != "" && base64.RawURLEncoding.EncodeToString(sum[:]) != challenge {
		return invalidGrant(50148, "The code_verifier does not match the code_challenge supplied in the authorization request.")
	}
	return nil
}
