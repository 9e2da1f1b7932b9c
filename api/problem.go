package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/internal/problem"
)

// Problem is an error as clients read it (RFC 9457).
type Problem struct {
	Type      string  `json:"type" doc:"Always about:blank: the title is that of the status." example:"about:blank"`
	Title     string  `json:"title" example:"Unprocessable Entity"`
	Status    int     `json:"status" example:"422"`
	Detail    string  `json:"detail" doc:"A sentence for people." example:"the text is empty"`
	Code      string  `json:"code" doc:"What a program can rely on." example:"invalid_text"`
	Errors    []Fault `json:"errors,omitempty" doc:"The fields that are wrong."`
	RequestID string  `json:"request_id,omitempty" doc:"With a 500: name it when you report the fault."`
}

// Fault is what is wrong with one field.
type Fault struct {
	In      string `json:"in,omitempty" enum:"query,header,path" doc:"Where the field is, if not in the body."`
	Pointer string `json:"pointer" doc:"The field, as a JSON pointer (RFC 6901)." example:"/text"`
	Detail  string `json:"detail" example:"the text is empty"`
}

const problemType = "application/problem+json"

func (p *Problem) Error() string { return p.Detail }

// GetStatus makes it an error that huma answers as it is.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType tells huma that it is a problem document.
func (p *Problem) ContentType(string) string { return problemType }

// retryAfter is how long a client waits, in seconds, before it tries again what
// does not work now.
const retryAfter = "5"

// GetHeaders are those that go with the status.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.RequestID != "" {
		h.Set("X-Request-Id", p.RequestID)
	}
	switch p.Status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="varsel"`)
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", retryAfter)
	}
	return h
}

func newProblem(status int, code, detail string, faults ...Fault) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail, Errors: faults}
}

var statuses = map[problem.Kind]int{
	problem.KindInvalid:     http.StatusUnprocessableEntity,
	problem.KindNotFound:    http.StatusNotFound,
	problem.KindConflict:    http.StatusConflict,
	problem.KindGone:        http.StatusGone,
	problem.KindForbidden:   http.StatusForbidden,
	problem.KindUnknown:     http.StatusUnauthorized,
	problem.KindUnavailable: http.StatusServiceUnavailable,
}

// problemOf is what a client is told of an error in an operation. What is not
// meant for people goes to the log alone.
func problemOf(ctx context.Context, operation string, err error) *Problem {
	var ready *Problem
	if errors.As(err, &ready) {
		return ready
	}
	if p := problem.As(err); p != nil && statuses[p.Kind] != 0 {
		return meant(p)
	}
	if errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		slog.Error("request ran out of time", "operation", operation, "error", err)
		return newProblem(http.StatusServiceUnavailable, "timeout", "this took too long; try again")
	}
	return unexpected(operation, err)
}

func meant(p *problem.Problem) *Problem {
	var faults []Fault
	if p.Kind == problem.KindInvalid || p.Field != "" {
		faults = []Fault{{Pointer: "/" + p.Field, Detail: p.Text}}
	}
	return newProblem(statuses[p.Kind], p.Code, p.Text, faults...)
}

// placed says where in the body a refusal's field is, as a JSON pointer without its first
// slash, where the rooms call it otherwise than the body does.
func placed(err error, where func(field string) string) error {
	p := problem.As(err)
	if p == nil || p.Field == "" {
		return err
	}
	found := *p
	found.Field = where(p.Field)
	return &found
}

// always is where a refusal's field is, whatever it is called.
func always(pointer string) func(string) string { return func(string) string { return pointer } }

func unexpected(operation string, cause error, more ...any) *Problem {
	p := newProblem(http.StatusInternalServerError, "internal", "something went wrong here; it is in the log under the request's id")
	p.RequestID = newRequestID()
	slog.Error("request failed", append([]any{"request", p.RequestID, "operation", operation, "error", cause}, more...)...)
	return p
}

func newRequestID() string {
	raw := make([]byte, 10)
	rand.Read(raw)
	return "req_" + hex.EncodeToString(raw)
}

// ErrorHandler answers with a problem document what no handler has answered: an
// unknown path, another method, a body that is too large, a panic.
func ErrorHandler(c *fiber.Ctx, err error) error {
	answer := send
	if isSCIM(c) {
		answer = sendSCIMError
	}
	var said *fiber.Error
	if errors.As(err, &said) && said.Code < http.StatusInternalServerError {
		return answer(c, ofStatus(c, said.Code))
	}
	return answer(c, problemOf(c.UserContext(), c.Method()+" "+c.Route().Path, err))
}

// ofStatus does not repeat the error's text: it can hold parts of a request
// that could not be read.
func ofStatus(c *fiber.Ctx, status int) *Problem {
	switch status {
	case http.StatusNotFound:
		return newProblem(status, "not_found", fmt.Sprintf("there is no %s %s", c.Method(), c.Path()))
	case http.StatusMethodNotAllowed:
		return newProblem(status, "method_not_allowed", fmt.Sprintf("%s does not take %s", c.Path(), c.Method()))
	case http.StatusRequestEntityTooLarge:
		return tooLarge()
	case http.StatusBadRequest:
		return newProblem(status, "bad_request", "this is not a request that can be read")
	}
	title := http.StatusText(status)
	return newProblem(status, strings.ReplaceAll(strings.ToLower(title), " ", "_"), title)
}

func tooLarge() *Problem {
	return newProblem(http.StatusRequestEntityTooLarge, "body_too_large", "the body is larger than what is taken here; most take 1 MiB")
}

func send(c *fiber.Ctx, p *Problem) error {
	for name := range p.GetHeaders() {
		c.Set(name, p.GetHeaders().Get(name))
	}
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, problemType)
	return c.Status(p.Status).Send(body)
}
