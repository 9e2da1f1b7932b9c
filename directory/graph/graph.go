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
	"slices"
	"strings"
	"time"

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

// The hosts of Microsoft's global cloud.
const (
	GlobalAuthority = "https://login.microsoftonline.com"
	GlobalGraphURL  = "https://graph.microsoft.com/v1.0"
)

// Config is one app in one tenant, and where to reach both.
type Config struct {
	Tenant, Client, Secret string

	Authority string // sign-in, https; GlobalAuthority when empty
	GraphURL  string // root of the API; GlobalGraphURL when empty

	// Transport makes the connections: http.DefaultTransport, with its
	// HTTPS_PROXY, NO_PROXY and SSL_CERT_FILE, when nil.
	Transport http.RoundTripper
}

// Cloud is where directories are read: Microsoft's global cloud for empty URLs.
func Cloud(authority, graphURL string, transport http.RoundTripper) directory.Cloud {
	return directory.Cloud{
		Hosts: orElse(authority, GlobalAuthority) + " " + orElse(graphURL, GlobalGraphURL),
		Open: func(c directory.Credentials) (directory.Source, error) {
			return Open(Config{c.Tenant, c.Client, c.Secret, authority, graphURL, transport})
		},
	}
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// source is one tenant's directory.
type source struct {
	root    *url.URL
	adapter kiota.RequestAdapter
}

// Open makes a reader of the tenant's directory. It asks nobody anything yet;
// each reader signs in anew, so that a permission just granted counts.
func Open(c Config) (directory.Source, error) {
	root, err := absolute(orElse(c.GraphURL, GlobalGraphURL))
	if err != nil {
		return nil, err
	}
	if root.Path = strings.TrimSuffix(root.Path, "/"); root.Path == "" {
		root.Path = "/v1.0"
	}
	authority, err := absolute(orElse(c.Authority, GlobalAuthority))
	if err != nil {
		return nil, err
	}
	guarded := guard{root, authority, c.Transport}
	if c.Transport == nil {
		guarded.next = http.DefaultTransport
	}
	auth, err := signIn(c, root, authority, guarded)
	if err != nil {
		return nil, err
	}
	adapter, err := khttp.NewNetHttpRequestAdapterWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		auth, kjson.NewJsonParseNodeFactory(), nil, client(retrying(guarded)))
	if err != nil {
		return nil, err
	}
	adapter.SetBaseUrl(root.String())
	return &source{root, adapter}, nil
}

func absolute(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%q is not an absolute URL", address)
	}
	return u, nil
}

// signIn gets tokens for the app itself. The valid hosts are named because
// requests to others would leave without a token, and without an error.
func signIn(c Config, root, authority *url.URL, transport http.RoundTripper) (*azureauth.AzureIdentityAuthenticationProvider, error) {
	var o azidentity.ClientSecretCredentialOptions
	o.Cloud.ActiveDirectoryAuthorityHost = authority.String()
	o.DisableInstanceDiscovery = c.Authority != ""
	o.Transport = client(transport)
	o.Retry.MaxRetries = 1
	credential, err := azidentity.NewClientSecretCredential(c.Tenant, c.Client, c.Secret, &o)
	if err != nil {
		return nil, fmt.Errorf("sign-in at %s: %w", authority.Host, err)
	}
	return azureauth.NewAzureIdentityAuthenticationProviderWithScopesAndValidHosts(credential, []string{scope(root)}, []string{root.Hostname()})
}

var nationalClouds = []string{"graph.microsoft.us", "dod-graph.microsoft.us", "microsoftgraph.chinacloudapi.cn"}

// scope is spelled out: left to itself the SDK asks for the host that it talks
// to, which for a private address is nothing that Entra knows (AADSTS500011).
func scope(root *url.URL) string {
	if slices.Contains(nationalClouds, root.Hostname()) {
		return "https://" + root.Hostname() + "/.default"
	}
	return "https://graph.microsoft.com/.default"
}

