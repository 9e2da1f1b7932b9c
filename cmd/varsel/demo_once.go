package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/smsqueue"
)

// result is what `demo --once` reports.
type result struct {
	People        int     `json:"people"`
	Contacts      int     `json:"contacts"`
	WithoutNumber int     `json:"without_number"`
	InvalidNumber int     `json:"invalid_number"`
	SharedNumber  int     `json:"shared_number"`
	Recipients    int     `json:"recipients"`
	Parts         int     `json:"parts"`
	Submitted     int     `json:"submitted"`
	Delivered     int     `json:"delivered"`
	Failed        int     `json:"failed"`
	Seconds       float64 `json:"seconds"` // from accepting the campaign to its last receipt
	PerSecond     float64 `json:"messages_per_second"`
	SyncSeconds   float64 `json:"sync_seconds"`
	TotalSeconds  float64 `json:"total_seconds"`
}

// once does the whole job and holds the sums against what the peers counted.
func (s *demo) once(ctx context.Context, c *commands, t terminal) error {
	began := time.Now()
	bar := newProgress(t.err, c.JSON)
	if err := s.app.Work(ctx, roleAll); err != nil {
		return err
	}
	run, err := s.watchSync(ctx, bar)
	if err != nil {
		return err
	}
	synced := time.Now()
	cam, err := s.watchCampaign(ctx, bar)
	if err != nil {
		return err
	}
	r := summary(run, cam)
	r.SyncSeconds, r.TotalSeconds = synced.Sub(began).Seconds(), time.Since(began).Seconds()
	if err := s.report(c, t, r, cam); err != nil {
		return err
	}
	if wrong := s.disagreements(r); len(wrong) > 0 {
		return fmt.Errorf("the sums do not agree with what the peers counted: %s", strings.Join(wrong, "; "))
	}
	return nil
}

func (s *demo) watchSync(ctx context.Context, bar *progress) (directory.Run, error) {
	done := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for {
			select {
			case <-done:
				return
			case <-time.After(100 * time.Millisecond):
			}
			if runs, err := s.app.Directory.Runs(ctx, s.account.ID, s.connection, 0, 1); err == nil && len(runs) == 1 {
				bar.show("directory", runs[0].Records, 0, "records read")
			}
		}
	}()
	run, err := s.app.awaitRun(ctx, s.account.ID, s.connection, s.asked)
	close(done)
	<-watched
	bar.end()
	if err == nil && run.State != directory.Done {
		err = fmt.Errorf("the directory could not be read: %s", run.Reason)
	}
	return run, err
}

func (s *demo) watchCampaign(ctx context.Context, bar *progress) (smsqueue.Campaign, error) {
	cam, err := s.send(ctx)
	for err == nil && cam.State != smsqueue.CampaignFinished && cam.State != smsqueue.CampaignHeld {
		bar.show("delivered", cam.Counts[smsqueue.Delivered], cam.Counts.Total(), "messages")
		select {
		case <-ctx.Done():
			return cam, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
		cam, err = s.app.Queue.Campaign(ctx, s.account.ID, cam.ID)
	}
	bar.show("delivered", cam.Counts[smsqueue.Delivered], cam.Counts.Total(), "messages")
	bar.end()
	return cam, err
}

func summary(run directory.Run, cam smsqueue.Campaign) result {
	n := cam.Counts
	r := result{People: run.People, Contacts: run.Contacts, WithoutNumber: run.WithoutNumber, InvalidNumber: run.Invalid, SharedNumber: cam.LeftOut.SharedNumber,
		Recipients: n.Total(), Parts: cam.AllParts, Submitted: n.Handed(), Delivered: n[smsqueue.Delivered],
		Seconds: cam.Finished.Sub(cam.Created).Seconds()}
	r.Failed = r.Recipients - r.Delivered
	if r.Seconds > 0 {
		r.PerSecond = float64(r.Delivered) / r.Seconds
	}
	return r
}

// disagreements compares with the peers, which know nothing of our code.
func (s *demo) disagreements(r result) (wrong []string) {
	compare := func(what string, ours, theirs int) {
		if ours != theirs {
			wrong = append(wrong, fmt.Sprintf("%s: %d here, %d there", what, ours, theirs))
		}
	}
	reached := s.smsc.Numbers()
	messages := 0
	for _, times := range reached {
		messages += times
	}
	counts := s.smsc.Counts()
	compare("people", r.People, len(s.graph.Users()))
	compare("recipients", r.Recipients, len(reached))
	compare("submitted", r.Submitted, messages)
	compare("parts", r.Parts, counts.Accepted)
	compare("delivered parts", r.Delivered*r.Parts/max(1, r.Recipients), counts.Receipts)
	return wrong
}

func (s *demo) report(c *commands, t terminal, r result, cam smsqueue.Campaign) error {
	if c.JSON {
		return json.NewEncoder(t.out).Encode(r)
	}
	_, err := fmt.Fprintf(t.out, `
Directory
  people read        %6d   in %.1f s, over Microsoft Graph
  contacts           %6d   members who are enabled and no guests
  without a number   %6d   they are listed and never messaged
  number is invalid  %6d

Campaign to %q
  recipients         %6d   %d more share a number with one of them
  parts              %6d
  submitted          %6d   over SMPP
  delivered          %6d   by the receipts
  failed             %6d
  time               %8.1f s, %.0f messages a second from accepting to the last receipt
`, r.People, r.SyncSeconds, r.Contacts, r.WithoutNumber, r.InvalidNumber, cam.GroupName,
		r.Recipients, r.SharedNumber, r.Parts, r.Submitted, r.Delivered, r.Failed, r.Seconds, r.PerSecond)
	return err
}
