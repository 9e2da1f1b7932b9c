package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/smsqueue"
)

func (h *house) startCampaign(t *testing.T, body string, headers ...string) campaign {
	t.Helper()
	return read[campaign](t, h.ask(t, "POST", campaignsPath, body, headers...), http.StatusAccepted)
}

func TestCampaignIsAcceptedAndCanBeRead(t *testing.T) {
	h := openHouse(t)
	g := h.group(t, "Night shift", "+4791234567", "+4791234568")
	started := h.ask(t, "POST", campaignsPath, `{"group": "Night shift", "text": "The water is back.", "max_cost": {"amount": "12.5", "currency": "EUR"}}`)
	got := read[campaign](t, started, http.StatusAccepted)
	none := counts{}
	for _, one := range smsqueue.Statuses {
		none[one] = 0
	}
	want := campaign{Name: "The water is back.", State: "accepted", Group: campaignGroup{h.Names.Of(secrets.Group, g.ID), "Night shift"},
		Sender: "ACME", Text: "The water is back.", Lane: "bulk", Encoding: "gsm7", Parts: 1, Counts: none,
		Reserved: money{"0.00", "EUR"}, MaxCost: &money{"12.50", "EUR"}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(campaign{}, "ID", "CreatedAt", "StartAt")); diff != "" {
		t.Errorf("want(-) got(+):\n%s", diff)
	}
	if at := started.header.Get("Location"); at != "/v1/campaigns/"+got.ID {
		t.Errorf("Location %q", at)
	}
	again := read[campaign](t, h.ask(t, "GET", started.header.Get("Location"), ""), 200)
	same(t, again.Waits, []wait{{Code: "starting"}})
	again.Waits = nil
	same(t, again, got)
}

func TestCampaignTakesTheIDOfAGroup(t *testing.T) {
	h := openHouse(t)
	g := h.group(t, "Night shift", "+4791234567")
	got := h.startCampaign(t, `{"group": "`+h.Names.Of(secrets.Group, g.ID)+`", "text": "Hello", "name": "Drill", "lane": "urgent", "sender": "WATER"}`)
	if got.Name != "Drill" || got.Lane != "urgent" || got.Sender != "WATER" || got.Group.Name != "Night shift" || got.MaxCost != nil {
		t.Errorf("campaign %+v", got)
	}
}

func TestCampaignToNoGroupOrToTwoIsRefused(t *testing.T) {
	h := openHouse(t)
	refused(t, h.ask(t, "POST", campaignsPath, `{"group": "Day shift", "text": "Hello"}`), 404, "group_not_found")

	a, b := h.group(t, "Night shift"), h.group(t, "Night shift")
	p := refused(t, h.ask(t, "POST", campaignsPath, `{"group": "Night shift", "text": "Hello"}`), 409, "ambiguous_group")
	for _, id := range []int64{a.ID, b.ID} {
		if name := h.Names.Of(secrets.Group, id); !strings.Contains(p.Detail, name) {
			t.Errorf("%q does not name %s", p.Detail, name)
		}
	}
}

func TestCampaignsThatCannotBeSentAreRefused(t *testing.T) {
	h := openHouse(t)
	h.group(t, "Night shift", "+4791234567")
	cases := []struct{ name, body, code, pointer string }{
		{"empty text", `"text": ""`, "invalid_text", "/text"},
		{"name with NUL", `"text": "Hello", "name": "\u0000"`, "invalid_name", "/name"},
		{"amount as a number", `"text": "Hello", "max_cost": {"amount": 5, "currency": "EUR"}`, "invalid_max_cost", "/max_cost/amount"},
		{"negative amount", `"text": "Hello", "max_cost": {"amount": "-5", "currency": "EUR"}`, "invalid_max_cost", "/max_cost/amount"},
		{"seven decimals", `"text": "Hello", "max_cost": {"amount": "0.0000001", "currency": "EUR"}`, "invalid_max_cost", "/max_cost/amount"},
		{"no currency", `"text": "Hello", "max_cost": {"amount": "5"}`, "invalid_max_cost", "/max_cost/currency"},
		{"another currency", `"text": "Hello", "max_cost": {"amount": "5", "currency": "NOK"}`, "invalid_max_cost", "/max_cost"},
		{"nothing to spend", `"text": "Hello", "max_cost": {"amount": "0.00", "currency": "EUR"}`, "invalid_max_cost", "/max_cost"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			refusedAt(t, h.ask(t, "POST", campaignsPath, `{"group": "Night shift", `+c.body+`}`), c.code, c.pointer)
		})
	}
}

func TestAmountsKeepTheirDecimals(t *testing.T) {
	for amount, want := range map[string]int64{"0.000001": 1, "0.045": 45_000, "12": 12_000_000, "999999999.999999": 999_999_999_999_999} {
		same(t, money{Amount: amount}.micro(), want)
	}
}

func TestRepeatedCampaignIsAnsweredWhateverBecameOfTheGroup(t *testing.T) {
	h := openHouse(t)
	h.group(t, "Night shift", "+4791234567")
	body, key := `{"group": "Night shift", "text": "Hello"}`, []string{"Idempotency-Key", "drill"}
	first := h.startCampaign(t, body, key...)
	h.group(t, "Night shift", "+4791234568") // its name is ambiguous now
	same(t, h.startCampaign(t, body, key...), first)
	refused(t, h.ask(t, "POST", campaignsPath, `{"group": "Night shift", "text": "Other"}`, key...), 409, "idempotency_key_reused")
}

func TestPagesOfCampaignsHoldEachOnce(t *testing.T) {
	dbtest.EachURL(t, func(t *testing.T, url string) {
		h := openOn(t, url)
		h.group(t, "Night shift", "+4791234567")
		var want, got []string
		for range 5 {
			want = append([]string{h.startCampaign(t, `{"group": "Night shift", "text": "Hello"}`).ID}, want...)
		}
		for _, page := range pages[campaign](t, h, campaignsPath+"?", "2") {
			for _, c := range page {
				got = append(got, c.ID)
			}
		}
		same(t, got, want)
	})
}
