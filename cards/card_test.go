package cards_test

import (
	"testing"

	"github.com/varsel/varsel/cards"
)

// TestTheFieldPolicySaysWhatACardTells goes through every combination of how often a
// field is taken, whether the holder may write it, whether it has a default, is hidden,
// and what the directory and the holder said.
func TestTheFieldPolicySaysWhatACardTells(t *testing.T) { // Q30, Q31, Q34, Q36, Q64
	bools := []bool{false, true}
	for _, sync := range []cards.Sync{cards.Never, cards.Once, cards.Always} {
		for n := range 1 << 6 {
			is := func(bit int) bool { return bools[n>>bit&1] }
			f := cards.Field{ID: "f", Kind: cards.JobTitle, From: "jobTitle", Sync: sync, Editable: is(0), Hidden: is(1)}
			if is(2) {
				f.Default = "default"
			}
			v := cards.Values{Taken: map[string]string{}, Once: map[string]string{}, Edits: map[string]string{}}
			if is(3) {
				v.Taken["jobTitle"] = "directory"
			}
			if is(4) {
				v.Once["f"] = "first"
			}
			if is(5) {
				v.Edits["f"] = "holder"
			}
			want, mayEdit := f.Default, f.Editable && !f.Hidden
			switch {
			case f.Hidden:
				want = ""
			case sync == cards.Always && is(3):
				want, mayEdit = "directory", false
			case f.Editable && is(5):
				want = "holder"
			case sync == cards.Once && is(4):
				want = "first"
			}
			if got := f.Value(v); got != want {
				t.Errorf("%+v of %+v tells %q and not %q", f, v, got, want)
			}
			if got := f.MayEdit(v); got != mayEdit {
				t.Errorf("%+v of %+v: the holder may edit is %v", f, v, got)
			}
		}
	}
}

func TestWhatAHolderWroteIsNotToldInAFieldOfAnotherKind(t *testing.T) { // Q31, Q64
	v := cards.Values{Edits: map[string]string{"f": "javascript:alert(1)"}}
	field := cards.Field{ID: "f", Kind: cards.Text, Sync: cards.Never, Editable: true, Default: "https://example.no"}
	for kind, want := range map[cards.Kind]string{cards.Text: "javascript:alert(1)", cards.Website: "https://example.no"} {
		if field.Kind = kind; field.Value(v) != want {
			t.Errorf("a %s tells %q", kind, field.Value(v))
		}
	}
}
