package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/redistest"
	"github.com/varsel/varsel/internal/sim/graphsim"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/privacy"
	"github.com/varsel/varsel/smsqueue"
)

// Who is erased in these tests, in all forms in which she could be found.
const (
	zofia       = "Zofia Wiśniewska"
	zofiaRaw    = "906 54 321"
	zofiaNumber = "+4790654321"
	zofiaID     = "00000000-5555-6666-7777-888888888888"
)

var zofias = []string{"90654321", zofiaRaw, zofia, "zofia.w@acme.example", `Zofia Wi\u015bniewska`}

// synced is an installation with a directory that she is in.
type synced struct {
	t       *testing.T
	app     *App
	cfg     Config
	sim     *graphsim.Server
	smsc    *smscsim.Server
	account accounts.Account
	dir     int64 // the connection
}

func newSynced(t *testing.T, database, redis string) *synced {
	t.Helper()
	s := &synced{t: t}
	var err error
	s.sim, err = graphsim.Start(graphsim.Options{Org: graphsim.Example(20)})
	must(t, err)
	t.Cleanup(func() { s.sim.Close() })
	s.sim.AddUser(graphsim.User{ID: zofiaID, Properties: map[string]any{"displayName": zofia, "mobilePhone": zofiaRaw, "mail": "zofia.w@acme.example", "usageLocation": "NO"}})
	s.smsc, err = smscsim.Start(smscsim.Options{SystemID: "varsel", Password: "secret"})
	must(t, err)
	t.Cleanup(func() { s.smsc.Close() })
	s.cfg = Config{DatabaseURL: database, RedisURL: redis, Listen: "127.0.0.1:0", SecretKey: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		Erasures: filepath.Join(t.TempDir(), "erasures.jsonl"), GraphAuthority: s.sim.URL(), GraphURL: s.sim.GraphURL(), graphCA: s.sim.CAPEM()}
	s.open()
	s.account, err = s.app.Accounts.Create(t.Context(), accounts.Account{Handle: "acme", Name: "Acme AS", Region: "NO", Sender: "ACME"})
	must(t, err)
	_, err = s.app.Accounts.Conclude(t.Context(), s.account.ID, "Kari Nordmann", "CEO", "kari@acme.example")
	must(t, err)
	_, err = s.app.Queue.AddRoute(t.Context(), "main", "smpp", fmt.Appendf(nil,
		`{"addr":%q,"system_id":"varsel","password":"secret","bind":"transceiver","binds":1,"window":100,"throughput":0,"tls":false}`, s.smsc.Addr()))
	must(t, err)
	return s
}

func (s *synced) open() {
	s.t.Helper()
	var err error
	s.app, err = Open(s.t.Context(), s.cfg)
	must(s.t, err)
}

// sync syncs now, by the program's own rooms.
func (s *synced) sync() {
	s.t.Helper()
	if _, err := s.app.Directory.Sync(s.t.Context(), s.account.ID, s.dir); err != nil {
		s.t.Fatal(err)
	}
}

// live has her read from the directory and texted by a campaign of her own words.
func (s *synced) live() {
	t, ctx := s.t, s.t.Context()
	t.Helper()
	p := &publicApp{App: s.app, t: t, sim: s.sim, account: s.account}
	s.dir = p.connect().ID
	p.await("she is in the address book", func() bool {
		s.app.Directory.Sync(ctx, s.account.ID, s.dir) // another may be under way
		_, there := p.contact(zofiaID)
		return there
	})
	one, _ := p.contact(zofiaID)
	group, err := s.app.Book.AddGroup(ctx, s.account.ID, "Her", []int64{one.ID})
	must(t, err)
	_, err = s.app.Queue.StartCampaign(ctx, s.account.ID, smsqueue.NewCampaign{Group: group.ID, Text: "Hello {{name}}"})
	must(t, err)
	_, err = s.app.Queue.Send(ctx, s.account.ID, smsqueue.Single{To: zofiaNumber, Text: "Your code, " + zofia})
	must(t, err)
	p.await("both messages have come", func() bool {
		all, err := s.app.Queue.Messages(ctx, s.account.ID, smsqueue.MessageFilter{Status: smsqueue.Delivered, Limit: 10})
		must(t, err)
		return len(all) == 2
	})
}

