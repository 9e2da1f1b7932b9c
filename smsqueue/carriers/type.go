package carriers

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/varsel/varsel/smsqueue/smstext"
)

// Type is a kind of carrier that can be configured.
type Type struct {
	// Features checks a configuration and tells what a carrier with it can do.
	// An error names the field and never holds a value of it.
	Features func(config json.RawMessage) (Features, error)
	Open     Opener
	// Hear reads what the provider posts to the carrier's CallbackURL; nil for a
	// carrier that has links of its own. A callback that is not the provider's,
	// or cannot be read, is an Error of kind Rejected.
	Hear func(config json.RawMessage, c Callback) (Heard, error)
}

// Features are what a carrier can do, known from its configuration alone.
type Features struct {
	// Whole: the carrier takes a message in one submission and cuts it itself.
	Whole bool `json:"whole,omitempty"`
	// Slots is into how many equal shares the carrier can be divided over
	// processes; 0 is one.
	Slots int `json:"slots,omitempty"`
	// ShortReference: the carrier only takes the 8-bit reference of parts, of
	// which Submission.Reference is cut to its low octet; a part then has room
	// for one septet more.
	ShortReference bool `json:"short_reference,omitempty"`
	// Languages are those whose national shift tables the carrier passes on to
	// handsets (3GPP TS 23.038 A): "tr", "es", "pt".
	Languages []string `json:"languages,omitempty"`
	// Highest is the last character of the carrier's own alphabet; see
	// smstext.Options. What is beyond goes in UCS-2.
	Highest rune `json:"highest,omitempty"`
}

// Text is how texts are cut for the carrier.
func (f Features) Text() smstext.Options {
	o := smstext.Options{ShortReference: f.ShortReference, Highest: f.Highest}
	for _, code := range f.Languages {
		if l, err := smstext.ParseLanguage(code); err == nil { // the configuration was checked
			o.Languages = append(o.Languages, l)
		}
	}
	return o
}

// CommonText is how texts are cut that any of several carriers may send: with what all
// of them have.
func CommonText(all []Features) smstext.Options {
	o := all[0].Text()
	for _, f := range all[1:] {
		other := f.Text()
		o.ShortReference = o.ShortReference && other.ShortReference
		if o.Highest == 0 || other.Highest != 0 && other.Highest < o.Highest {
			o.Highest = other.Highest
		}
		o.Languages = slices.DeleteFunc(o.Languages, func(l smstext.Language) bool { return !slices.Contains(other.Languages, l) })
	}
	return o
}

// Cut cuts a text into so many parts, which it has when it is cut with what this
// carrier and others have in common. Where nothing of what the carrier can do makes
// so many, it is cut with all of it.
func (f Features) Cut(text string, parts int) smstext.Message {
	best := f.Text().Split(text)
	if len(best.Parts) == parts {
		return best
	}
	for _, o := range f.Text().Lesser() {
		if m := o.Split(text); len(m.Parts) == parts {
			return m
		}
	}
	return best
}

// Setting is what a carrier is opened with.
type Setting struct {
	Events
	// CallbackURL is where the provider can post receipts and inbound messages;
	// empty when the installation has no public address.
	CallbackURL string
	// Share is how many of the carrier's slots this process has; 0 is all of
	// them. Limits answers those of the share.
	Share int
}

// Callback is a request that a provider made to a carrier's CallbackURL.
type Callback struct {
	Method string
	URL    string // as the provider has called it, with its query
	Header http.Header
	Body   []byte
}

// Heard is what a callback told, and what to answer when all of it is stored.
type Heard struct {
	Receipts    []Receipt
	Inbound     []Inbound
	ContentType string // of Reply
	Reply       []byte // the body of the 200; empty for none
}
