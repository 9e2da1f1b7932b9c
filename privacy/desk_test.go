package privacy_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/internal/subject"
	"github.com/varsel/varsel/privacy"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/carriers/smpp"
)

func TestMain(m *testing.M) { dbtest.Run(m) }

// house is an account with an address book and a carrier that nobody works for.
type house struct {
	t       *testing.T
	db      *db.DB
	desk    *privacy.Desk
	book    *contacts.Book
	queue   *smsqueue.Queue
	dir     *directory.Directory
	acc     *accounts.Accounts
	names   *secrets.Names
	account int64
	list    string // of erasures
}

const (
	kari  = "+4791234567"
	ola   = "+4791234568"
	shown = "912 34 567" // as it was typed
)

func eachHouse(t *testing.T, test func(t *testing.T, h *house)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(t, furnish(t, d, t.TempDir())) })
}

// furnish opens the rooms of a database; it may have been used before.
func furnish(t *testing.T, d *db.DB, folder string) *house {
	t.Helper()
	ring, err := secrets.Parse("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
	must(t, err)
	names, err := secrets.OpenNames(t.Context(), d, ring)
	must(t, err)
	h := &house{t: t, db: d, names: names, list: filepath.Join(folder, "erasures.jsonl"), acc: accounts.New(d)}
	marks := contacts.MarksOf(names)
	h.book = contacts.New(d).Marking(marks)
	h.queue = smsqueue.New(smsqueue.House{DB: d, Ring: ring, Accounts: h.acc, Carriers: map[string]carriers.Type{"smpp": smpp.Type}, Marks: marks})
	t.Cleanup(h.queue.Close)
	h.dir = directory.New(directory.House{DB: d, Ring: ring, Book: h.book, Gate: h.acc.Gate, Marks: marks}, 0)
	h.desk = privacy.New(privacy.Parts{DB: d, Names: names, Keyring: ring, Accounts: h.acc, Book: h.book, Directory: h.dir, Queue: h.queue, Erasures: h.list})
	acme, err := h.acc.ByHandle(t.Context(), "acme")
	if problem.Has(err, "account_not_found") {
		acme, err = h.acc.Create(t.Context(), accounts.Account{Handle: "acme", Name: "Acme AS", Region: "NO", Sender: "ACME"})
		must(t, err)
		_, err = h.acc.Conclude(t.Context(), acme.ID, "Per Hansen", "CEO", "per@acme.example")
		must(t, err)
		_, err = h.queue.AddRoute(t.Context(), "main", "smpp", []byte(`{"addr":"127.0.0.1:1","system_id":"x","password":"y","bind":"transceiver","binds":1,"window":10,"throughput":0,"tls":false}`))
	}
	must(t, err)
	h.account = acme.ID
	return h
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t testing.TB, err error, code string) {
	t.Helper()
	if !problem.Has(err, code) {
		t.Errorf("%v, want %s", err, code)
	}
}

func (h *house) add(name, phone, email string) int64 {
	h.t.Helper()
	c, err := h.book.Add(h.t.Context(), h.account, contacts.NewContact{Name: name, Phone: phone, Email: email, Region: "NO"})
	must(h.t, err)
	return c.ID
}

func (h *house) send(to, text, key string) smsqueue.Message {
	h.t.Helper()
	m, err := h.queue.Send(h.t.Context(), h.account, smsqueue.Single{To: to, Text: text, Key: key, RequestHash: key})
	must(h.t, err)
	return m
}

const karisCard, olasCard = "7h2kx09qmz4bd8ra", "8h2kx09qmz4bd8rb"

// card gives a contact a card that tells a name and a number, with a photo, a code, a
// browser of its holder and a mail; and their number was texted somebody's card.
func (h *house) card(contact int64, slug, taken string) {
	h.t.Helper()
	phone := map[string]string{karisCard: kari, olasCard: ola}[slug]
	for statement, args := range map[string][]any{
		`INSERT INTO card_slugs (slug, created_at) VALUES ($1, 1)`: {slug},
		`INSERT INTO cards (id, account_id, tenant_id, directory_id, contact_id, group_id, slug, state, taken, once, edits, created_at, updated_at)
			VALUES ($1, $2, 'tenant', $3, $1, 1, $3, 'active', $4, $4, $5, 1, 1)`: {contact, h.account, slug, taken, `{"mobile":"` + phone + `"}`},
		`INSERT INTO card_consents (id, account_id, card_id, number_mark, notice, language, at) VALUES ($1, $2, 1, $3, '2026-11', 'nb', 1)`: {
			contact, h.account, contacts.MarksOf(h.names).Number(h.account, phone)},
	} {
		_, err := h.db.ExecContext(h.t.Context(), statement, args...)
		must(h.t, err)
	}
	for _, statement := range []string{
		`INSERT INTO card_photos (card_id, account_id, media_type, content, uploaded_at) VALUES ($1, $2, 'image/jpeg', 'a photo', 1)`,
		`INSERT INTO card_codes (card_id, account_id, hash, tries, sent, counted_at, expires_at) VALUES ($1, $2, 'x', 0, 1, 1, 1)`,
		`INSERT INTO card_holders (hash, card_id, account_id, proof, expires_at) SELECT slug, id, account_id, 'code', 1 FROM cards WHERE id = $1 AND account_id = $2`,
		`INSERT INTO card_mails (notice, card_id, account_id, language, due_at) VALUES (1, $1, $2, 'nb', 1)`,
	} {
		_, err := h.db.ExecContext(h.t.Context(), statement, contact, h.account)
		must(h.t, err)
	}
}

// live makes Kari's life in the account: a contact that was typed, a field, a group, an
// own text, a card with a photo, a list that names her, an opt-out, and an entry about her.
func (h *house) live() (contact int64, group contacts.Group) {
	h.t.Helper()
	ctx := h.t.Context()
	contact = h.add("Kari Nordmann", shown, "kari@acme.example")
	h.card(contact, karisCard, `{"displayName":"Kari Nordmann"}`)
	h.card(h.add("Ola Hansen", ola, "ola@acme.example"), olasCard, `{"displayName":"Ola Hansen"}`)
	_, err := h.book.SetFields(ctx, h.account, contact, map[string]string{"nickname": "Kari Nordmann jr"})
	must(h.t, err)
	group, err = h.book.AddGroup(ctx, h.account, "Night", []int64{contact})
	must(h.t, err)
	h.send(kari, "Hello Kari Nordmann", "key of "+kari)
	h.send(ola, "Hello Ola", "key of Ola")
	_, _, err = h.book.Upload(ctx, h.account, strings.NewReader("name,mobile\nKari Nordmann,"+shown+"\n"), contacts.ImportOptions{Region: "NO"})
	must(h.t, err)
	_, _, err = h.queue.Suppress(ctx, h.account, smsqueue.NewSuppression{Phone: kari, Note: "Kari Nordmann called"})
	must(h.t, err)
	must(h.t, h.db.InTx(ctx, func(tx *db.Tx) error {
		for _, detail := range []any{map[string]string{"name": "Kari Nordmann"}, map[string]string{"phone": shown}, map[string]string{"name": "Ola Hansen"}} {
			if _, err := audit.Record(ctx, tx, audit.Entry{Account: h.account, Action: "contact.edited", Detail: detail}); err != nil {
				return err
			}
		}
		return nil
	}))
	return contact, group
}

// dump is every value of every table, as text.
func (h *house) dump() string {
	h.t.Helper()
	tables, err := db.Column[string](h.t.Context(), h.db, map[db.Dialect]string{
		db.SQLite:   `SELECT name FROM sqlite_master WHERE type = 'table'`,
		db.Postgres: `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`,
	}[h.db.Dialect()])
	must(h.t, err)
	var all strings.Builder
	for _, table := range tables {
		rows, err := h.db.QueryContext(h.t.Context(), `SELECT * FROM `+table)
		must(h.t, err)
		columns, err := rows.Columns()
		must(h.t, err)
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		for rows.Next() {
			must(h.t, rows.Scan(into...))
			text, err := json.Marshal(values)
			must(h.t, err)
			all.WriteString(table + " " + string(text) + "\n")
		}
		must(h.t, rows.Err())
		rows.Close()
	}
	return all.String()
}

// cardsLeft says how many cards there are, with all that belongs to each.
func (h *house) cardsLeft(want int) {
	h.t.Helper()
	for _, table := range []string{"cards", "card_photos", "card_codes", "card_holders", "card_mails", "card_consents"} {
		var n int
		must(h.t, h.db.QueryRowContext(h.t.Context(), `SELECT COUNT(*) FROM `+table).Scan(&n))
		if n != want {
			h.t.Errorf("%d rows are left in %s, not %d", n, table, want)
		}
	}
}

// hers are the forms in which she can be found.
var hers = []string{"91234567", shown, "Kari Nordmann", "kari@acme.example"}

func (h *house) isNowhere() {
	h.t.Helper()
	for line := range strings.Lines(h.dump()) {
		for _, one := range hers {
			if strings.Contains(strings.ToLower(line), strings.ToLower(one)) {
				h.t.Errorf("%s is in %s", one, line)
			}
		}
	}
	if h.db.Dialect() != db.SQLite {
		return
	}
	for _, name := range []string{h.db.Path(), h.db.Path() + "-wal"} {
		raw, err := os.ReadFile(name)
		must(h.t, err)
		for _, one := range hers {
			if strings.Contains(string(raw), one) {
				h.t.Errorf("%s is in the bytes of %s", one, filepath.Base(name))
			}
		}
	}
}

func (h *house) erase(ref string) privacy.Erasure {
	h.t.Helper()
	e, err := h.desk.Erase(h.t.Context(), h.account, ref, "asked for by letter")
	must(h.t, err)
	return e
}

// Art. 17 GDPR.
func TestWhoWasErasedIsNowhere(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		contact, _ := h.live()
		before, err := audit.Verify(t.Context(), h.db, h.account)
		must(t, err)
		e := h.erase(h.names.Of(secrets.Contact, contact))
		h.isNowhere()
		if diff := cmp.Diff(map[string]int{"contacts": 1, "directory": 0, "cards": 2, "messages": 2, "audit": 2}, e.What); diff != "" {
			t.Error(diff)
		}
		text, err := os.ReadFile(h.list)
		must(t, err)
		for _, one := range hers {
			if strings.Contains(string(text), one) {
				t.Errorf("%s is in the list of erasures", one)
			}
		}
		after, err := audit.Verify(t.Context(), h.db, h.account)
		if err != nil || after.Entries != before.Entries+1 {
			t.Error(after, err)
		}
		// Her card's address says that it is gone.
		if _, _, err := cards.New(h.db).Public(t.Context(), karisCard); !problem.Has(err, "card_gone") {
			t.Error(err)
		}
		h.cardsLeft(1)
		// Ola is as he was.
		if found, err := h.desk.Find(t.Context(), h.account, ola, 10); err != nil || len(found) != 1 || found[0].Names[0] != "Ola Hansen" {
			t.Error(found, err)
		}
		if s := h.dump(); !strings.Contains(s, "Hello Ola") || !strings.Contains(s, "key of Ola") {
			t.Error("Ola's message is gone")
		}
	})
}

