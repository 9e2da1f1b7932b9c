package web

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

const (
	auditPath             = "/audit"
	installationAuditPath = "/installation/audit"
)

// auditPage is who did what, the newest first: to an account, or to the installation.
type auditPage struct {
	Path         string
	Installation bool
	Rows         []auditRow
	Pager        pager
	Verified     bool
	Entries      int64
	Head         string
	Broken       string // what is wrong with the chain, or empty
}

func (auditPage) template() string { return "audit" }

type auditRow struct {
	Seq     int64
	At      time.Time
	Who     string
	What    string // in words, or the action as it is
	Action  string // as it is, where What has words for it
	Subject string
	From    string // its IP address
	Facts   string // as JSON
	Erased  bool
}

// auditOf shows an account's trail, or with operators true the installation's.
func (w *site) auditOf(operators bool) func(c *fiber.Ctx, v visit) error {
	return func(c *fiber.Ctx, v visit) error { return w.showAudit(c, v, auditPage{Installation: operators}) }
}

// verifyAudit shows it with what came of going through the whole chain.
func (w *site) verifyAudit(operators bool) func(c *fiber.Ctx, v visit) error {
	return func(c *fiber.Ctx, v visit) error {
		p := auditPage{Installation: operators, Verified: true}
		h, err := w.Trail.Verify(v.ctx, p.chain(v), audit.Head{})
		if refused := problem.As(err); refused != nil {
			p.Broken = refused.Text
		} else if err != nil {
			return err
		}
		p.Entries, p.Head = h.Entries, h.Hash
		return w.showAudit(c, v, p)
	}
}

func (p auditPage) chain(v visit) int64 {
	if p.Installation {
		return 0
	}
	return v.Account.ID
}

func (w *site) showAudit(c *fiber.Ctx, v visit, p auditPage) error {
	p.Path = auditPath
	if p.Installation {
		p.Path = installationAuditPath
	}
	before, err := w.cursor(secrets.AuditEntry, c.Query("from"))
	if err != nil {
		return err
	}
	all, err := w.Trail.Entries(v.ctx, p.chain(v), before, pageSize+1)
	if err != nil {
		return err
	}
	all, more := cut(all)
	next := ""
	if more {
		next = w.Names.Of(secrets.AuditEntry, all[len(all)-1].Seq)
	}
	p.Pager = turn(p.Path, nil, c.Query("from"), next)
	if p.Rows, err = w.auditRows(v, all); err != nil {
		return err
	}
	return render(c, p)
}

func (w *site) auditRows(v visit, all []audit.Entry) (rows []auditRow, err error) {
	var users []int64
	for _, e := range all {
		if e.Actor.Kind == audit.User {
			users = append(users, e.Actor.ID)
		}
	}
	emails, err := w.Accounts.Emails(v.ctx, users)
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		row := auditRow{Seq: e.Seq, At: e.At, What: e.Action, Facts: jsonText(e.Facts), Erased: e.Erased}
		if act := acts[e.Action]; act != "" {
			row.What, row.Action = v.say.word("act", act), e.Action
		}
		if e.Subject != "" && e.SubjectID != 0 {
			row.Subject = w.Names.Of(e.Subject, e.SubjectID)
		}
		var from struct {
			IP     string `json:"ip"`
			OSUser string `json:"os_user"`
		}
		if text := jsonText(e.Detail); text != "" {
			_ = json.Unmarshal([]byte(text), &from) // details of other shapes have no such fields
		}
		row.From, row.Who = from.IP, w.who(v.say, e.Actor, emails, from.OSUser)
		rows = append(rows, row)
	}
	return rows, nil
}

func jsonText(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprintf("%s", v)
}

// who did something, in words.
func (w *site) who(say *tongue, a audit.Actor, emails map[int64]string, osUser string) string {
	switch {
	case a.Kind == audit.User && emails[a.ID] != "":
		return emails[a.ID]
	case a.Kind == audit.User && a.ID != 0:
		return w.Names.Of(secrets.User, a.ID)
	case a.Kind == audit.Key && a.ID != 0:
		return w.Names.Of(secrets.Key, a.ID)
	case a.Kind == audit.Command && osUser != "":
		return say.text("who_command_of", "Name", osUser)
	}
	return say.word("who", a.Kind)
}

