package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestGraphServesTheOrganisationThatWasOrdered(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	lines, out := io.Pipe()
	var messages bytes.Buffer
	exit := make(chan int, 1)
	args := []string{"graph", "--listen", "127.0.0.1:0", "--ca-file", filepath.Join(t.TempDir(), "ca.pem"),
		"--people", "30", "--groups", "4", "--memberships", "50", "--page-size", "7"}
	go func() {
		exit <- run(ctx, args, out, &messages)
		out.Close()
	}()
	var ready graphReady
	if err := json.NewDecoder(lines).Decode(&ready); err != nil {
		t.Fatalf("no ready line: %v", err)
	}
	client := trusting(t, ready.CAFile)
	res, err := client.PostForm(ready.URL+"/"+ready.Tenant+"/oauth2/v2.0/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {ready.ClientID}, "client_secret": {ready.Secret},
		"scope": {"https://graph.microsoft.com/.default"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var token struct {
		AccessToken string `json:"access_token"`
	}
	decode(t, res, &token)
	for path, want := range map[string]int{"/users/delta": 7, "/groups": 4} {
		req, _ := http.NewRequest("GET", ready.GraphURL+path, nil)
		req.Header.Set("Authorization", "Bearer "+token.AccessToken)
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var page struct{ Value []any }
		decode(t, res, &page)
		if len(page.Value) != want {
			t.Errorf("%s: %d items, want %d", path, len(page.Value), want)
		}
	}
	stop()
	if status := <-exit; status != 0 {
		t.Errorf("exit status %d: %s", status, messages.String())
	}
}

func TestGraphRefusesWhatCannotBe(t *testing.T) {
	for flag, args := range map[string][]string{
		"--people":      {"--people", "-1"},
		"--memberships": {"--people", "2", "--groups", "2", "--memberships", "5"},
		"--certificate": {"--certificate", filepath.Join(t.TempDir(), "none.pem")},
	} {
		var messages bytes.Buffer
		args = append([]string{"graph", "--listen", "127.0.0.1:0"}, args...)
		if status := run(t.Context(), args, io.Discard, &messages); status != 1 || !strings.Contains(messages.String(), flag) {
			t.Errorf("%s: exit status %d: %s", flag, status, messages.String())
		}
	}
}

func trusting(t *testing.T, caFile string) *http.Client {
	t.Helper()
	pem, err := os.ReadFile(caFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatalf("%s is no certificate", caFile)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func decode(t *testing.T, res *http.Response, into any) {
	t.Helper()
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(into); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%d: %v", res.StatusCode, err)
	}
}
