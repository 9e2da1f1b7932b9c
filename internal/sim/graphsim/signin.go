package graphsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const maxSignInBody = 64 << 10

func (s *Server) signInRoutes() *http.ServeMux {
	m := http.NewServeMux()
	m.HandleFunc("POST /{tenant}/oauth2/v2.0/token", s.token)
	m.HandleFunc("GET /{tenant}/oauth2/v2.0/authorize", s.authorize)
	m.HandleFunc("GET /{tenant}/v2.0/adminconsent", s.adminConsent)
	m.HandleFunc("GET /{tenant}/v2.0/.well-known/openid-configuration", s.openIDConfiguration)
	m.HandleFunc("GET /{tenant}/discovery/v2.0/keys", s.keys)
	m.HandleFunc("GET /common/discovery/instance", s.instanceDiscovery)
	return m
}

// token grants what the form asks for.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxSignInBody)
	if err := r.ParseForm(); err != nil {
		refuse(w, r, s.now(), badRequest(900144, "The body of the request is not a form."))
		return
	}
	var refusal *refusal
	switch grant := r.PostForm.Get("grant_type"); grant {
	case "client_credentials":
		refusal = s.admitApp(w, r)
	case "authorization_code":
		refusal = s.redeem(w, r)
	default:
		refusal = badGrant(grant)
	}
	if refusal != nil {
		refuse(w, r, s.now(), refusal)
	}
}

// admitApp grants client_credentials (RFC 6749 4.4).
func (s *Server) admitApp(w http.ResponseWriter, r *http.Request) *refusal {
	t := s.tenant(r.PathValue("tenant"))
	if t == nil {
		return noTenant("invalid_request", r.PathValue("tenant"))
	}
	a, no := s.appIn(t, r)
	if no != nil {
		return no
	}
	no = firstRefusal(
		func() *refusal { return s.checkCredential(t, a, r) },
		func() *refusal { return s.checkScope(r.PostForm.Get("scope")) },
		func() *refusal { return t.checkPolicy() },
	)
	if no == nil {
		writeToken(w, s.tokenLife, map[string]any{"access_token": s.issue(t, a)})
	}
	return no
}

func writeToken(w http.ResponseWriter, life time.Duration, body map[string]any) {
	body["token_type"] = "Bearer"
	body["expires_in"], body["ext_expires_in"] = int(life.Seconds()), int(life.Seconds())
	w.Header().Set("Cache-Control", "no-store, no-cache")
	writeJSON(w, http.StatusOK, body)
}

// appIn finds the app that the request names, if the tenant lets it sign in.
func (s *Server) appIn(t *Tenant, r *http.Request) (*app, *refusal) {
	id, _ := clientCredentials(r)
	f, a := t.Faults(), s.knownApp(t, id)
	switch {
	case id == "":
		return nil, badRequest(900144, "The body of the request must have the parameter 'client_id'.")
	case f.OtherCloud:
		return nil, badRequest(900382, "Confidential Client is not supported in Cross Cloud request.")
	case a == nil || a != t.app && !t.Consented(id):
		return nil, &refusal{http.StatusBadRequest, "unauthorized_client", 700016,
			fmt.Sprintf("No application with identifier '%s' is known in the directory '%s'.", id, t.id)}
	case f.AppDisabled:
		return nil, &refusal{http.StatusBadRequest, "unauthorized_client", 7000112, fmt.Sprintf("Application '%s' is disabled.", id)}
	}
	return a, nil
}

// checkPolicy comes last: a policy judges only who has proved to be someone.
func (t *Tenant) checkPolicy() *refusal {
	if !t.Faults().ConditionalAccess {
		return nil
	}
	return &refusal{http.StatusBadRequest, "invalid_grant", 53003, "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance."}
}

func firstRefusal(checks ...func() *refusal) *refusal {
	for _, check := range checks {
		if no := check(); no != nil {
			return no
		}
	}
	return nil
}

