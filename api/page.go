package api

import (
	"net/http"

	"github.com/varsel/varsel/internal/secrets"
)

// Page is the part of a request that asks for a list.
type Page struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many there are in a page."`
	Cursor string `query:"cursor" doc:"The next_cursor of the page before; without it the list begins."`
}

// list is one page of a list.
type list[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor,omitempty" doc:"Asks for the next page. There is none when it is missing."`
}

// from is the id where the page begins, 0 for the first. A cursor is the name
// of the last row before: it tells nothing, and one of another list is refused.
func (p Page) from(names *secrets.Names, prefix string) (int64, error) {
	if p.Cursor == "" {
		return 0, nil
	}
	id, err := names.ID(prefix, p.Cursor)
	if err != nil {
		return 0, invalidQuery("cursor", "this is no cursor of this list")
	}
	return id, nil
}

// invalidQuery says that a query parameter cannot be used.
func invalidQuery(name, text string) *Problem {
	return newProblem(http.StatusUnprocessableEntity, "invalid_"+name, text, Fault{In: "query", Pointer: "/" + name, Detail: text})
}

// pageOf makes a page of rows, which are one more than the limit if there is
// another page.
func pageOf[R, T any](rows []R, limit int, show func(R) T, name func(R) string) *answer[list[T]] {
	out := &answer[list[T]]{Body: list[T]{Items: []T{}}}
	for i, row := range rows {
		if i == limit {
			out.Body.NextCursor = name(rows[i-1])
			break
		}
		out.Body.Items = append(out.Body.Items, show(row))
	}
	return out
}
