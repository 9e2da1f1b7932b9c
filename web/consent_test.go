package web

import (
	"bytes"
	"strings"
	"testing"
)

func TestTheConsentButtonOpensANewTab(t *testing.T) { // Q6
	for _, say := range tongues {
		var out bytes.Buffer
		if err := pages[say.Code]["directory"].ExecuteTemplate(&out, "consent-button", nil); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{`href="/directory/consent" target="_blank" rel="noopener"`, say.text("consent_button"), say.text("consent_new_tab")} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: %s lacks %s", say.Code, out.String(), want)
			}
		}
	}
}
