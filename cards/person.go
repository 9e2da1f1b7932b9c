package cards

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/subject"
)

// pageOfCards is how many cards are read at once when all are gone through.
const pageOfCards = 1000

// eachCard goes through the cards of an account, those that were withdrawn too.
func (c *Cards) eachCard(ctx context.Context, account int64, do func(Card) error) error {
	for after := int64(0); ; {
		page, err := db.Collect(ctx, c.db, scanCard, `
			SELECT `+cardColumns+` FROM cards c WHERE c.account_id = $1 AND c.id > $2 ORDER BY c.id LIMIT $3`, account, after, pageOfCards)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, card := range page {
			if err := do(card); err != nil {
				return err
			}
		}
		after = page[len(page)-1].ID
	}
}

func (c Card) isOf(p subject.Person) bool {
	return slices.Contains(p.Contacts, c.Contact) || slices.Contains(p.Objects, subject.Object{Tenant: c.Tenant, ID: c.DirectoryID})
}

// Says says whether a number, as E.164, is among the values of a card.
func (c Card) Says(is func(number string) bool) bool {
	for _, values := range []map[string]string{c.Taken, c.Once, c.Edits} {
		for _, v := range values {
			if is(strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(v)) {
				return true
			}
		}
	}
	return false
}

// Sections are a person's cards, and the cards that they had texted to themselves.
func (c *Cards) Sections(p subject.Person) []subject.Section {
	return []subject.Section{
		{Name: "cards", Each: func(ctx context.Context, tell func(subject.Record) error) error { return c.tellCards(ctx, p, tell) }},
		{Name: "card_consents", Each: func(ctx context.Context, tell func(subject.Record) error) error { return c.tellConsents(ctx, p, tell) }},
	}
}

func (c *Cards) tellCards(ctx context.Context, p subject.Person, tell func(subject.Record) error) error {
	return c.eachCard(ctx, p.Account, func(card Card) error {
		if !card.isOf(p) {
			return nil
		}
		r := subject.Record{{Name: "state", Value: string(card.State)}, {Name: "address", Value: "/c/" + card.Slug}, {Name: "language", Value: card.Language},
			{Name: "created_at", Value: card.Created.UTC()}, {Name: "updated_at", Value: card.Updated.UTC()}}
		for _, of := range []struct {
			name   string
			values map[string]string
		}{{"from_directory", card.Taken}, {"taken_once", card.Once}, {"own_words", card.Edits}} {
			if len(of.values) > 0 {
				r = append(r, subject.Field{Name: of.name, Value: of.values})
			}
		}
		photo, err := c.photoAddress(ctx, card)
		if err != nil {
			return err
		}
		mails, err := c.mailsTo(ctx, card.ID)
		if err != nil {
			return err
		}
		r = append(r, subject.Field{Name: "photo", Value: photo})
		if len(mails) > 0 {
			r = append(r, subject.Field{Name: "mails", Value: mails})
		}
		return tell(r)
	})
}

// photoAddress is a card's photo as an address that holds it (RFC 2397), "" for none.
func (c *Cards) photoAddress(ctx context.Context, card Card) (string, error) {
	var kind string
	var content []byte
	err := c.db.QueryRowContext(ctx, `SELECT media_type, content FROM card_photos WHERE account_id = $1 AND card_id = $2`, card.Account, card.ID).Scan(&kind, &content)
	if db.IsNone(err) {
		return "", nil
	}
	return "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(content), err
}

func (c *Cards) mailsTo(ctx context.Context, card int64) ([]subject.Record, error) {
	return db.Collect(ctx, c.db, func(row *sql.Rows) (subject.Record, error) {
		var state string
		var at int64
		err := row.Scan(&state, &at)
		r := subject.Record{{Name: "state", Value: state}}
		if at > 0 {
			r = append(r, subject.Field{Name: "at", Value: db.Time(at).UTC()})
		}
		return r, err
	}, `SELECT state, at FROM card_mails WHERE card_id = $1 ORDER BY notice`, card)
}

func (c *Cards) tellConsents(ctx context.Context, p subject.Person, tell func(subject.Record) error) error {
	for _, number := range p.Numbers {
		all, err := db.Collect(ctx, c.db, func(row *sql.Rows) (subject.Record, error) {
			var notice, language string
			var at int64
			err := row.Scan(&notice, &language, &at)
			return subject.Record{{Name: "at", Value: db.Time(at).UTC()}, {Name: "phone", Value: number}, {Name: "notice", Value: notice}, {Name: "language", Value: language}}, err
		}, `SELECT notice, language, at FROM card_consents WHERE account_id = $1 AND number_mark = $2 ORDER BY at`, p.Account, c.numberMark(p.Account, number))
		if err != nil {
			return err
		}
		for _, r := range all {
			if err := tell(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// Traces are what an erasure finds here.
type Traces struct {
	Cards    []int64
	Consents []int64
}

// Found is how many rows there are.
func (t Traces) Found() int { return len(t.Cards) + len(t.Consents) }

// Recognise finds the cards that are somebody's, and the consents of the numbers with
// one of the marks.
func (c *Cards) Recognise(ctx context.Context, account int64, theirs func(Card) bool, marks []string) (t Traces, err error) {
	err = c.eachCard(ctx, account, func(card Card) error {
		if theirs(card) {
			t.Cards = append(t.Cards, card.ID)
		}
		return nil
	})
	if err != nil {
		return t, err
	}
	wanted := map[string]int{}
	for _, m := range marks {
		wanted[m] = 1
	}
	list, err := json.Marshal(wanted)
	if err != nil {
		return t, err
	}
	t.Consents, err = db.Column[int64](ctx, c.db, `
		SELECT id FROM card_consents WHERE account_id = $1 AND number_mark IN (SELECT key FROM json_each($2))`, account, string(list))
	return t, err
}

// Erase forgets cards with their photos, codes and mails, and consents. The addresses of
// the cards stay without them: they answer that the card is gone.
func (c *Cards) Erase(ctx context.Context, tx *db.Tx, account int64, t Traces) error {
	for _, one := range []struct {
		statement string
		ids       []int64
	}{
		{`DELETE FROM card_mails WHERE account_id = $1 AND card_id IN (SELECT CAST(key AS BIGINT) FROM json_each($2))`, t.Cards},
		{`DELETE FROM card_codes WHERE account_id = $1 AND card_id IN (SELECT CAST(key AS BIGINT) FROM json_each($2))`, t.Cards},
		{`DELETE FROM card_holders WHERE account_id = $1 AND card_id IN (SELECT CAST(key AS BIGINT) FROM json_each($2))`, t.Cards},
		{`DELETE FROM card_photos WHERE account_id = $1 AND card_id IN (SELECT CAST(key AS BIGINT) FROM json_each($2))`, t.Cards},
		{`DELETE FROM cards WHERE account_id = $1 AND id IN (SELECT CAST(key AS BIGINT) FROM json_each($2))`, t.Cards},
		{`DELETE FROM card_consents WHERE account_id = $1 AND id IN (SELECT CAST(key AS BIGINT) FROM json_each($2))`, t.Consents},
	} {
		if len(one.ids) == 0 {
			continue
		}
		if _, err := tx.ExecContext(ctx, one.statement, account, keys(one.ids)); err != nil {
			return err
		}
	}
	return nil
}
