package web

import (
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/billing"
	"github.com/varsel/varsel/contacts"
	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/problem"
	"github.com/varsel/varsel/internal/secrets"
)

type directoryPage struct {
	MaySync, MayManage bool
	NoAgreement        string
	Suspended          string // why nothing is followed: the plan
	Connections        []connectionCard
}

func (directoryPage) template() string { return "directory" }

// connectionCard is a connected tenant, how it stands, and its last runs.
type connectionCard struct {
	head
	Client        string
	State, Word   string
	Why           said
	AsOf          time.Time
	Due           time.Time
	Every         string
	Secret        string // the end of it
	SecretAt      time.Time
	SecretExpires time.Time
	Expiry        expiry
	Stalled       time.Time
	Written       time.Time // when the directory last wrote, of one that does
	Held          int
	Preview       bool
	Asked         bool // for a sync that has not begun
	Running       bool
	Analysis      analysis
	SelfCheck     []selfCheck
	Runs          []runRow
}

const (
	shownRuns = 10
	// A change that lies farther back, a day of runs every quarter of an hour, is
	// no longer looked for.
	searchedRuns = 100
)

// said is a refusal in the visitor's words, as far as the catalogue has them,
// and in those of the directory.
type said struct {
	Words, Next, Detail string
}

func (say *tongue) finding(code, text string) said {
	s := said{Detail: text}
	if say.has["finding_"+code] {
		s.Words = say.word("finding", code)
	}
	if say.has["finding_next_"+code] {
		s.Next = say.word("finding_next", code)
	}
	return s
}

// integrations is where the settings of integrations are looked for; there is
// one so far.
func (w *site) integrations(c *fiber.Ctx, _ visit) error {
	return c.Redirect("/directory", fiber.StatusSeeOther)
}

func (w *site) directory(c *fiber.Ctx, v visit) error {
	cards, err := w.connectionCards(v)
	if err != nil {
		return err
	}
	lacks, err := w.lacksAgreement(v)
	if err != nil {
		return err
	}
	suspended, err := w.suspended(v)
	if err != nil {
		return err
	}
	return render(c, directoryPage{MaySync: maySend(v.Role), MayManage: mayManage(v.Role), NoAgreement: lacks, Suspended: suspended, Connections: cards})
}

// suspended says which plans have directories when the account's has not; empty when
// it has.
func (w *site) suspended(v visit) (string, error) {
	why, err := w.Directory.Suspended(v.ctx, v.Account.ID)
	if why == nil || err != nil {
		return "", err
	}
	if why.Code != "plan_lacks_"+billing.Directory {
		return v.say.word("problem", why.Code), nil
	}
	all, err := w.Plans.All(v.ctx)
	if err != nil {
		return "", err
	}
	var names []string
	for _, p := range all {
		if p.Includes(billing.Directory) && p.List.Currency == v.Account.Currency {
			names = append(names, p.Name)
		}
	}
	return v.say.text("directory_suspended", "Plans", strings.Join(names, ", ")), nil
}

// lacksAgreement says why personal data may not be read for the account: it has no
// agreement that is concluded, or an outdated one. It is empty when they may.
func (w *site) lacksAgreement(v visit) (string, error) {
	err := w.Accounts.Gate(v.ctx, v.Account.ID)
	switch {
	case problem.Has(err, "no_agreement"):
		return "none", nil
	case problem.Has(err, "agreement_outdated"):
		return "outdated", nil
	}
	return "", err
}

// connectionOf is the connection that the address names.
func (w *site) connectionOf(c *fiber.Ctx, v visit) (directory.Connection, error) {
	id, err := w.Names.ID(secrets.Connection, c.Params("id"))
	if err != nil {
		return directory.Connection{}, err
	}
	return w.Directory.Connection(v.ctx, v.Account.ID, id)
}

// syncNow asks for a sync; the process that works takes it up.
func (w *site) syncNow(c *fiber.Ctx, v visit) error {
	one, err := w.connectionOf(c, v)
	if err != nil {
		return err
	}
	if _, err := w.Directory.Request(v.ctx, v.Account.ID, one.ID); err != nil {
		return err
	}
	return c.Redirect("/directory", fiber.StatusSeeOther)
}

