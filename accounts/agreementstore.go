package accounts

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// The tables of agreements are written here alone. Read across: audit_entries, which
// internal/audit writes.

// lockAccount makes those who change an account's agreements stand behind each other.
func lockAccount(ctx context.Context, tx *db.Tx, account int64) error {
	var id int64
	err := tx.QueryRowContext(ctx, tx.ForUpdate(`SELECT id FROM accounts WHERE id = $1`), account).Scan(&id)
	if db.IsNone(err) {
		return problem.NotFound("account", "")
	}
	return err
}

// lockVersions keeps the versions as they are until the transaction ends: what is
// published meanwhile finds all that was concluded.
func lockVersions(ctx context.Context, tx *db.Tx, how func(query string) string) error {
	_, err := db.Column[string](ctx, tx, how(`SELECT version FROM agreement_versions ORDER BY version`))
	return err
}

func (a *Accounts) hasVersion(ctx context.Context, name string) (known bool, err error) {
	err = a.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM agreement_versions WHERE version = $1)`, name).Scan(&known)
	return known, err
}

func insertVersion(ctx context.Context, tx *db.Tx, v AgreementVersion) error {
	done, err := tx.ExecContext(ctx, `
		INSERT INTO agreement_versions (version, origin, offered_from, grace_until, objection_days, breach_hours, end_days, published_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
		v.Name, v.Origin, db.Millis(v.Offered), db.Millis(v.Grace), v.ObjectionDays, v.BreachHours, v.EndDays, db.Millis(v.Published))
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return problem.Conflict("version_exists", "there is a version %q already", v.Name)
	}
	for language, text := range v.Texts {
		if _, err := tx.ExecContext(ctx, `INSERT INTO agreement_texts (version, language, body, sha256) VALUES ($1, $2, $3, $4)`,
			v.Name, language, text, sha256Of(text)); err != nil {
			return err
		}
	}
	return nil
}

// closeEarlier says when agreements of earlier versions open nothing any more. A
// version of the program does not end what an operator's own text began.
func closeEarlier(ctx context.Context, tx *db.Tx, v AgreementVersion) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE agreements SET closes_at = $1
		WHERE state = 'concluded' AND version <> $2 AND (closes_at = 0 OR closes_at > $1)
			AND (CAST($3 AS TEXT) = 'operator' OR NOT EXISTS (SELECT 1 FROM agreement_versions o WHERE o.origin = 'operator'))`,
		db.Millis(v.Grace), v.Name, v.Origin)
	return err
}

func (a *Accounts) versions(ctx context.Context, which string, args ...any) ([]AgreementVersion, error) {
	all, err := db.Collect(ctx, a.db, func(row *sql.Rows) (v AgreementVersion, err error) {
		var offered, grace, published int64
		err = row.Scan(&v.Name, &v.Origin, &offered, &grace, &v.ObjectionDays, &v.BreachHours, &v.EndDays, &published)
		v.Offered, v.Grace, v.Published, v.Texts = db.Time(offered), db.Time(grace), db.Time(published), map[string]string{}
		return v, err
	}, `SELECT version, origin, offered_from, grace_until, objection_days, breach_hours, end_days, published_at FROM agreement_versions `+which, args...)
	if err != nil {
		return nil, err
	}
	for _, v := range all {
		if _, err := db.Collect(ctx, a.db, func(row *sql.Rows) (_ struct{}, err error) {
			var language, text string
			err = row.Scan(&language, &text)
			v.Texts[language] = text
			return struct{}{}, err
		}, `SELECT language, body FROM agreement_texts WHERE version = $1`, v.Name); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// currentVersion is the one that is offered: the latest text of the operator's own,
// else the latest of the program.
func currentVersion(ctx context.Context, q db.Querier, now time.Time) (name string, err error) {
	err = q.QueryRowContext(ctx, `
		SELECT version FROM agreement_versions WHERE offered_from <= $1
		ORDER BY CASE origin WHEN 'operator' THEN 0 ELSE 1 END, offered_from DESC, published_at DESC, version DESC LIMIT 1`, db.Millis(now)).Scan(&name)
	return name, err
}

func endDays(ctx context.Context, q db.Querier, version string) (days int, err error) {
	err = q.QueryRowContext(ctx, `SELECT end_days FROM agreement_versions WHERE version = $1`, version).Scan(&days)
	if db.IsNone(err) { // from before there were versions
		return usualTerms.EndDays, nil
	}
	return days, err
}

// offerRow finds the open offer of a document's version and language, or makes it
// under a new id. Open offers of earlier versions end.
func offerRow(ctx context.Context, tx *db.Tx, fresh, account int64, d Document, now time.Time) (id int64, made bool, err error) {
	if _, err := tx.ExecContext(ctx, `
		UPDATE agreements SET state = 'superseded', superseded_at = $3 WHERE account_id = $1 AND state = 'offered' AND version <> $2`,
		account, d.Version, db.Millis(now)); err != nil {
		return 0, false, err
	}
	const find = `SELECT id FROM agreements WHERE account_id = $1 AND version = $2 AND language = $3 AND state = 'offered'`
	err = tx.QueryRowContext(ctx, find, account, d.Version, d.Language).Scan(&id)
	if !db.IsNone(err) {
		return id, false, err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO agreements (id, account_id, version, language, text_sha256, state, offered_at) VALUES ($1, $2, $3, $4, $5, 'offered', $6)`,
		fresh, account, d.Version, d.Language, d.TextSHA256, db.Millis(now))
	return fresh, true, err
}

