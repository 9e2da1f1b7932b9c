package smsqueue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/smsqueue/routing"
	"github.com/varsel/varsel/smsqueue/smstext"
)

const (
	// The first lot of a campaign is small, so that sending begins at once; the
	// largest bounds how long expansion holds the one writer of SQLite.
	smallestLot, largestLot = 500, 2000
	// rangeSize is how many messages one task names at the most. One task per
	// message would cap a worker at what Redis can do.
	rangeSize = 500
)

// starting is a campaign whose recipients are not all known.
type starting struct {
	id, account, group, book int64
	by                       billing.Spender
	lane                     Lane
	sender                   string
	listed                   bool // the account's list of senders has it
	encoding                 smstext.Encoding
	parts                    int // of each message, of one that is not merged
	merged                   bool
	state                    CampaignState
	after                    string
	ceiling, reserved        int64
	start                    time.Time
	validity                 time.Duration // 0: nobody said any
	currency                 string
	source                   int64 // the campaign whose recipients are its own, or 0
	filter                   AudienceFilter
	plan                     plan
	previewed                bool // nothing of it is sent
	expanded                 bool // all its recipients are known
	house                    *Queue
	expansion
}

// expandLoop starts campaigns that are due.
func (w *Worker) expandLoop(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		more, err := w.expandSome(ctx)
		if err != nil && ctx.Err() == nil {
			slog.Error("expand", "error", err)
		}
		if more && err == nil {
			w.nudge() // what there is now can go
			continue
		}
		select {
		case <-ctx.Done():
		case <-w.starts:
		case <-tick.C:
		}
	}
}

// expandSome resolves one lot of every campaign that is to start, so that a
// large one does not keep a small one waiting. It says whether there is more.
func (w *Worker) expandSome(ctx context.Context) (more bool, err error) {
	all, err := selectStarting(ctx, w.db, time.Now())
	if err != nil {
		return false, err
	}
	if len(all) == 0 {
		return false, nil
	}
	p, err := readPlan(ctx, w.db)
	if err != nil || len(p.routes) == 0 { // every carrier is switched off
		return false, err
	}
	for _, c := range all {
		c.plan, c.house = p, w.Queue
		again, failure := w.expand(ctx, c)
		if failure != nil { // the others go on
			err = errors.Join(err, fmt.Errorf("expand campaign %d: %w", c.id, failure))
		}
		more = more || again
	}
	return more, err
}

// expand turns the next recipients into messages: one row per phone number, in
// the order of the numbers, so that the last number is the place to go on from.
// Who is left out is counted before the lot that finds nobody more.
func (w *Worker) expand(ctx context.Context, c starting) (more bool, err error) {
	ids, err := w.lotIDs(ctx)
	if err != nil {
		return false, err
	}
	x, known := w.expansions[c.id]
	if !known && c.merged {
		if x.words, err = c.knownWords(ctx, w.db); err != nil {
			return false, err
		}
	}
	var left *LeftOut
	if known && x.found < x.asked {
		if left, err = countLeftOut(ctx, w.db, c); err != nil {
			return false, err
		}
	}
	x.asked = min(max(2*x.asked, smallestLot), largestLot)
	err = w.db.InTx(ctx, func(tx *db.Tx) error {
		c.expansion = x
		if !known {
			if err := c.survey(ctx, tx); err != nil {
				return err
			}
			x = c.expansion
		}
		more, x.found, err = c.expandLot(ctx, tx, ids, left, time.Now())
		return err
	})
	delete(w.expansions, c.id)
	if err == nil && more {
		w.expansions[c.id] = x
	}
	return more && err == nil, err
}

// knownWords is what a merged campaign says, with what is known of its fields.
func (c starting) knownWords(ctx context.Context, q db.Querier) (*wording, error) {
	words, err := wordsOf(ctx, q, c)
	if err != nil {
		return nil, err
	}
	return words, words.know(ctx, q, c.account)
}

// survey finds out what decides how its recipients are read.
func (c *starting) survey(ctx context.Context, tx *db.Tx) (err error) {
	if c.large, err = c.isLarge(ctx, tx); err != nil {
		return err
	}
	c.erased, err = c.house.marks.Marked(ctx, tx, c.account)
	return err
}

// expansion is what is known of a campaign whose recipients are being resolved.
type expansion struct {
	large        bool     // as many are wanted as the largest lot has
	asked, found int      // numbers of the last lot
	words        *wording // of a merged campaign
	erased       contacts.Erased
}

// isErased says whether nothing may be sent to a number of somebody who was erased.
func (c starting) isErased(phone string) bool {
	return c.erased.Number(phone) || c.lane != Urgent && c.erased.Stopped(phone)
}

// lotIDs are what one lot may need.
type lotIDs struct{ message, rng, ledger int64 }

func (w *Worker) lotIDs(ctx context.Context) (ids lotIDs, err error) {
	ids.message, err = w.db.NewIDs(ctx, largestLot)
	if err == nil {
		ids.rng, err = w.db.NewIDs(ctx, largestLot) // each may go another way
	}
	if err == nil {
		ids.ledger, err = w.db.NewIDs(ctx, largestLot+1) // and an event
	}
	return ids, err
}

