// Package graph reads Microsoft Entra ID through Microsoft Graph. It is the only
// package that imports msgraph-sdk-go, whose compile takes minutes and gigabytes.
//
// The SDK signs in, builds the requests, retries and types the errors; the pages
// are decoded here, because the SDK's own decoding loses nulls and so cannot tell
// a cleared number from an unchanged one.
package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	kiota "github.com/microsoft/kiota-abstractions-go"
	azureauth "github.com/microsoft/kiota-authentication-azure-go"
	khttp "github.com/microsoft/kiota-http-go"
	kjson "github.com/microsoft/kiota-serialization-json-go"
	"github.com/microsoftgraph/msgraph-sdk-go/groups"
	"github.com/microsoftgraph/msgraph-sdk-go/models/odataerrors"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/varsel/varsel/directory"
)

// Config is one app in one tenant, and where to reach both.
type Config struct {
	directory.Access
	Cloud string // a name of directory's; the global one when empty

	Authority string // sign-in, https, in place of the cloud's
	GraphURL  string // root of the API, in place of the cloud's

	// Transport makes the connections: http.DefaultTransport, with its
	// HTTPS_PROXY, NO_PROXY and SSL_CERT_FILE, when nil.
	Transport http.RoundTripper
}

// hosts are a cloud's, from Microsoft's table of national deployments.
type hosts struct{ authority, graph string }

var clouds = map[string]hosts{
	directory.GlobalCloud: {"https://login.microsoftonline.com", "https://graph.microsoft.com"},
	directory.USGovCloud:  {"https://login.microsoftonline.us", "https://graph.microsoft.us"},
	directory.DoDCloud:    {"https://login.microsoftonline.us", "https://dod-graph.microsoft.us"},
	directory.ChinaCloud:  {"https://login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn"},
}

// Clouds are Microsoft's, or one and the same private one for URLs that are not
// empty.
func Clouds(authority, graphURL string, transport http.RoundTripper) directory.Clouds {
	all := directory.Clouds{}
	for name, h := range clouds {
		config := func(a directory.Access) Config { return Config{a, name, authority, graphURL, transport} }
		all[name] = directory.Cloud{
			Hosts:     orElse(authority, h.authority) + " " + orElse(graphURL, h.graph),
			Open:      func(a directory.Access) (directory.Source, error) { return Open(config(a)) },
			Subscribe: func(a directory.Access) (directory.Subscriber, error) { return Subscribe(config(a)) },
			SignInAt:  func(v directory.Visit) string { return signInAt(config(directory.Access{}), v) },
			ConsentAt: func(v directory.Visit) string { return consentAt(config(directory.Access{}), v) },
			WhoIs: func(ctx context.Context, v directory.Visit, code string) (directory.Visitor, error) {
				return whoIs(ctx, config(directory.Access{}), v, code)
			},
			Check: func(ctx context.Context, a directory.Access) []directory.Finding { return Check(ctx, config(a)) },
		}
	}
	return all
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// source is one tenant's directory.
type source struct {
	root       *url.URL
	adapter    kiota.RequestAdapter
	credential azcore.TokenCredential
	scope      string
	access     directory.Access
}

// Open makes a reader of the tenant's directory. It asks nobody anything yet;
// each reader signs in anew, so that a permission just granted counts.
func Open(c Config) (directory.Source, error) { return open(c, readOnly) }

func open(c Config, m mode) (*source, error) {
	h := c.hosts()
	root, err := absolute(orElse(c.GraphURL, h.graph))
	if err != nil {
		return nil, err
	}
	if root.Path = strings.TrimSuffix(root.Path, "/"); root.Path == "" {
		root.Path = "/v1.0"
	}
	authority, err := absolute(orElse(c.Authority, h.authority))
	if err != nil {
		return nil, err
	}
	guarded := guard{m, root, authority, c.transport(), c.Told}
	s := &source{root: root, scope: scope(root, h), access: c.Access}
	if s.credential, err = signIn(c, authority, guarded); err != nil {
		return nil, err
	}
	// The valid host is named because requests to others would leave without a
	// token, and without an error.
	auth, err := azureauth.NewAzureIdentityAuthenticationProviderWithScopesAndValidHosts(s.credential, []string{s.scope}, []string{root.Hostname()})
	if err != nil {
		return nil, err
	}
	adapter, err := khttp.NewNetHttpRequestAdapterWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		auth, kjson.NewJsonParseNodeFactory(), nil, client(plainNames(guarded)))
	if err != nil {
		return nil, err
	}
	adapter.SetBaseUrl(root.String())
	s.adapter = adapter
	return s, nil
}

