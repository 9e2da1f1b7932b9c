package web_test

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/web"
)

// benchCards is how many cards are asked for in turn; benchTime is for how long.
const (
	benchCards       = 1000
	benchTime        = 5 * time.Second
	benchConnections = 32
)

// BenchmarkCardPage asks for public pages over sockets, the client in the same process,
// and holds it against a server that answers the same bytes and does nothing else.
func BenchmarkCardPage(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteURL, "postgres": dbtest.PostgresURL} {
		b.Run(name, func(b *testing.B) {
			home, slugs := benchHouse(b, url(b))
			page := requested(b, home+"/c/"+slugs[0])
			bare := fiber.New(fiber.Config{DisableStartupMessage: true})
			bare.Get("/c/:slug", func(c *fiber.Ctx) error { return c.Send(page) })
			floor := served(b, bare)
			for range b.N {
				limit := askFor(b, floor, slugs[:1])
				one, many := askFor(b, home, slugs[:1]), askFor(b, home, slugs)
				b.ReportMetric(limit, "bare/s")
				b.ReportMetric(one, "one_card/s")
				b.ReportMetric(many, "many_cards/s")
				b.ReportMetric(one/limit, "of_bare")
				b.ReportMetric(float64(len(page)), "page_B")
			}
		})
	}
}

func benchHouse(b *testing.B, url string) (home string, slugs []string) {
	b.Helper()
	d := dbtest.Open(b, url)
	names := must(secrets.OpenNames(b.Context(), d, must(secrets.Parse("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="))))
	people, kept := accounts.New(d), cards.New(d).Marking(names)
	acc := must(people.Create(b.Context(), accounts.Account{Handle: "acme", Name: "Acme AS", Region: "NO"}))
	must(kept.SaveGrouping(b.Context(), acc.ID, cards.Grouping{Tenant: cardTenant, Method: cards.InOne}, ""))
	design := must(kept.SaveTemplate(b.Context(), acc.ID, 0, "Design", cardBody()))
	must(0, kept.Apply(b.Context(), acc.ID, design.ID, nil))
	all := make([]cards.Person, benchCards)
	for i := range all {
		all[i] = cards.Person{DirectoryID: fmt.Sprint("person-", i), Contact: int64(1 + i), Values: kari()}
	}
	must(kept.Follow(b.Context(), acc.ID, cardTenant, each(all)))
	for _, c := range must(kept.List(b.Context(), acc.ID, cards.ListFilter{}, 0, benchCards)) {
		slugs = append(slugs, c.Slug)
	}
	app := fiber.New(fiber.Config{Immutable: true, DisableStartupMessage: true, BodyLimit: 1 << 20, ReadTimeout: 30 * time.Second, ErrorHandler: web.ErrorPage})
	web.Mount(app, web.Services{Accounts: people, Cards: kept, Names: names, PublicURL: cardsAt, Stop: make(chan struct{})})
	return served(b, app), slugs
}

func served(b *testing.B, app *fiber.App) (home string) {
	b.Helper()
	port := must(net.Listen("tcp", "127.0.0.1:0"))
	ended := make(chan error, 1)
	go func() { ended <- app.Listener(port) }()
	b.Cleanup(func() {
		if err := app.ShutdownWithTimeout(time.Minute); err != nil {
			b.Errorf("shut down: %v", err)
		}
		<-ended
	})
	return "http://" + port.Addr().String()
}

func requested(b *testing.B, address string) []byte {
	b.Helper()
	status, body, err := fasthttp.Get(nil, address)
	if err != nil || status != fiber.StatusOK {
		b.Fatalf("%s: %d %v", address, status, err)
	}
	return body
}

// askFor asks for cards in turn and answers how many came in a second. Each one is
// checked: a page that does not end is none.
func askFor(b *testing.B, home string, slugs []string) float64 {
	b.Helper()
	client := &fasthttp.Client{MaxConnsPerHost: benchConnections}
	defer client.CloseIdleConnections()
	var turn, came atomic.Int64
	var wait sync.WaitGroup
	began := time.Now()
	for range benchConnections {
		wait.Add(1)
		go func() {
			defer wait.Done()
			req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
			req.Header.Set(fiber.HeaderAcceptLanguage, "nb-NO,nb;q=0.9,en;q=0.8")
			for time.Since(began) < benchTime {
				req.SetRequestURI(home + "/c/" + slugs[int(turn.Add(1))%len(slugs)])
				if err := client.Do(req, res); err != nil || res.StatusCode() != fiber.StatusOK || len(res.Body()) < 1000 {
					b.Errorf("%d %v", res.StatusCode(), err)
					return
				}
				came.Add(1)
			}
		}()
	}
	wait.Wait()
	return float64(came.Load()) / time.Since(began).Seconds()
}
