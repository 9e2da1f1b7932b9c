package directory

import (
	"context"
	"slices"
	"time"
)

// Finding is what a check found out about one step of the way to a directory.
type Finding struct {
	Step    string // one of the steps
	Outcome string // Passed, Broken or NotTried
	Code    string // a problem's, of one that is broken
	Text    string // in words, for an administrator
}

// The steps of a check, in their order.
const (
	StepSignIn       = "sign_in"
	StepPeople       = "people"
	StepGroups       = "groups"
	StepMembers      = "members"
	StepOrganisation = "organisation"
)

// Outcomes of a step.
const (
	Passed   = "passed"
	Broken   = "broken"
	NotTried = "not_tried" // an earlier one is broken, or the directory does not offer it
)

// Report is the findings of a check.
type Report []Finding

// OK says that nothing is broken.
func (r Report) OK() bool {
	_, broken := r.failed()
	return !broken
}

// failed is the first step that is broken.
func (r Report) failed() (Finding, bool) {
	i := slices.IndexFunc(r, func(f Finding) bool { return f.Outcome == Broken })
	if i < 0 {
		return Finding{}, false
	}
	return r[i], true
}

// Failed is the first step that is broken, in words; "" for none.
func (r Report) Failed() string {
	f, _ := r.failed()
	return f.Text
}

// checkTimeout bounds a check: somebody waits for it.
const checkTimeout = 45 * time.Second

// examine asks for everything that a sync reads.
func (d *Directory) examine(ctx context.Context, c Connection, credentials Credentials) (Report, error) {
	cloud, err := d.cloud(c.Cloud)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	var asked tally
	report := cloud.Check(ctx, Access{Credentials: credentials, PersonFields: c.Settings.personFields(), Urgent: true, Told: asked.add})
	return report, d.recordAccess(context.WithoutCancel(ctx), c, asked.with(nil), time.Now())
}
