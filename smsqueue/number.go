package smsqueue

import (
	"context"
	"database/sql"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// Number is a number or short code that people can text, and whose it is.
type Number struct {
	ID      int64
	Number  string // E.164, or a short code
	Account int64
	Handle  string // of the account
	Route   int64  // 0 is any carrier
	Carrier string // its name; empty for any
	Created time.Time
}

var (
	longNumber = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	shortCode  = regexp.MustCompile(`^[0-9]{3,8}$`)
)

// plainNumber is a number without the blanks and signs that people write in it.
func plainNumber(raw string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \u00a0-().", r) {
			return -1
		}
		return r
	}, raw)
}

// AddNumber makes a number the account's: what people text to it is the
// account's to read. carrier is the name of the carrier it is at; empty is any.
func (q *Queue) AddNumber(ctx context.Context, account int64, number, carrier string) (Number, error) {
	n := Number{Number: plainNumber(number), Account: account, Carrier: carrier, Created: time.Now()}
	if !longNumber.MatchString(n.Number) && !shortCode.MatchString(n.Number) {
		return Number{}, problem.Invalid("number", "a number begins with + and its country code, and a short code has 3 to 8 digits: %q is neither", number)
	}
	if carrier != "" {
		r, err := q.Route(ctx, carrier)
		if err != nil {
			return Number{}, err
		}
		n.Route = r.ID
	}
	var err error
	if n.ID, err = q.db.NewIDs(ctx, 1); err != nil {
		return Number{}, err
	}
	_, err = q.db.ExecContext(ctx, `INSERT INTO numbers (id, number, carrier_id, account_id, created_at) VALUES ($1, $2, $3, $4, $5)`,
		n.ID, n.Number, n.Route, account, db.Millis(n.Created))
	if db.IsDuplicate(err) {
		return Number{}, problem.Conflict("number_taken", "%s is an account's already: remove it there first (varsel number list)", n.Number)
	}
	return n, err
}

// Numbers lists the numbers of all accounts.
func (q *Queue) Numbers(ctx context.Context) ([]Number, error) {
	return selectNumbers(ctx, q.db, ``)
}

// NumbersOf lists the numbers that can be texted and are the account's.
func (q *Queue) NumbersOf(ctx context.Context, account int64) ([]Number, error) {
	return selectNumbers(ctx, q.db, `WHERE n.account_id = $1`, account)
}

func selectNumbers(ctx context.Context, q db.Querier, where string, args ...any) ([]Number, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (n Number, err error) {
		var created int64
		err = row.Scan(&n.ID, &n.Number, &n.Account, &n.Handle, &n.Route, &n.Carrier, &created)
		n.Created = db.Time(created)
		return n, err
	}, `
		SELECT n.id, n.number, n.account_id, a.handle, n.carrier_id, COALESCE(c.name, ''), n.created_at
		FROM numbers n JOIN accounts a ON a.id = n.account_id LEFT JOIN carriers c ON c.id = n.carrier_id
		`+where+` ORDER BY n.number, n.carrier_id`, args...)
}

// RemoveNumber makes a number nobody's; what was received stays where it is.
// carrier is as it was added.
func (q *Queue) RemoveNumber(ctx context.Context, number, carrier string) error {
	done, err := q.db.ExecContext(ctx, `
		DELETE FROM numbers WHERE number = $1
			AND carrier_id = CASE WHEN $2 = '' THEN 0 ELSE COALESCE((SELECT id FROM carriers WHERE name = $2), -1) END`,
		plainNumber(number), carrier)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return problem.NotFound("number", number)
}

// numberForm is a number as a carrier writes it, in the form that it is kept in:
// carriers leave the plus sign out. What is no number stays as it is.
func numberForm(raw string) string {
	n := plainNumber(raw)
	switch {
	case longNumber.MatchString(n), shortCode.MatchString(n):
		return n
	case longNumber.MatchString("+" + n):
		return "+" + n
	}
	return raw
}

// ownerOf finds whose a message is that came from phone to number, 0 for nobody's:
// the account that has the number; else the only one that texted that handset
// from it within rememberSender.
func ownerOf(ctx context.Context, q db.Querier, route int64, phone, number string, now time.Time) (int64, error) {
	owner, err := db.Column[int64](ctx, q, `
		SELECT account_id FROM numbers WHERE number = $1 AND carrier_id IN (0, $2) ORDER BY carrier_id DESC LIMIT 1`, number, route)
	if err != nil || len(owner) == 1 {
		return append(owner, 0)[0], err
	}
	owners, err := textedFrom(ctx, q, route, phone, strings.TrimPrefix(number, "+"), now.Add(-rememberSender))
	if err != nil || len(owners) != 1 {
		return 0, err
	}
	return owners[0], nil
}

