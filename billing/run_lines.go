package billing

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/varsel/varsel/billing/invoice"
)

// owed is what was charged and is on no invoice: parts of messages of one country,
// price and lane, or a fee.
type owed struct {
	fee             bool
	country, lane   string
	unit            int64          // micro-units of one part; of a fee, of a whole month
	reference       string         // of a fee
	whole, part     invoice.Period // of a fee: the subscription's period, and from its first day to its last in it
	days            int            // on which it was there; 0 where that is not known
	messages, parts int
	micro           int64
	since           time.Time // when the first of it was charged
}

// dimensions are what parts of messages have in common on an invoice.
type dimensions struct {
	country, lane string
	unit          int64
}

func (o owed) dimensions() dimensions { return dimensions{o.country, o.lane, o.unit} }

// monthLines makes a line of each, and their sum in minor units. An invoice has so many
// lines at most: where there are more, first the lanes are put together, and then the
// prices, so that there is a line for each country and one for all fees. What is billed
// in the ledger stays as fine as it was charged.
func monthLines(all []owed) (lines []NewLine, net int64, err error) {
	for _, coarse := range []func(owed) owed{
		func(o owed) owed { return o },
		func(o owed) owed { o.lane = ""; return o },
		func(o owed) owed { return owed{fee: o.fee, country: o.country} },
	} {
		if together := put(all, coarse); len(together) <= maxLines {
			lines, all = nil, together
			break
		}
	}
	for _, o := range all {
		l := o.line()
		cents, err := invoice.Net(l.Quantity, l.Price)
		if err != nil {
			return nil, 0, err
		}
		lines, net = append(lines, l), net+cents
	}
	return lines, net, nil
}

// put adds up what is the same once it is coarse: fees first, then by country.
func put(all []owed, coarse func(owed) owed) []owed {
	sums := map[owed]owed{}
	for _, o := range all {
		k := coarse(o)
		k.messages, k.parts, k.micro, k.since = 0, 0, 0, time.Time{}
		sum, begun := sums[k]
		if !begun {
			sum = k
		}
		sum.messages, sum.parts, sum.micro = sum.messages+o.messages, sum.parts+o.parts, sum.micro+o.micro
		sums[k] = sum
	}
	var together []owed
	for _, o := range sums {
		together = append(together, o)
	}
	slices.SortFunc(together, func(a, b owed) int {
		return cmp.Or(cmp.Compare(b.reference, a.reference), cmp.Compare(a.country, b.country), cmp.Compare(a.lane, b.lane), cmp.Compare(a.unit, b.unit))
	})
	return together
}

// line is so many parts at the price of one, or the sum where parts had several prices
// or none that is known.
func (o owed) line() NewLine {
	if o.fee {
		return o.feeLine()
	}
	l := NewLine{Name: o.name(), Quantity: decimal.NewFromInt(int64(o.parts)), Unit: "C62", Price: decimal.New(o.unit, -6)}
	if o.unit == 0 || int64(o.parts)*o.unit != o.micro {
		l.Name = fmt.Sprintf("%s (%d)", l.Name, o.parts)
		l.Quantity, l.Price = decimal.NewFromInt(1), decimal.New(o.micro, -6)
	}
	return l
}

func (o owed) name() string {
	name := "SMS, parts"
	if o.country != "" {
		name += " to " + o.country
	}
	if o.lane != "" {
		name += ", " + o.lane
	}
	return name
}

// feeLine is a month, or so many days of it; the sum that the fee came to, where the days
// are not known any more.
func (o owed) feeLine() NewLine {
	l := NewLine{Name: "Subscriptions", Quantity: decimal.NewFromInt(1), Unit: "C62", Price: decimal.New(o.micro, -6), Once: o.reference}
	if o.reference == "" {
		return l
	}
	item, from, _ := strings.Cut(o.reference, "/")
	l.Name = item
	if strings.HasPrefix(item, "dir_") {
		l.Name = directoryName + " " + item
	}
	if o.days > 0 {
		return Due{Subscription: Subscription{Key: item, Name: l.Name, Micro: o.unit}, Whole: o.whole, Part: o.part, Days: o.days}.Line()
	}
	if from != "" {
		l.Name += ", period from " + from
	}
	if o.unit == o.micro {
		l.Unit = "MON"
	}
	return l
}

// within tells in words the days of a line that begins before its invoice does: the period
// of a line is one of the invoice's (PEPPOL-EN16931-R110, R111).
func (l NewLine) within(p invoice.Period) NewLine {
	if l.Period.From.Before(p.From) && !l.Period.From.IsZero() {
		l.Name += ", " + dayText(l.Period.From) + " to " + dayText(l.Period.To)
		l.Period = invoice.Period{}
	}
	return l
}
