package accounts_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
)

// desk is an installation whose processor is known, an account with an owner, and a
// clock that is set by hand.
type desk struct {
	*testing.T
	*accounts.Accounts
	db    *db.DB
	acme  int64
	owner context.Context
	now   time.Time
}

func eachDesk(t *testing.T, test func(d *desk)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := &desk{T: t, db: d, owner: audit.As(t.Context(), audit.Actor{Kind: audit.User, ID: 7}), now: time.Now().Truncate(time.Millisecond)}
		k.Accounts = accounts.New(d).WithClock(func() time.Time { return k.now })
		acc, err := k.Create(t.Context(), accounts.Account{Handle: "acme", Name: "Acme AS", Region: "NO"})
		must(t, err)
		k.acme = acc.ID
		must(t, k.SetProcessor(t.Context(), varselAS))
		must(t, k.SetController(t.Context(), k.acme, acmeAS))
		test(k)
	})
}

// view has the owner read the agreement.
func (d *desk) view(language string) accounts.Document {
	d.Helper()
	doc, err := d.View(d.owner, d.acme, language)
	must(d.T, err)
	return doc
}

// filled is the form of who signs a document, filled in.
func filled(doc accounts.Document) accounts.Signature {
	return accounts.Signature{Language: doc.Language, DocumentSHA256: doc.SHA256, Signatory: "Kari Nordmann", Title: "CEO", Email: "kari@acme.example",
		Authority: true, Agree: true, ActorEmail: "kari@acme.example", ActorRole: "owner", IP: "192.0.2.7", UserAgent: "Firefox"}
}

func (d *desk) sign() accounts.Agreement {
	d.Helper()
	ag, err := d.Sign(d.owner, d.acme, filled(d.view("en")))
	must(d.T, err)
	return ag
}

func (d *desk) terminate() {
	d.Helper()
	must(d.T, d.Terminate(d.owner, d.acme, accounts.Termination{AtEnd: accounts.AtEndDelete}))
}

func (d *desk) publish(name string, offered, grace time.Duration) {
	d.Helper()
	_, err := d.PublishAgreement(d.Context(), accounts.AgreementVersion{Name: name, Offered: d.now.Add(offered), Grace: d.now.Add(grace),
		Texts: map[string]string{"en": "# Agreement " + name + "\n\nThe terms of " + name + "."}})
	must(d.T, err)
}

// actions are what the account's chain says was done to agreements, the oldest first.
func (d *desk) actions() (all []string) {
	d.Helper()
	entries, err := audit.List(d.Context(), d.db, d.acme, 0, 100)
	must(d.T, err)
	for _, e := range slices.Backward(entries) {
		if noun, verb, _ := strings.Cut(e.Action, "."); noun == "agreement" {
			all = append(all, verb)
		}
	}
	return all
}

