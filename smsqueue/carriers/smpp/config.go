package smpp

import (
	"cmp"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/smstext"
)

// config is what an operator writes. Binds, Window and Throughput are totals
// for the installation.
type config struct {
	// Addr is one host:port, or several with commas between them; Addrs is
	// another way to write several. Binds are spread over them, and a bind
	// whose host is away goes to the next.
	Addr       string   `json:"addr"`
	Addrs      []string `json:"addrs"`
	SystemID   string   `json:"system_id"`
	Password   string   `json:"password"`
	SystemType string   `json:"system_type"`
	// AddressRange is what a receiver asks for; most carriers want it empty.
	AddressRange string `json:"address_range"`
	Bind         string `json:"bind"` // transceiver, transmitter_receiver, transmitter or receiver
	Binds        int    `json:"binds"`
	Window       int    `json:"window"`     // parts submitted and not answered
	Throughput   int    `json:"throughput"` // parts a second; 0 is no limit
	TLS          bool   `json:"tls"`
	// TLSCA are certificates in PEM to trust instead of the system's.
	TLSCA string `json:"tls_ca"`
	// TLSServerName is the name that the certificate has to hold; empty is the host's.
	TLSServerName string `json:"tls_server_name"`

	// LongMessages is how a text of several parts travels: udh (each part with
	// a user data header), sar (each part with SAR fields) or payload (whole, in
	// message_payload: the carrier cuts it).
	LongMessages string `json:"long_messages"`
	// ShortReference: the carrier only takes the 8-bit concatenation reference.
	ShortReference bool `json:"short_reference"`
	// DefaultAlphabet is what data_coding GSM7Coding means here: gsm7, latin1
	// or ascii.
	DefaultAlphabet string `json:"default_alphabet"`
	GSM7Coding      int    `json:"gsm7_coding"`
	UCS2Coding      int    `json:"ucs2_coding"`
	// Languages are those whose shift tables the carrier passes on: "tr", "es", ...
	Languages []string `json:"languages"`

	// Unset, a type of number and a plan follow from the address.
	SourceTON   *int   `json:"source_ton"`
	SourceNPI   *int   `json:"source_npi"`
	DestTON     *int   `json:"dest_ton"`
	DestNPI     *int   `json:"dest_npi"`
	ServiceType string `json:"service_type"`
	// Statuses says what a command_status of the carrier's own means, such as
	// {"0x455": "throttled"}, before the table in status.go.
	Statuses map[string]string `json:"statuses"`

	// Silence after which the peer is asked for a sign of life.
	EnquireLink carriers.Duration `json:"enquire_link"`
	// For a bind, a submission, an enquire_link, a write.
	ResponseTimeout carriers.Duration `json:"response_timeout"`
}

const (
	transceiverBind         = "transceiver"
	transmitterReceiverBind = "transmitter_receiver"
	transmitterBind         = "transmitter"
	receiverBind            = "receiver"

	udhParts     = "udh"
	sarParts     = "sar"
	payloadWhole = "payload"

	gsm7Alphabet   = "gsm7"
	latin1Alphabet = "latin1"
	asciiAlphabet  = "ascii"
)

func defaultConfig() config {
	return config{
		Bind:            transceiverBind,
		Binds:           1,
		Window:          100,
		LongMessages:    udhParts,
		DefaultAlphabet: gsm7Alphabet,
		UCS2Coding:      8,
		EnquireLink:     carriers.Duration(30 * time.Second),
		ResponseTimeout: carriers.Duration(60 * time.Second),
	}
}

// Type is SMPP as the queue knows it.
var Type = carriers.Type{Features: features, Open: Open}

func features(raw json.RawMessage) (carriers.Features, error) {
	c, err := parseConfig(raw)
	if err != nil {
		return carriers.Features{}, err
	}
	return carriers.Features{
		Whole:          c.LongMessages == payloadWhole,
		Slots:          c.slots(),
		ShortReference: c.ShortReference,
		Languages:      c.Languages,
		Highest:        highest[c.DefaultAlphabet],
	}, nil
}

// highest is the last character of those alphabets that have one octet for each.
var highest = map[string]rune{latin1Alphabet: 0xFF, asciiAlphabet: 0x7F}

func parseConfig(raw json.RawMessage) (config, error) {
	c := defaultConfig()
	err := carriers.ReadConfig(raw, &c)
	if err == nil {
		err = c.check()
	}
	if err != nil {
		return config{}, fmt.Errorf("smpp: configuration: %w", err)
	}
	return c, nil
}

