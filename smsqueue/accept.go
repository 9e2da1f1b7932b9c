package smsqueue

import (
	"context"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/smsqueue/routing"
)

// acceptBatch is how many single messages share a commit at most.
const acceptBatch = 500

// storeTimeout bounds a shared commit.
const storeTimeout = 30 * time.Second

// Single is a message to one number.
type Single struct {
	To            string // a number as people type it; without a country code it is read in the account's region
	Text          string
	Transliterate bool   // it is stored and sent as smstext.Transliterate writes it
	Sender        string // empty: the account's
	Lane          Lane   // empty: normal

	// With a Key, the same request takes effect once; RequestHash tells a
	// repetition from another request with the same key.
	Key         string
	RequestHash string
}

// single is a Single on its way into the database.
type single struct {
	once    accounts.Once
	message Message
	book    billing.Book
	route   int64
	rule    int64
	lane    Lane
	err     error
	lost    bool // its key was taken
	done    chan struct{}
}

// Send accepts one message. When it returns, the message is committed: it will
// be sent, or its status will say why not.
func (q *Queue) Send(ctx context.Context, account int64, s Single) (Message, error) {
	if m, found, err := q.replayed(ctx, account, s.Key, s.RequestHash); found || err != nil {
		return m, err
	}
	one, err := q.prepare(ctx, account, s)
	if err != nil {
		return Message{}, err
	}
	if !q.singles.Add(one) {
		return Message{}, problem.New(problem.KindUnavailable, "ending", "the server is ending; send it again")
	}
	<-one.done // bounded by storeTimeout
	if one.lost {
		m, _, err := q.replayed(ctx, account, s.Key, s.RequestHash)
		return m, err
	}
	if one.err != nil {
		return Message{}, one.err
	}
	q.nudge()
	return one.message, nil
}

func (q *Queue) replayed(ctx context.Context, account int64, key, hash string) (Message, bool, error) {
	if key == "" {
		return Message{}, false, nil
	}
	id, found, err := q.accounts.Replay(ctx, account, key, hash)
	if err != nil || !found {
		return Message{}, false, err
	}
	m, err := q.Message(ctx, account, id)
	return m, true, err
}

func (q *Queue) prepare(ctx context.Context, account int64, s Single) (*single, error) {
	acc, err := q.accounts.ByID(ctx, account)
	if err != nil {
		return nil, err
	}
	plan, err := q.enabledPlan(ctx)
	if err != nil {
		return nil, err
	}
	out, err := checkOutgoing(acc, s.Text, s.Transliterate, s.Sender, s.Lane, Normal)
	if err != nil {
		return nil, err
	}
	phone, country, reason := contacts.Normalise(s.To, acc.Region)
	if reason != "" {
		return nil, problem.Invalid("to", "not a number we can text: %q (%s)", s.To, reason)
	}
	listed, err := q.checkSender(ctx, account, out.sender)
	if err != nil {
		return nil, err
	}
	if !taken(country, out.sender, listed, time.Now()) {
		return nil, refuseSender(country, out.sender, time.Now())
	}
	rule := plan.rule(routing.Message{Account: account, Phone: phone, Country: country, Lane: string(out.lane), Sender: out.sender})
	if err := out.cut(plan.text(rule)); err != nil {
		return nil, err
	}
	now := time.Now()
	book, err := billing.CurrentBook(ctx, q.db, now)
	if err != nil {
		return nil, err
	}
	prices, err := billing.PricesOf(ctx, q.db, book.ID)
	if err != nil {
		return nil, err
	}
	price, err := prices.PerPart(country)
	if err != nil {
		return nil, err
	}
	parts := len(out.split.Parts)
	return &single{
		book: book, route: q.turns.place(plan, rule, out.lane), rule: rule.ID, lane: out.lane, done: make(chan struct{}),
		once: accounts.Once{Account: account, Key: s.Key, Hash: s.RequestHash},
		message: Message{Account: account, Phone: phone, Sender: out.sender, Text: out.text, Lane: out.lane,
			Encoding: out.split.Encoding, Parts: parts, PriceMicro: price * int64(parts), Currency: book.Currency,
			Status: Queued, QueuedAt: now},
	}, nil
}

// acceptSingles commits a batch of messages together. Nothing in it raises for
// one of them, so a loser is answered alone.
func (q *Queue) acceptSingles(batch []*single) {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	err := q.storeSingles(ctx, batch)
	for _, s := range batch {
		if s.err == nil {
			s.err = err
		}
		close(s.done)
	}
}

// lot is the messages of a batch that share a range.
type lot struct {
	account int64
	lane    Lane
	route   int64
	rule    int64
	book    billing.Book
}

func (q *Queue) storeSingles(ctx context.Context, batch []*single) error {
	lots := map[lot][]*single{}
	var order []lot
	for _, s := range batch {
		l := lot{s.message.Account, s.lane, s.route, s.rule, s.book}
		if lots[l] == nil {
			order = append(order, l)
		}
		lots[l] = append(lots[l], s)
	}
	first, err := q.db.NewIDs(ctx, len(batch)+2*len(lots))
	if err != nil {
		return err
	}
	return q.db.InTx(ctx, func(tx *db.Tx) error {
		id := first
		for _, l := range order {
			if err := q.storeLot(ctx, tx, l, lots[l], id); err != nil {
				return err
			}
			id += int64(len(lots[l]) + 2)
		}
		return nil
	})
}

func phonesOf(batch []*single) (all []string) {
	for _, s := range batch {
		all = append(all, s.message.Phone)
	}
	return all
}

// storeLot uses id for the range, the next for the ledger, the rest for the messages.
func (q *Queue) storeLot(ctx context.Context, tx *db.Tx, l lot, batch []*single, id int64) error {
	now := time.Now()
	refusal := accounts.Gate(ctx, tx, l.account)
	if refusal != nil && problem.As(refusal) == nil {
		return refusal
	}
	r := rangeRow{id: id, account: l.account, route: l.route, rule: l.rule, lane: l.lane, first: id + 2, deadline: now.Add(validity)}
	entry := billing.Entry{ID: id + 1, Account: l.account, Kind: billing.Reserve, Currency: l.book.Currency}
	var rows []Message
	refused, err := refusedOf(ctx, tx, q.marks, l.account, l.lane, phonesOf(batch))
	if err != nil {
		return err
	}
	for _, s := range batch {
		s.err, s.lost = refusal, false
		if refusal == nil {
			s.err = refused[s.message.Phone]
		}
		if s.err != nil {
			continue
		}
		m := &s.message
		m.ID = r.first + int64(len(rows))
		if s.once.Key != "" {
			s.once.Resource = m.ID
			free, err := accounts.TakeKey(ctx, tx, s.once, now)
			if err != nil {
				return err
			}
			if s.lost = !free; s.lost {
				continue
			}
		}
		rows = append(rows, *m)
		r.maxParts = max(r.maxParts, m.Parts)
		entry.Micro, entry.Messages, entry.Parts = entry.Micro+m.PriceMicro, entry.Messages+1, entry.Parts+m.Parts
	}
	if len(rows) == 0 {
		return nil
	}
	r.last = r.first + int64(len(rows)) - 1
	if err := insertMessages(ctx, tx, []rangeRow{r}, rows); err != nil {
		return err
	}
	if err := insertRanges(ctx, tx, []rangeRow{r}); err != nil {
		return err
	}
	if err := tx.Notify(ctx, l.lane.word()); err != nil {
		return err
	}
	return billing.Post(ctx, tx, entry, now)
}
