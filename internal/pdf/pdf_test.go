package pdf_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/varsel/varsel/internal/pdf"
)

func write(t *testing.T, rows int) []byte {
	t.Helper()
	d := pdf.New("Avtale, umowa", "nb", time.UnixMilli(1_700_000_000_000))
	d.Heading(1, "Databehandleravtale")
	d.Paragraph("Blåbærsyltetøy, zażółć gęślą jaźń.\nEn linje til.")
	d.Fields([2]string{"Part", "Acme AS"})
	var table [][]string
	for i := range rows {
		table = append(table, []string{fmt.Sprint(i), "a text that is far too long for its column of this table, and therefore goes on in the next line"})
	}
	d.Table([]string{"No.", "What"}, []float64{1, 3}, table)
	d.Code("6c1b")
	out, err := d.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestALongTableGoesOnOverPages(t *testing.T) {
	for rows, want := range map[int]int{3: 1, 100: 5} {
		if pages := bytes.Count(write(t, rows), []byte("/Type /Page\n")); pages != want {
			t.Errorf("%d rows are on %d pages", rows, pages)
		}
	}
}
