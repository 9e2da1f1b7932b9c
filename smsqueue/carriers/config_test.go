package carriers

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type sample struct {
	Key   string   `json:"key"`
	Tries int      `json:"tries"`
	TLS   bool     `json:"tls"`
	Wait  Duration `json:"wait"`
	Common
}

type Common struct {
	Size int `json:"size"`
}

func TestConfigurationIsReadOverDefaults(t *testing.T) {
	got := sample{Tries: 3, Wait: Duration(time.Second)}
	if err := ReadConfig(json.RawMessage(` {"key":"k","wait":"1m30s"} `), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sample{Key: "k", Tries: 3, Wait: Duration(90 * time.Second)}, got); diff != "" {
		t.Error(diff)
	}
}

func TestConfigurationErrorsNameTheFieldAndQuoteNothing(t *testing.T) {
	const secret = "s3cr3t"
	for raw, want := range map[string]string{
		`{"kye":"s3cr3t"}`:                `"kye" is not a field`,
		`{"key":["s3cr3t"]}`:              "key: a string is expected",
		`{"tries":"s3cr3t"}`:              "tries: a whole number is expected",
		`{"tries":1.5}`:                   "tries: a whole number is expected",
		`{"tls":"s3cr3t"}`:                "tls: true or false is expected",
		`{"wait":"s3cr3t"}`:               `wait: a duration such as "30s" is expected`,
		`{"key":"s3cr3t","wait":30}`:      `wait: a duration such as "30s" is expected`,
		`{"size":"s3cr3t"}`:               "size: a whole number is expected",
		`{"key":s3cr3t}`:                  "no JSON from byte 8 on",
		`{"key":"s3cr3t"`:                 "a JSON object is expected",
		``:                                "a JSON object is expected",
		`["s3cr3t"]`:                      "a JSON object is expected",
		`{"key":"k"} {"key":"s3cr3t"}`:    "more than one JSON object",
		`{"key":"k"} s3cr3t`:              "more than one JSON object",
		`{"key":"k","wait":{"x":"s3cr"}}`: `wait: a duration such as "30s" is expected`,
	} {
		var c sample
		err := ReadConfig(json.RawMessage(raw), &c)
		if err == nil {
			t.Errorf("%s was accepted", raw)
			continue
		}
		if diff := cmp.Diff(want, err.Error()); diff != "" {
			t.Errorf("%s:\n%s", raw, diff)
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: quoted in %q", raw, err)
		}
	}
}
