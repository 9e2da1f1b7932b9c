package smpp

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/smsqueue/carriers"
)

const secret = "s3cr3t-w0rd"

func TestConfigurationHasDefaults(t *testing.T) {
	got, err := parseConfig(json.RawMessage(`{"addr":"smsc.example:2775","system_id":"acme","password":"` + secret + `"}`))
	if err != nil {
		t.Fatal(err)
	}
	want := config{
		Addr: "smsc.example:2775", SystemID: "acme", Password: secret,
		Bind: "transceiver", Binds: 1, Window: 100, LongMessages: "udh", DefaultAlphabet: "gsm7", UCS2Coding: 8,
		EnquireLink: carriers.Duration(30 * time.Second), ResponseTimeout: carriers.Duration(time.Minute),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestConfigurationErrorsNameTheFieldAndKeepTheSecret(t *testing.T) {
	tests := []struct {
		name, change, mention string
	}{
		{"unknown field", `"pasword":"x"`, `"pasword" is not a field`},
		{"no address", `"addr":""`, "addr: "},
		{"address without port", `"addr":"smsc.example"`, "addr: "},
		{"address without host", `"addr":":2775"`, "addr: "},
		{"no system_id", `"system_id":""`, "system_id: "},
		{"system_id too long", `"system_id":"1234567890123456"`, "system_id: "},
		{"password of the wrong type", `"password":["` + secret + `"]`, "password: a string is expected"},
		{"password with a line end", `"password":"` + secret + `\n"`, "password: "},
		{"password too long", `"password":"` + strings.Repeat(secret, 9) + `"`, "password: "},
		{"system_type too long", `"system_type":"1234567890123"`, "system_type: "},
		{"unknown bind", `"bind":"sender"`, "bind: "},
		{"no binds", `"binds":0`, "binds: at least 1"},
		{"binds of the wrong type", `"binds":"two"`, "binds: a whole number is expected"},
		{"window smaller than binds", `"binds":4,"window":3`, "window: at least 4"},
		{"too many binds", `"binds":101,"window":200`, "binds: at most 100"},
		{"endless window", `"window":100001`, "window: at most 100000"},
		{"negative throughput", `"throughput":-1`, "throughput: "},
		{"no duration", `"enquire_link":"soon"`, "enquire_link: "},
		{"no time at all", `"response_timeout":"0s"`, "response_timeout: "},
		{"number as duration", `"response_timeout":60`, "response_timeout: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			raw := `{"addr":"h:1","system_id":"acme","password":"` + secret + `",` + tt.change + `}`
			_, err := features(json.RawMessage(raw))
			if err == nil || !strings.Contains(err.Error(), tt.mention) {
				t.Fatalf("got %v; want a mention of %q", err, tt.mention)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the password is in %q", err)
			}
		})
	}
}

func TestConfigurationThatIsNoJSONObject(t *testing.T) {
	for _, raw := range []string{
		``, `null`, `[]`, `"` + secret + `"`, `{"password":"` + secret + `"`,
		`{"addr":"h:1","system_id":"acme"} {"password":"` + secret + `"}`,
		`{"password":` + secret + `}`,
	} {
		_, err := features(json.RawMessage(raw))
		if err == nil {
			t.Errorf("%s was accepted", raw)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("the password is in %q", err)
		}
	}
}

func TestWindowIsSharedByTheBinds(t *testing.T) {
	for _, tt := range []struct {
		binds, window int
		want          []int
	}{
		{1, 100, []int{100}},
		{3, 100, []int{34, 33, 33}},
		{4, 4, []int{1, 1, 1, 1}},
	} {
		got := config{Binds: tt.binds, Window: tt.window}.windows()
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%d over %d binds:\n%s", tt.window, tt.binds, diff)
		}
	}
}
