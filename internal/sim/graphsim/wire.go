package graphsim

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
)

type wireKey struct{}

// withWire lets a request's handler find the connection it came on.
func withWire(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, wireKey{}, c)
}

// hangUp closes the connection below TLS and leaves the handler. Under HTTP/2
// the other requests on it are lost too, as they would be.
func hangUp(r *http.Request) {
	if c, ok := r.Context().Value(wireKey{}).(*tls.Conn); ok {
		c.NetConn().Close()
	}
	panic(http.ErrAbortHandler)
}

// shortWriter sends half of the first piece of an answer and hangs up.
type shortWriter struct {
	http.ResponseWriter
	request *http.Request
}

func (w shortWriter) Write(b []byte) (int, error) {
	w.ResponseWriter.Write(b[:len(b)/2])
	http.NewResponseController(w.ResponseWriter).Flush()
	hangUp(w.request)
	return 0, nil
}
