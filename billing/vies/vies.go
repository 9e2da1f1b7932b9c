// Package vies asks the register of the European Union's VAT numbers (VIES), through its
// REST interface: https://ec.europa.eu/taxation_customs/vies/#/technical-information.
package vies

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/varsel/varsel/internal/problem"
)

// URL is where the Commission has the register.
const URL = "https://ec.europa.eu/taxation_customs/vies/rest-api"

// Register is a register of VAT numbers.
type Register struct {
	url    string
	client http.Client
}

// patience is for a member state's own register, which VIES asks in its turn.
const patience = 30 * time.Second

// At is the register at a URL.
func At(url string) *Register {
	return &Register{url: strings.TrimRight(url, "/"), client: http.Client{Timeout: patience}}
}

// Answer is what it says of a number.
type Answer struct {
	Valid        bool
	Consultation string // the number of the enquiry; empty where no requester was named
	Name         string // of who has the number, where their state tells it
	At           time.Time
}

type request struct {
	Country          string `json:"countryCode"`
	Number           string `json:"vatNumber"`
	RequesterCountry string `json:"requesterMemberStateCode,omitempty"`
	RequesterNumber  string `json:"requesterNumber,omitempty"`
}

type answer struct {
	Valid      *bool     `json:"valid"`
	Identifier string    `json:"requestIdentifier"`
	Date       time.Time `json:"requestDate"`
	Name       string    `json:"name"`
	UserError  string    `json:"userError"`
	Errors     []struct {
		Error string `json:"error"`
	} `json:"errorWrappers"`
}

// Ask asks about a VAT number, on behalf of a requester who may be empty; both with their
// two letters: "DE123456788". Codes: vies_unavailable when it, or the state's register,
// does not answer now; vies_requester when it does not know who asks.
func (r *Register) Ask(ctx context.Context, number, requester string) (Answer, error) {
	q := request{Country: number[:2], Number: number[2:]}
	if requester != "" {
		q.RequesterCountry, q.RequesterNumber = requester[:2], requester[2:]
	}
	a, err := r.post(ctx, q)
	if err != nil {
		return Answer{}, err
	}
	for _, e := range a.Errors {
		a.UserError = e.Error
	}
	switch {
	case a.UserError == "INVALID_REQUESTER_INFO":
		return Answer{}, problem.Conflict("vies_requester", "the register of VAT numbers does not know the seller's number %s", requester)
	case slices.Contains([]string{"INVALID_INPUT", "INVALID"}, a.UserError):
		a.Valid = new(false)
	case a.UserError != "" && a.UserError != "VALID":
		return Answer{}, unavailable(a.UserError)
	case a.Valid == nil:
		return Answer{}, unavailable("no verdict")
	}
	if a.Name == "---" { // the state does not tell
		a.Name = ""
	}
	if a.Date.IsZero() {
		a.Date = time.Now().UTC()
	}
	return Answer{Valid: *a.Valid, Consultation: a.Identifier, Name: a.Name, At: a.Date}, nil
}

// mostAnswer is in bytes; an answer has some hundred.
const mostAnswer = 64 << 10

func (r *Register) post(ctx context.Context, q request) (a answer, err error) {
	body, err := json.Marshal(q)
	if err != nil {
		return a, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url+"/check-vat-number", bytes.NewReader(body))
	if err != nil {
		return a, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := r.client.Do(req)
	if err != nil {
		return a, unavailable("no answer")
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, mostAnswer))
	if err != nil || json.Unmarshal(text, &a) != nil || res.StatusCode >= 300 && len(a.Errors) == 0 {
		return a, unavailable(res.Status)
	}
	return a, nil
}

func unavailable(why string) error {
	return problem.New(problem.KindUnavailable, "vies_unavailable", "the register of VAT numbers (VIES) cannot answer now (%s): try again later", why)
}