// A queued message is skipped, and its money released.
func TestWhatIsQueuedToWhomWasErasedIsSkippedUncharged(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.add("Kari Nordmann", shown, "")
		m := h.send(kari, "Hello", "")
		h.erase(kari)
		got, err := h.queue.Message(t.Context(), h.account, m.ID)
		must(t, err)
		if got.Status != smsqueue.Skipped || got.Reason != "recipient_removed" || got.Money != smsqueue.Released || got.Text != "" {
			t.Errorf("%+v", got)
		}
		if !contacts.IsErased(got.Phone) {
			t.Error(got.Phone)
		}
	})
}

func TestANumberThatWasErasedIsNotTakenAgain(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.live()
		e := h.erase(kari)
		try := map[string]func() error{
			"by hand": func() error {
				_, err := h.book.AddContact(ctx, h.account, "Somebody", shown, "NO")
				return err
			},
			"many": func() error {
				_, err := h.book.AddContacts(ctx, h.account, []contacts.NewContact{{Name: "Somebody", Phone: shown, Region: "NO"}})
				return err
			},
			"edit": func() error {
				list, err := h.book.Find(ctx, h.account, "Ola", 1)
				must(t, err)
				number := shown
				_, err = h.book.EditContact(ctx, h.account, list[0].ID, contacts.Changes{Phone: &number, Region: "NO"})
				return err
			},
			"message": func() error {
				_, err := h.queue.Send(ctx, h.account, smsqueue.Single{To: shown, Text: "Hello"})
				return err
			},
		}
		for name, do := range try {
			if err := do(); !problem.Has(err, "erased_number") {
				t.Errorf("%s: %v", name, err)
			}
		}
		report, err := h.book.Import(ctx, h.account, strings.NewReader("name,mobile\nSomebody,"+shown+"\nPer,912 34 569\n"), contacts.ImportOptions{Region: "NO"}, "")
		must(t, err)
		if report.Rows[0].Reason != "erased_number" || report.Rows[1].Action != contacts.RowAdded {
			t.Errorf("%+v", report.Rows)
		}

		_, err = h.desk.Lift(ctx, h.account, e.ID)
		must(t, err)
		_, err = h.desk.Lift(ctx, h.account, e.ID)
		refused(t, err, "erasure_lifted")
		h.add("Somebody", shown, "")
		// She had opted out, and still has.
		_, err = h.queue.Send(ctx, h.account, smsqueue.Single{To: shown, Text: "Hello"})
		refused(t, err, "opted_out")
		must(t, h.queue.Unsuppress(ctx, h.account, shown))
		h.send(kari, "Hello", "")
	})
}

