package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/secrets"
)

const (
	agreementsPath      = "/v1/agreements"
	agreementUploadPath = agreementsPath + "/uploads"
	agreementVerifyPath = agreementsPath + "/verify"
	controllerPath      = "/v1/controller"

	processorPath              = installationPath + "/processor"
	agreementVersionsPath      = installationPath + "/agreement-versions"
	installationAgreementsPath = installationPath + "/agreements"

	// agreementUploadLimit is a signed PDF as base64, with room for the rest.
	agreementUploadLimit = accounts.MaxSignedPDF/3*4 + 64<<10
)

func (s Services) agreementRoutes(a huma.API) {
	const read, write, may = accounts.ScopeAgreementsRead, accounts.ScopeAgreementsWrite, accounts.ScopeInstallation
	add(a, route{"GET", agreementsPath, "listAgreements", read, "List what was offered to the account and what became of it, the latest first", http.StatusOK, false}, s.listAgreements)
	add(a, route{"GET", agreementsPath + "/standing", "readStanding", read, "Tell how the account stands with its agreement", http.StatusOK, false}, s.readStanding)
	add(a, route{"GET", agreementsPath + "/offered", "readOffered", read, "Read the agreement that is offered now, with its annexes", http.StatusOK, false}, s.readOffered)
	add(a, route{"POST", agreementsPath + "/view", "viewAgreement", write, "Read the agreement that is offered now to sign it: that it was shown in full is kept", http.StatusOK, false}, s.viewAgreement)
	add(a, route{"POST", agreementsPath, "concludeAgreement", write, "Sign the agreement that was viewed with this key", http.StatusCreated, false}, s.concludeAgreement)
	add(a, route{"POST", agreementUploadPath, "uploadAgreement", write, "Conclude the agreement that is offered by a PDF of it that was signed elsewhere", http.StatusCreated, false}, s.uploadAgreement)
	add(a, route{"POST", agreementsPath + "/terminate", "terminateAgreement", write, "End the agreement: nothing more is read or sent", http.StatusOK, false}, s.terminateAgreement)
	add(a, route{"GET", agreementVerifyPath, "verifyAgreements", read, "Check that the evidence is as it was written", http.StatusOK, false}, s.verifyAgreements)
	add(a, route{"GET", agreementsPath + "/{id}", "readAgreement", read, "Read an agreement with its evidence", http.StatusOK, false}, s.readAgreement)
	addFile(a, []string{pdfType}, route{"GET", agreementsPath + "/{id}/pdf", "readAgreementPDF", read, "Read the signed PDF as it was when the agreement was concluded", http.StatusOK, false}, s.readAgreementPDF)
	add(a, route{"GET", controllerPath, "readController", read, "Read who the account is, as its agreement names it", http.StatusOK, false}, s.readController)
	add(a, route{"PATCH", controllerPath, "changeController", write, "Say who the account is", http.StatusOK, false}, s.changeController)

	add(a, route{"GET", processorPath, "readProcessor", may, "Read who runs the installation, as agreements name it", http.StatusOK, false}, s.readProcessor)
	add(a, route{"PATCH", processorPath, "changeProcessor", may, "Say who runs the installation", http.StatusOK, false}, s.changeProcessor)
	add(a, route{"GET", agreementVersionsPath, "listAgreementVersions", may, "List the versions of the agreement, the newest first", http.StatusOK, false}, s.listAgreementVersions)
	add(a, route{"POST", agreementVersionsPath, "publishAgreement", may, "Offer a text of your own as a new version", http.StatusCreated, false}, s.publishAgreement)
	add(a, route{"GET", installationAgreementsPath, "listStandings", may, "List how all accounts stand with their agreements", http.StatusOK, false}, s.listStandings)
	add(a, route{"POST", installationAccountsPath + "/{account}/agreement/offer", "offerAgreement", may, "Offer an account the version of now", http.StatusOK, false}, s.offerAgreement)
}

type party struct {
	LegalName      string `json:"legal_name" example:"Acme AS"`
	Registration   string `json:"registration,omitempty" doc:"Number in the companies' register." example:"923609016"`
	Address        string `json:"address,omitempty" example:"Storgata 1, 0155 Oslo"`
	Contact        string `json:"contact,omitempty" doc:"A person, and how to reach them."`
	DPO            string `json:"dpo,omitempty" doc:"Data protection officer."`
	Representative string `json:"representative,omitempty" doc:"In the Union (Art. 27 GDPR)."`
}

