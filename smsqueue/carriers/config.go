package carriers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"
)

// ReadConfig reads a carrier's configuration over the defaults in config. It is
// strict: an unknown field is an error. Errors name the field and never quote
// from the configuration: what stands in the wrong place may be a password.
func ReadConfig(raw json.RawMessage, config any) error {
	in := json.NewDecoder(bytes.NewReader(raw))
	in.DisallowUnknownFields()
	if err := in.Decode(config); err != nil {
		return readable(err)
	}
	if _, err := in.Token(); err != io.EOF {
		return errors.New("more than one JSON object")
	}
	return nil
}

const unknownField = "json: unknown field "

func readable(err error) error {
	var wrongType *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &wrongType) && wrongType.Field != "":
		return fmt.Errorf("%s: %s is expected", written(wrongType.Field), wanted(wrongType.Type))
	case strings.HasPrefix(err.Error(), unknownField):
		return fmt.Errorf("%s is not a field", strings.TrimPrefix(err.Error(), unknownField))
	case errors.As(err, &syntax):
		return fmt.Errorf("no JSON from byte %d on", syntax.Offset)
	}
	return errors.New("a JSON object is expected")
}

// written leaves the names of embedded structs out of a path: those stand in no
// configuration.
func written(path string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(path, "."), func(name string) bool { return unicode.IsUpper(rune(name[0])) }), ".")
}

func wanted(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[Duration]():
		return `a duration such as "30s"`
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Int:
		return "a whole number"
	}
	return "a " + t.String()
}

// Duration is written in a configuration as Go writes it: "30s", "1m30s".
type Duration time.Duration

func (d *Duration) UnmarshalJSON(raw []byte) error {
	var text string
	err := json.Unmarshal(raw, &text)
	if err == nil {
		var parsed time.Duration
		parsed, err = time.ParseDuration(text)
		*d = Duration(parsed)
	}
	if err != nil {
		return &json.UnmarshalTypeError{Type: reflect.TypeFor[Duration]()} // the decoder adds the field
	}
	return nil
}
