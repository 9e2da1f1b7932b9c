package scim

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ParseFilter reads a filter (RFC 7644 3.4.2.2) for resources of the kind.
// Beyond the RFC it takes what Entra sends: values[filter].sub on the left of an
// operator, and values without quotes.
func (k *Kind) ParseFilter(text string) (*Filter, error) {
	p := parser{text: text}
	f, err := p.wholeFilter()
	if err == nil {
		err = f.check(k)
	}
	if err != nil {
		return nil, refuse(InvalidFilter, "%q is not a filter: %v", shortened(text), err)
	}
	return f, nil
}

// parser reads an expression from left to right.
type parser struct {
	text  string
	at    int
	depth int
}

// deepest is how far brackets may be nested.
const deepest = 50

var (
	errTooLong = errors.New("it is too long")
	errTooDeep = errors.New("its brackets are nested too deep")
	errNoPath  = errors.New("an attribute's name is expected")
)

func (p *parser) wholeFilter() (*Filter, error) {
	return whole(p, p.or)
}

func (p *parser) wholePath() (Path, error) {
	return whole(p, p.path)
}

func whole[T any](p *parser, read func() (T, error)) (v T, err error) {
	if len(p.text) > longestExpression {
		return v, errTooLong
	}
	if !utf8.ValidString(p.text) {
		return v, errors.New("it is not UTF-8")
	}
	if v, err = read(); err != nil {
		return v, err
	}
	p.space()
	if p.at < len(p.text) {
		return v, fmt.Errorf("%q is not expected", shortened(p.text[p.at:]))
	}
	return v, nil
}

func (p *parser) or() (*Filter, error) { return p.joined("or", p.and) }

func (p *parser) and() (*Filter, error) { return p.joined("and", p.one) }

func (p *parser) joined(word string, part func() (*Filter, error)) (*Filter, error) {
	left, err := part()
	for err == nil && p.word(word) {
		var right *Filter
		right, err = part()
		left = &Filter{op: word, left: left, right: right}
	}
	return left, err
}

func (p *parser) one() (*Filter, error) {
	before := p.at
	if p.word("not") {
		if p.space(); p.peek() == '(' {
			in, err := p.inside('(', ')')
			return &Filter{op: "not", left: in}, err
		}
		p.at = before
	}
	if p.space(); p.peek() == '(' {
		return p.inside('(', ')')
	}
	return p.comparison()
}

// inside reads a filter between brackets.
func (p *parser) inside(open, shut byte) (*Filter, error) {
	if p.depth++; p.depth > deepest {
		return nil, errTooDeep
	}
	defer func() { p.depth-- }()
	p.at++ // open
	f, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.space(); p.peek() != shut {
		return nil, fmt.Errorf("%q is not closed by %q", open, shut)
	}
	p.at++
	return f, nil
}

// path reads attribute, attribute.sub, attribute[filter] or attribute[filter].sub.
func (p *parser) path() (Path, error) {
	p.space()
	path, ok := split(p.run(func(r rune) bool { return isNameRune(r) || r == '.' || r == ':' }))
	if !ok {
		return path, errNoPath
	}
	if p.peek() != '[' {
		return path, nil
	}
	if path.Sub != "" || path.Attribute == "" {
		return path, errors.New("a bracket follows the name of an attribute")
	}
	var err error
	if path.where, err = p.inside('[', ']'); err != nil || p.peek() != '.' {
		return path, err
	}
	p.at++
	if path.Sub = p.run(isNameRune); path.Sub == "" {
		return path, errNoPath
	}
	return path, nil
}

var operators = []string{"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"}

func (p *parser) comparison() (*Filter, error) {
	path, err := p.path()
	if err != nil {
		return nil, err
	}
	if path.Attribute == "" {
		return nil, errNoPath
	}
	if p.word("pr") {
		return &Filter{op: "pr", path: path}, nil
	}
	for _, op := range operators {
		if p.word(op) {
			value, err := p.value()
			return &Filter{op: op, path: path, value: value}, err
		}
	}
	if path.where != nil && path.Sub == "" {
		return &Filter{op: "pr", path: path}, nil
	}
	return nil, fmt.Errorf("no operator follows %q", shortened(p.text[:p.at]))
}

// value reads true, false, null, a string, or a string without its quotes. NUL
// is left out, as it is where documents are read.
func (p *parser) value() (any, error) {
	p.space()
	if p.peek() == '"' {
		s, err := p.quoted()
		return strings.ReplaceAll(s, "\x00", ""), err
	}
	word := p.run(func(r rune) bool { return !strings.ContainsRune(" \t\r\n()[]\"", r) })
	switch word {
	case "":
		return nil, errors.New("a value is missing")
	case "true", "false":
		return word == "true", nil
	case "null":
		return nil, nil
	}
	return strings.ReplaceAll(word, "\x00", ""), nil
}

func (p *parser) quoted() (s string, err error) {
	for end := p.at + 1; end < len(p.text); end++ {
		switch p.text[end] {
		case '\\':
			end++
		case '"':
			err = json.Unmarshal([]byte(p.text[p.at:end+1]), &s)
			p.at = end + 1
			return s, err
		}
	}
	return "", errors.New("a string is not closed")
}

// word passes over a word, if it is the next.
func (p *parser) word(want string) bool {
	before := p.at
	p.space()
	if strings.EqualFold(p.run(isNameRune), want) {
		return true
	}
	p.at = before
	return false
}

func (p *parser) space() {
	p.run(func(r rune) bool { return r == ' ' || r == '\t' || r == '\r' || r == '\n' })
}

func (p *parser) peek() byte {
	if p.at >= len(p.text) {
		return 0
	}
	return p.text[p.at]
}

func (p *parser) run(of func(rune) bool) string {
	rest := p.text[p.at:]
	n := strings.IndexFunc(rest, func(r rune) bool { return !of(r) })
	if n < 0 {
		n = len(rest)
	}
	p.at += n
	return rest[:n]
}