func (c config) check() error {
	return cmp.Or(
		c.checkHosts(),
		checkText("system_id", c.SystemID, 1, 15),
		// SMPP 3.4 gives a password 8 octets; carriers give longer ones.
		checkText("password", c.Password, 0, 64),
		checkText("system_type", c.SystemType, 0, 12),
		checkText("address_range", c.AddressRange, 0, 40),
		checkText("service_type", c.ServiceType, 0, 5),
		checkOneOf("bind", c.Bind, transceiverBind, transmitterReceiverBind, transmitterBind, receiverBind),
		checkRange("binds", c.Binds, 1, bindsMost),
		checkRange("window", c.Window, c.Binds, windowMost),
		checkRange("throughput", c.Throughput, 0, math.MaxInt),
		c.checkTLS(),
		checkOneOf("long_messages", c.LongMessages, udhParts, sarParts, payloadWhole),
		c.checkShortReference(),
		checkOneOf("default_alphabet", c.DefaultAlphabet, gsm7Alphabet, latin1Alphabet, asciiAlphabet),
		checkRange("gsm7_coding", c.GSM7Coding, 0, 255),
		checkRange("ucs2_coding", c.UCS2Coding, 0, 255),
		c.checkCodings(),
		c.checkLanguages(),
		checkOctet("source_ton", c.SourceTON),
		checkOctet("source_npi", c.SourceNPI),
		checkOctet("dest_ton", c.DestTON),
		checkOctet("dest_npi", c.DestNPI),
		checkStatuses(c.Statuses),
		checkPositive("enquire_link", c.EnquireLink),
		checkPositive("response_timeout", c.ResponseTimeout),
	)
}

func (c config) checkHosts() error {
	if c.Addr != "" && len(c.Addrs) > 0 {
		return errors.New("addrs: all hosts belong here, or all in addr")
	}
	field, hosts := "addr", c.hosts()
	if len(c.Addrs) > 0 {
		field = "addrs"
	}
	if len(hosts) == 0 {
		return fmt.Errorf("%s: host:port is expected", field)
	}
	for _, addr := range hosts {
		if host, port, err := net.SplitHostPort(addr); err != nil || host == "" || port == "" {
			return fmt.Errorf("%s: host:port is expected", field)
		}
	}
	return nil
}

// hosts are the addresses of Addr or of Addrs.
func (c config) hosts() []string {
	list := c.Addrs
	if c.Addr != "" {
		list = strings.Split(c.Addr, ",")
	}
	var hosts []string
	for _, one := range list {
		hosts = append(hosts, strings.TrimSpace(one))
	}
	return hosts
}

func (c config) checkTLS() error {
	switch {
	case c.TLSCA != "" && !c.TLS:
		return errors.New("tls_ca: it needs tls to be true")
	case c.TLSServerName != "" && !c.TLS:
		return errors.New("tls_server_name: it needs tls to be true")
	case c.TLSCA != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(c.TLSCA)):
		return errors.New("tls_ca: certificates in PEM are expected")
	}
	return nil
}

func (c config) checkShortReference() error {
	if c.ShortReference && c.LongMessages != udhParts {
		return fmt.Errorf("short_reference: it needs long_messages to be %q", udhParts)
	}
	return nil
}

// checkCodings: what arrives has to be told apart, too.
func (c config) checkCodings() error {
	if c.GSM7Coding == c.UCS2Coding {
		return errors.New("ucs2_coding: it has to differ from gsm7_coding")
	}
	return nil
}

func (c config) checkLanguages() error {
	for _, language := range c.Languages {
		if _, err := smstext.ParseLanguage(language); err != nil {
			return fmt.Errorf("languages: %w", err)
		}
	}
	if len(c.Languages) > 0 && (c.LongMessages != udhParts || c.DefaultAlphabet != gsm7Alphabet) {
		return fmt.Errorf("languages: they need long_messages to be %q and default_alphabet %q", udhParts, gsm7Alphabet)
	}
	return nil
}

func checkOneOf(field, value string, allowed ...string) error {
	for _, one := range allowed {
		if value == one {
			return nil
		}
	}
	last := len(allowed) - 1
	return fmt.Errorf(`%s: "%s" or "%s" is expected`, field, strings.Join(allowed[:last], `", "`), allowed[last])
}

func checkText(field, value string, least, most int) error {
	if len(value) < least || len(value) > most {
		return fmt.Errorf("%s: %d to %d characters are expected", field, least, most)
	}
	if !printable(value) {
		return fmt.Errorf("%s: only printable ASCII can be sent", field)
	}
	return nil
}

// Beyond what any carrier gives, and still within what a process can hold.
const (
	bindsMost  = 100
	windowMost = 100_000
)

func checkRange(field string, value, least, most int) error {
	if value < least {
		return fmt.Errorf("%s: at least %d is expected", field, least)
	}
	if value > most {
		return fmt.Errorf("%s: at most %d is expected", field, most)
	}
	return nil
}

func checkOctet(field string, value *int) error {
	if value == nil {
		return nil
	}
	return checkRange(field, *value, 0, 255)
}

func checkPositive(field string, d carriers.Duration) error {
	if d <= 0 {
		return fmt.Errorf("%s: more than no time is expected", field)
	}
	return nil
}

func checkStatuses(statuses map[string]string) error {
	for written, kind := range statuses {
		if s, err := parseStatus(written); err != nil || s == 0 {
			return errors.New(`statuses: a command_status such as "0x455" is expected before each colon`)
		}
		if err := checkOneOf("statuses", kind, string(carriers.Throttled), string(carriers.Retry), string(carriers.Rejected), string(carriers.Misconfigured)); err != nil {
			return err
		}
	}
	return nil
}

// parseStatus reads 0x455 or 1109.
func parseStatus(written string) (status, error) {
	n, err := strconv.ParseUint(written, 0, 32)
	return status(int32(uint32(n))), err
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7E {
			return false
		}
	}
	return true
}

func (c config) enquireLink() time.Duration     { return time.Duration(c.EnquireLink) }
func (c config) responseTimeout() time.Duration { return time.Duration(c.ResponseTimeout) }
