// Package rollcall is a question that people answer by text, and how their words
// are read. It would rather call an answer unclear, for a person to read, than
// count somebody as safe who is not.
package rollcall

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Question is what is asked.
type Question struct {
	Choices []Choice
	Close   time.Duration // how long from its start answers count
}

// Choice is one of the answers.
type Choice struct {
	Key   string   // what people are asked to text, usually a digit
	Words []string // words or phrases that mean the same
	Label string   // what it is called where answers are counted
	Alarm bool     // whoever chooses it is to be seen first
}

const (
	// LongestClose bounds how long a question may be open.
	LongestClose = 7 * 24 * time.Hour
	// UsualClose is taken where nothing is said.
	UsualClose = 24 * time.Hour

	mostChoices, mostWords         = 9, 20
	longestKey, longestWord, label = 12, 40, 60 // characters
)

// Check says what is wrong with a question: fewer than 2 or more than 9 choices, a
// key that is not one word or number, a word or key that two choices have, or a time
// that is not between a minute and 7 days.
func (q Question) Check() error {
	if len(q.Choices) < 2 || len(q.Choices) > mostChoices {
		return fmt.Errorf("a question has 2 to %d choices, not %d", mostChoices, len(q.Choices))
	}
	if q.Close < time.Minute || q.Close > LongestClose {
		return fmt.Errorf("a question is open for a minute to %d days", int(LongestClose.Hours()/24))
	}
	taken := map[string]int{} // by which choice
	for i, c := range q.Choices {
		if err := c.check(); err != nil {
			return err
		}
		for _, phrase := range append([]string{c.Key}, c.Words...) {
			same := strings.Join(tokens(phrase), " ")
			if other, is := taken[same]; is && other != i {
				return fmt.Errorf("the choices %q and %q are both answered by %q", q.Choices[other].Label, c.Label, phrase)
			}
			taken[same] = i
		}
	}
	return nil
}

func (c Choice) check() error {
	if len(tokens(c.Key)) != 1 || c.Key != strings.TrimSpace(c.Key) || utf8.RuneCountInString(c.Key) > longestKey {
		return fmt.Errorf("a choice's key is a number or a word of at most %d characters, not %q", longestKey, c.Key)
	}
	if strings.TrimSpace(c.Label) == "" || utf8.RuneCountInString(c.Label) > label || strings.ContainsRune(c.Label, 0) {
		return fmt.Errorf("the choice %q needs a label of at most %d characters", c.Key, label)
	}
	if len(c.Words) > mostWords {
		return fmt.Errorf("the choice %q has more than %d words", c.Key, mostWords)
	}
	for _, w := range c.Words {
		if len(tokens(w)) == 0 || utf8.RuneCountInString(w) > longestWord || strings.ContainsRune(w, 0) {
			return fmt.Errorf("the choice %q has a word that is none, or longer than %d characters: %q", c.Key, longestWord, w)
		}
	}
	return nil
}

// Choice finds a choice by its key.
func (q Question) Choice(key string) (Choice, error) {
	for _, c := range q.Choices {
		if c.Key == key {
			return c, nil
		}
	}
	return Choice{}, errors.New("there is no such choice")
}

// Alarms are the keys of the alarming choices.
func (q Question) Alarms() (all []string) {
	for _, c := range q.Choices {
		if c.Alarm {
			all = append(all, c.Key)
		}
	}
	return all
}
