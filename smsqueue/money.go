package smsqueue

import (
	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/contacts"
)

// booking makes the ledger's entries of messages: one for all that have the same owner,
// campaign, country, price and lane, which is what lines of invoices are made of. The
// messages are the sub-ledger.
type booking struct {
	entries []billing.Entry
	at      map[billing.Entry]int // by what they have in common
	ids     *idPool
}

// add counts a message; a release says which reservation it is of. The pool needs an id for every message at the most.
func (t *booking) add(kind billing.Kind, lane Lane, of billing.Reservation, account, campaign int64, phone string, parts int, micro int64) {
	common := billing.Entry{Account: account, Campaign: campaign, Kind: kind, Country: contacts.CountryOf(phone), Lane: string(lane), Reservation: of}
	if parts > 0 {
		common.Unit = micro / int64(parts)
	}
	i, known := t.at[common]
	if !known {
		if t.at == nil {
			t.at = map[billing.Entry]int{}
		}
		i = len(t.entries)
		t.at[common] = i
		t.entries = append(t.entries, common)
		t.entries[i].ID = t.ids.take()
	}
	e := &t.entries[i]
	e.Micro, e.Messages, e.Parts = e.Micro+micro, e.Messages+1, e.Parts+parts
}

// reservations are the entries that set aside what messages cost.
func reservations(messages []Message, lane Lane, ids *idPool) []billing.Entry {
	t := booking{ids: ids}
	for _, m := range messages {
		t.add(billing.KindReserve, lane, 0, m.Account, m.Campaign, m.Phone, m.Parts, m.PriceMicro)
	}
	return t.entries
}
