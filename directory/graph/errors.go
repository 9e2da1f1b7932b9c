package graph

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/microsoftgraph/msgraph-sdk-go/models/odataerrors"

	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/problem"
)

var (
	errElsewhere = problem.New(problem.KindUnavailable, "directory_answer", "the directory's answer leads to another host; it was not followed")
	errNotAPage  = problem.New(problem.KindUnavailable, "directory_answer", "the directory's answer could not be read")
	errNotServed = problem.New(problem.KindUnavailable, "directory_answer",
		"whoever answers in place of Microsoft Graph does not know this request; is the address of Graph right?")
	errCertificate = problem.New(problem.KindConflict, "directory_certificate",
		"the certificate or its private key cannot be read; give both in one PEM, an RSA key without a password")
	errNotFound = problem.New(problem.KindNotFound, "directory_object", "the directory has no such object")
)

// explain turns what the SDK reports into a sentence for an administrator.
// broken is how the connection failed, if it did.
func explain(a asking, err, broken error) error {
	var refused *azidentity.AuthenticationFailedError
	var answered *odataerrors.ODataError
	var status interface{ GetStatusCode() int }
	var page *notJSON
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, errElsewhere), errors.Is(broken, errElsewhere):
		return errElsewhere
	case errors.As(err, &answered):
		return explainGraph(a, answered)
	case errors.As(err, &page) && notServed(page.status):
		return errNotServed
	case errors.As(err, &page):
		return unavailable("Microsoft Graph", page.status, page.after)
	case errors.As(err, &status):
		return unavailable("Microsoft Graph", status.GetStatusCode(), 0)
	case broken != nil:
		return explainNetwork(broken)
	case errors.As(err, &refused) && refused.RawResponse != nil:
		return explainSignIn(refused.RawResponse)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, io.ErrUnexpectedEOF):
		return explainNetwork(err)
	}
	return problem.New(problem.KindUnavailable, "directory_answer", "asking for %s failed: %s", a.what, firstLine(err.Error()))
}

func explainGraph(a asking, e *odataerrors.ODataError) error {
	code, message := said(e)
	switch {
	case e.ResponseStatusCode == http.StatusGone, code == "syncStateNotFound", code == "resyncRequired", code == "syncStateInvalid":
		return directory.ErrExpired
	case e.ResponseStatusCode == http.StatusUnauthorized:
		return fmt.Errorf("%w (%s)", directory.ErrNotSignedIn, code)
	case e.ResponseStatusCode == http.StatusForbidden && a == askingNotices && code != "Authorization_RequestDenied":
		return problem.New(problem.KindConflict, "directory_quota",
			"the tenant has as many subscriptions to changes as Microsoft allows; until one ends, changes are found by the schedule (%s)", code)
	case e.ResponseStatusCode == http.StatusForbidden:
		return problem.New(problem.KindConflict, "directory_consent",
			"the app may not read %s: grant it the application permission %s and admin consent in Entra (%s)", a.what, a.permission, code)
	case e.ResponseStatusCode == http.StatusNotFound:
		return errNotFound
	case notServed(e.ResponseStatusCode):
		return errNotServed
	case e.ResponseStatusCode == http.StatusBadRequest && a == askingNotices:
		return problem.New(problem.KindConflict, "directory_callback",
			"Microsoft Graph does not notify us at this installation's address: %s (%s)", firstLine(message), code)
	case e.ResponseStatusCode == http.StatusTooManyRequests, e.ResponseStatusCode >= 500:
		return unavailable("Microsoft Graph", e.ResponseStatusCode, waitAsked(e))
	}
	return problem.New(problem.KindUnavailable, "directory_answer", "Microsoft Graph refused to tell %s: %s (%s)", a.what, firstLine(message), code)
}

// notServed is for a peer that plays Graph and does not have all of it.
func notServed(status int) bool {
	return status == http.StatusNotFound || status == http.StatusMethodNotAllowed || status == http.StatusNotImplemented
}

func said(e *odataerrors.ODataError) (code, message string) {
	main := e.GetErrorEscaped()
	if main == nil {
		return "", ""
	}
	if c := main.GetCode(); c != nil {
		code = *c
	}
	if m := main.GetMessage(); m != nil {
		message = *m
	}
	return code, message
}

func waitAsked(e *odataerrors.ODataError) time.Duration {
	h := http.Header{}
	for _, value := range e.ResponseHeaders.Get("Retry-After") {
		h.Add("Retry-After", value)
	}
	return retryAfter(h, time.Now())
}

