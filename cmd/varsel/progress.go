package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// progress draws a bar on a terminal, and nothing elsewhere.
type progress struct {
	w     io.Writer
	shown bool
}

func newProgress(w io.Writer, quiet bool) *progress {
	if f, ok := w.(*os.File); quiet || !ok || !term.IsTerminal(int(f.Fd())) {
		w = nil
	}
	return &progress{w: w}
}

const barWidth = 40

// show draws done of total; a total of 0 is not known.
func (p *progress) show(what string, done, total int, unit string) {
	if p.w == nil {
		return
	}
	p.shown = true
	if total == 0 {
		fmt.Fprintf(p.w, "\r\x1b[K%-10s %d %s", what, done, unit)
		return
	}
	full := done * barWidth / total
	fmt.Fprintf(p.w, "\r\x1b[K%-10s %s%s %d of %d %s", what, strings.Repeat("█", full), strings.Repeat("░", barWidth-full), done, total, unit)
}

func (p *progress) end() {
	if p.shown {
		fmt.Fprintln(p.w)
	}
	p.shown = false
}
