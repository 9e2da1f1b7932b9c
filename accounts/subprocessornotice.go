package accounts

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/nyaruka/phonenumbers"

	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/events"
	"github.com/varsel/varsel/internal/problem"
)

// Kinds of notices.
const (
	NoticeAdd      = "add"
	NoticeChange   = "change"
	NoticeRemove   = "remove"
	NoticeWithdraw = "withdraw" // takes another notice back before its day
)

// NoticeTime is how long before its day a change is announced, unless there is a
// reason why not.
const NoticeTime = 30 * day

const day = 24 * time.Hour

// EventSubProcessor is the event of a notice. Its data is NoticeEvent.
const EventSubProcessor = "subprocessor.announced"

// NoticeEvent is what an account is told of a notice as an event.
type NoticeEvent struct {
	Version   int64     `json:"version"`
	Kind      string    `json:"kind"`
	Name      string    `json:"name"`
	Effective time.Time `json:"effective_at"`
}

// SubProcessorNotice announces a change of the list, and is a version of it.
type SubProcessorNotice struct {
	ID           int64
	Version      int64 // of the list: from 1 without gaps
	Kind         string
	SubProcessor SubProcessor // as it will be; of a removal, as it was last
	Withdraws    int64        // of a withdrawal: the version of the notice that it takes back
	WithdrawnBy  int64        // the version of the notice that took this one back; 0 for none
	Reason       string       // why it takes effect earlier than the notice time, or is withdrawn
	Announced    time.Time
	Effective    time.Time
}

// Open says whether accounts may object at a time: until the change takes effect.
func (n SubProcessorNotice) Open(at time.Time) bool {
	return n.Kind != NoticeWithdraw && n.WithdrawnBy == 0 && at.Before(n.Effective)
}

// NewNotice is a change of the list that is to be announced.
type NewNotice struct {
	Kind         string       // add, change or remove
	SubProcessor SubProcessor // its whole wording; of a removal the ID alone
	// Effective is the day of the change (UTC): today is at once, zero the first day
	// that leaves the notice time.
	Effective time.Time
	Reason    string // needed where the notice time is not kept; a removal needs none
}

// Announce makes a notice available to all accounts, and with it a version of the
// list.
func (a *Accounts) Announce(ctx context.Context, n NewNotice) (SubProcessorNotice, error) {
	notice, err := n.at(a.now())
	if err != nil {
		return SubProcessorNotice{}, err
	}
	if notice.Kind == NoticeAdd {
		if notice.SubProcessor.ID, err = a.db.NewIDs(ctx, 1); err != nil {
			return SubProcessorNotice{}, err
		}
	}
	return a.tell(ctx, notice.after)
}

func (n NewNotice) at(now time.Time) (SubProcessorNotice, error) {
	notice := SubProcessorNotice{Kind: n.Kind, SubProcessor: n.SubProcessor.trimmed(), Reason: strings.TrimSpace(n.Reason), Announced: now}
	switch n.Kind {
	case NoticeAdd, NoticeChange:
		if err := notice.SubProcessor.validate(); err != nil {
			return notice, err
		}
	case NoticeRemove:
	default:
		return notice, problem.Invalid("kind", "a notice is to add, change or remove, not %q", n.Kind)
	}
	var err error
	notice.Effective, err = n.day(now)
	if err == nil && n.Kind != NoticeRemove && notice.Effective.Sub(now) < NoticeTime && notice.Reason == "" {
		err = problem.Invalid("reason", "a change is announced %d days before its day: say why that is not possible here", int(NoticeTime/day))
	}
	return notice, err
}

// day is when the change takes effect: now, or at midnight UTC.
func (n NewNotice) day(now time.Time) (time.Time, error) {
	today := now.UTC().Truncate(day)
	if n.Effective.IsZero() {
		earliest := now.UTC().Add(NoticeTime)
		return earliest.Add(day - 1).Truncate(day), nil
	}
	switch on := n.Effective.UTC().Truncate(day); {
	case on.Before(today):
		return on, problem.Invalid("effective_at", "a change takes effect today at the earliest")
	case on.Equal(today):
		return now, nil
	default:
		return on, nil
	}
}

