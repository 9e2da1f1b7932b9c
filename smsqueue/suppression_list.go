package smsqueue

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// This file writes suppression_lists.

const (
	// listKept is how long a list waits for its import, and its report for readers.
	listKept = time.Hour
	// listLease is longer than the longest list takes.
	listLease = 5 * time.Minute
)

var (
	errNoList   = problem.New(problem.KindNotFound, "upload_not_found", "there is no such list any more: send it again")
	errListBusy = problem.Conflict("import_running", "the list is being imported")
)

// KeepSuppressionList keeps a list as of ImportSuppressions for an hour, to be looked
// at and imported. One that cannot be read as a whole is refused.
func (q *Queue) KeepSuppressionList(ctx context.Context, account int64, list io.Reader) (int64, error) {
	_, text, err := contacts.ReadList(list)
	if err != nil {
		return 0, err
	}
	found, err := q.listed(ctx, account, text)
	if err != nil {
		return 0, err
	}
	if len(found.Rows) == 0 {
		return 0, problem.New(problem.KindInvalid, "file_empty", "the list is empty")
	}
	id, err := q.db.NewIDs(ctx, 1)
	if err != nil {
		return 0, err
	}
	_, err = q.db.ExecContext(ctx, `INSERT INTO suppression_lists (id, account_id, content, created_at) VALUES ($1, $2, $3, $4)`,
		id, account, text, db.Millis(time.Now()))
	return id, err
}

// SuppressionList says what would become of a list that is kept, or what became of it.
func (q *Queue) SuppressionList(ctx context.Context, account, id int64) (s SuppressionImport, imported bool, err error) {
	text, report, err := q.suppressionList(ctx, account, id)
	switch {
	case err != nil:
		return s, false, err
	case report != "":
		return s, true, json.Unmarshal([]byte(report), &s)
	}
	s, err = q.lookAtList(ctx, account, text)
	return s, false, err
}

func (q *Queue) suppressionList(ctx context.Context, account, id int64) (text, report string, err error) {
	err = q.db.QueryRowContext(ctx, `SELECT content, report FROM suppression_lists WHERE account_id = $1 AND id = $2 AND created_at >= $3`,
		account, id, db.Millis(time.Now().Add(-listKept))).Scan(&text, &report)
	if db.IsNone(err) {
		err = errNoList
	}
	return text, report, err
}

// ImportSuppressionList suppresses the numbers of a list that is kept. One that was
// imported stays as it is.
func (q *Queue) ImportSuppressionList(ctx context.Context, account, user, id int64) error {
	text, report, err := q.suppressionList(ctx, account, id)
	if err != nil || report != "" {
		return err
	}
	now := time.Now()
	taken, err := q.db.ExecContext(ctx, `UPDATE suppression_lists SET busy_until = $1 WHERE account_id = $2 AND id = $3 AND busy_until < $4 AND report = ''`,
		db.Millis(now.Add(listLease)), account, id, db.Millis(now))
	if err != nil {
		return err
	}
	if n, err := taken.RowsAffected(); err != nil || n == 0 {
		if err == nil {
			err = errListBusy
		}
		return err
	}
	done, err := q.suppressList(ctx, account, user, text)
	if err != nil {
		return q.letListGo(ctx, id, err)
	}
	said, err := json.Marshal(done)
	if err != nil {
		return err
	}
	_, err = q.db.ExecContext(ctx, `UPDATE suppression_lists SET content = '', report = $1 WHERE account_id = $2 AND id = $3`, string(said), account, id)
	return err
}

// letListGo lets a list be imported again at once after its import failed.
func (q *Queue) letListGo(ctx context.Context, id int64, why error) error {
	if _, err := q.db.ExecContext(context.WithoutCancel(ctx), `UPDATE suppression_lists SET busy_until = 0 WHERE id = $1`, id); err != nil {
		return err
	}
	return why
}

// DropSuppressionLists forgets lists, of all accounts, whose time is over.
func (q *Queue) DropSuppressionLists(ctx context.Context) error {
	_, err := q.db.ExecContext(ctx, `DELETE FROM suppression_lists WHERE created_at < $1`, db.Millis(time.Now().Add(-listKept)))
	return err
}
