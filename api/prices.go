package api

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

const (
	planPath       = "/v1/plan"
	pricesPath     = "/v1/prices"
	plansPath      = installationPath + "/plans"
	priceListsPath = installationPath + "/price-lists"
)

// priceRoutes: an account reads its own; operators keep the plans and the lists.
func (s Services) priceRoutes(a huma.API) {
	const read, may = accounts.ScopeBillingRead, accounts.ScopeInstallation
	const ofAccount, versions = installationAccountsPath + "/{account}/plan", priceListsPath + "/{list}/versions"
	add(a, route{"GET", planPath, "readPlan", read, "Read the account's plan, and what its directories have come to in the periods under way", http.StatusOK, false}, s.readPlan)
	add(a, route{"GET", pricesPath, "listPrices", read, "List what a part costs the account now, by country and lane", http.StatusOK, false}, s.listPrices)
	addFile(a, []string{csvType}, route{"GET", pricesPath + "/files/{kind}", "downloadPrices", read, "Download what a part costs the account now, as CSV", http.StatusOK, false}, s.downloadPrices)

	add(a, route{"GET", plansPath, "listPlans", may, "List the plans", http.StatusOK, false}, s.listPlans)
	add(a, route{"POST", plansPath, "setPlan", may, "Make a plan, or change the one with that name", http.StatusOK, false}, s.setPlan)
	add(a, route{"GET", ofAccount, "readAccountPlan", may, "Read which plans an account has had, has and will have, the latest first", http.StatusOK, false}, s.readAccountPlan)
	add(a, route{"POST", ofAccount, "assignPlan", may, "Give an account a plan from now or from a later time on; what was decided for later is replaced", http.StatusOK, false}, s.assignPlan)
	add(a, route{"GET", priceListsPath, "listPriceLists", may, "List the price lists", http.StatusOK, false}, s.listPriceLists)
	add(a, route{"POST", priceListsPath, "createPriceList", may, "Begin a price list; it has no prices until a version is added", http.StatusCreated, true}, s.createPriceList)
	add(a, route{"GET", versions, "listPriceVersions", may, "List the versions of a price list, the latest first", http.StatusOK, false}, s.listPriceVersions)
	add(a, route{"POST", versions, "addPriceVersion", may, "Add a version with its prices; it does not change", http.StatusCreated, true}, s.addPriceVersion)
	add(a, route{"GET", versions + "/{id}", "readPriceVersion", may, "Read a version with its prices", http.StatusOK, false}, s.readPriceVersion)
	add(a, route{"POST", versions + "/{id}/withdraw", "withdrawPriceVersion", may, "End a version that is not valid yet", http.StatusOK, false}, s.withdrawPriceVersion)
}

type plan struct {
	Name           string   `json:"name" example:"everything"`
	Capabilities   []string `json:"capabilities" doc:"What it includes besides messages: cards, directory."`
	PriceList      string   `json:"price_list" example:"standard"`
	DirectoryPrice money    `json:"directory_price" doc:"A month, for each connected directory."`
	Anchor         int      `json:"anchor" doc:"Day of the month on which a directory's periods begin."`
}

func shownPlan(p billing.Plan) plan {
	out := plan{Name: p.Name, Capabilities: []string{}, PriceList: p.List.Name, DirectoryPrice: moneyOf(p.DirectoryMicro, p.List.Currency), Anchor: p.Anchor}
	out.Capabilities = append(out.Capabilities, p.Capabilities...)
	return out
}

// planTerm is a plan as an account has it for a time.
type planTerm struct {
	Plan      plan      `json:"plan"`
	PriceList string    `json:"price_list" doc:"That counts: the account's own, else its plan's."`
	From      time.Time `json:"from,omitzero" doc:"Missing for since the account was opened."`
	Until     time.Time `json:"until,omitzero" doc:"Missing for what goes on."`
}

func shownTerm(t billing.Term) planTerm {
	return planTerm{shownPlan(t.Plan), t.List().Name, at(t.From), at(t.Until)}
}

type ownPlan struct {
	planTerm
	Next        *planTerm      `json:"next,omitempty" doc:"What was decided for later."`
	Directories []directoryFee `json:"directories" doc:"That were connected in their periods under way."`
}

