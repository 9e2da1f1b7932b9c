// Package web is the console: pages for the people who send, rendered on the
// server and usable without JavaScript. One small module adds what moves: a
// campaign's progress and the count beside a text that is being written.
package web

import (
	"context"
	"net/url"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/internal/trail"
	"github.com/varsel/varsel/internal/uploads"
	"github.com/varsel/varsel/privacy"
	"github.com/varsel/varsel/smsqueue"
)

// Services is what the pages show and do.
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
	Cards         *cards.Cards

	PublicURL string          // as people type it; https makes the cookies Secure
	Stop      <-chan struct{} // closed when the process ends: streams end on it
}

// Mount adds the pages to app. Its configuration (Immutable: true) and its
// error handler are the caller's; ErrorPage is there for the latter. Stop is to
// be closed before app is shut down, or open pages hold the shutdown up.
func Mount(app *fiber.App, s Services) {
	w := newSite(s)
	for _, r := range slices.Concat(w.routes(), w.cardRoutes(), w.cardDeskRoutes(), w.cardShareRoutes(), w.inviteRoutes()) {
		if r.method == fiber.MethodGet {
			app.Get(r.path, w.handler(r)) // and HEAD
			continue
		}
		app.Add(r.method, r.path, w.handler(r))
	}
	uploads.AllowWhere(app.Server(), photoUpload, cards.MaxUpload+1<<10)
	uploads.Allow(app.Server(), importPath, importLimit)
	uploads.Allow(app.Server(), cardDesignPath, cardDesignLimit)
	uploads.Allow(app.Server(), suppressionListPath, importLimit)
	uploads.Allow(app.Server(), agreementUploadPath, agreementUploadLimit)
	app.Hooks().OnShutdown(w.live.wait)
	app.Hooks().OnShutdown(w.syncs.wait)
	app.Hooks().OnShutdown(w.rolls.wait)
}

// site is the console of one process.
type site struct {
	Services
	public *url.URL // of PublicURL; its host is empty when there is none
	signIn slowdown
	live   *hub[snapshot]
	syncs  *hub[syncState]
	rolls  *hub[rollSnapshot]

	rollCounts *rollCounts

	shelf cardShelf
	// Of visitors of cards, by where they come from.
	texting, coding, proving slowdown
}

func newSite(s Services) *site {
	public, err := url.Parse(s.PublicURL)
	if err != nil {
		public = &url.URL{}
	}
	counts := newRollCounts(s.Queue)
	return &site{Services: s, public: public, rollCounts: counts,
		texting: slowdown{atOnce: 3, every: 5 * time.Minute}, coding: slowdown{atOnce: 5, every: 2 * time.Minute},
		live: newHub(campaignEye(s.Queue), s.Stop), syncs: newHub(syncEye(s.Directory), s.Stop), rolls: newHub(rollEye(counts), s.Stop)}
}

// access is who may see a page.
type access int

const (
	anybody  access = iota
	member          // signed in
	sender          // signed in, and may send
	manager         // signed in, and may decide what is read
	owner           // signed in, and owns the account
	operator        // signed in, and runs the installation
)

type route struct {
	method, path string
	access       access
	do           func(c *fiber.Ctx, v visit) error
}

