package smsqueue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/smsqueue/carriers"
)

// Inbound is a message that somebody texted to one of our numbers.
type Inbound struct {
	ID          int64
	Account     int64  // 0 when nobody has the number
	Carrier     string // its name
	Contact     int64  // 0 when the number is no contact's of the account, or several'
	ContactName string
	From        string // E.164; else as the carrier wrote it
	To          string // E.164, or a short code
	Text        string
	Parts       int
	Missing     int       // parts that never came; […] stands in their place
	Received    time.Time // its first part

	Campaign     int64 // what it answers, 0 when that is not known
	CampaignName string
	Message      int64     // of the campaign, or a single one; 0 when that is not known
	Action       string    // what was done because of its words: stop, start, help, ActionAnswer; empty for nothing
	Handled      time.Time // when somebody dealt with it
}

// ActionAnswer says that its words were counted as an answer to a roll call.
const ActionAnswer = "answer"

// Open says that somebody is to read it: nothing was done because of its words,
// and nobody has dealt with it.
func (m Inbound) Open() bool { return m.Action == "" && m.Handled.IsZero() }

// Incomplete says that a part of it never came.
func (m Inbound) Incomplete() bool { return m.Missing > 0 }

// Nobody is the account of messages to numbers that no account has.
const Nobody int64 = 0

// InboundFilter chooses received messages. Zero values choose all.
type InboundFilter struct {
	Open     bool  // only those that somebody is to read
	Campaign int64 // only those that answer it
	Contact  int64
	Before   int64 // only ids below it
	Limit    int
}

// Inbound lists what the account received, the newest first.
func (q *Queue) Inbound(ctx context.Context, account int64, f InboundFilter) ([]Inbound, error) {
	where, args := `WHERE i.account_id = $1 AND i.id < $2`, []any{account, older(f.Before), f.Limit}
	if f.Open {
		where += ` AND i.action = '' AND i.handled_at = 0`
	}
	if f.Campaign != 0 {
		args = append(args, f.Campaign)
		where += fmt.Sprintf(` AND i.campaign_id = $%d AND i.campaign_id <> 0`, len(args))
	}
	if f.Contact != 0 {
		args = append(args, f.Contact)
		where += fmt.Sprintf(` AND i.contact_id = $%d AND i.contact_id <> 0`, len(args))
	}
	return selectInbound(ctx, q.db, where+` ORDER BY i.id DESC LIMIT $3`, args...)
}

// HandleInbound says that somebody has dealt with a message, or that nobody has.
func (q *Queue) HandleInbound(ctx context.Context, account, id int64, handled bool) (Inbound, error) {
	if err := setHandled(ctx, q.db, account, id, handled, time.Now()); err != nil {
		return Inbound{}, err
	}
	return q.InboundMessage(ctx, account, id)
}

// InboundMessage finds one message that the account received.
func (q *Queue) InboundMessage(ctx context.Context, account, id int64) (Inbound, error) {
	all, err := selectInbound(ctx, q.db, `WHERE i.account_id = $1 AND i.id = $2`, account, id)
	if err != nil {
		return Inbound{}, err
	}
	if len(all) == 0 {
		return Inbound{}, problem.New(problem.KindNotFound, "inbound_not_found", "there is no such message")
	}
	return all[0], nil
}

// arrival is an inbound message, or a part of one, on its way into the database.
type arrival struct {
	carriers.Inbound
	route  int64
	stored func(error) // acknowledges it to the carrier
}

// arrivalFrom puts a carrier's words into a form that can be stored.
func arrivalFrom(route int64, m carriers.Inbound, stored func(error)) *arrival {
	m.ID, m.From, m.To, m.Text = bounded(m.ID), bounded(numberForm(m.From)), bounded(numberForm(m.To)), storable(m.Text)
	if m.Parts < 2 || m.Part < 1 || m.Part > m.Parts {
		m.Part, m.Parts, m.Reference = 1, 1, 0
	}
	if m.At.IsZero() {
		m.At = time.Now()
	}
	return &arrival{Inbound: m, route: route, stored: stored}
}

// storable drops what PostgreSQL cannot store.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

// longestWord, in bytes, is more than any number or id of a carrier has (SMPP 3.4
// 5.2.23: 65), and less than an index of PostgreSQL takes.
const longestWord = 200

// bounded is storable and, where it is too long for an index, the SHA-256 of it.
func bounded(s string) string {
	if s = storable(s); len(s) <= longestWord {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// inbound takes a message, or a part of one, from the carrier. It blocks while
// storing is behind, which slows the carrier down.
func (l *link) inbound(m carriers.Inbound, stored func(error)) {
	if !l.w.arrivals.Add(arrivalFrom(l.route.ID, m, stored)) {
		stored(errors.New("the queue is closing"))
	}
}

// storeArrivals commits a batch and only then has it acknowledged.
func (q *Queue) storeArrivals(batch []*arrival) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := q.keepArrivals(ctx, batch)
	if err != nil {
		slog.Error("inbound messages cannot be stored; the carriers send them again", "error", err)
	}
	for _, a := range batch {
		a.stored(err)
	}
}

// keepArrivals commits what came, whole messages and parts. After the commit it
// looks for the parts' siblings: whichever process stored the last of them sees
// all.
func (q *Queue) keepArrivals(ctx context.Context, batch []*arrival) error {
	var whole, parts []*arrival
	for _, a := range batch {
		if a.Parts == 1 {
			whole = append(whole, a)
		} else {
			parts = append(parts, a)
		}
	}
	if err := q.keepWhole(ctx, whole); err != nil {
		return err
	}
	if err := q.keepParts(ctx, parts); err != nil {
		return err
	}
	for key := range longMessages(parts) {
		if err := q.assembleMessage(ctx, key, time.Now()); err != nil {
			slog.Error("parts could not be put together; the sweep will", "carrier", key.route, "error", err)
		}
	}
	return nil
}

// longMessage is what the parts of a message have in common.
type longMessage struct {
	route         int64
	phone, number string
	reference     uint16
	parts         int
}

func longMessages(parts []*arrival) map[longMessage]bool {
	all := map[longMessage]bool{}
	for _, a := range parts {
		all[longMessage{a.route, a.From, a.To, a.Reference, a.Parts}] = true
	}
	return all
}

// completeInbound is the sweep: it puts together what a crash kept apart, shows
// what has waited too long for the rest, and forgets parts that cannot come twice
// any more.
func (q *Queue) completeInbound(ctx context.Context, now time.Time) error {
	keys, err := unfinished(ctx, q.db, now.Add(-waitForParts))
	if err != nil {
		return err
	}
	var errs error
	for _, key := range keys {
		errs = errors.Join(errs, q.assembleMessage(ctx, key, now))
	}
	return errors.Join(errs, forgetParts(ctx, q.db, now.Add(-waitForParts)))
}