const (
	// requestTimeout is for one page, waits and second tries included.
	requestTimeout = 100 * time.Second

	// longestWait is how long a page waits for its turn when Graph asks for it;
	// what takes longer ends the run, and a later one goes on.
	longestWait = 10 * time.Second
)

func client(transport http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     transport,
		Timeout:       requestTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// retrying tries a page again, twice at most, when Graph is busy for a moment.
func retrying(transport http.RoundTripper) http.RoundTripper {
	again := khttp.NewRetryHandlerWithOptions(khttp.RetryHandlerOptions{
		MaxRetries:   2,
		DelaySeconds: 1,
		ShouldRetry: func(_ time.Duration, _ int, _ *http.Request, r *http.Response) bool {
			return retryAfter(r.Header, time.Now()) <= longestWait
		},
	})
	return onlyJSON{khttp.NewCustomTransportWithParentTransport(transport, again, khttp.NewParametersNameDecodingHandler())}
}

var (
	personSelect = append([]string{"id"}, directory.PersonFields...)
	groupSelect  = append([]string{"id", "members"}, directory.GroupFields...)
)

// asItIs keeps the SDK from rewriting a link, which only Graph understands.
var asItIs = []kiota.RequestOption{&khttp.ParametersNameDecodingOptions{Enable: false}}

func (s *source) People(ctx context.Context, link string) (directory.Page, error) {
	return s.page(ctx, asking{"the people", "User.Read.All"}, link, func() (*kiota.RequestInformation, error) {
		if link != "" {
			return users.NewDeltaRequestBuilder(link, s.adapter).ToGetRequestInformation(ctx, &users.DeltaRequestBuilderGetRequestConfiguration{Options: asItIs})
		}
		return s.users().Delta().ToGetRequestInformation(ctx, &users.DeltaRequestBuilderGetRequestConfiguration{
			QueryParameters: &users.DeltaRequestBuilderGetQueryParameters{Select: personSelect},
		})
	})
}

func (s *source) Groups(ctx context.Context, link string) (directory.Page, error) {
	return s.page(ctx, asking{"the groups", "Group.Read.All and GroupMember.Read.All"}, link, func() (*kiota.RequestInformation, error) {
		if link != "" {
			return groups.NewDeltaRequestBuilder(link, s.adapter).ToGetRequestInformation(ctx, &groups.DeltaRequestBuilderGetRequestConfiguration{Options: asItIs})
		}
		all := groups.NewGroupsRequestBuilderInternal(s.base(), s.adapter)
		return all.Delta().ToGetRequestInformation(ctx, &groups.DeltaRequestBuilderGetRequestConfiguration{
			QueryParameters: &groups.DeltaRequestBuilderGetQueryParameters{Select: groupSelect},
		})
	})
}

func (s *source) Person(ctx context.Context, id string) (directory.Item, error) {
	raw, err := s.get(ctx, asking{"a person", "User.Read.All"}, func() (*kiota.RequestInformation, error) {
		return s.users().ByUserId(id).ToGetRequestInformation(ctx, &users.UserItemRequestBuilderGetRequestConfiguration{
			QueryParameters: &users.UserItemRequestBuilderGetQueryParameters{Select: personSelect},
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

func (s *source) base() map[string]string { return map[string]string{"baseurl": s.root.String()} }

// asking is what a request is for, and which permission it needs.
type asking struct{ what, permission string }

func (s *source) page(ctx context.Context, a asking, link string, request func() (*kiota.RequestInformation, error)) (directory.Page, error) {
	if err := s.checkLink(link); err != nil {
		return directory.Page{}, err
	}
	raw, err := s.get(ctx, a, request)
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

func (s *source) get(ctx context.Context, a asking, request func() (*kiota.RequestInformation, error)) ([]byte, error) {
	info, err := request()
	if err != nil {
		return nil, fmt.Errorf("ask for %s: %w", a.what, err)
	}
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
