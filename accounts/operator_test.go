package accounts_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/db"
)

func TestAnOperatorIsNoMemberOfAnAccount(t *testing.T) {
	each(t, func(t *testing.T, a *accounts.Accounts, d *db.DB, acme accounts.Account) {
		const password = "correct horse battery"
		_, err := a.AddOperator(t.Context(), "ops@varsel.example", "short")
		refused(t, err, "invalid_password")
		_, err = a.AddOperator(t.Context(), "nobody", password)
		refused(t, err, "invalid_email")
		_, err = a.AddOperator(t.Context(), " Ops@Varsel.example", password)
		must(t, err)
		token, err := a.SignIn(t.Context(), "ops@varsel.example", password)
		must(t, err)
		s, err := a.Session(t.Context(), token)
		must(t, err)
		want := accounts.Session{Email: "ops@varsel.example", Operator: true}
		if diff := cmp.Diff(want, s, cmpopts.IgnoreFields(accounts.Session{}, "User")); diff != "" {
			t.Error(diff)
		}
		must(t, a.RemoveOperator(t.Context(), "OPS@varsel.example"))
		_, err = a.Session(t.Context(), token)
		refused(t, err, "signed_out")
		_, err = a.SignIn(t.Context(), "ops@varsel.example", password)
		refused(t, err, "sign_in_refused")
		refused(t, a.RemoveOperator(t.Context(), "ops@varsel.example"), "operator_not_found")
	})
}

func TestAMemberCanBeAnOperatorToo(t *testing.T) {
	each(t, func(t *testing.T, a *accounts.Accounts, d *db.DB, acme accounts.Account) {
		const password = "correct horse battery"
		_, err := a.CreateUser(t.Context(), acme.ID, "kari@acme.example", "viewer", password)
		must(t, err)
		token, err := a.SignIn(t.Context(), "kari@acme.example", password)
		must(t, err)
		_, err = a.AddOperator(t.Context(), "kari@acme.example", "")
		must(t, err)
		s, err := a.Session(t.Context(), token)
		must(t, err)
		if !s.Operator || s.Role != "viewer" || s.Account.ID != acme.ID {
			t.Errorf("%+v", s)
		}
		all, err := a.Operators(t.Context())
		must(t, err)
		if diff := cmp.Diff([]accounts.Operator{{ID: s.User, Email: "kari@acme.example"}}, all); diff != "" {
			t.Error(diff)
		}
		// Who leaves the account is not in it any more, an operator or not.
		must(t, a.EndAccess(t.Context(), acme.ID, []string{"kari@acme.example"}))
		_, err = a.Session(t.Context(), token)
		refused(t, err, "signed_out")
		token, err = a.SignIn(t.Context(), "kari@acme.example", password)
		must(t, err)
		s, err = a.Session(t.Context(), token)
		must(t, err)
		if s.Account.ID != 0 || s.Role != "" || !s.Operator {
			t.Errorf("%+v", s)
		}
	})
}

// An operators' key runs the installation and opens no account; a key of an account,
// with every scope, does not run the installation.
func TestAnOperatorsKeyBelongsToNoAccount(t *testing.T) {
	each(t, func(t *testing.T, a *accounts.Accounts, d *db.DB, acme accounts.Account) {
		_, _, err := a.CreateOperatorKey(t.Context(), " ")
		refused(t, err, "invalid_name")
		made, secret, err := a.CreateOperatorKey(t.Context(), "billing system")
		must(t, err)
		key, err := a.ByKey(t.Context(), secret)
		must(t, err)
		if key.Account != 0 || !key.May(accounts.ScopeInstallation) || key.May(accounts.ScopeMessagesRead) {
			t.Errorf("%+v", key)
		}
		all, _, err := a.CreateKey(t.Context(), acme.ID, []string{"*"}, "")
		must(t, err)
		if all.May(accounts.ScopeInstallation) {
			t.Error("an account's key runs the installation")
		}
		_, _, err = a.CreateKey(t.Context(), acme.ID, []string{accounts.ScopeInstallation}, "")
		refused(t, err, "invalid_scopes")
		listed, err := a.OperatorKeys(t.Context())
		must(t, err)
		if len(listed) != 1 || listed[0].ID != made.ID || listed[0].Name != "billing system" {
			t.Errorf("%+v", listed)
		}
		must(t, a.RevokeOperatorKey(t.Context(), made.ID))
		_, err = a.ByKey(t.Context(), secret)
		refused(t, err, "unknown_key")
		refused(t, a.RevokeOperatorKey(t.Context(), made.ID), "key_not_found")
	})
}
