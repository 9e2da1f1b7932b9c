package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/audit"
)

// authenticate lets pass who carries a key with the scope that the operation
// asks for.
func (s Services) authenticate(ctx huma.Context, next func(huma.Context)) {
	scope, secured := scopeOf(ctx.Operation())
	if !secured {
		next(ctx)
		return
	}
	key, err := s.keyOf(ctx)
	if err == nil && !slices.ContainsFunc(either(scope), key.May) {
		s.refusedScope(ctx, key, scope)
		err = newProblem(http.StatusForbidden, "missing_scope", "this API key lacks the scope "+scope)
	}
	if err != nil {
		send(humafiber.Unwrap(ctx), problemOf(ctx.Context(), nameOf(ctx.Operation()), err))
		return
	}
	ctx = huma.WithValue(ctx, caller{}, key)
	next(huma.WithContext(ctx, asKey(ctx.Context(), key)))
}

func asKey(ctx context.Context, key accounts.Key) context.Context {
	return audit.As(ctx, audit.Actor{Kind: audit.Key, ID: key.ID})
}

func (s Services) keyOf(ctx huma.Context) (accounts.Key, error) {
	scheme, secret, _ := strings.Cut(ctx.Header("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || strings.TrimSpace(secret) == "" {
		return accounts.Key{}, newProblem(http.StatusUnauthorized, "unknown_key", "send an API key: Authorization: Bearer vk_...")
	}
	return s.Accounts.ByKey(ctx.Context(), strings.TrimSpace(secret))
}

// caller is where the context keeps the request's key.
type caller struct{}

// accountOf is the account of the request's key: the only one it can see.
func accountOf(ctx context.Context) int64 {
	account := chainOf(ctx)
	if account == 0 {
		panic("an operation of an account was let pass for an operators' key")
	}
	return account
}

// chainOf is whose audit trail the request's key may read: of its account, or with an
// operators' key the installation's, 0.
func chainOf(ctx context.Context) int64 { return ctx.Value(caller{}).(accounts.Key).Account }

// or stands between two scopes of which one is enough.
const or = " or "

func either(scope string) []string { return strings.Split(scope, or) }

// requires is the security that scopeOf reads. In OpenAPI 3.1 the list of a key
// names the roles that are needed.
func requires(scope string) (any []map[string][]string) {
	for _, one := range either(scope) {
		any = append(any, map[string][]string{keyScheme: {one}})
	}
	return any
}

func scopeOf(op *huma.Operation) (scope string, secured bool) {
	var all []string
	for _, one := range op.Security {
		all = append(all, one[keyScheme][0])
	}
	return strings.Join(all, or), len(all) > 0
}
