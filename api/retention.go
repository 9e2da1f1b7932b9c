package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/privacy"
)

const (
	retentionPath             = "/v1/retention"
	installationRetentionPath = installationPath + "/retention"
)

// retentionRoutes: an operators' key, whose account is 0, says what holds for accounts
// that say nothing, and holds what is of all of them.
func (s Services) retentionRoutes(a huma.API) {
	for _, one := range []struct{ path, read, write, suffix, whose string }{
		{retentionPath, accounts.ScopeAuditRead, accounts.ScopeSettingsWrite, "", "the account"},
		{installationRetentionPath, accounts.ScopeInstallation, accounts.ScopeInstallation, "OfAll", "all accounts"}} {
		add(a, route{"GET", one.path, "readRetention" + one.suffix, one.read, "List how long what is kept of " + one.whose, http.StatusOK, false}, s.readRetention)
		add(a, route{"PATCH", one.path + "/{class}", "setRetention" + one.suffix, one.write, "Say how long a class of data is kept of " + one.whose, http.StatusOK, false}, s.setRetention)
		add(a, route{"GET", one.path + "/runs", "listRetentionRuns" + one.suffix, one.read, "List what was removed after its time of " + one.whose + ", the newest first", http.StatusOK, false}, s.listRetentionRuns)
		add(a, route{"GET", one.path + "/holds", "listHolds" + one.suffix, one.read, "List the holds that keep data of " + one.whose, http.StatusOK, false}, s.listHolds)
		add(a, route{"POST", one.path + "/holds", "holdData" + one.suffix, one.write, "Remove nothing of " + one.whose + " until the hold is lifted", http.StatusCreated, false}, s.holdData)
		add(a, route{"DELETE", one.path + "/holds/{id}", "liftHold" + one.suffix, one.write, "Lift a hold of " + one.whose, http.StatusNoContent, false}, s.liftHold)
	}
}

type keptClass struct {
	Class   string        `json:"class" example:"message_texts"`
	Days    int           `json:"days,omitempty" doc:"For how many days it is kept."`
	MinDays int           `json:"min_days,omitempty"`
	MaxDays int           `json:"max_days,omitempty"`
	Hours   int           `json:"hours,omitempty" doc:"In place of days, of a class whose time nobody can change."`
	Says    string        `json:"says" enum:"default,installation,account" doc:"Who said so."`
	Hold    string        `json:"hold,omitempty" doc:"A hold that keeps all of it."`
	LastRun *retentionRun `json:"last_run,omitempty"`
}

type retentionRun struct {
	ID        string     `json:"id"`
	Class     string     `json:"class" example:"message_texts"`
	Outcome   string     `json:"outcome" enum:"done,held,failed" doc:"held: a hold kept everything."`
	Count     int        `json:"count" doc:"Rows that were emptied or removed."`
	Oldest    *time.Time `json:"oldest_left,omitempty" doc:"How old the oldest is that is left."`
	StartedAt time.Time  `json:"started_at"`
	TookMS    int64      `json:"took_ms"`
}

func (s Services) retentionRun(r privacy.Run) retentionRun {
	out := retentionRun{ID: s.retentionRunName(r), Class: r.Class, Outcome: r.Outcome, Count: r.Count, StartedAt: at(r.Started), TookMS: r.Took.Milliseconds()}
	if !r.Oldest.IsZero() {
		out.Oldest = new(at(r.Oldest))
	}
	return out
}

func (s Services) retentionRunName(r privacy.Run) string {
	return s.Names.Of(secrets.RetentionRun, r.ID)
}

func (s Services) keptClass(k privacy.Kept) keptClass {
	out := keptClass{Class: k.Name, Days: k.Days, MinDays: k.Min, MaxDays: k.Max, Hours: k.Hours, Says: string(k.Says)}
	if k.Held != nil {
		out.Hold = s.Names.Of(secrets.Hold, k.Held.ID)
	}
	if k.Last != nil {
		out.LastRun = new(s.retentionRun(*k.Last))
	}
	return out
}

func (s Services) readRetention(ctx context.Context, _ *struct{}) (*answer[whole[keptClass]], error) {
	kept, err := s.Privacy.Retention(ctx, chainOf(ctx))
	if err != nil {
		return nil, err
	}
	return wholeOf(kept, s.keptClass), nil
}

type setRetention struct {
	Class string `path:"class" example:"message_texts"`
	Body  newRetention
}

type newRetention struct {
	Days int `json:"days" doc:"0 says nothing: what holds for all accounts holds." example:"90"`
}

func (s Services) setRetention(ctx context.Context, in *setRetention) (*answer[whole[keptClass]], error) {
	if err := s.Privacy.SetRetention(ctx, chainOf(ctx), in.Class, in.Body.Days); err != nil {
		return nil, err
	}
	return s.readRetention(ctx, nil)
}

type listRetentionRuns struct{ Page }

func (s Services) listRetentionRuns(ctx context.Context, in *listRetentionRuns) (*answer[list[retentionRun]], error) {
	before, err := in.from(s.Names, secrets.RetentionRun)
	if err != nil {
		return nil, err
	}
	rows, err := s.Privacy.Runs(ctx, chainOf(ctx), before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return pageOf(rows, in.Limit, s.retentionRun, s.retentionRunName), nil
}

type hold struct {
	ID          string    `json:"id"`
	Class       string    `json:"class,omitempty" doc:"Missing: everything is kept." example:"message_texts"`
	Reason      string    `json:"reason"`
	AllAccounts bool      `json:"all_accounts" doc:"An operator's hold, which an account cannot lift."`
	Since       time.Time `json:"since"`
}

func (s Services) hold(h privacy.Hold) hold {
	return hold{ID: s.Names.Of(secrets.Hold, h.ID), Class: h.Class, Reason: h.Reason, AllAccounts: h.Account == 0, Since: at(h.Since)}
}

func (s Services) listHolds(ctx context.Context, _ *struct{}) (*answer[whole[hold]], error) {
	all, err := s.Privacy.Holds(ctx, chainOf(ctx))
	if err != nil {
		return nil, err
	}
	return wholeOf(all, s.hold), nil
}

type newHold struct {
	Class  string `json:"class,omitempty" doc:"Only this class of data." example:"message_texts"`
	Reason string `json:"reason" doc:"As the number of a case; 500 bytes at the most." example:"Case 12-345"`
}

type holdData struct{ Body newHold }

func (s Services) holdData(ctx context.Context, in *holdData) (*answer[hold], error) {
	h, err := s.Privacy.Hold(ctx, chainOf(ctx), in.Body.Class, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return &answer[hold]{Body: s.hold(h)}, nil
}

type liftHold struct {
	ID string `path:"id"`
}

func (s Services) liftHold(ctx context.Context, in *liftHold) (*struct{}, error) {
	id, err := s.Names.ID(secrets.Hold, in.ID)
	if err != nil {
		return nil, err
	}
	return nil, s.Privacy.LiftHold(ctx, chainOf(ctx), id)
}
