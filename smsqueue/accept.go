package smsqueue

import (
	"cmp"
	"context"
	"slices"
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
	route   int64
	rule    int64
	lane    Lane
	by      billing.Spender
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
	if one.err != nil {
		return Message{}, one.err
	}
	if one.lost {
		m, found, err := q.replayed(ctx, account, s.Key, s.RequestHash)
		if err == nil && !found {
			err = problem.New(problem.KindUnavailable, "idempotency_key_freed", "the request that had this Idempotency-Key was not accepted; send it again")
		}
		return m, err
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
	book, err := billing.CurrentBook(ctx, q.db, account, now)
	if err != nil {
		return nil, err
	}
	prices, err := billing.PricesOf(ctx, q.db, book.ID)
	if err != nil {
		return nil, err
	}
	price, err := prices.PerPart(country, string(out.lane))
	if err != nil {
		return nil, err
	}
	by, err := q.teams.Spender(ctx, account)
	if err != nil {
		return nil, err
	}
	parts := len(out.split.Parts)
	return &single{
		route: q.turns.place(plan, rule, out.lane), rule: rule.ID, lane: out.lane, by: by, done: make(chan struct{}),
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
	by      billing.Spender
}

func (q *Queue) storeSingles(ctx context.Context, batch []*single) error {
	lots := map[lot][]*single{}
	var order []lot
	for _, s := range batch {
		l := lot{s.message.Account, s.lane, s.route, s.rule, s.by}
		if lots[l] == nil {
			order = append(order, l)
		}
		lots[l] = append(lots[l], s)
	}
	// Transactions that wait for the balances of accounts do so in the same order.
	slices.SortStableFunc(order, func(a, b lot) int { return cmp.Compare(a.account, b.account) })
	first, err := q.db.NewIDs(ctx, 2*len(batch)+len(lots))
	if err != nil {
		return err
	}
	return q.db.InTx(ctx, func(tx *db.Tx) error {
		id := first
		for _, l := range order {
			if err := q.storeLot(ctx, tx, l, lots[l], id); err != nil {
				return err
			}
			id += int64(2*len(lots[l]) + 1)
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

// storeLot uses id for the range, then one for each message and one for each message's
// entry in the ledger.
func (q *Queue) storeLot(ctx context.Context, tx *db.Tx, l lot, batch []*single, id int64) error {
	now := time.Now()
	if err := q.refuse(ctx, tx, l, batch); err != nil {
		return err
	}
	r := rangeRow{id: id, account: l.account, route: l.route, rule: l.rule, lane: l.lane, first: id + 1, deadline: now.Add(validity)}
	rows, err := storeTogether(ctx, tx, &r, l.by, batch, now)
	if err != nil || len(rows) == 0 {
		return err
	}
	for _, m := range rows {
		r.maxParts = max(r.maxParts, m.Parts)
	}
	r.last = r.first + int64(len(rows)) - 1
	if err := insertMessages(ctx, tx, []rangeRow{r}, rows); err != nil {
		return err
	}
	if err := insertRanges(ctx, tx, []rangeRow{r}); err != nil {
		return err
	}
	return tx.Notify(ctx, l.lane.word())
}

// refuse tells of each message of a lot why it may not be sent.
func (q *Queue) refuse(ctx context.Context, tx *db.Tx, l lot, batch []*single) error {
	refusal := accounts.Gate(ctx, tx, l.account)
	if refusal != nil && problem.As(refusal) == nil {
		return refusal
	}
	refused, err := refusedOf(ctx, tx, q.marks, l.account, l.lane, phonesOf(batch))
	if err != nil {
		return err
	}
	for _, s := range batch {
		s.lost = false
		if s.err = refusal; refusal == nil {
			s.err = refused[s.message.Phone]
		}
	}
	return nil
}

// storeTogether takes the keys of messages, and the money for all of them at once. When
// there is not enough, it begins again and takes it for one after the other, so that who
// can be paid for is sent, and a key that one gives back is there for the next.
func storeTogether(ctx context.Context, tx *db.Tx, r *rangeRow, by billing.Spender, batch []*single, now time.Time) (rows []Message, err error) {
	for _, s := range batch {
		if taken, err := s.takeKey(ctx, tx, r.first+int64(len(rows)), now); err != nil {
			return nil, err
		} else if taken {
			rows = append(rows, s.message)
		}
	}
	ledger := idPool{r.first + int64(len(batch))}
	var refused error
	r.reservation, refused, err = billing.Reserve(ctx, tx, now, by, reservations(rows, r.lane, &ledger)...)
	if err != nil || refused == nil {
		return rows, err
	}
	if len(batch) == 1 {
		return nil, giveUp(ctx, tx, batch, refused)
	}
	if err := giveUp(ctx, tx, batch, nil); err != nil {
		return nil, err
	}
	return storeSingly(ctx, tx, r, by, batch, now)
}

// storeSingly makes one reservation of what it can: messages of a range have the same.
func storeSingly(ctx context.Context, tx *db.Tx, r *rangeRow, by billing.Spender, batch []*single, now time.Time) (rows []Message, err error) {
	ledger := idPool{r.first + int64(len(batch))}
	for i, s := range batch {
		if taken, err := s.takeKey(ctx, tx, r.first+int64(len(rows)), now); err != nil {
			return nil, err
		} else if !taken {
			continue
		}
		taken, refused, err := billing.Reserve(ctx, tx, now, by, reservations([]Message{s.message}, r.lane, &ledger)...)
		if err != nil {
			return nil, err
		}
		if refused == nil {
			r.reservation, by.More = taken, taken
			rows = append(rows, s.message)
			continue
		}
		if err := giveUp(ctx, tx, batch[i:i+1], refused); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// takeKey gives a message its id, and says false when it is not to be stored.
func (s *single) takeKey(ctx context.Context, tx *db.Tx, id int64, now time.Time) (taken bool, err error) {
	if s.err != nil {
		return false, nil
	}
	s.message.ID = id
	if s.once.Key == "" {
		return true, nil
	}
	s.once.Resource = id
	taken, err = accounts.TakeKey(ctx, tx, s.once, now)
	s.lost = !taken
	return taken, err
}

// giveUp frees the keys that messages took, and tells those messages why.
func giveUp(ctx context.Context, tx *db.Tx, batch []*single, why error) error {
	for _, s := range batch {
		if s.err != nil || s.lost {
			continue
		}
		if s.err = why; s.once.Key == "" {
			continue
		}
		if err := accounts.FreeKey(ctx, tx, s.once); err != nil {
			return err
		}
	}
	return nil
}
