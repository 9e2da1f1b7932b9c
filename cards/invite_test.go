package cards_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

func (d drawer) invite(n cards.NewInvite) cards.Invite {
	d.Helper()
	i, err := d.AddInvite(d.Context(), acme, n, noon)
	if err != nil {
		d.Fatal(err)
	}
	return i
}

func (d drawer) leads(i cards.Invite, at time.Time, want string) {
	d.Helper()
	if target, err := d.Invited(d.Context(), i.Slug, at); err != nil || target != want {
		d.Errorf("it leads to %q, %v; want %q", target, err, want)
	}
}

func (d drawer) over(i cards.Invite, at time.Time) {
	d.Helper()
	target, err := d.Invited(d.Context(), i.Slug, at)
	if p := problem.As(err); p == nil || p.Kind != problem.KindGone || target != "" {
		d.Errorf("it leads to %q, %v", target, err)
	}
}

func TestAnInviteLeadsToItsTargetUntilItIsOver(t *testing.T) {
	eachDrawer(t, func(d drawer) {
		const target = "https://events.example.no/party?from=sms#sign-up"
		ending := d.invite(cards.NewInvite{Name: "  Summer\tparty ", Target: " " + target, Ends: noon.Add(time.Hour)})
		d.leads(ending, noon.Add(time.Hour-time.Millisecond), target)
		d.over(ending, noon.Add(time.Hour))

		open := d.invite(cards.NewInvite{Name: "Sign-up", Target: target})
		d.leads(open, noon.AddDate(10, 0, 0), target)
		ended, err := d.EndInvite(d.Context(), acme, open.ID, noon.Add(time.Minute))
		if err != nil || ended.Ended != noon.Add(time.Minute) {
			d.Errorf("%+v %v", ended, err)
		}
		d.over(open, noon.Add(time.Minute))
		again, err := d.EndInvite(d.Context(), acme, open.ID, noon.Add(time.Hour))
		if diff := cmp.Diff(ended, again); err != nil || diff != "" {
			d.Errorf("ended twice: %v\n%s", err, diff)
		}
		if late, err := d.EndInvite(d.Context(), acme, ending.ID, noon.Add(2*time.Hour)); err != nil || !late.Ended.IsZero() {
			d.Errorf("what had an end has another: %+v %v", late, err)
		}
		want := []cards.Invite{ended, {ID: ending.ID, Account: acme, Name: "Summer party", Slug: ending.Slug, Target: target, Ends: noon.Add(time.Hour), Created: noon}}
		got, err := d.Invites(d.Context(), acme, 0, 10)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			d.Errorf("%v\n%s", err, diff)
		}
		if rest, err := d.Invites(d.Context(), acme, ended.ID, 1); err != nil || len(rest) != 1 || rest[0].ID != ending.ID {
			d.Errorf("%+v %v", rest, err)
		}
	})
}

func TestAnInviteIsItsAccountsAlone(t *testing.T) {
	eachDrawer(t, func(d drawer) {
		i := d.invite(cards.NewInvite{Name: "Party", Target: "https://example.no/"})
		if _, err := d.Invite(d.Context(), other, i.ID); !problem.Has(err, "invite_not_found") {
			d.Error(err)
		}
		if _, err := d.EndInvite(d.Context(), other, i.ID, noon); !problem.Has(err, "invite_not_found") {
			d.Error(err)
		}
		if all, err := d.Invites(d.Context(), other, 0, 10); err != nil || len(all) != 0 {
			d.Errorf("%+v %v", all, err)
		}
		d.leads(i, noon, "https://example.no/")
		foreign := d.saved(0, "Blue", cards.Usual())
		if _, err := d.AddInvite(d.Context(), other, cards.NewInvite{Name: "x", Target: "https://example.no/", Template: foreign.ID}, noon); !problem.Has(err, "card_template_not_found") {
			d.Error(err)
		}
	})
}

func TestAnInviteLeadsNowhereButToSecurePages(t *testing.T) {
	eachDrawer(t, func(d drawer) {
		for target, want := range map[string]string{
			"https://example.no":               "https://example.no",
			"https://example.no:8443/a?b=c#d":  "https://example.no:8443/a?b=c#d",
			"https://example.no/sommerfest/på": "https://example.no/sommerfest/p%C3%A5",
			"https://example.no/?q=blåbær":     "https://example.no/?q=bl%C3%A5b%C3%A6r",
		} {
			d.leads(d.invite(cards.NewInvite{Name: "Party", Target: target}), noon, want)
		}
		for _, target := range []string{"", "example.no", "/party", "//example.no/", "http://example.no/", "javascript:alert(1)", "data:text/html,x", "ftp://example.no/",
			"https://", "https:///party", "https:example.no", "https://varsel.example@evil.example/", "https://evil.example\\@example.no/", "https://example.no/\\x",
			"https://example.no/\r\nSet-Cookie: a=b", "https://example.no/a b\x00", "https://example.no/" + strings.Repeat("x", 2000)} {
			if i, err := d.AddInvite(d.Context(), acme, cards.NewInvite{Name: "Party", Target: target}, noon); !problem.Has(err, "invalid_target") {
				d.Errorf("%q: %+v %v", target, i, err)
			}
		}
	})
}

