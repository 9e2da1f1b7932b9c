package smsqueue_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/cards/slug"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/smstext"
)

// holder gives a contact a card in a group of cards, and answers its id and address.
func (h *house) holder(contact, group int64, state cards.State) (card int64, address string) {
	h.t.Helper()
	id, err := h.db.NewIDs(h.t.Context(), 1)
	must(h.t, err)
	name := slug.New()
	_, err = h.db.ExecContext(h.t.Context(), `
		INSERT INTO card_groups (id, account_id, tenant_id, place, name, template_id, template_version, created_at)
		VALUES ($1, $2, 'tenant', $3, $3, 1, 1, 1) ON CONFLICT DO NOTHING`, group, h.account.ID, fmt.Sprint(group))
	must(h.t, err)
	_, err = h.db.ExecContext(h.t.Context(), `
		INSERT INTO cards (id, account_id, tenant_id, directory_id, contact_id, group_id, slug, state, created_at, updated_at)
		VALUES ($1, $2, 'tenant', $3, $4, $5, $6, $7, 1, 1)`, id, h.account.ID, fmt.Sprint(contact), contact, group, name, string(state))
	must(h.t, err)
	return id, cards.Address("https://varsel.example", name)
}

// Each holder gets the link to their own card, and who has none gets no message. // Q61
func TestEachHolderGetsTheLinkToTheirOwnCard(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(100, 0)
		h.work()
		g, ids := h.staff("All staff", contacts.NewContact{Name: "Kari"}, contacts.NewContact{Name: "Ola"}, contacts.NewContact{Name: "Left"}, contacts.NewContact{Name: "Never"})
		_, kari := h.holder(ids[0], 1, cards.Active)
		_, ola := h.holder(ids[1], 2, cards.Active)
		h.holder(ids[2], 1, cards.Withdrawn)
		n := smsqueue.NewCampaign{Group: g.ID, Text: "Your card: {{card_link}}"}
		p := h.preview(n)
		if p.Recipients != 2 || p.LeftOut.Unresolved != 2 || p.Parts[1] != 2 || len(p.Unresolved) != 1 || p.Unresolved[0].Name != "card_link" {
			t.Errorf("the preview is %+v", p)
		}
		c := h.until(h.campaign(h.account.ID, n), finished)
		if c.LeftOut.Unresolved != 2 || c.Counts[smsqueue.Delivered] != 2 {
			t.Errorf("%+v %+v", c.LeftOut, c.Counts)
		}
		for i, link := range []string{kari, ola} {
			if want := "Your card: " + link; h.said(i) != want || p.Samples[i].Text != want {
				t.Errorf("%s received %q, the preview showed %q", number(i), h.said(i), p.Samples[i].Text)
			}
		}
	})
}

// A campaign goes to the holders of all cards, of a group of cards, or of some. // Q61
func TestACampaignGoesToTheHoldersOfCards(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(100, 0)
		h.work()
		_, ids := h.staff("All staff", contacts.NewContact{Name: "Kari"}, contacts.NewContact{Name: "Ola"}, contacts.NewContact{Name: "Per"}, contacts.NewContact{Name: "No card"})
		_, first := h.holder(ids[0], 1, cards.Active)
		h.holder(ids[1], 2, cards.Active)
		third, _ := h.holder(ids[2], 2, cards.Active)
		h.holder(ids[3], 3, cards.Withdrawn)
		_, err := h.db.ExecContext(t.Context(), `UPDATE contacts SET phone = '', phone_rule = 'none' WHERE id = $1`, ids[1])
		must(t, err)
		to := func(c smsqueue.CardHolders) smsqueue.NewCampaign {
			return smsqueue.NewCampaign{Filter: smsqueue.AudienceFilter{Cards: &c}, Text: smsqueue.ShareText("nb")}
		}
		got := map[string][2]int{}
		for name, c := range map[string]smsqueue.CardHolders{"all": {}, "first": {Groups: []int64{1}}, "second": {Groups: []int64{2}},
			"card": {Cards: []int64{third}}, "none": {Groups: []int64{3}}} {
			p := h.preview(to(c))
			got[name] = [2]int{p.Recipients, p.LeftOut.WithoutNumber}
		}
		if diff := cmp.Diff(map[string][2]int{"all": {2, 1}, "first": {1, 0}, "second": {1, 1}, "card": {1, 0}, "none": {}}, got); diff != "" {
			t.Error("recipients and those without a number:", diff)
		}
		c := h.until(h.campaign(h.account.ID, to(smsqueue.CardHolders{Groups: []int64{1}})), finished)
		if want := strings.ReplaceAll(smsqueue.ShareText("nb"), "{{card_link}}", first); h.said(0) != want || c.Filter.Cards == nil || c.Counts.Total() != 1 {
			t.Errorf("%q was received of %+v", h.said(0), c)
		}
		again, err := h.queue.StartCampaign(t.Context(), h.account.ID, to(smsqueue.CardHolders{}))
		must(t, err)
		if again.Group != c.Group || again.GroupName == "" {
			t.Errorf("it is filed under %d %q, the first under %d", again.Group, again.GroupName, c.Group)
		}
		if all, err := h.book.Groups(t.Context(), h.account.ID, 0, 10); err != nil || len(all) != 1 {
			t.Errorf("the groups are %+v %v", all, err)
		}
	})
}

