package smsqueue

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/smsqueue/merge"
)

func selectStarting(ctx context.Context, q db.Querier, now time.Time) ([]starting, error) {
	return selectExpanding(ctx, q, `state IN ('accepted', 'running', 'paused') AND (state <> 'paused' OR started_at > 0)
		AND expanded = FALSE AND start_at <= $1 ORDER BY id LIMIT 100`, db.Millis(now))
}

func selectExpanding(ctx context.Context, q db.Querier, where string, args ...any) ([]starting, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (c starting, err error) {
		var start, life int64
		var filter string
		err = row.Scan(&c.id, &c.account, &c.listed, &c.group, &c.book, &c.lane, &c.sender, &c.encoding, &c.parts, &c.merged, &c.state, &c.after, &c.ceiling, &c.reserved, &life, &c.currency, &c.source, &filter, &start, &c.by.Team, &c.expanded)
		if err != nil {
			return c, err
		}
		c.start, c.validity = db.Time(start), time.Duration(life)*time.Millisecond
		c.filter, err = storedFilter(filter)
		return c, err
	}, `
		SELECT id, account_id, EXISTS (SELECT 1 FROM account_senders s WHERE s.account_id = campaigns.account_id AND s.sender = campaigns.sender),
			group_id, price_book_id, lane, sender, encoding, parts, merged, state, expand_after, ceiling_micro, reserved_micro, validity_ms, currency, source_id, audience_filter, start_at, team_id, expanded
		FROM campaigns WHERE `+where, args...)
}

// takeCampaign locks the campaign at the place where it was read; another
// worker that has expanded it meanwhile has moved that place.
func takeCampaign(ctx context.Context, tx *db.Tx, c starting, now time.Time) (bool, error) {
	done, err := tx.ExecContext(ctx, `
		UPDATE campaigns SET state = CASE state WHEN 'paused' THEN state ELSE 'running' END,
			started_at = CASE started_at WHEN 0 THEN CAST($1 AS BIGINT) ELSE started_at END
		WHERE id = $2 AND state = $3 AND expand_after = $4 AND expanded = FALSE`, db.Millis(now), c.id, string(c.state), c.after)
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n == 1, err
}

// isLarge says whether a group has as many members as the largest lot.
func (c starting) isLarge(ctx context.Context, q db.Querier) (large bool, err error) {
	if c.filter.Cards != nil {
		return c.areManyHolders(ctx, q)
	}
	err = q.QueryRowContext(ctx, `
		SELECT COUNT(*) >= $2 FROM (SELECT 1 FROM group_members WHERE group_id = $1 LIMIT $2) AS m`, c.group, int64(largestLot)).Scan(&large)
	return large, err
}

// selectRecipients reads one lot, in the order of the numbers. PostgreSQL has to
// find those of a large group in the index of numbers: it would else sort the whole
// group for every lot. A small group is sorted in less time than the address book is
// walked.
func selectRecipients(ctx context.Context, tx *db.Tx, c starting) ([]recipient, error) {
	if c.large {
		if err := tx.PreferOrder(ctx); err != nil {
			return nil, err
		}
	}
	return db.Collect(ctx, tx, func(row *sql.Rows) (r recipient, err error) {
		err = row.Scan(&r.contact, &r.phone, &r.country, &r.members, &r.suppressed)
		r.place = r.phone
		return r, err
	}, `
		SELECT MIN(p.id), p.phone, MIN(p.phone_country), COUNT(*), `+isSuppressed("$2", "p.phone", "$5")+`
		FROM contacts p JOIN group_members g ON g.contact_id = p.id AND g.group_id = $1
		WHERE p.account_id = $2 AND p.state = 'active' AND p.phone > $3
		GROUP BY p.phone ORDER BY p.phone LIMIT $4`, c.group, c.account, c.after, int64(c.asked), string(c.lane))
}

