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
	watching, err := w.live.watch(watchable{v.Account.ID, id})
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/event-stream")
	c.Set("X-Accel-Buffering", "no") // nginx would keep the events back
	// Deadlines are set on the connection, so it serves nothing after this.
	c.Context().SetConnectionClose()
	s := &stream{say: v.say, conn: c.Context().Conn(), viewer: watching, stop: w.Stop}
	c.Context().SetBodyStreamWriter(func(out *bufio.Writer) {
		defer w.live.leave(watching)
		s.out = out
		s.run()
	})
	return nil
}

// stream is one open page. It runs on the server's goroutine until the viewer
// is gone, which shows as an error of writing.
type stream struct {
	say    *tongue
	conn   net.Conn
	out    *bufio.Writer
	viewer *viewer
	stop   <-chan struct{}
	said   string    // without its time
	at     time.Time // of what was said
}

func (s *stream) run() {
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
			err = s.tell(seen)
			if seen.over() {
				s.write("event: end\ndata: {}\n\n")
				return
			}
		}
	}
}

// tell writes an event, unless it would say again what was said just now.
func (s *stream) tell(seen snapshot) error {
	p := s.say.progress(seen)
	p.At = time.Time{}
	same, err := json.Marshal(p)
	if err != nil || string(same) == s.said && seen.at.Sub(s.at) < repeatAfter {
		return err
	}
	s.said, s.at, p.At = string(same), seen.at, seen.at
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return s.write("event: progress\ndata: " + string(text) + "\n\n")
}

func (s *stream) write(text string) error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(writePatience)); err != nil {
		return err
	}
	if _, err := s.out.WriteString(text); err != nil {
		return err
	}
	return s.out.Flush()
}
