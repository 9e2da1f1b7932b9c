package smsqueue_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/keywords"
)

// texts has somebody text the office, and waits until that is stored.
func (h *house) textsUs(from, text string) smsqueue.Inbound {
	h.t.Helper()
	before := len(h.inbox(h.account.ID))
	h.eventually(func() bool { return h.smsc.Say(digits(from), digits(office), text) == nil })
	h.eventually(func() bool { return len(h.inbox(h.account.ID)) > before })
	return h.inbox(h.account.ID)[0]
}

func digits(phone string) string { return strings.TrimPrefix(phone, "+") }

// gets waits until a handset has exactly these texts.
func (h *house) gets(phone string, want ...string) {
	h.t.Helper()
	h.eventually(func() bool { return len(h.smsc.Texts(digits(phone))) >= len(want) })
	if diff := cmp.Diff(want, h.smsc.Texts(digits(phone)), cmpopts.EquateEmpty()); diff != "" {
		h.t.Error(diff)
	}
}

func (h *house) suppressed(account int64, phone string) bool {
	h.t.Helper()
	_, stands, err := h.queue.SuppressionOf(h.t.Context(), account, phone)
	must(h.t, err)
	return stands
}

// sends sends a text, and waits until it has been accepted.
func (h *house) sends(phone, text string, lane smsqueue.Lane) {
	h.t.Helper()
	m, err := h.queue.Send(h.t.Context(), h.account.ID, smsqueue.Single{To: phone, Text: text, Sender: office, Lane: lane})
	must(h.t, err)
	h.untilMessage(m, smsqueue.Delivered)
}

func (h *house) refused(phone string, lane smsqueue.Lane) {
	h.t.Helper()
	_, err := h.queue.Send(h.t.Context(), h.account.ID, smsqueue.Single{To: phone, Text: "Hello", Sender: office, Lane: lane})
	if !problem.Has(err, "opted_out") {
		h.t.Errorf("a message to %s in lane %q is answered %v", phone, lane, err)
	}
}

func reply(kind keywords.Kind) string { return keywords.Reply(kind, "", "NO", "Acme AS") }

func TestStopBlocksAtOnceInsideARunningCampaign(t *testing.T) { // U21
	people := 20_000
	if text := os.Getenv("VARSEL_STOP_RECIPIENTS"); text != "" {
		n, err := strconv.Atoi(text)
		must(t, err)
		people = n
	}
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(200, people/40) // the last are far from their turn
		h.number(h.account.ID, office, "")
		h.work()
		g := h.group(h.account.ID, "Everybody", people, 0)
		c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello", Sender: office})
		h.until(c, func(c smsqueue.Campaign) bool { return c.Expanded && c.Counts.Handed() > 0 })
		// They wait for their turn, and text meanwhile.
		late := []string{number(people - 1), number(people - people/20), number(people - people/10)}
		for _, phone := range late {
			if got := h.textsUs(phone, "Please stop texting me!"); got.Action != "stop" {
				t.Errorf("%+v", got)
			}
		}
		if c = h.until(c, finished); c.Counts[smsqueue.Skipped] != len(late) || c.Counts[smsqueue.Delivered] != people-len(late) {
			t.Errorf("%v", c.Counts)
		}
		for _, phone := range late {
			h.gets(phone, reply(keywords.Stop))
		}
		skipped, err := h.queue.Messages(t.Context(), h.account.ID, smsqueue.MessageFilter{Campaign: c.ID, Status: smsqueue.Skipped, Limit: 10})
		must(t, err)
		for _, m := range skipped {
			if m.Reason != "opted_out" || m.Money != smsqueue.Released || !slices.Contains(late, m.Phone) {
				t.Errorf("%+v", m)
			}
		}
		money, err := campaignMoney(t.Context(), h.db, h.account.ID, c.ID)
		must(t, err)
		if want := int64(people-len(late)) * 45000; money.Charged != want || money.Released != int64(len(late))*45000 {
			t.Errorf("%+v", money)
		}
	})
}

