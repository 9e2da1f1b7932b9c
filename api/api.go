// Package api is the HTTP API: JSON under /v1, described by /openapi.json and
// readable at /docs. It knows statuses, headers and the shape of documents; the
// rules are in the rooms that it calls.
package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/internal/trail"
	"github.com/varsel/varsel/internal/uploads"
	"github.com/varsel/varsel/privacy"
	"github.com/varsel/varsel/smsqueue"
)

// Services is what the API serves from.
type Services struct {
	Accounts  *accounts.Accounts
	Book      *contacts.Book
	Directory *directory.Directory
	Queue     *smsqueue.Queue
	Privacy   *privacy.Desk
	Names     *secrets.Names
	Trail     *trail.Trail
	Invoices  *billing.Invoices
	Ledger    *billing.Ledger
	Budgets   *billing.Budgets
	Teams     *billing.Teams

	Plans         *billing.Plans
	PriceLists    *billing.PriceLists
	Subscriptions *billing.Subscriptions

	Cards     *cards.Cards
	Ready     func(ctx context.Context) error // nil when requests can be served
	PublicURL string                          // without a slash at its end; empty: links are as the request was addressed
}

// Mount adds the API's routes to app. The app must be Immutable, as strings of
// a request are kept; ErrorHandler belongs in its configuration.
func Mount(app *fiber.App, s Services) {
	if !app.Config().Immutable {
		panic("api: the fiber.App must be Immutable")
	}
	config := configuration()
	page := newReference(config.OpenAPI)
	api := humafiber.NewWithGroup(app, withHead{app}, config)
	api.UseMiddleware(guard, s.authenticate, s.record)
	uploads.Allow(app.Server(), importsPath, importLimit)
	uploads.Allow(app.Server(), suppressionImportsPath, importLimit)
	uploads.Allow(app.Server(), cardImagesPath, cardImageLimit)
	uploads.Allow(app.Server(), agreementUploadPath, agreementUploadLimit)
	s.routes(api)
	s.notifications(app)
	s.callbacks(app)
	page.mount(app)
	s.scimRoutes(app)
}

// withHead answers HEAD wherever GET is answered (RFC 9110 9.1).
type withHead struct{ fiber.Router }

func (w withHead) Add(method, path string, handlers ...fiber.Handler) fiber.Router {
	if method == fiber.MethodGet {
		w.Router.Add(fiber.MethodHead, path, handlers...)
	}
	return w.Router.Add(method, path, handlers...)
}

// keyScheme names the API key among the OpenAPI document's security schemes.
const keyScheme = "api_key"

func configuration() huma.Config {
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title:       "Varsel API",
				Version:     "1",
				Description: "Send SMS to people and groups, follow what became of them, keep the address book and the business cards of its people, and read what it costs: plans, prices, budgets, the ledger and invoices.",
			},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{keyScheme: {
					Type: "http", Scheme: "bearer", BearerFormat: "vk_...",
					Description: "An API key. Its account is the only one that a request sees.",
				}},
			},
		},
		Formats:                      map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
	}
}

// huma keeps these in variables of its package, and nothing else in the program
// uses it.
func init() {
	huma.NewErrorWithContext = refuse
	huma.NewError = func(status int, text string, errs ...error) huma.StatusError {
		return refuse(nil, status, text, errs...)
	}
	huma.ValidateStrictCasing = true
	huma.DefaultArrayNullable = false
}

// answer is a response with a body.
type answer[T any] struct {
	Body T
}

// made is the response to a request that made something.
type made[T any] struct {
	Location string `header:"Location" doc:"Where it can be read."`
	Body     T
}