// S6, S7: each thing that can be done, in each state.
func TestAnAgreementGoesFromStateToState(t *testing.T) {
	const day = 24 * time.Hour
	do := map[string]func(d *desk){
		"offer": func(d *desk) { _, err := d.Offer(d.owner, d.acme, "nb"); must(d.T, err) },
		"sign":  func(d *desk) { d.sign() },
		"record": func(d *desk) {
			_, err := d.Conclude(d.Context(), d.acme, "Kari Nordmann", "CEO", "kari@acme.example")
			must(d.T, err)
		},
		"bring": func(d *desk) {
			_, err := d.Upload(d.owner, d.acme, external)
			must(d.T, err)
		},
		"terminate": func(d *desk) { d.terminate() },
		"publish":   func(d *desk) { d.publish("own-"+fmt.Sprint(d.now.UnixMilli()), 0, 10*day) },
		"announce":  func(d *desk) { d.publish("own-"+fmt.Sprint(d.now.UnixMilli()), 5*day, 10*day) },
		"wait":      func(d *desk) { d.now = d.now.Add(11 * day) },
	}
	for _, c := range []struct {
		steps, state, gate string
		actions            string
	}{
		{"", "none", "no_agreement", ""},
		{"offer", "offered", "no_agreement", "offered"},
		{"offer offer", "offered", "no_agreement", "offered"},
		{"sign", "concluded", "", "offered viewed concluded"},
		{"record", "concluded", "", "offered concluded"},
		{"bring", "concluded", "", "offered concluded"},
		{"sign offer", "concluded", "", "offered viewed concluded offered"},
		{"sign sign", "concluded", "", "offered viewed concluded offered viewed superseded concluded"},
		{"sign record", "concluded", "", "offered viewed concluded offered superseded concluded"},
		{"record bring", "concluded", "", "offered concluded offered superseded concluded"},
		{"sign terminate", "withdrawn", "no_agreement", "offered viewed concluded terminated"},
		{"sign terminate offer", "withdrawn", "no_agreement", "offered viewed concluded terminated offered"},
		{"sign terminate sign", "concluded", "", "offered viewed concluded terminated offered viewed concluded"},
		{"sign publish", "concluded", "", "offered viewed concluded"},
		{"sign publish wait", "concluded", "agreement_outdated", "offered viewed concluded"},
		{"sign publish wait sign", "concluded", "", "offered viewed concluded offered viewed superseded concluded"},
		{"sign publish sign wait", "concluded", "", "offered viewed concluded offered viewed superseded concluded"},
		{"sign publish wait terminate", "withdrawn", "no_agreement", "offered viewed concluded terminated"},
		{"announce sign", "concluded", "", "offered viewed concluded"},
		{"announce sign wait", "concluded", "agreement_outdated", "offered viewed concluded"},
		{"announce wait sign", "concluded", "", "offered viewed concluded"},
		{"offer publish sign", "concluded", "", "offered offered viewed concluded"},
	} {
		t.Run(c.steps, func(t *testing.T) {
			eachDesk(t, func(d *desk) {
				for _, step := range strings.Fields(c.steps) {
					do[step](d)
				}
				s, err := d.AgreementStanding(d.Context(), d.acme)
				must(d.T, err)
				if s.State != c.state || s.Open != (c.gate == "") {
					d.Errorf("%s, open %v", s.State, s.Open)
				}
				if err := d.Gate(d.Context(), d.acme); c.gate != "" {
					refused(d.T, err, c.gate)
				} else if err != nil {
					d.Error(err)
				}
				if diff := cmp.Diff(strings.Fields(c.actions), d.actions(), cmp.Transformer("", func(s []string) string { return strings.Join(s, " ") })); diff != "" {
					d.Error(diff)
				}
				if _, err := d.VerifyAgreements(d.Context(), d.acme); err != nil {
					d.Error(err)
				}
			})
		})
	}
}

func TestASignatureIsKeptWithItsEvidence(t *testing.T) {
	eachDesk(t, func(d *desk) {
		doc := d.view("nb")
		viewed := d.now
		d.now = d.now.Add(time.Minute)
		ag, err := d.Sign(d.owner, d.acme, filled(doc))
		must(d.T, err)
		got, err := d.CurrentAgreement(d.Context(), d.acme)
		must(d.T, err)
		if got.DocumentSHA256 != doc.SHA256 || got.TextSHA256 != doc.TextSHA256 || got.Version != doc.Version || got.Language != "nb" {
			d.Errorf("%+v", got)
		}
		if got.ID != ag.ID || !got.Viewed.Equal(viewed) || !got.Concluded.Equal(d.now) || !got.Signed.Equal(d.now) || !got.Offered.Equal(viewed) {
			d.Errorf("viewed %v, concluded %v", got.Viewed, got.Concluded)
		}
		who := []any{got.Signatory, got.Title, got.Email, got.Authority, got.Method, got.Actor, got.ActorEmail, got.ActorRole, got.IP, got.UserAgent, got.MFA, got.SSOIssuer, got.SSOSubject,
			got.Countersigner, got.CountersignerTitle}
		want := []any{"Kari Nordmann", "CEO", "kari@acme.example", "Jeg har fullmakt til å signere avtalen for den behandlingsansvarlige.", "session",
			audit.Actor{Kind: audit.User, ID: 7}, "kari@acme.example", "owner", "192.0.2.7", "Firefox", "", "", "", "Ola Drift", "CEO"}
		if diff := cmp.Diff(want, who); diff != "" {
			d.Error(diff)
		}
		if got.Controller.LegalName != acmeAS.LegalName || got.Processor.LegalName != varselAS.LegalName {
			d.Errorf("%+v, %+v", got.Controller, got.Processor)
		}
		entries, err := audit.List(d.Context(), d.db, d.acme, 0, 1)
		must(d.T, err)
		facts, detail := fmt.Sprintf("%s", entries[0].Facts), fmt.Sprintf("%s", entries[0].Detail)
		if strings.Contains(facts, "Kari") || !strings.Contains(facts, doc.SHA256) || !strings.Contains(detail, "192.0.2.7") {
			d.Error(facts, detail)
		}
	})
}

