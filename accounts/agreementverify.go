package accounts

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// Verified is what VerifyAgreements went through.
type Verified struct {
	Agreements int // that are or were concluded
	Chain      audit.Head
}

// VerifyAgreements checks that an account's evidence is as it was written: the chain
// of entries, and of every agreement that was concluded the version's text, the
// document, the PDF and who signed how, against what the chain says. Agreements from
// before there was a chain have their text's checksum alone.
func (a *Accounts) VerifyAgreements(ctx context.Context, account int64) (Verified, error) {
	if err := a.ShipAgreements(ctx); err != nil {
		return Verified{}, err
	}
	head, err := audit.Verify(ctx, a.db, account)
	done := Verified{Chain: head}
	if err != nil {
		return done, err
	}
	all, err := a.Agreements(ctx, account)
	if err != nil {
		return done, err
	}
	entries, err := concludedEntries(ctx, a.db, account)
	if err != nil {
		return done, err
	}
	for _, ag := range all {
		if ag.Concluded.IsZero() {
			continue
		}
		if err := a.verify(ctx, ag, entries[ag.ID]); err != nil {
			return done, err
		}
		done.Agreements++
		delete(entries, ag.ID)
	}
	if len(entries) > 0 {
		return done, changed("an agreement that the chain says was concluded is not there")
	}
	return done, nil
}

// kept is what the chain says of an agreement that was concluded.
type kept struct {
	facts, detail string
	erased        bool
}

func (a *Accounts) verify(ctx context.Context, ag Agreement, entry kept) error {
	text, err := textOf(ctx, a.db, ag.Version, ag.Language)
	switch {
	case db.IsNone(err):
		return changed("the text of version %s is not there", ag.Version)
	case err != nil:
		return err
	case sha256Of(text) != ag.TextSHA256:
		return changed("the text of version %s is not the one that was signed", ag.Version)
	case ag.Method == ByCommand && ag.DocumentSHA256 == "" && entry == kept{}:
		return nil // from before there was a chain
	case entry.facts == "" || !sameJSON(entry.facts, ag.facts()):
		return changed("the agreement of version %s is not what the chain says", ag.Version)
	case !entry.erased && !sameJSON(entry.detail, ag.detail()):
		return changed("who signed version %s, and how, is not what the chain says", ag.Version)
	case ag.DocumentSHA256 != "" && sha256Of(ag.document) != ag.DocumentSHA256:
		return changed("the document of version %s is not the one that was signed", ag.Version)
	}
	file, err := fileOf(ctx, a.db, ag.Account, ag.ID)
	if err != nil && !db.IsNone(err) {
		return err
	}
	if sha256Of(file) != ag.PDFSHA256 {
		return changed("the PDF of version %s is not the one that was kept", ag.Version)
	}
	return nil
}

func changed(format string, args ...any) error {
	return problem.Conflict("agreement_broken", format, args...)
}

// sameJSON compares what was written with what would be written now.
func sameJSON(written string, now map[string]any) bool {
	var compact bytes.Buffer
	return json.Compact(&compact, []byte(written)) == nil && compact.String() == jsonOf(now)
}
