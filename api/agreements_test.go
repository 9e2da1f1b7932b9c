package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/accounts"
)

const acmeParty = `{"legal_name": "Acme AS", "address": "Havnegata 2, Bergen"}`

// S6, S7
func TestAnAgreementIsSignedOverTheAPI(t *testing.T) {
	h := openHouse(t)
	operator := bearer(h.operatorKey(t))
	_, key := h.other(t)
	ask := func(method, path, body string) reply { return h.ask(t, method, path, body, bearer(key)...) }

	if s := read[standing](t, ask("GET", agreementsPath+"/standing", ""), 200); s.State != "none" || s.Open {
		t.Errorf("%+v", s)
	}
	offered := read[offeredAgreement](t, ask("GET", agreementsPath+"/offered?language=nb", ""), 200)
	if offered.Language != "nb" || !strings.Contains(offered.Text, "Databehandleravtale") {
		t.Errorf("%+v", offered)
	}
	sign := func(change func(n *newSignature)) reply {
		n := newSignature{Language: "nb", DocumentSHA256: read[offeredAgreement](t, ask("GET", agreementsPath+"/offered?language=nb", ""), 200).DocumentSHA256,
			Signatory: "Kari Nordmann", Title: "CEO", Email: "kari@other.example", Authority: true, Agree: true}
		change(&n)
		body, err := json.Marshal(n)
		must(t, err)
		return ask("POST", agreementsPath, string(body))
	}
	asIs := func(*newSignature) {}
	refused(t, sign(asIs), 409, "no_processor")
	refused(t, h.ask(t, "PATCH", processorPath, `{"party": {"legal_name": "Varsel Drift AS", "address": "Oslo"}}`, operator...), 422, "invalid_signatory")
	p := read[processor](t, h.ask(t, "PATCH", processorPath, `{"party": {"legal_name": "Varsel Drift AS", "address": "Oslo"}, "signatory": "Ola Drift", "signatory_title": "CEO"}`, operator...), 200)
	same(t, p, processor{party{LegalName: "Varsel Drift AS", Address: "Oslo"}, "Ola Drift", "CEO"})
	refused(t, sign(asIs), 409, "no_controller")
	same(t, read[party](t, ask("PATCH", controllerPath, acmeParty), 200), party{LegalName: "Acme AS", Address: "Havnegata 2, Bergen"})
	refused(t, sign(asIs), 409, "agreement_not_viewed")
	read[offeredAgreement](t, ask("POST", agreementsPath+"/view", `{"language": "nb"}`), 200)
	refusedAt(t, sign(func(n *newSignature) { n.Agree = false }), "invalid_agree", "/agree")
	refusedAt(t, sign(func(n *newSignature) { n.Authority = false }), "invalid_authority", "/authority")
	refused(t, sign(func(n *newSignature) { n.DocumentSHA256 = "00" }), 409, "agreement_changed")

	r := sign(asIs)
	ag := read[agreement](t, r, 201)
	if ag.State != "concluded" || ag.Method != "key" || ag.ViewedAt == nil || ag.Countersigner != "Ola Drift" || r.header.Get("Location") != agreementsPath+"/"+ag.ID {
		t.Errorf("%+v", ag)
	}
	same(t, read[agreement](t, ask("GET", agreementsPath+"/"+ag.ID, ""), 200), ag)
	file := ask("GET", agreementsPath+"/"+ag.ID+"/pdf", "")
	if file.status != 200 || file.header.Get("Content-Type") != "application/pdf" || !bytes.HasPrefix(file.body, []byte("%PDF-")) {
		t.Errorf("%d %s", file.status, file.header)
	}
	refused(t, h.ask(t, "GET", agreementsPath+"/"+ag.ID, ""), 404, "agreement_not_found") // another account
	if v := read[verification](t, ask("GET", agreementsPath+"/verify", ""), 200); v.Agreements != 1 || v.Entries == 0 {
		t.Errorf("%+v", v)
	}
	refused(t, ask("POST", agreementsPath+"/terminate", `{"at_end": "keep"}`), 422, "invalid_at_end")
	if s := read[standing](t, ask("POST", agreementsPath+"/terminate", `{"at_end": "return"}`), 200); s.State != "withdrawn" || s.Agreement.AtEnd != "return" || s.Agreement.EndDeadline == nil {
		t.Errorf("%+v", s)
	}
	refused(t, ask("POST", messagesPath, hello), 403, "no_agreement")
	refused(t, ask("POST", agreementsPath+"/terminate", `{"at_end": "return"}`), 409, "agreement_not_concluded")
	if all := read[whole[accountStanding]](t, h.ask(t, "GET", installationAgreementsPath, "", operator...), 200).Items; len(all) != 2 || all[0].Standing.State != "concluded" || all[1].Standing.State != "withdrawn" {
		t.Errorf("%+v", all)
	}
}

