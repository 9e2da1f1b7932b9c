package web

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/problem"
)

const installationAgreementsPath = "/installation/agreements"

// agreementsPage is what the operator of the installation decides about agreements:
// who they are, and which text is offered.
type agreementsPage struct {
	Processor accounts.Processor
	Party     accounts.Party // of the processor
	Versions  []versionRow
	Accounts  []accountStandingRow
	Version   string // of a new text, as it was filled in
	From      string
	Grace     string
	Languages []choice
	Errors    []fieldError
}

func (agreementsPage) template() string { return "agreements" }

// Error is what is wrong with a field, or empty.
func (p agreementsPage) Error(field string) string { return errorOf(p.Errors, field) }

type versionRow struct {
	accounts.AgreementVersion
	Word      string // draft, or offered
	Author    string
	Languages []string
}

type accountStandingRow struct {
	agreementBadge
	Handle, Name, Version string
}

func (w *site) agreements(c *fiber.Ctx, v visit) error {
	return w.showAgreements(c, v, agreementsPage{})
}

func (w *site) showAgreements(c *fiber.Ctx, v visit, p agreementsPage) error {
	versions, err := w.Accounts.AgreementVersions(v.ctx)
	if err != nil {
		return err
	}
	for _, one := range versions {
		row := versionRow{AgreementVersion: one, Word: v.say.word("version", "offered"), Author: v.say.word("version_of", one.Origin)}
		if one.Offered.After(time.Now()) {
			row.Word = v.say.word("version", "draft")
		}
		for _, l := range one.Languages() {
			row.Languages = append(row.Languages, languageName(l))
		}
		p.Versions = append(p.Versions, row)
	}
	standings, err := w.Accounts.AgreementStandings(v.ctx)
	if err != nil {
		return err
	}
	for _, one := range standings {
		p.Accounts = append(p.Accounts, accountStandingRow{v.say.agreementBadge(one.Standing), one.Account.Handle, one.Account.Name, one.Agreement.Version})
	}
	if len(p.Errors) == 0 || p.Processor == (accounts.Processor{}) {
		if p.Processor, err = w.Accounts.Processor(v.ctx); err != nil {
			return err
		}
	}
	p.Party = p.Processor.Party
	p.Languages = languageChoices(accounts.AgreementLanguages, "")
	return render(c, p)
}

func (w *site) setProcessor(c *fiber.Ctx, v visit) error {
	p := accounts.Processor{Party: partyOf(c), Signatory: c.FormValue("signatory"), SignatoryTitle: c.FormValue("signatory_title")}
	err := w.Accounts.SetProcessor(v.ctx, p)
	if refused := problem.As(err); refused != nil {
		return w.showAgreements(c.Status(statuses[refused.Kind]), v, agreementsPage{Processor: p, Errors: v.say.wrongField(refused)})
	}
	if err != nil {
		return err
	}
	return c.Redirect(installationAgreementsPath, fiber.StatusSeeOther)
}

func (w *site) publishAgreement(c *fiber.Ctx, v visit) error {
	p := agreementsPage{Version: c.FormValue("version"), From: c.FormValue("offered_from"), Grace: c.FormValue("grace_until")}
	one := accounts.AgreementVersion{Name: p.Version, Texts: map[string]string{}}
	// Days that are missing or cannot be read: from now on, and a refusal.
	one.Offered, _ = time.Parse(time.DateOnly, p.From)
	one.Grace, _ = time.Parse(time.DateOnly, p.Grace)
	for _, l := range accounts.AgreementLanguages {
		text, err := formFile(c, "text_"+l)
		if err != nil {
			return err
		}
		if len(text) > 0 {
			one.Texts[l] = string(text)
		}
	}
	_, err := w.Accounts.PublishAgreement(v.ctx, one)
	if refused := problem.As(err); refused != nil {
		p.Errors = v.say.wrongField(refused)
		return w.showAgreements(c.Status(statuses[refused.Kind]), v, p)
	}
	if err != nil {
		return err
	}
	return c.Redirect(installationAgreementsPath, fiber.StatusSeeOther)
}
