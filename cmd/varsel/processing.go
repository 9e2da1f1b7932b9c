package main

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/varsel/varsel/accounts"
)

// processing is the configuration in force as the annexes of agreements tell it.
func (a *App) processing(ctx context.Context, account int64, language string) (p accounts.Processing, err error) {
	if p.Directory, p.Connected, err = a.Directory.Reads(ctx, account); err != nil {
		return p, err
	}
	if p.Kept, err = a.Privacy.KeptDays(ctx, account, language); err != nil {
		return p, err
	}
	p.PublicTLS = strings.HasPrefix(a.Config.publicURL(), "https://")
	routes, err := a.Queue.Routes(ctx)
	if err != nil {
		return p, err
	}
	for _, r := range routes {
		if !r.Enabled {
			continue
		}
		shown, err := a.Queue.ShownConfig(ctx, r.Name)
		if err != nil {
			return p, err
		}
		p.Carriers++
		if overTLS(r.Type, shown) {
			p.CarriersTLS++
		}
	}
	return p, nil
}

// overTLS says whether a carrier's link is encrypted: SMPP where its configuration
// says so, and HTTP unless it names a plain address.
func overTLS(kind string, shown json.RawMessage) bool {
	var config struct {
		TLS     bool   `json:"tls"`
		URL     string `json:"url"`
		BaseURL string `json:"base_url"`
	}
	if json.Unmarshal(shown, &config) != nil {
		return false
	}
	if kind == "smpp" {
		return config.TLS
	}
	return kind != "simulator" && !strings.HasPrefix(config.URL+config.BaseURL, "http://")
}
