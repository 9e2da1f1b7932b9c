package api

import (
	"context"
	"log/slog"
	"net/http"
)

type health struct {
	Status string `json:"status" enum:"ok"`
}

func (s Services) healthz(context.Context, *struct{}) (*answer[health], error) {
	return &answer[health]{Body: health{Status: "ok"}}, nil
}

// readyz does not say why not to whoever asks: that is in the log.
func (s Services) readyz(ctx context.Context, _ *struct{}) (*answer[health], error) {
	if err := s.Ready(ctx); err != nil {
		slog.Warn("not ready", "error", err)
		return nil, newProblem(http.StatusServiceUnavailable, "not_ready", "requests cannot be served now")
	}
	return &answer[health]{Body: health{Status: "ok"}}, nil
}
