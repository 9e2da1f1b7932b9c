package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/varsel/varsel/accounts"
	"github.com/varsel/varsel/internal/secrets"
)

const (
	subProcessorsPath     = "/v1/sub-processors"
	subProcessorsDeskPath = installationPath + "/sub-processors"
)

func (s Services) subProcessorRoutes(a huma.API) {
	const read, write, may = accounts.ScopeSubProcessorsRead, accounts.ScopeSubProcessorsWrite, accounts.ScopeInstallation
	add(a, route{"GET", subProcessorsPath, "listSubProcessors", read, "List who else processes the account's data, by name", http.StatusOK, false}, s.listSubProcessors)
	add(a, route{"GET", subProcessorsPath + "/notices", "listNotices", read, "List what was announced about them, the newest first; to ask is kept as proof of notice", http.StatusOK, false}, s.listNotices)
	add(a, route{"GET", subProcessorsPath + "/objections", "listObjections", read, "List the account's objections, the newest first", http.StatusOK, false}, s.listObjections)
	add(a, route{"POST", subProcessorsPath + "/notices/{notice}/objections", "object", write, "Object to a notice before its day", http.StatusCreated, false}, s.object)
	add(a, route{"POST", subProcessorsPath + "/objections/{id}/retract", "retractObjection", write, "Take an open objection back", http.StatusOK, false}, s.retractObjection)

	add(a, route{"GET", subProcessorsDeskPath, "listInstallationSubProcessors", may, "List the sub-processors, by name", http.StatusOK, false}, s.listInstallationSubProcessors)
	add(a, route{"GET", subProcessorsDeskPath + "/notices", "listInstallationNotices", may, "List what was announced, the newest first", http.StatusOK, false}, s.listInstallationNotices)
	add(a, route{"POST", subProcessorsDeskPath + "/notices", "announceNotice", may, "Announce a change of the list to all accounts", http.StatusCreated, false}, s.announceNotice)
	add(a, route{"POST", subProcessorsDeskPath + "/notices/{notice}/withdraw", "withdrawNotice", may, "Take a notice back before its day; that is a notice too, and answers open objections", http.StatusCreated, false}, s.withdrawNotice)
	add(a, route{"GET", subProcessorsDeskPath + "/notices/{notice}/evidence", "listNoticeEvidence", may, "List how each account came to know of a notice, the oldest account first", http.StatusOK, false}, s.listNoticeEvidence)
	add(a, route{"GET", subProcessorsDeskPath + "/objections", "listInstallationObjections", may, "List the objections of all accounts, the newest first", http.StatusOK, false}, s.listInstallationObjections)
	add(a, route{"POST", subProcessorsDeskPath + "/objections/{id}/resolve", "resolveObjection", may, "Answer an objection", http.StatusOK, false}, s.resolveObjection)
	add(a, route{"GET", subProcessorsDeskPath + "/carriers", "listCoverage", may, "List the carriers in use and which sub-processor runs each", http.StatusOK, false}, s.listCoverage)
	add(a, route{"POST", subProcessorsDeskPath + "/carriers/{name}", "coverCarrier", may, "Say which sub-processor runs a carrier", http.StatusNoContent, false}, s.coverCarrier)
}

type subProcessor struct {
	ID       string     `json:"id" example:"spr_0t3kzjv5m6n8q9x2w4y7b1c0df"`
	Name     string     `json:"name" doc:"Legal name." example:"Nordtele AS"`
	Address  string     `json:"address"`
	Contact  string     `json:"contact" doc:"A person or office, and how they are reached."`
	Service  string     `json:"service" doc:"What it does."`
	Data     string     `json:"data" doc:"Which personal data it has."`
	Country  string     `json:"country" doc:"Where it processes: ISO 3166 alpha-2." example:"NO"`
	Transfer string     `json:"transfer,omitempty" doc:"What allows a transfer outside the EEA."`
	Parent   string     `json:"parent,omitempty" doc:"The sub-processor that engages it; missing where we do."`
	Since    *time.Time `json:"since,omitempty" doc:"When it came on the list."`
	Excluded bool       `json:"excluded,omitempty" doc:"It is not engaged for this account."`
}