// after is the notice as the next one after all.
func (n SubProcessorNotice) after(all []SubProcessorNotice) (SubProcessorNotice, error) {
	n.Version = int64(len(all)) + 1
	list := listAt(all, n.Effective)
	i := slices.IndexFunc(list, func(p SubProcessor) bool { return p.ID == n.SubProcessor.ID })
	if n.Kind != NoticeAdd && i < 0 {
		return n, problem.NotFound("subprocessor", "")
	}
	if n.Kind == NoticeRemove {
		n.SubProcessor = list[i]
	}
	if n.Kind != NoticeRemove && slices.ContainsFunc(list, func(p SubProcessor) bool {
		return p.ID != n.SubProcessor.ID && strings.EqualFold(p.Name, n.SubProcessor.Name)
	}) {
		return n, problem.Conflict("subprocessor_exists", "there is a sub-processor %q on the list already", n.SubProcessor.Name)
	}
	return n, sound(append(slices.Clip(all), n), n.Effective)
}

// sound refuses notices by which, from a time on, somebody on the list would be
// engaged by one who is not, or in a circle.
func sound(all []SubProcessorNotice, from time.Time) error {
	for _, n := range all {
		if n.Effective.Before(from) {
			continue
		}
		list := listAt(all, n.Effective)
		for _, p := range list {
			if !chained(p, list) {
				return problem.Conflict("subprocessor_chain", "%q would be engaged by nobody on the list on %s", p.Name, n.Effective.UTC().Format(time.DateOnly))
			}
		}
	}
	return nil
}

// chained says whether the chain from p upwards ends with us.
func chained(p SubProcessor, list []SubProcessor) bool {
	for range list {
		if p.Parent == 0 {
			return true
		}
		i := slices.IndexFunc(list, func(q SubProcessor) bool { return q.ID == p.Parent })
		if i < 0 {
			return false
		}
		p = list[i]
	}
	return false
}

// WithdrawNotice takes a notice back before its day, and answers open objections to
// it with the reason. That is a notice too.
func (a *Accounts) WithdrawNotice(ctx context.Context, version int64, reason string) (SubProcessorNotice, error) {
	reason = strings.TrimSpace(reason)
	if reason == "" {
		return SubProcessorNotice{}, problem.Invalid("reason", "say why the notice is withdrawn")
	}
	now := a.now()
	return a.tell(ctx, func(all []SubProcessorNotice) (SubProcessorNotice, error) {
		was, err := numbered(all, version)
		if err != nil {
			return was, err
		}
		if !was.Open(now) {
			return was, problem.Conflict("notice_in_effect", "the notice is in effect or withdrawn: announce another change")
		}
		all[version-1].WithdrawnBy = int64(len(all)) + 1
		n := SubProcessorNotice{Version: int64(len(all)) + 1, Kind: NoticeWithdraw, SubProcessor: was.SubProcessor, Withdraws: version,
			Reason: reason, Announced: now, Effective: now}
		return n, sound(append(all, n), now)
	})
}

func numbered(all []SubProcessorNotice, version int64) (SubProcessorNotice, error) {
	if version < 1 || version > int64(len(all)) {
		return SubProcessorNotice{}, problem.NotFound("notice", "")
	}
	return all[version-1], nil
}

// tell keeps what next makes of the notices there are, and makes it available to all
// accounts.
func (a *Accounts) tell(ctx context.Context, next func([]SubProcessorNotice) (SubProcessorNotice, error)) (made SubProcessorNotice, err error) {
	subscribers, err := events.Subscribers(ctx, a.db, EventSubProcessor)
	if err != nil {
		return made, err
	}
	first, err := a.db.NewIDs(ctx, 1+len(subscribers))
	if err != nil {
		return made, err
	}
	err = a.db.InTx(ctx, func(tx *db.Tx) error {
		all, err := lockedNotices(ctx, tx)
		if err != nil {
			return err
		}
		if made, err = next(all); err != nil {
			return err
		}
		made.ID = first
		if err := made.insert(ctx, tx); err != nil {
			return err
		}
		if err := made.publish(ctx, tx, subscribers); err != nil {
			return err
		}
		if err := made.record(ctx, tx); err != nil {
			return err
		}
		return endObjections(ctx, tx, made)
	})
	if db.IsDuplicate(err) {
		err = problem.Conflict("notice_meanwhile", "another change was announced at the same moment: look at it and try again")
	}
	return made, err
}