func (c Config) hosts() hosts { return clouds[orElse(c.Cloud, directory.GlobalCloud)] }

func (c Config) transport() http.RoundTripper {
	if c.Transport == nil {
		return http.DefaultTransport
	}
	return c.Transport
}

func absolute(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%q is not an absolute URL", address)
	}
	return u, nil
}

// signIn gets tokens for the app itself.
func signIn(c Config, authority *url.URL, transport http.RoundTripper) (azcore.TokenCredential, error) {
	var o azcore.ClientOptions
	o.Cloud.ActiveDirectoryAuthorityHost = authority.String()
	o.Transport = client(transport)
	o.Retry.MaxRetries = -1 // who asks decides when to ask again
	private := c.Authority != ""
	if c.Certificate == "" {
		credential, err := azidentity.NewClientSecretCredential(c.Tenant, c.Client, c.Secret,
			&azidentity.ClientSecretCredentialOptions{ClientOptions: o, DisableInstanceDiscovery: private})
		if err != nil {
			return nil, fmt.Errorf("sign-in at %s: %w", authority.Host, err)
		}
		return credential, nil
	}
	certificates, key, err := azidentity.ParseCertificates([]byte(c.Certificate), nil)
	if err != nil {
		return nil, errCertificate
	}
	credential, err := azidentity.NewClientCertificateCredential(c.Tenant, c.Client, certificates, key,
		&azidentity.ClientCertificateCredentialOptions{ClientOptions: o, DisableInstanceDiscovery: private})
	if err != nil {
		return nil, errCertificate
	}
	return credential, nil
}

// scope is spelled out: left to itself the SDK asks for the host that it talks
// to, which for a private address is nothing that Entra knows (AADSTS500011).
func scope(root *url.URL, named hosts) string {
	for _, h := range clouds {
		if h.graph == "https://"+root.Hostname() {
			return h.graph + "/.default"
		}
	}
	return named.graph + "/.default"
}

// requestTimeout is for one page.
const requestTimeout = 100 * time.Second

