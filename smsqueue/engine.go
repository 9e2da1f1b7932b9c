package smsqueue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hibiken/asynq"
)

const (
	taskType = "range"
	// laneConcurrency is how many ranges of a lane are worked on at once by one
	// link; each mostly waits for its turn at the gate.
	laneConcurrency = 64
	// taskTimeout bounds a range; a slow carrier's range ends and comes back.
	taskTimeout = 30 * time.Minute
)

// task is what Redis knows of a range: no personal data.
type task struct {
	Range      int64 `json:"r"`
	Generation int64 `json:"g"`
}

// laneServer is an asynq.Server of one lane of one carrier. A server a lane,
// because priority within one server only orders the taking.
type laneServer struct {
	server *asynq.Server
	client *asynq.Client
	tasks  *asynq.Inspector
	queue  string
}

func (w *Worker) serveLane(l *link, lane Lane) (*laneServer, error) {
	s := &laneServer{
		queue:  queueName(lane, l.route.ID, w.lease.id),
		client: asynq.NewClientFromRedisClient(w.redis),
		tasks:  asynq.NewInspectorFromRedisClient(w.redis),
	}
	s.server = asynq.NewServerFromRedisClient(w.redis, asynq.Config{
		Concurrency:         laneConcurrency,
		Queues:              map[string]int{s.queue: 1},
		TaskCheckInterval:   checkInterval,
		ShutdownTimeout:     30 * time.Second,
		HealthCheckInterval: 15 * time.Second,
		Logger:              engineLog{},
		LogLevel:            asynq.WarnLevel,
	})
	mux := asynq.NewServeMux()
	mux.HandleFunc(taskType, func(ctx context.Context, t *asynq.Task) error {
		var work task
		if err := json.Unmarshal(t.Payload(), &work); err != nil {
			slog.Error("a task that is none of ours", "error", err)
			return nil
		}
		if l.begin(work) {
			defer l.done(work)
			l.work(ctx, work)
		}
		return nil // outcome and due time are rows
	})
	return s, s.server.Start(mux)
}

// throughRedis are the lanes whose ranges are given to workers by Redis.
var throughRedis = []Lane{Normal, Bulk}

// checkInterval is how often Redis is asked for work when it had none: the next
// ranges are there before the earlier ones are done.
const checkInterval = 50 * time.Millisecond

// stop ends the server, and forgets its queue: nobody else serves it.
func (s *laneServer) stop() {
	s.server.Shutdown()
	if err := s.tasks.DeleteQueue(s.queue, true); err != nil && !errors.Is(err, asynq.ErrQueueNotFound) {
		slog.Debug("a queue stays in Redis", "queue", s.queue, "error", err)
	}
}

// queueName names a lane of one carrier in one process: the process that gives
// a range to Redis is the one that works on it.
func queueName(lane Lane, route, incarnation int64) string {
	return fmt.Sprintf("%s:%d:%d", lane, route, incarnation)
}

// enqueue gives a range to Redis. The id makes a generation unique there.
func (s *laneServer) enqueue(ctx context.Context, t task) error {
	payload, err := json.Marshal(t)
	if err != nil {
		return err
	}
	_, err = s.client.EnqueueContext(ctx, asynq.NewTask(taskType, payload), asynq.Queue(s.queue),
		asynq.TaskID(taskID(t)), asynq.MaxRetry(0), asynq.Timeout(taskTimeout))
	if errors.Is(err, asynq.ErrTaskIDConflict) {
		return nil
	}
	return err
}

// knows says whether Redis still has the task.
func (s *laneServer) knows(t task) (bool, error) {
	info, err := s.tasks.GetTaskInfo(s.queue, taskID(t))
	switch {
	case errors.Is(err, asynq.ErrTaskNotFound), errors.Is(err, asynq.ErrQueueNotFound):
		return false, nil
	case err != nil:
		return false, err
	}
	return info.State == asynq.TaskStatePending || info.State == asynq.TaskStateActive, nil
}

func taskID(t task) string { return fmt.Sprintf("%d-%d", t.Range, t.Generation) }

// engineLog passes Asynq's words on.
type engineLog struct{}

func (engineLog) Debug(args ...any) { slog.Debug(fmt.Sprint(args...), "from", "asynq") }
func (engineLog) Info(args ...any)  { slog.Info(fmt.Sprint(args...), "from", "asynq") }
func (engineLog) Warn(args ...any)  { slog.Warn(fmt.Sprint(args...), "from", "asynq") }
func (engineLog) Error(args ...any) { slog.Error(fmt.Sprint(args...), "from", "asynq") }
func (engineLog) Fatal(args ...any) { slog.Error(fmt.Sprint(args...), "from", "asynq") }
