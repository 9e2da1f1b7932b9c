package smsqueue

import (
	"context"
	"database/sql"
	"time"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/smsqueue/window"
)

// This package writes carriers, carrier_slots, campaigns, campaign_deltas, ranges, messages, message_parts,
// unconfirmed, waiting_receipts, incarnations, jobs, route_rules, route_targets, route_health,
// account_senders, templates with their versions and texts, roll_answers, suppressions,
// opt_out_settings and opt_out_replies. It reads contacts, contact_fields, contact_groups,
// group_members and cards to find recipients and what is said to them, and erasure_marks to find
// who is none any more.

// rangeRow is one row of ranges.
type rangeRow struct {
	id, account, campaign, route int64
	rule                         int64 // that chose the route
	lane                         Lane
	first, last, claimed         int64
	maxParts                     int
	deadline                     time.Time
	reservation                  billing.Reservation
}

// size is how many messages it has.
func (r rangeRow) size() int { return int(r.last - r.first + 1) }

func insertRanges(ctx context.Context, tx *db.Tx, ranges []rangeRow) error {
	var rows [][]any
	for _, r := range ranges {
		rows = append(rows, []any{r.id, r.account, r.campaign, r.route, string(r.lane), r.first, r.last,
			int64(r.maxParts), "waiting", int64(0), db.Millis(r.deadline), r.rule, int64(r.reservation)})
	}
	return tx.Bulk(ctx, "ranges", []string{"id", "account_id", "campaign_id", "carrier_id", "lane", "first_id", "last_id",
		"max_parts", "state", "due_at", "deadline", "rule_id", "reservation_id"}, rows)
}

// insertMessages writes the messages of ranges, in their order.
func insertMessages(ctx context.Context, tx *db.Tx, ranges []rangeRow, messages []Message) error {
	rows := make([][]any, 0, len(messages))
	for _, r := range ranges {
		for _, m := range messages[:r.size()] {
			rows = append(rows, []any{m.ID, m.Account, m.Campaign, r.id, m.Contact, m.Phone, m.Sender, m.Text, string(m.Encoding),
				int64(m.Parts), m.PriceMicro, string(m.Status), db.Millis(m.QueuedAt)})
		}
		messages = messages[r.size():]
	}
	return tx.Bulk(ctx, "messages", []string{"id", "account_id", "campaign_id", "range_id", "contact_id", "phone", "sender", "body",
		"encoding", "parts", "price_micro", "status", "queued_at"}, rows)
}