// isSuppressed is a condition on a number of an account, in a lane. An account without
// suppressions pays for one look at an index.
func isSuppressed(account, phone, lane string) string {
	return strings.NewReplacer("$account", account, "$phone", phone, "$lane", lane).Replace(`
		EXISTS (SELECT 1 FROM suppressions WHERE account_id = $account AND lifted_at = 0)
			AND EXISTS (SELECT 1 FROM suppressions s WHERE s.account_id = $account AND s.phone = $phone AND s.lifted_at = 0)
			AND ($lane <> 'urgent' OR NOT EXISTS (SELECT 1 FROM opt_out_settings WHERE account_id = $account AND urgent = TRUE))`)
}

// selectEarlier reads one lot of the recipients of an earlier campaign, in the
// order of its messages: that of the numbers, each of which it has once. The place
// to go on from is a message's id.
func selectEarlier(ctx context.Context, tx *db.Tx, c starting) ([]recipient, error) {
	if err := tx.PreferIndexes(ctx); err != nil {
		return nil, err
	}
	statuses, err := keys(c.filter.Statuses)
	if err != nil {
		return nil, err
	}
	reasons, err := keys(c.filter.Reasons)
	if err != nil {
		return nil, err
	}
	after := int64(0)
	if c.after != "" {
		if after, err = strconv.ParseInt(c.after, 10, 64); err != nil {
			return nil, err
		}
	}
	return db.Collect(ctx, tx, func(row *sql.Rows) (r recipient, err error) {
		err = row.Scan(&r.contact, &r.phone, &r.place, &r.suppressed)
		r.country, r.members = countryOf(r.phone), 1
		return r, err
	}, `
		SELECT m.contact_id, m.phone, CAST(m.id AS TEXT), `+isSuppressed("$2", "m.phone", "$12")+`
		FROM ranges r JOIN messages m ON m.id BETWEEN r.first_id AND r.last_id
		WHERE r.campaign_id = $1 AND r.account_id = $2 AND r.last_id > $3 AND m.id > $3 AND r.has_numbers = TRUE AND NOT `+isErased("m")+`
			AND (CAST($4 AS BIGINT) = 0 OR `+shownStatus+` IN (SELECT key FROM json_each($5)))
			AND (CAST($6 AS BIGINT) = 0 OR m.reason IN (SELECT key FROM json_each($7)))
			AND CASE m.done_at WHEN 0 THEN m.queued_at ELSE m.done_at END >= $8
			AND (CAST($9 AS BIGINT) = 0 OR CASE m.done_at WHEN 0 THEN m.queued_at ELSE m.done_at END < $9)
			AND (CAST($10 AS BIGINT) = 0 OR NOT EXISTS (SELECT 1 FROM roll_answers a WHERE a.campaign_id = $1 AND a.phone = m.phone))
		ORDER BY m.id LIMIT $11`,
		c.source, c.account, after, len(c.filter.Statuses), statuses, len(c.filter.Reasons), reasons,
		db.Millis(c.filter.From), db.Millis(c.filter.To), bit(c.filter.Unanswered), int64(c.asked), string(c.lane))
}

// holdCampaign waits for somebody's decision.
func holdCampaign(ctx context.Context, tx *db.Tx, c starting, reason string) error {
	_, err := tx.ExecContext(ctx, `UPDATE campaigns SET state = 'held', reason = $1 WHERE id = $2`, reason, c.id)
	return err
}

