package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

const (
	// scrapePatience is how long the rows may take; Prometheus waits for 10 s.
	scrapePatience = 5 * time.Second
	scrapesAtOnce  = 2 // Prometheus often comes as a pair
)

// metricsServer answers GET /metrics where nothing else is answered.
type metricsServer struct {
	http.Server
	address string // empty when there is none
	ended   chan struct{}
}

// serveMetrics listens where the settings say, until end.
func (a *App) serveMetrics() (*metricsServer, error) {
	s := &metricsServer{ended: make(chan struct{})}
	if a.Config.MetricsListen == "" {
		close(s.ended)
		return s, nil
	}
	listener, err := net.Listen("tcp", a.Config.MetricsListen)
	if err != nil {
		return nil, fmt.Errorf("listen for metrics on %s: %w", a.Config.MetricsListen, err)
	}
	s.address = listener.Addr().String()
	s.Handler, s.ReadHeaderTimeout, s.WriteTimeout, s.IdleTimeout = a.metrics(), 10*time.Second, 30*time.Second, 2*time.Minute
	go func() {
		defer close(s.ended)
		if err := s.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			slog.Error("metrics are not served any more", "error", err)
		}
	}()
	return s, nil
}

// end waits for a scrape that is under way: it reads the database.
func (s *metricsServer) end() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*scrapePatience)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		slog.Warn("a scrape was cut", "reason", err)
		s.Close()
	}
	<-s.ended
}

func (a *App) metrics() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), rows{a})
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, ErrorLog: slog.NewLogLogger(slog.Default().Handler(), slog.LevelError), MaxRequestsInFlight: scrapesAtOnce,
	}))
	return mux
}

// rows reads the database at every scrape. What it tells is of the whole
// installation, and names no account and nobody.
type rows struct{ app *App }

func gauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("varsel_"+name, help, labels, nil)
}

var (
	directorySuccess = gauge("directory_last_success_timestamp_seconds",
		"As of when the address book tells what the directory tells; absent when it never has.", "connection")
	directoryStalled = gauge("directory_stalled", "1 when that is too long ago.", "connection")
	directoryState   = gauge("directory_state", "1 for the state that the connection is in.", "connection", "state")
	heldPeople       = gauge("directory_held_people", "People whom the brake keeps until somebody approves.", "connection")
	directorySecret  = gauge("directory_secret_expires_timestamp_seconds",
		"When the secret or certificate ends; absent when it is not known.", "connection")
	lastRunEnd = gauge("directory_last_run_end_timestamp_seconds",
		"When the latest run over everybody ended, in success or failure; absent before the first.", "connection")
	lastRunDuration = gauge("directory_last_run_duration_seconds", "How long that run took, its waits included.", "connection")
	lastRunRecords  = gauge("directory_last_run_records", "People and groups that it read.", "connection")
	lastRunFailed   = gauge("directory_last_run_failed", "1 when it failed.", "connection")
	carrierState    = gauge("carrier_state", "1 for the state that the carrier's link is in.", "carrier", "state")
	queueRanges     = gauge("queue_ranges", "Ranges of up to 500 messages that are not done.", "carrier", "lane", "state")
	queueMessages   = gauge("queue_messages",
		"Messages in those ranges: the most that can be still to send, as a range counts whole until it is done.", "carrier", "lane", "state")
	billingDifferences = gauge("billing_differences", "Differences that the latest reconciliation found; absent before the first.")
	billingReconciled  = gauge("billing_last_reconciliation_timestamp_seconds", "When it began.")
	billingSkipped     = gauge("billing_skipped_accounts", "Accounts that could not be invoiced for a month.")
	auditLost          = prometheus.NewDesc("varsel_audit_lost_total", "Entries of the audit trail that this process could not write.", nil, nil)
	scrapeError        = gauge("scrape_error", "1 when this part could not be read and is missing.", "part")
)

// Describe declares nothing: which series there are is known from the rows.
func (r rows) Describe(chan<- *prometheus.Desc) {}

func (r rows) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapePatience)
	defer cancel()
	tell := func(desc *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	ch <- prometheus.MustNewConstMetric(auditLost, prometheus.CounterValue, float64(r.app.Trail.Lost()))
	for part, read := range map[string]func(context.Context, teller) error{"directory": r.directory, "queue": r.queue, "billing": r.billing} {
		err := read(ctx, tell)
		if err != nil {
			slog.Error("metrics could not be read", "part", part, "error", err)
		}
		tell(scrapeError, truth(err != nil), part)
	}
}

type teller func(desc *prometheus.Desc, value float64, labels ...string)

func (r rows) directory(ctx context.Context, tell teller) error {
	all, err := r.app.Directory.EveryConnection(ctx)
	if err != nil {
		return err
	}
	for _, s := range all {
		name := r.app.Names.Of(secrets.Connection, s.ID)
		for _, state := range []string{directory.Connected, directory.Failing, directory.Disconnected} {
			tell(directoryState, truth(s.State == state), name, state)
		}
		tell(directoryStalled, truth(s.Stalled(time.Now())), name)
		tell(heldPeople, float64(s.Held), name)
		tell.at(directorySuccess, s.SucceededAt, name)
		tell.at(directorySecret, s.SecretExpires, name)
		if s.Last.ID != 0 {
			tell.at(lastRunEnd, s.Last.Ended, name)
			tell(lastRunDuration, s.Last.Ended.Sub(s.Last.Started).Seconds(), name)
			tell(lastRunRecords, float64(s.Last.Records), name)
			tell(lastRunFailed, truth(s.Last.State == directory.Failed), name)
		}
	}
	return nil
}

func (r rows) queue(ctx context.Context, tell teller) error {
	routes, err := r.app.Queue.Routes(ctx)
	if err != nil {
		return err
	}
	backlogs, err := r.app.Queue.Backlogs(ctx)
	if err != nil {
		return err
	}
	type place struct {
		carrier string
		lane    smsqueue.Lane
		state   string
	}
	waiting := map[place]smsqueue.Backlog{}
	for _, b := range backlogs {
		waiting[place{b.Carrier, b.Lane, b.State}] = b
	}
	for _, route := range routes {
		for _, status := range smsqueue.RouteStatuses {
			tell(carrierState, truth(route.Status == status), route.Name, string(status))
		}
		for _, lane := range smsqueue.Lanes {
			for _, state := range smsqueue.RangeStates {
				b := waiting[place{route.Name, lane, state}]
				tell(queueRanges, float64(b.Ranges), route.Name, string(lane), state)
				tell(queueMessages, float64(b.Messages), route.Name, string(lane), state)
			}
		}
	}
	return nil
}

func (r rows) billing(ctx context.Context, tell teller) error {
	skipped, err := r.app.Invoices.Runs(ctx, billing.RunFilter{State: billing.RunSkipped, Limit: 100_000})
	if err != nil {
		return err
	}
	tell(billingSkipped, float64(len(skipped)))
	last, ended, err := r.app.Invoices.LastReconciliation(ctx)
	if err == nil && ended {
		tell(billingDifferences, float64(last.Differences))
		tell.at(billingReconciled, last.Started)
	}
	return err
}

// at tells a time, and nothing when there is none.
func (tell teller) at(desc *prometheus.Desc, at time.Time, labels ...string) {
	if !at.IsZero() {
		tell(desc, float64(at.UnixMilli())/1000, labels...)
	}
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
