package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/secrets"
)

const (
	usagePath             = "/v1/usage"
	installationUsagePath = installationPath + "/usage"
)

// usageRoutes: what was charged, of the account or of all of them.
func (s Services) usageRoutes(a huma.API) {
	const read, may = accounts.ScopeBillingRead, accounts.ScopeInstallation
	add(a, route{"GET", usagePath, "readUsage", read, "Count what was charged, by day or month, country and lane", http.StatusOK, false}, s.readUsage)
	addFile(a, []string{csvType}, route{"GET", usagePath + "/{format}", "downloadUsage", read, "Download what was charged", http.StatusOK, false}, s.downloadUsage)
	add(a, route{"GET", installationUsagePath, "readUsageOfAll", may, "Count what was charged of all accounts, each for itself", http.StatusOK, false}, s.readUsageOfAll)
	addFile(a, []string{csvType}, route{"GET", installationUsagePath + "/{format}", "downloadUsageOfAll", may, "Download what was charged of all accounts", http.StatusOK, false}, s.downloadUsageOfAll)
}

// UsageQuery says what is counted.
type UsageQuery struct {
	From      string `query:"from" pattern:"^(\\d{4}-\\d{2}-\\d{2})?$" doc:"The first day, as it is where the seller is; that of the month when it is left out." example:"2026-10-01"`
	To        string `query:"to" pattern:"^(\\d{4}-\\d{2}-\\d{2})?$" doc:"The last day; today when it is left out." example:"2026-10-31"`
	By        string `query:"by" enum:"day,month" default:"day"`
	Campaigns bool   `query:"campaigns" doc:"Each campaign for itself."`
}

type downloadUsage struct {
	Format string `path:"format" enum:"csv" doc:"RFC 4180."`
	UsageQuery
}

// UsageOfAll says of which accounts.
type UsageOfAll struct {
	UsageQuery
	Account string `query:"account" doc:"Of this one alone." example:"acme"`
}

type downloadUsageOfAll struct {
	Format string `path:"format" enum:"csv" doc:"RFC 4180."`
	UsageOfAll
}

// chosen is the id of the account that is asked for; 0 for all.
func (q UsageOfAll) chosen(ctx context.Context, s Services) (int64, error) {
	if q.Account == "" {
		return 0, nil
	}
	acc, err := s.Accounts.ByHandle(ctx, q.Account)
	return acc.ID, err
}

// usage is what was charged on a day or in a month.
type usage struct {
	Account  string `json:"account,omitempty" doc:"With an operators' key." example:"acme"`
	From     string `json:"from" format:"date" doc:"The day, or the first of the month."`
	Kind     string `json:"kind" enum:"messages,fees"`
	Country  string `json:"country,omitempty" doc:"ISO 3166 alpha-2, of the numbers; missing where it is not known." example:"NO"`
	Lane     string `json:"lane,omitempty" example:"bulk"`
	Campaign string `json:"campaign,omitempty" doc:"cmp_...; missing of single messages, and where campaigns are counted together."`
	Messages int    `json:"messages"`
	Parts    int    `json:"parts" doc:"What is charged for: a long text has several."`
	Cost     money  `json:"cost" doc:"Without VAT."`
}

// usageOf counts what was charged of an account; 0: of all of them.
func (s Services) usageOf(ctx context.Context, account int64, in *UsageQuery) ([]billing.Usage, error) {
	zone, err := s.Invoices.Zone(ctx)
	if err != nil {
		return nil, err
	}
	today := time.Now().In(zone)
	f := billing.UsageFilter{Account: account, From: dateOf(in.From), To: dateOf(in.To), By: in.By, Campaigns: in.Campaigns}
	if in.To == "" {
		f.To = dateOf(today.Format(time.DateOnly))
	}
	if in.From == "" {
		f.From = f.To.AddDate(0, 0, 1-f.To.Day())
	}
	return s.Invoices.Usage(ctx, f)
}

func (s Services) readUsage(ctx context.Context, in *UsageQuery) (*answer[whole[usage]], error) {
	return s.answerUsage(ctx, accountOf(ctx), in)
}

func (s Services) readUsageOfAll(ctx context.Context, in *UsageOfAll) (*answer[whole[usage]], error) {
	account, err := in.chosen(ctx, s)
	if err != nil {
		return nil, err
	}
	return s.answerUsage(ctx, account, &in.UsageQuery)
}

func (s Services) answerUsage(ctx context.Context, account int64, in *UsageQuery) (*answer[whole[usage]], error) {
	all, err := s.usageOf(ctx, account, in)
	if err != nil {
		return nil, err
	}
	handles, err := s.handles(ctx, idsOf(all, func(u billing.Usage) int64 { return u.Account }))
	return wholeOf(all, func(u billing.Usage) usage {
		out := usage{From: dateText(u.Day), Kind: "messages", Country: u.Country, Lane: u.Lane, Messages: u.Messages, Parts: u.Parts, Cost: moneyOf(u.Micro, u.Currency)}
		if u.Fees {
			out.Kind = "fees"
		}
		if u.Campaign != 0 {
			out.Campaign = s.Names.Of(secrets.Campaign, u.Campaign)
		}
		if chainOf(ctx) == 0 {
			out.Account = handles[u.Account]
		}
		return out
	}), err
}

func (s Services) downloadUsage(ctx context.Context, in *downloadUsage) (*billFile, error) {
	return s.usageFile(ctx, accountOf(ctx), &in.UsageQuery)
}

func (s Services) downloadUsageOfAll(ctx context.Context, in *downloadUsageOfAll) (*billFile, error) {
	account, err := in.chosen(ctx, s)
	if err != nil {
		return nil, err
	}
	return s.usageFile(ctx, account, &in.UsageQuery)
}

func (s Services) usageFile(ctx context.Context, account int64, in *UsageQuery) (*billFile, error) {
	all, err := s.usageOf(ctx, account, in)
	if err != nil {
		return nil, err
	}
	handles, err := s.handles(ctx, idsOf(all, func(u billing.Usage) int64 { return u.Account }))
	if err != nil {
		return nil, err
	}
	text, err := billing.UsageCSV(all, func(account int64) string { return handles[account] }, func(id int64) string { return s.Names.Of(secrets.Campaign, id) })
	return &billFile{ContentType: fileTypes["csv"], Disposition: `attachment; filename="usage.csv"`, Body: []byte(text)}, err
}
