package scim

import (
	"slices"
	"strings"
)

// Path names an attribute, or parts of one (RFC 7644 3.5.2, and 3.10 for the
// URN). A URN of ours may stand alone: then Attribute is empty.
type Path struct {
	URN       string
	Attribute string
	Sub       string
	where     *Filter // which of several values
}

// longestExpression bounds filters and paths, in bytes: both are worked through
// by recursion.
const longestExpression = 8 << 10

// ParsePath reads the path of a PATCH operation or a name of an attribute.
func ParsePath(text string) (Path, error) {
	p := parser{text: text}
	path, err := p.wholePath()
	if err != nil {
		return Path{}, refuse(InvalidPath, "%q is not a path: %v", shortened(text), err)
	}
	return path, nil
}

// split takes apart what stands before a bracket: [URN ":"] attribute ["." sub].
// A URN has dots of its own.
func split(token string) (p Path, ok bool) {
	rest := token
	if len(token) >= 4 && strings.EqualFold(token[:4], "urn:") {
		if slices.ContainsFunc(knownURNs(), func(urn string) bool { return strings.EqualFold(urn, token) }) {
			return Path{URN: token}, true
		}
		last := strings.LastIndex(token, ":")
		p.URN, rest = token[:last], token[last+1:]
	}
	p.Attribute, p.Sub, _ = strings.Cut(rest, ".")
	return p, isName(p.Attribute) && (p.Sub == "" && !strings.HasSuffix(rest, ".") || isName(p.Sub))
}

func knownURNs() (all []string) {
	for _, k := range kinds {
		all = append(all, k.URN)
		for _, e := range k.Extensions {
			all = append(all, e.URN)
		}
	}
	return all
}

func isName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !isNameRune(r) })
}

func isNameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '$'
}

// shortened keeps what is repeated in an error readable.
func shortened(s string) string {
	const enough = 100
	if r := []rune(s); len(r) > enough {
		return string(r[:enough]) + "…"
	}
	return s
}