func (s Services) subProcessor(p accounts.SubProcessor) subProcessor {
	out := subProcessor{ID: s.Names.Of(secrets.SubProcessor, p.ID), Name: p.Name, Address: p.Address, Contact: p.Contact, Service: p.Service,
		Data: p.Data, Country: p.Country, Transfer: p.Transfer, Excluded: p.Excluded}
	if p.Parent != 0 {
		out.Parent = s.Names.Of(secrets.SubProcessor, p.Parent)
	}
	if !p.Since.IsZero() {
		out.Since = new(at(p.Since))
	}
	return out
}

type listSubProcessors struct {
	At time.Time `query:"at" doc:"The list at this time; without it, now."`
}

func (l listSubProcessors) time() time.Time {
	if l.At.IsZero() {
		return time.Now()
	}
	return l.At
}

func (s Services) listSubProcessors(ctx context.Context, in *listSubProcessors) (*answer[whole[subProcessor]], error) {
	all, err := s.Accounts.SubProcessorsFor(ctx, accountOf(ctx), in.time())
	if err != nil {
		return nil, err
	}
	return wholeOf(all, s.subProcessor), nil
}

func (s Services) listInstallationSubProcessors(ctx context.Context, in *listSubProcessors) (*answer[whole[subProcessor]], error) {
	all, err := s.Accounts.SubProcessorsAt(ctx, in.time())
	if err != nil {
		return nil, err
	}
	return wholeOf(all, s.subProcessor), nil
}

type notice struct {
	Notice       int64        `json:"notice" doc:"The version of the list that it makes: from 1 without gaps."`
	Kind         string       `json:"kind" enum:"add,change,remove,withdraw"`
	SubProcessor subProcessor `json:"sub_processor" doc:"As it will be; of a removal, as it was last."`
	Withdraws    int64        `json:"withdraws,omitempty" doc:"The notice that this one takes back."`
	WithdrawnBy  int64        `json:"withdrawn_by,omitempty" doc:"The notice that took this one back."`
	Reason       string       `json:"reason,omitempty" doc:"Why it was announced late or withdrawn."`
	AnnouncedAt  time.Time    `json:"announced_at"`
	EffectiveAt  time.Time    `json:"effective_at" doc:"Until then accounts may object."`
}

func (s Services) notice(n accounts.SubProcessorNotice) notice {
	return notice{n.Version, n.Kind, s.subProcessor(n.SubProcessor), n.Withdraws, n.WithdrawnBy, n.Reason, at(n.Announced), at(n.Effective)}
}

func (s Services) listNotices(ctx context.Context, in *struct{}) (*answer[whole[notice]], error) {
	if err := s.Accounts.Noticed(ctx, accountOf(ctx), accounts.NoticeRead, ctx.Value(caller{}).(accounts.Key).ID); err != nil {
		return nil, err
	}
	return s.listInstallationNotices(ctx, in)
}

func (s Services) listInstallationNotices(ctx context.Context, _ *struct{}) (*answer[whole[notice]], error) {
	all, err := s.Accounts.SubProcessorNotices(ctx)
	if err != nil {
		return nil, err
	}
	return wholeOf(all, s.notice), nil
}

type newNotice struct {
	Kind         string     `json:"kind" enum:"add,change,remove"`
	SubProcessor string     `json:"sub_processor,omitempty" doc:"Whom it is about, to change or remove."`
	Name         string     `json:"name,omitempty" doc:"This and all that follows is the whole wording; a removal needs none."`
	Address      string     `json:"address,omitempty"`
	Contact      string     `json:"contact,omitempty"`
	Service      string     `json:"service,omitempty"`
	Data         string     `json:"data,omitempty"`
	Country      string     `json:"country,omitempty"`
	Transfer     string     `json:"transfer,omitempty" doc:"Needed outside the EEA."`
	Parent       string     `json:"parent,omitempty" doc:"The sub-processor that engages it; missing, we do."`
	EffectiveAt  *time.Time `json:"effective_at,omitempty" doc:"A day in UTC; today is at once. Missing, the first that leaves 30 days."`
	Reason       string     `json:"reason,omitempty" doc:"Why it is not announced 30 days before; a removal needs none."`
}

type announceNotice struct {
	Body newNotice
}