func TestAnInviteThatMakesNoSenseIsRefused(t *testing.T) {
	eachDrawer(t, func(d drawer) {
		for code, n := range map[string]cards.NewInvite{
			"invalid_name":            {Name: " ", Target: "https://example.no/"},
			"invalid_ends_at":         {Name: "Party", Target: "https://example.no/", Ends: noon},
			"card_template_not_found": {Name: "Party", Target: "https://example.no/", Template: 1},
		} {
			if _, err := d.AddInvite(d.Context(), acme, n, noon); !problem.Has(err, code) {
				d.Errorf("%v, want %s", err, code)
			}
		}
		refusal := problem.Conflict("plan_lacks_cards", "no cards")
		d.Gated(func(context.Context, int64) error { return refusal })
		if _, err := d.AddInvite(d.Context(), acme, cards.NewInvite{Name: "Party", Target: "https://example.no/"}, noon); !errors.Is(err, refusal) {
			d.Error(err)
		}
	})
}

func TestTheSlugOfAnInviteIsNeverGivenAgain(t *testing.T) {
	eachDrawer(t, func(d drawer) {
		const used, free = "7h2kx09qmz4bd8ra", "8h2kx09qmz4bd8ra"
		next := []string{used, used, used, free}
		cards.Slugs(d, func() string {
			s := next[0]
			next = next[1:]
			return s
		})
		first := d.invite(cards.NewInvite{Name: "First", Target: "https://example.no/1"})
		for {
			done, err := d.ForgetAccount(d.Context(), acme)
			if err != nil {
				d.Fatal(err)
			}
			if !done.More {
				break
			}
		}
		d.over(first, noon)
		if again := d.invite(cards.NewInvite{Name: "Second", Target: "https://example.no/2"}); first.Slug != used || again.Slug != free {
			d.Errorf("%s, then %s", first.Slug, again.Slug)
		}
		if _, err := d.Invited(d.Context(), "9h2kx09qmz4bd8ra", noon); !problem.Has(err, "invite_not_found") {
			d.Error(err)
		}
	})
}

func TestAnInviteIsMadeTogetherWithWhatElseIsToBe(t *testing.T) {
	eachDrawer(t, func(d drawer) {
		broken := errors.New("the disk is full")
		_, err := d.AddInvite(d.Context(), acme, cards.NewInvite{Name: "Party", Target: "https://example.no/", Also: func(context.Context, *db.Tx, int64) error { return broken }}, noon)
		if all, listed := d.Invites(d.Context(), acme, 0, 10); !errors.Is(err, broken) || listed != nil || len(all) != 0 {
			d.Errorf("%v, %+v %v", err, all, listed)
		}
	})
}

func TestTheCodeOfAnInviteHasTheStyleThatItWasMadeWith(t *testing.T) {
	eachDrawer(t, func(d drawer) {
		const public = "https://varsel.example"
		blue := cards.Usual()
		blue.Code.Foreground = "#1f4e79"
		design := d.saved(0, "Blue", blue)
		i := d.invite(cards.NewInvite{Name: "Party", Target: "https://example.no/", Template: design.ID})
		draw := func(i cards.Invite, form cards.CodeForm) string {
			d.Helper()
			file, err := d.InviteCode(d.Context(), i, public, form, noon)
			if err != nil {
				d.Fatal(err)
			}
			return string(file)
		}
		before := draw(i, cards.SVG)
		if !strings.Contains(before, "#1f4e79") {
			d.Errorf("it is %s", before)
		}
		red := blue
		red.Code.Foreground = "#7a1f1f"
		d.saved(design.ID, "Blue", red)
		if err := d.RemoveTemplate(d.Context(), acme, design.ID); err != nil {
			d.Fatal(err)
		}
		if draw(i, cards.SVG) != before {
			d.Error("it changed with the template")
		}
		plain := d.invite(cards.NewInvite{Name: "Plain", Target: "https://example.no/", Ends: noon.Add(time.Hour)})
		for form, begins := range map[cards.CodeForm]string{cards.PNG: "\x89PNG", cards.SVG: "<svg", cards.PDF: "%PDF-"} {
			if file := draw(plain, form); !bytes.Contains([]byte(file)[:100], []byte(begins)) {
				d.Errorf("%s begins with %q", form, file[:100])
			}
		}
		if _, err := d.InviteCode(d.Context(), plain, "", cards.PNG, noon); !problem.Has(err, "no_public_url") {
			d.Error(err)
		}
		if _, err := d.InviteCode(d.Context(), plain, public, cards.PNG, noon.Add(time.Hour)); !problem.Has(err, "invite_gone") {
			d.Error(err)
		}
	})
}

func TestAddressesInACodeAreInCapitalsWhereTheyMayBe(t *testing.T) {
	for public, want := range map[string][2]string{
		"https://varsel.example/":    {"https://varsel.example/i/7h2k", "HTTPS://VARSEL.EXAMPLE/I/7H2K"},
		"https://example.no/varsel/": {"https://example.no/varsel/i/7h2k", "https://example.no/varsel/i/7h2k"},
	} {
		if got := [2]string{cards.InviteAddress(public, "7h2k"), cards.InviteCodeAddress(public, "7h2k")}; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
