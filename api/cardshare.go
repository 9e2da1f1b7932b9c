package api

import (
	"context"

	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

const cardSharePath = "/v1/cards/share"

type newShare struct {
	Groups   []string `json:"groups,omitempty" minItems:"1" maxItems:"500" doc:"Groups of cards, by id. Without groups and cards it is all holders; an empty list is refused."`
	Cards    []string `json:"cards,omitempty" minItems:"1" maxItems:"10000" doc:"Cards, by id; of the groups, if groups are given."`
	Text     string   `json:"text,omitempty" maxLength:"2000" pattern:"^[^\\x00]*$" patternDescription:"text without the character NUL" doc:"With {{card_link}} where the link stands. What is usual, if it is not given; that is one part." example:"Your business card: {{card_link}}"`
	Language string   `json:"language,omitempty" enum:"en,nb,pl" doc:"Of the usual text. That of the account's region, if it is not given."`
	Sender   string   `json:"sender,omitempty" doc:"The account's sender, if it is not given." example:"ACME"`
	Lane     lane     `json:"lane,omitempty" doc:"bulk, if it is not given."`
	Name     string   `json:"name,omitempty" maxLength:"200" pattern:"^[^\\x00]*$" patternDescription:"text without the character NUL" doc:"The beginning of the text, if it is not given."`
	MaxCost  *money   `json:"max_cost,omitempty" doc:"The campaign holds before it would cost more. No ceiling, if it is not given."`
	Timing
}

type shareCards struct {
	Once
	Body newShare
}

// shareCards sends each holder the link to their own card.
func (s Services) shareCards(ctx context.Context, in *shareCards) (*made[campaign], error) {
	hash := requestHash("POST", cardSharePath, in.Body)
	c, found, err := s.replayedCampaign(ctx, in.Key, hash)
	if err != nil {
		return nil, err
	}
	if !found {
		n, err := s.shared(ctx, in.Body)
		if err != nil {
			return nil, err
		}
		n.Key, n.RequestHash = in.Key, hash
		if c, err = s.Queue.StartCampaign(ctx, accountOf(ctx), n); err != nil {
			return nil, err
		}
	}
	shown := s.campaign(c)
	return &made[campaign]{Location: campaignsPath + "/" + shown.ID, Body: shown}, nil
}

type previewShare struct {
	Body newShare
}

func (s Services) previewShare(ctx context.Context, in *previewShare) (*answer[campaignPreview], error) {
	n, err := s.shared(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	p, err := s.Queue.Preview(ctx, accountOf(ctx), n)
	if err != nil {
		return nil, err
	}
	return &answer[campaignPreview]{Body: s.campaignPreview(p)}, nil
}

// shared is the campaign that is asked for, with what it names looked up.
func (s Services) shared(ctx context.Context, n newShare) (out smsqueue.NewCampaign, err error) {
	share := smsqueue.NewShare{Text: n.Text, Language: n.Language, Name: n.Name, Sender: n.Sender, Lane: smsqueue.Lane(n.Lane)}
	if share.To.Groups, err = s.idsOf(secrets.CardGroup, n.Groups); err != nil {
		return out, err
	}
	if share.To.Cards, err = s.idsOf(secrets.Card, n.Cards); err != nil {
		return out, err
	}
	if share.CeilingMicro, err = s.ceiling(ctx, n.MaxCost); err != nil {
		return out, err
	}
	if out, err = s.Queue.Share(ctx, accountOf(ctx), share); err != nil {
		return out, err
	}
	_, err = n.Timing.fill(ctx, s, &out)
	return out, err
}

// idsOf reads names that all are of one kind.
func (s Services) idsOf(prefix string, names []string) (ids []int64, err error) {
	for _, name := range names {
		id, err := s.Names.ID(prefix, name)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// holders are those whom a campaign goes to by their cards.
type holders struct {
	Groups []string `json:"groups" doc:"Groups of cards; empty for all."`
	Cards  []string `json:"cards" doc:"Empty for all of the groups."`
}

func (s Services) namesOf(prefix string, ids []int64) []string {
	names := []string{}
	for _, id := range ids {
		names = append(names, s.Names.Of(prefix, id))
	}
	return names
}
