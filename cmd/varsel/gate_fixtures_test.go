package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/directory/scim"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/internal/sim/smshttpsim"
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/rollcall"
)

// fixtures are what the walk fills requests and commands with.
type fixtures struct {
	t        *testing.T
	in       *installation
	app      *App // beside those that are tried; it never works
	account  accounts.Account
	other    accounts.Account // what an installation gives to accounts is tried on this one
	provider *smshttpsim.Server

	key, operatorKey, session, token string // of the API, of the operators, of the console, of SCIM
	entra, scim                      directory.Connection
	group                            contacts.Group
	asked                            string   // a roll call that has been sent
	waiting, rolls                   []string // campaigns that have not started, and roll calls
	described                        document
	n                                int
	values                           map[string]func() string
	answers                          map[string][]int  // beside those of a request that is done
	refusals                         map[string]string // of commands, by a part of their line
	files                            map[string]formFile
}

// formFile is a file that a form of the console brings.
type formFile struct{ field, text string }

const (
	walkPhone = "+4790000001"
	walkText  = "Hello"
)

// newFixtures makes an account that has concluded, connected and synced, and has
// messages that wait.
func newFixtures(t *testing.T, i *installation) *fixtures {
	t.Helper()
	f := &fixtures{t: t, in: i}
	f.key = i.furnish()
	i.do("", "directory", "sync", "--account", "acme")
	f.addProvider()
	var err error
	f.app, err = Open(t.Context(), f.config())
	must(t, err)
	t.Cleanup(func() { f.app.Close() })
	f.account, err = f.app.Accounts.ByHandle(t.Context(), "acme")
	must(t, err)
	f.people()
	f.writers()
	f.heard()
	f.campaigns()
	f.table()
	f.answersAndLists()
	f.holders()
	f.agreements()
	f.subProcessors()
	f.privacyDesk()
	f.invoices()
	f.months()
	f.budgets()
	f.plans()
	f.ledger()
	f.cardPages()
	f.invites()
	f.cardDesk()
	f.accept()
	return f
}

// gateURL is how people reach the installation; without https, as its cookies are not kept
// by a browser.
const gateURL = "http://varsel.example"

func (f *fixtures) config() Config {
	return Config{DatabaseURL: f.in.env[1], SecretKey: f.in.env[3], GraphAuthority: entra.URL(), GraphURL: entra.GraphURL(), Listen: "127.0.0.1:0", PublicURL: gateURL}
}

// addProvider configures a carrier over HTTP beside the one over SMPP, for numbers
// that begin with +4791.
func (f *fixtures) addProvider() {
	f.t.Helper()
	var err error
	f.provider, err = smshttpsim.Start(smshttpsim.Options{})
	must(f.t, err)
	f.t.Cleanup(func() { f.provider.Close() })
	file := f.file("http.json", fmt.Sprintf(`{"account_sid":"AC0123456789abcdef0123456789abcdef","auth_token":"x","url":%q}`, f.provider.URL()))
	f.in.do("", "carrier", "add", "--name", "http", "--type", "twilio", "--config", file)
	f.in.do("", "route", "add", "--prefix", "+4791", "--carrier", "http")
}

