package web_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/secrets"
)

var otherForm = url.Values{"legal_name": {"Other Holding AS"}, "address": {"Havnegata 2, 5003 Bergen"}, "registration": {"NO 111 222 333"}, "then": {"sign"}}

// newcomer signs in the owner of an account without an agreement, in an installation
// whose processor is known.
func (w *world) newcomer() accounts.Account {
	w.Helper()
	must(0, w.accounts.SetProcessor(w.Context(), accounts.Processor{Party: accounts.Party{LegalName: "Varsel Drift AS", Address: "Storgata 1, Oslo"}, Signatory: "Ola Drift", SignatoryTitle: "CEO"}))
	other := must(w.accounts.Create(w.Context(), otherAccount))
	must(w.accounts.CreateUser(w.Context(), other.ID, "new@other.test", "owner", password))
	w.client = newClient()
	w.enter("new@other.test")
	return other
}

func (w *world) enter(email string) {
	w.Helper()
	w.client = newClient()
	if got := w.post("/sign-in", url.Values{"email": {email}, "password": {password}, "next": {"/"}}); got.status != http.StatusSeeOther {
		w.Fatalf("sign in: %d", got.status)
	}
}

var shownDocument = regexp.MustCompile(`name="document" value="([0-9a-f]{64})"`)

func signature(page string) url.Values {
	hash := shownDocument.FindStringSubmatch(page)
	if hash == nil {
		return url.Values{}
	}
	return url.Values{"document": {hash[1]}, "language": {"en"}, "signatory": {"Kari Nordmann"}, "title": {"CEO"}, "email": {"kari@other.test"},
		"authority": {"yes"}, "agree": {"yes"}}
}

func TestAnOwnerReadsAndSignsTheAgreement(t *testing.T) { // S6 S7
	w := newWorld(t)
	other := w.newcomer()
	w.says(w.get("/").body, "Data processing agreement", "Not concluded", `href="/agreement"`)
	if got := w.get("/agreement/sign"); got.status != http.StatusSeeOther || got.header.Get("Location") != "/agreement#controller" {
		t.Errorf("%d %s", got.status, got.header.Get("Location"))
	}
	if got := w.post("/agreement/controller", url.Values{"legal_name": {"Other"}}); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `id="address-wrong"`) {
		t.Errorf("%d", got.status)
	}
	if got := w.post("/agreement/controller", otherForm); got.status != http.StatusSeeOther || got.header.Get("Location") != "/agreement/sign" {
		t.Fatalf("%d %s", got.status, got.body)
	}
	page := w.get("/agreement/sign").body
	w.says(page, "18. Signature", "Annex IV: Sub-processors", "Other Holding AS", "Varsel Drift AS", "I have read the agreement with its annexes and conclude it.")
	if strings.Contains(page, "checked") {
		t.Error("a box is ticked before anybody did")
	}
	w.says(w.get("/agreement/sign?language=pl").body, "Umowa powierzenia przetwarzania danych osobowych", `lang="pl"`)
	w.says(w.get("/agreement").body, "Offered, not concluded")
	for field, value := range map[string]string{"agree": "", "authority": "", "signatory": " ", "email": "kari"} {
		form := signature(page)
		form.Set(field, value)
		got := w.post("/agreement/sign", form)
		if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `id="`+field+`-wrong"`) {
			t.Errorf("%s: %d", field, got.status)
		}
	}
	stale := signature(page)
	stale.Set("document", strings.Repeat("0", 64))
	if got := w.post("/agreement/sign", stale); got.status != http.StatusConflict || !strings.Contains(got.body, "Read it again") {
		t.Errorf("%d", got.status)
	}
	if got := w.post("/agreement/sign", signature(page), "User-Agent", "Firefox"); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.body)
	}
	ag := must(w.accounts.CurrentAgreement(t.Context(), other.ID))
	if ag.Method != accounts.BySession || ag.ActorEmail != "new@other.test" || ag.ActorRole != "owner" || ag.IP != "127.0.0.1" || ag.UserAgent != "Firefox" || ag.Viewed.IsZero() || ag.Countersigner != "Ola Drift" {
		t.Errorf("%+v", ag)
	}
	w.says(w.get("/agreement").body, "Concluded", "Kari Nordmann", "Ola Drift", "Terminate the agreement")
	w.says(w.get("/agreement?check=yes").body, "1 concluded agreement and the audit trail are as they were written.")
	must(w.db.ExecContext(t.Context(), `UPDATE agreements SET signatory = 'Somebody' WHERE state = 'concluded'`))
	w.says(w.get("/agreement?check=yes").body, "not as it was written")
	pdf := w.get("/agreement/" + w.names.Of(secrets.Agreement, ag.ID) + "/pdf")
	if pdf.status != http.StatusOK || pdf.header.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(pdf.body, "%PDF-") {
		t.Errorf("%d %s", pdf.status, pdf.header)
	}
}

func TestPagesOfAnAgreementAreAsTheyWere(t *testing.T) {
	w := newWorld(t)
	w.newcomer()
	for _, code := range []string{"en", "nb", "pl"} {
		w.golden("agreement-none-"+code, w.get("/agreement", "Accept-Language", code).body)
	}
	w.post("/agreement/controller", otherForm)
	w.golden("sign-en", w.get("/agreement/sign").body)
	if got := w.post("/agreement/sign", signature(w.get("/agreement/sign").body)); got.status != http.StatusSeeOther {
		t.Fatalf("%d", got.status)
	}
	w.golden("terminate-nb", w.get("/agreement/terminate", "Accept-Language", "nb").body)
	w.operate()
	for _, code := range []string{"en", "nb", "pl"} {
		w.golden("agreements-"+code, w.get("/installation/agreements", "Accept-Language", code).body)
	}
}

