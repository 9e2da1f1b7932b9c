package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/secrets"
)

const (
	auditPath             = "/v1/audit"
	installationAuditPath = installationPath + "/audit"
)

// auditRoutes: an operators' key reads what was done to the installation, and no
// account's trail.
func (s Services) auditRoutes(a huma.API) {
	for _, one := range []struct{ path, scope, suffix, whose string }{
		{auditPath, accounts.ScopeAuditRead, "Audit", "the account"}, {installationAuditPath, accounts.ScopeInstallation, "InstallationAudit", "the installation"}} {
		add(a, route{"GET", one.path, "list" + one.suffix, one.scope, "List who did what to " + one.whose + ", the newest first", 200, false}, s.listAudit)
		add(a, route{"GET", one.path + "/verification", "verify" + one.suffix, one.scope, "Prove that no entry of the audit trail of " + one.whose + " was changed, removed or put in", 200, false}, s.verifyAudit)
	}
}

// auditEntry is one thing that was done.
type auditEntry struct {
	ID      string    `json:"id"`
	Seq     int64     `json:"seq" doc:"Counts from 1, without gaps."`
	At      time.Time `json:"at"`
	Action  string    `json:"action" doc:"What was done. api. and an operation, console. and a route, command. and its words, or the name of what happened." example:"api.addContact"`
	Actor   actor     `json:"actor"`
	Subject string    `json:"subject,omitempty" doc:"The id of what it was done to." example:"con_0t3kzjv5m6n8q9x2w4y7b1c0df"`
	Facts   any       `json:"facts,omitempty" doc:"Without personal data; they stay."`
	Detail  any       `json:"detail,omitempty" doc:"May be personal data: where a request came from, and in whose name."`
	Erased  bool      `json:"erased,omitempty" doc:"There was a detail, and it was erased."`
	Hash    string    `json:"hash" doc:"SHA-256 in hex over this entry and the hash of the one before."`
}

// actor is who did it.
type actor struct {
	Kind string `json:"kind" enum:"user,key,command,system,person" doc:"user: of the console. key: of the API. command: somebody at the command line. system: the product by itself. person: somebody without a sign-in."`
	ID   string `json:"id,omitempty" doc:"Of the user or the key."`
}

func (s Services) auditEntry(e audit.Entry) auditEntry {
	out := auditEntry{ID: s.auditName(e), Seq: e.Seq, At: at(e.At), Action: e.Action, Actor: actor{Kind: e.Actor.Kind}, Facts: e.Facts, Detail: e.Detail, Erased: e.Erased, Hash: e.Hash}
	if prefix := actorPrefixes[e.Actor.Kind]; prefix != "" && e.Actor.ID != 0 {
		out.Actor.ID = s.Names.Of(prefix, e.Actor.ID)
	}
	if e.Subject != "" && e.SubjectID != 0 {
		out.Subject = s.Names.Of(e.Subject, e.SubjectID)
	}
	return out
}

var actorPrefixes = map[string]string{audit.User: secrets.User, audit.Key: secrets.Key}

func (s Services) auditName(e audit.Entry) string { return s.Names.Of(secrets.AuditEntry, e.Seq) }

type listAudit struct{ Page }

func (s Services) listAudit(ctx context.Context, in *listAudit) (*answer[list[auditEntry]], error) {
	before, err := in.from(s.Names, secrets.AuditEntry)
	if err != nil {
		return nil, err
	}
	rows, err := s.Trail.Entries(ctx, chainOf(ctx), before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return pageOf(rows, in.Limit, s.auditEntry, s.auditName), nil
}

type verifyAudit struct {
	Entries int64  `query:"entries" minimum:"1" doc:"How many entries an earlier verification counted. With head."`
	Head    string `query:"head" pattern:"^[0-9a-f]{64}$" patternDescription:"64 hex digits" doc:"The head that it answered: a trail that it is not in is refused, so one that was written anew is found."`
}

type auditHead struct {
	Entries int64  `json:"entries"`
	Head    string `json:"head" doc:"The hash of the newest entry. Keep it elsewhere."`
}

func (s Services) verifyAudit(ctx context.Context, in *verifyAudit) (*answer[auditHead], error) {
	if (in.Head == "") != (in.Entries == 0) {
		return nil, invalidQuery("head", "give head and entries together")
	}
	h, err := s.Trail.Verify(ctx, chainOf(ctx), audit.Head{Entries: in.Entries, Hash: in.Head})
	if err != nil {
		return nil, err
	}
	return &answer[auditHead]{Body: auditHead{h.Entries, h.Hash}}, nil
}
