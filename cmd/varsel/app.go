package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/billing/vies"
	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/internal/trail"
	"github.com/varsel/varsel/migrations"
	"github.com/varsel/varsel/privacy"
	"github.com/varsel/varsel/smsqueue"
)

// Roles of a process.
const (
	roleAll    = "all"
	roleAPI    = "api"
	roleWorker = "worker"
)

// App is the program: the rooms, wired. Commands, the server and the
// end-to-end tests all run this one.
type App struct {
	Config   Config
	DB       *db.DB
	Names    *secrets.Names
	Accounts *accounts.Accounts
	Invoices *billing.Invoices
	Ledger   *billing.Ledger
	Budgets  *billing.Budgets
	Teams    *billing.Teams

	Plans         *billing.Plans
	PriceLists    *billing.PriceLists
	Subscriptions *billing.Subscriptions

	Book  *contacts.Book
	Queue *smsqueue.Queue
	Trail *trail.Trail
	Cards *cards.Cards
	// Directory connects, asks for a sync and tells; the worker's own syncs.
	Directory *directory.Directory
	Privacy   *privacy.Desk

	ring   *secrets.Keyring
	entra  directory.Credentials // of the installation's own app
	unlock func()
	redis  *smsqueue.Redis
	worker *smsqueue.Worker
}

// Open opens the database and the rooms. SQLite is migrated by whatever opens
// it; PostgreSQL by `varsel migrate` alone.
func Open(ctx context.Context, cfg Config) (*App, error) {
	d, err := db.Open(ctx, cfg.DatabaseURL)
	if err != nil {
		return nil, err
	}
	app, err := furnish(ctx, cfg, d)
	if err != nil {
		d.Close()
	}
	return app, err
}

func furnish(ctx context.Context, cfg Config, d *db.DB) (*App, error) {
	if err := migrated(ctx, d); err != nil {
		return nil, err
	}
	ring, err := cfg.keyring(d.Path())
	if err != nil {
		return nil, err
	}
	names, err := secrets.OpenNames(ctx, d, ring)
	if err != nil {
		return nil, err
	}
	acc, marks := accounts.New(d), contacts.MarksOf(names)
	app := &App{Config: cfg, DB: d, Names: names, Trail: trail.New(d, names), Accounts: acc, Book: contacts.New(d).Marking(marks), ring: ring,
		Invoices:      billing.NewInvoices(d).Asking(vies.At(cmp.Or(cfg.VIESURL, vies.URL))),
		Ledger:        billing.NewLedger(d),
		Budgets:       billing.NewBudgets(d),
		Teams:         billing.NewTeams(d),
		Plans:         billing.NewPlans(d),
		PriceLists:    billing.NewPriceLists(d),
		Subscriptions: billing.NewSubscriptions(d, names),
		Queue:         smsqueue.New(smsqueue.House{DB: d, Ring: ring, Accounts: acc, Carriers: carrierTypes, Callbacks: cfg.callbackURL(), PublicURL: cfg.reachableURL(), Mails: cfg.SMTPURL != "", Marks: marks})}
	app.Cards = cards.New(d).Marking(names).Gated(app.mayIssueCards)
	if app.entra, err = cfg.entraApp(); err != nil {
		return nil, err
	}
	app.Directory = app.directory(0)
	app.Privacy = privacy.New(privacy.Parts{DB: d, Names: names, Keyring: ring, Accounts: acc, Book: app.Book, Directory: app.Directory,
		Queue: app.Queue, Erasures: cfg.erasures(d.Path()), Exports: cfg.exports(d.Path()), Processing: app.processing})
	acc.Describe(app.processing)
	if err := acc.ShipAgreements(ctx); err != nil {
		return nil, err
	}
	return app, app.eraseAgain(ctx)
}

// mayIssueCards asks for the agreement, and for a plan that has cards.
func (a *App) mayIssueCards(ctx context.Context, account int64) error {
	if err := a.Accounts.Gate(ctx, account); err != nil {
		return err
	}
	return a.Plans.Can(ctx, a.DB, account, billing.Cards)
}

// eraseAgain erases whom a restored backup brought back, before anybody is served from
// it.
func (a *App) eraseAgain(ctx context.Context) error {
	done, err := a.Privacy.Replay(audit.As(ctx, audit.Actor{Kind: audit.System}), "")
	if done.Erased > 0 {
		slog.Warn("erasures were done again that the database did not know: was it restored?", "erasures", done.Erased)
	}
	return err
}

// directory is the room as one process sees it that works as incarnation.
func (a *App) directory(incarnation int64) *directory.Directory {
	return directory.New(directory.House{DB: a.DB, Ring: a.ring, Book: a.Book, Cards: a.Cards, Gate: a.Accounts.Gate, Plan: a.hasDirectories, Leave: a.leave,
		Clouds: a.Config.clouds(), Notify: a.Config.notifyURL(), App: a.entra, Marks: contacts.MarksOf(a.Names)}, incarnation)
}

// leave ends what people may do who are gone from the directory, and their part in teams.
func (a *App) leave(ctx context.Context, account int64, emails []string) error {
	if err := a.Accounts.EndAccess(ctx, account, emails); err != nil {
		return err
	}
	return a.Teams.EndAccess(ctx, account, emails)
}

// hasDirectories refuses an account whose plan does not include directories (Q3), and
// one that has not paid.
func (a *App) hasDirectories(ctx context.Context, account int64) error {
	if err := a.Plans.Can(ctx, a.DB, account, billing.Directory); err != nil {
		return err
	}
	return a.Ledger.Followable(ctx, account)
}