func TestASignedPDFIsBroughtOverTheAPI(t *testing.T) {
	h := openHouse(t)
	upload := func(file []byte) reply {
		body, err := json.Marshal(newSignedAgreement{PDF: file, Language: "en", Signatory: "Kari Nordmann", Title: "CEO", Email: "kari@acme.example", Authority: true})
		must(t, err)
		return h.ask(t, "POST", agreementUploadPath, string(body))
	}
	large := append([]byte("%PDF-1.7\n"), make([]byte, 2<<20)...)
	file := append(large, "%%EOF"...)
	ag := read[agreement](t, upload(file), 201)
	same(t, ag.Method, "upload")
	if got := h.ask(t, "GET", agreementsPath+"/"+ag.ID+"/pdf", ""); !bytes.Equal(got.body, file) {
		t.Errorf("%d bytes", len(got.body))
	}
	refusedAt(t, upload([]byte("not a PDF")), "invalid_pdf", "/pdf")
	refusedAt(t, upload(append(file, make([]byte, accounts.MaxSignedPDF)...)[:accounts.MaxSignedPDF+1]), "invalid_pdf", "/pdf")
	refused(t, h.raw(t, "POST "+agreementUploadPath+" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n"),
		http.StatusRequestEntityTooLarge, "body_too_large")
}

func TestAnOperatorPublishesAVersionOverTheAPI(t *testing.T) {
	h := openHouse(t)
	operator := bearer(h.operatorKey(t))
	publish := func(change func(n *newAgreementVersion)) reply {
		n := newAgreementVersion{Version: "own-1", Texts: map[string]string{"en": "# Ours\n\nTerms."}, GraceUntil: time.Now().Add(time.Hour), ObjectionDays: 14, BreachHours: 24, EndDays: 10}
		change(&n)
		body, err := json.Marshal(n)
		must(t, err)
		return h.ask(t, "POST", agreementVersionsPath, string(body), operator...)
	}
	refusedAt(t, publish(func(n *newAgreementVersion) { n.Texts = map[string]string{"de": "x"} }), "invalid_texts", "/texts")
	refusedAt(t, publish(func(n *newAgreementVersion) { n.GraceUntil = time.Now().Add(-time.Hour) }), "invalid_grace_until", "/grace_until")
	v := read[agreementVersion](t, publish(func(*newAgreementVersion) {}), 201)
	if v.Origin != "operator" || v.EndDays != 10 {
		t.Errorf("%+v", v)
	}
	refused(t, publish(func(*newAgreementVersion) {}), 409, "version_exists")
	if all := read[whole[agreementVersion]](t, h.ask(t, "GET", agreementVersionsPath, "", operator...), 200).Items; len(all) != 3 || all[0].Version != "own-1" {
		t.Errorf("%+v", all)
	}
	if s := read[standing](t, h.ask(t, "GET", agreementsPath+"/standing", ""), 200); !s.Outdated || !s.Open || s.OfferedVersion != "own-1" {
		t.Errorf("%+v", s)
	}
	if d := read[offeredAgreement](t, h.ask(t, "POST", installationAccountsPath+"/acme/agreement/offer", `{"language": "pl"}`, operator...), 200); d.Version != "own-1" || d.Language != "en" {
		t.Errorf("%+v", d)
	}
}
