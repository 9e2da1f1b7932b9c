package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/varsel/varsel/accounts"
)

const (
	registerPath             = "/v1/register"
	installationRegisterPath = installationPath + "/register"
)

// registerRoutes: chainOf is 0, all accounts, with an operators' key.
func (s Services) registerRoutes(a huma.API) {
	add(a, route{"GET", registerPath, "readRegister", accounts.ScopeAuditRead, "Read the record of processing on behalf of the account (Art. 30(2) GDPR)", http.StatusOK, false}, s.readRegister)
	add(a, route{"GET", installationRegisterPath, "readRegisterOfAll", accounts.ScopeInstallation, "Read the record of processing on behalf of all accounts (Art. 30(2) GDPR)", http.StatusOK, false}, s.readRegister)
}

type readRegister struct {
	Language string `query:"language" enum:"en,nb,pl" default:"en"`
}

type processingRegister struct {
	MadeAt   time.Time         `json:"made_at"`
	Sections []registerSection `json:"sections" doc:"The processor, each controller, the sub-processors with transfers, and the measures of security."`
}

type registerSection struct {
	Title string        `json:"title"`
	Rows  []registerRow `json:"rows"`
}

type registerRow struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func (s Services) readRegister(ctx context.Context, in *readRegister) (*answer[processingRegister], error) {
	r, err := s.Privacy.Register(ctx, chainOf(ctx))
	if err != nil {
		return nil, err
	}
	out := processingRegister{MadeAt: at(r.Made), Sections: []registerSection{}}
	for _, section := range r.Sections(in.Language) {
		one := registerSection{Title: section.Title, Rows: []registerRow{}}
		for _, row := range section.Rows {
			one.Rows = append(one.Rows, registerRow{row[0], row[1]})
		}
		out.Sections = append(out.Sections, one)
	}
	return &answer[processingRegister]{Body: out}, nil
}
