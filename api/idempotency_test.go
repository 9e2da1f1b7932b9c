package api

import (
	"strings"
	"testing"
)

// A client that does not know whether its request arrived sends it again with its key, and
// is answered with what the first one made, not with a conflict.
func TestWhatIsMadeWithAKeyIsMadeOnce(t *testing.T) {
	h := openHouse(t)
	operator := []string{"Authorization", "Bearer " + h.operatorKey(t)}
	const design = `{"sections":[{"fields":[{"id":"name","kind":"full_name","from":"displayName","sync":"always"}]}],"looks":{"primary":"#1f4e79"},"code":{},"settings":{}}`
	const lists = installationPath + "/price-lists"
	for i, c := range []struct{ path, body, other string }{
		{budgetsPath, `{"name":"Marketing","per":"day","limit":{"amount":"10.00","currency":"EUR"}}`, `{"name":"Sales","per":"day","limit":{"amount":"10.00","currency":"EUR"}}`},
		{teamsPath, `{"name":"Marketing"}`, `{"name":"Sales"}`},
		{cardTemplatesPath, `{"name":"House","design":` + design + `}`, `{"name":"Other","design":` + design + `}`},
		{lists, `{"name":"norway","currency":"NOK"}`, `{"name":"sweden","currency":"SEK"}`},
		{lists + "/norway/versions", `{"prices":[{"country":"*","lane":"*","price":"1"}]}`, `{"prices":[{"country":"*","lane":"*","price":"2"}]}`},
		{costsPath, `{"carrier":"main","country":"NO","price":{"amount":"0.03","currency":"EUR"},"from":"2026-10-01T00:00:00Z"}`, `{"carrier":"main","country":"SE","price":{"amount":"0.03","currency":"EUR"}}`},
	} {
		headers := []string{keyHeader, "key-" + string(rune('a'+i))}
		if strings.HasPrefix(c.path, installationPath) {
			headers = append(headers, operator...)
		}
		first := h.ask(t, "POST", c.path, c.body, headers...)
		again := h.ask(t, "POST", c.path, c.body, headers...)
		if first.status != 201 || again.status != 201 || string(first.body) != string(again.body) || first.header.Get("Location") != again.header.Get("Location") {
			t.Errorf("%s: %d %s, and again %d %s", c.path, first.status, first.body, again.status, again.body)
			continue
		}
		refused(t, h.ask(t, "POST", c.path, c.other, headers...), 409, "idempotency_key_reused")
		if got := h.ask(t, "POST", c.path, c.body, headers[2:]...); strings.Contains(c.body, "name") && got.status != 409 {
			t.Errorf("%s without the key: %d %s", c.path, got.status, got.body)
		}
	}
	if all := read[whole[priceVersion]](t, h.ask(t, "GET", lists+"/norway/versions", "", operator...), 200).Items; len(all) != 2 { // with the key and without
		t.Errorf("%d versions were made", len(all))
	}
	template := read[list[cardTemplate]](t, h.ask(t, "GET", cardTemplatesPath, ""), 200).Items[0]
	next := `{"name":"House 2","design":` + design + `}`
	for range 2 {
		same(t, read[cardTemplate](t, h.ask(t, "POST", cardTemplatesPath+"/"+template.ID+"/versions?over=1", next, keyHeader, "next"), 201).Name, "House 2")
	}
}
