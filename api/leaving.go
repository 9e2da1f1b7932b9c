package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/secrets"
	"github.com/varsel/varsel/privacy"
)

const (
	exportsPath    = "/v1/account/exports"
	exportFilePath = exportsPath + "/{id}/file"
	exitPath       = "/v1/account/exit"

	zipType = "application/zip"
)

func (s Services) leavingRoutes(a huma.API) {
	const may = accounts.ScopeAccountExport
	add(a, route{"POST", exportsPath, "exportAccount", may, "Have everything of the account written into one file", http.StatusAccepted, false}, s.exportAccount)
	add(a, route{"GET", exportsPath, "listExports", may, "List the exports of the whole account, the newest first", http.StatusOK, false}, s.listExports)
	add(a, route{"GET", exportsPath + "/{id}", "readExport", may, "Read where an export stands", http.StatusOK, false}, s.readExport)
	addFile(a, []string{zipType}, route{"GET", exportFilePath, "fetchExport", may, "Fetch the file of an export (ZIP)", http.StatusOK, false}, s.fetchExport)
	add(a, route{"GET", exitPath, "readExit", accounts.ScopeAuditRead, "Read what becomes of the data of an account whose agreement ended", http.StatusOK, false}, s.readExit)
	addFile(a, []string{pdfType}, route{"GET", exitPath + "/certificate", "readCertificate", may, "Fetch the certificate that the data were deleted (PDF)", http.StatusOK, false}, s.readCertificate)
}

type accountExport struct {
	ID        string     `json:"id"`
	State     string     `json:"state" enum:"asked,running,ready,failed,removed" doc:"removed: it was ready, and its time is over."`
	Bytes     int64      `json:"bytes,omitempty"`
	Rows      int        `json:"rows,omitempty" doc:"In all of its files; each row is in a CSV and a JSON Lines file."`
	SHA256    string     `json:"sha256,omitempty" doc:"Of the file, in hex."`
	AskedAt   time.Time  `json:"asked_at"`
	ReadyAt   *time.Time `json:"ready_at,omitempty"`
	KeptUntil *time.Time `json:"kept_until,omitempty" doc:"When the file is removed."`
	FetchedAt *time.Time `json:"fetched_at,omitempty" doc:"When it was fetched first."`
}

func (s Services) accountExport(x privacy.Export) accountExport {
	out := accountExport{ID: s.Names.Of(secrets.ExportOfAll, x.ID), State: x.State, Bytes: x.Bytes, Rows: x.Rows, SHA256: x.SHA256, AskedAt: at(x.Asked)}
	for to, from := range map[**time.Time]time.Time{&out.ReadyAt: x.Ready, &out.KeptUntil: x.KeepUntil, &out.FetchedAt: x.Fetched} {
		if !from.IsZero() {
			*to = new(at(from))
		}
	}
	return out
}

func (s Services) exportAccount(ctx context.Context, _ *struct{}) (*answer[accountExport], error) {
	x, err := s.Privacy.AskExport(ctx, accountOf(ctx))
	if err != nil {
		return nil, err
	}
	return &answer[accountExport]{Body: s.accountExport(x)}, nil
}

func (s Services) listExports(ctx context.Context, _ *struct{}) (*answer[whole[accountExport]], error) {
	all, err := s.Privacy.Exports(ctx, accountOf(ctx))
	if err != nil {
		return nil, err
	}
	return wholeOf(all, s.accountExport), nil
}

type exportNamed struct {
	ID string `path:"id"`
}

func (s Services) readExport(ctx context.Context, in *exportNamed) (*answer[accountExport], error) {
	id, err := s.Names.ID(secrets.ExportOfAll, in.ID)
	if err != nil {
		return nil, err
	}
	x, err := s.Privacy.ExportOf(ctx, accountOf(ctx), id)
	if err != nil {
		return nil, err
	}
	return &answer[accountExport]{Body: s.accountExport(x)}, nil
}

// fetchExport writes the file as it is read; the server closes it.
func (s Services) fetchExport(ctx context.Context, in *exportNamed) (*huma.StreamResponse, error) {
	id, err := s.Names.ID(secrets.ExportOfAll, in.ID)
	if err != nil {
		return nil, err
	}
	file, x, err := s.Privacy.FetchExport(ctx, accountOf(ctx), id)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(c huma.Context) {
		c.SetHeader("Content-Type", zipType)
		c.SetHeader("Content-Disposition", `attachment; filename="`+in.ID+`.zip"`)
		humafiber.Unwrap(c).Context().SetBodyStream(file, int(x.Bytes))
	}}, nil
}

type certificateFile struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func (s Services) readCertificate(ctx context.Context, _ *struct{}) (*certificateFile, error) {
	cert, err := s.Privacy.Certificate(ctx, accountOf(ctx))
	if err != nil {
		return nil, err
	}
	return &certificateFile{pdfType, `attachment; filename="certificate.pdf"`, cert.PDF}, nil
}

type exit struct {
	Running      bool           `json:"running" doc:"The agreement ended, and the data are there still."`
	AtEnd        string         `json:"at_end,omitempty" enum:"return,delete" doc:"What was chosen. return: an export is made at once; then the data are deleted as well."`
	TerminatedAt *time.Time     `json:"terminated_at,omitempty"`
	Deadline     *time.Time     `json:"deadline,omitempty" doc:"When all personal data are deleted, unless an agreement is concluded before."`
	DaysLeft     int            `json:"days_left"`
	DeletedAt    *time.Time     `json:"deleted_at,omitempty"`
	Deleted      map[string]int `json:"deleted,omitempty" doc:"How many of which kind."`
	Certificate  string         `json:"certificate_sha256,omitempty" doc:"SHA-256 of the certificate, in hex."`
}

func (s Services) readExit(ctx context.Context, _ *struct{}) (*answer[exit], error) {
	x, err := s.Privacy.Exit(ctx, accountOf(ctx))
	if err != nil {
		return nil, err
	}
	out := exit{Running: x.Running(), AtEnd: x.AtEnd, Certificate: x.SHA256}
	if x.Running() {
		out.DaysLeft = x.DaysLeft(time.Now())
	}
	if !x.Done.IsZero() {
		out.Deleted = x.Counts
	}
	for to, from := range map[**time.Time]time.Time{&out.TerminatedAt: x.Terminated, &out.Deadline: x.Deadline, &out.DeletedAt: x.Done} {
		if !from.IsZero() {
			*to = new(at(from))
		}
	}
	return &answer[exit]{Body: out}, nil
}
