package merge_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/smsqueue/merge"
)

func known(name string) bool {
	return slices.Contains([]string{"first_name", "office", "custom.badge"}, name)
}

func person(name string) string {
	return map[string]string{"first_name": "Żaneta", "custom.badge": "{{office}}"}[name]
}

func TestATextIsFilledInForARecipient(t *testing.T) {
	type filled struct {
		Text  string
		Whole bool
		Holes []string
	}
	for text, want := range map[string]filled{
		"":                                   {"", true, nil},
		"Nothing { of } this }} kind | here": {"Nothing { of } this }} kind | here", true, nil},
		"Hi {{first_name}}!":                 {"Hi Żaneta!", true, nil},
		"{{ first_name }}{{first_name|x}}":   {"ŻanetaŻaneta", true, nil},
		"{{office|the office}}: {{custom.badge}}": {"the office: {{office}}", true, nil},
		"{{office|}}.":                         {".", true, nil},
		"{{office|a|b }}.":                     {"a|b .", true, nil},
		"{{office}}, {{office}}, {{office|x}}": {", , x", false, []string{"office"}},
	} {
		parsed, err := merge.Parse(text, known)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		got, whole := parsed.Append([]byte(nil), person)
		if diff := cmp.Diff(want, filled{string(got), whole, parsed.Holes(person)}); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

func TestAFaultyFieldIsNamedWithItsPlace(t *testing.T) {
	for text, want := range map[string]merge.Error{
		"Żółć {{fist_name}}":        {Fault: merge.Unknown, Name: "fist_name", At: 5},
		"{{}}":                      {Fault: merge.Unknown, Name: "", At: 0},
		"{{first_name}} {{office":   {Fault: merge.Unclosed, Name: "office", At: 15},
		"{{first_name {{office}}":   {Fault: merge.Unclosed, Name: "first_name {{office", At: 0},
		"Hi {{opt_out_link|no}}, x": {Fault: merge.Unknown, Name: "opt_out_link", At: 3},
	} {
		_, err := merge.Parse(text, known)
		var fault *merge.Error
		if !errors.As(err, &fault) {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, *fault); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

func TestNamesAreListedOnce(t *testing.T) {
	text, err := merge.Parse("{{office}} {{first_name}} {{office|x}}", known)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"office", "first_name"}, text.Names()); diff != "" || text.Plain() {
		t.Error(diff)
	}
}

func TestFillingInAllocatesNothing(t *testing.T) {
	text, err := merge.Parse("Hi {{first_name}}, come to {{office|us}}.", known)
	if err != nil {
		t.Fatal(err)
	}
	value := func(string) string { return "x" }
	room := make([]byte, 0, 100)
	if n := testing.AllocsPerRun(100, func() { text.Append(room, value) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestALanguageStandsInForItsRegion(t *testing.T) {
	languages := []string{"en", "nb", "pt-BR", "zh-Hant"}
	for wanted, want := range map[string]int{
		"en": 0, "EN-gb": 0, "nb-NO": 1, "nb_NO": 1, "pt-br": 2, "pt": -1, "zh-Hant-x-a": 3, "zh-Hans": -1, "pl": -1, "": -1, "-": -1,
	} {
		if got := merge.Language(languages, wanted); got != want {
			t.Errorf("%q: %d, not %d", wanted, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("{{first_name|x}} {{")
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := merge.Parse(text, known)
		if err == nil && parsed.Plain() {
			if got, whole := parsed.Append(nil, person); string(got) != text || !whole {
				t.Errorf("%q becomes %q", text, got)
			}
		}
	})
}