// expandLot says whether the campaign goes on, and how many numbers it found. The
// campaign's row, which everybody wants, is locked after the long readings.
func (c starting) expandLot(ctx context.Context, tx *db.Tx, ids lotIDs, left *LeftOut, now time.Time) (more bool, n int, err error) {
	stopped, err := c.stopped(ctx, tx)
	if err != nil {
		return false, 0, err
	}
	prices, err := billing.PricesOf(ctx, tx, c.book)
	if err != nil {
		return false, 0, err
	}
	l, err := c.nextLot(ctx, tx, prices, ids, now)
	if err != nil {
		return false, 0, err
	}
	mine, err := takeCampaign(ctx, tx, c, now)
	pool := idPool{ids.ledger}
	switch {
	case err != nil || !mine:
		return false, 0, err
	case stopped != "":
		return false, 0, holdCampaign(ctx, tx, c, stopped)
	case l.found == 0 && left != nil:
		return false, 0, finishExpansion(ctx, tx, c, *left, &pool, now)
	case l.found == 0:
		return true, 0, nil
	case c.ceiling > 0 && c.reserved+l.cost > c.ceiling:
		return false, 0, holdCampaign(ctx, tx, c, aboveCeiling)
	}
	reservation, refused, err := billing.Reserve(ctx, tx, now, c.by, reservations(l.messages, c.lane, &pool)...)
	if err != nil {
		return false, 0, err
	}
	if refused != nil {
		return false, 0, holdCampaign(ctx, tx, c, problem.As(refused).Code)
	}
	for i := range l.ranges {
		l.ranges[i].reservation = reservation
	}
	return true, l.found, c.insertLot(ctx, tx, l)
}

// takers are the recipients who may get the message; the lot counts the others.
func (c starting) takers(l *campaignLot, found []recipient, now time.Time) []recipient {
	return slices.DeleteFunc(found, func(r recipient) bool {
		switch {
		case r.suppressed, c.isErased(r.phone):
			l.suppressed += r.members
		case !taken(r.country, c.sender, c.listed, now):
			l.refused += r.members
		default:
			return false
		}
		return true
	})
}

// stopped is why nothing may be made of it: its account may not send, or whom it was for
// is gone. Empty: it goes on.
func (c starting) stopped(ctx context.Context, tx *db.Tx) (reason string, err error) {
	err = accounts.Gate(ctx, tx, c.account)
	if refused := problem.As(err); refused != nil {
		return refused.Code, nil
	}
	if err != nil {
		return "", err
	}
	err = c.groupExists(ctx, tx)
	if problem.As(err) != nil {
		return groupGone, nil
	}
	return "", err
}

func (c starting) groupExists(ctx context.Context, tx *db.Tx) error {
	if c.source != 0 || c.filter.Cards != nil {
		return nil
	}
	return groupExists(ctx, tx, c.account, c.group)
}

func (c starting) recipients(ctx context.Context, tx *db.Tx) ([]recipient, error) {
	if c.source != 0 {
		return selectEarlier(ctx, tx, c)
	}
	if c.filter.Cards != nil {
		return selectHolders(ctx, tx, c)
	}
	return selectRecipients(ctx, tx, c)
}

// recipient is a number of a group, or of an earlier campaign.
type recipient struct {
	contact        int64 // the one with the lowest id of those who have it
	phone, country string
	members        int    // how many have it
	place          string // where the next lot goes on
	suppressed     bool
}

// campaignLot is what one lot of an expansion, or of a preview, makes.
type campaignLot struct {
	found      int // numbers, of which each gets a message or is left out
	people     map[int64]*person
	messages   []Message
	languages  []string // of the messages; for campaigns with words
	ranges     []rangeRow
	cost       int64 // micro-units
	parts      int
	longest    int // parts of a message at the most
	encoding   smstext.Encoding
	byCountry  map[string]Spent // for campaigns with words
	shared     int              // members who get no message, because another with their number does
	suppressed int              // members whose number is suppressed
	refused    int              // members whose country does not take the sender
	holes      []hole
	tooLong    []int64 // contacts
	lastPlace  string
	links      bool // its texts have a link of the recipient's own
}

// hole is a contact whose text lacks fields.
type hole struct {
	contact int64
	fields  []string
}

// nextLot reads the next recipients and words what they get.
func (c starting) nextLot(ctx context.Context, tx *db.Tx, prices billing.Prices, ids lotIDs, now time.Time) (campaignLot, error) {
	found, err := c.recipients(ctx, tx)
	if err != nil {
		return campaignLot{}, err
	}
	l := campaignLot{found: len(found), messages: make([]Message, 0, len(found)), encoding: c.encoding, byCountry: map[string]Spent{}}
	if l.found > 0 {
		l.lastPlace = found[l.found-1].place
	}
	l.links = c.words != nil && c.words.usesField(optOutField)
	takers := c.takers(&l, found, now)
	if l.people, err = selectPeople(ctx, tx, c.words, takers); err != nil {
		return campaignLot{}, err
	}
	if err := c.knowCards(ctx, tx, l.people); err != nil {
		return campaignLot{}, err
	}
	ways, err := c.ways(ctx, tx, takers)
	if err != nil {
		return campaignLot{}, err
	}
	err = c.fill(&l, takers, ways, prices, ids, now)
	return l, err
}

