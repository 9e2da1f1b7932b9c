package smsqueue

import "cmp"

// fairness gives the next turn to the account that has had the fewest parts,
// and within it to the campaign that has.
type fairness struct {
	accounts  share
	campaigns map[int64]*share // by account
}

func (f *fairness) compare(a, b *turn) int {
	return cmp.Or(
		cmp.Compare(f.accounts.of(a.account), f.accounts.of(b.account)),
		cmp.Compare(f.within(a.account).of(a.campaign), f.within(b.account).of(b.campaign)),
	)
}

func (f *fairness) add(t *turn, parts int) {
	f.accounts.add(t.account, parts)
	f.within(t.account).add(t.campaign, parts)
}

func (f *fairness) within(account int64) *share {
	if f.campaigns == nil || len(f.campaigns) > shareKeys {
		f.campaigns = map[int64]*share{}
	}
	if f.campaigns[account] == nil {
		f.campaigns[account] = &share{}
	}
	return f.campaigns[account]
}

// share counts what each of several keys has had. One that comes new, or comes
// back after a while, begins where the others are now: it cannot claim what it
// did not want earlier.
type share struct {
	had   map[int64]int64
	clock int64 // how much the last one to be served had had
}

// shareKeys bounds what is remembered; to forget all is fair too.
const shareKeys = 10_000

func (s *share) of(key int64) int64 { return max(s.had[key], s.clock) }

func (s *share) add(key int64, parts int) {
	if s.had == nil || len(s.had) > shareKeys {
		s.had = map[int64]int64{}
	}
	s.clock = s.of(key)
	s.had[key] = s.clock + int64(parts)
}
