package main

import (
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/sim/graphsim"
)

// card is the active one of somebody in the directory.
func (p *publicApp) card(id string) (cards.Card, bool) {
	p.t.Helper()
	list, err := p.Cards.List(p.t.Context(), p.account.ID, cards.ListFilter{State: cards.Active}, 0, 1000)
	must(p.t, err)
	for _, c := range list {
		if c.DirectoryID == id {
			return c, true
		}
	}
	return cards.Card{}, false
}

// visited is what a stranger gets at an address.
func (p *publicApp) visited(address string) (status int, page string) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, address, nil)
	must(p.t, err)
	answer, err := p.front.Client().Do(r)
	must(p.t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	must(p.t, err)
	return answer.StatusCode, string(body)
}

// Q41, Q44, Q53, Q56, Q63: from the first day to the last, and back.
func TestACardComesGoesAndReturnsWithItsHolder(t *testing.T) {
	eachPublicApp(t, func(p *publicApp) {
		t := p.t
		c := p.connect()
		_, err := p.Cards.SaveGrouping(t.Context(), p.account.ID, cards.Grouping{Tenant: c.Tenant, Method: cards.ByFields, Fields: []string{"department"}}, "")
		must(t, err)
		design, err := p.Cards.SaveTemplate(t.Context(), p.account.ID, 0, "Design", cards.Usual())
		must(t, err)
		must(t, p.Cards.Apply(t.Context(), p.account.ID, design.ID, nil))
		p.subscribed(c)
		p.await("the first sync ends", func() bool { return p.settled(c) })

		const id = "00000000-1111-2222-3333-444444444444"
		p.sim.AddUser(graphsim.User{ID: id, Properties: map[string]any{"displayName": "Åse Ny", "department": "Robotics", "usageLocation": "NO"}})
		p.await("somebody new has a card", func() bool { _, has := p.card(id); return has })
		holders, _ := p.card(id)
		address := cards.Address(p.front.URL, holders.Slug)
		if status, page := p.visited(address); status != http.StatusOK || !strings.Contains(page, "Åse Ny") {
			t.Errorf("%s: %d\n%s", address, status, page)
		}

		p.sim.SoftDelete(id)
		p.await("who has left has none", func() bool { _, has := p.card(id); return !has })
		p.await("their page is gone", func() bool { status, _ := p.visited(address); return status == http.StatusGone })
		for _, below := range []string{"", "/card.vcf"} {
			if status, page := p.visited(address + below); status != http.StatusGone || strings.Contains(page, "Åse") {
				t.Errorf("%s%s: %d\n%s", address, below, status, page)
			}
		}
		p.sim.Restore(id)
		p.await("who is back has it again", func() bool { back, has := p.card(id); return has && back.Slug == holders.Slug })
		p.await("their page is there", func() bool { status, _ := p.visited(address); return status == http.StatusOK })
		if status, page := p.visited(address); status != http.StatusOK || !strings.Contains(page, "Åse Ny") {
			t.Errorf("%s: %d\n%s", address, status, page)
		}
		p.runJob("purge-cards")
		if _, has := p.card(id); !has {
			t.Error("a card in use was purged")
		}
	})
}

// Where nobody said how others reach the installation, no link to it is sent or printed;
// an embedded one is tried out on its own machine.
func TestWithoutAPublicURLNoLinkLeaves(t *testing.T) {
	own := newInstallation(t, dbtest.SQLiteURL(t))
	own.furnish()
	if link, _ := own.do("", "invite", "add", "--account", "acme", "--name", "Summer party", "--target", "https://events.example.no/party")["link"].(string); !strings.HasPrefix(link, "http://127.0.0.1:8080/i/") {
		t.Errorf("the link is %q", link)
	}
	i := newInstallation(t, dbtest.PostgresURL(t))
	i.furnish()
	i.refused("VARSEL_PUBLIC_URL", "", "card", "share", "--account", "acme", "--preview", "--json")
	made := i.do("", "invite", "add", "--account", "acme", "--name", "Summer party", "--target", "https://events.example.no/party")
	if link, ok := made["link"]; ok {
		t.Errorf("the link is %v", link)
	}
	i.refused("VARSEL_PUBLIC_URL", "", "invite", "show", "--account", "acme", made["id"].(string), "--code", filepath.Join(i.dir, "code.png"), "--json")
	i.env = append(i.env, "--public-url", "https://varsel.example/")
	if link, _ := i.do("", "invite", "show", "--account", "acme", made["id"].(string))["link"].(string); !strings.HasPrefix(link, "https://varsel.example/i/") {
		t.Errorf("the link is %q", link)
	}
}
