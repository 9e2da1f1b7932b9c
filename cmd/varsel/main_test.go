package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/redistest"
	"github.com/varsel/varsel/internal/sim/graphsim"
	"github.com/varsel/varsel/internal/sim/smscsim"
)

// people is how many the tests' directory has.
const people = 300

var entra *graphsim.Server

// The certificate authority of the simulated directory has to be known before
// the first connection: Go reads SSL_CERT_FILE once.
func TestMain(m *testing.M) {
	var err error
	if entra, err = graphsim.Start(graphsim.Options{Org: graphsim.Example(people)}); err != nil {
		panic(err)
	}
	file, err := os.CreateTemp("", "varsel-ca-*.pem")
	if err != nil {
		panic(err)
	}
	file.Write(entra.CAPEM())
	file.Close()
	os.Setenv("SSL_CERT_FILE", file.Name())
	dbtest.RunThen(m, func() { entra.Close(); os.Remove(file.Name()) })
}

// installation is a Varsel that is used through its commands alone.
type installation struct {
	t       *testing.T
	env     []string // settings as flags
	dir     string
	url     string
	metrics string // address
	smsc    *smscsim.Server
}

func newInstallation(t *testing.T, database string, more ...string) *installation {
	t.Helper()
	smsc, err := smscsim.Start(smscsim.Options{SystemID: "varsel", Password: "secret", Faults: smscsim.Faults{ReceiptDelay: 20 * time.Millisecond}})
	must(t, err)
	t.Cleanup(func() { smsc.Close() })
	dir := t.TempDir()
	return &installation{t: t, dir: dir, smsc: smsc, env: append([]string{"--database-url", database,
		"--secret-key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"--graph-authority", entra.URL(), "--graph-url", entra.GraphURL()}, more...)}
}

// try runs a command and returns what it wrote.
func (i *installation) try(input string, args ...string) (string, error) {
	var out, messages bytes.Buffer
	err := run(i.t.Context(), append(args, i.env...), terminal{strings.NewReader(input), &out, &messages})
	return out.String(), err
}

// do runs a command that has to work and returns its answer.
func (i *installation) do(input string, args ...string) map[string]any {
	i.t.Helper()
	out, err := i.try(input, append(args, "--json")...)
	if err != nil {
		i.t.Fatalf("varsel %s: %v %s", strings.Join(args, " "), err, out)
	}
	var answer map[string]any
	lines := strings.Split(strings.TrimSpace(out), "\n")
	must(i.t, json.Unmarshal([]byte(lines[len(lines)-1]), &answer))
	return answer
}

// refused runs a command that has to fail, saying text.
func (i *installation) refused(text, input string, args ...string) {
	i.t.Helper()
	out, err := i.try(input, args...)
	if err == nil || !strings.Contains(err.Error()+out, text) {
		i.t.Errorf("varsel %s: %v %s; want %q", strings.Join(args, " "), err, out, text)
	}
}

// furnish does what the README does, and returns an API key.
func (i *installation) furnish() (key string) {
	i.t.Helper()
	i.do("", "account", "create", "--id", "acme", "--name", "Acme AS", "--region", "NO", "--sender", "ACME")
	i.do("", "agreement", "conclude", "--account", "acme", "--signatory", "Kari Nordmann", "--title", "CEO", "--email", "kari@acme.example")
	i.do("a long password\n", "user", "create", "--account", "acme", "--email", "kari@acme.example", "--role", "owner", "--password-stdin")
	i.addCarrier()
	i.connect()
	return i.do("", "apikey", "create", "--account", "acme", "--scopes", "*")["key"].(string)
}

func (i *installation) addCarrier() {
	i.t.Helper()
	config := filepath.Join(i.dir, "main.json")
	text := fmt.Sprintf(`{"addr":%q,"system_id":"varsel","password":"secret","bind":"transceiver","binds":1,"window":100,"throughput":0,"tls":false}`, i.smsc.Addr())
	must(i.t, os.WriteFile(config, []byte(text), 0o600))
	i.do("", "carrier", "add", "--name", "main", "--type", "smpp", "--config", config)
}

func (i *installation) connect() {
	i.t.Helper()
	i.do(entra.Secret(), "directory", "connect", "--account", "acme", "--tenant", entra.TenantID(), "--client-id", entra.ClientID(), "--secret-stdin")
}

// serve runs the server until the test ends, and returns when it listens.
func (i *installation) serve(role string) {
	i.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	out, in := io.Pipe()
	var ended sync.WaitGroup
	var failure error
	ended.Go(func() {
		args := append([]string{"serve", "--role", role, "--listen", "127.0.0.1:0", "--json"}, i.env...)
		failure = run(ctx, args, terminal{strings.NewReader(""), in, os.Stderr})
		in.CloseWithError(fmt.Errorf("the server ended: %w", failure))
	})
	i.t.Cleanup(func() {
		stop()
		ended.Wait()
		if failure != nil {
			i.t.Errorf("serve: %v", failure)
		}
	})
	var answer struct{ Listen, Metrics string }
	must(i.t, json.NewDecoder(out).Decode(&answer))
	go io.Copy(io.Discard, out)
	i.url, i.metrics = "http://"+answer.Listen, answer.Metrics
}

// post calls the API.
func (i *installation) post(key, path, body string) (int, map[string]any) {
	i.t.Helper()
	req, err := http.NewRequestWithContext(i.t.Context(), http.MethodPost, i.url+path, strings.NewReader(body))
	must(i.t, err)
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	must(i.t, err)
	defer res.Body.Close()
	var answer map[string]any
	must(i.t, json.NewDecoder(res.Body).Decode(&answer))
	return res.StatusCode, answer
}

// get asks without a key and returns the status.
func (i *installation) get(path string) int {
	i.t.Helper()
	res, err := http.Get(i.url + path)
	must(i.t, err)
	defer res.Body.Close()
	return res.StatusCode
}

// eachWay runs test on SQLite with the queue inside, and on PostgreSQL and Redis.
func eachWay(t *testing.T, test func(t *testing.T, i *installation)) {
	t.Run("embedded", func(t *testing.T) { test(t, newInstallation(t, dbtest.SQLiteURL(t))) })
	t.Run("production", func(t *testing.T) {
		i := newInstallation(t, dbtest.EmptyPostgresURL(t), "--redis-url", redistest.Start(t).URL())
		i.refused("varsel migrate", "", "carrier", "list")
		i.do("", "migrate")
		test(t, i)
	})
}

func TestDemoAgreesWithItsPeers(t *testing.T) {
	i := newInstallation(t, dbtest.SQLiteURL(t))
	got := i.do("", "demo", "--once", "--people", "300")
	if got["people"] != 300.0 || got["recipients"] == 0.0 || got["delivered"] != got["recipients"] || got["failed"] != 0.0 {
		t.Errorf("%v", got)
	}
}

func TestTheServerDoesWhatTheDemoDoes(t *testing.T) {
	eachWay(t, func(t *testing.T, i *installation) {
		key := i.furnish()
		i.serve(roleAll)
		for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/openapi.json": 200, "/docs": 200, "/sign-in": 200, "/v1/messages": 401, "/v1/nothing": 404, "/nothing": 404} {
			if got := i.get(path); got != want {
				t.Errorf("GET %s answers %d, want %d", path, got, want)
			}
		}
		synced := i.do("", "directory", "sync", "--account", "acme")
		if synced["people"] != float64(people) {
			t.Errorf("the sync read %v", synced)
		}
		sent := i.do("", "send", "--account", "acme", "--group", "All staff", "--text", "Hello", "--wait")
		if sent["delivered"] != sent["recipients"] || int(sent["recipients"].(float64)) != len(i.smsc.Numbers()) {
			t.Errorf("sent %v to %d numbers", sent, len(i.smsc.Numbers()))
		}
		one := i.do("", "send", "--account", "acme", "--to", "900 00 001", "--text", "Hello", "--wait")
		if one["status"] != "delivered" || one["to"] != "+4790000001" {
			t.Errorf("sent %v", one)
		}
		status, answer := i.post(key, "/v1/messages", `{"to":"+4790000002","text":"Hello"}`)
		if status != http.StatusAccepted || answer["status"] != "queued" {
			t.Errorf("the API answers %d %v", status, answer)
		}
		i.exported(int(synced["contacts"].(float64)))
	})
}

// exported checks the address book as CSV.
func (i *installation) exported(contacts int) {
	i.t.Helper()
	out, err := i.try("", "contacts", "export", "--account", "acme")
	must(i.t, err)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if lines[0] != "directory_id,name,source,phone_raw,phone_rule,phone,reason,groups" || len(lines) != contacts+1 {
		i.t.Errorf("%d lines beginning with %s", len(lines), lines[0])
	}
}

// On SQLite a command that finds nobody working does the work itself.
func TestCommandsWorkWithoutAServer(t *testing.T) {
	i := newInstallation(t, dbtest.SQLiteURL(t))
	i.furnish()
	i.do("", "directory", "sync", "--account", "acme")
	sent := i.do("", "send", "--account", "acme", "--group", "All staff", "--text", "Hello", "--wait")
	if sent["delivered"] != sent["recipients"] || sent["recipients"] == 0.0 {
		t.Errorf("sent %v", sent)
	}
	i.do("", "suppression", "add", "--account", "acme", "--number", "+47 900 00 001", "--note", "called us") // U21
	i.refused("wants no messages", "", "send", "--account", "acme", "--to", "+4790000001", "--text", "Hello")
	if listed := i.do("", "suppression", "list", "--account", "acme"); listed["phone"] != "+4790000001" || listed["reason"] != "manual" {
		t.Errorf("listed %v", listed)
	}
	i.do("", "suppression", "remove", "--account", "acme", "--number", "+4790000001")
	i.do("", "send", "--account", "acme", "--to", "+4790000001", "--text", "Hello", "--wait")
	if decided := i.do("", "suppression", "settings", "--account", "acme", "--urgent"); decided["urgent"] != true || decided["replies"] != true {
		t.Errorf("decided %v", decided)
	}
	i.refused("there is no group", "", "send", "--account", "acme", "--group", "Nobody", "--text", "Hello")
	i.refused("the text is empty", "", "send", "--account", "acme", "--group", "All staff", "--text", " ")
	i.refused("not a number we can text", "", "send", "--account", "acme", "--to", "12", "--text", "Hello")
}

func TestRulesAndSendersAreKeptByCommands(t *testing.T) { // U12
	i := newInstallation(t, dbtest.SQLiteURL(t))
	i.do("", "account", "create", "--id", "acme", "--name", "Acme AS", "--region", "NO", "--sender", "ACME")
	i.addCarrier()
	rule := i.do("", "route", "add", "--account", "acme", "--country", "no", "--lane", "bulk", "--carrier", "main=70")
	if rule["country"] != "NO" || fmt.Sprint(rule["carriers"]) != "[map[carrier:main weight:70]]" {
		t.Errorf("%v", rule)
	}
	i.refused("written main=70", "", "route", "add", "--carrier", "main=x")
	i.refused("a rule for exactly that", "", "route", "add", "--account", "acme", "--country", "NO", "--lane", "bulk", "--carrier", "main")
	i.refused("no carrier", "", "route", "add", "--carrier", "main", "--fallback", "none")
	out, err := i.try("", "route", "list")
	if err != nil || !strings.Contains(out, "account acme, country NO, lane bulk to main=70\n") || !strings.Contains(out, "main\thealthy since ") {
		t.Errorf("%s %v", out, err)
	}
	i.do("", "route", "remove", "--id", rule["id"].(string))
	i.refused("no such rule", "", "route", "remove", "--id", rule["id"].(string))

	i.do("", "sender", "allow", "--account", "acme", "--sender", "ACME")
	if one := i.do("", "sender", "list", "--account", "acme"); one["sender"] != "ACME" {
		t.Errorf("%v", one)
	}
	i.do("", "sender", "remove", "--account", "acme", "--sender", "ACME")
	i.refused("no sender", "", "sender", "remove", "--account", "acme", "--sender", "ACME")
}

func TestOnPostgreSQLACommandNeverBindsACarrier(t *testing.T) {
	i := newInstallation(t, dbtest.PostgresURL(t))
	i.do("", "migrate")
	i.furnish()
	i.refused("no worker is running", "", "send", "--account", "acme", "--to", "+4790000001", "--text", "Hello")
	if n := i.smsc.Counts().Binds; n != 0 {
		t.Errorf("%d binds", n)
	}
}

// Two workers, one API process: the work is done once.
func TestRolesInProcessesOfTheirOwn(t *testing.T) {
	i := newInstallation(t, dbtest.PostgresURL(t), "--redis-url", redistest.Start(t).URL())
	i.do("", "migrate")
	i.furnish()
	i.serve(roleWorker)
	i.serve(roleWorker)
	i.serve(roleAPI)
	i.do("", "directory", "sync", "--account", "acme")
	sent := i.do("", "send", "--account", "acme", "--group", "All staff", "--text", "Hello", "--wait")
	numbers := i.smsc.Numbers()
	for number, times := range numbers {
		if times != 1 {
			t.Errorf("%s was reached %d times", number, times)
		}
	}
	if int(sent["delivered"].(float64)) != len(numbers) {
		t.Errorf("sent %v to %d numbers", sent, len(numbers))
	}
}

// S6
func TestNothingGoesBeforeTheAgreement(t *testing.T) {
	eachWay(t, func(t *testing.T, i *installation) {
		i.do("", "account", "create", "--id", "acme", "--name", "Acme AS", "--region", "NO", "--sender", "ACME")
		i.addCarrier()
		i.serve(roleAll)
		signIns := entra.SignIns()
		const text = "no data processing agreement"
		i.refused(text, entra.Secret(), "directory", "connect", "--account", "acme", "--tenant", entra.TenantID(), "--client-id", entra.ClientID(), "--secret-stdin")
		i.refused(text, "", "send", "--account", "acme", "--to", "+4790000001", "--text", "Hello")
		key := i.do("", "apikey", "create", "--account", "acme", "--scopes", "*")["key"].(string)
		if status, answer := i.post(key, "/v1/messages", `{"to":"+4790000001","text":"Hello"}`); status != http.StatusForbidden || answer["code"] != "no_agreement" {
			t.Errorf("the API answers %d %v", status, answer)
		}
		if entra.SignIns() != signIns || i.smsc.Counts().Submits != 0 {
			t.Error("something was asked for or sent")
		}
	})
}

func TestAnUnreachableDirectoryIsAFailedRunWithItsReason(t *testing.T) {
	i := newInstallation(t, dbtest.SQLiteURL(t))
	i.furnish()
	i.env = append(i.env, "--graph-authority", "https://127.0.0.1:1", "--graph-url", "https://127.0.0.1:1/v1.0")
	out, err := i.try("", "directory", "sync", "--account", "acme", "--json")
	var run map[string]any
	must(t, json.Unmarshal([]byte(out), &run))
	if err == nil || run["state"] != "failed" || run["reason"] == "" {
		t.Errorf("%v %v", run, err)
	}
	t.Log(run["reason"])
}

// S19, S23
func TestADirectoryWhoseCheckFailsIsNotConnected(t *testing.T) {
	i := newInstallation(t, dbtest.SQLiteURL(t))
	i.do("", "account", "create", "--id", "acme", "--name", "Acme AS", "--region", "NO")
	i.do("", "agreement", "conclude", "--account", "acme", "--signatory", "Kari Nordmann", "--title", "CEO", "--email", "kari@example.com")
	connect := []string{"directory", "connect", "--account", "acme", "--tenant", entra.TenantID(), "--client-id", entra.ClientID(), "--secret-stdin", "--json"}
	out, err := i.try("a-wrong-secret", connect...)
	var answer struct{ State, Reason string }
	must(t, json.Unmarshal([]byte(out), &answer))
	if err == nil || answer.State != "disconnected" || !strings.Contains(answer.Reason, "Secret ID") {
		t.Errorf("%+v %v", answer, err)
	}
	if _, err := i.try("", "directory", "sync", "--account", "acme"); err == nil || !strings.Contains(err.Error(), "Secret ID") {
		t.Errorf("a sync says %v", err)
	}
	i.do(entra.Secret(), connect...)
}

func TestSettingsAreCheckedTogether(t *testing.T) {
	i := newInstallation(t, "mysql://x", "--listen", "nowhere", "--redis-url", "x")
	_, err := i.try("", "carrier", "list")
	for _, name := range []string{"VARSEL_DATABASE_URL", "VARSEL_LISTEN", "VARSEL_REDIS_URL"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v does not name %s", err, name)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
