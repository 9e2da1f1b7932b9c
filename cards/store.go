package cards

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

// This package writes the tables card_..., and cards. It reads no others.

// Cards keeps templates, groups and cards.
type Cards struct {
	db    *db.DB
	gate  Gate
	names *secrets.Names
	looks looks
}

// New keeps them in d.
func New(d *db.DB) *Cards { return &Cards{db: d} }

var errNoCard = problem.NotFound("card", "")

const cardColumns = `c.id, c.account_id, c.tenant_id, c.directory_id, c.contact_id, c.group_id, c.slug, c.state, c.language, c.revision,
	c.created_at, c.updated_at, c.withdrawn_at, c.taken, c.once, c.edits`

func scanCard(row *sql.Rows) (c Card, err error) {
	var created, updated, withdrawn int64
	var taken, once, edits string
	if err := row.Scan(&c.ID, &c.Account, &c.Tenant, &c.DirectoryID, &c.Contact, &c.Group, &c.Slug, &c.State, &c.Language, &c.Revision,
		&created, &updated, &withdrawn, &taken, &once, &edits); err != nil {
		return c, err
	}
	c.Created, c.Updated, c.Withdrawn = db.Time(created), db.Time(updated), db.Time(withdrawn)
	return c, errors.Join(json.Unmarshal([]byte(taken), &c.Taken), json.Unmarshal([]byte(once), &c.Once), json.Unmarshal([]byte(edits), &c.Edits))
}

// Card finds one of the account's, also one that was withdrawn.
func (c *Cards) Card(ctx context.Context, account, id int64) (Card, error) {
	return c.one(ctx, `SELECT `+cardColumns+` FROM cards c WHERE c.account_id = $1 AND c.id = $2`, account, id)
}

func (c *Cards) one(ctx context.Context, query string, args ...any) (Card, error) {
	return one(ctx, c.db, query, args...)
}

func one(ctx context.Context, q db.Querier, query string, args ...any) (Card, error) {
	found, err := db.Collect(ctx, q, scanCard, query, args...)
	if err != nil {
		return Card{}, err
	}
	if len(found) == 0 {
		return Card{}, errNoCard
	}
	return found[0], nil
}

// Public is a card as its address shows it, with the version of the design that was
// applied to its group. The codes card_gone (KindGone: it was withdrawn, or removed) and
// card_not_found (it never was) tell nothing of whose it was.
func (c *Cards) Public(ctx context.Context, slug string) (Card, Template, error) {
	card, err := c.one(ctx, `SELECT `+cardColumns+` FROM cards c WHERE c.slug = $1`, slug)
	if err == errNoCard {
		return Card{}, Template{}, c.gone(ctx, slug)
	}
	if err != nil {
		return Card{}, Template{}, err
	}
	if card.State != Active {
		return Card{}, Template{}, errCardGone
	}
	t, err := c.applied(ctx, card.Account, card.Group)
	if err == errNoTemplate {
		err = errCardGone
	}
	return card, t, err
}

var (
	errCardGone   = problem.New(problem.KindGone, "card_gone", "this card is no longer in use")
	errNoTemplate = problem.NotFound("card_template", "")
)

func (c *Cards) gone(ctx context.Context, slug string) error {
	var was bool
	if err := c.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM card_slugs WHERE slug = $1)`, slug).Scan(&was); err != nil {
		return err
	}
	if was {
		return errCardGone
	}
	return errNoCard
}

const templateColumns = `t.id, t.account_id, t.name, v.version, t.updated_at, v.body`

func scanTemplate(row *sql.Rows) (t Template, err error) {
	var updated int64
	var body string
	if err := row.Scan(&t.ID, &t.Account, &t.Name, &t.Version, &updated, &body); err != nil {
		return t, err
	}
	t.Updated = db.Time(updated)
	return t, json.Unmarshal([]byte(body), &t.Body)
}

// applied is the version of a design that a group shows.
func (c *Cards) applied(ctx context.Context, account, group int64) (Template, error) {
	return applied(ctx, c.db, account, group)
}

func applied(ctx context.Context, q db.Querier, account, group int64) (Template, error) {
	found, err := db.Collect(ctx, q, scanTemplate, `
		SELECT `+templateColumns+` FROM card_groups g
		JOIN card_templates t ON t.id = g.template_id
		JOIN card_template_versions v ON v.template_id = g.template_id AND v.version = g.template_version
		WHERE g.account_id = $1 AND g.id = $2`, account, group)
	if err != nil {
		return Template{}, err
	}
	if len(found) == 0 {
		return Template{}, errNoTemplate
	}
	return found[0], nil
}
