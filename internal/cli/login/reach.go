// SPDX-License-Identifier: Apache-2.0

package login

import (
	"context"
	"encoding/base64"
	"errors"

	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/cli/contexts"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

var errNotItsToken = errors.New("it does not know this token")

// reached is a server that nobody is signed in to yet.
type reached struct {
	server   *client.Server
	caller   *client.Caller
	services *client.Services
}

func reach(ctx context.Context, s *session.Session, server contexts.Server) (*reached, error) {
	described, err := s.Describe(server)
	if err != nil {
		return nil, err
	}
	caller, err := client.NewCaller(described, nil)
	if err != nil {
		return nil, err
	}
	return &reached{described, caller, client.NewServices(caller)}, ctx.Err()
}

// as returns the services for whoever a token is of.
func (r *reached) as(token string) *client.Services {
	caller, err := client.NewCaller(r.server, func(context.Context) (string, error) { return token, nil })
	if err != nil { // it was made of the same before
		return r.services
	}
	return client.NewServices(caller)
}

// remembered is the server as its context keeps it: with the certificates, which a file of the flags may not be there for.
func (r *reached) remembered(v session.Server) contexts.Server {
	text := base64.StdEncoding.EncodeToString
	return contexts.Server{
		Server: r.server.Address, PlainText: r.server.PlainText, Insecure: r.server.Insecure, GRPCWeb: v.GRPCWeb, GRPCWebRootPath: r.server.RootPath,
		CACertificateAuthorityData: text(r.server.CA), ClientCertificateData: text(r.server.Cert), ClientCertificateKeyData: text(r.server.Key),
	}
}

// cause is what an error says without its advice.
func cause(err error) string {
	said := &fault.Error{}
	if errors.As(err, &said) && said.Err != nil {
		return said.Err.Error()
	}
	return err.Error()
}
