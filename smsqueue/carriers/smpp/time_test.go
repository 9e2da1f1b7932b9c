package smpp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varsel/varsel/smsqueue/carriers"
)

// The tests here live in bubbles: their time passes only while all wait.

func TestNoAnswerInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := overPipe(t, "")
		p := r.bound()
		r.submit(1)
		s := p.submits(1)[0]
		go p.answerEnquiries()
		time.Sleep(59 * time.Second)
		if got := r.short(); len(got) > 0 {
			t.Errorf("answered too soon: %v", got)
		}
		time.Sleep(3 * time.Second)
		if diff := cmp.Diff(map[int64]string{1: "no_answer"}, r.short()); diff != "" {
			t.Error(diff)
		}
		p.send(submitSMCommand|resp, 0, s, "late\x00") // changes nothing
		synctest.Wait()
		if got := r.lastState().Status; got != carriers.Bound {
			t.Errorf("the link is %s", got)
		}
	})
}

// What was given up is remembered for ten response timeouts, in which its number
// is not given again, and its answer counts once.
func TestLateAnswersAreRememberedForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, normalPace, "", net.Pipe)
		var told []string
		r.events.Late = func(message int64, part int, a carriers.Answer) {
			if a.Err != nil {
				a.ID = string(a.Err.Kind)
			}
			told = append(told, fmt.Sprintf("%d/%d: %s", message, part, a.ID))
		}
		r.run()
		p := r.bound()
		r.submit(1, 2, 3)
		s := p.submits(3)
		go p.answerEnquiries()
		time.Sleep(9 * time.Minute)
		p.send(submitSMCommand|resp, 0, s[0], "late\x00")
		p.send(submitSMCommand|resp, 0, s[0], "again\x00")
		p.send(genericNack, 0x0B, s[1], "")
		time.Sleep(3 * time.Minute)
		p.send(submitSMCommand|resp, 0, s[2], "too late\x00")
		synctest.Wait()
		if diff := cmp.Diff([]string{"1/1: late", "2/1: rejected"}, told); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(map[int64]string{1: "no_answer", 2: "no_answer", 3: "no_answer"}, r.short()); diff != "" {
			t.Error(diff)
		}
		if got := r.lastState().Status; got != carriers.Bound {
			t.Errorf("the link is %s", got)
		}
	})
}

func (p peer) answerEnquiries() {
	for {
		got, ok := p.next()
		if !ok {
			return
		}
		if got.command == enquireLink || got.command == unbind {
			_, _ = p.conn.Write(encodePDU(got.command|resp, 0, got.sequence, nil)) // the test may have hung up
		}
	}
}

func TestSilentPeerIsAskedForASignOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := overPipe(t, "")
		p := r.bound()
		for range 3 {
			began := time.Now()
			asked := p.expect(enquireLink)
			if silence := time.Since(began); silence < 29*time.Second || silence > 32*time.Second {
				t.Errorf("asked after %v", silence)
			}
			p.send(enquireLink|resp, 0, asked.sequence, "")
		}
		// A nack, or any other word, is a sign of life as well.
		p.send(genericNack, 0x03, p.expect(enquireLink).sequence, "")
		p.expect(enquireLink)
		p.send(enquireLink, 0, 1, "")
		p.expect(enquireLink | resp)
		r.submit(1)
		p.submits(1)
		began := time.Now()
		p.expect(enquireLink)
		p.expectEnd()
		if gone := time.Since(began); gone < 90*time.Second || gone > 95*time.Second {
			t.Errorf("the dead link was dropped after %v", gone)
		}
		r.bound()
	})
}

// Answers that wait in the socket while a receipt is being stored are in time.
func TestSlowStoreIsNotAPeersSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, normalPace, "", net.Pipe)
		r.onNews = func(_ carriers.Receipt, stored func(error)) {
			time.Sleep(10 * time.Minute)
			stored(nil)
		}
		r.run()
		p := r.bound()
		r.submit(1)
		s := p.submits(1)[0]
		p.send(deliverSM, 0, 1, string(deliver{from: "47912", esmClass: 4, text: "id:1 stat:DELIVRD"}.body()))
		p.send(submitSMCommand|resp, 0, s, "mine\x00") // is read ten minutes later
		if diff := cmp.Diff(map[int64]string{1: "mine"}, r.answered(1)); diff != "" {
			t.Error(diff)
		}
		p.expect(deliverSM | resp)
		if got := r.lastState().Status; got != carriers.Bound {
			t.Errorf("the link is %s", got)
		}
	})
}

func TestBindIsNotAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := overPipe(t, `,"response_timeout":"20s"`)
		p := r.accept()
		began := time.Now()
		p.expect(bindTransceiver)
		p.expectEnd()
		if waited := time.Since(began); waited != 20*time.Second {
			t.Errorf("gave up after %v", waited)
		}
		synctest.Wait()
		want := carriers.State{Status: carriers.Down, Reason: "smsc.example:2775 did not answer the bind within 20s"}
		if diff := cmp.Diff(want, r.lastState()); diff != "" {
			t.Error(diff)
		}
		r.bound()
	})
}

// What was given to the socket may have been sent, were it a single octet.
// What waited behind it was not.
func TestDroppedLinkTellsWrittenFromUnwritten(t *testing.T) {
	for name, read := range map[string]int{"nothing was read": 0, "a few octets were read": 10} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := overPipe(t, "")
				p := r.bound()
				r.submit(1)
				synctest.Wait() // the writer is stuck with it: a pipe has no buffer
				r.submit(2, 3)
				if _, err := p.conn.Read(make([]byte, read)); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				_ = p.conn.Close()
				synctest.Wait()
				if diff := cmp.Diff(map[int64]string{1: "no_answer", 2: "retry", 3: "retry"}, r.short()); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestPeerThatDoesNotReadIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := overPipe(t, "")
		r.bound()
		r.submit(1)
		time.Sleep(2 * time.Minute)
		if diff := cmp.Diff(map[int64]string{1: "no_answer"}, r.short()); diff != "" {
			t.Error(diff)
		}
		if got := r.lastState().Status; got != carriers.Down {
			t.Errorf("the link is %s", got)
		}
	})
}

// A peer that asks without end and never reads must not fill the memory.
func TestFloodOfRequestsStopsReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := overPipe(t, "")
		p := r.bound()
		flood := encodePDU(enquireLink, 0, 1, nil)
		sent := 0
		for ; ; sent++ {
			if _, err := p.conn.Write(flood); err != nil {
				break // dropped, because it did not read
			}
		}
		if most := 2*backlogMost + 2*frameMost/headerSize; sent > most {
			t.Errorf("%d requests were taken in, want at most %d", sent, most)
		}
	})
}

func TestFullWindowMakesSubmitWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := overPipe(t, `,"window":2`)
		p := r.bound()
		go r.submit(1, 2, 3, 4)
		s := p.submits(2)
		synctest.Wait()
		if free := r.roomFor(); free != 0 {
			t.Fatalf("%d places are free", free)
		}
		p.send(submitSMCommand|resp, 0, s[1], "b\x00")
		p.submits(1)
		p.send(submitSMCommand|resp, 0, s[0], "a\x00")
		p.submits(1)
		synctest.Wait()
		if diff := cmp.Diff(map[int64]string{1: "a", 2: "b"}, r.short()); diff != "" {
			t.Error(diff)
		}
	})
}

func (r *rig) roomFor() int {
	r.carrier.mu.Lock()
	defer r.carrier.mu.Unlock()
	return r.sessions[0].free
}

// A Submit that waits for room does not wait for a link that has gone.
func TestDroppedLinkFreesWaitingSubmits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := overPipe(t, `,"window":1`)
		p := r.bound()
		go r.submit(1, 2)
		p.submits(1)
		synctest.Wait()
		_ = p.conn.Close()
		synctest.Wait()
		if diff := cmp.Diff(map[int64]string{1: "no_answer", 2: "retry"}, r.short()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestPartsGoWhereThereIsMostRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := overPipe(t, `,"binds":2,"window":4`)
		first, second := r.accept().bind(), r.accept().bind()
		synctest.Wait()
		r.submit(1, 2)
		a, b := first.submits(1)[0], second.submits(1)[0]
		synctest.Wait()
		first.send(submitSMCommand|resp, 0, a, "x\x00")
		synctest.Wait()
		r.submit(3)
		first.submits(1)
		r.submit(4)
		synctest.Wait()
		second.send(submitSMCommand|resp, 0, b, "y\x00")
		// The link that is left takes all.
		_ = first.conn.Close()
		synctest.Wait()
		go second.answerEnquiries()
		r.submit(5)
		synctest.Wait()
		if r.short()[5] != "" {
			t.Errorf("got %q", r.short()[5])
		}
		if got := r.lastState().Status; got != carriers.Bound {
			t.Errorf("the carrier is %s", got)
		}
	})
}

