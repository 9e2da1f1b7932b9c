package smsqueue

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db"
)

// tokens are what stands in the place of numbers, by the id of their row, as lists of
// one: a form that both databases read.
func tokens(e contacts.Erased, phones map[int64]string) map[int64][1]string {
	all := make(map[int64][1]string, len(phones))
	for id, phone := range phones {
		all[id] = [1]string{e.Token(phone)}
	}
	return all
}

// What is done to the rows with the ids that are the keys of $1, of the account $2.
const (
	eraseMessages = `
		UPDATE messages SET phone = r.value->>0, body = '' FROM json_each($1) AS r WHERE messages.id = CAST(r.key AS BIGINT) AND messages.account_id = $2`
	eraseInbound = `
		UPDATE inbound SET phone = r.value->>0, body = '', contact_id = 0 FROM json_each($1) AS r WHERE inbound.id = CAST(r.key AS BIGINT) AND inbound.account_id = $2`
	eraseInboundParts = `
		UPDATE inbound_parts SET phone = r.value->>0, body = '' FROM json_each($1) AS r WHERE inbound_parts.inbound_id = CAST(r.key AS BIGINT)
			AND EXISTS (SELECT 1 FROM inbound i WHERE i.id = inbound_parts.inbound_id AND i.account_id = $2)`
)

func putTokens(ctx context.Context, tx *db.Tx, statement string, account int64, of map[int64][1]string) error {
	if len(of) == 0 {
		return nil
	}
	list, err := json.Marshal(of)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, statement, string(list), account)
	return err
}

// eraseUnconfirmed also finds those that were written while their message was erased.
func eraseUnconfirmed(ctx context.Context, tx *db.Tx, account int64) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE unconfirmed SET phone = (SELECT m.phone FROM messages m WHERE m.id = unconfirmed.message_id)
		WHERE message_id IN (SELECT m.id FROM messages m WHERE m.account_id = $1 AND `+isErased("m")+`)`, account)
	return err
}

// eraseAnswers leaves what was answered, so that the sums of a roll call stay right.
func eraseAnswers(ctx context.Context, tx *db.Tx, e contacts.Erased, asked map[int64][]string) error {
	for campaign, phones := range asked {
		for _, phone := range slices.Compact(slices.Sorted(slices.Values(phones))) {
			if _, err := tx.ExecContext(ctx, `UPDATE roll_answers SET phone = $3, contact_id = 0 WHERE campaign_id = $1 AND phone = $2`,
				campaign, phone, e.Token(phone)); err != nil {
				return err
			}
		}
	}
	return nil
}

// eraseNumbers takes numbers out of where they stand for themselves. A receipt that
// waits keeps its id, by which it finds its message. A campaign whose recipients are
// being found goes on from the number before.
func eraseNumbers(ctx context.Context, tx *db.Tx, e contacts.Erased, phones []string) error {
	for _, phone := range phones {
		for _, statement := range []string{
			`UPDATE opt_out_replies SET phone = $3 WHERE account_id = $1 AND phone = $2`,
			`UPDATE campaigns SET expand_after = '' WHERE account_id = $1 AND expand_after = $2 AND expanded = TRUE AND CAST($3 AS TEXT) <> ''`,
			`UPDATE campaigns SET expand_after = COALESCE((
				SELECT MAX(m.phone) FROM ranges r JOIN messages m ON m.id BETWEEN r.first_id AND r.last_id
				WHERE r.campaign_id = campaigns.id AND m.phone < $2 AND NOT ` + isErased("m") + `), '')
			WHERE account_id = $1 AND expand_after = $2 AND CAST($3 AS TEXT) <> ''`,
			`UPDATE waiting_receipts SET phone = '' WHERE phone = $2 AND CAST($3 AS TEXT) <> '' AND CAST($1 AS BIGINT) <> 0`,
		} {
			if _, err := tx.ExecContext(ctx, statement, e.Account, phone, e.Token(phone)); err != nil {
				return err
			}
		}
	}
	return nil
}

func deleteSuppressions(ctx context.Context, tx *db.Tx, account int64, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	list, err := idList(ids)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM suppressions WHERE account_id = $1 AND id IN (SELECT CAST(r.key AS BIGINT) FROM json_each($2) AS r)`, account, list)
	return err
}
