package main

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"

	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/directory/graph"
)

// clouds are where directories are: Microsoft's unless the settings name another
// place. The demo's certificate authority is trusted by nothing else.
func (c Config) clouds() directory.Clouds {
	if len(c.graphCA) == 0 {
		return graph.Clouds(c.GraphAuthority, c.GraphURL, nil)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(c.graphCA)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	return graph.Clouds(c.GraphAuthority, c.GraphURL, transport)
}