func insertCampaign(ctx context.Context, tx *db.Tx, c Campaign, p preparedCampaign) error {
	filter := ""
	if c.Source != 0 || c.Filter.Cards != nil {
		var err error
		if filter, err = c.Filter.stored(); err != nil {
			return err
		}
	}
	asks, asksFor, err := storedQuestion(c.Asks)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO campaigns (id, account_id, name, lane, sender, body, encoding, parts, group_id, carrier_id,
			price_book_id, currency, ceiling_micro, state, start_at, validity_ms, created_at, source_id, audience_filter, zone, windows, asks, asks_ms,
			template_version_id, merged, transliterate, team_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27)`,
		c.ID, c.Account, c.Name, string(c.Lane), c.Sender, c.Text, string(c.Encoding), c.Parts, c.Group, c.Route,
		p.book.ID, c.Currency, c.CeilingMicro, string(c.State), db.Millis(c.Start), c.Validity.Milliseconds(), db.Millis(c.Created), c.Source, filter, c.Zone,
		c.Windows.String(), asks, asksFor, p.version, c.Merged, c.Transliterate, p.by.Team)
	return err
}

// rangesBelow finds where the next n ranges begin and end that hold messages
// with ids below before; last is 0 when there are none.
func rangesBelow(ctx context.Context, q db.Querier, account, campaign, before int64, n int) (first, last int64, err error) {
	of, args := ``, []any{account, before, n}
	if campaign != 0 {
		of, args = ` AND campaign_id = $4`, append(args, campaign)
	}
	err = q.QueryRowContext(ctx, `
		SELECT COALESCE(MIN(first_id), 0), COALESCE(MAX(last_id), 0) FROM (
			SELECT first_id, last_id FROM ranges WHERE account_id = $1 AND first_id < $2`+of+` ORDER BY first_id DESC LIMIT $3
		) AS r`, args...).Scan(&first, &last)
	return first, last, err
}

func groupExists(ctx context.Context, q db.Querier, account, group int64) error {
	var one int
	err := q.QueryRowContext(ctx, `
		SELECT 1 FROM contact_groups WHERE account_id = $1 AND id = $2 AND state = 'active'`, account, group).Scan(&one)
	if db.IsNone(err) {
		return problem.New(problem.KindNotFound, "group_not_found", "there is no such group")
	}
	return err
}

func selectCampaigns(ctx context.Context, q db.Querier, where string, args ...any) ([]Campaign, error) {
	return db.Collect(ctx, q, scanCampaign, `
		SELECT c.id, c.account_id, c.name, c.lane, c.sender, c.body, c.merged, c.transliterate,
			COALESCE(t.id, 0), COALESCE(t.name, ''), COALESCE(v.number, 0), c.encoding, c.parts, c.all_parts, c.group_id, g.name,
			c.source_id, c.audience_filter, c.asks, c.asks_ms, c.asks_closed_at, c.carrier_id,
			c.currency, c.ceiling_micro, c.reserved_micro, c.state, c.reason, c.expanded,
			c.without_number, c.invalid_number, c.shared_number, c.suppressed, c.unresolved, c.too_long, c.sender_refused,
			c.start_at, c.zone, c.validity_ms, c.windows, c.created_at, c.started_at, c.finished_at,
			`+countColumns("CAST(c.%s + COALESCE(d.%s, 0) AS BIGINT)", ", ")+`
		FROM campaigns c JOIN contact_groups g ON g.id = c.group_id
		LEFT JOIN template_versions v ON v.id = c.template_version_id LEFT JOIN templates t ON t.id = v.template_id
		LEFT JOIN (SELECT campaign_id, `+countColumns("SUM(%s) AS %s", ", ")+` FROM campaign_deltas GROUP BY campaign_id) AS d ON d.campaign_id = c.id
		`+where, args...)
}

func scanCampaign(row *sql.Rows) (c Campaign, err error) {
	var start, life, created, started, finished, asksFor, asksClosed int64
	var filter, asks, windows string
	counts := make([]int, len(Statuses))
	into := []any{&c.ID, &c.Account, &c.Name, &c.Lane, &c.Sender, &c.Text, &c.Merged, &c.Transliterate,
		&c.Template, &c.TemplateName, &c.Version, &c.Encoding, &c.Parts, &c.AllParts, &c.Group, &c.GroupName,
		&c.Source, &filter, &asks, &asksFor, &asksClosed, &c.Route,
		&c.Currency, &c.CeilingMicro, &c.ReservedMicro, &c.State, &c.Reason, &c.Expanded,
		&c.LeftOut.WithoutNumber, &c.LeftOut.InvalidNumber, &c.LeftOut.SharedNumber, &c.LeftOut.Suppressed, &c.LeftOut.Unresolved, &c.LeftOut.TooLong,
		&c.LeftOut.SenderRefused, &start, &c.Zone, &life, &windows, &created, &started, &finished}
	for i := range counts {
		into = append(into, &counts[i])
	}
	if err := row.Scan(into...); err != nil {
		return c, err
	}
	c.Start, c.Created, c.Started, c.Finished = db.Time(start), db.Time(created), db.Time(started), db.Time(finished)
	c.Validity = time.Duration(life) * time.Millisecond
	c.Counts = Counts{}
	for i, s := range Statuses {
		c.Counts[s] = counts[i]
	}
	c.AsksClosed = db.Time(asksClosed)
	if c.Asks, err = questionStored(asks, asksFor); err != nil {
		return c, err
	}
	if c.Windows, err = window.Parse(windows); err != nil {
		return c, err
	}
	c.Filter, err = storedFilter(filter)
	return c, err
}

// shownStatus tells of a message m whose range is r what flying tells.
const shownStatus = `CASE WHEN m.status = 'queued' AND m.due_at = 0 AND m.id <= r.claimed_id THEN 'sending' ELSE m.status END`

func selectMessages(ctx context.Context, q db.Querier, where string, args ...any) ([]Message, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (m Message, err error) {
		var queued, sent, done int64
		err = row.Scan(&m.ID, &m.Account, &m.Campaign, &m.Contact, &m.ContactName, &m.Phone, &m.Sender, &m.Text, &m.Lane,
			&m.Currency, &m.Encoding, &m.Parts, &m.PriceMicro, &m.Money, &m.Status, &m.Reason, &m.Code, &m.Tries,
			&m.PossibleDuplicate, &queued, &sent, &done)
		m.QueuedAt, m.SentAt, m.DoneAt = db.Time(queued), db.Time(sent), db.Time(done)
		return m, err
	}, `
		SELECT m.id, m.account_id, m.campaign_id, m.contact_id, COALESCE(n.name, ''), m.phone,
			COALESCE(NULLIF(m.sender, ''), c.sender, ''), COALESCE(NULLIF(m.body, ''), c.body, ''), 
			r.lane, COALESCE(c.currency, (SELECT currency FROM accounts WHERE id = m.account_id)),
			m.encoding, m.parts, m.price_micro, m.money, `+shownStatus+`, m.reason, m.code, m.tries, m.possible_duplicate,
			m.queued_at, m.sent_at, m.done_at
		FROM messages m JOIN ranges r ON r.id = m.range_id LEFT JOIN campaigns c ON c.id = m.campaign_id LEFT JOIN contacts n ON n.id = m.contact_id `+where, args...)
}
