package billing

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

// Team is users and API keys of an account that share budgets.
type Team struct {
	ID      int64
	Account int64
	Name    string
	Created time.Time
	Members []Member // by e-mail address
	Keys    []int64  // API keys, the oldest first
}

// Member is a user in a team.
type Member struct {
	User  int64
	Email string
}

// Teams keeps the teams of accounts.
type Teams struct {
	db *db.DB
	mu sync.Mutex
	// none is since when an account is known to have no teams: most have none, and what
	// they send then reads nothing.
	none map[int64]time.Time
}

// NewTeams keeps them in d.
func NewTeams(d *db.DB) *Teams { return &Teams{db: d, none: map[int64]time.Time{}} }

const (
	// noneFor is how long the first team of an account may be unknown to a process.
	noneFor = 500 * time.Millisecond
	// noneMost bounds how many accounts are remembered.
	noneMost = 10_000
)

// Spender is who acts in the context: in the team of its user or API key. Commands and
// the product itself are in none.
func (t *Teams) Spender(ctx context.Context, account int64) (Spender, error) {
	actor := audit.ActorOf(ctx)
	if actor.Kind != audit.User && actor.Kind != audit.Key || t.hasNone(account) {
		return Spender{}, nil
	}
	var by Spender
	var teams bool
	err := t.db.QueryRowContext(ctx, `
		SELECT EXISTS (SELECT 1 FROM teams WHERE account_id = $1 AND removed_at = 0),
			COALESCE((SELECT m.team_id FROM team_members m WHERE $2 = 'user' AND m.account_id = $1 AND m.user_id = $3),
				(SELECT k.team_id FROM team_keys k WHERE $2 = 'key' AND k.account_id = $1 AND k.key_id = $3), 0)`,
		account, actor.Kind, actor.ID).Scan(&teams, &by.Team)
	if err == nil && !teams {
		t.keepNone(account)
	}
	return by, err
}

func (t *Teams) hasNone(account int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	since, known := t.none[account]
	return known && time.Since(since) < noneFor
}

func (t *Teams) keepNone(account int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.none) >= noneMost {
		clear(t.none)
	}
	t.none[account] = time.Now()
}

func (t *Teams) forgetNone(account int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.none, account)
}

// mostTeams is how many an account may have.
const mostTeams = 500

func errTeamExists(name string) error {
	return problem.Conflict("team_exists", "there is a team %q already", name)
}

// Add makes a team with nobody in it. also is done in the same transaction.
func (t *Teams) Add(ctx context.Context, account int64, name string, also ...Also) (Team, error) {
	one := Team{Account: account, Name: strings.TrimSpace(name), Created: time.Now()}
	if err := validName(one.Name); err != nil {
		return Team{}, err
	}
	var err error
	if one.ID, err = t.db.NewIDs(ctx, 1); err != nil {
		return Team{}, err
	}
	err = t.db.InTx(ctx, func(tx *db.Tx) error {
		if err := doAll(ctx, tx, one.ID, also); err != nil {
			return err
		}
		if err := insertTeam(ctx, tx, one); err != nil {
			return err
		}
		return recordTeam(ctx, tx, "team.added", one, nil)
	})
	t.forgetNone(account)
	if db.IsDuplicate(err) {
		return Team{}, errTeamExists(one.Name)
	}
	if err != nil {
		return Team{}, err
	}
	return t.ByID(ctx, account, one.ID)
}

// Rename gives a team another name.
func (t *Teams) Rename(ctx context.Context, account, id int64, name string) (Team, error) {
	name = strings.TrimSpace(name)
	if err := validName(name); err != nil {
		return Team{}, err
	}
	err := t.db.InTx(ctx, func(tx *db.Tx) error {
		one, err := lockTeam(ctx, tx, account, id)
		if err != nil {
			return err
		}
		one.Name = name
		if _, err := tx.ExecContext(ctx, `UPDATE teams SET name = $1 WHERE account_id = $2 AND id = $3`, name, account, id); err != nil {
			return err
		}
		return recordTeam(ctx, tx, "team.renamed", one, nil)
	})
	if db.IsDuplicate(err) {
		return Team{}, errTeamExists(name)
	}
	if err != nil {
		return Team{}, err
	}
	return t.ByID(ctx, account, id)
}

