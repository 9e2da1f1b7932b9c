package main

import (
	"context"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// ownWorld is the command that brings all it needs, its own agreement and peers too, and
// does nothing for the accounts that are there.
const ownWorld = "demo"

// commands runs every command of the program with all that it requires, once for each
// of its alternatives.
func (w *walk) commands() {
	w.t.Helper()
	var c commands
	parser, err := kong.New(&c, kong.Vars{"carrier_types": carrierTypeNames()})
	must(w.t, err)
	for _, leaf := range parser.Model.Leaves(false) {
		words := strings.TrimPrefix(leaf.Path(), "varsel ")
		if words == ownWorld {
			continue
		}
		for _, args := range w.arguments(leaf, words) {
			w.command(words, args)
			w.after("varsel " + words)
		}
	}
}

// command runs one; one that goes on, such as a server, is ended.
func (w *walk) command(words string, args []string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Minute)
	defer cancel()
	var out answering
	if words == "serve" {
		args = append(args, "--role", roleAPI, "--listen", "127.0.0.1:0")
		out.first = func() { time.AfterFunc(time.Second, cancel) }
	}
	err := run(ctx, append(args, w.env...), terminal{strings.NewReader(w.stdin(words)), &out, &out})
	if err != nil && !w.expected(strings.Join(args, " "), err.Error()) {
		w.unfilled = append(w.unfilled, "varsel "+strings.Join(args, " ")+": "+err.Error()+" "+out.String()+"; say in gate_fixtures_test.go what its flags are to be")
	}
}

// answering keeps what a command says, and tells when it begins to.
type answering struct {
	strings.Builder
	first func() // may be nil
}

func (a *answering) Write(text []byte) (int, error) {
	if a.first != nil {
		a.first()
		a.first = nil
	}
	return a.Builder.Write(text)
}

// expected says whether a command line may be refused so, whatever the agreement.
func (w *walk) expected(line, text string) bool {
	for part, why := range w.refusals {
		if strings.Contains(line, part) && strings.Contains(text, why) {
			return true
		}
	}
	return false
}

// arguments are the command lines for a command: with the flags and arguments that it
// requires, one line for each of those that exclude one another.
func (w *walk) arguments(leaf *kong.Node, words string) (lines [][]string) {
	w.t.Helper()
	line, groups, choices := strings.Fields(words), []string{}, map[string][][]string{}
	for _, flag := range leaf.Flags {
		if !flag.Required && w.values[words+" "+flag.Name] == nil {
			continue
		}
		given := []string{"--" + flag.Name}
		if !flag.IsBool() {
			given[0] += "=" + w.value(words, flag.Name)
		}
		if len(flag.Xor) == 0 {
			line = append(line, given...)
			continue
		}
		if choices[flag.Xor[0]] == nil {
			groups = append(groups, flag.Xor[0])
		}
		choices[flag.Xor[0]] = append(choices[flag.Xor[0]], given)
	}
	for _, arg := range leaf.Positional {
		line = append(line, w.value(words, arg.Name))
	}
	lines = [][]string{line}
	for _, group := range groups {
		var more [][]string
		for _, one := range lines {
			for _, choice := range choices[group] {
				more = append(more, append(append([]string{}, one...), choice...))
			}
		}
		lines = more
	}
	return lines
}
