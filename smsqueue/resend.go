package smsqueue

import (
	"context"
	"slices"

	"github.com/varsel/varsel/internal/problem"
)

// Resendable are the statuses whose messages may be sent again: those that did not,
// or perhaps not, reach their recipient.
var Resendable = []Status{Unconfirmed, Undelivered, Expired, Rejected, Failed, Cancelled, Skipped}

// Resend starts a campaign with the text of an earlier one, to those of its
// recipients that fit the filter. One that was made from a template says what the
// version of then says, also after it was changed or archived. Without statuses it is all of Resendable. With a
// key, the same request takes effect once.
func (q *Queue) Resend(ctx context.Context, account, id int64, f AudienceFilter, key, hash string) (Campaign, error) {
	if len(f.Statuses) == 0 {
		f.Statuses = Resendable
	}
	for _, s := range f.Statuses {
		if !slices.Contains(Resendable, s) {
			return Campaign{}, problem.Invalid("statuses", "only messages that are one of %v are sent again, not %q", Resendable, s)
		}
	}
	c, err := q.Campaign(ctx, account, id)
	if err != nil {
		return Campaign{}, err
	}
	if err := q.mayRepeat(ctx, c); err != nil {
		return Campaign{}, err
	}
	n := c.again()
	n.Filter, n.Name, n.Windows, n.Validity, n.Key, n.RequestHash = f, c.Name, c.Windows, c.Validity, key, hash
	return q.StartCampaign(ctx, account, n)
}

// mayRepeat refuses what was removed after its time.
func (q *Queue) mayRepeat(ctx context.Context, c Campaign) error {
	if c.Text == "" && c.Template == 0 {
		return ErrTextGone
	}
	gone, err := numbersGone(ctx, q.db, c.Account, c.ID)
	if err == nil && gone {
		err = ErrNumbersGone
	}
	return err
}

// again is a campaign that says the same to recipients of this one.
func (c Campaign) again() NewCampaign {
	n := NewCampaign{Source: c.ID, Text: c.Text, Transliterate: c.Transliterate, Sender: c.Sender, Lane: c.Lane}
	if c.Template != 0 {
		n.Text, n.Template, n.version = "", c.Template, c.Version
	}
	return n
}

// Outcome is how many messages of a campaign ended in one way.
type Outcome struct {
	Status   Status
	Reason   string
	Messages int
}

// Outcomes counts a campaign's messages that may be sent again, by status and
// reason, in the order of a message's life and then the most frequent first.
func (q *Queue) Outcomes(ctx context.Context, account int64, c Campaign) ([]Outcome, error) {
	if !slices.ContainsFunc(Resendable, func(s Status) bool { return c.Counts[s] > 0 }) {
		return nil, nil
	}
	all, err := selectOutcomes(ctx, q.db, account, c.ID)
	slices.SortFunc(all, func(a, b Outcome) int {
		if a.Status != b.Status {
			return slices.Index(Statuses, a.Status) - slices.Index(Statuses, b.Status)
		}
		return b.Messages - a.Messages
	})
	return all, err
}