// unavailable is for an answer that is no answer to the question.
func unavailable(who string, status int, after time.Duration) error {
	if status < 500 && status != http.StatusTooManyRequests {
		return problem.New(problem.KindUnavailable, "directory_network",
			"something else answered in place of %s (HTTP %d): is there a proxy that wants a sign-in?", who, status)
	}
	why := problem.New(problem.KindUnavailable, "directory_unavailable", "%s is out of order for the moment (HTTP %d)", who, status)
	switch {
	case after > 0:
		why = problem.New(problem.KindUnavailable, "directory_busy", "%s is busy and asks us to wait %s", who, after.Round(time.Second))
	case status == http.StatusTooManyRequests:
		why = problem.New(problem.KindUnavailable, "directory_busy", "%s is busy and asks us to wait", who)
	}
	return &directory.Later{After: after, Err: why}
}

// explainSignIn goes by the numbers that Microsoft says may change, so what it
// does not know it passes on in Microsoft's words.
func explainSignIn(r *http.Response) error {
	var answer struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
		Codes       []int  `json:"error_codes"`
	}
	body, _ := io.ReadAll(r.Body)
	if json.Unmarshal(body, &answer) != nil || answer.Error == "" {
		return unavailable("Microsoft's sign-in", r.StatusCode, retryAfter(r.Header, time.Now()))
	}
	for _, code := range answer.Codes {
		if known, ok := signInCodes[code]; ok {
			return problem.New(problem.KindConflict, known.code, "%s (AADSTS%d)", known.text, code)
		}
	}
	return problem.New(problem.KindConflict, "directory_sign_in", "Microsoft's sign-in refused us: %s", sentence(answer.Description, answer.Error))
}

// signInCodes are from MicrosoftDocs/entra-docs, reference-error-codes.
var signInCodes = map[int]struct{ code, text string }{
	90002:   {"directory_tenant", "there is no such tenant: the tenant id is wrong, or belongs to another cloud"},
	900023:  {"directory_tenant", "that is no tenant id"},
	90038:   {"directory_cloud", "the tenant belongs to another cloud of Microsoft's"},
	900382:  {"directory_cloud", "the tenant belongs to another cloud of Microsoft's"},
	900432:  {"directory_cloud", "the tenant belongs to another cloud of Microsoft's"},
	700016:  {"directory_client", "the tenant does not know the app: the client id is wrong, or the app was not consented to there"},
	700027:  {"directory_certificate", "the certificate is not one of the app's: upload its public part under Certificates & secrets in Entra"},
	700024:  {"directory_certificate", "the sign-in with the certificate was refused because of the time: is the clock of this machine right?"},
	7000112: {"directory_app_disabled", "the app is disabled in the tenant"},
	7000215: {"directory_secret", "the secret is wrong: was the Secret ID pasted instead of its Value?"},
	7000222: {"directory_secret_expired", "the secret has expired: make a new one in Entra and enter it here"},
	53003:   {"directory_policy", "a Conditional Access policy of the tenant blocks the app"},
	530032:  {"directory_policy", "a security policy of the tenant blocks the app"},
}

// sentence cuts a description before its trace ids: 'AADSTS50034: The user ...'.
func sentence(description, otherwise string) string {
	text, _, _ := strings.Cut(description, " Trace ID:")
	if text = firstLine(text); text == "" {
		return otherwise
	}
	return text
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(line)
}

func explainNetwork(err error) error {
	var name *net.DNSError
	var unknown x509.UnknownAuthorityError
	var certificate *tls.CertificateVerificationError
	var timeout net.Error
	passes := false
	why := "the connection failed"
	switch {
	case errors.As(err, &name):
		why = fmt.Sprintf("the name %s could not be found", name.Name)
	case errors.As(err, &unknown):
		why = "its certificate is from an authority that is not trusted here; is there an inspecting proxy? SSL_CERT_FILE names further authorities"
	case errors.As(err, &certificate):
		why = "its certificate is not valid"
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		why, passes = "there was no answer in time", true
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		why, passes = "the connection broke before the answer was complete", true
	default:
		var op *net.OpError
		if errors.As(err, &op) {
			why = fmt.Sprintf("%s: %v", op.Op, op.Err)
		}
	}
	p := problem.New(problem.KindUnavailable, "directory_network", "Microsoft cannot be reached: %s", why)
	if passes {
		return &directory.Later{Err: p}
	}
	return p
}
