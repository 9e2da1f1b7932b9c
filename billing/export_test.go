package billing

import "github.com/varsel/varsel/billing/invoice"

// The statements that count usage, for tests.
var (
	UsageOfOne = usageIn(entriesOfOne)
	UsageOfAll = usageIn(entriesOfAll)
)

// MostUsage is how many rows usage has at the most, for tests.
const MostUsage = mostUsage

// Charged is what a month's invoice is made of, for tests.
type Charged struct {
	Country, Lane string
	Unit          int64
	Parts         int
	Fee           string // reference; then Micro is what it comes to
	Micro         int64
}

// DocumentOf is doc with the lines of what was charged, and the sum of that in
// micro-units.
func DocumentOf(doc invoice.Document, tax invoice.VAT, all []Charged) (invoice.Document, int64, error) {
	var rows []owed
	var micro int64
	for _, c := range all {
		o := owed{fee: c.Fee != "", country: c.Country, lane: c.Lane, unit: c.Unit, reference: c.Fee, parts: c.Parts, micro: c.Micro}
		if !o.fee {
			o.micro = int64(c.Parts) * c.Unit
		}
		rows, micro = append(rows, o), micro+o.micro
	}
	lines, _, err := monthLines(rows)
	for _, l := range lines {
		doc.Lines = append(doc.Lines, invoice.Line{Name: l.Name, Quantity: l.Quantity, Unit: l.Unit, Price: l.Price, VAT: tax})
	}
	return doc, micro, err
}
