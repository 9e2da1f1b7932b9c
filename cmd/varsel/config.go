package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/varsel/varsel/api"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/mail"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/internal/visitor"
)

// defaultDatabase is what Config says where nothing is configured.
const defaultDatabase = "sqlite://varsel.db"

// Config is the environment, each setting also a flag. varsel.env.sample is
// its manual.
type Config struct {
	DatabaseURL      string `name:"database-url" env:"VARSEL_DATABASE_URL" default:"sqlite://varsel.db" help:"sqlite:///abs/path, sqlite://relative.db or postgres://..."`
	RedisURL         string `name:"redis-url" env:"VARSEL_REDIS_URL" help:"redis://...; empty runs the queue inside the process."`
	Listen           string `env:"VARSEL_LISTEN" default:"127.0.0.1:8080" help:"Address of the API and the console."`
	PublicURL        string `name:"public-url" env:"VARSEL_PUBLIC_URL" help:"How people reach the console, and providers post receipts; empty is http:// and the address, and no receipts over HTTP."`
	TrustedProxies   string `name:"trusted-proxies" env:"VARSEL_TRUSTED_PROXIES" help:"Addresses and networks of proxies in front, separated by commas: whom they name in X-Forwarded-For is the visitor; empty believes nobody."`
	MetricsListen    string `name:"metrics-listen" env:"VARSEL_METRICS_LISTEN" help:"Address of GET /metrics for Prometheus, a listener of its own; empty is none."`
	LogFormat        string `name:"log-format" env:"VARSEL_LOG_FORMAT" default:"text" enum:"text,json" help:"text or json."`
	SecretKey        string `name:"secret-key" env:"VARSEL_SECRET_KEY" help:"32 bytes in base64, several separated by commas; empty keeps varsel.key beside the database."`
	Exports          string `name:"exports" env:"VARSEL_EXPORTS" help:"Directory of exports of whole accounts; empty is exports beside the database. Processes on several machines share it."`
	Erasures         string `name:"erasures" env:"VARSEL_ERASURES" help:"File that erasures are written to beside the database; empty is erasures.jsonl where varsel.key is."`
	GraphAuthority   string `name:"graph-authority" env:"VARSEL_GRAPH_AUTHORITY" help:"Sign-in host, when it is not the global cloud's."`
	GraphURL         string `name:"graph-url" env:"VARSEL_GRAPH_URL" help:"Microsoft Graph, when it is not the global cloud's."`
	EntraClientID    string `name:"entra-client-id" env:"VARSEL_ENTRA_CLIENT_ID" help:"The installation's own multi-tenant app, which administrators consent to."`
	EntraSecret      string `name:"entra-secret" env:"VARSEL_ENTRA_SECRET" help:"Value of its client secret."`
	EntraCertificate string `name:"entra-certificate" env:"VARSEL_ENTRA_CERTIFICATE" help:"PEM file with its certificate and private key, in place of a secret."`

	VIESURL string `name:"vies-url" env:"VARSEL_VIES_URL" help:"The register of VAT numbers, when it is not the European Commission's."`

	SMTPURL string `name:"smtp-url" env:"VARSEL_SMTP_URL" help:"Mail relay for notices to account owners: smtp://user:password@host:587?from=ADDRESS or smtps://; empty sends no mail."`

	graphCA        []byte // of the simulated directory in the demo
	notifyLoopback bool   // a test's directory reaches us without https and a public name
}