// onItsWay is true of messages m, with their ranges r, that were given to a carrier.
const onItsWay = shownStatus + ` IN ('sending', 'sent', 'unconfirmed', 'delivered', 'undelivered')`

// textedFrom are the accounts that have texted a handset from a number over a
// carrier: by single messages, or in a campaign.
func textedFrom(ctx context.Context, q db.Querier, route int64, phone, number string, since time.Time) ([]int64, error) {
	owners, err := db.Column[int64](ctx, q, `
		SELECT DISTINCT m.account_id FROM messages m JOIN ranges r ON r.id = m.range_id
		WHERE m.phone = $1 AND m.campaign_id = 0 AND m.queued_at >= $2 AND r.carrier_id = $3 AND REPLACE(m.sender, '+', '') = $4 AND `+onItsWay,
		phone, db.Millis(since), route, number)
	if err != nil {
		return nil, err
	}
	type sent struct{ id, account int64 }
	campaigns, err := db.Collect(ctx, q, func(row *sql.Rows) (c sent, err error) {
		return c, row.Scan(&c.id, &c.account)
	}, `
		SELECT id, account_id FROM campaigns c
		WHERE started_at >= $2 AND REPLACE(sender, '+', '') = $3
			AND EXISTS (SELECT 1 FROM ranges r WHERE r.campaign_id = c.id AND r.carrier_id = $1) ORDER BY id DESC`, route, db.Millis(since), number)
	if err != nil {
		return nil, err
	}
	for _, c := range campaigns {
		if slices.Contains(owners, c.account) {
			continue
		}
		texted, err := textedIn(ctx, q, route, c.id, phone)
		if err != nil {
			return nil, err
		}
		if texted {
			owners = append(owners, c.account)
		}
	}
	return owners, nil
}

// textedIn says whether a campaign has texted a number over a carrier.
func textedIn(ctx context.Context, q db.Querier, route, campaign int64, phone string) (bool, error) {
	m, err := messageTo(ctx, q, campaign, phone)
	return m.onItsWay && m.route == route, err
}

// campaignMessage is a campaign's message to a number; its id is 0 when there is none.
type campaignMessage struct {
	id, contact, route int64
	onItsWay           bool // it was given to a carrier
}

// messageTo looks in the one range that may have the number: recipients are found
// in the order of their numbers, and get their ids in it. A range whose first number
// was erased may have it too.
func messageTo(ctx context.Context, q db.Querier, campaign int64, phone string) (m campaignMessage, err error) {
	err = q.QueryRowContext(ctx, `
		SELECT m.id, m.contact_id, r.carrier_id, CASE WHEN `+onItsWay+` THEN 1 ELSE 0 END
		FROM (
			SELECT * FROM (SELECT r.id, r.first_id, r.last_id, r.claimed_id, r.carrier_id FROM ranges r JOIN messages f ON f.id = r.first_id
				WHERE r.campaign_id = $1 AND f.phone <= $2 AND NOT `+isErased("f")+` ORDER BY r.first_id DESC LIMIT 1) AS one
			UNION ALL
			SELECT r.id, r.first_id, r.last_id, r.claimed_id, r.carrier_id
			FROM messages f JOIN campaigns c ON c.account_id = f.account_id AND c.id = f.campaign_id JOIN ranges r ON r.campaign_id = c.id AND r.first_id = f.id
			WHERE c.id = $1 AND `+isErased("f")+`) AS r
		JOIN messages m ON m.id BETWEEN r.first_id AND r.last_id AND m.phone = $2`, campaign, phone).Scan(&m.id, &m.contact, &m.route, &m.onItsWay)
	if db.IsNone(err) {
		return campaignMessage{}, nil
	}
	return m, err
}

// rememberSender is how long an answer to a text finds its way to whoever sent
// it from a number that no account has.
const rememberSender = 30 * 24 * time.Hour

// contactOf is the account's contact with that number, 0 when there is none or
// when several share it.
func contactOf(ctx context.Context, q db.Querier, account int64, phone string) (int64, error) {
	all, err := db.Column[int64](ctx, q, `
		SELECT id FROM contacts WHERE account_id = $1 AND phone = $2 AND phone <> '' AND state = 'active' LIMIT 2`, account, phone)
	if err != nil || len(all) != 1 {
		return 0, err
	}
	return all[0], nil
}
