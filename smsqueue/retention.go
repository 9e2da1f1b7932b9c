package smsqueue

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/lots"
	"github.com/varsel/varsel/internal/problem"
)

// What is removed after its time. A message is as old as its id says: it is given
// when the message is accepted. Nothing of a range is touched before it is closed,
// when none of its messages is on its way any more.

// ErrTextGone refuses to send a text again that was removed after its time.
var ErrTextGone = problem.Conflict("text_removed", "the text of this campaign was removed after its time: write it anew")

// ErrNumbersGone refuses to send again to numbers that were replaced after their time.
var ErrNumbersGone = problem.Conflict("numbers_removed", "the numbers of this campaign were replaced after their time: choose recipients anew")

// ErrAnswersGone refuses to change answers that were removed after their time.
var ErrAnswersGone = problem.Conflict("answers_removed", "the answers to this roll call were removed after their time; how many gave which is kept")

// what a range still has, as its columns are called.
const (
	hasTexts   = "has_texts"
	hasNumbers = "has_numbers"
	hasParts   = "has_parts"
)

// oldRange is a range whose messages were all accepted before some time.
type oldRange struct {
	id, campaign, first, last int64
	size                      int // messages, or parts where these are removed
}

// EmptyTexts removes the texts of one lot of an account's messages that were accepted
// before a time. A campaign's own text goes with the last of its messages'.
func (q *Queue) EmptyTexts(ctx context.Context, account int64, before time.Time) (done lots.Done, err error) {
	return q.redactRanges(ctx, account, before, hasTexts, func(tx *db.Tx, some []oldRange, list string) (int64, error) {
		n, err := changed(tx.ExecContext(ctx, `
			UPDATE messages SET body = '' WHERE body <> '' AND id IN (`+messagesOf+`)`, list, account))
		if err != nil {
			return 0, err
		}
		texts, err := changed(tx.ExecContext(ctx, `
			UPDATE campaigns SET body = '' WHERE id IN (
				SELECT c.id FROM campaigns c
				WHERE c.account_id = $1 AND c.id < $2 AND c.body <> '' AND c.state IN ('sent', 'finished', 'cancelled')
					AND (c.expanded = TRUE OR c.state = 'cancelled')
					AND NOT EXISTS (SELECT 1 FROM ranges r WHERE r.campaign_id = c.id AND (r.closed = FALSE OR r.has_texts = TRUE))
				ORDER BY c.id LIMIT 1000)`, account, idAt(before)))
		return n + texts, err
	})
}

