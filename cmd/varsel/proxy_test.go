package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/varsel/varsel/internal/db/dbtest"
)

// guess tries to sign in with a wrong password behind a proxy, which adds the visitor
// to what the visitor made up.
func (i *installation) guess(email, madeUp, visitor string) (status int) {
	i.t.Helper()
	form := url.Values{"email": {email}, "password": {"wrong"}}
	req, err := http.NewRequestWithContext(i.t.Context(), http.MethodPost, i.url+"/sign-in", strings.NewReader(form.Encode()))
	must(i.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("X-Forwarded-For", madeUp+", "+visitor)
	res, err := http.DefaultClient.Do(req)
	must(i.t, err)
	res.Body.Close()
	return res.StatusCode
}

// Behind a proxy visitors are told apart by their own addresses, which they cannot make up.
func TestAVisitorBehindAProxyIsTheVisitor(t *testing.T) {
	i := newInstallation(t, dbtest.SQLiteURL(t), "--trusted-proxies", "127.0.0.0/8")
	i.do("", "account", "create", "--id", "acme", "--name", "Acme AS", "--region", "NO")
	i.do("a long password\n", "user", "create", "--account", "acme", "--email", "kari@acme.example", "--role", "owner", "--password-stdin")
	i.serve(roleAll)
	const tries = 12 // more than one address has
	for n := range tries {
		if got := i.guess(fmt.Sprintf("a%d@acme.example", n), "203.0.113.250", fmt.Sprintf("203.0.113.%d", n)); got != http.StatusUnauthorized {
			t.Fatalf("visitor %d: %d", n, got)
		}
	}
	limited := func(visitor func(n int) (madeUp, address string)) bool {
		for n := range 3 * tries {
			madeUp, address := visitor(n)
			if i.guess(fmt.Sprintf("b%d@acme.example", n), madeUp, address) == http.StatusTooManyRequests {
				return true
			}
		}
		return false
	}
	if !limited(func(n int) (string, string) { return fmt.Sprintf("198.51.100.%d", n), "203.0.113.100" }) {
		t.Error("a visitor who makes up addresses is not limited")
	}
	if !limited(func(n int) (string, string) { return "198.51.100.1", fmt.Sprintf("2001:db8:1:2::%x", n+1) }) {
		t.Error("a visitor with a network of IPv6 is not limited")
	}
	i.guess("kari@acme.example", "198.51.100.1", "2001:db8:1:3:4:5:6:7")
	out, err := i.try("", "audit", "list", "--account", "acme", "--json")
	must(t, err)
	if !strings.Contains(out, "2001:db8:1:3:4:5:6:7") || strings.Contains(out, "127.0.0.1") || strings.Contains(out, "198.51.100.1") {
		t.Errorf("the trail has another address: %s", out)
	}
}

func TestWithoutTrustedProxiesNobodyIsBelieved(t *testing.T) {
	i := newInstallation(t, dbtest.SQLiteURL(t))
	i.do("", "account", "create", "--id", "acme", "--name", "Acme AS", "--region", "NO")
	i.do("a long password\n", "user", "create", "--account", "acme", "--email", "kari@acme.example", "--role", "owner", "--password-stdin")
	i.serve(roleAll)
	i.guess("kari@acme.example", "198.51.100.1", "203.0.113.5")
	out, err := i.try("", "audit", "list", "--account", "acme", "--json")
	must(t, err)
	if !strings.Contains(out, "127.0.0.1") || strings.Contains(out, "203.0.113.5") {
		t.Errorf("the trail has another address: %s", out)
	}
}

func TestTrustedProxiesAreAddresses(t *testing.T) {
	i := newInstallation(t, dbtest.SQLiteURL(t), "--trusted-proxies", "proxy.example")
	i.refused("VARSEL_TRUSTED_PROXIES", "", "operator", "list")
}