// A number on a desk that many answer is not one person's.
func TestColleaguesKeepANumberThatTheyShare(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		one := h.add("Kari Nordmann", shown, "")
		h.add("Ola Hansen", shown, "")
		_, err := h.desk.Erase(t.Context(), h.account, kari, "asked")
		refused(t, err, "ambiguous_person")
		h.erase(h.names.Of(secrets.Contact, one))
		found, err := h.desk.Find(t.Context(), h.account, kari, 10)
		if err != nil || len(found) != 1 || found[0].Names[0] != "Ola Hansen" {
			t.Error(found, err)
		}
		h.send(kari, "Hello", "")
	})
}

// A switchboard is on everybody's card, also where it is somebody's number here.
func TestTheCardsOfColleaguesWithTheSameNumberStay(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		colleague := h.add("Ola Hansen", ola, "")
		h.card(colleague, olasCard, `{"displayName":"Ola Hansen","businessPhones":"`+kari+`"}`)
		_, err := h.db.ExecContext(t.Context(), `UPDATE cards SET edits = $1`, `{"fax":"+47 912 34 567","site":"https://acme.example"}`)
		must(t, err)
		e := h.erase(h.names.Of(secrets.Contact, h.add("Kari Nordmann", kari, "")))
		card, err := cards.New(h.db).Card(t.Context(), h.account, colleague)
		must(t, err)
		if diff := cmp.Diff(cards.Values{Taken: map[string]string{"displayName": "Ola Hansen", "businessPhones": kari}, Once: card.Once,
			Edits: map[string]string{"site": "https://acme.example"}}, card.Values); diff != "" || card.State != cards.Active || e.What["cards"] != 1 {
			t.Error(e.What, card.State, diff)
		}
		h.cardsLeft(1)
	})
}

