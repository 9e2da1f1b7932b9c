package smpp

import (
	"encoding/json"
	"math"
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
		{"one bad address of two", `"addr":"h:1,i"`, "addr: "},
		{"addresses twice", `"addrs":["h:1"]`, "addrs: "},
		{"no addresses", `"addr":"","addrs":[]`, "addr: "},
		{"bad addresses", `"addr":"","addrs":["h"]`, "addrs: "},
		{"address_range too long", `"address_range":"` + strings.Repeat("1", 41) + `"`, "address_range: "},
		{"service_type too long", `"service_type":"WAP123"`, "service_type: "},
		{"unknown way of long messages", `"long_messages":"` + secret + `"`, `long_messages: "udh", "sar" or "payload" is expected`},
		{"short reference without a header", `"short_reference":true,"long_messages":"sar"`, "short_reference: "},
		{"unknown alphabet", `"default_alphabet":"ebcdic"`, "default_alphabet: "},
		{"coding beyond an octet", `"gsm7_coding":256`, "gsm7_coding: at most 255"},
		{"one coding for both", `"gsm7_coding":8`, "ucs2_coding: "},
		{"a language by its name", `"languages":["Turkish"]`, "languages: "},
		{"type of number beyond an octet", `"source_ton":-1`, "source_ton: at least 0"},
		{"type of number of the wrong type", `"dest_npi":"1"`, "dest_npi: a whole number is expected"},
		{"status that is none", `"statuses":{"` + secret + `":"retry"}`, "statuses: a command_status"},
		{"status of success", `"statuses":{"0":"retry"}`, "statuses: a command_status"},
		{"kind that is none", `"statuses":{"0x455":"` + secret + `"}`, `statuses: "throttled"`},
		{"authority without TLS", `"tls_ca":"x"`, "tls_ca: it needs tls"},
		{"authority that is none", `"tls":true,"tls_ca":"` + secret + `"`, "tls_ca: certificates"},
		{"server name without TLS", `"tls_server_name":"h"`, "tls_server_name: it needs tls"},
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

func TestFeaturesFollowFromTheConfiguration(t *testing.T) {
	for change, want := range map[string]carriers.Features{
		``:                             {Slots: 1},
		`,"binds":4`:                   {Slots: 4},
		`,"binds":4,"throughput":3`:    {Slots: 3},
		`,"long_messages":"payload"`:   {Slots: 1, Whole: true},
		`,"default_alphabet":"latin1"`: {Slots: 1, Highest: 0xFF},
		`,"default_alphabet":"ascii"`:  {Slots: 1, Highest: 0x7F},
		`,"short_reference":true,"languages":["tr","es"]`: {Slots: 1, ShortReference: true, Languages: []string{"tr", "es"}},
	} {
		got, err := features(json.RawMessage(`{"addr":"h:1","system_id":"acme"` + change + `}`))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", change, diff)
		}
	}
}

// However the slots are dealt out, together they never exceed the totals, and
// nobody has nothing.
func TestSharesStayWithinTheTotals(t *testing.T) {
	for _, c := range []config{
		{Binds: 1, Window: 1, Throughput: 1},
		{Binds: 3, Window: 100, Throughput: 0},
		{Binds: 3, Window: 100, Throughput: 50},
		{Binds: 4, Window: 4, Throughput: 1000},
		{Binds: 10, Window: 17, Throughput: 3},
		{Binds: 7, Window: 700, Throughput: math.MaxInt},
	} {
		slots := c.slots()
		for one := 1; one <= slots; one++ {
			a, b := c.share(one), c.share(slots-one)
			if one == slots {
				b = config{}
			}
			if a.Binds < 1 || a.Window < a.Binds || c.Throughput > 0 && a.Throughput < 1 {
				t.Errorf("%d of %d slots of %+v are %+v", one, slots, c, a)
			}
			if a.Binds+b.Binds > c.Binds || a.Window+b.Window > c.Window || a.Throughput > c.Throughput-b.Throughput {
				t.Errorf("%d and %d slots of %+v are more than the whole", one, slots-one, c)
			}
		}
		if diff := cmp.Diff(c, c.share(0)); diff != "" {
			t.Error(diff)
		}
	}
	got := config{Binds: 6, Window: 600, Throughput: 60}.share(2)
	if got.Binds != 2 || got.Window != 200 || got.Throughput != 20 {
		t.Errorf("a third is %+v", got)
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
