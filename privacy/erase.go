package privacy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/internal/subject"
	"github.com/varsel/varsel/smsqueue"
)

// Erasure is that somebody was erased (Art. 17 GDPR). It does not say who.
type Erasure struct {
	ID       int64
	Account  int64
	Reason   string
	What     map[string]int // how much was found, by room
	At       time.Time
	Replayed bool      // it was done again, after a restore
	Settled  time.Time // when it was looked once more; zero before
	Lifted   time.Time // zero while it stands
	// Still are those who are still in the account's directory. It is told this once,
	// as nothing is kept of them.
	Still []subject.Object

	contacts []int64
}

// maxReason bounds a reason, in characters.
const maxReason = 200

// Erase erases a person from an account, everywhere, and marks them, so that no sync,
// import or request brings them back. ref is a Match's, a contact's id or a number. The
// ledger and invoices stay (Art. 17(3)(b)): they hold counts and nobody's number. The
// reason must not name the person.
func (d *Desk) Erase(ctx context.Context, account int64, ref, reason string) (Erasure, error) {
	m, err := d.Person(ctx, account, ref)
	if err != nil {
		return Erasure{}, err
	}
	if reason, err = checkReason(reason, m.Person); err != nil {
		return Erasure{}, err
	}
	id, err := d.parts.DB.NewIDs(ctx, 1)
	if err != nil {
		return Erasure{}, err
	}
	l := line{Installation: d.installation(), Account: account, Erasure: id, At: db.Millis(time.Now()), Contacts: m.Contacts, Marks: d.marksOf(m.Person)}
	if l.Marks, err = d.withAliases(ctx, l); err != nil {
		return Erasure{}, err
	}
	if l, err = appendLine(d.parts.Erasures, l); err != nil {
		return Erasure{}, err
	}
	// What is written down is done, also when whoever asked has gone.
	e, err := d.carryOut(context.WithoutCancel(ctx), l, reason, false)
	if err != nil {
		return e, fmt.Errorf("the erasure is written down and will be done within a minute, or at the next start: %w", err)
	}
	return e, nil
}

func checkReason(reason string, p subject.Person) (string, error) {
	reason = strings.TrimSpace(reason)
	switch {
	case reason == "" || utf8.RuneCountInString(reason) > maxReason || strings.ContainsRune(reason, 0) || !utf8.ValidString(reason):
		return "", problem.Invalid("reason", "an erasure needs a reason of at most %d characters", maxReason)
	case p.In(reason):
		return "", problem.Invalid("reason", "the reason stays, so it must not name the person: write what was asked, or a case number")
	}
	return reason, nil
}

func (d *Desk) marks() contacts.Marks { return contacts.MarksOf(d.parts.Names) }

// installation tells this installation's lines from those of others.
func (d *Desk) installation() string { return d.parts.Names.Mark("installation")[:16] }

func (d *Desk) marksOf(p subject.Person) (all []contacts.Mark) {
	for _, n := range p.Numbers {
		all = append(all, contacts.Mark{Kind: contacts.MarkNumber, Mark: d.marks().Number(p.Account, n)})
	}
	return append(all, d.marksOfObjects(p.Account, p.Objects)...)
}

func (d *Desk) marksOfObjects(account int64, objects []subject.Object) (all []contacts.Mark) {
	for _, o := range objects {
		all = append(all, contacts.Mark{Kind: contacts.MarkObject, Mark: d.marks().Object(account, o.Tenant, o.ID)})
	}
	return all
}

// withAliases adds the names by which a directory would write them to us anew.
func (d *Desk) withAliases(ctx context.Context, l line) ([]contacts.Mark, error) {
	t, err := d.parts.Directory.Recognise(ctx, d.erased(l))
	return append(l.Marks, d.marksOfObjects(l.Account, t.Aliases)...), err
}

func (d *Desk) erased(l line) contacts.Erased {
	return d.marks().Of(l.Account, l.Erasure, l.Contacts, l.Marks)
}

// found is all that an erasure has to do with.
type found struct {
	person    subject.Person
	directory directory.Traces
	cards     cards.Traces
	queue     smsqueue.Traces
	audit     []int64
}

func (f found) counts() map[string]int {
	return map[string]int{"contacts": len(f.person.Contacts), "directory": f.directory.Found(), "cards": f.cards.Found(), "messages": f.queue.Found(), "audit": len(f.audit)}
}

func (f found) any() bool {
	return len(f.person.Contacts)+f.directory.Found()+f.cards.Found()+f.queue.Found()+len(f.audit) > 0
}

// recognise finds by the marks alone, so that it finds the same in a restored backup.
func (d *Desk) recognise(ctx context.Context, l line) (f found, err error) {
	e := d.erased(l)
	if f.person, err = d.parts.Book.Recognise(ctx, e); err != nil {
		return f, err
	}
	if f.directory, err = d.parts.Directory.Recognise(ctx, e); err != nil {
		return f, err
	}
	if f.queue, err = d.parts.Queue.Recognise(ctx, e); err != nil {
		return f, err
	}
	if f.cards, err = d.recogniseCards(ctx, l, e, f.person); err != nil {
		return f, err
	}
	p := &f.person
	p.Names, p.Emails = append(p.Names, f.directory.Person.Names...), append(p.Emails, f.directory.Person.Emails...)
	p.Numbers = append(p.Numbers, f.queue.Numbers...)
	about := *p
	about.Contacts = append(slices.Clone(p.Contacts), l.Contacts...) // those that are gone already
	err = audit.About(ctx, d.parts.DB, l.Account, isAbout(about), func(entry audit.Entry) error {
		if entry.Detail != nil {
			f.audit = append(f.audit, entry.Seq)
		}
		return nil
	})
	return f, err
}

