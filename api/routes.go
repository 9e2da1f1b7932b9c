package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/varsel/varsel/accounts"
)

// route is an operation as it is listed. Scope is what a key needs; open has none.
type route struct {
	method, path, id, scope, summary string
	status                           int  // of success
	once                             bool // takes an Idempotency-Key
}

// open is the scope of what anybody may ask.
const open = ""

func (s Services) routes(a huma.API) {
	addUnrecorded(a, isItsRecord, route{"POST", messagesPath, "sendMessage", accounts.ScopeMessagesWrite, "Send a message to a number", http.StatusAccepted, true}, s.sendMessage)
	add(a, route{"GET", messagesPath, "listMessages", accounts.ScopeMessagesRead, "List messages, the newest first", http.StatusOK, false}, s.listMessages)
	add(a, route{"GET", messagesPath + "/{id}", "readMessage", accounts.ScopeMessagesRead, "Read a message", http.StatusOK, false}, s.readMessage)

	addUnrecorded(a, changesNothing, route{"POST", textsPath + "/analyse", "analyseText", accounts.ScopeMessagesWrite, "Tell how a text would travel; nothing is sent and nothing costs", http.StatusOK, false}, s.analyseText)
	add(a, route{"GET", inboundPath, "listInbound", accounts.ScopeMessagesRead, "List messages that were received, the newest first", http.StatusOK, false}, s.listInbound)
	add(a, route{"GET", inboundPath + "/{id}", "readInbound", accounts.ScopeMessagesRead, "Read a message that was received", http.StatusOK, false}, s.readInbound)

	add(a, route{"PATCH", inboundPath + "/{id}", "handleInbound", accounts.ScopeMessagesWrite, "Say that somebody has dealt with a message that was received, or that nobody has", http.StatusOK, false}, s.handleInbound)
	add(a, route{"GET", conversationsPath + "/{number}", "readConversation", accounts.ScopeMessagesRead, "Read what was sent to a number and received from it, the newest last", http.StatusOK, false}, s.readConversation)

	add(a, route{"POST", campaignsPath, "startCampaign", accounts.ScopeMessagesWrite, "Send a text to a group", http.StatusAccepted, true}, s.startCampaign)
	addUnrecorded(a, changesNothing, route{"POST", campaignsPath + "/preview", "previewCampaign", accounts.ScopeMessagesWrite, "Tell what a campaign would be: who gets which text in how many parts, and what it costs. Nothing is sent", http.StatusOK, false}, s.previewCampaign)
	add(a, route{"GET", campaignsPath, "listCampaigns", accounts.ScopeMessagesRead, "List campaigns, the newest first", http.StatusOK, false}, s.listCampaigns)
	add(a, route{"GET", campaignsPath + "/{id}", "readCampaign", accounts.ScopeMessagesRead, "Read a campaign", http.StatusOK, false}, s.readCampaign)
	add(a, route{"GET", campaignsPath + "/{id}/replies", "listReplies", accounts.ScopeMessagesRead, "List what was received in answer to a campaign, the newest first", http.StatusOK, false}, s.listReplies)
	add(a, route{"GET", campaignsPath + "/{id}" + rollCallPath, "readRollCall", accounts.ScopeMessagesRead, "Count the answers to a roll call, in all and by group", http.StatusOK, false}, s.readRollCall)
	add(a, route{"GET", campaignsPath + "/{id}" + rollCallPath + "/answers", "listRollAnswers", accounts.ScopeMessagesRead, "List who was asked and what they said, in the order of their numbers", http.StatusOK, false}, s.listRollAnswers)
	add(a, route{"POST", campaignsPath + "/{id}" + rollCallPath + "/answers", "setRollAnswer", accounts.ScopeMessagesWrite, "Set somebody's answer by hand, also after the roll call is closed", http.StatusOK, false}, s.setRollAnswer)
	add(a, route{"POST", campaignsPath + "/{id}" + rollCallPath + "/remind", "remindRollCall", accounts.ScopeMessagesWrite, "Text those who have not answered", http.StatusAccepted, true}, s.remindRollCall)
	add(a, route{"POST", campaignsPath + "/{id}" + rollCallPath + "/close", "closeRollCall", accounts.ScopeMessagesWrite, "Close a roll call: answers count no more", http.StatusOK, false}, s.closeRollCall)
	add(a, route{"PATCH", campaignsPath + "/{id}", "changeCampaign", accounts.ScopeMessagesWrite, "Change a campaign that has not started", http.StatusOK, false}, s.changeCampaign)
	add(a, route{"POST", campaignsPath + "/{id}/pause", "pauseCampaign", accounts.ScopeMessagesWrite, "Send nothing more of a campaign until it is resumed", http.StatusOK, false}, s.turnCampaign(s.Queue.Pause))
	add(a, route{"POST", campaignsPath + "/{id}/resume", "resumeCampaign", accounts.ScopeMessagesWrite, "Let a paused or held campaign go on", http.StatusOK, false}, s.resumeCampaign)
	add(a, route{"POST", campaignsPath + "/{id}/cancel", "cancelCampaign", accounts.ScopeMessagesWrite, "End a campaign; what is queued is cancelled", http.StatusOK, false}, s.turnCampaign(s.Queue.Cancel))
	add(a, route{"GET", campaignsPath + "/{id}/remaining", "listRemaining", accounts.ScopeMessagesRead, "List whom a campaign was not sent to: queued or cancelled, and not on its way", http.StatusOK, false}, s.listRemaining)
	add(a, route{"GET", campaignsPath + "/{id}/outcomes", "listOutcomes", accounts.ScopeMessagesRead, "Count a campaign's messages that may be sent again, by status and reason", http.StatusOK, false}, s.listOutcomes)
	add(a, route{"POST", campaignsPath + "/{id}/resend", "resendCampaign", accounts.ScopeMessagesWrite, "Send a campaign's text again to those whom it did not reach", http.StatusAccepted, true}, s.resendCampaign)
	add(a, route{"GET", "/v1/waits", "listWaits", accounts.ScopeMessagesRead, "Tell why single messages wait", http.StatusOK, false}, s.listWaits)
	add(a, route{"GET", sendingPath, "readSending", accounts.ScopeMessagesRead, "Read when and how much the account sends", http.StatusOK, false}, s.readSending)
	add(a, route{"PATCH", sendingPath, "changeSending", accounts.ScopeSettingsWrite, "Change when and how much the account sends, of what waits too", http.StatusOK, false}, s.changeSending)

	add(a, route{"POST", templatesPath, "addTemplate", accounts.ScopeMessagesWrite, "Keep a text as a template", http.StatusCreated, true}, s.addTemplate)
	add(a, route{"GET", templatesPath, "listTemplates", accounts.ScopeMessagesRead, "List templates, the newest first", http.StatusOK, false}, s.listTemplates)
	add(a, route{"GET", templatesPath + "/{id}", "readTemplate", accounts.ScopeMessagesRead, "Read a template", http.StatusOK, false}, s.readTemplate)
	add(a, route{"POST", templatesPath + "/{id}/versions", "changeTemplate", accounts.ScopeMessagesWrite, "Change a template: what was sent keeps the version that it was sent from", http.StatusCreated, true}, s.changeTemplate)
	add(a, route{"POST", templatesPath + "/{id}/archive", "archiveTemplate", accounts.ScopeMessagesWrite, "Take a template out of use", http.StatusOK, false}, s.archiveTemplate)

	add(a, route{"POST", contactsPath, "addContact", accounts.ScopeContactsWrite, "Add a contact by hand", http.StatusCreated, false}, s.addContact)
	add(a, route{"GET", contactsPath, "listContacts", accounts.ScopeContactsRead, "List contacts, the oldest first", http.StatusOK, false}, s.listContacts)
	add(a, route{"GET", qualityPath, "phoneQuality", accounts.ScopeContactsRead, "Count the contacts by what is wrong with their numbers", http.StatusOK, false}, s.quality)
	add(a, route{"GET", qualityPath + "/people", "listPhoneQuality", accounts.ScopeContactsRead, "List the contacts with what is wrong with their numbers", http.StatusOK, false}, s.listQuality)
	add(a, route{"POST", importsPath, "importContacts", accounts.ScopeContactsWrite, "Import a list as CSV, or look at what would become of it", http.StatusOK, false}, s.importContacts)
	add(a, route{"GET", contactsPath + "/{id}", "readContact", accounts.ScopeContactsRead, "Read a contact", http.StatusOK, false}, s.readContact)
	add(a, route{"PATCH", contactsPath + "/{id}", "editContact", accounts.ScopeContactsWrite, "Edit a contact kept by hand", http.StatusOK, false}, s.editContact)
	add(a, route{"GET", contactsPath + "/{id}/fields", "readContactFields", accounts.ScopeContactsRead, "Read the fields of a contact's own", http.StatusOK, false}, s.readContactFields)
	add(a, route{"PATCH", contactsPath + "/{id}/fields", "setContactFields", accounts.ScopeContactsWrite, "Set fields of a contact's own, for personal texts", http.StatusOK, false}, s.setContactFields)
	add(a, route{"DELETE", contactsPath + "/{id}", "removeContact", accounts.ScopeContactsWrite, "Delete a contact; one that a directory still has comes back with its next sync", http.StatusOK, false}, s.removeContact)

	add(a, route{"POST", groupsPath, "addGroup", accounts.ScopeContactsWrite, "Make a group of contacts", http.StatusCreated, false}, s.addGroup)
	addUnrecorded(a, changesNothing, route{"POST", groupsPath + "/preview", "previewRule", accounts.ScopeContactsRead, "Count who would be in a group with a rule", http.StatusOK, false}, s.previewRule)
	add(a, route{"GET", groupsPath, "listGroups", accounts.ScopeContactsRead, "List groups, the oldest first", http.StatusOK, false}, s.listGroups)
	add(a, route{"GET", groupsPath + "/{id}", "readGroup", accounts.ScopeContactsRead, "Read a group", http.StatusOK, false}, s.readGroup)
	add(a, route{"PATCH", groupsPath + "/{id}", "editGroup", accounts.ScopeContactsWrite, "Rename a group kept by hand, or change its rule", http.StatusOK, false}, s.editGroup)
	add(a, route{"DELETE", groupsPath + "/{id}", "removeGroup", accounts.ScopeContactsWrite, "Delete a group kept by hand; its members stay", http.StatusNoContent, false}, s.removeGroup)
	add(a, route{"GET", groupsPath + "/{id}/members", "listMembers", accounts.ScopeContactsRead, "List the members of a group, the oldest first", http.StatusOK, false}, s.listMembers)
	add(a, route{"POST", groupsPath + "/{id}/members", "addMembers", accounts.ScopeContactsWrite, "Add contacts to a group kept by hand", http.StatusOK, false}, s.addMembers)
	add(a, route{"DELETE", groupsPath + "/{id}/members", "removeMembers", accounts.ScopeContactsWrite, "Take contacts out of a group kept by hand", http.StatusOK, false}, s.removeMembers)

	add(a, route{"GET", suppressionsPath, "listSuppressions", accounts.ScopeContactsRead, "List numbers that nothing is sent to, the newest first", http.StatusOK, false}, s.listSuppressions)
	add(a, route{"POST", suppressionsPath, "addSuppression", accounts.ScopeContactsWrite, "Send nothing more to a number, whoever has it", http.StatusOK, false}, s.addSuppression)
	add(a, route{"DELETE", suppressionsPath + "/{phone}", "liftSuppression", accounts.ScopeContactsWrite, "Send to a number again", http.StatusNoContent, false}, s.liftSuppression)
	add(a, route{"POST", cardSharePath, "shareCards", accounts.ScopeMessagesWrite, "Send the holders of cards the link to their own card, each to their own number", http.StatusAccepted, true}, s.shareCards)
	addUnrecorded(a, changesNothing, route{"POST", cardSharePath + "/preview", "previewShare", accounts.ScopeMessagesWrite, "Tell what sending holders their card would be: who gets what in how many parts, who is left out and why, and what it costs. Nothing is sent", http.StatusOK, false}, s.previewShare)
	add(a, route{"GET", suppressionSettingsPath, "readOptOutSettings", accounts.ScopeContactsRead, "Read what is decided about those who want no messages", http.StatusOK, false}, s.readOptOutSettings)
	add(a, route{"PATCH", suppressionSettingsPath, "changeOptOutSettings", accounts.ScopeSettingsWrite, "Decide about those who want no messages", http.StatusOK, false}, s.changeOptOutSettings)
	add(a, route{"GET", privacyPeoplePath, "findPeople", accounts.ScopePrivacyRead, "Find a person, and count what is held about them", http.StatusOK, false}, s.findPeople)
	add(a, route{"GET", personExportPath, "exportPerson", accounts.ScopePrivacyRead, "Write all that is held about a person (Art. 15 GDPR)", http.StatusOK, false}, s.exportPerson)
	add(a, route{"POST", erasuresPath, "erasePerson", accounts.ScopePrivacyWrite, "Erase a person for good (Art. 17 GDPR): no sync, import or request brings them back", http.StatusCreated, false}, s.erasePerson)
	add(a, route{"GET", erasuresPath, "listErasures", accounts.ScopePrivacyRead, "List the erasures, the newest first; they name nobody", http.StatusOK, false}, s.listErasures)
	add(a, route{"POST", erasuresPath + "/{id}/lift", "liftErasure", accounts.ScopePrivacyWrite, "Let whom an erasure is of come back; what was erased stays so", http.StatusOK, false}, s.liftErasure)

	add(a, route{"POST", suppressionImportsPath, "importSuppressions", accounts.ScopeContactsWrite, "Send nothing more to the numbers of a list, as CSV: of each row the first field with a number", http.StatusOK, false}, s.importSuppressions)

	s.retentionRoutes(a)
	s.leavingRoutes(a)
	s.registerRoutes(a)
	s.directoryRoutes(a)
	s.auditRoutes(a)
	s.installationRoutes(a)
	s.agreementRoutes(a)
	s.subProcessorRoutes(a)
	s.invoiceRoutes(a)
	s.usageRoutes(a)
	s.monthRoutes(a)
	s.budgetRoutes(a)
	s.priceRoutes(a)
	s.ledgerRoutes(a)
	s.cardRoutes(a)
	s.inviteRoutes(a)

	add(a, route{"GET", "/healthz", "healthz", open, "Say whether the process answers", http.StatusOK, false}, s.healthz)
	add(a, route{"GET", "/readyz", "readyz", open, "Say whether requests can be served", http.StatusOK, false}, s.readyz)
}

