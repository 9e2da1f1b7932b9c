package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

const (
	installationPath         = "/v1/installation"
	installationAccountsPath = installationPath + "/accounts"
	installationCarriersPath = installationPath + "/carriers"
	installationRoutesPath   = installationPath + "/routes"
	installationNumbersPath  = installationPath + "/numbers"
)

// installationRoutes are for the keys of those who run the installation.
func (s Services) installationRoutes(a huma.API) {
	const may, one = accounts.ScopeInstallation, installationCarriersPath + "/{name}"
	const senders = installationAccountsPath + "/{account}/senders"
	add(a, route{"GET", installationAccountsPath, "listAccounts", may, "List the accounts, the oldest first", http.StatusOK, false}, s.listAccounts)
	add(a, route{"POST", installationAccountsPath, "createAccount", may, "Open an account", http.StatusCreated, false}, s.createAccount)
	add(a, route{"GET", senders, "listSenders", may, "List what an account may send as; when the list is empty, as any valid sender", http.StatusOK, false}, s.listSenders)
	add(a, route{"POST", senders, "allowSender", may, "Let an account send as this; with one on its list it may send as nothing else", http.StatusOK, false}, s.allowSender)
	add(a, route{"DELETE", senders + "/{sender}", "removeSender", may, "Take a sender off an account's list", http.StatusNoContent, false}, s.removeSender)

	add(a, route{"GET", installationCarriersPath, "listCarriers", may, "List the carriers and how they stand", http.StatusOK, false}, s.listCarriers)
	add(a, route{"POST", installationCarriersPath, "addCarrier", may, "Configure a carrier", http.StatusCreated, false}, s.addCarrier)
	add(a, route{"GET", one, "readCarrier", may, "Read a carrier with what is no secret of its configuration", http.StatusOK, false}, s.readCarrier)
	add(a, route{"PATCH", one, "changeCarrier", may, "Change fields of a carrier's configuration; a running server takes it up", http.StatusOK, false}, s.changeCarrier)
	add(a, route{"POST", one + "/enable", "enableCarrier", may, "Let a carrier take messages", http.StatusOK, false}, s.turnCarrier(s.Queue.EnableRoute))
	add(a, route{"POST", one + "/disable", "disableCarrier", may, "End a carrier's link in order; what waits for it goes on waiting", http.StatusOK, false}, s.turnCarrier(s.Queue.DisableRoute))
	add(a, route{"DELETE", one, "removeCarrier", may, "Forget a carrier that is disabled and has nothing left to send or to hear", http.StatusNoContent, false}, s.removeCarrier)

	add(a, route{"GET", installationRoutesPath, "listRoutes", may, "List the rules which carrier takes what, in the order they were added", http.StatusOK, false}, s.listRouteRules)
	add(a, route{"POST", installationRoutesPath, "addRoute", may, "Say which carriers take what; the most specific rule decides", http.StatusCreated, false}, s.addRouteRule)
	add(a, route{"DELETE", installationRoutesPath + "/{id}", "removeRoute", may, "Remove a rule; what it has placed stays where it is", http.StatusNoContent, false}, s.removeRouteRule)

	add(a, route{"GET", installationNumbersPath, "listNumbers", may, "List the numbers that people can text, and whose they are", http.StatusOK, false}, s.listNumbers)
	add(a, route{"POST", installationNumbersPath, "addNumber", may, "Give an account a number that people can text", http.StatusCreated, false}, s.addNumber)
	add(a, route{"DELETE", installationNumbersPath + "/{number}", "removeNumber", may, "Take a number away from its account; what was received stays", http.StatusNoContent, false}, s.removeNumber)
}

// whole is a list that has no pages: there are never many.
type whole[T any] struct {
	Items []T `json:"items"`
}

func wholeOf[R, T any](rows []R, show func(R) T) *answer[whole[T]] {
	out := &answer[whole[T]]{Body: whole[T]{Items: []T{}}}
	for _, row := range rows {
		out.Body.Items = append(out.Body.Items, show(row))
	}
	return out
}

// account is a customer organisation.
type account struct {
	ID        string    `json:"id" doc:"Its name in paths." example:"acme"`
	Name      string    `json:"name" doc:"The organisation's." example:"Acme AS"`
	Region    string    `json:"region" doc:"ISO 3166 alpha-2: how numbers without a country code are read." example:"NO"`
	Sender    string    `json:"sender,omitempty" doc:"Of messages that name none." example:"ACME"`
	Currency  string    `json:"currency" example:"EUR"`
	State     string    `json:"state" enum:"active,closed"`
	CreatedAt time.Time `json:"created_at"`
}