func TestStopIsConfirmedOnceAndStartReverses(t *testing.T) { // U21
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(10, 0)
		h.number(h.account.ID, office, "")
		h.work()
		h.textsUs(handset, "Where is the bus stop?")
		h.sends(handset, "one", smsqueue.Normal)
		asked := h.textsUs(handset, "Stopp takk 🙏")
		h.gets(handset, "one", reply(keywords.Stop))
		got, stands, err := h.queue.SuppressionOf(t.Context(), h.account.ID, handset)
		must(t, err)
		want := smsqueue.Suppression{Account: h.account.ID, Phone: handset, Reason: smsqueue.ByStop, Inbound: asked.ID}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(smsqueue.Suppression{}, "ID", "Created")); diff != "" || !stands {
			t.Error(diff)
		}
		h.textsUs(handset, "STOP") // it is known
		for _, lane := range []smsqueue.Lane{smsqueue.Urgent, smsqueue.Normal, smsqueue.Bulk} {
			h.refused(handset, lane)
		}
		h.textsUs(handset, "start")
		h.gets(handset, "one", reply(keywords.Stop), reply(keywords.Start))
		h.textsUs(handset, "START")
		h.sends(handset, "two", smsqueue.Normal)
		h.textsUs(handset, "HELP")
		h.gets(handset, "one", reply(keywords.Stop), reply(keywords.Start), "two", reply(keywords.Help))
		h.textsUs(handset, "HELP")
		for range 3 { // whoever changes their mind so often is answered no more, and obeyed all the same
			h.textsUs(handset, "stop")
			if !h.suppressed(h.account.ID, handset) {
				t.Error("it is not suppressed")
			}
			h.textsUs(handset, "start")
		}
		h.gets(handset, "one", reply(keywords.Stop), reply(keywords.Start), "two", reply(keywords.Help), reply(keywords.Stop))
		h.sends(handset, "three", smsqueue.Normal)
		h.gets(handset, "one", reply(keywords.Stop), reply(keywords.Start), "two", reply(keywords.Help), reply(keywords.Stop), "three")
		if all, err := h.queue.Suppressions(t.Context(), h.account.ID, smsqueue.SuppressionFilter{Limit: 10}); err != nil || len(all) > 0 {
			t.Errorf("%v %v", all, err)
		}
		all, err := h.queue.Suppressions(t.Context(), h.account.ID, smsqueue.SuppressionFilter{Lifted: true, Phone: "412 34 567", Limit: 10})
		must(t, err)
		if len(all) != 4 || all[0].LiftedBy != smsqueue.ByStart || all[3].Inbound != asked.ID {
			t.Errorf("%+v", all)
		}
	})
}

func TestTheAnswerIsInThePersonsLanguageAndCanBeTurnedOff(t *testing.T) { // U21
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(10, 0)
		h.number(h.account.ID, office, "")
		h.work()
		_, err := h.book.Add(t.Context(), h.account.ID, contacts.NewContact{Name: "Ewa", Phone: handset, Region: "NO", Language: "pl-PL"})
		must(t, err)
		h.textsUs(handset, "Rezygnuję")
		h.gets(handset, keywords.Reply(keywords.Stop, "pl", "", "Acme AS"))
		must(t, h.queue.SetOptOutSettings(t.Context(), h.account.ID, smsqueue.OptOutSettings{}))
		h.textsUs(handset, "start")
		h.sends(handset, "Hello", smsqueue.Normal)
		h.textsUs(handset, "stop")
		h.textsUs(handset, "help")
		h.gets(number(0))
		h.gets(handset, keywords.Reply(keywords.Stop, "pl", "", "Acme AS"), "Hello")
		if !h.suppressed(h.account.ID, handset) {
			t.Error("it is not suppressed")
		}
		h.textsUs("2440", "STOP") // no handset
		if all, err := h.queue.Suppressions(t.Context(), h.account.ID, smsqueue.SuppressionFilter{Limit: 10}); err != nil || len(all) != 1 {
			t.Errorf("%v %v", all, err)
		}
	})
}

