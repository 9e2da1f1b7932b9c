package smpp

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"time"

	"github.com/varsel/varsel/smsqueue/carriers"
)

// config is what an operator writes. Binds, Window and Throughput are totals
// for the installation.
type config struct {
	Addr       string `json:"addr"`
	SystemID   string `json:"system_id"`
	Password   string `json:"password"`
	SystemType string `json:"system_type"`
	Bind       string `json:"bind"`
	Binds      int    `json:"binds"`
	Window     int    `json:"window"`     // parts submitted and not answered
	Throughput int    `json:"throughput"` // parts a second; 0 is no limit
	TLS        bool   `json:"tls"`
	// Silence after which the peer is asked for a sign of life.
	EnquireLink carriers.Duration `json:"enquire_link"`
	// For a bind, a submission, an enquire_link, a write.
	ResponseTimeout carriers.Duration `json:"response_timeout"`
}

const (
	transceiverBind         = "transceiver"
	transmitterReceiverBind = "transmitter_receiver"
)

func defaultConfig() config {
	return config{
		Bind:            transceiverBind,
		Binds:           1,
		Window:          100,
		EnquireLink:     carriers.Duration(30 * time.Second),
		ResponseTimeout: carriers.Duration(60 * time.Second),
	}
}

// Type is SMPP as the queue knows it.
var Type = carriers.Type{Features: features, Open: Open}

func features(raw json.RawMessage) (carriers.Features, error) {
	_, err := parseConfig(raw)
	return carriers.Features{}, err
}

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
		checkAddr(c.Addr),
		checkText("system_id", c.SystemID, 1, 15),
		// SMPP 3.4 gives a password 8 octets; carriers give longer ones.
		checkText("password", c.Password, 0, 64),
		checkText("system_type", c.SystemType, 0, 12),
		checkBind(c.Bind),
		checkRange("binds", c.Binds, 1, bindsMost),
		checkRange("window", c.Window, c.Binds, windowMost),
		checkRange("throughput", c.Throughput, 0, math.MaxInt),
		checkPositive("enquire_link", c.EnquireLink),
		checkPositive("response_timeout", c.ResponseTimeout),
	)
}

func checkAddr(addr string) error {
	if host, port, err := net.SplitHostPort(addr); err != nil || host == "" || port == "" {
		return errors.New("addr: host:port is expected")
	}
	return nil
}

func checkBind(bind string) error {
	if bind != transceiverBind && bind != transmitterReceiverBind {
		return fmt.Errorf("bind: %q or %q is expected", transceiverBind, transmitterReceiverBind)
	}
	return nil
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

func checkPositive(field string, d carriers.Duration) error {
	if d <= 0 {
		return fmt.Errorf("%s: more than no time is expected", field)
	}
	return nil
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

// windows shares the window out over the binds: none gets less than one place.
func (c config) windows() []int {
	shares := make([]int, c.Binds)
	for i := range shares {
		shares[i] = c.Window / c.Binds
		if i < c.Window%c.Binds {
			shares[i]++
		}
	}
	return shares
}
