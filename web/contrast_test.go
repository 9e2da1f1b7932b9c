package web

import (
	"regexp"
	"testing"

	"github.com/varsel/varsel/internal/colour"
)

// pairs of names of the style sheet that are seen on each other, and the least
// contrast between them: 4.5 for text, 3 for what has to be made out (WCAG 2.2,
// 1.4.3 and 1.4.11).
var seenTogether = []struct {
	over, under string
	least       float64
}{
	{"ink", "ground", 4.5}, {"ink", "surface", 4.5}, {"ink", "info-soft", 4.5}, {"ink", "calm-soft", 4.5},
	{"muted", "ground", 4.5}, {"muted", "surface", 4.5}, {"muted", "calm-soft", 4.5},
	{"accent", "ground", 4.5}, {"accent", "surface", 4.5}, {"accent", "calm-soft", 3},
	{"accent-strong", "ground", 4.5}, {"accent-strong", "surface", 4.5},
	{"on-accent", "accent", 4.5}, {"on-accent", "accent-strong", 4.5},
	{"good", "good-soft", 4.5}, {"info", "info-soft", 4.5}, {"warn", "warn-soft", 4.5}, {"bad", "bad-soft", 4.5}, {"calm", "calm-soft", 4.5},
	{"good", "surface", 4.5}, {"warn", "surface", 4.5}, {"bad", "surface", 4.5},
	{"control", "surface", 3}, {"control", "ground", 3},
	{"focus", "ground", 3}, {"focus", "surface", 3}, {"focus", "calm-soft", 3},
	{"bar-delivered", "surface", 3}, {"bar-underway", "surface", 3}, {"bar-unconfirmed", "surface", 3},
	{"bar-lost", "surface", 3}, {"bar-stopped", "surface", 3}, {"bar-waiting", "surface", 3},
}

func TestColoursCanBeToldApartInBothThemes(t *testing.T) {
	for theme, colours := range themes(t) {
		for _, p := range seenTogether {
			if got := colour.Contrast(colours[p.over], colours[p.under]); got < p.least {
				t.Errorf("%s: %s on %s has %.2f, and needs %.1f", theme, p.over, p.under, got, p.least)
			}
		}
	}
}

var (
	rootBlock = regexp.MustCompile(`(?s):root \{(.*?)\}`)
	property  = regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`)
)

func themes(t *testing.T) map[string]map[string]colour.RGB {
	t.Helper()
	sheet, err := staticFiles.ReadFile("static/style.css")
	if err != nil {
		t.Fatal(err)
	}
	blocks := rootBlock.FindAllStringSubmatch(string(sheet), -1)
	if len(blocks) != 2 {
		t.Fatalf("the style sheet has %d blocks of colours", len(blocks))
	}
	all := map[string]map[string]colour.RGB{"light": {}, "dark": {}}
	for i, theme := range []string{"light", "dark"} {
		for _, m := range property.FindAllStringSubmatch(blocks[i][1], -1) {
			c, ok := colour.Parse(m[2])
			if !ok {
				t.Fatalf("%s is no colour", m[2])
			}
			all[theme][m[1]] = c
		}
	}
	for name := range all["light"] {
		if _, both := all["dark"][name]; !both {
			t.Errorf("%s has no dark colour", name)
		}
	}
	return all
}

func TestColoursStandOnlyInTheTwoBlocks(t *testing.T) {
	sheet, err := staticFiles.ReadFile("static/style.css")
	if err != nil {
		t.Fatal(err)
	}
	rest := rootBlock.ReplaceAllString(string(sheet), "")
	if found := regexp.MustCompile(`#[0-9a-fA-F]{3,8}\b|rgb\(`).FindString(rest); found != "" {
		t.Errorf("%s stands outside the blocks that the test of contrast reads", found)
	}
}
