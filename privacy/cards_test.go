package privacy_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/privacy"
)

// cards gives the account a design, a group and a card with a photo and a consent.
func (e *estate) cards() {
	e.Helper()
	account := e.account.ID
	for _, row := range []struct {
		statement string
		args      []any
	}{
		{`INSERT INTO card_templates (id, account_id, name, version, created_at, updated_at) VALUES (1, $1, 'Blue', 1, 1, 1)`, []any{account}},
		{`INSERT INTO card_template_versions (account_id, template_id, version, body, created_at) VALUES ($1, 1, 1, '{}', 1)`, []any{account}},
		{`INSERT INTO card_images (id, account_id, media_type, content, created_at) VALUES (1, $1, 'image/png', 'a logo', 1)`, []any{account}},
		{`INSERT INTO card_groupings (account_id, tenant_id, method, fields, filters, saved_at) VALUES ($1, 'tenant', 'all', '[]', '[]', 1)`, []any{account}},
		{`INSERT INTO card_groups (id, account_id, tenant_id, place, name, template_id, template_version, created_at) VALUES (1, $1, 'tenant', '', 'All', 1, 1, 1)`, []any{account}},
		{`INSERT INTO cards (id, account_id, tenant_id, directory_id, contact_id, group_id, slug, state, taken, created_at, updated_at)
			VALUES (1, $1, 'tenant', 'ragnhild', 7, 1, '7h2kx09qmz4bd8ra', 'active', $2, 1, 1)`, []any{account, `{"displayName":"` + nameOf(1) + `"}`}},
		{`INSERT INTO card_slugs (slug, created_at) VALUES ('7h2kx09qmz4bd8ra', 1)`, nil},
		{`INSERT INTO card_photos (card_id, account_id, media_type, content, uploaded_at) VALUES (1, $1, 'image/jpeg', 'a photo', 1)`, []any{account}},
		{`INSERT INTO card_consents (id, account_id, card_id, number_mark, notice, language, at) VALUES (1, $1, 1, 'mark', '2026-11', 'nb', $2)`, []any{account, time.Now().UnixMilli()}},
		{`INSERT INTO card_invites (id, account_id, name, slug, target, created_at) VALUES (1, $1, 'Party', '8h2kx09qmz4bd8ra', 'https://example.no/', 1)`, []any{account}},
		{`INSERT INTO card_mails (notice, card_id, account_id, language, due_at) VALUES (1, 1, $1, 'nb', 1)`, []any{account}},
	} {
		e.exec(row.statement, row.args...)
	}
}

var cardTables = []string{"cards", "card_photos", "card_consents", "card_mails", "card_groups", "card_groupings", "card_templates", "card_template_versions", "card_images", "card_invites"}

// Art. 28(3)(g) GDPR
func TestTheCardsOfAnAccountAreReturnedAndDeleted(t *testing.T) { // Q53
	eachEstate(t, func(t *testing.T, e *estate) {
		e.cards()
		files := e.unpack(e.export())
		for _, name := range []string{"cards", "card_groups", "card_groupings", "card_templates", "card_consents", "card_mails", "card_invites"} {
			if strings.Count(files[name+".jsonl"], "\n") != 1 {
				t.Errorf("%s has %q", name, files[name+".jsonl"])
			}
		}
		if !strings.Contains(files["cards.csv"], nameOf(1)) {
			t.Errorf("the cards are %s", files["cards.csv"])
		}
		pictures := map[string]string{}
		for name, content := range files {
			if folder, _, in := strings.Cut(name, "/"); in {
				pictures[folder] = content
			}
		}
		same(t, "photos", pictures["photos"], "a photo")
		same(t, "logos", pictures["logos"], "a logo")

		e.terminate(privacy.AtEndDelete)
		check(t, e.desk.RunExits(t.Context(), inDays(31)))
		for _, table := range cardTables {
			same(t, "rows of "+table, e.count(`SELECT COUNT(*) FROM `+table), 0)
		}
		counts := got(e.desk.Exit(t.Context(), e.account.ID)).Counts
		for _, kind := range []string{"cards", "card_photos", "card_consents", "card_templates", "card_invites"} {
			same(t, kind+" on the certificate", counts[kind], 1)
			if !slices.Contains(privacy.Kinds, kind) {
				t.Errorf("the certificate is without %s", kind)
			}
		}
		if _, _, err := cards.New(e.db).Public(t.Context(), "7h2kx09qmz4bd8ra"); !problem.Has(err, "card_gone") {
			t.Errorf("the card's address says %v", err)
		}
		if _, err := audit.Verify(t.Context(), e.db, e.account.ID); err != nil {
			t.Error(err)
		}
	})
}

// Art. 30(2) GDPR
func TestTheRegisterTellsOfCards(t *testing.T) {
	eachEstate(t, func(t *testing.T, e *estate) {
		e.cards()
		for _, category := range []string{"cards", "card_visitors"} {
			if done := got(e.desk.Register(t.Context(), e.account.ID)).Controllers[0].Categories; !slices.Contains(done, category) {
				t.Errorf("%v is without %s", done, category)
			}
		}
	})
}

func TestConsentsOfVisitorsGoAfterTheirTime(t *testing.T) {
	eachEstate(t, func(t *testing.T, e *estate) {
		e.cards()
		for _, after := range []struct{ days, left int }{{364, 1}, {366, 0}} {
			got(e.desk.RunRetentionOf(t.Context(), e.account.ID, inDays(after.days)))
			same(t, "consents that are left", e.count(`SELECT COUNT(*) FROM card_consents`), after.left)
		}
	})
}
