package web

import (
	"github.com/gofiber/fiber/v2"

	"github.com/varsel/varsel/contacts"
)

type qualityPage struct {
	Coverage coverage
	Contacts int
	Share    string
	Advised  bool
	Groups   []qualityGroup
}

func (qualityPage) template() string { return "quality" }

// qualityGroup is everybody of whom one thing is to be said.
type qualityGroup struct {
	Reason, Word, Todo string
	N                  int
}

func (w *site) quality(c *fiber.Ctx, v visit) error {
	q, err := w.Book.QualitySummary(v.ctx, v.Account.ID, "")
	if err != nil {
		return err
	}
	p := qualityPage{Coverage: v.say.coverage(q.Coverage), Contacts: q.Contacts, Share: v.say.percent(q.WithNumber, q.Contacts), Advised: q.Advised()}
	for _, reason := range contacts.QualityReasons {
		if n := q.Count(reason); n > 0 {
			p.Groups = append(p.Groups, qualityGroup{reason, v.say.quality(reason), v.say.word("todo", reason), n})
		}
	}
	return render(c, p)
}

func (w *site) qualityList(c *fiber.Ctx, v visit) error {
	say, reason := v.say, c.Query("reason")
	if !contacts.IsQualityReason(reason) {
		return errNoReason
	}
	out := newCSV(say, say.text("column_name"), say.text("person_directory_id"), say.text("column_source"), say.text("column_raw"), say.text("column_rule"),
		say.text("column_number"), say.text("column_reason"), say.text("column_shared"), say.text("column_warning"))
	err := w.Book.EachWarning(v.ctx, v.Account.ID, contacts.QualityFilter{Reason: reason}, func(one contacts.Checked) error {
		f := one.Fields()
		f[2], f[4] = say.word("source", one.Source), say.word("rule", one.Phone.Rule)
		if one.Phone.Reason != "" {
			f[6] = say.quality(one.Phone.Reason)
		}
		f[8] = ""
		if one.DeskLine() {
			f[8] = say.quality(contacts.DeskLine)
		}
		return out.row(f...)
	})
	if err != nil {
		return err
	}
	return out.send(c, "phone-quality.csv")
}
