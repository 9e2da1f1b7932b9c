package accounts

import (
	"bytes"
	"context"
	"encoding/json"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// States of an account's agreement. A version that is not offered yet is a draft.
const (
	AgreementOffered    = "offered"
	AgreementConcluded  = "concluded"
	AgreementSuperseded = "superseded"
	AgreementTerminated = "terminated"
)

// How an agreement was signed.
const (
	BySession = "session" // in the console, signed in with a password
	ByKey     = "key"     // over the API
	ByCommand = "command" // recorded by who runs the installation
	ByUpload  = "upload"  // elsewhere; its PDF was brought
)

// What becomes of the data at the end of an agreement.
const (
	AtEndReturn = "return"
	AtEndDelete = "delete"
)

// Agreement is one that was offered to an account and what became of it: when it was
// concluded, the evidence of that (Art. 28(3) and (9) GDPR).
type Agreement struct {
	ID, Account int64
	Version     string
	Language    string
	TextSHA256  string // of the version's exact text
	State       string

	DocumentSHA256 string // of all that was shown: the text with its annexes; empty for what was signed elsewhere
	Controller     Party  // as they were
	Processor      Processor

	Signatory, Title, Email string
	Authority               string // the statement that was made
	Method                  string
	Actor                   audit.Actor // who did it here
	ActorEmail, ActorRole   string
	IP, UserAgent           string
	MFA                     string // second factor; empty when not known
	SSOIssuer, SSOSubject   string // of a sign-in elsewhere; empty when there was none

	Countersigner, CountersignerTitle string // for the processor
	PDFSHA256                         string

	Offered, Viewed, Signed, Concluded time.Time
	Closes                             time.Time // when a newer version makes it open nothing; zero for not
	Superseded, Terminated             time.Time
	AtEnd                              string    // AtEndReturn or AtEndDelete, when it was terminated
	EndDeadline                        time.Time // by when that is done

	document string
	parties  string // Controller and Processor as they are kept
}

// Signature is how somebody signs. MFA and the fields of SSO are empty when they are
// not known.
type Signature struct {
	Language                string
	DocumentSHA256          string // of what they had before them
	Signatory, Title, Email string
	Authority, Agree        bool // the boxes, which were not ticked before
	ActorEmail, ActorRole   string
	IP, UserAgent           string
	MFA                     string
	SSOIssuer, SSOSubject   string
}

const maxSigned = 200 // bytes of a name or office

func (s *Signature) check() error {
	s.Signatory, s.Title, s.Email = strings.TrimSpace(s.Signatory), strings.TrimSpace(s.Title), strings.TrimSpace(s.Email)
	for _, f := range []struct{ name, value string }{{"signatory", s.Signatory}, {"title", s.Title}} {
		if f.value == "" || len(f.value) > maxSigned || strings.ContainsAny(f.value, "\r\n\x00") {
			return problem.Invalid(f.name, "an agreement needs the signatory's name and title, of %d bytes at the most", maxSigned)
		}
	}
	if at, err := mail.ParseAddress(s.Email); err != nil || at.Address != s.Email || len(s.Email) > maxSigned {
		return problem.Invalid("email", "%q is no e-mail address", s.Email)
	}
	s.UserAgent = strings.ToValidUTF8(s.UserAgent[:min(len(s.UserAgent), 400)], "")
	return nil
}

// Draft is what would be offered to the account now. Nothing is kept of that somebody
// looked.
func (a *Accounts) Draft(ctx context.Context, account int64, language string) (Document, error) {
	return a.document(ctx, account, language)
}

// Offer keeps that the version of now is offered to the account, in a language that
// the version has. It answers what is offered; that it was read is for View.
func (a *Accounts) Offer(ctx context.Context, account int64, language string) (Document, error) {
	d, err := a.document(ctx, account, language)
	if err != nil {
		return d, err
	}
	_, err = a.offer(ctx, account, d, nil)
	return d, err
}

// View is Offer to somebody who has the whole document before them: the actor of the
// context. Only they can sign it.
func (a *Accounts) View(ctx context.Context, account int64, language string) (Document, error) {
	d, err := a.document(ctx, account, language)
	if err != nil {
		return d, err
	}
	_, err = a.offer(ctx, account, d, func(tx *db.Tx, id int64) (bool, error) {
		return insertView(ctx, tx, id, audit.ActorOf(ctx), d.SHA256, a.clock())
	})
	return d, err
}

// offer keeps the offer, if it is new, and what more is to be kept of it.
func (a *Accounts) offer(ctx context.Context, account int64, d Document, view func(tx *db.Tx, id int64) (new bool, err error)) (id int64, err error) {
	fresh, err := a.db.NewIDs(ctx, 1)
	if err != nil {
		return 0, err
	}
	err = a.db.InTx(ctx, func(tx *db.Tx) error {
		if err := lockAccount(ctx, tx, account); err != nil {
			return err
		}
		made, viewed := false, false
		if id, made, err = offerRow(ctx, tx, fresh, account, d, a.clock()); err != nil {
			return err
		}
		if view != nil {
			if viewed, err = view(tx, id); err != nil {
				return err
			}
		}
		facts := map[string]string{"version": d.Version, "language": d.Language, "text_sha256": d.TextSHA256}
		if made {
			if err := note(ctx, tx, account, "agreement.offered", id, facts, nil); err != nil {
				return err
			}
		}
		if !viewed {
			return nil
		}
		facts["document_sha256"] = d.SHA256
		return note(ctx, tx, account, "agreement.viewed", id, facts, nil)
	})
	return id, err
}

func note(ctx context.Context, tx *db.Tx, account int64, action string, id int64, facts, detail any) error {
	_, err := audit.Record(ctx, tx, audit.Entry{Account: account, Action: action, Subject: agreementSubject, SubjectID: id, Facts: facts, Detail: detail})
	return err
}

const agreementSubject = "agr"

// Sign concludes the agreement that the actor of the context has viewed.
func (a *Accounts) Sign(ctx context.Context, account int64, s Signature) (Agreement, error) {
	if err := s.check(); err != nil {
		return Agreement{}, err
	}
	if !s.Authority {
		return Agreement{}, problem.Invalid("authority", "who signs says that they may sign for the controller")
	}
	if !s.Agree {
		return Agreement{}, problem.Invalid("agree", "who signs ticks that they have read the agreement and conclude it")
	}
	d, err := a.document(ctx, account, s.Language)
	switch {
	case err != nil:
		return Agreement{}, err
	case !d.parties.Processor.Known():
		return Agreement{}, problem.Conflict("no_processor", "the operator of the installation has not said yet who they are (varsel processor set)")
	case !d.parties.Controller.Known():
		return Agreement{}, problem.Conflict("no_controller", "say first who the controller is: its legal name and address")
	case s.DocumentSHA256 != d.SHA256:
		return Agreement{}, problem.Conflict("agreement_changed", "the agreement is not what was shown any more: read it again")
	}
	method := BySession
	if audit.ActorOf(ctx).Kind == audit.Key {
		method = ByKey
	}
	ag := signed(ctx, account, d, s, method, a.clock())
	ag.Authority = d.Statements.Authority
	return a.conclude(ctx, ag, d, func(tx *db.Tx) (int64, time.Time, error) { return viewedOffer(ctx, tx, ag) })
}

// Conclude records that the agreement offered now was concluded for the account.
func (a *Accounts) Conclude(ctx context.Context, account int64, signatory, title, email string) (Agreement, error) {
	return a.Attest(ctx, account, Signature{Signatory: signatory, Title: title, Email: email})
}

// Attest is Conclude by who runs the installation, who answers for that it was read
// and signed.
func (a *Accounts) Attest(ctx context.Context, account int64, s Signature) (Agreement, error) {
	if err := s.check(); err != nil {
		return Agreement{}, err
	}
	d, err := a.document(ctx, account, s.Language)
	if err != nil {
		return Agreement{}, err
	}
	id, err := a.offer(ctx, account, d, nil)
	if err != nil {
		return Agreement{}, err
	}
	return a.conclude(ctx, signed(ctx, account, d, s, ByCommand, a.clock()), d, anOffer(id))
}

// anOffer is one of which nobody here says that they have read it.
func anOffer(id int64) findOffer {
	return func(*db.Tx) (int64, time.Time, error) { return id, time.Time{}, nil }
}

func signed(ctx context.Context, account int64, d Document, s Signature, method string, now time.Time) Agreement {
	now = db.Time(db.Millis(now))
	return Agreement{Account: account, Version: d.Version, Language: d.Language, TextSHA256: d.TextSHA256, State: AgreementConcluded,
		DocumentSHA256: d.SHA256, document: d.Text, parties: jsonOf(d.parties), Controller: d.parties.Controller, Processor: d.parties.Processor,
		Signatory: s.Signatory, Title: s.Title, Email: s.Email, Method: method, Actor: audit.ActorOf(ctx),
		ActorEmail: s.ActorEmail, ActorRole: s.ActorRole, IP: s.IP, UserAgent: s.UserAgent, MFA: s.MFA, SSOIssuer: s.SSOIssuer, SSOSubject: s.SSOSubject,
		Countersigner: d.parties.Processor.Signatory, CountersignerTitle: d.parties.Processor.SignatoryTitle, Signed: now, Concluded: now}
}

// External is an agreement that was signed elsewhere.
type External struct {
	PDF                     []byte
	Language                string
	Signatory, Title, Email string
	Signed                  time.Time // the day; zero is today
	Authority               bool      // who brings it says that the signatory might sign
	ActorEmail, ActorRole   string    // who brings it
	IP, UserAgent           string
}

// MaxSignedPDF is how large an agreement signed elsewhere may be, in bytes.
const MaxSignedPDF = 5 << 20

// Upload concludes the agreement that is offered now by a PDF of it that was signed
// by hand, or with an electronic signature of another kind.
func (a *Accounts) Upload(ctx context.Context, account int64, e External) (Agreement, error) {
	s := Signature{Signatory: e.Signatory, Title: e.Title, Email: e.Email, ActorEmail: e.ActorEmail, ActorRole: e.ActorRole, IP: e.IP, UserAgent: e.UserAgent}
	now := a.clock()
	switch {
	case len(e.PDF) > MaxSignedPDF:
		return Agreement{}, problem.Invalid("pdf", "the signed agreement is larger than %d MiB", MaxSignedPDF>>20)
	case !isPDF(e.PDF):
		return Agreement{}, problem.Invalid("pdf", "the signed agreement is a PDF, and this is none")
	case !e.Authority:
		return Agreement{}, problem.Invalid("authority", "who brings a signed agreement says that its signatory might sign for the controller")
	case e.Signed.After(now.Add(24 * time.Hour)):
		return Agreement{}, problem.Invalid("signed", "it is not signed yet")
	}
	if err := s.check(); err != nil {
		return Agreement{}, err
	}
	d, err := a.document(ctx, account, e.Language)
	if err != nil {
		return Agreement{}, err
	}
	ag := signed(ctx, account, d, s, ByUpload, now)
	ag.Authority, ag.DocumentSHA256, ag.document = d.Statements.Authority, "", ""
	ag.Countersigner, ag.CountersignerTitle = "", "" // on the paper
	if !e.Signed.IsZero() {
		ag.Signed = e.Signed
	}
	id, err := a.offer(ctx, account, d, nil)
	if err != nil {
		return Agreement{}, err
	}
	return a.keep(ctx, ag, e.PDF, anOffer(id))
}

// isPDF: a header within the first KiB and an end-of-file marker within the last
// (ISO 32000-1 7.5.2 and 7.5.5; annex H 3.4.1 and 3.4.4 for where).
func isPDF(file []byte) bool {
	return bytes.Contains(file[:min(len(file), 1024)], []byte("%PDF-")) && bytes.Contains(file[max(0, len(file)-1024):], []byte("%%EOF"))
}

// conclude keeps the document, signed, with what offered finds to be concluded.
func (a *Accounts) conclude(ctx context.Context, ag Agreement, d Document, offered findOffer) (Agreement, error) {
	file, err := signedPDF(d, ag)
	if err != nil {
		return Agreement{}, err
	}
	return a.keep(ctx, ag, file, offered)
}

// findOffer finds the offer that is to be concluded, and when it was read.
type findOffer func(tx *db.Tx) (id int64, viewed time.Time, err error)

func (a *Accounts) keep(ctx context.Context, ag Agreement, file []byte, offered findOffer) (Agreement, error) {
	ag.PDFSHA256 = sha256Of(file)
	err := a.db.InTx(ctx, func(tx *db.Tx) error {
		if err := lockAccount(ctx, tx, ag.Account); err != nil {
			return err
		}
		if err := lockVersions(ctx, tx, tx.ForShare); err != nil {
			return err
		}
		current, err := currentVersion(ctx, tx, a.clock())
		if err != nil {
			return err
		}
		if current != ag.Version {
			return problem.Conflict("agreement_changed", "a newer version is offered by now: read it first")
		}
		if ag.ID, ag.Viewed, err = offered(tx); err != nil {
			return err
		}
		before, err := supersede(ctx, tx, ag)
		if err != nil {
			return err
		}
		if err := settle(ctx, tx, &ag, file); err != nil {
			return err
		}
		if before != 0 {
			if err := note(ctx, tx, ag.Account, "agreement.superseded", before, map[string]string{"by_version": ag.Version}, nil); err != nil {
				return err
			}
		}
		return note(ctx, tx, ag.Account, "agreement.concluded", ag.ID, ag.facts(), ag.detail())
	})
	return ag, err
}

// facts are what the chain keeps of a concluded agreement for good.
func (ag Agreement) facts() map[string]any {
	return map[string]any{"version": ag.Version, "language": ag.Language, "text_sha256": ag.TextSHA256, "document_sha256": ag.DocumentSHA256,
		"parties_sha256": sha256Of(ag.parties), "pdf_sha256": ag.PDFSHA256, "method": ag.Method, "concluded_at": db.Millis(ag.Concluded)}
}

// detail is the personal data of it.
func (ag Agreement) detail() map[string]any {
	return map[string]any{"signatory": ag.Signatory, "title": ag.Title, "email": ag.Email, "authority": ag.Authority,
		"actor_email": ag.ActorEmail, "actor_role": ag.ActorRole, "ip": ag.IP, "user_agent": ag.UserAgent, "mfa": ag.MFA,
		"sso_issuer": ag.SSOIssuer, "sso_subject": ag.SSOSubject, "countersigner": ag.Countersigner, "countersigner_title": ag.CountersignerTitle,
		"signed_at": db.Millis(ag.Signed), "viewed_at": db.Millis(ag.Viewed)}
}

// Termination is how an agreement ends.
type Termination struct {
	AtEnd string // AtEndReturn or AtEndDelete
}

// Terminate ends the concluded agreement: from now on nothing is read or sent for the
// account. What the controller chose to become of the data is due after the days that
// the agreement's version names.
func (a *Accounts) Terminate(ctx context.Context, account int64, how Termination) error {
	if !slices.Contains([]string{AtEndReturn, AtEndDelete}, how.AtEnd) {
		return problem.Invalid("at_end", "the controller chooses return or delete, not %q", how.AtEnd)
	}
	return a.db.InTx(ctx, func(tx *db.Tx) error {
		if err := lockAccount(ctx, tx, account); err != nil {
			return err
		}
		ag, err := concludedRow(ctx, tx, account)
		if db.IsNone(err) {
			return problem.Conflict("agreement_not_concluded", "no agreement is concluded that could be terminated")
		}
		if err != nil {
			return err
		}
		days, err := endDays(ctx, tx, ag.Version)
		if err != nil {
			return err
		}
		now := a.clock()
		deadline := now.Add(time.Duration(days) * 24 * time.Hour)
		if err := end(ctx, tx, account, ag.ID, how.AtEnd, now, deadline); err != nil {
			return err
		}
		return note(ctx, tx, account, "agreement.terminated", ag.ID, map[string]any{"version": ag.Version, "language": ag.Language,
			"text_sha256": ag.TextSHA256, "at_end": how.AtEnd, "end_deadline": db.Millis(deadline)}, nil)
	})
}

// CurrentAgreement is the concluded one.
func (a *Accounts) CurrentAgreement(ctx context.Context, account int64) (Agreement, error) {
	ag, err := concludedRow(ctx, a.db, account)
	if db.IsNone(err) {
		return Agreement{}, problem.NotFound("agreement", "")
	}
	return ag, err
}

// AgreementPDF is the signed document, as it was when it was concluded.
func (a *Accounts) AgreementPDF(ctx context.Context, account, id int64) ([]byte, error) {
	file, err := fileOf(ctx, a.db, account, id)
	if db.IsNone(err) {
		return nil, problem.NotFound("agreement", "")
	}
	return file, err
}

// How an account stands with its agreement (S7).
const (
	StandingNone      = "none"
	StandingOffered   = "offered"
	StandingConcluded = "concluded"
	StandingWithdrawn = "withdrawn"
)

// Standing is how an account stands with its agreement.
type Standing struct {
	State     string
	Offered   string    // the version that is offered now
	Agreement Agreement // the concluded one, or the last that was terminated
	Open      bool      // it lets data be processed
	Outdated  bool      // a newer version is offered, or will be: conclude it until Agreement.Closes
}

// AgreementStanding is how the account stands.
func (a *Accounts) AgreementStanding(ctx context.Context, account int64) (Standing, error) {
	v, err := a.offeredVersion(ctx)
	if err != nil {
		return Standing{}, err
	}
	all, err := a.Agreements(ctx, account)
	return standingOf(all, v.Name, a.clock()), err
}

// AccountStanding is how one account stands.
type AccountStanding struct {
	Account
	Standing
}

// AgreementStandings is how all accounts stand, by their handles.
func (a *Accounts) AgreementStandings(ctx context.Context) ([]AccountStanding, error) {
	v, err := a.offeredVersion(ctx)
	if err != nil {
		return nil, err
	}
	all, err := a.accountsByHandle(ctx)
	if err != nil {
		return nil, err
	}
	agreements, err := a.latestAgreements(ctx)
	if err != nil {
		return nil, err
	}
	standings := make([]AccountStanding, 0, len(all))
	for _, acc := range all {
		standings = append(standings, AccountStanding{acc, standingOf(agreements[acc.ID], v.Name, a.clock())})
	}
	return standings, nil
}

func standingOf(all []Agreement, offered string, now time.Time) Standing {
	s := Standing{State: StandingNone, Offered: offered}
	for _, ag := range all { // the latest first
		switch {
		case ag.State == AgreementConcluded:
			return Standing{State: StandingConcluded, Offered: offered, Agreement: ag, Outdated: !ag.Closes.IsZero(),
				Open: ag.Closes.IsZero() || ag.Closes.After(now)}
		case ag.State == AgreementTerminated && s.State != StandingWithdrawn:
			s.State, s.Agreement = StandingWithdrawn, ag
		case ag.State == AgreementOffered && s.State == StandingNone:
			s.State = StandingOffered
		}
	}
	return s
}

// Gate refuses unless the account is active and its agreement is concluded and
// current. Nothing is read from a directory and nothing is sent before it lets pass
// (S6).
func (a *Accounts) Gate(ctx context.Context, account int64) error {
	return gate(ctx, a.db, account, a.clock())
}

// Gate is Accounts.Gate as seen from inside a transaction.
func Gate(ctx context.Context, q db.Querier, account int64) error {
	return gate(ctx, q, account, time.Now())
}

func gate(ctx context.Context, q db.Querier, account int64, now time.Time) error {
	state, agreed, err := agreed(ctx, q, account, now)
	switch {
	case err != nil:
		return err
	case state != "active":
		return problem.New(problem.KindForbidden, "account_closed", "the account is closed")
	case agreed == agreedBefore:
		return problem.New(problem.KindForbidden, "agreement_outdated",
			"a newer version of the data processing agreement has to be concluded for this account: until then nothing new is processed, and nothing is deleted")
	case agreed != agreedNow:
		return problem.New(problem.KindForbidden, "no_agreement",
			"no data processing agreement is concluded for this account: conclude it first (varsel agreement conclude)")
	}
	return nil
}

func jsonOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain values alone
	}
	return string(text)
}