// acts are the actions that the console has words for; others are shown as they are.
var acts = map[string]string{
	"console.POST /sign-in": "signed_in", "console.POST /sign-out": "signed_out", "console.sign_in_refused": "sign_in_refused",
	"console.refused": "refused", "api.refused": "refused",

	"api.startCampaign": "campaign_started", "console.POST /campaigns/new": "campaign_started", "command.send": "campaign_started",
	"api.notifyCardHolders": "campaign_started", "command.card.template.notify": "campaign_started",
	"api.pauseCampaign": "campaign_paused", "console.POST /campaigns/:id/pause": "campaign_paused", "command.campaign.pause": "campaign_paused",
	"api.resumeCampaign": "campaign_resumed", "console.POST /campaigns/:id/resume": "campaign_resumed", "command.campaign.resume": "campaign_resumed",
	"api.cancelCampaign": "campaign_cancelled", "console.POST /campaigns/:id/cancel": "campaign_cancelled", "command.campaign.cancel": "campaign_cancelled",
	"api.changeCampaign": "campaign_changed", "console.POST /campaigns/:id/plan": "campaign_changed",
	"api.resendCampaign": "campaign_resent", "console.POST /campaigns/:id/resend": "campaign_resent", "command.campaign.resend": "campaign_resent",
	"console.POST /roll-calls/new": "roll_started", "command.rollcall.start": "roll_started",
	"api.remindRollCall": "roll_reminded", "console.POST /roll-calls/:id/remind": "roll_reminded", "command.rollcall.remind": "roll_reminded",
	"api.closeRollCall": "roll_closed", "console.POST /roll-calls/:id/close": "roll_closed", "command.rollcall.close": "roll_closed",
	"api.changeSending": "sending_changed", "console.POST /campaigns/sending": "sending_changed", "command.account.sending": "sending_changed",
	"api.addTemplate": "template_saved", "api.changeTemplate": "template_saved", "console.POST /templates/new": "template_saved",
	"console.POST /templates/:id": "template_saved", "command.template.add": "template_saved",

	"api.addContact": "contact_added", "console.POST /contacts/new": "contact_added",
	"api.editContact": "contact_changed", "api.setContactFields": "contact_changed", "console.POST /contacts/:id": "contact_changed",
	"api.removeContact": "contact_removed", "console.POST /contacts/:id/delete": "contact_removed",
	"api.importContacts": "contacts_imported", "console.POST /contacts/import/:id": "contacts_imported", "command.contacts.import": "contacts_imported",
	"command.contacts.export": "contacts_exported",
	"api.addGroup":            "group_added", "console.POST /groups/new": "group_added", "console.POST /groups/new/rule": "group_added",
	"api.editGroup": "group_changed", "console.POST /groups/:id": "group_changed", "console.POST /groups/:id/rule": "group_changed",
	"api.addMembers": "group_changed", "api.removeMembers": "group_changed", "console.POST /groups/:id/add": "group_changed", "console.POST /groups/:id/remove": "group_changed",
	"api.removeGroup": "group_removed", "console.POST /groups/:id/delete": "group_removed",
	"api.addSuppression": "number_suppressed", "console.POST /suppressions": "number_suppressed", "command.suppression.add": "number_suppressed",
	"api.importSuppressions": "number_suppressed", "command.suppression.import": "number_suppressed",
	"api.liftSuppression": "number_lifted", "console.POST /suppressions/:id/lift": "number_lifted", "command.suppression.remove": "number_lifted",

	"api.connectDirectory": "directory_connected", "console.POST /directory/connect": "directory_connected", "command.directory.connect": "directory_connected",
	"api.connectSCIM": "directory_connected", "console.POST /directory/scim": "directory_connected", "command.directory.scim-connect": "directory_connected",
	"api.changeConnection": "directory_changed", "console.POST /directory/:id/settings": "directory_changed", "command.directory.settings": "directory_changed",
	"api.disconnectDirectory": "directory_disconnected", "console.POST /directory/:id/disconnect": "directory_disconnected", "command.directory.disconnect": "directory_disconnected",
	"api.requestSync": "sync_asked", "console.POST /directory/:id/sync": "sync_asked", "command.directory.sync": "sync_asked",
	"api.approveHeld": "held_approved", "console.POST /directory/:id/held": "held_approved", "command.directory.approve": "held_approved",
	"api.addToken": "token_made", "console.POST /directory/:id/tokens": "token_made", "command.directory.scim-token": "token_made",
	"api.revokeToken": "token_revoked", "console.POST /directory/:id/tokens/:token/revoke": "token_revoked", "command.directory.scim-revoke": "token_revoked",

	"api.addCardTemplate": "card_template_saved", "api.changeCardTemplate": "card_template_saved", "console.POST /cards/templates/design": "card_template_saved",
	"command.card.template.save": "card_template_saved",
	"api.applyCardTemplate":      "card_template_applied", "console.POST /cards/templates/:id/saved": "card_template_applied", "command.card.template.apply": "card_template_applied",
	"api.removeCardTemplate": "card_template_removed", "console.POST /cards/templates/:id/remove": "card_template_removed",
	"api.addInvite": "invite_added", "console.POST /cards/invites/new": "invite_added", "command.invite.add": "invite_added",
	"api.endInvite": "invite_ended", "console.POST /cards/invites/:id/end": "invite_ended", "command.invite.end": "invite_ended",
	"console.POST /cards/grouping/:id": "cards_grouped", "command.card.grouping.set": "cards_grouped", "api.setCardGrouping": "cards_grouped", "api.editCard": "card_changed",
	"cards.grouped": "cards_grouped", "cards.regrouped": "cards_grouped", "card.edited": "card_changed",

	"api.createAccount": "account_created", "command.account.create": "account_created", "command.user.create": "user_created",
	"command.apikey.create": "key_made", "console.POST /keys": "key_made", "console.POST /keys/:id/revoke": "key_revoked",
	"command.operator.add": "operator_added", "command.operator.remove": "operator_removed",
	"command.operator.key.create": "key_made", "command.operator.key.revoke": "key_revoked",
	"console.POST /installation/keys": "key_made", "console.POST /installation/keys/:id/revoke": "key_revoked", "command.agreement.conclude": "agreement_concluded",
	"api.addCarrier": "carrier_changed", "api.changeCarrier": "carrier_changed", "api.enableCarrier": "carrier_changed", "api.disableCarrier": "carrier_changed",
	"api.removeCarrier": "carrier_changed", "command.carrier.add": "carrier_changed", "command.carrier.set": "carrier_changed", "command.carrier.enable": "carrier_changed",
	"command.carrier.disable": "carrier_changed", "command.carrier.remove": "carrier_changed", "console.POST /installation/carriers/new": "carrier_changed",
	"console.POST /installation/carrier/:name": "carrier_changed", "console.POST /installation/carrier/:name/enable": "carrier_changed",
	"console.POST /installation/carrier/:name/disable": "carrier_changed", "console.POST /installation/carrier/:name/remove": "carrier_changed",
	"api.addRoute": "rule_changed", "api.removeRoute": "rule_changed", "command.route.add": "rule_changed", "command.route.remove": "rule_changed",
	"console.POST /installation/routes/new": "rule_changed", "console.POST /installation/routes/:id/remove": "rule_changed",
	"api.allowSender": "sender_changed", "api.removeSender": "sender_changed", "command.sender.allow": "sender_changed", "command.sender.remove": "sender_changed",
	"console.POST /installation/senders/:account": "sender_changed", "console.POST /installation/senders/:account/remove": "sender_changed",
	"api.addNumber": "number_changed", "api.removeNumber": "number_changed", "command.number.add": "number_changed", "command.number.remove": "number_changed",

	"agreement.concluded":  "agreement_concluded",
	"agreement.offered":    "agreement_offered",
	"agreement.viewed":     "agreement_viewed",
	"agreement.superseded": "agreement_superseded",
	"agreement.terminated": "agreement_terminated",
	"agreement.published":  "agreement_published",
	"controller.changed":   "party_changed", "processor.changed": "party_changed",
	"subprocessor.addition_announced": "list_announced", "subprocessor.change_announced": "list_announced", "subprocessor.removal_announced": "list_announced",
	"subprocessor.notice_withdrawn": "list_announced",
	"objection.made":                "objection_made", "objection.retracted": "objection_ended", "objection.resolved": "objection_ended",
	"subprocessor.carrier_named": "carrier_named",
	"person.exported":            "person_exported",
	"person.erased":              "person_erased",
	"erasure.lifted":             "erasure_lifted",
	"retention.changed":          "retention_changed",
	"retention.held":             "retention_held",
	"retention.hold_lifted":      "retention_hold_lifted",
	"retention.ran":              "retention_ran",
	"export.asked":               "export_asked", "export.made": "export_asked",
	"export.fetched":         "export_fetched",
	"export.removed":         "export_removed",
	"account.deletion_began": "account_deletion", "account.deleted": "account_deletion",
	"budget.added": "budget_changed", "budget.changed": "budget_changed", "budget.removed": "budget_changed",
	"team.added": "team_changed", "team.renamed": "team_changed", "team.removed": "team_changed",
	"team.member_added": "team_changed", "team.member_removed": "team_changed", "team.key_added": "team_changed", "team.key_removed": "team_changed",
	"plan.assigned": "plan_assigned", "plan.changed": "plan_changed",
	"price_list.created": "prices_changed", "price_list.version_added": "prices_changed", "price_list.version_withdrawn": "prices_changed",
	"invoice.finalised":     "invoice_finalised",
	"billing.terms_changed": "terms_changed",
	"payment.recorded":      "payment_recorded",
	"payment.returned":      "payment_returned",
	"billing.suspended":     "sync_suspended", "billing.resumed": "sync_resumed",
	"billing_profile.changed": "billing_changed", "seller.changed": "billing_changed", "vat_number.checked": "billing_changed",
}
