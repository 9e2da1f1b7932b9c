package invoice

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"strings"
	"time"
)

// CSV writes the document's lines, one a row, with names of columns that stay.
func CSV(d Document) ([]byte, error) {
	t, err := Total(d)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	rows := csv.NewWriter(&out)
	rows.UseCRLF = true
	rows.Write([]string{"document", "line", "description", "from", "to", "quantity", "unit", "unit_price", "vat_category", "vat_rate", "net", "currency"})
	for i, l := range d.Lines {
		from, to := l.Period.From, l.Period.To
		if from.IsZero() {
			from, to = d.Period.From, d.Period.To
		}
		rows.Write([]string{d.Number, strconv.Itoa(i + 1), inert(l.Name), from.Format(time.DateOnly), to.Format(time.DateOnly), l.Quantity.String(), l.Unit,
			l.Price.String(), string(l.VAT.Category), l.VAT.Rate.String(), Amount(t.Lines[i]), d.Currency})
	}
	rows.Flush()
	return out.Bytes(), rows.Error()
}

// inert keeps a spreadsheet from taking a text for a formula.
func inert(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}
