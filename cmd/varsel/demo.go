package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/cards/qr"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/internal/sim/graphsim"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
)

type demoCommand struct {
	Once   bool `help:"Do the whole job once, without a browser, and end."`
	People int  `default:"500" help:"How many people the directory has."`
}

const (
	demoGroup = "All staff"
	demoText  = "Fjordlys: the fire drill is today at 12.00. Meet at the main entrance."
	demoEmail = "kari@fjordlys.example"
	// demoPace lets a person watch: parts a second in the demo with a browser.
	demoPace = 25
	// demoWindow is the carrier's window in the demo that runs at full speed.
	demoWindow = 2000
)

// demo is the product with its peers: a directory and an SMSC, real servers on
// sockets in this process.
type demo struct {
	app          *App
	graph        *graphsim.Server
	smsc         *smscsim.Server
	account      accounts.Account
	connection   int64
	asked        time.Time // when the first sync was
	password     string
	smscPassword string
	key          string
	dir          string
}

func (d demoCommand) Run(ctx context.Context, c *commands, t terminal) (err error) {
	if d.People < 1 || d.People > graphsim.MaxExample {
		return fmt.Errorf("--people is 1 to %d", graphsim.MaxExample)
	}
	show, err := newDemo(ctx, c.Config, d)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, show.close()) }()
	if d.Once {
		return show.once(ctx, c, t)
	}
	return show.serve(ctx, t)
}

func newDemo(ctx context.Context, cfg Config, d demoCommand) (show *demo, err error) {
	show = &demo{password: rand.Text()[:16], smscPassword: rand.Text()[:8]}
	defer func() {
		if err != nil {
			err = errors.Join(err, show.close())
		}
	}()
	if show.dir, err = os.MkdirTemp("", "varsel-demo-"); err != nil {
		return show, err
	}
	if show.graph, err = graphsim.Start(graphsim.Options{Org: graphsim.Example(d.People)}); err != nil {
		return show, err
	}
	receipts := smscsim.Faults{ReceiptDelay: 200 * time.Millisecond}
	if !d.Once {
		receipts.ReceiptDelay = 3 * time.Second
	}
	show.smsc, err = smscsim.Start(smscsim.Options{SystemID: "varsel", Password: show.smscPassword, Faults: receipts})
	if err != nil {
		return show, err
	}
	if cfg.DatabaseURL == defaultDatabase {
		cfg.DatabaseURL = "sqlite://" + filepath.Join(show.dir, "varsel.db")
	}
	cfg.GraphAuthority, cfg.GraphURL, cfg.graphCA = show.graph.URL(), show.graph.GraphURL(), show.graph.CAPEM()
	cfg.PublicURL = cfg.publicURL() // its phones are on this machine too
	if show.app, err = Open(ctx, cfg); err != nil {
		return show, err
	}
	return show, show.furnish(ctx, d)
}

// furnish sets up what a customer would: an account, its agreement, a user, a
// key, a carrier and a directory.
func (s *demo) furnish(ctx context.Context, d demoCommand) (err error) {
	if s.account, err = s.app.Accounts.Create(ctx, accounts.Account{Handle: "fjordlys", Name: "Fjordlys AS", Region: "NO", Sender: "Fjordlys"}); err != nil {
		return fmt.Errorf("the demo needs an empty database: %w", err)
	}
	if err := s.app.Accounts.SetProcessor(ctx, accounts.Processor{Party: accounts.Party{LegalName: "Varsel Demo AS", Registration: "999 888 777",
		Address: "Storgata 1, 0155 Oslo", Contact: "privacy@varsel.example"}, Signatory: "Ola Nordmann", SignatoryTitle: "Managing director"}); err != nil {
		return err
	}
	if err := s.app.Accounts.SetController(ctx, s.account.ID, accounts.Party{LegalName: "Fjordlys AS", Registration: "111 222 333",
		Address: "Bryggen 5, 5003 Bergen", Contact: "Kari Nordmann, " + demoEmail}); err != nil {
		return err
	}
	if _, err := s.app.Accounts.Conclude(ctx, s.account.ID, "Kari Nordmann", "Head of Communications", demoEmail); err != nil {
		return err
	}
	if _, err := s.app.Accounts.CreateUser(ctx, s.account.ID, demoEmail, "owner", s.password); err != nil {
		return err
	}
	if _, s.key, err = s.app.Accounts.CreateKey(ctx, s.account.ID, []string{"*"}, ""); err != nil {
		return err
	}
	if err := s.addCarrier(ctx, d); err != nil {
		return err
	}
	con, report, err := s.app.Directory.Connect(ctx, s.account.ID, directory.Setup{Credentials: directory.Credentials{
		Tenant: s.graph.TenantID(), Client: s.graph.ClientID(), Secret: s.graph.Secret()}})
	if err == nil && !report.OK() {
		err = errors.New(report.Failed())
	}
	if err != nil {
		return err
	}
	s.connection = con.ID
	if err := s.designCards(ctx); err != nil {
		return err
	}
	s.asked, err = s.app.Directory.Request(ctx, s.account.ID, con.ID)
	return err
}

