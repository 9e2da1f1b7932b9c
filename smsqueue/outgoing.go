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

func checkOutgoing(acc accounts.Account, text string, transliterate bool, sender string, lane, usual Lane, options smstext.Options) (outgoing, error) {
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
	o.split = options.Split(o.text)
	return o, checkParts("text", o.text, options)
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
