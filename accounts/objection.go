package accounts

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// States of an objection. The last three are what an operator can answer.
const (
	ObjectionOpen       = "open"
	ObjectionRetracted  = "retracted"   // by the account
	ObjectionNotEngaged = "not_engaged" // the sub-processor is not engaged for this account
	ObjectionTerminated = "terminated"  // the agreement with the account ends
	ObjectionWithdrawn  = "withdrawn"   // the notice was taken back
)

// Outcomes are what an objection can be answered with.
var Outcomes = []string{ObjectionNotEngaged, ObjectionTerminated, ObjectionWithdrawn}

// Objection is an account's word against a notice (Art. 28(2) GDPR).
type Objection struct {
	ID      int64
	Account int64
	Notice  int64 // its version
	Reason  string
	State   string
	Answer  string // of the operator
	Made    time.Time
	MadeBy  int64 // the user; 0 for a key or a command
	Ended   time.Time
}

// Object keeps an account's objection to a notice. It may be made until the change
// takes effect, and once at a time.
func (a *Accounts) Object(ctx context.Context, account, version int64, reason string) (Objection, error) {
	reason, err := saying("reason", reason)
	if err != nil {
		return Objection{}, err
	}
	id, err := a.db.NewIDs(ctx, 1)
	if err != nil {
		return Objection{}, err
	}
	o := Objection{ID: id, Account: account, Notice: version, Reason: reason, State: ObjectionOpen, Made: a.now()}
	if who := audit.ActorOf(ctx); who.Kind == audit.User {
		o.MadeBy = who.ID
	}
	err = a.db.InTx(ctx, func(tx *db.Tx) error {
		all, err := lockedNotices(ctx, tx)
		if err != nil {
			return err
		}
		n, err := numbered(all, version)
		if err != nil {
			return err
		}
		if !n.Open(o.Made) {
			return problem.Conflict("objection_window_closed", "objections to this notice were taken until %s", n.Effective.UTC().Format(time.RFC3339))
		}
		if err := o.insert(ctx, tx, n.ID); err != nil {
			return err
		}
		return o.record(ctx, tx, "objection.made", o.Made)
	})
	if db.IsDuplicate(err) {
		return Objection{}, problem.Conflict("objection_exists", "there is an objection of this account to the notice already")
	}
	return o, err
}

// saying is a text that somebody has to give.
func saying(field, text string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" || len([]rune(text)) > longest {
		return "", problem.Invalid(field, "say it in 1 to %d characters", longest)
	}
	return text, nil
}

func (o Objection) record(ctx context.Context, tx *db.Tx, action string, at time.Time) error {
	facts := map[string]any{"notice_version": o.Notice, "state": o.State}
	_, err := audit.Record(ctx, tx, audit.Entry{Account: o.Account, At: at, Action: action, Subject: "obj", SubjectID: o.ID,
		Facts: facts, Detail: map[string]string{"reason": o.Reason, "answer": o.Answer}})
	return err
}

// Retract takes an account's open objection back.
func (a *Accounts) Retract(ctx context.Context, account, id int64) (Objection, error) {
	return a.end(ctx, id, "objection.retracted", func(o *Objection) error {
		if o.Account != account {
			return problem.NotFound("objection", "")
		}
		o.State = ObjectionRetracted
		return nil
	})
}

// Resolve answers an open objection. To answer that the change is withdrawn
// withdraws the notice, for everybody.
func (a *Accounts) Resolve(ctx context.Context, id int64, outcome, answer string) (Objection, error) {
	answer, err := saying("answer", answer)
	if err != nil {
		return Objection{}, err
	}
	if !slices.Contains(Outcomes, outcome) {
		return Objection{}, problem.Invalid("outcome", "an outcome is one of %s, not %q", strings.Join(Outcomes, ", "), outcome)
	}
	if outcome == ObjectionWithdrawn {
		return a.resolveByWithdrawal(ctx, id, answer)
	}
	return a.end(ctx, id, "objection.resolved", func(o *Objection) error {
		o.State, o.Answer = outcome, answer
		return nil
	})
}

func (a *Accounts) resolveByWithdrawal(ctx context.Context, id int64, answer string) (Objection, error) {
	o, err := a.objection(ctx, a.db, id)
	if err == nil && o.State != ObjectionOpen {
		err = errEnded
	}
	if err != nil {
		return o, err
	}
	if _, err := a.WithdrawNotice(ctx, o.Notice, answer); err != nil {
		return o, err
	}
	return a.objection(ctx, a.db, id)
}

var errEnded = problem.Conflict("objection_ended", "the objection was retracted or answered")

// end ends an open objection as change says.
func (a *Accounts) end(ctx context.Context, id int64, action string, change func(*Objection) error) (ended Objection, err error) {
	err = a.db.InTx(ctx, func(tx *db.Tx) error {
		o, err := a.objection(ctx, tx, id)
		if err != nil {
			return err
		}
		open := o.State == ObjectionOpen
		if err := change(&o); err != nil {
			return err
		}
		if !open {
			return errEnded
		}
		o.Ended = a.now()
		if err := o.update(ctx, tx); err != nil {
			return err
		}
		ended = o
		return o.record(ctx, tx, action, o.Ended)
	})
	return ended, err
}

// endObjections answers the open objections to a notice that n withdraws, if any.
func endObjections(ctx context.Context, tx *db.Tx, n SubProcessorNotice) error {
	open, err := selectObjections(ctx, tx, `WHERE n.version = $1 AND o.state = 'open' ORDER BY o.account_id`, n.Withdraws)
	if err != nil {
		return err
	}
	for _, o := range open {
		o.State, o.Answer, o.Ended = ObjectionWithdrawn, n.Reason, n.Announced
		if err := o.update(ctx, tx); err != nil {
			return err
		}
		if err := o.record(ctx, tx, "objection.resolved", o.Ended); err != nil {
			return err
		}
	}
	return nil
}

// Objections lists an account's, the newest first; account 0 is those of all.
func (a *Accounts) Objections(ctx context.Context, account int64) ([]Objection, error) {
	return selectObjections(ctx, a.db, `WHERE CAST($1 AS BIGINT) = 0 OR o.account_id = $1 ORDER BY o.id DESC`, account)
}