func TestWhoWantsNothingIsLeftOutAndCounted(t *testing.T) { // U21
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(100, 0)
		h.work()
		g := h.group(h.account.ID, "Board", 1000, 0)
		_, err := h.db.ExecContext(t.Context(), `UPDATE contacts SET phone = $1 WHERE phone = $2`, number(3), number(4))
		must(t, err)
		for _, i := range []int{0, 3, 999} {
			h.suppress(number(i))
		}
		other := h.open("other")
		elsewhere := h.group(other.ID, "Board", 5, 0)
		theirs := h.until(h.campaign(other.ID, smsqueue.NewCampaign{Group: elsewhere.ID, Text: "Theirs"}), finished)
		if theirs.Counts[smsqueue.Delivered] != 5 || theirs.LeftOut.Suppressed != 0 {
			t.Errorf("%+v", theirs)
		}
		c := h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"}), finished)
		if diff := cmp.Diff(smsqueue.LeftOut{Suppressed: 4}, c.LeftOut); diff != "" || c.Counts[smsqueue.Delivered] != 996 || c.Counts.Total() != 996 {
			t.Errorf("%v %s", c.Counts, diff)
		}
		if got := h.smsc.Texts(digits(number(3))); slices.Contains(got, "Hello") {
			t.Errorf("%q", got)
		}
		for i := range 1000 {
			h.suppress(number(i))
		}
		c = h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello"}), finished)
		if diff := cmp.Diff(smsqueue.LeftOut{Suppressed: 1000}, c.LeftOut); diff != "" || c.Counts.Total() != 0 || !c.Expanded {
			t.Errorf("%v %s", c.Counts, diff)
		}
	})
}

func (h *house) suppress(phone string) {
	h.t.Helper()
	_, _, err := h.queue.Suppress(h.t.Context(), h.account.ID, smsqueue.NewSuppression{Phone: phone})
	must(h.t, err)
}

func TestUrgentMessagesReachTheSuppressedOnlyWhereTheAccountSaysSo(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(10, 0)
		h.work()
		g := h.group(h.account.ID, "Board", 2, 0)
		h.suppress(number(0))
		h.refused(number(0), smsqueue.Urgent)
		must(t, h.queue.SetOptOutSettings(t.Context(), h.account.ID, smsqueue.OptOutSettings{Urgent: true}))
		h.sends(number(0), "Leave the building", smsqueue.Urgent)
		h.refused(number(0), smsqueue.Normal)
		c := h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "All clear", Lane: smsqueue.Urgent}), finished)
		if c.Counts[smsqueue.Delivered] != 2 {
			t.Errorf("%v", c.Counts)
		}
		c = h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Cake"}), finished)
		if c.Counts[smsqueue.Delivered] != 1 || c.LeftOut.Suppressed != 1 {
			t.Errorf("%v", c.Counts)
		}
		h.gets(number(0), "Leave the building", "All clear")
	})
}

// What a directory or a list says of a person has nothing to say about their wish.
func TestStopHoldsAfterAThousandSyncsAndANewImport(t *testing.T) { // U21
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.route(10, 0)
		h.number(h.account.ID, office, "")
		h.work()
		anna := contacts.Person{DirectoryID: "anna", Name: "Anna Berg", Phone: contacts.Choose(handset, nil, "NO")}
		kari := contacts.Person{DirectoryID: "kari", Name: "Kari Vik", Phone: contacts.Choose(number(0), nil, "NO")}
		h.follow(anna, kari)
		h.textsUs(handset, "STOP")
		h.gets(handset, reply(keywords.Stop))
		for i := range 1000 {
			if i%2 == 0 {
				h.follow(kari) // Anna leaves
			} else {
				anna.Name = fmt.Sprint("Anna ", i)
				h.follow(kari, anna)
			}
		}
		all, err := h.book.Contacts(t.Context(), h.account.ID, 0, 10)
		must(t, err)
		for _, c := range all {
			must(t, h.book.Remove(t.Context(), h.account.ID, c.ID))
		}
		for range 2 {
			_, err = h.book.Import(t.Context(), h.account.ID, strings.NewReader("name,mobile,groups\nAnna Berg,"+handset+",Staff\nOla,"+number(1)+",Staff\n"),
				contacts.ImportOptions{Region: "NO"}, "")
			must(t, err)
		}
		h.refused(handset, smsqueue.Normal)
		groups, err := h.book.Groups(t.Context(), h.account.ID, 0, 10)
		must(t, err)
		staff := slices.IndexFunc(groups, func(g contacts.Group) bool { return g.Name == "Staff" })
		c := h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: groups[staff].ID, Text: "Hello"}), finished)
		if c.Counts[smsqueue.Delivered] != 1 || c.LeftOut.Suppressed != 1 {
			t.Errorf("%v %+v", c.Counts, c.LeftOut)
		}
		h.textsUs(handset, "START")
		h.gets(handset, reply(keywords.Stop), reply(keywords.Start))
		h.sends(handset, "Hello", smsqueue.Normal)
		h.gets(handset, reply(keywords.Stop), reply(keywords.Start), "Hello")
	})
}

