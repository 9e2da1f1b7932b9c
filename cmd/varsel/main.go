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
)

// commands is the command line: its names are a contract.
type commands struct {
	Config
	JSON bool `help:"Answer with JSON on standard output, one object or one a line."`

	Serve   serveCommand   `cmd:"" help:"Run the server."`
	Demo    demoCommand    `cmd:"" help:"Show the whole product with a directory and a carrier inside."`
	Migrate migrateCommand `cmd:"" help:"Bring the database to the newest schema."`
	Account struct {
		Create  accountCreate  `cmd:"" help:"Open an account."`
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
		Conclude agreementConclude `cmd:"" help:"Record that the data processing agreement was concluded."`
	} `cmd:"" help:"Data processing agreements."`
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
	Contacts struct {
		Export  contactsExport  `cmd:"" help:"Write the address book as CSV."`
		Import  contactsImport  `cmd:"" help:"Import a list as CSV, and report on every row."`
		Quality contactsQuality `cmd:"" help:"Write what is wrong with phone numbers as CSV."`
	} `cmd:"" help:"The address book."`
	RollCall struct {
		Start  rollCallStart  `cmd:"" help:"Ask a group whether they are safe, or another question, and count what they answer."`
		Show   rollCallShow   `cmd:"" help:"Count the answers, in all and by group, or list who gave which."`
		Remind rollCallRemind `cmd:"" help:"Text those who have not answered."`
		Close  rollCallClose  `cmd:"" help:"Close it: answers count no more."`
	} `cmd:"" name:"rollcall" help:"Questions that people answer by text."`
	Template struct {
		Add  templateAdd  `cmd:"" help:"Keep a text as a template, in one language or several."`
		List templateList `cmd:"" help:"List the templates."`
		Show templateShow `cmd:"" help:"Show what a template says."`
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
	parsed.BindTo(audit.As(ctx, audit.Actor{Kind: audit.Command}), (*context.Context)(nil))
	return parsed.Run(&c, t)
}