// clientCredentials reads the header (RFC 6749 2.3.1: each part form-encoded
// before base64, which many clients skip) or else the form.
func clientCredentials(r *http.Request) (id, secret string) {
	id, secret, ok := r.BasicAuth()
	if !ok {
		return r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	return formDecoded(id), formDecoded(secret)
}

func formDecoded(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

// checkCredential takes a secret, or an assertion when there is none.
func (s *Server) checkCredential(t *Tenant, a *app, r *http.Request) *refusal {
	no := func(code int, text string) *refusal {
		return &refusal{http.StatusUnauthorized, "invalid_client", code, text}
	}
	_, secret := clientCredentials(r)
	switch {
	case secret == "" && r.PostForm.Has("client_assertion"):
		return s.checkAssertion(a, s.url+r.URL.Path, r.PostForm)
	case secret == "":
		return no(7000218, "The request must have the parameter 'client_assertion' or 'client_secret'.")
	case secret != a.secret:
		return no(7000215, fmt.Sprintf("Wrong client secret. Send the secret's value, not its id, for app '%s'.", a.clientID))
	case t.Faults().SecretExpired:
		return no(7000222, fmt.Sprintf("The client secrets of app '%s' have expired.", a.clientID))
	}
	return nil
}

// checkScope accepts what names Graph in any cloud, and this server itself.
// Client libraries add OpenID scopes, which mean nothing without a user.
func (s *Server) checkScope(scopes string) *refusal {
	words := slices.DeleteFunc(strings.Fields(scopes), func(w string) bool {
		return slices.Contains([]string{"openid", "offline_access", "profile", "email"}, w)
	})
	if len(words) == 0 {
		return badRequest(900144, "The body of the request must have the parameter 'scope'.")
	}
	scope := strings.Join(words, " ")
	resource, ok := strings.CutSuffix(scope, "/.default")
	if !ok {
		return &refusal{http.StatusBadRequest, "invalid_scope", 1002012, fmt.Sprintf("The scope '%s' does not end in /.default, as client credentials need.", scope)}
	}
	switch strings.TrimSuffix(resource, "/") {
	case "https://graph.microsoft.com", "https://graph.microsoft.us", "https://dod-graph.microsoft.us",
		"https://microsoftgraph.chinacloudapi.cn", graphAppID, s.url:
		return nil
	}
	return &refusal{http.StatusBadRequest, "invalid_resource", 500011, fmt.Sprintf("The resource principal '%s' is not in the tenant.", resource)}
}

func (s *Server) openIDConfiguration(w http.ResponseWriter, r *http.Request) {
	name := strings.ToLower(r.PathValue("tenant"))
	issuer := s.url + "/" + name + "/v2.0"
	if anyTenant(name) {
		issuer = s.url + "/{tenantid}/v2.0" // whoever reads it fills in the token's tid
	} else if s.tenant(name) == nil {
		refuse(w, r, s.now(), noTenant("invalid_tenant", name))
		return
	}
	base := s.url + "/" + name
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                                issuer,
		"authorization_endpoint":                base + "/oauth2/v2.0/authorize",
		"token_endpoint":                        base + "/oauth2/v2.0/token",
		"jwks_uri":                              base + "/discovery/v2.0/keys",
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		"response_types_supported":              []string{"code"},
		"subject_types_supported":               []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"scopes_supported":                      []string{"openid"},
		"tenant_region_scope":                   "EU",
		"cloud_instance_name":                   strings.TrimPrefix(s.url, "https://"),
		"cloud_graph_host_name":                 strings.TrimPrefix(s.url, "https://"),
		"msgraph_host":                          strings.TrimPrefix(s.url, "https://"),
	})
}

func (s *Server) instanceDiscovery(w http.ResponseWriter, r *http.Request) {
	host := strings.TrimPrefix(s.url, "https://")
	writeJSON(w, http.StatusOK, map[string]any{
		"api-version":               "1.1",
		"tenant_discovery_endpoint": s.url + "/" + s.discoveredTenant(r) + "/v2.0/.well-known/openid-configuration",
		"metadata": []map[string]any{{
			"preferred_network": host, "preferred_cache": host, "aliases": []string{host},
		}},
	})
}

// discoveredTenant is the first segment of the authorization endpoint asked about.
func (s *Server) discoveredTenant(r *http.Request) string {
	u, err := url.Parse(r.URL.Query().Get("authorization_endpoint"))
	if err != nil {
		return s.Tenant.id
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	return orElse(first, s.Tenant.id)
}

// refusal is an OAuth error the way Entra words it.
type refusal struct {
	status int
	err    string // RFC 6749 5.2, or one of Entra's own
	code   int    // AADSTS number
	text   string
}

func badGrant(grant string) *refusal {
	return &refusal{http.StatusBadRequest, "unsupported_grant_type", 70003, fmt.Sprintf("This app does not support the grant type '%s'.", grant)}
}

func badRequest(code int, text string) *refusal {
	return &refusal{http.StatusBadRequest, "invalid_request", code, text}
}

func noTenant(err, tenant string) *refusal {
	return &refusal{http.StatusBadRequest, err, 90002,
		fmt.Sprintf("Tenant '%s' not found. The tenant id may be wrong, or belong to another cloud.", tenant)}
}

func refuse(w http.ResponseWriter, r *http.Request, now time.Time, e *refusal) {
	trace, stamp := randomGUID(), now.UTC().Format("2006-01-02 15:04:05Z")
	correlation := orElse(r.Header.Get("client-request-id"), randomGUID())
	if e.status == http.StatusUnauthorized && r.Header.Get("Authorization") != "" {
		w.Header().Set("WWW-Authenticate", `Basic realm="graphsim"`)
	}
	writeJSON(w, e.status, map[string]any{
		"error":             e.err,
		"error_description": fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", e.code, e.text, trace, correlation, stamp),
		"error_codes":       []int{e.code},
		"timestamp":         stamp,
		"trace_id":          trace,
		"correlation_id":    correlation,
	})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}
