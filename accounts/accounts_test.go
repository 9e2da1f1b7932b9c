package accounts_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/problem"
)

func TestMain(m *testing.M) { dbtest.Run(m) }

func each(t *testing.T, test func(t *testing.T, a *accounts.Accounts, d *db.DB, acme accounts.Account)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a := accounts.New(d)
		acme, err := a.Create(t.Context(), accounts.Account{Handle: "acme", Name: "Acme AS", Region: "no", Sender: "ACME"})
		must(t, err)
		test(t, a, d, acme)
	})
}

func TestAnAccountIsFoundAgain(t *testing.T) {
	each(t, func(t *testing.T, a *accounts.Accounts, _ *db.DB, acme accounts.Account) {
		got, err := a.ByHandle(t.Context(), "acme")
		must(t, err)
		acme.Created = got.Created // kept in milliseconds
		if diff := cmp.Diff(acme, got); diff != "" {
			t.Error(diff)
		}
		if got.Region != "NO" || got.Currency != "EUR" {
			t.Errorf("%+v", got)
		}
		_, err = a.Create(t.Context(), acme)
		refused(t, err, "account_exists")
		_, err = a.ByHandle(t.Context(), "nobody")
		refused(t, err, "account_not_found")
	})
}

func TestAnAccountThatCannotWorkIsRefused(t *testing.T) {
	each(t, func(t *testing.T, a *accounts.Accounts, _ *db.DB, _ accounts.Account) {
		for code, acc := range map[string]accounts.Account{
			"invalid_id":     {Handle: "A B", Name: "x", Region: "NO"},
			"invalid_name":   {Handle: "ab", Name: " ", Region: "NO"},
			"invalid_region": {Handle: "ab", Name: "x", Region: "Norway"},
			"invalid_sender": {Handle: "ab", Name: "x", Region: "NO", Sender: "far too long a sender"},
		} {
			_, err := a.Create(t.Context(), acc)
			refused(t, err, code)
		}
	})
}

func TestAClosedAccountDoesNothing(t *testing.T) {
	each(t, func(t *testing.T, a *accounts.Accounts, d *db.DB, acme accounts.Account) {
		_, err := a.Conclude(t.Context(), acme.ID, "Kari Nordmann", "CEO", "kari@acme.example")
		must(t, err)
		_, err = d.ExecContext(t.Context(), `UPDATE accounts SET state = 'closed'`)
		must(t, err)
		refused(t, a.Gate(t.Context(), acme.ID), "account_closed")
	})
}

func TestSignIn(t *testing.T) {
	each(t, func(t *testing.T, a *accounts.Accounts, d *db.DB, acme accounts.Account) {
		const password = "correct horse battery"
		_, err := a.CreateUser(t.Context(), acme.ID, "Kari@Acme.example", "owner", password)
		must(t, err)
		token, err := a.SignIn(t.Context(), " kari@acme.example", password)
		must(t, err)
		s, err := a.Session(t.Context(), token)
		must(t, err)
		if s.Email != "kari@acme.example" || s.Role != "owner" || s.Account.Handle != "acme" {
			t.Errorf("%+v", s)
		}
		for _, wrong := range [][2]string{{"kari@acme.example", "wrong"}, {"nobody@acme.example", password}} {
			_, err := a.SignIn(t.Context(), wrong[0], wrong[1])
			refused(t, err, "sign_in_refused")
		}
		must(t, a.SignOut(t.Context(), token))
		_, err = a.Session(t.Context(), token)
		refused(t, err, "signed_out")
		stored, err := db.Column[string](t.Context(), d, `SELECT password_hash FROM users`)
		must(t, err)
		if strings.Contains(stored[0], password) {
			t.Error("the password is stored")
		}
		_, err = a.CreateUser(t.Context(), acme.ID, "x@acme.example", "owner", "short")
		refused(t, err, "invalid_password")
	})
}

