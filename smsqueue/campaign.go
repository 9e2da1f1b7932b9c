package smsqueue

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/smsqueue/smstext"
)

// CampaignState is where a campaign is.
type CampaignState string

const (
	CampaignAccepted CampaignState = "accepted" // committed, its recipients not yet resolved
	CampaignRunning  CampaignState = "running"
	CampaignHeld     CampaignState = "held" // stopped by a rule, for the reason given
	CampaignPaused   CampaignState = "paused"
	CampaignCancel   CampaignState = "cancelled"
	CampaignSent     CampaignState = "sent"     // nothing is left to send; receipts may still come
	CampaignFinished CampaignState = "finished" // every message has its final status
)

// Campaign is one text to a group.
type Campaign struct {
	ID            int64
	Account       int64
	Name          string
	Lane          Lane
	Sender        string
	Text          string
	Encoding      smstext.Encoding
	Parts         int // of each message
	Group         int64
	GroupName     string
	Route         int64
	Currency      string
	CeilingMicro  int64 // what it may cost at the most; 0 is no ceiling
	ReservedMicro int64 // what its messages cost
	State         CampaignState
	Reason        string
	Expanded      bool // all its recipients are known
	Counts        Counts
	LeftOut       LeftOut
	Start         time.Time
	Created       time.Time
	Started       time.Time
	Finished      time.Time
}

// Counts says how many messages are in each status.
type Counts map[Status]int

// Total is how many messages there are.
func (c Counts) Total() (n int) {
	for _, v := range c {
		n += v
	}
	return n
}

// Unsent is how many are still to be handed to the carrier.
func (c Counts) Unsent() int { return c[Queued] + c[Sending] }

// Handed is how many the carrier has accepted.
func (c Counts) Handed() int { return c[Sent] + c[Delivered] + c[Undelivered] }

// LeftOut counts the members of the group who get no message.
type LeftOut struct {
	WithoutNumber int
	InvalidNumber int
	SharedNumber  int // somebody else in the group has the same number and gets it
	SenderRefused int // their country does not take the sender
}

// NewCampaign is what a campaign is made from.
type NewCampaign struct {
	Name          string // empty: the beginning of the text
	Group         int64
	Text          string
	Transliterate bool   // it is stored and sent as smstext.Transliterate writes it
	Sender        string // empty: the account's
	Lane          Lane   // empty: bulk
	CeilingMicro  int64
	Key           string
	RequestHash   string
}

// StartCampaign accepts a campaign; its recipients are resolved when it starts.
func (q *Queue) StartCampaign(ctx context.Context, account int64, n NewCampaign) (Campaign, error) {
	if c, found, err := q.replayedCampaign(ctx, account, n); found || err != nil {
		return c, err
	}
	c, book, err := q.prepareCampaign(ctx, account, n)
	if err != nil {
		return Campaign{}, err
	}
	if c.ID, err = q.db.NewIDs(ctx, 1); err != nil {
		return Campaign{}, err
	}
	free := true
	err = q.db.InTx(ctx, func(tx *db.Tx) (err error) {
		if err := accounts.Gate(ctx, tx, account); err != nil {
			return err
		}
		if n.Key != "" {
			once := accounts.Once{Account: account, Key: n.Key, Hash: n.RequestHash, Resource: c.ID}
			if free, err = accounts.TakeKey(ctx, tx, once, c.Created); err != nil || !free {
				return err
			}
		}
		if err := tx.Notify(ctx, wordCampaign); err != nil {
			return err
		}
		return insertCampaign(ctx, tx, c, book)
	})
	if err != nil {
		return Campaign{}, err
	}
	if !free {
		c, _, err := q.replayedCampaign(ctx, account, n)
		return c, err
	}
	signal(q.starts)
	return q.Campaign(ctx, account, c.ID)
}

func (q *Queue) replayedCampaign(ctx context.Context, account int64, n NewCampaign) (Campaign, bool, error) {
	if n.Key == "" {
		return Campaign{}, false, nil
	}
	id, found, err := q.accounts.Replay(ctx, account, n.Key, n.RequestHash)
	if err != nil || !found {
		return Campaign{}, false, err
	}
	c, err := q.Campaign(ctx, account, id)
	return c, true, err
}

func (q *Queue) prepareCampaign(ctx context.Context, account int64, n NewCampaign) (Campaign, billing.Book, error) {
	acc, err := q.accounts.ByID(ctx, account)
	if err != nil {
		return Campaign{}, billing.Book{}, err
	}
	plan, err := q.enabledPlan(ctx)
	if err != nil {
		return Campaign{}, billing.Book{}, err
	}
	out, err := checkOutgoing(acc, n.Text, n.Transliterate, n.Sender, n.Lane, Bulk)
	if err != nil {
		return Campaign{}, billing.Book{}, err
	}
	if err := out.cut(plan.anyText()); err != nil {
		return Campaign{}, billing.Book{}, err
	}
	if _, err := q.checkSender(ctx, account, out.sender); err != nil {
		return Campaign{}, billing.Book{}, err
	}
	if strings.ContainsRune(n.Name, 0) || !utf8.ValidString(n.Name) || len(n.Name) > maxName {
		return Campaign{}, billing.Book{}, problem.Invalid("name", "a campaign's name has at most %d characters and no control characters", maxName)
	}
	if n.CeilingMicro < 0 {
		return Campaign{}, billing.Book{}, problem.Invalid("max_cost", "a ceiling is not below zero")
	}
	if err := groupExists(ctx, q.db, account, n.Group); err != nil {
		return Campaign{}, billing.Book{}, err
	}
	now := time.Now()
	book, err := billing.CurrentBook(ctx, q.db, now)
	c := Campaign{Account: account, Name: strings.TrimSpace(n.Name), Lane: out.lane, Sender: out.sender, Text: out.text,
		Encoding: out.split.Encoding, Parts: len(out.split.Parts), Group: n.Group, Route: plan.routes[0].ID,
		Currency: book.Currency, CeilingMicro: n.CeilingMicro, State: CampaignAccepted, Start: now, Created: now}
	if c.Name == "" {
		c.Name = beginning(out.text)
	}
	return c, book, err
}

// maxName bounds a campaign's name, in bytes.
const maxName = 200

// beginning is what a campaign without a name is called.
func beginning(text string) string {
	const most = 40
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	if r := []rune(line); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return line
}

// Campaign finds one of the account's campaigns.
func (q *Queue) Campaign(ctx context.Context, account, id int64) (Campaign, error) {
	all, err := selectCampaigns(ctx, q.db, `WHERE c.account_id = $1 AND c.id = $2`, account, id)
	if err != nil {
		return Campaign{}, err
	}
	if len(all) == 0 {
		return Campaign{}, problem.New(problem.KindNotFound, "campaign_not_found", "there is no such campaign")
	}
	return all[0], nil
}

// Campaigns lists the account's campaigns, the newest first, that are older
// than before; 0 begins at the newest.
func (q *Queue) Campaigns(ctx context.Context, account, before int64, limit int) ([]Campaign, error) {
	return selectCampaigns(ctx, q.db, `
		WHERE c.account_id = $1 AND c.id < $2 ORDER BY c.id DESC LIMIT $3`, account, older(before), limit)
}
