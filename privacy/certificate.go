package privacy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/pdf"
)

// Kinds are what is deleted at an account's end, in the order of the certificate.
var Kinds = []string{"contacts", "contact_fields", "groups", "memberships", "campaigns", "messages", "received", "roll_answers", "suppressions",
	"templates", "cards", "card_photos", "card_consents", "card_templates", "card_invites", "connections", "directory_people", "directory_groups",
	"teams", "team_members", "budgets"}

// certificate writes what was deleted, what is kept, why and until when, in the
// agreement's language.
func (d *Desk) certificate(ctx context.Context, x Exit, now time.Time) (Certificate, error) {
	processor, err := d.parts.Accounts.Processor(ctx)
	if err != nil {
		return Certificate{}, err
	}
	controller, err := d.parts.Accounts.Controller(ctx, x.Account)
	if err != nil {
		return Certificate{}, err
	}
	kept, err := d.Retention(ctx, 0)
	if err != nil {
		return Certificate{}, err
	}
	say := phrasesOf(x.Language)
	doc := pdf.New(say("certificate"), x.Language, now)
	doc.Heading(1, say("certificate"))
	doc.Paragraph(say("certificate_says"))
	doc.Fields(
		[2]string{say("processor"), named(processor.LegalName, processor.Registration, processor.Address)},
		[2]string{say("controller"), named(controller.LegalName, controller.Registration, controller.Address)},
		[2]string{say("agreement"), x.Version + ", " + day(x.Concluded)},
		[2]string{say("terminated"), day(x.Terminated)},
		[2]string{say("chosen"), say("at_end_" + x.AtEnd)},
		[2]string{say("deadline"), day(x.Deadline)},
		[2]string{say("deleted_from"), x.Began.UTC().Format(time.RFC3339)},
		[2]string{say("deleted_to"), now.UTC().Format(time.RFC3339)})
	doc.Heading(2, say("deleted"))
	var rows [][]string
	for _, kind := range Kinds {
		rows = append(rows, []string{say("kind_" + kind), strconv.Itoa(x.Counts[kind])})
	}
	doc.Table([]string{say("what"), say("rows")}, []float64{3, 1}, rows)
	doc.Paragraph(say("deleted_also"))
	doc.Heading(2, say("kept"))
	doc.Table([]string{say("what"), say("why"), say("until")}, []float64{2, 4, 2}, keptAfter(say, now, kept))
	bytes, err := doc.Bytes()
	sum := sha256.Sum256(bytes)
	return Certificate{SHA256: hex.EncodeToString(sum[:]), PDF: bytes, At: now}, err
}

// keptAfter is what stays after an account's end.
func keptAfter(say func(string) string, now time.Time, kept []Kept) (rows [][]string) {
	until := ""
	for _, k := range kept {
		if k.Name == Ledger {
			until = say("at_least_until") + " " + day(now.AddDate(0, 0, k.Days))
		}
	}
	return [][]string{
		{say("kept_ledger"), say("kept_ledger_why"), until},
		{say("kept_agreement"), say("kept_agreement_why"), until},
		{say("kept_audit"), say("kept_audit_why"), until},
		{say("kept_marks"), say("kept_marks_why"), say("until_closed")},
		{say("kept_slugs"), say("kept_slugs_why"), say("until_closed")},
		{say("kept_users"), say("kept_users_why"), say("until_closed")},
		{say("kept_backups"), say("kept_backups_why"), say("until_replaced")},
	}
}

func named(parts ...string) string {
	var known []string
	for _, p := range parts {
		if p != "" {
			known = append(known, p)
		}
	}
	return strings.Join(known, ", ")
}

func day(at time.Time) string { return at.UTC().Format(time.DateOnly) }
