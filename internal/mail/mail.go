// Package mail sends mail over an SMTP relay (RFC 5321), one at a time, and says of
// each whether the relay has taken it.
package mail

import (
	"context"
	"errors"
	"fmt"
	netmail "net/mail"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// patience bounds one mail, from dialling to the relay's last word.
const patience = time.Minute

// Message is a mail of plain text to one address.
type Message struct {
	To, Subject, Text string
	ID                string // what the Message-ID is made of: the same mail has the same
}

// Relay is who takes our mail.
type Relay struct {
	host    string
	from    string // an address
	options []mail.Option
}

// Open reads a relay's address:
// smtp://user:password@host:587?from=varsel@example.com, or smtps:// where TLS comes
// first (port 465). smtp goes on with STARTTLS; starttls=optional lets it be without
// where there is no password, as it may on this machine. Nothing is dialled.
func Open(address string) (*Relay, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, errors.New("is smtp://host:port?from=ADDRESS or smtps://") // u may hold a password
	}
	from, err := netmail.ParseAddress(u.Query().Get("from"))
	if err != nil {
		return nil, errors.New("needs the sender's address: ?from=varsel@example.com")
	}
	r := &Relay{host: u.Hostname(), from: from.Address, options: []mail.Option{mail.WithTimeout(patience)}}
	if err := r.reach(u); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Relay) reach(u *url.URL) error {
	port, tls := 587, mail.TLSMandatory
	if u.Scheme == "smtps" {
		port = 465
		r.options = append(r.options, mail.WithSSL())
	} else if u.User == nil && u.Query().Get("starttls") == "optional" || loopback(r.host) {
		tls = mail.TLSOpportunistic
	}
	if text := u.Port(); text != "" {
		var err error
		if port, err = strconv.Atoi(text); err != nil || port < 1 || port > 65535 {
			return fmt.Errorf("has no port %q", text)
		}
	}
	r.options = append(r.options, mail.WithTLSPolicy(tls), mail.WithPort(port))
	if u.User != nil {
		password, _ := u.User.Password()
		r.options = append(r.options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(u.User.Username()), mail.WithPassword(password))
	}
	return nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// Why a mail was not sent.
var (
	// ErrLater says that the relay has not taken the mail, and may later.
	ErrLater = errors.New("the mail relay does not take the mail now")
	// ErrRejected says that the relay will not take it.
	ErrRejected = errors.New("the mail relay rejects the mail")
	// ErrUnsure says that the relay got it all and did not answer: it may have taken it.
	ErrUnsure = errors.New("the mail relay has the mail and did not say whether it takes it")
)

// Send gives a mail to the relay. Its errors are ErrLater, ErrRejected and ErrUnsure,
// with the relay's code and without its words, which may repeat the address.
func (r *Relay) Send(ctx context.Context, m Message) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	text, err := r.compose(m)
	if err != nil {
		return ErrRejected
	}
	client, err := mail.NewClient(r.host, r.options...)
	if err != nil {
		return err
	}
	err = client.DialAndSendWithContext(ctx, text)
	if text.IsDelivered() {
		return nil // whatever went wrong after that
	}
	return verdict(err)
}

func (r *Relay) compose(m Message) (*mail.Msg, error) {
	text := mail.NewMsg()
	if err := errors.Join(text.From(r.from), text.To(m.To)); err != nil {
		return nil, err
	}
	text.Subject(m.Subject)
	text.SetDate()
	text.SetMessageIDWithValue(m.ID + "@" + domain(r.from))
	text.SetGenHeader(mail.Header("Auto-Submitted"), "auto-generated") // RFC 3834 5
	text.SetBodyString(mail.TypeTextPlain, m.Text)
	return text, nil
}

func domain(address string) string { return address[strings.LastIndex(address, "@")+1:] }

// verdict is what an error says about the mail. A relay that has not got its last dot
// has taken nothing (RFC 5321 4.1.1.4).
func verdict(err error) error {
	var failed *mail.SendError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &failed):
		return ErrLater // it was not reached, or let us not in
	case failed.ErrorCode() >= 500:
		return fmt.Errorf("%w: %d", ErrRejected, failed.ErrorCode())
	case failed.ErrorCode() >= 400:
		return fmt.Errorf("%w: %d", ErrLater, failed.ErrorCode())
	case failed.Reason == mail.ErrSMTPDataClose:
		return ErrUnsure
	}
	return ErrLater
}
