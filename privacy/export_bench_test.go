package privacy_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/db/dbtest"
)

// BenchmarkExport writes 100,000 contacts and 300,000 messages with their receipts into
// an export, and says how much memory the process had at the most while it did.
func BenchmarkExport(b *testing.B) {
	for _, url := range []string{dbtest.SQLiteURL(b), dbtest.PostgresURL(b)} {
		d := dbtest.Open(b, url)
		b.Run(string(d.Dialect()), func(b *testing.B) {
			e := bareDesk(b, d)
			fill(b, d, e.account.ID, 300_000, 500)
			for n := 0; n < 100_000; n += 5000 {
				var list []contacts.NewContact
				for i := range 5000 {
					list = append(list, contacts.NewContact{Name: fmt.Sprintf("Person %d", n+i), Phone: fmt.Sprintf("+47400%05d", n+i), Region: "NO"})
				}
				got(e.book.AddContacts(b.Context(), e.account.ID, list))
			}
			for b.Loop() {
				os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // the peak begins anew
				x := got(e.desk.AskExport(b.Context(), e.account.ID))
				if err := e.desk.RunExports(b.Context(), time.Now()); err != nil {
					b.Fatal(err)
				}
				x = got(e.desk.ExportOf(b.Context(), e.account.ID, x.ID))
				b.ReportMetric(float64(x.Rows), "rows")
				b.ReportMetric(float64(x.Bytes)/1e6, "zip-MB")
				b.ReportMetric(peak(b), "peak-MB")
			}
		})
	}
}

// peak is the most memory that the process had resident, in MB.
func peak(b *testing.B) float64 {
	text := got(os.ReadFile("/proc/self/status"))
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	var kb float64
	if _, err := fmt.Sscan(rest, &kb); err != nil {
		b.Fatal(err)
	}
	return kb / 1000
}