// way is where a recipient's message goes. Those that follow each other and go the
// same way share a range.
type way struct {
	rule, route int64
	turn        int64 // of those that the rule deals out
}

// ways finds them for a lot. Where carriers divide a rule's messages, each has its
// turn for as many as make a range.
func (c starting) ways(ctx context.Context, tx *db.Tx, found []recipient) ([]way, error) {
	if c.previewed {
		return make([]way, len(found)), nil
	}
	if len(c.plan.table) == 0 {
		return slices.Repeat([]way{{route: c.plan.place(c.plan.first(), 0)}}, len(found)), nil
	}
	rules := make([]routing.Rule, len(found))
	counts := map[int64]int{} // of the rules whose carriers divide
	for i, r := range found {
		rules[i] = c.plan.rule(routing.Message{Account: c.account, Phone: r.phone, Country: r.country, Lane: string(c.lane), Sender: c.sender})
		if rules[i].Weighted() {
			counts[rules[i].ID]++
		}
	}
	had, err := takePlaces(ctx, tx, slices.Sorted(maps.Keys(counts)), counts)
	if err != nil {
		return nil, err
	}
	ways := make([]way, len(found))
	for i, r := range rules {
		w := way{rule: r.ID}
		if r.Weighted() {
			w.turn = had[r.ID] / rangeSize
			had[r.ID]++
		}
		if i > 0 && ways[i-1].rule == w.rule && ways[i-1].turn == w.turn {
			w = ways[i-1]
		} else {
			w.route = c.plan.place(r, w.turn)
		}
		ways[i] = w
	}
	return ways, nil
}

// fill prices the messages and cuts them into ranges.
func (c starting) fill(l *campaignLot, takers []recipient, ways []way, prices billing.Prices, ids lotIDs, now time.Time) error {
	last := way{}
	for i, r := range takers {
		price, err := prices.PerPart(r.country, string(c.lane))
		if err != nil {
			return err
		}
		l.shared += r.members - 1
		m := Message{ID: ids.message + int64(len(l.messages)), Account: c.account, Campaign: c.id, Contact: r.contact, Phone: r.phone,
			Encoding: c.encoding, Parts: c.parts, Status: Queued, QueuedAt: now}
		if c.words != nil && !c.word(&m, l) {
			continue
		}
		m.PriceMicro = price * int64(m.Parts)
		if n := len(l.ranges); n == 0 || ways[i] != last || l.ranges[n-1].size() == rangeSize {
			l.ranges = append(l.ranges, rangeRow{id: ids.rng + int64(n), account: c.account, campaign: c.id, route: ways[i].route,
				rule: ways[i].rule, lane: c.lane, first: m.ID, deadline: c.deadline(now)})
			last = ways[i]
		}
		rng := &l.ranges[len(l.ranges)-1]
		rng.last, rng.maxParts = m.ID, max(rng.maxParts, m.Parts)
		l.messages = append(l.messages, m)
		l.cost, l.parts, l.longest = l.cost+m.PriceMicro, l.parts+m.Parts, max(l.longest, m.Parts)
		if c.words != nil {
			l.byCountry[r.country] = l.byCountry[r.country].plus(m)
		}
	}
	return nil
}

// deadline is when nothing more is heard of its messages: a validity that somebody
// said counts from the start, the usual one from when they may go.
func (c starting) deadline(now time.Time) time.Time {
	if c.validity > 0 {
		return c.start.Add(c.validity + receiptTime)
	}
	return now.Add(validity)
}

// word gives a message its own text. It says false when there is none for this
// recipient, who is left out.
func (c starting) word(m *Message, l *campaignLot) bool {
	who := l.people[m.Contact]
	if who == nil {
		who = &person{} // a recipient of an earlier campaign who is gone
		l.people[m.Contact] = who
	}
	who.stopAt = c.words.stopAt
	if l.links {
		who.optOut = c.house.OptOutLink(c.account, m.Phone)
	}
	said := c.words.to(who)
	switch {
	case len(said.holes) > 0:
		l.holes = append(l.holes, hole{m.Contact, said.holes})
		return false
	case said.parts > maxParts:
		l.tooLong = append(l.tooLong, m.Contact)
		return false
	}
	m.Text, m.Encoding, m.Parts = c.words.body(said), said.encoding, said.parts
	l.languages = append(l.languages, said.language)
	if said.encoding == smstext.UCS2 {
		l.encoding = smstext.UCS2
	}
	return true
}

func (c starting) insertLot(ctx context.Context, tx *db.Tx, l campaignLot) error {
	if len(l.messages) == 0 {
		return advanceCampaign(ctx, tx, c, l)
	}
	if err := insertMessages(ctx, tx, l.ranges, l.messages); err != nil {
		return err
	}
	if err := insertRanges(ctx, tx, l.ranges); err != nil {
		return err
	}
	return advanceCampaign(ctx, tx, c, l)
}
