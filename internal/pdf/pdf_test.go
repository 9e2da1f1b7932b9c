package pdf_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"

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

// The fonts are the program's, and other documents are written at the same time.
func TestADocumentLeavesTheFontsAsTheyAre(t *testing.T) {
	regular, bold, mono := slices.Clone(goregular.TTF), slices.Clone(gobold.TTF), slices.Clone(gomono.TTF)
	write(t, 3)
	if !bytes.Equal(regular, goregular.TTF) || !bytes.Equal(bold, gobold.TTF) || !bytes.Equal(mono, gomono.TTF) {
		t.Error("a font was changed")
	}
}