// follow is a sync with a directory that has these people and no others.
func (h *house) follow(people ...contacts.Person) {
	h.t.Helper()
	_, err := h.book.FollowPeople(h.t.Context(), contacts.Following{Account: h.account.ID, Tenant: "contoso"}, func(yield func(contacts.Described, error) bool) {
		for _, p := range people {
			if !yield(contacts.Described{DirectoryID: p.DirectoryID, Says: p.Says()}, nil) {
				return
			}
		}
	}, func(_ context.Context, ids []string) (some []contacts.Person, _ error) {
		for _, p := range people {
			if slices.Contains(ids, p.DirectoryID) {
				some = append(some, p)
			}
		}
		return some, nil
	})
	must(h.t, err)
}

func TestAStopThatTheCarrierBringsAgainIsOld(t *testing.T) { // U14, U21
	eachMast(t, func(t *testing.T, h *house, m *mast) {
		h.number(h.account.ID, office, "")
		m.bring(h, said("17", "STOP ACME"))
		if !h.suppressed(h.account.ID, handset) {
			t.Error("it is not suppressed")
		}
		m.bring(h, said("18", "START"))
		m.bring(h, said("17", "STOP"))
		if h.suppressed(h.account.ID, handset) {
			t.Error("it is suppressed")
		}
	})
}

func TestStopInPartsIsReadWhenItIsWhole(t *testing.T) { // U21
	eachMast(t, func(t *testing.T, h *house, m *mast) {
		h.number(h.account.ID, office, "")
		parts := []carriers.Inbound{said("1", "Stop"), said("2", " the bus at the gate")}
		for i := range parts {
			parts[i].Part, parts[i].Parts, parts[i].Reference = i+1, 2, 9
		}
		m.bring(h, parts[0])
		must(t, smsqueue.CompleteInbound(h.queue, t.Context(), time.Now().Add(25*time.Hour))) // the rest never came
		h.received(h.account.ID, "Stop[…]")
		if h.suppressed(h.account.ID, handset) {
			t.Error("half a text suppresses")
		}
		m.bring(h, cut(10, "stop")...)
		if !h.suppressed(h.account.ID, handset) {
			t.Error("a whole one does not")
		}
	})
}

func TestStopToASharedNumberStopsEveryAccountThatTextedFromIt(t *testing.T) { // U21
	eachMast(t, func(t *testing.T, h *house, m *mast) {
		third := h.open("third")
		senders := map[int64]string{h.account.ID: office, third.ID: "ACME"}
		for i := range 10 {
			senders[h.open(fmt.Sprintf("other%d", i)).ID] = office
		}
		for account, sender := range senders {
			one, err := h.queue.Send(t.Context(), account, smsqueue.Single{To: handset, Text: "Hello", Sender: sender})
			must(t, err)
			h.untilMessage(one, smsqueue.Sent)
		}
		m.bring(h, said("1", "stop"))
		for account, sender := range senders {
			if stopped := h.suppressed(account, handset); stopped != (sender == office) {
				t.Errorf("the account that sent as %s: stopped %t", sender, stopped)
			}
		}
	})
}