func TestCloseWaitsForAnswersOwedThenUnbinds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := overPipe(t, "")
		p := r.bound()
		r.submit(1, 2)
		s := p.submits(2)
		go func() {
			time.Sleep(time.Second)
			p.send(submitSMCommand|resp, 0, s[0], "a\x00")
			p.send(submitSMCommand|resp, 0, s[1], "b\x00")
			p.send(unbind|resp, 0, p.expect(unbind).sequence, "")
			p.expectEnd()
		}()
		began := time.Now()
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("Close took %v", took)
		}
		if diff := cmp.Diff(map[int64]string{1: "a", 2: "b"}, r.short()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestCloseDoesNotWaitForEver(t *testing.T) {
	for name, mischief := range map[string]func(r *rig){
		"nothing answers the connection": func(r *rig) {
			r.dial = func(ctx context.Context, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
			r.start()
		},
		"nobody reads the bind": func(r *rig) { r.start(); r.accept() },
		"the bind stays unanswered": func(r *rig) {
			r.start()
			r.accept().expect(bindTransceiver)
		},
		"the carrier waits to connect again": func(r *rig) {
			r.dial = func(context.Context, string) (net.Conn, error) { return nil, errors.New("nobody there") }
			r.start()
		},
		"nobody reads a submission": func(r *rig) { r.start(); r.bound(); r.submit(1) },
		"nobody reads the unbind":   func(r *rig) { r.start(); r.bound() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, normalPace, "", net.Pipe)
				mischief(r)
				synctest.Wait()
				began := time.Now()
				_ = r.Close()
				if took := time.Since(began); took > 8*time.Second {
					t.Errorf("Close took %v", took)
				}
				if got := r.lastState().Status; got != carriers.Closed {
					t.Errorf("the last state is %s", got)
				}
			})
		})
	}
}

func TestPausesBetweenAttemptsGrow(t *testing.T) {
	tests := []struct {
		name     string
		err      error
		attempts []time.Duration // the longest that the pause may be, at each attempt
	}{
		{
			"unreachable", errors.New("nobody there"),
			[]time.Duration{200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000},
		},
		{
			"refused", downError(bindRefused("h:1", 0x0E)),
			[]time.Duration{30000, 30000, 30000},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newRig(t, normalPace, "", nil).links[0]
				pause := normalPace.first
				for n, most := range tt.attempts {
					began := time.Now()
					pause = l.rest(t.Context(), tt.err, pause)
					if took := time.Since(began); took < most*time.Millisecond/2 || took > most*time.Millisecond {
						t.Errorf("pause %d took %v, want %v at most and half of it at least", n, took, most*time.Millisecond)
					}
				}
			})
		})
	}
}

// A link that breaks at work comes back at once; one that breaks before it is
// of any use does not.
func TestPauseIsShortAgainAfterAUsefulSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := overPipe(t, "")
		for range 12 {
			_ = r.bound().conn.Close()
			synctest.Wait()
		}
		began := time.Now()
		p := r.bound()
		if took := time.Since(began); took < normalPace.most/2 {
			t.Errorf("after useless sessions connected again after %v", took)
		}
		r.submit(1)
		p.send(submitSMCommand|resp, 0, p.submits(1)[0], "x\x00")
		_ = p.conn.Close()
		began = time.Now()
		r.accept()
		if took := time.Since(began); took > normalPace.first {
			t.Errorf("after a useful session connected again after %v", took)
		}
	})
}

func TestSequenceNumbersStayInRange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := overPipe(t, "")
		p := r.bound()
		r.submit(1)
		first := p.submits(1)[0] // stays open
		r.carrier.mu.Lock()
		r.sessions[0].sequence = 0x7FFFFFFE
		r.carrier.mu.Unlock()
		r.submit(2, 3, 4)
		got := append([]uint32{first}, p.submits(3)...)
		// 2 is passed over: it still stands for the first.
		if diff := cmp.Diff([]uint32{2, 0x7FFFFFFF, 1, 3}, got); diff != "" {
			t.Error(diff)
		}
	})
}
