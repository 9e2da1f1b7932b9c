package web_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/smsqueue"
)

// stream is an open page's connection.
type stream struct {
	*testing.T
	lines *bufio.Scanner
	close context.CancelFunc
}

func (w *world) open(path string) *stream {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 5*time.Minute)
	w.Cleanup(cancel)
	req := must(http.NewRequestWithContext(ctx, http.MethodGet, w.home+path, nil))
	res, err := (&http.Client{Jar: w.client.Jar}).Do(req)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		w.Fatalf("%d %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
	return &stream{T: w.T, lines: bufio.NewScanner(res.Body), close: cancel}
}

// event is the next one, or "" when the stream has ended.
func (s *stream) event() (name string, data map[string]any) {
	s.Helper()
	for s.lines.Scan() {
		line := s.lines.Text()
		if event, ok := strings.CutPrefix(line, "event: "); ok {
			name = event
		}
		if text, ok := strings.CutPrefix(line, "data: "); ok {
			if err := json.Unmarshal([]byte(text), &data); err != nil {
				s.Fatal(err)
			}
			return name, data
		}
	}
	return "", nil
}

func TestProgressIsStreamedUntilTheEnd(t *testing.T) {
	w := newWorld(t)
	w.carrier("main", `{"throughput":25}`)
	c, name := w.start(smsqueue.NewCampaign{Group: w.group("Everybody", 200).ID, Text: "Hello"})
	w.signIn()
	s := w.open("/campaigns/" + name + "/live")
	if event, first := s.event(); event != "progress" || first["state"] != "accepted" {
		t.Fatalf("%s %v", event, first)
	}
	w.work()
	var seen []string
	var last map[string]any
	for {
		event, data := s.event()
		if event == "end" {
			break
		}
		if event != "progress" {
			t.Fatalf("the stream ended without an end: %q", event)
		}
		last = data
		seen = append(seen, data["percent"].(string))
	}
	if len(seen) < 3 {
		t.Errorf("the numbers moved only so often: %v", seen)
	}
	if last["state"] != "finished" || last["percent"] != "100%" || last["handled"] != "200 of 200 processed" {
		t.Errorf("the last said %v", last)
	}
	w.finished(c)
}

func TestStreamsAreOnlyForThoseWhoMaySeeThem(t *testing.T) {
	w := newWorld(t)
	w.carrier("main", `{}`)
	_, name := w.start(smsqueue.NewCampaign{Group: w.group("Everybody", 1).ID, Text: "Hello"})
	if got := w.get("/campaigns/"+name+"/live", "Accept", "text/event-stream"); got.status != http.StatusUnauthorized {
		t.Errorf("signed out: %d", got.status)
	}
}

func TestStreamsEndWhenTheProcessDoes(t *testing.T) {
	w := newWorld(t) // its end checks that the shutdown is not held up
	w.carrier("main", `{}`)
	_, name := w.start(smsqueue.NewCampaign{Group: w.group("Everybody", 1).ID, Text: "Hello"})
	w.signIn()
	for range 3 {
		w.open("/campaigns/" + name + "/live").event()
	}
}