func TestANumberIsSuppressedAndLiftedByHand(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		first, added, err := h.queue.Suppress(t.Context(), h.account.ID, smsqueue.NewSuppression{Phone: "412 34 567", Note: "called us", User: 7})
		must(t, err)
		if !added || first.Phone != handset || first.Reason != smsqueue.ByHand || !first.Stands() {
			t.Errorf("%+v", first)
		}
		again, added, err := h.queue.Suppress(t.Context(), h.account.ID, smsqueue.NewSuppression{Phone: handset, Note: "wrote to us"})
		must(t, err)
		if diff := cmp.Diff(first, again, cmpopts.EquateApproxTime(time.Millisecond)); diff != "" || added {
			t.Error(diff)
		}
		for raw, field := range map[string]string{"anna": "phone", "12": "phone"} {
			if _, _, err := h.queue.Suppress(t.Context(), h.account.ID, smsqueue.NewSuppression{Phone: raw}); problem.As(err) == nil || problem.As(err).Field != field {
				t.Errorf("%q: %v", raw, err)
			}
		}
		if _, _, err := h.queue.Suppress(t.Context(), h.account.ID, smsqueue.NewSuppression{Phone: number(1), Note: strings.Repeat("x", 501)}); problem.As(err).Field != "note" {
			t.Error(err)
		}
		must(t, h.queue.Unsuppress(t.Context(), h.account.ID, handset))
		if err := h.queue.Unsuppress(t.Context(), h.account.ID, handset); !problem.Has(err, "not_suppressed") {
			t.Error(err)
		}
		for i := range 3 {
			h.suppress(number(i))
		}
		page, err := h.queue.Suppressions(t.Context(), h.account.ID, smsqueue.SuppressionFilter{Limit: 2})
		must(t, err)
		rest, err := h.queue.Suppressions(t.Context(), h.account.ID, smsqueue.SuppressionFilter{Limit: 2, Before: page[1].ID})
		must(t, err)
		if len(rest) != 1 || page[0].Phone != number(2) || rest[0].Phone != number(0) {
			t.Errorf("%+v %+v", page, rest)
		}
	})
}

func TestAListOfNumbersIsSuppressed(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		list := "\ufeffNavn;Mobil\r\nAnna Berg;412 34 567\r\nAnna Berg;+4741234567\r\nNobody;\r\n\"Vik; Kari\";410 00 001\r\nOla;12\r\n"
		got, err := h.queue.ImportSuppressions(t.Context(), h.account.ID, 0, strings.NewReader(list))
		must(t, err)
		want := smsqueue.SuppressionImport{Rows: []smsqueue.ListedRow{
			{Row: 2, Field: "412 34 567", Phone: handset, Result: smsqueue.RowSuppressed},
			{Row: 3, Field: "+4741234567", Phone: handset, Result: smsqueue.RowRepeated, FirstRow: 2},
			{Row: 4, Result: smsqueue.RowRefused, Reason: contacts.NoNumber},
			{Row: 5, Field: "410 00 001", Phone: number(1), Result: smsqueue.RowSuppressed},
			{Row: 6, Result: smsqueue.RowRefused, Reason: contacts.NoNumber}}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if !h.suppressed(h.account.ID, handset) || !h.suppressed(h.account.ID, number(1)) {
			t.Error("they are not suppressed")
		}
		var many strings.Builder
		for i := range 2500 {
			fmt.Fprintln(&many, number(i))
		}
		if got, err = h.queue.ImportSuppressions(t.Context(), h.account.ID, 0, strings.NewReader(many.String())); err != nil || got.Count(smsqueue.RowSuppressed) != 2499 || got.Count(smsqueue.RowKnown) != 1 {
			t.Errorf("%d %v", got.Count(smsqueue.RowSuppressed), err)
		}
	})
}