// ReplaceNumbers puts tokens in the place of the numbers of one lot of an account's
// messages and of what was received, as far as they are from before a time. token
// gives the same token for the same number, so what is counted by number stays. What
// people answered to a roll call stays with the message that asked. The numbers of a
// campaign that is just being sent again stay until its recipients are found.
func (q *Queue) ReplaceNumbers(ctx context.Context, account int64, before time.Time, token func(phone string) string) (lots.Done, error) {
	done, err := q.redactRanges(ctx, account, before, hasNumbers, func(tx *db.Tx, some []oldRange, list string) (int64, error) {
		return replaceNumbers(ctx, tx, account, some, list, token)
	})
	if err != nil || done.More {
		return done, err
	}
	received, err := q.replaceReceived(ctx, account, before, token)
	received.Rows += done.Rows
	received.Oldest = earliest(done.Oldest, received.Oldest)
	return received, err
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func replaceNumbers(ctx context.Context, tx *db.Tx, account int64, some []oldRange, list string, token func(string) string) (int64, error) {
	of, phones := map[int64]string{}, map[string]string{}
	_, err := db.Collect(ctx, tx, func(row *sql.Rows) (none struct{}, err error) {
		var id int64
		var phone string
		err = row.Scan(&id, &phone)
		if phones[phone] == "" {
			phones[phone] = token(phone)
		}
		of[id] = phones[phone]
		return none, err
	}, `SELECT id, phone FROM messages WHERE id IN (`+messagesOf+`)`, list, account)
	if err != nil || len(of) == 0 {
		return 0, err
	}
	n, err := changed(tx.ExecContext(ctx, `
		UPDATE messages SET phone = r.value->>0 FROM (SELECT key, value FROM json_each($1) LIMIT 100000) AS r
		WHERE id = CAST(r.key AS BIGINT)`, arrays(of)))
	if err != nil {
		return 0, err
	}
	return n, replaceBeside(ctx, tx, account, some, of, phones)
}

// replaceBeside keeps what is found by a message's number in step with it.
func replaceBeside(ctx context.Context, tx *db.Tx, account int64, some []oldRange, of map[int64]string, phones map[string]string) error {
	if _, err := tx.ExecContext(ctx, `
		UPDATE opt_out_replies SET phone = r.value->>0 FROM (SELECT key, value FROM json_each($1) LIMIT 100000) AS r
		WHERE message_id = CAST(r.key AS BIGINT) AND account_id = $2`, arrays(of), account); err != nil {
		return err
	}
	list, told := arrays(phones), map[int64]bool{0: true}
	for _, r := range some {
		if told[r.campaign] {
			continue
		}
		told[r.campaign] = true
		if _, err := tx.ExecContext(ctx, `
			UPDATE roll_answers SET phone = r.value->>0 FROM (SELECT key, value FROM json_each($1) LIMIT 100000) AS r
			WHERE campaign_id = $2 AND phone = r.key`, list, r.campaign); err != nil {
			return err
		}
	}
	return nil
}

// arrays writes a map as an object of arrays of one, which both databases read by
// ->>0 alike.
func arrays[K comparable](of map[K]string) string {
	object := make(map[K][1]string, len(of))
	for k, v := range of {
		object[k] = [1]string{v}
	}
	text, _ := json.Marshal(object)
	return string(text)
}

func (q *Queue) replaceReceived(ctx context.Context, account int64, before time.Time, token func(string) string) (done lots.Done, err error) {
	err = q.db.InTx(ctx, func(tx *db.Tx) error {
		of := map[int64]string{}
		_, err := db.Collect(ctx, tx, func(row *sql.Rows) (none struct{}, err error) {
			var id int64
			var phone string
			err = row.Scan(&id, &phone)
			of[id] = token(phone)
			return none, err
		}, `SELECT id, phone FROM inbound WHERE account_id = $1 AND has_number = TRUE AND id < $2 ORDER BY id LIMIT $3`, account, idAt(before), lots.Size)
		if err != nil {
			return err
		}
		n, err := changed(tx.ExecContext(ctx, `
			UPDATE inbound SET phone = r.value->>0, has_number = FALSE FROM (SELECT key, value FROM json_each($1) LIMIT 100000) AS r
			WHERE id = CAST(r.key AS BIGINT) AND account_id = $2`, arrays(of), account))
		if err != nil {
			return err
		}
		done = lots.Of(n)
		done.Oldest, err = oldest(ctx, tx, `SELECT MIN(id) FROM inbound WHERE account_id = $1 AND has_number = TRUE`, account)
		return err
	})
	return done, err
}

// EmptyReceived removes the texts of one lot of what an account received before a
// time. What they were taken for stays.
func (q *Queue) EmptyReceived(ctx context.Context, account int64, before time.Time) (done lots.Done, err error) {
	err = q.db.InTx(ctx, func(tx *db.Tx) error {
		n, err := changed(tx.ExecContext(ctx, `
			UPDATE inbound SET body = '' WHERE id IN (
				SELECT id FROM inbound WHERE account_id = $1 AND body <> '' AND id < $2 ORDER BY id LIMIT $3)`, account, idAt(before), lots.Size))
		if err != nil {
			return err
		}
		done = lots.Of(n)
		done.Oldest, err = oldest(ctx, tx, `SELECT MIN(id) FROM inbound WHERE account_id = $1 AND body <> ''`, account)
		return err
	})
	return done, err
}

// DropParts removes what carriers said of the parts of one lot of an account's
// messages that were accepted before a time: their ids for them, and the state of
// each. A receipt that comes later than that finds its message no more.
func (q *Queue) DropParts(ctx context.Context, account int64, before time.Time) (lots.Done, error) {
	return q.redactRanges(ctx, account, before, hasParts, func(tx *db.Tx, some []oldRange, list string) (int64, error) {
		return changed(tx.ExecContext(ctx, `DELETE FROM message_parts WHERE message_id IN (`+messagesOf+`)`, list, account))
	})
}

// DropStrays removes one lot of what came from carriers before a time and belongs to
// no account: receipts that no message was found for, and parts of received messages.
func (q *Queue) DropStrays(ctx context.Context, before time.Time) (done lots.Done, err error) {
	err = q.db.InTx(ctx, func(tx *db.Tx) error {
		done = lots.Done{}
		for _, table := range []string{"waiting_receipts", "inbound_parts"} {
			n, err := changed(tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE id IN (
				SELECT id FROM `+table+` WHERE id < $1 ORDER BY id LIMIT $2)`, idAt(before), lots.Size/2))
			if err != nil {
				return err
			}
			done.Rows, done.More = done.Rows+int(n), done.More || n == lots.Size/2
			left, err := oldest(ctx, tx, `SELECT MIN(id) FROM `+table)
			if err != nil {
				return err
			}
			done.Oldest = earliest(done.Oldest, left)
		}
		return nil
	})
	return done, err
}

// messagesOf are the ids of the messages of ranges, listed in $1, of the account $2.
const messagesOf = `
	SELECT m.id FROM (SELECT key FROM json_each($1) LIMIT 100000) AS old
	JOIN ranges g ON g.id = CAST(old.key AS BIGINT) JOIN messages m ON m.id BETWEEN g.first_id AND g.last_id AND m.account_id = $2`

// redactRanges takes the oldest ranges that still have something, and notes that they
// have it no more.
func (q *Queue) redactRanges(ctx context.Context, account int64, before time.Time, has string,
	redact func(tx *db.Tx, some []oldRange, list string) (int64, error)) (done lots.Done, err error) {
	err = q.db.InTx(ctx, func(tx *db.Tx) error {
		done = lots.Done{}
		if err := tx.PreferIndexes(ctx); err != nil {
			return err
		}
		some, more, err := oldRanges(ctx, tx, account, before, has)
		if err != nil {
			return err
		}
		ids := map[int64]int{}
		for _, r := range some {
			ids[r.id] = 1
		}
		list, err := json.Marshal(ids)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE ranges SET `+has+` = FALSE
			WHERE id IN (SELECT CAST(key AS BIGINT) FROM json_each($1))`, string(list)); err != nil {
			return err
		}
		n, err := redact(tx, some, string(list))
		if err != nil {
			return err
		}
		done.Rows, done.More = int(n), more
		done.Oldest, err = oldest(ctx, tx, `
			SELECT MIN(first_id) FROM (SELECT first_id FROM ranges WHERE account_id = $1 AND closed = TRUE AND `+has+` = TRUE ORDER BY last_id LIMIT 1) AS r`, account)
		return err
	})
	return done, err
}

// oldRanges are as many ranges as make one lot, the oldest first, and whether there
// are more.
func oldRanges(ctx context.Context, tx *db.Tx, account int64, before time.Time, has string) (some []oldRange, more bool, err error) {
	each, where := "1", ""
	switch has {
	case hasParts:
		each = "r.max_parts"
	case hasNumbers:
		where = ` AND NOT EXISTS (SELECT 1 FROM campaigns c WHERE c.account_id = $1 AND c.source_id = r.campaign_id AND r.campaign_id <> 0
			AND c.expanded = FALSE AND c.state <> 'cancelled')`
	}
	all, err := db.Collect(ctx, tx, scanOldRange, `
		SELECT r.id, r.campaign_id, r.first_id, r.last_id, (r.last_id - r.first_id + 1) * `+each+` FROM ranges r
		WHERE r.account_id = $1 AND r.closed = TRUE AND r.`+has+` = TRUE AND r.last_id < $2`+where+` ORDER BY r.last_id LIMIT $3`,
		account, idAt(before), lots.Size)
	some = firstLot(all)
	return some, len(some) < len(all) || len(all) == lots.Size, err
}

func scanOldRange(row *sql.Rows) (r oldRange, err error) {
	return r, row.Scan(&r.id, &r.campaign, &r.first, &r.last, &r.size)
}

// firstLot is as many ranges as make one lot, one at least.
func firstLot(all []oldRange) []oldRange {
	rows := 0
	for i, r := range all {
		if rows += r.size; rows > lots.Size && i > 0 {
			return all[:i]
		}
	}
	return all
}

// idAt is the first id that can be given at a time.
func idAt(at time.Time) int64 { return db.FirstID(at) }

// oldest is the time of the id that a query gives, zero for none.
func oldest(ctx context.Context, q db.Querier, query string, args ...any) (time.Time, error) {
	var id sql.NullInt64
	err := q.QueryRowContext(ctx, query, args...).Scan(&id)
	return db.TimeOfID(id.Int64), err
}

func changed(done sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}