func insertView(ctx context.Context, tx *db.Tx, id int64, who audit.Actor, document string, now time.Time) (fresh bool, err error) {
	done, err := tx.ExecContext(ctx, `
		INSERT INTO agreement_views (agreement_id, actor, actor_id, document_sha256, viewed_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		id, who.Kind, who.ID, document, db.Millis(now))
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n == 1, err
}

// viewedOffer finds the open offer that the actor has had before them as it is.
func viewedOffer(ctx context.Context, tx *db.Tx, ag Agreement) (id int64, viewed time.Time, err error) {
	err = tx.QueryRowContext(ctx, `
		SELECT a.id, v.viewed_at FROM agreements a JOIN agreement_views v ON v.agreement_id = a.id
		WHERE a.account_id = $1 AND a.version = $2 AND a.language = $3 AND a.state = 'offered'
			AND v.actor = $4 AND v.actor_id = $5 AND v.document_sha256 = $6`,
		ag.Account, ag.Version, ag.Language, ag.Actor.Kind, ag.Actor.ID, ag.DocumentSHA256).Scan(&id, timeOf{&viewed})
	if db.IsNone(err) {
		return 0, viewed, problem.Conflict("agreement_not_viewed", "whoever signs reads the agreement first; or it was concluded meanwhile")
	}
	return id, viewed, err
}

// supersede ends what another agreement takes the place of: the concluded one, which
// it names, and open offers.
func supersede(ctx context.Context, tx *db.Tx, by Agreement) (concluded int64, err error) {
	err = tx.QueryRowContext(ctx, `SELECT id FROM agreements WHERE account_id = $1 AND state = 'concluded'`, by.Account).Scan(&concluded)
	if err != nil && !db.IsNone(err) {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE agreements SET state = 'superseded', superseded_at = $2 WHERE account_id = $1 AND state IN ('offered', 'concluded') AND id <> $3`,
		by.Account, db.Millis(by.Concluded), by.ID)
	return concluded, err
}

