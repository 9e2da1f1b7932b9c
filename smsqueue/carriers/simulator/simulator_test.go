package simulator

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/smsqueue/carriers"
	"github.com/varsel/varsel/smsqueue/carriers/carriertest"
)

func TestCarrierContract(t *testing.T) {
	carriertest.Run(t, func(t *testing.T) carriertest.Subject {
		var c *carrier
		return carriertest.Subject{
			Open: func(t *testing.T, events carriers.Events) carriers.Carrier {
				opened, err := Open(t.Context(), json.RawMessage(`{"window":20}`), carriers.Setting{Events: events})
				if err != nil {
					t.Fatal(err)
				}
				c = opened.(*carrier)
				return opened
			},
			Acknowledged: func() int {
				c.mu.Lock()
				defer c.mu.Unlock()
				return c.acknowledged
			},
		}
	})
}

func TestReceiptsSayTheOutcomeAfterTheDelay(t *testing.T) {
	for outcome, code := range map[carriers.ReceiptState]string{
		carriers.Delivered: "000", carriers.Undelivered: "001", carriers.Expired: "001", carriers.Refused: "001",
	} {
		synctest.Test(t, func(t *testing.T) {
			var got []carriers.Receipt
			began := time.Now()
			raw := `{"receipt_delay":"5s","outcome":"` + string(outcome) + `"}`
			c, err := Open(t.Context(), json.RawMessage(raw), carriers.Setting{Events: carriers.Events{
				State: func(carriers.State) {},
				Receipt: func(r carriers.Receipt, stored func(error)) {
					got = append(got, r)
					stored(nil)
				},
			}})
			if err != nil {
				t.Fatal(err)
			}
			answers := make(chan carriers.Answer, 2)
			for range 2 {
				c.Submit(carriers.Submission{To: "+4791234567"}, func(a carriers.Answer) { answers <- a })
			}
			first, second := <-answers, <-answers
			time.Sleep(6 * time.Second)
			_ = c.Close()
			want := []carriers.Receipt{
				{ID: first.ID, Phone: "+4791234567", State: outcome, Code: code, At: began.Add(5 * time.Second).UTC()},
				{ID: second.ID, Phone: "+4791234567", State: outcome, Code: code, At: began.Add(5 * time.Second).UTC()},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestConfiguration(t *testing.T) {
	if _, err := features(json.RawMessage(`{"window":100,"throughput":0,"receipt_delay":"0s","outcome":"delivered"}`)); err != nil {
		t.Error(err)
	}
	for raw, mention := range map[string]string{
		`{"window":0}`:               "window: ",
		`{"window":100001}`:          "window: ",
		`{"throughput":-1}`:          "throughput: ",
		`{"slots":0}`:                "slots: ",
		`{"slots":3,"window":2}`:     "slots: ",
		`{"slots":3,"throughput":2}`: "throughput: ",
		`{"receipt_delay":"-1s"}`:    "receipt_delay: ",
		`{"receipt_delay":1}`:        "receipt_delay: ",
		`{"outcome":"enroute"}`:      "outcome: ",
		`{"outcomes":"x"}`:           `"outcomes" is not a field`,
	} {
		if _, err := features(json.RawMessage(raw)); err == nil || !strings.Contains(err.Error(), mention) {
			t.Errorf("%s: got %v, want a mention of %q", raw, err, mention)
		}
	}
}

func TestAHandsetIsPostedAsJSON(t *testing.T) {
	heard, err := Type.Hear(nil, carriers.Callback{Body: []byte(`{"from":"+4741234567","to":"2440","text":"Yes"}`)})
	if err != nil || len(heard.Inbound) != 1 {
		t.Fatalf("%+v, %v", heard, err)
	}
	got := heard.Inbound[0]
	want := carriers.Inbound{From: "+4741234567", To: "2440", Text: "Yes", Part: 1, Parts: 1, At: got.At}
	if diff := cmp.Diff(want, got); diff != "" || got.At.IsZero() {
		t.Error(diff)
	}
	for _, wrong := range []string{``, `{"text":"Yes"}`, `{"from":"1","to":"2","said":"Yes"}`} {
		var refused *carriers.Error
		if _, err := Type.Hear(nil, carriers.Callback{Body: []byte(wrong)}); !errors.As(err, &refused) || refused.Kind != carriers.Rejected {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

func TestLimitsAreThoseOfTheShare(t *testing.T) {
	raw := json.RawMessage(`{"window":50,"throughput":10,"slots":3}`)
	if f, err := features(raw); err != nil || f.Slots != 3 {
		t.Errorf("%+v, %v", f, err)
	}
	for share, want := range map[int]carriers.Limits{
		0: {Window: 50, Throughput: 10}, 1: {Window: 16, Throughput: 3}, 2: {Window: 33, Throughput: 6}, 3: {Window: 50, Throughput: 10},
	} {
		c, err := Open(t.Context(), raw, carriers.Setting{Events: carriers.Events{State: func(carriers.State) {}}, Share: share})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, c.Limits()); diff != "" {
			t.Errorf("%d of 3: %s", share, diff)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}
