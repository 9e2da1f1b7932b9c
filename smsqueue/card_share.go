package smsqueue

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// NewShare sends holders the link to their own card, each to their own number.
type NewShare struct {
	To           CardHolders
	Text         string // with {{card_link}}; empty: what is usual, in Language
	Language     string // en, nb or pl; empty: that of the account's region
	Name         string // of the campaign; empty: the beginning of the text
	Sender       string
	Lane         Lane // empty: bulk, as nobody waits for a card
	CeilingMicro int64
	Key          string
	RequestHash  string
}

// ShareLanguages are those that a usual text is in.
var ShareLanguages = []string{"en", "nb", "pl"}

// Share is the campaign that a share is: it can be previewed, started, watched and
// cancelled as any other. The code card_link_missing says that the text has no place for
// the link.
func (q *Queue) Share(ctx context.Context, account int64, s NewShare) (NewCampaign, error) {
	acc, err := q.accounts.ByID(ctx, account)
	if err != nil {
		return NewCampaign{}, err
	}
	text := s.Text
	if strings.TrimSpace(text) == "" {
		text = ShareText(cmp.Or(s.Language, languageOf(acc)))
	}
	if s.Language != "" && !slices.Contains(ShareLanguages, s.Language) {
		return NewCampaign{}, problem.Invalid("language", "the usual text is in one of %v, not in %q", ShareLanguages, s.Language)
	}
	n := NewCampaign{Name: s.Name, Text: text, Filter: AudienceFilter{Cards: &s.To}, Sender: s.Sender, Lane: s.Lane, CeilingMicro: s.CeilingMicro,
		Key: s.Key, RequestHash: s.RequestHash}
	return n, hasCardLink(text)
}

func hasCardLink(text string) error {
	read, err := ParseText(text)
	if err != nil {
		return faultyField("text", err)
	}
	if slices.Contains(read.Names(), cardField) {
		return nil
	}
	return &problem.Problem{Kind: problem.KindInvalid, Code: "card_link_missing", Field: "text", Text: "the text has no place for the link: write {{" + cardField + "}} where it is to stand"}
}

// languageOf is the language in which an account's people are usually spoken to.
func languageOf(a accounts.Account) string {
	return cmp.Or(map[string]string{"NO": "nb", "PL": "pl"}[a.Region], "en")
}

// NotifyHolders tells the holders of groups of cards (nil: of all) that their card was
// changed, with the link to it: by SMS, and by e-mail where the installation has a relay.
// Each is told once: what is mailed is written down with the campaign. With a key, the
// same request takes effect once; hash tells a repetition from another request.
func (q *Queue) NotifyHolders(ctx context.Context, account int64, groups []int64, key, hash string) (Campaign, error) {
	acc, err := q.accounts.ByID(ctx, account)
	if err != nil {
		return Campaign{}, err
	}
	return q.StartCampaign(ctx, account, NewCampaign{Text: notifyText(languageOf(acc)), Filter: AudienceFilter{Cards: &CardHolders{Groups: groups}},
		mailed: languageOf(acc), Key: key, RequestHash: hash})
}

// notifyText is what holders get when their card was changed.
func notifyText(language string) string {
	switch language {
	case "nb":
		return "Visittkortet ditt er oppdatert. Se det her: {{" + cardField + "}}"
	case "pl":
		return "Twoja karta kontaktowa jest zaktualizowana: {{" + cardField + "}}"
	}
	return "Your business card was updated. See it here: {{" + cardField + "}}"
}

// mailHolders writes down who is mailed what the campaign says by SMS.
func (q *Queue) mailHolders(ctx context.Context, tx *db.Tx, c Campaign, n NewCampaign) error {
	if !q.mails || n.mailed == "" {
		return nil
	}
	return q.cards.OweMails(ctx, tx, c.Account, c.ID, c.Filter.Cards.Groups, n.mailed, c.Created)
}
