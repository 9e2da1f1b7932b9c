package smsqueue

import (
	"slices"
	"testing"
	"time"

	"github.com/varsel/varsel/smsqueue/carriers"
)

func toAnn(id int64, lane Lane) candidate {
	return candidate{row: row{id: id, phone: "+4790000001", lane: lane}}
}

func TestTheSecondToARecipientWaitsForTheFirst(t *testing.T) { // U11
	var o order
	now := time.Unix(1_800_000_000, 0)
	admitted := func(all ...candidate) []int64 {
		first, behind := o.admit(all, now)
		if len(first)+len(behind) != len(all) {
			t.Errorf("%d of %d", len(first)+len(behind), len(all))
		}
		return candidateIDs(first)
	}
	answered := func(id int64, err *carriers.Error) {
		c := toAnn(id, Bulk)
		o.answered(&flight{row: c.row, answers: []carriers.Answer{{Err: err}}}, now)
	}
	for i, step := range []struct {
		do   func()
		all  []candidate
		want []int64
	}{
		{nil, []candidate{toAnn(2, Bulk), toAnn(3, Bulk)}, []int64{2}},
		{nil, []candidate{toAnn(3, Bulk), toAnn(4, Urgent)}, []int64{4}},
		{func() { answered(2, throttled) }, []candidate{toAnn(3, Bulk)}, nil},
		{nil, []candidate{toAnn(2, Bulk), toAnn(3, Bulk)}, []int64{2}},
		{func() { answered(2, nil) }, []candidate{toAnn(3, Bulk)}, []int64{3}},
		{func() { answered(3, throttled); now = now.Add(inTurnMost + 1) }, []candidate{toAnn(5, Bulk)}, []int64{5}},
		{func() { answered(5, busy) }, []candidate{toAnn(6, Bulk)}, []int64{6}},
		{nil, []candidate{toAnn(1, Bulk)}, []int64{1}},
		{func() { answered(6, nil); answered(1, nil) }, nil, nil},
	} {
		if step.do != nil {
			step.do()
		}
		if got := admitted(step.all...); !slices.Equal(got, step.want) {
			t.Errorf("step %d: %v, want %v", i, got, step.want)
		}
	}
	o.leave(toAnn(4, Urgent).row)
	if len(o.under) != 0 {
		t.Errorf("it remembers %v", o.under)
	}
}