func shownAccount(a accounts.Account) account {
	return account{a.Handle, a.Name, a.Region, a.Sender, a.Currency, a.State, at(a.Created)}
}

func (s Services) accountName(a accounts.Account) string { return s.Names.Of(secrets.Account, a.ID) }

type listAccounts struct{ Page }

func (s Services) listAccounts(ctx context.Context, in *listAccounts) (*answer[list[account]], error) {
	after, err := in.from(s.Names, secrets.Account)
	if err != nil {
		return nil, err
	}
	rows, err := s.Accounts.List(ctx, after, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return pageOf(rows, in.Limit, shownAccount, s.accountName), nil
}

type newAccount struct {
	ID     string `json:"id" doc:"2 to 40 small letters, digits and hyphens." example:"acme"`
	Name   string `json:"name" doc:"The organisation's name." example:"Acme AS"`
	Region string `json:"region" doc:"ISO 3166 alpha-2." example:"NO"`
	Sender string `json:"sender,omitempty" example:"ACME"`

	Currency  string `json:"currency,omitempty" doc:"ISO 4217; EUR when it is missing. It does not change." example:"EUR"`
	Plan      string `json:"plan,omitempty" doc:"The first plan when it is missing." example:"everything"`
	PriceList string `json:"price_list,omitempty" doc:"One of the account's own; its plan's when it is missing." example:"standard"`
}

type createAccount struct{ Body newAccount }

func (s Services) createAccount(ctx context.Context, in *createAccount) (*answer[account], error) {
	b := in.Body
	acc, err := s.Accounts.Create(ctx, accounts.Account{Handle: b.ID, Name: b.Name, Region: b.Region, Sender: b.Sender, Currency: b.Currency},
		func(ctx context.Context, tx *db.Tx, acc accounts.Account) error {
			return s.Plans.Open(ctx, tx, acc.ID, acc.Currency, billing.Assignment{Plan: b.Plan, List: b.PriceList})
		})
	if err != nil {
		return nil, err
	}
	return &answer[account]{Body: shownAccount(acc)}, nil
}

type ofAccount struct {
	Account string `path:"account" example:"acme"`
}

type sender struct {
	Sender    string    `json:"sender" example:"ACME"`
	CreatedAt time.Time `json:"created_at"`
}

func shownSender(one smsqueue.AllowedSender) sender { return sender{one.Sender, at(one.Created)} }

func (s Services) listSenders(ctx context.Context, in *ofAccount) (*answer[whole[sender]], error) {
	acc, err := s.Accounts.ByHandle(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	all, err := s.Queue.AllowedSenders(ctx, acc.ID)
	if err != nil {
		return nil, err
	}
	return wholeOf(all, shownSender), nil
}

type newSender struct {
	Sender string `json:"sender" doc:"3 to 11 letters and digits beginning with a letter, a number or a short code." example:"ACME"`
}

type allowSender struct {
	Account string `path:"account" example:"acme"`
	Body    newSender
}

func (s Services) allowSender(ctx context.Context, in *allowSender) (*answer[sender], error) {
	acc, err := s.Accounts.ByHandle(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	one, err := s.Queue.AllowSender(ctx, acc.ID, in.Body.Sender)
	if err != nil {
		return nil, err
	}
	return &answer[sender]{Body: shownSender(one)}, nil
}

type removeSender struct {
	Account string `path:"account" example:"acme"`
	Sender  string `path:"sender" example:"ACME"`
}

func (s Services) removeSender(ctx context.Context, in *removeSender) (*struct{}, error) {
	acc, err := s.Accounts.ByHandle(ctx, in.Account)
	if err != nil {
		return nil, err
	}
	return nil, s.Queue.DisallowSender(ctx, acc.ID, unescaped(in.Sender))
}

// unescaped is a part of a path as it was meant.
func unescaped(part string) string {
	if meant, err := url.PathUnescape(part); err == nil {
		return meant
	}
	return part
}

// carrier is how a carrier stands.
type carrier struct {
	Name        string         `json:"name" example:"main"`
	Type        string         `json:"type" example:"smpp"`
	Enabled     bool           `json:"enabled"`
	Status      string         `json:"status" doc:"Of its links; idle while no process has one." example:"bound"`
	Reason      string         `json:"reason,omitempty" doc:"What keeps a link from being up, in the carrier's words."`
	Since       time.Time      `json:"since"`
	Waiting     int            `json:"waiting" doc:"Messages that are not handed to it yet, at the most."`
	Why         []string       `json:"why" doc:"Codes of what keeps them."`
	Config      map[string]any `json:"config,omitempty" doc:"What is no secret of its configuration, when one carrier is read. A field that is missing may be set."`
	CallbackURL string         `json:"callback_url,omitempty" doc:"Where its provider posts receipts and messages, when one carrier is read: an address that is a secret."`
}

func shownCarrier(s smsqueue.Standing) carrier {
	out := carrier{Name: s.Name, Type: s.Type, Enabled: s.Enabled, Status: string(s.Status), Reason: s.Reason, Since: at(s.Since), Waiting: s.Waiting, Why: []string{}}
	for _, r := range s.Why {
		out.Why = append(out.Why, r.Code)
	}
	return out
}

func (s Services) standings(ctx context.Context) ([]smsqueue.Standing, error) {
	working, err := s.Queue.Working(ctx)
	if err != nil {
		return nil, err
	}
	return s.Queue.Standings(ctx, working)
}

func (s Services) listCarriers(ctx context.Context, _ *struct{}) (*answer[whole[carrier]], error) {
	all, err := s.standings(ctx)
	if err != nil {
		return nil, err
	}
	return wholeOf(all, shownCarrier), nil
}

type oneCarrier struct {
	Name string `path:"name" example:"main"`
}

func (s Services) readCarrier(ctx context.Context, in *oneCarrier) (*answer[carrier], error) {
	all, err := s.standings(ctx)
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		if one.Name == in.Name {
			return s.wholeCarrier(ctx, one)
		}
	}
	return nil, problem.NotFound("carrier", in.Name)
}

func (s Services) wholeCarrier(ctx context.Context, one smsqueue.Standing) (*answer[carrier], error) {
	shown, err := s.Queue.ShownConfig(ctx, one.Name)
	if err != nil {
		return nil, err
	}
	out := shownCarrier(one)
	out.CallbackURL = one.CallbackURL
	if err := json.Unmarshal(shown, &out.Config); err != nil {
		return nil, err
	}
	return &answer[carrier]{Body: out}, nil
}

type newCarrier struct {
	Name   string         `json:"name" doc:"Up to 40 small letters, digits and hyphens." example:"main"`
	Type   string         `json:"type" example:"smpp"`
	Config map[string]any `json:"config" doc:"As the type wants it; see the page on carriers." example:"{\"addr\": \"smpp.example.com:2775\", \"system_id\": \"varsel\", \"password\": \"secret\"}"`
}

type addCarrier struct{ Body newCarrier }

func (s Services) addCarrier(ctx context.Context, in *addCarrier) (*answer[carrier], error) {
	config, err := json.Marshal(in.Body.Config)
	if err != nil {
		return nil, err
	}
	r, err := s.Queue.AddRoute(ctx, in.Body.Name, in.Body.Type, config)
	if err != nil {
		return nil, err
	}
	return s.readCarrier(ctx, &oneCarrier{r.Name})
}

type newConfig struct {
	Config map[string]any `json:"config" doc:"The fields to change. One that is null is taken away (RFC 7396), and the rest stays."`
}

type changeCarrier struct {
	Name string `path:"name" example:"main"`
	Body newConfig
}

func (s Services) changeCarrier(ctx context.Context, in *changeCarrier) (*answer[carrier], error) {
	patch, err := json.Marshal(in.Body.Config)
	if err != nil {
		return nil, err
	}
	if _, err := s.Queue.MendRoute(ctx, in.Name, patch); err != nil {
		return nil, err
	}
	return s.readCarrier(ctx, &oneCarrier{in.Name})
}

// turnCarrier is enable and disable.
func (s Services) turnCarrier(turn func(context.Context, string) error) func(context.Context, *oneCarrier) (*answer[carrier], error) {
	return func(ctx context.Context, in *oneCarrier) (*answer[carrier], error) {
		if err := turn(ctx, in.Name); err != nil {
			return nil, err
		}
		return s.readCarrier(ctx, in)
	}
}

func (s Services) removeCarrier(ctx context.Context, in *oneCarrier) (*struct{}, error) {
	return nil, s.Queue.RemoveRoute(ctx, in.Name)
}

// routeRule says which carriers take what. What is missing may be anything.
type routeRule struct {
	ID        string         `json:"id" example:"rul_0t3kzjv5m6n8q9x2w4y7b1c0df"`
	Account   string         `json:"account,omitempty" example:"acme"`
	Country   string         `json:"country,omitempty" example:"NO"`
	Prefix    string         `json:"prefix,omitempty" example:"+4790"`
	Lane      string         `json:"lane,omitempty" enum:"urgent,normal,bulk"`
	Sender    string         `json:"sender,omitempty" example:"ACME"`
	Carriers  []carrierShare `json:"carriers"`
	CreatedAt time.Time      `json:"created_at"`
}

type carrierShare struct {
	Carrier string `json:"carrier" example:"main"`
	Weight  int    `json:"weight,omitempty" minimum:"0" maximum:"100" doc:"Its part of what those with a weight divide; 0 is a fallback, which takes what none of those can." example:"70"`
}

func (s Services) routeRule(r smsqueue.Rule) routeRule {
	out := routeRule{ID: s.Names.Of(secrets.RouteRule, r.ID), Account: r.Account, Country: r.Country, Prefix: r.Prefix, Lane: string(r.Lane), Sender: r.Sender,
		Carriers: []carrierShare{}, CreatedAt: at(r.Created)}
	for _, share := range r.Shares {
		out.Carriers = append(out.Carriers, carrierShare(share))
	}
	return out
}

func (s Services) listRouteRules(ctx context.Context, _ *struct{}) (*answer[whole[routeRule]], error) {
	all, err := s.Queue.RouteRules(ctx)
	if err != nil {
		return nil, err
	}
	return wholeOf(all, s.routeRule), nil
}

type newRouteRule struct {
	Account  string         `json:"account,omitempty" doc:"Only what this account sends." example:"acme"`
	Country  string         `json:"country,omitempty" doc:"Only to numbers of this country." example:"NO"`
	Prefix   string         `json:"prefix,omitempty" doc:"Only to numbers that begin so." example:"+4790"`
	Lane     lane           `json:"lane,omitempty" doc:"Only this lane."`
	Sender   string         `json:"sender,omitempty" doc:"Only what has this sender." example:"ACME"`
	Carriers []carrierShare `json:"carriers" doc:"In their order."`
}

type addRouteRule struct{ Body newRouteRule }

func (s Services) addRouteRule(ctx context.Context, in *addRouteRule) (*made[routeRule], error) {
	b := in.Body
	r := smsqueue.Rule{Account: b.Account, Country: b.Country, Prefix: b.Prefix, Lane: smsqueue.Lane(b.Lane), Sender: b.Sender}
	for _, share := range b.Carriers {
		r.Shares = append(r.Shares, smsqueue.RuleShare(share))
	}
	r, err := s.Queue.AddRule(ctx, r)
	if err != nil {
		return nil, err
	}
	shown := s.routeRule(r)
	return &made[routeRule]{Location: installationRoutesPath + "/" + shown.ID, Body: shown}, nil
}

type oneRouteRule struct {
	ID string `path:"id" doc:"rul_..."`
}

func (s Services) removeRouteRule(ctx context.Context, in *oneRouteRule) (*struct{}, error) {
	id, err := s.Names.ID(secrets.RouteRule, in.ID)
	if err != nil {
		return nil, err
	}
	return nil, s.Queue.RemoveRule(ctx, id)
}

// number is one that people can text.
type number struct {
	Number    string    `json:"number" doc:"E.164, or a short code." example:"+4759440000"`
	Account   string    `json:"account" doc:"Who receives what is texted to it." example:"acme"`
	Carrier   string    `json:"carrier,omitempty" doc:"The carrier it is at; any, when it is missing." example:"main"`
	CreatedAt time.Time `json:"created_at"`
}

func shownNumber(n smsqueue.Number) number {
	return number{n.Number, n.Handle, n.Carrier, at(n.Created)}
}

func (s Services) listNumbers(ctx context.Context, _ *struct{}) (*answer[whole[number]], error) {
	all, err := s.Queue.Numbers(ctx)
	if err != nil {
		return nil, err
	}
	return wholeOf(all, shownNumber), nil
}

type newNumber struct {
	Number  string `json:"number" example:"+4759440000"`
	Account string `json:"account" example:"acme"`
	Carrier string `json:"carrier,omitempty" example:"main"`
}

type addNumber struct{ Body newNumber }

func (s Services) addNumber(ctx context.Context, in *addNumber) (*answer[number], error) {
	acc, err := s.Accounts.ByHandle(ctx, in.Body.Account)
	if err != nil {
		return nil, err
	}
	n, err := s.Queue.AddNumber(ctx, acc.ID, in.Body.Number, in.Body.Carrier)
	if err != nil {
		return nil, err
	}
	n.Handle = acc.Handle
	return &answer[number]{Body: shownNumber(n)}, nil
}

type removeNumber struct {
	Number  string `path:"number" example:"+4759440000"`
	Carrier string `query:"carrier" doc:"As it was added."`
}

func (s Services) removeNumber(ctx context.Context, in *removeNumber) (*struct{}, error) {
	return nil, s.Queue.RemoveNumber(ctx, unescaped(in.Number), in.Carrier)
}
