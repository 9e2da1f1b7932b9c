package accounts

import (
	"context"
	"time"
)

// How an account came to know of notices, besides mail.
const (
	NoticeViewed  = "viewed"  // a user looked at the page that lists them
	NoticeRead    = "read"    // an API key listed them
	NoticeFetched = "fetched" // somebody fetched the account's feed
)

// Noticed keeps that an account came to know of all notices there are: how, and by
// which user or key, 0 for nobody known. The first time counts.
func (a *Accounts) Noticed(ctx context.Context, account int64, how string, who int64) error {
	return a.noticed(ctx, account, how, who, a.now())
}

// NoticeEvidence is the proof of a notice to one account.
type NoticeEvidence struct {
	Account      int64
	Handle, Name string
	Available    time.Time // when it could first be read: announced, or the account was opened later
	Known        []NoticeKnown
	Mails        []NoticeMail
}

// NoticeKnown is when an account first came to know of a notice in one way.
type NoticeKnown struct {
	How string // viewed, read or fetched
	Who int64  // user or key, 0 for nobody known
	At  time.Time
}

// NoticeMail is what became of the mail to one owner.
type NoticeMail struct {
	User  int64
	State string // waiting, sending, sent, unconfirmed or failed
	At    time.Time
}

// Evidence is the proof of one notice to the accounts after one that are active or
// were then, at most limit of them in the order of their ids.
func (a *Accounts) Evidence(ctx context.Context, version, after int64, limit int) ([]NoticeEvidence, error) {
	n, err := a.SubProcessorNotice(ctx, version)
	if err != nil {
		return nil, err
	}
	all, err := a.availability(ctx, n, after, limit)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return all, a.addEvidence(ctx, n.ID, all)
}
