package api

import (
	"context"
	"net/http"
	"path"
	"regexp"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/trail"
)

// whyUnrecorded is where an operation says why the audit trail does without it.
const whyUnrecorded = "unrecorded"

// Reasons why an operation that is not a GET is not recorded.
const (
	// changesNothing: the request has a body, and nothing is different after it.
	changesNothing = "it changes nothing"
	// isItsRecord: what it makes says itself when it was made for whom, and it comes
	// a thousand times a second: an entry for each would be the slower part.
	isItsRecord = "its message is its record"
)

// addUnrecorded registers an operation that the audit trail does without.
func addUnrecorded[I, O any](a huma.API, why string, r route, handle func(context.Context, *I) (*O, error)) {
	op := r.operation()
	op.Metadata = map[string]any{whyUnrecorded: why}
	register(a, op, handle)
}

// record puts what a key changed into the audit trail, after it succeeded and before
// the client is told.
func (s Services) record(ctx huma.Context, next func(huma.Context)) {
	next(ctx)
	op := ctx.Operation()
	key, known := ctx.Context().Value(caller{}).(accounts.Key)
	if !known || !recorded(op) || ctx.Query("dry_run") == "true" || ctx.Status() >= http.StatusBadRequest {
		return
	}
	step := trail.Step{Account: key.Account, Action: "api." + op.OperationID, Status: ctx.Status(), Given: map[string]string{}, From: fromOf(ctx)}
	for _, name := range pathNames.FindAllStringSubmatch(op.Path, -1) {
		step.Given[name[1]] = unescaped(ctx.Param(name[1]))
	}
	step.Made = path.Base(humafiber.Unwrap(ctx).GetRespHeader("Location"))
	s.Trail.Done(ctx.Context(), step)
}

var pathNames = regexp.MustCompile(`\{(\w+)\}`)

func recorded(op *huma.Operation) bool {
	return op.Method != http.MethodGet && op.Metadata[whyUnrecorded] == nil
}

func fromOf(ctx huma.Context) trail.From {
	return trail.From{IP: humafiber.Unwrap(ctx).IP(), UserAgent: ctx.Header("User-Agent")}
}

// refusedScope records that a key asked for what it may not.
func (s Services) refusedScope(ctx huma.Context, key accounts.Key, scope string) {
	s.Trail.Refused(asKey(ctx.Context(), key), trail.Refusal{Account: key.Account, Action: "api.refused",
		Asked: ctx.Operation().OperationID, Scope: scope, From: fromOf(ctx)})
}