func migrated(ctx context.Context, d *db.DB) error {
	if d.Dialect() == db.SQLite {
		_, err := migrations.Up(ctx, d)
		return err
	}
	pending, err := migrations.Pending(ctx, d)
	if err == nil && pending {
		err = errors.New("the database's schema is older than this program: run `varsel migrate` first")
	}
	return err
}

// Work makes this the process that works on an SQLite database, or one of
// those that work on PostgreSQL. db.ErrWorking says that another one does.
func (a *App) Work(ctx context.Context, role string) (err error) {
	if a.unlock, err = a.DB.LockForWork(); err != nil {
		return err
	}
	if a.redis, err = a.dialRedis(ctx); err != nil {
		return err
	}
	ctx = audit.As(ctx, audit.Actor{Kind: audit.System})
	a.worker, err = smsqueue.StartWorker(ctx, a.Queue, a.redis.Client, role, a.jobs)
	return err
}

func (a *App) dialRedis(ctx context.Context) (*smsqueue.Redis, error) {
	if a.Config.RedisURL == "" {
		return smsqueue.EmbeddedRedis(), nil
	}
	return smsqueue.DialRedis(a.Config.RedisURL)
}

// jobs is the periodic work of the rooms in a process that works.
func (a *App) jobs(incarnation int64) []smsqueue.Job {
	d := a.directory(incarnation)
	return append(append(a.mailJobs(), a.billingJobs()...), []smsqueue.Job{
		syncJob(d),
		uploadsJob(a.Book),
		suppressionListsJob(a.Queue),
		budgetsJob(a.Budgets),
		{Name: "charge-subscriptions", Every: time.Minute, Run: a.Subscriptions.Run},
		{Name: "keep-subscriptions", Every: time.Minute, Run: d.KeepSubscriptions},
		{Name: "watch-directories", Every: time.Minute, Run: func(ctx context.Context) error { return d.Watch(ctx, time.Now()) }},
		{Name: "retention", Every: 24 * time.Hour, Run: func(ctx context.Context) error { return a.Privacy.RunRetention(ctx, time.Now()) }},
		{Name: "export-accounts", Every: 5 * time.Second, Run: func(ctx context.Context) error { return a.Privacy.RunExports(ctx, time.Now()) }},
		{Name: "end-accounts", Every: time.Minute, Run: func(ctx context.Context) error { return a.Privacy.RunExits(ctx, time.Now()) }},
		{Name: "settle-erasures", Every: time.Minute, Run: func(ctx context.Context) error { return a.Privacy.Settle(ctx, time.Now()) }},
		{Name: "look-up-vat-numbers", Every: 24 * time.Hour, Run: a.Invoices.LookUpOld},
		{Name: "purge-cards", Every: time.Hour, Run: func(ctx context.Context) error { return a.Cards.Purge(ctx, time.Now()) }},
		{Name: "tidy-cards", Every: time.Hour, Run: func(ctx context.Context) error { return a.Cards.Tidy(ctx, time.Now()) }},
		{Name: "purge-directories", Every: time.Hour, Run: func(ctx context.Context) error { return d.Purge(ctx, time.Now()) }},
	}...)
}

// lost is closed when this process's work was taken over.
func (a *App) lost() <-chan struct{} {
	if a.worker == nil {
		return nil
	}
	return a.worker.Lost()
}

// Ready says whether requests can be served.
func (a *App) Ready(ctx context.Context) error {
	if err := a.DB.Ping(ctx); err != nil {
		return fmt.Errorf("the database does not answer: %w", err)
	}
	if a.DB.Dialect() == db.SQLite {
		return nil // migrated when it was opened, and by nobody else
	}
	return migrated(ctx, a.DB)
}

// Close ends what Work began, gives the lock back and closes the database.
func (a *App) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var errs error
	if a.worker != nil {
		errs = a.worker.Stop(ctx)
	}
	a.Queue.Close()
	if a.redis != nil {
		errs = errors.Join(errs, a.redis.Close())
	}
	a.Trail.Close()
	errs = errors.Join(errs, a.DB.Close())
	if a.unlock != nil {
		a.unlock()
	}
	if errs != nil {
		slog.Error("not everything ended in order", "error", errs)
	}
	return errs
}

// withApp runs a command that needs no worker.
func (c *commands) withApp(ctx context.Context, do func(app *App) error) error {
	app, err := Open(ctx, c.Config)
	if err != nil {
		return err
	}
	defer app.Close()
	if err := do(app); err != nil {
		return err
	}
	c.done(ctx, app)
	return nil
}

// withAccount runs a command about one account.
func (c *commands) withAccount(ctx context.Context, handle string, do func(app *App, acc accounts.Account) error) error {
	return c.withApp(ctx, func(app *App) error {
		acc, err := app.Accounts.ByHandle(ctx, handle)
		if err != nil {
			return err
		}
		c.about = acc.ID
		return do(app, acc)
	})
}

// haveWorker sees that what a command asks for is done. On SQLite the command
// does the work itself when no other process does. On PostgreSQL it never binds
// a carrier: a worker has to be alive.
func (a *App) haveWorker(ctx context.Context) error {
	if a.DB.Dialect() == db.SQLite {
		if err := a.Work(ctx, roleWorker); err != nil && !errors.Is(err, db.ErrWorking) {
			return err
		}
		return nil
	}
	alive, err := a.Queue.Alive(ctx)
	if err == nil && !alive {
		err = errors.New("no worker is running on this database: start `varsel serve --role worker` (or all)")
	}
	return err
}