// syncGroups asks for a sync of every directory that is connected.
func (w *site) syncGroups(c *fiber.Ctx, v visit) error {
	all, err := w.Directory.Connections(v.ctx, v.Account.ID)
	if err != nil {
		return err
	}
	for _, one := range all {
		if one.State == directory.Disconnected {
			continue
		}
		if _, err := w.Directory.Request(v.ctx, v.Account.ID, one.ID); err != nil {
			return err
		}
	}
	return c.Redirect("/directory", fiber.StatusSeeOther)
}

// syncGroup asks for a sync of one group of the address book.
func (w *site) syncGroup(c *fiber.Ctx, v visit) error {
	id, err := w.Names.ID(secrets.Group, c.Params("id"))
	if err != nil {
		return err
	}
	g, err := w.Book.Group(v.ctx, v.Account.ID, id)
	if err != nil {
		return err
	}
	all, err := w.Directory.Connections(v.ctx, v.Account.ID)
	if err != nil {
		return err
	}
	for _, one := range all {
		if g.Source == contacts.FromDirectory && one.Tenant == g.Tenant {
			if _, err := w.Directory.RequestGroup(v.ctx, v.Account.ID, one.ID, g.DirectoryID); err != nil {
				return err
			}
			return c.Redirect("/directory", fiber.StatusSeeOther)
		}
	}
	return problem.Conflict("not_synced", "this group comes from no directory that is connected")
}

func (w *site) connectionCards(v visit) (cards []connectionCard, err error) {
	all, err := w.Directory.Connections(v.ctx, v.Account.ID)
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		card, err := w.connectionCard(v, one)
		if err != nil {
			return nil, err
		}
		cards = append(cards, card)
	}
	return cards, nil
}

func (w *site) connectionCard(v visit, one directory.Connection) (card connectionCard, err error) {
	runs, err := w.Directory.Runs(v.ctx, v.Account.ID, one.ID, 0, searchedRuns)
	if err != nil {
		return card, err
	}
	state, err := lookAtSync(v.ctx, w.Directory, one)
	if err != nil {
		return card, err
	}
	h, err := w.head(v, one, !state.analysed, "overview")
	if err != nil {
		return card, err
	}
	card = connectionCard{
		head: h, Written: lastWritten(h.tokens),
		Client: one.Client, State: one.State, Word: v.say.word("connection", one.State), Why: v.say.whyNot(one, runs),
		AsOf: one.SucceededAt, Due: one.DueAt, Every: v.say.about(one.Every),
		Secret: one.SecretLast4, SecretAt: one.SecretAt, SecretExpires: one.SecretExpires,
		Expiry: v.say.expiry(one.SecretExpires, time.Now()), Stalled: one.StalledAt, Preview: one.Preview,
		Asked: state.asked(), Running: state.run.Open(), Analysis: v.say.analysis(state), Runs: v.say.runRows(runs[:min(len(runs), shownRuns)]),
	}
	if card.Held, err = w.Directory.HeldCount(v.ctx, v.Account.ID, one.ID); err != nil {
		return card, err
	}
	card.SelfCheck, err = w.selfCheck(v, one, runs)
	if h.SCIM && err == nil {
		card.SelfCheck[0] = selfCheck{Name: "written", Outcome: doneOr(!card.Written.IsZero()), At: card.Written}
		card.SelfCheck[3].Name = "written_change"
	}
	return card, err
}

// whyNot is why a connection is not as it should be.
func (say *tongue) whyNot(one directory.Connection, runs []directory.Run) said {
	if one.Reason == "" {
		return said{}
	}
	for _, f := range one.Findings {
		if f.Outcome == directory.Broken && f.Text == one.Reason {
			return say.finding(f.Code, f.Text)
		}
	}
	for _, r := range runs {
		if r.Reason == one.Reason {
			return say.finding(r.Code, r.Reason)
		}
	}
	return said{Detail: one.Reason}
}

// expiry is how long a secret still works, once that is worth a word.
type expiry struct {
	Text   string
	Urgent bool
}

const (
	expiryTold   = 30 * 24 * time.Hour
	expiryUrgent = 7 * 24 * time.Hour
)

