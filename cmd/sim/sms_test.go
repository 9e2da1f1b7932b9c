package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/varsel/varsel/internal/sim/smshttpsim"
)

// startSMS runs the command as main does and returns its first line.
func startSMS(t *testing.T, args ...string) smsReady {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	lines, out := io.Pipe()
	var messages bytes.Buffer
	exit := make(chan int, 1)
	go func() {
		exit <- run(ctx, append([]string{"sms", "--listen", "127.0.0.1:0"}, args...), out, &messages)
		out.Close()
	}()
	t.Cleanup(func() {
		stop()
		if status := <-exit; status != 0 {
			t.Errorf("exit status %d: %s", status, messages.String())
		}
	})
	var ready smsReady
	if err := json.NewDecoder(lines).Decode(&ready); err != nil {
		t.Fatalf("no ready line: %v", err)
	}
	return ready
}

func TestSMSListensWhereItSaysAndObeysItsFlags(t *testing.T) {
	ready := startSMS(t, "--control", "127.0.0.1:0", "--login", "acme", "--password", "x", "--answer-delay", "1ms")
	answer, err := http.Get(ready.URL + "/Script/SendSMS.aspx?login=acme&password=x&from=ACME&Text=Hei&to=" + url.QueryEscape("+4790000001"))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, _ := io.ReadAll(answer.Body); string(text) != "Message sent." {
		t.Errorf("%d: %s", answer.StatusCode, text)
	}
	control, err := http.Get(ready.Control + "/counts")
	if err != nil {
		t.Fatal(err)
	}
	defer control.Body.Close()
	var c smshttpsim.Counts
	if err := json.NewDecoder(control.Body).Decode(&c); err != nil || c.Accepted != 1 {
		t.Errorf("%v %+v", err, c)
	}
}

func TestSMSWithoutControl(t *testing.T) {
	if ready := startSMS(t, "--control", ""); ready.Control != "" || !strings.HasPrefix(ready.URL, "http://127.0.0.1:") {
		t.Errorf("ready line %+v", ready)
	}
}
