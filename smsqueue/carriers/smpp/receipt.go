package smpp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/varsel/varsel/smsqueue/carriers"
)

var (
	errNoID    = errors.New("the receipt holds no id")
	errNoState = errors.New("the receipt holds no state")
)

// receipt reads a delivery as a receipt. Optional fields go before the text,
// whose form SMPP 3.4 leaves to each carrier (appendix B).
func (d *delivery) receipt(arrived time.Time) (carriers.Receipt, error) {
	text := parseText(d.receiptText())
	r := carriers.Receipt{
		ID:    first(d.id(), text.id),
		Phone: phoneOf(d.source.text),
		State: first(messageState(d.state), text.state),
		Code:  first(networkCode(d.code), text.code),
		At:    doneAt(text.done, arrived),
	}
	switch {
	case r.ID == "":
		return r, errNoID
	case r.State == "":
		return r, errNoState
	}
	return r, nil
}

func first[T ~string](a, b T) T {
	if a != "" {
		return a
	}
	return b
}

// isReceipt reads esm_class: a receipt, or news of a message that is still
// under way (SMPP 3.4 5.2.12). Some carriers leave that out and only fill in the
// optional fields.
func (d *delivery) isReceipt() bool {
	class := d.esmClass & 0x3C
	return class == 0x04 || class == 0x20 || d.id() != "" && messageState(d.state) != ""
}

func (d *delivery) id() string {
	return strings.TrimRight(string(d.receiptedID), "\x00")
}

// told is what the text of a receipt says; what it does not say is empty.
type told struct {
	id    string
	state carriers.ReceiptState
	code  string
	done  string
}

// messageStates by the value of message_state (SMPP 3.4 5.2.28; 0 and 9 are of
// SMPP 5.0).
var messageStates = [...]carriers.ReceiptState{
	0: carriers.Enroute, // scheduled
	1: carriers.Enroute,
	2: carriers.Delivered,
	3: carriers.Expired,
	4: carriers.Undelivered, // deleted
	5: carriers.Undelivered,
	6: carriers.Enroute,     // accepted
	7: carriers.Undelivered, // unknown
	8: carriers.Refused,
	9: carriers.Undelivered, // skipped
}

func messageState(value []byte) carriers.ReceiptState {
	if len(value) != 1 || int(value[0]) >= len(messageStates) {
		return ""
	}
	return messageStates[value[0]]
}

// networkCode is the number in network_error_code, behind the octet that names
// the network (SMPP 3.4 5.3.2.31); empty for none.
func networkCode(value []byte) string {
	if len(value) != 3 {
		return ""
	}
	code := binary.BigEndian.Uint16(value[1:])
	if code == 0 {
		return ""
	}
	return fmt.Sprintf("%03d", code)
}

func (d *delivery) receiptText() string {
	if d.coding == 8 {
		return decodeUTF16(d.text)
	}
	return string(d.text)
}

// parseText reads "id:.. sub:.. dlvrd:.. submit date:.. done date:.. stat:..
// err:.. text:..", in any order and case, with fields missing or strange.
func parseText(text string) told {
	// Behind "text:" stand the sender's words, and they may look like fields.
	if at := find(text, "text:"); at >= 0 {
		if before, found := fieldsIn(text[:at]); found {
			return before
		}
	}
	all, _ := fieldsIn(text)
	return all
}

// fieldsIn reads the fields; found says that there are an id and a state, were it
// one that nobody knows.
func fieldsIn(text string) (t told, found bool) {
	stat := value(text, "stat:")
	t = told{
		id:    value(text, "id:"),
		state: stateNamed(stat),
		code:  value(text, "err:"),
		done:  value(text, "done date:"),
	}
	if t.done == "" {
		t.done = value(text, "done_date:")
	}
	return t, t.id != "" && stat != ""
}

// find is where a field begins, or -1.
func find(text, field string) int {
	for at := 0; at+len(field) <= len(text); at++ {
		if text[at]|0x20 == field[0] && (at == 0 || separates(text[at-1])) && begins(text[at:], field) {
			return at
		}
	}
	return -1
}

func begins(text, field string) bool {
	return len(text) >= len(field) && strings.EqualFold(text[:len(field)], field)
}

func separates(c byte) bool {
	return c <= ' ' || c == ',' || c == ';'
}

// value is what stands behind a field's name, up to a space or comma.
func value(text, field string) string {
	at := find(text, field)
	if at < 0 {
		return ""
	}
	rest := strings.TrimLeft(text[at+len(field):], " ")
	if end := strings.IndexFunc(rest, func(r rune) bool { return r < 0x80 && separates(byte(r)) }); end >= 0 {
		rest = rest[:end]
	}
	if beginsField(rest) { // this one is empty
		return ""
	}
	return rest
}

func beginsField(s string) bool {
	for _, field := range []string{"id:", "sub:", "dlvrd:", "submit", "done", "stat:", "err:", "text:"} {
		if begins(s, field) {
			return true
		}
	}
	return false
}

// statNames are the states by the letters that all ways of shortening them
// share.
var statNames = []struct {
	begins string
	state  carriers.ReceiptState
}{
	{"DELIV", carriers.Delivered},
	{"UNDEL", carriers.Undelivered},
	{"EXPIR", carriers.Expired},
	{"REJEC", carriers.Refused},
	{"DELET", carriers.Undelivered},
	{"UNKNO", carriers.Undelivered},
	{"SKIP", carriers.Undelivered},
	{"FAIL", carriers.Undelivered},
	{"ENROU", carriers.Enroute},
	{"ACCEP", carriers.Enroute},
	{"SCHED", carriers.Enroute},
	{"BUFF", carriers.Enroute},
}

func stateNamed(stat string) carriers.ReceiptState {
	stat = strings.ToUpper(stat)
	for _, name := range statNames {
		if strings.HasPrefix(stat, name.begins) {
			return name.state
		}
	}
	return ""
}

// doneForms are the ways carriers write dates. Twelve digits are tried with
// seconds first: a full year would make a month above twelve of its last two.
var doneForms = map[int][]string{
	10: {"0601021504"},
	12: {"060102150405", "200601021504"},
	14: {"20060102150405"},
}

// doneAt is the done date, which names no zone and is taken as UTC; a carrier
// whose clock is ahead, or whose date cannot be read, gives the time of arrival.
func doneAt(done string, arrived time.Time) time.Time {
	for _, form := range doneForms[len(done)] {
		if at, err := time.Parse(form, done); err == nil && at.Before(arrived) {
			return at
		}
	}
	return arrived
}

// phoneOf is an address as an international number with a leading +; empty
// when it is none.
func phoneOf(address string) string {
	digits := strings.TrimPrefix(strings.TrimPrefix(address, "+"), "00")
	if !isDigits(digits) || digits[0] == '0' {
		return ""
	}
	return "+" + digits
}
