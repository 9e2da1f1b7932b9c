package cards

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// tidied is a text on one line, without double spaces and what cannot be seen.
func tidied(text string) string {
	return strings.Join(strings.Fields(strings.Map(visible, text)), " ")
}

// tidiedLines keeps the lines of a text.
func tidiedLines(text string) string {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i, line := range lines {
		lines[i] = tidied(line)
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// visible drops control characters, but for spaces, and what turns the direction of
// writing around: a name must not make the rest of a page look like something else.
// What joins letters (in Persian, in emoji) stays.
func visible(r rune) rune {
	if unicode.IsSpace(r) {
		return ' '
	}
	if r == utf8.RuneError || unicode.Is(unicode.Cc, r) || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' {
		return -1
	}
	return r
}
