package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	bills "github.com/varsel/varsel/billing/invoice"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

const (
	monthsPath          = installationPath + "/billing-runs"
	reconciliationsPath = installationPath + "/reconciliations"
	costsPath           = installationPath + "/carrier-costs"
	marginsPath         = installationPath + "/margins"
)

// monthRoutes: the operators' monthly run, and whether the books agree.
func (s Services) monthRoutes(a huma.API) {
	const may = accounts.ScopeInstallation
	add(a, route{"GET", monthsPath, "listBillingRuns", may, "List what the months' runs came to for each account, the latest month first", http.StatusOK, false}, s.listBillingRuns)
	add(a, route{"POST", monthsPath, "runBilling", may, "Invoice what was charged until the end of a month; what is invoiced already is left alone. Ask again while there is more, or leave the rest to the hourly run", http.StatusOK, false}, s.runBilling)
	add(a, route{"GET", reconciliationsPath, "listReconciliations", may, "List the reconciliations, the latest first", http.StatusOK, false}, s.listReconciliations)
	add(a, route{"POST", reconciliationsPath, "reconcile", may, "Have messages, ledger and invoices compared now; read it until it is no longer running", http.StatusAccepted, false}, s.reconcile)
	add(a, route{"GET", reconciliationsPath + "/{id}", "readReconciliation", may, "Read what a reconciliation found to differ", http.StatusOK, false}, s.readReconciliation)
	add(a, route{"GET", costsPath, "listCarrierCosts", may, "List what a part costs at each carrier, the latest first", http.StatusOK, false}, s.listCosts)
	add(a, route{"POST", costsPath, "setCarrierCost", may, "Say what a part costs at a carrier from a time on", http.StatusCreated, true}, s.setCost)
	add(a, route{"GET", marginsPath, "readMargins", may, "Tell what each carrier earned and cost, by country; days are those on which messages were accepted, in UTC", http.StatusOK, false}, s.readMargins)
}

// handles are the accounts' that rows are of.
func (s Services) handles(ctx context.Context, ids []int64) (map[int64]string, error) {
	names := map[int64]string{}
	for _, id := range ids {
		if _, known := names[id]; known || id == 0 {
			continue
		}
		acc, err := s.Accounts.ByID(ctx, id)
		if err != nil {
			return nil, err
		}
		names[id] = acc.Handle
	}
	return names, nil
}

// billingRun is what a month's run came to for an account.
type billingRun struct {
	Account string    `json:"account" example:"acme"`
	Month   string    `json:"month" example:"2026-10"`
	State   string    `json:"state" enum:"invoiced,nothing,skipped" doc:"skipped: it is tried again."`
	Reason  string    `json:"reason,omitempty" doc:"Why it was skipped: a problem's code." example:"no_billing_profile"`
	Detail  string    `json:"detail,omitempty" doc:"The same in a sentence."`
	Invoice string    `json:"invoice,omitempty" doc:"inv_..."`
	RanAt   time.Time `json:"ran_at"`
}

func (s Services) billingRuns(ctx context.Context, runs []billing.Run) (*answer[whole[billingRun]], error) {
	handles, err := s.handles(ctx, idsOf(runs, func(r billing.Run) int64 { return r.Account }))
	return wholeOf(runs, func(r billing.Run) billingRun {
		out := billingRun{Account: handles[r.Account], Month: r.Month.Format("2006-01"), State: r.State, Reason: r.Reason, Detail: r.Detail, RanAt: at(r.At)}
		if r.Invoice != 0 {
			out.Invoice = s.Names.Of(secrets.Invoice, r.Invoice)
		}
		return out
	}), err
}

func idsOf[T any](rows []T, id func(T) int64) (all []int64) {
	for _, r := range rows {
		all = append(all, id(r))
	}
	return all
}

