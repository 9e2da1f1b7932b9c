package cards

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/varsel/varsel/cards/qr"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// CodeForm is what a code is drawn as.
type CodeForm string

// Forms of a code.
const (
	PNG CodeForm = "png"
	SVG CodeForm = "svg"
	PDF CodeForm = "pdf"
)

// CodeForms are those that a code can have.
var CodeForms = []CodeForm{PNG, SVG, PDF}

// MediaType is what a file in the form is.
func (f CodeForm) MediaType() string {
	return map[CodeForm]string{PNG: "image/png", SVG: "image/svg+xml", PDF: "application/pdf"}[f]
}

const (
	// CodeWidth is how wide a PNG is, in pixels.
	CodeWidth = 1024
	codePrint = 40.0 // millimetres, where the code allows it
)

// Draw writes a code, to be printed as 40 mm wide or as wide as it has to be.
func (f CodeForm) Draw(code *qr.Code, at time.Time) ([]byte, error) {
	switch f {
	case PNG:
		return code.PNG(CodeWidth)
	case SVG:
		return code.SVG(), nil
	case PDF:
		return code.PDF(max(codePrint, math.Ceil(code.LeastWidth())), at)
	}
	return nil, fmt.Errorf("a code has no form %q", f)
}

// ErrNoPublicURL refuses what leads people to an installation that they cannot reach.
var ErrNoPublicURL = problem.Conflict("no_public_url", "this installation has no public address: set VARSEL_PUBLIC_URL")

// InviteCode draws the code of an invite's address. One that is over has none: invite_gone.
// Without a public address it is refused with no_public_url.
func (c *Cards) InviteCode(ctx context.Context, i Invite, public string, form CodeForm, now time.Time) ([]byte, error) {
	if i.Over(now) {
		return nil, errInviteGone
	}
	if public == "" {
		return nil, ErrNoPublicURL
	}
	style, err := c.inviteStyle(ctx, i)
	if err != nil {
		return nil, err
	}
	look, err := c.Look(ctx, i.Account, style)
	if err != nil {
		return nil, err
	}
	code, err := look.Code(InviteCodeAddress(public, i.Slug))
	if err != nil {
		return nil, err
	}
	return form.Draw(code, now)
}

// inviteStyle is as the template had it when the invite was made, also of one that was
// taken out of use since.
func (c *Cards) inviteStyle(ctx context.Context, i Invite) (Body, error) {
	if i.Template == 0 {
		return Usual(), nil
	}
	t, err := oneTemplate(db.Collect(ctx, c.db, scanTemplate, `SELECT `+templateColumns+` FROM card_templates t
		JOIN card_template_versions v ON v.template_id = t.id
		WHERE t.account_id = $1 AND t.id = $2 AND v.version = $3`, i.Account, i.Template, i.Version))
	return t.Body, err
}
