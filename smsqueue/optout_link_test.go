package smsqueue_test

import (
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/keywords"
)

func TestWhoCannotAnswerTheSenderTextsTheAccountsNumber(t *testing.T) { // U21
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(10, 0)
		h.number(h.account.ID, "2440", "")
		h.number(h.open("other").ID, "2441", "")
		h.work()
		g := h.group(h.account.ID, "All staff", 2, 0)
		n := smsqueue.NewCampaign{Group: g.ID, Text: "Sale! STOP to {{opt_out_number}}"}
		if p := h.preview(n); p.Recipients != 0 || p.LeftOut.Unresolved != 2 {
			t.Errorf("without a number it is %+v", p)
		}
		for _, wrong := range []string{"2441", "+4759440000", "x"} {
			if err := h.queue.SetOptOutSettings(t.Context(), h.account.ID, smsqueue.OptOutSettings{Number: wrong}); !problem.Has(err, "invalid_opt_out_number") {
				t.Errorf("%s: %v", wrong, err)
			}
		}
		h.number(h.account.ID, office, "")
		must(t, h.queue.SetOptOutSettings(t.Context(), h.account.ID, smsqueue.OptOutSettings{Replies: true, Number: digits(office)}))
		text := "Sale! STOP to " + office
		if p := h.preview(n); p.Recipients != 2 || p.Samples[0].Text != text {
			t.Errorf("%+v", p)
		}
		link := h.queue.OptOutLink(h.account.ID, number(0))
		if o, err := h.queue.OptOut(t.Context(), path.Base(link)); err != nil || o.Texted != office {
			t.Errorf("the page names %q %v", o.Texted, err)
		}
		h.until(h.campaign(h.account.ID, n), finished)
		h.gets(number(0), text)
		h.textsUs(number(0), "STOP")
		h.until(h.campaign(h.account.ID, n), finished)
		h.gets(number(1), text, text)
		h.gets(number(0), text, reply(keywords.Stop))
		must(t, h.queue.RemoveNumber(t.Context(), office, ""))
		if o, err := h.queue.OptOutSettings(t.Context(), h.account.ID); err != nil || o.Number != "" {
			t.Errorf("a number that is gone is named: %+v %v", o, err)
		}
	})
}

func TestALinkStopsOneAccountsMessagesToOneNumber(t *testing.T) { // U21
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(10, 0)
		other := h.open("other")
		link := h.queue.OptOutLink(h.account.ID, handset)
		if !regexp.MustCompile(`^https://varsel\.example/o/[0-9A-Za-z]{12}$`).MatchString(link) || link != h.queue.OptOutLink(h.account.ID, handset) ||
			link == h.queue.OptOutLink(other.ID, handset) || link == h.queue.OptOutLink(h.account.ID, number(0)) {
			t.Errorf("%q", link)
		}
		is := func(want smsqueue.OptOut) {
			t.Helper()
			want.Account, want.Name, want.Phone = h.account.ID, "Acme AS", handset
			got, err := h.queue.OptOut(t.Context(), path.Base(link))
			must(t, err)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		}
		is(smsqueue.OptOut{})
		must(t, h.queue.StopByLink(t.Context(), path.Base(link)))
		must(t, h.queue.StopByLink(t.Context(), path.Base(link)))
		is(smsqueue.OptOut{Stopped: true, MayResume: true})
		h.refused(handset, smsqueue.Normal)
		if h.suppressed(other.ID, handset) {
			t.Error("it stops another account's messages")
		}
		must(t, h.queue.ResumeByLink(t.Context(), path.Base(link)))
		is(smsqueue.OptOut{})
		h.suppress(handset)
		must(t, h.queue.ResumeByLink(t.Context(), path.Base(link)))
		h.number(h.account.ID, "2440", "")
		is(smsqueue.OptOut{Stopped: true, Texted: "2440"}) // what was written down by hand is not undone with the link
	})
}

func TestAnUnknownLinkDoesNothing(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		for _, token := range []string{"", "abc", "abcdefghijkl", strings.Repeat("x", 5000)} {
			_, err := h.queue.OptOut(t.Context(), token)
			for _, err := range []error{err, h.queue.StopByLink(t.Context(), token), h.queue.ResumeByLink(t.Context(), token)} {
				if !problem.Has(err, "no_such_link") {
					t.Errorf("%.20q: %v", token, err)
				}
			}
		}
		if link := h.queue.OptOutLink(h.account.ID, "2440"); link != "" {
			t.Errorf("a short code has the link %q", link)
		}
	})
}
