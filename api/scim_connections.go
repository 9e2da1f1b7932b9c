package api

import (
	"cmp"
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"

	"github.com/varsel/varsel/directory"
	"github.com/varsel/varsel/internal/secrets"
)

const scimConnectionsPath = "/v1/directory/scim-connections"

// token lets a directory write. Its secret is only in the answer that makes it.
type token struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Secret    string    `json:"secret,omitempty" doc:"What the directory sends as Authorization: Bearer. It is shown this once." example:"vscim_..."`
	CreatedAt time.Time `json:"created_at"`
	UsedAt    time.Time `json:"used_at,omitzero" doc:"When the directory last came with it, to the minute."`
	RevokedAt time.Time `json:"revoked_at,omitzero"`
}

func (s Services) token(t directory.SCIMToken) token {
	return token{ID: s.Names.Of(secrets.Token, t.ID), Name: t.Name, CreatedAt: at(t.Created), UsedAt: at(t.Used), RevokedAt: at(t.Revoked)}
}

type newToken struct {
	Name string `json:"name" minLength:"1" maxLength:"100" doc:"By which to tell the token from others." example:"Entra, production"`
}

type connectSCIM struct {
	address
	Body newToken
}

// address is where the request was sent to.
type address struct{ url string }

func (a *address) Resolve(ctx huma.Context) []error {
	a.url = humafiber.Unwrap(ctx).BaseURL()
	return nil
}

type scimConnection struct {
	Connection connection `json:"connection"`
	TenantURL  string     `json:"tenant_url" doc:"What Entra asks for under this name." example:"https://sms.acme.example/scim/v2"`
	Token      token      `json:"token"`
}

func (s Services) connectSCIM(ctx context.Context, in *connectSCIM) (*made[scimConnection], error) {
	c, secret, err := s.Directory.ConnectSCIM(ctx, accountOf(ctx), in.Body.Name)
	if err != nil {
		return nil, err
	}
	tokens, err := s.Directory.SCIMTokens(ctx, c.Account, c.ID)
	if err != nil {
		return nil, err
	}
	out := scimConnection{Connection: s.connection(c), TenantURL: cmp.Or(s.PublicURL, in.url) + scimPath, Token: s.token(tokens[0])}
	out.Token.Secret = secret
	return &made[scimConnection]{Location: connectionsPath + "/" + out.Connection.ID, Body: out}, nil
}

// A connection has a handful of tokens, so they are one page.
func (s Services) listTokens(ctx context.Context, in *OneConnection) (*answer[list[token]], error) {
	c, err := s.found(ctx, *in)
	if err != nil {
		return nil, err
	}
	rows, err := s.Directory.SCIMTokens(ctx, c.Account, c.ID)
	if err != nil {
		return nil, err
	}
	all := list[token]{Items: []token{}}
	for _, t := range rows {
		all.Items = append(all.Items, s.token(t))
	}
	return &answer[list[token]]{Body: all}, nil
}

type addToken struct {
	OneConnection
	Body newToken
}

func (s Services) addToken(ctx context.Context, in *addToken) (*made[token], error) {
	c, err := s.found(ctx, in.OneConnection)
	if err != nil {
		return nil, err
	}
	t, secret, err := s.Directory.NewSCIMToken(ctx, c.Account, c.ID, in.Body.Name)
	if err != nil {
		return nil, err
	}
	out := s.token(t)
	out.Secret = secret
	return &made[token]{Location: connectionsPath + "/" + in.ID + "/tokens", Body: out}, nil
}

type oneToken struct {
	OneConnection
	Token string `path:"token" doc:"tok_..."`
}

func (s Services) revokeToken(ctx context.Context, in *oneToken) (*struct{}, error) {
	c, err := s.found(ctx, in.OneConnection)
	if err != nil {
		return nil, err
	}
	id, err := s.Names.ID(secrets.Token, in.Token)
	if err != nil {
		return nil, err
	}
	return nil, s.Directory.RevokeSCIMToken(ctx, c.Account, c.ID, id)
}