// Who has not read, has not ticked, or had another text before them does not sign.
func TestWhatIsNoSignatureIsRefused(t *testing.T) {
	eachDesk(t, func(d *desk) {
		doc, err := d.Offer(d.owner, d.acme, "en")
		must(d.T, err)
		sign := func(code string, change func(s *accounts.Signature)) {
			s := filled(doc)
			change(&s)
			_, err := d.Sign(d.owner, d.acme, s)
			refused(d.T, err, code)
		}
		asIs := func(*accounts.Signature) {}
		sign("agreement_not_viewed", asIs)
		_, err = d.View(audit.As(d.Context(), audit.Actor{Kind: audit.User, ID: 8}), d.acme, "en") // somebody else
		must(d.T, err)
		sign("agreement_not_viewed", asIs)
		d.view("en")
		sign("invalid_agree", func(s *accounts.Signature) { s.Agree = false })
		sign("invalid_authority", func(s *accounts.Signature) { s.Authority = false })
		sign("invalid_signatory", func(s *accounts.Signature) { s.Signatory = " " })
		sign("invalid_title", func(s *accounts.Signature) { s.Title = "" })
		sign("invalid_email", func(s *accounts.Signature) { s.Email = "Kari <kari@acme.example>" })
		sign("agreement_changed", func(s *accounts.Signature) { s.DocumentSHA256 = strings.Repeat("0", 64) })
		sign("agreement_changed", func(s *accounts.Signature) { s.Language = "pl" })

		moved := acmeAS
		moved.Address = "Nygata 3, Bergen" // annex I is not what was shown any more
		must(d.T, d.SetController(d.owner, d.acme, moved))
		sign("agreement_changed", asIs)
		must(d.T, d.SetController(d.owner, d.acme, acmeAS))
		d.publish("own", 0, time.Hour)
		sign("agreement_changed", asIs)
		refused(d.T, d.Gate(d.Context(), d.acme), "no_agreement")
	})
}

func TestPartiesAreKnownBeforeAnybodySigns(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a := accounts.New(d)
		acme, err := a.Create(t.Context(), accounts.Account{Handle: "acme", Name: "Acme AS", Region: "NO"})
		must(t, err)
		owner := audit.As(t.Context(), audit.Actor{Kind: audit.User, ID: 7})
		for _, c := range []struct {
			code string
			then func() error
		}{
			{"no_processor", func() error { return a.SetProcessor(t.Context(), varselAS) }},
			{"no_controller", func() error { return a.SetController(t.Context(), acme.ID, acmeAS) }},
		} {
			doc, err := a.View(owner, acme.ID, "en")
			must(t, err)
			_, err = a.Sign(owner, acme.ID, filled(doc))
			refused(t, err, c.code)
			must(t, c.then())
		}
		doc, err := a.View(owner, acme.ID, "en")
		must(t, err)
		_, err = a.Sign(owner, acme.ID, filled(doc))
		must(t, err)
	})
}

func TestOfTwoWhoSignAtOnceOneDoes(t *testing.T) {
	eachDesk(t, func(d *desk) {
		form := filled(d.view("en"))
		errs := make([]error, 4)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() { _, errs[i] = d.Sign(d.owner, d.acme, form) })
		}
		all.Wait()
		signed := 0
		for _, err := range errs {
			if err == nil {
				signed++
				continue
			}
			refused(d.T, err, "agreement_not_viewed")
		}
		if signed != 1 {
			d.Errorf("%d signed: %v", signed, errs)
		}
		_, err := d.VerifyAgreements(d.Context(), d.acme)
		must(d.T, err)
	})
}

