// Command varsel is the whole product: the server, and the commands that set
// it up and use it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/trail"
)

// commands is the command line: its names are a contract.
type commands struct {
	Config
	JSON bool `help:"Answer with JSON on standard output, one object or one a line."`

	step  *trail.Step // of the command that runs, in the audit trail; nil for none
	about int64       // the account that it is about: 0 for the installation

	Serve   serveCommand   `cmd:"" help:"Run the server."`
	Demo    demoCommand    `cmd:"" help:"Show the whole product with a directory and a carrier inside."`
	Migrate migrateCommand `cmd:"" help:"Bring the database to the newest schema."`
	Account struct {
		Create      accountCreate      `cmd:"" help:"Open an account."`
		Export      accountExport      `cmd:"" help:"Write everything of an account into one file, and wait for it."`
		Exit        accountExit        `cmd:"" help:"Show what becomes of the data of an account whose agreement ended."`
		Certificate accountCertificate `cmd:"" help:"Write the certificate that an account's data were deleted (PDF)."`

		Sending accountSending `cmd:"" help:"Show when and how much an account sends, or set it."`
	} `cmd:"" help:"Accounts."`
	User struct {
		Create userCreate `cmd:"" help:"Make a user of the console."`
	} `cmd:"" help:"Users of the console."`
	Operator struct {
		Add    operatorAdd    `cmd:"" help:"Let a user operate the installation: carriers, and what all accounts share."`
		List   operatorList   `cmd:"" help:"List the operators."`
		Remove operatorRemove `cmd:"" help:"Make a user an operator no more."`
		Key    struct {
			Create operatorKeyCreate `cmd:"" help:"Make a key that runs the installation over the API; it is shown this once."`
			List   operatorKeyList   `cmd:"" help:"List the operators' keys, without their secrets."`
			Revoke operatorKeyRevoke `cmd:"" help:"End an operators' key at once."`
		} `cmd:"" help:"API keys of the operators."`
	} `cmd:"" help:"Operators of the installation."`
	APIKey struct {
		Create apikeyCreate `cmd:"" help:"Make an API key; it is shown this once."`
		List   apikeyList   `cmd:"" help:"List the keys, without their secrets."`
	} `cmd:"" name:"apikey" help:"API keys."`
	Agreement struct {
		Conclude  agreementConclude  `cmd:"" help:"Record that the data processing agreement was concluded."`
		Show      agreementShow      `cmd:"" help:"Show how an account stands with its agreement, or the whole text that is offered."`
		Offer     agreementOffer     `cmd:"" help:"Offer an account the version of now."`
		Upload    agreementUpload    `cmd:"" help:"Conclude an agreement by a PDF of it that was signed elsewhere."`
		PDF       agreementPDF       `cmd:"" name:"pdf" help:"Write the signed agreement as it was when it was concluded."`
		Verify    agreementVerify    `cmd:"" help:"Check that an account's evidence is as it was written."`
		Terminate agreementTerminate `cmd:"" help:"End an account's agreement: nothing more is read or sent."`
		List      agreementList      `cmd:"" help:"List how all accounts stand, or what was offered to one."`
		Publish   agreementPublish   `cmd:"" help:"Offer a text of your own as a new version, or list the versions."`
	} `cmd:"" help:"Data processing agreements."`
	Processor struct {
		Set  processorSet  `cmd:"" help:"Say who runs the installation; what is left out stays."`
		Show processorShow `cmd:"" help:"Show who runs the installation."`
	} `cmd:"" help:"Who runs the installation, as agreements name it."`
	Controller struct {
		Set  controllerSet  `cmd:"" help:"Say who an account is; what is left out stays."`
		Show controllerShow `cmd:"" help:"Show who an account is."`
	} `cmd:"" help:"Who an account is, as its agreement names it."`
	Carrier struct {
		Add     carrierAdd     `cmd:"" help:"Configure a carrier."`
		Set     carrierSet     `cmd:"" help:"Replace a carrier's configuration; a running server takes it up."`
		List    carrierList    `cmd:"" help:"List the carriers, how they stand and what waits for them."`
		Enable  carrierEnable  `cmd:"" help:"Let a carrier take messages."`
		Disable carrierDisable `cmd:"" help:"End a carrier's link in order; what waits for it goes on waiting."`
		Remove  carrierRemove  `cmd:"" help:"Forget a carrier that is disabled and has nothing left to send or to hear."`
	} `cmd:"" help:"Carriers."`
	Route struct {
		Add    routeAdd    `cmd:"" help:"Say which carriers take what; the most specific rule decides."`
		List   routeList   `cmd:"" help:"List the rules, and how the carriers are."`
		Remove routeRemove `cmd:"" help:"Remove a rule; what it has placed stays where it is."`
	} `cmd:"" help:"Rules which carrier takes what."`
	Sender struct {
		Allow  senderAllow  `cmd:"" help:"Let an account send as this; with one on its list it may send as nothing else."`
		List   senderList   `cmd:"" help:"List what an account may send as."`
		Remove senderRemove `cmd:"" help:"Take a sender off an account's list."`
	} `cmd:"" help:"Senders that accounts may use."`
	Number struct {
		Add    numberAdd    `cmd:"" help:"Give an account a number that people can text."`
		List   numberList   `cmd:"" help:"List the numbers and whose they are."`
		Remove numberRemove `cmd:"" help:"Take a number away from its account; what was received stays."`
	} `cmd:"" help:"Numbers that people can text."`
	Inbound struct {
		List inboundList `cmd:"" help:"List what people texted."`
	} `cmd:"" help:"Received messages."`
	Suppression struct {
		List     suppressionList     `cmd:"" help:"List numbers that an account sends nothing to."`
		Add      suppressionAdd      `cmd:"" help:"Send nothing more to a number, whoever has it."`
		Remove   suppressionRemove   `cmd:"" help:"Send to a number again."`
		Import   suppressionImport   `cmd:"" help:"Send nothing more to the numbers of a list."`
		Settings suppressionSettings `cmd:"" help:"Show what is decided about those who want no messages, or decide it."`
	} `cmd:"" help:"Numbers that want no messages."`
	Register  registerCommand `cmd:"" help:"Write the record of processing on behalf of accounts (Art. 30(2) GDPR)."`
	Retention struct {
		Show retentionShow `cmd:"" help:"Show how long what is kept, and what the last runs removed."`
		Set  retentionSet  `cmd:"" help:"Say how long a class of data is kept."`
		Run  retentionRun  `cmd:"" help:"Remove now what is too old."`
		Hold retentionHold `cmd:"" help:"Remove nothing until the hold is lifted, or lift one."`
	} `cmd:"" help:"How long data are kept."`
	Directory struct {
		Connect    directoryConnect    `cmd:"" help:"Check the access to a Microsoft Entra tenant, and connect it."`
		List       directoryList       `cmd:"" help:"List the connections."`
		Check      directoryCheck      `cmd:"" help:"Check the access again; one that is not connected is connected when all is well."`
		Sync       directorySync       `cmd:"" help:"Sync now, and wait for it."`
		Settings   directorySettings   `cmd:"" help:"Show who is in scope and how often is synced, or set it."`
		Held       directoryHeld       `cmd:"" help:"List whom the brake keeps in the address book."`
		Approve    directoryApprove    `cmd:"" help:"Let all go whom the brake keeps."`
		Access     directoryAccess     `cmd:"" help:"Tell what was read of the directory, when and with which permission (CSV)."`
		Disconnect directoryDisconnect `cmd:"" help:"Stop reading a tenant; contacts stay as they are."`

		SCIMConnect scimConnect `cmd:"" name:"scim-connect" help:"Let a directory write to us by SCIM; its token is shown this once."`
		SCIMToken   scimToken   `cmd:"" name:"scim-token" help:"Make another token; it is shown this once."`
		SCIMTokens  scimTokens  `cmd:"" name:"scim-tokens" help:"List the tokens, without their secrets."`
		SCIMRevoke  scimRevoke  `cmd:"" name:"scim-revoke" help:"End a token at once."`
	} `cmd:"" help:"The directory."`
	Card struct {
		Share    cardShare  `cmd:"" help:"Send the holders of cards the link to their own card, each to their own number."`
		List     cardList   `cmd:"" help:"List the cards."`
		Show     cardShow   `cmd:"" help:"Show what a card tells."`
		Groups   cardGroups `cmd:"" help:"List the groups of a directory's cards, with their templates and counts."`
		Template struct {
			Save   cardTemplateSave   `cmd:"" help:"Save a design from a file; no card shows it before it is applied."`
			List   cardTemplateList   `cmd:"" help:"List the templates."`
			Show   cardTemplateShow   `cmd:"" help:"Show a template as a file has it."`
			Apply  cardTemplateApply  `cmd:"" help:"Let groups show a template as it was saved last."`
			Notify cardTemplateNotify `cmd:"" help:"Tell holders that their card was changed, by SMS and e-mail."`
		} `cmd:"" help:"Designs of cards."`
		Grouping struct {
			Show cardGroupingShow `cmd:"" help:"Show how a directory's people are grouped."`
			Set  cardGroupingSet  `cmd:"" help:"Decide how a directory's people are grouped."`
		} `cmd:"" help:"How people are put into groups of cards."`
	} `cmd:"" help:"Digital business cards."`
	Invite struct {
		Add  inviteAdd  `cmd:"" help:"Make a short link and a QR code that lead to the page of an event or a sign-up."`
		List inviteList `cmd:"" help:"List the invites."`
		Show inviteShow `cmd:"" help:"Show an invite, and write its QR code to a file."`
		End  inviteEnd  `cmd:"" help:"Let an invite lead nowhere from now on."`
	} `cmd:"" help:"Invites to the pages of events and sign-ups."`
	Contacts struct {
		Export  contactsExport  `cmd:"" help:"Write the address book as CSV."`
		Import  contactsImport  `cmd:"" help:"Import a list as CSV, and report on every row."`
		Quality contactsQuality `cmd:"" help:"Write what is wrong with phone numbers as CSV."`
		Fields  contactsFields  `cmd:"" help:"Show the fields of a contact's own, or set them; texts say {{custom.NAME}}."`
	} `cmd:"" help:"The address book."`
	Privacy struct {
		Find   privacyFind   `cmd:"" help:"Find a person, and count what is held about them."`
		Export privacyExport `cmd:"" help:"Write all that is held about a person."`
		Erase  privacyErase  `cmd:"" help:"Erase a person for good, so that no sync brings them back."`
		List   privacyList   `cmd:"" help:"List the erasures; they name nobody."`
		Lift   privacyLift   `cmd:"" help:"Let whom an erasure is of come back."`
		Replay privacyReplay `cmd:"" help:"Erase again whom a restored backup brought back; every start does so too."`
	} `cmd:"" help:"The rights of a person: access and erasure."`
	RollCall struct {
		Start  rollCallStart  `cmd:"" help:"Ask a group whether they are safe, or another question, and count what they answer."`
		Show   rollCallShow   `cmd:"" help:"Count the answers, in all and by group, or list who gave which."`
		Remind rollCallRemind `cmd:"" help:"Text those who have not answered."`
		Answer rollCallAnswer `cmd:"" help:"Set somebody's answer by hand."`
		Close  rollCallClose  `cmd:"" help:"Close it: answers count no more."`
	} `cmd:"" name:"rollcall" help:"Questions that people answer by text."`
	Template struct {
		Add  templateAdd  `cmd:"" help:"Keep a text as a template, in one language or several."`
		List templateList `cmd:"" help:"List the templates."`
		Show templateShow `cmd:"" help:"Show what a template says."`

		Change  templateChange  `cmd:"" help:"Change a template: what was sent keeps the version that it was sent from."`
		Archive templateArchive `cmd:"" help:"Take a template out of use; its name is free again."`
	} `cmd:"" help:"Texts that are kept to be sent again."`
	Campaign struct {
		List      campaignList      `cmd:"" help:"List an account's campaigns."`
		Show      campaignShow      `cmd:"" help:"Show a campaign, and why it waits."`
		Remaining campaignRemaining `cmd:"" help:"List whom it was not sent to."`
		Outcomes  campaignOutcomes  `cmd:"" help:"Count the messages that may be sent again, by status and reason."`
		Pause     campaignPause     `cmd:"" help:"Send nothing more of it until it is resumed."`
		Resume    campaignResume    `cmd:"" help:"Let a paused campaign go on."`
		Cancel    campaignCancel    `cmd:"" help:"End it; what is queued is cancelled."`
		Resend    campaignResend    `cmd:"" help:"Send its text again to those whom it did not reach."`
	} `cmd:"" help:"Campaigns."`
	Invoice struct {
		Seller   invoiceSeller   `cmd:"" help:"Say whom the invoices are from."`
		Customer invoiceCustomer `cmd:"" help:"Say whom an account's invoices are for."`
		VATCheck invoiceVATCheck `cmd:"" name:"vat-check" help:"Ask the register of the European Union about an account's VAT number, and keep its answer."`
		Draft    invoiceDraft    `cmd:"" help:"Begin an invoice; it has no number yet."`
		Finalise invoiceFinalise `cmd:"" help:"Give a draft its number; from then on it does not change."`
		Cancel   invoiceCancel   `cmd:"" help:"End a draft; it takes no number."`
		Credit   invoiceCredit   `cmd:"" help:"Draft a credit note for an invoice or for lines of it."`
		List     invoiceList     `cmd:"" help:"List an account's invoices, credit notes and drafts."`
		Show     invoiceShow     `cmd:"" help:"Show an invoice with its lines."`
		XML      invoiceXML      `cmd:"" name:"xml" help:"Write a final invoice as UBL (Peppol BIS Billing 3, EHF)."`
		PDF      invoicePDF      `cmd:"" name:"pdf" help:"Write a final invoice as PDF."`
	} `cmd:"" help:"Invoices and credit notes."`
	Billing struct {
		Run       billingRun       `cmd:"" help:"Invoice what was charged until the end of a month; what is invoiced already is left alone."`
		List      billingList      `cmd:"" help:"List what the months' runs came to."`
		Reconcile billingReconcile `cmd:"" help:"Compare messages, ledger and invoices now; fails when they do not agree."`
		Usage     billingUsage     `cmd:"" help:"Count what was charged, by day or month, country and lane."`
		Cost      billingCost      `cmd:"" help:"Say what a part costs at a carrier."`
		Costs     billingCosts     `cmd:"" help:"List what carriers cost."`
		Terms     billingTerms     `cmd:"" help:"Say how an account pays: in advance, or later with or without a limit."`
		Payment   billingPayment   `cmd:"" help:"Record what an account has paid, or that a payment went back."`
		Balance   billingBalance   `cmd:"" help:"Show what an account owes, has set aside and may spend."`
		Ledger    billingLedger    `cmd:"" help:"List the entries of an account's ledger."`
	} `cmd:"" help:"The ledger, invoices every month, usage, and whether the books agree."`
	Budget struct {
		List   budgetList   `cmd:"" help:"List the budgets with what is spent of them."`
		Add    budgetAdd    `cmd:"" help:"Make a budget; it counts from now."`
		Change budgetChange `cmd:"" help:"Change a budget, from what is spent of it now on."`
		Remove budgetRemove `cmd:"" help:"End a budget: it counts no more."`
	} `cmd:"" help:"What may be spent."`
	Team struct {
		List   teamList   `cmd:"" help:"List the teams and who is in them."`
		Add    teamAdd    `cmd:"" help:"Make a team."`
		Rename teamRename `cmd:"" help:"Rename a team."`
		Join   teamJoin   `cmd:"" help:"Put a user or an API key into a team, out of the one they were in."`
		Leave  teamLeave  `cmd:"" help:"Take a user or an API key out of a team."`
		Remove teamRemove `cmd:"" help:"End a team that has no budgets."`
	} `cmd:"" help:"Users and API keys that share budgets."`
	Plan struct {
		List   planList   `cmd:"" help:"List the plans."`
		Set    planSet    `cmd:"" help:"Make a plan, or change the one with that name."`
		Assign planAssign `cmd:"" help:"Give an account a plan, now or from a later time on."`
		Show   planShow   `cmd:"" help:"Show which plans an account has had, has and will have."`
	} `cmd:"" help:"Plans: what accounts may do, and what they pay."`
	Price struct {
		Create   priceCreate   `cmd:"" help:"Begin a price list; it has no prices until some are imported."`
		Import   priceImport   `cmd:"" help:"Add a version to a price list from CSV with the columns country, lane and price."`
		Withdraw priceWithdraw `cmd:"" help:"End a version that is not valid yet."`
		List     priceList     `cmd:"" help:"List the price lists, or the versions of one."`
		Show     priceShow     `cmd:"" help:"Write the prices of a version, or those that an account has now, as CSV."`
	} `cmd:"" help:"Price lists, and their versions."`
	Audit struct {
		List   auditList   `cmd:"" help:"List what was done, the newest first."`
		Verify auditVerify `cmd:"" help:"Prove that no entry was changed, removed or put in; keep the printed head elsewhere."`
	} `cmd:"" help:"The audit trail."`
	SubProcessor struct {
		Announce   subprocessorAnnounce   `cmd:"" help:"Announce a change of the list to all accounts."`
		Withdraw   subprocessorWithdraw   `cmd:"" help:"Take a notice back before its day."`
		List       subprocessorList       `cmd:"" help:"List the sub-processors, now or on another day."`
		Notices    subprocessorNotices    `cmd:"" help:"List what was announced, or how each account came to know of it."`
		Object     subprocessorObject     `cmd:"" help:"Object to a notice for an account."`
		Retract    subprocessorRetract    `cmd:"" help:"Take an account's objection back."`
		Objections subprocessorObjections `cmd:"" help:"List objections."`
		Resolve    subprocessorResolve    `cmd:"" help:"Answer an objection."`
		Carrier    subprocessorCarrier    `cmd:"" help:"Say which sub-processor runs a carrier."`
		Check      subprocessorCheck      `cmd:"" help:"Name carriers in use that no sub-processor on the list runs."`
	} `cmd:"" name:"subprocessor" help:"Who else processes the data."`
	Send sendCommand `cmd:"" help:"Send a text to a number or a group."`
}

// terminal is where a command reads and writes.
type terminal struct {
	in       io.Reader
	out, err io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], terminal{os.Stdin, os.Stdout, os.Stderr}); err != nil {
		if !errors.Is(err, errSaid) {
			fmt.Fprintln(os.Stderr, "varsel:", err)
		}
		stop()
		os.Exit(1)
	}
}

// errSaid ends a command with a failure that it has reported already.
var errSaid = errors.New("failed")

func run(ctx context.Context, args []string, t terminal) error {
	var c commands
	parser, err := kong.New(&c, kong.Name("varsel"), kong.UsageOnError(), kong.Writers(t.out, t.err),
		kong.Description("An SMS notification gateway with directory sync."),
		kong.Vars{"carrier_types": carrierTypeNames()})
	if err != nil {
		return err
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return err
	}
	if err := c.Config.Validate(); err != nil {
		return err
	}
	c.Config.setLog(t.err)
	c.step = step(parsed)
	parsed.BindTo(audit.As(ctx, audit.Actor{Kind: audit.Command}), (*context.Context)(nil))
	return parsed.Run(&c, t)
}