func (f *fixtures) file(name, text string) string {
	f.t.Helper()
	path := filepath.Join(f.in.dir, name)
	must(f.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// newFile is one that is not there yet, whenever it is asked for.
func (f *fixtures) newFile(format string) func() string {
	return func() string { return filepath.Join(f.in.dir, f.fresh(format)) }
}

// people are those of the account: an owner who runs the installation too, and three
// contacts in a group.
func (f *fixtures) people() {
	f.t.Helper()
	ctx := f.t.Context()
	var err error
	f.other, err = f.app.Accounts.Create(ctx, accounts.Account{Handle: "other", Name: "Other AS", Region: "NO"})
	must(f.t, err)
	_, err = f.app.Accounts.AddOperator(ctx, "kari@acme.example", "")
	must(f.t, err)
	_, f.operatorKey, err = f.app.Accounts.CreateOperatorKey(ctx, "the walk's")
	must(f.t, err)
	f.session = f.signIn()
	var ids []int64
	for i, phone := range []string{walkPhone, "+4790000002", "+4791000003"} {
		c, err := f.app.Book.AddContact(ctx, f.account.ID, fmt.Sprintf("Person %d", i), phone, "NO")
		must(f.t, err)
		ids = append(ids, c.ID)
	}
	f.group, err = f.app.Book.AddGroup(ctx, f.account.ID, "Night", ids)
	must(f.t, err)
	_, err = f.app.Queue.AddNumber(ctx, f.account.ID, "2440", "")
	must(f.t, err)
}

func (f *fixtures) signIn() string {
	f.t.Helper()
	token, err := f.app.Accounts.SignIn(f.t.Context(), "kari@acme.example", "a long password")
	must(f.t, err)
	return token
}

// writers are a connection that a directory writes to, and what it has written.
func (f *fixtures) writers() {
	f.t.Helper()
	ctx := f.t.Context()
	all, err := f.app.Directory.Connections(ctx, f.account.ID)
	must(f.t, err)
	f.entra = all[0]
	f.scim, f.token, err = f.app.Directory.ConnectSCIM(ctx, f.account.ID, "Entra")
	must(f.t, err)
}

// heard has somebody text the account, which takes a worker.
func (f *fixtures) heard() {
	f.t.Helper()
	app, err := Open(f.t.Context(), f.config())
	must(f.t, err)
	must(f.t, app.Work(f.t.Context(), roleAll))
	w := &walk{t: f.t}
	w.await("a text is received", func() bool {
		f.in.smsc.Say(strings.TrimPrefix(walkPhone, "+"), "2440", "Thanks")
		all, err := app.Queue.Inbound(f.t.Context(), f.account.ID, smsqueue.InboundFilter{Limit: 1})
		must(f.t, err)
		return len(all) > 0
	})
	must(f.t, app.Close())
}

// campaigns are one that is over, and many that begin tomorrow: each step that ends
// one takes its own.
func (f *fixtures) campaigns() {
	f.t.Helper()
	f.in.do("", "send", "--account", "acme", "--group", "Night", "--text", walkText)
	f.asked = f.in.do("", "rollcall", "start", "--account", "acme", "--group", "Night")["id"].(string)
	for range 60 {
		f.waiting = append(f.waiting, f.campaign(smsqueue.NewCampaign{Text: walkText, Start: time.Now().Add(24 * time.Hour)}))
		if len(f.rolls) < 25 {
			usual := rollcall.Suggest("en")
			f.rolls = append(f.rolls, f.campaign(smsqueue.NewCampaign{Text: usual.Text, Sender: "2440", Start: time.Now().Add(24 * time.Hour),
				Asks: &rollcall.Question{Choices: usual.Choices, Close: 24 * time.Hour}}))
		}
	}
}

func (f *fixtures) campaign(n smsqueue.NewCampaign) string {
	f.t.Helper()
	n.Group = f.group.ID
	c, err := f.app.Queue.StartCampaign(f.t.Context(), f.account.ID, n)
	must(f.t, err)
	return f.app.Names.Of(secrets.Campaign, c.ID)
}

// accept leaves work: messages that are queued, and a campaign whose time has come.
// Without an agreement it is the work that was there before.
func (f *fixtures) accept() {
	f.t.Helper()
	if f.app.Accounts.Gate(f.t.Context(), f.account.ID) != nil {
		return
	}
	for _, to := range []string{walkPhone, "+4791000003"} {
		for _, lane := range smsqueue.Lanes {
			_, err := f.app.Queue.Send(f.t.Context(), f.account.ID, smsqueue.Single{To: to, Text: walkText, Lane: lane})
			must(f.t, err)
		}
	}
	begins := f.campaign(smsqueue.NewCampaign{Text: walkText, Start: time.Now().Add(time.Hour), Lane: smsqueue.Urgent})
	id, err := f.app.Names.ID(secrets.Campaign, begins)
	must(f.t, err)
	_, err = f.app.DB.ExecContext(f.t.Context(), `UPDATE campaigns SET start_at = $1 WHERE id = $2`, time.Now().UnixMilli(), id)
	must(f.t, err)
}

// known is the fixture for a name in a place, if there is one.
func (f *fixtures) known(place, name string) (string, bool) {
	for _, key := range []string{place + " " + name, place, name} {
		if value, there := f.values[key]; there && key != "" {
			return value(), true
		}
	}
	return "", false
}

// value is the fixture for a name in a place. A new operation, page or command may need
// another.
func (f *fixtures) value(place, name string) string {
	f.t.Helper()
	value, there := f.known(place, name)
	if !there {
		f.t.Errorf("the walk has nothing to fill in for %q of %q: add it to the table in gate_fixtures_test.go", name, place)
	}
	return value
}

func (f *fixtures) fresh(format string) string {
	f.n++
	return fmt.Sprintf(format, f.n)
}

func first(all *[]string) string {
	one := (*all)[0]
	if *all = (*all)[1:]; len(*all) == 0 {
		*all = []string{one}
	}
	return one
}

func (f *fixtures) stdin(words string) string {
	if strings.HasPrefix(words, "directory") {
		return entra.Secret()
	}
	return "a long password\n"
}

// table is the one place where names have values. A key is a name, or a place and a
// name: of a command its words and flag, of an operation its id and field, of a page
// its route and field; of a place in a path, what stands before or after it.
func (f *fixtures) table() {
	ctx, app, id := f.t.Context(), f.app, f.account.ID
	is := func(v string) func() string { return func() string { return v } }
	contact := func() string {
		c, err := app.Book.AddContact(ctx, id, "Somebody", f.fresh("+47920%05d"), "NO")
		must(f.t, err)
		return app.Names.Of(secrets.Contact, c.ID)
	}
	group := func() string {
		g, err := app.Book.AddGroup(ctx, id, f.fresh("Group %d"), nil)
		must(f.t, err)
		return app.Names.Of(secrets.Group, g.ID)
	}
	night := is(app.Names.Of(secrets.Group, f.group.ID))
	suppressed := func() smsqueue.Suppression {
		s, _, err := app.Queue.Suppress(ctx, id, smsqueue.NewSuppression{Phone: f.fresh("+47930%05d")})
		must(f.t, err)
		return s
	}
	template := func() string {
		made, err := app.Queue.AddTemplate(ctx, id, smsqueue.NewTemplate{Name: f.fresh("Template %d"), Language: "en", Texts: []smsqueue.TemplateText{{Language: "en", Text: walkText}}})
		must(f.t, err)
		return app.Names.Of(secrets.Template, made.ID)
	}
	upload := func() string {
		made, _, err := app.Book.Upload(ctx, id, strings.NewReader("name,mobile\nBo,"+f.fresh("+47940%05d")+"\n"), contacts.ImportOptions{Region: "NO"})
		must(f.t, err)
		return app.Names.Of(secrets.Upload, made)
	}
	carrier := func() string {
		r, err := app.Queue.AddRoute(ctx, f.fresh("walk-%d"), "simulator", json.RawMessage(`{}`))
		must(f.t, err)
		must(f.t, app.Queue.DisableRoute(ctx, r.Name))
		return r.Name
	}
	rule := func() string {
		r, err := app.Queue.AddRule(ctx, smsqueue.Rule{Prefix: f.fresh("+47950%05d"), Shares: []smsqueue.RuleShare{{Carrier: "main", Weight: 1}}})
		must(f.t, err)
		return app.Names.Of(secrets.RouteRule, r.ID)
	}
	number := func() string {
		n, err := app.Queue.AddNumber(ctx, f.other.ID, f.fresh("+47960%05d"), "")
		must(f.t, err)
		return n.Number
	}
	sender := func() string {
		s, err := app.Queue.AllowSender(ctx, f.other.ID, f.fresh("WALK%d"))
		must(f.t, err)
		return s.Sender
	}
	operator := func() string {
		o, err := app.Accounts.AddOperator(ctx, f.fresh("o%d@acme.example"), "a long password")
		must(f.t, err)
		return o.Email
	}
	operatorKey := func() string {
		k, _, err := app.Accounts.CreateOperatorKey(ctx, f.fresh("key %d"))
		must(f.t, err)
		return app.Names.Of(secrets.Key, k.ID)
	}
	var tokens []string
	for range 6 {
		made, _, err := app.Directory.NewSCIMToken(ctx, id, f.scim.ID, f.fresh("token %d"))
		must(f.t, err)
		tokens = append(tokens, app.Names.Of(secrets.Token, made.ID))
	}
	token := func() string { return first(&tokens) }
	messages, err := app.Queue.Messages(ctx, id, smsqueue.MessageFilter{Limit: 1})
	must(f.t, err)
	inbound, err := app.Queue.Inbound(ctx, id, smsqueue.InboundFilter{Limit: 1})
	must(f.t, err)
	over, err := app.Queue.Campaigns(ctx, id, 0, 200)
	must(f.t, err)
	done := is(app.Names.Of(secrets.Campaign, over[len(over)-1].ID))
	waiting, roll := func() string { return first(&f.waiting) }, func() string { return first(&f.rolls) }
	paused := func() string {
		name := waiting()
		c, err := app.Names.ID(secrets.Campaign, name)
		must(f.t, err)
		_, err = app.Queue.Pause(ctx, id, c)
		must(f.t, err)
		return name
	}
	entraName, scimName := is(app.Names.Of(secrets.Connection, f.entra.ID)), is(app.Names.Of(secrets.Connection, f.scim.ID))
	key := func() string {
		k, _, err := app.Accounts.CreateKey(ctx, id, []string{"*"}, "")
		must(f.t, err)
		return app.Names.Of(secrets.Key, k.ID)
	}
	users, groups := f.resources(scim.User, 5), f.resources(scim.Group, 5)
	optOut, err := url.Parse(app.Queue.OptOutLink(id, walkPhone))
	must(f.t, err)
	csv := is(f.file("people.csv", "name,mobile\nBo,+4790000007\n"))
	empty := is(f.file("carrier.json", `{}`))
	walkName := func() string { return f.fresh("Walk %d") }

	f.values = map[string]func() string{
		// names that mean the same everywhere
		"account": is("acme"), "name": walkName, "region": is("NO"), "role": is("viewer"), "scopes": is("*"), "text": is(walkText), "to": is(walkPhone),
		"email": func() string { return f.fresh("u%d@acme.example") }, "signatory": is("Kari Nordmann"), "title": is("CEO"), "config": empty, "type": is("simulator"),
		"file": csv, "tenant": is(entra.TenantID()), "client-id": is(entra.ClientID()), "client_id": is(entra.ClientID()), "secret": is(entra.Secret()),
		"group": is("Night"), "campaign": waiting, "template": template, "token": token, "phone": func() string { return f.fresh("+47970%05d") },
		"people": is("1"), "by": is("Kari"), "number": func() string { return f.fresh("+47980%05d") }, "language": is("en"),

		// places in paths
		"campaigns/id": waiting, "id/resend": done, "id/outcomes": done, "id/roll-call": roll, "roll-calls/id": roll,
		"contacts/id": contact, "groups/id": group, "templates/id": template, "messages/id": is(app.Names.Of(secrets.Message, messages[0].ID)),
		"inbound/id": is(app.Names.Of(secrets.Inbound, inbound[0].ID)), "received/id": is(app.Names.Of(secrets.Inbound, inbound[0].ID)),
		"connections/id": entraName, "directory/id": entraName, "id/tokens": scimName, "tokens/token": token, "import/id": upload,
		"suppressions/phone": func() string { return suppressed().Phone }, "suppressions/id": func() string { return app.Names.Of(secrets.Suppress, suppressed().ID) },
		"conversations/number": is(walkPhone), "?/received/conversation number": is(walkPhone), "senders/account": is("other"), "keys/id": key, "/installation/keys/:id/revoke": operatorKey, "accounts/account": is("other"), "senders/sender": sender, "carriers/name": carrier, "carrier/name": carrier,
		"routes/id": rule, "numbers/number": number, "o/token": is(strings.TrimPrefix(optOut.Path, smsqueue.OptOutPath)),
		"Users/id": func() string { return first(&users) }, "Groups/id": func() string { return first(&groups) },
		"Schemas/id": is("urn:ietf:params:scim:schemas:core:2.0:User"), "ResourceTypes/id": is("User"), "static/build": is("x"), "build/name": is("style.css"),
		"callbacks/address": is("x"), "notifications/address": is("x"),

		// commands
		"account create id": func() string { return f.fresh("walk-%d") }, "operator add email": is("kari@acme.example"), "operator remove email": operator,
		"operator key revoke key": operatorKey, "carrier add name": func() string { return f.fresh("walk-%d") }, "carrier set name": carrier, "carrier enable name": carrier,
		"carrier disable name": carrier, "carrier remove name": carrier, "route add carrier": is("main"), "route remove id": rule, "sender allow account": is("other"),
		"sender allow sender": is("OTHER"), "sender list account": is("other"), "sender remove account": is("other"), "sender remove sender": sender,
		"number add account": is("other"), "number remove number": number, "suppression remove number": func() string { return suppressed().Phone },
		"rollcall show id": roll, "rollcall remind id": is(f.asked), "id/answers": is(f.asked), "rollcall close id": roll, "campaign resend campaign": done, "campaign resume campaign": paused, "template add text": is("en=" + walkText),
		"directory connect certificate-file": is(f.certificate()), "directory check connection": entraName, "directory settings connection": entraName,
		"directory held connection": entraName, "directory approve connection": entraName, "directory access connection": entraName,
		"directory disconnect connection": entraName, "directory scim-token connection": scimName, "directory scim-tokens connection": scimName,
		"directory scim-revoke connection": scimName,

		// fields of operations
		"addGroup contacts": is("[]"), "sendMessage to": is("+4791000003"), "addContact phone": func() string { return f.fresh("+47971%05d") },
		"startCampaign text": is(walkText), "startCampaign start_at": is(""), "previewCampaign text": is(walkText),
		"createAccount id": func() string { return f.fresh("walk-%d") }, "createAccount region": is("NO"), "addRoute prefix": func() string { return f.fresh("+47951%05d") },
		"addRoute carriers": is(`[{"carrier":"main","weight":1}]`), "addCarrier name": func() string { return f.fresh("walk-%d") }, "addCarrier config": is(`{}`),
		"changeCarrier config": is(`{"window":10}`), "addNumber account": is("other"), "addNumber number": func() string { return f.fresh("+47981%05d") },
		"allowSender sender": is("OTHER"), "connectDirectory secret": is(entra.Secret()), "requestSync kind": is("sync"), "addTemplate texts": is(`{"en":"Hello"}`),
		"changeTemplate texts": is(`{"en":"Hello"}`), "addMembers contacts": func() string { return `["` + contact() + `"]` },
		"removeMembers contacts": contact, "approveHeld people": is("1"), "previewRule rule": is(`[{"field":"office","op":"is","values":["Oslo"]}]`),
		"setContactFields fields": is(`{"badge":"A"}`),

		// SCIM
		"POST /scim/v2/Users": func() string { return f.scimUser() }, "PUT /scim/v2/Users/:id": func() string { return f.scimUser() },
		"POST /scim/v2/Groups": func() string { return f.scimGroup() }, "PUT /scim/v2/Groups/:id": func() string { return f.scimGroup() },
		"PATCH /scim/v2/Users/:id":  is(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"active","value":false}]}`),
		"PATCH /scim/v2/Groups/:id": is(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"displayName","value":"Staff"}]}`),
		"/scim/v2/Users/.search":    is(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}`),
		"/scim/v2/Groups/.search":   is(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}`), "/scim/v2/Bulk": is(`{}`), "/scim/v2/Me": is(`{}`),
		"DELETE": is(""),
	}
	f.forms(night, contact)
	// What is not served says so, addresses that are secrets are not known, and nobody is
	// on the way back from a consent, or held.
	f.answers = map[string][]int{"/scim/v2/Bulk": {501}, "/scim/v2/Me": {501}, "/v1/callbacks/:address": {404}, "/v1/directory/notifications/:address": {400, 404},
		"/v1/directory/notifications/:address/lifecycle": {400, 404}, "/static/:build/:name": {404}, "/directory/consent/callback": {403}, "/directory/:id/held": {422}}
	f.files = map[string]formFile{"/contacts/import": {"file", "name,mobile\nBo,+4790000007\n"}}
	f.refusals = map[string]string{"--certificate-file": "", "directory approve": "", "--to=" + walkPhone + " --template": "are for a group"}
}

