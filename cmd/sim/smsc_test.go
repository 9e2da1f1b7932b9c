package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/varsel/varsel/internal/sim/smscsim"
)

// startSMSC runs the command as main does and returns its first line.
func startSMSC(t *testing.T, args ...string) smscReady {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	lines, out := io.Pipe()
	var messages bytes.Buffer
	exit := make(chan int, 1)
	go func() {
		exit <- run(ctx, append([]string{"smsc", "--listen", "127.0.0.1:0"}, args...), out, &messages)
		out.Close()
	}()
	t.Cleanup(func() {
		stop()
		if status := <-exit; status != 0 {
			t.Errorf("exit status %d: %s", status, messages.String())
		}
	})
	var ready smscReady
	if err := json.NewDecoder(lines).Decode(&ready); err != nil {
		t.Fatalf("no ready line: %v", err)
	}
	return ready
}

func TestSMSCListensWhereItSaysAndObeysItsFlags(t *testing.T) {
	ready := startSMSC(t, "--control", "127.0.0.1:0", "--throughput", "70", "--answer-delay", "5ms")
	conn, err := net.Dial("tcp", ready.SMPP)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	answer, err := http.Get(ready.Control + "/faults")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var f smscsim.Faults
	if err := json.NewDecoder(answer.Body).Decode(&f); err != nil {
		t.Fatal(err)
	}
	if f.Throughput != 70 || f.AnswerDelay.String() != "5ms" {
		t.Errorf("faults in force: %+v", f)
	}
}

func TestSMSCWithoutControl(t *testing.T) {
	if ready := startSMSC(t, "--control", ""); ready.Control != "" || ready.SMPP == "" {
		t.Errorf("ready line %+v", ready)
	}
}

func TestWrongCallsSayWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{nil, 2, "usage: sim"},
		{[]string{"fax"}, 2, "usage: sim"},
		{[]string{"smsc", "--nonsense"}, 2, "nonsense"},
		{[]string{"smsc", "extra"}, 1, `"extra" is not a flag`},
		{[]string{"smsc", "--listen", "127.0.0.1:0", "--window", "-1"}, 1, "cannot be negative"},
		{[]string{"smsc", "--listen", "nowhere"}, 1, "nowhere"},
		{[]string{"smsc", "--listen", "127.0.0.1:0", "--control", "nowhere"}, 1, "control: "},
	} {
		var messages bytes.Buffer
		status := run(t.Context(), c.args, io.Discard, &messages)
		if status != c.status || !strings.Contains(messages.String(), c.says) {
			t.Errorf("sim %q: status %d, said %q", c.args, status, messages.String())
		}
	}
}
