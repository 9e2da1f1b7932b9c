package web

import (
	"io"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

const (
	agreementPath       = "/agreement"
	agreementUploadPath = agreementPath + "/upload"

	// agreementUploadLimit leaves room for what a form puts around a file.
	agreementUploadLimit = accounts.MaxSignedPDF + 64<<10
)

var errOwners = problem.New(problem.KindForbidden, "owners_only", "only an owner of the account can do this")

// agreementBadge is how an account stands, on other pages too.
type agreementBadge struct {
	State, Word string // one of the standings, or outdated
	Offered     string
	Closes      time.Time // until when the concluded version is enough; zero for not
	Open        bool
}

func (say *tongue) agreementBadge(s accounts.Standing) agreementBadge {
	b := agreementBadge{State: s.State, Offered: s.Offered, Open: s.Open}
	if s.Outdated {
		b.Closes = s.Agreement.Closes
		if !s.Open {
			b.State = "outdated"
		}
	}
	b.Word = say.word("agreement_state", b.State)
	return b
}

// agreementPage is how the account stands, and what it can do about it.
type agreementPage struct {
	agreementBadge
	Owner, MayRead bool
	Current        agreementRow // the concluded one, or the last that was terminated
	History        []agreementRow
	Party          accounts.Party
	Upload         accounts.External // as it was filled in
	Errors         []fieldError
	Verified       string // what a check said, if one was asked for
	Broken         bool
	Languages      []choice
}

func (agreementPage) template() string { return "agreement" }

// Error is what is wrong with a field, or empty.
func (p agreementPage) Error(field string) string { return errorOf(p.Errors, field) }

type agreementRow struct {
	accounts.Agreement
	ID, Word, Manner, LanguageName, AtEndWord string
	PDF                                       bool
}

func (w *site) agreementRow(say *tongue, ag accounts.Agreement) agreementRow {
	row := agreementRow{Agreement: ag, ID: w.Names.Of(secrets.Agreement, ag.ID), Word: say.word("agreement_was", ag.State), LanguageName: languageName(ag.Language), PDF: ag.PDFSHA256 != ""}
	if ag.Method != "" {
		row.Manner = say.word("agreement_by", ag.Method)
	}
	if ag.AtEnd != "" {
		row.AtEndWord = say.word("agreement_end", ag.AtEnd)
	}
	return row
}

// languageName is what a language calls itself.
func languageName(code string) string {
	for _, say := range tongues {
		if say.Code == code {
			return say.text("language_name")
		}
	}
	return code
}

func languageChoices(codes []string, chosen string) (all []choice) {
	for _, code := range codes {
		all = append(all, choice{Value: code, Text: languageName(code), Chosen: code == chosen})
	}
	return all
}

func isOwner(v visit) bool { return v.Role == "owner" }

func (w *site) agreement(c *fiber.Ctx, v visit) error {
	var p agreementPage
	if c.Query("check") != "" {
		done, err := w.Accounts.VerifyAgreements(v.ctx, v.Account.ID)
		refused := problem.As(err)
		switch {
		case refused != nil:
			p.Verified, p.Broken = v.say.problem(refused), true
		case err != nil:
			return err
		default:
			p.Verified = v.say.count("agreement_verified", done.Agreements)
		}
	}
	return w.showAgreement(c, v, p)
}

// showAgreement shows what stands beside what was typed.
func (w *site) showAgreement(c *fiber.Ctx, v visit, p agreementPage) error {
	standing, err := w.Accounts.AgreementStanding(v.ctx, v.Account.ID)
	if err != nil {
		return err
	}
	p.agreementBadge, p.Owner, p.MayRead = v.say.agreementBadge(standing), isOwner(v), mayManage(v.Role)
	if standing.Agreement.ID != 0 {
		p.Current = w.agreementRow(v.say, standing.Agreement)
	}
	all, err := w.Accounts.Agreements(v.ctx, v.Account.ID)
	if err != nil {
		return err
	}
	for _, ag := range all {
		p.History = append(p.History, w.agreementRow(v.say, ag))
	}
	if len(p.Errors) == 0 {
		if p.Party, err = w.Accounts.Controller(v.ctx, v.Account.ID); err != nil {
			return err
		}
	}
	p.Languages = languageChoices(accounts.AgreementLanguages, v.say.Code)
	return render(c, p)
}

func partyOf(c *fiber.Ctx) accounts.Party {
	return accounts.Party{LegalName: c.FormValue("legal_name"), Registration: c.FormValue("registration"), Address: c.FormValue("address"),
		Contact: c.FormValue("contact"), DPO: c.FormValue("dpo"), Representative: c.FormValue("representative")}
}

// wrongField is a refusal at its field, in the visitor's words.
func (say *tongue) wrongField(refused *problem.Problem) []fieldError {
	if id := "agreement_wrong_" + refused.Field; say.has[id] {
		return []fieldError{{refused.Field, say.word("agreement_wrong", refused.Field)}}
	}
	return []fieldError{{"", say.problem(refused)}}
}

func (w *site) setController(c *fiber.Ctx, v visit) error {
	p := partyOf(c)
	err := w.Accounts.SetController(v.ctx, v.Account.ID, p)
	if refused := problem.As(err); refused != nil {
		return w.showAgreement(c.Status(statuses[refused.Kind]), v, agreementPage{Party: p, Errors: v.say.wrongField(refused)})
	}
	if err != nil {
		return err
	}
	if c.FormValue("then") == "sign" {
		return c.Redirect(agreementPath+"/sign", fiber.StatusSeeOther)
	}
	return c.Redirect(agreementPath, fiber.StatusSeeOther)
}

// signPage shows the whole agreement, and below it where it is signed. No box is
// ticked before somebody does.
type signPage struct {
	Version, Language, TextSHA256, SHA256 string
	Languages                             []choice // when there are several
	Blocks                                []accounts.Block
	Statements                            accounts.Statements
	Signatory, Title, Email               string
	NoProcessor                           bool
	Errors                                []fieldError
}

func (signPage) template() string { return "sign" }

// Error is what is wrong with a field, or empty.
func (p signPage) Error(field string) string { return errorOf(p.Errors, field) }

func (w *site) signForm(c *fiber.Ctx, v visit) error {
	return w.showSign(c, v, c.Query("language", v.say.Code), signPage{Email: v.Email})
}

// showSign asks first who the controller is.
func (w *site) showSign(c *fiber.Ctx, v visit, language string, p signPage) error {
	party, err := w.Accounts.Controller(v.ctx, v.Account.ID)
	if err != nil {
		return err
	}
	if !party.Known() {
		return c.Redirect(agreementPath+"#controller", fiber.StatusSeeOther)
	}
	operator, err := w.Accounts.Processor(v.ctx)
	if err != nil {
		return err
	}
	d, err := w.Accounts.View(v.ctx, v.Account.ID, language)
	if err != nil {
		return err
	}
	p.Version, p.Language, p.TextSHA256, p.SHA256, p.Statements = d.Version, d.Language, d.TextSHA256, d.SHA256, d.Statements
	p.Blocks, p.NoProcessor = accounts.Blocks(d.Text), !operator.Known()
	if len(d.Languages) > 1 {
		p.Languages = languageChoices(d.Languages, d.Language)
	}
	return render(c, p)
}

func (w *site) sign(c *fiber.Ctx, v visit) error {
	p := signPage{Signatory: strings.TrimSpace(c.FormValue("signatory")), Title: strings.TrimSpace(c.FormValue("title")), Email: strings.TrimSpace(c.FormValue("email"))}
	language := c.FormValue("language")
	_, err := w.Accounts.Sign(v.ctx, v.Account.ID, accounts.Signature{Language: language, DocumentSHA256: c.FormValue("document"),
		Signatory: p.Signatory, Title: p.Title, Email: p.Email, Authority: c.FormValue("authority") == "yes", Agree: c.FormValue("agree") == "yes",
		ActorEmail: v.Email, ActorRole: v.Role, IP: c.IP(), UserAgent: c.Get(fiber.HeaderUserAgent)})
	if refused := problem.As(err); refused != nil {
		p.Errors = v.say.wrongField(refused)
		return w.showSign(c.Status(statuses[refused.Kind]), v, language, p)
	}
	if err != nil {
		return err
	}
	return c.Redirect(agreementPath, fiber.StatusSeeOther)
}

func (w *site) uploadAgreement(c *fiber.Ctx, v visit) error {
	e := accounts.External{Language: c.FormValue("language"), Signatory: c.FormValue("signatory"), Title: c.FormValue("title"), Email: c.FormValue("email"),
		Authority: c.FormValue("authority") == "yes", ActorEmail: v.Email, ActorRole: v.Role, IP: c.IP(), UserAgent: c.Get(fiber.HeaderUserAgent)}
	e.Signed, _ = time.Parse(time.DateOnly, c.FormValue("signed")) // a day that cannot be read is today
	var err error
	if e.PDF, err = formFile(c, "pdf"); err != nil {
		return err
	}
	_, err = w.Accounts.Upload(v.ctx, v.Account.ID, e)
	if refused := problem.As(err); refused != nil {
		party, err := w.Accounts.Controller(v.ctx, v.Account.ID)
		if err != nil {
			return err
		}
		return w.showAgreement(c.Status(statuses[refused.Kind]), v, agreementPage{Upload: e, Party: party, Errors: v.say.wrongField(refused)})
	}
	if err != nil {
		return err
	}
	return c.Redirect(agreementPath, fiber.StatusSeeOther)
}

// formFile is a file of a form; nothing when none was chosen.
func formFile(c *fiber.Ctx, name string) ([]byte, error) {
	part, err := c.FormFile(name)
	if err != nil {
		return nil, nil
	}
	file, err := part.Open()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}

func (w *site) agreementPDF(c *fiber.Ctx, v visit) error {
	id, err := w.Names.ID(secrets.Agreement, c.Params("id"))
	if err != nil {
		return err
	}
	file, err := w.Accounts.AgreementPDF(v.ctx, v.Account.ID, id)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "application/pdf")
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="agreement.pdf"`)
	return c.Send(file)
}

type terminatePage struct {
	Handle string
	Errors []fieldError
}

func (terminatePage) template() string { return "terminate" }

// Error is what is wrong with a field, or empty.
func (p terminatePage) Error(field string) string { return errorOf(p.Errors, field) }

func (w *site) terminateForm(c *fiber.Ctx, v visit) error {
	if _, err := w.Accounts.CurrentAgreement(v.ctx, v.Account.ID); err != nil {
		return err
	}
	return render(c, terminatePage{Handle: v.Account.Handle})
}

func (w *site) terminateAgreement(c *fiber.Ctx, v visit) error {
	p := terminatePage{Handle: v.Account.Handle}
	if strings.TrimSpace(c.FormValue("confirm")) != v.Account.Handle {
		p.Errors = append(p.Errors, fieldError{"confirm", v.say.word("agreement_wrong", "confirm")})
		return render(c.Status(fiber.StatusUnprocessableEntity), p)
	}
	err := w.Accounts.Terminate(v.ctx, v.Account.ID, accounts.Termination{AtEnd: c.FormValue("at_end")})
	if refused := problem.As(err); refused != nil && refused.Field != "" {
		p.Errors = v.say.wrongField(refused)
		return render(c.Status(statuses[refused.Kind]), p)
	}
	if err != nil {
		return err
	}
	return c.Redirect(agreementPath, fiber.StatusSeeOther)
}
