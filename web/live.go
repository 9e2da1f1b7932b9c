package web

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/internal/secrets"
)

const (
	// streamLife ends a stream; the browser opens another, whose session is
	// looked at anew.
	streamLife = 10 * time.Minute
	beatEvery  = 15 * time.Second
	// writePatience is how long a viewer may not read before the stream ends.
	writePatience = 10 * time.Second
	// repeatAfter is when what has not changed is said again: it is still true.
	repeatAfter = 5 * time.Second
	// reopenAfter, in milliseconds, is when the browser tries again.
	reopenAfter = 2000
)

// campaignLive streams a campaign's progress as server-sent events (HTML
// Living Standard 9.2): one when something has changed, a comment now and then
// to keep the connection open, and the event "end" when nothing more will come.
func (w *site) campaignLive(c *fiber.Ctx, v visit) error {
	id, err := w.Names.ID(secrets.Campaign, c.Params("id"))
	if err != nil {
		return err
	}
	if _, err := w.Queue.Campaign(v.ctx, v.Account.ID, id); err != nil {
		return err
	}
	return serveLive(c, w.live, watchable{v.Account.ID, id}, w.Stop, func(s snapshot) telling {
		return telling{v.say.progress(s), s.at, s.over()}
	})
}

// serveLive streams what a hub sees of a thing, in the words that tell finds.
func serveLive[S any](c *fiber.Ctx, h *hub[S], of watchable, stop <-chan struct{}, tell func(S) telling) error {
	watching, err := h.watch(of)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/event-stream")
	c.Set("X-Accel-Buffering", "no") // nginx would keep the events back
	// Deadlines are set on the connection, so it serves nothing after this.
	c.Context().SetConnectionClose()
	s := &stream[S]{words: tell, conn: c.Context().Conn(), viewer: watching, stop: stop}
	c.Context().SetBodyStreamWriter(func(out *bufio.Writer) {
		defer h.leave(watching)
		s.out = out
		s.run()
	})
	return nil
}

// telling is a snapshot in the visitor's words, without its time.
type telling struct {
	words any
	at    time.Time
	over  bool // nothing more will come
}

// stream is one open page. It runs on the server's goroutine until the viewer
// is gone, which shows as an error of writing.
type stream[S any] struct {
	words  func(S) telling
	conn   net.Conn
	out    *bufio.Writer
	viewer *viewer[S]
	stop   <-chan struct{}
	said   string    // without its time
	at     time.Time // of what was said
}

func (s *stream[S]) run() {
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	end := time.NewTimer(streamLife)
	defer end.Stop()
	err := s.write(fmt.Sprintf("retry: %d\n\n", reopenAfter))
	for err == nil {
		select {
		case <-s.stop:
			return
		case <-end.C:
			return
		case <-beat.C:
			err = s.write(": still here\n\n")
		case seen := <-s.viewer.news:
			now := s.words(seen)
			err = s.tell(now)
			if now.over {
				s.write("event: end\ndata: {}\n\n")
				return
			}
		}
	}
}

// tell writes an event, unless it would say again what was said just now. Its
// time goes beside it, so that it alone is nothing new.
func (s *stream[S]) tell(now telling) error {
	text, err := json.Marshal(now.words)
	if err != nil || string(text) == s.said && now.at.Sub(s.at) < repeatAfter {
		return err
	}
	s.said, s.at = string(text), now.at
	at, err := json.Marshal(now.at)
	if err != nil {
		return err
	}
	return s.write("event: progress\ndata: {\"at\":" + string(at) + "," + string(text[1:]) + "\n\n")
}

func (s *stream[S]) write(text string) error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(writePatience)); err != nil {
		return err
	}
	if _, err := s.out.WriteString(text); err != nil {
		return err
	}
	return s.out.Flush()
}