func (say *tongue) expiry(ends, now time.Time) expiry {
	left := ends.Sub(now)
	switch {
	case ends.IsZero() || left > expiryTold:
		return expiry{}
	case left <= 0:
		return expiry{say.text("secret_expired"), true}
	}
	days := int((left + 24*time.Hour - 1) / (24 * time.Hour))
	return expiry{say.count("secret_expires_in", days), left <= expiryUrgent}
}

// selfCheck is one line of what shows that a connection works.
type selfCheck struct {
	Name, Outcome string // Outcome: done, open or broken
	Text          string
	At            time.Time
}

func (w *site) selfCheck(v visit, one directory.Connection, runs []directory.Run) ([]selfCheck, error) {
	latest, _, err := w.Directory.LatestDone(v.ctx, v.Account.ID, one.ID, directory.Sync)
	if err != nil {
		return nil, err
	}
	all := []selfCheck{
		{Name: "sign_in", Outcome: signedIn(one), At: one.Checked},
		{Name: "people", Outcome: doneOr(latest.Contacts > 0), Text: v.say.count("contacts", latest.Contacts)},
		{Name: "groups", Outcome: doneOr(latest.Counts.Groups > 0), Text: v.say.count("groups_arrived", latest.Counts.Groups)},
		{Name: "change", Outcome: doneOr(false)},
	}
	if r, ok := latestChange(runs); ok {
		all[3].Outcome, all[3].At = doneOr(true), r.AsOf
	}
	return all, nil
}

// latestChange is the latest run that found something to do, but for the first,
// to which all was new.
func latestChange(runs []directory.Run) (directory.Run, bool) {
	followed := slices.DeleteFunc(slices.Clone(runs), func(r directory.Run) bool {
		return r.State != directory.Done || r.Kind == directory.Preview
	})
	for i, r := range followed {
		if moved(r.Counts) && i < len(followed)-1 {
			return r, true
		}
	}
	return directory.Run{}, false
}

func doneOr(done bool) string {
	if done {
		return "done"
	}
	return "open"
}

func signedIn(one directory.Connection) string {
	for _, f := range one.Findings {
		if f.Step == directory.StepSignIn && f.Outcome == directory.Broken {
			return "broken"
		}
	}
	return doneOr(!one.Checked.IsZero() && one.State == directory.Connected)
}

// moved says whether a run found something to do.
func moved(c directory.Counts) bool {
	return c.Added+c.Changed+c.Removed+c.GroupsAdded+c.GroupsRemoved+c.MembersAdded+c.MembersGone > 0
}

// head is what the pages of a connection have in common.
type head struct {
	ID, Tenant string // Tenant: of one that writes to us, the name of its first token
	SCIM       bool   // it writes to us
	tokens     []directory.SCIMToken
	Tabs       []tab
	Locked     bool // until the first analysis is done
	Unlocks    bool // the page follows the analysis only to unlock
	MayManage  bool
}

type tab struct {
	Name, Href    string
	Here, Blocked bool
}

// afterAnalysis are the pages that have nothing to show before it.
var afterAnalysis = map[string]bool{"preview": true, "held": true, "skipped": true}

func (w *site) head(v visit, one directory.Connection, locked bool, here string) (h head, err error) {
	h = head{ID: w.Names.Of(secrets.Connection, one.ID), Tenant: one.Tenant, Locked: locked, MayManage: mayManage(v.Role),
		Unlocks: locked && here != "overview" && here != "preview"}
	access := "check"
	if one.Kind == directory.FromSCIM {
		if h.tokens, err = w.Directory.SCIMTokens(v.ctx, v.Account.ID, one.ID); err != nil {
			return h, err
		}
		h.SCIM, h.Tenant, access = true, h.tokens[0].Name, "tokens"
	}
	for _, name := range []string{"overview", access, "preview", "held", "skipped", "runs", "settings"} {
		t := tab{Name: name, Href: "/directory/" + h.ID + "/" + name, Here: name == here, Blocked: locked && afterAnalysis[name]}
		if name == "overview" {
			t.Href = "/directory"
		}
		h.Tabs = append(h.Tabs, t)
	}
	return h, nil
}
