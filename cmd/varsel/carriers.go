package main

import (
	"github.com/varsel/varsel/smsqueue"
	"github.com/varsel/varsel/smsqueue/carriers/simulator"
	"github.com/varsel/varsel/smsqueue/carriers/smpp"
)

// carrierTypes are the kinds of carriers that can be configured.
var carrierTypes = map[string]smsqueue.CarrierType{
	"smpp":      {Open: smpp.Open, Validate: smpp.Validate},
	"simulator": {Open: simulator.Open, Validate: simulator.Validate},
}
