package smpp

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/carriers/carriertest"
)

func TestCarrierContract(t *testing.T) {
	for name, settings := range map[string]string{
		"one transceiver":              `"binds":1,"window":20`,
		"three transceivers":           `"binds":3,"window":50`,
		"transmitters with receivers":  `"binds":2,"window":20,"bind":"transmitter_receiver"`,
		"parts by SAR":                 `"window":20,"long_messages":"sar"`,
		"messages whole":               `"window":20,"long_messages":"payload"`,
		"Latin-1 and short references": `"window":20,"default_alphabet":"latin1","short_reference":true`,
	} {
		t.Run(name, func(t *testing.T) {
			carriertest.Run(t, func(t *testing.T) carriertest.Subject { return subject(t, settings) })
		})
	}
}

const password = "pa55w0rd" // as long as the protocol allows

// subject is a carrier before a server that lets in only those who know the
// password.
func subject(t *testing.T, settings string) carriertest.Subject {
	server := serve(t, smscsim.Options{SystemID: "acme", Password: password})
	open := func(systemID string) func(*testing.T, carriers.Events) carriers.Carrier {
		return func(t *testing.T, events carriers.Events) carriers.Carrier {
			raw := fmt.Sprintf(`{"addr":%q,"system_id":%q,"password":%q,"response_timeout":"1s",%s}`,
				server.Addr(), systemID, password, settings)
			return openCarrier(t, raw, events)
		}
	}
	return carriertest.Subject{
		Open:         open("acme"),
		OpenRefused:  open("stranger"),
		Mute:         func() { server.SetFaults(smscsim.Faults{NeverAnswer: true}) },
		Received:     func() int { return server.Counts().Submits },
		DropLinks:    server.DropAll,
		Acknowledged: func() int { return server.Counts().ReceiptAcks },
		Secret:       password,
	}
}

func serve(t testing.TB, o smscsim.Options) *smscsim.Server {
	t.Helper()
	server, err := smscsim.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}

func openCarrier(t testing.TB, raw string, events carriers.Events) carriers.Carrier {
	t.Helper()
	c, err := Open(t.Context(), json.RawMessage(raw), carriers.Setting{Events: events})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
