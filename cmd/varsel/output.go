package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// say answers a command: v as JSON on one line when that is asked for, else the text.
func (c *commands) say(w io.Writer, v any, format string, args ...any) error {
	if c.JSON {
		return json.NewEncoder(w).Encode(v)
	}
	_, err := fmt.Fprintf(w, strings.TrimRight(format, "\n")+"\n", args...)
	return err
}
