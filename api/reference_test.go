package api

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/varsel/varsel/accounts"
)

// spec is what the tests read of /openapi.json.
type spec struct {
	OpenAPI    string
	Paths      map[string]map[string]operation
	Components struct {
		Schemas         map[string]json.RawMessage
		SecuritySchemes map[string]struct{ Type, Scheme string }
	}
}

type operation struct {
	OperationID string
	Summary     string
	Security    []map[string][]string
	RequestBody *struct {
		Content map[string]struct{ Schema json.RawMessage }
	}
	Responses map[string]struct {
		Content map[string]struct{ Schema json.RawMessage }
	}
}

func (h *house) spec(t *testing.T) spec {
	t.Helper()
	r := h.ask(t, "GET", "/openapi.json", "", "Authorization", "")
	same(t, r.header.Get("Content-Type"), "application/json")
	var s spec
	must(t, json.Unmarshal(r.body, &s))
	return s
}

var wildcard = regexp.MustCompile(`\{[a-z]+\}`)

// Every operation that the document promises is there, and none but the two
// for probes answers without a key that has the scope it names.
func TestOperationsAreReachableAndAskForTheirScope(t *testing.T) {
	h := openHouse(t)
	s := h.spec(t)
	same(t, s.OpenAPI, "3.1.0")
	same(t, s.Components.SecuritySchemes[keyScheme].Scheme, "bearer")
	seen := 0
	for path, operations := range s.Paths {
		for method, op := range operations {
			seen++
			h.checkOperation(t, strings.ToUpper(method), wildcard.ReplaceAllString(path, "x"), op)
		}
	}
	if seen < 25 {
		t.Errorf("only %d operations are described", seen)
	}
}

func (h *house) checkOperation(t *testing.T, method, path string, op operation) {
	t.Helper()
	if op.OperationID == "" || op.Summary == "" {
		t.Errorf("%s %s has no id or summary", method, path)
	}
	if path == "/healthz" || path == "/readyz" {
		same(t, h.ask(t, method, path, "", "Authorization", "").status, 200)
		return
	}
	var scopes []string
	for _, one := range op.Security {
		scopes = append(scopes, one[keyScheme]...)
	}
	if len(scopes) == 0 {
		t.Fatalf("%s %s names no scope", method, path)
	}
	scope := scopes[0]
	refused(t, h.ask(t, method, path, "", "Authorization", ""), 401, "unknown_key")
	p := refused(t, h.ask(t, method, path, "", bearer(h.newKey(t, h.account, allBut(scopes)...))...), 403, "missing_scope")
	if !strings.Contains(p.Detail, scope) {
		t.Errorf("%s %s: %q does not name %s", method, path, p.Detail, scope)
	}
	got := h.ask(t, method, path, "", bearer(h.keyWith(t, scope))...)
	var answered Problem
	must(t, json.Unmarshal(got.body, &answered))
	if got.status == 401 || got.status == 403 || got.status == 405 || got.status >= 500 || answered.Code == "not_found" {
		t.Errorf("%s %s: %d %s", method, path, got.status, got.body)
	}
}

// keyWith is a key with one scope: of the account, or an operators' one.
func (h *house) keyWith(t *testing.T, scope string) string {
	t.Helper()
	if scope != accounts.ScopeInstallation {
		return h.newKey(t, h.account, scope)
	}
	return h.operatorKey(t)
}

func (h *house) operatorKey(t *testing.T) string {
	t.Helper()
	_, secret, err := h.Accounts.CreateOperatorKey(t.Context(), "the test's")
	must(t, err)
	return secret
}