// settle turns an open offer into a concluded agreement. A version that is published
// for later ends it in its time.
func settle(ctx context.Context, tx *db.Tx, ag *Agreement, file []byte) error {
	err := tx.QueryRowContext(ctx, `
		UPDATE agreements SET state = 'concluded', document = $3, document_sha256 = $4, parties = $5, signatory = $6, title = $7, email = $8, authority = $9,
			method = $10, actor = $11, actor_id = $12, actor_email = $13, actor_role = $14, ip = $15, user_agent = $16, mfa = $17, sso_issuer = $18,
			sso_subject = $19, countersigner = $20, countersigner_title = $21, pdf_sha256 = $22, viewed_at = $23, signed_at = $24, concluded_at = $25,
			closes_at = COALESCE((
				SELECT MIN(l.grace_until) FROM agreement_versions l JOIN agreement_versions m ON m.version = agreements.version
				WHERE l.offered_from > $25 AND (l.origin = 'operator' OR m.origin = 'program')), 0)
		WHERE id = $1 AND account_id = $2 AND state = 'offered' RETURNING offered_at, closes_at`,
		ag.ID, ag.Account, ag.document, ag.DocumentSHA256, ag.parties, ag.Signatory, ag.Title, ag.Email, ag.Authority,
		ag.Method, ag.Actor.Kind, ag.Actor.ID, ag.ActorEmail, ag.ActorRole, ag.IP, ag.UserAgent, ag.MFA, ag.SSOIssuer, ag.SSOSubject,
		ag.Countersigner, ag.CountersignerTitle, ag.PDFSHA256, db.Millis(ag.Viewed), db.Millis(ag.Signed), db.Millis(ag.Concluded)).
		Scan(timeOf{&ag.Offered}, timeOf{&ag.Closes})
	if db.IsNone(err) {
		return problem.Conflict("agreement_not_offered", "the agreement was concluded by somebody else meanwhile")
	}
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO agreement_files (agreement_id, pdf) VALUES ($1, $2)`, ag.ID, file)
	return err
}

// timeOf reads unix milliseconds into a time.
type timeOf struct{ at *time.Time }

// Scan takes what a database gives for a BIGINT.
func (t timeOf) Scan(value any) error {
	ms, _ := value.(int64)
	*t.at = db.Time(ms)
	return nil
}

func end(ctx context.Context, tx *db.Tx, account, id int64, atEnd string, now, deadline time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE agreements SET state = 'terminated', terminated_at = $3, at_end = $4, end_deadline = $5 WHERE account_id = $1 AND id = $2`,
		account, id, db.Millis(now), atEnd, db.Millis(deadline))
	return err
}

const agreementColumns = `id, account_id, version, language, text_sha256, state, document, document_sha256, parties, signatory, title, email, authority,
	method, actor, actor_id, actor_email, actor_role, ip, user_agent, mfa, sso_issuer, sso_subject, countersigner, countersigner_title, pdf_sha256,
	offered_at, viewed_at, signed_at, concluded_at, closes_at, superseded_at, terminated_at, at_end, end_deadline`

func scanAgreement(row interface{ Scan(...any) error }) (ag Agreement, err error) {
	err = row.Scan(&ag.ID, &ag.Account, &ag.Version, &ag.Language, &ag.TextSHA256, &ag.State, &ag.document, &ag.DocumentSHA256, &ag.parties,
		&ag.Signatory, &ag.Title, &ag.Email, &ag.Authority, &ag.Method, &ag.Actor.Kind, &ag.Actor.ID, &ag.ActorEmail, &ag.ActorRole, &ag.IP, &ag.UserAgent,
		&ag.MFA, &ag.SSOIssuer, &ag.SSOSubject, &ag.Countersigner, &ag.CountersignerTitle, &ag.PDFSHA256,
		timeOf{&ag.Offered}, timeOf{&ag.Viewed}, timeOf{&ag.Signed}, timeOf{&ag.Concluded}, timeOf{&ag.Closes}, timeOf{&ag.Superseded}, timeOf{&ag.Terminated},
		&ag.AtEnd, timeOf{&ag.EndDeadline})
	if err != nil || ag.parties == "" {
		return ag, err
	}
	var p parties
	err = json.Unmarshal([]byte(ag.parties), &p)
	ag.Controller, ag.Processor = p.Controller, p.Processor
	return ag, err
}

func concludedRow(ctx context.Context, q db.Querier, account int64) (Agreement, error) {
	return scanAgreement(q.QueryRowContext(ctx, `SELECT `+agreementColumns+` FROM agreements WHERE account_id = $1 AND state = 'concluded'`, account))
}

