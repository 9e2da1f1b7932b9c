package accounts

// The tables sub_processor_* are written here alone. Read across: carriers, which
// smsqueue writes.

import (
	"context"
	"database/sql"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// notices are all of them in the order of their versions.
func (a *Accounts) notices(ctx context.Context, q db.Querier) ([]SubProcessorNotice, error) {
	return selectNotices(ctx, q)
}

// lockedNotices are notices that nobody objects to or withdraws meanwhile.
func lockedNotices(ctx context.Context, tx *db.Tx) ([]SubProcessorNotice, error) {
	if _, err := db.Column[int64](ctx, tx, tx.ForUpdate(`SELECT version FROM sub_processor_notices WHERE version = 1`)); err != nil {
		return nil, err
	}
	return selectNotices(ctx, tx)
}

func selectNotices(ctx context.Context, q db.Querier) ([]SubProcessorNotice, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (n SubProcessorNotice, err error) {
		p := &n.SubProcessor
		var announced, effective int64
		err = row.Scan(&n.ID, &n.Version, &n.Kind, &p.ID, &p.Name, &p.Address, &p.Contact, &p.Service, &p.Data, &p.Country, &p.Transfer, &p.Parent,
			&n.Withdraws, &n.WithdrawnBy, &n.Reason, &announced, &effective)
		n.Announced, n.Effective = db.Time(announced), db.Time(effective)
		return n, err
	}, `
		SELECT n.id, n.version, n.kind, n.sub_processor, n.name, n.address, n.contact, n.service, n.data, n.country, n.transfer, n.parent,
			n.withdraws, COALESCE(w.version, 0), n.reason, n.announced_at, n.effective_at
		FROM sub_processor_notices n LEFT JOIN sub_processor_notices w ON w.withdraws = n.version
		ORDER BY n.version`)
}

// insert keeps the notice, and that it is available to every account that is
// active, with a mail for each of its owners.
func (n SubProcessorNotice) insert(ctx context.Context, tx *db.Tx) error {
	p, announced := n.SubProcessor, db.Millis(n.Announced)
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO sub_processor_notices (id, version, kind, sub_processor, name, address, contact, service, data, country, transfer, parent,
			withdraws, reason, announced_at, effective_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
		n.ID, n.Version, n.Kind, p.ID, p.Name, p.Address, p.Contact, p.Service, p.Data, p.Country, p.Transfer, p.Parent,
		n.Withdraws, n.Reason, announced, db.Millis(n.Effective)); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO sub_processor_evidence (account_id, notice, kind, who, at)
		SELECT id, $1, 'available', 0, $2 FROM accounts WHERE state = 'active'`, n.ID, announced); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO sub_processor_mails (account_id, notice, user_id, state, due_at)
		SELECT m.account_id, $1, m.user_id, 'waiting', $2 FROM memberships m JOIN accounts a ON a.id = m.account_id
		WHERE a.state = 'active' AND m.role = 'owner' AND m.left_at = 0`, n.ID, announced)
	return err
}

func (o Objection) insert(ctx context.Context, tx *db.Tx, notice int64) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO sub_processor_objections (id, account_id, notice, reason, state, made_at, made_by) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		o.ID, o.Account, notice, o.Reason, o.State, db.Millis(o.Made), o.MadeBy)
	return err
}