func (s Services) announceNotice(ctx context.Context, in *announceNotice) (*answer[notice], error) {
	b := in.Body
	n := accounts.NewNotice{Kind: b.Kind, Reason: b.Reason, SubProcessor: accounts.SubProcessor{Name: b.Name, Address: b.Address, Contact: b.Contact,
		Service: b.Service, Data: b.Data, Country: b.Country, Transfer: b.Transfer}}
	if b.EffectiveAt != nil {
		n.Effective = *b.EffectiveAt
	}
	for name, id := range map[string]*int64{b.SubProcessor: &n.SubProcessor.ID, b.Parent: &n.SubProcessor.Parent} {
		if name == "" {
			continue
		}
		var err error
		if *id, err = s.Names.ID(secrets.SubProcessor, name); err != nil {
			return nil, err
		}
	}
	made, err := s.Accounts.Announce(ctx, n)
	if err != nil {
		return nil, err
	}
	return &answer[notice]{Body: s.notice(made)}, nil
}

// OneNotice is a path with a notice.
type OneNotice struct {
	Notice int64 `path:"notice" doc:"Its number." example:"3"`
}

type newReason struct {
	Reason string `json:"reason" maxLength:"2000" doc:"Why."`
}

type withdrawNotice struct {
	OneNotice
	Body newReason
}

