package smsqueue

import (
	"strings"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/smsqueue/smstext"
)

const (
	// maxParts bounds a text: 10 parts are 1,520 GSM-7 or 660 UCS-2 characters.
	maxParts = 10
	// validity is how long a message may wait to be sent and receipted.
	validity = 48 * time.Hour
)

// outgoing is what single messages and campaigns have in common, checked.
type outgoing struct {
	text   string
	sender string
	lane   Lane
	split  smstext.Message
}

func checkOutgoing(acc accounts.Account, text string, transliterate bool, sender string, lane, usual Lane) (outgoing, error) {
	o, err := checkEnvelope(acc, sender, lane, usual)
	if err != nil {
		return o, err
	}
	if err := checkCharacters("text", text); err != nil {
		return o, err
	}
	if o.text = text; transliterate {
		o.text, _ = smstext.Transliterate(text)
	}
	if strings.TrimSpace(o.text) == "" {
		return o, problem.Invalid("text", "the text is empty")
	}
	return o, nil
}

// checkEnvelope is all but the text.
func checkEnvelope(acc accounts.Account, sender string, lane, usual Lane) (outgoing, error) {
	o := outgoing{sender: strings.TrimSpace(sender), lane: lane}
	if o.sender == "" {
		o.sender = acc.Sender
	}
	if o.lane == "" {
		o.lane = usual
	}
	switch o.lane {
	case Urgent, Normal, Bulk:
	default:
		return o, problem.Invalid("lane", "a lane is urgent, normal or bulk, not %q", lane)
	}
	if err := accounts.ValidSender(o.sender); err != nil {
		return o, err
	}
	if o.sender == "" {
		return o, problem.Invalid("sender", "name a sender: the account has no default")
	}
	return o, nil
}

// cut divides the text into its parts.
func (o *outgoing) cut(options smstext.Options) error {
	o.split = options.Split(o.text)
	if n := len(o.split.Parts); n > maxParts {
		return problem.Invalid("text", "the text needs %d parts and the limit is %d", n, maxParts)
	}
	return nil
}
