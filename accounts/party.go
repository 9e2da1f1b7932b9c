package accounts

import (
	"context"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// Party is a party of a data processing agreement as its annex I names it
// (Commission Implementing Decision (EU) 2021/915, annex I).
type Party struct {
	LegalName      string
	Registration   string // number in the companies' register
	Address        string // lines of it separated by line breaks or commas
	Contact        string // person with an e-mail address or phone number
	DPO            string // data protection officer and how to reach them; empty for none
	Representative string // in the Union (Art. 27 GDPR); empty for none
	Changed        time.Time
}

// Known says whether the party has what an agreement cannot do without.
func (p Party) Known() bool { return p.LegalName != "" && p.Address != "" }

// Processor is who runs the installation and processes on the controllers' behalf.
type Processor struct {
	Party
	Signatory, SignatoryTitle string // who signs agreements on its side
}

// partyField is how long a field of a party may be, in bytes.
const partyField = 500

func (p *Party) clean() error {
	for _, f := range []struct {
		name  string
		value *string
		need  bool
	}{{"legal_name", &p.LegalName, true}, {"registration", &p.Registration, false}, {"address", &p.Address, true}, {"contact", &p.Contact, false},
		{"dpo", &p.DPO, false}, {"representative", &p.Representative, false}} {
		if err := cleanField(f.name, f.value, f.need); err != nil {
			return err
		}
	}
	return nil
}

// cleanField puts a value on one line.
func cleanField(name string, value *string, need bool) error {
	var lines []string
	for line := range strings.Lines(*value) {
		if line = strings.Trim(line, " \t\r\n,"); line != "" {
			lines = append(lines, line)
		}
	}
	*value = strings.Join(lines, ", ")
	switch {
	case need && *value == "":
		return problem.Invalid(name, "an agreement needs the %s of its parties", strings.ReplaceAll(name, "_", " "))
	case len(*value) > partyField:
		return problem.Invalid(name, "the %s has %d bytes at the most", strings.ReplaceAll(name, "_", " "), partyField)
	}
	return nil
}

// Processor is the processor's identity; the zero one until it is set.
func (a *Accounts) Processor(ctx context.Context) (Processor, error) {
	return processorOf(ctx, a.db)
}

func processorOf(ctx context.Context, q db.Querier) (p Processor, err error) {
	var changed int64
	err = q.QueryRowContext(ctx, `
		SELECT legal_name, registration, address, contact, dpo, representative, signatory, signatory_title, changed_at FROM processor WHERE id = 1`).
		Scan(&p.LegalName, &p.Registration, &p.Address, &p.Contact, &p.DPO, &p.Representative, &p.Signatory, &p.SignatoryTitle, &changed)
	if db.IsNone(err) {
		return Processor{}, nil
	}
	p.Changed = db.Time(changed)
	return p, err
}

// SetProcessor says who the processor is. Agreements that are concluded keep what
// they say.
func (a *Accounts) SetProcessor(ctx context.Context, p Processor) error {
	if err := p.clean(); err != nil {
		return err
	}
	if err := cleanField("signatory", &p.Signatory, true); err != nil {
		return err
	}
	if err := cleanField("signatory_title", &p.SignatoryTitle, true); err != nil {
		return err
	}
	return a.db.InTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO processor (id, legal_name, registration, address, contact, dpo, representative, signatory, signatory_title, changed_at)
			VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (id) DO UPDATE SET legal_name = EXCLUDED.legal_name, registration = EXCLUDED.registration, address = EXCLUDED.address,
				contact = EXCLUDED.contact, dpo = EXCLUDED.dpo, representative = EXCLUDED.representative, signatory = EXCLUDED.signatory,
				signatory_title = EXCLUDED.signatory_title, changed_at = EXCLUDED.changed_at`,
			p.LegalName, p.Registration, p.Address, p.Contact, p.DPO, p.Representative, p.Signatory, p.SignatoryTitle, db.Millis(time.Now())); err != nil {
			return err
		}
		_, err := audit.Record(ctx, tx, audit.Entry{Action: "processor.changed", Detail: p})
		return err
	})
}

// Controller is who the account is, for its agreement and the register of
// processing; only with the account's name until somebody says more.
func (a *Accounts) Controller(ctx context.Context, account int64) (Party, error) {
	return controllerOf(ctx, a.db, account)
}

func controllerOf(ctx context.Context, q db.Querier, account int64) (p Party, err error) {
	var changed int64
	err = q.QueryRowContext(ctx, `
		SELECT COALESCE(p.legal_name, a.name), COALESCE(p.registration, ''), COALESCE(p.address, ''), COALESCE(p.contact, ''), COALESCE(p.dpo, ''),
			COALESCE(p.representative, ''), COALESCE(p.changed_at, 0)
		FROM accounts a LEFT JOIN parties p ON p.account_id = a.id WHERE a.id = $1`, account).
		Scan(&p.LegalName, &p.Registration, &p.Address, &p.Contact, &p.DPO, &p.Representative, &changed)
	if db.IsNone(err) {
		return Party{}, problem.NotFound("account", "")
	}
	p.Changed = db.Time(changed)
	return p, err
}

// SetController says who the account is. Agreements that are concluded keep what
// they say.
func (a *Accounts) SetController(ctx context.Context, account int64, p Party) error {
	if err := p.clean(); err != nil {
		return err
	}
	return a.db.InTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO parties (account_id, legal_name, registration, address, contact, dpo, representative, changed_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (account_id) DO UPDATE SET legal_name = EXCLUDED.legal_name, registration = EXCLUDED.registration, address = EXCLUDED.address,
				contact = EXCLUDED.contact, dpo = EXCLUDED.dpo, representative = EXCLUDED.representative, changed_at = EXCLUDED.changed_at`,
			account, p.LegalName, p.Registration, p.Address, p.Contact, p.DPO, p.Representative, db.Millis(time.Now())); err != nil {
			return err
		}
		_, err := audit.Record(ctx, tx, audit.Entry{Account: account, Action: "controller.changed", Detail: p})
		return err
	})
}
