package smsqueue

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/smsqueue/merge"
	"github.com/varsel/varsel/smsqueue/rollcall"
	"github.com/varsel/varsel/smsqueue/smstext"
	"github.com/varsel/varsel/smsqueue/window"
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

// groupGone is the one reason for which a campaign is held that nobody can do anything
// about.
const groupGone = "group_gone"

// MayResume says that it waits for somebody's word to go on.
func (c Campaign) MayResume() bool {
	return c.State == CampaignPaused || c.State == CampaignHeld && c.Reason != groupGone
}

// Campaign is one text, or one template, to a group.
type Campaign struct {
	ID            int64
	Account       int64
	Name          string
	Lane          Lane
	Sender        string
	Text          string
	Merged        bool  // its text differs from recipient to recipient: Text is as it was written
	Template      int64 // 0 for none
	TemplateName  string
	Version       int // of the template
	Transliterate bool
	Encoding      smstext.Encoding // of a merged one, UCS2 when any message has it
	Parts         int              // of each message; of a merged campaign, of the longest that is known
	AllParts      int              // of all messages that are known
	Group         int64
	GroupName     string
	Source        int64 // the campaign whose recipients are its own; 0: the group's members are, or Filter.Cards
	Filter        AudienceFilter
	Asks          *rollcall.Question // it is a roll call
	AsksClosed    time.Time          // when somebody closed it; zero when its time ends it
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
	Zone          string        // IANA: the one in which the start was said; empty: none was
	Validity      time.Duration // how long from the start its text is worth sending; 0: nobody said
	Windows       window.Week   // its own, within the account's; empty: it has none
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
	Suppressed    int // their number wants no messages from the account
	Unresolved    int // the text would have a hole: a field without a value and without a default
	TooLong       int // the text would have too many parts
	SenderRefused int // their country does not take the sender
}

// NewCampaign is what a campaign is made from.
type NewCampaign struct {
	Name          string // empty: the beginning of the text
	Group         int64
	Source        int64              // instead of a group: the recipients of this campaign
	Filter        AudienceFilter     // of those, these; with Cards instead of a group: holders of cards
	Text          string             // may have fields (ParseText)
	Template      int64              // instead of a text
	version       int                // of the template; 0: the latest, which is not to be archived
	Transliterate bool               // it is sent as smstext.Transliterate writes it
	Asks          *rollcall.Question // answers are counted; the sender is one of the account's numbers
	Sender        string             // empty: the account's; of a roll call, the account's only number
	Lane          Lane               // empty: bulk; of a roll call, urgent
	CeilingMicro  int64
	Windows       window.Week   // when it may go, within the account's windows; empty: in those
	Start         time.Time     // zero: at once
	Zone          string        // IANA: the one in which the start was said; empty: UTC
	Validity      time.Duration // how long from the start its text is worth sending; 0: the usual time from when it may go
	mailed        string        // the language in which holders of cards are mailed as well; empty: they are not
	Key           string
	RequestHash   string
}