func shownParty(p accounts.Party) party {
	return party{p.LegalName, p.Registration, p.Address, p.Contact, p.DPO, p.Representative}
}

type processor struct {
	Party          party  `json:"party"`
	Signatory      string `json:"signatory,omitempty" doc:"Who signs agreements."`
	SignatoryTitle string `json:"signatory_title,omitempty"`
}

// newParty is what is said of a party; what is left out stays.
type newParty struct {
	LegalName      *string `json:"legal_name,omitempty" example:"Acme AS"`
	Registration   *string `json:"registration,omitempty" example:"923609016"`
	Address        *string `json:"address,omitempty" example:"Storgata 1, 0155 Oslo"`
	Contact        *string `json:"contact,omitempty"`
	DPO            *string `json:"dpo,omitempty"`
	Representative *string `json:"representative,omitempty"`
}

func (n newParty) into(p *accounts.Party) {
	for to, from := range map[*string]*string{&p.LegalName: n.LegalName, &p.Registration: n.Registration, &p.Address: n.Address,
		&p.Contact: n.Contact, &p.DPO: n.DPO, &p.Representative: n.Representative} {
		replace(to, from)
	}
}

func replace(to, from *string) {
	if from != nil {
		*to = *from
	}
}

type newProcessor struct {
	Party          newParty `json:"party,omitempty"`
	Signatory      *string  `json:"signatory,omitempty"`
	SignatoryTitle *string  `json:"signatory_title,omitempty"`
}

func (s Services) readController(ctx context.Context, _ *struct{}) (*answer[party], error) {
	p, err := s.Accounts.Controller(ctx, accountOf(ctx))
	return &answer[party]{Body: shownParty(p)}, err
}

type changeController struct{ Body newParty }

func (s Services) changeController(ctx context.Context, in *changeController) (*answer[party], error) {
	p, err := s.Accounts.Controller(ctx, accountOf(ctx))
	if err != nil {
		return nil, err
	}
	in.Body.into(&p)
	if err := s.Accounts.SetController(ctx, accountOf(ctx), p); err != nil {
		return nil, err
	}
	return s.readController(ctx, nil)
}

func (s Services) readProcessor(ctx context.Context, _ *struct{}) (*answer[processor], error) {
	p, err := s.Accounts.Processor(ctx)
	return &answer[processor]{Body: processor{shownParty(p.Party), p.Signatory, p.SignatoryTitle}}, err
}

type changeProcessor struct{ Body newProcessor }

func (s Services) changeProcessor(ctx context.Context, in *changeProcessor) (*answer[processor], error) {
	p, err := s.Accounts.Processor(ctx)
	if err != nil {
		return nil, err
	}
	in.Body.Party.into(&p.Party)
	replace(&p.Signatory, in.Body.Signatory)
	replace(&p.SignatoryTitle, in.Body.SignatoryTitle)
	if err := s.Accounts.SetProcessor(ctx, p); err != nil {
		return nil, err
	}
	return s.readProcessor(ctx, nil)
}

type agreement struct {
	ID             string `json:"id" example:"agr_0t3kzjv5m6n8q9x2w4y7b1c0df"`
	State          string `json:"state" enum:"offered,concluded,superseded,terminated"`
	Version        string `json:"version" example:"2026-12"`
	Language       string `json:"language" enum:"en,nb,pl"`
	TextSHA256     string `json:"text_sha256" doc:"Of the version's exact text."`
	DocumentSHA256 string `json:"document_sha256,omitempty" doc:"Of all that was shown: the text with its annexes. Missing when it was signed elsewhere."`
	PDFSHA256      string `json:"pdf_sha256,omitempty"`

	Signatory string `json:"signatory,omitempty"`
	Title     string `json:"title,omitempty"`
	Email     string `json:"email,omitempty"`
	Authority string `json:"authority,omitempty" doc:"What the signatory said about it."`
	Method    string `json:"method,omitempty" enum:"session,key,command,upload" doc:"session: in the console. key: over the API. command: recorded by who runs the installation. upload: signed elsewhere."`

	Countersigner      string `json:"countersigner,omitempty" doc:"Who signed for the processor."`
	CountersignerTitle string `json:"countersigner_title,omitempty"`

	OfferedAt    *time.Time `json:"offered_at,omitempty"`
	ViewedAt     *time.Time `json:"viewed_at,omitempty"`
	SignedAt     *time.Time `json:"signed_at,omitempty"`
	ConcludedAt  *time.Time `json:"concluded_at,omitempty"`
	ClosesAt     *time.Time `json:"closes_at,omitempty" doc:"From when a newer version has to be concluded."`
	SupersededAt *time.Time `json:"superseded_at,omitempty"`
	TerminatedAt *time.Time `json:"terminated_at,omitempty"`
	AtEnd        string     `json:"at_end,omitempty" enum:"return,delete" doc:"What the controller chose to become of the data."`
	EndDeadline  *time.Time `json:"end_deadline,omitempty" doc:"By when that is done."`
}

