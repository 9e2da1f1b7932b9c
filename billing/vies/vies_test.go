package vies_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/varsel/varsel/billing/vies"
	"github.com/varsel/varsel/internal/problem"
)

func TestAnAnswerWithoutAVerdictIsNone(t *testing.T) {
	for name, said := range map[string]string{"another document": `{}`, "no verdict": `{"countryCode": "DK", "userError": "VALID"}`, "null": `{"valid": null}`} {
		t.Run(name, func(t *testing.T) {
			register := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(said)) }))
			defer register.Close()
			if got, err := vies.At(register.URL).Ask(t.Context(), "DK13585628", ""); !problem.Has(err, "vies_unavailable") {
				t.Errorf("got %+v (%v)", got, err)
			}
		})
	}
}