func TestACardLinkNeedsAPublicURL(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(10, 0)
		ring, err := secrets.FromFile(h.key)
		must(t, err)
		bare := smsqueue.New(smsqueue.House{DB: h.db, Ring: ring, Accounts: h.acc, Carriers: carrierTypes})
		defer bare.Close()
		n := smsqueue.NewCampaign{Filter: smsqueue.AudienceFilter{Cards: &smsqueue.CardHolders{}}, Text: "{{card_link|none}}"}
		if _, err := bare.StartCampaign(t.Context(), h.account.ID, n); !problem.Has(err, "no_public_url") {
			t.Error(err)
		}
		if _, err := bare.Preview(t.Context(), h.account.ID, n); !problem.Has(err, "no_public_url") {
			t.Error(err)
		}
	})
}

// An address is what it is, also where the rest of a text is written in the GSM alphabet.
func TestALinkIsNotWrittenInAnotherAlphabet(t *testing.T) {
	const link = "https://visittkort.łódź.example/c/7h2kx09qmz4bd8ra"
	if got := smsqueue.InAlphabet("Żółta kartka: "+link+" – Łódź", link, ""); !strings.Contains(got, link) || strings.ContainsAny(strings.Replace(got, link, "", 1), "Żółźć–") {
		t.Error(got)
	}
	if got := smsqueue.InAlphabet("“Żal”", link, ""); got != `"Zal"` {
		t.Error(got)
	}
}

// What holders get where nobody wrote anything else is one part with the usual public
// address, and in the GSM alphabet.
func TestTheUsualTextIsOnePart(t *testing.T) { // Q61
	for _, public := range []string{"https://kort.no", "https://cards.example.com", "https://visittkort.storkommunen.example.no/varsel"} {
		for _, language := range []string{"en", "nb", "pl", ""} {
			text := strings.ReplaceAll(smsqueue.ShareText(language), "{{card_link}}", cards.Address(public, slug.New()))
			if a := smstext.Analyse(text); a.Encoding != smstext.GSM7 || len(a.Parts) != 1 {
				t.Errorf("%s in %q: %d parts of %s: %s", public, language, len(a.Parts), a.Encoding, text)
			}
		}
	}
}

// A share is a campaign with a text that has the link. // Q61
func TestAShareHasTheLinkInItsText(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(100, 0)
		_, ids := h.staff("All staff", contacts.NewContact{Name: "Kari"})
		card, _ := h.holder(ids[0], 1, cards.Active)
		n, err := h.queue.Share(t.Context(), h.account.ID, smsqueue.NewShare{To: smsqueue.CardHolders{Cards: []int64{card}}})
		must(t, err)
		if n.Text != smsqueue.ShareText("nb") {
			t.Errorf("an account in Norway says %q", n.Text)
		}
		if c := h.campaign(h.account.ID, n); c.Lane != smsqueue.Bulk || c.GroupName == "" {
			t.Errorf("%+v", c)
		}
		for text, code := range map[string]string{"Here is your card": "card_link_missing", "{{card}}": "unknown_field"} {
			if _, err := h.queue.Share(t.Context(), h.account.ID, smsqueue.NewShare{Text: text}); !problem.Has(err, code) {
				t.Errorf("%q: %v", text, err)
			}
		}
		if _, err := h.queue.Share(t.Context(), h.account.ID, smsqueue.NewShare{Language: "de"}); !problem.Has(err, "invalid_language") {
			t.Error(err)
		}
		other := h.open("other")
		for code, to := range map[string]smsqueue.CardHolders{"card_not_found": {Cards: []int64{card}}, "card_group_not_found": {Groups: []int64{1}}} {
			n.Filter.Cards = &to
			if _, err := h.queue.StartCampaign(t.Context(), other.ID, n); !problem.Has(err, code) {
				t.Errorf("what another account has: %v, not %s", err, code)
			}
		}
	})
}

// Holders are told that their card was changed, by SMS, and by e-mail where there is a
// relay. // Q39
func TestHoldersAreNotifiedBySMSAndMail(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(100, 0)
		ring, err := secrets.FromFile(h.key)
		must(t, err)
		_, ids := h.staff("All staff", contacts.NewContact{Name: "Kari", Email: "kari@acme.example"}, contacts.NewContact{Name: "Ola"}, contacts.NewContact{Name: "Per", Email: "per@acme.example"})
		for i, group := range []int64{1, 1, 2} {
			h.holder(ids[i], group, cards.Active)
		}
		for mails, want := range map[bool]int{false: 0, true: 1} {
			queue := smsqueue.New(smsqueue.House{DB: h.db, Ring: ring, Accounts: h.acc, Carriers: carrierTypes, PublicURL: "https://varsel.example", Mails: mails})
			defer queue.Close()
			c, err := queue.NotifyHolders(t.Context(), h.account.ID, []int64{1}, fmt.Sprint("key ", mails), "1")
			must(t, err)
			again, err := queue.NotifyHolders(t.Context(), h.account.ID, []int64{1}, fmt.Sprint("key ", mails), "1")
			must(t, err)
			if again.ID != c.ID {
				t.Error("the same request starts another campaign")
			}
			if !strings.Contains(c.Text, "{{card_link}}") || len(c.Filter.Cards.Groups) != 1 {
				t.Errorf("%+v", c)
			}
			var n int
			must(t, h.db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM card_mails WHERE notice = $1`, c.ID).Scan(&n))
			if n != want {
				t.Errorf("with a relay (%v) %d are mailed, not %d", mails, n, want)
			}
		}
	})
}
