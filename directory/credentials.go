package directory

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/problem"
)

// Credentials are the three values of the app that the customer registered. In
// the place of a secret there may be a certificate with its private key, in PEM.
type Credentials struct {
	Tenant, Client, Secret string
	Certificate            string
}

// What a connection signs in with.
const (
	BySecret      = "secret"
	ByCertificate = "certificate"
	// ByInstallation is the installation's own app, whose secret is in its settings.
	ByInstallation = "installation"
)

var (
	tenantPattern = regexp.MustCompile(`^[A-Za-z0-9.-]+$`)
	clientPattern = regexp.MustCompile(`^[A-Za-z0-9-]+$`)
	guidPattern   = regexp.MustCompile(`^\{?[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}?$`)
)

// Checked trims them and says what cannot be right.
func (c Credentials) Checked() (Credentials, error) {
	c = Credentials{
		Tenant: strings.ToLower(strings.TrimSpace(c.Tenant)),
		Client: strings.ToLower(strings.TrimSpace(c.Client)),
		Secret: strings.TrimSpace(c.Secret), Certificate: strings.TrimSpace(c.Certificate),
	}
	switch {
	case !tenantPattern.MatchString(c.Tenant), strings.HasPrefix(c.Tenant, scimTenant):
		return c, problem.Invalid("tenant", "the tenant id is the Directory (tenant) ID on the app's Overview page in Entra")
	case !clientPattern.MatchString(c.Client):
		return c, problem.Invalid("client_id", "the client id is the Application (client) ID on the app's Overview page in Entra")
	case c.Certificate != "" && c.Secret != "":
		return c, problem.Invalid("certificate", "give a secret or a certificate, not both")
	case c.Certificate != "":
		_, err := c.certificateEnds()
		return c, err
	case c.Secret == "":
		return c, problem.Invalid("secret", "the secret is missing")
	case guidPattern.MatchString(c.Secret):
		return c, problem.Invalid("secret", "this looks like the Secret ID of the client secret. Give its Value instead: "+
			"Entra shows it only once, when the secret is made, so you may have to make a new one")
	}
	return c, nil
}

// certificateEnds reads the certificate and answers when it ends.
func (c Credentials) certificateEnds() (time.Time, error) {
	var ends time.Time
	key := false
	for rest := []byte(c.Certificate); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		switch {
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			key = true
		case block.Type == "CERTIFICATE" && ends.IsZero():
			leaf, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return ends, problem.Invalid("certificate", "the certificate cannot be read: %v", err)
			}
			ends = leaf.NotAfter
		}
	}
	switch {
	case ends.IsZero():
		return ends, problem.Invalid("certificate", "there is no certificate in it; it has to be PEM, with lines such as -----BEGIN CERTIFICATE-----")
	case !key:
		return ends, problem.Invalid("certificate", "the certificate's private key is missing; put both into one PEM")
	}
	return ends, nil
}

func (c Credentials) kind() string {
	if c.Certificate != "" {
		return ByCertificate
	}
	return BySecret
}

// sealed is what is stored of them, besides the tenant and the client.
func (c Credentials) sealed() []byte {
	text, err := json.Marshal(map[string]string{"secret": c.Secret, "certificate": c.Certificate})
	if err != nil {
		panic(err) // it is two strings
	}
	return text
}

func (c *Credentials) unseal(text []byte) {
	var held struct{ Secret, Certificate string }
	if json.Unmarshal(text, &held) != nil || held.Secret+held.Certificate == "" {
		held.Secret = string(text) // as it was kept before there were certificates
	}
	c.Secret, c.Certificate = held.Secret, held.Certificate
}

// about is what the secret is sealed for.
func about(account int64, tenant string) string {
	return fmt.Sprintf("directory %d %s", account, tenant)
}

// last4 lets an administrator tell one secret from another. Of a short one it
// would give too much away.
func last4(secret string) string {
	const enough = 12
	if len(secret) < enough {
		return ""
	}
	return secret[len(secret)-4:]
}
