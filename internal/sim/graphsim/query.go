package graphsim

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	maxFilterIDs = 50
	defaultTop   = 100
	maxTop       = 999
)

// onlyOptions refuses system query options that a request does not take.
func onlyOptions(q url.Values, allowed ...string) *graphError {
	for name := range q {
		if strings.HasPrefix(name, "$") && !slices.Contains(allowed, name) {
			return badQuery("The query option '%s' is not supported here.", name)
		}
	}
	return nil
}

// filteredIDs reads $filter=id eq 'a' or id eq 'b', the only filter delta knows.
// nil means no filter.
func filteredIDs(q url.Values) ([]string, *graphError) {
	filter := strings.TrimSpace(q.Get("$filter"))
	if filter == "" {
		return nil, nil
	}
	var ids []string
	for clause := range strings.SplitSeq(filter, " or ") {
		id, ok := quotedID(clause)
		if !ok {
			return nil, badQuery("Unsupported filter clause '%s': only id eq '...' is.", strings.TrimSpace(clause))
		}
		ids = append(ids, id)
	}
	if len(ids) > maxFilterIDs {
		return nil, badQuery("Too many ids in the filter: %d, at most %d.", len(ids), maxFilterIDs)
	}
	return ids, nil
}

func quotedID(clause string) (string, bool) {
	words := strings.Fields(clause)
	if len(words) != 3 || words[0] != "id" || words[1] != "eq" {
		return "", false
	}
	id := strings.Trim(words[2], "'")
	return id, len(id) == len(words[2])-2 && id != ""
}

func top(q url.Values) (int, *graphError) {
	if !q.Has("$top") {
		return defaultTop, nil
	}
	n, err := strconv.Atoi(q.Get("$top"))
	if err != nil || n < 1 || n > maxTop {
		return 0, badQuery("Invalid page size '%s': between 1 and %d.", q.Get("$top"), maxTop)
	}
	return n, nil
}
