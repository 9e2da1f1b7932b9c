package web_test

import (
	"net/url"
	"testing"

	"github.com/varsel/varsel/smsqueue"
)

// The page of a campaign that is held at its ceiling asks up to what it may go on.
func TestACampaignHeldAtItsCeilingGoesOnUpToWhatItCostsNow(t *testing.T) {
	w := newWorld(t)
	w.carrier("main", `{}`)
	w.work()
	w.signIn()
	c, name := w.start(smsqueue.NewCampaign{Group: w.group("Everybody", 3).ID, Text: "Hello", CeilingMicro: 100_000})
	w.until("it is held", func() bool { return w.campaignNow(c).AtCeiling() })
	at := "/campaigns/" + name
	w.has(w.get(at), 200, "it would cost more than its ceiling", `href="`+at+`/resume"`)
	w.has(w.get(at+"/resume"), 200, "In all it costs EUR 0.135 now, and it may cost EUR 0.10.", "Go on up to EUR 0.135", at+"/resume?up_to=135000")
	w.sent(w.post(at+"/resume?up_to=100000", url.Values{}), at)
	if !w.campaignNow(c).AtCeiling() {
		t.Error("it goes on for less than it costs")
	}
	if got := w.post(at+"/resume?up_to=much", url.Values{}); got.status != 400 {
		t.Errorf("a ceiling that is no number: %d", got.status)
	}
	w.sent(w.post(at+"/resume?up_to=135000", url.Values{}), at)
	w.until("it is delivered", func() bool { return w.campaignNow(c).Counts[smsqueue.Delivered] == 3 })
}
