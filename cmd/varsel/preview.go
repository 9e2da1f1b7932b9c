package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/smsqueue"
)

// preview says what the campaign would be, and sends nothing.
func (s sendCommand) preview(ctx context.Context, c *commands, t terminal, app *App, account int64, n smsqueue.NewCampaign) error {
	p, err := app.Queue.Preview(ctx, account, n)
	if err != nil {
		return err
	}
	return c.say(t.out, previewAnswer(p), "%s", previewText(p))
}

func previewAnswer(p smsqueue.Preview) map[string]any {
	lengths := map[string]int{}
	for parts, n := range p.Parts {
		lengths[fmt.Sprint(parts)] = n
	}
	unresolved := map[string]int{}
	for _, f := range p.Unresolved {
		unresolved[f.Name] = f.Count
	}
	samples := []string{}
	for _, one := range p.Samples {
		samples = append(samples, one.Text)
	}
	budgets := []string{}
	for _, b := range p.Budgets {
		budgets = append(budgets, b.Name)
	}
	forcing := map[string]int{}
	for _, one := range p.Forcing {
		forcing[one.Text] = one.Messages
	}
	answer := map[string]any{"recipients": p.Recipients, "parts": p.AllParts, "lengths": lengths, "cost": billing.Money(p.CostMicro), "currency": p.Currency,
		"encodings": p.Encodings, "forcing": forcing, "languages": p.Languages, "unresolved": unresolved, "samples": samples, "budgets_too_small": budgets,
		"longest":    map[string]any{"to": p.Longest.Phone, "name": p.Longest.Name, "parts": p.Longest.Parts, "text": p.Longest.Text},
		"affordable": p.Affordable(),
		"left_out": map[string]int{"without_number": p.LeftOut.WithoutNumber, "invalid_number": p.LeftOut.InvalidNumber,
			"shared_number": p.LeftOut.SharedNumber, "unresolved": p.LeftOut.Unresolved, "too_long": p.LeftOut.TooLong}}
	if !p.Funds.Unlimited {
		answer["available"] = billing.Money(p.Funds.Available())
	}
	return answer
}

func previewText(p smsqueue.Preview) string {
	lines := []string{fmt.Sprintf("%d recipients, %d parts, %s %s", p.Recipients, p.AllParts, billing.Money(p.CostMicro), p.Currency)}
	for _, b := range p.Budgets {
		lines = append(lines, fmt.Sprintf("the budget %q has too little left: %s of %s %s", b.Name, billing.Money(b.Left()), billing.Money(b.LimitMicro), b.Currency))
	}
	if !p.Funds.Unlimited {
		lines = append(lines, fundsText(p))
	}
	for _, b := range p.Budgets {
		lines = append(lines, fmt.Sprintf("the budget %q has too little left: %s of %s %s", b.Name, billing.Money(b.Left()), billing.Money(b.LimitMicro), b.Currency))
	}
	for _, parts := range slices.Sorted(maps.Keys(p.Parts)) {
		lines = append(lines, fmt.Sprintf("%d parts each: %d messages", parts, p.Parts[parts]))
	}
	for _, encoding := range slices.Sorted(maps.Keys(p.Encodings)) {
		lines = append(lines, fmt.Sprintf("%s: %d messages", encoding, p.Encodings[encoding]))
	}
	for _, one := range p.Forcing {
		lines = append(lines, fmt.Sprintf("ucs2 because of %q: %d messages", one.Text, one.Messages))
	}
	lines = append(lines, leftOutText(p.LeftOut))
	for _, f := range p.Unresolved {
		lines = append(lines, fmt.Sprintf("%s is missing for %d: %s", f.Name, f.Count, strings.Join(f.Whose, ", ")))
	}
	if p.Recipients > 0 {
		lines = append(lines, fmt.Sprintf("longest, %d parts, to %s: %q", p.Longest.Parts, p.Longest.Name, p.Longest.Text))
	}
	for _, one := range p.Samples {
		lines = append(lines, fmt.Sprintf("to %s: %q", one.Name, one.Text))
	}
	return strings.Join(lines, "\n")
}

// fundsText says whether what is available suffices.
func fundsText(p smsqueue.Preview) string {
	available := billing.Money(p.Funds.Available()) + " " + p.Funds.Currency
	if p.Affordable() {
		return available + " is available: it suffices"
	}
	return available + " is available: it does not suffice, and the campaign would be held once it is spent"
}
