package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/varsel/varsel/internal/sim/smscsim"
)

// smscReady is the line printed when both sockets listen.
type smscReady struct {
	SMPP    string `json:"smpp"`
	Control string `json:"control,omitempty"`
}

func smsc(ctx context.Context, args []string, out, messages io.Writer) error {
	options, control, err := smscFlags(args, messages)
	if err != nil {
		return err
	}
	server, err := smscsim.Start(options)
	if err != nil {
		return err
	}
	return errors.Join(serveSMSC(ctx, server, control, out), server.Close())
}

func smscFlags(args []string, messages io.Writer) (o smscsim.Options, control string, err error) {
	flags := flag.NewFlagSet("smsc", flag.ContinueOnError)
	flags.StringVar(&o.Addr, "listen", "127.0.0.1:2775", "SMPP `address`")
	flags.StringVar(&control, "control", "127.0.0.1:2776", "HTTP `address` for records and faults; empty: none")
	flags.StringVar(&o.SystemID, "system-id", "", "the only system_id that may bind; empty: any")
	flags.StringVar(&o.Password, "password", "", "the only password that may bind; empty: any")
	flags.DurationVar(&o.EnquireEvery, "enquire-every", 0, "time between enquire_link to clients; 0: never")
	flags.DurationVar(&o.ReceiptDelay, "receipt-delay", 0, "mean time from answer to receipt")
	flags.DurationVar(&o.AnswerDelay, "answer-delay", 0, "time from submit to answer")
	flags.IntVar(&o.Throughput, "throughput", 0, "submits per second accepted; 0: no limit")
	flags.IntVar(&o.Window, "window", 0, "unanswered submits per bind; 0: no limit")
	flags.IntVar(&o.DropEvery, "drop-every", 0, "drop the connection after every this many submits; 0: never")
	err = parse(flags, args, messages)
	return o, control, err
}

// serveSMSC says that the server is ready and returns when ctx ends.
func serveSMSC(ctx context.Context, server *smscsim.Server, control string, out io.Writer) error {
	ready := smscReady{SMPP: server.Addr()}
	if control == "" {
		if err := json.NewEncoder(out).Encode(ready); err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	}
	listener, err := net.Listen("tcp", control)
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	ready.Control = "http://" + listener.Addr().String()
	if err := json.NewEncoder(out).Encode(ready); err != nil {
		return errors.Join(err, listener.Close())
	}
	return serveHTTP(ctx, listener, server.Control())
}

// serveHTTP serves until ctx ends, then lets requests under way finish.
func serveHTTP(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := server.Shutdown(last)
	<-failed
	return err
}