func (w *site) routes() []route {
	const get, post = fiber.MethodGet, fiber.MethodPost
	return []route{
		{get, "/sign-in", anybody, w.signInForm},
		{post, "/sign-in", anybody, w.signInPost},
		{post, "/sign-out", anybody, w.signOut},
		{post, "/language", anybody, w.chooseLanguage},
		{get, "/static/:build/:name", anybody, serveStatic},

		{get, "/", member, w.overview},
		{get, accountPath, member, w.menu(accountMenu)},
		{get, installationPath, operator, w.menu(installationMenu)},
		{get, "/campaigns", member, w.campaigns},
		{get, "/campaigns/new", sender, w.compose},
		{post, "/campaigns/new", sender, w.composed},
		{post, "/campaigns/count", sender, w.countText},
		{get, sendingPath, member, w.sending},
		{post, sendingPath, manager, w.setSending},
		{get, "/campaigns/:id", member, w.campaign},
		{get, "/campaigns/:id/live", member, w.campaignLive},
		{get, "/templates", member, w.templates},
		{get, "/templates/new", sender, w.newTemplate},
		{post, "/templates/new", sender, w.saveTemplate},
		{get, "/templates/:id", member, w.template},
		{post, "/templates/:id", sender, w.saveTemplate},
		{get, "/templates/:id/archive", sender, w.confirmTemplate},
		{post, "/templates/:id/archive", sender, w.archiveTemplate},
		{get, "/campaigns/:id/pause", sender, w.confirmTurn("pause")},
		{post, "/campaigns/:id/pause", sender, w.turn(w.Queue.Pause)},
		{get, "/campaigns/:id/resume", sender, w.confirmResume},
		{post, "/campaigns/:id/resume", sender, w.resume},
		{get, "/campaigns/:id/cancel", sender, w.confirmTurn("cancel")},
		{post, "/campaigns/:id/cancel", sender, w.turn(w.Queue.Cancel)},
		{get, "/campaigns/:id/plan", sender, w.plan},
		{post, "/campaigns/:id/plan", sender, w.planned},
		{get, "/campaigns/:id/resend", sender, w.confirmResend},
		{post, "/campaigns/:id/resend", sender, w.resend},
		{get, "/campaigns/:id/not-sent.csv", member, w.remainingList},
		{get, "/received", member, w.received},
		{get, privacyPath, manager, w.privacy},
		{get, personPath, manager, w.person},
		{get, personPath + "/export", manager, w.exportPerson},
		{post, personPath + "/erase", manager, w.erasePerson},
		{get, privacyPath + "/erasures/:id/lift", manager, w.confirmErasureLift},
		{post, privacyPath + "/erasures/:id/lift", manager, w.liftErasure},
		{get, suppressionsPath, member, w.suppressions},
		{post, suppressionsPath, sender, w.addSuppression},
		{post, suppressionsPath + "/settings", manager, w.decideOptOut},
		{get, suppressionListPath, sender, w.suppressionListForm},
		{post, suppressionListPath, sender, w.keepSuppressionList},
		{get, suppressionListPath + "/:id", sender, w.suppressionList},
		{post, suppressionListPath + "/:id", sender, w.importSuppressionList},
		{get, suppressionListPath + "/:id/report.csv", sender, w.suppressionReport},
		{get, suppressionsPath + "/:id/lift", sender, w.confirmLift},
		{post, suppressionsPath + "/:id/lift", sender, w.liftSuppression},
		{get, optOutPath, anybody, w.optOut},
		{post, optOutPath, anybody, w.stopMessages},
		{post, optOutPath + "/resume", anybody, w.resumeMessages},
		{get, "/roll-calls/new", sender, w.newRollCall},
		{post, "/roll-calls/new", sender, w.startRollCall},
		{get, "/roll-calls/:id", member, w.rollCall},
		{get, "/roll-calls/:id/live", member, w.rollLive},
		{get, "/roll-calls/:id/people.csv", member, w.rollList},
		{post, "/roll-calls/:id/remind", sender, w.remind},
		{post, "/roll-calls/:id/answers", sender, w.setAnswer},
		{get, "/roll-calls/:id/close", sender, w.confirmRollClose},
		{post, "/roll-calls/:id/close", sender, w.closeRollCall},
		{post, "/received/:id/handled", sender, w.handle},
		{get, talkRoute, member, w.conversation},
		{post, talkRoute, sender, w.answer},
		{get, "/contacts", member, w.contacts},
		{get, "/contacts/new", sender, w.newContact},
		{post, "/contacts/new", sender, w.addContact},
		{get, "/contacts/export.csv", member, w.exportContacts},
		{get, "/contacts/quality", member, w.quality},
		{get, "/contacts/quality.csv", member, w.qualityList},
		{get, importPath, sender, w.importForm},
		{post, importPath, sender, w.lookAt},
		{get, importPath + "/:id", sender, w.showImport},
		{post, importPath + "/:id", sender, w.importNow},
		{get, importPath + "/:id/report.csv", sender, w.importList},
		{get, "/contacts/:id", member, w.contact},
		{post, "/contacts/:id", sender, w.editContact},
		{post, "/contacts/:id/fields", sender, w.setOwnFields},
		{get, "/contacts/:id/delete", sender, w.confirmContact},
		{post, "/contacts/:id/delete", sender, w.removeContact},
		{get, "/groups", member, w.groups},
		{get, "/groups/new", sender, w.newGroup},
		{post, "/groups/new", sender, w.addGroup},
		{get, "/groups/new/rule", sender, w.newRule},
		{post, "/groups/new/rule", sender, w.addRule},
		{post, "/groups/sync", sender, w.syncGroups},
		{get, "/groups/:id", member, w.group},
		{post, "/groups/:id", sender, w.renameGroup},
		{post, "/groups/:id/add", sender, w.changeMembers(w.Book.AddMembers)},
		{post, "/groups/:id/remove", sender, w.changeMembers(w.Book.RemoveMembers)},
		{get, "/groups/:id/rule", sender, w.rule},
		{post, "/groups/:id/rule", sender, w.setRule},
		{get, "/groups/:id/delete", sender, w.confirmGroup},
		{post, "/groups/:id/delete", sender, w.removeGroup},
		{post, "/groups/:id/sync", sender, w.syncGroup},
		{get, retentionPath, member, w.retention},
		{post, retentionPath, manager, w.setRetention},
		{post, retentionPath + "/holds", manager, w.holdData},
		{get, retentionPath + "/holds/:id/lift", manager, w.confirmLiftHold},
		{post, retentionPath + "/holds/:id/lift", manager, w.liftHold},
		{get, registerPath, manager, w.showRegister(registerPath)},
		{get, registerPath + ".csv", manager, w.registerCSV(registerPath)},
		{get, registerPath + ".pdf", manager, w.registerPDF(registerPath)},
		{get, allRegisterPath, operator, w.showRegister(allRegisterPath)},
		{get, allRegisterPath + ".csv", operator, w.registerCSV(allRegisterPath)},
		{get, allRegisterPath + ".pdf", operator, w.registerPDF(allRegisterPath)},
		{get, leavePath, member, w.leave},
		{post, leavePath + "/export", manager, w.askExport},
		{get, leavePath + "/certificate.pdf", manager, w.fetchCertificate},
		{get, leavePath + "/:id.zip", manager, w.fetchExport},

		{get, "/integrations", member, w.integrations},
		{get, "/directory", member, w.directory},
		{get, "/directory/scim", manager, w.scimForm},
		{post, "/directory/scim", manager, w.scimPost},
		{get, "/directory/:id/tokens", member, w.tokens},
		{post, "/directory/:id/tokens", manager, w.addToken},
		{get, "/directory/:id/tokens/:token/revoke", manager, w.confirmRevoke},
		{post, "/directory/:id/tokens/:token/revoke", manager, w.revokeToken},
		{get, "/directory/connect", manager, w.connectForm},
		{post, "/directory/connect", manager, w.connectPost},
		{get, "/directory/:id/live", member, w.syncLive},
		{get, "/directory/consent", manager, w.consent},
		{get, consentBack, manager, w.consented},
		{post, "/directory/:id/sync", sender, w.syncNow},
		{get, "/directory/:id/check", member, w.checked},
		{post, "/directory/:id/check", manager, w.check},
		{get, "/directory/:id/preview", member, w.preview},
		{post, "/directory/:id/preview", manager, w.previewAgain},
		{post, "/directory/:id/follow", manager, w.letFollow},
		{get, "/directory/:id/runs", member, w.runs},
		{get, "/directory/:id/skipped", member, w.skipped},
		{get, "/directory/:id/held", member, w.held},
		{post, "/directory/:id/held", manager, w.approve},
		{get, "/directory/:id/settings", member, w.settings},
		{post, "/directory/:id/settings", manager, w.settingsPost},
		{get, "/directory/:id/access.csv", member, w.accessReport},
		{get, "/directory/:id/disconnect", manager, w.disconnectForm},
		{post, "/directory/:id/disconnect", manager, w.disconnect},
		{get, agreementPath, member, w.agreement},
		{post, agreementPath + "/controller", owner, w.setController},
		{get, agreementPath + "/sign", owner, w.signForm},
		{post, agreementPath + "/sign", owner, w.sign},
		{post, agreementUploadPath, owner, w.uploadAgreement},
		{get, agreementPath + "/terminate", owner, w.terminateForm},
		{post, agreementPath + "/terminate", owner, w.terminateAgreement},
		{get, agreementPath + "/:id/pdf", manager, w.agreementPDF},
		{get, installationAgreementsPath, operator, w.agreements},
		{post, installationAgreementsPath, operator, w.publishAgreement},
		{post, "/installation/processor", operator, w.setProcessor},

		{get, carriersPath, operator, w.carriers},
		{get, carriersPath + "/new", operator, w.newCarrier},
		{post, carriersPath + "/new", operator, w.addCarrier},
		{get, carrierPath + ":name", operator, w.editCarrier},
		{post, carrierPath + ":name", operator, w.changeCarrier},
		{post, carrierPath + ":name/enable", operator, w.enableCarrier},
		{post, carrierPath + ":name/disable", operator, w.disableCarrier},
		{get, carrierPath + ":name/remove", operator, w.confirmCarrier},
		{post, carrierPath + ":name/remove", operator, w.removeCarrier},
		{get, invoicesPath, manager, w.invoices},
		{get, invoicesPath + "/:id/:kind<regex((xml|pdf|csv))>", manager, w.invoiceFile},
		{get, pricesPath, manager, w.prices},
		{get, pricesPath + ".csv", manager, w.pricesCSV},
		{get, plansPath, operator, w.plans},
		{post, plansPath, operator, w.setPlan},
		{post, plansPath + "/assign", operator, w.assignPlan},
		{get, priceListsPath, operator, w.priceLists},
		{post, priceListsPath, operator, w.createPriceList},
		{get, priceListsPath + "/:list", operator, w.priceList},
		{post, priceListsPath + "/:list", operator, w.addPriceVersion},
		{get, priceListsPath + "/:list/:id.csv", operator, w.priceVersionCSV},
		{post, priceListsPath + "/:list/:id/withdraw", operator, w.withdrawPriceVersion},
		{get, allInvoicesPath, operator, w.allInvoices},
		{get, allInvoicesPath + "/new", operator, w.newDraft},
		{post, allInvoicesPath + "/new", operator, w.addDraft},
		{get, sellerPath, operator, w.seller},
		{post, sellerPath, operator, w.setSeller},
		{get, customersPath, operator, w.customers},
		{get, customersPath + "/:account", operator, w.customer},
		{post, customersPath + "/:account", operator, w.setCustomer},
		{post, customersPath + "/:account/vat", operator, w.lookUpVAT},
		{get, allInvoicesPath + "/:id", operator, w.invoice},
		{get, allInvoicesPath + "/:id/credit", operator, w.creditForm},
		{post, allInvoicesPath + "/:id/credit", operator, w.addCredit},
		{get, allInvoicesPath + "/:id/finalise", operator, w.confirmInvoice("finalise")},
		{post, allInvoicesPath + "/:id/finalise", operator, w.finaliseInvoice},
		{get, allInvoicesPath + "/:id/cancel", operator, w.confirmInvoice("cancel")},
		{post, allInvoicesPath + "/:id/cancel", operator, w.cancelInvoice},
		{get, allInvoicesPath + "/:id/:kind<regex((xml|pdf|csv))>", operator, w.anyInvoiceFile},

		{get, budgetsPath, manager, w.budgets},
		{post, budgetsPath, manager, w.addBudget},
		{get, budgetsPath + "/:id", manager, w.budget},
		{post, budgetsPath + "/:id", manager, w.changeBudget},
		{get, budgetsPath + "/:id/remove", manager, w.confirmBudget},
		{post, budgetsPath + "/:id/remove", manager, w.removeBudget},
		{get, teamsPath, manager, w.teams},
		{post, teamsPath, manager, w.addTeam},
		{get, teamsPath + "/:id", manager, w.team},
		{post, teamsPath + "/:id", manager, w.renameTeam},
		{post, teamsPath + "/:id/join", manager, w.moveMember(w.Teams.Join, w.Teams.JoinKey)},
		{post, teamsPath + "/:id/leave", manager, w.moveMember(w.Teams.Leave, w.Teams.LeaveKey)},
		{get, teamsPath + "/:id/remove", manager, w.confirmTeam},
		{post, teamsPath + "/:id/remove", manager, w.removeTeam},
		{get, usagePath, manager, w.usage},
		{get, usagePath + ".csv", manager, w.usageSheet},
		{get, booksPath, operator, w.books},
		{post, booksPath + "/run", operator, w.runMonths},
		{post, booksPath + "/reconcile", operator, w.reconcileNow},
		{post, booksPath + "/costs", operator, w.addCost},
		{get, booksPath + "/:id", operator, w.reconciliation},

		{get, balancePath, manager, w.balance},
		{get, balancePath + "/ledger.csv", manager, w.balanceCSV},
		{get, billingsPath, operator, w.billings},
		{get, billingsPath + "/:account", operator, w.billing},
		{get, billingsPath + "/:account/ledger.csv", operator, w.billingCSV},
		{post, billingsPath + "/:account/terms", operator, w.setTerms},
		{post, billingsPath + "/:account/payments", operator, w.pay},
		{post, billingsPath + "/:account/payments/return", operator, w.returnPayment},

		{get, routesPath, operator, w.routing},
		{get, routesPath + "/new", operator, w.newRouteRule},
		{post, routesPath + "/new", operator, w.addRouteRule},
		{get, routesPath + "/:id/remove", operator, w.confirmRouteRule},
		{post, routesPath + "/:id/remove", operator, w.removeRouteRule},

		{get, subProcessorsPath, anybody, w.publicSubProcessors},
		{get, subProcessorsPath + "/feed.atom", anybody, w.publicFeed},
		{get, subProcessorsPath + "/feed/:token", anybody, w.accountFeed},
		{get, AccountSubProcessorsPath, member, w.subProcessors},
		{post, AccountSubProcessorsPath + "/:notice/object", manager, w.object},
		{post, AccountSubProcessorsPath + "/objections/:id/retract", manager, w.retractObjection},
		{get, deskPath, operator, w.subProcessorDesk},
		{get, deskPath + "/new", operator, w.newNotice},
		{post, deskPath + "/new", operator, w.announce},
		{post, deskPath + "/carriers", operator, w.coverCarrier},
		{post, deskPath + "/objections/:id", operator, w.resolveObjection},
		{get, deskPath + "/notices/:notice", operator, w.notice},
		{post, deskPath + "/notices/:notice", operator, w.withdrawNotice},
		{get, auditPath, manager, w.auditOf(false)},
		{post, auditPath + "/verify", manager, w.verifyAudit(false)},
		{get, installationAuditPath, operator, w.auditOf(true)},
		{post, installationAuditPath + "/verify", operator, w.verifyAudit(true)},
		{get, sendersPath, operator, w.accounts},
		{get, sendersPath + "/:account", operator, w.senders},
		{post, sendersPath + "/:account", operator, w.allowSender},
		{post, sendersPath + "/:account/remove", operator, w.removeSender},
		{get, keysPath, manager, w.keys},
		{post, keysPath, manager, w.addKey},
		{get, keysPath + "/:id/revoke", manager, w.confirmKey(keysPath)},
		{post, keysPath + "/:id/revoke", manager, w.revokeKey},
		{get, operatorsKeysPath, operator, w.operatorKeys},
		{post, operatorsKeysPath, operator, w.addOperatorKey},
		{get, operatorsKeysPath + "/:id/revoke", operator, w.confirmKey(operatorsKeysPath)},
		{post, operatorsKeysPath + "/:id/revoke", operator, w.revokeOperatorKey},
	}
}

