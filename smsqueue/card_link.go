package smsqueue

import (
	"context"
	"strings"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/smsqueue/smstext"
)

// cardField is the address of the recipient's own card; empty for who has none.
const cardField = "card_link"

// CardHolders chooses whom a campaign to the holders of cards goes to: those with an
// active card. Without groups and cards it is all of them.
type CardHolders struct {
	Groups []int64 `json:"groups,omitempty"` // of cards
	Cards  []int64 `json:"cards,omitempty"`
}

// errNoPublicURL is what a text with links of the installation's own is refused with.
var errNoPublicURL = problem.Conflict("no_public_url", "a card has no address that people can open: this installation has no VARSEL_PUBLIC_URL")

// checkCardLinks refuses links that would lead nowhere.
func (q *Queue) checkCardLinks(words *wording) error {
	if q.public == "" && words.usesField(cardField) {
		return errNoPublicURL
	}
	return nil
}

// knowCards reads the addresses of people's cards, where the words have them.
func (c starting) knowCards(ctx context.Context, tx *db.Tx, people map[int64]*person) error {
	if c.words == nil || len(people) == 0 || !c.words.usesField(cardField) {
		return nil
	}
	ids := make([]int64, 0, len(people))
	for id := range people {
		ids = append(ids, id)
	}
	slugs, err := c.house.cards.OfContacts(ctx, tx, c.account, ids)
	for id, slug := range slugs {
		people[id].card = cards.Address(c.house.public, slug)
	}
	return err
}

// inAlphabet is a text in the GSM alphabet as far as a reader bears it; the addresses
// in it stay as they are, whatever their host is called.
func inAlphabet(text string, addresses ...string) string {
	for _, address := range addresses {
		if before, after, found := strings.Cut(text, address); address != "" && found {
			return inAlphabet(before, addresses...) + address + inAlphabet(after, addresses...)
		}
	}
	text, _ = smstext.Transliterate(text)
	return text
}

// ShareText is what holders get with their card where nobody wrote anything else, in a
// language: en, nb or pl. With the usual address it is one part.
func ShareText(language string) string {
	switch language {
	case "nb":
		return "Her er visittkortet ditt: {{" + cardField + "}} Lagre lenken, og del den med dem du møter."
	case "pl":
		return "Oto Twoja karta kontaktowa: {{" + cardField + "}} Zapisz ten link i przekazuj go dalej."
	}
	return "Here is your business card: {{" + cardField + "}} Save the link, and share it with the people you meet."
}