func (s Services) withdrawNotice(ctx context.Context, in *withdrawNotice) (*answer[notice], error) {
	n, err := s.Accounts.WithdrawNotice(ctx, in.Notice, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return &answer[notice]{Body: s.notice(n)}, nil
}

type noticeEvidence struct {
	Account     string        `json:"account" example:"acme"`
	AvailableAt *time.Time    `json:"available_at,omitempty" doc:"Since when the account could read it."`
	Known       []noticeKnown `json:"known"`
	Mails       []noticeMail  `json:"mails"`
}

type noticeKnown struct {
	How string    `json:"how" enum:"viewed,read,fetched" doc:"viewed: a user looked at the page. read: a key listed notices. fetched: somebody fetched the account's feed."`
	Who string    `json:"who,omitempty" doc:"The user or key."`
	At  time.Time `json:"at"`
}

type noticeMail struct {
	User  string     `json:"user"`
	State string     `json:"state" enum:"waiting,sending,sent,unconfirmed,failed" doc:"unconfirmed: the relay may have taken it."`
	At    *time.Time `json:"at,omitempty"`
}

func (s Services) noticeEvidence(e accounts.NoticeEvidence) noticeEvidence {
	out := noticeEvidence{Account: e.Handle, Known: []noticeKnown{}, Mails: []noticeMail{}}
	if !e.Available.IsZero() {
		out.AvailableAt = new(at(e.Available))
	}
	for _, k := range e.Known {
		one := noticeKnown{How: k.How, At: at(k.At)}
		switch k.How {
		case accounts.NoticeViewed:
			one.Who = s.Names.Of(secrets.User, k.Who)
		case accounts.NoticeRead:
			one.Who = s.Names.Of(secrets.Key, k.Who)
		}
		out.Known = append(out.Known, one)
	}
	for _, m := range e.Mails {
		one := noticeMail{User: s.Names.Of(secrets.User, m.User), State: m.State}
		if !m.At.IsZero() {
			one.At = new(at(m.At))
		}
		out.Mails = append(out.Mails, one)
	}
	return out
}

type listNoticeEvidence struct {
	OneNotice
	Page
}

func (s Services) listNoticeEvidence(ctx context.Context, in *listNoticeEvidence) (*answer[list[noticeEvidence]], error) {
	after, err := in.from(s.Names, secrets.Account)
	if err != nil {
		return nil, err
	}
	rows, err := s.Accounts.Evidence(ctx, in.Notice, after, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return pageOf(rows, in.Limit, s.noticeEvidence, func(e accounts.NoticeEvidence) string { return s.Names.Of(secrets.Account, e.Account) }), nil
}

type objection struct {
	ID      string     `json:"id" example:"obj_0t3kzjv5m6n8q9x2w4y7b1c0df"`
	Notice  int64      `json:"notice"`
	Reason  string     `json:"reason"`
	State   string     `json:"state" enum:"open,retracted,not_engaged,terminated,withdrawn" doc:"not_engaged: the sub-processor is not engaged for this account. terminated: the agreement ends. withdrawn: the notice was taken back."`
	Answer  string     `json:"answer,omitempty" doc:"Of the operators."`
	MadeAt  time.Time  `json:"made_at"`
	EndedAt *time.Time `json:"ended_at,omitempty"`
}

func (s Services) objection(o accounts.Objection) objection {
	out := objection{ID: s.Names.Of(secrets.Objection, o.ID), Notice: o.Notice, Reason: o.Reason, State: o.State, Answer: o.Answer, MadeAt: at(o.Made)}
	if !o.Ended.IsZero() {
		out.EndedAt = new(at(o.Ended))
	}
	return out
}

func (s Services) listObjections(ctx context.Context, _ *struct{}) (*answer[whole[objection]], error) {
	all, err := s.Accounts.Objections(ctx, accountOf(ctx))
	if err != nil {
		return nil, err
	}
	return wholeOf(all, s.objection), nil
}

type object struct {
	OneNotice
	Body newReason
}

func (s Services) object(ctx context.Context, in *object) (*answer[objection], error) {
	o, err := s.Accounts.Object(ctx, accountOf(ctx), in.Notice, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return &answer[objection]{Body: s.objection(o)}, nil
}

// OneObjection is a path with an objection.
type OneObjection struct {
	ID string `path:"id"`
}

func (s Services) retractObjection(ctx context.Context, in *OneObjection) (*answer[objection], error) {
	id, err := s.Names.ID(secrets.Objection, in.ID)
	if err != nil {
		return nil, err
	}
	o, err := s.Accounts.Retract(ctx, accountOf(ctx), id)
	if err != nil {
		return nil, err
	}
	return &answer[objection]{Body: s.objection(o)}, nil
}

type accountObjection struct {
	Account string `json:"account" example:"acme"`
	objection
}

func (s Services) accountObjection(ctx context.Context, o accounts.Objection) (accountObjection, error) {
	acc, err := s.Accounts.ByID(ctx, o.Account)
	return accountObjection{acc.Handle, s.objection(o)}, err
}

func (s Services) listInstallationObjections(ctx context.Context, _ *struct{}) (*answer[whole[accountObjection]], error) {
	all, err := s.Accounts.Objections(ctx, 0)
	if err != nil {
		return nil, err
	}
	out := &answer[whole[accountObjection]]{Body: whole[accountObjection]{Items: []accountObjection{}}}
	for _, o := range all {
		one, err := s.accountObjection(ctx, o)
		if err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, one)
	}
	return out, nil
}

type newAnswer struct {
	Outcome string `json:"outcome" enum:"not_engaged,terminated,withdrawn" doc:"withdrawn takes the notice back, for everybody."`
	Answer  string `json:"answer" maxLength:"2000" doc:"What the account is told."`
}

type resolveObjection struct {
	OneObjection
	Body newAnswer
}

func (s Services) resolveObjection(ctx context.Context, in *resolveObjection) (*answer[accountObjection], error) {
	id, err := s.Names.ID(secrets.Objection, in.ID)
	if err != nil {
		return nil, err
	}
	o, err := s.Accounts.Resolve(ctx, id, in.Body.Outcome, in.Body.Answer)
	if err != nil {
		return nil, err
	}
	one, err := s.accountObjection(ctx, o)
	if err != nil {
		return nil, err
	}
	return &answer[accountObjection]{Body: one}, nil
}

type coverage struct {
	Carrier      string `json:"carrier" example:"main"`
	SubProcessor string `json:"sub_processor,omitempty" doc:"Who runs it; missing where nobody was named."`
	Covered      bool   `json:"covered" doc:"It is on the list now."`
}

func (s Services) coverage(c accounts.Coverage) coverage {
	out := coverage{Carrier: c.Carrier, Covered: c.Covered}
	if c.SubProcessor != 0 {
		out.SubProcessor = s.Names.Of(secrets.SubProcessor, c.SubProcessor)
	}
	return out
}

func (s Services) listCoverage(ctx context.Context, _ *struct{}) (*answer[whole[coverage]], error) {
	all, err := s.Accounts.Coverage(ctx)
	if err != nil {
		return nil, err
	}
	return wholeOf(all, s.coverage), nil
}

type newCoverage struct {
	SubProcessor string `json:"sub_processor" doc:"Who runs the carrier."`
}

type coverCarrier struct {
	Name string `path:"name" doc:"The carrier's."`
	Body newCoverage
}

func (s Services) coverCarrier(ctx context.Context, in *coverCarrier) (*struct{}, error) {
	id, err := s.Names.ID(secrets.SubProcessor, in.Body.SubProcessor)
	if err != nil {
		return nil, err
	}
	return nil, s.Accounts.CoverCarrier(ctx, in.Name, id)
}