func TestAReasonDoesNotNameThePerson(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.add("Kari Nordmann", shown, "")
		for _, reason := range []string{"", "Kari Nordmann asked", "the owner of " + shown, strings.Repeat("x", 201)} {
			_, err := h.desk.Erase(t.Context(), h.account, kari, reason)
			refused(t, err, "invalid_reason")
		}
	})
}

// What a backup brings back is erased again, by the list.
func TestARestoredBackupIsErasedAgain(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		folder := t.TempDir()
		h := furnish(t, dbtest.Open(t, url), folder)
		h.live()
		before := h.backup()
		h.erase(kari)
		h.isNowhere()
		h.restore(before)
		if !strings.Contains(h.dump(), "Kari Nordmann") {
			t.Fatal("the backup has not brought her back")
		}
		done, err := h.desk.Replay(t.Context(), "")
		if err != nil || done != (privacy.Replayed{Lines: 1, Erased: 1}) {
			t.Error(done, err)
		}
		must(t, h.db.Checkpoint(t.Context()))
		h.isNowhere()
		h.cardsLeft(1)
		if done, err := h.desk.Replay(t.Context(), h.list); err != nil || done.Erased != 0 {
			t.Error(done, err)
		}
		all, err := h.desk.Erasures(t.Context(), h.account, 0, 10)
		if err != nil || len(all) != 1 || !all[0].Replayed {
			t.Error(all, err)
		}
		_, err = h.queue.Send(t.Context(), h.account, smsqueue.Single{To: shown, Text: "Hello"})
		refused(t, err, "erased_number")
		if _, err := audit.Verify(t.Context(), h.db, h.account); err != nil {
			t.Error(err)
		}
	})
}