func TestOnlyOwnersDecideAboutTheAgreement(t *testing.T) {
	w := newWorld(t)
	other := w.newcomer()
	for role, reads := range map[string]int{"admin": http.StatusNotFound, "sender": http.StatusForbidden, "viewer": http.StatusForbidden} {
		must(w.accounts.CreateUser(t.Context(), other.ID, role+"@other.test", role, password))
		w.enter(role + "@other.test")
		if page := w.get("/agreement"); page.status != http.StatusOK || strings.Contains(page.body, `action="/agreement`) {
			t.Errorf("%s: %d", role, page.status)
		}
		for _, path := range []string{"/agreement/sign", "/agreement/terminate"} {
			if got := w.get(path); got.status != http.StatusForbidden {
				t.Errorf("%s %s: %d", role, path, got.status)
			}
		}
		for _, path := range []string{"/agreement/controller", "/agreement/sign", "/agreement/upload", "/agreement/terminate"} {
			if got := w.post(path, otherForm); got.status != http.StatusForbidden {
				t.Errorf("%s %s: %d", role, path, got.status)
			}
		}
		if got := w.get("/agreement/" + w.names.Of(secrets.Agreement, 1) + "/pdf"); got.status != reads {
			t.Errorf("%s: %d", role, got.status)
		}
	}
}

// file posts a form with files, by their fields.
func (w *world) file(path string, form map[string]string, files map[string]string) answer {
	w.Helper()
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	for name, value := range form {
		must(0, parts.WriteField(name, value))
	}
	for name, text := range files {
		must(must(parts.CreateFormFile(name, "agreement")).Write([]byte(text)))
	}
	must(0, parts.Close())
	req := must(http.NewRequestWithContext(w.Context(), http.MethodPost, w.home+path, &body))
	req.Header.Set("Content-Type", parts.FormDataContentType())
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	return w.send(req)
}

func TestASignedPDFIsBroughtInTheConsole(t *testing.T) {
	w := newWorld(t)
	other := w.newcomer()
	form := map[string]string{"signatory": "Kari Nordmann", "title": "CEO", "email": "kari@other.test", "signed": "2026-11-20", "language": "nb", "authority": "yes"}
	if got := w.file("/agreement/upload", form, map[string]string{"pdf": "no PDF"}); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `id="pdf-wrong"`) || !strings.Contains(got.body, `value="Kari Nordmann"`) {
		t.Errorf("%d", got.status)
	}
	file := "%PDF-1.7\n" + strings.Repeat("x", 2<<20) + "\n%%EOF\n"
	if got := w.file("/agreement/upload", form, map[string]string{"pdf": file}); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.body)
	}
	ag := must(w.accounts.CurrentAgreement(t.Context(), other.ID))
	if ag.Method != accounts.ByUpload || ag.Signed.Format("2006-01-02") != "2026-11-20" || ag.Language != "nb" {
		t.Errorf("%+v", ag)
	}
	if got := w.get("/agreement/" + w.names.Of(secrets.Agreement, ag.ID) + "/pdf"); got.body != file {
		t.Errorf("%d bytes", len(got.body))
	}
}

func TestAnAgreementIsTerminatedAfterTypingTheAccount(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	w.says(w.get("/agreement/terminate").body, "Type acme to confirm")
	for field, form := range map[string]url.Values{"confirm": {"at_end": {"delete"}, "confirm": {"other"}}, "at_end": {"confirm": {"acme"}}} {
		if got := w.post("/agreement/terminate", form); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `id="`+field+`-wrong"`) {
			t.Errorf("%s: %d", field, got.status)
		}
	}
	if got := w.post("/agreement/terminate", url.Values{"at_end": {"return"}, "confirm": {"acme"}}); got.status != http.StatusSeeOther {
		t.Fatalf("%d", got.status)
	}
	w.says(w.get("/agreement").body, "Terminated", "Data are returned by")
	w.says(w.get("/directory").body, "Not concluded")
	if got := w.post("/directory/connect", threeValues); got.status != http.StatusForbidden {
		t.Errorf("%d", got.status)
	}
}

func TestAnOperatorSaysWhoTheyAreAndPublishesAText(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	for _, path := range []string{"/installation/agreements", "/installation/processor"} {
		if got := w.post(path, url.Values{}); got.status != http.StatusForbidden {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	w.operate()
	if got := w.post("/installation/processor", url.Values{"legal_name": {"Varsel Drift AS"}}); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `id="address-wrong"`) {
		t.Errorf("%d", got.status)
	}
	if got := w.post("/installation/processor", url.Values{"legal_name": {"Varsel Drift AS"}, "address": {"Oslo"}, "signatory": {"Ola Drift"}, "signatory_title": {"CEO"}}); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.body)
	}
	form := map[string]string{"version": "own-1", "offered_from": "2026-11-01", "grace_until": "2026-11-02"}
	if got := w.file("/installation/agreements", form, nil); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "Choose one text file") {
		t.Errorf("%d", got.status)
	}
	if got := w.file("/installation/agreements", form, map[string]string{"text_nb": "# Vår avtale\n\nVilkår."}); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.body)
	}
	w.says(w.get("/installation/agreements").body, "own-1", "Your own", "A new version is needed", "Varsel Drift AS")
	w.signIn()
	w.says(w.get("/").body, "Version own-1 has to be concluded")
	w.says(w.get("/directory/connect").body, "Data processing agreement")
	if got := w.post("/directory/connect", threeValues); got.status != http.StatusForbidden || !strings.Contains(got.body, "newer version") {
		t.Errorf("%d", got.status)
	}
}
