package smsqueue

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/smsqueue/carriers"
)

func said(id string, state carriers.ReceiptState) *receipt {
	return &receipt{Receipt: carriers.Receipt{ID: id, State: state}, key: idKey(id)}
}

func idsOf(all []*receipt) (ids []string) {
	for _, r := range all {
		ids = append(ids, r.ID+" "+string(r.State))
	}
	return ids
}

// sent is a flight of one part that the carrier has given an id.
func sent(message int64, id string) *flight {
	return &flight{row: row{id: message, parts: 1}, submissions: make([]carriers.Submission, 1), answers: []carriers.Answer{{ID: id}}}
}

func (r *recent) add(flights ...*flight) {
	for _, f := range flights {
		r.expect(f)
		r.settle(f, true)
	}
}

func TestTheSecondReceiptOfAMessageIsNotLostOnTheFirst(t *testing.T) {
	var r recent
	r.add(sent(1, "a"), sent(2, "b"))
	fresh, others := r.split([]*receipt{said("a", carriers.Undelivered), said("c", carriers.Delivered), said("a", carriers.Delivered)})
	if len(fresh) != 1 || fresh[1].State != carriers.Undelivered {
		t.Errorf("%v", fresh)
	}
	if diff := cmp.Diff([]string{"c delivered", "a delivered"}, idsOf(others)); diff != "" {
		t.Error(diff)
	}
	r.forget(fresh)
	if fresh, others := r.split([]*receipt{said("a", carriers.Delivered)}); len(fresh) != 0 || len(others) != 1 {
		t.Errorf("%v is remembered though it had its receipt", fresh)
	}
}

func TestAnIdThatComesAgainMeansTheNewestMessage(t *testing.T) {
	var r recent
	r.add(sent(1, "a"), sent(2, "a"))
	if fresh, _ := r.split([]*receipt{said("a", carriers.Delivered)}); fresh[2].receipt == nil {
		t.Errorf("%v", fresh)
	}
}

func TestAReceiptThatWaitsOutlivesAnIdThatComesAgain(t *testing.T) {
	var r recent
	first, second := sent(1, "a"), sent(2, "a")
	r.expect(first)
	r.park([]*receipt{said("a", carriers.Delivered)})
	r.expect(second)
	if got := r.settle(first, true); len(got) != 0 {
		t.Errorf("%v", idsOf(got))
	}
	if diff := cmp.Diff([]string{"a delivered"}, idsOf(r.settle(second, true))); diff != "" {
		t.Error(diff)
	}
}

func TestAReceiptWaitsForTheAnswerToBeStored(t *testing.T) {
	var r recent
	as, other, lost := sent(1, "a"), sent(2, "b"), sent(3, "c")
	r.expect(as)
	r.expect(other)
	r.expect(lost)
	others := r.park([]*receipt{said("a", carriers.Delivered), said("x", carriers.Delivered), said("b", carriers.Delivered), said("c", carriers.Delivered)})
	if diff := cmp.Diff([]string{"x delivered"}, idsOf(others)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a delivered"}, idsOf(r.settle(as, true))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"b delivered"}, idsOf(r.settle(other, false))); diff != "" {
		t.Error(diff)
	}
	fresh, others := r.split([]*receipt{said("a", carriers.Delivered), said("b", carriers.Delivered)})
	if fresh[1].receipt == nil || len(others) != 1 {
		t.Errorf("%v, %v: the second is not where it was expected", fresh, idsOf(others))
	}
	if diff := cmp.Diff([]string{"c delivered"}, idsOf(r.close())); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	var r recent
	for i := range recentMost + 10 {
		r.add(sent(int64(i), fmt.Sprint(i)))
	}
	if len(r.byID) != recentMost || len(r.ring) != recentMost {
		t.Errorf("%d remembered, %d in order", len(r.byID), len(r.ring))
	}
	if fresh, others := r.split([]*receipt{said("9", carriers.Delivered), said("10", carriers.Delivered)}); len(fresh) != 1 || len(others) != 1 {
		t.Errorf("%v, %v: the oldest are to be forgotten first", fresh, idsOf(others))
	}
}

func TestNothingRecentIsKnownOfACallback(t *testing.T) {
	var none *recent
	fresh, others := none.split([]*receipt{said("a", carriers.Delivered)})
	none.forget(fresh)
	if len(fresh) != 0 || len(others) != 1 {
		t.Errorf("%v, %v", fresh, idsOf(others))
	}
}
