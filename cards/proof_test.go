package cards_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/internal/secrets"
)

// marked is a drawer that has the installation's key, with a card in it.
func eachMarked(t *testing.T, test func(d drawer, c cards.Card)) {
	t.Helper()
	eachDrawer(t, func(d drawer) {
		ring, err := secrets.Parse("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
		d.equal(nil, err)
		names, err := secrets.OpenNames(d.Context(), d.db, ring)
		d.equal(nil, err)
		d.Marking(names)
		d.designed()
		d.follow(person("kari", "Ward", "mobilePhone", "+4740100001"))
		test(d, d.cards()["kari"])
	})
}

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func (d drawer) code(c cards.Card, at time.Time) string {
	d.Helper()
	code, err := d.NewCode(d.Context(), acme, c.ID, at)
	d.equal(nil, err)
	return code
}

// wrong is another code.
func wrong(code string) string { return strings.Map(func(r rune) rune { return '0' + '9' - r }, code) }

func TestACodeIsUsedOnceWithinTenMinutes(t *testing.T) {
	eachMarked(t, func(d drawer, c cards.Card) {
		first := d.code(c, noon)
		second := d.code(c, noon)
		if first != second {
			d.refused("card_code_refused", d.UseCode(d.Context(), acme, c.ID, first, noon))
		}
		d.refused("card_code_refused", d.UseCode(d.Context(), other, c.ID, second, noon))
		d.equal(nil, d.UseCode(d.Context(), acme, c.ID, second, noon.Add(cards.CodeLife-time.Second)))
		d.refused("card_code_refused", d.UseCode(d.Context(), acme, c.ID, second, noon))
		late := d.code(c, noon)
		d.refused("card_code_refused", d.UseCode(d.Context(), acme, c.ID, late, noon.Add(cards.CodeLife)))
	})
}

func TestACodeIsTriedFiveTimes(t *testing.T) {
	eachMarked(t, func(d drawer, c cards.Card) {
		code := d.code(c, noon)
		for range 4 {
			d.refused("card_code_refused", d.UseCode(d.Context(), acme, c.ID, wrong(code), noon))
		}
		d.equal(nil, d.UseCode(d.Context(), acme, c.ID, code, noon))
		code = d.code(c, noon)
		for range 5 {
			d.refused("card_code_refused", d.UseCode(d.Context(), acme, c.ID, wrong(code), noon))
		}
		d.refused("card_code_refused", d.UseCode(d.Context(), acme, c.ID, code, noon))
	})
}

func TestACardHasFiveCodesAnHour(t *testing.T) {
	eachMarked(t, func(d drawer, c cards.Card) {
		for i := range 5 {
			d.code(c, noon.Add(time.Duration(i)*time.Minute))
		}
		_, err := d.NewCode(d.Context(), acme, c.ID, noon.Add(59*time.Minute))
		d.refused("card_codes_exhausted", err)
		d.equal(nil, d.Tidy(d.Context(), noon.Add(59*time.Minute)))
		_, err = d.NewCode(d.Context(), acme, c.ID, noon.Add(59*time.Minute))
		d.refused("card_codes_exhausted", err)
		d.code(c, noon.Add(time.Hour))
	})
}

func TestACardHasTenCodesADay(t *testing.T) {
	eachMarked(t, func(d drawer, c cards.Card) {
		for i := range 10 {
			d.code(c, noon.Add(time.Duration(i/5)*time.Hour))
		}
		for _, at := range []time.Duration{2 * time.Hour, 24*time.Hour - time.Second} {
			d.equal(nil, d.Tidy(d.Context(), noon.Add(at)))
			_, err := d.NewCode(d.Context(), acme, c.ID, noon.Add(at))
			d.refused("card_codes_exhausted", err)
		}
		d.code(c, noon.Add(24*time.Hour))
		d.equal(nil, d.Tidy(d.Context(), noon.Add(24*time.Hour)))
		d.code(c, noon.Add(24*time.Hour))
	})
}

func TestNoCodeAndNoTokenIsKept(t *testing.T) {
	eachMarked(t, func(d drawer, c cards.Card) {
		code := d.code(c, noon)
		token, _, err := d.Admit(d.Context(), acme, c.ID, cards.ByCode, noon)
		d.equal(nil, err)
		var kept string
		d.equal(nil, d.db.QueryRowContext(d.Context(), `SELECT c.hash || ' ' || h.hash FROM card_codes c JOIN card_holders h ON h.card_id = c.card_id`).Scan(&kept))
		if strings.Contains(kept, code) || strings.Contains(kept, token) {
			d.Errorf("it is kept as it is: %s", kept)
		}
	})
}

func TestAProofLastsHalfAnHourAndIsForOneCard(t *testing.T) {
	eachMarked(t, func(d drawer, c cards.Card) {
		d.follow(person("kari", "Ward"), person("ola", "Ward"))
		token, until, err := d.Admit(d.Context(), acme, c.ID, cards.ByCode, noon)
		d.equal(nil, err)
		got, err := d.Proven(d.Context(), c.ID, token, noon)
		d.equal(nil, err)
		d.equal(cards.Proven{Account: acme, Card: c.ID, Proof: cards.ByCode, Until: until}, got)
		for _, no := range []struct {
			card  int64
			token string
			at    time.Time
		}{{d.cards()["ola"].ID, token, noon}, {c.ID, "", noon}, {c.ID, token + "x", noon}, {c.ID, token, until}} {
			_, err := d.Proven(d.Context(), no.card, no.token, no.at)
			d.refused("card_holder_unknown", err)
		}
		d.equal(nil, d.Leave(d.Context(), token))
		_, err = d.Proven(d.Context(), c.ID, token, noon)
		d.refused("card_holder_unknown", err)
	})
}

func TestALeaversProofsEnd(t *testing.T) { // Q53
	eachMarked(t, func(d drawer, c cards.Card) {
		token, _, err := d.Admit(d.Context(), acme, c.ID, cards.ByCode, noon)
		d.equal(nil, err)
		d.follow()
		_, err = d.Proven(d.Context(), c.ID, token, noon)
		d.refused("card_holder_unknown", err)
		_, err = d.NewCode(d.Context(), acme, c.ID, noon)
		d.refused("card_gone", err)
	})
}

func TestAConsentKeepsNoNumber(t *testing.T) {
	eachMarked(t, func(d drawer, c cards.Card) {
		d.consents(c, "+4740100009", noon, true)
		var all string
		d.equal(nil, d.db.QueryRowContext(d.Context(), `SELECT number_mark || ' ' || notice || ' ' || language FROM card_consents`).Scan(&all))
		if strings.Contains(all, "40100009") || !strings.HasSuffix(all, " "+cards.ConsentNotice+" nb") {
			d.Errorf("kept is %s", all)
		}
	})
}

func (d drawer) consents(c cards.Card, phone string, at time.Time, want bool) {
	d.Helper()
	consent, err := d.Consent(d.Context(), acme, c.ID, phone, "nb", at)
	d.equal(nil, err)
	d.equal(want, consent != 0)
}

func TestACardIsTextedOnlySoOften(t *testing.T) {
	eachMarked(t, func(d drawer, c cards.Card) {
		d.follow(person("kari", "Ward"), person("ola", "Ward"), person("eva", "Ward"), person("per", "Ward"))
		const visitor = "+4740100009"
		d.consents(c, visitor, noon, true)
		d.consents(c, visitor, noon, false) // the same card again
		d.consents(d.cards()["ola"], visitor, noon, true)
		d.consents(d.cards()["eva"], visitor, noon, true)
		d.consents(d.cards()["per"], visitor, noon, false) // a fourth within a day
		d.consents(d.cards()["per"], visitor, noon.Add(24*time.Hour), true)
		for i := range 29 {
			d.consents(c, fmt.Sprintf("+47402%05d", i), noon, true)
		}
		_, err := d.Consent(d.Context(), acme, c.ID, "+4740300000", "nb", noon)
		d.refused("card_texts_exhausted", err)
		d.consents(c, "+4740300000", noon.Add(time.Hour), true)
	})
}

func TestTheCardsOfAnAccountAreTextedOnlySoOften(t *testing.T) {
	eachMarked(t, func(d drawer, c cards.Card) {
		var ward []cards.Person
		for i := range 8 {
			ward = append(ward, person(fmt.Sprint(i), "Ward"))
		}
		d.follow(ward...)
		all := d.cards()
		for i := range 200 {
			d.consents(all[fmt.Sprint(i/29)], fmt.Sprintf("+47402%05d", i), noon, true)
		}
		_, err := d.Consent(d.Context(), acme, all["7"].ID, "+4740300000", "nb", noon.Add(time.Hour-time.Second))
		d.refused("card_texts_exhausted", err)
		d.consents(all["7"], "+4740300000", noon.Add(time.Hour), true)
	})
}

func TestAConsentThatWasTakenBackStandsInNobodysWay(t *testing.T) {
	eachMarked(t, func(d drawer, c cards.Card) {
		for range 2 {
			consent, err := d.Consent(d.Context(), acme, c.ID, "+4740100009", "nb", noon)
			d.equal(nil, err)
			d.equal(nil, d.TakeBack(d.Context(), other, consent)) // which is not the account's
			d.consents(c, "+4740100009", noon, false)
			d.equal(nil, d.TakeBack(d.Context(), acme, consent))
		}
	})
}

func TestConsentsAreKeptForAYear(t *testing.T) {
	eachMarked(t, func(d drawer, c cards.Card) {
		d.consents(c, "+4740100009", noon, true)
		count := func() (n int) {
			d.equal(nil, d.db.QueryRowContext(d.Context(), `SELECT COUNT(*) FROM card_consents`).Scan(&n))
			return n
		}
		d.equal(nil, d.Tidy(d.Context(), noon.Add(365*24*time.Hour)))
		d.equal(1, count())
		d.equal(nil, d.Tidy(d.Context(), noon.Add(365*24*time.Hour+time.Millisecond)))
		d.equal(0, count())
	})
}
