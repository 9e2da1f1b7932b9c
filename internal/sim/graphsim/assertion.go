package graphsim

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	jwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	// What clocks may differ by; Entra tolerates five minutes.
	clockSkew = 5 * time.Minute
)

// assertion is the JWT by which a client proves to have a certificate's key
// (RFC 7523 2.2; Entra's certificate credentials).
type assertion struct {
	header struct {
		Algorithm string `json:"alg"`
		SHA1      string `json:"x5t"`
		SHA256    string `json:"x5t#S256"`
	}
	claims struct {
		Audience string  `json:"aud"`
		Issuer   string  `json:"iss"`
		Subject  string  `json:"sub"`
		ID       string  `json:"jti"`
		NotYet   float64 `json:"nbf"`
		Expires  float64 `json:"exp"`
	}
	signed    string
	signature []byte
}

func parseAssertion(text string) (a assertion, err error) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return a, errors.New("not three parts")
	}
	a.signed = parts[0] + "." + parts[1]
	a.signature, err = base64.RawURLEncoding.DecodeString(parts[2])
	return a, errors.Join(err, decodeSegment(parts[0], &a.header), decodeSegment(parts[1], &a.claims))
}

func decodeSegment(text string, into any) error {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

// checkAssertion refuses in Entra's order: form, key and signature, then claims.
func (s *Server) checkAssertion(a *app, endpoint string, form url.Values) *refusal {
	no := func(code int, text string) *refusal {
		return &refusal{http.StatusUnauthorized, "invalid_client", code, text}
	}
	if form.Get("client_assertion_type") != jwtBearer {
		return badRequest(900144, "The body of the request must have the parameter 'client_assertion_type', and it is "+jwtBearer+".")
	}
	jwt, err := parseAssertion(form.Get("client_assertion"))
	if err != nil {
		return no(50027, "The client assertion is no JWT.")
	}
	c := a.certificate(jwt.names)
	if c == nil {
		return no(700027, "The certificate that signed the client assertion is not registered on the application.")
	}
	if !jwt.signedBy(c) {
		return no(700027, "The signature of the client assertion is invalid.")
	}
	return jwt.checkClaims(a, endpoint, s.now(), no)
}

func (a assertion) checkClaims(of *app, endpoint string, now time.Time, no func(int, string) *refusal) *refusal {
	switch unix := now.Unix(); {
	case !of.is(a.claims.Issuer) || !of.is(a.claims.Subject):
		return no(700021, "The issuer and the subject of the client assertion are not the 'client_id'.")
	case !strings.EqualFold(a.claims.Audience, endpoint):
		return no(700023, "The audience of the client assertion is not "+endpoint+".")
	case a.claims.ID == "":
		return no(50027, "The client assertion has no 'jti'.")
	case unix < int64(a.claims.NotYet)-int64(clockSkew.Seconds()) || unix >= int64(a.claims.Expires)+int64(clockSkew.Seconds()):
		return no(700024, "The client assertion is not within its valid time range.")
	}
	return nil
}

// Microsoft's own libraries write x5t in the other alphabet, with padding.
var urlAlphabet = strings.NewReplacer("+", "-", "/", "_", "=", "")

// names is true for the certificate whose thumbprint the header has.
func (a assertion) names(c *x509.Certificate) bool {
	sum1, sum256 := sha1.Sum(c.Raw), sha256.Sum256(c.Raw)
	is := func(text string, sum []byte) bool {
		got, err := base64.RawURLEncoding.DecodeString(urlAlphabet.Replace(text))
		return err == nil && bytes.Equal(got, sum)
	}
	return is(a.header.SHA256, sum256[:]) || is(a.header.SHA1, sum1[:])
}

func (a assertion) signedBy(c *x509.Certificate) bool {
	key, ok := c.PublicKey.(*rsa.PublicKey)
	if !ok {
		return false
	}
	sum := sha256.Sum256([]byte(a.signed))
	switch a.header.Algorithm {
	case "RS256":
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], a.signature) == nil
	case "PS256":
		return rsa.VerifyPSS(key, crypto.SHA256, sum[:], a.signature, nil) == nil
	}
	return false
}
