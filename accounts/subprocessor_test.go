package accounts_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/events"
	"github.com/varsel/varsel/internal/mail"
	"github.com/varsel/varsel/internal/sim/smtpsim"
)

// calendar is a clock that a test turns.
type calendar struct{ at time.Time }

func (c *calendar) pass(days int) { c.at = c.at.AddDate(0, 0, days) }

func onDay(text string) time.Time {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return at
}

// listed is each with a list on 1 March, at half past nine.
func listed(t *testing.T, test func(t *testing.T, a *accounts.Accounts, d *db.DB, acme accounts.Account, c *calendar)) {
	t.Helper()
	each(t, func(t *testing.T, a *accounts.Accounts, d *db.DB, acme accounts.Account) {
		c := &calendar{onDay("2027-03-01").Add(9*time.Hour + 30*time.Minute)}
		test(t, a.WithClock(func() time.Time { return c.at }), d, acme, c)
	})
}

var nordtele = accounts.SubProcessor{Name: "Nordtele AS", Address: "Storgata 1, 0155 Oslo", Contact: "Per Vik, privacy@nordtele.example",
	Service: "Carries SMS", Data: "Numbers and texts", Country: "NO"}

func announce(t *testing.T, a *accounts.Accounts, n accounts.NewNotice) accounts.SubProcessorNotice {
	t.Helper()
	made, err := a.Announce(t.Context(), n)
	must(t, err)
	return made
}

func addition(p accounts.SubProcessor) accounts.NewNotice {
	return accounts.NewNotice{Kind: accounts.NoticeAdd, SubProcessor: p}
}

func names(t *testing.T, a *accounts.Accounts, at time.Time) string {
	t.Helper()
	list, err := a.SubProcessorsAt(t.Context(), at)
	must(t, err)
	var all []string
	for _, p := range list {
		all = append(all, p.Name+" "+p.Country)
	}
	return strings.Join(all, ", ")
}

func TestAChangeTakesEffectWhenItsNoticeTimeIsOver(t *testing.T) {
	listed(t, func(t *testing.T, a *accounts.Accounts, _ *db.DB, _ accounts.Account, c *calendar) {
		n := announce(t, a, addition(nordtele))
		if want := onDay("2027-04-01"); n.Version != 1 || !n.Effective.Equal(want) {
			t.Errorf("%+v", n)
		}
		c.at = n.Effective.Add(-time.Millisecond)
		if list, err := a.SubProcessors(t.Context()); err != nil || len(list) != 0 {
			t.Error(list, err)
		}
		c.at = n.Effective
		list, err := a.SubProcessors(t.Context())
		must(t, err)
		want := nordtele
		want.ID, want.Since = n.SubProcessor.ID, n.Effective
		if diff := cmp.Diff([]accounts.SubProcessor{want}, list); diff != "" {
			t.Error(diff)
		}
	})
}

func TestTheListAtAnyDateCanBeRead(t *testing.T) {
	listed(t, func(t *testing.T, a *accounts.Accounts, _ *db.DB, _ accounts.Account, c *calendar) {
		first := announce(t, a, addition(nordtele)) // 1 April
		moved := first.SubProcessor
		moved.Country = "SE"
		announce(t, a, accounts.NewNotice{Kind: accounts.NoticeChange, SubProcessor: moved, Effective: onDay("2027-05-01")})
		other := nordtele
		other.Name = "Aker SMS AS"
		announce(t, a, accounts.NewNotice{Kind: accounts.NoticeAdd, SubProcessor: other, Effective: onDay("2027-06-01")})
		c.at = onDay("2027-07-01").Add(time.Hour)
		removed := announce(t, a, accounts.NewNotice{Kind: accounts.NoticeRemove, SubProcessor: accounts.SubProcessor{ID: moved.ID}, Effective: onDay("2027-07-01")})
		if removed.SubProcessor.Name != "Nordtele AS" || !removed.Effective.Equal(c.at) {
			t.Errorf("%+v", removed)
		}
		for date, want := range map[string]string{"2027-03-31": "", "2027-04-01": "Nordtele AS NO", "2027-05-01": "Nordtele AS SE",
			"2027-06-01": "Aker SMS AS NO, Nordtele AS SE", "2027-07-02": "Aker SMS AS NO"} {
			if got := names(t, a, onDay(date)); got != want {
				t.Errorf("on %s: %q", date, got)
			}
		}
		list, err := a.SubProcessorsAt(t.Context(), onDay("2027-05-02"))
		must(t, err)
		if !list[0].Since.Equal(first.Effective) {
			t.Errorf("a change of wording began it anew: %v", list[0].Since)
		}
		all, err := a.SubProcessorNotices(t.Context())
		must(t, err)
		if len(all) != 4 || all[0].Version != 4 || all[3].Version != 1 {
			t.Errorf("%+v", all)
		}
	})
}

