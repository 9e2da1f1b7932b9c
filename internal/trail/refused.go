package trail

import (
	"context"
	"time"

	"github.com/varsel/varsel/internal/audit"
)

// refusalsEvery bounds what those who are refused can write: one entry in this time
// for each key or user, and one more that counts the rest.
const refusalsEvery = time.Minute

// asker is who was refused.
type asker struct {
	account int64
	actor   audit.Actor
	action  string
	subject int64
}

type refused struct {
	last audit.Entry
	more int
}

// Refusal is an attempt that was refused, of somebody whose account is known.
type Refusal struct {
	Account   int64
	Action    string // "api.refused"
	Asked     string // which operation; empty for a sign-in
	Scope     string // that the key lacks, or empty
	Subject   string // prefix of whom the attempt was about, or empty
	SubjectID int64
	From      From
}

// Refused records a refusal, the first of a minute at once and the rest as their
// count. It does not wait: how long an answer takes would tell who is known.
func (t *Trail) Refused(ctx context.Context, r Refusal) {
	now := time.Now()
	t.sweep(now)
	who := asker{r.Account, audit.ActorOf(ctx), r.Action, r.SubjectID}
	e := audit.Entry{Account: r.Account, Action: r.Action, Actor: who.actor, At: now, Subject: r.Subject, SubjectID: r.SubjectID,
		Facts: facts{Asked: r.Asked, Scope: r.Scope}, Detail: r.From.detail()}
	t.mu.Lock()
	before, again := t.refusals[who]
	if again {
		before.more++
	} else {
		t.refusals[who] = &refused{last: e}
	}
	t.mu.Unlock()
	if !again {
		t.append(e)
	}
}

// sweep forgets refusals whose minute is over at a time (the zero time: all of them),
// and writes how many there were.
func (t *Trail) sweep(now time.Time) {
	var counted []audit.Entry
	t.mu.Lock()
	for who, r := range t.refusals {
		if !now.IsZero() && now.Sub(r.last.At) < refusalsEvery {
			continue
		}
		delete(t.refusals, who)
		if r.more > 0 {
			e := r.last
			e.At, e.Facts, e.Detail = time.Now(), facts{More: r.more}, nil
			counted = append(counted, e)
		}
	}
	t.mu.Unlock()
	for _, e := range counted {
		t.append(e)
	}
}