var external = accounts.External{PDF: []byte("%PDF-1.7\nsigned by hand\n%%EOF\n"), Language: "en", Signatory: "Kari Nordmann", Title: "CEO", Email: "kari@acme.example",
	Authority: true, ActorEmail: "ola@acme.example", ActorRole: "owner", IP: "192.0.2.8"}

func TestAnAgreementSignedElsewhereIsBrought(t *testing.T) {
	eachDesk(t, func(d *desk) {
		for code, change := range map[string]func(e *accounts.External){
			"invalid_pdf":       func(e *accounts.External) { e.PDF = []byte("PK\x03\x04 a document") },
			"invalid_authority": func(e *accounts.External) { e.Authority = false },
			"invalid_signatory": func(e *accounts.External) { e.Signatory = "" },
			"invalid_signed":    func(e *accounts.External) { e.Signed = d.now.AddDate(0, 0, 2) },
		} {
			wrong := external
			change(&wrong)
			_, err := d.Upload(d.owner, d.acme, wrong)
			refused(d.T, err, code)
		}
		large := external
		large.PDF = append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte("%%EOF\n"), accounts.MaxSignedPDF/6)...)
		_, err := d.Upload(d.owner, d.acme, large)
		refused(d.T, err, "invalid_pdf")

		good := external
		good.Signed = d.now.AddDate(0, 0, -3)
		ag, err := d.Upload(d.owner, d.acme, good)
		must(d.T, err)
		file, err := d.AgreementPDF(d.Context(), d.acme, ag.ID)
		must(d.T, err)
		if !bytes.Equal(file, good.PDF) || ag.Method != accounts.ByUpload || ag.DocumentSHA256 != "" || ag.ActorEmail != "ola@acme.example" {
			d.Errorf("%+v", ag)
		}
		_, err = d.AgreementPDF(d.Context(), d.acme+1, ag.ID)
		refused(d.T, err, "agreement_not_found")
		got, err := d.CurrentAgreement(d.Context(), d.acme)
		must(d.T, err)
		if !got.Signed.Equal(good.Signed) || !got.Concluded.Equal(d.now) {
			d.Errorf("signed %v, concluded %v", got.Signed, got.Concluded)
		}
	})
}

func TestATerminationSaysWhatBecomesOfTheData(t *testing.T) {
	eachDesk(t, func(d *desk) {
		refused(d.T, d.Terminate(d.owner, d.acme, accounts.Termination{AtEnd: accounts.AtEndReturn}), "agreement_not_concluded")
		d.sign()
		refused(d.T, d.Terminate(d.owner, d.acme, accounts.Termination{AtEnd: "keep"}), "invalid_at_end")
		must(d.T, d.Terminate(d.owner, d.acme, accounts.Termination{AtEnd: accounts.AtEndReturn}))
		s, err := d.AgreementStanding(d.Context(), d.acme)
		must(d.T, err)
		ag := s.Agreement
		if ag.State != accounts.AgreementTerminated || ag.AtEnd != accounts.AtEndReturn || !ag.Terminated.Equal(d.now) || !ag.EndDeadline.Equal(d.now.AddDate(0, 0, 30)) {
			d.Errorf("%+v", ag)
		}
		_, err = d.CurrentAgreement(d.Context(), d.acme)
		refused(d.T, err, "agreement_not_found")
	})
}