func (s Services) agreement(ag accounts.Agreement) agreement {
	return agreement{ID: s.Names.Of(secrets.Agreement, ag.ID), State: ag.State, Version: ag.Version, Language: ag.Language, TextSHA256: ag.TextSHA256,
		DocumentSHA256: ag.DocumentSHA256, PDFSHA256: ag.PDFSHA256, Signatory: ag.Signatory, Title: ag.Title, Email: ag.Email, Authority: ag.Authority,
		Method: ag.Method, Countersigner: ag.Countersigner, CountersignerTitle: ag.CountersignerTitle, OfferedAt: whenever(ag.Offered), ViewedAt: whenever(ag.Viewed),
		SignedAt: whenever(ag.Signed), ConcludedAt: whenever(ag.Concluded), ClosesAt: whenever(ag.Closes), SupersededAt: whenever(ag.Superseded),
		TerminatedAt: whenever(ag.Terminated), AtEnd: ag.AtEnd, EndDeadline: whenever(ag.EndDeadline)}
}

// whenever is a time that may not have come.
func whenever(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(at(t))
}

func (s Services) listAgreements(ctx context.Context, _ *struct{}) (*answer[whole[agreement]], error) {
	all, err := s.Accounts.Agreements(ctx, accountOf(ctx))
	if err != nil {
		return nil, err
	}
	return wholeOf(all, s.agreement), nil
}

type oneAgreement struct {
	ID string `path:"id"`
}

func (s Services) readAgreement(ctx context.Context, in *oneAgreement) (*answer[agreement], error) {
	id, err := s.Names.ID(secrets.Agreement, in.ID)
	if err != nil {
		return nil, err
	}
	ag, err := s.Accounts.Agreement(ctx, accountOf(ctx), id)
	if err != nil {
		return nil, err
	}
	return &answer[agreement]{Body: s.agreement(ag)}, nil
}

type pdfFile struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func (s Services) readAgreementPDF(ctx context.Context, in *oneAgreement) (*pdfFile, error) {
	id, err := s.Names.ID(secrets.Agreement, in.ID)
	if err != nil {
		return nil, err
	}
	file, err := s.Accounts.AgreementPDF(ctx, accountOf(ctx), id)
	if err != nil {
		return nil, err
	}
	return &pdfFile{pdfType, `attachment; filename="agreement.pdf"`, file}, nil
}

type standing struct {
	State          string     `json:"state" enum:"none,offered,concluded,withdrawn"`
	Open           bool       `json:"open" doc:"Data may be read and messages sent."`
	Outdated       bool       `json:"outdated" doc:"A newer version is to be concluded until the agreement's closes_at."`
	OfferedVersion string     `json:"offered_version" example:"2026-12"`
	Agreement      *agreement `json:"agreement,omitempty" doc:"The concluded one, or the last that was terminated."`
}

func (s Services) standing(is accounts.Standing) standing {
	out := standing{State: is.State, Open: is.Open, Outdated: is.Outdated, OfferedVersion: is.Offered}
	if is.Agreement.ID != 0 {
		out.Agreement = new(s.agreement(is.Agreement))
	}
	return out
}

func (s Services) readStanding(ctx context.Context, _ *struct{}) (*answer[standing], error) {
	is, err := s.Accounts.AgreementStanding(ctx, accountOf(ctx))
	if err != nil {
		return nil, err
	}
	return &answer[standing]{Body: s.standing(is)}, nil
}

type offeredAgreement struct {
	Version            string   `json:"version" example:"2026-12"`
	Language           string   `json:"language" enum:"en,nb,pl"`
	Languages          []string `json:"languages" doc:"That the version has."`
	TextSHA256         string   `json:"text_sha256" doc:"Of the version's text alone."`
	DocumentSHA256     string   `json:"document_sha256" doc:"Of text as it is here."`
	Text               string   `json:"text" doc:"The agreement with annexes I to IV."`
	AuthorityStatement string   `json:"authority_statement" doc:"What authority stands for when it is signed."`
	AgreeStatement     string   `json:"agree_statement" doc:"What agree stands for when it is signed."`
}

