package httpcarrier

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/varsel/varsel/smsqueue/carriers"
)

// Link is what every provider's configuration has beside its credentials.
type Link struct {
	URL        string            `json:"url"`        // where the provider's API is, without a path of its own
	Window     int               `json:"window"`     // requests under way
	Throughput int               `json:"throughput"` // messages a second; 0 is no limit
	Timeout    carriers.Duration `json:"timeout"`    // from connecting to the end of the answer
}

// DefaultTimeout is longer than a provider in good health needs: what has not
// been answered by then is in doubt.
const DefaultTimeout = carriers.Duration(30 * time.Second)

// Read reads a provider's configuration over the defaults in config and checks it.
// Errors name the provider and the field and never hold a value.
func Read(provider string, raw json.RawMessage, config interface{ Check() error }) error {
	err := carriers.ReadConfig(raw, config)
	if err == nil {
		err = config.Check()
	}
	if err != nil {
		return fmt.Errorf("%s: configuration: %w", provider, err)
	}
	return nil
}

// windowMost is beyond what any provider allows one customer.
const windowMost = 1000

// Check says which field is wrong.
func (l Link) Check() error {
	return cmp.Or(
		checkURL(l.URL),
		checkRange("window", l.Window, 1, windowMost),
		checkRange("throughput", l.Throughput, 0, 1_000_000),
		checkTimeout(l.Timeout),
	)
}

// Credential checks a field that is sent to the provider and has to be there.
func Credential(field, value string) error {
	if value == "" || strings.ContainsFunc(value, func(r rune) bool { return r < 0x21 || r > 0x7E }) {
		return fmt.Errorf("%s: printable ASCII without spaces is expected", field)
	}
	return nil
}

func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("url: an http or https URL without credentials, query and fragment is expected")
	}
	return nil
}

func checkRange(field string, value, least, most int) error {
	if value < least || value > most {
		return fmt.Errorf("%s: %d to %d is expected", field, least, most)
	}
	return nil
}

func checkTimeout(d carriers.Duration) error {
	if d <= 0 {
		return errors.New("timeout: more than no time is expected")
	}
	return nil
}

// At is the address of a path below the URL.
func (l Link) At(path string) string { return strings.TrimRight(l.URL, "/") + path }