func TestAChangeThatCannotBeIsRefused(t *testing.T) {
	listed(t, func(t *testing.T, a *accounts.Accounts, _ *db.DB, _ accounts.Account, c *calendar) {
		there := announce(t, a, accounts.NewNotice{Kind: accounts.NoticeAdd, SubProcessor: nordtele, Effective: c.at, Reason: "The list at the start"})
		below := nordtele
		below.Name, below.Parent = "Under AS", there.SubProcessor.ID
		announce(t, a, addition(below))
		with := func(change func(*accounts.SubProcessor)) accounts.SubProcessor {
			p := nordtele
			p.Name = "Another AS"
			change(&p)
			return p
		}
		circle := there.SubProcessor
		circle.Parent = there.SubProcessor.ID
		for name, c := range map[string]struct {
			notice accounts.NewNotice
			code   string
		}{
			"no kind":          {accounts.NewNotice{Kind: "mend"}, "invalid_kind"},
			"no contact":       {addition(with(func(p *accounts.SubProcessor) { p.Contact = " " })), "invalid_contact"},
			"no country":       {addition(with(func(p *accounts.SubProcessor) { p.Country = "Norway" })), "invalid_country"},
			"third country":    {addition(with(func(p *accounts.SubProcessor) { p.Country = "US" })), "invalid_transfer"},
			"endless":          {addition(with(func(p *accounts.SubProcessor) { p.Data = strings.Repeat("x", 2001) })), "invalid_data"},
			"yesterday":        {accounts.NewNotice{Kind: accounts.NoticeRemove, SubProcessor: there.SubProcessor, Effective: onDay("2027-02-28")}, "invalid_effective_at"},
			"29 days":          {accounts.NewNotice{Kind: accounts.NoticeAdd, SubProcessor: with(func(*accounts.SubProcessor) {}), Effective: onDay("2027-03-31")}, "invalid_reason"},
			"twice":            {addition(nordtele), "subprocessor_exists"},
			"unknown":          {accounts.NewNotice{Kind: accounts.NoticeRemove, SubProcessor: accounts.SubProcessor{ID: 1}}, "subprocessor_not_found"},
			"unknown parent":   {addition(with(func(p *accounts.SubProcessor) { p.Parent = 1 })), "subprocessor_chain"},
			"its own parent":   {accounts.NewNotice{Kind: accounts.NoticeChange, SubProcessor: circle}, "subprocessor_chain"},
			"parent that goes": {accounts.NewNotice{Kind: accounts.NoticeRemove, SubProcessor: there.SubProcessor, Effective: onDay("2027-03-05")}, "subprocessor_chain"},
		} {
			t.Run(name, func(t *testing.T) {
				_, err := a.Announce(t.Context(), c.notice)
				refused(t, err, c.code)
			})
		}
		all, err := a.SubProcessorNotices(t.Context())
		must(t, err)
		if len(all) != 2 || all[1].Reason != "The list at the start" {
			t.Errorf("%+v", all)
		}
	})
}