// forms are the fields of the console's forms, by their routes.
func (f *fixtures) forms(night, contact func() string) {
	is := func(v string) func() string { return func() string { return v } }
	name, phone := f.values["name"], f.values["phone"]
	carrier, rule := f.values["carrier add name"], f.values["addRoute prefix"]
	for route, fields := range map[string]map[string]func() string{
		"/sign-in": {"email": is("kari@acme.example"), "password": is("a long password"), "next": is("/")}, "/language": {"language": is("nb")},
		"/campaigns/new":      {"once": name, "group": night, "text": is(walkText), "lane": is("bulk"), "sender": is("ACME")},
		"/campaigns/count":    {"text": is(walkText)},
		"/campaigns/sending":  {"windows": is(""), "zone": is("Europe/Oslo"), "per_hour": is("0"), "per_day": is("0"), "per_month": is("0")},
		"/templates/new":      {"once": name, "name": name, "text": is(walkText), "language": is("en"), "usual": is("1")},
		"/templates/:id":      {"once": name, "name": name, "text": is(walkText), "language": is("en"), "usual": is("1")},
		"/campaigns/:id/plan": {"name": name, "start": is(time.Now().Add(48 * time.Hour).Format("2006-01-02T15:04")), "zone": is("Europe/Oslo")},
		"/suppressions":       {"phone": phone}, "/suppressions/settings": {"replies": is("yes")},
		"/roll-calls/new": {"once": name, "group": night, "text": is("Are you safe?"), "sender": is("2440"), "close": is("24h0m0s"),
			"key-1": is("1"), "label-1": is("Safe"), "key-2": is("2"), "label-2": is("Help")},
		"/roll-calls/:id/remind": {"text": is("Are you safe?")}, "/roll-calls/:id/answers": {"phone": is(walkPhone), "choice": is("1")},
		"/received/:id/handled": {"handled": is("yes")}, "/received/conversation": {"once": name, "text": is(walkText)},
		"/contacts/new": {"name": name, "phone": phone}, "/contacts/:id": {"name": name, "phone": phone}, "/contacts/import/:id": {},
		"/groups/new": {"name": name}, "/groups/new/rule": {"name": name, "field": is("office"), "op": is("is"), "value": is("Oslo")},
		"/groups/:id": {"name": name}, "/groups/:id/add": {"contact": contact}, "/groups/:id/remove": {"contact": contact},
		"/groups/:id/rule": {"field": is("office"), "op": is("is"), "value": is("Oslo")}, "/directory/scim": {"name": name}, "/directory/:id/tokens": {"name": name},
		"/directory/connect":         {"tenant": is(entra.TenantID()), "client_id": is(entra.ClientID()), "secret": is(entra.Secret()), "cloud": is(directory.GlobalCloud)},
		"/directory/:id/held":        {"people": is("0")},
		"/directory/:id/settings":    {"every": is("15m0s")},
		"/installation/carriers/new": {"name": carrier, "type": is("simulator"), "config": is("{}")}, "/installation/carrier/:name": {"config": is(`{"window":10}`)},
		"/installation/senders/:account": {"sender": is("OTHER")}, "/installation/senders/:account/remove": {"sender": f.values["senders/sender"]},
		"/keys": {"scope": is("*")}, "/installation/keys": {"name": name},
		"/installation/routes/new": {"prefix": rule, "carriers": is("main=1")},
	} {
		for field, value := range fields {
			f.values[route+" "+field] = value
		}
	}
}