func TestWhoLeavesTheDirectoryLosesTheirAccess(t *testing.T) { // Q44
	each(t, func(t *testing.T, a *accounts.Accounts, d *db.DB, acme accounts.Account) {
		const password = "correct horse battery"
		other, err := a.Create(t.Context(), accounts.Account{Handle: "other", Name: "Other AS", Region: "NO"})
		must(t, err)
		for _, who := range []string{"ola@acme.example", "kari@acme.example"} {
			_, err := a.CreateUser(t.Context(), acme.ID, who, "sender", password)
			must(t, err)
		}
		_, err = a.CreateUser(t.Context(), other.ID, "ola@acme.example", "viewer", password)
		must(t, err)
		ola, err := a.SignIn(t.Context(), "ola@acme.example", password)
		must(t, err)
		kari, err := a.SignIn(t.Context(), "kari@acme.example", password)
		must(t, err)
		key, secret, err := a.CreateKey(t.Context(), acme.ID, []string{"*"}, "Ola@acme.example")
		must(t, err)

		must(t, a.EndAccess(t.Context(), acme.ID, []string{"OLA@acme.example ", "nobody@acme.example"}))
		_, err = a.Session(t.Context(), ola)
		refused(t, err, "signed_out")
		_, err = a.Session(t.Context(), kari)
		must(t, err)
		again, err := a.SignIn(t.Context(), "ola@acme.example", password) // works elsewhere still
		must(t, err)
		s, err := a.Session(t.Context(), again)
		must(t, err)
		if s.Account.Handle != "other" {
			t.Errorf("signed in to %s", s.Account.Handle)
		}
		keys, err := a.Keys(t.Context(), acme.ID)
		must(t, err)
		if len(keys) != 1 || keys[0].ID != key.ID || keys[0].Flagged.IsZero() {
			t.Errorf("keys %+v", keys)
		}
		_, err = a.ByKey(t.Context(), secret) // somebody decides about it
		must(t, err)

		_, err = a.CreateUser(t.Context(), acme.ID, "ola@acme.example", "sender", password)
		must(t, err)
		back, err := a.SignIn(t.Context(), "ola@acme.example", password)
		must(t, err)
		if s, err = a.Session(t.Context(), back); err != nil || s.Account.Handle != "acme" {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

func TestAKeyIsShownOnceAndScoped(t *testing.T) {
	each(t, func(t *testing.T, a *accounts.Accounts, d *db.DB, acme accounts.Account) {
		_, secret, err := a.CreateKey(t.Context(), acme.ID, []string{accounts.ScopeMessagesRead}, "")
		must(t, err)
		k, err := a.ByKey(t.Context(), secret)
		must(t, err)
		if k.Account != acme.ID || !k.May(accounts.ScopeMessagesRead) || k.May(accounts.ScopeMessagesWrite) {
			t.Errorf("%+v", k)
		}
		stored, err := db.Column[string](t.Context(), d, `SELECT key_hash FROM api_keys`)
		must(t, err)
		if strings.Contains(stored[0], secret) {
			t.Error("the key is stored")
		}
		_, err = a.ByKey(t.Context(), secret+"x")
		refused(t, err, "unknown_key")
		_, _, err = a.CreateKey(t.Context(), acme.ID, []string{"everything"}, "")
		refused(t, err, "invalid_scopes")
	})
}

// U3
func TestAnIdempotencyKeyIsTakenOnce(t *testing.T) {
	each(t, func(t *testing.T, a *accounts.Accounts, d *db.DB, acme accounts.Account) {
		take := func(hash string, resource int64) (free bool) {
			must(t, d.InTx(t.Context(), func(tx *db.Tx) (err error) {
				free, err = accounts.TakeKey(t.Context(), tx, accounts.Once{Account: acme.ID, Key: "k", Hash: hash, Resource: resource}, time.Now())
				return err
			}))
			return free
		}
		if !take("h", 7) || take("h", 8) {
			t.Error("a key is free the first time only")
		}
		id, found, err := a.Replay(t.Context(), acme.ID, "k", "h")
		must(t, err)
		if !found || id != 7 {
			t.Errorf("%d %v", id, found)
		}
		_, _, err = a.Replay(t.Context(), acme.ID, "k", "other")
		refused(t, err, "idempotency_key_reused")
		if _, found, _ := a.Replay(t.Context(), acme.ID+1, "k", "h"); found {
			t.Error("the key of another account is seen")
		}
		_, err = d.ExecContext(t.Context(), `UPDATE idempotency_keys SET created_at = created_at - $1`, (25 * time.Hour).Milliseconds())
		must(t, err)
		must(t, a.ForgetKeys(t.Context()))
		if !take("h", 9) {
			t.Error("a key is kept for more than a day")
		}
	})
}

func refused(t *testing.T, err error, code string) {
	t.Helper()
	if !problem.Has(err, code) {
		t.Errorf("got %v, want %s", err, code)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
