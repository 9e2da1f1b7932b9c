package main

import (
	"bytes"
	"context"
	"strings"

	"github.com/varsel/varsel/privacy"
)

type registerCommand struct {
	keeper
	Language string `default:"en" enum:"en,nb,pl" help:"en, nb or pl."`
	Out      string `help:"Write it to this file, as CSV, or as PDF when the name ends so. It must not be there."`
}

func (r registerCommand) Run(ctx context.Context, c *commands, t terminal) error {
	return r.with(ctx, c, func(app *App, account int64) error {
		made, err := app.Privacy.Register(ctx, account)
		if err != nil {
			return err
		}
		if r.Out != "" {
			return r.write(c, t, made)
		}
		for _, s := range made.Sections(r.Language) {
			for _, row := range s.Rows {
				if err := c.say(t.out, map[string]any{"section": s.Title, "name": row[0], "value": row[1]}, "%s\t%s\t%s", s.Title, row[0], row[1]); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (r registerCommand) write(c *commands, t terminal, made privacy.Register) error {
	var out bytes.Buffer
	if strings.HasSuffix(r.Out, ".pdf") {
		file, err := made.PDF(r.Language)
		if err != nil {
			return err
		}
		out.Write(file)
	} else if err := made.CSV(&out, r.Language); err != nil {
		return err
	}
	if err := copyTo(r.Out, &out); err != nil {
		return err
	}
	return c.say(t.out, map[string]any{"file": r.Out}, "%s is written.", r.Out)
}
