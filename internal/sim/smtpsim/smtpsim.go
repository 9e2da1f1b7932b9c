// Package smtpsim is an SMTP server (RFC 5321) that keeps what it is given and can be
// told to misbehave.
package smtpsim

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
)

// Faults are how it misbehaves; the zero value is a server that takes everything.
type Faults struct {
	Recipient string // the reply to RCPT TO: "550 5.1.1 nobody of that name"
	Data      string // the reply to a whole message
	HangUp    bool   // takes a whole message, and ends the connection without a reply
}

// Mail is a message that was taken.
type Mail struct {
	From, To string
	Text     string // headers and body, lines ending in \n
}

// Header is the first value of a header, by its name with a colon: "Subject:".
func (m Mail) Header(name string) string {
	for line := range strings.Lines(m.Text) {
		if value, ok := strings.CutPrefix(line, name); ok {
			return strings.TrimSpace(value)
		}
		if line == "\n" {
			break
		}
	}
	return ""
}

// Server is a running one.
type Server struct {
	listener net.Listener
	running  sync.WaitGroup

	mu     sync.Mutex
	faults Faults
	taken  []Mail
	open   map[net.Conn]bool
}

// Start listens on a loopback port.
func Start() (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{listener: listener, open: map[net.Conn]bool{}}
	s.running.Go(s.serve)
	return s, nil
}

// Addr is its host and port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// SetFaults makes it misbehave from its next command on.
func (s *Server) SetFaults(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

// Mails are those taken so far.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.taken)
}

// Close ends every connection and waits for it.
func (s *Server) Close() error {
	err := s.listener.Close()
	s.mu.Lock()
	for c := range s.open {
		c.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
	return err
}

func (s *Server) serve() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.open[c] = true
		s.mu.Unlock()
		s.running.Go(func() {
			s.talk(c)
			c.Close()
			s.mu.Lock()
			delete(s.open, c)
			s.mu.Unlock()
		})
	}
}

// dialogue is one connection.
type dialogue struct {
	in   *bufio.Reader
	out  net.Conn
	mail Mail
}

func (s *Server) talk(c net.Conn) {
	d := &dialogue{in: bufio.NewReader(c), out: c}
	d.say("220 smtpsim")
	for {
		line, err := d.in.ReadString('\n')
		if err != nil || !s.answer(d, strings.TrimRight(line, "\r\n")) {
			return
		}
	}
}

func (d *dialogue) say(reply string) { fmt.Fprintf(d.out, "%s\r\n", reply) }

// answer answers one command, and says whether the connection goes on.
func (s *Server) answer(d *dialogue, line string) bool {
	verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
	switch verb {
	case "EHLO":
		d.say("250-smtpsim\r\n250 8BITMIME")
	case "HELO", "NOOP":
		d.say("250 as you like")
	case "RSET":
		d.mail = Mail{}
		d.say("250 forgotten")
	case "MAIL":
		d.mail = Mail{From: path(line)}
		d.say("250 go on")
	case "RCPT":
		s.recipient(d, line)
	case "DATA":
		return s.data(d)
	case "QUIT":
		d.say("221 bye")
		return false
	default:
		d.say("502 not here")
	}
	return true
}

func (s *Server) recipient(d *dialogue, line string) {
	if refusal := s.now().Recipient; refusal != "" {
		d.say(refusal)
		return
	}
	d.mail.To = path(line)
	d.say("250 go on")
}

func (s *Server) now() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults
}

// path is the address between angle brackets.
func path(line string) string {
	_, rest, _ := strings.Cut(line, "<")
	address, _, _ := strings.Cut(rest, ">")
	return address
}

// data reads a message to its last dot (RFC 5321 4.5.2).
func (s *Server) data(d *dialogue) bool {
	if d.mail.To == "" {
		d.say("503 to whom?")
		return true
	}
	d.say("354 end with a dot")
	var text strings.Builder
	for {
		line, err := d.in.ReadString('\n')
		if err != nil {
			return false
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "." {
			break
		}
		text.WriteString(strings.TrimPrefix(line, ".") + "\n")
	}
	d.mail.Text = text.String()
	return s.take(d)
}

func (s *Server) take(d *dialogue) bool {
	faults := s.now()
	if faults.Data != "" {
		d.say(faults.Data)
		return true
	}
	s.mu.Lock()
	s.taken = append(s.taken, d.mail)
	s.mu.Unlock()
	if faults.HangUp {
		return false
	}
	d.say("250 taken")
	return true
}
