package web

import "net/url"

const pageSize = 50

// pager leads through a list by cursor.
type pager struct {
	First string // address of the first page, empty when this is it
	Next  string // address of the next page, empty when this is the last
}

// turn makes the pager of a list that begins at cursor ("" for the first page)
// and goes on at next ("" for the last). keep are the other parameters.
func turn(path string, keep url.Values, cursor, next string) (p pager) {
	if cursor != "" {
		p.First = address(path, keep)
	}
	if next != "" {
		q := url.Values{"from": {next}}
		for name, values := range keep {
			q[name] = values
		}
		p.Next = address(path, q)
	}
	return p
}

// address is a path with its parameters.
func address(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// cut takes a page off a list of which one more was asked for, and says whether
// there is more.
func cut[T any](all []T) (some []T, more bool) {
	if len(all) > pageSize {
		return all[:pageSize], true
	}
	return all, false
}

// cursor reads where a list begins: a public name, or "" for its beginning.
func (w *site) cursor(prefix, name string) (int64, error) {
	if name == "" {
		return 0, nil
	}
	return w.Names.ID(prefix, name)
}
