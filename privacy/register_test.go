package privacy_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/privacy"
)

// Art. 30(2) GDPR
func TestTheRegisterFollowsTheConfiguration(t *testing.T) {
	eachEstate(t, func(t *testing.T, e *estate) {
		ctx := t.Context()
		before := got(e.desk.Register(ctx, e.account.ID))
		same(t, "categories", before.Controllers[0].Categories, []string{"contacts", "messages", "personal", "roll_calls", "received", "suppressions"})
		same(t, "fields read without a directory", before.Controllers[0].Fields, nil)

		check(t, e.acc.SetProcessor(ctx, accounts.Processor{Party: accounts.Party{LegalName: "Varsel Drift AS", Address: "Storgata 1, Oslo", DPO: "Ola Vern"}, Signatory: "Ola Nordmann", SignatoryTitle: "CEO"}))
		check(t, e.desk.SetRetention(ctx, e.account.ID, privacy.MessageTexts, 33))
		e.exec(`INSERT INTO connections (id, account_id, tenant_id, client_id, secret_sealed, secret_last4, secret_at, state, every_ms, created_at, settings)
			VALUES (9, $1, 'tenant', 'client', '', '', 1, 'connected', 1, 1, '{}')`, e.account.ID)
		after := got(e.desk.Register(ctx, e.account.ID))
		if !slices.Contains(after.Controllers[0].Categories, "directory") || !slices.Contains(after.Controllers[0].Fields, "mobilePhone") {
			t.Errorf("with a directory: %v reading %v", after.Controllers[0].Categories, after.Controllers[0].Fields)
		}
		for language, says := range map[string][]string{"en": {"Varsel Drift AS", "Ola Vern", "mobilePhone", "Days kept: Texts of messages,33"}, "nb": {"Personvernombud"}, "pl": {"Inspektor ochrony danych"}} {
			var out bytes.Buffer
			check(t, after.CSV(&out, language))
			for _, word := range says {
				if !strings.Contains(out.String(), word) {
					t.Errorf("the register in %s is without %q:\n%s", language, word, out.String())
				}
			}
			if file := got(after.PDF(language)); !bytes.HasPrefix(file, []byte("%PDF-")) {
				t.Errorf("the register in %s is no PDF", language)
			}
		}
	})
}

func TestTheRegisterOfAnAccountNamesNoOther(t *testing.T) {
	eachEstate(t, func(t *testing.T, e *estate) {
		e.open(t, "other")
		same(t, "controllers of all", len(got(e.desk.Register(t.Context(), 0)).Controllers), 2)
		same(t, "controllers of one", len(got(e.desk.Register(t.Context(), e.account.ID)).Controllers), 1)
	})
}

func TestDocumentsHaveTheirWordsInEveryLanguage(t *testing.T) {
	for _, missing := range privacy.MissingPhrases() {
		t.Error(missing)
	}
}
