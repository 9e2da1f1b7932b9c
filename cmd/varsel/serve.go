package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/api"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/visitor"
	"github.com/varsel/varsel/web"
)

type serveCommand struct {
	Role string `default:"all" enum:"all,api,worker" help:"all, api (accepts and shows) or worker (syncs and sends)."`
}

// shutdownPatience is how long open requests may take when the server ends.
const shutdownPatience = 15 * time.Second

func (s serveCommand) Run(ctx context.Context, c *commands, t terminal) error {
	app, err := Open(ctx, c.Config)
	if err != nil {
		return err
	}
	defer app.Close()
	if app.DB.Dialect() == db.SQLite && s.Role == roleWorker {
		return errors.New("on SQLite one process does everything: use --role all")
	}
	if s.Role != roleAPI {
		if err := app.Work(ctx, s.Role); err != nil {
			return err
		}
	}
	metrics, err := app.serveMetrics()
	if err != nil {
		return err
	}
	defer metrics.end()
	if c.PublicURL == "" {
		slog.Warn("VARSEL_PUBLIC_URL is not set: links in messages and codes lead to this machine, or are refused", "links", c.reachableURL())
	}
	return app.Serve(ctx, func(address string) error {
		return c.say(t.out, map[string]any{"listen": address, "url": c.publicURL(), "metrics": metrics.address},
			"Varsel listens on %s: %s", address, c.publicURL())
	})
}

// Serve answers HTTP until ctx ends. ready is told the address.
func (a *App) Serve(ctx context.Context, ready func(address string) error) error {
	stopping := make(chan struct{})
	server := a.http(stopping)
	listener, err := net.Listen("tcp", a.Config.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", a.Config.Listen, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Listener(listener) }()
	if err := ready(listener.Addr().String()); err != nil {
		return errors.Join(err, server.Shutdown())
	}
	select {
	case err := <-ended:
		return err
	case <-a.lost():
		err = errors.New("the database was out of reach for too long and another process took over: start again")
	case <-ctx.Done():
	}
	slog.Info("ending")
	close(stopping)
	if late := server.ShutdownWithTimeout(shutdownPatience); late != nil {
		// Also a connection that was opened and never used is waited for.
		slog.Warn("open connections were cut", "reason", late)
	}
	return errors.Join(err, <-ended)
}

func (a *App) http(stopping <-chan struct{}) *fiber.App {
	server := fiber.New(fiber.Config{
		AppName: "varsel", Immutable: true, DisableStartupMessage: true,
		BodyLimit: 1 << 20, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorHandler: func(c *fiber.Ctx, err error) error {
			if p := c.Path(); strings.HasPrefix(p, "/v1/") || strings.HasPrefix(p, "/scim/") || p == "/healthz" || p == "/readyz" || p == "/openapi.json" {
				return api.ErrorHandler(c, err)
			}
			return web.ErrorPage(c, err)
		},
	})
	if proxies, _ := visitor.Parse(a.Config.TrustedProxies); len(proxies) > 0 { // Validate read it before
		server.Use(fromVisitor(proxies))
	}
	api.Mount(server, api.Services{Accounts: a.Accounts, Cards: a.Cards, Invoices: a.Invoices, Ledger: a.Ledger, Budgets: a.Budgets, Teams: a.Teams, Plans: a.Plans, PriceLists: a.PriceLists, Subscriptions: a.Subscriptions, Book: a.Book, Directory: a.Directory, Queue: a.Queue, Names: a.Names, Trail: a.Trail, Ready: a.Ready, Privacy: a.Privacy,
		PublicURL: a.Config.reachableURL()})
	web.Mount(server, web.Services{Accounts: a.Accounts, Cards: a.Cards, Invoices: a.Invoices, Ledger: a.Ledger, Budgets: a.Budgets, Teams: a.Teams, Plans: a.Plans, PriceLists: a.PriceLists, Subscriptions: a.Subscriptions, Book: a.Book, Directory: a.Directory, Queue: a.Queue, Names: a.Names, Trail: a.Trail, Privacy: a.Privacy,
		PublicURL: a.Config.reachableURL(), Stop: stopping})
	return server
}

// fromVisitor lets a request come from the visitor, and not from a proxy of ours: limits,
// the audit trail and who accepts an agreement all ask the request for its address.
func fromVisitor(proxies visitor.Proxies) fiber.Handler {
	return func(c *fiber.Ctx) error {
		peer, ok := c.Context().Conn().RemoteAddr().(*net.TCPAddr)
		if !ok {
			return c.Next()
		}
		var forwarded []string
		for _, line := range c.Request().Header.PeekAll(fiber.HeaderXForwardedFor) {
			forwarded = append(forwarded, string(line))
		}
		address := proxies.Address(peer.AddrPort().Addr(), forwarded)
		c.Context().SetRemoteAddr(net.TCPAddrFromAddrPort(netip.AddrPortFrom(address, 0)))
		return c.Next()
	}
}
