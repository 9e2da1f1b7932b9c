package smpp

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"time"

	"github.com/linxGnu/gosmpp/data"
	"github.com/linxGnu/gosmpp/pdu"

	"github.com/varsel/varsel/smsqueue/carriers"
)

// link keeps one bind up: it connects, binds, and begins again when the
// session ends.
type link struct {
	carrier *carrier
	bind    pdu.BindingType
	window  int            // 0 for a receiver
	state   carriers.State // while no session stands; guarded by carrier.mu
}

// newLinks are the configured binds; a pair of transmitter and receiver counts
// as one.
func newLinks(c *carrier) []*link {
	var links []*link
	add := func(bind pdu.BindingType, window int) {
		links = append(links, &link{c, bind, window, carriers.State{Status: carriers.Connecting, Reason: "connecting"}})
	}
	for _, window := range c.config.windows() {
		if c.config.Bind == transceiverBind {
			add(pdu.Transceiver, window)
			continue
		}
		add(pdu.Transmitter, window)
		add(pdu.Receiver, 0)
	}
	return links
}

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
		if useful {
			pause = l.carrier.pace.first
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

var bindNames = map[pdu.BindingType]string{
	pdu.Transceiver: "transceiver",
	pdu.Transmitter: "transmitter",
	pdu.Receiver:    "receiver",
}

// serve is one session from connecting to its end; the error is why it ended.
// It was useful when the peer did more than let it in.
func (l *link) serve(ctx context.Context) (useful bool, err error) {
	conn, err := l.dial(ctx)
	if err != nil {
		return false, down("%s cannot be reached: %v", l.carrier.config.Addr, plain(err))
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

func dialer(config config) func(context.Context) (net.Conn, error) {
	var d interface {
		DialContext(ctx context.Context, network, addr string) (net.Conn, error)
	} = &net.Dialer{}
	if config.TLS {
		d = &tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12}}
	}
	return func(ctx context.Context) (net.Conn, error) {
		return d.DialContext(ctx, "tcp", config.Addr)
	}
}

func (l *link) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, l.carrier.pace.connect)
	defer cancel()
	return l.carrier.dial(ctx)
}

// logIn sends the bind and waits for its answer. The reader it returns may
// already hold what the peer sent next.
func (l *link) logIn(ctx context.Context, conn net.Conn) (*frames, error) {
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	config := l.carrier.config
	_ = conn.SetDeadline(time.Now().Add(config.responseTimeout()))
	bind := l.bindRequest()
	if _, err := conn.Write(marshal(bind)); err != nil {
		return nil, down("%s took no bind: %v", config.Addr, plain(err))
	}
	in := &frames{in: bufio.NewReaderSize(conn, readBuffer)}
	answer, err := answerTo(bind.GetHeader(), in)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, down("%s did not answer the bind within %v", config.Addr, config.responseTimeout())
	case err != nil:
		return nil, down("%s ended the connection instead of answering the bind: %v", config.Addr, plain(err))
	case answer.CommandStatus != data.ESME_ROK || answer.CommandID == data.GENERIC_NACK:
		return nil, downError(bindRefused(config.Addr, answer.CommandStatus))
	}
	return in, conn.SetDeadline(time.Time{})
}

const (
	readBuffer   = 32 << 10
	bindSequence = 1
)

func (l *link) bindRequest() *pdu.BindRequest {
	bind := pdu.NewBindRequest(l.bind)
	bind.SystemID = l.carrier.config.SystemID
	bind.Password = l.carrier.config.Password
	bind.SystemType = l.carrier.config.SystemType
	bind.SetSequenceNumber(bindSequence)
	return bind
}

// answerTo passes over what a peer sends before it answers.
func answerTo(request pdu.Header, in *frames) (frame, error) {
	for {
		f, err := in.next()
		if err != nil || f.CommandID == request.CommandID|response || f.CommandID == data.GENERIC_NACK {
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
