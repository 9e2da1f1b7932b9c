package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/varsel/varsel/internal/db/dbtest"
)

func TestMetricsTellHowTheDirectoryAndTheQueueStand(t *testing.T) {
	eachWay(t, func(t *testing.T, i *installation) {
		i.env = append(i.env, "--metrics-listen", "127.0.0.1:0")
		i.furnish()
		i.serve(roleAll)
		if status := i.get("/metrics"); status != http.StatusNotFound {
			t.Errorf("the public address answers %d", status)
		}
		synced := i.do("", "directory", "sync", "--account", "acme")
		i.do("", "send", "--account", "acme", "--to", "900 00 001", "--text", "Hello", "--wait")
		connection := i.do("", "directory", "list", "--account", "acme")
		asOf, err := time.Parse(time.RFC3339, connection["as_of"].(string))
		must(t, err)

		got, text := i.scraped()
		of := `{connection="` + connection["id"].(string) + `"`
		if at := got["varsel_directory_last_success_timestamp_seconds"+of+"}"]; int64(at) != asOf.Unix() {
			t.Errorf("last success at %f, want %d", at, asOf.Unix())
		}
		if ended := got["varsel_directory_last_run_end_timestamp_seconds"+of+"}"]; int64(ended) < asOf.Unix() || time.Now().Before(time.Unix(int64(ended), 0)) {
			t.Errorf("the last run ended at %f", ended)
		}
		if took := got["varsel_directory_last_run_duration_seconds"+of+"}"]; took <= 0 {
			t.Errorf("the last run took %f s", took)
		}
		want := map[string]float64{
			"varsel_directory_stalled" + of + "}":                          0,
			"varsel_directory_held_people" + of + "}":                      0,
			"varsel_directory_last_run_records" + of + "}":                 synced["records"].(float64),
			"varsel_directory_last_run_failed" + of + "}":                  0,
			"varsel_directory_state" + of + `,state="connected"}`:          1,
			"varsel_directory_state" + of + `,state="failing"}`:            0,
			"varsel_directory_state" + of + `,state="disconnected"}`:       0,
			`varsel_carrier_state{carrier="main",state="bound"}`:           1,
			`varsel_carrier_state{carrier="main",state="idle"}`:            0,
			`varsel_scrape_error{part="directory"}`:                        0,
			`varsel_scrape_error{part="queue"}`:                            0,
			"varsel_audit_lost_total":                                      0,
			"varsel_directory_secret_expires_timestamp_seconds" + of + "}": absent,
		}
		told(t, want, got)
		if got["go_goroutines"] == 0 || got["process_open_fds"] == 0 {
			t.Error("nothing of the process")
		}
		for _, private := range []string{"acme", "Acme", "main.json", entra.TenantID(), entra.ClientID(), "+47"} {
			if strings.Contains(text, private) {
				t.Errorf("the metrics tell %q", private)
			}
		}
	})
}

// The secret ends on a day that somebody said; nothing is synced, and a message waits.
func TestMetricsTellWhatWaitsWhileNoWorkerRuns(t *testing.T) {
	i := newInstallation(t, dbtest.PostgresURL(t), "--metrics-listen", "127.0.0.1:0")
	i.do("", "migrate")
	key := i.furnish()
	i.do(entra.Secret(), "directory", "connect", "--account", "acme", "--tenant", entra.TenantID(), "--client-id", entra.ClientID(), "--secret-stdin",
		"--secret-expires", "2100-01-31")
	i.serve(roleAPI)
	if status, answer := i.post(key, "/v1/messages", `{"to":"+4790000002","text":"Hello"}`); status != http.StatusAccepted {
		t.Fatalf("the API answers %d %v", status, answer)
	}
	of := `{connection="` + i.do("", "directory", "list", "--account", "acme")["id"].(string) + `"}`
	got, _ := i.scraped()
	told(t, map[string]float64{
		"varsel_directory_secret_expires_timestamp_seconds" + of:                 float64(time.Date(2100, 1, 31, 0, 0, 0, 0, time.UTC).Unix()),
		"varsel_directory_last_success_timestamp_seconds" + of:                   absent,
		"varsel_directory_last_run_failed" + of:                                  absent,
		`varsel_carrier_state{carrier="main",state="idle"}`:                      1,
		`varsel_queue_ranges{carrier="main",lane="normal",state="waiting"}`:      1,
		`varsel_queue_messages{carrier="main",lane="normal",state="waiting"}`:    1,
		`varsel_queue_messages{carrier="main",lane="normal",state="dispatched"}`: 0,
		`varsel_queue_messages{carrier="main",lane="bulk",state="waiting"}`:      0,
	}, got)
}