type listBillingRuns struct {
	State string `query:"state" enum:"invoiced,nothing,skipped" doc:"Only those."`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"200" doc:"How many, the latest month first."`
}

func (s Services) listBillingRuns(ctx context.Context, in *listBillingRuns) (*answer[whole[billingRun]], error) {
	runs, err := s.Invoices.Runs(ctx, billing.RunFilter{State: in.State, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return s.billingRuns(ctx, runs)
}

type newBillingRun struct {
	Account    string `json:"account,omitempty" doc:"All of them when it is missing." example:"acme"`
	Month      string `json:"month,omitempty" pattern:"^(\\d{4}-\\d{2})?$" doc:"The one that ended last when it is missing." example:"2026-10"`
	Rate       string `json:"rate,omitempty" pattern:"^[0-9]{1,9}([.][0-9]{1,10})?$" patternDescription:"a decimal" doc:"Of exchange, where VAT is due in another currency: how much of that one of rate_from is." example:"11.452"`
	RateFrom   string `json:"rate_from,omitempty" doc:"The currency of the invoices that the rate is for; those in another have none." example:"EUR"`
	RateSource string `json:"rate_source,omitempty" doc:"Whose it is." example:"Norges Bank"`
	RateDate   string `json:"rate_date,omitempty" pattern:"^(\\d{4}-\\d{2}-\\d{2})?$" doc:"The day of the rate." example:"2026-10-30"`
}

type runBilling struct{ Body newBillingRun }

// ranBilling is what a run made in the time that a request has.
type ranBilling struct {
	Items []billingRun `json:"items"`
	More  bool         `json:"more" doc:"There was no time for all accounts."`
}

func (s Services) runBilling(ctx context.Context, in *runBilling) (*answer[ranBilling], error) {
	o := billing.RunOrder{Until: time.Now().Add(patience / 2)}
	if in.Body.Account != "" {
		acc, err := s.Accounts.ByHandle(ctx, in.Body.Account)
		if err != nil {
			return nil, err
		}
		o.Account = acc.ID
	}
	if in.Body.Month != "" {
		if o.Month = dateOf(in.Body.Month + "-01"); o.Month.IsZero() {
			return nil, problem.Invalid("month", "%q is no month such as 2026-10", in.Body.Month)
		}
	}
	if in.Body.Rate != "" {
		o.From, o.Books = in.Body.RateFrom, bills.Books{Rate: decimalOf(in.Body.Rate), Source: in.Body.RateSource, At: dateOf(in.Body.RateDate)}
	}
	runs, more, err := s.Invoices.RunMonth(ctx, o, time.Now())
	if err != nil {
		return nil, err
	}
	made, err := s.billingRuns(ctx, runs)
	if err != nil {
		return nil, err
	}
	return &answer[ranBilling]{Body: ranBilling{made.Body.Items, more}}, nil
}

// reconciliation is one comparison of everything.
type reconciliation struct {
	ID          string       `json:"id" doc:"rec_..."`
	State       string       `json:"state" enum:"running,done,failed"`
	StartedAt   time.Time    `json:"started_at"`
	TookMS      int64        `json:"took_ms"`
	Compared    int          `json:"compared" doc:"Campaigns (the single messages of an account are one) and invoices."`
	Messages    int          `json:"messages"`
	Differences int          `json:"differences" doc:"0 when the books agree."`
	Found       []difference `json:"found,omitempty" doc:"When one is read: the first 1,000."`
}

// difference names the rows that do not agree.
type difference struct {
	Kind     string   `json:"kind" doc:"What differs."`
	Account  string   `json:"account,omitempty" example:"acme"`
	Campaign string   `json:"campaign,omitempty" doc:"cmp_...; missing of single messages."`
	Messages []string `json:"messages,omitempty" doc:"msg_..., that contradict themselves; none where the sums alone differ. 100 at the most."`
	Entries  []string `json:"entries,omitempty" doc:"ent_..., the newest 20 of the sum that no message explains."`
	Entry    string   `json:"entry,omitempty" doc:"ent_..., of the ledger."`
	Invoice  string   `json:"invoice,omitempty" doc:"inv_..."`
	Carrier  string   `json:"carrier,omitempty"`
	Detail   string   `json:"detail,omitempty" doc:"An invoice's number, a kind of entry, a country, or how many messages."`
	Expected string   `json:"expected" example:"12.345"`
	Found    string   `json:"found" example:"12.3"`
}

// TransformSchema lists the kinds.
func (difference) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Properties["kind"] = oneOf(billing.DifferenceKinds)
	return s
}

func (s Services) reconciliationName(r billing.Reconciliation) string {
	return s.Names.Of(secrets.Reconciliation, r.ID)
}

func (s Services) shownReconciliation(r billing.Reconciliation) reconciliation {
	return reconciliation{ID: s.reconciliationName(r), State: r.State, StartedAt: at(r.Started), TookMS: r.Took.Milliseconds(), Compared: r.Compared, Messages: r.Messages, Differences: r.Differences}
}

type listReconciliations struct{ Page }

func (s Services) listReconciliations(ctx context.Context, in *listReconciliations) (*answer[list[reconciliation]], error) {
	before, err := in.from(s.Names, secrets.Reconciliation)
	if err != nil {
		return nil, err
	}
	rows, err := s.Invoices.Reconciliations(ctx, before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return pageOf(rows, in.Limit, s.shownReconciliation, s.reconciliationName), nil
}

func (s Services) reconcile(ctx context.Context, _ *struct{}) (*answer[reconciliation], error) {
	r, err := s.Invoices.AskReconciliation(ctx, time.Now())
	return &answer[reconciliation]{Body: s.shownReconciliation(r)}, err
}

type oneReconciliation struct {
	ID string `path:"id" doc:"rec_..."`
}

func (s Services) readReconciliation(ctx context.Context, in *oneReconciliation) (*answer[reconciliation], error) {
	id, err := s.Names.ID(secrets.Reconciliation, in.ID)
	if err != nil {
		return nil, err
	}
	r, err := s.Invoices.Reconciliation(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.withDifferences(ctx, r)
}

func (s Services) withDifferences(ctx context.Context, r billing.Reconciliation) (*answer[reconciliation], error) {
	out := s.shownReconciliation(r)
	found, err := s.Invoices.Differences(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	handles, err := s.handles(ctx, idsOf(found, func(d billing.Difference) int64 { return d.Account }))
	if err != nil {
		return nil, err
	}
	carriers, err := s.carrierNames(ctx)
	for _, d := range found {
		one := difference{Kind: d.Kind, Account: handles[d.Account], Campaign: s.nameUnless0(secrets.Campaign, d.Campaign), Entry: s.nameUnless0(secrets.Entry, d.Entry),
			Invoice: s.nameUnless0(secrets.Invoice, d.Invoice), Carrier: carriers[d.Carrier], Detail: d.Detail, Expected: billing.Money(d.Expected), Found: billing.Money(d.Found)}
		for _, id := range d.Messages {
			one.Messages = append(one.Messages, s.Names.Of(secrets.Message, id))
		}
		for _, id := range d.Entries {
			one.Entries = append(one.Entries, s.Names.Of(secrets.Entry, id))
		}
		out.Found = append(out.Found, one)
	}
	return &answer[reconciliation]{Body: out}, err
}

func (s Services) nameUnless0(prefix string, id int64) string {
	if id == 0 {
		return ""
	}
	return s.Names.Of(prefix, id)
}

// carrierNames are by id.
func (s Services) carrierNames(ctx context.Context) (map[int64]string, error) {
	all, err := s.Queue.Routes(ctx)
	names := map[int64]string{}
	for _, r := range all {
		names[r.ID] = r.Name
	}
	return names, err
}

// carrierCost is what a part costs at a carrier.
type carrierCost struct {
	Carrier string    `json:"carrier" example:"main"`
	Country string    `json:"country" doc:"ISO 3166 alpha-2; * for what is not listed." example:"NO"`
	Price   money     `json:"price" doc:"Of one part."`
	From    time.Time `json:"from" doc:"Until there is another."`
}

func shownCost(c billing.Cost, carrier string) carrierCost {
	return carrierCost{carrier, c.Country, moneyOf(c.Micro, c.Currency), at(c.From)}
}

func (s Services) listCosts(ctx context.Context, _ *struct{}) (*answer[whole[carrierCost]], error) {
	all, err := s.Invoices.Costs(ctx)
	if err != nil {
		return nil, err
	}
	names, err := s.carrierNames(ctx)
	return wholeOf(all, func(c billing.Cost) carrierCost { return shownCost(c, names[c.Carrier]) }), err
}

type newCarrierCost struct {
	Carrier string    `json:"carrier" example:"main"`
	Country string    `json:"country,omitempty" doc:"ISO 3166 alpha-2; * or missing for what is not listed." example:"NO"`
	Price   money     `json:"price" doc:"Of one part."`
	From    time.Time `json:"from,omitzero" doc:"Now when it is missing."`
}

type setCost struct {
	Once
	Body newCarrierCost
}

func (s Services) setCost(ctx context.Context, in *setCost) (*answer[carrierCost], error) {
	carrier, err := s.Queue.Route(ctx, in.Body.Carrier)
	if err != nil {
		return nil, err
	}
	wanted := billing.Cost{Carrier: carrier.ID, Country: in.Body.Country, Currency: in.Body.Price.Currency, Micro: in.Body.Price.micro(), From: in.Body.From}
	id, err := in.Once.do(ctx, s, costsPath, in.Body, func(take accounts.Take) (int64, error) {
		c, err := s.Invoices.SetCost(ctx, wanted, time.Now(), billing.Also(take))
		return c.ID, err
	})
	if err != nil {
		return nil, err
	}
	all, err := s.Invoices.Costs(ctx)
	if err != nil {
		return nil, err
	}
	set := slices.IndexFunc(all, func(c billing.Cost) bool { return c.ID == id })
	if set < 0 {
		return nil, problem.NotFound("carrier_cost", "")
	}
	return &answer[carrierCost]{Body: shownCost(all[set], carrier.Name)}, nil
}

// margin is what a carrier earned and cost in a country.
type margin struct {
	Carrier  string `json:"carrier" example:"main"`
	Country  string `json:"country,omitempty" example:"NO"`
	Messages int    `json:"messages"`
	Parts    int    `json:"parts"`
	Revenue  money  `json:"revenue"`
	Cost     *money `json:"cost,omitempty" doc:"Missing where it is not known, or is in another currency."`
}

type readMargins struct {
	From string `query:"from" format:"date" doc:"The first day; 30 days ago when it is left out." example:"2026-10-01"`
	To   string `query:"to" format:"date" doc:"The last day; today when it is left out." example:"2026-10-31"`
}

func (s Services) readMargins(ctx context.Context, in *readMargins) (*answer[whole[margin]], error) {
	from, to := dateOf(in.From), dateOf(in.To)
	if in.To == "" {
		to = time.Now().UTC()
	}
	if in.From == "" {
		from = to.AddDate(0, 0, -30)
	}
	all, err := s.Invoices.Margins(ctx, from, to)
	if err != nil {
		return nil, err
	}
	names, err := s.carrierNames(ctx)
	return wholeOf(all, func(m billing.Margin) margin {
		out := margin{Carrier: names[m.Carrier], Country: m.Country, Messages: m.Messages, Parts: m.Parts, Revenue: moneyOf(m.Revenue, m.Currency)}
		if m.Known {
			out.Cost = new(moneyOf(m.Cost, m.Currency))
		}
		return out
	}), err
}
