package smscsim

import "sync/atomic"

// Counts is what happened since the start or the last Reset.
type Counts struct {
	Binds        int `json:"binds"`
	RefusedBinds int `json:"refused_binds"`
	Submits      int `json:"submits"` // received: accepted, throttled and refused
	Accepted     int `json:"accepted"`
	Throttled    int `json:"throttled"` // answered ESME_RTHROTTLED
	Refused      int `json:"refused"`
	Receipts     int `json:"receipts"`     // final receipts sent for the first time
	ReceiptAcks  int `json:"receipt_acks"` // of those, acknowledged
	Said         int `json:"said"`         // deliver_sm with what handsets said, each time one was sent
	SaidAcks     int `json:"said_acks"`    // of those, acknowledged
	Drops        int `json:"drops"`        // connections this server reset
}

// counters are the same numbers while they change.
type counters struct {
	binds, refusedBinds                   atomic.Int64
	submits, accepted, throttled, refused atomic.Int64
	receipts, receiptAcks, drops          atomic.Int64
	said, saidAcks                        atomic.Int64
}

func (c *counters) read() Counts {
	return Counts{
		Binds:        int(c.binds.Load()),
		RefusedBinds: int(c.refusedBinds.Load()),
		Submits:      int(c.submits.Load()),
		Accepted:     int(c.accepted.Load()),
		Throttled:    int(c.throttled.Load()),
		Refused:      int(c.refused.Load()),
		Receipts:     int(c.receipts.Load()),
		ReceiptAcks:  int(c.receiptAcks.Load()),
		Said:         int(c.said.Load()),
		SaidAcks:     int(c.saidAcks.Load()),
		Drops:        int(c.drops.Load()),
	}
}

func (c *counters) reset() {
	for _, n := range []*atomic.Int64{
		&c.binds, &c.refusedBinds, &c.submits, &c.accepted, &c.throttled, &c.refused,
		&c.receipts, &c.receiptAcks, &c.said, &c.saidAcks, &c.drops,
	} {
		n.Store(0)
	}
}

// refuse counts a submit that was not accepted.
func (c *counters) refuse(status uint32) {
	if status == statusThrottled {
		c.throttled.Add(1)
		return
	}
	c.refused.Add(1)
}