// backup is all rows that a person is in.
func (h *house) backup() map[string][][]any {
	h.t.Helper()
	rows := map[string][][]any{}
	for _, table := range restored {
		found, err := h.db.QueryContext(h.t.Context(), `SELECT * FROM `+table)
		must(h.t, err)
		columns, err := found.Columns()
		must(h.t, err)
		for found.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			must(h.t, found.Scan(into...))
			rows[table] = append(rows[table], values)
		}
		must(h.t, found.Err())
		found.Close()
	}
	return rows
}

// restored are in an order in which they can be written.
var restored = []string{"contacts", "contact_fields", "contact_groups", "group_members", "contact_uploads", "ranges", "messages", "suppressions",
	"cards", "card_photos", "card_codes", "card_holders", "card_mails", "card_consents", "idempotency_keys", "audit_entries", "audit_heads", "erasures", "erasure_marks"}

func (h *house) restore(rows map[string][][]any) {
	h.t.Helper()
	must(h.t, h.db.InTx(h.t.Context(), func(tx *db.Tx) error {
		for i := len(restored) - 1; i >= 0; i-- {
			if _, err := tx.ExecContext(h.t.Context(), `DELETE FROM `+restored[i]); err != nil {
				return err
			}
		}
		for _, table := range restored {
			for _, row := range rows[table] {
				marks := make([]string, len(row))
				for i := range marks {
					marks[i] = "$" + string(rune('0'+(i+1)/10)) + string(rune('0'+(i+1)%10))
					marks[i] = strings.Replace(marks[i], "$0", "$", 1)
				}
				if _, err := tx.ExecContext(h.t.Context(), `INSERT INTO `+table+` VALUES (`+strings.Join(marks, ", ")+`)`, row...); err != nil {
					return err
				}
			}
		}
		return nil
	}))
}

// A process that ends between the list and the database has promised an erasure.
func TestAnErasureThatWasWrittenDownIsDone(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.live()
		stopped, stop := context.WithCancel(t.Context())
		// What an end at this moment leaves: the line is whole, the database as it was.
		before := h.backup()
		h.erase(kari)
		h.restore(before)
		// And a line that is not whole: nothing was promised by it.
		f, err := os.OpenFile(h.list, os.O_APPEND|os.O_WRONLY, 0)
		must(t, err)
		_, err = f.WriteString(`{"seq":2,"installation":"`)
		must(t, err)
		must(t, f.Close())
		must(t, h.desk.Settle(stopped, time.Now()))
		stop()
		h.isNowhere()
		h.erase(ola)
		text, err := os.ReadFile(h.list)
		must(t, err)
		if lines := strings.Split(strings.TrimSpace(string(text)), "\n"); len(lines) != 2 || !strings.HasPrefix(lines[1], `{"seq":2,`) || !json.Valid([]byte(lines[1])) {
			t.Errorf("%s", text)
		}
	})
}

