package smtpsim_test

import (
	"net/smtp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/internal/sim/smtpsim"
)

func start(t *testing.T) *smtpsim.Server {
	t.Helper()
	s, err := smtpsim.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func send(s *smtpsim.Server) error {
	return smtp.SendMail(s.Addr(), nil, "from@a.test", []string{"to@b.test"}, []byte("Subject: Hi\r\n\r\nSubject: body\r\n.dot\r\n"))
}

func TestItKeepsWhatItIsGiven(t *testing.T) {
	s := start(t)
	if err := send(s); err != nil {
		t.Fatal(err)
	}
	want := []smtpsim.Mail{{From: "from@a.test", To: "to@b.test", Text: "Subject: Hi\n\nSubject: body\n.dot\n"}}
	if diff := cmp.Diff(want, s.Mails()); diff != "" {
		t.Error(diff)
	}
	if got := want[0].Header("Subject:"); got != "Hi" {
		t.Error(got)
	}
}

func TestItMisbehavesAsTold(t *testing.T) {
	for name, c := range map[string]struct {
		faults smtpsim.Faults
		kept   int
	}{
		"recipient": {smtpsim.Faults{Recipient: "550 nobody"}, 0},
		"data":      {smtpsim.Faults{Data: "451 later"}, 0},
		"hang up":   {smtpsim.Faults{HangUp: true}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			s.SetFaults(c.faults)
			if err := send(s); err == nil || len(s.Mails()) != c.kept {
				t.Errorf("%v, %d kept", err, len(s.Mails()))
			}
		})
	}
}