// What the operator publishes comes first, also before a newer text of the program.
func TestVersionsAreOfferedFromTheirDay(t *testing.T) {
	const day = 24 * time.Hour
	eachDesk(t, func(d *desk) {
		for code, v := range map[string]accounts.AgreementVersion{
			"invalid_version":     {Name: "a b", Texts: map[string]string{"en": "x"}},
			"invalid_texts":       {Name: "own", Texts: map[string]string{"de": "x"}},
			"invalid_grace_until": {Name: "own", Texts: map[string]string{"en": "x"}, Offered: d.now.Add(day), Grace: d.now},
			"invalid_terms":       {Name: "own", Texts: map[string]string{"en": "x"}, Grace: d.now, Terms: accounts.Terms{ObjectionDays: 30, BreachHours: 96, EndDays: 30}},
			"version_exists":      {Name: "2026-11", Texts: map[string]string{"en": "x"}, Grace: d.now},
		} {
			_, err := d.PublishAgreement(d.Context(), v)
			refused(d.T, err, code)
		}
		offered := func() string {
			doc, err := d.Offer(d.owner, d.acme, "pl")
			must(d.T, err)
			return doc.Version + " " + doc.Language
		}
		if got := offered(); got != "2026-12 pl" {
			d.Error(got)
		}
		d.publish("own", day, 10*day)
		if got := offered(); got != "2026-12 pl" {
			d.Error(got)
		}
		d.now = d.now.Add(day)
		if got := offered(); got != "own en" {
			d.Error(got)
		}
		all, err := d.AgreementVersions(d.Context())
		must(d.T, err)
		var names []string
		for _, v := range all {
			names = append(names, v.Name+" "+strings.Join(v.Languages(), ","))
		}
		if diff := cmp.Diff([]string{"own en", "2026-12 en,nb,pl", "2026-11 en"}, names); diff != "" {
			d.Error(diff)
		}
	})
}

// What was concluded before there were versions stays evidence, and a grace runs.
func TestAgreementsFromBeforeStayEvidence(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a := accounts.New(d)
		acme, err := a.Create(t.Context(), accounts.Account{Handle: "acme", Name: "Acme AS", Region: "NO"})
		must(t, err)
		_, err = d.ExecContext(t.Context(), `
			INSERT INTO agreements (id, account_id, version, language, text_sha256, state, signatory, title, email, method, concluded_at)
			VALUES (5, $1, '2026-11', 'en', '', 'concluded', 'Kari', 'CEO', 'kari@acme.example', 'command', 1790000000000)`, acme.ID)
		must(t, err)
		text, err := os.ReadFile("agreements/2026-11/en.txt")
		must(t, err)
		_, err = d.ExecContext(t.Context(), `UPDATE agreements SET text_sha256 = $1`, sum(text))
		must(t, err)
		must(t, a.Gate(t.Context(), acme.ID))
		must(t, a.ShipAgreements(t.Context()))
		must(t, a.Gate(t.Context(), acme.ID))
		done, err := a.VerifyAgreements(t.Context(), acme.ID)
		if err != nil || done.Agreements != 1 {
			t.Error(done, err)
		}
		s, err := a.AgreementStanding(t.Context(), acme.ID)
		if err != nil || !s.Outdated || !s.Open || s.Agreement.Closes.Before(time.Now().AddDate(0, 0, 29)) {
			t.Errorf("%+v %v", s, err)
		}
		later := a.WithClock(func() time.Time { return time.Now().AddDate(0, 0, 31) })
		refused(t, later.Gate(t.Context(), acme.ID), "agreement_outdated")
	})
}

func TestWhoeverChangesTheEvidenceIsFound(t *testing.T) {
	for what, change := range map[string]string{
		"text":       `UPDATE agreement_texts SET body = body || ' or not' WHERE version = '2026-12'`,
		"both":       `UPDATE agreement_texts SET body = '', sha256 = 'e3b0'; UPDATE agreements SET text_sha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'`,
		"document":   `UPDATE agreements SET document = document || 'x'`,
		"parties":    `UPDATE agreements SET parties = '{"controller":{"LegalName":"Other"}}'`,
		"who":        `UPDATE agreements SET signatory = 'Ola Nordmann'`,
		"where":      `UPDATE agreements SET ip = '192.0.2.9'`,
		"when":       `UPDATE agreements SET concluded_at = concluded_at - 1`,
		"pdf":        `UPDATE agreement_files SET pdf = 'other'`,
		"no pdf":     `DELETE FROM agreement_files`,
		"no row":     `DELETE FROM agreement_views; DELETE FROM agreement_files; DELETE FROM agreements`,
		"chain":      `UPDATE audit_entries SET facts = '{}' WHERE action = 'agreement.concluded'`,
		"chain ends": `DELETE FROM audit_entries WHERE action = 'agreement.concluded'`,
	} {
		t.Run(what, func(t *testing.T) {
			eachDesk(t, func(d *desk) {
				d.sign()
				done, err := d.VerifyAgreements(d.Context(), d.acme)
				if err != nil || done.Agreements != 1 || done.Chain.Entries == 0 {
					d.Fatal(done, err)
				}
				if _, err := d.db.Writer().ExecContext(d.Context(), change); err != nil {
					d.Fatal(err)
				}
				code := "agreement_broken"
				if strings.HasPrefix(what, "chain") {
					code = "audit_broken"
				}
				_, err = d.VerifyAgreements(d.Context(), d.acme)
				refused(d.T, err, code)
			})
		})
	}
}

