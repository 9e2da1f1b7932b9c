package smpp

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"time"

	"github.com/linxGnu/gosmpp/data"

	"github.com/varsel/varsel/smsqueue/carriers"
)

// link keeps one bind up: it connects, binds, and begins again when the
// session ends.
type link struct {
	carrier *carrier
	bind    data.CommandIDType
	window  int            // 0 for a receiver
	hosts   []string       // its own first
	host    int            // the one it is at
	state   carriers.State // while no session stands; guarded by carrier.mu
}

// newLinks are the configured binds; a pair of transmitter and receiver counts
// as one. The binds are spread over the hosts.
func newLinks(c *carrier) []*link {
	var links []*link
	hosts := c.config.hosts()
	for n, window := range c.config.windows() {
		first := n % len(hosts)
		add := func(bind data.CommandIDType, window int) {
			links = append(links, &link{
				carrier: c, bind: bind, window: window,
				hosts: slices.Concat(hosts[first:], hosts[:first]),
				state: carriers.State{Status: carriers.Connecting, Reason: "connecting"},
			})
		}
		switch c.config.Bind {
		case transceiverBind:
			add(data.BIND_TRANSCEIVER, window)
		case transmitterBind:
			add(data.BIND_TRANSMITTER, window)
		case receiverBind:
			add(data.BIND_RECEIVER, 0)
		default:
			add(data.BIND_TRANSMITTER, window)
			add(data.BIND_RECEIVER, 0)
		}
	}
	return links
}

func (l *link) addr() string { return l.hosts[l.host] }

// up is called with carrier.mu held.
func (l *link) up() bool { return l.state.Status == carriers.Bound }

// downError is why a link is not up, as it is told to people.
type downError carriers.State

func (e downError) Error() string { return e.Reason }

func down(format string, args ...any) error {
	return downError{carriers.Down, fmt.Sprintf(format, args...)}
}

// plain leaves out the addresses, which differ each time a link breaks.
func plain(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

func (l *link) keep(ctx context.Context) {
	pause := l.carrier.pace.first
	for ctx.Err() == nil {
		useful, err := l.serve(ctx)
		if ctx.Err() != nil {
			return
		}
		// A bind whose host is of no use goes to the next; one that fell from a
		// host that was, begins again at its own, which may be back.
		l.host = (l.host + 1) % len(l.hosts)
		if useful {
			pause, l.host = l.carrier.pace.first, 0
		}
		pause = l.rest(ctx, err, pause)
	}
}

// rest waits until the next attempt and returns the pause after that one. A
// refusal is tried again slowly: somebody may mend it.
func (l *link) rest(ctx context.Context, err error, pause time.Duration) time.Duration {
	wait := pause
	if l.fell(err).Status == carriers.Refusing {
		wait = l.carrier.pace.refused
	}
	select {
	case <-ctx.Done():
	case <-time.After(jitter(wait)):
	}
	return min(2*pause, l.carrier.pace.most)
}

// jitter keeps binds that fell together from coming back together.
func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d/2+1)
}

// fell records why the link is not up. The same reason is logged once.
func (l *link) fell(err error) carriers.State {
	state := carriers.State{Status: carriers.Down, Reason: err.Error()}
	if told := (downError{}); errors.As(err, &told) {
		state = carriers.State(told)
	}
	c := l.carrier
	c.mu.Lock()
	known := l.state == state || c.closed
	l.state = state
	c.mu.Unlock()
	if !known {
		c.log.Warn("bind is not up", "bind", bindNames[l.bind], "reason", state.Reason)
	}
	c.changed()
	return state
}

var bindNames = map[data.CommandIDType]string{
	data.BIND_TRANSCEIVER: transceiverBind,
	data.BIND_TRANSMITTER: transmitterBind,
	data.BIND_RECEIVER:    receiverBind,
}

// serve is one session from connecting to its end; the error is why it ended.
// It was useful when the peer did more than let it in.
func (l *link) serve(ctx context.Context) (useful bool, err error) {
	conn, err := l.dial(ctx)
	if err != nil {
		return false, down("%s cannot be reached: %v", l.addr(), plain(err))
	}
	in, err := l.logIn(ctx, conn)
	if err != nil {
		_ = conn.Close()
		return false, err
	}
	s := newSession(l, conn, in)
	l.rose(s)
	err = s.run(ctx.Done())
	return s.useful, err
}

func dialer(config config) func(context.Context, string) (net.Conn, error) {
	var d interface {
		DialContext(ctx context.Context, network, addr string) (net.Conn, error)
	} = &net.Dialer{}
	if config.TLS {
		d = &tls.Dialer{Config: config.trust()}
	}
	return func(ctx context.Context, addr string) (net.Conn, error) {
		return d.DialContext(ctx, "tcp", addr)
	}
}

// trust is whom a TLS connection believes.
func (c config) trust() *tls.Config {
	t := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.TLSServerName}
	if c.TLSCA != "" {
		t.RootCAs = x509.NewCertPool()
		t.RootCAs.AppendCertsFromPEM([]byte(c.TLSCA))
	}
	return t
}

func (l *link) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, l.carrier.pace.connect)
	defer cancel()
	return l.carrier.dial(ctx, l.addr())
}

// logIn sends the bind and waits for its answer. The reader it returns may
// already hold what the peer sent next.
func (l *link) logIn(ctx context.Context, conn net.Conn) (*frames, error) {
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	limit := l.carrier.config.responseTimeout()
	_ = conn.SetDeadline(time.Now().Add(limit))
	if _, err := conn.Write(l.bindRequest()); err != nil {
		return nil, down("%s took no bind: %v", l.addr(), plain(err))
	}
	in := &frames{in: bufio.NewReaderSize(conn, frameMost)}
	answer, err := l.bindAnswer(in)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, down("%s did not answer the bind within %v", l.addr(), limit)
	case err != nil:
		return nil, down("%s ended the connection instead of answering the bind: %v", l.addr(), plain(err))
	case answer.status != data.ESME_ROK || answer.command == data.GENERIC_NACK:
		return nil, downError(bindRefused(l.addr(), answer.status))
	}
	return in, conn.SetDeadline(time.Time{})
}

const (
	bindSequence = 1
	version      = 0x34 // interface_version of SMPP 3.4
)

// bindRequest is the PDU of SMPP 3.4 4.1.1, 4.1.3, 4.1.5.
func (l *link) bindRequest() []byte {
	config := &l.carrier.config
	out := beginPDU(nil, l.bind, data.ESME_ROK, bindSequence)
	out = appendCString(out, config.SystemID)
	out = appendCString(out, config.Password)
	out = appendCString(out, config.SystemType)
	out = append(out, version, tonUnknown, npiUnknown)
	return sealPDU(appendCString(out, config.AddressRange))
}

// bindAnswer passes over what a peer sends before it answers. It is not
// acknowledged: a message comes again when there is a session to take it.
func (l *link) bindAnswer(in *frames) (frame, error) {
	for {
		f, err := in.next()
		if err != nil || f.command == l.bind|response || f.command == data.GENERIC_NACK {
			return f, err
		}
	}
}

// rose lets a new session take submissions.
func (l *link) rose(s *session) {
	c := l.carrier
	c.mu.Lock()
	l.state = carriers.State{Status: carriers.Bound}
	if l.window > 0 {
		c.sessions = append(c.sessions, s)
	}
	c.room.Broadcast()
	c.mu.Unlock()
	c.log.Info("bind is up", "bind", bindNames[l.bind])
	c.changed()
}
