package smpp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/carriers/carriertest"
)

// trusted is the certificate this process trusts: the system's roots are read
// once, from the file that SSL_CERT_FILE names.
var trusted = sync.OnceValue(selfSigned)

func selfSigned() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestTLS(t *testing.T) {
	file := filepath.Join(t.TempDir(), "roots.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: trusted().Certificate[0]})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", file)

	l, p := overTLS(t, trusted())
	p().bind()
	carriertest.Until(t, "the carrier is bound", l.isBound)

	l, p = overTLS(t, selfSigned())
	if _, ok := p().next(); ok {
		t.Error("a bind was sent to a server nobody vouches for")
	}
	carriertest.Until(t, "the carrier says why", func() bool {
		last := l.last()
		return last.Status == carriers.Down && strings.Contains(last.Reason, "certificate")
	})
}

func (l *log) last() carriers.State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.states[len(l.states)-1]
}

// overTLS is a carrier before a listener with this certificate.
func overTLS(t *testing.T, certificate tls.Certificate) (*log, func() peer) {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}})
	if err != nil {
		t.Fatal(err)
	}
	l := newLog()
	c := openCarrier(t, fmt.Sprintf(`{"addr":%q,"system_id":"acme","password":%q,"tls":true}`, listener.Addr(), secret), l.events())
	t.Cleanup(func() { _ = c.Close() })
	t.Cleanup(func() { _ = listener.Close() })
	return l, func() peer {
		conn, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		return peer{t, conn}
	}
}
