package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/cards"
	"github.com/varsel/varsel/internal/secrets"
)

const (
	invitesPath    = "/v1/invites"
	inviteCodePath = invitesPath + "/{id}/code/{form}"
)

func (s Services) inviteRoutes(a huma.API) {
	const read, write = accounts.ScopeCardsRead, accounts.ScopeCardsWrite
	const one = invitesPath + "/{id}"
	add(a, route{"POST", invitesPath, "addInvite", write, "Make a short link and a QR code that lead to the page of an event or a sign-up", http.StatusCreated, true}, s.addInvite)
	add(a, route{"GET", invitesPath, "listInvites", read, "List invites, the newest first", http.StatusOK, false}, s.listInvites)
	add(a, route{"GET", one, "readInvite", read, "Read an invite", http.StatusOK, false}, s.readInvite)
	add(a, route{"POST", one + "/end", "endInvite", write, "Let an invite lead nowhere from now on", http.StatusOK, false}, s.endInvite)
	addFile(a, codeTypes(), route{"GET", inviteCodePath, "readInviteCode", read, "Read the QR code of an invite as a file", http.StatusOK, false}, s.readInviteCode)
}

type newInvite struct {
	Name     string    `json:"name" maxLength:"80" example:"Summer party"`
	Target   string    `json:"target" doc:"Where it leads, for good: an address with https." example:"https://www.example.no/party"`
	EndsAt   time.Time `json:"ends_at,omitzero" doc:"From then on it leads nowhere. Never, if it is not given."`
	Template string    `json:"template,omitempty" doc:"ctp_...: of cards, whose QR style the code has as it is now. A plain one, if it is not given." example:""`
}

type invite struct {
	ID        string    `json:"id" example:"ivt_0t3kzjv5m6n8q9x2w4y7b1c0df"`
	Name      string    `json:"name"`
	Target    string    `json:"target"`
	Link      string    `json:"link,omitempty" doc:"The short one, to be sent and printed. Missing when this installation has no public address." example:"https://varsel.example/i/7h2kx09qmz4bd8ra"`
	Over      bool      `json:"over" doc:"It leads nowhere any more: its address answers 410."`
	Template  string    `json:"template,omitempty" doc:"ctp_..."`
	Version   int64     `json:"version,omitempty" doc:"Of the template."`
	EndsAt    time.Time `json:"ends_at,omitzero"`
	EndedAt   time.Time `json:"ended_at,omitzero" doc:"By hand."`
	CreatedAt time.Time `json:"created_at"`
}

func (s Services) invite(i cards.Invite) invite {
	out := invite{ID: s.inviteName(i), Name: i.Name, Target: i.Target, Over: i.Over(time.Now()), Version: i.Version,
		EndsAt: at(i.Ends), EndedAt: at(i.Ended), CreatedAt: at(i.Created)}
	if s.PublicURL != "" {
		out.Link = cards.InviteAddress(s.PublicURL, i.Slug)
	}
	if i.Template != 0 {
		out.Template = s.Names.Of(secrets.CardTemplate, i.Template)
	}
	return out
}

func (s Services) inviteName(i cards.Invite) string { return s.Names.Of(secrets.Invite, i.ID) }

type addInvite struct {
	Once
	Body newInvite
}

func (s Services) addInvite(ctx context.Context, in *addInvite) (*made[invite], error) {
	b := in.Body
	n := cards.NewInvite{Name: b.Name, Target: b.Target, Ends: b.EndsAt}
	var err error
	if b.Template != "" {
		if n.Template, err = s.Names.ID(secrets.CardTemplate, b.Template); err != nil {
			return nil, err
		}
	}
	once := accounts.Once{Account: accountOf(ctx), Key: in.Key, Hash: requestHash("POST", invitesPath, b)}
	id, err := once.Do(ctx, s.Accounts, func(take accounts.Take) (int64, error) {
		n.Also = take
		i, err := s.Cards.AddInvite(ctx, accountOf(ctx), n, time.Now())
		return i.ID, err
	})
	if err != nil {
		return nil, err
	}
	i, err := s.Cards.Invite(ctx, accountOf(ctx), id)
	if err != nil {
		return nil, err
	}
	shown := s.invite(i)
	return &made[invite]{Location: invitesPath + "/" + shown.ID, Body: shown}, nil
}

type listInvites struct {
	Page
}

func (s Services) listInvites(ctx context.Context, in *listInvites) (*answer[list[invite]], error) {
	before, err := in.from(s.Names, secrets.Invite)
	if err != nil {
		return nil, err
	}
	rows, err := s.Cards.Invites(ctx, accountOf(ctx), before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return pageOf(rows, in.Limit, s.invite, s.inviteName), nil
}

type oneInvite struct {
	ID string `path:"id" doc:"ivt_..."`
}

func (s Services) readInvite(ctx context.Context, in *oneInvite) (*answer[invite], error) {
	i, err := s.inviteNamed(ctx, in.ID)
	return &answer[invite]{Body: s.invite(i)}, err
}

func (s Services) inviteNamed(ctx context.Context, name string) (cards.Invite, error) {
	id, err := s.Names.ID(secrets.Invite, name)
	if err != nil {
		return cards.Invite{}, err
	}
	return s.Cards.Invite(ctx, accountOf(ctx), id)
}

func (s Services) endInvite(ctx context.Context, in *oneInvite) (*answer[invite], error) {
	id, err := s.Names.ID(secrets.Invite, in.ID)
	if err != nil {
		return nil, err
	}
	i, err := s.Cards.EndInvite(ctx, accountOf(ctx), id, time.Now())
	return &answer[invite]{Body: s.invite(i)}, err
}

type inviteCode struct {
	ID   string `path:"id" doc:"ivt_..."`
	Form string `path:"form" enum:"png,svg,pdf" doc:"pdf is for printing."`
}

func codeTypes() (types []string) {
	for _, form := range cards.CodeForms {
		types = append(types, form.MediaType())
	}
	return types
}

type codeFile struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func (s Services) readInviteCode(ctx context.Context, in *inviteCode) (*codeFile, error) {
	i, err := s.inviteNamed(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	form := cards.CodeForm(in.Form)
	file, err := s.Cards.InviteCode(ctx, i, s.PublicURL, form, time.Now())
	return &codeFile{form.MediaType(), `attachment; filename="invite.` + in.Form + `"`, file}, err
}