func TestAListIsLookedAtAndThenSuppressedOnce(t *testing.T) {
	eachHouse(t, smscsim.Faults{}, func(t *testing.T, h *house) {
		h.suppress(number(2))
		keep := func(list string) (int64, error) {
			return h.queue.KeepSuppressionList(t.Context(), h.account.ID, strings.NewReader(list))
		}
		id, err := keep(number(1) + "\n\n" + number(2) + "\nOla,123\n" + number(1))
		must(t, err)
		rows := []smsqueue.ListedRow{
			{Row: 1, Field: number(1), Phone: number(1), Result: smsqueue.RowSuppressed},
			{Row: 3, Field: number(2), Phone: number(2), Result: smsqueue.RowKnown},
			{Row: 4, Field: "123", Result: smsqueue.RowRefused, Reason: contacts.TooShort},
			{Row: 5, Field: number(1), Phone: number(1), Result: smsqueue.RowRepeated, FirstRow: 1}}
		for _, imported := range []bool{false, true} {
			got, done, err := h.queue.SuppressionList(t.Context(), h.account.ID, id)
			must(t, err)
			if diff := cmp.Diff(rows, got.Rows); diff != "" || done != imported || h.suppressed(h.account.ID, number(1)) != imported {
				t.Errorf("imported %v: %v %s", imported, done, diff)
			}
			must(t, h.queue.ImportSuppressionList(t.Context(), h.account.ID, 0, id))
		}
		other := h.open("umbra")
		if _, _, err := h.queue.SuppressionList(t.Context(), other.ID, id); !problem.Has(err, "upload_not_found") {
			t.Error(err)
		}
		if err := h.queue.ImportSuppressionList(t.Context(), other.ID, 0, id); !problem.Has(err, "upload_not_found") {
			t.Error(err)
		}
		for list, code := range map[string]string{"": "file_empty", "Name;Phone\n": "file_empty", "PK\x03\x04": "file_not_text"} {
			if _, err := keep(list); !problem.Has(err, code) {
				t.Errorf("%q: %v", list, err)
			}
		}
		_, err = h.db.ExecContext(t.Context(), `UPDATE suppression_lists SET created_at = created_at - 3600001`)
		must(t, err)
		if _, _, err := h.queue.SuppressionList(t.Context(), h.account.ID, id); !problem.Has(err, "upload_not_found") {
			t.Error(err)
		}
		must(t, h.queue.DropSuppressionLists(t.Context()))
		if n, err := db.Column[int](t.Context(), h.db, `SELECT COUNT(*) FROM suppression_lists`); err != nil || n[0] != 0 {
			t.Errorf("%v %v", n, err)
		}
	})
}

// An answer that cannot be priced must not keep the wish from being stored.
func TestStopIsObeyedWhereNothingCanBeAnswered(t *testing.T) { // U21
	eachMast(t, func(t *testing.T, h *house, m *mast) {
		h.number(h.account.ID, office, "")
		h.eventually(func() bool { return len(m.links()) > 0 })
		_, err := h.db.ExecContext(t.Context(), `INSERT INTO price_books (id, list_id, currency, valid_from) VALUES (2, 1, 'EUR', 1)`)
		must(t, err)
		m.bring(h, said("1", "STOP"))
		h.agreements("terminated")
		other := said("2", "STOP")
		other.From = number(1)
		m.bring(h, other)
		if !h.suppressed(h.account.ID, handset) || !h.suppressed(h.account.ID, number(1)) {
			t.Error("they are not suppressed")
		}
		sent, err := h.queue.Messages(t.Context(), h.account.ID, smsqueue.MessageFilter{Limit: 10})
		must(t, err)
		if len(sent) > 0 {
			t.Errorf("%+v", sent)
		}
	})
}

// What was not answered for want of money does not count as answered. // U21
func TestHelpIsAnsweredAsSoonAsThereIsMoney(t *testing.T) {
	eachMast(t, func(t *testing.T, h *house, m *mast) {
		h.number(h.account.ID, office, "")
		h.eventually(func() bool { return len(m.links()) > 0 })
		answers := func() int {
			t.Helper()
			sent, err := h.queue.Messages(t.Context(), h.account.ID, smsqueue.MessageFilter{Limit: 10})
			must(t, err)
			return len(sent)
		}
		h.terms(billing.Terms{Prepaid: true})
		m.bring(h, said("1", "HELP"))
		same(t, "answers without money", answers(), 0)
		_, err := h.ledger().Pay(t.Context(), h.account.ID, billing.Payment{Micro: 10_000_000, Reference: "bank 1"})
		must(t, err)
		m.bring(h, said("2", "HELP"))
		m.bring(h, said("3", "HELP"))
		same(t, "answers with it", answers(), 1)
	})
}
