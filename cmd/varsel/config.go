package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/varsel/varsel/api"
	"github.com/varsel/varsel/internal/secrets"
)

// defaultDatabase is what Config says where nothing is configured.
const defaultDatabase = "sqlite://varsel.db"

// Config is the environment, each setting also a flag. varsel.env.sample is
// its manual.
type Config struct {
	DatabaseURL    string `name:"database-url" env:"VARSEL_DATABASE_URL" default:"sqlite://varsel.db" help:"sqlite:///abs/path, sqlite://relative.db or postgres://..."`
	RedisURL       string `name:"redis-url" env:"VARSEL_REDIS_URL" help:"redis://...; empty runs the queue inside the process."`
	Listen         string `env:"VARSEL_LISTEN" default:"127.0.0.1:8080" help:"Address of the API and the console."`
	PublicURL      string `name:"public-url" env:"VARSEL_PUBLIC_URL" help:"How people reach the console; empty is http:// and the address."`
	LogFormat      string `name:"log-format" env:"VARSEL_LOG_FORMAT" default:"text" enum:"text,json" help:"text or json."`
	SecretKey      string `name:"secret-key" env:"VARSEL_SECRET_KEY" help:"32 bytes in base64, several separated by commas; empty keeps varsel.key beside the database."`
	GraphAuthority string `name:"graph-authority" env:"VARSEL_GRAPH_AUTHORITY" help:"Sign-in host, when it is not the global cloud's."`
	GraphURL       string `name:"graph-url" env:"VARSEL_GRAPH_URL" help:"Microsoft Graph, when it is not the global cloud's."`

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
	for name, text := range map[string]string{"VARSEL_PUBLIC_URL": c.PublicURL, "VARSEL_GRAPH_AUTHORITY": c.GraphAuthority, "VARSEL_GRAPH_URL": c.GraphURL} {
		if u, err := url.Parse(text); text != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
			complain(name, "is an http or https URL, not %q", text)
		}
	}
	if c.RedisURL != "" && !strings.HasPrefix(c.RedisURL, "redis://") && !strings.HasPrefix(c.RedisURL, "rediss://") {
		complain("VARSEL_REDIS_URL", "begins with redis:// or rediss://")
	}
	if c.SecretKey != "" {
		if _, err := secrets.Parse(c.SecretKey); err != nil {
			complain("VARSEL_SECRET_KEY", "cannot be used: %v", err)
		}
	}
	return errors.Join(wrong...)
}

// keyring is the keys of the environment, or the file beside the database.
func (c Config) keyring(databasePath string) (*secrets.Keyring, error) {
	if c.SecretKey != "" {
		return secrets.Parse(c.SecretKey)
	}
	return secrets.FromFile(filepath.Join(filepath.Dir(databasePath), "varsel.key"))
}

func (c Config) publicURL() string {
	if c.PublicURL != "" {
		return strings.TrimRight(c.PublicURL, "/")
	}
	return "http://" + c.Listen
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
