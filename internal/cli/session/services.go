// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"encoding/base64"
	"os"

	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/cli/contexts"
	"github.com/bowline-cd/bowline/internal/fault"
)

// portForwarded is what stands for an address in contexts of Argo CD's command line that reach a server through the cluster.
const portForwarded = "port-forward"

// Services returns what can be asked: of the server, if one was chosen (see Remote); else of this process, straight on the cluster.
func (s *Session) Services(ctx context.Context) (*client.Services, error) {
	remote, err := s.Remote()
	switch {
	case s.Serve != nil:
		return s.Serve(s)
	case err != nil:
		return nil, err
	case remote:
		return s.dial()
	case s.Core != nil:
		return s.Core(ctx, s)
	}
	return nil, fault.New(fault.Mistake, "find", "a server", "", "none is named, and no context of one is chosen",
		"log in with `bowline login SERVER`, or name a server with --server")
}

// dial returns the services of the server.
func (s *Session) dial() (*client.Services, error) {
	t, err := s.target()
	if err != nil {
		return nil, err
	}
	caller, err := client.NewCaller(t.server, (&tokens{session: s, target: t}).get)
	if err != nil {
		return nil, err
	}
	return client.NewServices(caller), nil
}

// Describe joins what a context and what the flags say about a server.
func (s *Session) Describe(server contexts.Server) (*client.Server, error) {
	v := s.Server
	if server.Server == portForwarded {
		return nil, fault.New(fault.Mistake, "reach", "the server", "", "its context forwards a port of the cluster, which is not offered here",
			"forward one with `kubectl port-forward svc/argocd-server 8443:443` and name it with --server localhost:8443")
	}
	out := &client.Server{
		Address: server.Server, PlainText: server.PlainText || v.PlainText, Insecure: server.Insecure || v.Insecure,
		RootPath: server.GRPCWebRootPath, Headers: v.Headers, UserAgent: s.UserAgent, Retries: v.Retries,
	}
	if v.RootPath != "" {
		out.RootPath = v.RootPath
	}
	for _, part := range []struct {
		into          *[]byte
		data, path    string
		option, field string
	}{
		{&out.CA, server.CACertificateAuthorityData, v.CAFile, "--server-crt", "certificate-authority-data"},
		{&out.Cert, server.ClientCertificateData, v.CertFile, "--client-crt", "client-certificate-data"},
		{&out.Key, server.ClientCertificateKeyData, v.KeyFile, "--client-crt-key", "client-certificate-key-data"},
	} {
		var err error
		if part.path != "" {
			*part.into, err = os.ReadFile(part.path)
			err = fault.Wrap(fault.Mistake, "read", "the file of "+part.option, err, "name a file that can be read")
		} else if part.data != "" {
			*part.into, err = base64.StdEncoding.DecodeString(part.data)
			err = fault.Wrap(fault.Mistake, "read", part.field+" of a context", err, "log in again")
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
