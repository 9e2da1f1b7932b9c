package api

import (
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/smsqueue"
)

// money is an amount as a decimal, so that no client rounds it.
type money struct {
	Amount   string `json:"amount" pattern:"^[0-9]{1,9}([.][0-9]{1,6})?$" patternDescription:"a decimal with at most six decimals" example:"0.045" doc:"A decimal."`
	Currency string `json:"currency" pattern:"^[A-Z]{3}$" patternDescription:"an ISO 4217 code" example:"EUR" doc:"ISO 4217."`
}

func moneyOf(micro int64, currency string) money {
	return money{Amount: billing.Money(micro), Currency: currency}
}

// micro is the amount in micro-units. The pattern lets nothing else come here.
func (m money) micro() int64 {
	whole, part, _ := strings.Cut(m.Amount, ".")
	n, _ := strconv.ParseInt(whole+(part + "000000")[:6], 10, 64)
	return n
}

// at is a time as it is told: UTC, to the millisecond that the database keeps.
func at(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Millisecond)
}

// lane, status and their like are those of the queue, with their words listed
// in the OpenAPI document.
type lane string

// Schema lists the lanes.
func (lane) Schema(huma.Registry) *huma.Schema { return oneOf(smsqueue.Lanes) }

type status string

// Schema lists the statuses.
func (status) Schema(huma.Registry) *huma.Schema { return oneOf(smsqueue.Statuses) }

func oneOf[T ~string](words []T) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, w := range words {
		s.Enum = append(s.Enum, string(w))
	}
	return s
}

// counts is how many messages are in each status.
type counts map[smsqueue.Status]int

// Schema names every status.
func (counts) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{}}
	for _, one := range smsqueue.Statuses {
		s.Properties[string(one)] = &huma.Schema{Type: huma.TypeInteger}
		s.Required = append(s.Required, string(one))
	}
	return s
}