// visit is one request: who asks, in which language, and how long it may take.
type visit struct {
	accounts.Session
	ctx context.Context
	say *tongue
}

// patience bounds a request, because a visitor who leaves does not end its context.
const patience = 15 * time.Second

func (w *site) handler(r route) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if err := w.serve(c, r); err != nil {
			return ErrorPage(c, err)
		}
		return nil
	}
}

func (w *site) serve(c *fiber.Ctx, r route) error {
	secure(c)
	ctx, cancel := context.WithTimeout(c.UserContext(), patience)
	defer cancel()
	v := visit{ctx: ctx, say: tongueOf(c)}
	if r.method == fiber.MethodPost {
		if err := w.sameOrigin(c); err != nil {
			return err
		}
	}
	if r.access != anybody {
		var err error
		if v.Session, err = w.session(c, ctx); err != nil {
			return err
		}
		v.ctx = audit.As(ctx, audit.Actor{Kind: audit.User, ID: v.User})
	}
	if err := v.mayOpen(r.access); err != nil {
		if err == errNoAccount && r.path == "/" {
			return c.Redirect(installationPath, fiber.StatusSeeOther)
		}
		return w.refuseRole(c, v, r, err)
	}
	if err := r.do(c, v); err != nil {
		return err
	}
	w.record(c, v, r)
	return nil
}

// mayOpen says why a visitor may not open what has an access; nil when they may.
func (v visit) mayOpen(a access) error {
	switch {
	case a == anybody:
		return nil
	case a == operator && !v.Operator:
		return errOperators
	case a != operator && v.Account.ID == 0:
		return errNoAccount
	case a == sender && !maySend(v.Role):
		return errReadOnly
	case a == manager && !mayManage(v.Role):
		return errNoManager
	case a == owner && !isOwner(v):
		return errOwners
	}
	return nil
}