// Without the list a backup would bring the person back, so there is no erasure
// without it.
func TestNothingIsErasedThatCannotBeWrittenDown(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.live()
		must(t, os.Mkdir(h.list, 0o700))
		_, err := h.desk.Erase(t.Context(), h.account, kari, "asked")
		refused(t, err, "erasures_file")
		if all, err := h.desk.Erasures(t.Context(), h.account, 0, 10); err != nil || len(all) != 0 {
			t.Error(all, err)
		}
		if found, err := h.desk.Find(t.Context(), h.account, kari, 10); err != nil || len(found) != 1 {
			t.Error(found, err)
		}
	})
}

func TestErasuresAtOnceAreAllDone(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		var all sync.WaitGroup
		var numbers []string
		for i := range 8 {
			numbers = append(numbers, "+479123000"+string(rune('0'+i)))
			h.add("Person", numbers[i], "")
		}
		for _, n := range numbers {
			for range 2 { // the same person by two at once
				all.Go(func() {
					if _, err := h.desk.Erase(t.Context(), h.account, n, "asked"); err != nil && !problem.Has(err, "person_not_found") {
						t.Error(n, err)
					}
				})
			}
		}
		all.Wait()
		for _, n := range numbers {
			if strings.Contains(h.dump(), n) {
				t.Errorf("%s is left", n)
			}
		}
		text, err := os.ReadFile(h.list)
		must(t, err)
		for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
			var l struct{ Seq int }
			must(t, json.Unmarshal([]byte(line), &l))
			if l.Seq != i+1 {
				t.Errorf("line %d has the number %d", i+1, l.Seq)
			}
		}
		if _, err := audit.Verify(t.Context(), h.db, h.account); err != nil {
			t.Error(err)
		}
	})
}

// What was on its way when somebody was erased is found by the second look.
func TestWhatCameMeanwhileIsErasedLater(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.live()
		h.erase(kari)
		// A request that had passed its check is stored now.
		_, err := h.db.ExecContext(t.Context(), `
			INSERT INTO contacts (id, account_id, source, name, phone, phone_rule, state, created_at, updated_at)
			VALUES (1, $1, 'manual', 'Kari Nordmann', $2, 'manual', 'active', 1, 1)`, h.account, kari)
		must(t, err)
		must(t, h.desk.Settle(t.Context(), time.Now()))
		if !strings.Contains(h.dump(), "Kari Nordmann") {
			t.Error("it was looked at once")
		}
		must(t, h.desk.Settle(t.Context(), time.Now().Add(time.Hour)))
		h.isNowhere()
	})
}

// Art. 15 GDPR.
func TestAnExportTellsAllThatIsHeld(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		contact, _ := h.live()
		m, err := h.desk.Person(t.Context(), h.account, h.names.Of(secrets.Contact, contact))
		must(t, err)
		counts, err := h.desk.Counts(t.Context(), m.Person)
		must(t, err)
		want := []privacy.Count{{"contacts", 1}, {"uploads", 1}, {"directory", 0}, {"cards", 1}, {"card_consents", 1}, {"messages", 1}, {"received", 0}, {"roll_call_answers", 0}, {"opt_outs", 1}, {"audit", 2}}
		if diff := cmp.Diff(want, counts); diff != "" {
			t.Error(diff)
		}
		var out strings.Builder
		must(t, h.desk.ExportPerson(t.Context(), h.account, m, "json", "en", &out))
		var got struct {
			Person   struct{ Names, Numbers, Emails []string }
			Sections map[string][]map[string]any
		}
		must(t, json.Unmarshal([]byte(out.String()), &got))
		if got.Person.Numbers[0] != kari || got.Sections["contacts"][0]["phone_raw"] != shown || got.Sections["messages"][0]["text"] != "Hello Kari Nordmann" {
			t.Error(out.String())
		}
		card := got.Sections["cards"][0]
		if card["address"] != "/c/"+karisCard || card["photo"] != "data:image/jpeg;base64,YSBwaG90bw==" || card["own_words"].(map[string]any)["mobile"] != kari {
			t.Error(card)
		}
		if strings.Contains(out.String(), "Ola") || strings.Contains(out.String(), "price") {
			t.Error(out.String())
		}
		entries, err := audit.List(t.Context(), h.db, h.account, 0, 1)
		if err != nil || entries[0].Action != "person.exported" || strings.Contains(h.dump(), "exported\",\"Kari") {
			t.Error(entries, err)
		}
	})
}

