package httpcarrier

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/varsel/varsel/smsqueue/carriers"
)

const (
	connectTimeout = 10 * time.Second
	// A connection that the provider closes while a message goes out puts that
	// message in doubt, so idle ones are closed before a provider would.
	idleTimeout = 10 * time.Second
	// answerLimit is the largest answer that is read, in bytes.
	answerLimit = 64 << 10
)

// newClient speaks HTTP/1.1 alone: a connection that breaks puts one message in
// doubt, and not the whole window.
func newClient(window int) *http.Client {
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: connectTimeout}).DialContext,
			TLSHandshakeTimeout: connectTimeout,
			TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
			MaxConnsPerHost:     window,
			MaxIdleConnsPerHost: window,
			IdleConnTimeout:     idleTimeout,
			DisableCompression:  true,
			Protocols:           protocols,
		},
	}
}

// Response is a provider's answer.
type Response struct {
	Status int
	Header http.Header
	Body   []byte // what of it has come
}

// send makes one request. With a verdict of Throttled comes how long the
// provider asks to wait, 0 when it does not say.
func (c *carrier) send(s carriers.Submission) (carriers.Answer, time.Duration) {
	r, err := c.Request(s)
	if err != nil {
		return Refused(carriers.Rejected, "", err.Error()), 0
	}
	once(r)
	r.Header.Set("User-Agent", "varsel")
	ctx, cancel := context.WithTimeout(c.ctx, time.Duration(c.Timeout))
	defer cancel()
	var written atomic.Bool
	// net/http calls this before it flushes the last bytes, so what is not marked
	// has not left whole.
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: func(info httptrace.WroteRequestInfo) {
		if info.Err == nil {
			written.Store(true)
		}
	}})
	answer, err := c.client.Do(r.WithContext(ctx))
	if err != nil {
		return c.fault(err, written.Load()), 0
	}
	defer answer.Body.Close()
	// A body cut short is read for what it says: an id that is missing is seen there.
	body, _ := io.ReadAll(io.LimitReader(answer.Body, answerLimit))
	a := c.Answer(s, Response{answer.StatusCode, answer.Header, body})
	if a.Err != nil && a.Err.Kind == carriers.Throttled {
		return a, retryAfter(answer.Header.Get("Retry-After"), time.Now())
	}
	return a, 0
}

// once keeps net/http from sending a GET again by itself when the connection
// breaks after it was written: it does so only with what it can read twice.
func once(r *http.Request) {
	if r.Method == http.MethodGet {
		r.Body = io.NopCloser(strings.NewReader(""))
	}
}

// fault is the verdict on a request without an answer. Its text is ours alone: an
// error of net/http quotes the URL, in which a provider may want the password.
func (c *carrier) fault(err error, written bool) carriers.Answer {
	late := errors.Is(err, context.DeadlineExceeded)
	switch {
	case !written && late:
		return Refused(carriers.Retry, "", c.Name+" could not be reached in time")
	case !written:
		return Refused(carriers.Retry, "", fmt.Sprintf("%s cannot be reached: %s", c.Name, plain(err)))
	case late:
		return Refused(carriers.NoAnswer, "", fmt.Sprintf("%s did not answer within %v", c.Name, time.Duration(c.Timeout)))
	}
	return Refused(carriers.NoAnswer, "", fmt.Sprintf("the connection to %s ended before its answer", c.Name))
}

func plain(err error) string {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	switch {
	case errors.As(err, &dns):
		return "its host name is not found"
	case errors.As(err, &certificate), errors.As(err, &authority):
		return "its certificate is not trusted"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused"
	case errors.Is(err, context.Canceled):
		return "the carrier was closed"
	}
	return "there is no connection"
}

// retryAfter reads the header (RFC 9110 10.2.3); what cannot be read is 0. A
// second or less is left to the queue, which slows down by itself.
func retryAfter(text string, now time.Time) time.Duration {
	var wait time.Duration
	if seconds, err := strconv.Atoi(text); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		wait = at.Sub(now)
	}
	if wait <= time.Second {
		return 0
	}
	return wait
}