// directoryRoutes: what was read with contacts:read before there was
// directory:read still is.
func (s Services) directoryRoutes(a huma.API) {
	const read, write, readBefore = accounts.ScopeDirectoryRead, accounts.ScopeDirectoryWrite, accounts.ScopeDirectoryRead + or + accounts.ScopeContactsRead
	const one = connectionsPath + "/{id}"
	add(a, route{"POST", connectionsPath, "connectDirectory", write, "Check the access to a directory, and read it from now on when all is well", http.StatusCreated, false}, s.connectDirectory)
	add(a, route{"GET", connectionsPath, "listConnections", readBefore, "List the connections to directories", http.StatusOK, false}, s.listConnections)
	add(a, route{"GET", one, "readConnection", read, "Read a connection", http.StatusOK, false}, s.readConnection)
	add(a, route{"PATCH", one, "changeConnection", write, "Change what was decided about a connection", http.StatusOK, false}, s.changeConnection)
	add(a, route{"POST", one + "/check", "checkConnection", write, "Check the access again; one that is disconnected is connected when all is well", http.StatusOK, false}, s.checkConnection)
	add(a, route{"POST", one + "/disconnect", "disconnectDirectory", write, "Read the directory no more; contacts stay as they are", http.StatusOK, false}, s.disconnectDirectory)
	add(a, route{"POST", one + "/sync", "requestSync", write, "Ask for a sync as soon as possible", http.StatusAccepted, false}, s.requestSync)
	add(a, route{"POST", one + "/approve", "approveHeld", write, "Let go whom the brake holds", http.StatusOK, false}, s.approveHeld)
	add(a, route{"GET", one + "/runs", "listRuns", readBefore, "List the syncs of a connection, the latest first", http.StatusOK, false}, s.listRuns)
	add(a, route{"GET", one + "/held", "listHeld", read, "List whom the brake keeps in the address book", http.StatusOK, false}, s.listHeld)
	add(a, route{"GET", one + "/preview", "listPreview", read, "List what the latest preview found", http.StatusOK, false}, s.listPreview)
	add(a, route{"GET", one + "/skipped", "listSkipped", read, "List who is out of scope, and why", http.StatusOK, false}, s.listSkipped)
	add(a, route{"GET", one + "/groups", "listUnits", read, "List the directory's groups, by name", http.StatusOK, false}, s.listUnits)
	add(a, route{"POST", scimConnectionsPath, "connectSCIM", write, "Open a connection that a directory writes to", http.StatusCreated, false}, s.connectSCIM)
	add(a, route{"GET", one + "/tokens", "listTokens", read, "List the tokens with which a directory writes to a connection, the oldest first", http.StatusOK, false}, s.listTokens)
	add(a, route{"POST", one + "/tokens", "addToken", write, "Make another token", http.StatusCreated, false}, s.addToken)
	add(a, route{"DELETE", one + "/tokens/{token}", "revokeToken", write, "End a token at once", http.StatusNoContent, false}, s.revokeToken)
	add(a, route{"GET", one + "/access", "listReadings", read, "List what was read of the directory, run by run", http.StatusOK, false}, s.listReadings)
}

