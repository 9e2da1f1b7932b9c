// Command sim runs the simulated peers as processes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// command runs until ctx ends. What a program reads goes to out, what people read to messages.
type command func(ctx context.Context, args []string, out, messages io.Writer) error

var commands = map[string]command{
	"graph": graph,
	"sms":   sms,
	"smsc":  smsc,
}

// errUsage is reported already by the flag package.
var errUsage = errors.New("usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run returns the exit status: 0 done, 1 failed, 2 called wrongly.
func run(ctx context.Context, args []string, out, messages io.Writer) int {
	c, ok := pick(args)
	if !ok {
		fmt.Fprintf(messages, "usage: sim %s [flags]\n", strings.Join(slices.Sorted(maps.Keys(commands)), "|"))
		return 2
	}
	switch err := c(ctx, args[1:], out, messages); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return 2
	case err != nil:
		fmt.Fprintf(messages, "sim %s: %v\n", args[0], err)
		return 1
	}
	return 0
}

func pick(args []string) (command, bool) {
	if len(args) == 0 {
		return nil, false
	}
	c, ok := commands[args[0]]
	return c, ok
}

// parse reads args, all of which have to be flags.
func parse(flags *flag.FlagSet, args []string, messages io.Writer) error {
	flags.SetOutput(messages)
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return errUsage
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is not a flag", flags.Arg(0))
	}
	return nil
}
