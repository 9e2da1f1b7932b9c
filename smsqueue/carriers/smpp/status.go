package smpp

import (
	"fmt"

	"github.com/linxGnu/gosmpp/data"

	"github.com/varsel/varsel/smsqueue/carriers"
)

type status = data.CommandStatusType

// verdict is what a command_status other than ESME_ROK means for a part.
type verdict struct {
	kind carriers.Kind
	text string
}

// verdicts on the statuses of SMPP 3.4 5.1.3. What is not listed here, the
// vendors' own range included, rejects the part: sending it again would not
// tell more.
var verdicts = map[status]verdict{
	data.ESME_RTHROTTLED: {carriers.Throttled, "the carrier asks for a lower rate"},
	data.ESME_RMSGQFUL:   {carriers.Throttled, "the carrier's queue is full"},
	data.ESME_RX_T_APPN:  {carriers.Throttled, "the carrier cannot take it for now"},

	data.ESME_ROK:         {carriers.Retry, "the carrier refused it without a reason"}, // only in a generic_nack
	data.ESME_RSYSERR:     {carriers.Retry, "the carrier has a fault of its own"},
	data.ESME_RSUBMITFAIL: {carriers.Retry, "the carrier could not take it"},
	data.ESME_RINVBNDSTS:  {carriers.Retry, "the carrier does not see the link as bound for sending"},
	data.ESME_RALYBND:     {carriers.Retry, "the carrier sees the link as bound twice"},
	data.ESME_RBINDFAIL:   {carriers.Retry, "the carrier does not see the link as bound"},

	data.ESME_RINVPASWD:     {carriers.Misconfigured, "the carrier does not accept the password any more"},
	data.ESME_RINVSYSID:     {carriers.Misconfigured, "the carrier does not accept the system_id any more"},
	data.ESME_RINVSYSTYP:    {carriers.Misconfigured, "the carrier does not accept the system_type"},
	data.ESME_RPROVNOTALLWD: {carriers.Misconfigured, "the carrier has not opened the account for this"},

	data.ESME_RINVMSGLEN:       {carriers.Rejected, "the carrier finds the text too long"},
	data.ESME_RINVCMDLEN:       {carriers.Rejected, "the carrier cannot read the request"},
	data.ESME_RINVCMDID:        {carriers.Rejected, "the carrier does not take submissions on this link"},
	data.ESME_RINVSRCADR:       {carriers.Rejected, "the carrier does not accept the sender"},
	data.ESME_RINVDSTADR:       {carriers.Rejected, "the carrier does not accept the number"},
	data.ESME_RINVSERTYP:       {carriers.Rejected, "the carrier does not accept the service type"},
	data.ESME_RINVNUMDESTS:     {carriers.Rejected, "the carrier does not accept the number of receivers"},
	data.ESME_RINVDLNAME:       {carriers.Rejected, "the carrier does not know the distribution list"},
	data.ESME_RINVDESTFLAG:     {carriers.Rejected, "the carrier does not accept the kind of destination"},
	data.ESME_RINVSUBREP:       {carriers.Rejected, "the carrier does not replace messages"},
	data.ESME_RINVESMCLASS:     {carriers.Rejected, "the carrier does not accept messages of several parts"},
	data.ESME_RCNTSUBDL:        {carriers.Rejected, "the carrier cannot send to the distribution list"},
	data.ESME_RINVSRCTON:       {carriers.Rejected, "the carrier does not accept the sender's type of number"},
	data.ESME_RINVSRCNPI:       {carriers.Rejected, "the carrier does not accept the sender's numbering plan"},
	data.ESME_RINVDSTTON:       {carriers.Rejected, "the carrier does not accept the receiver's type of number"},
	data.ESME_RINVDSTNPI:       {carriers.Rejected, "the carrier does not accept the receiver's numbering plan"},
	data.ESME_RINVREPFLAG:      {carriers.Rejected, "the carrier does not accept the replace flag"},
	data.ESME_RINVSCHED:        {carriers.Rejected, "the carrier does not accept the delivery time"},
	data.ESME_RINVEXPIRY:       {carriers.Rejected, "the carrier does not accept the validity"},
	data.ESME_RX_P_APPN:        {carriers.Rejected, "the carrier will not take it"},
	data.ESME_RX_R_APPN:        {carriers.Rejected, "the carrier rejects it"},
	data.ESME_RINVOPTPARSTREAM: {carriers.Rejected, "the carrier cannot read the optional fields"},
	data.ESME_ROPTPARNOTALLWD:  {carriers.Rejected, "the carrier does not allow an optional field"},
	data.ESME_RINVPARLEN:       {carriers.Rejected, "the carrier finds a field of the wrong length"},
	data.ESME_RMISSINGOPTPARAM: {carriers.Rejected, "the carrier misses an optional field"},
	data.ESME_RINVOPTPARAMVAL:  {carriers.Rejected, "the carrier does not accept an optional field"},
	data.ESME_RDELIVERYFAILURE: {carriers.Rejected, "the carrier could not deliver it"},
}

