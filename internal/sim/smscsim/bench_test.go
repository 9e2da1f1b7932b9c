package smscsim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/varsel/varsel/internal/sim/smscsim"
)

// submits/s as one client process sees them, which shares the machine with the server.
func BenchmarkSubmit(b *testing.B) {
	for _, c := range []struct {
		name   string
		asks   byte
		faults smscsim.Faults
	}{
		{"plain", 0, smscsim.Faults{}},
		{"receipts", 1, smscsim.Faults{}},
		{"delayed", 1, smscsim.Faults{AnswerDelay: 10 * time.Millisecond, ReceiptDelay: 100 * time.Millisecond}},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := startWith(b, c.faults)
			client := bound(b, s, 9)
			window := make(chan struct{}, 1000)
			go client.pour(b.N, c.asks, window)
			client.drain(b.N, b.N*int(c.asks), window)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "submits/s")
		})
	}
}

// pour keeps the window full, with as many submits in one write as there is room for.
func (c *client) pour(n int, asks byte, window chan struct{}) {
	var out []byte
	for i := range n {
		select {
		case window <- struct{}{}:
		default:
			c.write(out)
			out = out[:0]
			window <- struct{}{}
		}
		m := sm{from: "Varsel", to: fmt.Sprintf("4790%06d", i%400_000), registered: asks, text: "The office is closed today, work from home."}
		out = append(out, m.pdu(uint32(i+1))...)
		if len(out) > 16<<10 {
			c.write(out)
			out = out[:0]
		}
	}
	c.write(out)
}

func (c *client) drain(answers, receipts int, window chan struct{}) {
	for answers > 0 || receipts > 0 {
		f := c.read()
		if f.command == 5 {
			receipts--
			c.write(pdu(0x80000005, 0, f.sequence, "\x00"))
			continue
		}
		answers--
		<-window
	}
}
