package smsqueue_test

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/sim/smscsim"
)

const (
	kannelPeople = 20_000
	// kannelPerRequest is how many recipients one request to its HTTP interface
	// names, kannelRequests how many are under way.
	kannelPerRequest, kannelRequests = 50, 4
)

// BenchmarkKannel gives Kannel, where it is installed, the same messages for the
// same SMSC: spooled to disk before they are accepted, with receipts. It is what a
// campaign reaches beside it in the same run.
func BenchmarkKannel(b *testing.B) {
	if _, err := exec.LookPath("bearerbox"); err != nil {
		b.Skip("Kannel is not installed")
	}
	for range b.N {
		theirs := kannelTimes(b)
		ours := sendMany(b, dbtest.PostgresURL(b), kannelPeople)
		b.ReportMetric(kannelPeople/theirs.submitted.Seconds(), "kannel_sent/s")
		b.ReportMetric(kannelPeople/theirs.receipted.Seconds(), "kannel_receipts/s")
		b.ReportMetric(kannelPeople/ours.receipted.Seconds(), "receipts/s")
		b.ReportMetric(theirs.receipted.Seconds()/ours.receipted.Seconds(), "of_kannel")
	}
}

func kannelTimes(b *testing.B) (took times) {
	b.Helper()
	smsc, err := smscsim.Start(smscsim.Options{SystemID: "varsel", Password: "secret", Unacknowledged: benchUnacknowledged, Faults: benchFaults})
	must(b, err)
	defer smsc.Close()
	stop, send := startKannel(b, smsc)
	defer stop()
	began := time.Now()
	var all sync.WaitGroup
	requests := make(chan []string)
	for range kannelRequests {
		all.Go(func() {
			for to := range requests {
				send(to)
			}
		})
	}
	for at := 0; at < kannelPeople; at += kannelPerRequest {
		var to []string
		for i := range kannelPerRequest {
			to = append(to, number(at+i))
		}
		requests <- to
	}
	close(requests)
	all.Wait()
	took.accepted = time.Since(began)
	reach := func(count func(smscsim.Counts) int) time.Duration {
		for deadline := time.Now().Add(5 * time.Minute); count(smsc.Counts()) < kannelPeople; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				b.Fatalf("Kannel does not come to its end; the SMSC stands at %+v", smsc.Counts())
			}
		}
		return time.Since(began)
	}
	took.submitted = reach(func(c smscsim.Counts) int { return c.Accepted })
	took.receipted = reach(func(c smscsim.Counts) int { return c.ReceiptAcks })
	return took
}

// startKannel returns when it is bound; send has a text accepted for numbers.
func startKannel(b *testing.B, smsc *smscsim.Server) (stop func(), send func(to []string)) {
	b.Helper()
	dir := b.TempDir()
	host, port, err := net.SplitHostPort(smsc.Addr())
	must(b, err)
	web := freePort(b)
	config := fmt.Sprintf(`group = core
admin-port = %d
admin-password = bench
smsbox-port = %d
log-file = %s/bearerbox.log
log-level = 3
store-type = spool
store-location = %s/spool
dlr-storage = internal

group = smsc
smsc = smpp
smsc-id = main
host = %s
port = %s
smsc-username = varsel
smsc-password = secret
system-type = ""
transceiver-mode = true
max-pending-submits = 1000

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = %d
global-sender = ACME
log-file = %s/smsbox.log
log-level = 3

group = sendsms-user
username = bench
password = bench
`, freePort(b), freePort(b), dir, dir, host, port, web, dir)
	must(b, os.Mkdir(filepath.Join(dir, "spool"), 0o700))
	file := filepath.Join(dir, "kannel.conf")
	must(b, os.WriteFile(file, []byte(config), 0o600))
	var boxes []*exec.Cmd
	stop = func() {
		for _, box := range boxes {
			box.Process.Kill()
			box.Wait()
		}
	}
	start := func(name string) {
		box := exec.Command(name, file)
		must(b, box.Start())
		boxes = append(boxes, box)
	}
	start("bearerbox")
	for deadline := time.Now().Add(time.Minute); smsc.Counts().Binds == 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatal("Kannel does not bind")
		}
	}
	start("smsbox")
	send = func(to []string) {
		query := url.Values{"username": {"bench"}, "password": {"bench"}, "text": {"Hello"}, "dlr-mask": {"31"}, "to": {strings.Join(to, " ")}}
		answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/cgi-bin/sendsms?%s", web, query.Encode()))
		if err != nil || answer.StatusCode != http.StatusAccepted {
			b.Errorf("Kannel does not take messages: %v %v", answer, err)
			return
		}
		answer.Body.Close()
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", web)); err == nil {
			conn.Close()
			return stop, send
		}
		if time.Now().After(deadline) {
			b.Fatal("Kannel does not listen")
		}
	}
}

func freePort(b *testing.B) int {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(b, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
