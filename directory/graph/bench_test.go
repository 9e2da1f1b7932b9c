package graph_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/directory/graph"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/internal/sim/graphsim"
)

// The organisation of the bench.
const (
	benchPeople      = 100_000
	benchGroups      = 5_000
	benchMemberships = 500_000
	benchChanges     = 1_000
)

// TestMain also plays the directory: a bench starts this program again as a
// process of its own, so that what it measures of itself is the product alone.
func TestMain(m *testing.M) {
	if os.Getenv("VARSEL_BENCH_DIRECTORY") != "" {
		if err := playDirectory(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	dbtest.Run(m)
}

// benchDirectory is what the process tells of itself.
type benchDirectory struct {
	URL, GraphURL, CA, Tenant, Client, Secret string
}

// playDirectory obeys a word a line, until its input ends: "change" changes
// people, "requests" tells how many requests there were since it last did.
func playDirectory() error {
	sim, err := graphsim.Start(graphsim.Options{Org: graphsim.Large(benchPeople, benchGroups, benchMemberships), EnforceLimits: true})
	if err != nil {
		return err
	}
	defer sim.Close()
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(benchDirectory{sim.URL(), sim.GraphURL(), string(sim.CAPEM()), sim.TenantID(), sim.ClientID(), sim.Secret()}); err != nil {
		return err
	}
	told := 0
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		switch in.Text() {
		case "change":
			for i, u := range sim.Users()[:benchChanges] {
				sim.UpdateUser(u.ID, map[string]any{"jobTitle": fmt.Sprintf("Adviser %d of %d", i, told)})
			}
			err = out.Encode(benchChanges)
		case "requests":
			requests := sim.Requests()
			err = out.Encode(len(requests) - told)
			told = len(requests)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bench is an account whose directory is another process.
type bench struct {
	*testing.B
	benchDirectory
	ask func(word string) int
}

func startBench(b *testing.B) *bench {
	b.Helper()
	run := exec.CommandContext(b.Context(), os.Args[0])
	run.Env = append(os.Environ(), "VARSEL_BENCH_DIRECTORY=1")
	run.Stderr = os.Stderr
	in, err := run.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := run.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := run.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		run.Wait()
	})
	answers := json.NewDecoder(out)
	w := &bench{B: b}
	if err := answers.Decode(&w.benchDirectory); err != nil {
		b.Fatal(err)
	}
	w.ask = func(word string) (n int) {
		fmt.Fprintln(in, word)
		if err := answers.Decode(&n); err != nil {
			b.Fatal(err)
		}
		return n
	}
	return w
}

// BenchmarkHundredThousandPeople syncs an organisation for the first time, when
// nothing is new and when a thousand people changed, and holds the first against
// merely downloading and decoding the same pages in the same run. The directory
// throttles at Microsoft's documented limits; to be throttled fails the sync.
func BenchmarkHundredThousandPeople(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteURL, "postgres": dbtest.PostgresURL} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				w := startBench(b)
				download := w.download()
				sync := w.house(url(b))
				forgetPeak(b)
				w.ask("requests")
				first := sync()
				b.ReportMetric(first.Seconds(), "first_s")
				b.ReportMetric(download.Seconds(), "download_s")
				b.ReportMetric(first.Seconds()/download.Seconds(), "of_download")
				b.ReportMetric(peak(b), "peak_MB")
				w.ask("requests")
				b.ReportMetric(sync().Seconds(), "unchanged_s")
				b.ReportMetric(float64(w.ask("requests")), "unchanged_requests")
				w.ask("change")
				b.ReportMetric(sync().Seconds(), "changed_s")
			}
		})
	}
}

func (w *bench) clouds() directory.Clouds {
	return graph.Clouds(w.URL, w.GraphURL, trusting(w, []byte(w.CA)))
}

func (w *bench) credentials() directory.Credentials {
	return directory.Credentials{Tenant: w.Tenant, Client: w.Client, Secret: w.Secret}
}

// download reads and decodes all pages, and throws them away.
func (w *bench) download() time.Duration {
	w.Helper()
	source, err := w.clouds()[directory.GlobalCloud].Open(directory.Access{Credentials: w.credentials(), PersonFields: directory.PersonFields})
	if err != nil {
		w.Fatal(err)
	}
	began := time.Now()
	for _, page := range []func(context.Context, string) (directory.Page, error){source.Groups, source.People} {
		for link := ""; ; {
			p, err := page(w.Context(), link)
			if err != nil {
				w.Fatal(err)
			}
			if link = p.Next; p.Delta != "" {
				break
			}
		}
	}
	return time.Since(began)
}

// house answers what runs one sync, and how long that took.
func (w *bench) house(url string) func() time.Duration {
	w.Helper()
	d := dbtest.Open(w, url)
	_, err := d.ExecContext(w.Context(), `
		INSERT INTO accounts (id, handle, name, region, sender, currency, state, created_at)
		VALUES ($1, 'acme', 'Acme', 'NO', '', 'EUR', 'active', 0)`, account)
	if err != nil {
		w.Fatal(err)
	}
	ring, err := secrets.Parse("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	if err != nil {
		w.Fatal(err)
	}
	gate := func(context.Context, int64) error { return nil }
	dir := directory.New(directory.House{DB: d, Ring: ring, Book: contacts.New(d), Gate: gate, Clouds: w.clouds()}, 1)
	c, report, err := dir.Connect(w.Context(), account, directory.Setup{Credentials: w.credentials()})
	if err != nil || !report.OK() {
		w.Fatal(err, report)
	}
	return func() time.Duration {
		w.Helper()
		began := time.Now()
		run, err := dir.Sync(w.Context(), account, c.ID)
		if err != nil || run.People != benchPeople {
			w.Fatalf("%d people, %v", run.People, err)
		}
		return time.Since(began)
	}
}

// forgetPeak and peak are of the memory that this process has resident.
func forgetPeak(b *testing.B) {
	b.Helper()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		b.Fatal(err)
	}
}

func peak(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		var kB float64
		if n, _ := fmt.Sscanf(line, "VmHWM: %f kB", &kB); n == 1 {
			return kB / 1024
		}
	}
	b.Fatal("the kernel does not tell the peak")
	return 0
}
