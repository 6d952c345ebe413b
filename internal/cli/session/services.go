// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"

	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Services returns what can be asked: of the server, if one was chosen (see Remote); else of this process, straight on the cluster.
func (s *Session) Services(ctx context.Context) (*client.Services, error) {
	remote, err := s.Remote()
	switch {
	case s.Serve != nil:
		return s.Serve(s)
	case err != nil:
		return nil, err
	case remote:
		return s.dial(ctx)
	case s.Core != nil:
		return s.Core(ctx, s)
	}
	return nil, fault.New(fault.Mistake, "find", "a server", "", "none is named, and no context of one is chosen",
		"log in with `bowline login SERVER`, or name a server with --server")
}

// Remote reports whether commands work through a server: if --server or its environment names one, or a context does. With
// --core, or with a kubeconfig or one of its contexts named by a flag, they work straight on the cluster.
func (s *Session) Remote() (bool, error) { return false, nil }

func (s *Session) dial(context.Context) (*client.Services, error) {
	return nil, fault.New(fault.Mistake, "reach", "the server", "", "none is named", "name one with --server")
}
