package smsqueue

// What the tests outside the package call at a time of their own.
var (
	CompleteInbound = (*Queue).completeInbound
	InAlphabet      = inAlphabet
)
