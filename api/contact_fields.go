package api

import (
	"context"

	"github.com/varsel/varsel/internal/secrets"
)

type contactFields struct {
	Fields map[string]string `json:"fields" doc:"By name: up to 40 small letters, digits and underscores, a letter first. A text says {{custom.NAME}} for one."`
}

func (s Services) readContactFields(ctx context.Context, in *oneContact) (*answer[contactFields], error) {
	id, err := s.Names.ID(secrets.Contact, in.ID)
	if err != nil {
		return nil, err
	}
	all, err := s.Book.Fields(ctx, accountOf(ctx), id)
	if err != nil {
		return nil, err
	}
	return &answer[contactFields]{Body: contactFields{all}}, nil
}

type newFields struct {
	Fields map[string]string `json:"fields" doc:"Those that change; an empty value forgets a field." example:"{\"badge\":\"A-117\"}"`
}

type setContactFields struct {
	ID   string `path:"id" doc:"con_..."`
	Body newFields
}

func (s Services) setContactFields(ctx context.Context, in *setContactFields) (*answer[contactFields], error) {
	id, err := s.Names.ID(secrets.Contact, in.ID)
	if err != nil {
		return nil, err
	}
	all, err := s.Book.SetFields(ctx, accountOf(ctx), id, in.Body.Fields)
	if err != nil {
		return nil, err
	}
	return &answer[contactFields]{Body: contactFields{all}}, nil
}