// Remove ends a team that has no budgets; who was in it is in none.
func (t *Teams) Remove(ctx context.Context, account, id int64) error {
	return t.db.InTx(ctx, func(tx *db.Tx) error {
		one, err := lockTeam(ctx, tx, account, id)
		if err != nil {
			return err
		}
		var budgets int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM budgets WHERE account_id = $1 AND team_id = $2 AND removed_at = 0`, account, id).Scan(&budgets); err != nil {
			return err
		}
		if budgets > 0 {
			return problem.Conflict("team_has_budgets", "the team %q has budgets: remove them first", one.Name)
		}
		for _, statement := range []string{
			`DELETE FROM team_members WHERE account_id = $1 AND team_id = $2`,
			`DELETE FROM team_keys WHERE account_id = $1 AND team_id = $2`,
		} {
			if _, err := tx.ExecContext(ctx, statement, account, id); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `UPDATE teams SET removed_at = $3 WHERE account_id = $1 AND id = $2`, account, id, db.Millis(time.Now())); err != nil {
			return err
		}
		return recordTeam(ctx, tx, "team.removed", one, nil)
	})
}

// Join puts a user of the account into a team, out of the one they were in.
func (t *Teams) Join(ctx context.Context, account, id, user int64) error {
	return t.change(ctx, account, id, "team.member_added", audit.User, user, problem.NotFound("user", ""), `
		INSERT INTO team_members (account_id, user_id, team_id)
		SELECT m.account_id, m.user_id, CAST($3 AS BIGINT) FROM memberships m WHERE m.account_id = $1 AND m.user_id = $2 AND m.left_at = 0
		ON CONFLICT (account_id, user_id) DO UPDATE SET team_id = EXCLUDED.team_id`)
}

// Leave takes a user out of a team.
func (t *Teams) Leave(ctx context.Context, account, id, user int64) error {
	return t.change(ctx, account, id, "team.member_removed", audit.User, user, problem.NotFound("user", ""), `
		DELETE FROM team_members WHERE account_id = $1 AND user_id = $2 AND team_id = $3`)
}

// EndAccess takes those with these e-mail addresses, in lower case or not, out of the
// account's teams, as they are gone from its directory. Who comes back is in none.
func (t *Teams) EndAccess(ctx context.Context, account int64, emails []string) error {
	list := map[string]int{}
	for _, e := range emails {
		list[strings.ToLower(strings.TrimSpace(e))] = 0
	}
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return t.db.InTx(ctx, func(tx *db.Tx) error {
		if err := tx.PreferIndexes(ctx); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			DELETE FROM team_members WHERE account_id = $1 AND user_id IN (SELECT u.id FROM json_each($2) AS r JOIN users u ON u.email = r.key)`, account, string(text))
		return err
	})
}

// JoinKey puts an API key of the account into a team, out of the one it was in.
func (t *Teams) JoinKey(ctx context.Context, account, id, key int64) error {
	return t.change(ctx, account, id, "team.key_added", audit.Key, key, problem.NotFound("key", ""), `
		INSERT INTO team_keys (account_id, key_id, team_id)
		SELECT k.account_id, k.id, CAST($3 AS BIGINT) FROM api_keys k WHERE k.account_id = $1 AND k.id = $2 AND k.revoked_at = 0
		ON CONFLICT (account_id, key_id) DO UPDATE SET team_id = EXCLUDED.team_id`)
}

// LeaveKey takes an API key out of a team.
func (t *Teams) LeaveKey(ctx context.Context, account, id, key int64) error {
	return t.change(ctx, account, id, "team.key_removed", audit.Key, key, problem.NotFound("key", ""), `
		DELETE FROM team_keys WHERE account_id = $1 AND key_id = $2 AND team_id = $3`)
}

// change runs a statement over the account $1, who $2 is and the team $3.
func (t *Teams) change(ctx context.Context, account, id int64, action, kind string, who int64, missing error, statement string) error {
	return t.db.InTx(ctx, func(tx *db.Tx) error {
		one, err := lockTeam(ctx, tx, account, id)
		if err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, statement, account, who, id)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			if err == nil {
				err = missing
			}
			return err
		}
		return recordTeam(ctx, tx, action, one, map[string]int64{kind: who})
	})
}

func recordTeam(ctx context.Context, tx *db.Tx, action string, t Team, facts any) error {
	_, err := audit.Record(ctx, tx, audit.Entry{Account: t.Account, Action: action, Subject: secrets.Team, SubjectID: t.ID,
		Facts: facts, Detail: map[string]string{"name": t.Name}})
	return err
}

