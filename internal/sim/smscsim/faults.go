package smscsim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"
)

// Faults are the ways in which this server misbehaves. The zero value is a carrier in good
// health that sends a receipt at once.
type Faults struct {
	// Throughput is how many submits per second are accepted over all binds, with a burst of a
	// tenth of it; those above are answered ESME_RTHROTTLED. 0: no limit.
	Throughput int `json:"throughput,omitempty"`
	// Window is how many unanswered submits one bind may have; the next is answered
	// ESME_RTHROTTLED. A submit counts until its answer goes to the socket. 0: no limit.
	Window int `json:"window,omitempty"`
	// AnswerDelay passes before each submit_sm_resp; answers wait side by side, not in turn.
	AnswerDelay time.Duration `json:"answer_delay,omitempty"`
	// NeverAnswer accepts and records submits without a submit_sm_resp. Refusals are answered.
	NeverAnswer bool `json:"never_answer,omitempty"`
	// ReceiptDelay is the mean time from answer to receipt, spread from half to one and a half.
	ReceiptDelay time.Duration `json:"receipt_delay,omitempty"`
	NoReceipts   bool          `json:"no_receipts,omitempty"`
	// ReceiptsFirst sends the receipt at once, before the submit_sm_resp, whatever ReceiptDelay is.
	ReceiptsFirst     bool `json:"receipts_first,omitempty"`
	DuplicateReceipts bool `json:"duplicate_receipts,omitempty"`
	// IDForm is how message ids are written: decimal (also when empty), hex,
	// hex-receipt-decimal, decimal-receipt-hex, uuid, zeros, upper-hex-receipt-lower.
	IDForm string `json:"id_form,omitempty"`
	// DropEvery resets the connection after every Nth submit in Counts.Accepted.
	// That submit and those still in flight behind it are accepted and recorded, not answered.
	DropEvery int `json:"drop_every,omitempty"`
	// Binds is how many connections may be bound at once; the next is answered ESME_RBINDFAIL.
	// 0: no limit.
	Binds int `json:"binds,omitempty"`
	// BindStatus and SubmitStatus, when not 0, refuse every bind and every submit.
	BindStatus   uint32 `json:"bind_status,omitempty"`
	SubmitStatus uint32 `json:"submit_status,omitempty"`
	// SubmitStatusFor refuses submits by destination.
	SubmitStatusFor map[string]uint32 `json:"submit_status_for,omitempty"`
	// Fail is the stat of the receipt by destination, instead of DELIVRD.
	Fail map[string]string `json:"fail,omitempty"`
}

func (f Faults) check() error {
	if _, ok := idForms[f.IDForm]; !ok {
		return fmt.Errorf("id form %q is not known", f.IDForm)
	}
	if f.Throughput < 0 || f.Window < 0 || f.Binds < 0 || f.DropEvery < 0 || f.AnswerDelay < 0 || f.ReceiptDelay < 0 {
		return errors.New("limits and delays cannot be negative")
	}
	return nil
}

func (f Faults) clone() Faults {
	f.SubmitStatusFor = maps.Clone(f.SubmitStatusFor)
	f.Fail = maps.Clone(f.Fail)
	return f
}

// plainFaults is Faults without its methods, or encoding it would call itself.
type plainFaults Faults

// faultsJSON writes durations as Go writes them ("250ms").
type faultsJSON struct {
	*plainFaults
	AnswerDelay  duration `json:"answer_delay,omitempty"`
	ReceiptDelay duration `json:"receipt_delay,omitempty"`
}

func (f Faults) MarshalJSON() ([]byte, error) {
	return json.Marshal(faultsJSON{
		plainFaults:  (*plainFaults)(&f),
		AnswerDelay:  duration(f.AnswerDelay),
		ReceiptDelay: duration(f.ReceiptDelay),
	})
}

// UnmarshalJSON refuses names it does not know: a mistyped switch would be a test that tests
// nothing.
func (f *Faults) UnmarshalJSON(b []byte) error {
	var read Faults
	form := faultsJSON{plainFaults: (*plainFaults)(&read)}
	in := json.NewDecoder(bytes.NewReader(b))
	in.DisallowUnknownFields()
	if err := in.Decode(&form); err != nil {
		return err
	}
	read.AnswerDelay = time.Duration(form.AnswerDelay)
	read.ReceiptDelay = time.Duration(form.ReceiptDelay)
	*f = read
	return nil
}

// duration is read from "1.5s" or from a number of nanoseconds.
type duration time.Duration

func (d duration) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Duration(d).String())
}

func (d *duration) UnmarshalJSON(b []byte) error {
	if len(b) == 0 || b[0] != '"' {
		return json.Unmarshal(b, (*int64)(d))
	}
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	parsed, err := time.ParseDuration(text)
	*d = duration(parsed)
	return err
}
