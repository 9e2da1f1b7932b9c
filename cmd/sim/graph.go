package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/varsel/varsel/internal/sim/graphsim"
)

// graphReady is the line printed when clients may come.
type graphReady struct {
	URL      string `json:"url"`
	GraphURL string `json:"graph_url"`
	Tenant   string `json:"tenant"`
	ClientID string `json:"client_id"`
	Secret   string `json:"secret"`
	CAFile   string `json:"ca_file"`
}

type graphConfig struct {
	options             graphsim.Options
	people              int
	groups, memberships int // instead of the example's own, when there are groups
	certificate         string
	caFile              string
}

// graph serves sign-in and Graph for the example organisation until ctx ends.
func graph(ctx context.Context, args []string, out, messages io.Writer) error {
	c, err := graphFlags(args, messages)
	if err != nil {
		return err
	}
	server, err := c.start()
	if err != nil {
		return err
	}
	return errors.Join(serveGraph(ctx, server, c.caFile, out), server.Close())
}

// start lets the example go when the server has taken it in.
func (c graphConfig) start() (*graphsim.Server, error) {
	c.options.Org = c.org()
	if c.certificate != "" {
		pem, err := os.ReadFile(c.certificate)
		if err != nil {
			return nil, fmt.Errorf("--certificate: %w", err)
		}
		c.options.Certificates = [][]byte{pem}
	}
	return graphsim.Start(c.options)
}

func (c graphConfig) org() graphsim.Org {
	if c.groups > 0 {
		return graphsim.Large(c.people, c.groups, c.memberships)
	}
	return graphsim.Example(c.people)
}

func graphFlags(args []string, messages io.Writer) (c graphConfig, err error) {
	flags := flag.NewFlagSet("graph", flag.ContinueOnError)
	flags.StringVar(&c.options.Addr, "listen", "127.0.0.1:8443", "loopback `address`")
	flags.IntVar(&c.people, "people", 500, "size of the example organisation, 0 to 200000")
	flags.IntVar(&c.groups, "groups", 0, "put them into so many plain groups instead of the example's own")
	flags.IntVar(&c.memberships, "memberships", 0, "in those groups, all together")
	flags.IntVar(&c.options.PageSize, "page-size", 0, "items on a delta page, 200 when 0")
	flags.BoolVar(&c.options.EnforceLimits, "enforce-limits", false, "throttle at Microsoft's documented limits")
	flags.StringVar(&c.certificate, "certificate", "", "`file` with a public certificate that the app may sign in with")
	flags.StringVar(&c.caFile, "ca-file", "graph-ca.pem", "`file` to write the authority's certificate to, for clients to trust")
	flags.StringVar(&c.options.TenantID, "tenant", graphsim.DefaultTenantID, "directory (tenant) `id`")
	flags.StringVar(&c.options.ClientID, "client-id", graphsim.DefaultClientID, "application (client) `id`")
	flags.StringVar(&c.options.Secret, "secret", graphsim.DefaultSecret, "client secret `value`")
	if err := parse(flags, args, messages); err != nil {
		return c, err
	}
	if c.people < 0 || c.people > graphsim.MaxExample {
		return c, fmt.Errorf("--people %d: 0 to %d", c.people, graphsim.MaxExample)
	}
	if c.groups < 0 || c.memberships < 0 || c.memberships > c.groups*c.people {
		return c, fmt.Errorf("--memberships %d: 0 to %d", c.memberships, max(c.groups*c.people, 0))
	}
	return c, nil
}

func serveGraph(ctx context.Context, server *graphsim.Server, caFile string, out io.Writer) error {
	if err := os.WriteFile(caFile, server.CAPEM(), 0o644); err != nil {
		return fmt.Errorf("--ca-file: %w", err)
	}
	err := json.NewEncoder(out).Encode(graphReady{
		URL: server.URL(), GraphURL: server.GraphURL(), Tenant: server.TenantID(), ClientID: server.ClientID(), Secret: server.Secret(), CAFile: caFile,
	})
	if err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}
