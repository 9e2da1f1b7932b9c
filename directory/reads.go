package directory

import (
	"context"
	"slices"
)

// Reads are the properties that are read of people in the account's directories, by
// name: those of its connections, or, while it has none, those that would be.
func (d *Directory) Reads(ctx context.Context, account int64) (names []string, connected bool, err error) {
	all, err := d.Connections(ctx, account)
	if err != nil {
		return nil, false, err
	}
	for _, c := range all {
		if c.State != Disconnected {
			connected = true
			names = append(names, c.Settings.personFields()...)
		}
	}
	if !connected {
		names = slices.Clone(PersonFields)
	}
	slices.Sort(names)
	return slices.Compact(names), connected, nil
}
