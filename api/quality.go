package api

import (
	"context"

	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/internal/secrets"
)

const qualityPath = contactsPath + "/quality"

type qualitySummary struct {
	Contacts      int             `json:"contacts"`
	WithNumber    int             `json:"with_number" doc:"Contacts that can be texted."`
	WithoutNumber int             `json:"without_number"`
	Invalid       int             `json:"invalid" doc:"Contacts with a number that cannot be texted."`
	Advised       bool            `json:"integration_advised" doc:"At least 80 % of the contacts can be texted. Below that an integration is advised against."`
	Reasons       []qualityReason `json:"reasons"`
}

type qualityReason struct {
	Reason   string `json:"reason" doc:"no_number, extension, letters, too_short, too_long, unknown_country or invalid; shared_number and desk_line are warnings of numbers that are texted."`
	Contacts int    `json:"contacts"`
}

type readQuality struct {
	Tenant string `query:"tenant" doc:"Only the contacts of this directory."`
}

func (s Services) quality(ctx context.Context, in *readQuality) (*answer[qualitySummary], error) {
	q, err := s.Book.QualitySummary(ctx, accountOf(ctx), in.Tenant)
	if err != nil {
		return nil, err
	}
	out := qualitySummary{Contacts: q.Contacts, WithNumber: q.WithNumber, WithoutNumber: q.WithoutNumber, Invalid: q.Invalid,
		Advised: q.Advised(), Reasons: []qualityReason{}}
	for _, reason := range contacts.QualityReasons {
		out.Reasons = append(out.Reasons, qualityReason{reason, q.Count(reason)})
	}
	return &answer[qualitySummary]{Body: out}, nil
}

type checkedContact struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Source      string   `json:"source" enum:"directory,manual"`
	Tenant      string   `json:"tenant,omitempty" doc:"The directory's tenant."`
	DirectoryID string   `json:"directory_id,omitempty" doc:"The directory's own id of the person."`
	PhoneRaw    string   `json:"phone_raw,omitempty" doc:"What the field says that the number was taken from."`
	PhoneRule   string   `json:"phone_rule" enum:"mobile,business,manual,none" doc:"Where the number was taken from."`
	Phone       string   `json:"phone,omitempty" doc:"E.164. Missing when there is no number that can be texted."`
	PhoneReason string   `json:"phone_reason,omitempty" doc:"Why there is no number."`
	SharedWith  int      `json:"shared_with" doc:"How many other contacts have the same number."`
	DeskLine    bool     `json:"desk_line" doc:"The number is a business number, which may be no mobile."`
	Warnings    []string `json:"warnings" doc:"Which of the summary's reasons are true of the contact."`
}

func (s Services) checkedContact(c contacts.Checked) checkedContact {
	return checkedContact{ID: s.contactName(c.Contact), Name: c.Name, Source: c.Source, Tenant: c.Tenant, DirectoryID: c.DirectoryID,
		PhoneRaw: c.Phone.Raw, PhoneRule: c.Phone.Rule, Phone: c.Phone.E164, PhoneReason: c.Phone.Reason,
		SharedWith: c.SharedWith, DeskLine: c.DeskLine(), Warnings: append([]string{}, c.Warnings()...)}
}

type listQuality struct {
	Page
	Tenant string `query:"tenant" doc:"Only the contacts of this directory."`
	Reason string `query:"reason" doc:"Only those of whom this is true: one of the summary's reasons, or any. Without it all contacts are listed."`
}

func (s Services) listQuality(ctx context.Context, in *listQuality) (*answer[list[checkedContact]], error) {
	if !contacts.IsQualityReason(in.Reason) {
		return nil, invalidQuery("reason", "there is no such reason")
	}
	after, err := in.from(s.Names, secrets.Contact)
	if err != nil {
		return nil, err
	}
	rows, err := s.Book.Quality(ctx, accountOf(ctx), contacts.QualityFilter{Tenant: in.Tenant, Reason: in.Reason}, after, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return pageOf(rows, in.Limit, s.checkedContact, func(c contacts.Checked) string { return s.contactName(c.Contact) }), nil
}
