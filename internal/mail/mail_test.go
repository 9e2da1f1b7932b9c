package mail_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/varsel/varsel/internal/mail"
	"github.com/varsel/varsel/internal/sim/smtpsim"
)

var notice = mail.Message{To: "kari@acme.test", Subject: "Endring i listen – æøå", Text: "Én linje.\n.\nSlutt.\n", ID: "ntc_1.usr_2"}

func relay(t *testing.T) (*smtpsim.Server, *mail.Relay) {
	t.Helper()
	server, err := smtpsim.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	r, err := mail.Open("smtp://" + server.Addr() + "?from=varsel@varsel.example")
	if err != nil {
		t.Fatal(err)
	}
	return server, r
}

func TestAMailReachesTheRelayWhole(t *testing.T) {
	server, r := relay(t)
	if err := r.Send(t.Context(), notice); err != nil {
		t.Fatal(err)
	}
	got := server.Mails()
	if len(got) != 1 || got[0].From != "varsel@varsel.example" || got[0].To != notice.To {
		t.Fatalf("%+v", got)
	}
	for header, want := range map[string]string{"Message-ID:": "<ntc_1.usr_2@varsel.example>", "Auto-Submitted:": "auto-generated",
		"Content-Type:": "text/plain; charset=UTF-8", "Subject:": "=?UTF-8?q?Endring_i_listen_=E2=80=93_=C3=A6=C3=B8=C3=A5?="} {
		if value := got[0].Header(header); value != want {
			t.Errorf("%s %q", header, value)
		}
	}
	if !strings.Contains(got[0].Text, "=C3=89n linje.\n.\nSlutt.") {
		t.Error(got[0].Text)
	}
}

func TestARelaySaysWhetherItHasTakenTheMail(t *testing.T) {
	for name, c := range map[string]struct {
		faults smtpsim.Faults
		want   error
		taken  int
	}{
		"unknown address":  {smtpsim.Faults{Recipient: "550 nobody kari@acme.test"}, mail.ErrRejected, 0},
		"greylisted":       {smtpsim.Faults{Recipient: "451 later"}, mail.ErrLater, 0},
		"full":             {smtpsim.Faults{Data: "452 later"}, mail.ErrLater, 0},
		"unwanted":         {smtpsim.Faults{Data: "554 spam"}, mail.ErrRejected, 0},
		"taken in silence": {smtpsim.Faults{HangUp: true}, mail.ErrUnsure, 1},
	} {
		t.Run(name, func(t *testing.T) {
			server, r := relay(t)
			server.SetFaults(c.faults)
			err := r.Send(t.Context(), notice)
			if !errors.Is(err, c.want) || len(server.Mails()) != c.taken {
				t.Errorf("%v, %d taken", err, len(server.Mails()))
			}
			if err != nil && strings.Contains(err.Error(), "kari") {
				t.Errorf("the error tells the address: %v", err)
			}
		})
	}
}

func TestARelayThatIsNotThereIsTriedLater(t *testing.T) {
	server, r := relay(t)
	server.Close()
	if err := r.Send(t.Context(), notice); !errors.Is(err, mail.ErrLater) {
		t.Error(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := r.Send(ended, notice); !errors.Is(err, mail.ErrLater) {
		t.Error(err)
	}
}

// A relay elsewhere gets nothing before STARTTLS, unless that is said.
func TestAddressesOfRelays(t *testing.T) {
	for address, want := range map[string]string{
		"smtp://mail.example?from=a@b.example":                      "",
		"smtps://user:secret@mail.example:1465?from=a@b.example":    "",
		"smtp://mail.example:25?from=a@b.example&starttls=optional": "",
		"http://mail.example?from=a@b.example":                      "smtp://host",
		"smtp://user:secret@mail.example":                           "sender's address",
		"smtp://user:secret@mail.example:99999?from=a@b.example":    "no port",
		"smtp://user:secret%zz@mail.example?from=a@b.example":       "smtp://host",
		"smtp://?from=a@b.example":                                  "smtp://host",
	} {
		_, err := mail.Open(address)
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%s: %v", address, err)
		}
	}
}