// designCards groups the staff by department, and lets all groups that come with the
// first sync show one design.
func (s *demo) designCards(ctx context.Context) error {
	design := cards.Usual()
	design.Settings.TextMe = true // its phones cost nothing
	design.Looks.Primary, design.Looks.Ink = "#0b5563", "#16202b"
	design.Code.Foreground, design.Code.Modules, design.Code.Finders = "#0b5563", qr.RoundedModules, qr.RoundedFinders
	design.Code.Frame, design.Code.Caption = qr.RoundedFrame, "Fjordlys AS"
	design.Sections[1].Fields[3].Default = "https://www.fjordlys.example"
	if _, err := s.app.Cards.SaveGrouping(ctx, s.account.ID, cards.Grouping{Tenant: s.graph.TenantID(), Method: cards.ByFields, Fields: []string{"department"}}, ""); err != nil {
		return err
	}
	t, err := s.app.Cards.SaveTemplate(ctx, s.account.ID, 0, "Fjordlys", design)
	if err != nil {
		return err
	}
	return s.app.Cards.Apply(ctx, s.account.ID, t.ID, nil)
}

func (s *demo) addCarrier(ctx context.Context, d demoCommand) error {
	config := map[string]any{"addr": s.smsc.Addr(), "system_id": "varsel", "password": s.smscPassword, "bind": "transceiver", "binds": 2, "window": demoWindow}
	if !d.Once {
		config["throughput"] = demoPace
	}
	text, err := json.Marshal(config)
	if err != nil {
		return err
	}
	_, err = s.app.Queue.AddRoute(ctx, "demo", "smpp", text)
	return err
}

func (s *demo) close() (err error) {
	if s.app != nil {
		err = s.app.Close()
	}
	if s.smsc != nil {
		err = errors.Join(err, s.smsc.Close())
	}
	if s.graph != nil {
		err = errors.Join(err, s.graph.Close())
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// serve shows the product in a browser until it is interrupted.
func (s *demo) serve(ctx context.Context, t terminal) error {
	if err := s.app.Work(ctx, roleAll); err != nil {
		return err
	}
	var first sync.WaitGroup
	first.Go(func() { s.begin(ctx, t) })
	defer first.Wait()
	return s.app.Serve(ctx, func(address string) error {
		_, err := fmt.Fprintf(t.out, `
Varsel's demo: a simulated Microsoft Entra ID and a simulated SMSC, everything else is real.

  Console   %s
  Sign in   %s
  Password  %s
  API key   %s

It ends with Ctrl-C, and leaves nothing behind.
`, s.app.Config.publicURL(), demoEmail, s.password, s.key)
		return err
	})
}

// begin reads the directory and sends a first campaign, to have something to see.
func (s *demo) begin(ctx context.Context, t terminal) {
	run, err := s.app.awaitRun(ctx, s.account.ID, s.connection, s.asked)
	if err != nil {
		fmt.Fprintln(t.err, "varsel: the directory could not be read:", err)
		return
	}
	fmt.Fprintf(t.out, "\nDirectory: %s\n", runText(run))
	cam, err := s.send(ctx)
	if err != nil {
		fmt.Fprintln(t.err, "varsel: the first campaign could not be sent:", err)
		return
	}
	fmt.Fprintf(t.out, "A first campaign is on its way to %s: %s/campaigns/%s\n", demoGroup, s.app.Config.publicURL(), s.app.Names.Of(secrets.Campaign, cam.ID))
}

func (s *demo) send(ctx context.Context) (smsqueue.Campaign, error) {
	g, err := s.app.Book.FindGroup(ctx, s.account.ID, demoGroup, func(string) (int64, bool) { return 0, false }, func(id int64) string {
		return s.app.Names.Of(secrets.Group, id)
	})
	if err != nil {
		return smsqueue.Campaign{}, err
	}
	return s.app.Queue.StartCampaign(ctx, s.account.ID, smsqueue.NewCampaign{Name: "Fire drill", Group: g.ID, Text: demoText})
}