func (d *Desk) recogniseCards(ctx context.Context, l line, e contacts.Erased, p subject.Person) (cards.Traces, error) {
	var numbers []string
	for _, m := range l.Marks {
		if m.Kind == contacts.MarkNumber {
			numbers = append(numbers, m.Mark)
		}
	}
	return d.cards.Recognise(ctx, l.Account, func(c cards.Card) bool {
		return e.Is(c.Contact) || slices.Contains(p.Contacts, c.Contact) || e.Object(c.Tenant, c.DirectoryID)
	}, e.Number, numbers)
}

// carryOut does an erasure that is in the list. It can be done again.
func (d *Desk) carryOut(ctx context.Context, l line, reason string, replayed bool) (Erasure, error) {
	f, err := d.recognise(ctx, l)
	if err != nil {
		return Erasure{}, err
	}
	e := Erasure{ID: l.Erasure, Account: l.Account, Reason: reason, What: f.counts(), At: db.Time(l.At), Replayed: replayed, Still: f.directory.Still, contacts: l.Contacts}
	err = d.parts.DB.InTx(ctx, func(tx *db.Tx) error {
		fresh, err := insertErasure(ctx, tx, e)
		if err != nil {
			return err
		}
		if err := d.apply(ctx, tx, l, f); err != nil || !fresh {
			return err
		}
		_, err = audit.Record(ctx, tx, audit.Entry{Account: l.Account, Action: "person.erased", Subject: secrets.Erasure, SubjectID: l.Erasure,
			Facts: map[string]any{"found": e.What, "replayed": replayed, "still_in_directory": len(e.Still)}})
		return err
	})
	if err != nil {
		return e, err
	}
	return e, d.overwrite(ctx)
}

// apply forgets the person in every room, and keeps the marks.
func (d *Desk) apply(ctx context.Context, tx *db.Tx, l line, f found) error {
	now, e := time.Now(), d.erased(l)
	marks := l.Marks
	for _, n := range f.queue.Stopped {
		marks = append(slices.Clone(marks), contacts.Mark{Kind: contacts.MarkStop, Mark: d.marks().Number(l.Account, n)})
	}
	if err := d.marks().Keep(ctx, tx, l.Account, l.Erasure, marks); err != nil {
		return err
	}
	if err := d.parts.Directory.Erase(ctx, tx, l.Account, f.directory, now); err != nil {
		return err
	}
	if err := d.cards.Erase(ctx, tx, l.Account, f.cards); err != nil {
		return err
	}
	if err := d.parts.Queue.Erase(ctx, tx, e, f.queue, now); err != nil {
		return err
	}
	if err := d.parts.Book.Erase(ctx, tx, f.person); err != nil {
		return err
	}
	if err := d.parts.Accounts.ForgetPerson(ctx, tx, f.person, f.queue.Messages); err != nil {
		return err
	}
	if len(f.audit) == 0 {
		return nil
	}
	return audit.Erase(ctx, tx, l.Account, f.audit)
}

// overwrite takes what was erased out of the database's files. Somebody who reads at
// this moment keeps it there until a later look.
func (d *Desk) overwrite(ctx context.Context) error {
	err := d.parts.DB.Checkpoint(ctx)
	if errors.Is(err, db.ErrReading) {
		slog.Warn("what was erased is still in the log of the database; it is taken out within a minute", "reason", err)
		return nil
	}
	return err
}

// Erasures lists an account's, the newest first, before an id (0: from the end).
func (d *Desk) Erasures(ctx context.Context, account, before int64, limit int) ([]Erasure, error) {
	return selectErasures(ctx, d.parts.DB, `WHERE account_id = $1 AND (CAST($2 AS BIGINT) = 0 OR id < $2) ORDER BY id DESC LIMIT $3`, account, before, limit)
}

// Erasure finds one.
func (d *Desk) Erasure(ctx context.Context, account, id int64) (Erasure, error) {
	all, err := selectErasures(ctx, d.parts.DB, `WHERE account_id = $1 AND id = $2`, account, id)
	if err != nil {
		return Erasure{}, err
	}
	if len(all) == 0 {
		return Erasure{}, problem.New(problem.KindNotFound, "erasure_not_found", "there is no such erasure")
	}
	return all[0], nil
}

// Lift lets whom an erasure is of come back: by the next sync, by hand or by a request.
// What was erased stays erased, and a number that had opted out stays so.
func (d *Desk) Lift(ctx context.Context, account, id int64) (Erasure, error) {
	e, err := d.Erasure(ctx, account, id)
	if err != nil {
		return e, err
	}
	if !e.Lifted.IsZero() {
		return e, problem.Conflict("erasure_lifted", "this erasure was lifted already")
	}
	now := time.Now()
	if _, err := appendLine(d.parts.Erasures, line{Installation: d.installation(), Account: account, Erasure: id, At: db.Millis(now), Lifted: true}); err != nil {
		return e, err
	}
	if err := d.lift(context.WithoutCancel(ctx), account, id, now); err != nil {
		return e, err
	}
	return d.Erasure(ctx, account, id)
}

func (d *Desk) lift(ctx context.Context, account, id int64, now time.Time) error {
	return d.parts.DB.InTx(ctx, func(tx *db.Tx) error {
		lifted, err := liftErasure(ctx, tx, account, id, now)
		if err != nil || !lifted {
			return err
		}
		if err := d.marks().Lift(ctx, tx, account, id); err != nil {
			return err
		}
		if err := d.parts.Directory.ReadAgain(ctx, tx, account, now); err != nil {
			return err
		}
		_, err = audit.Record(ctx, tx, audit.Entry{Account: account, Action: "erasure.lifted", Subject: secrets.Erasure, SubjectID: id})
		return err
	})
}
