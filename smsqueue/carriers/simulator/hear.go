package simulator

import (
	"encoding/json"
	"time"

	"github.com/varsel/varsel/smsqueue/carriers"
)

// said is what a try-out posts to the simulator's CallbackURL to be a handset.
type said struct {
	ID   string `json:"id"`
	From string `json:"from"`
	To   string `json:"to"`
	Text string `json:"text"`

	Part      int    `json:"part"`
	Parts     int    `json:"parts"`
	Reference uint16 `json:"reference"`
}

// hear takes one message, or one part, as a JSON object.
func hear(_ json.RawMessage, c carriers.Callback) (carriers.Heard, error) {
	one := said{Part: 1, Parts: 1}
	if err := carriers.ReadConfig(c.Body, &one); err != nil {
		return carriers.Heard{}, &carriers.Error{Kind: carriers.Rejected, Text: err.Error()}
	}
	if one.From == "" || one.To == "" {
		return carriers.Heard{}, &carriers.Error{Kind: carriers.Rejected, Text: "from and to are expected"}
	}
	return carriers.Heard{Inbound: []carriers.Inbound{{ID: one.ID, From: one.From, To: one.To, Text: one.Text,
		Part: one.Part, Parts: one.Parts, Reference: one.Reference, At: time.Now()}}}, nil
}
