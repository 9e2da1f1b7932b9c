package merge

import "strings"

// Language finds the one of several languages that suits somebody who prefers
// wanted: the same, else what is left when subtags are taken away from its end
// (RFC 4647 3.4), so that nb stands in for nb-NO. It answers its place, or -1.
func Language(languages []string, wanted string) int {
	for wanted != "" {
		for i, l := range languages {
			if strings.EqualFold(l, wanted) {
				return i
			}
		}
		wanted = shortened(wanted)
	}
	return -1
}

// shortened takes the last subtag away, and a single letter before it, which
// says nothing without it.
func shortened(tag string) string {
	cut := strings.LastIndexAny(tag, "-_")
	if cut < 0 {
		return ""
	}
	tag = tag[:cut]
	if n := len(tag); n > 2 && (tag[n-2] == '-' || tag[n-2] == '_') {
		tag = tag[:n-2]
	}
	return tag
}
