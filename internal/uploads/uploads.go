// Package uploads lets single paths of an HTTP server take larger bodies than
// the rest of it.
package uploads

import (
	"bytes"

	"github.com/valyala/fasthttp"
)

// Allow raises the limit of a body sent to path, in bytes. It is to be called
// before the server listens.
func Allow(s *fasthttp.Server, path string, limit int) {
	before := s.HeaderReceived
	s.HeaderReceived = func(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
		if p, _, _ := bytes.Cut(h.RequestURI(), []byte("?")); string(p) == path {
			return fasthttp.RequestConfig{MaxRequestBodySize: limit}
		}
		if before != nil {
			return before(h)
		}
		return fasthttp.RequestConfig{}
	}
}
