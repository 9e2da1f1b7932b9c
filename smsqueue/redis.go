package smsqueue

import (
	"context"
	"fmt"
	"net"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// Redis is the engine's store: a real one, or one inside the process.
type Redis struct {
	Client redis.UniversalClient
	stop   func()
}

// Close ends the connection, and with it a Redis inside the process.
func (r *Redis) Close() error {
	err := r.Client.Close()
	r.stop()
	return err
}

// DialRedis connects to a Redis or Valkey by URL (redis://, rediss://).
func DialRedis(url string) (*Redis, error) {
	opts, err := redis.ParseURL(url)
	if err != nil {
		return nil, fmt.Errorf("VARSEL_REDIS_URL: %w", err)
	}
	client := redis.NewClient(opts)
	return &Redis{Client: client, stop: func() {}}, nil
}

// EmbeddedRedis runs inside the process and is reached through a Dial
// function, without a port. Its keys expire by the wall clock.
func EmbeddedRedis() *Redis {
	m := miniredis.NewMiniRedis()
	m.ClockTTL(true)
	client := redis.NewClient(&redis.Options{
		Addr:            "embedded",
		DisableIdentity: true,
		Dialer:          func(context.Context, string, string) (net.Conn, error) { return m.Dial() },
	})
	return &Redis{Client: client, stop: m.Close}
}
