package main

import (
	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/carriers/simulator"
	"github.com/varsel/varsel/smsqueue/carriers/smpp"
)

// carrierTypes are the kinds of carriers that can be configured.
var carrierTypes = map[string]carriers.Type{
	"smpp":      smpp.Type,
	"simulator": simulator.Type,
}
