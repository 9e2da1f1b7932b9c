package api

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
)

// refuse gives what huma refuses by itself the shape of all other problems. The
// values that huma would repeat are left out.
func refuse(ctx huma.Context, status int, text string, errs ...error) huma.StatusError {
	switch status {
	case http.StatusUnprocessableEntity:
		return invalid(errs)
	case http.StatusBadRequest:
		if ctx != nil && ctx.Operation().RequestBody.Content[csvType] != nil {
			return newProblem(status, "file_empty", "the body is empty: send the list as text/csv")
		}
		return newProblem(status, "invalid_json", "the body is not JSON: "+firstText(errs, text))
	case http.StatusUnsupportedMediaType:
		return newProblem(status, "unsupported_media_type", "send the body as application/json")
	case http.StatusRequestEntityTooLarge:
		return tooLarge()
	case http.StatusInternalServerError:
		return unexpected(nameOf(ctx.Operation()), fmt.Errorf("%s: %w", text, errors.Join(errs...)))
	}
	return newProblem(status, "refused", text)
}

func firstText(errs []error, otherwise string) string {
	for _, err := range errs {
		var d *huma.ErrorDetail
		if errors.As(err, &d) && d.Location == "body" {
			return d.Message
		}
	}
	return otherwise
}

func invalid(errs []error) *Problem {
	faults := make([]Fault, 0, len(errs))
	code := ""
	for _, err := range errs {
		f, one := faultOf(err)
		if code != "" && code != one {
			one = "invalid_request"
		}
		code = one
		faults = append(faults, f)
	}
	slices.SortStableFunc(faults, func(a, b Fault) int { return strings.Compare(a.Pointer, b.Pointer) })
	return newProblem(http.StatusUnprocessableEntity, code, summary(faults), faults...)
}

func summary(faults []Fault) string {
	if len(faults) != 1 {
		return fmt.Sprintf("%d things are wrong with this request", len(faults))
	}
	if faults[0].Pointer == "" {
		return faults[0].Detail
	}
	return faults[0].Pointer[1:] + ": " + faults[0].Detail
}

// unknownParameter is huma's sentence, which has no name there.
const unknownParameter = "unknown query parameter"

// faultOf also answers the problem's code if this is its only fault. A field
// that we do not know does not get into the code, which is ours alone.
func faultOf(err error) (Fault, string) {
	var d *huma.ErrorDetail
	if !errors.As(err, &d) {
		return Fault{Detail: "cannot be read"}, "invalid_request"
	}
	f := Fault{Pointer: pointer(d.Location), Detail: d.Message}
	if place, _, _ := strings.Cut(d.Location, "."); place != "body" && !strings.HasPrefix(place, "body[") {
		f.In = place
	}
	if field, ok := missingField(d.Message); ok {
		f.Pointer, f.Detail = f.Pointer+"/"+escape(field), "is required"
	}
	switch {
	case d.Message == validation.MsgUnexpectedProperty:
		f.Detail = "there is no such field"
		return f, "invalid_request"
	case d.Message == unknownParameter, f.Pointer == "":
		return f, "invalid_request"
	}
	return f, "invalid_" + fieldName(f.Pointer)
}

// missingField takes the name out of huma's sentence, which is about the object
// that lacks it.
func missingField(message string) (string, bool) {
	before, after, _ := strings.Cut(validation.MsgExpectedRequiredProperty, "%s")
	rest, ok := strings.CutPrefix(message, before)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, after)
}

// fieldName is the outermost field, as it stands in codes.
func fieldName(pointer string) string {
	name, _, _ := strings.Cut(pointer[1:], "/")
	return strings.ToLower(strings.ReplaceAll(name, "-", "_"))
}

// pointer is a place as huma writes it, "body.contacts[3].name", as a JSON
// pointer: "/contacts/3/name".
func pointer(location string) string {
	at := strings.IndexAny(location, ".[")
	if at < 0 {
		return ""
	}
	var b strings.Builder
	for step := range strings.FieldsFuncSeq(location[at:], func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		b.WriteString("/" + escape(step))
	}
	return b.String()
}

func escape(step string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(step)
}