func client(transport http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     transport,
		Timeout:       requestTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// plainNames sends $select as it is written. Nothing is tried again here: a wait
// is for the queue.
func plainNames(transport http.RoundTripper) http.RoundTripper {
	return onlyJSON{khttp.NewCustomTransportWithParentTransport(transport, khttp.NewParametersNameDecodingHandler())}
}

var groupSelect = append([]string{"id", "members"}, directory.GroupFields...)

func (s *source) personSelect() []string { return append([]string{"id"}, s.access.PersonFields...) }

// asItIs keeps the SDK from rewriting a link, which only Graph understands.
var asItIs = []kiota.RequestOption{&khttp.ParametersNameDecodingOptions{Enable: false}}

func (s *source) People(ctx context.Context, link string) (directory.Page, error) {
	return s.page(ctx, askingPeople, link, func() (*kiota.RequestInformation, error) {
		if link != "" {
			return users.NewDeltaRequestBuilder(link, s.adapter).ToGetRequestInformation(ctx, &users.DeltaRequestBuilderGetRequestConfiguration{Options: asItIs})
		}
		return s.users().Delta().ToGetRequestInformation(ctx, &users.DeltaRequestBuilderGetRequestConfiguration{
			QueryParameters: &users.DeltaRequestBuilderGetQueryParameters{Select: s.personSelect()},
		})
	})
}

func (s *source) Groups(ctx context.Context, link string) (directory.Page, error) {
	return s.page(ctx, askingGroups, link, func() (*kiota.RequestInformation, error) {
		if link != "" {
			return groups.NewDeltaRequestBuilder(link, s.adapter).ToGetRequestInformation(ctx, &groups.DeltaRequestBuilderGetRequestConfiguration{Options: asItIs})
		}
		return s.groups().Delta().ToGetRequestInformation(ctx, &groups.DeltaRequestBuilderGetRequestConfiguration{
			QueryParameters: &groups.DeltaRequestBuilderGetQueryParameters{Select: groupSelect},
		})
	})
}

func (s *source) Person(ctx context.Context, id string) (directory.Item, error) {
	raw, err := s.ask(ctx, askingPeople, func() (*kiota.RequestInformation, error) {
		return s.users().ByUserId(id).ToGetRequestInformation(ctx, &users.UserItemRequestBuilderGetRequestConfiguration{
			QueryParameters: &users.UserItemRequestBuilderGetQueryParameters{Select: s.personSelect()},
		})
	})
	if errors.Is(err, errNotFound) {
		return directory.Item{ID: id, Removed: true}, nil
	}
	if err != nil {
		return directory.Item{}, err
	}
	return readItem(raw)
}

func (s *source) users() *users.UsersRequestBuilder {
	return users.NewUsersRequestBuilderInternal(s.base(), s.adapter)
}

func (s *source) groups() *groups.GroupsRequestBuilder {
	return groups.NewGroupsRequestBuilderInternal(s.base(), s.adapter)
}

func (s *source) base() map[string]string { return map[string]string{"baseurl": s.root.String()} }

// asking is what a request is for, and which permission it needs.
type asking struct{ what, permission string }

var (
	askingPeople  = asking{"the people", "User.Read.All"}
	askingGroups  = asking{"the groups", "Group.Read.All and GroupMember.Read.All"}
	askingMembers = asking{"who is in the groups", "GroupMember.Read.All"}
)

func (s *source) page(ctx context.Context, a asking, link string, request func() (*kiota.RequestInformation, error)) (directory.Page, error) {
	if err := s.checkLink(link); err != nil {
		return directory.Page{}, err
	}
	raw, err := s.ask(ctx, a, request)
	if err != nil {
		return directory.Page{}, err
	}
	page, err := readPage(raw)
	if err != nil {
		return page, err
	}
	return page, errors.Join(s.checkLink(page.Next), s.checkLink(page.Delta))
}

// checkLink refuses a link that leads elsewhere: following it would hand our
// token to whoever is there.
func (s *source) checkLink(link string) error {
	if link == "" {
		return nil
	}
	u, err := url.Parse(link)
	if err != nil || !sameOrigin(u, s.root) || !strings.HasPrefix(u.Path, s.root.Path+"/") {
		return errElsewhere
	}
	return nil
}

func (s *source) ask(ctx context.Context, a asking, request func() (*kiota.RequestInformation, error)) ([]byte, error) {
	info, err := request()
	if err != nil {
		return nil, fmt.Errorf("ask for %s: %w", a.what, err)
	}
	// Reading in the background stands back when the tenant's budget is short.
	info.Headers.TryAdd("x-ms-throttle-priority", priority(s.access.Urgent))
	ctx, broken := watched(ctx)
	raw, err := s.adapter.SendPrimitive(ctx, info, "[]byte", kiota.ErrorMappings{
		"XXX": odataerrors.CreateODataErrorFromDiscriminatorValue,
	})
	if err != nil {
		return nil, explain(a, err, *broken)
	}
	body, _ := raw.([]byte)
	return body, nil
}

func priority(urgent bool) string {
	if urgent {
		return "high"
	}
	return "low"
}
