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
	AllowWhere(s, func(p string) bool { return p == path }, limit)
}

// AllowWhere raises it for the paths that are found.
func AllowWhere(s *fasthttp.Server, found func(path string) bool, limit int) {
	before := s.HeaderReceived
	s.HeaderReceived = func(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
		if p, _, _ := bytes.Cut(h.RequestURI(), []byte("?")); found(string(p)) {
			return fasthttp.RequestConfig{MaxRequestBodySize: limit}
		}
		if before != nil {
			return before(h)
		}
		return fasthttp.RequestConfig{}
	}
}