// StartCampaign accepts a campaign; its recipients are resolved when it starts.
func (q *Queue) StartCampaign(ctx context.Context, account int64, n NewCampaign) (Campaign, error) {
	if c, found, err := q.replayedCampaign(ctx, account, n); found || err != nil {
		return c, err
	}
	p, err := q.prepareCampaign(ctx, account, n)
	if err != nil {
		return Campaign{}, err
	}
	c := p.campaign
	if c.ID, err = q.db.NewIDs(ctx, 1); err != nil {
		return Campaign{}, err
	}
	if c.Source == 0 && c.Filter.Cards != nil {
		if c.Group, err = contacts.HoldersGroup(ctx, q.db, account); err != nil {
			return Campaign{}, err
		}
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
		if err := insertCampaign(ctx, tx, c, p); err != nil {
			return err
		}
		return q.mailHolders(ctx, tx, c, n)
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

// preparedCampaign is a campaign that can be accepted.
type preparedCampaign struct {
	campaign Campaign
	version  int64 // of the template; 0 for none
	book     billing.Book
	by       billing.Spender
	listed   bool // the account's list of senders has the sender
	words    *wording
}

func (q *Queue) prepareCampaign(ctx context.Context, account int64, n NewCampaign) (p preparedCampaign, err error) {
	acc, err := q.accounts.ByID(ctx, account)
	if err != nil {
		return p, err
	}
	plan, err := q.enabledPlan(ctx)
	if err != nil {
		return p, err
	}
	usual := Bulk
	if n.Asks != nil {
		usual = Urgent
		if n.Sender, err = q.asker(ctx, acc, plan, n); err != nil {
			return p, err
		}
	}
	out, err := checkEnvelope(acc, n.Sender, n.Lane, usual)
	if err != nil {
		return p, err
	}
	listed, err := q.checkSender(ctx, account, out.sender)
	if err != nil {
		return p, err
	}
	if p, err = q.worded(ctx, account, n, plan.anyText()); err != nil {
		return p, err
	}
	p.listed = listed
	if err := q.checkCardLinks(p.words); err != nil {
		return p, err
	}
	if strings.ContainsRune(n.Name, 0) || !utf8.ValidString(n.Name) || len(n.Name) > maxName {
		return p, problem.Invalid("name", "a campaign's name has at most %d characters and no control characters", maxName)
	}
	if n.CeilingMicro < 0 {
		return p, problem.Invalid("max_cost", "a ceiling is not below zero")
	}
	if n.Group, err = q.audienceExists(ctx, account, n); err != nil {
		return p, err
	}
	now := time.Now()
	if err := n.validateTimes(now); err != nil {
		return p, err
	}
	if err := q.validateWindows(ctx, account, n, out.lane); err != nil {
		return p, err
	}
	if n.Start.IsZero() {
		n.Start = now
	}
	if p.by, err = q.teams.Spender(ctx, account); err != nil {
		return p, err
	}
	p.book, err = billing.CurrentBook(ctx, q.db, account, now)
	c := &p.campaign
	c.Account, c.Lane, c.Sender, c.Group, c.Source, c.Filter, c.Asks, c.Route = account, out.lane, out.sender, n.Group, n.Source, n.Filter, n.Asks, plan.routes[0].ID
	c.Currency, c.CeilingMicro, c.State = p.book.Currency, n.CeilingMicro, CampaignAccepted
	c.Start, c.Zone, c.Validity, c.Windows, c.Created = n.Start, n.Zone, n.Validity, n.Windows, now
	if name := strings.TrimSpace(n.Name); name != "" {
		c.Name = name
	}
	return p, err
}

// worded is the part of a campaign that its text, or its template, decides.
func (q *Queue) worded(ctx context.Context, account int64, n NewCampaign, options smstext.Options) (p preparedCampaign, err error) {
	c := &p.campaign
	if n.Template != 0 {
		if n.Text != "" {
			return p, problem.Invalid("template", "a campaign has a text or a template, not both")
		}
		t, err := q.templateOf(ctx, account, n)
		if err != nil {
			return p, err
		}
		c.Name, p.version = t.Name, t.Version.ID
		p.words, err = t.Version.wording(n.Transliterate, options)
		if err != nil {
			return p, err
		}
	} else {
		text, err := readTextOf("text", n.Text, n.Transliterate, options)
		if err != nil {
			return p, err
		}
		c.Name = beginning(n.Text)
		p.words = &wording{usual: n.Text, languages: []string{""}, texts: []merge.Text{text}, transliterate: n.Transliterate, options: options}
	}
	c.Transliterate = n.Transliterate
	if p.words.merged() {
		c.Merged, c.Text, c.Encoding = true, p.words.usual, smstext.GSM7
		return p, nil
	}
	same := p.words.to(&person{})
	if strings.TrimSpace(same.text) == "" {
		return p, problem.Invalid("text", "the text is empty")
	}
	p.words.usual = same.text
	c.Text, c.Encoding, c.Parts = same.text, same.encoding, same.parts
	if n.Template == 0 {
		c.Name = beginning(same.text)
	}
	return p, nil
}

// audienceExists answers the group: that of the earlier campaign, where its
// recipients are wanted.
func (q *Queue) audienceExists(ctx context.Context, account int64, n NewCampaign) (group int64, err error) {
	if n.Source == 0 && n.Filter.Cards != nil {
		return 0, q.cards.AreThere(ctx, account, n.Filter.Cards.Groups, n.Filter.Cards.Cards) // StartCampaign files it
	}
	if n.Source == 0 {
		return n.Group, groupExists(ctx, q.db, account, n.Group)
	}
	if err := n.Filter.validate(); err != nil {
		return 0, err
	}
	source, err := q.Campaign(ctx, account, n.Source)
	return source.Group, err
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