// The signed PDF says who agreed to what, in the language of the agreement, and stays
// as it was.
func TestTheSignedPDFNamesThePartiesAndTheHash(t *testing.T) {
	for language, says := range map[string][]string{
		"en": {"Data processing agreement", "Annex I: Parties", "mobilePhone", "Data protection officer"},
		"nb": {"Databehandleravtale", "Vedlegg III: Tekniske og organisatoriske tiltak", "Personvernombud", "1 av 2 er kryptert"},
		"pl": {"Umowa powierzenia przetwarzania danych osobowych", "Załącznik IV: Dalsze podmioty przetwarzające", "Inspektor ochrony danych", "Szyfrowane TLS: 1 z 2"},
	} {
		t.Run(language, func(t *testing.T) {
			eachDesk(t, func(d *desk) {
				d.Describe(func(context.Context, int64, string) (accounts.Processing, error) {
					return accounts.Processing{Directory: []string{"displayName", "mobilePhone"}, Connected: true, PublicTLS: true, Carriers: 2, CarriersTLS: 1}, nil
				})
				ag, err := d.Sign(d.owner, d.acme, filled(d.view(language)))
				must(d.T, err)
				must(d.T, d.SetController(d.owner, d.acme, accounts.Party{LegalName: "Renamed AS", Address: "Nygata 3"}))
				file, err := d.AgreementPDF(d.Context(), d.acme, ag.ID)
				must(d.T, err)
				if sum(file) != ag.PDFSHA256 {
					d.Error("it is another file")
				}
				text := pdfText(d.T, file)
				for _, part := range append(says, acmeAS.LegalName, acmeAS.Address, varselAS.LegalName, varselAS.DPO, "Kari Nordmann", "Ola Drift",
					ag.TextSHA256, ag.DocumentSHA256, ag.Concluded.UTC().Format(time.RFC3339)) {
					if !strings.Contains(text, part) {
						d.Errorf("it does not say %q", part)
					}
				}
			})
		})
	}
}

// pdfText is what a reader sees, on one line.
func pdfText(t *testing.T, file []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "agreement.pdf")
	must(t, os.WriteFile(name, file, 0o600))
	text, err := exec.Command("pdftotext", "-raw", name, "-").Output()
	must(t, err)
	return strings.Join(strings.Fields(string(text)), " ")
}

func TestATextIsLaidOut(t *testing.T) {
	got := accounts.Blocks("# Title\n\nOne\ntwo.\n\n## 1. Heading\nThree.\n| a | b |\n| c | d | e |\n\n| h | i |\n| --- | --- |\n| j |\n\n    6c1b\n| --- |\n")
	want := []accounts.Block{{Kind: "title", Text: "Title"}, {Kind: "paragraph", Text: "One two."}, {Kind: "heading", Text: "1. Heading"},
		{Kind: "paragraph", Text: "Three."}, {Kind: "fields", Rows: [][]string{{"a", "b"}, {"c", "d"}}},
		{Kind: "table", Rows: [][]string{{"h", "i"}, {"j", ""}}}, {Kind: "code", Text: "6c1b"}, {Kind: "fields", Rows: [][]string{{"---"}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func sum(text []byte) string { return fmt.Sprintf("%x", sha256.Sum256(text)) }
