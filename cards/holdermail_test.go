package cards_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/mail"
)

// post is what a relay took.
type post struct {
	sent   []mail.Message
	answer error
}

func (p *post) send(_ context.Context, m mail.Message) error {
	p.sent = append(p.sent, m)
	return p.answer
}

func (p *post) to() (all []string) {
	for _, m := range p.sent {
		all = append(all, m.To)
	}
	slices.Sort(all)
	return all
}

// owing makes three holders, of whom one has no address for mail, and a notice to them.
func owing(t *testing.T, d *db.DB) (*cards.Cards, int64) {
	t.Helper()
	a, err := accounts.New(d).Create(t.Context(), accounts.Account{Handle: "acme", Name: "Acme AS", Region: "NO", Sender: "ACME"})
	if err != nil {
		t.Fatal(err)
	}
	exec := func(statement string, args ...any) {
		t.Helper()
		if _, err := d.ExecContext(t.Context(), statement, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec(`INSERT INTO card_groups (id, account_id, tenant_id, place, name, template_id, template_version, created_at) VALUES (1, $1, 't', '', 'All', 1, 1, 1)`, a.ID)
	for i, email := range []string{"kari@acme.example", "", "pawel@acme.example"} {
		exec(`INSERT INTO contacts (id, account_id, source, name, email, phone_rule, state, created_at, updated_at) VALUES ($1, $2, 'manual', 'x', $3, 'none', 'active', 1, 1)`, i+1, a.ID, email)
		exec(`INSERT INTO cards (id, account_id, tenant_id, directory_id, contact_id, group_id, slug, state, language, created_at, updated_at)
			VALUES ($1, $2, 't', $3, $1, 1, $3, 'active', $4, 1, 1)`, i+1, a.ID, fmt.Sprint("slug", i+1), []string{"", "", "pl-PL"}[i])
	}
	c := cards.New(d)
	for range 2 { // a repetition owes nothing more
		if err := d.InTx(t.Context(), func(tx *db.Tx) error { return c.OweMails(t.Context(), tx, a.ID, 7, nil, "nb", time.Now()) }); err != nil {
			t.Fatal(err)
		}
	}
	return c, a.ID
}

func TestEachHolderIsMailedOnce(t *testing.T) { // Q39
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c, _ := owing(t, d)
		p := &post{}
		for range 2 {
			if err := c.MailHolders(t.Context(), time.Now, p.send, "https://varsel.example"); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff([]string{"kari@acme.example", "pawel@acme.example"}, p.to()); diff != "" {
			t.Error(diff)
		}
		for _, m := range p.sent {
			norwegian := strings.Contains(m.Text, "https://varsel.example/c/slug1") && strings.Contains(m.Text, "visittkortet")
			polish := strings.Contains(m.Text, "https://varsel.example/c/slug3") && strings.Contains(m.Text, "wizytówka")
			if norwegian == polish {
				t.Errorf("%+v", m)
			}
		}
	})
}

// Whoever dies while a mail is sent leaves one that is not sent again; one that a relay
// does not take now is.
func TestAMailWhoseSenderDiedIsNotSentAgain(t *testing.T) { // Q39
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c, _ := owing(t, d)
		dying, die := context.WithCancel(t.Context())
		p := &post{}
		func() {
			defer func() { recover() }()
			c.MailHolders(dying, time.Now, func(ctx context.Context, m mail.Message) error {
				p.send(ctx, m)
				die()
				panic("the process ends")
			}, "https://varsel.example")
		}()
		later := func() time.Time { return time.Now().Add(time.Hour) }
		p.answer = mail.ErrLater
		if err := c.MailHolders(t.Context(), later, p.send, "https://varsel.example"); err != nil {
			t.Fatal(err)
		}
		p.answer = nil
		for _, now := range []func() time.Time{later, func() time.Time { return time.Now().Add(2 * time.Hour) }} {
			if err := c.MailHolders(t.Context(), now, p.send, "https://varsel.example"); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff([]string{"kari@acme.example", "pawel@acme.example", "pawel@acme.example"}, p.to()); diff != "" {
			t.Error("who died had sent the first; the second was refused once:", diff)
		}
		states, err := db.Column[string](t.Context(), d, `SELECT state FROM card_mails ORDER BY card_id`)
		if diff := cmp.Diff([]string{"unconfirmed", "sent"}, states); err != nil || diff != "" {
			t.Error(diff, err)
		}
	})
}

func TestThatAHolderWasMailedIsKeptForNinetyDays(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c, account := owing(t, d)
		now := time.Now()
		if err := c.MailHolders(t.Context(), func() time.Time { return now }, (&post{}).send, "https://varsel.example"); err != nil {
			t.Fatal(err)
		}
		if err := d.InTx(t.Context(), func(tx *db.Tx) error { return c.OweMails(t.Context(), tx, account, 8, nil, "nb", now) }); err != nil {
			t.Fatal(err)
		}
		for _, after := range []struct{ days, left int }{{90, 4}, {91, 2}} { // those of the second notice wait
			if err := c.Tidy(t.Context(), now.AddDate(0, 0, after.days)); err != nil {
				t.Fatal(err)
			}
			var n int
			if err := d.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM card_mails`).Scan(&n); err != nil || n != after.left {
				t.Errorf("after %d days there are %d: %v", after.days, n, err)
			}
		}
	})
}

func TestWhoHasLeftIsNotMailed(t *testing.T) { // Q53
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c, account := owing(t, d)
		if _, err := d.ExecContext(t.Context(), `UPDATE cards SET state = 'withdrawn' WHERE account_id = $1`, account); err != nil {
			t.Fatal(err)
		}
		p := &post{}
		if err := c.MailHolders(t.Context(), time.Now, p.send, "https://varsel.example"); err != nil || len(p.sent) > 0 {
			t.Error(p.sent, err)
		}
	})
}
