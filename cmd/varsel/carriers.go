package main

import (
	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/carriers/gatewayapi"
	"github.com/varsel/varsel/smsqueue/carriers/simulator"
	"github.com/varsel/varsel/smsqueue/carriers/smpp"
	"github.com/varsel/varsel/smsqueue/carriers/suresms"
	"github.com/varsel/varsel/smsqueue/carriers/twilio"
)

// carrierTypes are the kinds of carriers that can be configured.
var carrierTypes = map[string]carriers.Type{
	"gatewayapi": gatewayapi.Type,
	"simulator":  simulator.Type,
	"smpp":       smpp.Type,
	"suresms":    suresms.Type,
	"twilio":     twilio.Type,
}
