package audit

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/varsel/varsel/internal/db"
)

// row is an entry as it is kept. salt is empty when the detail was erased.
type row struct {
	account, seq, at, subjectID                            int64
	action, subject, facts, detail, salt, commitment, hash string
	actor                                                  Actor
}

const columns = `account_id, seq, at, action, actor, actor_id, subject, subject_id, facts, detail, salt, commitment, hash`

type chainEnd struct {
	seq  int64
	hash string
}

// head locks the end of a chain until the transaction ends.
func head(ctx context.Context, tx *db.Tx, account int64) (end chainEnd, err error) {
	if _, err := tx.ExecContext(ctx, `INSERT INTO audit_heads (account_id, seq, hash) VALUES ($1, 0, '') ON CONFLICT DO NOTHING`, account); err != nil {
		return end, err
	}
	err = tx.QueryRowContext(ctx, tx.ForUpdate(`SELECT seq, hash FROM audit_heads WHERE account_id = $1`), account).Scan(&end.seq, &end.hash)
	return end, err
}

// selectHead is the end of a chain, the zero one when there is none.
func selectHead(ctx context.Context, q db.Querier, account int64) (end chainEnd, err error) {
	err = q.QueryRowContext(ctx, `SELECT seq, hash FROM audit_heads WHERE account_id = $1`, account).Scan(&end.seq, &end.hash)
	if db.IsNone(err) {
		return chainEnd{}, nil
	}
	return end, err
}

func (r row) insert(ctx context.Context, tx *db.Tx) error {
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO audit_entries (`+columns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		r.account, r.seq, r.at, r.action, r.actor.Kind, r.actor.ID, r.subject, r.subjectID, r.facts, r.detail, r.salt, r.commitment, r.hash); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE audit_heads SET seq = $2, hash = $3 WHERE account_id = $1`, r.account, r.seq, r.hash)
	return err
}

func selectRows(ctx context.Context, q db.Querier, account, after int64, limit int) ([]row, error) {
	return db.Collect(ctx, q, scanRow, `
		SELECT `+columns+` FROM audit_entries WHERE account_id = $1 AND seq > $2 ORDER BY seq LIMIT $3`, account, after, limit)
}

func scanRow(rows *sql.Rows) (r row, err error) {
	return r, rows.Scan(&r.account, &r.seq, &r.at, &r.action, &r.actor.Kind, &r.actor.ID, &r.subject, &r.subjectID,
		&r.facts, &r.detail, &r.salt, &r.commitment, &r.hash)
}

func (r row) entry() Entry {
	return Entry{Account: r.account, Seq: r.seq, At: db.Time(r.at), Action: r.action, Actor: r.actor, Subject: r.subject, SubjectID: r.subjectID,
		Facts: raw(r.facts), Detail: raw(r.detail), Erased: r.salt == "", Hash: r.hash}
}

func raw(text string) any {
	if text == "" {
		return nil
	}
	return json.RawMessage(text)
}

// List is an account's entries before one, the newest first; before 0 is from the
// end.
func List(ctx context.Context, q db.Querier, account, before int64, limit int) ([]Entry, error) {
	return db.Collect(ctx, q, func(rows *sql.Rows) (Entry, error) {
		r, err := scanRow(rows)
		return r.entry(), err
	}, `SELECT `+columns+` FROM audit_entries WHERE account_id = $1 AND (CAST($2 AS BIGINT) = 0 OR seq < $2) ORDER BY seq DESC LIMIT $3`,
		account, before, limit)
}

// Erase forgets the details of an account's entries whose numbers are given. The
// chain still verifies.
func Erase(ctx context.Context, q db.Querier, account int64, seqs []int64) error {
	keys := map[int64]int{}
	for _, seq := range seqs {
		keys[seq] = 0
	}
	list, err := json.Marshal(keys)
	if err != nil {
		return err
	}
	_, err = q.ExecContext(ctx, `
		UPDATE audit_entries SET detail = '', salt = ''
		WHERE account_id = $1 AND seq IN (SELECT CAST(e.key AS BIGINT) FROM json_each($2) AS e)`, account, string(list))
	return err
}