// everywhere is all that the installation has written, by where.
func (s *synced) everywhere() map[string]string {
	s.t.Helper()
	all := map[string]string{}
	if s.app.DB.Dialect() == db.SQLite {
		for _, name := range []string{s.app.DB.Path(), s.app.DB.Path() + "-wal", s.cfg.Erasures} {
			raw, err := os.ReadFile(name)
			if name != s.cfg.Erasures || !os.IsNotExist(err) { // there is no list before the first erasure
				must(s.t, err)
			}
			all[filepath.Base(name)] = string(raw)
		}
		return all
	}
	all["pg_dump"] = s.pgDump()
	return all
}

func (s *synced) pgDump() string {
	s.t.Helper()
	program, err := exec.LookPath("pg_dump")
	if err != nil {
		found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pg_dump")
		if len(found) == 0 {
			s.t.Fatal("pg_dump is not installed beside PostgreSQL")
		}
		program = found[len(found)-1]
	}
	out, err := exec.Command(program, "--inserts", s.cfg.DatabaseURL).Output()
	must(s.t, err)
	return string(out)
}

func (s *synced) isNowhere(when string) {
	s.t.Helper()
	for where, text := range s.everywhere() {
		for _, one := range zofias {
			if at := strings.Index(text, one); at >= 0 {
				s.t.Errorf("%s: %s is in %s: %q", when, one, where, text[max(0, at-80):min(len(text), at+80)])
			}
		}
	}
}

// S14: a person erased here stays erased, whatever the directory tells.
func TestWhoWasErasedIsNowhereAndNoSyncBringsThemBack(t *testing.T) {
	for name, at := range map[string]func(t *testing.T) (database, redis string){
		"sqlite": func(t *testing.T) (string, string) { return dbtest.SQLiteURL(t), "" },
		"postgres": func(t *testing.T) (string, string) {
			i := newInstallation(t, dbtest.PostgresURL(t))
			i.do("", "migrate")
			return i.env[1], redistest.Start(t).URL()
		},
	} {
		t.Run(name, func(t *testing.T) {
			var logs bytes.Buffer
			before := slog.Default()
			slog.SetDefault(slog.New(slog.NewTextHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug})))
			t.Cleanup(func() { slog.SetDefault(before) })
			database, redis := at(t)
			s := newSynced(t, database, redis)
			must(t, s.app.Work(t.Context(), roleAll))
			t.Cleanup(func() { s.app.Close() })
			s.live()
			ctx := t.Context()
			if all := fmt.Sprint(s.everywhere()); !strings.Contains(all, zofia) {
				t.Fatal("she was never here")
			}
			e, err := s.app.Privacy.Erase(ctx, s.account.ID, zofiaNumber, "asked for by letter")
			must(t, err)
			if len(e.Still) != 1 || e.Still[0].ID != zofiaID {
				t.Errorf("still in the directory: %v", e.Still)
			}
			s.isNowhere("after the erasure")
			if redis != "" {
				if text := redisText(t, redis); strings.Contains(text, "90654321") || strings.Contains(text, "Zofia") {
					t.Error("she is in Redis")
				}
			}
			for i := range 100 {
				s.sim.UpdateUser(zofiaID, map[string]any{"jobTitle": fmt.Sprintf("Adviser %d", i)})
				if i%10 == 0 {
					s.sim.UpdateUser(zofiaID, map[string]any{"displayName": fmt.Sprintf("%s %d", zofia, i), "mobilePhone": zofiaRaw})
				}
				s.app.Directory.Sync(ctx, s.account.ID, s.dir) // the program's own may be under way
			}
			s.sync()
			must(t, s.app.DB.Checkpoint(ctx))
			s.isNowhere("after a hundred syncs")
			if found, err := s.app.Privacy.Find(ctx, s.account.ID, "Wiśniewska", 10); err != nil || len(found) != 0 {
				t.Error(found, err)
			}
			if _, err := audit.Verify(ctx, s.app.DB, s.account.ID); err != nil {
				t.Error(err)
			}
			for _, one := range zofias {
				if strings.Contains(logs.String(), one) {
					t.Errorf("%s is in the log", one)
				}
			}

			// Lifted, she may come back.
			_, err = s.app.Privacy.Lift(ctx, s.account.ID, e.ID)
			must(t, err)
			p := &publicApp{App: s.app, t: t, account: s.account}
			p.await("she is back", func() bool {
				s.app.Directory.Sync(ctx, s.account.ID, s.dir)
				_, there := p.contact(zofiaID)
				return there
			})
		})
	}
}

