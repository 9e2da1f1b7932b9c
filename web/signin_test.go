package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/web"
)

var otherAccount = accounts.Account{Handle: "other", Name: "Other AS", Region: "NO", Sender: "OTHER"}

func TestSignInPages(t *testing.T) {
	w := newWorld(t)
	for _, language := range []string{"en", "nb", "pl"} {
		w.golden("signin-"+language, w.get("/sign-in?next=/groups", "Accept-Language", language).body)
	}
}

func TestSignInAndOut(t *testing.T) {
	w := newWorld(t)
	got := w.post("/sign-in", url.Values{"email": {" KARI@acme.test "}, "password": {password}, "next": {"/groups?from=grp_x"}})
	if got.status != http.StatusSeeOther || got.header.Get("Location") != "/groups?from=grp_x" {
		t.Fatalf("%d to %s", got.status, got.header.Get("Location"))
	}
	cookie := strings.ToLower(got.header.Get("Set-Cookie"))
	for _, want := range []string{"httponly", "samesite=lax", "path=/"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("the cookie is not %s", want)
		}
	}
	if got := w.get("/groups"); got.status != http.StatusOK {
		t.Errorf("signed in: %d", got.status)
	}
	old := w.client.Jar.Cookies(must(url.Parse(w.home)))
	if got := w.post("/sign-out", url.Values{}); got.status != http.StatusSeeOther {
		t.Errorf("sign out: %d", got.status)
	}
	if left := w.client.Jar.Cookies(must(url.Parse(w.home))); len(left) > 0 {
		t.Errorf("%d cookies are left", len(left))
	}
	w.client.Jar.SetCookies(must(url.Parse(w.home)), old)
	if got := w.get("/groups", "Accept", "text/html"); got.status != http.StatusSeeOther {
		t.Errorf("with the old cookie: %d", got.status)
	}
}

func TestRefusedSignInTellsNothing(t *testing.T) {
	w := newWorld(t)
	wrong := w.post("/sign-in", url.Values{"email": {email}, "password": {"not the password"}})
	unknown := w.post("/sign-in", url.Values{"email": {"who@acme.test"}, "password": {"not the password"}})
	if wrong.status != http.StatusUnauthorized || unknown.status != wrong.status {
		t.Errorf("%d and %d", wrong.status, unknown.status)
	}
	if strings.ReplaceAll(unknown.body, "who@acme.test", email) != wrong.body {
		t.Error("the pages tell an unknown address from a wrong password")
	}
	if strings.Contains(wrong.body, "not the password") {
		t.Error("the page gives the password back")
	}
}

func TestManyRefusedSignInsHaveToWait(t *testing.T) {
	w := newWorld(t)
	var got answer
	for range 5 { // where the machine stands still for so long, one more is let through
		for range 6 {
			w.post("/sign-in", url.Values{"email": {email}, "password": {"not the password"}})
		}
		if got = w.post("/sign-in", url.Values{"email": {email}, "password": {password}}); got.status == http.StatusTooManyRequests {
			break
		}
	}
	if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") == "" {
		t.Errorf("%d, Retry-After %q", got.status, got.header.Get("Retry-After"))
	}
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	form := url.Values{"email": {email}, "password": {password}}
	for _, c := range []struct {
		what    string
		headers []string
		status  int
	}{
		{"another site", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"a neighbour", []string{"Sec-Fetch-Site", "same-site", "Origin", w.home}, 403},
		{"ours", []string{"Sec-Fetch-Site", "same-origin"}, 303},
		{"an older browser", []string{"Sec-Fetch-Site", "", "Origin", w.home}, 303},
		{"an older browser elsewhere", []string{"Sec-Fetch-Site", "", "Origin", "https://evil.test"}, 403},
		{"a sandbox", []string{"Sec-Fetch-Site", "", "Origin", "null"}, 403},
		{"who does not say", []string{"Sec-Fetch-Site", ""}, 403},
	} {
		for _, path := range []string{"/sign-in", "/sign-out"} {
			if got := w.post(path, form, c.headers...); got.status != c.status {
				t.Errorf("%s from %s: %d, want %d", path, c.what, got.status, c.status)
			}
		}
	}
}

func TestNextLeadsNowhereElse(t *testing.T) {
	w := newWorld(t)
	for _, next := range []string{"https://evil.test/", "//evil.test", `/\evil.test`, "evil", "javascript:alert(1)", "/\t/evil.test"} {
		got := w.post("/sign-in", url.Values{"email": {email}, "password": {password}, "next": {next}})
		if got.header.Get("Location") != "/" {
			t.Errorf("%q leads to %q", next, got.header.Get("Location"))
		}
	}
}

func TestAViewerMayLookAndNotSend(t *testing.T) {
	w := newWorld(t)
	w.as("viewer")
	if got := w.get("/campaigns"); got.status != http.StatusOK || strings.Contains(got.body, "/campaigns/new") {
		t.Errorf("%d, with a way to send: %t", got.status, strings.Contains(got.body, "/campaigns/new"))
	}
	if got := w.get("/campaigns/new"); got.status != http.StatusForbidden || !strings.Contains(got.body, "not send") {
		t.Errorf("the form: %d", got.status)
	}
	if got := w.post("/campaigns/new", url.Values{"text": {"x"}, "group": {"grp_x"}}); got.status != http.StatusForbidden {
		t.Errorf("starting: %d", got.status)
	}
}

func TestCookiesAreSecureWhereThePublicAddressIs(t *testing.T) {
	w := newWorld(t)
	app := fiber.New(fiber.Config{Immutable: true})
	web.Mount(app, web.Services{Accounts: w.accounts, Queue: w.queue, Trail: w.trail, PublicURL: "https://sms.acme.test"})
	form := url.Values{"email": {email}, "password": {password}}
	req := httptest.NewRequest(http.MethodPost, "/sign-in", strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", "https://sms.acme.test")
	res := must(app.Test(req, -1))
	cookie := res.Header.Get("Set-Cookie")
	if res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(cookie, "__Host-varsel_session=") || !strings.Contains(cookie, "secure") {
		t.Errorf("%d %s", res.StatusCode, cookie)
	}
}
