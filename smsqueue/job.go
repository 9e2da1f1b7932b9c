package smsqueue

import (
	"context"
	"log/slog"
	"time"

	"github.com/varsel/varsel/internal/db"
)

// Job is periodic work. Of all processes, one runs it each time it is due.
type Job struct {
	Name  string
	Every time.Duration
	Run   func(ctx context.Context) error
}

func (w *Worker) ownJobs() []Job {
	return []Job{
		{"match-waiting-receipts", 2 * time.Second, w.rematchWaiting},
		{"settle-late-answers", 2 * time.Second, w.settleLates},
		{"pass-deadlines", 3 * time.Second, w.passDeadlines},
		{"complete-inbound", time.Minute, func(ctx context.Context) error { return w.completeInbound(ctx, time.Now()) }},
		{"forget-keys", time.Hour, w.accounts.ForgetKeys},
	}
}

// runJobs gives every job a goroutine of its own: a long one holds up no other.
func (w *Worker) runJobs(ctx context.Context) {
	for _, j := range w.jobs {
		w.spawn(func() { w.repeat(ctx, j, func(ctx context.Context) error { return w.runDue(ctx, j) }) })
	}
	// Every process watches the others: no row decides who does.
	watch := Job{Name: "take-over", Every: beatEvery, Run: w.takeOverDead}
	w.repeat(ctx, watch, watch.Run)
}

func (w *Worker) repeat(ctx context.Context, j Job, run func(context.Context) error) {
	tick := time.NewTicker(j.Every)
	defer tick.Stop()
	for {
		if err := run(ctx); err != nil && ctx.Err() == nil {
			slog.Error("a job failed", "job", j.Name, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (w *Worker) runDue(ctx context.Context, j Job) error {
	due, err := takeJob(ctx, w.db, j, time.Now())
	if err != nil || !due {
		return err
	}
	return j.Run(ctx)
}

// takeJob moves the job's due time forward; whoever does that runs it.
func takeJob(ctx context.Context, d *db.DB, j Job, now time.Time) (bool, error) {
	// A tick may come a little early; half a period apart is once.
	done, err := d.ExecContext(ctx, `
		INSERT INTO jobs (name, due_at) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET due_at = EXCLUDED.due_at WHERE jobs.due_at <= $3`,
		j.Name, db.Millis(now.Add(j.Every/2)), db.Millis(now))
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n == 1, err
}