func TestAnExportIsReadInEveryLanguage(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLiteURL(t))
	h := furnish(t, d, t.TempDir())
	h.live()
	m, err := h.desk.Person(t.Context(), h.account, kari)
	must(t, err)
	for language, word := range map[string]string{"en": "Messages to you", "nb": "Meldinger til deg", "pl": "Wiadomości do Ciebie"} {
		var out strings.Builder
		must(t, h.desk.ExportPerson(t.Context(), h.account, m, "html", language, &out))
		if !strings.Contains(out.String(), word) || !strings.Contains(out.String(), `lang="`+language+`"`) || strings.Contains(out.String(), "phone_raw") {
			t.Errorf("%s: %s", language, out.String())
		}
	}
	refused(t, h.desk.ExportPerson(t.Context(), h.account, m, "html", "xx", &strings.Builder{}), "invalid_language")
}

// What a room tells has a word in every language.
func TestEveryFieldOfAnExportHasAWord(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLiteURL(t))
	h := furnish(t, d, t.TempDir())
	h.live()
	m, err := h.desk.Person(t.Context(), h.account, kari)
	must(t, err)
	var out strings.Builder
	must(t, h.desk.ExportPerson(t.Context(), h.account, m, "json", "en", &out))
	var got struct{ Sections map[string][]map[string]any }
	must(t, json.Unmarshal([]byte(out.String()), &got))
	for _, language := range privacy.Languages {
		text, err := os.ReadFile("words/" + language + ".json")
		must(t, err)
		words := map[string]string{}
		must(t, json.Unmarshal(text, &words))
		for section, records := range got.Sections {
			if words["section_"+section] == "" || words["about_"+section] == "" {
				t.Errorf("%s has no words for %s", language, section)
			}
			for _, r := range records {
				for field := range r {
					if words[field] == "" {
						t.Errorf("%s has no word for %s", language, field)
					}
				}
			}
		}
	}
}

func TestPeopleAreFoundByWhatIsKnownOfThem(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		contact, _ := h.live()
		h.send("+4791239999", "to a number of nobody", "")
		for text, want := range map[string]string{
			shown: "Kari Nordmann", kari: "Kari Nordmann", "KARI@acme.example": "Kari Nordmann", "nordm": "Kari Nordmann",
			h.names.Of(secrets.Contact, contact): "Kari Nordmann", "912 39 999": "",
		} {
			found, err := h.desk.Find(ctx, h.account, text, 10)
			if err != nil || len(found) != 1 || strings.Join(found[0].Names, "") != want {
				t.Errorf("%s: %+v %v", text, found, err)
			}
		}
		if found, err := h.desk.Find(ctx, h.account, "912 39 000", 10); err != nil || len(found) != 0 {
			t.Error(found, err)
		}
		// A contact that was removed has nothing left but what it was sent.
		must(t, h.book.Remove(ctx, h.account, contact))
		m, err := h.desk.Person(ctx, h.account, h.names.Of(secrets.Contact, contact))
		if err != nil || cmp.Diff(subject.Person{Account: h.account, Contacts: []int64{contact}}, m.Person) != "" && m.Numbers == nil {
			t.Error(m, err)
		}
		h.erase(kari)
		if strings.Contains(h.dump(), "91234567") {
			t.Error(h.dump())
		}
	})
}
