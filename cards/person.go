package cards

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/subject"
)

// pageOfCards is how many cards are read at once when all are gone through.
const pageOfCards = 1000

const nextCards = `SELECT ` + cardColumns + ` FROM cards c WHERE c.account_id = $1 AND c.id > $2 ORDER BY c.id LIMIT $3`

// eachCard goes through the cards of an account, those that were withdrawn too.
func (c *Cards) eachCard(ctx context.Context, account int64, do func(Card) error) error {
	for after := int64(0); ; {
		page, err := db.Collect(ctx, c.db, scanCard, nextCards, account, after, pageOfCards)
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

// cardsOf are a person's, by who they are in the address book and in directories.
func (c *Cards) cardsOf(ctx context.Context, p subject.Person) ([]Card, error) {
	all, err := db.Collect(ctx, c.db, scanCard, `
		SELECT `+cardColumns+` FROM cards c WHERE c.account_id = $1 AND c.contact_id IN (SELECT CAST(key AS BIGINT) FROM json_each($2))`, p.Account, keys(p.Contacts))
	if err != nil {
		return nil, err
	}
	for _, o := range p.Objects {
		some, err := db.Collect(ctx, c.db, scanCard, `
			SELECT `+cardColumns+` FROM cards c WHERE c.account_id = $1 AND c.tenant_id = $2 AND c.directory_id = $3`, p.Account, o.Tenant, o.ID)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	slices.SortFunc(all, func(a, b Card) int { return cmp.Compare(a.ID, b.ID) })
	return slices.CompactFunc(all, func(a, b Card) bool { return a.ID == b.ID }), nil
}

// without is what a holder wrote, without the fields that hold a number, as E.164.
func without(edits map[string]string, is func(number string) bool) map[string]string {
	left := maps.Clone(edits)
	maps.DeleteFunc(left, func(_, written string) bool {
		return is(strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(bare(written)))
	})
	return left
}

// Sections are a person's cards, and the cards that they had texted to themselves.
func (c *Cards) Sections(p subject.Person) []subject.Section {
	return []subject.Section{
		{Name: "cards", Each: func(ctx context.Context, tell func(subject.Record) error) error { return c.tellCards(ctx, p, tell) }},
		{Name: "card_consents", Each: func(ctx context.Context, tell func(subject.Record) error) error { return c.tellConsents(ctx, p, tell) }},
	}
}

func (c *Cards) tellCards(ctx context.Context, p subject.Person, tell func(subject.Record) error) error {
	all, err := c.cardsOf(ctx, p)
	if err != nil {
		return err
	}
	for _, card := range all {
		r, err := c.record(ctx, card)
		if err != nil {
			return err
		}
		if err := tell(r); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cards) record(ctx context.Context, card Card) (subject.Record, error) {
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
		return nil, err
	}
	mails, err := c.mailsTo(ctx, card.ID)
	if err != nil {
		return nil, err
	}
	r = append(r, subject.Field{Name: "photo", Value: photo})
	if len(mails) > 0 {
		r = append(r, subject.Field{Name: "mails", Value: mails})
	}
	return r, nil
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
	Quoting  []int64 // cards of others, whose holders wrote the number
	Consents []int64

	number func(string) bool
}

// Found is how many rows there are.
func (t Traces) Found() int { return len(t.Cards) + len(t.Quoting) + len(t.Consents) }

// Recognise finds the cards that are somebody's, those of others whose holder wrote one
// of their numbers (number is asked in E.164), and the consents of the numbers with one of
// the marks. What the directory says on a card of others is theirs: colleagues may share a
// number that nobody's contact has.
func (c *Cards) Recognise(ctx context.Context, account int64, theirs func(Card) bool, number func(string) bool, marks []string) (t Traces, err error) {
	t.number = number
	err = c.eachCard(ctx, account, func(card Card) error {
		switch {
		case theirs(card):
			t.Cards = append(t.Cards, card.ID)
		case len(without(card.Edits, number)) < len(card.Edits):
			t.Quoting = append(t.Quoting, card.ID)
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

// Erase forgets cards with their photos, codes and mails, and consents, and the number on
// the cards of others whose holders wrote it. The addresses of the cards stay without
// them: they answer that the card is gone.
func (c *Cards) Erase(ctx context.Context, tx *db.Tx, account int64, t Traces) error {
	if err := t.unquote(ctx, tx, account); err != nil {
		return err
	}
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

func (t Traces) unquote(ctx context.Context, tx *db.Tx, account int64) error {
	if len(t.Quoting) == 0 {
		return nil
	}
	quoting, err := db.Collect(ctx, tx, scanCard, tx.ForUpdate(`
		SELECT `+cardColumns+` FROM cards c WHERE c.account_id = $1 AND c.id IN (SELECT CAST(key AS BIGINT) FROM json_each($2))`), account, keys(t.Quoting))
	if err != nil {
		return err
	}
	left := map[string]any{}
	for _, card := range quoting {
		left[strconv.FormatInt(card.ID, 10)] = map[string]string{"edits": toJSON(without(card.Edits, t.number))}
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE cards SET edits = r.value->>'edits', revision = revision + 1
		FROM (SELECT key, value FROM json_each($2) LIMIT 100000) AS r WHERE cards.account_id = $1 AND cards.id = CAST(r.key AS BIGINT)`, account, toJSON(left))
	return err
}