// form fills every field of a form that a fixture is there for.
func (f *fixtures) form(route string) url.Values {
	filled := url.Values{}
	for key, value := range f.values {
		if field, ours := strings.CutPrefix(key, route+" "); ours && field != "" {
			filled.Set(field, value())
		}
	}
	return filled
}

// query is what a page is asked with.
func (f *fixtures) query(route string) string { return f.form("?" + route).Encode() }

func (f *fixtures) scimUser() string {
	return f.fresh(`{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "u%d", "active": true}`)
}

func (f *fixtures) scimGroup() string {
	return f.fresh(`{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "g%d"}`)
}

// certificate is one that the directory does not know, with its key.
func (f *fixtures) certificate() string {
	f.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(f.t, err)
	as := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, as, as, &key.PublicKey, key)
	must(f.t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(f.t, err)
	return f.file("app.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))+string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
}

// resources are some that a directory has written.
func (f *fixtures) resources(kind *scim.Kind, n int) (ids []string) {
	f.t.Helper()
	for range n {
		text := f.scimUser()
		if kind == scim.Group {
			text = f.scimGroup()
		}
		made, err := f.app.Directory.SCIMCreate(f.t.Context(), f.account.ID, f.scim.ID, kind, []byte(text))
		must(f.t, err)
		ids = append(ids, made.ID)
	}
	return ids
}