type directoryFee struct {
	ID     string `json:"id" doc:"dir_..."`
	From   string `json:"from" format:"date" doc:"First day of the period."`
	To     string `json:"to" format:"date" doc:"Last day of it. The period is charged when it is over."`
	Days   int    `json:"days" doc:"On which it was connected so far."`
	Amount money  `json:"amount" doc:"What those days come to."`
}

func (s Services) readPlan(ctx context.Context, _ *struct{}) (*answer[ownPlan], error) {
	terms, err := s.Plans.Terms(ctx, accountOf(ctx))
	if err != nil {
		return nil, err
	}
	fees, err := s.Subscriptions.Running(ctx, accountOf(ctx))
	if err != nil {
		return nil, err
	}
	now, later := billing.Now(terms, time.Now())
	out := ownPlan{planTerm: shownTerm(now), Directories: []directoryFee{}}
	if later != nil {
		out.Next = new(shownTerm(*later))
	}
	for _, f := range fees {
		out.Directories = append(out.Directories, directoryFee{f.Key, dateText(f.Whole.From), dateText(f.Whole.To), f.Days, moneyOf(f.Micro, now.Plan.List.Currency)})
	}
	return &answer[ownPlan]{Body: out}, nil
}

// price is what a part costs.
type price struct {
	Country string `json:"country" doc:"ISO 3166-1 alpha-2; * is every country that is not listed." example:"NO"`
	Lane    string `json:"lane" doc:"* is every lane that is not listed for the country." enum:"urgent,normal,bulk,*" example:"*"`
	Price   string `json:"price" doc:"Of one part, without VAT. A decimal." example:"0.045"`
}

func shownPrices(all []billing.Price) []price {
	out := make([]price, 0, len(all))
	for _, p := range all {
		out = append(out, price{p.Country, p.Lane, billing.Money(p.Micro)})
	}
	return out
}

type priceTable struct {
	Currency string  `json:"currency" example:"EUR"`
	Items    []price `json:"items"`
}

func (s Services) ownPrices(ctx context.Context) (billing.Book, []billing.Price, error) {
	book, err := s.PriceLists.CurrentBook(ctx, accountOf(ctx))
	if err != nil {
		return book, nil, err
	}
	all, err := s.PriceLists.Prices(ctx, book.ID)
	return book, all, err
}

func (s Services) listPrices(ctx context.Context, _ *struct{}) (*answer[priceTable], error) {
	book, all, err := s.ownPrices(ctx)
	return &answer[priceTable]{Body: priceTable{book.Currency, shownPrices(all)}}, err
}

type priceFile struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

type oneKind struct {
	Kind string `path:"kind" enum:"csv"`
}

func (s Services) downloadPrices(ctx context.Context, _ *oneKind) (*priceFile, error) {
	book, all, err := s.ownPrices(ctx)
	if err != nil {
		return nil, err
	}
	var file bytes.Buffer
	err = billing.WritePrices(&file, all)
	return &priceFile{csvFileType, `attachment; filename="prices-` + book.Currency + `.csv"`, file.Bytes()}, err
}

func (s Services) listPlans(ctx context.Context, _ *struct{}) (*answer[whole[plan]], error) {
	all, err := s.Plans.All(ctx)
	if err != nil {
		return nil, err
	}
	return wholeOf(all, shownPlan), nil
}

type newPlan struct {
	Name           string   `json:"name" doc:"2 to 40 small letters, digits and hyphens." example:"ultima"`
	Capabilities   []string `json:"capabilities" doc:"What it includes besides messages: cards, directory."`
	PriceList      string   `json:"price_list" example:"standard"`
	DirectoryPrice string   `json:"directory_price,omitempty" doc:"A month, for each connected directory, in the price list's currency. When it is missing, as it is: a new plan needs it." pattern:"^[0-9]{1,7}([.][0-9]{1,6})?$" patternDescription:"a decimal with at most six decimals" example:"99"`
	Anchor         int      `json:"anchor,omitempty" minimum:"1" maximum:"31" doc:"Day of the month on which a directory's periods begin. Directories that are connected keep theirs. When it is missing, as it is, and of a new plan the 1st."`
}

type setPlan struct{ Body newPlan }