// MemberNamed finds a user of the account by their e-mail address.
func (t *Teams) MemberNamed(ctx context.Context, account int64, email string) (Member, error) {
	m := Member{Email: strings.ToLower(strings.TrimSpace(email))}
	err := t.db.QueryRowContext(ctx, `
		SELECT u.id FROM users u JOIN memberships m ON m.user_id = u.id WHERE m.account_id = $1 AND m.left_at = 0 AND u.email = $2`, account, m.Email).Scan(&m.User)
	if db.IsNone(err) {
		return m, problem.NotFound("user", m.Email)
	}
	return m, err
}

// Users are all who may sign in to the account, by e-mail address.
func (t *Teams) Users(ctx context.Context, account int64) ([]Member, error) {
	return db.Collect(ctx, t.db, func(rows *sql.Rows) (m Member, err error) {
		return m, rows.Scan(&m.User, &m.Email)
	}, `SELECT u.id, u.email FROM users u JOIN memberships m ON m.user_id = u.id WHERE m.account_id = $1 AND m.left_at = 0 ORDER BY u.email`, account)
}

// ByID finds one of the account's teams.
func (t *Teams) ByID(ctx context.Context, account, id int64) (Team, error) {
	all, err := t.List(ctx, account)
	if err != nil {
		return Team{}, err
	}
	if at := slices.IndexFunc(all, func(one Team) bool { return one.ID == id }); at >= 0 {
		return all[at], nil
	}
	return Team{}, errNoTeam
}

var errNoTeam = problem.NotFound("team", "")

// List is the account's teams, by name.
func (t *Teams) List(ctx context.Context, account int64) ([]Team, error) {
	all, err := db.Collect(ctx, t.db, func(rows *sql.Rows) (one Team, err error) {
		var created int64
		one.Account = account
		err = rows.Scan(&one.ID, &one.Name, &created)
		one.Created = db.Time(created)
		return one, err
	}, `SELECT id, name, created_at FROM teams WHERE account_id = $1 AND removed_at = 0 ORDER BY name`, account)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	of := map[int64]*Team{}
	for i := range all {
		of[all[i].ID] = &all[i]
	}
	if _, err := db.Collect(ctx, t.db, func(rows *sql.Rows) (_ struct{}, err error) {
		var team int64
		var m Member
		err = rows.Scan(&team, &m.User, &m.Email)
		if one := of[team]; one != nil {
			one.Members = append(one.Members, m)
		}
		return struct{}{}, err
	}, `SELECT m.team_id, u.id, u.email FROM team_members m JOIN users u ON u.id = m.user_id WHERE m.account_id = $1 ORDER BY u.email`, account); err != nil {
		return nil, err
	}
	_, err = db.Collect(ctx, t.db, func(rows *sql.Rows) (_ struct{}, err error) {
		var team, key int64
		err = rows.Scan(&team, &key)
		if one := of[team]; one != nil {
			one.Keys = append(one.Keys, key)
		}
		return struct{}{}, err
	}, `
		SELECT t.team_id, t.key_id FROM team_keys t JOIN api_keys k ON k.id = t.key_id AND k.revoked_at = 0 WHERE t.account_id = $1 ORDER BY t.key_id`, account)
	return all, err
}

// lockTeam keeps a team until the transaction ends.
func lockTeam(ctx context.Context, tx *db.Tx, account, id int64) (t Team, err error) {
	err = tx.QueryRowContext(ctx, tx.ForUpdate(`
		SELECT id, account_id, name FROM teams WHERE account_id = $1 AND id = $2 AND removed_at = 0`), account, id).Scan(&t.ID, &t.Account, &t.Name)
	if db.IsNone(err) {
		return t, errNoTeam
	}
	return t, err
}

func insertTeam(ctx context.Context, tx *db.Tx, t Team) error {
	var n int
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM teams WHERE account_id = $1 AND removed_at = 0`, t.Account).Scan(&n); err != nil {
		return err
	}
	if n >= mostTeams {
		return problem.Conflict("too_many_teams", "an account has %d teams at the most", mostTeams)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO teams (id, account_id, name, created_at) VALUES ($1, $2, $3, $4)`, t.ID, t.Account, t.Name, db.Millis(t.Created))
	return err
}