// publish writes the notice as events, whose ids follow that of the notice.
func (n SubProcessorNotice) publish(ctx context.Context, tx *db.Tx, subscribers []int64) error {
	data := NoticeEvent{n.Version, n.Kind, n.SubProcessor.Name, n.Effective.UTC()}
	for i, account := range subscribers {
		if err := events.Record(ctx, tx, events.Event{ID: n.ID + 1 + int64(i), Account: account, Type: EventSubProcessor, Data: data, At: n.Announced}); err != nil {
			return err
		}
	}
	return nil
}

func (n SubProcessorNotice) record(ctx context.Context, tx *db.Tx) error {
	p := n.SubProcessor
	_, err := audit.Record(ctx, tx, audit.Entry{At: n.Announced, Action: "subprocessor." + noticeVerbs[n.Kind], Subject: "ntc", SubjectID: n.ID,
		Facts: map[string]any{"version": n.Version, "name": p.Name, "country": p.Country, "transfer": p.Transfer,
			"effective_at": n.Effective.UTC(), "withdraws": n.Withdraws},
		Detail: map[string]string{"address": p.Address, "contact": p.Contact, "reason": n.Reason}})
	return err
}

var noticeVerbs = map[string]string{NoticeAdd: "addition_announced", NoticeChange: "change_announced", NoticeRemove: "removal_announced", NoticeWithdraw: "notice_withdrawn"}

// SubProcessorNotices lists all that was announced, the newest first.
func (a *Accounts) SubProcessorNotices(ctx context.Context) ([]SubProcessorNotice, error) {
	all, err := a.notices(ctx, a.db)
	slices.Reverse(all)
	return all, err
}

// SubProcessorNotice is the notice that made a version of the list.
func (a *Accounts) SubProcessorNotice(ctx context.Context, version int64) (SubProcessorNotice, error) {
	all, err := a.notices(ctx, a.db)
	if err != nil {
		return SubProcessorNotice{}, err
	}
	return numbered(all, version)
}

func (p SubProcessor) trimmed() SubProcessor {
	for _, field := range []*string{&p.Name, &p.Address, &p.Contact, &p.Service, &p.Data, &p.Country, &p.Transfer} {
		*field = strings.TrimSpace(*field)
	}
	p.Country = strings.ToUpper(p.Country)
	return p
}

// longest is the most characters of a field of a sub-processor, a reason or an answer.
const longest = 2000

func (p SubProcessor) validate() error {
	for _, f := range []struct{ name, value string }{{"name", p.Name}, {"address", p.Address}, {"contact", p.Contact}, {"service", p.Service}, {"data", p.Data}} {
		if f.value == "" {
			return problem.Invalid(f.name, "a sub-processor needs a name, an address, a contact, a service and the data that it has: %s is missing", f.name)
		}
	}
	for _, f := range []struct{ name, value string }{{"name", p.Name}, {"address", p.Address}, {"contact", p.Contact}, {"service", p.Service}, {"data", p.Data}, {"transfer", p.Transfer}} {
		if len([]rune(f.value)) > longest {
			return problem.Invalid(f.name, "%s has %d characters at the most", f.name, longest)
		}
	}
	switch {
	case phonenumbers.GetCountryCodeForRegion(p.Country) == 0:
		return problem.Invalid("country", "%q is no country code such as NO", p.Country)
	case p.Transfer == "" && !InEEA(p.Country):
		return problem.Invalid("transfer", "%s is outside the EEA: say what allows the transfer (Art. 44 to 49 GDPR)", p.Country)
	}
	return nil
}

// InEEA says whether a country (ISO 3166 alpha-2) is in the European Economic Area,
// where no transfer tool is needed.
func InEEA(country string) bool { return slices.Contains(eea, country) }

var eea = []string{"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT", "LU",
	"LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK"}