var unknownVerdict = verdict{carriers.Rejected, "the carrier refuses it with a code of its own"}

// ownVerdicts are the sentences for a command_status whose meaning the
// configuration gives.
var ownVerdicts = map[carriers.Kind]string{
	carriers.Throttled:     "the carrier asks for a lower rate with a code of its own",
	carriers.Retry:         "the carrier cannot take it for now and says so with a code of its own",
	carriers.Rejected:      unknownVerdict.text,
	carriers.Misconfigured: "the carrier does not accept the account or the route and says so with a code of its own",
}

func verdictOf(s status) *carriers.Error {
	v, known := verdicts[s]
	if !known {
		v = unknownVerdict
	}
	return &carriers.Error{Kind: v.kind, Code: code(s), Text: v.text}
}

// verdictOf lets the configuration speak before the table.
func (c *carrier) verdictOf(s status) *carriers.Error {
	if kind, ok := c.statuses[s]; ok {
		return &carriers.Error{Kind: kind, Code: code(s), Text: ownVerdicts[kind]}
	}
	return verdictOf(s)
}

// statusKinds reads what parseConfig has checked.
func statusKinds(written map[string]string) map[status]carriers.Kind {
	kinds := map[status]carriers.Kind{}
	for text, kind := range written {
		s, _ := parseStatus(text)
		kinds[s] = carriers.Kind(kind)
	}
	return kinds
}

// needsRebind tells the faults of the session from those of the part.
func needsRebind(s status) bool {
	return s == data.ESME_RINVBNDSTS || s == data.ESME_RALYBND || s == data.ESME_RBINDFAIL
}

// refusals say what to look at when a bind is refused.
var refusals = map[status]string{
	data.ESME_RINVCMDID:     "it does not know this kind of bind: check bind",
	data.ESME_RBINDFAIL:     "check system_id, password, and how many binds of which kind the account may have",
	data.ESME_RINVPASWD:     "check password",
	data.ESME_RINVSYSID:     "check system_id",
	data.ESME_RINVSYSTYP:    "check system_type",
	data.ESME_RPROVNOTALLWD: "the account is not open for this: ask the carrier, or check bind",
}

// delays are refusals that pass by themselves.
var delays = map[status]string{
	data.ESME_RALYBND:    "it holds an earlier bind of this account",
	data.ESME_RSYSERR:    "it has a fault of its own",
	data.ESME_RMSGQFUL:   "its queue is full",
	data.ESME_RTHROTTLED: "it asks for fewer attempts",
	data.ESME_RX_T_APPN:  "it cannot bind for now",
}

// bindRefused is the state that a command_status other than ESME_ROK in the
// answer to a bind leads to.
func bindRefused(addr string, s status) carriers.State {
	if why, passes := delays[s]; passes {
		return carriers.State{
			Status: carriers.Down,
			Reason: fmt.Sprintf("%s refuses the bind with %s: %s", addr, code(s), why),
		}
	}
	what, known := refusals[s]
	if !known {
		what = "ask the carrier what this code means"
	}
	return carriers.State{
		Status: carriers.Refusing,
		Reason: fmt.Sprintf("%s refuses the bind with %s: %s", addr, code(s), what),
	}
}