// add registers an operation whose errors become problem documents.
func add[I, O any](a huma.API, r route, handle func(context.Context, *I) (*O, error)) {
	register(a, r.operation(), handle)
}

// addFile registers an operation that answers with a file, of one of these media types. A
// file may not be there yet.
func addFile[I, O any](a huma.API, types []string, r route, handle func(context.Context, *I) (*O, error)) {
	op := r.operation()
	op.Responses = map[string]*huma.Response{strconv.Itoa(r.status): {Description: "The file", Content: map[string]*huma.MediaType{}}}
	for _, one := range types {
		op.Responses[strconv.Itoa(r.status)].Content[one] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	}
	op.Errors = append(op.Errors, http.StatusConflict)
	register(a, op, handle)
}

func register[I, O any](a huma.API, op huma.Operation, handle func(context.Context, *I) (*O, error)) {
	huma.Register(a, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, problemOf(ctx, nameOf(&op), err)
		}
		return out, nil
	})
}

func (r route) operation() huma.Operation {
	op := huma.Operation{
		OperationID: r.id, Method: r.method, Path: r.path, Summary: r.summary, DefaultStatus: r.status,
		MaxBodyBytes: bodyLimit + 1, // huma refuses a body that reaches this
		// Fiber has read the body by now. A deadline set here would stay on the
		// connection and end it while it waits for its next request.
		BodyReadTimeout: -1,
		Errors:          []int{http.StatusServiceUnavailable},
	}
	if r.scope != open {
		op.Security = requires(r.scope)
		op.Tags = []string{strings.Split(r.path, "/")[2]}
		op.Errors = append(op.Errors, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity)
	}
	if r.path == importsPath || r.path == suppressionImportsPath {
		op.MaxBodyBytes = importLimit
	}
	if r.path == cardImagesPath {
		op.MaxBodyBytes = cardImageLimit
	}
	if r.path == agreementUploadPath {
		op.MaxBodyBytes = agreementUploadLimit
	}
	if r.path == personExportPath {
		op.Responses = exportedPerson()
	}
	if slices.Contains([]string{personExportPath, agreementVerifyPath, sellerPath, billingProfilePath}, r.path) && r.method == http.MethodGet {
		op.Errors = append(op.Errors, http.StatusConflict)
	}
	if r.path == oneCardPath || r.path == inviteCodePath {
		op.Errors = append(op.Errors, http.StatusGone)
	}
	if r.method == http.MethodDelete {
		op.Errors = append(op.Errors, http.StatusConflict)
	}
	if r.method == http.MethodPost || r.method == http.MethodPatch {
		op.Errors = append(op.Errors, http.StatusBadRequest, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	if r.once {
		op.Middlewares = huma.Middlewares{checkKey}
	}
	return op
}

// nameOf is what the log calls an operation.
func nameOf(op *huma.Operation) string { return op.Method + " " + op.Path }
