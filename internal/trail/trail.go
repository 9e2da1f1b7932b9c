// Package trail records what was done at the program's edges: operations of the API,
// pages of the console and commands, each after it succeeded. What matters legally is
// recorded by the rooms themselves, within the transaction that does it.
package trail

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/secrets"
)

const (
	// writePatience bounds a write. The request has succeeded by then, and its own
	// time may be over.
	writePatience = 10 * time.Second
	// mostAtOnce bounds how many entries share a commit.
	mostAtOnce = 200
)

// Trail appends entries to the chains. Those that come while it writes share the next
// commit.
type Trail struct {
	db     *db.DB
	names  *secrets.Names
	lost   atomic.Int64
	writes sync.WaitGroup

	mu       sync.Mutex
	waiting  []*waiting
	writing  bool
	refusals map[asker]*refused
}

type waiting struct {
	entry audit.Entry
	done  chan struct{}
}

// New makes a trail. Close it before d.
func New(d *db.DB, names *secrets.Names) *Trail {
	return &Trail{db: d, names: names, refusals: map[asker]*refused{}}
}

// Close writes what is counted and waits for what is being written.
func (t *Trail) Close() {
	t.sweep(time.Time{})
	t.writes.Wait()
}

// Lost is how many entries could not be written.
func (t *Trail) Lost() int64 { return t.lost.Load() }

// Step is what was done at an edge.
type Step struct {
	Account int64 // 0: of the installation
	Action  string
	Status  int               // of the answer; 0 where there is none
	Given   map[string]string // what the request named, by the name of its place
	Made    string            // the name of what was made, or empty
	Flags   []string          // of a command, without their values
	From    From
}

// From is where a request came from, or who ran a command: personal data.
type From struct {
	IP        string `json:"ip,omitempty"`
	UserAgent string `json:"user_agent,omitempty"`
	OSUser    string `json:"os_user,omitempty"`
}

// longestAgent keeps what a stranger may say about their browser short, in bytes.
const longestAgent = 300

// Done records a step after it succeeded, and returns when it is kept. What cannot be
// kept is logged and counted: the step is done, and its answer must not say otherwise.
func (t *Trail) Done(ctx context.Context, s Step) {
	t.sweep(time.Now())
	<-t.append(t.entry(ctx, s))
}

func (t *Trail) entry(ctx context.Context, s Step) audit.Entry {
	e := audit.Entry{Account: s.Account, Action: s.Action, Actor: audit.ActorOf(ctx), At: time.Now(), Detail: s.From.detail()}
	facts := facts{Status: s.Status, Flags: s.Flags, IDs: map[string]string{}, Given: map[string]string{}}
	for name, value := range s.Given {
		switch prefix, id, ours := t.names.Read(value); {
		case ours:
			facts.IDs[name], e.Subject, e.SubjectID = value, prefix, id
		case s.Account == 0: // what the installation names is nobody's
			facts.Given[name] = value
		}
	}
	if prefix, id, ours := t.names.Read(s.Made); ours {
		facts.Made, e.Subject, e.SubjectID = s.Made, prefix, id
	}
	e.Facts = facts
	return e
}

func (f From) detail() any {
	if f == (From{}) {
		return nil
	}
	f.UserAgent = f.UserAgent[:min(len(f.UserAgent), longestAgent)]
	return f
}

// facts hold no personal data: of what a request named, only our own names of things,
// which tell nothing. A number in a path is left out.
type facts struct {
	Status int               `json:"status,omitempty"`
	IDs    map[string]string `json:"ids,omitempty"`
	Made   string            `json:"made,omitempty"`
	Given  map[string]string `json:"given,omitempty"`
	Flags  []string          `json:"flags,omitempty"`
	Asked  string            `json:"asked,omitempty"` // what was refused
	Scope  string            `json:"scope,omitempty"` // that a key lacks
	More   int               `json:"more,omitempty"`  // how often within a minute after that
}

// append has an entry written; the channel is closed when it is, or is lost.
func (t *Trail) append(e audit.Entry) <-chan struct{} {
	w := &waiting{e, make(chan struct{})}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting = append(t.waiting, w)
	if !t.writing {
		t.writing = true
		t.writes.Go(t.write)
	}
	return w.done
}

func (t *Trail) write() {
	for some := t.take(); some != nil; some = t.take() {
		if err := t.commit(some); err != nil {
			t.lost.Add(int64(len(some)))
			for _, w := range some {
				slog.Error("the audit trail lacks what was done", "action", w.entry.Action, "account", w.entry.Account, "error", err)
			}
		}
		for _, w := range some {
			close(w.done)
		}
	}
}

// take takes what waits, in the order of accounts: processes that write for the same
// accounts then never wait for each other in a circle.
func (t *Trail) take() []*waiting {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := min(len(t.waiting), mostAtOnce)
	if n == 0 {
		t.writing = false
		return nil
	}
	some := slices.Clone(t.waiting[:n])
	t.waiting = slices.Delete(t.waiting, 0, n)
	slices.SortStableFunc(some, func(a, b *waiting) int {
		return int(min(max(a.entry.Account-b.entry.Account, -1), 1))
	})
	return some
}

func (t *Trail) commit(some []*waiting) error {
	ctx, cancel := context.WithTimeout(context.Background(), writePatience)
	defer cancel()
	return t.db.InTx(ctx, func(tx *db.Tx) error {
		for _, w := range some {
			if _, err := audit.Record(ctx, tx, w.entry); err != nil {
				return err
			}
		}
		return nil
	})
}
