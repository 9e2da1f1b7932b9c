package smpp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
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
		DNSNames:     []string{"smsc.example"},
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

	l, p := overTLS(t, trusted(), "")
	p().bind()
	carriertest.Until(t, "the carrier is bound", l.isBound)

	l, p = overTLS(t, selfSigned(), "")
	if _, ok := p().next(); ok {
		t.Error("a bind was sent to a server nobody vouches for")
	}
	carriertest.Until(t, "the carrier says why", func() bool {
		last := l.last()
		return last.Status == carriers.Down && strings.Contains(last.Reason, "certificate")
	})
}

// An authority of the carrier's own is trusted beside none of the system's, and a
// name may stand in for the host's.
func TestTLSWithAnAuthorityOfTheCarriersOwn(t *testing.T) {
	mine := selfSigned()
	ca := func(certificate tls.Certificate, more string) string {
		text, err := json.Marshal(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})))
		if err != nil {
			t.Fatal(err)
		}
		return `,"tls_ca":` + string(text) + more
	}
	for name, tt := range map[string]struct {
		settings string
		bound    bool
	}{
		"its own":                    {ca(mine, ""), true},
		"its own, by its name":       {ca(mine, `,"tls_server_name":"smsc.example"`), true},
		"its own, by a strange name": {ca(mine, `,"tls_server_name":"other.example"`), false},
		"another":                    {ca(selfSigned(), ""), false},
	} {
		l, p := overTLS(t, mine, tt.settings)
		if !tt.bound {
			if _, ok := p().next(); ok {
				t.Errorf("%s: a bind was sent", name)
			}
			continue
		}
		p().bind()
		carriertest.Until(t, name+": the carrier is bound", l.isBound)
	}
}

func (l *log) last() carriers.State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.states[len(l.states)-1]
}

// overTLS is a carrier before a listener with this certificate.
func overTLS(t *testing.T, certificate tls.Certificate, settings string) (*log, func() peer) {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}})
	if err != nil {
		t.Fatal(err)
	}
	l := newLog()
	c := openCarrier(t, fmt.Sprintf(`{"addr":%q,"system_id":"acme","password":%q,"tls":true%s}`, listener.Addr(), secret, settings), l.events())
	t.Cleanup(func() { _ = c.Close() })
	t.Cleanup(func() { _ = listener.Close() })
	return l, func() peer {
		conn, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(2 * time.Minute))
		return peer{t, conn}
	}
}
