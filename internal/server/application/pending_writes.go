// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"errors"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/internal/fault"
)

// DeleteResource is not served yet.
func (s *Service) DeleteResource(_ context.Context, _ *application.ApplicationResourceDeleteRequest) (*application.ApplicationResponse, error) {
	return nil, unsupported("DeleteResource")
}

// GetResource is not served yet.
func (s *Service) GetResource(_ context.Context, _ *application.ApplicationResourceRequest) (*application.ApplicationResourceResponse, error) {
	return nil, unsupported("GetResource")
}

// ListResourceActions is not served yet.
func (s *Service) ListResourceActions(_ context.Context, _ *application.ApplicationResourceRequest) (*application.ResourceActionsListResponse, error) {
	return nil, unsupported("ListResourceActions")
}

// PatchResource is not served yet.
func (s *Service) PatchResource(_ context.Context, _ *application.ApplicationResourcePatchRequest) (*application.ApplicationResourceResponse, error) {
	return nil, unsupported("PatchResource")
}

// PodLogs is not served yet.
func (s *Service) PodLogs(_ context.Context, _ *application.ApplicationPodLogsQuery, _ func(*application.LogEntry) error) error {
	return unsupported("PodLogs")
}

// RunResourceAction is not served yet.
func (s *Service) RunResourceAction(_ context.Context, _ *application.ResourceActionRunRequest) (*application.ApplicationResponse, error) {
	return nil, unsupported("RunResourceAction")
}

// RunResourceActionV2 is not served yet.
func (s *Service) RunResourceActionV2(_ context.Context, _ *application.ResourceActionRunRequestV2) (*application.ApplicationResponse, error) {
	return nil, unsupported("RunResourceActionV2")
}

func unsupported(name string) error {
	return &fault.Error{Kind: fault.Mistake, Code: fault.Unsupported, Op: "call", Thing: name, Err: errors.New("it is not served")}
}