// Agreements are all that were offered to the account, the latest first.
func (a *Accounts) Agreements(ctx context.Context, account int64) ([]Agreement, error) {
	return db.Collect(ctx, a.db, func(row *sql.Rows) (Agreement, error) { return scanAgreement(row) },
		`SELECT `+agreementColumns+` FROM agreements WHERE account_id = $1 ORDER BY id DESC`, account)
}

// Agreement is one of the account's.
func (a *Accounts) Agreement(ctx context.Context, account, id int64) (Agreement, error) {
	ag, err := scanAgreement(a.db.QueryRowContext(ctx, `SELECT `+agreementColumns+` FROM agreements WHERE account_id = $1 AND id = $2`, account, id))
	if db.IsNone(err) {
		return Agreement{}, problem.NotFound("agreement", "")
	}
	return ag, err
}

// latestAgreements are those of all accounts that say how the accounts stand, the
// latest first.
func (a *Accounts) latestAgreements(ctx context.Context) (map[int64][]Agreement, error) {
	all, err := db.Collect(ctx, a.db, func(row *sql.Rows) (Agreement, error) { return scanAgreement(row) },
		`SELECT `+agreementColumns+` FROM agreements WHERE state <> 'superseded' ORDER BY id DESC`)
	by := map[int64][]Agreement{}
	for _, ag := range all {
		by[ag.Account] = append(by[ag.Account], ag)
	}
	return by, err
}

func (a *Accounts) accountsByHandle(ctx context.Context) ([]Account, error) {
	return db.Collect(ctx, a.db, func(row *sql.Rows) (acc Account, err error) {
		var created int64
		err = row.Scan(&acc.ID, &acc.Handle, &acc.Name, &acc.Region, &acc.Sender, &acc.Currency, &acc.State, &created)
		acc.Created = db.Time(created)
		return acc, err
	}, `SELECT `+accountColumns+` FROM accounts ORDER BY handle`)
}

func fileOf(ctx context.Context, q db.Querier, account, id int64) (file []byte, err error) {
	err = q.QueryRowContext(ctx, `
		SELECT f.pdf FROM agreement_files f JOIN agreements a ON a.id = f.agreement_id WHERE a.account_id = $1 AND a.id = $2`, account, id).Scan(&file)
	return file, err
}

// How far an account's agreement goes.
const (
	agreedNever = iota
	agreedBefore
	agreedNow
)

// agreed is asked before every batch: one row by its key and one by the index of
// concluded agreements.
func agreed(ctx context.Context, q db.Querier, account int64, now time.Time) (state string, how int, err error) {
	err = q.QueryRowContext(ctx, `
		SELECT a.state, COALESCE((
			SELECT CASE WHEN g.closes_at = 0 OR g.closes_at > $2 THEN 2 ELSE 1 END FROM agreements g WHERE g.account_id = a.id AND g.state = 'concluded'), 0)
		FROM accounts a WHERE a.id = $1`, account, db.Millis(now)).Scan(&state, &how)
	if db.IsNone(err) {
		return "", agreedNever, problem.NotFound("account", "")
	}
	return state, how, err
}

func textOf(ctx context.Context, q db.Querier, version, language string) (text string, err error) {
	err = q.QueryRowContext(ctx, `SELECT body FROM agreement_texts WHERE version = $1 AND language = $2`, version, language).Scan(&text)
	return text, err
}

// concludedEntries is what the chain says of concluded agreements, by their ids.
func concludedEntries(ctx context.Context, q db.Querier, account int64) (map[int64]kept, error) {
	all := map[int64]kept{}
	_, err := db.Collect(ctx, q, func(row *sql.Rows) (_ struct{}, err error) {
		var id int64
		var k kept
		err = row.Scan(&id, &k.facts, &k.detail, &k.erased)
		all[id] = k
		return struct{}{}, err
	}, `
		SELECT subject_id, facts, detail, CASE WHEN salt = '' THEN TRUE ELSE FALSE END FROM audit_entries
		WHERE account_id = $1 AND subject = 'agr' AND action = 'agreement.concluded'`, account)
	return all, err
}
