// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
)

// ListLinks is not served yet.
func (s *Service) ListLinks(_ context.Context, _ *application.ListAppLinksRequest) (*application.LinksResponse, error) {
	return nil, unsupported("ListLinks")
}

// ListResourceLinks is not served yet.
func (s *Service) ListResourceLinks(_ context.Context, _ *application.ApplicationResourceRequest) (*application.LinksResponse, error) {
	return nil, unsupported("ListResourceLinks")
}