func shownDocument(d accounts.Document) *answer[offeredAgreement] {
	return &answer[offeredAgreement]{Body: offeredAgreement{d.Version, d.Language, d.Languages, d.TextSHA256, d.SHA256, d.Text, d.Statements.Authority, d.Statements.Agree}}
}

type inLanguage struct {
	Language string `query:"language" enum:"en,nb,pl" default:"en" doc:"When the version does not have it, another."`
}

func (s Services) readOffered(ctx context.Context, in *inLanguage) (*answer[offeredAgreement], error) {
	d, err := s.Accounts.Draft(ctx, accountOf(ctx), in.Language)
	return shownDocument(d), err
}

type newView struct {
	Language string `json:"language" enum:"en,nb,pl"`
}

type viewAgreement struct{ Body newView }

func (s Services) viewAgreement(ctx context.Context, in *viewAgreement) (*answer[offeredAgreement], error) {
	d, err := s.Accounts.View(ctx, accountOf(ctx), in.Body.Language)
	return shownDocument(d), err
}

// Client is where a request comes from.
type Client struct{ IP, Agent string }

// Resolve takes it from the connection and the header.
func (c *Client) Resolve(ctx huma.Context) []error {
	c.IP, c.Agent = humafiber.Unwrap(ctx).IP(), ctx.Header("User-Agent")
	return nil
}

type newSignature struct {
	Language       string `json:"language" enum:"en,nb,pl"`
	DocumentSHA256 string `json:"document_sha256" doc:"Of what was viewed."`
	Signatory      string `json:"signatory" example:"Kari Nordmann"`
	Title          string `json:"title" doc:"The signatory's office." example:"CEO"`
	Email          string `json:"email" example:"kari@acme.example"`
	Authority      bool   `json:"authority" doc:"The signatory states that they may sign for the controller."`
	Agree          bool   `json:"agree" doc:"The signatory has read the agreement and concludes it."`
}

type concludeAgreement struct {
	Client
	Body newSignature
}

func (s Services) concludeAgreement(ctx context.Context, in *concludeAgreement) (*made[agreement], error) {
	ag, err := s.Accounts.Sign(ctx, accountOf(ctx), accounts.Signature{Language: in.Body.Language, DocumentSHA256: in.Body.DocumentSHA256,
		Signatory: in.Body.Signatory, Title: in.Body.Title, Email: in.Body.Email, Authority: in.Body.Authority, Agree: in.Body.Agree,
		ActorRole: audit.Key, IP: in.IP, UserAgent: in.Agent})
	return s.madeAgreement(ag), err
}

func (s Services) madeAgreement(ag accounts.Agreement) *made[agreement] {
	shown := s.agreement(ag)
	return &made[agreement]{Location: agreementsPath + "/" + shown.ID, Body: shown}
}

type newSignedAgreement struct {
	PDF       []byte     `json:"pdf" doc:"In base64; 5 MiB at the most."`
	Language  string     `json:"language" enum:"en,nb,pl"`
	Signatory string     `json:"signatory" example:"Kari Nordmann"`
	Title     string     `json:"title" example:"CEO"`
	Email     string     `json:"email" example:"kari@acme.example"`
	Signed    *time.Time `json:"signed,omitempty" doc:"When it was signed; now when missing."`
	Authority bool       `json:"authority" doc:"You state that the signatory might sign for the controller."`
}

type uploadAgreement struct {
	Client
	Body newSignedAgreement
}

func (s Services) uploadAgreement(ctx context.Context, in *uploadAgreement) (*made[agreement], error) {
	e := accounts.External{PDF: in.Body.PDF, Language: in.Body.Language, Signatory: in.Body.Signatory, Title: in.Body.Title, Email: in.Body.Email,
		Authority: in.Body.Authority, ActorRole: audit.Key, IP: in.IP, UserAgent: in.Agent}
	if in.Body.Signed != nil {
		e.Signed = *in.Body.Signed
	}
	ag, err := s.Accounts.Upload(ctx, accountOf(ctx), e)
	return s.madeAgreement(ag), err
}

type newTermination struct {
	AtEnd string `json:"at_end" enum:"return,delete" doc:"What is to become of the data."`
}

type terminateAgreement struct{ Body newTermination }

