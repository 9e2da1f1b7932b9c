package smsqueue_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/db"
	"github.com/varsel/varsel/internal/db/dbtest"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/internal/sim/smscsim"
	"github.com/varsel/varsel/smsqueue"
)

// workerEnv makes the test binary a worker process of its own, so that a test
// can kill it.
const workerEnv = "VARSEL_TEST_WORKER"

func TestMain(m *testing.M) {
	if url := os.Getenv(workerEnv); url != "" {
		if err := workAlone(url); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	dbtest.Run(m)
}

// redisEnv is the URL of the Redis of such a process; without one it has its own.
const redisEnv = "VARSEL_TEST_REDIS"

// workAlone is the process: it works until it is asked to end, or whoever
// started it has ended.
func workAlone(url string) error {
	ctx := context.Background()
	asked, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer stop()
	d, err := db.Open(ctx, url)
	if err != nil {
		return err
	}
	if _, err := d.LockForWork(); err != nil {
		return err
	}
	ring, err := secrets.FromFile(os.Getenv("VARSEL_TEST_KEY"))
	if err != nil {
		return err
	}
	q := smsqueue.New(smsqueue.House{DB: d, Ring: ring, Accounts: accounts.New(d), Carriers: carrierTypes})
	redis := smsqueue.EmbeddedRedis()
	if url := os.Getenv(redisEnv); url != "" {
		if redis, err = smsqueue.DialRedis(url); err != nil {
			return err
		}
	}
	w, err := smsqueue.StartWorker(ctx, q, redis.Client, "worker", noJobs)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	go func() {
		bufio.NewReader(os.Stdin).ReadString('\n')
		stop()
	}()
	select {
	case <-asked.Done():
	case <-w.Lost():
	}
	return w.Stop(ctx)
}

// spawn starts a worker process with a queue of its own.
func (h *house) spawn() *exec.Cmd { h.t.Helper(); return h.spawnOn("") }

// spawnOn starts a worker process with the Redis at a URL.
func (h *house) spawnOn(redis string) *exec.Cmd {
	h.t.Helper()
	cmd, err := h.startProcess(redis)
	must(h.t, err)
	h.t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd
}

// startProcess returns when the process works, or has ended.
func (h *house) startProcess(redis string) (*exec.Cmd, error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), workerEnv+"="+h.url, "VARSEL_TEST_KEY="+h.key, redisEnv+"="+redis)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || strings.TrimSpace(line) != "ready" {
		cmd.Process.Kill()
		cmd.Wait()
		return nil, fmt.Errorf("the worker process said %q, %w", line, err)
	}
	return cmd, nil
}

func TestKillNineLosesNobodyAndRepeatsOnlyWhatIsMarked(t *testing.T) {
	for _, lane := range []smsqueue.Lane{smsqueue.Bulk, smsqueue.Normal} {
		t.Run(string(lane), func(t *testing.T) {
			eachHouse(t, smscsim.Faults{AnswerDelay: 20 * time.Millisecond, ReceiptDelay: 50 * time.Millisecond}, func(t *testing.T, h *house) {
				h.route(50, 0)
				g := h.group(h.account.ID, "All staff", 1500, 0)
				worker := h.spawn()
				c := h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Water is shut off at two.", Lane: lane})
				h.untilAccepted(400)
				must(t, worker.Process.Kill())
				worker.Wait()
				h.spawn()
				c = h.until(c, overWith)
				h.nobodyLost(c, g.Members)
			})
		})
	}
}

func TestDroppedConnections(t *testing.T) {
	for _, lane := range []smsqueue.Lane{smsqueue.Bulk, smsqueue.Normal} {
		t.Run(string(lane), func(t *testing.T) {
			const window, every, people = 50, 500, 1600
			eachHouse(t, smscsim.Faults{DropEvery: every, AnswerDelay: 5 * time.Millisecond, ReceiptDelay: 20 * time.Millisecond}, func(t *testing.T, h *house) {
				h.route(window, 0)
				h.work()
				g := h.group(h.account.ID, "All staff", people, 0)
				c := h.until(h.campaign(h.account.ID, smsqueue.NewCampaign{Group: g.ID, Text: "Hello", Lane: lane}), overWith)
				h.nobodyLost(c, people)
				drops := h.smsc.Counts().Drops
				if drops < people/every-1 {
					t.Errorf("only %d drops", drops)
				}
				if n := c.Counts[smsqueue.Unconfirmed]; lane == smsqueue.Bulk && n > window*drops {
					t.Errorf("%d unconfirmed after %d drops of a window of %d", n, drops, window)
				}
			})
		})
	}
}

// nobodyLost compares the messages with what the SMSC itself counted: everyone
// was reached or is named unconfirmed, and nobody was reached twice unless the
// row says that it may be.
func (h *house) nobodyLost(c smsqueue.Campaign, people int) {
	h.t.Helper()
	messages, reached := h.atOneMoment(c)
	for _, m := range messages {
		times := reached[strings.TrimPrefix(m.Phone, "+")]
		switch {
		case m.Status != smsqueue.Delivered && m.Status != smsqueue.Unconfirmed:
			h.t.Errorf("%s is %s (%s)", m.Phone, m.Status, m.Reason)
		case times == 0 && m.Status == smsqueue.Delivered:
			h.t.Errorf("%s is delivered and was never reached", m.Phone)
		case times > 1 && (!m.PossibleDuplicate || c.Lane == smsqueue.Bulk):
			h.t.Errorf("%s was reached %d times, marked %v", m.Phone, times, m.PossibleDuplicate)
		}
	}
	if len(messages) != people || c.Counts.Total() != people {
		h.t.Errorf("%d messages, counted %d, for %d people", len(messages), c.Counts.Total(), people)
	}
	if c.Lane != smsqueue.Bulk && len(reached) != people {
		h.t.Errorf("%d of %d numbers were reached", len(reached), people)
	}
	h.t.Logf("%v, smsc %+v", c.Counts, h.smsc.Counts())
}

// atOneMoment reads the campaign's messages and how often the SMSC reached each number
// while it accepts nothing: a link that was left behind may still bring it something.
func (h *house) atOneMoment(c smsqueue.Campaign) (all []smsqueue.Message, reached map[string]int) {
	h.t.Helper()
	h.eventually(func() bool {
		accepted := h.smsc.Counts().Accepted
		all = h.messages(c)
		reached = h.smsc.Numbers()
		return h.smsc.Counts().Accepted == accepted
	})
	return all, reached
}

func (h *house) messages(c smsqueue.Campaign) (all []smsqueue.Message) {
	h.t.Helper()
	for before := int64(0); ; {
		page, err := h.queue.Messages(h.t.Context(), c.Account, smsqueue.MessageFilter{Campaign: c.ID, Before: before, Limit: 500})
		must(h.t, err)
		if len(page) == 0 {
			return all
		}
		all, before = append(all, page...), page[len(page)-1].ID
	}
}

// overWith says that nothing is sent any more: in the lanes that send again what is in
// doubt, nothing is.
func overWith(c smsqueue.Campaign) bool {
	return sentAll(c) && (c.Lane == smsqueue.Bulk || c.Counts[smsqueue.Unconfirmed] == 0)
}

func settled(c smsqueue.Campaign) bool {
	return c.State == smsqueue.CampaignSent || c.State == smsqueue.CampaignFinished
}
