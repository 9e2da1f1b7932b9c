package main

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"

	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/directory/graph"
)

// cloud is where directories are: Microsoft's global cloud unless the settings
// name another. The demo's certificate authority is trusted by nothing else.
func (c Config) cloud() directory.Cloud {
	if len(c.graphCA) == 0 {
		return graph.Cloud(c.GraphAuthority, c.GraphURL, nil)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(c.graphCA)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	return graph.Cloud(c.GraphAuthority, c.GraphURL, transport)
}