// advanceCampaign saves the place to go on from.
func advanceCampaign(ctx context.Context, tx *db.Tx, c starting, l campaignLot) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE campaigns SET expand_after = $1, queued = queued + $2, reserved_micro = reserved_micro + $3, shared_number = shared_number + $4,
			suppressed = suppressed + $5, unresolved = unresolved + $6, too_long = too_long + $7, sender_refused = sender_refused + $12, all_parts = all_parts + $8,
			parts = CASE WHEN parts < $9 THEN CAST($9 AS BIGINT) ELSE parts END, encoding = CASE WHEN CAST($10 AS TEXT) = 'ucs2' THEN 'ucs2' ELSE encoding END
		WHERE id = $11`, l.lastPlace, len(l.messages), l.cost, l.shared, l.suppressed, len(l.holes), len(l.tooLong), l.parts, l.longest, string(l.encoding), c.id, l.refused)
	return err
}

// wordsOf reads what a merged campaign says.
func wordsOf(ctx context.Context, q db.Querier, c starting) (*wording, error) {
	var body string
	var transliterate bool
	var version int64
	err := q.QueryRowContext(ctx, `SELECT body, transliterate, template_version_id FROM campaigns WHERE id = $1`, c.id).Scan(&body, &transliterate, &version)
	if err != nil {
		return nil, err
	}
	options := c.plan.anyText()
	if version != 0 {
		v, err := templateVersion(ctx, q, version)
		if err != nil {
			return nil, err
		}
		return v.wording(transliterate, options)
	}
	text, err := ParseText(body)
	return &wording{usual: body, languages: []string{""}, texts: []merge.Text{text}, transliterate: transliterate, options: options}, err
}

// selectPeople reads what a wording can say of its recipients; without one it
// reads nothing.
func selectPeople(ctx context.Context, tx *db.Tx, words *wording, found []recipient) (map[int64]*person, error) {
	if words == nil || len(found) == 0 {
		return nil, nil
	}
	if err := tx.PreferIndexes(ctx); err != nil {
		return nil, err
	}
	ids := make([]int64, len(found))
	for i, r := range found {
		ids[i] = r.contact
	}
	list, err := idList(ids)
	if err != nil {
		return nil, err
	}
	people := make(map[int64]*person, len(found))
	_, err = db.Collect(ctx, tx, func(row *sql.Rows) (_ struct{}, err error) {
		p := &person{}
		err = row.Scan(&p.contact, &p.name, &p.department, &p.jobTitle, &p.office, &p.email, &p.phone, &p.language)
		people[p.contact] = p
		return struct{}{}, err
	}, `
		SELECT c.id, c.name, c.department, c.job_title, c.office, c.email, c.phone, c.language
		FROM json_each($1) AS r JOIN contacts c ON c.id = CAST(r.key AS BIGINT)`, list)
	if err != nil || !words.custom() {
		return people, err
	}
	_, err = db.Collect(ctx, tx, func(row *sql.Rows) (_ struct{}, err error) {
		var contact int64
		var name, value string
		if err := row.Scan(&contact, &name, &value); err != nil {
			return struct{}{}, err
		}
		people[contact].know(name, value)
		return struct{}{}, nil
	}, `
		SELECT f.contact_id, f.name, f.value
		FROM json_each($1) AS r JOIN contact_fields f ON f.contact_id = CAST(r.key AS BIGINT)`, list)
	return people, err
}

func (p *person) know(field, value string) {
	if p.custom == nil {
		p.custom = map[string]string{}
	}
	p.custom[field] = value
}

// finishExpansion ends a campaign that reached nobody.
func finishExpansion(ctx context.Context, tx *db.Tx, c starting, left LeftOut, ids *idPool, now time.Time) error {
	if _, err := tx.ExecContext(ctx, `
		UPDATE campaigns SET expanded = TRUE, without_number = $1, invalid_number = $2 WHERE id = $3`,
		left.WithoutNumber, left.InvalidNumber, c.id); err != nil {
		return err
	}
	return closeCampaign(ctx, tx, c.id, ids, now)
}

// countLeftOut counts the members without a number, who may be many, and so
// stands in no transaction that writes.
func countLeftOut(ctx context.Context, q db.Querier, c starting) (*LeftOut, error) {
	l := &LeftOut{}
	if c.source != 0 {
		return l, nil // who had no number was no recipient
	}
	if c.filter.Cards != nil {
		return c.holdersLeftOut(ctx, q)
	}
	err := q.QueryRowContext(ctx, `
		SELECT COUNT(CASE WHEN p.phone_rule = 'none' THEN 1 END), COUNT(CASE WHEN p.phone_rule <> 'none' THEN 1 END)
		FROM contacts p JOIN group_members g ON g.contact_id = p.id AND g.group_id = $1
		WHERE p.account_id = $2 AND p.phone = '' AND p.state = 'active'`, c.group, c.account).
		Scan(&l.WithoutNumber, &l.InvalidNumber)
	return l, err
}
