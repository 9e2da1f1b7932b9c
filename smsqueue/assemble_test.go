package smsqueue

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// came lists parts as "number:text", a second apart; "-" lets an hour and more pass.
func came(parts int, what ...string) (all []inboundPart) {
	at := noon
	for i, one := range what {
		if one == "-" {
			at = at.Add(siblingsWithin + time.Second)
			continue
		}
		p := inboundPart{id: int64(i + 1), parts: parts, at: at}
		fmt.Sscanf(one, "%d:%s", &p.part, &p.body)
		all = append(all, p)
		at = at.Add(time.Second)
	}
	return all
}

func texts(sets []*partSet) (all []string) {
	for _, s := range sets {
		all = append(all, s.text())
	}
	return all
}

func TestPartsBecomeTheMessagesTheyWere(t *testing.T) {
	for name, c := range map[string]struct {
		parts []inboundPart
		want  []string
		twice []int64
	}{
		"in order":                      {came(3, "1:a", "2:b", "3:c"), []string{"abc"}, nil},
		"in another":                    {came(3, "3:c", "1:a", "2:b"), []string{"abc"}, nil},
		"one twice":                     {came(2, "1:a", "1:a", "2:b"), []string{"ab"}, []int64{2}},
		"all twice":                     {came(2, "2:b", "1:a", "2:b", "1:a"), []string{"ab"}, []int64{3, 4}},
		"the reference came round":      {came(2, "1:a", "2:b", "1:c", "2:d"), []string{"ab", "cd"}, nil},
		"it came round much later":      {came(2, "1:a", "-", "2:d", "1:c"), []string{"a[…]", "cd"}, nil},
		"the same words much later":     {came(2, "1:a", "2:b", "-", "1:a", "2:b"), []string{"ab", "ab"}, nil},
		"two at once are not mixed":     {came(2, "1:a", "1:c", "2:b", "2:d"), []string{"a[…]", "c[…]", "[…]b", "[…]d"}, nil},
		"and do not spoil what follows": {came(2, "1:a", "1:c", "-", "1:e", "2:f"), []string{"a[…]", "c[…]", "ef"}, nil},
		"gaps are seen":                 {came(4, "2:b", "4:d"), []string{"[…]b[…]d"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			sets, twice := assemble(c.parts)
			if diff := cmp.Diff(c.want, texts(sets)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.twice, twice); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheCarriersIDsDecideWhatCameTwice(t *testing.T) {
	same := came(2, "1:a", "2:b", "-", "1:a")
	same[0].key, same[2].key = "17", "17"
	if _, twice := assemble(same); !slices.Equal(twice, []int64{4}) {
		t.Errorf("the same id is the same part, however late: %v", twice)
	}
	other := came(2, "1:a", "2:b", "1:a", "2:b")
	for i := range other {
		other[i].key = fmt.Sprint(i)
	}
	if sets, twice := assemble(other); len(sets) != 2 || twice != nil {
		t.Errorf("two identical texts with ids of their own are two: %v %v", texts(sets), twice)
	}
	waiting := came(2, "1:a", "1:a", "2:b")
	waiting[0].key, waiting[1].key, waiting[2].key = "1", "2", "3"
	if sets, twice := assemble(waiting); len(sets) != 1 || !slices.Equal(twice, []int64{2}) {
		t.Errorf("a part that came again does not keep its message from being whole: %v %v", texts(sets), twice)
	}
}

func TestAPartOfAMessageThatIsThereIsNotAnother(t *testing.T) {
	all := came(2, "1:a", "2:b", "2:b", "1:c")
	all[0].message, all[1].message = 7, 7
	sets, twice := assemble(all)
	if diff := cmp.Diff([]string{"ab", "c[…]"}, texts(sets)); diff != "" || !slices.Equal(twice, []int64{3}) {
		t.Errorf("%v %s", twice, diff)
	}
}

// However the parts of two messages with one reference come, no message holds a
// part of the other; and one message alone is always put together.
func TestNoTwoMessagesAreMixed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 5).Draw(t, "parts")
		one := rapid.Permutation(numbered(n, "x")).Draw(t, "one")
		repeats := rapid.SliceOfN(rapid.SampledFrom(one), 0, 3).Draw(t, "repeats")
		sets, _ := assemble(came(n, append(slices.Clone(one), repeats...)...))
		if len(sets) != 1 || sets[0].missing() > 0 {
			t.Fatalf("%v and then %v is %v", one, repeats, texts(sets))
		}
		// The first of each message comes before the second of either.
		two := append([]string{"1:x1", "1:y1"}, rapid.Permutation(append(numbered(n, "x")[1:], numbered(n, "y")[1:]...)).Draw(t, "two")...)
		sets, _ = assemble(came(n, two...))
		for _, s := range sets {
			for _, p := range s.parts {
				if p.body[0] != s.parts[0].body[0] {
					t.Fatalf("%v is %v", two, texts(sets))
				}
			}
		}
	})
}

func numbered(n int, letter string) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("%d:%s%d", i+1, letter, i+1))
	}
	return all
}
