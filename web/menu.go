package web

import (
	"slices"

	"github.com/gofiber/fiber/v2"
)

const (
	accountPath      = "/account"
	installationPath = "/installation"
)

// menuItem is a page that a menu leads to. Lead is empty where the title says it all.
type menuItem struct{ Path, Title, Lead string }

var (
	accountMenu = []menuItem{
		{agreementPath, "agreement_title", "agreement_lead"},
		{AccountSubProcessorsPath, "sub_title", "sub_lead"},
		{privacyPath, "privacy_title", "privacy_lead"},
		{retentionPath, "retention_title", "retention_lead"},
		{registerPath, "register_title", "register_lead"},
		{pricesPath, "prices_title", "prices_lead"},
		{usagePath, "usage_title", "usage_lead"},
		{balancePath, "balance_title", "balance_lead"},
		{invoicesPath, "invoices_title", "invoices_lead"},
		{budgetsPath, "budgets_title", "budgets_lead"},
		{teamsPath, "teams_title", "teams_lead"},
		{keysPath, "keys_title", "keys_lead"},
		{auditPath, "audit_title", "audit_lead"},
		{leavePath, "leave_title", "leave_lead"},
	}
	installationMenu = []menuItem{
		{carriersPath, "carriers_title", "carriers_lead"},
		{routesPath, "routes_title", "routes_lead"},
		{sendersPath, "senders_title", "senders_lead"},
		{installationAgreementsPath, "agreements_title", "agreements_lead"},
		{deskPath, "sub_title", "sub_desk_lead"},
		{allRegisterPath, "register_title", "register_lead_installation"},
		{plansPath, "plans_title", "plans_lead"},
		{priceListsPath, "price_lists_title", "price_lists_lead"},
		{billingsPath, "billing_title", "billing_lead"},
		{allInvoicesPath, "invoices_title", "invoices_all_lead"},
		{booksPath, "books_title", "books_lead"},
		{operatorsKeysPath, "keys_title", "keys_lead_operators"},
		{installationAuditPath, "audit_title", "audit_lead_installation"},
	}
)

type menuPage struct {
	Title string
	Items []menuItem
}

func (menuPage) template() string { return "menu" }

// menu shows which of the pages the visitor may open.
func (w *site) menu(items []menuItem) func(c *fiber.Ctx, v visit) error {
	return func(c *fiber.Ctx, v visit) error {
		p := menuPage{Title: "nav_account"}
		if c.Path() == installationPath {
			p.Title = "nav_installation"
		}
		routes := w.routes()
		for _, i := range items {
			at := slices.IndexFunc(routes, func(r route) bool { return r.method == fiber.MethodGet && r.path == i.Path })
			if at >= 0 && v.mayOpen(routes[at].access) == nil {
				p.Items = append(p.Items, i)
			}
		}
		return render(c, p)
	}
}
