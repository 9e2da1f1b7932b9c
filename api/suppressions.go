package api

import (
	"bytes"
	"context"
	"time"

	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

const (
	suppressionsPath        = "/v1/suppressions"
	suppressionImportsPath  = suppressionsPath + "/imports"
	suppressionSettingsPath = suppressionsPath + "/settings"
)

type suppression struct {
	ID        string     `json:"id" example:"sup_0t3kzjv5m6n8q9x2w4y7b1c0df"`
	Phone     string     `json:"phone" doc:"E.164." example:"+4791234567"`
	Reason    string     `json:"reason" enum:"stop,link,manual,import" doc:"stop: the person texted it. link: the person said so on their own page. manual: somebody of the account wrote it down. import: it stood in a list."`
	Inbound   string     `json:"inbound,omitempty" doc:"The received message that asked for it."`
	Note      string     `json:"note,omitempty"`
	CreatedAt time.Time  `json:"created_at"`
	LiftedAt  *time.Time `json:"lifted_at,omitempty" doc:"Missing while nothing is sent to the number."`
	LiftedBy  string     `json:"lifted_by,omitempty" enum:"start,link,manual" doc:"start: the person texted it."`
}

func (s Services) suppression(m smsqueue.Suppression) suppression {
	out := suppression{ID: s.suppressionName(m), Phone: m.Phone, Reason: string(m.Reason), Note: m.Note, CreatedAt: at(m.Created), LiftedBy: string(m.LiftedBy)}
	if m.Inbound != 0 {
		out.Inbound = s.Names.Of(secrets.Inbound, m.Inbound)
	}
	if !m.Stands() {
		out.LiftedAt = new(at(m.Lifted))
	}
	return out
}

func (s Services) suppressionName(m smsqueue.Suppression) string {
	return s.Names.Of(secrets.Suppress, m.ID)
}

type listSuppressions struct {
	Page
	Phone  string `query:"phone" doc:"Only this number, as people type it."`
	Lifted bool   `query:"lifted" doc:"Those that were lifted too."`
}

func (s Services) listSuppressions(ctx context.Context, in *listSuppressions) (*answer[list[suppression]], error) {
	before, err := in.from(s.Names, secrets.Suppress)
	if err != nil {
		return nil, err
	}
	rows, err := s.Queue.Suppressions(ctx, accountOf(ctx), smsqueue.SuppressionFilter{Phone: in.Phone, Lifted: in.Lifted, Before: before, Limit: in.Limit + 1})
	if err != nil {
		return nil, err
	}
	return pageOf(rows, in.Limit, s.suppression, s.suppressionName), nil
}

type newSuppression struct {
	Phone string `json:"phone" doc:"As people type it; without a country code it is read in the account's region." example:"+4791234567"`
	Note  string `json:"note,omitempty" doc:"Why, in your words; 500 bytes at the most."`
}

type addSuppression struct {
	Body newSuppression
}

func (s Services) addSuppression(ctx context.Context, in *addSuppression) (*answer[suppression], error) {
	added, _, err := s.Queue.Suppress(ctx, accountOf(ctx), smsqueue.NewSuppression{Phone: in.Body.Phone, Note: in.Body.Note})
	if err != nil {
		return nil, err
	}
	return &answer[suppression]{Body: s.suppression(added)}, nil
}

type liftSuppression struct {
	Phone string `path:"phone" doc:"As people type it." example:"+4791234567"`
}

func (s Services) liftSuppression(ctx context.Context, in *liftSuppression) (*struct{}, error) {
	return nil, s.Queue.Unsuppress(ctx, accountOf(ctx), unescaped(in.Phone))
}

type importSuppressions struct {
	RawBody []byte `contentType:"text/csv"`
}

type suppressionImport struct {
	Added   int          `json:"added"`
	Known   int          `json:"known" doc:"Suppressed already, or in the list twice."`
	Refused []refusedRow `json:"refused" doc:"Rows without a number that can be texted."`
}

type refusedRow struct {
	Row    int    `json:"row" doc:"As a spreadsheet counts."`
	Reason string `json:"reason"`
}

func (s Services) importSuppressions(ctx context.Context, in *importSuppressions) (*answer[suppressionImport], error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), importPatience)
	defer cancel()
	done, err := s.Queue.ImportSuppressions(ctx, accountOf(ctx), 0, bytes.NewReader(in.RawBody))
	if err != nil {
		return nil, err
	}
	out := suppressionImport{Added: done.Count(smsqueue.RowSuppressed), Known: done.Count(smsqueue.RowKnown) + done.Count(smsqueue.RowRepeated), Refused: []refusedRow{}}
	for _, r := range done.Refused() {
		out.Refused = append(out.Refused, refusedRow{r.Row, r.Reason})
	}
	return &answer[suppressionImport]{Body: out}, nil
}

type optOutSettings struct {
	Replies bool   `json:"replies" doc:"Whoever texts stop, start or help gets one short answer, at the account's cost."`
	Urgent  bool   `json:"urgent" doc:"Messages of the lane urgent go to suppressed numbers too: only for those that protect life and health."`
	Number  string `json:"opt_out_number" doc:"One of the account's numbers, to which those text who cannot answer the sender: texts say {{opt_out_number}}. Empty for none." example:"2440"`
}

func (s Services) readOptOutSettings(ctx context.Context, _ *struct{}) (*answer[optOutSettings], error) {
	o, err := s.Queue.OptOutSettings(ctx, accountOf(ctx))
	if err != nil {
		return nil, err
	}
	return &answer[optOutSettings]{Body: optOutSettings(o)}, nil
}

type newOptOutSettings struct {
	Replies *bool   `json:"replies,omitempty"`
	Urgent  *bool   `json:"urgent,omitempty"`
	Number  *string `json:"opt_out_number,omitempty" maxLength:"40" example:"2440"`
}

type changeOptOutSettings struct {
	Body newOptOutSettings
}

func (s Services) changeOptOutSettings(ctx context.Context, in *changeOptOutSettings) (*answer[optOutSettings], error) {
	account := accountOf(ctx)
	o, err := s.Queue.OptOutSettings(ctx, account)
	if err != nil {
		return nil, err
	}
	set(&o.Replies, in.Body.Replies)
	set(&o.Urgent, in.Body.Urgent)
	set(&o.Number, in.Body.Number)
	if err := s.Queue.SetOptOutSettings(ctx, account, o); err != nil {
		return nil, err
	}
	return s.readOptOutSettings(ctx, nil)
}
