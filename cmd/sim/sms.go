package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/varsel/varsel/internal/sim/smshttpsim"
)

// smsReady is the line printed when both sockets listen.
type smsReady struct {
	URL     string `json:"url"`
	Control string `json:"control,omitempty"`
}

// sms serves the APIs of SMS providers over HTTP until ctx ends.
func sms(ctx context.Context, args []string, out, messages io.Writer) error {
	options, control, err := smsFlags(args, messages)
	if err != nil {
		return err
	}
	server, err := smshttpsim.Start(options)
	if err != nil {
		return err
	}
	return errors.Join(serveSMS(ctx, server, control, out), server.Close())
}

func smsFlags(args []string, messages io.Writer) (o smshttpsim.Options, control string, err error) {
	flags := flag.NewFlagSet("sms", flag.ContinueOnError)
	flags.StringVar(&o.Addr, "listen", "127.0.0.1:8085", "HTTP `address` of the providers' APIs")
	flags.StringVar(&control, "control", "127.0.0.1:8086", "HTTP `address` for records and faults; empty: none")
	flags.StringVar(&o.AccountSID, "account-sid", "", "Twilio's account; empty: any")
	flags.StringVar(&o.AuthToken, "auth-token", "", "Twilio's token, which signs its callbacks; empty: any")
	flags.StringVar(&o.Token, "token", "", "GatewayAPI's token; empty: any")
	flags.StringVar(&o.WebhookSecret, "webhook-secret", "", "signs GatewayAPI's callbacks; empty: they are not signed")
	flags.StringVar(&o.Webhook, "webhook", "", "`url` for the events of GatewayAPI's Mobile Messaging")
	flags.StringVar(&o.Login, "login", "", "SureSMS's login; empty: any")
	flags.StringVar(&o.Password, "password", "", "SureSMS's password; empty: any")
	flags.IntVar(&o.Throughput, "throughput", 0, "messages per second accepted; 0: no limit")
	flags.DurationVar((*time.Duration)(&o.AnswerDelay), "answer-delay", 0, "time from accepting to the answer")
	flags.DurationVar((*time.Duration)(&o.CallbackDelay), "callback-delay", 0, "time before each callback")
	flags.IntVar(&o.DropAfter, "drop-after", 0, "drop the connection after accepting every this many messages; 0: never")
	err = parse(flags, args, messages)
	return o, control, err
}

// serveSMS says that the server is ready and returns when ctx ends.
func serveSMS(ctx context.Context, server *smshttpsim.Server, control string, out io.Writer) error {
	ready := smsReady{URL: server.URL()}
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