func TestMetricsSayWhatIsStalledAndWhatCannotBeRead(t *testing.T) {
	i := newInstallation(t, dbtest.SQLiteURL(t))
	i.furnish()
	app, err := Open(t.Context(), Config{DatabaseURL: i.env[1], SecretKey: i.env[3]})
	must(t, err)
	_, err = app.DB.ExecContext(t.Context(), `UPDATE connections SET created_at = 1, activated_at = 1`)
	must(t, err)
	answer, ask := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/metrics", nil)
	app.metrics().ServeHTTP(answer, ask)
	stalled := `varsel_directory_stalled{connection="` + i.do("", "directory", "list", "--account", "acme")["id"].(string) + `"}`
	told(t, map[string]float64{stalled: 1, `varsel_scrape_error{part="directory"}`: 0}, figures(t, answer.Body))

	must(t, app.Close())
	answer = httptest.NewRecorder()
	app.metrics().ServeHTTP(answer, ask)
	got := figures(t, answer.Body)
	told(t, map[string]float64{
		stalled:                                             absent,
		`varsel_scrape_error{part="directory"}`:             1,
		`varsel_scrape_error{part="queue"}`:                 1,
		`varsel_carrier_state{carrier="main",state="idle"}`: absent,
	}, got)
	if answer.Code != http.StatusOK || got["go_goroutines"] == 0 {
		t.Errorf("it answers %d without what is of the process", answer.Code)
	}
}

func TestMetricsAreOffUntilTheyAreAskedFor(t *testing.T) {
	i := newInstallation(t, dbtest.SQLiteURL(t))
	i.serve(roleAll)
	if status := i.get("/metrics"); i.metrics != "" || status != http.StatusNotFound {
		t.Errorf("metrics on %q, the public address answers %d", i.metrics, status)
	}
	for _, wrong := range []string{"9464", ":9464", "nowhere"} {
		i.refused("VARSEL_METRICS_LISTEN", "", "carrier", "list", "--metrics-listen", wrong)
	}
	taken := strings.TrimPrefix(i.url, "http://")
	i.refused("listen for metrics", "", "serve", "--role", "api", "--listen", "127.0.0.1:0", "--metrics-listen", taken)
}

// absent is what told wants of a series that there is none of.
const absent = -1

func told(t *testing.T, want, all map[string]float64) {
	t.Helper()
	got := map[string]float64{}
	for series := range want {
		got[series] = absent
		if value, is := all[series]; is {
			got[series] = value
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// scraped is what the metrics' address tells, by series, and as it is written.
func (i *installation) scraped() (map[string]float64, string) {
	i.t.Helper()
	res, err := http.Get("http://" + i.metrics + "/metrics")
	must(i.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(i.t, err)
	if res.StatusCode != http.StatusOK {
		i.t.Fatalf("%s: %s", res.Status, text)
	}
	return figures(i.t, strings.NewReader(string(text))), string(text)
}

// figures reads the gauges, and our counters.
func figures(t *testing.T, text io.Reader) map[string]float64 {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(text)
	must(t, err)
	all := map[string]float64{}
	for name, family := range families {
		for _, metric := range family.Metric {
			var labels []string
			for _, l := range metric.Label {
				labels = append(labels, l.GetName()+`="`+l.GetValue()+`"`)
			}
			slices.Sort(labels)
			series := name
			if len(labels) > 0 {
				series += "{" + strings.Join(labels, ",") + "}"
			}
			if metric.Gauge != nil {
				all[series] = metric.Gauge.GetValue()
			}
			if metric.Counter != nil && strings.HasPrefix(name, "varsel_") {
				all[series] = metric.Counter.GetValue()
			}
		}
	}
	return all
}