// redisText is all that Redis has, keys and values, as it would write them to a disk.
func redisText(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	file := filepath.Join(t.TempDir(), "dump.rdb")
	cli := []string{"-h", u.Hostname(), "-p", u.Port()}
	out, err := exec.Command("redis-cli", append(cli, "config", "set", "rdbcompression", "no")...).CombinedOutput()
	if err == nil {
		out, err = exec.Command("redis-cli", append(cli, "--rdb", file)...).CombinedOutput()
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	raw, err := os.ReadFile(file)
	must(t, err)
	return string(raw)
}

// A copy from before the erasure is opened: the program erases again before it serves.
func TestARestoredCopyIsErasedAgainAtTheStart(t *testing.T) {
	s := newSynced(t, dbtest.SQLiteURL(t), "")
	must(t, s.app.Work(t.Context(), roleAll))
	s.live()
	must(t, s.app.Close())
	file := strings.TrimPrefix(s.cfg.DatabaseURL, "sqlite://")
	copied, err := os.ReadFile(file)
	must(t, err)
	s.open()
	_, err = s.app.Privacy.Erase(t.Context(), s.account.ID, zofiaNumber, "asked for by letter")
	must(t, err)
	must(t, s.app.Close())
	must(t, os.WriteFile(file, copied, 0o600))
	s.open()
	defer s.app.Close()
	all, err := s.app.Privacy.Erasures(t.Context(), s.account.ID, 0, 10)
	if err != nil || len(all) != 1 || !all[0].Replayed {
		t.Error(all, err)
	}
	s.isNowhere("after the restore")
	if done, err := s.app.Privacy.Replay(t.Context(), ""); err != nil || done != (privacy.Replayed{Lines: 1}) {
		t.Error(done, err)
	}
}

func TestTheCommandsServeAPerson(t *testing.T) {
	i := newInstallation(t, dbtest.SQLiteURL(t))
	i.furnish()
	list := filepath.Join(i.dir, "list.csv")
	must(t, os.WriteFile(list, []byte("name,mobile\n"+zofia+","+zofiaRaw+"\n"), 0o600))
	i.do("", "contacts", "import", "--account", "acme", "--file", list)
	found := i.do("", "privacy", "find", "--account", "acme", zofiaRaw)
	ref := found["ref"].(string)
	page := filepath.Join(i.dir, "page.html")
	i.do("", "privacy", "export", "--account", "acme", "--person", ref, "--format", "html", "--language", "nb", "--output", page)
	text, err := os.ReadFile(page)
	if err != nil || !strings.Contains(string(text), zofia) {
		t.Error(string(text), err)
	}
	erased := i.do("", "privacy", "erase", "--account", "acme", "--person", ref, "--reason", "asked", "--yes")
	i.refused("nothing is held here", "", "privacy", "export", "--account", "acme", "--person", zofiaRaw)
	if listed := i.do("", "privacy", "list", "--account", "acme"); listed["id"] != erased["id"] {
		t.Error(listed)
	}
	i.do("", "privacy", "lift", "--account", "acme", "--erasure", erased["id"].(string))
	if again := i.do("", "privacy", "replay"); again["lines"] != 2.0 || again["erased"] != 0.0 {
		t.Error(again)
	}
}