func TestNoticesOfManyAtOnceAreVersionsWithoutGaps(t *testing.T) {
	listed(t, func(t *testing.T, a *accounts.Accounts, d *db.DB, _ accounts.Account, _ *calendar) {
		announce(t, a, addition(nordtele))
		var all sync.WaitGroup
		for i := range 6 {
			all.Go(func() {
				p := nordtele
				p.Name = fmt.Sprintf("Carrier %d AS", i)
				if _, err := a.Announce(t.Context(), addition(p)); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		notices, err := a.SubProcessorNotices(t.Context())
		must(t, err)
		if len(notices) != 7 || notices[0].Version != 7 {
			t.Errorf("%+v", notices)
		}
		actions(t, d, 0)
	})
}

func TestAnAccountObjectsUntilTheChangeTakesEffect(t *testing.T) {
	listed(t, func(t *testing.T, a *accounts.Accounts, d *db.DB, acme accounts.Account, c *calendar) {
		n := announce(t, a, addition(nordtele))
		_, err := a.Object(t.Context(), acme.ID, 2, "No")
		refused(t, err, "notice_not_found")
		_, err = a.Object(t.Context(), acme.ID, 1, " ")
		refused(t, err, "invalid_reason")
		c.at = n.Effective.Add(-time.Millisecond)
		ctx := audit.As(t.Context(), audit.Actor{Kind: audit.User, ID: 5})
		o, err := a.Object(ctx, acme.ID, 1, "They sold our numbers")
		must(t, err)
		_, err = a.Object(ctx, acme.ID, 1, "Again")
		refused(t, err, "objection_exists")
		_, err = a.Retract(ctx, acme.ID+1, o.ID)
		refused(t, err, "objection_not_found")
		retracted, err := a.Retract(ctx, acme.ID, o.ID)
		must(t, err)
		_, err = a.Retract(ctx, acme.ID, o.ID)
		refused(t, err, "objection_ended")
		_, err = a.Resolve(ctx, o.ID, accounts.ObjectionTerminated, "Too late")
		refused(t, err, "objection_ended")
		again, err := a.Object(ctx, acme.ID, 1, "After all")
		must(t, err)
		c.at = n.Effective
		_, err = a.Object(ctx, acme.ID, 1, "Late")
		refused(t, err, "objection_window_closed")
		list, err := a.Objections(t.Context(), acme.ID)
		must(t, err)
		if diff := cmp.Diff([]accounts.Objection{again, retracted}, list); diff != "" {
			t.Error(diff)
		}
		if retracted.MadeBy != 5 || retracted.State != accounts.ObjectionRetracted {
			t.Errorf("%+v", retracted)
		}
		if got := actions(t, d, acme.ID); got != "objection.made objection.retracted objection.made" {
			t.Error(got)
		}
	})
}

// actions are the entries of a chain that verifies, the oldest first.
func actions(t *testing.T, d *db.DB, account int64) string {
	t.Helper()
	_, err := audit.Verify(t.Context(), d, account)
	must(t, err)
	all, err := audit.List(t.Context(), d, account, 0, 100)
	must(t, err)
	var list []string
	for _, e := range all {
		list = append([]string{e.Action}, list...)
	}
	return strings.Join(list, " ")
}

func TestOneObjectionIsMetForItsAccountAlone(t *testing.T) {
	listed(t, func(t *testing.T, a *accounts.Accounts, d *db.DB, acme accounts.Account, c *calendar) {
		other, err := a.Create(t.Context(), accounts.Account{Handle: "other", Name: "Other AS", Region: "PL"})
		must(t, err)
		n := announce(t, a, addition(nordtele))
		ours, err := a.Object(t.Context(), acme.ID, 1, "No")
		must(t, err)
		theirs, err := a.Object(t.Context(), other.ID, 1, "No")
		must(t, err)
		_, err = a.Resolve(t.Context(), ours.ID, "overruled", "Sorry")
		refused(t, err, "invalid_outcome")
		_, err = a.Resolve(t.Context(), ours.ID, accounts.ObjectionNotEngaged, "")
		refused(t, err, "invalid_answer")
		met, err := a.Resolve(t.Context(), ours.ID, accounts.ObjectionNotEngaged, "Your messages go another way")
		must(t, err)
		if met.State != accounts.ObjectionNotEngaged || met.Answer != "Your messages go another way" || !met.Ended.Equal(c.at) {
			t.Errorf("%+v", met)
		}
		_, err = a.Resolve(t.Context(), theirs.ID, accounts.ObjectionTerminated, "We part on that day")
		must(t, err)
		for account, want := range map[int64]bool{acme.ID: true, other.ID: false} {
			list, err := a.SubProcessorsFor(t.Context(), account, n.Effective)
			must(t, err)
			if len(list) != 1 || list[0].Excluded != want {
				t.Errorf("%+v", list)
			}
		}
		if got := actions(t, d, other.ID); got != "objection.made objection.resolved" {
			t.Error(got)
		}
	})
}

func TestAWithdrawnNoticeChangesNothingAndAnswersItsObjections(t *testing.T) {
	listed(t, func(t *testing.T, a *accounts.Accounts, d *db.DB, acme accounts.Account, c *calendar) {
		other, err := a.Create(t.Context(), accounts.Account{Handle: "other", Name: "Other AS", Region: "PL"})
		must(t, err)
		n := announce(t, a, addition(nordtele))
		below := nordtele
		below.Name, below.Parent = "Under AS", n.SubProcessor.ID
		announce(t, a, addition(below))
		ours, err := a.Object(t.Context(), acme.ID, 2, "No")
		must(t, err)
		_, err = a.Object(t.Context(), other.ID, 2, "No")
		must(t, err)
		_, err = a.WithdrawNotice(t.Context(), 1, "Not now")
		refused(t, err, "subprocessor_chain")
		_, err = a.WithdrawNotice(t.Context(), 2, "")
		refused(t, err, "invalid_reason")
		c.pass(2)
		done, err := a.Resolve(t.Context(), ours.ID, accounts.ObjectionWithdrawn, "You are right")
		must(t, err)
		all, err := a.Objections(t.Context(), 0)
		must(t, err)
		for _, o := range all {
			if o.State != accounts.ObjectionWithdrawn || o.Answer != "You are right" || !o.Ended.Equal(c.at) {
				t.Errorf("%+v", o)
			}
		}
		if len(all) != 2 || done.State != accounts.ObjectionWithdrawn {
			t.Errorf("%+v", all)
		}
		_, err = a.WithdrawNotice(t.Context(), 2, "Again")
		refused(t, err, "notice_in_effect")
		_, err = a.Object(t.Context(), acme.ID, 2, "No")
		refused(t, err, "objection_window_closed")
		_, err = a.WithdrawNotice(t.Context(), 3, "What is said is said")
		refused(t, err, "notice_in_effect")
		if got := names(t, a, onDay("2028-01-01")); got != "Nordtele AS NO" {
			t.Error(got)
		}
		last, err := a.SubProcessorNotice(t.Context(), 3)
		must(t, err)
		if last.Kind != accounts.NoticeWithdraw || last.Withdraws != 2 || !last.Effective.Equal(c.at) || last.Reason != "You are right" {
			t.Errorf("%+v", last)
		}
		if got := actions(t, d, 0); got != "subprocessor.addition_announced subprocessor.addition_announced subprocessor.notice_withdrawn" {
			t.Error(got)
		}
		if got := actions(t, d, other.ID); got != "objection.made objection.resolved" {
			t.Error(got)
		}
	})
}

func TestEachAccountsProofOfNoticeIsKept(t *testing.T) {
	listed(t, func(t *testing.T, a *accounts.Accounts, d *db.DB, acme accounts.Account, c *calendar) {
		_, err := a.CreateUser(t.Context(), acme.ID, "kari@acme.test", "owner", "correct horse battery")
		must(t, err)
		announced := announce(t, a, addition(nordtele)).Announced
		later, err := a.Create(t.Context(), accounts.Account{Handle: "later", Name: "Later AS", Region: "NO"})
		must(t, err)
		_, err = d.Writer().ExecContext(t.Context(), `UPDATE accounts SET created_at = $1 WHERE id = $2`, db.Millis(announced.AddDate(0, 0, 3)), later.ID)
		must(t, err)
		c.pass(1)
		viewed := c.at
		must(t, a.Noticed(t.Context(), acme.ID, accounts.NoticeViewed, 5))
		c.pass(1)
		must(t, a.Noticed(t.Context(), acme.ID, accounts.NoticeViewed, 5)) // the first time counts
		must(t, a.Noticed(t.Context(), acme.ID, accounts.NoticeViewed, 6))
		must(t, a.Noticed(t.Context(), acme.ID, accounts.NoticeFetched, 0))
		got, err := a.Evidence(t.Context(), 1, 0, 10)
		must(t, err)
		want := []accounts.NoticeEvidence{
			{Account: acme.ID, Handle: "acme", Name: "Acme AS", Available: announced, Known: []accounts.NoticeKnown{
				{How: "viewed", Who: 5, At: viewed}, {How: "fetched", At: c.at}, {How: "viewed", Who: 6, At: c.at}},
				Mails: []accounts.NoticeMail{{State: "waiting"}}},
			{Account: later.ID, Handle: "later", Name: "Later AS", Available: announced.AddDate(0, 0, 3)},
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(accounts.NoticeMail{}, "User")); diff != "" {
			t.Error(diff)
		}
		rest, err := a.Evidence(t.Context(), 1, acme.ID, 10)
		must(t, err)
		if len(rest) != 1 || rest[0].Account != later.ID {
			t.Errorf("%+v", rest)
		}
		// A notice after that is news again.
		other := nordtele
		other.Name = "Other AS"
		announce(t, a, addition(other))
		must(t, a.Noticed(t.Context(), acme.ID, accounts.NoticeViewed, 5))
		second, err := a.Evidence(t.Context(), 2, 0, 1)
		must(t, err)
		if len(second) != 1 || len(second[0].Known) != 1 {
			t.Errorf("%+v", second)
		}
	})
}

func TestWhoWantsNoticesAsEventsGetsThem(t *testing.T) {
	listed(t, func(t *testing.T, a *accounts.Accounts, d *db.DB, acme accounts.Account, _ *calendar) {
		_, err := a.Create(t.Context(), accounts.Account{Handle: "other", Name: "Other AS", Region: "PL"})
		must(t, err)
		must(t, events.Subscribe(t.Context(), d, acme.ID, accounts.EventSubProcessor, "test"))
		announce(t, a, addition(nordtele))
		got, err := db.Column[string](t.Context(), d, `SELECT data FROM events`)
		must(t, err)
		want := []string{`{"version":1,"kind":"add","name":"Nordtele AS","effective_at":"2027-04-01T00:00:00Z"}`}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

const listPage = "https://varsel.example/privacy/sub-processors"

// posted is listed with two owners of acme, a relay and a notice.
func posted(t *testing.T, test func(t *testing.T, a *accounts.Accounts, c *calendar, relay *smtpsim.Server, send func(context.Context, mail.Message) error)) {
	t.Helper()
	listed(t, func(t *testing.T, a *accounts.Accounts, _ *db.DB, acme accounts.Account, c *calendar) {
		for email, role := range map[string]string{"kari@acme.test": "owner", "ola@acme.test": "owner", "per@acme.test": "admin"} {
			_, err := a.CreateUser(t.Context(), acme.ID, email, role, "correct horse battery")
			must(t, err)
		}
		relay, err := smtpsim.Start()
		must(t, err)
		t.Cleanup(func() { relay.Close() })
		r, err := mail.Open("smtp://" + relay.Addr() + "?from=varsel@varsel.example")
		must(t, err)
		announce(t, a, addition(nordtele))
		test(t, a, c, relay, r.Send)
	})
}

// states are those of the mails about the first notice, with how many are in each.
func states(t *testing.T, a *accounts.Accounts) string {
	t.Helper()
	all, err := a.Evidence(t.Context(), 1, 0, 10)
	must(t, err)
	n := map[string]int{}
	for _, m := range all[0].Mails {
		n[m.State]++
	}
	return strings.Trim(fmt.Sprint(n), "map[]")
}

func TestOwnersAreMailedOnceHoweverOftenTheJobRuns(t *testing.T) {
	posted(t, func(t *testing.T, a *accounts.Accounts, c *calendar, relay *smtpsim.Server, send func(context.Context, mail.Message) error) {
		for range 2 {
			must(t, a.MailNotices(t.Context(), send, listPage))
			c.pass(1)
		}
		to := map[string]bool{}
		for _, m := range relay.Mails() {
			to[m.To] = true
			for _, part := range []string{"Nordtele AS skal behandle personopplysninger", "Dere kan protestere", "2027-04-01", listPage} {
				if !strings.Contains(m.Text, part) {
					t.Errorf("without %q: %s", part, m.Text)
				}
			}
		}
		if diff := cmp.Diff(map[string]bool{"kari@acme.test": true, "ola@acme.test": true}, to); diff != "" || len(relay.Mails()) != 2 {
			t.Errorf("%d mails, %s", len(relay.Mails()), diff)
		}
		if got := states(t, a); got != "sent:2" {
			t.Error(got)
		}
	})
}

func TestTwoWorkersMailEachOwnerOnce(t *testing.T) {
	posted(t, func(t *testing.T, a *accounts.Accounts, c *calendar, relay *smtpsim.Server, send func(context.Context, mail.Message) error) {
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				if err := a.MailNotices(t.Context(), send, listPage); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		must(t, a.MailNotices(t.Context(), send, listPage))
		if got := states(t, a); got != "sent:2" || len(relay.Mails()) != 2 {
			t.Errorf("%s, %d mails", got, len(relay.Mails()))
		}
	})
}

// Whoever dies between the relay's answer and our row leaves a mail of which nobody
// knows; it is not sent again.
func TestAMailIsNotSentAgainAfterItsSenderWasKilled(t *testing.T) {
	posted(t, func(t *testing.T, a *accounts.Accounts, c *calendar, relay *smtpsim.Server, send func(context.Context, mail.Message) error) {
		killed := errors.New("killed")
		func() {
			defer func() { recover() }()
			a.MailNotices(t.Context(), func(ctx context.Context, m mail.Message) error {
				must(t, send(ctx, m))
				panic(killed)
			}, listPage)
		}()
		must(t, a.MailNotices(t.Context(), send, listPage)) // at once, by another process
		if got := states(t, a); got != "sending:1 sent:1" {
			t.Error(got)
		}
		c.at = c.at.Add(time.Hour)
		must(t, a.MailNotices(t.Context(), send, listPage))
		if got := states(t, a); got != "sent:1 unconfirmed:1" || len(relay.Mails()) != 2 {
			t.Errorf("%s, %d mails", got, len(relay.Mails()))
		}
	})
}

func TestAMailIsTriedAgainUntilAWeekHasPassed(t *testing.T) {
	posted(t, func(t *testing.T, a *accounts.Accounts, c *calendar, relay *smtpsim.Server, send func(context.Context, mail.Message) error) {
		tries := 0
		counted := func(ctx context.Context, m mail.Message) error {
			tries++
			return send(ctx, m)
		}
		relay.SetFaults(smtpsim.Faults{Data: "451 later"})
		must(t, a.MailNotices(t.Context(), counted, listPage))
		must(t, a.MailNotices(t.Context(), counted, listPage)) // not before a minute
		c.at = c.at.Add(time.Minute)
		relay.SetFaults(smtpsim.Faults{Recipient: "550 nobody"})
		must(t, a.MailNotices(t.Context(), counted, listPage))
		c.pass(1)
		must(t, a.MailNotices(t.Context(), counted, listPage))
		if got := states(t, a); got != "failed:2" || len(relay.Mails()) != 0 || tries != 4 {
			t.Errorf("%s, %d mails, %d tries", got, len(relay.Mails()), tries)
		}
	})
	posted(t, func(t *testing.T, a *accounts.Accounts, c *calendar, relay *smtpsim.Server, send func(context.Context, mail.Message) error) {
		c.pass(8) // there was no relay until now
		must(t, a.MailNotices(t.Context(), send, listPage))
		if got := states(t, a); got != "failed:2" || len(relay.Mails()) != 0 {
			t.Errorf("%s, %d mails", got, len(relay.Mails()))
		}
	})
}

func TestACarrierIsCoveredByWhoRunsItAndIsOnTheList(t *testing.T) {
	listed(t, func(t *testing.T, a *accounts.Accounts, d *db.DB, _ accounts.Account, c *calendar) {
		for i, kind := range []string{"smpp", "twilio", "simulator"} {
			_, err := d.Writer().ExecContext(t.Context(), `
				INSERT INTO carriers (id, name, type, config_sealed, enabled, created_at) VALUES ($1, $2, $3, '', TRUE, 0)`, i+1, kind, kind)
			must(t, err)
		}
		n := announce(t, a, addition(nordtele))
		refused(t, a.CoverCarrier(t.Context(), "smpp", 1), "subprocessor_not_found")
		refused(t, a.CoverCarrier(t.Context(), "nobody", n.SubProcessor.ID), "carrier_not_found")
		must(t, a.CoverCarrier(t.Context(), "smpp", n.SubProcessor.ID))
		got, err := a.Uncovered(t.Context())
		must(t, err)
		if diff := cmp.Diff([]string{"smpp", "twilio"}, got); diff != "" {
			t.Error("before it is in force:", diff)
		}
		c.at = n.Effective
		got, err = a.Uncovered(t.Context())
		must(t, err)
		if diff := cmp.Diff([]string{"twilio"}, got); diff != "" {
			t.Error(diff)
		}
	})
}
