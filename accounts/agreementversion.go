package accounts

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/varsel/varsel/internal/audit"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/problem"
)

// AgreementLanguages are those of the texts and annexes; the first is for who wants
// none of the others.
var AgreementLanguages = []string{"en", "nb", "pl"}

// Terms are the days and hours that a version's text names.
type Terms struct {
	ObjectionDays int // before a change of sub-processors takes effect
	BreachHours   int // until a breach is notified at the latest
	EndDays       int // after the end, until data are returned or deleted
}

// usualTerms are those of the texts that the program ships.
var usualTerms = Terms{ObjectionDays: 30, BreachHours: 48, EndDays: 30}

// Who wrote a version.
const (
	OfProgram  = "program"
	OfOperator = "operator"
)

// AgreementVersion is a text that is offered, in its languages.
type AgreementVersion struct {
	Name      string // "2026-12"
	Origin    string // OfProgram or OfOperator
	Offered   time.Time
	Grace     time.Time // until then agreements of earlier versions are enough
	Published time.Time
	Terms
	Texts map[string]string // by language
}

// Languages are those of its texts, in the order of AgreementLanguages.
func (v AgreementVersion) Languages() (all []string) {
	for _, l := range AgreementLanguages {
		if v.Texts[l] != "" {
			all = append(all, l)
		}
	}
	return all
}

// language is the wanted one when the version has it, else its first.
func (v AgreementVersion) language(wanted string) string {
	if v.Texts[wanted] != "" {
		return wanted
	}
	return v.Languages()[0]
}

//go:embed agreements
var agreementFiles embed.FS

// shipped are the versions that the program brings, the oldest first. A text stays
// as it is for good: what was signed is checked against it.
var shipped = []struct {
	name    string
	offered time.Time
}{
	{"2026-11", time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)},
	{"2026-12", time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)},
}

// shippedGrace is how long agreements of earlier versions are enough, from when the
// installation got the newer one.
const shippedGrace = 30 * 24 * time.Hour

func shippedTexts(name string) map[string]string {
	texts := map[string]string{}
	for _, l := range AgreementLanguages {
		if text, err := agreementFiles.ReadFile("agreements/" + name + "/" + l + ".txt"); err == nil {
			texts[l] = string(text)
		}
	}
	return texts
}

// ShipAgreements publishes the versions that the program brings and the installation
// does not have yet.
func (a *Accounts) ShipAgreements(ctx context.Context) error {
	now := a.clock()
	for _, one := range shipped {
		v := AgreementVersion{Name: one.name, Origin: OfProgram, Offered: one.offered, Grace: now.Add(shippedGrace), Published: now,
			Terms: usualTerms, Texts: shippedTexts(one.name)}
		known, err := a.hasVersion(ctx, v.Name)
		if err == nil && !known {
			err = a.publish(ctx, v)
		}
		if err != nil && !problem.Has(err, "version_exists") { // another process was faster
			return err
		}
	}
	return nil
}

var versionPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$`)

// maxAgreementText is how long a text may be, in bytes.
const maxAgreementText = 256 << 10

// PublishAgreement offers a text of the operator's own from a time on. From Grace on
// agreements of earlier versions open nothing any more. Texts of the program are not
// offered after it.
func (a *Accounts) PublishAgreement(ctx context.Context, v AgreementVersion) (AgreementVersion, error) {
	if err := a.ShipAgreements(ctx); err != nil {
		return v, err
	}
	v.Origin, v.Published = OfOperator, a.clock()
	if v.Offered.IsZero() {
		v.Offered = v.Published
	}
	if v.Terms == (Terms{}) {
		v.Terms = usualTerms
	}
	if err := v.check(); err != nil {
		return v, err
	}
	return v, a.publish(ctx, v)
}

func (v AgreementVersion) check() error {
	switch {
	case !versionPattern.MatchString(v.Name):
		return problem.Invalid("version", "a version is 1 to 40 letters, digits, dots and hyphens, such as 2027-01")
	case len(v.Texts) == 0:
		return problem.Invalid("texts", "a version needs its text in one language at least")
	case v.ObjectionDays < 1 || v.BreachHours < 1 || v.EndDays < 1 || v.ObjectionDays > 3650 || v.BreachHours > 72 || v.EndDays > 3650:
		return problem.Invalid("terms", "days are 1 to 3650, and a breach is notified within 1 to 72 hours")
	}
	for language, text := range v.Texts {
		switch {
		case !slices.Contains(AgreementLanguages, language):
			return problem.Invalid("texts", "the languages are %s", strings.Join(AgreementLanguages, ", "))
		case strings.TrimSpace(text) == "" || len(text) > maxAgreementText || !utf8.ValidString(text) || strings.ContainsRune(text, 0):
			return problem.Invalid("texts", "a text is UTF-8, not empty, and has %d KiB at the most", maxAgreementText>>10)
		}
	}
	if v.Grace.Before(v.Offered) {
		return problem.Invalid("grace_until", "earlier agreements are enough until a time that is not before the new version is offered")
	}
	return nil
}

func (a *Accounts) publish(ctx context.Context, v AgreementVersion) error {
	return a.db.InTx(ctx, func(tx *db.Tx) error {
		if err := lockVersions(ctx, tx, tx.ForUpdate); err != nil {
			return err
		}
		if err := insertVersion(ctx, tx, v); err != nil {
			return err
		}
		if err := closeEarlier(ctx, tx, v); err != nil {
			return err
		}
		hashes := map[string]string{}
		for _, l := range slices.Sorted(maps.Keys(v.Texts)) {
			hashes[l] = sha256Of(v.Texts[l])
		}
		_, err := audit.Record(ctx, tx, audit.Entry{Action: "agreement.published", Facts: map[string]any{"version": v.Name, "origin": v.Origin,
			"texts": hashes, "offered_from": v.Offered.UTC(), "grace_until": v.Grace.UTC()}})
		return err
	})
}

// AgreementVersions lists all versions, the newest first.
func (a *Accounts) AgreementVersions(ctx context.Context) ([]AgreementVersion, error) {
	if err := a.ShipAgreements(ctx); err != nil {
		return nil, err
	}
	return a.versions(ctx, `ORDER BY offered_from DESC, published_at DESC, version DESC`)
}

// offeredVersion is the version that is offered now.
func (a *Accounts) offeredVersion(ctx context.Context) (AgreementVersion, error) {
	if err := a.ShipAgreements(ctx); err != nil {
		return AgreementVersion{}, err
	}
	name, err := currentVersion(ctx, a.db, a.clock())
	if err != nil {
		return AgreementVersion{}, err
	}
	all, err := a.versions(ctx, `WHERE version = $1`, name)
	if err != nil {
		return AgreementVersion{}, err
	}
	return all[0], nil
}

func sha256Of[T string | []byte](text T) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
