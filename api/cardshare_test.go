package api

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/internal/secrets"
)

// holder makes a contact with a card, in a group of cards, and answers their names.
func (h *house) holder(t *testing.T, phone, slug string) (card, group string) {
	t.Helper()
	ids, err := h.db.NewIDs(t.Context(), 3)
	must(t, err)
	for _, row := range []struct {
		statement string
		args      []any
	}{
		{`INSERT INTO contacts (id, account_id, source, name, phone_rule, phone, phone_country, state, created_at, updated_at)
			VALUES ($1, $2, 'manual', 'Kari', 'manual', $3, 'NO', 'active', 1, 1)`, []any{ids, h.account.ID, phone}},
		{`INSERT INTO card_groups (id, account_id, tenant_id, place, name, template_id, template_version, created_at) VALUES ($1, $2, 't', $3, 'Sales', 1, 1, 1)`, []any{ids + 1, h.account.ID, slug}},
		{`INSERT INTO cards (id, account_id, tenant_id, directory_id, contact_id, group_id, slug, state, created_at, updated_at)
			VALUES ($1, $2, 't', $3, $4, $5, $3, 'active', 1, 1)`, []any{ids + 2, h.account.ID, slug, ids, ids + 1}},
	} {
		_, err := h.db.ExecContext(t.Context(), row.statement, row.args...)
		must(t, err)
	}
	return h.Names.Of(secrets.Card, ids+2), h.Names.Of(secrets.CardGroup, ids+1)
}

func TestHoldersAreSentTheirOwnCard(t *testing.T) { // Q61
	h := openHouse(t)
	first, sales := h.holder(t, "+4791234567", "7h2kx09qmz4bd8ra")
	h.holder(t, "+4791234568", "8h2kx09qmz4bd8rb")
	h.holder(t, "", "9h2kx09qmz4bd8rc")
	var p struct {
		Recipients int
		PartsInAll int `json:"parts_in_all"`
		LeftOut    struct {
			WithoutNumber int `json:"without_number"`
			InvalidNumber int `json:"invalid_number"`
		} `json:"left_out"`
		Samples []struct{ Text string }
	}
	must(t, json.Unmarshal(h.ask(t, "POST", cardSharePath+"/preview", `{"text":"Card: {{card_link}}"}`).body, &p))
	if p.Recipients != 2 || p.PartsInAll != 2 || p.LeftOut.WithoutNumber+p.LeftOut.InvalidNumber != 1 || p.Samples[0].Text != "Card: https://varsel.example/c/7h2kx09qmz4bd8ra" {
		t.Errorf("%+v", p)
	}
	var c campaign
	for range 2 { // a repetition starts nothing more
		got := h.ask(t, "POST", cardSharePath, `{"groups":["`+sales+`"],"language":"pl"}`, "Idempotency-Key", "share-1")
		if got.status != 202 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		id := c.ID
		must(t, json.Unmarshal(got.body, &c))
		if id != "" && id != c.ID {
			t.Errorf("%s and %s", id, c.ID)
		}
	}
	if c.Cards == nil || len(c.Cards.Groups) != 1 || c.Cards.Groups[0] != sales || c.Lane != "bulk" || !strings.Contains(c.Text, "karta kontaktowa") {
		t.Errorf("%+v", c)
	}
	if got := h.ask(t, "POST", cardSharePath, `{"cards":["`+first+`"]}`); got.status != 202 {
		t.Errorf("%d %s", got.status, got.body)
	}
	refused(t, h.ask(t, "POST", cardSharePath, `{"text":"Hello"}`), 422, "card_link_missing")
	refused(t, h.ask(t, "POST", cardSharePath, `{"groups":["cgr_x"]}`), 404, "card_group_not_found")
	refused(t, h.ask(t, "POST", cardSharePath, `{"cards":["`+h.Names.Of(secrets.Card, 5)+`"]}`), 404, "card_not_found")
}

func TestHoldersAreNotifiedOnceForAKey(t *testing.T) { // Q39
	h := openHouse(t)
	_, sales := h.holder(t, "+4791234567", "7h2kx09qmz4bd8ra")
	saved, err := h.Cards.SaveTemplate(t.Context(), h.account.ID, 0, "House style", cards.Usual())
	must(t, err)
	at := cardTemplatesPath + "/" + h.Names.Of(secrets.CardTemplate, saved.ID) + "/notify"
	body := `{"groups": ["` + sales + `"]}`
	first := read[campaign](t, h.ask(t, "POST", at, body, "Idempotency-Key", "once"), 202)
	if !strings.Contains(first.Text, "{{card_link}}") {
		t.Errorf("it says %q", first.Text)
	}
	if again := read[campaign](t, h.ask(t, "POST", at, body, "Idempotency-Key", "once"), 202); again.ID != first.ID {
		t.Errorf("the same request makes %s and %s", first.ID, again.ID)
	}
	refused(t, h.ask(t, "POST", at, `{}`, "Idempotency-Key", "once"), 409, "idempotency_key_reused")
	_, key := h.other(t)
	refused(t, h.ask(t, "POST", at, `{}`, bearer(key)...), 404, "card_template_not_found")
}