// Validate says what is wrong with the settings, all of it at once.
func (c Config) Validate() error {
	var wrong []error
	complain := func(name, format string, args ...any) {
		wrong = append(wrong, fmt.Errorf("%s %s", name, fmt.Sprintf(format, args...)))
	}
	if !strings.HasPrefix(c.DatabaseURL, "sqlite://") && !strings.HasPrefix(c.DatabaseURL, "postgres://") && !strings.HasPrefix(c.DatabaseURL, "postgresql://") {
		complain("VARSEL_DATABASE_URL", "begins with sqlite:// or postgres://")
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		complain("VARSEL_LISTEN", "is host:port, not %q", c.Listen)
	}
	// Without a host it would be every address of the machine, by an oversight.
	if host, _, err := net.SplitHostPort(c.MetricsListen); c.MetricsListen != "" && (err != nil || host == "") {
		complain("VARSEL_METRICS_LISTEN", "is host:port, with the host, not %q", c.MetricsListen)
	}
	for name, text := range map[string]string{"VARSEL_PUBLIC_URL": c.PublicURL, "VARSEL_GRAPH_AUTHORITY": c.GraphAuthority, "VARSEL_GRAPH_URL": c.GraphURL, "VARSEL_VIES_URL": c.VIESURL} {
		if u, err := url.Parse(text); text != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
			complain(name, "is an http or https URL, not %q", text)
		}
	}
	if _, err := visitor.Parse(c.TrustedProxies); err != nil {
		complain("VARSEL_TRUSTED_PROXIES", "is addresses and networks: %v", err)
	}
	if c.RedisURL != "" && !strings.HasPrefix(c.RedisURL, "redis://") && !strings.HasPrefix(c.RedisURL, "rediss://") {
		complain("VARSEL_REDIS_URL", "begins with redis:// or rediss://")
	}
	if c.SecretKey != "" {
		if _, err := secrets.Parse(c.SecretKey); err != nil {
			complain("VARSEL_SECRET_KEY", "cannot be used: %v", err)
		}
	}
	if c.SMTPURL != "" {
		if _, err := mail.Open(c.SMTPURL); err != nil {
			complain("VARSEL_SMTP_URL", "%v", err)
		}
	}
	if _, err := c.entraApp(); err != nil {
		complain("VARSEL_ENTRA_CLIENT_ID, VARSEL_ENTRA_SECRET or VARSEL_ENTRA_CERTIFICATE", "cannot be used: %v", err)
	}
	if u, err := url.Parse(c.publicURL()); c.EntraClientID != "" && (err != nil || u.Scheme != "https" && !isLoopback(u.Hostname())) {
		complain("VARSEL_PUBLIC_URL", "is https where VARSEL_ENTRA_CLIENT_ID is set: Microsoft sends administrators back to nothing else")
	}
	return errors.Join(wrong...)
}

// entraApp is the installation's own app; without a client id when there is none.
func (c Config) entraApp() (directory.Credentials, error) {
	if c.EntraClientID+c.EntraSecret+c.EntraCertificate == "" {
		return directory.Credentials{}, nil
	}
	app := directory.Credentials{Tenant: "organizations", Client: c.EntraClientID, Secret: c.EntraSecret}
	if c.EntraCertificate != "" {
		text, err := os.ReadFile(c.EntraCertificate)
		if err != nil {
			return app, err
		}
		app.Certificate = string(text)
	}
	return app.Checked()
}

// keyring is the keys of the environment, or the file beside the database.
func (c Config) keyring(databasePath string) (*secrets.Keyring, error) {
	if c.SecretKey != "" {
		return secrets.Parse(c.SecretKey)
	}
	return secrets.FromFile(filepath.Join(filepath.Dir(databasePath), "varsel.key"))
}

// exports is the directory of exports of whole accounts.
func (c Config) exports(databasePath string) string {
	if c.Exports != "" {
		return c.Exports
	}
	return filepath.Join(filepath.Dir(databasePath), "exports")
}

// erasures is the list of erasures, which a restored database is held against.
func (c Config) erasures(databasePath string) string {
	if c.Erasures != "" {
		return c.Erasures
	}
	return filepath.Join(filepath.Dir(databasePath), "erasures.jsonl")
}

// publicURL is what this machine's own people are told, without a slash at its end.
func (c Config) publicURL() string {
	return cmp.Or(c.reachableURL(), "http://"+c.Listen)
}

// reachableURL is what the links begin with that are sent and printed, without a slash
// at its end. An embedded installation that says none is tried out on its own machine; of
// another it is empty: nobody said how others reach it.
func (c Config) reachableURL() string {
	if c.PublicURL == "" && strings.HasPrefix(c.DatabaseURL, "sqlite://") {
		return "http://" + c.Listen
	}
	return strings.TrimRight(c.PublicURL, "/")
}

// notifyURL is where a directory can notify us of changes: it has to find us on
// the internet, by https. Empty when it cannot.
func (c Config) notifyURL() string {
	u, err := url.Parse(c.publicURL())
	if err != nil || !c.notifyLoopback && (u.Scheme != "https" || !publicName(u.Hostname())) {
		return ""
	}
	return c.publicURL() + api.NotificationsPath
}

// callbackURL is where SMS providers can post to us; empty without a public URL,
// and then they are not asked to.
func (c Config) callbackURL() string {
	if c.PublicURL == "" {
		return ""
	}
	return c.publicURL() + api.CallbacksPath
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func publicName(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsGlobalUnicast() && !ip.IsPrivate()
	}
	return strings.Contains(host, ".") && !strings.HasSuffix(host, ".localhost")
}

func (c Config) setLog(w io.Writer) {
	var handler slog.Handler = slog.NewTextHandler(w, nil)
	if c.LogFormat == "json" {
		handler = slog.NewJSONHandler(w, nil)
	}
	slog.SetDefault(slog.New(handler))
}
