package main

import (
	"context"
	"maps"
	"os/user"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/varsel/varsel/internal/trail"
)

// looks are the last words of commands that change nothing. Any other command is
// recorded: one that writes the address book to a file changes nothing either, but
// takes it out of here.
var looks = []string{"list", "show", "verify", "quality", "remaining", "outcomes", "held", "access", "scim-tokens", "exit", "balance", "ledger", "usage", "costs", "groups"}

// settingsWords are the last words of commands that show what is set, and set what
// they are given.
var settingsWords = []string{"settings", "sending", "fields"}

// step is what a command is in the audit trail; nil for one that only looks.
func step(parsed *kong.Context) *trail.Step {
	words := slices.DeleteFunc(strings.Fields(parsed.Command()), func(word string) bool { return strings.HasPrefix(word, "<") })
	s := trail.Step{Action: "command." + strings.Join(words, "."), Given: map[string]string{}, From: trail.From{OSUser: osUser()}}
	given := 0
	for _, flag := range parsed.Flags() {
		if !flag.Set || !ofCommand(parsed, flag) {
			continue
		}
		s.Flags = append(s.Flags, flag.Name)
		if text, ok := flag.Target.Interface().(string); ok {
			s.Given[flag.Name] = text
		}
		if flag.Name != "account" && flag.Name != "connection" {
			given++
		}
	}
	for _, arg := range parsed.Selected().Positional {
		if text, ok := arg.Target.Interface().(string); ok {
			s.Given[arg.Name] = text
		}
	}
	last := words[len(words)-1]
	if slices.Contains(looks, last) || slices.Contains(settingsWords, last) && given == 0 {
		return nil
	}
	return &s
}

// ofCommand says whether a flag is the command's own, and no setting of the program.
func ofCommand(parsed *kong.Context, flag *kong.Flag) bool {
	return slices.Contains(parsed.Selected().Flags, flag)
}

// osUser is who runs the program, by the name that the machine knows.
func osUser() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

// done records the command after it succeeded, in the chain of the account that it was
// about. Of what it was given only our own ids are kept: the rest may name somebody.
func (c *commands) done(ctx context.Context, app *App) {
	if c.step == nil {
		return
	}
	c.step.Account = c.about
	maps.DeleteFunc(c.step.Given, func(_, value string) bool {
		_, _, ours := app.Names.Read(value)
		return !ours
	})
	app.Trail.Done(ctx, *c.step)
}