func allBut(scopes []string) (rest []string) {
	for _, one := range []string{accounts.ScopeMessagesRead, accounts.ScopeMessagesWrite, accounts.ScopeContactsRead,
		accounts.ScopeContactsWrite, accounts.ScopeDirectoryRead, accounts.ScopeDirectoryWrite, accounts.ScopeSettingsWrite, accounts.ScopeAuditRead, accounts.ScopeAgreementsRead, accounts.ScopeAgreementsWrite, accounts.ScopeSubProcessorsRead, accounts.ScopeSubProcessorsWrite, accounts.ScopeBillingRead, accounts.ScopeBudgetsRead, accounts.ScopeBudgetsWrite, accounts.ScopePrivacyRead, accounts.ScopePrivacyWrite, accounts.ScopeCardsRead, accounts.ScopeCardsWrite} {
		if !slices.Contains(scopes, one) {
			rest = append(rest, one)
		}
	}
	return rest
}

func TestReferencesInTheDocumentLead(t *testing.T) {
	h := openHouse(t)
	s := h.spec(t)
	text := string(h.ask(t, "GET", "/openapi.json", "").body)
	for _, ref := range regexp.MustCompile(`"\$ref": "([^"]+)"`).FindAllStringSubmatch(text, -1) {
		name, ok := strings.CutPrefix(ref[1], "#/components/schemas/")
		if !ok || s.Components.Schemas[name] == nil {
			t.Errorf("%s leads nowhere", ref[1])
		}
	}
	for name, schema := range s.Components.Schemas {
		sent := strings.HasPrefix(name, "New") || slices.Contains([]string{"Money", "Settings", "Scope", "ScopeCondition", "RollChoice", "CarrierShare", "Seller", "BillParty", "CardDesign", "DesignSection", "DesignField", "DesignLooks", "DesignCode", "DesignSettings", "CardGrouping", "CardFilter"}, name)
		if closed := strings.Contains(string(schema), `"additionalProperties": false`); closed != sent {
			t.Errorf("%s is closed: %v, is sent to us: %v", name, closed, sent)
		}
	}
	for path, operations := range s.Paths {
		for method, op := range operations {
			for code, response := range op.Responses {
				if code[0] == '2' {
					continue
				}
				if got := string(response.Content[problemType].Schema); !strings.Contains(got, "schemas/Problem") {
					t.Errorf("%s %s: %s is described as %s", method, path, code, got)
				}
			}
		}
	}
}

func TestReferencePageIsWholeAndAsksNobodyElse(t *testing.T) {
	h := openHouse(t)
	r := h.ask(t, "GET", "/docs", "", "Authorization", "")
	same(t, r.status, 200)
	same(t, r.header.Get("Content-Type"), "text/html; charset=utf-8")
	same(t, r.header.Get("Content-Security-Policy"), pagePolicy)
	same(t, r.header.Get("X-Frame-Options"), "DENY")
	same(t, r.header.Get("Referrer-Policy"), "no-referrer")
	page := string(r.body)
	for path, operations := range h.spec(t).Paths {
		for _, op := range operations {
			if !strings.Contains(page, `id="`+op.OperationID+`"`) || !strings.Contains(page, "<code>"+path+"</code>") {
				t.Errorf("%s is not in the page", op.OperationID)
			}
		}
	}
	for _, never := range []string{"<script", "style=", "://", "<img", "&lt;no value"} {
		if strings.Contains(page, never) {
			t.Errorf("the page holds %q", never)
		}
	}
	style := h.ask(t, "GET", "/docs/reference.css", "", "Authorization", "")
	same(t, style.status, 200)
	same(t, style.header.Get("Content-Type"), "text/css; charset=utf-8")
	if strings.Contains(string(style.body), "url(") || strings.Contains(string(style.body), "@import") {
		t.Error("the style loads something")
	}
}

func TestFaultsPointIntoTheBody(t *testing.T) {
	for location, want := range map[string]string{
		"body": "", "body.text": "/text", "body.max_cost.amount": "/max_cost/amount", "body.contacts[3]": "/contacts/3",
		"body.rows[0].name": "/rows/0/name", "body[2]": "/2", "query.limit": "/limit", "header.Idempotency-Key": "/Idempotency-Key",
	} {
		same(t, pointer(location), want)
	}
}
