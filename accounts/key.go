package accounts

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// Scopes of an API key. A key with '*' has all of them.
const (
	ScopeMessagesWrite      = "messages:write"
	ScopeMessagesRead       = "messages:read"
	ScopeContactsRead       = "contacts:read"
	ScopeContactsWrite      = "contacts:write"
	ScopeDirectoryRead      = "directory:read"
	ScopeDirectoryWrite     = "directory:write"
	ScopeSettingsWrite      = "settings:write"
	ScopeAuditRead          = "audit:read"
	ScopeSubProcessorsRead  = "subprocessors:read"
	ScopeSubProcessorsWrite = "subprocessors:write"
	ScopeAgreementsRead     = "agreements:read"
	ScopeAgreementsWrite    = "agreements:write"
	ScopeAccountExport      = "account:export" // everything of the account
	ScopeBillingRead        = "billing:read"
	ScopeBudgetsRead        = "budgets:read"  // and teams
	ScopeBudgetsWrite       = "budgets:write" // and teams
	ScopeCardsRead          = "cards:read"
	ScopeCardsWrite         = "cards:write"
	ScopePrivacyRead        = "privacy:read"
	ScopePrivacyWrite       = "privacy:write"
	// ScopeInstallation is what operators' keys have, and no account's.
	ScopeInstallation = "installation"
)

var scopes = []string{"*", ScopeMessagesWrite, ScopeMessagesRead, ScopeContactsRead, ScopeContactsWrite, ScopeDirectoryRead, ScopeDirectoryWrite, ScopeSettingsWrite,
	ScopeAuditRead, ScopeAgreementsRead, ScopeAgreementsWrite, ScopeSubProcessorsRead, ScopeSubProcessorsWrite, ScopeAccountExport, ScopeBillingRead,
	ScopePrivacyRead, ScopePrivacyWrite, ScopeBudgetsRead, ScopeBudgetsWrite, ScopeCardsRead, ScopeCardsWrite}

// Key is an API key without its secret.
type Key struct {
	ID      int64
	Account int64 // 0: an operator's key
	Scopes  []string
	Owner   string    // e-mail address of who answers for it; empty for nobody
	Flagged time.Time // when its owner left, zero for not; it still works
	Created time.Time
}

// May says whether the key has a scope.
func (k Key) May(scope string) bool {
	return slices.Contains(k.Scopes, "*") && scope != ScopeInstallation || slices.Contains(k.Scopes, scope)
}

// CreateKey makes an API key of 256 random bits and returns it this once; what
// is kept is its SHA-256. owner is the e-mail address of who answers for it, or
// empty.
func (a *Accounts) CreateKey(ctx context.Context, account int64, want []string, owner string) (Key, string, error) {
	owner = strings.ToLower(strings.TrimSpace(owner))
	for _, s := range want {
		if !slices.Contains(scopes, s) {
			return Key{}, "", problem.Invalid("scopes", "there is no scope %q; there are %s", s, strings.Join(scopes, ", "))
		}
	}
	if len(want) == 0 {
		return Key{}, "", problem.Invalid("scopes", "a key needs a scope; there are %s", strings.Join(scopes, ", "))
	}
	id, err := a.db.NewIDs(ctx, 1)
	if err != nil {
		return Key{}, "", err
	}
	secret := newToken("vk_")
	now := time.Now()
	_, err = a.db.ExecContext(ctx, insertKey, id, account, hashToken(secret), strings.Join(want, " "), owner, db.Millis(now))
	return Key{ID: id, Account: account, Scopes: want, Owner: owner, Created: now}, secret, err
}

// ByKey finds the key that a request carries.
func (a *Accounts) ByKey(ctx context.Context, secret string) (Key, error) {
	find := a.findKey
	if strings.HasPrefix(secret, operatorPrefix) {
		find = a.findOperatorKey
	}
	k, err := find(ctx, hashToken(secret))
	if db.IsNone(err) {
		return Key{}, problem.New(problem.KindUnknown, "unknown_key", "this API key is not known or was revoked")
	}
	return k, err
}

func newToken(prefix string) string {
	raw := make([]byte, 32)
	rand.Read(raw)
	return prefix + base64.RawURLEncoding.EncodeToString(raw)
}

func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
