package smsqueue

import (
	"slices"
	"testing"
)

// The whole table: what each row may become, in the order of Statuses.
func TestTransitions(t *testing.T) {
	const yes, no = true, false
	table := map[Status][11]bool{
		//            queued sending sent unconf deliv undel expir reject failed cancel skip
		Queued:      {no, yes, no, no, no, no, yes, no, yes, yes, yes},
		Sending:     {yes, no, yes, yes, yes, yes, yes, yes, yes, no, no},
		Sent:        {no, no, no, no, yes, yes, yes, no, no, no, no},
		Unconfirmed: {yes, no, yes, no, yes, yes, yes, yes, no, no, no},
		Delivered:   {},
		Undelivered: {no, no, no, no, yes, no, no, no, no, no, no},
		Expired:     {no, no, no, no, yes, yes, no, no, no, no, no},
		Rejected:    {},
		Failed:      {},
		Cancelled:   {},
		Skipped:     {},
	}
	for from, row := range table {
		for i, to := range Statuses {
			if got := from.May(to); got != row[i] {
				t.Errorf("%s to %s: %v, want %v", from, to, got, row[i])
			}
		}
	}
	if len(table) != len(Statuses) {
		t.Errorf("the table has %d rows for %d statuses", len(table), len(Statuses))
	}
}

func TestMoneyIsSettledOnce(t *testing.T) {
	for _, c := range []struct {
		from, to Status
		money    Money
		want     Money
	}{
		{Sending, Sent, Reserved, Charged},
		{Unconfirmed, Delivered, Reserved, Charged},
		{Sending, Unconfirmed, Reserved, Reserved},
		{Sending, Rejected, Reserved, Released},
		{Queued, Expired, Reserved, Released},
		{Unconfirmed, Expired, Reserved, Released},
		{Sent, Expired, Charged, Charged},
		{Expired, Delivered, Released, Released},
		{Sending, Queued, Reserved, Reserved},
		{Queued, Skipped, Reserved, Released},
	} {
		m := move{row: row{status: c.from, money: c.money}, to: c.to}
		if got := m.settled(); got != c.want {
			t.Errorf("%s to %s with money %s: %s, want %s", c.from, c.to, c.money, got, c.want)
		}
	}
}

func TestEveryStatusButTheLastCanEnd(t *testing.T) {
	for _, s := range Statuses {
		if s.Open() != slices.ContainsFunc(transitions[s], func(to Status) bool { return !to.Open() && s.Open() }) {
			t.Errorf("%s: open %v", s, s.Open())
		}
	}
}