func (s Services) setPlan(ctx context.Context, in *setPlan) (*answer[plan], error) {
	n := billing.NewPlan{Name: in.Body.Name, Capabilities: in.Body.Capabilities, List: in.Body.PriceList, Anchor: in.Body.Anchor}
	if in.Body.DirectoryPrice != "" {
		micro, err := billing.ReadPrice(in.Body.DirectoryPrice)
		if err != nil {
			return nil, placed(err, always("directory_price"))
		}
		n.DirectoryMicro = &micro
	}
	p, err := s.Plans.Set(ctx, n)
	return &answer[plan]{Body: shownPlan(p)}, err
}

func (s Services) readAccountPlan(ctx context.Context, in *ofAccount) (*answer[whole[planTerm]], error) {
	acc, err := s.Accounts.ByHandle(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	all, err := s.Plans.Terms(ctx, acc.ID)
	if err != nil {
		return nil, err
	}
	return wholeOf(all, shownTerm), nil
}

type newTerm struct {
	Plan      string    `json:"plan" example:"ultima"`
	PriceList string    `json:"price_list,omitempty" doc:"One of the account's own; its plan's when it is missing." example:"standard"`
	From      time.Time `json:"from,omitzero" doc:"Now when it is missing."`
}

type assignPlan struct {
	Account string `path:"account" example:"acme"`
	Body    newTerm
}

func (s Services) assignPlan(ctx context.Context, in *assignPlan) (*answer[planTerm], error) {
	acc, err := s.Accounts.ByHandle(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	t, err := s.Plans.Assign(ctx, acc.ID, billing.Assignment{Plan: in.Body.Plan, List: in.Body.PriceList, From: in.Body.From})
	return &answer[planTerm]{Body: shownTerm(t)}, err
}

type priceList struct {
	Name      string    `json:"name" example:"standard"`
	Currency  string    `json:"currency" example:"EUR"`
	CreatedAt time.Time `json:"created_at,omitzero"`
}

func shownList(l billing.PriceList) priceList { return priceList{l.Name, l.Currency, at(l.Created)} }

func (s Services) listPriceLists(ctx context.Context, _ *struct{}) (*answer[whole[priceList]], error) {
	all, err := s.PriceLists.All(ctx)
	if err != nil {
		return nil, err
	}
	return wholeOf(all, shownList), nil
}

type newPriceList struct {
	Name     string `json:"name" doc:"2 to 40 small letters, digits and hyphens." example:"norway"`
	Currency string `json:"currency" doc:"ISO 4217." example:"NOK"`
}

type createPriceList struct {
	Once
	Body newPriceList
}

func (s Services) createPriceList(ctx context.Context, in *createPriceList) (*made[priceList], error) {
	_, err := in.Once.do(ctx, s, priceListsPath, in.Body, func(take accounts.Take) (int64, error) {
		l, err := s.PriceLists.Create(ctx, in.Body.Name, in.Body.Currency, billing.Also(take))
		return l.ID, err
	})
	if err != nil {
		return nil, err
	}
	l, err := s.PriceLists.ByName(ctx, in.Body.Name)
	return &made[priceList]{Location: priceListsPath + "/" + l.Name + "/versions", Body: shownList(l)}, err
}

type priceVersion struct {
	ID          string    `json:"id" example:"prv_0t3kzjv5m6n8q9x2w4y7b1c0df"`
	ValidFrom   time.Time `json:"valid_from,omitzero"`
	Count       int       `json:"count" doc:"How many prices it has."`
	WithdrawnAt time.Time `json:"withdrawn_at,omitzero"`
	CreatedAt   time.Time `json:"created_at,omitzero"`
	Prices      []price   `json:"prices,omitempty" doc:"When one version is read."`
}

func (s Services) shownVersion(v billing.Version) priceVersion {
	return priceVersion{ID: s.Names.Of(secrets.PriceVersion, v.ID), ValidFrom: at(v.From), Count: v.Prices, WithdrawnAt: at(v.Withdrawn), CreatedAt: at(v.Created)}
}

type ofPriceList struct {
	List string `path:"list" example:"standard"`
}

func (s Services) listPriceVersions(ctx context.Context, in *ofPriceList) (*answer[whole[priceVersion]], error) {
	l, err := s.PriceLists.ByName(ctx, in.List)
	if err != nil {
		return nil, err
	}
	all, err := s.PriceLists.Versions(ctx, l.ID)
	if err != nil {
		return nil, err
	}
	return wholeOf(all, s.shownVersion), nil
}

type newPrice struct {
	Country string `json:"country" doc:"ISO 3166-1 alpha-2; * is every country that is not listed." pattern:"^([A-Z]{2}|[*])$" patternDescription:"a country code or *" example:"NO"`
	Lane    string `json:"lane" doc:"* is every lane that is not listed for the country." enum:"urgent,normal,bulk,*" example:"*"`
	Price   string `json:"price" doc:"Of one part, without VAT." pattern:"^[0-9]{1,7}([.][0-9]{1,6})?$" patternDescription:"a decimal with at most six decimals" example:"0.045"`
}

type newPriceVersion struct {
	ValidFrom time.Time  `json:"valid_from,omitzero" doc:"Now when it is missing."`
	Prices    []newPrice `json:"prices,omitempty" doc:"These, or csv."`
	CSV       string     `json:"csv,omitempty" doc:"The columns country, lane and price with their names in the first row."`
}

type addPriceVersion struct {
	Once
	List string `path:"list" example:"standard"`
	Body newPriceVersion
}

// place says where in the body a field is: prices may have been given as CSV.
func (b newPriceVersion) place(field string) string {
	if field == "prices" && b.CSV != "" {
		return "csv"
	}
	return field
}

func (b newPriceVersion) prices() (all []billing.Price, err error) {
	if b.CSV != "" {
		if len(b.Prices) > 0 {
			return nil, problem.Invalid("prices", "give prices or csv, not both")
		}
		all, err = billing.ParsePrices([]byte(b.CSV))
		return all, placed(err, always("csv"))
	}
	for i, p := range b.Prices {
		micro, err := billing.ReadPrice(p.Price)
		if err != nil {
			return nil, placed(err, always(fmt.Sprintf("prices/%d/price", i)))
		}
		all = append(all, billing.Price{Country: p.Country, Lane: p.Lane, Micro: micro})
	}
	return all, nil
}

func (s Services) addPriceVersion(ctx context.Context, in *addPriceVersion) (*made[priceVersion], error) {
	l, err := s.PriceLists.ByName(ctx, in.List)
	if err != nil {
		return nil, err
	}
	prices, err := in.Body.prices()
	if err != nil {
		return nil, err
	}
	path := priceListsPath + "/" + l.Name + "/versions"
	id, err := in.Once.do(ctx, s, path, in.Body, func(take accounts.Take) (int64, error) {
		v, err := s.PriceLists.Add(ctx, l.ID, in.Body.ValidFrom, prices, billing.Also(take))
		return v.ID, err
	})
	if err != nil {
		return nil, placed(err, in.Body.place)
	}
	v, err := s.PriceLists.Version(ctx, l.ID, id)
	shown := s.shownVersion(v)
	return &made[priceVersion]{Location: path + "/" + shown.ID, Body: shown}, err
}

type onePriceVersion struct {
	List string `path:"list" example:"standard"`
	ID   string `path:"id" doc:"prv_..."`
}

func (s Services) versionOf(ctx context.Context, in *onePriceVersion) (billing.Version, error) {
	l, err := s.PriceLists.ByName(ctx, in.List)
	if err != nil {
		return billing.Version{}, err
	}
	id, err := s.Names.ID(secrets.PriceVersion, in.ID)
	if err != nil {
		return billing.Version{}, err
	}
	return s.PriceLists.Version(ctx, l.ID, id)
}

func (s Services) readPriceVersion(ctx context.Context, in *onePriceVersion) (*answer[priceVersion], error) {
	v, err := s.versionOf(ctx, in)
	if err != nil {
		return nil, err
	}
	all, err := s.PriceLists.Prices(ctx, v.ID)
	out := s.shownVersion(v)
	out.Prices = shownPrices(all)
	return &answer[priceVersion]{Body: out}, err
}

func (s Services) withdrawPriceVersion(ctx context.Context, in *onePriceVersion) (*answer[priceVersion], error) {
	v, err := s.versionOf(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := s.PriceLists.Withdraw(ctx, v.List, v.ID); err != nil {
		return nil, err
	}
	v, err = s.PriceLists.Version(ctx, v.List, v.ID)
	return &answer[priceVersion]{Body: s.shownVersion(v)}, err
}
