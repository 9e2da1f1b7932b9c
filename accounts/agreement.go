package accounts

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"net/mail"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// AgreementText is the data processing agreement that is offered.
//
//go:embed agreement.en.txt
var AgreementText string

// Version and language of AgreementText. A changed text is a new version.
const (
	agreementVersion  = "2026-11"
	agreementLanguage = "en"
)

// Agreement is the evidence that a data processing agreement was concluded
// (Art. 28(3) GDPR): who signed which text when.
type Agreement struct {
	ID         int64
	Account    int64
	Version    string
	Language   string
	TextSHA256 string // of the exact text
	Signatory  string
	Title      string
	Email      string
	Concluded  time.Time
}

// Conclude records that the agreement offered now was concluded for the account.
func (a *Accounts) Conclude(ctx context.Context, account int64, signatory, title, email string) (Agreement, error) {
	for _, f := range []struct{ name, value string }{{"signatory", signatory}, {"title", title}} {
		if strings.TrimSpace(f.value) == "" {
			return Agreement{}, problem.Invalid(f.name, "an agreement needs the signatory's name and title")
		}
	}
	if _, err := mail.ParseAddress(email); err != nil {
		return Agreement{}, problem.Invalid("email", "%q is no e-mail address", email)
	}
	id, err := a.db.NewIDs(ctx, 1)
	if err != nil {
		return Agreement{}, err
	}
	sum := sha256.Sum256([]byte(AgreementText))
	ag := Agreement{ID: id, Account: account, Version: agreementVersion, Language: agreementLanguage,
		TextSHA256: hex.EncodeToString(sum[:]), Signatory: signatory, Title: title, Email: email, Concluded: time.Now()}
	err = a.db.InTx(ctx, func(tx *db.Tx) error { return conclude(ctx, tx, ag) })
	return ag, err
}

// Gate refuses unless the account is active and its agreement is concluded.
// Nothing is read from a directory and nothing is sent before it lets pass (S6).
func (a *Accounts) Gate(ctx context.Context, account int64) error {
	return Gate(ctx, a.db, account)
}

// Gate is Accounts.Gate as seen from inside a transaction.
func Gate(ctx context.Context, q db.Querier, account int64) error {
	state, concluded, err := standing(ctx, q, account)
	switch {
	case err != nil:
		return err
	case state != "active":
		return problem.New(problem.KindForbidden, "account_closed", "the account is closed")
	case !concluded:
		return problem.New(problem.KindForbidden, "no_agreement",
			"no data processing agreement is concluded for this account: conclude it first (varsel agreement conclude)")
	}
	return nil
}