func (s Services) terminateAgreement(ctx context.Context, in *terminateAgreement) (*answer[standing], error) {
	if err := s.Accounts.Terminate(ctx, accountOf(ctx), accounts.Termination{AtEnd: in.Body.AtEnd}); err != nil {
		return nil, err
	}
	return s.readStanding(ctx, nil)
}

type verification struct {
	Agreements int    `json:"agreements" doc:"That are or were concluded, all as they were written."`
	Entries    int64  `json:"entries" doc:"Of the account's audit trail."`
	Hash       string `json:"hash" doc:"Of its last entry."`
}

func (s Services) verifyAgreements(ctx context.Context, _ *struct{}) (*answer[verification], error) {
	done, err := s.Accounts.VerifyAgreements(ctx, accountOf(ctx))
	if err != nil {
		return nil, err
	}
	return &answer[verification]{Body: verification{done.Agreements, done.Chain.Entries, done.Chain.Hash}}, nil
}

type agreementVersion struct {
	Version       string            `json:"version" example:"2027-01"`
	Origin        string            `json:"origin" enum:"program,operator"`
	Texts         map[string]string `json:"texts" doc:"By language."`
	OfferedFrom   time.Time         `json:"offered_from"`
	GraceUntil    time.Time         `json:"grace_until" doc:"Until then agreements of earlier versions are enough."`
	ObjectionDays int               `json:"objection_days" doc:"Days between the announcement of a sub-processor and the change."`
	BreachHours   int               `json:"breach_hours" doc:"Until a breach is notified at the latest."`
	EndDays       int               `json:"end_days" doc:"Until data are returned or deleted after the end."`
}

func shownVersion(v accounts.AgreementVersion) agreementVersion {
	return agreementVersion{v.Name, v.Origin, v.Texts, at(v.Offered), at(v.Grace), v.ObjectionDays, v.BreachHours, v.EndDays}
}

func (s Services) listAgreementVersions(ctx context.Context, _ *struct{}) (*answer[whole[agreementVersion]], error) {
	all, err := s.Accounts.AgreementVersions(ctx)
	if err != nil {
		return nil, err
	}
	return wholeOf(all, shownVersion), nil
}

type newAgreementVersion struct {
	Version       string            `json:"version" example:"2027-01"`
	Texts         map[string]string `json:"texts" doc:"By language: en, nb, pl. A line beginning with # is a title, with ## a heading, with | a row of a table."`
	OfferedFrom   *time.Time        `json:"offered_from,omitempty" doc:"At once when missing."`
	GraceUntil    time.Time         `json:"grace_until" doc:"Until then agreements of earlier versions are enough." example:"2027-04-01T00:00:00Z"`
	ObjectionDays int               `json:"objection_days,omitempty" default:"30"`
	BreachHours   int               `json:"breach_hours,omitempty" default:"48"`
	EndDays       int               `json:"end_days,omitempty" default:"30"`
}

type publishAgreement struct{ Body newAgreementVersion }

func (s Services) publishAgreement(ctx context.Context, in *publishAgreement) (*answer[agreementVersion], error) {
	v := accounts.AgreementVersion{Name: in.Body.Version, Texts: in.Body.Texts, Grace: in.Body.GraceUntil,
		Terms: accounts.Terms{ObjectionDays: in.Body.ObjectionDays, BreachHours: in.Body.BreachHours, EndDays: in.Body.EndDays}}
	if in.Body.OfferedFrom != nil {
		v.Offered = *in.Body.OfferedFrom
	}
	v, err := s.Accounts.PublishAgreement(ctx, v)
	if err != nil {
		return nil, err
	}
	return &answer[agreementVersion]{Body: shownVersion(v)}, nil
}

type accountStanding struct {
	Account  string   `json:"account" example:"acme"`
	Standing standing `json:"standing"`
}

func (s Services) listStandings(ctx context.Context, _ *struct{}) (*answer[whole[accountStanding]], error) {
	all, err := s.Accounts.AgreementStandings(ctx)
	if err != nil {
		return nil, err
	}
	return wholeOf(all, func(one accounts.AccountStanding) accountStanding {
		return accountStanding{one.Account.Handle, s.standing(one.Standing)}
	}), nil
}

type offerAgreement struct {
	Account string `path:"account" example:"acme"`
	Body    newView
}

func (s Services) offerAgreement(ctx context.Context, in *offerAgreement) (*answer[offeredAgreement], error) {
	acc, err := s.Accounts.ByHandle(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	d, err := s.Accounts.Offer(ctx, acc.ID, in.Body.Language)
	return shownDocument(d), err
}