func (o Objection) update(ctx context.Context, tx *db.Tx) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE sub_processor_objections SET state = $3, answer = $4, ended_at = $5 WHERE account_id = $1 AND id = $2`,
		o.Account, o.ID, o.State, o.Answer, db.Millis(o.Ended))
	return err
}

func selectObjections(ctx context.Context, q db.Querier, where string, args ...any) ([]Objection, error) {
	return db.Collect(ctx, q, func(row *sql.Rows) (o Objection, err error) {
		var made, ended int64
		err = row.Scan(&o.ID, &o.Account, &o.Notice, &o.Reason, &o.State, &o.Answer, &made, &o.MadeBy, &ended)
		o.Made, o.Ended = db.Time(made), db.Time(ended)
		return o, err
	}, `
		SELECT o.id, o.account_id, n.version, o.reason, o.state, o.answer, o.made_at, o.made_by, o.ended_at
		FROM sub_processor_objections o JOIN sub_processor_notices n ON n.id = o.notice `+where, args...)
}

// objection finds one; in a transaction it stays as it is found.
func (a *Accounts) objection(ctx context.Context, q db.Querier, id int64) (Objection, error) {
	if tx, ok := q.(*db.Tx); ok {
		if _, err := db.Column[int64](ctx, tx, tx.ForUpdate(`SELECT id FROM sub_processor_objections WHERE id = $1`), id); err != nil {
			return Objection{}, err
		}
	}
	found, err := selectObjections(ctx, q, `WHERE o.id = $1`, id)
	if err != nil || len(found) == 0 {
		if err == nil {
			err = problem.NotFound("objection", "")
		}
		return Objection{}, err
	}
	return found[0], nil
}

// notEngaged are the sub-processors that are not engaged for an account.
func (a *Accounts) notEngaged(ctx context.Context, account int64) ([]int64, error) {
	return db.Column[int64](ctx, a.db, `
		SELECT DISTINCT n.sub_processor FROM sub_processor_objections o JOIN sub_processor_notices n ON n.id = o.notice
		WHERE o.account_id = $1 AND o.state = 'not_engaged'`, account)
}

// noticed keeps for what of the notices there was no evidence of a kind yet.
func (a *Accounts) noticed(ctx context.Context, account int64, kind string, who int64, at time.Time) error {
	const missing = `
		FROM sub_processor_notices n WHERE NOT EXISTS (
			SELECT 1 FROM sub_processor_evidence e WHERE e.account_id = $1 AND e.notice = n.id AND e.kind = $2 AND e.who = $3)`
	news, err := db.Column[int64](ctx, a.db, `SELECT n.id`+missing+` LIMIT 1`, account, kind, who)
	if err != nil || len(news) == 0 {
		return err
	}
	_, err = a.db.ExecContext(ctx, `
		INSERT INTO sub_processor_evidence (account_id, notice, kind, who, at)
		SELECT CAST($1 AS BIGINT), n.id, CAST($2 AS TEXT), CAST($3 AS BIGINT), CAST($4 AS BIGINT)`+missing+`
		ON CONFLICT DO NOTHING`, account, kind, who, db.Millis(at))
	return err
}

// availability is since when a notice could be read by each of the accounts after
// one that are active or were when it was announced.
func (a *Accounts) availability(ctx context.Context, n SubProcessorNotice, after int64, limit int) ([]NoticeEvidence, error) {
	return db.Collect(ctx, a.db, func(row *sql.Rows) (e NoticeEvidence, err error) {
		var at int64
		err = row.Scan(&e.Account, &e.Handle, &e.Name, &at)
		e.Available = db.Time(at)
		return e, err
	}, `
		SELECT a.id, a.handle, a.name, COALESCE(e.at, CASE WHEN a.created_at > $2 THEN a.created_at ELSE 0 END)
		FROM accounts a LEFT JOIN sub_processor_evidence e ON e.account_id = a.id AND e.notice = $1 AND e.kind = 'available'
		WHERE (a.state = 'active' OR e.at IS NOT NULL) AND a.id > $3 ORDER BY a.id LIMIT $4`, n.ID, db.Millis(n.Announced), after, limit)
}

// addEvidence adds what else is known about a notice to accounts in the order of
// their ids.
func (a *Accounts) addEvidence(ctx context.Context, notice int64, all []NoticeEvidence) error {
	of := make(map[int64]*NoticeEvidence, len(all))
	for i := range all {
		of[all[i].Account] = &all[i]
	}
	first, last := all[0].Account, all[len(all)-1].Account
	if _, err := db.Collect(ctx, a.db, func(row *sql.Rows) (none struct{}, err error) {
		var account, at int64
		var k NoticeKnown
		if err = row.Scan(&account, &k.How, &k.Who, &at); err == nil && of[account] != nil {
			k.At = db.Time(at)
			of[account].Known = append(of[account].Known, k)
		}
		return none, err
	}, `
		SELECT account_id, kind, who, at FROM sub_processor_evidence
		WHERE notice = $1 AND kind <> 'available' AND account_id BETWEEN $2 AND $3 ORDER BY account_id, at, kind, who`, notice, first, last); err != nil {
		return err
	}
	_, err := db.Collect(ctx, a.db, func(row *sql.Rows) (none struct{}, err error) {
		var account, at int64
		var m NoticeMail
		if err = row.Scan(&account, &m.User, &m.State, &at); err == nil && of[account] != nil {
			m.At = db.Time(at)
			of[account].Mails = append(of[account].Mails, m)
		}
		return none, err
	}, `
		SELECT account_id, user_id, state, at FROM sub_processor_mails
		WHERE notice = $1 AND account_id BETWEEN $2 AND $3 ORDER BY account_id, user_id`, notice, first, last)
	return err
}

// giveUpMails settles those whose sender died, and those that have waited too long
// for a relay.
func (a *Accounts) giveUpMails(ctx context.Context, now time.Time) error {
	if _, err := a.db.ExecContext(ctx, `
		UPDATE sub_processor_mails SET state = 'unconfirmed', at = $1 WHERE state = 'sending' AND due_at < $1`, db.Millis(now)); err != nil {
		return err
	}
	_, err := a.db.ExecContext(ctx, `
		UPDATE sub_processor_mails SET state = 'failed', at = $1
		WHERE state = 'waiting' AND notice IN (SELECT id FROM sub_processor_notices WHERE announced_at < $2)`,
		db.Millis(now), db.Millis(now.Add(-mailTime)))
	return err
}

// claimMail takes the mail that is due first; one of account 0 is none.
func (a *Accounts) claimMail(ctx context.Context, now time.Time) (m owed, err error) {
	err = a.db.InTx(ctx, func(tx *db.Tx) error {
		m = owed{}
		err := tx.QueryRowContext(ctx, `
			UPDATE sub_processor_mails SET state = 'sending', tries = tries + 1, due_at = $2
			WHERE state = 'waiting' AND (account_id, notice, user_id) = (
				SELECT account_id, notice, user_id FROM sub_processor_mails WHERE state = 'waiting' AND due_at <= $1
				ORDER BY due_at, account_id, notice, user_id LIMIT 1)
			RETURNING account_id, notice, user_id, tries`, db.Millis(now), db.Millis(now.Add(mailLease))).
			Scan(&m.account, &m.notice, &m.user, &m.tries)
		if db.IsNone(err) {
			return nil
		}
		if err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `
			SELECT u.email, a.region, n.version FROM users u, accounts a, sub_processor_notices n
			WHERE u.id = $1 AND a.id = $2 AND n.id = $3`, m.user, m.account, m.notice).Scan(&m.email, &m.region, &m.version)
	})
	return m, err
}

// settleMail says how a claimed mail stands since at; one that waits is tried again
// then.
func (a *Accounts) settleMail(ctx context.Context, m owed, state string, at time.Time) error {
	_, err := a.db.ExecContext(ctx, `
		UPDATE sub_processor_mails SET state = $4, at = CASE WHEN $4 = 'waiting' THEN 0 ELSE CAST($5 AS BIGINT) END, due_at = $5
		WHERE account_id = $1 AND notice = $2 AND user_id = $3 AND state = 'sending'`, m.account, m.notice, m.user, state, db.Millis(at))
	return err
}

// CoverCarrier says which sub-processor runs a carrier.
func (a *Accounts) CoverCarrier(ctx context.Context, carrier string, subProcessor int64) error {
	all, err := a.notices(ctx, a.db)
	if err != nil {
		return err
	}
	if !hasID(append(listAt(all, a.now()), listAt(all, farOff)...), subProcessor) {
		return problem.NotFound("subprocessor", "")
	}
	return a.db.InTx(ctx, func(tx *db.Tx) error {
		done, err := tx.ExecContext(ctx, `
			INSERT INTO sub_processor_carriers (carrier_id, sub_processor)
			SELECT id, CAST($2 AS BIGINT) FROM carriers WHERE name = $1 AND removed_at = 0
			ON CONFLICT (carrier_id) DO UPDATE SET sub_processor = EXCLUDED.sub_processor`, carrier, subProcessor)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			if err == nil {
				err = problem.NotFound("carrier", carrier)
			}
			return err
		}
		return recordCover(ctx, tx, carrier, subProcessor)
	})
}

// carriersNow are the carriers there are, with who runs them. Those of the type
// simulator send nothing to anybody.
func (a *Accounts) carriersNow(ctx context.Context) ([]Coverage, error) {
	return db.Collect(ctx, a.db, func(row *sql.Rows) (c Coverage, err error) {
		return c, row.Scan(&c.Carrier, &c.SubProcessor)
	}, `
		SELECT c.name, COALESCE(s.sub_processor, 0) FROM carriers c LEFT JOIN sub_processor_carriers s ON s.carrier_id = c.id
		WHERE c.removed_at = 0 AND c.enabled AND c.type <> 'simulator' ORDER BY c.id`)
}
